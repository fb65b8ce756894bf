# SPDX-License-Identifier: GPL-2.0-or-later
"""ping(8) is answered: sizes, patterns, floods, every address that lies behind the device."""

import pytest

from harness import Sender, missing_io_uring

IPV4, IPV6 = "198.18.0.2", "2001:2::2"


@pytest.fixture(scope="module")
def tun0(shared_host):
    """A daemon with nothing but the defaults, for the tests that only ping."""
    return shared_host.start("tun0")


@pytest.mark.parametrize("pattern", ["ff", "00"])
@pytest.mark.parametrize(
    "peer, size",
    [
        *((IPV4, size) for size in (0, 1, 55, 56, 1000, 1472)),
        *((IPV6, size) for size in (0, 1, 55, 56, 1000, 1452)),
    ],
)
def test_sizes_and_patterns(shared_host, tun0, peer, size, pattern):
    shared_host.ping(peer, "-s", size, "-p", pattern).assert_answered(3)


@pytest.mark.parametrize("peer", [IPV4, IPV6])
@pytest.mark.parametrize(
    "options",
    [
        pytest.param(["-t", "1"], id="ttl 1"),
        pytest.param(["-Q", "0xb8"], id="traffic class"),
        pytest.param(["-M", "do"], id="do not fragment"),
    ],
)
def test_options(shared_host, tun0, peer, options):
    shared_host.ping(peer, *options).assert_answered(3)


@pytest.mark.parametrize("peer", [IPV4, IPV6])
def test_flood_loses_nothing(shared_host, tun0, peer):
    Sender.flood(shared_host, peer, 20_000)


@pytest.mark.parametrize("peer", [IPV4, IPV6])
def test_reply_hop_limit(shared_host, tun0, peer):
    assert "ttl=64" in shared_host.ping(peer, "-t", "3").output


@pytest.mark.parametrize(
    "addresses, behind",
    [
        (["198.18.0.1/24"], ["198.18.0.2", "198.18.0.3", "198.18.0.77", "198.18.0.254"]),
        (["10.99.0.1/16"], ["10.99.0.2", "10.99.255.254"]),
        (["2001:db8:5::1/64"], ["2001:db8:5::2", "2001:db8:5::ffff", "2001:db8:5:0:1:2:3:4"]),
        (["198.18.9.1/24", "2001:db8:9::1/64"], ["198.18.9.200", "2001:db8:9::200"]),
    ],
    ids=lambda value: value[0],
)
def test_any_address_of_the_subnet(host, addresses, behind):
    host.start("tun0", *(f"--address={address}" for address in addresses))
    for address in behind:
        host.ping(address).assert_answered(3)


@pytest.mark.parametrize(
    "interface, ipv4, ipv6",
    [
        ("tun0", "198.18.0.2", "2001:2::2"),
        ("tun7", "198.18.7.2", "2001:2:0:7::2"),
        ("tun255", "198.18.255.2", "2001:2:0:ff::2"),
    ],
)
def test_defaults_by_name(host, interface, ipv4, ipv6):
    daemon = host.start(interface)
    for peer in ipv4, ipv6:
        assert f"ping {peer}" in daemon.log
        host.ping(peer).assert_answered(3)


def test_peers_of_ones_own(host):
    ends = "Address=10.1.2.3\nPeer=10.200.0.9\nAddress=2001:db8::3\nPeer=2001:db8:ffff::9\n"
    host.start("vpn", config=f"[Network]\n{ends}")
    for peer in "10.200.0.9", "2001:db8:ffff::9":
        host.ping(peer).assert_answered(3)


def test_two_daemons_side_by_side(host):
    for interface in "tun1", "tun2":
        host.start(interface)
    for peer in "198.18.1.2", "198.18.2.2", "2001:2:0:1::2", "2001:2:0:2::2":
        host.ping(peer).assert_answered(3)


@pytest.mark.parametrize("mtu", [1280, 9000, 65535])
def test_packets_as_large_as_the_mtu(host, mtu):
    host.start("tun0", f"--mtu={mtu}")
    host.ping(IPV4, "-M", "do", "-s", mtu - 28).assert_answered(3)
    host.ping(IPV6, "-M", "do", "-s", mtu - 48).assert_answered(3)


@pytest.mark.parametrize("engine", ["auto", "syscall"])
def test_engines(host, engine):
    daemon = host.start("tun0", f"--engine={engine}")
    for peer in IPV4, IPV6:
        host.ping(peer, count=100).assert_answered(100)
    falls_back = "served by read(2) and write(2), as io_uring is unavailable" in daemon.log
    assert falls_back == (engine == "auto" and missing_io_uring() is not None)


@pytest.mark.parametrize("engine", ["auto", "io_uring"])
def test_one_at_a_time(host, engine):
    """An engine that has batches answers without them, too."""
    reason = missing_io_uring()
    if reason:
        pytest.skip(reason)
    daemon = host.start("tun0", f"--engine={engine}")
    for peer in IPV4, IPV6:
        for _ in range(20):
            host.ping(peer, count=1).assert_answered(1)
    print(f"{daemon.batched()} reads of the ring")


def test_ready_means_that_the_first_ping_is_answered(host):
    for _ in range(50):
        daemon = host.start("tun0")
        for peer in IPV4, IPV6:
            host.ping(peer, count=1).assert_answered(1)
        assert daemon.stop() == 0
