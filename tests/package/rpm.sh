#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The RPM of the archive that scripts/package has made: built, installed, started, removed. For tests/system/rig.

# shellcheck disable=SC2317 # the functions are called through check

set -u
# shellcheck source=tests/system/tap.sh
. "${BASH_SOURCE[0]%/*}/../system/tap.sh"
# shellcheck source=tests/package/files.sh
. "${BASH_SOURCE[0]%/*}/files.sh"

readonly packages=$TUNECHO_SOURCE/build/package spec=$TUNECHO_SOURCE/packaging/tunecho.spec
readonly unit=tunecho@tun0 socket=tunecho-metrics.socket
work=$(mktemp -d)

# build_rpm NAME OPTION...: leave it in $work/NAME. The unit tests have passed for the Debian package; what it needs
# to be built is known to dpkg, and not to rpm.
build_rpm() {
    local directory=$work/$1

    shift
    mkdir -p "$directory/SOURCES"
    cp "$packages"/tunecho-*.tar.xz "$directory/SOURCES"
    rpmbuild --quiet --nodeps --nocheck --define "_topdir $directory" "$@" -bb "$spec"
}

rpm_of() {
    echo "$work/$1"/RPMS/*/tunecho-1*.rpm
}

names_in_rpm() {
    rpm --query --list --package "$(rpm_of usual)" | sed 's|.*/||' | sort -u
}

test_build() {
    check 'rpmlint finds no error in the spec file' rpmlint "$spec"
    check 'rpmbuild makes an RPM of the archive' build_rpm usual
    check 'it has all that Meson installs' has_all_files names_in_rpm
    # As Fedora has it since 42.
    check 'it makes one without a directory sbin' build_rpm merged --without tests --define '_sbindir /usr/bin'
}

test_life() {
    forget_tunecho
    check 'the latter is installed' rpm --install --nodeps --force-debian "$(rpm_of merged)"
    check 'no instance runs' equal '' "$(instances --state=active)"
    check 'an instance is enabled' systemctl enable --now --quiet "$unit"
    check 'its peer answers' pings 198.18.0.2 3
    check 'so is the socket of the metrics' systemctl enable --now --quiet $socket
    check 'they are served' contains 'tunecho_up{interface="tun0"} 1' \
        "$(curl --silent http://127.0.0.1:19818/metrics)"
    check 'a name without addresses fails' fails systemctl start tunecho@nowhere

    check 'it is removed' rpm --erase --force-debian tunecho
    check 'no instance is left, not even a failed one' equal '' "$(instances --state=active,failed)"
    check 'no device is left' equal '' "$(ip -oneline link show type tun)"
    check 'nothing is left' equal '' "$(traces)"
}

needs_packages "$packages"
test_build
test_life
tap_done
