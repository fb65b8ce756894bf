#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A real systemd-networkd that is configured for every interface removes the addresses of tunecho's device
# as soon as it configures it, unless the .network example keeps it off, or the udev rule does. For the rig.

# shellcheck disable=SC2317 # the functions are called through check

set -u
# shellcheck source=tests/system/tap.sh
. "${BASH_SOURCE[0]%/*}/tap.sh"

readonly unit=tunecho@tun0 networkd=systemd-networkd
readonly example=/usr/share/doc/tunecho/examples/80-tunecho.network.example
readonly rule=70-tunecho.rules udevd=/usr/lib/systemd/systemd-udevd

addresses() {
    ip -oneline address show dev tun0 scope global | awk '{ print $4 }' | sort | xargs
}

setup_state() {
    networkctl --no-legend --no-pager list "$1" | awk '{ print $5 }'
}

is_setup_state() {
    equal "$1" "$(setup_state tun0)"
}

is_settled() {
    [[ $(setup_state tun0) =~ ^(configured|unmanaged)$ ]]
}

has_lost_addresses() {
    [ -z "$(addresses)" ]
}

# Have networkd configure the device, as it does when its files change; one that it does not manage it
# ignores.
reconfigure() {
    networkctl reconfigure tun0
    sleep 1
}

test_addresses_stay() {
    check 'networkd leaves the device alone' wait_until 60 is_setup_state unmanaged
    check 'networkd is asked to configure it' reconfigure
    check 'the addresses stay' equal "$all" "$(addresses)"
    check 'the peer answers' pings 198.18.0.2 10
    check 'the peer answers over IPv6' pings 2001:2::2 10
}

# Start networkd without its state of before, and tunecho with its addresses.
start_over() {
    systemctl stop "$networkd" "$networkd.socket"
    rm -rf /run/systemd/netif
    systemctl reset-failed "$networkd" "$unit" 2>/dev/null
    systemctl restart "$unit" && systemctl start "$networkd" && wait_until 60 is_settled
}

test_without() {
    printf '[Match]\nName=*\n\n[Network]\nLinkLocalAddressing=no\n' >/etc/systemd/network/20-all.network
    check 'networkd starts, and manages every interface' start_over
    check 'it takes the device for its own' is_setup_state configured
    check 'it is asked to configure it' reconfigure
    check 'the addresses are removed' wait_until 60 has_lost_addresses
    check 'the peer is silent' silent 198.18.0.2
}

test_example() {
    check 'the example is installed' install -D -m 0644 "$example" /etc/systemd/network/10-tunecho.network
    check 'networkd starts with it' start_over
    test_addresses_stay
    check 'tunecho stops' systemctl stop "$unit"
    check 'it starts, with a new device' systemctl start "$unit"
    test_addresses_stay
    rm /etc/systemd/network/10-tunecho.network
}

# udevd wants to write to /sys, and networkd waits for it only where it can be.
start_udevd() {
    mount -o remount,rw /sys && systemd-run --quiet --unit=test-udevd --property=Type=notify "$udevd" &&
        udevadm settle --timeout=10
}

udev_property() {
    udevadm info --query=property --property="$2" --value --path="/sys/class/net/$1"
}

is_known_to_udev() {
    [ -e "/run/udev/data/n$(interface_index "$1")" ]
}

# A new device, as the rule is for the event of its creation.
recreate() {
    systemctl stop "$unit" "$networkd" "$networkd.socket" && start_over && wait_until 60 is_known_to_udev tun0
}

test_rule() {
    check 'the rule is installed' ls "/usr/lib/udev/rules.d/$rule"
    if [ ! -x "$udevd" ]; then
        skip 'udev takes the rule' 'no udev here'
        return
    fi

    if [ "$version" -ge 254 ]; then
        check 'udev finds no error in it' udevadm verify "/usr/lib/udev/rules.d/$rule"
    fi
    check 'udev starts' start_udevd
    check 'the device is made with udev' recreate
    check 'udev says that it is managed by tunecho' equal tunecho "$(udev_property tun0 ID_NET_MANAGED_BY)"
    check 'NetworkManager is to leave it alone' equal 1 "$(udev_property tun0 NM_UNMANAGED)"

    check "the device of another program is created" ip tuntap add dev other0 mode tun
    check 'udev has seen it' wait_until 60 is_known_to_udev other0
    check 'the rule has not' \
        equal '' "$(udev_property other0 ID_NET_MANAGED_BY)$(udev_property other0 NM_UNMANAGED)"

    # Before 253, networkd does not know the property, and the example is needed.
    if [ "$version" -ge 253 ]; then
        test_addresses_stay
    fi
}

version=$(systemctl --version | awk 'NR == 1 { print $2 }')
check 'tunecho starts' systemctl start "$unit"
all=$(addresses)
check 'it has addresses of both families' contains 2001:2::1 "$all"
test_without
test_example
test_rule
check 'it stops' systemctl stop "$unit"
tap_done
