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
readonly unit=tunecho@tun0 socket=tunecho-metrics.socket
readonly old_timer=tunecho-metrics.timer old_service=tunecho-metrics.service
readonly old_metrics=/var/lib/prometheus/node-exporter/tunecho.prom

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

# The page that Prometheus reads.
metrics() {
    /usr/bin/python3 -c '
import urllib.request
print(urllib.request.urlopen("http://127.0.0.1:19818/metrics", timeout=60).read().decode())'
}

# A package as version 1.0 was, as far as it had a timer and a service for the metrics.
make_old_package() {
    local tree=$1/old units

    dpkg-deb --raw-extract "$deb" "$tree"
    units=$(dirname "$(find "$tree" -name $socket)")
    rm "$units"/tunecho-metrics* "$tree/DEBIAN/preinst"
    printf '%s\n' '[Timer]' OnActiveSec=0 '[Install]' WantedBy=timers.target >"$units/$old_timer"
    printf '%s\n' '[Service]' Type=oneshot "ExecStart=/bin/touch $old_metrics" ExecStart=/bin/false \
        >"$units/$old_service"
    sed -i 's/^Version: .*/Version: 1.0-0/' "$tree/DEBIAN/control"
    sed -i "s/$socket/$old_timer/g" "$tree"/DEBIAN/p*
    dpkg-deb --build "$tree" "$1/old.deb"
}

# From version 1.0, of which the timer is enabled, the service has failed, and its file is there.
test_upgrade_of_old() {
    local directory

    forget_tunecho
    directory=$(mktemp -d)
    mkdir -p "${old_metrics%/*}"
    check 'a package with the old units is made' make_old_package "$directory"
    check 'it is installed' apt install "$directory/old.deb"
    check 'its timer is enabled' systemctl enable --now --quiet $old_timer
    check 'its service has failed' wait_until 60 is_property $old_service ActiveState failed
    check 'it has written its file' test -e $old_metrics
    check 'it is upgraded' apt install "$deb"
    check 'no unit of it is left' equal '' "$(systemctl list-units --all --no-legend --plain 'tunecho*')"
    check 'no link to one is' equal '' "$(find /etc/systemd -name '*tunecho*')"
    check 'nor state of one' equal '' "$(find /var/lib/systemd -name 'tunecho-metrics.timer*')"
    check 'nor its file' fails test -e $old_metrics

    check 'the old one is installed again' apt install --allow-downgrades "$directory/old.deb"
    check 'its timer is masked' systemctl mask --quiet $old_timer
    check 'it is removed' apt remove tunecho
    check 'the new one is installed' apt install "$deb"
    check 'no unit is masked' equal '' "$(find /etc/systemd -name '*tunecho*')"
    check 'it is purged' apt purge tunecho
}

test_install() {
    forget_tunecho
    check 'there is nothing of tunecho' equal '' "$(traces)"
    check 'apt install ./tunecho_*.deb' apt install "$deb"
    check 'the program runs' tunecho --version
    check 'so does the client' tunechoctl --version
    check 'no instance runs' equal '' "$(instances)"
    check 'the metrics are not served' is_property $socket ActiveState inactive
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
    check 'the socket of the metrics is enabled' systemctl enable --now --quiet $socket
    check 'they are served' contains 'tunecho_up{interface="tun0"} 1' "$(metrics)"
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
    check 'the metrics are served' contains 'tunecho_up{interface="tun0"} 1' "$(metrics)"
    check 'the stopped one stays stopped' is_property tunecho@echo5 ActiveState inactive
    check 'the failed one stays failed' is_property tunecho@nowhere ActiveState failed
}

test_removal() {
    check 'apt remove tunecho' apt remove tunecho
    check 'no instance is left' equal '' "$(instances --state=active,failed)"
    check 'no device is left' equal '' "$(ip -oneline link show type tun)"
    check 'the settings are left' test -e /etc/tunecho/echo5.conf
    check 'the port of the metrics is closed' fails metrics
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
test_upgrade_of_old
test_install
test_start
test_upgrade
test_removal
test_return
test_purge
tap_done
