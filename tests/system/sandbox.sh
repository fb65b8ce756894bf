#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every directive of the unit's sandbox is in force: a probe that runs under the unit's own settings tries
# what the directive forbids. So that an attempt proves something, it has to succeed without any sandbox, and
# to fail with nothing but the directive. For the rig.

# shellcheck disable=SC2317 # the functions are called through check

set -u
# shellcheck source=tests/system/tap.sh
. "${BASH_SOURCE[0]%/*}/tap.sh"

readonly unit_file=/usr/lib/systemd/system/tunecho@.service instance=tunecho@probe
readonly probe=/usr/libexec/tunecho-sandbox-probe setuid_probe=/usr/libexec/tunecho-setuid-probe
readonly scratch=/run/sandbox

# What of the unit's section [Service] is no sandbox, and has its tests elsewhere.
readonly life_cycle=(Type NotifyAccess ExecStart ExecReload WatchdogSec WatchdogSignal
    FileDescriptorStoreMax LimitMEMLOCK Restart RestartSec RestartPreventExitStatus RuntimeDirectory
    RuntimeDirectoryMode StandardOutput StandardError)

# The directives that have had their case.
tried=()

service_section() {
    sed -n '/^\[Service\]/,/^\[Install\]/p' "$unit_file"
}

directives() {
    service_section | sed -n 's/^\([A-Z][A-Za-z]*\)=.*/\1/p' | sort -u
}

# The lines of a directive, as the unit has them.
lines_of() {
    service_section | grep "^$1="
}

# What the probe is to find; the system that it is made in is thrown away.
prepare() {
    mkdir -p "$scratch" /usr/lib/modules
    install -m 0755 "$TUNECHO_BUILD/tests/system/sandbox-probe" "$probe"
    install -m 4755 "$probe" "$setuid_probe"
    touch /home/probe /tmp/probe /usr/lib/modules/probe
    # Nodes of the kernel's log: to open that for writing takes no privilege.
    mknod -m 0666 /dev/probe c 1 11
    mknod -m 0666 /opt/probe c 1 11
    ipcmk --shmem 64 --mode 0666 >/dev/null
    shared_memory=$(ipcs --shmems | awk '/^0x/ { print $1 }')
}

probe_settings() {
    drop_in "$instance" '[Unit]' 'StartLimitIntervalSec=0' \
        '[Service]' 'Type=oneshot' 'Restart=no' 'WatchdogSec=0' \
        "EnvironmentFile=$scratch/attempt" 'ExecStart=' "ExecStart=$probe \${ATTEMPT}" \
        "StandardOutput=truncate:$scratch/result" "$@"
}

# under_unit ATTEMPT: what came of it, as the probe says.
under_unit() {
    echo "ATTEMPT=$1" >"$scratch/attempt"
    rm -f "$scratch/result"
    systemctl start "$instance"
    cut -d' ' -f2 "$scratch/result"
}

# under ATTEMPT PROPERTY...: what came of it under these properties alone.
under() {
    local attempt=$1 properties

    shift
    properties=("${@/#/--property=}")
    systemd-run --quiet --wait --pipe --collect "${properties[@]}" "$probe" "$attempt" | cut -d' ' -f2
}

# expect WHERE RESULT allowed|forbidden
expect() {
    case $3:$2 in
    allowed:allowed) ;;
    forbidden:E* | forbidden:SIG*) ;;
    *) echo "$1: expected $3, got '$2'"; return 1 ;;
    esac
}

# is_forbidden DIRECTIVE ATTEMPT [PROPERTY...]: by the unit and, with these properties, by the directive
# alone, but not without it.
is_forbidden() {
    local attempt=$2 alone

    mapfile -t alone < <(lines_of "$1")
    shift 2
    expect 'under the unit' "$(under_unit "$attempt")" forbidden &&
        expect 'under the directive' "$(under "$attempt" "$@" "${alone[@]}")" forbidden &&
        expect 'without it' "$(under "$attempt" "$@")" allowed
}

# is_permitted DIRECTIVE ATTEMPT PROPERTY...: by the unit and, with these properties, by the directive, but
# not by the properties without it.
is_permitted() {
    local attempt=$2 alone

    mapfile -t alone < <(lines_of "$1")
    shift 2
    expect 'under the unit' "$(under_unit "$attempt")" allowed &&
        expect 'under the directive' "$(under "$attempt" "$@" "${alone[@]}")" allowed &&
        expect 'without it' "$(under "$attempt" "$@")" forbidden
}

forbids() {
    tried+=("$1")
    check "$1= forbids: $2" is_forbidden "$@"
}

permits() {
    tried+=("$1")
    check "$1= permits: $2" is_permitted "$@"
}

test_users_and_capabilities() {
    forbids DynamicUser be-known
    forbids CapabilityBoundingSet gain:cap_sys_admin
    forbids CapabilityBoundingSet gain:cap_net_raw
    permits AmbientCapabilities have:cap_net_admin User=nobody
    forbids NoNewPrivileges "setuid-program:$setuid_probe" User=nobody
    forbids RestrictSUIDSGID make-setuid:/tmp/made
    forbids UMask make-public:/tmp/made
}

test_files() {
    forbids ProtectSystem mkdir:/etc/probe
    forbids ProtectSystem mkdir:/usr/probe
    forbids ProtectSystem mkdir:/var/probe
    forbids ReadOnlyPaths mkdir:/run/probe
    forbids ProtectHome read:/home/probe
    forbids PrivateTmp read:/tmp/probe
    forbids PrivateMounts "be-in:$(readlink /proc/1/ns/mnt)"
}

test_devices() {
    forbids PrivateDevices write:/dev/probe
    permits BindPaths use:/dev/net/tun PrivateDevices=yes 'DeviceAllow=/dev/net/tun rw'
    forbids DevicePolicy write:/opt/probe
    permits DeviceAllow use:/dev/net/tun DevicePolicy=closed
}

test_kernel() {
    forbids ProtectClock adjust-clock
    forbids ProtectControlGroups mkdir:/sys/fs/cgroup/probe
    forbids ProtectHostname rename-host
    forbids ProtectKernelLogs kernel-log
    forbids ProtectKernelModules read:/usr/lib/modules/probe
    forbids ProtectKernelTunables write:/proc/sys/net/ipv4/ip_forward
}

test_processes() {
    forbids ProtectProc read:/proc/1/status User=nobody
    forbids ProcSubset read:/proc/meminfo
    forbids PrivateIPC "shared-memory:$shared_memory"
    forbids KeyringMode key-of-user:probe KeyringMode=shared
    forbids LockPersonality personality
    forbids MemoryDenyWriteExecute write-and-execute
    forbids RestrictNamespaces unshare:user
    forbids RestrictNamespaces unshare:uts
    forbids RestrictRealtime realtime
}

test_sockets() {
    local family

    for family in inet inet6 packet; do
        forbids RestrictAddressFamilies "socket:$family"
    done
    for family in unix netlink; do
        check "RestrictAddressFamilies= permits: socket:$family" \
            equal allowed "$(under_unit "socket:$family")"
    done

    # It has to have a socket before it can be kept from sending.
    probe_settings 'RestrictAddressFamilies=AF_INET'
    forbids IPAddressDeny send
    probe_settings
}

test_system_calls() {
    local attempt filter

    for attempt in be-traced renice chown:/tmp/made set-capabilities mount:/mnt; do
        forbids SystemCallFilter "$attempt"
    done

    tried+=(SystemCallErrorNumber)
    mapfile -t filter < <(lines_of SystemCallFilter)
    check 'SystemCallErrorNumber= is what a forbidden system call fails with' \
        equal EPERM "$(under_unit be-traced)"
    check 'a signal it would be otherwise' equal SIGSYS "$(under be-traced "${filter[@]}")"

    # The kernel of other machines has no such calls, whatever is forbidden.
    tried+=(SystemCallArchitectures)
    [ "$(uname -m)" != x86_64 ] || forbids SystemCallArchitectures other-architecture
    [ "$(uname -m)" != x86_64 ] || check "the daemon's own filter forbids: other-architecture" \
        equal SIGSYS "$(under own:other-architecture)"
}

# The fields of each thread of the daemon: the number of its filters, in increasing order.
filter_counts() {
    awk '$1 == "Seccomp:" { mode = $2 } $1 == "Seccomp_filters:" { print mode, $2 }' \
        "/proc/$(systemctl show -P MainPID "$1")"/task/*/status | sort -n -k2
}

has_own_filters() {
    local counts

    mapfile -t counts < <(filter_counts "$1")
    [ "${#counts[@]}" = 2 ] && [ $((${counts[1]#2 } - ${counts[0]#2 })) = 1 ] && [ "${counts[0]#2 }" -gt 1 ]
}

logs_filter() {
    journalctl -q -u "$1" MESSAGE_ID=195e0062f6c34663b3b973a4caaf3716 -o cat | grep -q TUNECHO_SECCOMP
}

# A variable that all units inherit does not weaken the daemon.
test_filter_of_the_daemon() {
    local unit=tunecho@tun7

    tried+=(UnsetEnvironment)
    systemctl set-environment TUNECHO_SECCOMP=log
    systemctl start "$unit"
    check 'the data plane has one filter more than the control plane' has_own_filters "$unit"
    check 'UnsetEnvironment= keeps the filter in force' fails logs_filter "$unit"
    systemctl stop "$unit"

    drop_in "$unit" '[Service]' 'UnsetEnvironment='
    systemctl start "$unit"
    check 'without it, the daemon has a filter that logs' wait_until 5 logs_filter "$unit"
    systemctl stop "$unit"
    systemctl unset-environment TUNECHO_SECCOMP
}

# SECURITY.md names them.
test_places_to_write() {
    local place

    for place in /tmp /var/tmp /dev/shm "/run/tunecho/${instance#*@}"; do
        check "the unit can write to $place" equal allowed "$(under_unit "mkdir:$place/made")"
    done
    for place in /etc /opt /run /run/tunecho /srv /usr /var /var/lib; do
        mkdir -p "$place/probe-open"
        chmod 0777 "$place/probe-open"
        check "it cannot write to $place, though everybody may" \
            expect 'under the unit' "$(under_unit "mkdir:$place/probe-open/made")" forbidden
    done
    for place in /dev /dev/mqueue; do
        check "it cannot write to $place" expect 'under the unit' "$(under_unit "mkdir:$place/made")" forbidden
    done
}

# systemd removes it after the last process of the user has ended.
test_remove_ipc() {
    local left=/dev/shm/probe

    tried+=(RemoveIPC)
    check 'the unit can leave something in shared memory' equal allowed "$(under_unit "leave:$left-unit")"
    check 'RemoveIPC= removes it' wait_until 60 test ! -e "$left-unit"
    check 'so can a unit without it' equal allowed "$(under "leave:$left-nobody" User=nobody)"
    sleep 0.5
    check 'where it stays' test -e "$left-nobody"
}

# Overall exposure of a unit, times ten.
exposure() {
    systemd-analyze security --no-pager "$1" | sed -n 's/.*exposure level.*: \([0-9]*\)\.\([0-9]\).*/\1\2/p'
}

test_as_a_whole() {
    local tenths

    check 'every directive of the unit had its case' \
        equal '' "$(directives | grep -vxF "$(printf '%s\n' "${tried[@]}" "${life_cycle[@]}")")"
    check 'every case is about a directive of the unit' \
        equal '' "$(printf '%s\n' "${tried[@]}" | grep -vxF "$(directives)")"

    systemctl start tunecho@tun0
    tenths=$(exposure tunecho@tun0)
    note "exposure: $((tenths / 10)).$((tenths % 10))"
    check 'exposure is 1.1 or lower' test "$tenths" -le 11
    check 'it stops' systemctl stop tunecho@tun0
}

prepare
probe_settings
test_users_and_capabilities
test_files
test_devices
test_kernel
test_processes
test_sockets
test_system_calls
test_filter_of_the_daemon
test_places_to_write
test_remove_ipc
test_as_a_whole
tap_done
