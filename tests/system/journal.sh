#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the journal has of pings and drops: fields, levels, explanations, and how many entries. For the rig.

# shellcheck disable=SC2317 # the functions are called through check

set -u
# shellcheck source=tests/system/tap.sh
. "${BASH_SOURCE[0]%/*}/tap.sh"

readonly unit=tunecho@tun0
readonly sessions=3c4d124d318a4d12bf2fcf125f099fbb
readonly sums=b2b5d30868ad4839933b85a48b0796e3
readonly info=6 notice=5

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

# Seconds since the start of the machine.
now() {
    cut -d. -f1 /proc/uptime
}

at_most() {
    [ "$2" -le "$1" ] || { echo "expected $1 or less, got '$2'"; return 1; }
}

# A sum over the entries that match.
sum_of() {
    local name=$1

    shift
    query "map(.$name | tonumber) | add" "$@"
}

# Whether the daemon has counted that many packets that it dropped.
has_dropped() {
    equal "$1" "$(tunechoctl --json status tun0 | jq '.[0].dropped')"
}

# Whether the duration of the last entry that matches is within what is certain, however slow the machine is. A
# packet is recorded after its reply is written: the first one between its request and the second reply, the last
# one between its request and ten seconds before the entry. Requests and replies are those that ping(8) has printed
# with -D: when replies came, and how long each took.
is_duration_of() {
    local output=$1

    shift
    query '.[-1] | .TUNECHO_DURATION_USEC, .__REALTIME_TIMESTAMP' "$@" | /usr/bin/python3 -c '
import re, sys
found = re.findall(r"^\[([\d.]+)\].*time=([\d.]+) ms", sys.argv[1], re.M)
replies = [tuple(map(float, one)) for one in found]
requests = [came - took / 1000 for came, took in replies]
duration, logged = (int(line) / 1e6 for line in sys.stdin)
low, high, rounding = requests[-1] - replies[1][0], logged - 10 - requests[0], 0.005
print(f"{low} to {high}, got {duration}")
sys.exit(not low - rounding <= duration <= high + rounding)' "$output"
}

# The source's table of verdicts that drop: the name, and the id of the entries for it.
table=$(
    /usr/bin/python3 - "$TUNECHO_SOURCE/src/common/verdict.c" <<'END'
import re, sys
table = open(sys.argv[1], encoding="utf-8").read()
for name, message_id in re.findall(r'"([a-z-]+)", "TUNECHO_[^}]*"([0-9a-f]{32})" }', table):
    print(name, message_id)
END
)

id_of_drops() {
    sed -n "s/^$1 //p" <<<"$table"
}

# send PACKET...: write packets into the device, past the kernel's own IP. Each is a call of ip() or ip6().
send() {
    /usr/bin/python3 -c '
import socket, struct, sys

def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    return ~(total % 65535) & 0xFFFF

def ip(payload, source="198.18.0.1", destination="198.18.0.2", protocol=1, options=b"", length=None, wrong=0):
    size = 20 + len(options)
    header = struct.pack("!BBHHHBBH", 0x40 | size // 4, 0, length or size + len(payload), 1, 0, 64, protocol, 0)
    header += socket.inet_aton(source) + socket.inet_aton(destination) + options
    return header[:10] + struct.pack("!H", checksum(header) ^ wrong) + header[12:] + payload

def ip6(payload, protocol):
    header = struct.pack("!IHBB", 6 << 28, len(payload), protocol, 64)
    ends = "2001:2::1", "2001:2::2"
    return header + b"".join(socket.inet_pton(socket.AF_INET6, end) for end in ends) + payload

def icmp(kind=8, wrong=0):
    message = struct.pack("!BBHHH", kind, 0, 0, 7, 1)
    return message[:2] + struct.pack("!H", checksum(message) ^ wrong) + message[4:]

def icmp6(kind):
    ends = "2001:2::1", "2001:2::2"
    pseudo = b"".join(socket.inet_pton(socket.AF_INET6, end) for end in ends) + struct.pack("!II", 8, 58)
    message = struct.pack("!BBHI", kind, 0, 0, 0)
    return message[:2] + struct.pack("!H", checksum(pseudo + message)) + message[4:]

device = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
for call in sys.argv[1:]:
    packet = eval(call)
    device.sendto(packet, ("tun0", 0x86DD if packet[0] >> 4 == 6 else 0x0800))' "$@"
}

# One packet for each verdict that drops, as VERDICT=PACKET; the last is a fragment with options in it.
readonly drops=(
    'malformed=ip(icmp(), length=10)'
    'not-icmp=ip(bytes(8), protocol=17)'
    'icmp-error=ip(icmp(3))'
    'not-echo=ip(icmp(13))'
    'bad-ip-checksum=ip(icmp(), wrong=1)'
    'bad-icmp-checksum=ip(icmp(wrong=1))'
    'bad-source=ip(icmp(), source="127.0.0.1")'
    'bad-destination=ip(icmp(), destination="240.0.0.1")'
    'not-ours=ip(icmp(), destination="203.0.113.1")'
    'group-destination=ip(icmp(), destination="224.0.0.1")'
    'source-route=ip(icmp(), options=bytes([0x83, 7, 4, 1, 1, 1, 1, 0]))'
    'bad-option=ip(icmp(), options=bytes([7, 1, 4, 0]))'
    'unsupported=ip6(bytes([60, 0, 0, 1, 0, 0, 0, 7, 58, 0, 1, 4, 0, 0, 0, 0]) + icmp(128), protocol=44)'
)

# Those above.
verdicts() {
    local drop

    for drop in "${drops[@]}"; do
        echo "${drop%%=*}"
    done
}

# A router solicitation, which is counted and has no entry.
readonly housekeeping='ip6(icmp6(133), protocol=58)'

# Start the daemon again, with a new device and without what the kernel sends over IPv6 by itself; sets
# $match_daemon.
start_quietly() {
    echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
    systemctl stop "$unit"
    systemctl start "$unit"
    match_daemon=_PID=$(property "$unit" MainPID)
}

test_session() {
    local match=("MESSAGE_ID=$sessions" TUNECHO_DESTINATION=198.18.0.2) id name pings

    systemctl start "$unit"
    # With an answer to each before the next.
    pings=$(ping -D -c 5 -i 0.2 -s 100 -W 60 198.18.0.2)
    check 'five pings are answered' contains '5 received' "$pings"
    check 'the ping has no entry yet' has_entries 0 "${match[@]}"
    check 'it has one ten seconds after the last request' wait_until 60 has_entries 1 "${match[@]}"
    note "$(journal --output=cat "${match[@]}")"

    check 'of level info' is_field PRIORITY "$info" "${match[@]}"
    id=$(query '.[-1].TUNECHO_IDENTIFIER' "${match[@]}")
    for name in INTERFACE=tun0 SOURCE=198.18.0.1 IDENTIFIER="$id" REQUESTS=5 MISSING=0 DUPLICATES=0 \
        REORDERED=0 SEQUENCE_FIRST=1 SEQUENCE_LAST=5 FRAGMENTED=0 BYTES=640 LENGTH_MIN=128 LENGTH_MAX=128 \
        HOP_LIMIT_MIN=64 HOP_LIMIT_MAX=64; do
        check "it has TUNECHO_$name" is_field "TUNECHO_${name%%=*}" "${name#*=}" "${match[@]}"
    done
    check 'its duration is that of the ping' is_duration_of "$pings" "${match[@]}"
    check 'it belongs to the unit' is_field _SYSTEMD_UNIT "$unit.service" "${match[@]}"
    check 'a person reads the same' contains \
        "ping 198.18.0.1 > 198.18.0.2 id $id: 5 requests in N s, seq 1 to 5, 0 missing, 0 duplicate, 0 reordered, 128 bytes," \
        "$(query '.[-1].MESSAGE' "${match[@]}" | sed 's/ in [0-9]* s,/ in N s,/')"
    check 'journalctl -x says where to look' contains rp_filter "$(journal --catalog "${match[@]}")"
}

# Whether the entries since the first of them, and the sums, are of a hundred sessions.
has_hundred() {
    local n

    n=$(($(count "MESSAGE_ID=$sessions") - $1))
    equal $((100 - n)) "$(sum_of TUNECHO_SESSIONS "MESSAGE_ID=$sums")"
}

test_many_sessions() {
    local before begin n

    ip route add 198.51.100.0/24 dev tun0
    before=$(count "MESSAGE_ID=$sessions")
    begin=$(now)
    check 'a hundred hosts are alive' fping -q -c 1 -i 1 -t 60000 -g 198.51.100.1 198.51.100.100
    check 'all have an entry or are in a sum' wait_until 60 has_hundred "$before"
    note "$(journal --output=cat "MESSAGE_ID=$sums")"
    n=$(($(count "MESSAGE_ID=$sessions") - before))
    check 'some have an entry each' at_least 1 "$n"
    # They end ten seconds after their requests, so that none of the entries is older than that.
    check 'and no more than ten a second' at_most $((10 * ($(now) - begin - 10 + 2))) "$n"
    check 'the sums have the requests' equal $((100 - n)) "$(sum_of TUNECHO_REQUESTS "MESSAGE_ID=$sums")"
    check 'of which none is missing' equal 0 "$(sum_of TUNECHO_MISSING "MESSAGE_ID=$sums")"
    check 'journalctl -x explains it' contains 'sums of the others' "$(journal --catalog "MESSAGE_ID=$sums")"
}

test_drops() {
    local drop verdict match begin n

    check 'each verdict that drops has its packet' \
        equal "$(cut -d' ' -f1 <<<"$table" | sort)" "$(verdicts | sort)"
    configure tun0 '[Network]' Address=198.18.0.1 Peer=198.18.0.2 '[Reflector]' Destination=198.18.0.0/24 \
        Destination=224.0.0.0/4 Destination=240.0.0.0/4
    start_quietly
    begin=$(now)
    for drop in "${drops[@]}"; do
        send "${drop#*=}"
        verdict=${drop%%=*}
        match=("MESSAGE_ID=$(id_of_drops "$verdict")" "$match_daemon")
        check "$verdict: the first has an entry" wait_until 60 has_entries 1 "${match[@]}"
        check "$verdict: of level notice" is_field PRIORITY "$notice" "${match[@]}"
        check "$verdict: which names it" is_field TUNECHO_VERDICT "$verdict" "${match[@]}"
        check "$verdict: it is one" is_field TUNECHO_DROPPED 1 "${match[@]}"
        check "$verdict: journalctl -x explains this one" \
            contains "verdict $verdict" "$(journal --catalog "${match[@]}" | tr -s '░\n ' ' ')"
    done

    send "$housekeeping"
    send "${drops[@]#*=}" "${drops[@]#*=}" "${drops[@]#*=}"
    check 'more of them are dropped' wait_until 60 has_dropped $((4 * ${#drops[@]} + 1))
    sleep 1.5
    for verdict in $(verdicts); do
        match=("MESSAGE_ID=$(id_of_drops "$verdict")" "$match_daemon")
        # The first of this daemon were sent later than begin.
        n=$(count "${match[@]}")
        check "$verdict: more of them have none for a minute" \
            at_most "$((1 + ($(now) - begin + 1) / 60))" "$n"
    done
    systemctl stop "$unit"
    for verdict in $(verdicts); do
        match=("MESSAGE_ID=$(id_of_drops "$verdict")" "$match_daemon")
        check "$verdict: the end has the rest" at_least 2 "$(count "${match[@]}")"
        check "$verdict: all in all four" equal 4 "$(sum_of TUNECHO_DROPPED "${match[@]}")"
    done
    check 'housekeeping: it has no entry' has_entries 0 TUNECHO_VERDICT=housekeeping "$match_daemon"
    check 'housekeeping: the totals count it' has_entries 1 TUNECHO_HOUSEKEEPING=1 "$match_daemon"
}

check 'the catalogue is taken up' journalctl --update-catalog
test_session
test_many_sessions
test_drops
tap_done
