# SPDX-License-Identifier: GPL-2.0-or-later
"""Addresses of a group, answered by the peer alone, and the destinations that are answered at all."""

import re

import pytest

from harness import LIMIT, wait_until

IPV4, IPV6, LINK_LOCAL = "198.18.0.2", "2001:2::2", "fe80::2%tun0"

SUBNETS = "[Network]\nAddress=198.18.0.1/24\nAddress=2001:2::1/64\n"
PEERS = f"{SUBNETS}Peer={IPV4}\nPeer={IPV6}\n"
DESTINATIONS = "Destination=198.18.0.0/28\nDestination=198.18.0.200\nDestination=2001:2::/112\n"

GROUPS_IPV4 = {
    "the subnet's broadcast address": ["-b", "198.18.0.255"],
    "every broadcast address": ["-b", "255.255.255.255"],
    "multicast": ["-I", "tun0", "224.0.0.1"],
}
ALL_NODES, PEER_GROUP = "ff02::1%tun0", "ff02::1:ff00:2%tun0"


def senders(host, *arguments, timeout=LIMIT):
    """From whom ping(8) has replies, and how often."""
    done = host.run("ping", "-n", "-c2", "-l2", f"-i{timeout}", f"-W{timeout}", *arguments)
    return re.findall(r"bytes from (\S+?):? icmp_seq", done.stdout.replace(": icmp_seq", " icmp_seq"))


def assert_unanswered(host, daemon, *arguments, verdict="group-destination"):
    """Not waiting for long: that the requests were dropped is in the counters."""
    before = daemon.totals()
    assert not set(senders(host, *arguments, timeout=0.05)) & {IPV4, IPV6, LINK_LOCAL}
    wait_until(lambda: daemon.totals().since(before).verdicts[verdict] > 0, f"the verdict {verdict}")
    assert daemon.totals().replies == before.replies


@pytest.fixture
def routed(host):
    """Send broadcast into the device, once there is one."""

    def start(config):
        daemon = host.start("tun0", config=config)
        host.ip("route", "add", "255.255.255.255", "dev", "tun0")
        return daemon

    return start


def test_broadcast_is_answered_by_the_peer(host, routed):
    routed(f"{PEERS}[Reflector]\nAnswerBroadcast=yes\n")
    for arguments in GROUPS_IPV4.values():
        assert senders(host, *arguments) == [IPV4] * 2


def test_broadcast_is_not_answered_by_default(host, routed):
    daemon = routed(PEERS)
    for arguments in GROUPS_IPV4.values():
        assert_unanswered(host, daemon, *arguments)


def test_multicast_is_answered_by_the_peer(host):
    """The host itself is one of all nodes; with -L it does not hear itself."""
    host.start("tun0", config=PEERS)
    assert senders(host, "-L", ALL_NODES) == [LINK_LOCAL] * 2
    assert senders(host, PEER_GROUP) == [LINK_LOCAL] * 2


def test_multicast_from_a_global_address(host):
    host.start("tun0", config=PEERS)
    assert senders(host, "-I", "2001:2::1", PEER_GROUP) == [IPV6] * 2


def test_link_local_peer(host):
    host.start("tun0", config=PEERS)
    host.ping(LINK_LOCAL).assert_answered(3)


def test_link_local_peer_has_the_identifier_of_the_peer(host):
    host.start("tun0", config="[Network]\nAddress=2001:db8::1/64\nPeer=2001:db8::1234:5678:9abc:def0\n")
    peer = "fe80::1234:5678:9abc:def0%tun0"
    host.ping(peer).assert_answered(3)
    assert senders(host, "ff02::1:ffbc:def0%tun0") == [peer] * 2


def test_destinations(host):
    daemon = host.start("tun0", config=f"{PEERS}[Reflector]\n{DESTINATIONS}")
    for address in IPV4, "198.18.0.15", "198.18.0.200", IPV6, "2001:2::ffff":
        host.ping(address).assert_answered(3)
    for address in "198.18.0.16", "198.18.0.199", "2001:2::1:0":
        assert_unanswered(host, daemon, address, verdict="not-ours")
