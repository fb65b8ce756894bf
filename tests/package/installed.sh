#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The life of the Debian package: installed, started, upgraded under load, removed, purged. For tests/system/rig, on
# a system that may have nothing but apt.

# shellcheck disable=SC2317 # the functions are called through check

set -u
# shellcheck source=tests/system/tap.sh
. "${BASH_SOURCE[0]%/*}/../system/tap.sh"
# shellcheck source=tests/package/files.sh
. "${BASH_SOURCE[0]%/*}/files.sh"

readonly packages=${TUNECHO_RIG_SHARE:-$TUNECHO_SOURCE/build/package}
readonly unit=tunecho@tun0 metrics=/var/lib/prometheus/node-exporter/tunecho.prom

# Of the catalogue: that the device is ready.
ready_id=$(sed -n 's/^-- //p' "$TUNECHO_SOURCE/systemd/tunecho.catalog" | head -n 1)

apt() {
    DEBIAN_FRONTEND=noninteractive apt-get --quiet=2 --yes "$@" </dev/null
}

# The same package with a later version.
make_upgrade() {
    local tree

    tree=$(mktemp -d)
    dpkg-deb --raw-extract "$deb" "$tree/package"
    sed -i 's/^Version: .*/&+upgrade/' "$tree/package/DEBIAN/control"
    dpkg-deb --build "$tree/package" "$tree"
    upgrade=$(echo "$tree"/tunecho_*.deb)
}

# What the other tests need, which the package must not.
install_tools() {
    local missing=()

    command -v ping >/dev/null || missing+=(iputils-ping)
    command -v ip >/dev/null || missing+=(iproute2)
    command -v python3 >/dev/null || missing+=(python3)
    [ "${#missing[@]}" = 0 ] || apt install "${missing[@]}"
}

is_catalogued() {
    journalctl --list-catalog "$ready_id" | grep -q "^$ready_id"
}

test_install() {
    forget_tunecho
    check 'there is nothing of tunecho' equal '' "$(traces)"
    check 'apt install ./tunecho_*.deb' apt install "$deb"
    check 'the program runs' tunecho --version
    check 'so does the client' tunechoctl --version
    check 'no instance runs' equal '' "$(instances)"
    check 'no timer does' is_property tunecho-metrics.timer ActiveState inactive
    check 'none is enabled' equal '' "$(find /etc/systemd -name '*tunecho*')"
    check 'the catalogue explains its messages' is_catalogued
    check 'dpkg finds nothing wrong' equal '' "$(dpkg --verify tunecho)"
}

test_start() {
    check 'systemctl start tunecho@tun0' systemctl start "$unit"
    check 'what the tests need is installed' install_tools
    check 'the IPv4 peer answers' pings 198.18.0.2 3
    check 'the IPv6 peer answers' pings 2001:2::2 3
    check 'tunechoctl shows it' contains tun0 "$(tunechoctl status)"
    mkdir -p "${metrics%/*}"
    check 'the timer for the metrics is enabled' systemctl enable --now --quiet tunecho-metrics.timer
    check 'it has them written' wait_until 10 test -s "$metrics"
    check 'another instance is enabled' systemctl enable --now --quiet tunecho@tun1
    configure echo5 '[Network]' Address=10.99.0.1/24 Peer=10.99.0.2
    check 'one with a file of its own starts' systemctl start tunecho@echo5
    check 'and stops' systemctl stop tunecho@echo5
    check 'a name without addresses fails' fails systemctl start tunecho@nowhere
    check 'one is masked' systemctl mask --quiet tunecho@tun9
}

test_upgrade() {
    local index pid

    # shellcheck source=tests/system/traffic.sh
    . "${BASH_SOURCE[0]%/*}/../system/traffic.sh"
    make_upgrade
    index=$(interface_index tun0) pid=$(property "$unit" MainPID)
    start_traffic 1000
    check 'an upgrade, at 1000 requests a second to each peer' apt install "$upgrade"
    stop_traffic
    check 'none is lost' nothing_lost
    note_traffic
    check 'it is installed' contains +upgrade "$(dpkg-query --show --showformat='${Version}' tunecho)"
    check 'the instance was restarted' fails equal "$pid" "$(property "$unit" MainPID)"
    check 'it is active' is_property "$unit" ActiveState active
    check 'its device is the same' equal "$index" "$(interface_index tun0)"
    check 'so is the other instance' is_property tunecho@tun1 ActiveState active
    check 'the stopped one stays stopped' is_property tunecho@echo5 ActiveState inactive
    check 'the failed one stays failed' is_property tunecho@nowhere ActiveState failed
}

test_removal() {
    check 'apt remove tunecho' apt remove tunecho
    check 'no instance is left' equal '' "$(instances --state=active,failed)"
    check 'no device is left' equal '' "$(ip -oneline link show type tun)"
    check 'the settings are left' test -e /etc/tunecho/echo5.conf
    check 'nobody is told the counters of before' fails test -e "$metrics"
    check 'the program is gone' fails test -e /usr/sbin/tunecho
}

test_return() {
    check 'installed again' apt install "$deb"
    check 'it starts with the settings of before' systemctl start tunecho@echo5
    check 'its peer answers' pings 10.99.0.2
}

test_purge() {
    check 'apt purge tunecho' apt purge tunecho
    check 'no instance is left' equal '' "$(instances)"
    check 'no device is left' equal '' "$(ip -oneline link show type tun)"
    check 'nothing is left' equal '' "$(traces)"
    check 'nothing is in the catalogue' fails is_catalogued
}

needs_packages "$packages"
deb=$(echo "$packages"/tunecho_*.deb)
test_install
test_start
test_upgrade
test_removal
test_return
test_purge
tap_done
