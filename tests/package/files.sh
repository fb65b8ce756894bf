# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What there is of tunecho on a system, and what there should be. For the programs that use tap.sh.

# needs_packages DIRECTORY...: end here if one is missing that scripts/check makes.
needs_packages() {
    local directory

    for directory in "$@"; do
        [ ! -d "$directory" ] || continue
        if [ "${TUNECHO_STRICT:-}" = 1 ]; then
            check "there is $directory" test -d "$directory"
        else
            skip "there is $directory" 'scripts/check package makes it'
        fi
        tap_done
    done
}

# The names of the files that Meson installs, as a package has them.
installed_by_meson() {
    meson introspect --installed "$TUNECHO_BUILD" | /usr/bin/python3 -c '
import json, sys
for path in json.load(sys.stdin).values():
    print(path.rpartition("/")[2])' | sort -u
}

# has_all_files COMMAND: whether all that Meson installs is among the names that the command prints.
has_all_files() {
    equal '' "$(comm -23 <(installed_by_meson) <("$1"))"
}

# Whatever is called like us, where packages and services leave things.
traces() {
    find /etc /usr /lib /run /var/lib /var/log -xdev -path /var/lib/apt -prune -o -name '*tunecho*' -print | sort -u
}

# A machine that has tunecho already is rid of it, and of a policy that keeps packages from touching services, as
# containers have; this is a copy of it.
forget_tunecho() {
    rm -f /usr/sbin/policy-rc.d
    ! dpkg-query --status tunecho >/dev/null 2>&1 || dpkg --purge tunecho
    traces | while read -r path; do
        rm -rf "$path"
    done
    journalctl --update-catalog
    systemctl daemon-reload
}

instances() {
    systemctl list-units --all --no-legend --plain "$@" 'tunecho[@-]*'
}
