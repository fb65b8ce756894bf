# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Requests at a constant rate to both peers of tun0, and their replies. For the programs that use tap.sh.

readonly constant_rate=$TUNECHO_BUILD/tests/system/constant-rate
readonly peer_ipv4=198.18.0.2 peer_ipv6=2001:2::2

# Longer than any test takes; stop_traffic ends it.
readonly traffic_seconds=3600

traffic=$(mktemp -d)
senders=()

# The command that runs a sender elsewhere, such as in another network namespace.
sender_in=()

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
        "${sender_in[@]}" "$constant_rate" -r "$rate" -t "$traffic_seconds" "$address" >"$traffic/$address" &
        senders+=($!)
    done
    wait_until 60 senders_are sending
    sleep 0.3
}

# Whether all senders are in this state.
senders_are() {
    local output

    for output in "$traffic"/*; do
        [ "$(tail -n 1 "$output")" = "$1" ] || return
    done
}

# Send no more, and wait until no request is under way.
hold_traffic() {
    kill -USR1 "${senders[@]}"
    wait_until 60 senders_are held
}

# Go on, and wait until each sender has sent a request.
release_traffic() {
    kill -USR2 "${senders[@]}"
    wait_until 60 senders_are sending
}

# Stop sending, and wait for the last replies.
stop_traffic() {
    sleep 0.3
    kill -INT "${senders[@]}"
    wait "${senders[@]}"
    senders=()
}

# figures NAME: the figure of that name that each sender prints in the end, one line for each.
figures() {
    /usr/bin/python3 -c '
import json, sys
for path in sys.argv[2:]:
    with open(path) as result:
        print(json.loads(result.readlines()[-1])[sys.argv[1]])' "$1" "$traffic"/*
}

# lost_at_most NUMBER: whether the replies of each sender are right, and no more than that many are missing.
lost_at_most() {
    local figure

    for figure in duplicate foreign refused; do
        [ "$(figures "$figure" | sort -u)" = 0 ] || { grep sent "$traffic"/*; return 1; }
    done
    for figure in $(figures lost); do
        [ "$figure" -le "$1" ] || { grep sent "$traffic"/*; return 1; }
    done
}

# Whether each sender got as many replies as it sent requests.
nothing_lost() {
    lost_at_most 0
}

# What the senders measured, as a diagnostic.
note_traffic() {
    local result

    for result in "$traffic"/*; do
        note "${result##*/}: $(tail -n 1 "$result")"
    done
}
