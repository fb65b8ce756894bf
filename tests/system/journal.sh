#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the journal has of pings and drops: fields, levels, explanations, and how many entries. For the rig.

# shellcheck disable=SC2317 # the functions are called through check

set -u
# shellcheck source=tests/system/tap.sh
. "${BASH_SOURCE[0]%/*}/tap.sh"

readonly unit=tunecho@tun0
readonly sessions=3c4d124d318a4d12bf2fcf125f099fbb begins=023dc75e16eb423c892c54260070ff24
readonly sums=b2b5d30868ad4839933b85a48b0796e3
readonly info=6 notice=5 debug=7

# query JQ MATCH...: what jq(1) makes of the array of the unit's entries that match, as journalctl -o json has
# them.
query() {
    local program=$1

    shift
    journal --unit="$unit" --output=json "$@" | jq --slurp --raw-output "$program"
}

count() {
    query length "$@"
}

has_entries() {
    local n=$1

    shift
    equal "$n" "$(count "$@")"
}

# is_field NAME VALUE MATCH...: of the last entry that matches.
is_field() {
    local name=$1 value=$2

    shift 2
    equal "$value" "$(query ".[-1].$name" "$@")"
}

# How many entries have ten others in the half second before them; the journal's clock is not the daemon's, so
# that it cannot be the whole second.
crowded() {
    query '[.[].__MONOTONIC_TIMESTAMP | tonumber] | [., .[10:]] | transpose |
        map(select(.[1] != null and .[1] - .[0] < 500000)) | length' "$@"
}

# The number in the source's table of verdicts, as the id of the entries for drops.
id_of_drops() {
    /usr/bin/python3 - "$1" "$TUNECHO_SOURCE/src/verdict.c" <<'END'
import re, sys
table = open(sys.argv[2], encoding="utf-8").read()
print(re.search(rf'"{sys.argv[1]}", "TUNECHO_[^}}]*"([0-9a-f]{{32}})" }}', table)[1])
END
}

# send LINE...: have python write packets into the device, past the kernel's own IP; scapy's names are there.
send() {
    /usr/bin/python3 -B -c '
import socket, sys
from scapy.layers.inet import ICMP, IP, UDP
device = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
for line in sys.argv[1:]:
    device.sendto(bytes(eval(line)), ("tun0", 0x0800))' "$@"
}

readonly good="IP(src='198.18.0.1',dst='198.18.0.2')"

# One packet for each verdict of IPv4 that drops, as VERDICT=PACKET.
readonly drops=(
    "malformed=IP(src='198.18.0.1',dst='198.18.0.2',len=10)/ICMP()"
    "not-icmp=$good/UDP(dport=9)"
    "not-echo=$good/ICMP(type=13)"
    "bad-ip-checksum=IP(src='198.18.0.1',dst='198.18.0.2',chksum=1)/ICMP()"
    "bad-icmp-checksum=$good/ICMP(chksum=1)"
    "bad-source=IP(src='127.0.0.1',dst='198.18.0.2')/ICMP()"
    "bad-destination=IP(src='198.18.0.1',dst='240.0.0.1')/ICMP()"
    "not-ours=IP(src='198.18.0.1',dst='203.0.113.1')/ICMP()"
    "group-destination=IP(src='198.18.0.1',dst='224.0.0.1')/ICMP()"
    "source-route=IP(src='198.18.0.1',dst='198.18.0.2',options=b'\x83\x07\x04\x01\x01\x01\x01\x00')/ICMP()"
    "bad-option=IP(src='198.18.0.1',dst='198.18.0.2',options=b'\x07\x01\x04\x00')/ICMP()"
)

# Those above; unsupported is of IPv6 alone.
verdicts() {
    local drop

    for drop in "${drops[@]}"; do
        echo "${drop%%=*}"
    done
}

# Start the daemon anew, with a new device and without what the kernel sends over IPv6 by itself; sets $match_daemon.
start_quietly() {
    echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
    systemctl stop "$unit"
    systemctl start "$unit"
    match_daemon=_PID=$(property "$unit" MainPID)
}

test_session() {
    local match=("MESSAGE_ID=$sessions" TUNECHO_DESTINATION=198.18.0.2) id name

    systemctl start "$unit"
    check 'five pings are answered' ping -q -c 5 -i 0.2 -s 100 198.18.0.2
    check 'the beginning has an entry at once' has_entries 1 "MESSAGE_ID=$begins"
    check 'of level debug' is_field PRIORITY "$debug" "MESSAGE_ID=$begins"
    id=$(query '.[-1].TUNECHO_IDENTIFIER' "MESSAGE_ID=$begins")
    check 'which journalctl -p info leaves out' equal 0 "$(count --priority=info "MESSAGE_ID=$begins")"
    check 'and the end has none yet' has_entries 0 "${match[@]}"
    check 'it has one ten seconds after the last request' wait_until 15 has_entries 1 "${match[@]}"
    note "$(journal --output=cat "${match[@]}")"

    check 'of level info' is_field PRIORITY "$info" "${match[@]}"
    for name in INTERFACE=tun0 SOURCE=198.18.0.1 IDENTIFIER="$id" REQUESTS=5 MISSING=0 DUPLICATES=0 \
        REORDERED=0 SEQUENCE_FIRST=1 SEQUENCE_LAST=5 FRAGMENTED=0 BYTES=640 LENGTH_MIN=128 LENGTH_MAX=128 \
        HOP_LIMIT_MIN=64 HOP_LIMIT_MAX=64; do
        check "it has TUNECHO_$name" is_field "TUNECHO_${name%%=*}" "${name#*=}" "${match[@]}"
    done
    check 'its duration is that of four pauses' \
        at_least 780000 "$(query '.[-1].TUNECHO_DURATION_USEC' "${match[@]}")"
    check 'it belongs to the unit' is_field _SYSTEMD_UNIT "$unit.service" "${match[@]}"
    check 'a person reads the same' contains \
        "ping 198.18.0.1 > 198.18.0.2 id $id: 5 requests in 1 s, 0 missing, 0 duplicate, 0 reordered, 128 bytes," \
        "$(query '.[-1].MESSAGE' "${match[@]}")"
    check 'journalctl -x says where to look' contains rp_filter "$(journal --catalog "${match[@]}")"
}

test_many_sessions() {
    local before n

    ip route add 198.51.100.0/24 dev tun0
    before=$(count "MESSAGE_ID=$sessions")
    check 'a hundred hosts are alive' fping -q -c 1 -i 1 -g 198.51.100.1 198.51.100.100
    check 'their beginnings have ten entries' \
        equal 10 "$(query 'map(select(.TUNECHO_DESTINATION | startswith("198.51.100."))) | length' \
            "MESSAGE_ID=$begins")"
    check 'their ends have a sum' wait_until 15 has_entries 1 "MESSAGE_ID=$sums"
    note "$(journal --output=cat "MESSAGE_ID=$sums")"
    n=$(($(count "MESSAGE_ID=$sessions") - before))
    check 'some have an entry each' at_least 1 "$n"
    check 'and no more than ten at a time' equal 0 "$(crowded "MESSAGE_ID=$sessions")"
    check 'the others are in the sum' is_field TUNECHO_SESSIONS $((100 - n)) "MESSAGE_ID=$sums"
    check 'with their requests' is_field TUNECHO_REQUESTS $((100 - n)) "MESSAGE_ID=$sums"
    check 'of which none is missing' is_field TUNECHO_MISSING 0 "MESSAGE_ID=$sums"
    check 'journalctl -x explains it' contains 'sums of the others' "$(journal --catalog "MESSAGE_ID=$sums")"
}

test_drops() {
    local drop verdict match round

    configure tun0 '[Network]' Address=198.18.0.1 Peer=198.18.0.2 '[Reflector]' Destination=198.18.0.0/24 \
        Destination=224.0.0.0/4 Destination=240.0.0.0/4
    start_quietly
    for drop in "${drops[@]}"; do
        send "${drop#*=}"
        verdict=${drop%%=*}
        match=("MESSAGE_ID=$(id_of_drops "$verdict")" "$match_daemon")
        check "$verdict: the first has an entry at once" has_entries 1 "${match[@]}"
        check "$verdict: of level notice" is_field PRIORITY "$notice" "${match[@]}"
        check "$verdict: which names it" is_field TUNECHO_VERDICT "$verdict" "${match[@]}"
        check "$verdict: it is one" is_field TUNECHO_DROPPED 1 "${match[@]}"
        check "$verdict: journalctl -x explains this one" \
            contains "verdict $verdict" "$(journal --catalog "${match[@]}" | tr -s '░\n ' ' ')"
    done

    for round in 1 2 3; do
        send "${drops[@]#*=}"
    done
    sleep 1.5
    for verdict in $(verdicts); do
        match=("MESSAGE_ID=$(id_of_drops "$verdict")" "$match_daemon")
        check "$verdict: more of them have none for a minute" has_entries 1 "${match[@]}"
    done
    systemctl stop "$unit"
    for verdict in $(verdicts); do
        match=("MESSAGE_ID=$(id_of_drops "$verdict")" "$match_daemon")
        check "$verdict: the end has the rest" has_entries 2 "${match[@]}"
        check "$verdict: which are $round" is_field TUNECHO_DROPPED "$round" "${match[@]}"
    done
}

# A daemon whose clock jumps does not have to wait for the minute.
test_drops_after_a_minute() {
    local match

    install -m 0755 "$TUNECHO_BUILD/tests/system/libclock-late.so" /usr/lib/tunecho-clock-late.so
    drop_in "$unit" '[Service]' 'Environment=LD_PRELOAD=/usr/lib/tunecho-clock-late.so'
    start_quietly
    match=("MESSAGE_ID=$(id_of_drops not-icmp)" "$match_daemon")
    send "$good/UDP()" "$good/UDP()" "$good/UDP()"
    check 'of three, the first has an entry' is_field TUNECHO_DROPPED 1 "${match[@]}"
    touch /run/clock-is-ahead
    check 'after a minute there is another, without another packet' wait_until 5 has_entries 2 "${match[@]}"
    check 'which has the two' is_field TUNECHO_DROPPED 2 "${match[@]}"
    remove_drop_in "$unit"
}

check 'the catalogue is taken up' journalctl --update-catalog
test_session
test_many_sessions
test_drops
test_drops_after_a_minute
tap_done
