#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The client without a privilege, and its metrics over HTTP, for curl, for Prometheus, and for clients that send
# malformed requests or nothing, or open too many connections. For the rig.

# shellcheck disable=SC2317 # the functions are called through check

set -u
# shellcheck source=tests/system/tap.sh
. "${BASH_SOURCE[0]%/*}/tap.sh"

readonly unit=tunecho@tun0 socket=tunecho-metrics.socket
readonly url=http://127.0.0.1:19818/metrics url6='http://[::1]:19818/metrics'
readonly replies='tunecho_packets_total{interface="tun0",verdict="reply"}'

# Run a command as a user without privileges.
as_nobody() {
    setpriv --reuid=nobody --regid=nogroup --clear-groups --bounding-set=-all --no-new-privs "$@"
}

# The addresses that the client names to be pinged, a line for each.
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

page() {
    as_nobody curl --silent --show-error --fail --max-time 60 "$@"
}

page_has() {
    page "$url" | grep -qF -e "$1"
}

# Send what printf makes of the format over a connection, and print the first line of the response.
status_of() {
    # shellcheck disable=SC2016 # expanded by the inner shell
    as_nobody bash -c 'exec 3<>/dev/tcp/127.0.0.1/19818; printf "$1" >&3; head -n 1 <&3' - "$1" | tr -d '\r'
}

services() {
    systemctl list-units --all --no-legend --plain 'tunecho-metrics@*'
}

has_services() {
    at_least "$1" "$(services | wc -l)"
}

has_no_service() {
    equal '' "$(services)"
}

# Overall exposure of a unit, times ten.
exposure() {
    systemd-analyze security --no-pager "$1" | sed -n 's/.*exposure level.*: \([0-9]*\)\.\([0-9]\).*/\1\2/p'
}

test_client() {
    local address output

    output=$(as_nobody tunechoctl 2>&1)
    check 'without an instance, status says so' equal 1 $?
    check 'and how to start one' contains 'systemctl start tunecho@tun0' "$output"

    check 'the instance starts' systemctl start "$unit"
    output=$(as_nobody tunechoctl status)
    check 'status succeeds for any user' equal 0 $?
    note "$output"
    check 'it shows the instance' contains 'tun0      running' "$output"
    for address in 198.18.0.2 2001:2::2; do
        check "it names $address" contains "$address" "$output"
    done
    for address in $(peers tun0); do
        check "an address that it names answers: $address" pings "$address" 10
    done
    check 'there were two' equal 2 "$(peers tun0 | wc -l)"

    check 'it has counted the replies' wait_until 60 is_value 20 "$replies"
    output=$(as_nobody tunechoctl watch --count=1)
    check 'watch shows the same' contains 'tun0: running; ' "$output"
    check 'with the replies' contains ' 20 replies' "$output"
}

test_units() {
    local tenths

    check 'the socket is installed' test -f /usr/lib/systemd/system/$socket
    check 'it is not enabled' equal disabled "$(systemctl is-enabled $socket)"
    check 'it is not active' is_property $socket ActiveState inactive
    check 'the old units are not installed' equal '' "$(ls -d /usr/lib/systemd/system/tunecho-metrics.[!s]* \
        /usr/lib/systemd/system/tunecho-metrics.service 2>/dev/null)"
    check 'no command of a unit has more privileges than the unit' \
        equal '' "$(grep -H '^Exec[A-Za-z]*=[-@:]*[+!]' /usr/lib/systemd/system/tunecho*)"
    check 'systemd finds no error in the units' \
        systemd-analyze verify --man=no $socket tunecho-metrics@test.service
    tenths=$(exposure tunecho-metrics@test.service)
    note "exposure: $((10#$tenths / 10)).$((10#$tenths % 10))"
    check 'exposure is 1.0 or lower' test "$((10#$tenths))" -le 10
}

test_curl() {
    local one output

    check 'the socket starts' systemctl start $socket
    for one in "$url" "$url6"; do
        check "$one has the counters" contains "$replies 20" "$(page "$one")"
    done
    output=$(page --include --header 'Accept: application/openmetrics-text; version=1.0.0' "$url" | tr -d '\r')
    check 'OpenMetrics has its type' \
        contains 'Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8' "$output"
    check 'and ends as such' equal '# EOF' "$(tail -n 1 <<<"$output")"
    check 'promtool finds no error' eval "page $url | promtool check metrics"
    check 'no other address listens' equal '127.0.0.1:19818
[::1]:19818' "$(ss --listening --tcp --numeric --no-header 'sport = 19818' | awk '{ print $4 }' | sort)"
}

test_malformed() {
    check 'a request without a host is malformed' \
        equal 'HTTP/1.1 400 Bad Request' "$(status_of 'GET /metrics HTTP/1.1\r\n\r\n')"
    check 'it makes no unit fail' \
        equal '' "$(systemctl list-units --failed --no-legend 'tunecho-metrics*')"
}

# Connections that send nothing; each line of the output is the end of one.
open_silent() {
    # shellcheck disable=SC2016 # expanded by the inner shell
    timeout 60 /usr/bin/python3 -c '
import selectors, socket, sys
with selectors.DefaultSelector() as selector:
    for _ in range(int(sys.argv[1])):
        connection = socket.create_connection((sys.argv[2], 19818))
        selector.register(connection, selectors.EVENT_READ)
    print("connected", flush=True)
    while selector.get_map():
        for key, _ in selector.select():
            try:
                print("data" if key.fileobj.recv(1) else "closed", flush=True)
            except ConnectionError:
                print("closed", flush=True)
            selector.unregister(key.fileobj)
' "$@"
}

test_connections() {
    local output silent=/run/silent

    output=$(open_silent 1 127.0.0.1)
    check 'a client that sends nothing is closed' equal $'connected\nclosed' "$output"

    open_silent 8 127.0.0.1 >"$silent" &
    check 'eight clients connect and send nothing' wait_until 60 grep -q connected "$silent"
    check 'each has a service' wait_until 60 has_services 8
    check 'a ninth from the same address is closed' equal $'connected\nclosed' "$(open_silent 1 127.0.0.1)"
    check 'the other address is served' contains "$replies 20" "$(page "$url6")"
    wait
    check 'all eight are closed' equal 8 "$(grep -c closed "$silent")"
    check 'then the first address is served, too' wait_until 60 page_has "$replies 20"

    (
        open_silent 8 127.0.0.1 &
        open_silent 8 ::1 &
        open_silent 284 127.0.0.1 &
        wait
    ) >"$silent"
    check 'three hundred connections are closed' equal 300 "$(grep -c closed "$silent")"
    check 'the socket still listens' is_property $socket SubState listening
    check 'and is served' wait_until 60 page_has "$replies 20"
    check 'no service is left' wait_until 60 has_no_service
}

# The value of a query, as the server has it.
query() {
    curl --silent --get --data-urlencode "query=$1" http://127.0.0.1:9090/api/v1/query |
        /usr/bin/python3 -c 'import json, sys
for one in json.load(sys.stdin)["data"]["result"]: print(one["value"][1])'
}

query_is() {
    equal "$2" "$(query "$1")"
}

test_prometheus() {
    cat >/run/prometheus.yml <<'END'
global: { scrape_interval: 1s }
scrape_configs:
- job_name: tunecho
  static_configs:
  - targets: ['127.0.0.1:19818', '[::1]:19818']
END
    check 'Prometheus starts' systemd-run --quiet --unit=scraper --property=DynamicUser=yes \
        --property=StateDirectory=scraper prometheus --config.file=/run/prometheus.yml \
        --storage.tsdb.path=/var/lib/scraper --web.listen-address=127.0.0.1:9090
    check 'it scrapes both addresses' wait_until 60 query_is 'sum(up{job="tunecho"})' 2
    check 'it has the counters' wait_until 60 query_is "max($replies)" 20
    check 'the instance is up' query_is 'min(tunecho_up{interface="tun0"})' 1
    check 'they are counters' contains counter "$(curl --silent \
        'http://127.0.0.1:9090/api/v1/metadata?metric=tunecho_packets')"
    check 'more is pinged' pings 198.18.0.2 7
    check 'it has that, too' wait_until 60 query_is "min($replies)" 27

    check 'the instance stops' systemctl stop "$unit"
    check 'its metrics end' wait_until 60 query_is 'count(tunecho_up)' ''
    check 'the scrapes go on' wait_until 60 query_is 'sum(up{job="tunecho"})' 2
    check 'Prometheus stops' systemctl stop scraper
    check 'the journal has no entry of a connection' \
        equal '' "$(journal --output=cat --grep='tunecho-metrics@' | grep -v 'Too many incoming connections')"
    check 'the socket stops' systemctl stop $socket
    check 'then the port is closed' fails page "$url"
}

test_client
test_units
test_curl
test_malformed
test_connections
test_prometheus
tap_done
