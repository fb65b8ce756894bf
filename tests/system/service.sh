#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The service in a booted system: start, answers, status, journal, sandbox, failures, stop. For the rig.

# shellcheck disable=SC2317 # the functions are called through check

set -u
# shellcheck source=tests/system/tap.sh
. "${BASH_SOURCE[0]%/*}/tap.sh"

readonly unit=/usr/lib/systemd/system/tunecho@.service

# Bit CAP_NET_ADMIN, 12, as /proc/PID/status prints it.
readonly net_admin=0000000000001000 none=0000000000000000

# The journal entries that the daemon itself wrote about interface $1, and further matches.
entries() {
    local interface=$1

    shift
    journal "TUNECHO_INTERFACE=$interface" "$@"
}

message_ids() {
    entries "$1" --output=json | /usr/bin/python3 -c '
import json, sys
print(*{json.loads(line).get("MESSAGE_ID", "none") for line in sys.stdin})'
}

# Whether the catalogue knows every MESSAGE_ID of the interface's entries.
all_explained() {
    local id

    for id in $(message_ids "$1"); do
        journalctl --list-catalog "$id" || return
    done
}

# Microseconds from the start of a unit's process to its READY=1.
readiness_time() {
    echo $(($(property "$1" ActiveEnterTimestampMonotonic) - $(property "$1" InactiveExitTimestampMonotonic)))
}

# A field of the /proc/PID/status of the main process, which all its threads have the same of.
process_status() {
    # shellcheck disable=SC2046 # a list of files
    sed -n "s/^$2:[[:space:]]*//p" $(threads_of "$1") | sort -u
}

# Whether a capability set of a unit's main process holds nothing but CAP_NET_ADMIN.
holds_no_more() {
    local set

    set=$(process_status "$1" "$2")
    [ "$set" = "$none" ] || equal "$net_admin" "$set"
}

status_has() {
    contains "$2" "$(property "$1" StatusText)"
}

# Overall exposure of a unit, times ten.
exposure() {
    systemd-analyze security --no-pager "$1" | sed -n 's/.*exposure level.*: \([0-9]*\)\.\([0-9]\).*/\1\2/p'
}

# Whether the last entry about interface $1 has $2 replies in its totals.
has_logged_replies() {
    equal "$2" "$(field TUNECHO_REPLIES "TUNECHO_INTERFACE=$1")"
}

# Whether the watchdog of unit $1 was answered after the time $2, which is systemd's.
has_answered_watchdog() {
    [ "$(property "$1" WatchdogTimestampMonotonic)" -gt "$2" ]
}

is_restarted() {
    [ "$(property "$1" NRestarts)" -ge "$2" ] && is_property "$1" ActiveState active
}

test_unit_file() {
    check 'the unit is clean for systemd-analyze verify' \
        equal '' "$(systemd-analyze verify --man=no "$unit" 2>&1)"
    check 'its manual pages are installed' \
        ls /usr/share/man/man8/tunecho.8 /usr/share/man/man5/tunecho.conf.5 \
        /usr/share/man/man7/tunecho-cookbook.7 /usr/share/man/man7/tunecho-journal.7 \
        /usr/share/man/man7/tunecho-packets.7
    check 'the catalogue is taken up' journalctl --update-catalog
    check '/etc/tunecho is there and empty' equal '' "$(ls -A /etc/tunecho)"
}

test_start() {
    check 'systemctl start tunecho@tun0' systemctl start tunecho@tun0
    note "$(readiness_time tunecho@tun0) us from start to READY"
    check 'it is active' is_property tunecho@tun0 ActiveState active
    check 'the IPv4 peer answers' pings 198.18.0.2 10
    check 'the IPv6 peer answers' pings 2001:2::2 10
    check 'its status has the number of replies' wait_until 60 status_has tunecho@tun0 '20 replies'
    note "$(property tunecho@tun0 StatusText)"
}

test_ready_entry() {
    local entry=(TUNECHO_INTERFACE=tun0 "_PID=$(property tunecho@tun0 MainPID)" "--grep=is ready") id

    id=$(field MESSAGE_ID "${entry[@]}")
    check 'the journal says what to ping' contains 'ping 198.18.0.2' "$(field MESSAGE "${entry[@]}")"
    check 'the entry has a MESSAGE_ID' equal 32 "${#id}"
    check 'the entry belongs to the unit' equal tunecho@tun0.service "$(field _SYSTEMD_UNIT "${entry[@]}")"
    check 'journalctl -x explains it' \
        contains '░░ Subject:' "$(journal --catalog "MESSAGE_ID=$id" "${entry[@]}")"
    note "$(journal --catalog "MESSAGE_ID=$id" "${entry[@]}")"
}

test_sandbox() {
    local set tenths

    for set in CapPrm CapEff; do
        check "$set is CAP_NET_ADMIN" equal "$net_admin" "$(process_status tunecho@tun0 $set)"
    done
    for set in CapInh CapBnd CapAmb; do
        check "$set holds no more than CAP_NET_ADMIN" holds_no_more tunecho@tun0 $set
    done
    check 'no_new_privs is set' equal 1 "$(process_status tunecho@tun0 NoNewPrivs)"
    check 'system calls are filtered' equal 2 "$(process_status tunecho@tun0 Seccomp)"
    check 'it is not root' fails equal 0 "$(process_status tunecho@tun0 Uid | cut -f1)"

    tenths=$(exposure tunecho@tun0)
    note "exposure: $((tenths / 10)).$((tenths % 10))"
    check 'exposure is 1.3 or lower' test "$tenths" -le 13
}

test_totals() {
    check 'SIGUSR1 is sent' systemctl kill --kill-whom=main --signal=USR1 tunecho@tun0
    check 'it logs the totals' wait_until 60 has_logged_replies tun0 20
}

test_two_instances() {
    check 'a second instance starts' systemctl start tunecho@tun1
    check 'its peers answer' pings 198.18.1.2
    check 'its peers answer over IPv6' pings 2001:2:0:1::2
    check 'the first still answers' pings 198.18.0.2
    check 'the second stops' systemctl stop tunecho@tun1
    check 'only its device is deleted' wait_until 60 fails device_exists tun1
    check 'the first answers without it' pings 2001:2::2
}

test_stop() {
    check 'systemctl stop' systemctl stop tunecho@tun0
    check 'it ended well' is_property tunecho@tun0 Result success
    check 'the device is deleted' wait_until 60 fails device_exists tun0
    check 'the last entry has the replies' has_logged_replies tun0 22
    check 'the last entry has the packets' at_least 22 "$(field TUNECHO_PACKETS TUNECHO_INTERFACE=tun0)"
    note "$(field MESSAGE TUNECHO_INTERFACE=tun0)"
    check 'the catalogue explains all of its entries' all_explained tun0
}

test_load() {
    check 'it starts again' systemctl start tunecho@tun0
    if [ "$(tunechoctl --json status tun0 | jq --raw-output '.[0].engine')" = io_uring ]; then
        check 'a load makes it use io_uring' wait_until 60 makes_ring tunecho@tun0 198.18.0.2
        check 'without a worker of the ring' has_no_worker tunecho@tun0
    else
        skip 'a load makes it use io_uring' 'it is not available here'
    fi
    check 'it stops' systemctl stop tunecho@tun0
}

test_configuration() {
    printf '[Network]\nAddress=10.99.0.1/24\nPeer=10.99.0.2\n' >/etc/tunecho/echo-a.conf
    check 'a configured device starts' systemctl start tunecho@echo-a
    check 'its peer answers' pings 10.99.0.2
    check 'so does its subnet' pings 10.99.0.77
    check 'it stops' systemctl stop tunecho@echo-a
}

test_bad_configuration() {
    local file=/etc/tunecho/tun3.conf line

    printf '[Device]\nMTUBytes=12\n[Network]\nAddress=198.18.3\nColour=red\n' >"$file"
    check 'a bad configuration fails the start' fails systemctl start tunecho@tun3
    check 'its exit status is 78' is_property tunecho@tun3 ExecMainStatus 78
    check 'it is not restarted' is_property tunecho@tun3 NRestarts 0
    check 'it is failed' is_property tunecho@tun3 ActiveState failed
    check 'no device was made' fails device_exists tun3
    journalctl --sync
    for line in 2 4 5; do
        check "systemctl status shows the error of line $line" \
            contains "$file:$line: " "$(systemctl status --no-pager --full tunecho@tun3)"
    done
    note "$(entries tun3 --output=cat)"
    check 'the catalogue explains them' all_explained tun3
}

test_bad_names() {
    check 'a name without default addresses fails the start' fails systemctl start tunecho@nodefault
    check 'its exit status is 78 as well' is_property tunecho@nodefault ExecMainStatus 78
    check 'the file to write is named' \
        contains /etc/tunecho/nodefault.conf "$(entries nodefault --output=cat)"

    check 'an escaped name fails the start' fails systemctl start 'tunecho@tun\x2da'
    # Later managers stumble over the directory of that name before they come to the program.
    if [ "$(systemctl --version | awk '{ print $2; exit }')" -lt 257 ]; then
        check 'it is not restarted either' is_property 'tunecho@tun\x2da' NRestarts 0
        check 'a hint says why' \
            contains escaped "$(journal --output=cat --unit='tunecho@tun\x2da' _COMM=tunecho)"
    fi
    systemctl stop 'tunecho@tun\x2da'
}

test_recovery() {
    local ready

    drop_in tunecho@tun2 '[Service]' 'WatchdogSec=5s'
    check 'it starts with a watchdog of five seconds' systemctl start tunecho@tun2
    ready=$(property tunecho@tun2 ActiveEnterTimestampMonotonic)
    check 'an idle daemon answers its watchdog' wait_until 60 has_answered_watchdog tunecho@tun2 "$ready"
    systemctl kill --kill-whom=main --signal=STOP tunecho@tun2
    check 'one that hangs is restarted' wait_until 60 is_restarted tunecho@tun2 1
    check 'its peer answers again' pings 198.18.2.2
    systemctl kill --kill-whom=main --signal=KILL tunecho@tun2
    check 'one that is killed is restarted' wait_until 60 is_restarted tunecho@tun2 2
    check 'its peer answers again' pings 2001:2:0:2::2
    ip link delete tun2
    check 'one whose device is deleted is restarted' wait_until 60 is_restarted tunecho@tun2 3
    check 'its peer answers again' pings 198.18.2.2
    check 'the catalogue explains all of it' all_explained tun2
    check 'it stops' systemctl stop tunecho@tun2
}

test_unit_file
test_start
test_ready_entry
test_sandbox
test_totals
test_two_instances
test_stop
test_load
test_configuration
test_bad_configuration
test_bad_names
test_recovery
tap_done
