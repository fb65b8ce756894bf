#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# systemctl reload: what changes under traffic, what is refused, and what a file with errors does. For the
# rig.

# shellcheck disable=SC2317 # the functions are called through check

set -u
# shellcheck source=tests/system/tap.sh
. "${BASH_SOURCE[0]%/*}/tap.sh"
# shellcheck source=tests/system/traffic.sh
. "${BASH_SOURCE[0]%/*}/traffic.sh"

readonly unit=tunecho@tun0
readonly reloaded=0c7e391cabbb4d4ba61b32d4f0b38625 refused=c086462fa97144fbadbb3c71db7b3582
readonly packet_read=8e682018efa44777b03586795f031816

# The traffic is routed into the device by its administrator, so that it goes on whatever the peers are. No address
# that comes and goes here is closer to its IPv6 target than 2001:2::1, which it is sent from.
readonly target_ipv4=203.0.113.9 target_ipv6=2001:db8:1::9

# The addresses of every file here, which the traffic comes from, and the peers of most of them.
readonly addresses=('[Network]' 'Address=198.18.0.1' 'Address=2001:2::1')
readonly network=("${addresses[@]}" 'Peer=198.18.0.2' 'Peer=2001:2::2')

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

has_address() {
    contains " $1 " "$(ip -oneline address show dev tun0 scope global | tr -s ' ') "
}

# ping_shows TEXT ARGUMENT...: whether ping(8) with these arguments prints the text.
ping_shows() {
    local text=$1

    shift
    contains "$text" "$(ping -c 1 -W 60 "$@" 2>&1)"
}

# ping_lacks TEXT ARGUMENT...: whether it does not within a second.
ping_lacks() {
    local text=$1

    shift
    fails contains "$text" "$(ping -c 1 -W 1 "$@" 2>&1)"
}

has_packet_entries() {
    [ "$(count_of "$packet_read")" -gt 0 ]
}

# Whether there are no more of them for half a second; those of before may still be on their way.
has_no_more_packet_entries() {
    local before

    before=$(count_of "$packet_read")
    sleep 0.5
    equal "$before" "$(count_of "$packet_read")"
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

test_addresses() {
    check 'another address is added' \
        reloads "$reloaded" "${network[@]}" Address=10.77.0.1/24 Address=fd00:7::1/64
    check 'the device has it' has_address 10.77.0.1/24
    check 'the device has that of IPv6' has_address fd00:7::1/64
    check 'its subnet answers' pings 10.77.0.99
    check 'its subnet of IPv6 answers' pings fd00:7::99
    check 'the first ones are still there' has_address '198.18.0.1 peer 198.18.0.2/32'
    check 'those of IPv6, too' has_address '2001:2::1 peer 2001:2::2/128'

    check 'it is removed' reloads "$reloaded" "${network[@]}"
    check 'the device has it no longer' fails has_address 10.77.0.1/24
    check 'nor that of IPv6' fails has_address fd00:7::1/64
}

test_peers() {
    check 'other peers are set' reloads "$reloaded" "${addresses[@]}" Peer=198.18.0.3 Peer=2001:2::3
    check 'the peer answers' pings 198.18.0.3
    check 'the peer of IPv6 answers' pings 2001:2::3
    check 'they change back' reloads "$reloaded" "${network[@]}"
    check 'the new peer answers' pings 198.18.0.2
    check 'the new peer of IPv6 answers' pings 2001:2::2
    check 'the old one is no longer routed' silent 198.18.0.3
    check 'nor is that of IPv6' silent 2001:2::3
}

test_reflector() {
    local peers=(Address=10.77.0.1/24)

    check 'Destination= comes' reloads "$reloaded" "${network[@]}" "${peers[@]}" \
        '[Reflector]' Destination=203.0.113.0/24 Destination=2001:db8:1::/48
    check 'what it leaves out is silent' silent 198.18.0.2
    check 'in IPv6, too' silent 2001:2::2
    check 'Destination= goes' reloads "$reloaded" "${network[@]}" "${peers[@]}"
    check 'everybody answers again' pings 198.18.0.2
    check 'in IPv6, too' pings 2001:2::2

    check 'HopLimit= changes' reloads "$reloaded" "${network[@]}" "${peers[@]}" '[Reflector]' HopLimit=17
    check 'replies have it' ping_shows ttl=17 198.18.0.2
    check 'in IPv6, too' ping_shows ttl=17 2001:2::2
    check 'HopLimit= goes back' reloads "$reloaded" "${network[@]}" "${peers[@]}"
    check 'replies have the default' ping_shows ttl=64 198.18.0.2

    check 'broadcasts are not answered' ping_lacks 'from 198.18.0.2' -b 10.77.0.255
    check 'all nodes of IPv6 are answered' ping_shows 'from 2001:2::2' -L -I 2001:2::1 ff02::1%tun0
    check 'both change' \
        reloads "$reloaded" "${network[@]}" "${peers[@]}" '[Reflector]' AnswerBroadcast=yes AnswerMulticast=no
    check 'broadcasts are answered' ping_shows 'from 198.18.0.2' -b 10.77.0.255
    check 'all nodes of IPv6 are not' ping_lacks 'from 2001:2::2' -L -I 2001:2::1 ff02::1%tun0
}

test_log() {
    check 'there are no entries for packets' fails has_packet_entries
    check 'Packets= changes' reloads "$reloaded" "${network[@]}" '[Log]' Packets=yes Sessions=no
    check 'there are entries for packets' wait_until 60 has_packet_entries
    check 'Packets= goes back' reloads "$reloaded" "${network[@]}"
    check 'there are no more entries for packets' wait_until 60 has_no_more_packet_entries
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
    check 'the settings are the new ones' ping_shows ttl=64 "$target_ipv4"
}

test_loss() {
    stop_traffic
    check 'no packet was lost by all that' nothing_lost
    note_traffic
}

# The kernel takes the device's queue out of service while its length changes, and drops what is sent into it
# meanwhile; how much is printed. Where nothing is sent, nothing is lost.
test_queue_length() {
    start_traffic 1000 "$target_ipv4" "$target_ipv6"
    check 'the queue length changes under traffic' \
        reloads "$reloaded" "${network[@]}" '[Device]' TransmitQueueLength=4321
    check 'the traffic goes on' hold_traffic
    stop_traffic
    note_traffic

    start_traffic 1000 "$target_ipv4" "$target_ipv6"
    check 'no request is under way' hold_traffic
    check 'the queue length changes' reloads "$reloaded" "${network[@]}" '[Device]' TransmitQueueLength=777
    check 'it is the new one' link_has 'qlen 777'
    check 'it goes back' reloads "$reloaded" "${network[@]}"
    check 'to the default' link_has 'qlen 5000'
    check 'there are requests again' release_traffic
    stop_traffic
    check 'none of them is lost' nothing_lost
    note_traffic
}

# A file that is right, with settings that this system cannot have.
test_impossible() {
    local disable=/proc/sys/net/ipv6/conf/tun0/disable_ipv6

    check 'IPv6 is switched off' tee "$disable" <<<1
    check 'an IPv6 address is refused then' reloads "$refused" "${network[@]}" '[Device]' MTUBytes=1400
    check 'the device is as it was' link_has 'mtu 1500'
    check 'IPv4 answers' pings "$target_ipv4" 10
    check 'STATUS has it' wait_until 60 status_has 'Reload refused'
    check 'IPv6 is switched on' tee "$disable" <<<0
    check 'the same file is taken now' reloads "$reloaded" "${network[@]}" '[Device]' MTUBytes=1400
    check 'it is in force' link_has 'mtu 1400'
    check 'STATUS is clear again' wait_until 60 status_is_clear
    check 'no error number stays' is_property "$unit" StatusErrno 0
}

test_no_file() {
    rm /etc/tunecho/tun0.conf
    check 'without a file' systemctl reload "$unit"
    check 'the defaults are back' wait_until 60 has_address '198.18.0.1 peer 198.18.0.2/32'
    check 'the peer answers' pings 198.18.0.2
    check 'the peer of IPv6 answers' pings 2001:2::2
    check 'all of it was one process' equal "$pid" "$(property "$unit" MainPID)"
    check 'with one device' equal "$index" "$(interface_index tun0)"
    check 'it stops' systemctl stop "$unit"
    check 'it ended well' is_property "$unit" Result success
}

test_start
test_mtu
test_addresses
test_peers
test_reflector
test_log
test_engine
test_mistakes
test_loss
test_queue_length
test_impossible
test_no_file
tap_done
