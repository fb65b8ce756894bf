#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What scripts/package has made: twice the same, without a complaint, and whole. For tests/system/rig.

# shellcheck disable=SC2317 # the functions are called through check

set -u
# shellcheck source=tests/system/tap.sh
. "${BASH_SOURCE[0]%/*}/../system/tap.sh"
# shellcheck source=tests/package/files.sh
. "${BASH_SOURCE[0]%/*}/files.sh"

readonly packages=$TUNECHO_SOURCE/build/package again=$TUNECHO_SOURCE/build/package-again
packaged=$(mktemp -d)

hashes() {
    (cd "$1" && sha256sum -- *.deb *.dsc *.tar.xz)
}

# Every package in one directory is in the other, byte for byte: binary, source, and the archive.
same_packages() {
    equal "$(hashes "$1")" "$(hashes "$2")"
}

# Whether `meson dist` makes an archive of the same files.
same_dist() {
    local tree

    tree=$(mktemp -d)
    meson setup -Dtests=disabled "$tree/build" "$TUNECHO_SOURCE" &&
        meson dist -C "$tree/build" --no-tests --allow-dirty --formats xztar &&
        mkdir "$tree/dist" "$tree/ours" &&
        tar -C "$tree/dist" -xf "$tree"/build/meson-dist/tunecho-*.tar.xz &&
        tar -C "$tree/ours" -xf "$packages"/tunecho-*.tar.xz &&
        diff --recursive "$tree/dist" "$tree/ours"
}

# The bytes of what is installed without manual pages, in units of 1000.
installed_size() {
    find "$packaged" -path '*/DEBIAN' -prune -o -path '*/share/man' -prune -o -type f -printf '%s\n' |
        awk '{ bytes += $1 } END { print int((bytes + 999) / 1000) }'
}

names_in_package() {
    find "$packaged" -path "$packaged/DEBIAN" -prune -o -printf '%f\n' | sed 's/\.gz$//' | sort -u
}

# The shared libraries that the programs name.
libraries() {
    objdump --private-headers "$packaged"/usr/*bin/* | awk '$1 == "NEEDED" { print $2 }' | sort -u
}

depends_on_package_of() {
    local package

    package=$(dpkg-query --search "*/$(dpkg-architecture --query DEB_HOST_MULTIARCH)/$1") &&
        contains "${package%%:*}" "$(dpkg-deb --field "${deb[0]}" Depends)"
}

# Every program in the package, hardened. Control flow protection is not asked for: it takes a libc that was built
# with it, which that of Debian 12 was not.
hardened() {
    local program

    for program in "$packaged"/usr/*bin/*; do
        hardening-check --nocfprotection "$program" || return
    done
}

needs_packages "$packages" "$again"
deb=("$packages"/tunecho_*.deb)
check 'there is one package' equal 1 "${#deb[@]}"
check 'built again, it is the same, byte for byte' same_packages "$packages" "$again"
check 'what else was there is left' test -d "$again/tunecho-1.1/kept"
check 'the archive that it was built and tested from is that of meson dist' same_dist
check 'there is a source package' contains .dsc "$(cat "$packages"/tunecho_*.changes)"
check 'lintian has neither an error nor a warning, of the source package either' \
    equal '' "$(lintian --allow-root "$packages"/tunecho_*.changes 2>&1)"
check 'all of it was compiled with the flags that harden' blhc --bindnow "$packages"/tunecho_*.build
dpkg-deb --raw-extract "${deb[0]}" "$packaged"
check 'its programs are hardened' hardened
check 'it has all that Meson installs' has_all_files names_in_package
note "$(installed_size) kB without manual pages"
check 'without manual pages it has less than 450 kB' test "$(installed_size)" -lt 450
check 'it batches' contains liburing.so "$(libraries)"
for library in $(libraries); do
    check "it depends on the package of $library" depends_on_package_of "$library"
done
tap_done
