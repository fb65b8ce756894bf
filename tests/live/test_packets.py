# SPDX-License-Identifier: GPL-2.0-or-later
"""Every kind of packet, made by hand: the bytes of its reply, or silence and its verdict."""

import contextlib
import functools
import random
import struct

import pytest
from scapy.utils import checksum

from packets import DATA, IPV4, IPV6, SOLICITED_NODE, Bench, answer, answer6, echo, echo6, ipv4, ipv6

MTU = 9000
DEVICE = f"[Device]\nMTUBytes={MTU}\n"
SUBNETS = f"{DEVICE}[Network]\nAddress=198.18.0.1/24\nAddress=2001:2::1/64\n"
USUAL = f"{SUBNETS}Peer=198.18.0.2\nPeer=2001:2::2\n"
PREFIXES = "Destination=198.18.0.0/25\nDestination=203.0.113.7\nDestination=2001:2::/48\n"

# Configurations, each with a daemon of its own.
VARIANTS = {
    "usual": USUAL,
    "HopLimit=17": f"{USUAL}[Reflector]\nHopLimit=17\n",
    "AnswerBroadcast=yes": f"{USUAL}[Reflector]\nAnswerBroadcast=yes\n",
    "AnswerMulticast=no": f"{USUAL}[Reflector]\nAnswerMulticast=no\n",
    "no peer": f"{SUBNETS}[Reflector]\nAnswerBroadcast=yes\n",
    "Destination=": f"{USUAL}[Reflector]\n{PREFIXES}",
}


def settling(make_answer, offset, wanted):
    """Data with which the checksum of an answer, found at this offset, is the wanted one."""
    (present,) = struct.unpack_from("!H", make_answer(data=bytes(56)), offset)
    # In one's complement, a word of data adds its value to the sum, and the checksum is the sum's negative.
    return struct.pack("!H", (present - wanted) % 0xFFFF) + bytes(54)


def random_bytes(size):
    return random.Random(size).randbytes(size)


# Requests that are answered, by their fields, and the fields in which the answer differs beyond the usual.
ANSWERED_IPV4 = {
    "plain": ({}, {}),
    "no data": ({"data": b""}, {}),
    "one byte of data": ({"data": b"x"}, {}),
    "odd data": ({"data": DATA[:55]}, {}),
    "random data": ({"data": random_bytes(1472)}, {}),
    "odd random data": ({"data": random_bytes(1471)}, {}),
    "as large as the MTU": ({"data": random_bytes(MTU - 28)}, {}),
    "zeros": ({"data": bytes(56)}, {}),
    "ones": ({"data": b"\xff" * 56}, {}),
    "all zero but the type": ({"data": b"", "id": 0, "seq": 0}, {}),
    "all zero but the type, with data": ({"data": bytes(56), "id": 0, "seq": 0}, {}),
    "reply's checksum becomes 0": ({"data": settling(answer, 22, 0)}, {}),
    "reply's checksum carries": ({"data": settling(answer, 22, 0x07FF)}, {}),
    "identifier and sequence at their ends": ({"id": 0xFFFF, "seq": 0xFFFF}, {}),
    "code 1": ({"code": 1}, {}),
    "code 255": ({"code": 255}, {}),
    "TTL 0": ({"ttl": 0}, {"ttl": 64}),
    "TTL 1": ({"ttl": 1}, {"ttl": 64}),
    "TTL 64": ({"ttl": 64}, {}),
    "TTL 255": ({"ttl": 255}, {"ttl": 64}),
    "TOS": ({"tos": 0xB8}, {}),
    "TOS with ECN": ({"tos": 0xFF}, {}),
    "do not fragment": ({"flags": "DF"}, {}),
    "reserved flag": ({"flags": 4}, {"flags": 0}),
    "reserved flag and do not fragment": ({"flags": 6}, {"flags": "DF"}),
    "address of the subnet": ({"destination": "198.18.0.77"}, {}),
    "address beyond the subnet": ({"destination": "203.0.113.9"}, {}),
    "source beyond the subnet": ({"source": "203.0.113.9"}, {}),
    "lowest addresses": ({"source": "1.0.0.0", "destination": "1.0.0.1"}, {}),
    "highest addresses": ({"source": "223.255.255.254", "destination": "223.255.255.255"}, {}),
}

ANSWERED_IPV6 = {
    "plain": ({}, {}),
    "no data": ({"data": b""}, {}),
    "one byte of data": ({"data": b"x"}, {}),
    "odd data": ({"data": DATA[:55]}, {}),
    "random data": ({"data": random_bytes(1452)}, {}),
    "odd random data": ({"data": random_bytes(1451)}, {}),
    "as large as the MTU": ({"data": random_bytes(MTU - 48)}, {}),
    "zeros": ({"data": bytes(56)}, {}),
    "ones": ({"data": b"\xff" * 56}, {}),
    "reply's checksum becomes 0": ({"data": settling(answer6, 42, 0)}, {}),
    "reply's checksum carries": ({"data": settling(answer6, 42, 0x00FF)}, {}),
    "identifier and sequence at their ends": ({"id": 0xFFFF, "seq": 0xFFFF}, {}),
    "code 1": ({"code": 1}, {}),
    "code 255": ({"code": 255}, {}),
    "hop limit 0": ({"hlim": 0}, {"hlim": 64}),
    "hop limit 1": ({"hlim": 1}, {"hlim": 64}),
    "hop limit 255": ({"hlim": 255}, {"hlim": 64}),
    "traffic class": ({"tc": 0xB8}, {}),
    "traffic class with ECN": ({"tc": 0xFF}, {}),
    "flow label": ({"fl": 0xABCDE}, {"fl": 0}),
    "traffic class and flow label": ({"tc": 0xFF, "fl": 0xFFFFF}, {"fl": 0}),
    "address of the subnet": ({"destination": "2001:2::77"}, {}),
    "address beyond the subnet": ({"destination": "2001:db8::9"}, {}),
    "source beyond the subnet": ({"source": "2001:db8::9"}, {}),
    "all nodes": ({"destination": "ff02::1"}, {"destination": IPV6[1]}),
    "solicited-node group of the peer": ({"destination": SOLICITED_NODE}, {"destination": IPV6[1]}),
}


def edited(packet, offset, value):
    """A packet with one byte replaced; the checksum of its IPv4 header is made right again."""
    changed = bytearray(packet)
    changed[offset] = value
    if packet[0] >> 4 == 4:
        changed[10:12] = bytes(2)
        changed[10:12] = struct.pack("!H", checksum(bytes(changed[:20])))
    return bytes(changed)


def udp(pack, **header):
    return pack(struct.pack("!HHHH", 5000, 7, 8, 0), **header)


ERRORS_IPV4 = 3, 5, 11, 12
ERRORS_IPV6 = 1, 2, 3, 4
HOUSEKEEPING = 130, 131, 132, 133, 134, 135, 136, 137, 143
OTHER_TYPES_IPV4 = 4, 9, 10, 13, 17, 42, 128, 255
OTHER_TYPES_IPV6 = 0, 5, 8, 127, 138, 139, 142, 144, 255

BAD_DESTINATIONS_IPV4 = "0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.255", "240.0.0.1", "255.255.255.254"
BAD_SOURCES_IPV4 = *BAD_DESTINATIONS_IPV4, "224.0.0.1", "239.255.255.255", "255.255.255.255", "198.18.0.255"
BAD_SOURCES_IPV6 = "::", "::1", "ff02::1", "ff05::2", "::ffff:198.18.0.1", "::ffff:0:0"

GROUPS_IPV4 = "255.255.255.255", "198.18.0.255", "224.0.0.1", "239.255.255.255"
GROUPS_IPV6 = "ff01::1", "ff02::2", "ff02::1:ff00:3", "ff05::1", "ff0e::1", "ff02::101", "ff12::1"

# Packets that are not answered, by the verdict that they are counted under.
DROPPED = {
    "malformed": {
        "one byte": b"\x45",
        "IPv4, a byte short of a header": echo()[:19],
        "IPv4, IHL 0": edited(echo(), 0, 0x40),
        "IPv4, IHL 4": edited(echo(), 0, 0x44),
        "IPv4, IHL beyond the packet": edited(ipv4(b""), 0, 0x4F),
        "version 0": edited(echo(), 0, 0x05),
        "version 5": edited(echo(), 0, 0x55),
        "version 7": b"\x70" + echo6()[1:],
        "version 15": b"\xf0" + echo6()[1:],
        "IPv4, length beyond the packet": echo(len=85),
        "IPv4, length beyond any packet": echo(len=65535),
        "IPv4, length of zero": echo(len=0),
        "IPv4, length short of the header": echo(len=19),
        "IPv4, truncated": echo()[:-1],
        "IPv4, no ICMP header": ipv4(b""),
        "IPv4, a byte short of an ICMP header": ipv4(echo(data=b"")[20:27]),
        "IPv6, one byte": b"\x60",
        "IPv6, a byte short of a header": echo6()[:39],
        "IPv6, length beyond the packet": echo6(plen=65),
        "IPv6, length beyond any packet": echo6(plen=65535),
        "IPv6, truncated": echo6()[:-1],
        "IPv6, no ICMP header": ipv6(b""),
        "IPv6, a byte short of an ICMP header": ipv6(echo6(data=b"")[40:47]),
    },
    "not-icmp": {
        "IPv4, UDP": udp(ipv4, proto=17),
        "IPv4, TCP": ipv4(bytes(20), proto=6),
        "IPv4, IP": ipv4(echo(), proto=4),
        "IPv4, IGMP": ipv4(bytes(8), proto=2),
        "IPv4, ICMPv6": ipv4(echo6()[40:], proto=58),
        "IPv4, 255": ipv4(b"", proto=255),
        "IPv6, UDP": udp(ipv6, nh=17),
        "IPv6, TCP": ipv6(bytes(20), nh=6),
        "IPv6, IPv6": ipv6(echo6(), nh=41),
        "IPv6, ICMP for IPv4": ipv6(echo()[20:], nh=1),
        "IPv6, no next header": ipv6(b"", nh=59),
        "IPv6, no next header, with data": ipv6(echo6()[40:], nh=59),
    },
    "icmp-error": {
        **{f"IPv4, type {number}": echo(type=number) for number in ERRORS_IPV4},
        **{f"IPv6, type {number}": echo6(type=number) for number in ERRORS_IPV6},
    },
    "housekeeping": {f"IPv6, type {number}": echo6(type=number) for number in HOUSEKEEPING},
    "not-echo": {
        "IPv4, echo reply": answer(),
        **{f"IPv4, type {number}": echo(type=number) for number in OTHER_TYPES_IPV4},
        "IPv6, echo reply": answer6(),
        **{f"IPv6, type {number}": echo6(type=number) for number in OTHER_TYPES_IPV6},
    },
    "bad-ip-checksum": {
        "one too many": echo(header_checksum=struct.unpack_from("!H", echo(), 10)[0] + 1),
        "zero": echo(header_checksum=0),
        "inverted": echo(header_checksum=struct.unpack_from("!H", echo(), 10)[0] ^ 0xFFFF),
    },
    "bad-icmp-checksum": {
        "IPv4, one too many": echo(chksum=struct.unpack_from("!H", echo(), 22)[0] + 1),
        "IPv4, zero": echo(chksum=0),
        "IPv4, data changed on the way": echo()[:-1] + b"\x00",
        "IPv4, odd data changed on the way": echo(data=b"abc")[:-1] + b"d",
        "IPv6, one too many": echo6(cksum=struct.unpack_from("!H", echo6(), 42)[0] + 1),
        "IPv6, zero": echo6(cksum=0),
        "IPv6, data changed on the way": echo6()[:-1] + b"\x00",
        "IPv6, without the pseudo-header": ipv6(b"\x80\x00" + echo(type=128)[22:]),
        "IPv6, address changed on the way": edited(echo6(), 23, 9),
    },
    "bad-source": {
        **{f"from {source}": echo(source=source) for source in BAD_SOURCES_IPV4},
        **{f"from {source}": echo6(source=source) for source in BAD_SOURCES_IPV6},
        "IPv4, from its destination": echo(source=IPV4[1]),
        "IPv6, from its destination": echo6(source=IPV6[1]),
    },
    "bad-destination": {
        **{f"to {destination}": echo(destination=destination) for destination in BAD_DESTINATIONS_IPV4},
        **{f"to {destination}": echo6(destination=destination) for destination in ("::", "::1")},
    },
    "group-destination": {
        **{f"to {group}": echo(destination=group) for group in GROUPS_IPV4},
        **{f"to {group}": echo6(destination=group) for group in GROUPS_IPV6},
    },
}

# What other settings make of a packet: its reply, or its verdict.
VARIED = [
    ("HopLimit=17", "IPv4", echo(), answer(ttl=17)),
    ("HopLimit=17", "IPv6", echo6(), answer6(hlim=17)),
    *(
        ("AnswerBroadcast=yes", f"to {group}", echo(destination=group), answer())
        for group in ("255.255.255.255", "198.18.0.255", "224.0.0.1")
    ),
    ("AnswerBroadcast=yes", "IPv6 to all nodes", echo6(destination="ff02::1"), answer6()),
    ("AnswerBroadcast=yes", "IPv6 to all routers", echo6(destination="ff02::2"), "group-destination"),
    ("AnswerMulticast=no", "to all nodes", echo6(destination="ff02::1"), "group-destination"),
    ("AnswerMulticast=no", "to the peer's group", echo6(destination=SOLICITED_NODE), "group-destination"),
    ("AnswerMulticast=no", "to the peer", echo6(), answer6()),
    ("no peer", "IPv4 to the broadcast address", echo(destination="198.18.0.255"), "group-destination"),
    ("no peer", "IPv6 to all nodes", echo6(destination="ff02::1"), "group-destination"),
    ("no peer", "IPv4", echo(), answer()),
    ("no peer", "IPv6", echo6(), answer6()),
    ("Destination=", "in a prefix", echo(destination="198.18.0.127"), answer(destination="198.18.0.127")),
    ("Destination=", "beyond a prefix", echo(destination="198.18.0.128"), "not-ours"),
    ("Destination=", "the one address", echo(destination="203.0.113.7"), answer(destination="203.0.113.7")),
    ("Destination=", "next to the one address", echo(destination="203.0.113.6"), "not-ours"),
    ("Destination=", "IPv6 in a prefix", echo6(destination="2001:2::9"), answer6(destination="2001:2::9")),
    ("Destination=", "IPv6 beyond a prefix", echo6(destination="2001:2:1::"), "not-ours"),
]


@pytest.fixture(scope="module")
def bench_of(tmp_path_factory, each_engine):
    """A function that returns the bench of a variant."""
    with contextlib.ExitStack() as stack:

        @functools.cache
        def get(variant):
            directory = tmp_path_factory.mktemp("host")
            return stack.enter_context(Bench.on_host(directory, each_engine, config=VARIANTS[variant]))

        yield get


@pytest.fixture(scope="module")
def bench(bench_of):
    return bench_of("usual")


def rows(table):
    return [pytest.param(*row, id=name) for name, row in table.items()]


@pytest.mark.parametrize("fields, changed", rows(ANSWERED_IPV4))
def test_answered_ipv4(bench, fields, changed):
    bench.assert_answered(echo(**fields), answer(**{**fields, **changed}))


@pytest.mark.parametrize("fields, changed", rows(ANSWERED_IPV6))
def test_answered_ipv6(bench, fields, changed):
    bench.assert_answered(echo6(**fields), answer6(**{**fields, **changed}))


@pytest.mark.parametrize(
    "verdict, packet",
    [
        pytest.param(verdict, packet, id=f"{verdict} - {name}")
        for verdict, packets in DROPPED.items()
        for name, packet in packets.items()
    ],
)
def test_dropped(bench, verdict, packet):
    bench.assert_dropped(packet, verdict)


@pytest.mark.parametrize(
    "variant, packet, expected",
    [pytest.param(variant, *row, id=f"{variant} - {name}") for variant, name, *row in VARIED],
)
def test_settings(bench_of, variant, packet, expected):
    if isinstance(expected, bytes):
        bench_of(variant).assert_answered(packet, expected)
    else:
        bench_of(variant).assert_dropped(packet, expected)


@pytest.mark.parametrize("padding", [1, 7, 46, 1000])
@pytest.mark.parametrize("request_, reply", [(echo(), answer()), (echo6(), answer6())], ids=["IPv4", "IPv6"])
def test_padding_is_cut_off(bench, request_, reply, padding):
    bench.assert_answered(request_ + b"\xa5" * padding, reply)


# A request and its reply in full, so that not all depends on the library that makes the others.
TO_THE_LETTER = {
    "IPv4": (
        "4500001f 00014000 0101edb5 c6120001 c6120002" "08006eea 04d20001 414243",
        "4500001f 00014000 4001aeb5 c6120002 c6120001" "000076ea 04d20001 414243",
    ),
    "IPv6": (
        "6b812345 000b3a01 20010002000000000000000000000001 20010002000000000000000000000002"
        "8000b69b 04d20001 414243",
        "6b800000 000b3a40 20010002000000000000000000000002 20010002000000000000000000000001"
        "8100b59b 04d20001 414243",
    ),
}


@pytest.mark.parametrize("request_, reply", rows(TO_THE_LETTER))
def test_to_the_letter(bench, request_, reply):
    bench.assert_answered(bytes.fromhex(request_), bytes.fromhex(reply))


def test_replies_are_not_answered(bench):
    """A reply that comes back is no request: two reflectors do not play ping-pong."""
    for packet in echo(), echo6():
        (reply,), _ = bench.ask(packet)
        bench.assert_dropped(reply, "not-echo")


def test_every_truncation(bench):
    """No prefix of a request is answered, and none is more than one packet."""
    for whole in echo(data=b"abcd"), echo6(data=b"abcd"):
        for size in range(1, len(whole)):
            bench.assert_dropped(whole[:size], "malformed")


def test_replies_keep_their_order(bench):
    sent = [echo(data=random_bytes(size), seq=size) for size in range(200)]
    with bench.tunecho.sending():
        for packet in sent:
            bench.tunecho.send(packet)
    expected = [answer(data=random_bytes(size), seq=size) for size in range(200)]
    received = bench.tunecho.receive_all(bench.tunecho.ahead + len(sent))
    assert received[bench.tunecho.ahead :] == expected
