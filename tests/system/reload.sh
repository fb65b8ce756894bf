#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# systemctl reload under traffic: what systemd makes of a file that is applied, of one that is refused, and of one
# with errors. What each setting changes is in tests/live/test_reload.py. For the rig.

# shellcheck disable=SC2317 # the functions are called through check

set -u
# shellcheck source=tests/system/tap.sh
. "${BASH_SOURCE[0]%/*}/tap.sh"
# shellcheck source=tests/system/traffic.sh
. "${BASH_SOURCE[0]%/*}/traffic.sh"

readonly unit=tunecho@tun0
readonly reloaded=0c7e391cabbb4d4ba61b32d4f0b38625 refused=c086462fa97144fbadbb3c71db7b3582

# The traffic is routed into the device by its administrator.
readonly target_ipv4=203.0.113.9 target_ipv6=2001:db8:1::9
readonly network=('[Network]' 'Address=198.18.0.1' 'Address=2001:2::1' 'Peer=198.18.0.2' 'Peer=2001:2::2')

count_of() {
    journal --output=cat "MESSAGE_ID=$1" | wc -l
}

# reloads MESSAGE_ID LINE...: write the lines to the file, reload, and wait for the entry with the
# outcome. Where systemd is older than 253, `systemctl reload` does not wait.
reloads() {
    local outcome=$1 before

    shift
    before=$(count_of "$outcome")
    configure tun0 "$@"
    systemctl reload "$unit" || return
    wait_until 60 has_more "$before" "$outcome"
}

has_more() {
    [ "$(count_of "$2")" -gt "$1" ]
}

last_entry() {
    field MESSAGE "MESSAGE_ID=$1" TUNECHO_INTERFACE=tun0
}

status_has() {
    contains "$1" "$(property "$unit" StatusText)"
}

status_is_clear() {
    fails contains refused "$(property "$unit" StatusText)"
}

# link_has TEXT: whether ip-link(8) shows the text about the device.
link_has() {
    contains " $1 " "$(ip link show dev tun0 | tr '\n' ' ')"
}

# ping_shows TEXT ARGUMENT...: whether ping(8) with these arguments prints the text.
ping_shows() {
    local text=$1

    shift
    contains "$text" "$(ping -c 1 -W 60 "$@" 2>&1)"
}

# The number in the status, which is updated each second that has packets.
packets_in_status() {
    property "$unit" StatusText | sed -n 's/\(.*[^0-9]\)\?\([0-9][0-9]*\) packets.*/\2/p'
}

# Whether the totals in the status have changed, and it says so still.
still_refused() {
    local now

    now=$(packets_in_status)
    [ "${now:-0}" -gt "${1:-0}" ] && status_has 'Reload refused'
}

test_start() {
    configure tun0 "${network[@]}"
    check 'it starts' systemctl start "$unit"
    check 'IPv4 is routed into it' ip route add 203.0.113.0/24 dev tun0
    check 'IPv6 is routed into it' ip route add 2001:db8:1::/48 dev tun0
    pid=$(property "$unit" MainPID)
    index=$(interface_index tun0)
    start_traffic 1000 "$target_ipv4" "$target_ipv6"
}

test_mtu() {
    check 'the MTU changes' reloads "$reloaded" "${network[@]}" '[Device]' MTUBytes=1400
    check 'it is the new one' link_has 'mtu 1400'
    check 'it goes back' reloads "$reloaded" "${network[@]}"
    check 'to the default' link_has 'mtu 1500'
}

test_engine() {
    check 'Type= is refused' \
        reloads "$refused" "${network[@]}" '[Engine]' Type=syscall '[Device]' MTUBytes=1300
    check 'the journal has the reason' \
        contains 'only a restart can change' "$(last_entry "$refused")"
    check 'the remedy is a restart' contains restart "$(last_entry "$refused")"
    check 'what else has changed is in force' wait_until 60 link_has 'mtu 1300'
    check 'STATUS has it' wait_until 60 status_has 'Reload refused'
    check 'systemd waits for nothing else' wait_until 60 is_property "$unit" SubState running
    check 'a file without it is taken' reloads "$reloaded" "${network[@]}"
    check 'STATUS is clear again' wait_until 60 status_is_clear
    check 'no reload has put the settings into the journal' \
        fails contains 'MTUBytes=' "$(journal --output=cat --unit="$unit")"
}

# The settings that a file with errors must not change, and then one without.
test_mistakes() {
    local entry before before_refused packets shown

    check 'settings are there' reloads "$reloaded" "${network[@]}" '[Reflector]' HopLimit=17
    before=$(ip address show dev tun0)
    configure tun0 '[Network]' 'Address=10.99.0.1' 'Address=here' 'Colour=red' \
        '[Device]' 'MTUBytes=1400' 'TransmitQueueLength=x'
    check 'systemctl reload fails for a file with errors' fails systemctl reload "$unit"
    shown=$(journalctl --sync && systemctl status --no-pager --full --lines=20 "$unit")
    for entry in '3: Address=here' '4: unknown key' '7: TransmitQueueLength=x'; do
        check "an error is in the journal: $entry" \
            contains "tun0.conf:$entry" "$(journal --output=cat TUNECHO_INTERFACE=tun0)"
        check "systemctl status shows it: $entry" contains "tun0.conf:$entry" "$shown"
    done
    check 'the service runs on' is_property "$unit" ActiveState active
    check 'the manager does not wait for more' wait_until 60 is_property "$unit" SubState running
    check 'the device is as it was' equal "$before" "$(ip address show dev tun0)"
    check 'so are the replies' ping_shows ttl=17 "$target_ipv4"

    # A SIGHUP that is not systemd's comes without the check.
    before_refused=$(count_of "$refused")
    check 'SIGHUP is sent' systemctl kill --kill-whom=main --signal=HUP "$unit"
    check 'the daemon refuses it' wait_until 60 has_more "$before_refused" "$refused"
    check 'it says that the settings stay' contains 'keeps its settings' "$(last_entry "$refused")"
    check 'the replies are as they were' ping_shows ttl=17 "$target_ipv4"
    check 'STATUS tells' wait_until 60 status_has 'Reload refused'
    packets=$(packets_in_status)
    check 'it still does when the totals change' wait_until 60 still_refused "$packets"

    check 'a file without errors is applied' reloads "$reloaded" "${network[@]}"
    check 'STATUS is clear again' wait_until 60 status_is_clear
    check 'no error number stays' is_property "$unit" StatusErrno 0
    check 'the settings are the new ones' ping_shows ttl=64 "$target_ipv4"
}

test_end() {
    stop_traffic
    check 'no packet was lost by all that' nothing_lost
    note_traffic
    check 'all of it was one process' equal "$pid" "$(property "$unit" MainPID)"
    check 'with one device' equal "$index" "$(interface_index tun0)"
    check 'it stops' systemctl stop "$unit"
    check 'it ended well' is_property "$unit" Result success
}

test_start
test_mtu
test_engine
test_mistakes
test_end
tap_done
