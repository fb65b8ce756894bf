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

# Routes that somebody else has set through the device.
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

is_running_anew() {
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
    sleep 0.2 # in which nobody keeps the manager from its work
    wait_until 10 is_running_anew "$before"
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

# How many requests of both senders were lost.
lost() {
    figures lost | awk '{ lost += $1 } END { print lost }'
}

# survives WHAT RATE TIMES COMMAND...: the device and RATE packets a second to each peer survive the command,
# as often as it is repeated. A kill may take along the one packet that the daemon has read and not answered yet: a
# matter of microseconds, unless the machine is busy. So a series of kills that takes none may come after others.
survives() {
    local what=$1 rate=$2 times=$3 index addresses tries=1

    [ "$what" != kill ] || tries=4
    shift 3
    index=$(interface_index tun0)
    addresses=$(addresses)
    check "$what: there is a device" at_least 1 "$index"
    while :; do
        start_traffic "$rate"
        check "$what, $times times, at $rate requests a second" repeat "$times" "$@"
        stop_traffic
        if [ "$((--tries))" = 0 ] || nothing_lost >/dev/null || [ "$(lost)" -gt "$times" ]; then
            break
        fi
        note "$(lost) lost, once more"
    done
    check "$what: none is lost" nothing_lost
    note_traffic
    check "$what: the interface index is the same" equal "$index" "$(interface_index tun0)"
    check "$what: so are its addresses" equal "$addresses" "$(addresses)"
    check "$what: foreign routes are still there" has_foreign_routes
    check "$what: the device is in the store once" is_property "$unit" NFileDescriptorStore 1
}

test_survival() {
    check 'it starts' systemctl start "$unit"
    check 'somebody adds routes' add_foreign_routes
    survives restart 1000 20 restart
    survives kill 1000 20 send KILL
    survives reload 1000 20 reload
    survives 'restart under load' 10000 5 restart
}

# What waits in the queue after a restart is a load, for which there is a ring.
has_ring() {
    [ -n "$(find "/proc/$(property "$unit" MainPID)/fd" -lname '*\[io_uring\]')" ]
}

test_survival_without_ring() {
    check 'under load there was a ring' has_ring
    printf '[Engine]\nType=syscall\n' > /etc/tunecho/tun0.conf
    survives 'restart under load, with plain calls' 5000 5 restart
    check 'without a ring' fails has_ring
    rm /etc/tunecho/tun0.conf
    check 'it restarts with the default engine' restart
}

test_hang() {
    drop_in "$unit" '[Service]' 'WatchdogSec=1s'
    check 'it starts with a watchdog of one second' restart
    survives hang 1000 1 send STOP
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
    check 'without a store, it restarts' restart
    stop_traffic
    check 'without a store, packets are lost' fails nothing_lost
    check 'without a store, the device is another one' fails equal "$index" "$(interface_index tun0)"
    remove_drop_in "$unit"
    check 'with the store again, it restarts' restart
    check 'the device is in the store' is_property "$unit" NFileDescriptorStore 1
}

test_taken_over() {
    check 'the journal says that the device was taken over' \
        contains "'tun0' is taken over" "$(journal --output=cat TUNECHO_INTERFACE=tun0)"
}

# The device comes back with another index, so that routes through it are gone; the descriptor of the old one
# must not stay in the store.
is_made_anew() {
    fails equal "$1" "$(interface_index tun0)" && fails has_foreign_routes &&
        is_property "$unit" NFileDescriptorStore 1
}

test_deletion_while_running() {
    local pid index

    pid=$(property "$unit" MainPID) index=$(interface_index tun0)
    systemctl reset-failed "$unit"
    check 'the device is deleted' ip link delete tun0
    check 'the daemon is started again' wait_until 10 is_running_anew "$pid"
    check 'the device is made anew' is_made_anew "$index"
    check 'its peer answers' pings "$peer_ipv4" 10
    check 'its peer answers over IPv6' pings "$peer_ipv6" 10
    check 'the first daemon says that it is gone' \
        contains "'tun0' is gone" "$(journal --output=cat "_PID=$pid" TUNECHO_INTERFACE=tun0)"
    check 'the second one says that it is made anew' \
        contains 'is made anew' "$(messages_of_main_process)"
}

test_deletion_while_stopped() {
    local pid index

    check 'somebody adds routes again' add_foreign_routes
    pid=$(property "$unit" MainPID) index=$(interface_index tun0)
    systemctl kill --kill-whom=main --signal=STOP "$unit"
    check 'the device is deleted while the daemon hangs' ip link delete tun0
    check 'the daemon is killed, and started again' send KILL
    check 'the device is made anew' is_made_anew "$index"
    check 'its peer answers' pings "$peer_ipv4" 10
    check 'its peer answers over IPv6' pings "$peer_ipv6" 10
    check 'the second daemon says so' \
        contains 'is made anew' "$(messages_of_main_process)"
    check 'and its device is kept, too' restart
    check 'in the same way' contains 'taken over' "$(field MESSAGE "_PID=$(property "$unit" MainPID)" \
        MESSAGE_ID=d23aa5ebe1d5490db3f8368bebec1ef5)"
}

test_stop() {
    check 'it stops' systemctl stop "$unit"
    check 'which removes the device' fails device_exists tun0
    check 'and empties the store' is_property "$unit" NFileDescriptorStore 0
}

kill_until_failed() {
    ! is_property "$unit" ActiveState failed || return 0
    systemctl kill --kill-whom=main --signal=KILL "$unit"
    return 1
}

test_start_limit() {
    check 'it starts again' systemctl start "$unit"
    check 'killed again and again, it is given up' wait_until 30 kill_until_failed
    check 'because of the start limit' \
        contains 'Start request repeated too quickly' "$(journal --output=cat --unit="$unit" _PID=1)"
    check 'which removes the device' wait_until 5 fails device_exists tun0
    check 'and empties the store' is_property "$unit" NFileDescriptorStore 0
}

test_survival
test_survival_without_ring
test_taken_over
test_hang
test_deletion_while_running
test_deletion_while_stopped
test_without_store
test_stop
test_start_limit
tap_done
