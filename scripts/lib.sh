# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Functions of the scripts: messages, and the installation of packages.

# The build dependencies: packages of Debian, and modules of pkg-config.
build_packages=(gcc libc6-dev meson ninja-build pkg-config
    libsystemd-dev libcap-dev libseccomp-dev libmnl-dev liburing-dev libsmartcols-dev libjson-c-dev libncurses-dev)
build_modules=(libsystemd libcap libseccomp libmnl liburing smartcols json-c ncursesw)

say() {
    printf '==> %s\n' "$*"
}

fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# step WHAT COMMAND...: run the command with its output in the file $log; show the end of it if it fails.
step() {
    local status

    : "${log:?}"
    say "$1" | tee --append "$log"
    shift
    # Not in a condition, where bash would ignore set -e.
    set +e
    (
        set -e
        "$@"
    ) >>"$log" 2>&1
    status=$?
    set -e
    if [ "$status" != 0 ]; then
        tail -n 20 "$log"
        fail "this failed; $PWD/$log has the whole output"
    fi
}

# become_root ARGUMENT...: if the user is not root, run this script again as root, through sudo.
become_root() {
    local script=$PWD/scripts/${0##*/}

    [ "$(id -u)" != 0 ] || return 0
    command -v sudo >/dev/null ||
        fail "this requires root, and sudo is not installed: run $script as root, as with su(1)"
    say 'This requires root: continuing with sudo'
    # sudo does not pass variables on.
    exec sudo -- env TUNECHO_STRICT="${TUNECHO_STRICT:-}" "$script" "$@"
}

# return_builds NAME...: give what root has built in build/NAME* to the owner of the tree, who would otherwise be
# unable to build or delete it.
return_builds() {
    local name path

    [ "$(id -u)" = 0 ] || return 0
    chown --reference=. build
    for name in "$@"; do
        for path in build/"$name"*; do
            [ ! -e "$path" ] || chown --recursive --no-dereference --reference=. "$path"
        done
    done
}

# Print those of the packages that are not installed.
missing_packages() {
    local package

    for package in "$@"; do
        [[ $(dpkg-query --show --showformat='${db:Status-Abbrev}' "$package" 2>/dev/null) == ii* ]] ||
            echo "$package"
    done
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
    [ "${#missing[@]}" != 0 ] || return 0

    [ "$(id -u)" = 0 ] || fail "only root can install the missing packages: ${missing[*]}"
    update_lists
    say "Installing ${missing[*]}"
    apt_get install "${missing[@]}"
}

# hide_modules DIRECTORY MODULE...: fill the directory with links to the modules of pkg-config, without these. It is
# for $PKG_CONFIG_LIBDIR.
hide_modules() {
    local directory=$1 module path paths

    shift
    IFS=: read -ra paths <<<"$(pkg-config --variable=pc_path pkg-config)"
    rm -rf "$directory"
    mkdir -p "$directory"
    for path in "${paths[@]}"; do
        find "$path" -name '*.pc' -exec ln --symbolic --force --target-directory="$directory" {} + 2>/dev/null || :
    done
    for module in "$@"; do
        rm -f "$directory/$module.pc"
    done
}
