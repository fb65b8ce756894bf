# SPDX-License-Identifier: GPL-2.0-or-later
"""Fragments are reflected one by one: whatever is put together of the replies is what was sent."""

import itertools
import random
import struct

import pytest

from harness import Host
from packets import (
    IPV4,
    IPV6,
    Bench,
    Tunecho,
    answer,
    answer6,
    checks_out,
    cut,
    echo,
    echo6,
    fragment,
    ipv4,
    ipv6,
    reassemble,
    replaced,
)

# The most data that an echo request can have; one of IPv6 has its header beside the 65,535 bytes.
LARGEST = {IPV4[1]: 65507, IPV6[1]: 65527}

FAMILIES = [pytest.param(echo, answer, id="IPv4"), pytest.param(echo6, answer6, id="IPv6")]


@pytest.fixture(scope="module", params=[1280, 1500, 9000, 65535])
def host_with_mtu(request, tmp_path_factory, each_engine):
    with Host(tmp_path_factory.mktemp("host"), each_engine) as host:
        host.start("tun0", f"--mtu={request.param}")
        yield host, request.param


@pytest.mark.parametrize("peer", LARGEST)
def test_largest_ping(host_with_mtu, peer):
    host, _ = host_with_mtu
    host.ping(peer, "-s", LARGEST[peer]).assert_answered(3)


@pytest.mark.parametrize("peer", LARGEST)
def test_ping_around_the_mtu(host_with_mtu, peer):
    host, mtu = host_with_mtu
    headers = 28 if peer == IPV4[1] else 48
    for size in (mtu - headers - 8, mtu - headers, mtu - headers + 1, 2 * mtu, 20_000):
        host.ping(peer, "-s", min(size, LARGEST[peer])).assert_answered(3)


def pieces(make, make_answer, size, *places, **fields):
    """The fragments of a request, and those of its reply."""
    fields = {"data": random.Random(size).randbytes(size), **fields}
    return cut(make(**fields), *places), cut(make_answer(**fields), *places)


@pytest.mark.parametrize("make, make_answer", FAMILIES)
def test_many_at_once(host_with_mtu, make, make_answer):
    """Fragments as large as they can be, and so many that an engine with batches uses them."""
    host, mtu = host_with_mtu
    (daemon,) = host.daemons
    size, headers = (65507, 20) if make == echo else (65527, 48)
    step = (mtu - headers) // 8 * 8
    sent, expected = pieces(make, make_answer, size, *range(step, size + 8, step))
    times = 1 + 100 // len(sent)
    with Tunecho(host, "tun0", *IPV4, daemon) as tunecho:
        for replies in tunecho.ask_all([sent] * times):
            assert replies == expected
    daemon.assert_batched()
    daemon.assert_no_worker()


@pytest.fixture(scope="module")
def bench(tmp_path_factory, each_engine):
    with Bench.on_host(tmp_path_factory.mktemp("host"), each_engine) as bench:
        yield bench


@pytest.mark.parametrize("make, make_answer", FAMILIES)
def test_any_order(bench, make, make_answer):
    sent, expected = pieces(make, make_answer, 1000, 8, 400, 800)
    for order in itertools.permutations(range(len(sent))):
        bench.assert_all_answered([sent[i] for i in order], [expected[i] for i in order])


@pytest.mark.parametrize("make, make_answer", FAMILIES)
def test_put_together(bench, make, make_answer):
    sent, expected = pieces(make, make_answer, 3000, 1024, 2048)
    replies, _ = bench.ask(*reversed(sent))
    (whole,), (wanted,) = reassemble(replies), reassemble(expected)
    assert whole == wanted
    assert checks_out(whole)


@pytest.mark.parametrize("make, make_answer", FAMILIES)
def test_one_lost(bench, make, make_answer):
    sent, expected = pieces(make, make_answer, 1000, 8, 400, 800)
    for lost in range(len(sent)):
        rest = expected[:lost] + expected[lost + 1 :]
        bench.assert_all_answered(sent[:lost] + sent[lost + 1 :], rest)
        assert reassemble(rest) == []


@pytest.mark.parametrize("make, make_answer", FAMILIES)
def test_each_twice(bench, make, make_answer):
    sent, expected = pieces(make, make_answer, 1000, 8, 400, 800)
    bench.assert_all_answered([*sent, *sent], [*expected, *expected])


@pytest.mark.parametrize("make, make_answer", FAMILIES)
def test_overlapping(bench, make, make_answer):
    """The first reaches into the second: both are reflected, and nothing can be made of the replies."""
    data = random.Random(1).randbytes(1000)
    sent = [*cut(make(data=data), 408)[:1], *cut(make(data=data), 400)[1:]]
    expected = [*cut(make_answer(data=data), 408)[:1], *cut(make_answer(data=data), 400)[1:]]
    bench.assert_all_answered(sent, expected)
    assert reassemble(expected) == []


@pytest.mark.parametrize("make, make_answer", FAMILIES)
def test_tiny(bench, make, make_answer):
    """The ICMP header alone, and all that follows by 8 bytes."""
    sent, expected = pieces(make, make_answer, 1003, *range(8, 1011, 8))
    bench.assert_all_answered(sent, expected)
    assert checks_out(*reassemble(expected))


@pytest.mark.parametrize("flags, kept", [(0, 0), (2, 2), (4, 0), (6, 2)])
def test_flags(bench, flags, kept):
    sent, _ = pieces(echo, answer, 100, 56, flags=flags)
    _, expected = pieces(echo, answer, 100, 56, flags=kept)
    bench.assert_all_answered(sent, expected)


def test_reserved_bits(bench):
    """Two reserved bits beside the offset, and a reserved byte: a sender leaves them zero."""
    sent, expected = pieces(echo6, answer6, 100, 56)
    (word,) = struct.unpack_from("!H", sent[0], 42)
    marked = replaced(sent[0], 41, struct.pack("!BH", 0xFF, word | 6))
    bench.assert_answered(marked, expected[0])


@pytest.mark.parametrize("rest", [bytes(16), b"\xff" * 16], ids=["zeros", "ones"])
def test_first_is_all_zero(bench, rest):
    """What is visible is zero but for the type. Whatever the rest is, the whole has to check out."""
    fields = {"data": bytes(48) + rest, "id": 0, "seq": 0}
    replies, _ = bench.ask(*cut(echo(**fields), 56))
    assert replies[0][20:28] == b"\x00\x00\xff\xff\x00\x00\x00\x00"
    assert checks_out(*reassemble(replies))


@pytest.mark.parametrize("make", [echo, echo6], ids=["IPv4", "IPv6"])
def test_every_checksum_of_a_first_fragment(bench, make):
    """The identifier makes for the checksum, and among them are those whose update carries, or is zero."""
    requests = [cut(make(data=bytes(24), id=id, seq=0), 16) for id in range(0, 0x10000, 0x61)]
    for replies in bench.tunecho.ask_all(requests):
        assert checks_out(*reassemble(replies))


def atomic(**fields):
    """A request behind a Fragment header that says that there is one fragment."""
    (packet,) = cut(echo6(**fields))
    return packet


def test_atomic_fragment(bench):
    bench.assert_answered(atomic(), answer6())
    bench.assert_dropped(atomic(cksum=0x1234), "bad-icmp-checksum")
    bench.assert_dropped(atomic(type=129), "not-echo")


def later(pack, protocol, **fields):
    """A later fragment of another protocol."""
    packet = pack(b"", **fields)
    sent = fragment(packet, 8, bytes(16), False)
    return replaced(sent, 40, bytes([protocol])) if len(packet) == 40 else sent


HEADER4, HEADER6 = ipv4(b""), ipv6(b"")

DROPPED = {
    "IPv4, more, and no multiple of 8": ("malformed", fragment(HEADER4, 64, bytes(15), True)),
    "IPv6, more, and no multiple of 8": ("malformed", fragment(HEADER6, 64, bytes(15), True)),
    "IPv4, beyond the largest packet": ("malformed", fragment(HEADER4, 65512, bytes(4), False)),
    "IPv6, beyond the largest packet": ("malformed", fragment(HEADER6, 65528, bytes(8), False)),
    "IPv4, nothing in it": ("malformed", fragment(HEADER4, 64, b"", False)),
    "IPv6, nothing in it": ("malformed", fragment(HEADER6, 64, b"", False)),
    "IPv4, first without an ICMP header": ("malformed", fragment(HEADER4, 0, b"", True)),
    "IPv6, first without an ICMP header": ("malformed", fragment(HEADER6, 0, b"", True)),
    "IPv4, first of a reply": ("not-echo", cut(answer(), 16)[0]),
    "IPv6, first of a reply": ("not-echo", cut(answer6(), 16)[0]),
    "IPv4, first of an error": ("icmp-error", cut(echo(type=3), 16)[0]),
    "IPv6, first of an error": ("icmp-error", cut(echo6(type=1), 16)[0]),
    "IPv6, first of housekeeping": ("housekeeping", cut(echo6(type=133), 16)[0]),
    "IPv4, of UDP": ("not-icmp", later(ipv4, 17, proto=17)),
    "IPv6, of UDP": ("not-icmp", later(ipv6, 17)),
    "IPv6, an extension header inside": ("unsupported", later(ipv6, 60)),
}


@pytest.mark.parametrize("verdict, packet", DROPPED.values(), ids=DROPPED)
def test_dropped(bench, verdict, packet):
    bench.assert_dropped(packet, verdict)


@pytest.mark.parametrize("offset, size", [(65504, 11), (65512, 3)])
def test_up_to_the_largest_packet(bench, offset, size):
    sent = fragment(echo()[:20], offset, bytes(size), False)
    bench.assert_answered(sent, fragment(answer()[:20], offset, bytes(size), False))
