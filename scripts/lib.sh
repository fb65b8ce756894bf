# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Functions of the scripts: messages, and the installation of packages.

# The build dependencies: packages of Debian, and modules of pkg-config.
build_packages=(gcc libc6-dev meson ninja-build pkg-config
    libsystemd-dev libcap-dev libseccomp-dev libmnl-dev liburing-dev libsmartcols-dev libjson-c-dev libncurses-dev)
build_modules=(systemd libsystemd libcap libseccomp libmnl liburing smartcols json-c ncursesw)

say() {
    printf '==> %s\n' "$*"
}

fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Print those of the packages that are not installed.
missing_packages() {
    local package

    for package in "$@"; do
        [[ $(dpkg-query --show --showformat='${db:Status-Abbrev}' "$package" 2>/dev/null) == ii* ]] ||
            echo "$package"
    done
}

# Whether systemd.pc is installed, which has the directory of the units.
has_systemd_pc() {
    pkg-config --exists systemd 2>/dev/null
}

# The package that has systemd.pc: systemd-dev after Debian 12.
systemd_package() {
    if apt-cache show systemd-dev >/dev/null 2>&1; then
        echo systemd-dev
    else
        echo systemd
    fi
}

# Fetch the lists of packages that apt has.
update_lists() {
    apt-get --quiet update || say 'apt-get update failed: using the previous lists'
}

# apt_get COMMAND ARGUMENT...: install without a question, or fail.
apt_get() {
    DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes --no-install-recommends \
        --option DPkg::Lock::Timeout=120 "$@" || fail 'the packages cannot be installed'
}

# Install the build dependencies and these packages. If all are installed, the network is not used.
install_packages() {
    local missing

    set -- "${build_packages[@]}" "$@"
    if ! command -v apt-get >/dev/null; then
        say "apt-get is unavailable: install the equivalents of these Debian packages first: $*"
        pkg-config --exists --print-errors "${build_modules[@]}" ||
            fail 'install the modules above, then try again'
        return
    fi

    mapfile -t missing < <(missing_packages "$@")
    if [ "${#missing[@]}" = 0 ] && has_systemd_pc; then
        return
    fi

    [ "$(id -u)" = 0 ] || fail "only root can install the missing packages: ${missing[*]:-$(systemd_package)}"
    update_lists
    has_systemd_pc || missing+=("$(systemd_package)")
    say "Installing ${missing[*]}"
    apt_get install "${missing[@]}"
}
