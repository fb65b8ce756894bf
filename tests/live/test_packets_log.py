# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets=yes: an entry for each packet read, and no more than the log bears."""

import re
import time

import pytest

from harness import Host, Sender, wait_until
from packets import IPV4, IPV6, Tunecho, answer, cut, echo, echo6, ipv4, ipv6

DEVICE = "[Network]\nAddress=198.18.0.1/24\nPeer=198.18.0.2\nAddress=2001:2::1/64\nPeer=2001:2::2\n"
CONFIG = f"{DEVICE}[Log]\nPackets=yes\n"

ENTRIES_A_SECOND = 100

ENDS4, ENDS6 = "198.18.0.1 > 198.18.0.2", "2001:2::1 > 2001:2::2"

LINES = [
    (echo(), f"{ENDS4}: icmp type 8 code 0 id 48879 seq 7, 84 bytes, ttl 64: reply"),
    (echo6(hlim=3), f"{ENDS6}: icmpv6 type 128 code 0 id 48879 seq 7, 104 bytes, ttl 3: reply"),
    (
        echo(id=0, seq=0xFFFF, code=5, ttl=255, data=b""),
        f"{ENDS4}: icmp type 8 code 5 id 0 seq 65535, 28 bytes, ttl 255: reply",
    ),
    (
        answer(source=IPV4[1], destination=IPV4[0]),
        f"{ENDS4}: icmp type 0 code 0 id 48879 seq 7, 84 bytes, ttl 64: not-echo",
    ),
    (echo(type=3, code=1), f"{ENDS4}: icmp type 3 code 1, 84 bytes, ttl 64: icmp-error"),
    (echo6(type=135), f"{ENDS6}: icmpv6 type 135 code 0, 104 bytes, ttl 64: housekeeping"),
    (echo(chksum=1), f"{ENDS4}: icmp type 8 code 0 id 48879 seq 7, 84 bytes, ttl 64: bad-icmp-checksum"),
    (ipv4(bytes(8), proto=17), f"{ENDS4}: udp, 28 bytes, ttl 64: not-icmp"),
    (ipv4(bytes(20), proto=6), f"{ENDS4}: tcp, 40 bytes, ttl 64: not-icmp"),
    (ipv6(b"", nh=59), f"{ENDS6}: protocol 59, 40 bytes, ttl 64: not-icmp"),
    (
        echo(source="127.0.0.1"),
        "127.0.0.1 > 198.18.0.2: icmp type 8 code 0 id 48879 seq 7, 84 bytes, ttl 64: bad-source",
    ),
    (
        echo6(destination="ff02::2"),
        "2001:2::1 > ff02::2: icmpv6 type 128 code 0 id 48879 seq 7, 104 bytes, ttl 64: group-destination",
    ),
    (cut(echo(), 16)[0], f"{ENDS4}: icmp fragment type 8 code 0 id 48879 seq 7, 36 bytes, ttl 64: reply"),
    (cut(echo6(), 16)[1], f"{ENDS6}: icmpv6 fragment, 96 bytes, ttl 64: reply-fragment"),
    (b"\x45", "1 bytes without an IP header: malformed"),
    (echo()[:50], "50 bytes without an IP header: malformed"),
]


@pytest.fixture
def quiet_host(tmp_path):
    """A host whose kernel has nothing of its own to say."""
    with Host(tmp_path) as host:
        host.silence()
        yield host


def entries(log):
    """The lines about single packets, and how many packets were left out by those about them."""
    packets = [
        line
        for line in log.splitlines()
        if re.search(r" bytes(, ttl \d+| without an IP header): ", line) and not line.startswith("ping ")
    ]
    left_out = sum(map(int, re.findall(r"^(\d+) packets of 'tun0' have no entry$", log, re.MULTILINE)))
    return packets, left_out


def test_every_kind_of_packet(quiet_host):
    daemon = quiet_host.start("tun0", config=CONFIG)
    with Tunecho(quiet_host, "tun0", *IPV4) as tunecho:
        for packet, expected in LINES:
            seen = len(entries(daemon.log)[0])
            tunecho.ask(packet)
            written, _ = wait_until(
                lambda: len(entries(daemon.log)[0]) == seen + 2 and entries(daemon.log), expected
            )
            assert written[seen] == expected, "and the marker's line after it"


def test_off_by_default(quiet_host):
    daemon = quiet_host.start("tun0", config=DEVICE)
    for _, peer in IPV4, IPV6:
        quiet_host.ping(peer).assert_answered(3)
    assert daemon.stop() == 0
    assert entries(daemon.log) == ([], 0)


def test_rate(quiet_host):
    """So many a second; the others are counted, and the count is logged."""
    start = time.monotonic()
    daemon = quiet_host.start("tun0", config=CONFIG)
    Sender.flood(quiet_host, "198.18.0.2", 5000)
    assert daemon.stop() == 0
    # The whole run lies within this time.
    seconds = time.monotonic() - start

    written, left_out = entries(daemon.log)
    assert len(written) + left_out == daemon.final_totals().packets == 5000
    assert 1 <= len(written) <= ENTRIES_A_SECOND * (seconds + 1)


def test_left_out_is_told_while_it_runs(quiet_host):
    daemon = quiet_host.start("tun0", config=CONFIG)
    request = echo()
    for _ in range(2):
        before = entries(daemon.log)[1]
        with Tunecho(quiet_host, "tun0", *IPV4) as tunecho, daemon.held_back():
            for _ in range(4000):
                tunecho.send(request)
        wait_until(lambda: entries(daemon.log)[1] > before, "what was left out")
    assert sum(map(bool, entries(daemon.log))) == 2
