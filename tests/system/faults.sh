#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the system can do to a service: no journal, no systemd, no memory, no descriptors, no disk space, no node,
# another time. It serves on, or says why not and ends with the status that the manual promises. For the rig.

# shellcheck disable=SC2317 # the functions are called through check

set -u
# shellcheck source=tests/system/tap.sh
. "${BASH_SOURCE[0]%/*}/tap.sh"
# shellcheck source=tests/system/traffic.sh
. "${BASH_SOURCE[0]%/*}/traffic.sh"

readonly unit=tunecho@tun0
readonly journal_units=(systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket
    systemd-journald-audit.socket)
readonly notify_socket=/run/systemd/notify
readonly no_device=69 system_failed=71 exit_namespace=226 # the last one is systemd's, systemd.exec(5)

restart() {
    systemctl reset-failed "$unit" 2>/dev/null
    systemctl restart "$unit"
}

send() {
    systemctl kill --kill-whom=main --signal="$1" "$unit"
}

# The number in the status, which is updated each second that has packets.
packets_sent() {
    property "$unit" StatusText | sed -n 's/^\([0-9]*\) packets.*/\1/p'
}

# The status counts more packets than $1.
status_continues() {
    local sent

    sent=$(packets_sent)
    [ "${sent:-0}" -gt "$1" ]
}

messages() {
    journal --output=cat TUNECHO_INTERFACE=tun0 "$@"
}

# serves_on WHAT COMMAND...: the command is run under traffic, none of which is lost, and the daemon stays the
# same.
serves_on() {
    local what=$1 pid

    shift
    pid=$(property "$unit" MainPID)
    start_traffic 1000
    check "$what" "$@"
    stop_traffic
    check "$what: no packet is lost" nothing_lost
    note_traffic
    check "$what: it is the same daemon" equal "$pid" "$(property "$unit" MainPID)"
}

# The latest messages of systemd and of the daemon: journald does not find out the unit of a process that has
# ended before its message is read.
latest_messages() {
    journal --output=cat --unit="$unit" --lines=20
    messages --lines=5
}

# fails_with WHAT STATUS TEXT [kept]: the start fails with this exit status, and the journal has this text about
# the unit; no device stays, but one that was there before.
fails_with() {
    local what=$1 status=$2 text=$3 kept=${4:-}

    check "$what: the start fails" fails restart
    check "$what: it is given up" wait_until 60 is_property "$unit" ActiveState failed
    check "$what: the exit status is $status" is_property "$unit" ExecMainStatus "$status"
    check "$what: the journal says why" contains "$text" "$(latest_messages)"
    [ -n "$kept" ] || check "$what: no device is left behind" wait_until 60 fails device_exists tun0
}

# How many errors the daemon has logged.
count_errors() {
    messages PRIORITY=3 --lines=all | wc -l
}

# fails_once WHAT STATUS TEXT: the same, and the unit is not started again: one message, which is what
# `systemctl status` shows as the status of the unit, too.
fails_once() {
    local before

    before=$(count_errors)
    fails_with "$@"
    check "$1: it is not started again" is_property "$unit" NRestarts 0
    check "$1: there is one message" equal $((before + 1)) "$(count_errors)"
    check "$1: systemctl status shows it" \
        contains "$3" "$(systemctl status --no-pager --full --lines=0 "$unit" | grep 'Status: ')"
}

# An interface that has the name already.
test_name() {
    systemctl stop "$unit"
    ip tuntap add dev tun0 mode tap
    fails_once 'a TAP device has the name' "$no_device" "'tun0': an interface of this name exists" kept
    ip link delete tun0
}

# The sandbox of the unit shows it no processes of other users; from outside of it, the holder has a name.
test_busy() {
    local pid

    unshare --mount bash -c 'mount -t tmpfs run /run && exec tunecho tun0' &
    pid=$!
    check 'tunecho runs beside the unit' wait_until 60 pings "$peer_ipv4"
    fails_once 'the device is busy' "$no_device" "another process holds this device" kept
    check 'the holder has a name' contains "process $pid (tunecho) holds this device" \
        "$(unshare --mount bash -c 'mount -t tmpfs run /run && exec tunecho tun0' 2>&1)"
    kill "$pid"
    wait "$pid"
    check 'then it starts' restart
}

without_journal() {
    systemctl stop "${journal_units[@]}" && send USR1 && sleep 1 && send USR1 &&
        systemctl start "${journal_units[@]}"
}

# Whether the entries of now arrive.
is_logging() {
    local before

    before=$(messages --lines=all | wc -l)
    send USR1
    sleep 0.2
    [ "$(messages --lines=all | wc -l)" -gt "$before" ]
}

with_journal_stopped() {
    systemctl kill --kill-whom=main --signal=STOP systemd-journald && send USR1 && sleep "$1" &&
        systemctl kill --kill-whom=main --signal=CONT systemd-journald
}

test_journal() {
    serves_on 'the journal is stopped and started' without_journal
    check 'it logs again' wait_until 60 is_logging
    serves_on 'the journal hangs for two seconds' with_journal_stopped 2
    check 'it logs again' wait_until 60 is_logging

    # One entry for each packet, more than what waits for a journal that hangs has room for.
    configure tun0 '[Log]' Packets=yes
    systemctl reload "$unit"
    serves_on 'the journal hangs under a hundred entries a second' with_journal_stopped 10
    check 'it logs again' wait_until 60 is_logging
    rm /etc/tunecho/tun0.conf
    systemctl reload "$unit"
}

without_manager() {
    mv "$notify_socket" "$notify_socket.away" && sleep 3 && mv "$notify_socket.away" "$notify_socket"
}

test_manager() {
    local sent

    serves_on "the socket of systemd is absent for three seconds" without_manager
    sent=$(packets_sent)
    check 'its peer answers' pings "$peer_ipv4"
    check 'it sends its status again' wait_until 60 status_continues "$sent"
}

# Whether the machine lets systemd limit the memory of control groups.
limits_memory() {
    [ -e "/sys/fs/cgroup/$(property "$unit" ControlGroup)/memory.max" ]
}

test_memory() {
    local limit=(MemoryMax=8M)

    # Elsewhere the process has a limit of its own; as LimitDATA= it would be that of what systemd forks, too.
    limits_memory || limit=(ExecStart= 'ExecStart=prlimit --data=8388608 tunecho %i')
    drop_in "$unit" '[Service]' "${limit[@]}"
    check 'it starts with 8 MB' restart
    note "by ${limit[-1]}"
    serves_on 'it has 8 MB' pings "$peer_ipv4" 100
    check 'it was not killed for want of memory' is_property "$unit" NRestarts 0
    remove_drop_in "$unit"
}

test_descriptors() {
    # Once the sandbox stands, as building it takes more.
    drop_in "$unit" '[Service]' 'ExecStart=' "ExecStart=/bin/sh -c 'ulimit -n 5 && exec /usr/sbin/tunecho %i'"
    fails_with 'it has five descriptors' "$system_failed" 'Too many open files'
    drop_in "$unit" '[Service]' 'LimitNOFILE=5'
    fails_with 'its unit has five descriptors' "$exit_namespace" 'Too many open files'
    remove_drop_in "$unit"
}

# fill DIRECTORY...: use up the file systems, of which /run is made a smaller one before.
fill() {
    local directory

    mount -o remount,size=128M /run

    for directory; do
        # Ends with an error, as it should.
        head -c 4G /dev/zero >"$directory/filler" 2>/dev/null
        [ "$(df --output=avail "$directory" | tail -1)" -lt 64 ] || { df "$directory"; return 1; }
    done
}

test_full() {
    check 'it starts' restart
    serves_on 'file systems are full' fill / /run
    serves_on 'it is reloaded then' systemctl reload "$unit"
    rm -f /filler /run/filler
    check 'with room again, it restarts' restart
}

# What the daemon takes for the time of day is an hour earlier as long as this file is there. The clock is the
# machine's, and no other process may notice.
set_clock_back() {
    touch /run/clock-is-late && sleep 1.5 && rm /run/clock-is-late
}

has_timestamp() {
    contains 'TS:' "$(ping -c 1 -W 60 -T tsonly "$peer_ipv4")"
}

test_clock() {
    local sent

    install -m 0755 "$TUNECHO_BUILD/tests/system/libclock-late.so" /usr/lib/tunecho-clock-late.so
    drop_in "$unit" '[Service]' 'Environment=LD_PRELOAD=/usr/lib/tunecho-clock-late.so'
    check 'it starts with a clock of its own' restart
    check 'it is the one that is set back' \
        grep -q tunecho-clock-late "/proc/$(property "$unit" MainPID)/maps"
    serves_on 'the clock is set back and forth' set_clock_back
    sent=$(packets_sent)
    check 'it adds the time to a request that asks for it' has_timestamp
    check 'its status continues' wait_until 60 status_continues "${sent:-0}"
    remove_drop_in "$unit"
}

test_node() {
    systemctl stop "$unit"
    chmod 0600 /dev/net/tun
    fails_once '/dev/net/tun has mode 0600' "$no_device" 'its mode must allow this user'
    chmod 0666 /dev/net/tun

    # As in a container whose control group does not have the device.
    drop_in "$unit" '[Service]' DeviceAllow= 'DeviceAllow=/dev/null rw'
    fails_once 'the device policy forbids /dev/net/tun' "$no_device" 'device policy'
    remove_drop_in "$unit"

    umount /dev/net/tun
    rm /dev/net/tun
    fails_once 'there is no /dev/net/tun' "$no_device" 'Cannot open /dev/net/tun: No such file or directory'

    mknod -m 0666 /dev/net/tun c 10 200
    check 'with it again, it starts' systemctl start "$unit"
    check 'its peer answers' pings "$peer_ipv4" 10
    check 'it stops' systemctl stop "$unit"
}

check 'it starts' systemctl start "$unit"
test_journal
test_manager
test_memory
test_descriptors
test_full
test_clock
test_name
test_busy
test_node
tap_done
