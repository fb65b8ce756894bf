#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# scripts/start where systemd runs: a first run, and one that upgrades and restarts. For tests/system/rig.

# shellcheck disable=SC2317 # the functions are called through check

set -u
# shellcheck source=tests/system/tap.sh
. "${BASH_SOURCE[0]%/*}/tap.sh"

# The rig installed the tests' build; what is started here has to come from scripts/start.
rm -f /usr/sbin/tunecho /usr/lib/systemd/system/tunecho@.service

# A build that this machine has made before would spare the first run its work.
rm -rf "$TUNECHO_SOURCE/build/start"

start() {
    "$TUNECHO_SOURCE/scripts/start" "$@" </dev/null
}

main_pid() {
    property tunecho@tun0 MainPID
}

# The lines of an output that are not of scripts/start itself: those of the tools are in its log.
foreign_lines() {
    grep -cv -e '^==> ' -e '^    ' <<<"$1"
}

# A package with nothing in it.
install_empty_package() {
    local tree

    tree=$(mktemp -d)
    mkdir -p "$tree/DEBIAN"
    printf '%s\n' 'Package: tunecho' 'Version: 9-1' 'Architecture: all' 'Maintainer: test' 'Description: test' \
        >"$tree/DEBIAN/control"
    dpkg-deb --build "$tree" "$tree.deb" && dpkg --install "$tree.deb"
}

# fake NAME LINE...: a command that does this, in the directory $fakes.
fake() {
    printf '%s\n' '#!/bin/sh' "${@:2}" >"$fakes/$1"
    chmod 755 "$fakes/$1"
}

# remove_with_fakes: scripts/start --remove, which finds the fakes before the commands of the system.
remove_with_fakes() {
    PATH=$fakes:$PATH start --remove 2>&1
}

# as_user PATH ARGUMENT...: scripts/start as an ordinary user with these commands, whose sudo prints its arguments.
as_user() {
    local path=$1

    shift
    setpriv --reuid=65534 --regid=65534 --clear-groups env PATH="$path" "$TUNECHO_SOURCE/scripts/start" "$@" 2>&1
}

fakes=$(mktemp -d)

# The tree of an ordinary user.
chown 65534:65534 "$TUNECHO_SOURCE"
output=$(start 2>&1)
check 'scripts/start succeeds' equal 0 $?
note "$output"
check 'tunecho@tun0 is active' is_property tunecho@tun0 ActiveState active
check 'it pinged over IPv4' contains 'ping 198.18.0.2: 3 packets transmitted' "$output"
check 'it pinged over IPv6' contains 'ping 2001:2::2: 3 packets transmitted' "$output"
check 'nothing was lost' equal 2 "$(grep -c ' 0% packet loss' <<<"$output")"
check "it shows the journal's lines" contains 'tunecho[' "$output"
check 'it installed no packages' fails contains 'Installing packages' "$output"
check 'it prints a summary alone' equal 0 "$(foreign_lines "$output")"
check 'the log that it names has the rest' grep -q 'Linking target tunechoctl' \
    "$(sed -n 's/.* is in \(.*\.log\)$/\1/p' <<<"$output")"
check 'the build belongs to the owner of the tree' \
    equal '' "$(find "$TUNECHO_SOURCE/build/start" ! -uid 65534)"
check 'no program of a test was built' \
    fails grep -q "$TUNECHO_SOURCE/tests/" <<<"$(meson introspect --targets "$TUNECHO_SOURCE/build/start")"

# Of version 1.0.
printf '%s\n' '[Timer]' OnActiveSec=1d '[Install]' WantedBy=timers.target >/usr/lib/systemd/system/tunecho-metrics.timer
printf '%s\n' '[Service]' Type=oneshot ExecStart=/bin/true >/usr/lib/systemd/system/tunecho-metrics.service
systemctl enable --now --quiet tunecho-metrics.timer
first=$(main_pid)
inode=$(stat --format=%i /usr/sbin/tunecho)
output=$(start 2>&1)
check 'a second run succeeds' equal 0 $?
check 'it says that it restarts the instance' contains 'tunecho@tun0.service is running: it restarts' "$output"
check 'it installed the program again' fails equal "$inode" "$(stat --format=%i /usr/sbin/tunecho)"
check 'it restarted the service' fails equal "$first" "$(main_pid)"
check 'the peer answers' pings 198.18.0.2
check 'the old timer is stopped' fails systemctl is-active --quiet tunecho-metrics.timer
check 'and removed' equal '' "$(find /etc/systemd /usr/lib/systemd -name 'tunecho-metrics.timer' -o \
    -name 'tunecho-metrics.service')"

output=$(start tun5 2>&1)
check 'another interface can be named' equal 0 $?
check 'it says that the first one is not restarted' contains 'tunecho@tun0.service is running: it keeps' "$output"
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
    scripts/start --remove
    ! pidof tunecho || exit 1
    echo removal ends it
' 2>&1 </dev/null)
check 'without systemd it succeeds, twice' equal 0 $?
check 'the second run stops the daemon of the first' contains 'is running on tun0: stopping process' "$output"
check 'both families answered, twice' equal 4 "$(grep -c ' 0% packet loss' <<<"$output")"
check 'it shows the log' contains "'tun0' is ready" "$output"
check 'it says how to stop it' contains '# stops it' "$output"
check 'removal stops the last one' contains 'removal ends it' "$output"

# What this leaves is the next part's to install again.
check 'it is built and installed again' start
systemctl enable --quiet tunecho@tun0
printf '%s\n' '[Network]' Address=10.99.0.1/24 >/etc/tunecho/echo5.conf
fake meson 'echo "no such build" >&2' 'exit 1'
output=$(remove_with_fakes)
check 'a removal that does not know the files fails' fails equal 0 $?
check 'it says so' contains 'nothing is removed' "$output"
fake meson 'echo {}'
check 'a list that is empty is a failure, too' contains 'nothing is removed' "$(remove_with_fakes)"
check 'the instance goes on' is_property tunecho@tun0 ActiveState active
check 'it is still enabled' systemctl is-enabled --quiet tunecho@tun0
check 'the program is still there' test -e /usr/sbin/tunecho
rm "$fakes/meson"
output=$(start --remove 2>&1)
check 'scripts/start --remove succeeds' equal 0 $?
note "$output"
check 'no instance runs' equal '' "$(systemctl list-units --no-legend --plain --state=active 'tunecho*')"
check 'none is enabled' equal '' "$(find /etc/systemd -name '*tunecho*')"
check 'the settings are kept' test -e /etc/tunecho/echo5.conf
rm -r /etc/tunecho
check 'nothing else is left' equal '' "$(find /etc /usr /run -xdev -name '*tunecho*' ! -name 'tunecho-rig*')"
check 'a second removal finds nothing' contains 'nothing to remove' "$(start --remove 2>&1)"

check 'a package is installed' install_empty_package
output=$(start 2>&1)
check 'it does not install over a package' fails equal 0 $?
check 'it names the version' contains 'tunecho 9-1 is installed' "$output"
check 'and deletes nothing of it' fails start --remove
check 'it is put on hold' dpkg --set-selections <<<'tunecho hold'
check 'it is a package still' contains 'tunecho 9-1 is installed' "$(start --remove 2>&1)"
check 'it is purged' dpkg --force-hold --purge tunecho

# Other states and managers of packages.
for state in hi iF iU iHR iW it ri; do
    fake dpkg-query "printf '%-3s%s' $state 9-2"
    check "dpkg's state $state is a package" contains 'tunecho 9-2 is installed' "$(remove_with_fakes)"
done
for state in un rc; do
    fake dpkg-query "printf '%-3s%s' $state 9-2"
    check "dpkg's state $state is none" contains 'nothing to remove' "$(remove_with_fakes)"
done
fake rpm 'echo package tunecho is not installed' 'exit 1'
fake pacman 'exit 1'
check 'rpm and pacman may have none' contains 'nothing to remove' "$(remove_with_fakes)"
# shellcheck disable=SC2016 # expanded by the fake
fake pacman '[ "$2" = tunecho ] && echo tunecho 9-3'
check 'pacman may have one' contains 'tunecho 9-3 is installed' "$(remove_with_fakes)"
fake rpm 'echo 9-4'
check 'rpm may have one' contains 'tunecho 9-4 is installed' "$(remove_with_fakes)"

# Ordinary users; the tools that the script needs until then, with a sudo of this test and without one.
tools=$(mktemp -d)
ln -s "$(command -v bash)" "$(command -v dirname)" "$(command -v readlink)" "$(command -v id)" "$(command -v env)" "$tools"
chmod 755 "$tools"
output=$(as_user "$tools" tun5)
check 'without sudo, an ordinary user is refused' fails equal 0 $?
check 'and learns what to run as root' contains "run $TUNECHO_SOURCE/scripts/start as root" "$output"
# shellcheck disable=SC2016 # expanded by the sudo
printf '%s\n' "#!$(command -v bash)" 'echo "sudo $*"' >"$tools/sudo"
chmod 755 "$tools/sudo"
check 'with sudo, it continues with the same arguments' \
    contains "$TUNECHO_SOURCE/scripts/start tun5" "$(as_user "$tools" tun5 | tail -n 1)"
tap_done
