#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tunechoctl sessions under the unit in a booted system: who sees addresses, pings at 10,000 a second beside it, and
# what tunechoctl says of an instance that does not run. For the rig.

# shellcheck disable=SC2317 # the functions are called through check

set -u
# shellcheck source=tests/system/tap.sh
. "${BASH_SOURCE[0]%/*}/tap.sh"
# shellcheck source=tests/system/traffic.sh
. "${BASH_SOURCE[0]%/*}/traffic.sh"

# With the two senders of the traffic, fewer than the 256 that there can be.
readonly pings=254

# Clients of tun0, each with a socket of its own and a request a second.
start_pings() {
    /usr/bin/python3 - "$pings" "$peer_ipv4" <<'PYTHON' &
import socket, struct, sys, time
clients = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) for _ in range(int(sys.argv[1]))]
number = 0
while True:
    number += 1
    for client in clients:
        client.sendto(struct.pack("!BBHHH", 8, 0, 0, 0, number), (sys.argv[2], 0))
    time.sleep(1)
PYTHON
    pinger=$!
}

# sessions_as FILTER [OPTION...]: what jq finds in the sessions, as the user of these options of setpriv(1).
sessions_as() {
    local filter=$1

    shift
    setpriv "$@" --bounding-set=-all tunechoctl sessions --json tun0 | jq --raw-output "$filter"
}

# has_sessions NUMBER: whether so many are listed, all with addresses.
has_sessions() {
    equal "$1" "$(sessions_as '[.[0].sessions[] | select(.from and .to)] | length')"
}

gid() {
    getent group "$1" | cut -d: -f3
}

test_who_sees_addresses() {
    local nobody=(--reuid=65534 --regid=65534)
    local seen='.[0] | [.addresses, .open, (.sessions | length), (.sessions | map(select(.from)) | length)] | @text'

    check 'root sees addresses' \
        equal "[true,$pings,$pings,$pings]" "$(sessions_as "$seen")"
    check 'a user does not, and sees as many sessions' \
        equal "[false,$pings,$pings,0]" "$(sessions_as "$seen" "${nobody[@]}" --clear-groups)"
    check 'a member of adm sees them' \
        equal "[true,$pings,$pings,$pings]" "$(sessions_as "$seen" "${nobody[@]}" --groups="$(gid adm)")"
    check 'a member of systemd-journal sees them' \
        equal "[true,$pings,$pings,$pings]" "$(sessions_as "$seen" "${nobody[@]}" --groups="$(gid systemd-journal)")"
    check 'the sockets are removed with the directory when it stops' systemctl stop tunecho@tun1
    check 'there is no directory of it' fails test -e /run/tunecho/tun1
}

# list_sessions NUMBER: list them so often; prints the microseconds that each took. On a slow machine tunechoctl may
# give up waiting, and is run again.
list_sessions() {
    local i begin

    for ((i = 0; i < $1; i++)); do
        begin=${EPOCHREALTIME/./}
        wait_until 60 tunechoctl sessions tun0 >/dev/null 2>&1 || return
        echo "$((${EPOCHREALTIME/./} - begin))"
    done
}

test_no_ping_is_lost() {
    local took

    start_traffic 5000
    check 'the sessions of the traffic are listed, too' wait_until 60 has_sessions 256
    took=$(list_sessions 101 | sort -n)
    check '256 sessions are listed, again and again' equal 101 "$(wc -l <<<"$took")"
    note "microseconds of a listing: least, median and most: $(sed -n '1p; 51p; 101p' <<<"$took" | xargs)"
    stop_traffic
    note_traffic
    check 'no ping at 10,000 a second was lost' nothing_lost
}

# hint_has INTERFACE TEXT: whether the line about an instance that does not run has this text.
hint_has() {
    contains "$2" "$(tunechoctl status "$1" 2>&1 >/dev/null)"
}

test_hints() {
    check 'one that does not run, without an interface' \
        hint_has tun9 'tun9: not-running, no such interface; to start it: systemctl start tunecho@tun9'
    check 'one whose interface is of others' hint_has lo 'lo: not-running, the interface does not belong to tunecho'
    configure tun8 '[Network]' 'Address=nonsense'
    check 'a wrong configuration fails the start' fails systemctl start tunecho@tun8
    check 'the result and the command that helps' hint_has tun8 \
        'tun8: failed (exit-code 78: an error in the configuration); see: journalctl -u tunecho@tun8'
    check 'the same for a user without privileges' contains 'tun8: failed (exit-code 78' \
        "$(setpriv --reuid=65534 --regid=65534 --clear-groups tunechoctl tun8 2>&1 >/dev/null)"
}

check 'tun0 starts' systemctl start tunecho@tun0
check 'tun1 starts' systemctl start tunecho@tun1
start_pings
check "$pings pings are listed" wait_until 60 has_sessions "$pings"
test_who_sees_addresses
test_no_ping_is_lost
test_hints
kill "$pinger"
tap_done
