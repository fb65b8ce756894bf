#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The client without a privilege, and the counters on the page of a real node_exporter. For the rig.

# shellcheck disable=SC2317 # the functions are called through check

set -u
# shellcheck source=tests/system/tap.sh
. "${BASH_SOURCE[0]%/*}/tap.sh"

readonly unit=tunecho@tun0
readonly writer=tunecho-metrics.service timer=tunecho-metrics.timer
readonly collected=/var/lib/prometheus/node-exporter
readonly file=$collected/tunecho.prom

# Run a command as somebody who may do nothing.
as_nobody() {
    setpriv --reuid=nobody --regid=nogroup --clear-groups --bounding-set=-all --no-new-privs "$@"
}

# What the client says that one can ping, a line for each address.
peers() {
    as_nobody tunechoctl --json status "$@" |
        /usr/bin/python3 -c 'import json, sys; print("\n".join(json.load(sys.stdin)[0]["ping"]))'
}

# value SAMPLE: its value among the metrics of the client.
value() {
    as_nobody tunechoctl metrics | awk -v sample="$1" '$1 == sample { print $2 }'
}

is_value() {
    equal "$1" "$(value "$2")"
}

# The page that Prometheus reads.
page() {
    /usr/bin/python3 -c '
import urllib.request
print(urllib.request.urlopen("http://127.0.0.1:9100/metrics", timeout=60).read().decode())'
}

page_has() {
    page | grep -qF -e "$1"
}

page_lacks() {
    fails page_has "$1"
}

is_complete() {
    equal '# EOF' "$(tail -n 1 "$file")"
}

# Read the file while it is written anew, and anew; sets $incomplete to how often it was not whole.
read_while_written() {
    local run reader

    (while is_complete; do :; done >/dev/null) &
    reader=$!
    for run in 1 2 3 4 5 6 7 8; do
        systemctl reset-failed "$writer" 2>/dev/null
        systemctl start "$writer" || echo "run $run failed"
    done
    kill "$reader" || echo 'the file was not complete'
}

test_client() {
    local address output

    output=$(as_nobody tunechoctl 2>&1)
    check 'without an instance, status says so' equal 3 $?
    check 'and how to start one' contains 'systemctl start tunecho@tun0' "$output"

    check 'the instance starts' systemctl start "$unit"
    output=$(as_nobody tunechoctl status)
    check 'status succeeds for anybody' equal 0 $?
    note "$output"
    check 'it shows the instance' contains 'tun0      running' "$output"
    for address in 198.18.0.2 2001:2::2; do
        check "it says to ping $address" contains "$address" "$output"
    done
    for address in $(peers tun0); do
        check "what it says to ping answers: $address" pings "$address" 10
    done
    check 'there were two' equal 2 "$(peers tun0 | wc -l)"

    check 'it has counted the replies' \
        wait_until 60 is_value 20 'tunecho_packets_total{interface="tun0",verdict="reply"}'
    output=$(as_nobody tunechoctl watch --count=1)
    check 'watch shows the same' contains 'tun0: running; ' "$output"
    check 'with the replies' contains ' 20 replies' "$output"
}

test_writer() {
    check 'the timer is installed' test -f /usr/lib/systemd/system/$timer
    check 'and not enabled' equal disabled "$(systemctl is-enabled $timer)"
    check 'the writer succeeds' systemctl start $writer
    check 'the file is there' is_complete
    check 'anybody can read it' equal 644 "$(stat --format=%a $file)"
    check 'nothing else is left there' equal tunecho.prom "$(ls -A $collected)"
    check 'it has the counters' \
        contains 'tunecho_packets_total{interface="tun0",verdict="reply"} 20' "$(cat $file)"
    if command -v promtool >/dev/null; then
        check 'promtool likes it' eval "promtool check metrics <$file"
    else
        skip 'promtool likes it' 'it is not installed'
    fi
    check 'whoever reads it sees all of it' equal '' "$(read_while_written)"
    check 'the journal is not filled' fails contains "$writer" "$(journal --output=cat --unit=$writer)"
}

test_exporter() {
    check 'the timer can be enabled' systemctl enable $timer
    mkdir -p /run/systemd/system/$timer.d
    printf '[Timer]\nOnCalendar=\nOnActiveSec=0\nOnCalendar=*:*:0/3\n' >/run/systemd/system/$timer.d/test.conf
    systemctl daemon-reload
    check 'and starts' systemctl start $timer
    check 'node_exporter starts' systemctl start prometheus-node-exporter.service
    check 'its page has the counters' \
        wait_until 60 page_has 'tunecho_packets_total{interface="tun0",verdict="reply"} 20'
    check 'they are counters' page_has '# TYPE tunecho_packets_total counter'
    check 'the instance is up' page_has 'tunecho_up{interface="tun0"} 1'
    check 'the file has no mistake' page_has 'node_textfile_scrape_error 0'

    check 'more is pinged' pings 198.18.0.2 7
    check 'the timer brings it to the page' \
        wait_until 60 page_has 'tunecho_packets_total{interface="tun0",verdict="reply"} 27'
}

test_nothing_stale() {
    check 'the timer stops' systemctl stop $timer
    check 'the instance stops' systemctl stop "$unit"
    check 'the writer succeeds without one' systemctl start $writer
    check 'the page has no counters any more' page_lacks 'tunecho_packets_total{'
    check 'the file has no mistake' page_has 'node_textfile_scrape_error 0'

    drop_in tunecho-metrics '[Service]' 'ExecStart=' 'ExecStart=/bin/false'
    check 'a writer that fails is seen' fails systemctl start $writer
    check 'it leaves no values' equal '' "$(ls -A $collected)"
    remove_drop_in tunecho-metrics

    mv $collected $collected.away
    systemctl reset-failed $writer
    check 'without the directory nothing is done' systemctl start $writer
    check 'as systemd says' is_property $writer ConditionResult no
    mv $collected.away $collected
}

test_client
if [ -x /usr/bin/prometheus-node-exporter ]; then
    test_writer
    test_exporter
    test_nothing_stale
else
    skip 'the page of node_exporter' 'it is not installed'
fi
tap_done
