#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# scripts/start where systemd runs: a first run, and one that upgrades and restarts. For tests/system/rig.

set -u
# shellcheck source=tests/system/tap.sh
. "${BASH_SOURCE[0]%/*}/tap.sh"

# The rig installed the tests' build; what is started here has to come from scripts/start.
rm -f /usr/sbin/tunecho /usr/lib/systemd/system/tunecho@.service

# A release that this machine has built before would spare the first run its work.
rm -rf "$TUNECHO_SOURCE/build/release"

start() {
    "$TUNECHO_SOURCE/scripts/start" "$@" </dev/null
}

main_pid() {
    property tunecho@tun0 MainPID
}

output=$(start 2>&1)
check 'scripts/start succeeds' equal 0 $?
note "$output"
check 'tunecho@tun0 is active' is_property tunecho@tun0 ActiveState active
check 'it pinged over IPv4' contains '--- 198.18.0.2 ping statistics ---' "$output"
check 'it pinged over IPv6' contains '--- 2001:2::2 ping statistics ---' "$output"
check 'nothing was lost' equal 2 "$(grep -c ' 0% packet loss' <<<"$output")"
check "it shows the journal's lines" contains 'tunecho[' "$output"
check 'it installed no packages' fails contains 'Installing gcc' "$output"

# Of version 1.0.
printf '%s\n' '[Timer]' OnActiveSec=1d '[Install]' WantedBy=timers.target >/usr/lib/systemd/system/tunecho-metrics.timer
printf '%s\n' '[Service]' Type=oneshot ExecStart=/bin/true >/usr/lib/systemd/system/tunecho-metrics.service
systemctl enable --now --quiet tunecho-metrics.timer
first=$(main_pid)
inode=$(stat --format=%i /usr/sbin/tunecho)
check 'a second run succeeds' start
check 'it installed the program again' fails equal "$inode" "$(stat --format=%i /usr/sbin/tunecho)"
check 'it restarted the service' fails equal "$first" "$(main_pid)"
check 'the peer answers' pings 198.18.0.2
check 'the old timer is stopped' fails systemctl is-active --quiet tunecho-metrics.timer
check 'and removed' equal '' "$(find /etc/systemd /usr/lib/systemd -name 'tunecho-metrics.timer' -o \
    -name 'tunecho-metrics.service')"

check 'another interface can be named' start tun5
check 'its peer answers' pings 198.18.5.2
check 'the first one goes on' pings 2001:2::2

printf '[Network]\nColour=red\n' >/etc/tunecho/tun6.conf
output=$(start tun6 2>&1)
check 'an error in the settings is a failure' fails equal 0 $?
check 'it is shown' contains /etc/tunecho/tun6.conf:2: "$output"

ip tuntap add dev tun7 mode tap
output=$(start tun7 2>&1)
check 'a service that does not start is a failure' fails equal 0 $?
check 'the journal shows the reason' contains 'is not a TUN device' "$output"

# Where systemd does not run: namespaces whose empty /run does not know of it, and whose processes end with
# them.
output=$(cd "$TUNECHO_SOURCE" && unshare --mount --net --pid --fork --kill-child --mount-proc bash -ec '
    mount -t tmpfs run /run
    ip link set lo up
    scripts/start
    scripts/start
' 2>&1 </dev/null)
check 'without systemd it succeeds, twice' equal 0 $?
check 'the second run stops the daemon of the first' contains 'Stopping the previous daemon' "$output"
check 'both families answered, twice' equal 4 "$(grep -c ' 0% packet loss' <<<"$output")"
check 'it shows the log' contains "'tun0' is ready" "$output"
check 'it says how to stop it' contains 'To stop it: kill ' "$output"
tap_done
