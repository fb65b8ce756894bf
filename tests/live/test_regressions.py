# SPDX-License-Identifier: GPL-2.0-or-later
"""Mistakes that other reflectors make, each with the packet that shows it."""

import pytest

from packets import (
    IPV4,
    IPV6,
    SOLICITED_NODE,
    Bench,
    Echo,
    answer,
    answer6,
    checks_out,
    checksum_error,
    cut,
    echo,
    echo6,
    fragment,
    ipv4,
    reassemble,
)

CONFIG = """
[Network]
Address=198.18.0.1/24
Peer=198.18.0.2
Address=2001:2::1/64
Peer=2001:2::2

[Reflector]
AnswerBroadcast=yes
"""

MAKERS = pytest.mark.parametrize("make", [echo, echo6], ids=["IPv4", "IPv6"])
PAIRS = pytest.mark.parametrize("make, make_answer", [(echo, answer), (echo6, answer6)], ids=["IPv4", "IPv6"])


@pytest.fixture(scope="module")
def bench(tmp_path_factory, each_engine):
    with Bench.on_host(tmp_path_factory.mktemp("host"), each_engine, config=CONFIG) as bench:
        yield bench


@pytest.mark.parametrize("size", [0, 1, 56, 1472])
def test_all_zero_request(bench, size):
    """An update has nothing to add to, and gives 0: no receiver takes that for the checksum of zeros."""
    (reply,) = bench.tunecho.ask(echo(data=bytes(size), id=0, seq=0))
    assert reply[20:28] == b"\x00\x00\xff\xff\x00\x00\x00\x00"
    assert checks_out(reply)


@MAKERS
def test_lost_carry(bench, make):
    """Whoever just adds the type to the checksum loses the carry of those from 0xF800 on."""
    requests = [make(data=b"", seq=sequence) for sequence in range(0, 0x10000, 0x47)]
    asked = [[request] for request in requests]
    checksums = {request[-6:-4] for request in requests}
    assert max(checksums) > b"\xff\xc0" and min(checksums) < b"\x00\x40"
    assert all(checks_out(*replies) for replies in bench.tunecho.ask_all(asked))


@PAIRS
def test_first_fragment_is_not_a_whole_packet(bench, make, make_answer):
    """Its reply is one, too, and its checksum, which covers more, is neither verified nor computed again."""
    first, _ = cut(make(data=b"x" * 100), 56)
    expected, _ = cut(make_answer(data=b"x" * 100), 56)
    bench.assert_answered(first, expected)


@PAIRS
@pytest.mark.parametrize(
    "data", [b"\x08\x00\xf7\xff", b"\x80\x00\x7f\xff", b"\x00\x00", b"\x03\x01", b"\xff"], ids=bytes.hex
)
def test_later_fragment_is_not_icmp(bench, make, make_answer, data):
    """It may begin with what looks like a request, or like anything else: these are data."""
    data = data + bytes(16 - len(data))
    sent, expected = (fragment(packet[:-64], 64, data, True) for packet in (make(), make_answer()))
    bench.assert_answered(sent, expected)


@MAKERS
@pytest.mark.parametrize("padding", [1, 46, 1300])
def test_reply_is_not_longer_than_the_request(bench, make, padding):
    """What follows the packet is no part of it, and none of it, or of a buffer, is sent."""
    for data in b"", b"x", b"x" * 57:
        request = make(data=data)
        (reply,) = bench.tunecho.ask(request + b"\xa5" * padding)
        assert len(reply) == len(request)


@pytest.mark.parametrize(
    "make, group, peer",
    [
        *((echo, group, IPV4[1]) for group in ("255.255.255.255", "198.18.0.255", "224.0.0.1", "239.1.2.3")),
        *((echo6, group, IPV6[1]) for group in ("ff02::1", SOLICITED_NODE)),
    ],
)
def test_reply_does_not_come_from_a_group(bench, make, group, peer):
    (reply,) = bench.tunecho.ask(make(destination=group))
    assert Echo.of(reply).source == peer
    assert checks_out(reply)


@PAIRS
def test_corruption_is_not_laundered(bench, make, make_answer):
    """Of a whole packet it is seen, and nothing is sent; in fragments the error goes back as it came."""
    damaged = make(data=bytes(100))[:-1] + b"\x10"
    bench.assert_dropped(damaged, "bad-icmp-checksum")

    replies, _ = bench.ask(*cut(damaged, 64))
    (whole,) = reassemble(replies)
    assert checksum_error(whole) == checksum_error(damaged) != 0
    assert whole == reassemble(cut(make_answer(data=bytes(100))[:-1] + b"\x10", 64))[0]


def test_header_corruption_is_not_laundered(bench):
    for offset in range(1, 20):
        damaged = bytearray(echo())
        damaged[offset] ^= 0x10
        assert bench.tunecho.ask(bytes(damaged)) == []


HOP_LIMITS = pytest.mark.parametrize("make, field", [(echo, "ttl"), (echo6, "hlim")], ids=["IPv4", "IPv6"])


@HOP_LIMITS
def test_hop_limit_is_a_new_one(bench, make, field):
    """Not what was left of the request's."""
    for replies in bench.tunecho.ask_all([[make(**{field: left})] for left in range(2, 256)]):
        assert [Echo.of(reply).hop_limit for reply in replies] == [64]


@HOP_LIMITS
@pytest.mark.parametrize("left", [0, 1])
def test_hop_limit_is_no_concern_of_a_host(bench, make, field, left):
    """Too little to be forwarded, and enough to have arrived."""
    (reply,) = bench.tunecho.ask(make(**{field: left}))
    assert Echo.of(reply).hop_limit == 64


@pytest.mark.parametrize("flags", [0, "DF"])
def test_identification_is_not_constant(bench, flags):
    """Reassembly, and a reader of a capture, distinguish packets by it."""
    for identification in 0, 1, 0x1234, 0xFFFF:
        (reply,) = bench.tunecho.ask(ipv4(echo()[20:], id=identification, flags=flags))
        assert int.from_bytes(reply[4:6], "big") == identification
