#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The PKGBUILD for Arch as far as another distribution can try it: its functions, as makepkg calls them, make a package
# of the archive that scripts/package has made, without the modules of pkg-config that have directories. For
# tests/system/rig.

# shellcheck disable=SC2317 # the functions are called through check

set -u
# shellcheck source=tests/system/tap.sh
. "${BASH_SOURCE[0]%/*}/../system/tap.sh"
# shellcheck source=tests/package/files.sh
. "${BASH_SOURCE[0]%/*}/files.sh"
# shellcheck source=scripts/lib.sh
. "${BASH_SOURCE[0]%/*}/../../scripts/lib.sh"

readonly packages=$TUNECHO_SOURCE/build/package files=$TUNECHO_SOURCE/packaging/arch
readonly unit=tunecho@tun0
work=$(mktemp -d)

# in_pkgbuild COMMAND...: run it as makepkg would, with the variables and functions of the file.
in_pkgbuild() (
    set -e
    srcdir=$work/src pkgdir=$work/pkg
    cd "$srcdir"
    # shellcheck source=packaging/arch/PKGBUILD
    . "$files/PKGBUILD"
    "$@"
)

has_source() {
    # shellcheck disable=SC2154 # of the PKGBUILD
    test -f "$packages/${source[0]}"
}

names() {
    find "$work/pkg" -printf '%f\n' | sort -u
}

# run_script FUNCTION: one of tunecho.install, as pacman calls it.
run_script() {
    # shellcheck source=packaging/arch/tunecho.install
    (. "$files/tunecho.install" && "$@")
}

test_build() {
    local file

    for file in PKGBUILD tunecho.install; do
        check "bash finds no error in $file" bash -n "$files/$file"
        check "shellcheck finds none in $file" shellcheck "$files/$file"
    done

    mkdir -p "$work/src" "$work/pkg"
    tar -C "$work/src" -xf "$packages"/tunecho-*.tar.xz
    check 'the archive has the name of the source' in_pkgbuild has_source
    hide_modules "$work/modules" systemd udev bash-completion cmocka
    export PKG_CONFIG_LIBDIR=$work/modules
    check 'build() builds without a module for directories, and without cmocka' in_pkgbuild build
    check 'package() installs' in_pkgbuild package
    check 'it has all that Meson installs' has_all_files names
    check 'it has no directory that Arch has as a link' equal '' \
        "$(find "$work/pkg" -path "$work/pkg/lib" -o -path "$work/pkg/bin" -o -path '*/sbin' -o -path '*/lib64')"
}

test_life() {
    local index pid

    forget_tunecho
    cp -R "$work/pkg/." /
    systemctl daemon-reload
    check 'an instance starts' systemctl start "$unit"
    check 'its peer answers' pings 198.18.0.2 3
    index=$(interface_index tun0) pid=$(property "$unit" MainPID)
    check 'an upgrade restarts it' run_script post_upgrade
    check 'it is another process' fails equal "$pid" "$(property "$unit" MainPID)"
    check 'its device is the same' equal "$index" "$(interface_index tun0)"
    check 'a removal stops it' run_script pre_remove
    check 'no instance is left' equal '' "$(instances --state=active,failed)"
}

needs_packages "$packages"
test_build
test_life
tap_done
