#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The device outlives the daemon: restart, kill, reload and a hang under traffic, none of which loses a
# packet, an address or a route. Then what ends the device: its deletion, a stop, a start limit. For the rig.

# shellcheck disable=SC2317 # the functions are called through check

set -u
# shellcheck source=tests/system/tap.sh
. "${BASH_SOURCE[0]%/*}/tap.sh"
# shellcheck source=tests/system/traffic.sh
. "${BASH_SOURCE[0]%/*}/traffic.sh"

readonly unit=tunecho@tun0

# Packets that a daemon reads before it answers them.
readonly batch_max=64

# Routes that another process has set through the device.
readonly foreign_ipv4=203.0.113.0/24 foreign_ipv6=2001:db8:1::/48

add_foreign_routes() {
    ip route add "$foreign_ipv4" dev tun0 && ip route add "$foreign_ipv6" dev tun0
}

has_foreign_routes() {
    [ -n "$(ip route show "$foreign_ipv4" dev tun0)" ] &&
        [ -n "$(ip -6 route show "$foreign_ipv6" dev tun0)" ]
}

# The addresses of the device, in any order.
addresses() {
    ip -oneline address show dev tun0 scope global | awk '{ print $4, $5, $6 }' | sort
}

messages_of_main_process() {
    journal --output=cat "_PID=$(property "$unit" MainPID)" TUNECHO_INTERFACE=tun0
}

main_process_says() {
    contains "$1" "$(messages_of_main_process)"
}

is_recovered() {
    contains 'is recovered from the descriptor store' "$(field MESSAGE "_PID=$(property "$unit" MainPID)" \
        MESSAGE_ID=d23aa5ebe1d5490db3f8368bebec1ef5)"
}

is_running_again() {
    is_property "$unit" ActiveState active && fails equal "$1" "$(property "$unit" MainPID)"
}

# Starts count against the limit of the unit, which is for those that fail.
restart() {
    systemctl reset-failed "$unit" && systemctl restart "$unit"
}

# send SIGNAL: send a signal that ends the daemon, and wait for the next one.
send() {
    local before

    before=$(property "$unit" MainPID)
    systemctl reset-failed "$unit" && systemctl kill --kill-whom=main --signal="$1" "$unit" || return
    sleep 0.2 # the queries below keep systemd busy
    wait_until 60 is_running_again "$before"
}

# has_received SIGNAL PID: whether a signal has done to a daemon what it is for.
has_received() {
    if [ "$1" = STOP ]; then
        is_stopped "$unit"
    else
        [ ! -d "/proc/$2" ]
    fi
}

# send_between SIGNAL: the same while no request is under way.
send_between() {
    local before

    before=$(property "$unit" MainPID)
    systemctl reset-failed "$unit" && hold_traffic || return
    systemctl kill --kill-whom=main --signal="$1" "$unit" && wait_until 60 has_received "$1" "$before" &&
        release_traffic && wait_until 60 is_running_again "$before"
}

reload() {
    systemctl reload "$unit"
}

repeat() {
    local times=$1 i

    shift
    for ((i = 0; i < times; i++)); do
        "$@" || { echo "failed the time after $i"; return 1; }
        sleep 0.1
    done
}

# Of a series of commands, how many packets may be lost.
may_lose=0

# survives WHAT RATE TIMES COMMAND...: the device and RATE packets a second to each peer survive the command,
# as often as it is repeated.
survives() {
    local what=$1 rate=$2 times=$3 index addresses

    shift 3
    index=$(interface_index tun0)
    addresses=$(addresses)
    check "$what: there is a device" at_least 1 "$index"
    start_traffic "$rate"
    check "$what, $times times, at $rate requests a second" repeat "$times" "$@"
    stop_traffic
    if [ "$may_lose" = 0 ]; then
        check "$what: none is lost" nothing_lost
    else
        check "$what: no more than $may_lose are lost" lost_at_most "$may_lose"
    fi
    note_traffic
    check "$what: the interface index is the same" equal "$index" "$(interface_index tun0)"
    check "$what: so are its addresses" equal "$addresses" "$(addresses)"
    check "$what: foreign routes are still there" has_foreign_routes
    check "$what: the device is in the store once" is_property "$unit" NFileDescriptorStore 1
}

test_survival() {
    check 'it starts' systemctl start "$unit"
    check 'routes of others are added' add_foreign_routes
    survives restart 1000 20 restart
    survives 'kill between two packets' 1000 10 send_between KILL
    # It takes along what the daemon has read and not answered yet, a batch at most; how much is printed.
    may_lose=$((20 * batch_max)) survives kill 1000 20 send KILL
    survives reload 1000 20 reload
    survives 'restart under load' 10000 5 restart
}

test_hang() {
    drop_in "$unit" '[Service]' 'WatchdogSec=5s'
    check 'it starts with a watchdog of five seconds' restart
    survives hang 1000 1 send_between STOP
    check 'the watchdog has ended it' \
        contains 'Watchdog timeout' "$(journal --output=cat --unit="$unit" _PID=1)"
    remove_drop_in "$unit"
}

# What the store is good for, and that the figures above mean something.
test_without_store() {
    local index

    index=$(interface_index tun0)
    drop_in "$unit" '[Service]' 'FileDescriptorStoreMax=0'
    start_traffic 1000
    # What is sent to a daemon that does not read waits in the queue of its device.
    check 'no request is under way' hold_traffic
    systemctl kill --kill-whom=main --signal=STOP "$unit"
    check 'the daemon is stopped' wait_until 60 is_stopped "$unit"
    check 'there are requests again' release_traffic
    check 'without a store, it is killed and started again' send KILL
    stop_traffic
    check 'without a store, packets are lost' fails nothing_lost
    check 'without a store, the device is another one' fails equal "$index" "$(interface_index tun0)"
    remove_drop_in "$unit"
    check 'with the store again, it restarts' restart
    check 'the device is in the store' is_property "$unit" NFileDescriptorStore 1
}

test_taken_over() {
    check 'the journal says that the device was recovered' \
        contains "'tun0' is recovered from the descriptor store" "$(journal --output=cat TUNECHO_INTERFACE=tun0)"
}

has_peer_routes() {
    [ -n "$(ip route show "$peer_ipv4" dev tun0)" ] && [ -n "$(ip -6 route show "$peer_ipv6" dev tun0)" ]
}

# delete_peer_routes COMMAND...: the routes come back with the command.
delete_peer_routes() {
    check 'the routes to the peers are deleted' ip route delete "$peer_ipv4" dev tun0
    check 'in IPv6, too' ip route delete "$peer_ipv6" dev tun0
    check 'they are gone' fails has_peer_routes
    check "$*" "$@"
    check "$*: they are back" wait_until 60 has_peer_routes
    check "$*: the peer answers" pings "$peer_ipv4"
    check "$*: the peer answers over IPv6" pings "$peer_ipv6"
}

test_peer_routes() {
    delete_peer_routes reload
    delete_peer_routes restart
}

# The device comes back with another index, so that routes through it are gone; the descriptor of the old one
# must not stay in the store.
is_another() {
    fails equal "$1" "$(interface_index tun0)" && fails has_foreign_routes &&
        is_property "$unit" NFileDescriptorStore 1
}

test_deletion_while_running() {
    local pid index

    pid=$(property "$unit" MainPID) index=$(interface_index tun0)
    systemctl reset-failed "$unit"
    check 'the device is deleted' ip link delete tun0
    check 'the daemon is started again' wait_until 60 is_running_again "$pid"
    check 'the device is another one' is_another "$index"
    check 'its peer answers' pings "$peer_ipv4" 10
    check 'its peer answers over IPv6' pings "$peer_ipv6" 10
    check 'the first daemon says that it is gone' \
        contains "'tun0' was deleted by another process" "$(journal --output=cat "_PID=$pid" TUNECHO_INTERFACE=tun0)"
    check 'the second one says that it is created again' wait_until 60 main_process_says 'is created again'
}

test_stop() {
    check 'it stops' systemctl stop "$unit"
    check 'which removes the device' wait_until 60 fails device_exists tun0
    check 'and empties the store' is_property "$unit" NFileDescriptorStore 0
}

kill_until_failed() {
    ! is_property "$unit" ActiveState failed || return 0
    systemctl kill --kill-whom=main --signal=KILL "$unit"
    return 1
}

test_start_limit() {
    # However long the starts take.
    drop_in "$unit" '[Unit]' 'StartLimitIntervalSec=1h'
    check 'it starts again' systemctl start "$unit"
    check 'killed again and again, it is given up' wait_until 60 kill_until_failed
    check 'because of the start limit' \
        contains 'Start request repeated too quickly' "$(journal --output=cat --unit="$unit" _PID=1)"
    check 'which removes the device' wait_until 60 fails device_exists tun0
    check 'and empties the store' is_property "$unit" NFileDescriptorStore 0
}

test_survival
test_taken_over
test_peer_routes
test_hang
test_deletion_while_running
test_without_store
test_stop
test_start_limit
tap_done
