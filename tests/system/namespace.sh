#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# An instance in another network namespace, by the example of a drop-in. For the rig.

# shellcheck disable=SC2317 # the functions are called through check

set -u
# shellcheck source=tests/system/tap.sh
. "${BASH_SOURCE[0]%/*}/tap.sh"
# shellcheck source=tests/system/traffic.sh
. "${BASH_SOURCE[0]%/*}/traffic.sh"

readonly unit=tunecho@tun0
readonly example=/usr/share/doc/tunecho/examples/namespace.conf.example
readonly drop_in=/etc/systemd/system/$unit.service.d/namespace.conf
sender_in=(nsenter --net=/run/netns/blue)
readonly exit_network=225 # systemd.exec(5): the namespace cannot be entered

# in_blue COMMAND...: run a command in the other namespace.
in_blue() {
    nsenter --net=/run/netns/blue "$@"
}

pings_in_blue() {
    in_blue ping -q -c 10 -l 10 -i 60 -W 60 "$1"
}

index_in_blue() {
    in_blue ip -oneline link show dev tun0 | cut -d: -f1
}

# Requests without a pause while the command runs, none of which is lost.
pings_during() {
    local result

    start_traffic 100 198.18.0.2
    "$@"
    result=$?
    stop_traffic
    nothing_lost && return "$result"
}

test_start() {
    ip netns add blue
    in_blue ip link set lo up
    in_blue sh -c 'echo "0 0" >/proc/sys/net/ipv4/ping_group_range'
    check 'the example is installed' install -D -m 0644 "$example" "$drop_in"
    systemctl daemon-reload
    check 'the instance starts' systemctl start "$unit"
    check 'its device is in the namespace' in_blue ip link show dev tun0
    check 'and not in that of the system' fails device_exists tun0
    check 'the peer answers in there' pings_in_blue 198.18.0.2
    check 'the peer answers over IPv6' pings_in_blue 2001:2::2
    check 'the peer does not answer out here' silent 198.18.0.2
}

test_life() {
    local index

    index=$(index_in_blue)
    check 'a restart loses nothing' pings_during systemctl restart "$unit"
    check 'the device is the same' equal "$index" "$(index_in_blue)"
    check 'a reload loses nothing' pings_during systemctl reload "$unit"
    check 'another instance is out here' systemctl start tunecho@tun1
    check 'and answers' pings 198.18.1.2
    check 'the first one stops' systemctl stop "$unit"
    check 'which removes its device' fails in_blue ip link show dev tun0
    check 'the other one stays' pings 198.18.1.2
}

test_no_namespace() {
    ip netns delete blue
    check 'without the namespace, the start fails' fails systemctl start "$unit"
    check 'systemd says that it is the namespace' \
        wait_until 60 is_property "$unit" ExecMainStatus "$exit_network"
    check 'no device was made' fails device_exists tun0
    check 'it is given up' wait_until 60 is_property "$unit" ActiveState failed
    rm "$drop_in"
    systemctl daemon-reload
    systemctl reset-failed "$unit"
}

test_start
test_life
test_no_namespace
tap_done
