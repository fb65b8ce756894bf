# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets of every kind that there is a rule for, drawn at random from a seed.

A recipe makes an exchange: one packet, or the fragments of one. Most of what it
draws is usual, so that what is not is seen alone; nothing here knows what is
to come of it.
"""

import itertools
import random
import struct
from collections import defaultdict, namedtuple
from ipaddress import ip_address

from packets import IPV4, IPV6, pseudo_header, replaced, with_checksum

Exchange = namedtuple("Exchange", "recipe packets")

# Never a source, never a destination.
STRANGERS_IPV4 = "192.0.2.1", "192.0.2.200", "198.51.100.9"

DESTINATIONS_IPV4 = *[IPV4[1]] * 6, "203.0.113.7", "10.0.0.77", "223.255.255.255", "1.0.0.1", "198.18.0.254"
DESTINATIONS_IPV6 = *[IPV6[1]] * 6, "2001:db8::9", "fd00::1:2", "2001:2::ffff", "fe80::2", "3fff::"

SOURCES_IPV4 = *[IPV4[0]] * 6, "203.0.113.200", "10.0.0.1", "223.255.255.254", "1.0.0.0", "172.16.5.5"
SOURCES_IPV6 = *[IPV6[0]] * 6, "2001:db8::1", "fd00::77", "fe80::1", "3fff::1", "2001:2:0:1::"

NO_HOSTS_IPV4 = """
    0.0.0.0 0.0.0.1 0.255.255.255 127.0.0.1 127.255.255.255 240.0.0.1 255.255.255.254 255.255.255.255
    224.0.0.1 224.0.0.251 239.255.255.255 198.18.0.255
""".split()
NO_HOSTS_IPV6 = """
    :: ::1 ::ffff:198.18.0.2 ::ffff:0.0.0.0 ff00:: ff01::1 ff02::1 ff02::2 ff02::1:ff00:2 ff02::1:ff00:3
    ff05::1 ff0e::1 ff02::fb ff12::1
""".split()

# Option numbers.
END, NOP, ROUTE, TIMESTAMP, SECURITY, CIPSO, ROUTER_ALERT = 0, 1, 7, 68, 130, 134, 148
LOOSE_ROUTE, STRICT_ROUTE = 131, 137
PAD1, PADN, TUNNEL_LIMIT, ROUTER_ALERT6, CALIPSO, IOAM, JUMBO = 0, 1, 4, 5, 7, 0x31, 0xC2

# Next headers. HOME_ADDRESS is a destination option that only kernels with Mobile IPv6 know.
HOP_BY_HOP, ROUTING, FRAGMENT, ICMPV6, NOTHING, DESTINATION = 0, 43, 44, 58, 59, 60
HOME_ADDRESS = 0xC9


def packed(address):
    return ip_address(address).packed


class Header4(namedtuple("Header4", "source destination tos identifier fragment ttl protocol options")):
    """The fields of an IPv4 header; fragment is the word of flags and offset."""

    def carrying(self, payload):
        size = 20 + len(self.options)
        words = struct.pack(
            "!HHHBBH", size + len(payload), self.identifier, self.fragment, self.ttl, self.protocol, 0
        )
        addresses = packed(self.source) + packed(self.destination)
        return repaired_header(
            bytes([0x40 | size // 4, self.tos]) + words + addresses + self.options + payload
        )


class Header6(namedtuple("Header6", "source destination tclass label hop_limit next")):
    def carrying(self, payload):
        words = struct.pack(
            "!IHBB", 6 << 28 | self.tclass << 20 | self.label, len(payload), self.next, self.hop_limit
        )
        return words + packed(self.source) + packed(self.destination) + payload


def repaired_header(packet):
    """Make the checksum of an IPv4 header right, as far as there is a header."""
    size = (packet[0] & 0x0F) * 4
    if len(packet) < size or size < 20:
        return packet
    return with_checksum(packet[:size], 10) + packet[size:]


def repaired(packet, message):
    """Make all checksums right; the ICMP message was at this offset before something was changed."""
    if packet[0] >> 4 == 6:
        return packet[:message] + with_checksum(
            packet[message:], 2, pseudo_header(packet, len(packet) - message)
        )
    size = (packet[0] & 0x0F) * 4
    if 20 <= size <= len(packet) - 8:
        packet = packet[:size] + with_checksum(packet[size:], 2)
    return repaired_header(packet)


class Corpus:
    """The recipes, and the chance that they share."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        # Fragments of different packets must not meet.
        self.identifiers = itertools.count(1)
        self.turns = defaultdict(itertools.count)

    def exchanges(self, count):
        """Draw from the recipes in turn, each as often as its weight says."""
        turns = [(name, recipe) for name, (weight, recipe) in self.recipes().items() for _ in range(weight)]
        self.random.shuffle(turns)
        for name, recipe in itertools.islice(itertools.cycle(turns), count):
            made = recipe()
            yield Exchange(name, [made] if isinstance(made, bytes) else made)

    def recipes(self):
        return {
            "valid IPv4": (3, lambda: self.request4()),
            "valid IPv6": (3, lambda: self.request6()),
            "malformed IPv4": (2, self.malformed4),
            "malformed IPv6": (2, self.malformed6),
            "other protocols": (2, self.other_protocols),
            "other types": (2, self.other_types),
            "wrong checksums": (2, self.wrong_checksums),
            "addresses IPv4": (3, self.addresses4),
            "addresses IPv6": (3, self.addresses6),
            "a byte of IPv4": (7, self.mutated4),
            "a byte of IPv6": (7, self.mutated6),
            "options of IPv4": (9, self.options4),
            "headers of IPv6": (10, self.headers6),
            "fragments IPv4": (3, self.fragments4),
            "fragments IPv6": (4, self.fragments6),
        }

    # What the recipes draw.

    def identifier(self):
        return next(self.identifiers)

    def chance(self, one_in):
        return self.random.randrange(one_in) == 0

    def byte(self):
        return self.random.randrange(256)

    def word(self):
        return self.random.choice((0, 0xFFFF, self.random.randrange(0x10000), self.random.randrange(0x10000)))

    def data(self, largest=1200):
        size = self.random.choice((0, 1, 2, 8, 56, 56, self.random.randrange(largest)))
        return self.random.choice(
            (bytes(size), b"\xff" * size, self.random.randbytes(size), self.random.randbytes(size))
        )

    def message(self, type, data=None, over=b""):
        """An ICMP message; over is a function of its length that returns the pseudo-header."""
        data = self.data() if data is None else data
        code = 0 if self.random.randrange(4) else self.byte()
        message = struct.pack("!BBHHH", type, code, 0, self.word(), self.word()) + data
        return with_checksum(message, 2, over and over(len(message)))

    def header4(self, **fields):
        usual = {
            "source": self.random.choice(SOURCES_IPV4),
            "destination": self.random.choice(DESTINATIONS_IPV4),
            "tos": self.byte(),
            "identifier": self.word(),
            "fragment": self.random.choice((0, 0, 0x4000, 0x8000, 0xC000)),
            "ttl": self.random.choice((0, 1, 2, 63, 64, 255, self.byte())),
            "protocol": 1,
            "options": b"",
        }
        return Header4(**{**usual, **fields})

    def header6(self, **fields):
        usual = {
            "source": self.random.choice(SOURCES_IPV6),
            "destination": self.random.choice(DESTINATIONS_IPV6),
            "tclass": self.byte(),
            "label": self.random.choice((0, self.random.randrange(1 << 20))),
            "hop_limit": self.random.choice((0, 1, 2, 63, 64, 255, self.byte())),
            "next": ICMPV6,
        }
        return Header6(**{**usual, **fields})

    def message6(self, header, type=128, data=None):
        addresses = bytes(8) + packed(header.source) + packed(header.destination)
        return self.message(type, data, lambda length: pseudo_header(addresses, length))

    def request4(self, type=8, data=None, **fields):
        return self.header4(**fields).carrying(self.message(type, data))

    def request6(self, type=128, data=None, **fields):
        header = self.header6(**fields)
        return header.carrying(self.message6(header, type, data))

    # The recipes.

    def malformed4(self):
        packet = self.request4(data=self.random.randbytes(20))
        match self.random.randrange(6):
            case 0:
                return packet[: self.random.randrange(1, len(packet))]
            case 1:  # IHL short of a header, beyond the packet, or into the message
                return repaired(replaced(packet, 0, bytes([0x40 | self.random.randrange(16)])), 20)
            case 2:  # total length beyond the packet, short of it, or short of the header
                length = self.random.choice((0, 19, 20, 27, 28, 47, 49, 65535, self.random.randrange(60)))
                return repaired_header(replaced(packet, 2, struct.pack("!H", length)))
            case 3:  # padding
                return packet + self.random.randbytes(self.random.randrange(1, 40))
            case 4:  # a message shorter than its header
                return self.header4().carrying(
                    with_checksum(self.message(8)[: self.random.randrange(4, 8)], 2)
                )
            case _:
                return bytes([self.byte()]) + packet[1:]

    def malformed6(self):
        packet = self.request6(data=self.random.randbytes(20))
        match self.random.randrange(6):
            case 0:
                return packet[: self.random.randrange(1, len(packet))]
            case 5:  # as if it were a jumbogram
                header = self.header6(next=HOP_BY_HOP)
                packet = header.carrying(self.chained([HOP_BY_HOP]) + self.message6(header))
                return replaced(packet, 4, bytes(2))
            case 1:
                length = self.random.choice((0, 7, 8, 27, 29, 65535, self.random.randrange(40)))
                return replaced(packet, 4, struct.pack("!H", length))
            case 2:
                return packet + self.random.randbytes(self.random.randrange(1, 40))
            case 3:
                header = self.header6()
                message = self.message6(header)[: self.random.randrange(4, 8)]
                return repaired(header.carrying(message), 40)
            case _:
                return bytes([self.byte()]) + packet[1:]

    def other_protocols(self):
        if self.chance(2):
            return self.request4(protocol=self.random.choice((2, 4, 6, 17, 41, 58, 59, 132, 255)))
        return self.request6(next=self.random.choice((1, 4, 6, 17, 41, 50, 51, NOTHING, 132, 135, 255)))

    def other_types(self):
        if self.chance(2):
            return self.request4(type=self.random.choice((0, 3, 5, 11, 12, 13, 15, 17, 42, 128, self.byte())))
        return self.request6(
            type=self.random.choice((0, 1, 2, 3, 4, 8, 129, 130, 133, 135, 143, self.byte()))
        )

    def wrong_checksums(self):
        """One that is off by little, is nothing, or is the other zero, which may be right by chance."""
        if self.chance(2):
            packet, offset = self.request4(), self.random.choice((10, 22))
        else:
            packet, offset = self.request6(), 42
        (right,) = struct.unpack_from("!H", packet, offset)
        wrong = self.random.choice((right + 1, right - 1, right ^ 0xFFFF, right ^ 0x8000, 0, 0xFFFF)) & 0xFFFF
        return replaced(packet, offset, struct.pack("!H", wrong))

    def addresses4(self):
        match self.random.randrange(4):
            case 0:
                return self.request4(source=self.random.choice(NO_HOSTS_IPV4), destination=IPV4[1])
            case 1:
                return self.request4(destination=self.random.choice(NO_HOSTS_IPV4), source=IPV4[0])
            case 2:
                return self.request4(source=IPV4[1], destination=IPV4[1])
            case _:  # any address but the others
                return self.request4(destination=self.random.choice(("11", "198", "222")) + self.tail4())

    def tail4(self):
        return "".join(f".{self.byte()}" for _ in range(3))

    def addresses6(self):
        match self.random.randrange(4):
            case 0:
                return self.request6(source=self.random.choice(NO_HOSTS_IPV6), destination=IPV6[1])
            case 1:
                return self.request6(destination=self.random.choice(NO_HOSTS_IPV6))
            case 2:
                return self.request6(source=IPV6[1], destination=IPV6[1])
            case _:
                return self.request6(destination=str(ip_address(b"\x20" + self.random.randbytes(15))))

    def mutated(self, packet, message):
        """A packet with one byte changed, each in its turn; the checksums cover the change or do not."""
        turn = next(self.turns[packet[0] >> 4])
        offset = turn // 2 % (message + 8)
        new = self.random.choice((0, 1, 0xFF, packet[offset] ^ 1 << self.random.randrange(8), self.byte()))
        changed = replaced(packet, offset, bytes([new]))
        return repaired(changed, message) if turn % 2 else changed

    def mutated4(self):
        options = self.random.choice(
            (b"", b"", self.route(), self.timestamp(), bytes((ROUTER_ALERT, 4, 0, 0)))
        )
        header = self.header4(source=IPV4[0], destination=IPV4[1], options=options + bytes(-len(options) % 4))
        return self.mutated(
            header.carrying(self.message(8, self.random.randbytes(30))), 20 + len(header.options)
        )

    def mutated6(self):
        chain = self.random.choice(([], [], [HOP_BY_HOP], [DESTINATION], [ROUTING], [FRAGMENT]))
        header = self.header6(source=IPV6[0], destination=IPV6[1], next=(*chain, ICMPV6)[0])
        extension = b"".join(self.extension(type, ICMPV6) for type in chain)
        message = self.message6(header, data=self.random.randbytes(30))
        return self.mutated(header.carrying(extension + message), 40 + len(extension))

    # IPv4 options

    def pointer(self, size, first, entry):
        """Where the next entry goes: mostly where one can be, or behind all of them."""
        places = range(first, size + 2, entry)
        if places and self.random.randrange(6):
            return self.random.choice(places)
        return self.random.choice((0, first - 1, size, size + 1, size + 2, 255, self.byte()))

    def route(self):
        size = 3 + 4 * self.random.randrange(10)
        if self.chance(8):
            size = self.random.randrange(3, 40)
        return bytes((ROUTE, size, self.pointer(size, 4, 4))) + self.random.randbytes(size - 3)

    def timestamp(self):
        flag = self.random.choice((0, 0, 1, 1, 3, 3, 3, self.random.randrange(16)))
        entry = 8 if flag else 4
        size = 4 + entry * self.random.randrange(36 // entry + 1)
        if self.chance(8):
            size = self.random.randrange(4, 41)
        overflow = self.random.choice((0, 0, 1, 14, 15))
        option = bytearray((TIMESTAMP, size, self.pointer(size, 5, entry), overflow << 4 | flag))
        option += self.random.randbytes(size - 4)
        if flag == 3:
            for offset in range(4, size - 7, 8):
                option[offset : offset + 4] = packed(self.prespecified())
        return bytes(option)

    def prespecified(self):
        usual = *[IPV4[1]] * 4, *STRANGERS_IPV4
        return self.random.choice(
            usual if self.random.randrange(8) else ("0.0.0.0", "224.0.0.1", "198.18.0.255")
        )

    def cipso(self):
        """One with a tag, or anything; no host has its domain of interpretation."""
        tag = bytes((1, 4, 0, self.byte()))
        body = (
            struct.pack("!I", self.random.choice((0, 3))) + tag
            if self.chance(2)
            else self.random.randbytes(8)
        )
        return bytes((CIPSO, 2 + len(body))) + body

    def option4(self):
        kinds = {
            self.route: 8,
            self.timestamp: 8,
            self.cipso: 1,
            lambda: bytes([NOP]): 3,
            lambda: bytes([END]): 1,
            lambda: bytes((ROUTER_ALERT, 4, 0, self.random.choice((0, 0, 1)))): 2,
            lambda: bytes((ROUTER_ALERT, 3, 0)): 1,
            lambda: bytes((SECURITY, 11)) + self.random.randbytes(9): 1,
            lambda: bytes((136, 4, 0, 9)): 1,
            lambda: self.source_route(): 1,
            lambda: self.unknown4(): 3,
        }
        return self.random.choices(list(kinds), kinds.values())[0]()

    def source_route(self):
        """Exhausted, or not."""
        size = 3 + 4 * self.random.randrange(4)
        type = self.random.choice((LOOSE_ROUTE, STRICT_ROUTE))
        return bytes((type, size, self.pointer(size, 4, 4))) + self.random.randbytes(size - 3)

    def unknown4(self):
        known = END, NOP, ROUTE, TIMESTAMP, SECURITY, CIPSO, ROUTER_ALERT, LOOSE_ROUTE, STRICT_ROUTE
        type = self.random.choice([type for type in range(256) if type not in known])
        size = self.random.randrange(2, 12)
        length = size if self.random.randrange(6) else self.random.choice((0, 1, size + 1, 40, 255))
        return bytes((type, length)) + self.random.randbytes(size - 2)

    def options4(self):
        options = b""
        for _ in range(self.random.choice((1, 1, 1, 2, 2, 3))):
            option = self.option4()
            if len(options) + len(option) <= 40:
                options += option
        filler = bytes([self.random.choice((END, NOP))]) * (-len(options) % 4)
        return self.request4(options=options + filler)

    # IPv6 extension headers

    def padding(self, size):
        """So many bytes of it, as one option or as several."""
        if size == 0:
            return b""
        if size == 1 or self.chance(4):
            return bytes([PAD1]) + self.padding(size - 1)
        fill = self.random.randbytes(size - 2) if self.chance(20) else bytes(size - 2)
        return bytes((PADN, size - 2)) + fill

    def option6(self, type=None):
        kinds = {
            lambda: bytes((TUNNEL_LIMIT, 1, self.byte())): 2,
            lambda: bytes((ROUTER_ALERT6, 2, 0, self.random.choice((0, 1)))): 2,
            lambda: bytes((ROUTER_ALERT6, 1, 0)): 0.3,
            lambda: bytes((JUMBO, 4)) + struct.pack("!I", self.random.choice((0, 100, 70000))): 0.3,
            lambda: bytes((CALIPSO, 8))
            + self.random.randbytes(4)
            + bytes((0, self.byte()))
            + self.random.randbytes(2): 0.5,
            lambda: bytes((IOAM, 10, 0, 0)) + self.random.randbytes(8): 0.5,
            lambda: self.padding(self.random.choice((1, 2, 5, 7, 8, 9))): 1,
            lambda: self.unknown6(): 4,
        }
        return self.random.choices(list(kinds), kinds.values())[0]()

    def unknown6(self):
        """Of any of the four actions, mostly of the one that lets it be skipped."""
        known = PAD1, PADN, TUNNEL_LIMIT, ROUTER_ALERT6, CALIPSO, IOAM, JUMBO, HOME_ADDRESS
        actions = range(0x40) if self.random.randrange(6) else range(0x100)
        type = self.random.choice([type for type in actions if type not in known])
        size = self.random.randrange(8)
        length = size if self.random.randrange(15) else self.random.choice((size + 1, 255))
        return bytes((type, length)) + self.random.randbytes(size)

    def extension(self, type, next):
        """An extension header, mostly a good one."""
        if type == FRAGMENT:
            return struct.pack("!BBHI", next, self.byte() if self.chance(4) else 0, 0, self.identifier())
        if type == ROUTING:
            kind, left = self.random.choice((0, 1, 3, 4, 253, 253, 253)), self.random.choice((0, 0, 0, 1))
            if self.random.randrange(4):
                return bytes((next, 0, kind, left)) + bytes(4)
            return bytes((next, 2, kind, left)) + bytes(4) + packed(IPV6[1])

        count = self.random.choice((0, 0, 1, 1, 2, 3))
        if self.chance(15):
            count = self.random.choice((7, 8, 9))
        options = b"".join(self.option6() for _ in range(count))
        options += self.padding(-(2 + len(options)) % 8)
        if len(options) < 6:
            options += self.padding(6 - len(options))
        return bytes((next, (len(options) - 6) // 8)) + options

    def chain(self):
        """Types in an order, mostly the recommended one."""
        if self.chance(12):
            return [DESTINATION] * self.random.randrange(7, 11)
        types = [
            self.random.choice((DESTINATION, DESTINATION, ROUTING))
            for _ in range(self.random.choice((1, 1, 2, 3, 4)))
        ]
        if self.chance(2):
            types[0] = HOP_BY_HOP
        if self.chance(4):
            types.insert(self.random.randrange(1, len(types) + 1), FRAGMENT)
        if self.chance(30):
            types.insert(self.random.randrange(1, len(types) + 1), self.random.choice((HOP_BY_HOP, FRAGMENT)))
        return types

    def chained(self, types, last=ICMPV6):
        """The headers of these types; of very many, each is so plain that it is their number that counts."""
        plain = bytes((0, PADN, 4)) + bytes(4)
        make = self.extension if len(types) < 7 else lambda type, next: bytes([next]) + plain
        return b"".join(make(type, next) for type, next in zip(types, (*types[1:], last)))

    def headers6(self):
        types = self.chain()
        last = ICMPV6 if self.random.randrange(20) else self.random.choice((NOTHING, 17, 255))
        header = self.header6(next=types[0])
        packet = header.carrying(self.chained(types, last) + self.message6(header, data=self.data(200)))
        if self.chance(20):  # cut inside a header, with the right length or not
            size = self.random.randrange(41, len(packet))
            packet = packet[:size]
            if self.chance(2):
                packet = replaced(packet, 4, struct.pack("!H", size - 40))
        return packet

    # Fragments

    def cuts(self, message):
        """A message in pieces, as (offset, bytes, are there more)."""
        cuts, largest = [0], max(self.random.choice((1, 4, 40, 160, 160)), len(message) // 512)
        while len(message) - cuts[-1] > largest * 8 or len(cuts) == 1:
            cuts.append(cuts[-1] + 8 * self.random.randint((largest + 1) // 2, largest))
            if cuts[-1] >= len(message):
                cuts[-1] = len(message) - 1 & ~7
        return [
            (first, message[first:last], last < len(message))
            for first, last in zip(cuts, (*cuts[1:], len(message)))
        ]

    def fragments(self, message, make):
        """In any order; now and then one is lost, comes twice, or reaches into the next one."""
        pieces = self.cuts(message)
        match self.random.randrange(10):
            case 0:
                pieces.remove(self.random.choice(pieces))
            case 1:
                pieces.append(self.random.choice(pieces))
            case 2:
                offset, data, more = pieces[0]
                pieces[0] = offset, data + self.random.randbytes(8), more
            case 3:
                offset, data, more = pieces[0]
                pieces[0] = offset, data + b"x", more
        if self.random.randrange(3):
            self.random.shuffle(pieces)
        return [make(*piece) for piece in pieces]

    def broken(self, message):
        """A message whose checksum may be wrong."""
        return message if self.random.randrange(12) else message[:-1] + bytes([message[-1] ^ 0xFF])

    def large(self):
        return self.random.choice((bytes, self.random.randbytes))(self.random.randrange(9, 4000))

    def fragments4(self):
        message = self.message(8 if self.random.randrange(10) else self.byte(), self.large())
        header = self.header4(identifier=self.identifier() & 0xFFFF)
        route = self.route() + b"\x00" if self.chance(6) else b""

        def make(offset, data, more):
            # Record Route and Timestamp are in the first fragment only.
            options = route[: len(route) & ~3] if offset == 0 else b""
            word = (header.fragment & 0x8000) | more << 13 | offset // 8
            return header._replace(fragment=word, options=options).carrying(data)

        return self.fragments(self.broken(message), make)

    def fragments6(self):
        header = self.header6()
        message = self.message6(header, 128 if self.random.randrange(10) else self.byte(), self.large())
        identifier = self.identifier()
        before = self.random.choice(([], [], [], [HOP_BY_HOP], [DESTINATION], [HOP_BY_HOP, ROUTING]))
        inside = [] if self.random.randrange(8) else [DESTINATION]
        headers = self.chained(before, FRAGMENT)
        header = header._replace(next=(*before, FRAGMENT)[0])
        first = (*inside, ICMPV6)[0]

        def make(offset, data, more):
            fragment = struct.pack("!BBHI", first, 0, offset | more, identifier)
            return header.carrying(headers + fragment + data)

        return self.fragments(self.chained(inside) + self.broken(message), make)


def exchanges(seed, count):
    return list(Corpus(seed).exchanges(count))
