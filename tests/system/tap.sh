# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The test anything protocol for the programs that run in the booted system, and the questions that they ask.

# These programs change the system that they run in, which is meant to be one that the rig has made.
[ "${TUNECHO_RIG:-}" = 1 ] || { echo "Bail out! $0 is for tests/system/rig"; exit 1; }

tap_cases=0
tap_failures=0
tap_complete=no

# A program that ends before tap_done must not look as if it had run all its cases.
trap '[ "$tap_complete" = yes ] || echo "Bail out! $0 ended early"' EXIT

# Show text as a diagnostic.
note() {
    printf '%s\n' "$*" | sed 's/^/# /'
}

# check WHAT COMMAND...: one case, which passes if the command succeeds; what it prints is shown if it fails.
check() {
    local what=$1 output

    shift
    tap_cases=$((tap_cases + 1))
    if output=$("$@" 2>&1); then
        echo "ok $tap_cases - $what"
    else
        tap_failures=$((tap_failures + 1))
        echo "not ok $tap_cases - $what"
        set -- "$*"
        note "from: ${1:0:200}"
        note "$output"
    fi
}

# skip WHAT REASON: one case, which cannot be tried here.
skip() {
    tap_cases=$((tap_cases + 1))
    echo "ok $tap_cases - $1 # SKIP $2"
}

# Print the plan and end, with status 1 if a case failed.
tap_done() {
    echo "1..$tap_cases"
    tap_complete=yes
    exit "$((tap_failures != 0))"
}

# Commands for check

equal() {
    [ "$1" = "$2" ] || { echo "expected '$1', got '$2'"; return 1; }
}

at_least() {
    [ "$2" -ge "$1" ] || { echo "expected $1 or more, got '$2'"; return 1; }
}

contains() {
    [[ $2 == *"$1"* ]] || { echo "expected '$1' in: $(tail -n 20 <<<"$2")"; return 1; }
}

fails() {
    ! "$@"
}

# pings ADDRESS [NUMBER]: each request is answered. They are sent at once, and ping(8) waits for late replies
# as long as -i says, and as -W says for the first.
pings() {
    ping -q -c "${2:-1}" -l "${2:-1}" -i 60 -W 60 "$1"
}

# silent ADDRESS: a request is not answered within a second, or cannot be sent.
silent() {
    fails ping -q -c 1 -W 1 "$1"
}

# wait_until SECONDS COMMAND...: try a command until it succeeds, ten times a second.
wait_until() {
    local end=$((SECONDS + $1))

    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.1
    done
}

# Settings

# drop_in UNIT LINE...: add a file with these lines to a unit's settings, until it is removed or the system
# ends.
drop_in() {
    local directory=/run/systemd/system/$1.service.d

    shift
    mkdir -p "$directory"
    printf '%s\n' "$@" >"$directory/test.conf"
    systemctl daemon-reload
}

remove_drop_in() {
    rm -r "/run/systemd/system/$1.service.d"
    systemctl daemon-reload
}

# configure INTERFACE LINE...: write its configuration file.
configure() {
    local file=/etc/tunecho/$1.conf

    shift
    printf '%s\n' "$@" >"$file"
}

# Questions

# property UNIT NAME: a property of a unit.
property() {
    systemctl show --property="$2" --value "$1"
}

is_property() {
    equal "$3" "$(property "$1" "$2")"
}

# device_exists INTERFACE
device_exists() {
    ip link show dev "$1"
}

# threads_of UNIT: the files with the status of each thread of its main process.
threads_of() {
    echo "/proc/$(property "$1" MainPID)/task"/*/status
}

# Whether no thread of a unit's main process runs.
is_stopped() {
    # shellcheck disable=SC2046 # a list of files
    ! sed -n 's/^State:\t//p' $(threads_of "$1") | grep -qv '^T'
}

# Whether the kernel has no thread that does what a unit's ring asks for.
has_no_worker() {
    # shellcheck disable=SC2046 # a list of files
    fails grep '^Name:.iou-' $(threads_of "$1")
}

has_ring() {
    [ -n "$(find "/proc/$(property "$1" MainPID)/fd" -lname '*\[io_uring\]')" ]
}

# makes_ring UNIT ADDRESS: whether a daemon that finds a load has a ring.
makes_ring() {
    local pinger

    systemctl kill --kill-whom=main --signal=STOP "$1" && wait_until 60 is_stopped "$1"
    pings "$2" 100 >/dev/null &
    pinger=$!
    sleep 0.2
    systemctl kill --kill-whom=main --signal=CONT "$1"
    wait "$pinger" && has_ring "$1"
}

interface_index() {
    ip -oneline link show dev "$1" | cut -d: -f1
}

# journal ARGUMENT...: the journal with everything in it that was logged until now.
journal() {
    journalctl --sync && journalctl --no-pager --boot "$@"
}

# field NAME MATCH...: that field of the last journal entry that matches; nothing if it has no such field.
field() {
    local name=$1

    shift
    journal --output=json --lines=1 "$@" |
        /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin).get(sys.argv[1], ""))' "$name"
}
