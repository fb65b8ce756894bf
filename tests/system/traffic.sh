# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Requests at a constant rate to both peers of tun0, and what became of them. For the programs that use
# tap.sh.

readonly constant_rate=$TUNECHO_BUILD/tests/system/constant-rate
readonly peer_ipv4=198.18.0.2 peer_ipv6=2001:2::2

# Longer than any test takes; stop_traffic ends it.
readonly traffic_seconds=200

traffic=$(mktemp -d)
senders=()

# The sender's sockets are open to the groups of this range; by the kernel's default to none.
echo '0 0' >/proc/sys/net/ipv4/ping_group_range

# start_traffic RATE [ADDRESS...]: send that many requests a second to each address, by default to both peers.
start_traffic() {
    local rate=$1 address

    shift
    [ $# != 0 ] || set -- "$peer_ipv4" "$peer_ipv6"
    senders=()
    rm -f "$traffic"/*
    for address in "$@"; do
        "$constant_rate" -r "$rate" -t "$traffic_seconds" "$address" >"$traffic/$address" &
        senders+=($!)
    done
    sleep 0.3
}

# Stop sending, and wait for the last replies.
stop_traffic() {
    sleep 0.3
    kill -INT "${senders[@]}"
    wait "${senders[@]}"
    senders=()
}

# figures NAME: what the senders say about NAME, one line for each.
figures() {
    /usr/bin/python3 -c '
import json, sys
for path in sys.argv[2:]:
    with open(path) as result:
        print(json.load(result)[sys.argv[1]])' "$1" "$traffic"/*
}

# Whether each sender got as many replies as it sent requests.
nothing_lost() {
    local figure

    for figure in lost duplicate foreign refused; do
        [ "$(figures "$figure" | sort -u)" = 0 ] || { grep . "$traffic"/*; return 1; }
    done
}

# What the senders measured, as a diagnostic.
note_traffic() {
    local result

    for result in "$traffic"/*; do
        note "${result##*/}: $(cat "$result")"
    done
}
