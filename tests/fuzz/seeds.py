#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""seeds.py DIRECTORY TARGET: write the seeds of a fuzz target into a new directory.

Each file is one input, called OUTCOME.DESCRIPTION after the result that it must have; each rule about packets has
one at least. A seed of reflect is four bytes that choose a policy, as fuzz-reflect.c says, and a packet; the live
tests send these packets to the daemon, too.
"""

import ipaddress
import itertools
import json
import pathlib
import random
import re
import shutil
import struct
import sys

REPAIR_CHECKSUMS, REPAIR_LENGTHS, BROADCAST, MULTICAST = 1, 2, 4, 8
PEER4, PEER6, DESTINATIONS, SUBNETS = 16, 32, 64, 128
REPAIR = REPAIR_CHECKSUMS | REPAIR_LENGTHS
USUAL = MULTICAST | PEER4 | PEER6 | SUBNETS
DATA = bytes(range(16))
PACKETS, SETTINGS = (pathlib.Path(__file__).with_name(name) for name in ("packets.txt", "settings.txt"))

HOST4, OURS4, OTHER4 = "198.18.0.1", "198.18.0.2", "198.51.100.7"
HOST6, OURS6, OTHER6 = "2001:2::1", "2001:2::2", "2001:db8::7"

ECHO4, REPLY4, ECHO6, REPLY6 = 8, 0, 128, 129
ICMP, TCP, UDP, ICMP6, NONE, HOP, ROUTING, FRAGMENT, DESTINATION = 1, 6, 17, 58, 59, 0, 43, 44, 60


def packed(address):
    return ipaddress.ip_address(address).packed


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2 + len(data) % 2}H", data + bytes(len(data) % 2)))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def message(type, code=0, data=DATA, id=0xBEEF, seq=7, pseudo=b"", wrong=0):
    header = struct.pack("!BBHHH", type, code, 0, id, seq)
    right = checksum(pseudo + header + data)
    return struct.pack("!BBHHH", type, code, (right + wrong) & 0xFFFF, id, seq) + data


def ipv4(payload, source=HOST4, destination=OURS4, options=b"", protocol=ICMP, tos=0, id=0x1234, flags=0,
         offset=0, ttl=64, version=4, ihl=None, total=None, wrong=0):
    options += bytes(-len(options) % 4)
    ihl = 5 + len(options) // 4 if ihl is None else ihl
    total = 20 + len(options) + len(payload) if total is None else total

    def header(check):
        return struct.pack("!BBHHHBBH4s4s", version << 4 | ihl, tos, total, id, flags << 13 | offset // 8,
                           ttl, protocol, check, packed(source), packed(destination)) + options

    return header((checksum(header(0)) + wrong) & 0xFFFF) + payload


def echo4(type=ECHO4, code=0, data=DATA, seq=7, id_of_echo=0xBEEF, wrong_icmp=0, **header):
    return ipv4(message(type, code, data, id_of_echo, seq, wrong=wrong_icmp), **header)


def ipv6(payload, source=HOST6, destination=OURS6, next=ICMP6, traffic_class=0, flow=0, hops=64, length=None):
    length = len(payload) if length is None else length
    return struct.pack("!IHBB16s16s", 6 << 28 | traffic_class << 20 | flow, length, next, hops,
                       packed(source), packed(destination)) + payload


def message6(type=ECHO6, code=0, data=DATA, source=HOST6, destination=OURS6, wrong_icmp=0, **fields):
    pseudo = packed(source) + packed(destination) + struct.pack("!II", 8 + len(data), ICMP6)
    return message(type, code, data, pseudo=pseudo, wrong=wrong_icmp, **fields)


def echo6(*headers, type=ECHO6, code=0, data=DATA, source=HOST6, destination=OURS6, wrong_icmp=0, **header):
    """An echo request behind extension headers, each of them (its type, the rest of it)."""
    payload = message6(type, code, data, source, destination, wrong_icmp)
    next = ICMP6
    for kind, rest in reversed(headers):
        payload, next = bytes([next]) + rest + payload, kind
    return ipv6(payload, source, destination, next=next, **header)


def options6(*options):
    """What follows the first byte of a header with these options."""
    rest = b"".join(options)
    rest += bytes(-(len(rest) + 2) % 8)
    return bytes([(len(rest) + 2) // 8 - 1]) + rest


def option(kind, data=b""):
    return bytes([kind, len(data) + 2]) + data


def option6(kind, data=b""):
    return bytes([kind, len(data)]) + data


def fragment6(piece, offset, more, next=ICMP6, reserved=0, identification=0xCAFE):
    header = struct.pack("!BBHI", next, reserved, offset | reserved & 6 | more, identification)
    return ipv6(header + piece, next=FRAGMENT)


def record_route(pointer=4, slots=3):
    return bytes([7, 3 + 4 * slots, pointer]) + bytes(4 * slots)


def timestamp(flag, pointer=5, overflow=0, entries=bytes(16)):
    return bytes([68, 4 + len(entries), pointer, overflow << 4 | flag]) + entries


def seeds_of_ipv4():
    yield "malformed.empty", b""
    yield "malformed.ipv4-short", echo4()[:19]
    yield "malformed.ipv4-ihl-beyond-packet", ipv4(b"", ihl=6)
    yield "reply.ipv4", echo4()
    yield "reply.ipv4-padding", echo4() + bytes(20)
    for name, type, code in (("unreachable", 3, 1), ("redirect", 5, 1), ("time-exceeded", 11, 0),
                             ("parameter-problem", 12, 0)):
        yield f"icmp-error.ipv4-{name}", ipv4(message(type, code, echo4(type=REPLY4)))
    yield "icmp-error.ipv4-first-fragment", ipv4(message(3), flags=1)
    yield "malformed.ipv4-short-message", ipv4(message(ECHO4)[:7])
    yield "bad-ip-checksum.ipv4", echo4(wrong=1)
    yield "bad-icmp-checksum.ipv4", echo4(wrong_icmp=1)
    hosts = [("unspecified", "0.0.0.0"), ("loopback", "127.0.0.1"), ("reserved", "240.0.0.1")]
    groups = [("broadcast", "255.255.255.255"), ("subnet-broadcast", "198.18.0.255"),
              ("multicast", "224.0.0.1")]
    for name, source in [*hosts, *groups, ("this-network", "0.1.2.3"), ("destination", OURS4)]:
        yield f"bad-source.ipv4-{name}", echo4(source=source)
    for name, destination in hosts:
        yield f"bad-destination.ipv4-{name}", echo4(destination=destination)
    yield "not-ours.ipv4", echo4(destination=OTHER4), USUAL | DESTINATIONS
    yield "reply.ipv4-ours", echo4(), USUAL | DESTINATIONS
    for name, destination in groups:
        yield f"group-destination.ipv4-{name}", echo4(destination=destination)
        yield f"reply.ipv4-{name}", echo4(destination=destination), USUAL | BROADCAST
        yield (f"group-destination.ipv4-{name}-no-peer", echo4(destination=destination),
               USUAL & ~PEER4 | BROADCAST)
    yield ("bad-source.ipv4-broadcast-from-peer", echo4(source=OURS4, destination="198.18.0.255"),
           USUAL | BROADCAST)
    yield "reply.ipv4-tos-and-flags", echo4(tos=0xFC, flags=6)
    yield "reply.ipv4-no-data", echo4(data=b"")
    yield "reply.ipv4-odd-data", echo4(data=b"odd")
    yield "reply.ipv4-all-zero", echo4(data=bytes(16), id_of_echo=0, seq=0)
    yield "reply.ipv4-all-zero-no-data", echo4(data=b"", id_of_echo=0, seq=0)
    for name, fields in (("code", {"code": 1, "seq": 0xFFFE}), ("identifier", {"id_of_echo": 0xFFFF}),
                         ("sequence", {"seq": 0xFFFF}), ("data", {"data": b"\xff\xff"}),
                         ("later-data", {"data": bytes(3) + b"\xff\xff"})):
        # All words add up to 0xffff, which is the other zero.
        yield f"reply.ipv4-other-zero-{name}", echo4(**{"data": bytes(4), "id_of_echo": 0, "seq": 0} | fields)
    yield "reply.ipv4-checksum-0", ipv4(bytes([8, 0, 0, 0, 0xF7, 0xFF, 0, 0]))
    yield "reply.ipv4-checksum-ffff", ipv4(bytes([8, 0, 0xFF, 0xFF, 0xF7, 0xFF, 0, 0]))

    router_alert = option(148, bytes(2))
    security = option(130, bytes(9))
    removed = bytes([1, 1]) + router_alert + security + option(222, b"unknown") + bytes(2)
    yield "reply.ipv4-options-removed", echo4(options=removed)
    yield "reply.ipv4-record-route", echo4(options=record_route())
    yield "reply.ipv4-record-route-full", echo4(options=record_route(pointer=16))
    yield "reply.ipv4-record-route-last-slot", echo4(options=bytes([1]) + record_route(pointer=12))
    yield ("reply.ipv4-record-route-of-broadcast", echo4(options=record_route(), destination="198.18.0.255"),
           USUAL | BROADCAST)
    for flag, name in ((0, "times"), (1, "addresses"), (2, "unknown-flag"), (3, "prespecified")):
        entries = packed(OURS4) + bytes(12) if flag == 3 else bytes(16)
        yield f"reply.ipv4-timestamp-{name}", echo4(options=timestamp(flag, entries=entries))
        yield f"reply.ipv4-timestamp-{name}-full", echo4(options=timestamp(flag, pointer=21, overflow=3))
    not_ours = timestamp(3, entries=packed(OTHER4) + bytes(4))
    yield "reply.ipv4-timestamp-not-our-turn", echo4(options=not_ours)
    both = timestamp(0, entries=bytes(8)) + record_route(slots=2) + bytes([1])
    yield "reply.ipv4-timestamp-and-route", echo4(options=both)
    yield "source-route.ipv4-loose", echo4(options=bytes([131, 7, 8]) + bytes(4))
    yield "source-route.ipv4-strict", echo4(options=bytes([137, 7, 4]) + bytes(4))
    bad_options = {
        "length-0": bytes([222, 0]),
        "length-1": bytes([222, 1]),
        "without-length": bytes([1, 1, 1, 222]),
        "beyond-header": bytes([222, 5]),
        "short-router-alert": bytes([148, 3, 0]),
        "short-record-route": bytes([1, 1, 7, 2]),
        "short-timestamp": bytes([1, 68, 3, 5]),
        "record-route-pointer": record_route(pointer=3),
        "record-route-part": record_route(pointer=13),
        "record-route-part-left": bytes([7, 8, 4]) + bytes(5),
        "second-record-route": record_route(slots=1) * 2,
        "timestamp-pointer": timestamp(0, pointer=4),
        "timestamp-part": timestamp(0, pointer=18),
        "timestamp-part-of-two": timestamp(1, pointer=17),
        "timestamp-part-left": timestamp(1, entries=bytes(12)),
        "second-timestamp": timestamp(0, entries=bytes(4)) * 2,
        "timestamp-overflow": timestamp(0, pointer=21, overflow=15),
    }
    for name, options in bad_options.items():
        yield f"bad-option.ipv4-{name}", echo4(options=options)

    whole = message(ECHO4, data=bytes(range(64)))
    yield "reply.ipv4-first-fragment", ipv4(whole[:32], flags=1)
    yield "reply.ipv4-first-fragment-wrong", ipv4(message(ECHO4, data=bytes(24), wrong=5), flags=1)
    yield "reply.ipv4-first-fragment-zero", ipv4(bytes([8, 0, 0xF7, 0xFF]) + bytes(12), flags=1)
    yield "reply.ipv4-first-fragment-options", ipv4(whole[:32], flags=1, options=bytes([1]) + record_route())
    yield "not-echo.ipv4-first-fragment", ipv4(message(REPLY4), flags=1)
    yield "reply-fragment.ipv4-middle", ipv4(whole[32:56], flags=1, offset=32)
    yield "reply-fragment.ipv4-last", ipv4(whole[56:] + b"odd", offset=56)
    yield "reply-fragment.ipv4-looks-like-echo", ipv4(message(ECHO4), offset=8)
    yield "reply-fragment.ipv4-at-the-end", ipv4(DATA[:7], offset=65504)
    yield "not-icmp.ipv4-later-fragment", ipv4(DATA, protocol=TCP, offset=8)
    yield "malformed.ipv4-fragment-not-multiple-of-8", ipv4(whole[:31], flags=1)
    yield "malformed.ipv4-fragment-beyond-end", ipv4(DATA, offset=65504)
    yield "malformed.ipv4-fragment-without-data", ipv4(b"", offset=8)
    yield "malformed.ipv4-first-fragment-without-data", ipv4(b"", flags=1)
    yield "bad-source.ipv4-later-fragment", ipv4(DATA, source="127.0.0.1", offset=8)
    yield "reply.ipv4-repaired", ipv4(message(ECHO4, wrong=9), wrong=9, total=99), USUAL | REPAIR


def seeds_of_ipv6():
    yield "malformed.ipv6-short", echo6()[:39]
    yield "malformed.ipv6-length-beyond-packet", ipv6(message6(), length=25)
    yield "reply.ipv6", echo6()
    yield "reply.ipv6-padding", echo6() + bytes(20)
    yield "not-icmp.ipv6-no-next-header", ipv6(b"", next=NONE)
    yield "not-icmp.ipv6-no-next-header-behind-options", echo6((DESTINATION, options6()), (NONE, b""))
    for name, type, code in (("unreachable", 1, 0), ("too-big", 2, 0), ("time-exceeded", 3, 0),
                             ("parameter-problem", 4, 0)):
        yield f"icmp-error.ipv6-{name}", echo6(type=type, code=code, data=echo6(type=REPLY6))
    yield "icmp-error.ipv6-first-fragment", fragment6(message6(1), 0, 1)
    yield "malformed.ipv6-short-message", ipv6(message6()[:7])
    yield "malformed.ipv6-no-message", ipv6(b"")
    yield "bad-icmp-checksum.ipv6", echo6(wrong_icmp=1)
    hosts = [("unspecified", "::"), ("loopback", "::1"), ("v4-mapped", "::ffff:198.18.0.1")]
    for name, source in [*hosts, ("multicast", "ff02::1"), ("destination", OURS6)]:
        yield f"bad-source.ipv6-{name}", echo6(source=source)
    for name, destination in hosts:
        yield f"bad-destination.ipv6-{name}", echo6(destination=destination)
    yield "not-ours.ipv6", echo6(destination=OTHER6), USUAL | DESTINATIONS
    yield "reply.ipv6-ours", echo6(), USUAL | DESTINATIONS
    for name, group in (("all-nodes", "ff02::1"), ("solicited-node", "ff02::1:ff00:2")):
        yield f"reply.ipv6-{name}", echo6(destination=group)
        yield f"reply.ipv6-{name}-link-local", echo6(destination=group, source="fe80::1")
        yield f"group-destination.ipv6-{name}-unwanted", echo6(destination=group), USUAL & ~MULTICAST
        yield f"group-destination.ipv6-{name}-no-peer", echo6(destination=group), USUAL & ~PEER6
        yield f"bad-source.ipv6-{name}-from-peer", echo6(destination=group, source=OURS6)
        yield f"bad-source.ipv6-{name}-from-link-local-peer", echo6(destination=group, source="fe80::2")
    yield "reply.ipv6-link-local", echo6(destination="fe80::2", source="fe80::1")
    yield "group-destination.ipv6-other-solicited-node", echo6(destination="ff02::1:ff00:3")
    # Comparisons go word by word: each word once makes the difference.
    for word in range(4):
        other = [str(ipaddress.IPv6Address(int(ipaddress.IPv6Address(address)) ^ 0x100 << 96 - 32 * word))
                 for address in (HOST6, OURS6, "ff02::1", "::")]
        yield f"reply.ipv6-source-almost-destination-{word}", echo6(source=other[1])
        yield f"reply.ipv6-source-almost-unspecified-{word}", echo6(source=other[3])
        yield f"group-destination.ipv6-almost-all-nodes-{word}", echo6(destination=other[2])
        yield f"reply.ipv6-all-nodes-from-almost-peer-{word}", echo6(destination="ff02::1", source=other[1])
        yield f"reply.ipv6-all-nodes-of-short-peer-{word}", echo6(destination="ff02::1"), USUAL, word
    yield "reply.ipv6-source-almost-v4-mapped", echo6(source="::fffe:198.18.0.1")
    yield "group-destination.ipv6-almost-solicited-node", echo6(destination="ff02::2:ff00:2")
    yield "group-destination.ipv6-other-group", echo6(destination="ff05::2")
    yield "reply.ipv6-class-and-flow", echo6(traffic_class=0xFC, flow=0xABCDE)
    yield "reply.ipv6-no-data", echo6(data=b"")
    yield "reply.ipv6-odd-data", echo6(data=b"odd")

    router_alert = option6(5, bytes(2))
    skipped = option6(0x1E, b"skip")
    yield "reply.ipv6-hop-by-hop", echo6((HOP, options6(router_alert)))
    several = options6(skipped, option6(1, bytes(1)), option6(0x3E))
    yield "reply.ipv6-destination-options", echo6((DESTINATION, several))
    done = bytes([0, 3, 0]) + bytes(4)
    yield "reply.ipv6-all-headers", echo6((HOP, options6(skipped)), (ROUTING, done), (DESTINATION, several))
    yield "reply.ipv6-eight-headers", echo6(*[(DESTINATION, options6())] * 8)
    yield "unsupported.ipv6-nine-headers", echo6(*[(DESTINATION, options6())] * 9)
    yield "reply.ipv6-eight-options", echo6((DESTINATION, options6(*[option6(0x1E)] * 8)))
    yield "bad-option.ipv6-nine-options", echo6((DESTINATION, options6(*[option6(0x1E)] * 9)))
    for action in (0x5E, 0x9E, 0xDE):
        yield f"bad-option.ipv6-action-{action >> 6}", echo6((DESTINATION, options6(option6(action))))
    padded = options6(skipped, option6(1, bytes(5)), option6(0x1E, b"1"))
    yield "reply.ipv6-padding-of-7", echo6((DESTINATION, padded))
    yield "bad-option.ipv6-padding-too-long", echo6((DESTINATION, options6(option6(1, bytes(6)))))
    yield "bad-option.ipv6-padding-of-single-bytes", echo6((DESTINATION, options6(bytes(14))))
    yield "bad-option.ipv6-option-beyond-header", echo6((DESTINATION, bytes([0, 0x1E, 9]) + bytes(4)))
    yield "source-route.ipv6", echo6((ROUTING, bytes([2, 0, 1]) + bytes(4) + packed(OTHER6)))
    yield "malformed.ipv6-header-beyond-packet", ipv6(bytes([ICMP6, 1]) + bytes(6), next=DESTINATION)
    yield "malformed.ipv6-half-a-header", ipv6(bytes(7), next=ROUTING)

    whole = message6(data=bytes(range(64)))
    yield "reply.ipv6-first-fragment", fragment6(whole[:32], 0, 1)
    yield "reply.ipv6-first-fragment-reserved", fragment6(whole[:32], 0, 1, reserved=0xFF)
    yield "not-echo.ipv6-first-fragment", fragment6(message6(REPLY6), 0, 1)
    headers = bytes([FRAGMENT]) + options6(skipped) + struct.pack("!BBHI", ICMP6, 0, 1, 7)
    yield "reply.ipv6-first-fragment-behind-options", ipv6(headers + whole[:32], next=HOP)
    yield "reply-fragment.ipv6-middle", fragment6(whole[32:56], 32, 1)
    yield "reply-fragment.ipv6-last", fragment6(whole[56:] + b"odd", 56, 0)
    yield "reply-fragment.ipv6-looks-like-echo", fragment6(message6(), 8, 0)
    yield "reply-fragment.ipv6-at-the-end", fragment6(DATA[:7], 65528, 0)
    yield "reply.ipv6-atomic", fragment6(message6(), 0, 0)
    inside = bytes([ICMP6]) + options6() + whole[:32]
    yield "unsupported.ipv6-options-in-fragment", fragment6(inside, 0, 1, next=DESTINATION)
    yield "not-icmp.ipv6-later-fragment", fragment6(DATA, 8, 0, next=UDP)
    yield "malformed.ipv6-fragment-not-multiple-of-8", fragment6(whole[:31], 0, 1)
    yield "malformed.ipv6-fragment-beyond-end", fragment6(DATA, 65528, 0)
    yield "malformed.ipv6-fragment-without-data", fragment6(b"", 8, 0)
    yield "reply.ipv6-repaired", ipv6(message6(wrong_icmp=9), length=0), USUAL | REPAIR


# Offset in units of 8 bytes, whether more follow, bytes of the message, its type where it is no echo request.
FRAGMENTS = [
    ("reply.first", 0, 1, 24), ("reply.first-shortest", 0, 1, 8), ("not-echo.first-of-reply", 0, 1, 24, 0),
    ("icmp-error.first-of-error", 0, 1, 24, 1), ("malformed.first-without-data", 0, 1, 0),
    ("malformed.first-no-multiple-of-8", 0, 1, 23), ("reply-fragment.middle", 1, 1, 24),
    ("reply-fragment.middle-like-a-reply", 1, 1, 24, 0), ("reply-fragment.middle-shortest", 100, 1, 8),
    ("malformed.middle-no-multiple-of-8", 1, 1, 12), ("malformed.middle-without-data", 1, 1, 0),
    ("reply-fragment.last", 3, 0, 24), ("reply-fragment.last-of-one-byte", 3, 0, 1),
    ("malformed.last-without-data", 3, 0, 0), ("malformed.last-beyond-the-end", 8191, 0, 24),
    ("malformed.middle-beyond-the-end", 8190, 1, 16),
]
FRAGMENTS4 = [("reply-fragment.last-up-to-the-end", 8189, 0, 3), ("malformed.last-beyond-by-one", 8189, 0, 4),
              ("reply-fragment.middle-up-to-the-end", 8186, 1, 24)]
FRAGMENTS6 = [("reply-fragment.last-up-to-the-end", 8190, 0, 15), ("malformed.last-beyond-by-one", 8190, 0, 16),
              ("housekeeping.first", 0, 1, 24, 133)]


def seeds_of_fragments():
    """Each with DF and the reserved flag, or with reserved bits; and of another protocol."""
    for (outcome, offset, more, size, *kind), bits in itertools.product(FRAGMENTS + FRAGMENTS4, range(4)):
        piece = message({0: REPLY4, 1: 11}.get(*kind) if kind else ECHO4)[:size]
        where = {"flags": bits << 1 | more, "offset": offset * 8}
        yield outcome.replace(".", ".ipv4-fragment-", 1) + f"-{bits}", ipv4(piece, **where)
        yield f"not-icmp.ipv4-{outcome}-{bits}", ipv4(piece, protocol=UDP, **where)
    for (outcome, offset, more, size, *kind), bits in itertools.product(FRAGMENTS + FRAGMENTS6, range(4)):
        piece = message6({0: REPLY6}.get(*kind, *kind) if kind else ECHO6)[:size]
        header = struct.pack("!BHI", bits * 0x55, offset << 3 | bits << 1 | more, 0xCAFE)
        yield (outcome.replace(".", ".ipv6-fragment-", 1) + f"-{bits}",
               ipv6(bytes([ICMP6]) + header + piece, next=FRAGMENT))
        verdict = "malformed" if outcome.startswith("malformed") and offset + size > 0 else "not-icmp"
        yield f"{verdict}.ipv6-tcp-{outcome}-{bits}", ipv6(bytes([TCP]) + header + piece, next=FRAGMENT)


def seeds_of_more_fragments():
    """Behind options and headers, which count as part of the whole packet; and with addresses of every kind."""
    for verdict, size in (("reply-fragment", 7), ("malformed", 8)):
        yield f"{verdict}.ipv4-behind-options-{size}", ipv4(bytes(size), options=bytes([1] * 4), offset=8188 * 8)
    for offset, size, verdict in ((3, 24, "reply-fragment"), (8189, 15, "reply-fragment"), (8189, 16, "malformed")):
        headers = bytes([FRAGMENT]) + options6() + struct.pack("!BxHI", ICMP6, offset << 3, 1)
        yield f"{verdict}.ipv6-behind-headers-{offset}-{size}", ipv6(headers + bytes(size), next=DESTINATION)
    for verdict, ends, *control in (
            ("bad-source", {"source": "0.0.0.0"}), ("bad-destination", {"destination": "127.0.0.1"}),
            ("not-ours", {"destination": OTHER4}, USUAL | DESTINATIONS),
            ("group-destination", {"destination": "224.0.0.1"}),
            ("reply-fragment", {"destination": "224.0.0.1"}, USUAL | BROADCAST),
            ("bad-source", {"source": "ff02::1"}), ("bad-destination", {"destination": "::"}),
            ("not-ours", {"destination": OTHER6}, USUAL | DESTINATIONS),
            ("group-destination", {"destination": "ff05::1"}), ("reply-fragment", {"destination": "ff02::1"})):
        family = "ipv6" if ":" in "".join(ends.values()) else "ipv4"
        header = struct.pack("!BxHI", ICMP6, 24, 1)
        packet = ipv4(DATA, offset=24, **ends) if family == "ipv4" else ipv6(header + DATA, next=FRAGMENT, **ends)
        yield f"{verdict}.{family}-later-fragment-of-{list(ends.values())[0]}".replace(":", "_"), packet, *control
    for kind, rest in ((HOP, options6()), (ROUTING, bytes(7)), (FRAGMENT, bytes(7)), (DESTINATION, options6())):
        for size in range(8):
            yield f"malformed.ipv6-header-{kind}-of-{size}-bytes", ipv6((bytes([ICMP6]) + rest)[:size], next=kind)
    yield "bad-icmp-checksum.ipv6-behind-headers", echo6((DESTINATION, options6()), wrong_icmp=1)


# With two reasons for a drop, the first one counts: VERDICT, source, destination, protocol, type, wrong checksum.
ORDER = [
    ("not-icmp", "127.0.0.1", "127.0.0.1", UDP, 0, 1), ("bad-icmp-checksum", "127.0.0.1", "127.0.0.1", ICMP, 0, 1),
    ("not-echo", "127.0.0.1", "127.0.0.1", ICMP, 0, 0),
    ("bad-icmp-checksum", "127.0.0.1", "127.0.0.1", ICMP, 3, 1),
    ("icmp-error", "127.0.0.1", "127.0.0.1", ICMP, 3, 0), ("bad-source", "127.0.0.1", "127.0.0.2", ICMP, 8, 0),
    ("bad-source", "0.0.0.0", "224.0.0.1", ICMP, 8, 0), ("bad-destination", "10.0.0.1", "127.0.0.2", ICMP, 8, 0),
    ("not-ours", "10.0.0.1", "255.255.255.255", ICMP, 8, 0),
    ("not-icmp", "::1", "::1", UDP, 129, 1), ("bad-icmp-checksum", "::1", "::1", ICMP6, 129, 1),
    ("not-echo", "::1", "::1", ICMP6, 129, 0), ("bad-icmp-checksum", "::1", "::1", ICMP6, 1, 1),
    ("icmp-error", "::1", "::1", ICMP6, 1, 0), ("housekeeping", "::", "ff02::2", ICMP6, 133, 0),
    ("bad-source", "::", "::1", ICMP6, 128, 0), ("bad-source", "::", "ff02::1", ICMP6, 128, 0),
    ("bad-destination", "2001:2::1", "::1", ICMP6, 128, 0), ("not-ours", "2001:2::1", "ff05::1", ICMP6, 128, 0),
]


def seeds_of_order():
    for number, (verdict, source, destination, protocol, type, wrong) in enumerate(ORDER):
        ends = {"source": source, "destination": destination}
        if ":" in source:
            packet = ipv6(message6(type, wrong_icmp=wrong, **ends), next=protocol, **ends)
        else:
            packet = ipv4(message(type, wrong=wrong), protocol=protocol, **ends)
        yield f"{verdict}.order-{number}", packet, USUAL & ~MULTICAST | DESTINATIONS


def seeds_of_data():
    """Data that a checksum may be wrong for, and addresses of every kind of host."""
    noise = random.Random(1).randbytes
    kinds = {"one-byte": b"x", "zeros": bytes(56), "ones": b"\xff" * 56, "random": noise(1450), "odd": noise(1451)}
    for name, data in {**kinds, "4000": noise(4000), "4001": noise(4001)}.items():
        yield f"reply.ipv4-data-{name}", echo4(data=data)
        yield f"reply.ipv6-data-{name}", echo6(data=data)
    for wanted in (0, 0x07FF, 0x00FF):  # checksums of the reply
        for family, make, kind in (("ipv4", echo4, REPLY4), ("ipv6", echo6, REPLY6)):
            (present,) = struct.unpack_from("!H", make(type=kind, data=bytes(8)), 22 if family == "ipv4" else 42)
            data = struct.pack("!H", (present - wanted) % 0xFFFF) + bytes(6)
            yield f"reply.{family}-checksum-of-reply-{wanted:04x}", make(data=data)
    for source, destination in (("203.0.113.9", OURS4), (HOST4, "198.18.0.77"), (HOST4, "203.0.113.9"),
                                ("1.0.0.0", "1.0.0.1"), ("223.255.255.254", "223.255.255.255")):
        yield f"reply.ipv4-{source}-{destination}", echo4(source=source, destination=destination)
    for source, destination in ((OTHER6, OURS6), (HOST6, "2001:2::77"), (HOST6, OTHER6)):
        yield f"reply.ipv6-{source}-{destination}".replace(":", "_"), echo6(source=source, destination=destination)
    for group in ("ff01::1", "ff02::2", "ff02::101", "ff05::1", "ff0e::1", "ff12::1"):
        yield f"group-destination.ipv6-{group}".replace(":", "_"), echo6(destination=group)
    for group in ("224.0.0.1", "239.255.255.255"):
        yield f"group-destination.ipv4-{group}", echo4(destination=group)
    for bad in ("0.1.2.3", "127.255.255.255", "255.255.255.254"):
        yield f"bad-destination.ipv4-{bad}", echo4(destination=bad)
        yield f"bad-source.ipv4-{bad}", echo4(source=bad)
    for name, packet in (("ipv4-data-changed", echo4()), ("ipv4-odd-data-changed", echo4(data=b"abc")),
                         ("ipv6-data-changed", echo6())):
        yield f"bad-icmp-checksum.{name}", packet[:-1] + bytes([packet[-1] ^ 1])
    yield "bad-icmp-checksum.ipv6-without-pseudo-header", ipv6(message(ECHO6))


def seeds_of_packets():
    """Those of packets.txt."""
    for line in PACKETS.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        name, where, data, *as_is = line.split()
        number, data, packet = int(where[1:]), bytes.fromhex(data), echo4() if ".ipv4-" in name else echo6()
        if where[0] == "@":
            packet = packet[:number] + data + packet[number + len(data):]
        else:
            packet = ipv6(data + packet[40:], next=number)
        yield name, packet, USUAL | (0 if as_is else REPAIR_CHECKSUMS)


def seeds_of_all_packets():
    parts = (seeds_of_ipv4, seeds_of_ipv6, seeds_of_packets, seeds_of_fragments, seeds_of_more_fragments,
             seeds_of_order, seeds_of_data)
    return itertools.chain.from_iterable(part() for part in parts)


def seeds_of_reflect():
    yield "too-short.no-policy", b"\0\0\0"
    for name, packet, *control in seeds_of_all_packets():
        flags, zeros = [*control, *(USUAL, 0)[len(control):]]
        # A Destination= of 24 bits, packets at an odd address.
        yield name, bytes([flags, 77, 24, zeros << 4 | 1]) + packet


EVERYTHING = """\
# Every key there is, with comments.
[Device]
MTUBytes=1500
TransmitQueueLength=5000     # packets

[Network]
Configure=yes
Address=198.18.0.1
Address=2001:2::1/64 ; the whole subnet
Peer=198.18.0.2
Peer=2001:2::2

[Reflector]
Destination=198.51.100.0/24
Destination=2001:db8::/32
HopLimit=255
AnswerBroadcast=on
AnswerMulticast=0

[Engine]
Type=syscall

[Log]
Packets=true
Sessions=no
"""


def network(*lines):
    return "\n".join(["[Network]", *lines, ""])


def error4(type, code, quoted, rest=0, **header):
    """An ICMP error that quotes a packet; the rest is what its header has behind the checksum."""
    return ipv4(message(type, code, quoted, rest >> 16, rest & 0xFFFF), source=OTHER4, **header)


def error6(*headers, type=1, code=0, quoted=b"", rest=0):
    """The same of IPv6, behind extension headers, as echo6()."""
    ends = {"source": OTHER6, "destination": OURS6}
    payload, next = message6(type, code, quoted, **ends, id=rest >> 16, seq=rest & 0xFFFF), ICMP6
    for kind, header in reversed(headers):
        payload, next = bytes([next]) + header + payload, kind
    return ipv6(payload, **ends, next=next)


def seeds_of_icmp_error():
    reply = echo4(type=REPLY4, source=OURS4, destination=HOST4)
    for type, codes in ((3, range(17)), (5, range(4)), (11, range(3)), (12, range(3))):
        for code in codes:
            yield f"echo-reply.ipv4-type-{type}-code-{code}", error4(type, code, reply, rest=1280)
    yield "echo-reply.ipv4-eight-bytes", error4(3, 1, reply[:28])
    yield "malformed.ipv4-seven-bytes", error4(3, 1, reply[:27])
    yield "malformed.ipv4-no-quote", error4(3, 1, b"")
    yield "malformed.ipv4-half-a-header", error4(3, 1, reply[:19])
    yield "malformed.ipv4-short", error4(3, 1, reply)[:19]
    yield "malformed.ipv4-first-fragment", error4(3, 1, reply, flags=1)
    yield "malformed.ipv4-quotes-ipv6", error4(3, 1, echo6(type=REPLY6))
    yield "malformed.ipv4-quoted-ihl", error4(3, 1, b"\x4f" + reply[1:])
    yield "malformed.ipv4-quoted-length", error4(3, 1, echo4(type=REPLY4, total=27))
    yield "other.ipv4-quotes-request", error4(3, 1, echo4())
    yield "other.ipv4-quotes-udp", error4(3, 3, ipv4(DATA, protocol=UDP))
    yield "other.ipv4-quotes-later-fragment", error4(11, 1, ipv4(DATA, offset=8))
    yield "echo-reply.ipv4-quotes-first-fragment", error4(11, 1, ipv4(message(REPLY4), flags=1))
    quoted = echo4(type=REPLY4, options=record_route())
    yield "echo-reply.ipv4-options", error4(3, 1, quoted, options=bytes([1] * 8))
    yield "other.ipv4-request", echo4()
    yield "other.ipv4-udp", ipv4(DATA, protocol=UDP)
    yield "other.ipv4-later-fragment", ipv4(DATA, offset=8)

    reply = echo6(type=REPLY6, source=OURS6, destination=HOST6)
    for type, codes in ((1, range(10)), (2, range(2)), (3, range(3)), (4, range(4))):
        for code in codes:
            yield (f"echo-reply.ipv6-type-{type}-code-{code}",
                   error6(type=type, code=code, quoted=reply, rest=0x10500))
    yield "malformed.empty", b""
    yield "malformed.version", b"\x55" + bytes(60)
    yield "echo-reply.ipv6-eight-bytes", error6(quoted=reply[:48])
    yield "malformed.ipv6-seven-bytes", error6(quoted=reply[:47])
    yield "malformed.ipv6-no-quote", error6()
    yield "malformed.ipv6-half-a-header", error6(quoted=reply[:39])
    yield "malformed.ipv6-short", error6(quoted=reply)[:39]
    yield "malformed.ipv6-quotes-ipv4", error6(quoted=echo4(type=REPLY4))
    yield "malformed.ipv6-quoted-length", error6(quoted=ipv6(message6(REPLY6), length=7))
    yield "other.ipv6-quotes-request", error6(quoted=echo6())
    yield "other.ipv6-quotes-tcp", error6(quoted=ipv6(DATA, next=TCP))
    yield "other.ipv6-request", echo6()
    yield "other.ipv6-tcp", ipv6(DATA, next=TCP)

    options, done = (DESTINATION, options6()), (ROUTING, bytes([0, 3, 0]) + bytes(4))
    atomic, first, later = ((FRAGMENT, struct.pack("!xHI", word, 7)) for word in (0, 1, 8))
    for name, headers in (("options", [options]), ("three", [(HOP, options6()), done, options]),
                          ("eight", [options] * 8), ("atomic", [atomic])):
        yield f"echo-reply.ipv6-{name}", error6(*headers, quoted=reply)
        yield f"echo-reply.ipv6-quotes-{name}", error6(quoted=echo6(*headers, type=REPLY6))
    yield "other.ipv6-nine", error6(*[options] * 9, quoted=reply)
    yield "other.ipv6-quotes-nine", error6(quoted=echo6(*[options] * 9, type=REPLY6))
    yield "malformed.ipv6-first-fragment", error6(first, quoted=reply)
    yield "echo-reply.ipv6-quotes-first-fragment", error6(quoted=echo6(first, type=REPLY6))
    yield "other.ipv6-later-fragment", error6(later, quoted=reply)
    yield "other.ipv6-quotes-later-fragment", error6(quoted=echo6(later, type=REPLY6))
    yield "malformed.ipv6-cut-header", error6(quoted=echo6(options, type=REPLY6)[:44])
    yield "malformed.ipv6-long-header", error6(quoted=ipv6(bytes([ICMP6, 9]) + bytes(30), next=DESTINATION))


# A byte of an error, or (q) of the packet that it quotes, which is replaced; and the outcome.
CHANGES_OF_ERRORS = {
    "malformed.ipv4": "0=55 0=05 0=44 6=20 q0=65 q0=44 q0=4f",
    "other.ipv4": "0=4f 9=11 7=01 q9=11 q9=3a q7=01 q20=08 q20=03 q20=81",
    "echo-reply.ipv4": "6=40 8=00 q6=20 q8=00 q10=5a q21=07",
    "malformed.ipv6": "0=50 q0=45",
    "other.ipv6": "6=11 6=01 6=3b q6=11 q6=32 q40=80 q40=00",
    "echo-reply.ipv6": "7=00 q7=00",
}

# Extension headers, of which the first has this type: the outcomes in the error and in the packet that it quotes.
HEADERS_OF_ERRORS = [
    (0, "3a00010400000000", "echo-reply", "echo-reply"),
    (60, "3a01010c000000000000000000000000", "echo-reply", "echo-reply"),
    (43, "3a00040100000000", "echo-reply", "echo-reply"),
    (0, "2b000104000000003c000400000000003a00010400000000", "echo-reply", "echo-reply"),
    (44, "3a00000001020304", "echo-reply", "echo-reply"), (44, "3a00000101020304", "malformed", "echo-reply"),
    (44, "2c000001010203043a00000001020304", "malformed", "echo-reply"),
    (44, "3a00000801020304", "other", "other"), (44, "3a00010101020304", "other", "other"),
    (60, "1100010400000000", "other", "other"), (60, "3b00010400000000", "other", "other"),
    (60, "3aff010400000000", "malformed", "malformed"),
    *((60, "3c00010400000000" * n + "3a00010400000000", "echo-reply", "echo-reply") for n in range(1, 8)),
    (60, "3c00010400000000" * 8 + "3a00010400000000", "other", "other"),
]


def seeds_of_changed_errors():
    reply4, reply6 = echo4(type=REPLY4, source=OURS4, destination=HOST4), message6(REPLY6, data=b"")
    for outcome, changes in CHANGES_OF_ERRORS.items():
        packet, start = (error4(3, 1, reply4), 28) if "ipv4" in outcome else (error6(quoted=ipv6(reply6)), 48)
        for change in changes.split():
            offset, _, value = change.removeprefix("q").partition("=")
            place = int(offset) + (start if change[0] == "q" else 0)
            yield f"{outcome}-{change}", packet[:place] + bytes([int(value, 16)]) + packet[place + 1:]
    for number, (type, headers, outer, quoted) in enumerate(HEADERS_OF_ERRORS):
        headers, error = bytes.fromhex(headers), error6(quoted=ipv6(reply6))[40:]
        for outcome, packet in ((f"{outer}.ipv6-behind", ipv6(headers + error, next=type)),
                                (f"{quoted}.ipv6-quotes", error6(quoted=ipv6(headers + reply6, next=type)))):
            yield f"{outcome}-headers-{number}", packet
            if outcome.startswith("echo-reply"):
                yield f"malformed{outcome[10:]}-headers-{number}-cut", packet[:-1]
    for outer, inner in itertools.product(range(0, 41, 4), repeat=2):
        quoted = ipv4(message(REPLY4, data=b""), OURS4, HOST4, options=bytes([1] * inner))
        packet = error4(3, 1, quoted, options=bytes([1] * outer))
        yield f"echo-reply.ipv4-options-{outer}-{inner}", packet
        yield f"malformed.ipv4-options-{outer}-{inner}-cut", packet[:-1]


SEEDS_OF_CONFIG = {
    "good.everything": EVERYTHING,
    "good.dos-line-ends": EVERYTHING.replace("\n", "\r\n"),
    "good.comments-of-any-length": "#" * 5000 + "\n[Log]\nPackets=yes ;" + "x" * 5000 + "\n",
    "good.blanks-of-any-length": "[Log]\nPackets" + " " * 5000 + "=" + "\t" * 5000 + "yes\n",
    "good.no-value": "[Log]\nPackets=\nSessions= # the default\n[Engine]\nType=;\n[Device]\nMTUBytes=\n",
    "good.list-emptied": network("Address=192.0.2.1", "Peer=192.0.2.2", "Address=", "Peer=",
                                 "Address=192.0.2.5/24"),
    "good.destinations-emptied": "[Reflector]\nDestination=192.0.2.0/24\nDestination=\n",
    "good.sixteen-addresses": network(*[f"Address=192.0.{n}.1/24" for n in range(16)]),
    "good.sixty-four-destinations": "[Reflector]\n" + "Destination=0.0.0.0/0\n" * 64,
    "good.thin-subnet": network("Address=192.0.2.1/25", "Peer=192.0.2.126"),
    "wrong.seventeen-addresses": network(*[f"Address=192.0.{n}.1/24" for n in range(17)]),
    "wrong.sixty-five-destinations": "[Reflector]\n" + "Destination=::/0\n" * 65,
    "wrong.number-signed": "[Reflector]\nHopLimit=+64\n",
    "wrong.mtu-too-small-for-address": "[Device]\nMTUBytes=1279\n" + network("Address=2001:db8::1/64"),
    "wrong.address-too-long": network("Address=" + "1:" * 40 + "1"),
    "wrong.peer-in-other-half": network("Address=192.0.2.1/25", "Peer=192.0.2.129"),
    "wrong.value-long": "[Log]\nPackets=" + "x" * 5000 + "\n",
    "wrong.key-long": "[Log]\n" + "x" * 5000 + "=yes\n",
    "wrong.section-long": "[" + "x" * 5000 + "]\n",
    "wrong.carriage-return-within": "[Log]\nPackets=\ryes\rno\n",
    "wrong.value-not-printable": "[Log]\nPackets=\x1b[1m\u20ac\x9b\n",
    "wrong.not-text": "[Log]\nPackets=\0yes\n",
    "wrong.all-at-once": "MTUBytes=1\n[Device]\nMTUBytes=1\n[Nowhere]\n[Log]\nPackets\n",
    "wrong.hundreds": "[Log]\n" + "Packets\n" * 300,
}


def seeds_of_config():
    """Those above, and those of settings.txt."""
    yield from ((name, text.encode()) for name, text in SEEDS_OF_CONFIG.items())
    for number, line in enumerate(SETTINGS.read_text(encoding="utf-8").splitlines(), 1):
        if line and not line.startswith("#"):
            name, content, lines, _ = (column.removeprefix(" ").removesuffix(" ") for column in line.split("|"))
            slug = re.sub(r"\W+", "-", name) or f"line-{number}"
            yield f"{'wrong' if lines else 'good'}.{slug}", content.encode().decode("unicode_escape").encode("latin-1")


GET, HOST, END = "GET /metrics HTTP/1.1\r\n", "Host: localhost:19818\r\n", "\r\n"
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
PROMETHEUS = (f"{OPENMETRICS},application/openmetrics-text;version=0.0.1;q=0.75,"
              "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")


def get(*fields, method="GET", target="/metrics", version="HTTP/1.1", host=HOST):
    return f"{method} {target} {version}\r\n{host}" + "".join(f"{field}\r\n" for field in fields) + END


SEEDS_OF_HTTP = {
    "incomplete.empty": "",
    "incomplete.line": GET[:-2],
    "incomplete.carriage-return": GET[:-1],
    "incomplete.no-empty-line": GET + HOST,
    "incomplete.empty-lines": END * 3,
    "metrics.get": get(),
    "metrics.head": get(method="HEAD"),
    "metrics.curl": get("User-Agent: curl/7.88.1", "Accept: */*"),
    "metrics.empty-line-first": END + get(),
    "metrics.http-1.0": get(version="HTTP/1.0", host=""),
    "metrics.http-1.2": get(version="HTTP/1.2"),
    "metrics.query": get(target="/metrics?name%5B%5D=a&b=c"),
    "metrics.encoded-path": get(target="/%6detrics"),
    "metrics.absolute": get(target="http://[::1]:19818/metrics"),
    "metrics.empty-host": get(host="Host:\r\n"),
    "metrics.content": get("Content-Length: 5") + "hello",
    "metrics.chunked": get("Transfer-Encoding: chunked") + "0\r\n\r\n",
    "metrics.second-request": get() * 2,
    "metrics.weights": get("Accept: text/plain;q=0.9", f"Accept: {OPENMETRICS};q=0.1"),
    "metrics.quoted": get('Accept: text/plain;a="\\",application/openmetrics-text;b="'),
    "metrics.longest": get("X: " + "x" * (8192 - len(get("X: ")))),
    "openmetrics.prometheus": get("User-Agent: Prometheus/2.42.0", f"Accept: {PROMETHEUS}",
                                  "Accept-Encoding: gzip", "X-Prometheus-Scrape-Timeout-Seconds: 10"),
    "openmetrics.version-quoted": get('Accept: application/openmetrics-text ; version="1.0.0"'),
    "not-found.root": get(target="/"),
    "not-found.longer": get(target="/metrics/tun0"),
    "not-found.absolute": get(target="http://localhost"),
    "not-allowed.post": get("Content-Length: 0", method="POST"),
    "not-allowed.lower-case": get(method="get"),
    "not-allowed.options": get(method="OPTIONS", target="*"),
    "not-allowed.connect": get(method="CONNECT", target="localhost:80"),
    "bad.http-0.9": "GET /metrics\r\n",
    "bad.http-2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "bad.tls": "\x16\x03\x01\x02",
    "bad.line-feed": GET.replace("\r", ""),
    "bad.line-feed-in-field": GET + "Host: x\n",
    "bad.carriage-return": GET + "X: a\rb\r\n",
    "bad.zero": GET + "X: \0\r\n",
    "bad.no-host": get(host=""),
    "bad.two-hosts": get(host=HOST * 2),
    "bad.host": get(host="Host: a b\r\n"),
    "bad.host-port": get(host="Host: [::1]:x\r\n"),
    "bad.folded": get("X: a", " b"),
    "bad.blank-before-colon": get("X : a"),
    "bad.no-colon": get("X"),
    "bad.no-name": get(": a"),
    "bad.target": get(target="metrics"),
    "bad.target-encoding": get(target="/%6"),
    "bad.target-user": get(target="http://user@localhost/metrics"),
    "bad.two-blanks": get(target=" /metrics"),
    "bad.content-length": get("Content-Length: +5"),
    "bad.content-length-and-chunked": get("Content-Length: 5", "Transfer-Encoding: chunked"),
    "bad.too-long": get("X: " + "x" * (8193 - len(get("X: ")))),
}


VERDICTS = """REPLY REPLY_FRAGMENT MALFORMED NOT_ICMP ICMP_ERROR HOUSEKEEPING NOT_ECHO BAD_IP_CHECKSUM
    BAD_ICMP_CHECKSUM BAD_SOURCE BAD_DESTINATION NOT_OURS GROUP_DESTINATION SOURCE_ROUTE BAD_OPTION UNSUPPORTED""".split()


def record(values):
    return "".join(f"TUNECHO_{key}={value}\n" for key, value in values.items())


STATUS = record({"INTERFACE": "tun0", "STATE": "running", "PING": "198.18.0.2", "VERSION": "1.1", "ENGINE": "io_uring",
                 "PID": 4711, "MTU": 1500, "UPTIME_USEC": 1, "SESSIONS": 1, "PACKETS": 0, "REPLIES": 0, "DROPPED": 0,
                 "UNSENT": 0, **dict.fromkeys(VERDICTS, 0)})
HEAD = {"INTERFACE": "tun0", "RECORDING": "yes", "ADDRESSES": "yes", "SESSIONS": 2}
FIGURES = {"IDENTIFIER": 4711, "REQUESTS": 90, "DUPLICATES": 0, "REORDERED": 0, "SEQUENCE_FIRST": 1,
           "SEQUENCE_LAST": 100, "FRAGMENTED": 0, "LATER_FRAGMENTS": 0, "BYTES": 7560, "LENGTH_MIN": 84,
           "LENGTH_MAX": 84, "HOP_LIMIT_MIN": 64, "HOP_LIMIT_MAX": 64, "DURATION_USEC": 99000000,
           "IDLE_USEC": 500000, "REFUSED": 0}
KNOWN = record({"SOURCE": "198.18.0.1", "DESTINATION": "198.18.0.2", **FIGURES, "MISSING": 10}) + "\n"
REFUSED = record({**FIGURES, "UNKNOWN": "every-nth", "STEP": 2, "REFUSED": 3, "REPORTER": "2001:db8::9",
                  "REASON": "packet too big", "TYPE": 2, "CODE": 0, "PATH_MTU": 1280}) + "\n"


def sessions(*rows, **changes):
    return record({**HEAD, **changes}) + "\n" + "".join(rows)


SEEDS_OF_ANSWER = {
    "status.good": STATUS,
    "status.newer": STATUS + "TUNECHO_NEW=a b\n",
    "sessions.none": sessions(),
    "sessions.two": sessions(KNOWN, REFUSED),
    "sessions.cut-off-between-records": sessions(KNOWN),
    "sessions.not-recording": sessions(RECORDING="no", SESSIONS=0),
    "sessions.newer": sessions("TUNECHO_NEW=a b\n" + KNOWN),
    "bad.empty": "",
    "bad.zero": "TUNECHO_INTERFACE=tun0\0\n",
    "bad.escape": STATUS.replace("running", "\033[31m"),
    "bad.status-without-end": STATUS[:-1],
    "bad.status-of-huge-number": STATUS.replace("1500", "18446744073709551616"),
    "bad.record-without-end": sessions(KNOWN)[:-1],
    "bad.record-without-key": sessions(KNOWN.replace("TUNECHO_IDENTIFIER=4711\n", "")),
    "bad.more-than-said": sessions(KNOWN, REFUSED, SESSIONS=1),
    "bad.switch": sessions(ADDRESSES="maybe"),
}


def ruleset(*objects):
    return json.dumps({"nftables": objects})


def chain(hook=None, family="inet", name="c", **more):
    base = {"type": "filter", "hook": hook, "prio": 0, "policy": "accept"} if hook else {}
    return {"chain": {"family": family, "table": "t", "name": name, "handle": 1, **base, **more}}


def rule(*expressions, family="inet", chain="c", handle=7):
    return {"rule": {"family": family, "table": "t", "chain": chain, "handle": handle, "expr": list(expressions)}}


def match(left, right, op="=="):
    return {"match": {"op": op, "left": left, "right": right}}


def verdict_map(key, data):
    return {"vmap": {"key": key, "data": data}}


DROP, ACCEPT = {"drop": None}, {"accept": None}
L4PROTO, SADDR = {"meta": {"key": "l4proto"}}, {"payload": {"protocol": "ip", "field": "saddr"}}
DROP_1 = [[1, DROP], [2, {"jump": {"target": "d"}}]]

SEEDS_OF_NFT = {
    "invalid.empty": "",
    "invalid.unfinished": ruleset(chain("input"))[:-2],
    "invalid.array": "[]",
    "invalid.deep": "[" * 100,
    "none.nothing": ruleset(),
    "none.metainfo": ruleset({"metainfo": {"version": "1.0.6", "json_schema_version": 1}}),
    "none.accept": ruleset(chain("input"), rule(ACCEPT)),
    "none.no-hook": ruleset(chain(), rule(DROP)),
    "none.accepted-before-policy": ruleset(
        chain("input", policy="drop"), rule(match(L4PROTO, {"set": ["icmp", "ipv6-icmp"]}), ACCEPT)),
    "none.other-protocol": ruleset(chain("input"), rule(match(L4PROTO, "tcp"), DROP)),
    "none.dormant": ruleset({"table": {"family": "ip", "name": "t", "flags": "dormant"}},
                            chain("input", "ip", policy="drop")),
    "none.bridge": ruleset(chain("input", "bridge", policy="drop")),
    "both.policy": ruleset(chain("forward", policy="drop")),
    "both.drop": ruleset(chain("output"), rule({"counter": {"packets": 1, "bytes": 2}}, DROP)),
    "both.reject": ruleset(chain("input"), rule({"reject": {"type": "icmpx", "expr": "port-unreachable"}})),
    "both.devices": ruleset(chain("ingress", "netdev", dev=["lo", "tun0"], policy="drop")),
    "both.mangle": ruleset(chain("prerouting"), rule({"mangle": {"key": {"meta": {"key": "mark"}}, "value": 5}})),
    "both.jumps": ruleset(chain("input"), chain(name="d"), rule({"jump": {"target": "d"}}),
                          rule(DROP, chain="d"), rule({"goto": {"target": "c"}}, chain="d")),
    "none.behind-goto": ruleset(chain("input"), chain(name="d"), rule({"goto": {"target": "d"}}), rule(DROP)),
    "both.map": ruleset(chain("input"), {"map": {"family": "inet", "table": "t", "name": "m", "elem": DROP_1}},
                        rule(verdict_map({"concat": [L4PROTO, SADDR]}, "@m"))),
    "both.xt": ruleset(chain("input"), rule({"xt": {"type": "target", "name": "REJECT"}})),
    "both.limit": ruleset(chain("input"), rule({"limit": {"rate": 1, "per": "day", "inv": True}}, DROP)),
    "both.names": ruleset(chain("input", name="$(a)\x1b\u20ac", policy="drop")),
    "both.many": ruleset(chain("input"), *[rule(match({"ct": {"key": "mark", "dir": "reply"}}, n), DROP) for n in range(30)]),
    "ipv4.source": ruleset(chain("input"), rule(match(SADDR, {"prefix": {"addr": "10.0.0.0", "len": 8}}), DROP)),
    "ipv4.range": ruleset(chain("input"), rule(match(SADDR, {"range": ["10.0.0.1", "10.0.0.9"]}, "!="), DROP)),
    "ipv4.masked": ruleset(chain("input"), rule(
        match({"&": [{"payload": {"protocol": "ip", "field": "frag-off"}}, 8191]}, 0, "!="), DROP)),
    "ipv4.map": ruleset(chain("input"), rule(verdict_map(SADDR, {"set": DROP_1})), rule(match(SADDR, "@s"), DROP)),
    "ipv4.nat": ruleset(chain("output", "ip", type="nat"), rule({"dnat": {"addr": "10.0.0.1"}}, family="ip")),
    "ipv4.raw": ruleset(chain("output", "ip"), rule(
        {"mangle": {"key": {"payload": {"base": "nh", "offset": 0, "len": 8}}, "value": 69}}, family="ip")),
    "ipv6.policy": ruleset(chain("input", "ip6", policy="drop")),
    "ipv6.exclusion": ruleset(chain("input"), rule(match({"meta": {"key": "nfproto"}}, "ipv4", "!="), DROP)),
}

FIELDS = "\tfield:unsigned short protocol;\toffset:32;\n\tfield:enum skb_drop_reason reason;\toffset:36;\n\nprint fmt: "
NAMES = ('"protocol=%u location=%pS reason: %s", REC->protocol, __print_symbolic(REC->reason, { 2, "NOT_SPECIFIED" }, '
         '{ 10, "TCP_CSUM" }, { 12, "NETFILTER_DROP" })\n')
PACKET = "  ping-42 [000] ..s1. 1.5: kfree_skb: skbaddr=00 protocol=2048 location="

SEEDS_OF_DROP_TRACE = {
    "none.empty": "",
    "none.header": "# tracer: nop\n# entries-in-buffer/entries-written: 5/9   #P:2\n",
    "none.no-reason": PACKET + "ip_rcv+0x1/0x2\n",
    "none.no-names": FIELDS,
    "format.names": FIELDS + NAMES,
    "format.unfinished": FIELDS + NAMES[:-20],
    "format.numbers": FIELDS + NAMES + '{ 99999999999999999999, "A" }, { -1, "B" }, { , "C" }, {',
    "format.many": FIELDS + NAMES + "".join(f'{{ {n}, "TCP_{n}" }}, ' for n in range(300)),
    "lines.symbol": PACKET + "nft_do_chain+0x1/0x2 [nf_tables] reason: NETFILTER_DROP\n",
    "lines.hashed": PACKET + "00000000deadbeef reason: IP_RPFILTER\n",
    "lines.symbols": PACKET + "ffffffff81000010 reason: A\n" + "ffffffff81000000 T ip_rcv\nffffffff81000020 t next\n",
    "none.delivered": PACKET + "ping_rcv+0x1/0x2 reason: NO_SOCKET\n",
    "lines.many": "".join(f"{PACKET}f_{n} reason: R{n % 7}\n" for n in range(99)),
    "both.at-once": FIELDS + NAMES + PACKET + "ip_rcv reason: OTHERHOST\n",
}


# The first byte is the file, and 8 more for IPv6: see fuzz-proc.c.
DEV = "Inter-|   Receive\n face |bytes    packets\n    lo: 1 2 3\n  tun0:8400 100 0 4 0 0 0 0 8400 99 0 5 0\n"
SNMP = "Ip: Forwarding InReceives\nIp: 1 700\nIcmp: InMsgs OutEchos\nIcmp: 9 102\nTcp: MaxConn\nTcp: -1\n"
NETSTAT = "TcpExt: SyncookiesSent IPReversePathFilter\nTcpExt: 0 8\nIpExt: InNoRoutes\nIpExt: 7\n"
SNMP6 = "Ip6InReceives                   \t12\nIcmp6OutEchos                   \t11\nIp6ReasmOKs\t3\n"
XFRM = "XfrmInError             \t1\nXfrmOutPolBlock         \t2\nXfrmAcquireError        \t3\n"
SEEDS_OF_PROC = {
    "none.empty": "",
    "none.no-content": "1",
    "some.dev": "0" + DEV,
    "some.snmp": "1" + SNMP,
    "some.netstat": "2" + NETSTAT,
    "some.snmp6-of-ipv4": "3" + SNMP6,
    "some.snmp6": ";" + SNMP6,
    "some.dev-snmp6": "<" + SNMP6,
    "some.xfrm": "=" + XFRM,
    "some.snmp-of-ipv6": "9" + SNMP,
    "none.netstat-of-ipv6": ":" + NETSTAT,
    "some.dev-snmp6-of-ipv4": "4" + SNMP6,
    "none.pairs-cut-off": "1Icmp: OutEchos\nIcmp:",
    "none.pairs-of-others": "1Icmp: OutEchos\nIp: 5\n",
    "none.negative": "1Icmp: OutEchos\nIcmp: -5\n",
    "none.too-large": "1Icmp: OutEchos\nIcmp: 18446744073709551616\n",
    "some.largest": "1Icmp: OutEchos\nIcmp: 18446744073709551615\n",
    "none.no-colon": "0tun0 1 2 3\n",
    "some.other-interfaces": "0a:1 2\nb:3 4\n",
    "none.zero": "1Icmp: OutEchos\0\nIcmp: 5\n",
    "some.no-newline": "<Icmp6OutEchos 11",
}


SEEDS = {
    "reflect": seeds_of_reflect,
    "icmp-error": lambda: itertools.chain(seeds_of_icmp_error(), seeds_of_changed_errors()),
    "config": seeds_of_config,
    "http": lambda: ((name, text.encode()) for name, text in SEEDS_OF_HTTP.items()),
    "answer": lambda: ((name, text.encode()) for name, text in SEEDS_OF_ANSWER.items()),
    "nft": lambda: ((name, text.encode()) for name, text in SEEDS_OF_NFT.items()),
    "proc": lambda: ((name, text.encode()) for name, text in SEEDS_OF_PROC.items()),
    "drop-trace": lambda: ((name, text.encode()) for name, text in SEEDS_OF_DROP_TRACE.items()),
}


def main(directory, target):
    directory = pathlib.Path(directory)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for name, data in SEEDS[target]():
        assert not (directory / name).exists(), f"two seeds are called {name}"
        (directory / name).write_bytes(data)


if __name__ == "__main__":
    main(*sys.argv[1:])
