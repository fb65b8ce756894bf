# SPDX-License-Identifier: GPL-2.0-or-later
"""Where tunecho does otherwise than Linux, one by one, and why."""

import struct
from collections import namedtuple
from ipaddress import ip_address, ip_network

import corpus
from packets import Fragment, Reassembly, internet_checksum, pseudo_header, replaced, with_checksum

# Predicates that select the packets. Malformed packets occur here, too.


def ends_of(packet):
    """Where a packet comes from and where it goes, if it has got so far."""
    places = (12, 16, 20) if packet[0] >> 4 == 4 else (8, 24, 40)
    if len(packet) < places[2]:
        return None
    return tuple(ip_address(packet[first:last]) for first, last in zip(places, places[1:]))


def options_of(packet):
    """The options of an IPv4 header, as (type, offset in the packet, bytes), as far as they are sound."""
    offset, end = 20, min((packet[0] & 0x0F) * 4, len(packet))
    while packet[0] >> 4 == 4 and offset < end and packet[offset] != corpus.END:
        size = 1 if packet[offset] == corpus.NOP else packet[offset + 1] if offset + 1 < end else 0
        if size == 0 or offset + size > end:
            return
        yield packet[offset], offset, packet[offset : offset + size]
        offset += size


def headers_of(packet):
    """The extension headers of an IPv6 packet, as (type, offset in it, bytes), and at last what follows."""
    type, offset = packet[6] if packet[0] >> 4 == 6 and len(packet) >= 40 else None, 40
    while type in (corpus.HOP_BY_HOP, corpus.ROUTING, corpus.FRAGMENT, corpus.DESTINATION):
        size = 8 if type == corpus.FRAGMENT or offset + 1 >= len(packet) else 8 + packet[offset + 1] * 8
        if offset + size > len(packet):
            return
        yield type, offset, packet[offset : offset + size]
        if type == corpus.FRAGMENT and struct.unpack_from("!H", packet, offset + 2)[0] & 0xFFF8:
            offset += size
            break
        type, offset = packet[offset], offset + size
    yield type, offset, packet[offset:]


def hop_by_hop_options_of(packet):
    for header, offset, data in headers_of(packet):
        place = 2
        while header == corpus.HOP_BY_HOP and offset == 40 and place + 1 < len(data):
            yield data[place], offset + place
            place += 1 if data[place] == corpus.PAD1 else 2 + data[place + 1]


def piece_of(packet):
    """What a fragment carries, as (offset in the message, offset in the packet, more), or None."""
    if packet[0] >> 4 == 4 and len(packet) >= 20:
        (word,) = struct.unpack_from("!H", packet, 6)
        return ((word & 0x1FFF) * 8, (packet[0] & 0x0F) * 4, bool(word & 0x2000)) if word & 0x3FFF else None
    for type, offset, data in headers_of(packet):
        if type == corpus.FRAGMENT and len(data) == 8:
            (word,) = struct.unpack_from("!H", data, 2)
            return (word & 0xFFF8, offset + 8, bool(word & 1)) if word & 0xFFF9 else None
    return None


class Difference(
    namedtuple("Difference", "name reason applies asked expected varies", defaults=(None, None, False))
):
    """Where tunecho does otherwise than Linux, and what it does instead.

    applies(packets) selects the exchanges. asked(packets) is what
    Linux is asked instead, whose answer is tunecho's too. expected(packets,
    answers) is what tunecho makes of what Linux answered, as (Echo, checksum).
    Where it varies, not every build of Linux differs.
    """


# Stands for any checksum that does not check out.
WRONG = "wrong"


def silence(_packets, _answers):
    return []


def any_packet(predicate):
    return lambda packets: any(predicate(packet) for packet in packets)


def finds(find):
    return any_packet(lambda packet: list(find(packet)))


def is_no_host(packet):
    """0.0.0.0/8 and 240.0.0.0/4, but for what Linux does not take, either."""
    nets = ip_network("0.0.0.0/8"), ip_network("240.0.0.0/4")
    return packet[0] >> 4 == 4 and any(end in net for end in ends_of(packet) or () for net in nets)


def has_strange_source(packet):
    source, _ = packet[0] >> 4 == 6 and ends_of(packet) or (None, None)
    return source is not None and (source.is_unspecified or source.ipv4_mapped is not None)


def changed(packet, offset, new):
    """A packet with some bytes replaced. A wrong checksum of an IPv4 header stays wrong."""
    if packet[0] >> 4 == 6:
        return replaced(packet, offset, new)
    right = internet_checksum(packet[: (packet[0] & 0x0F) * 4]) == 0
    return corpus.repaired_header(replaced(packet, offset, new)) if right else packet


def with_bytes_at(find, new):
    """A function that puts these bytes wherever something is found in a packet."""

    def asked(packets):
        result = []
        for packet in packets:
            for offset in find(packet):
                packet = changed(packet, offset, new)
            result.append(packet)
        return result

    return asked


def substitution(name, reason, find, new, **more):
    """Where Linux knows a type, and looks closer: it gets one that it does not know."""
    return Difference(name, reason, finds(find), with_bytes_at(find, bytes([new])), **more)


def cipso_options(packet):
    return [offset for type, offset, _ in options_of(packet) if type == corpus.CIPSO]


def source_routes(packet):
    headers = [(offset, data) for type, offset, data in headers_of(packet) if type == corpus.ROUTING]
    return [offset + 2 for offset, data in headers if data[2] in (2, 3, 4) and data[3] == 0]


def hop_by_hop(wanted):
    return lambda packet: [offset for type, offset in hop_by_hop_options_of(packet) if type == wanted]


def recorder(wanted):
    """A function that finds an option that records something, as (packet, offset), or None."""
    return lambda packets: next(
        (
            (packet, offset)
            for packet in packets
            for type, offset, data in options_of(packet)
            if type == wanted and len(data) > 3
        ),
        None,
    )


def recorded(echo, wanted):
    """Where among the options of a reply the recording one is."""
    header = bytes([0x40 | (20 + len(echo.options)) // 4]) + bytes(19) + echo.options
    return next((offset - 20 for type, offset, _ in options_of(header) if type == wanted), None)


def entry_size(option):
    return 4 if option[0] == corpus.ROUTE or option[3] & 0x0F == 0 else 8


def entered_once(wanted):
    """Take back the second of the two entries that Linux made."""

    def expected(packets, answers):
        packet, offset = recorder(wanted)(packets)
        asked, size = packet[offset:], entry_size(packet[offset:])
        result = []
        for echo, checksum in answers:
            place = recorded(echo, wanted)
            if place is not None and echo.options[place + 2] == asked[2] + 2 * size:
                second = asked[2] - 1 + size
                options = replaced(echo.options, place + second, asked[second : second + size])
                echo = echo._replace(options=replaced(options, place + 2, bytes([asked[2] + size])))
            result.append((echo, checksum))
        return result

    return expected


def prespecified_by_others(packet):
    """Where the prespecified address is that a Timestamp has next, if it is not the one pinged."""
    for type, offset, option in options_of(packet):
        if (
            type == corpus.TIMESTAMP
            and len(option) > 3
            and option[3] & 0x0F == 3
            and 5 <= option[2] <= len(option) - 7
        ):
            place = offset + option[2] - 1
            if packet[place : place + 4] != packet[16:20]:
                yield place


def without_stranger(packets, answers):
    packet, asked = recorder(corpus.TIMESTAMP)(packets)
    place = next(prespecified_by_others(packet))
    address, result = packet[place : place + 4], []
    for echo, checksum in answers:
        options = replaced(echo.options, recorded(echo, corpus.TIMESTAMP) + place - asked, address)
        result.append((echo._replace(options=options), checksum))
    return result


STRANGER = ip_address(corpus.STRANGERS_IPV4[0]).packed


def is_uneven(packet):
    offset, start, more = piece_of(packet) or (0, 0, False)
    return packet[0] >> 4 == 4 and more and (len(packet) - start) % 8 != 0


def has_header_inside(packet):
    """Whether an extension header is part of what was cut into fragments."""
    place = piece_of(packet)
    return (
        bool(place)
        and packet[0] >> 4 == 6
        and packet[place[1] - 8] not in (corpus.ICMPV6, 17, 255, corpus.NOTHING)
    )


def repaired_message(packets):
    """The same fragments with an ICMP checksum that is right, under another identification.

    None if they make up no message, or if it is right already.
    """
    reassembly, message = Reassembly(), b""
    pieces = [piece_of(packet) for packet in packets]
    if not all(pieces) or any(map(has_header_inside, packets)):
        return []
    for packet, (offset, start, more) in zip(packets, pieces):
        message = reassembly.add(Fragment(None, offset, more, None, packet[start:])) or message
    over = pseudo_header(packets[0], len(message)) if packets[0][0] >> 4 == 6 else b""
    if len(message) < 8 or internet_checksum(over + message) == 0:
        return []

    checksum, result = with_checksum(message, 2, over)[2:4], []
    for packet, (offset, start, _) in zip(packets, pieces):
        name = 4 if packet[0] >> 4 == 4 else start - 4
        packet = changed(packet, name, bytes([packet[name] ^ 0x80]))
        result.append(changed(packet, start + 2, checksum) if offset == 0 else packet)
    return result


def with_wrong_checksum(_packets, answers):
    return [(echo, WRONG) for echo, _ in answers]


def is_zero(packet):
    """Whether what a packet carries is zero but for an echo request's type and checksum."""
    size, total = (packet[0] & 0x0F) * 4, int.from_bytes(packet[2:4], "big")
    carried = packet[size:total]
    first = piece_of(packet) is None or piece_of(packet)[0] == 0
    return packet[0] >> 4 == 4 and not any(carried[1:2] + carried[4:] if first else carried)


def is_all_zero(packets):
    return all(map(is_zero, packets))


def with_other_zero(_packets, answers):
    return [(echo, 0xFFFF) for echo, _ in answers]


def has_many_headers(packet):
    return len(list(headers_of(packet))) > 9


def has_no_length(packet):
    return (
        len(packet) >= 40
        and packet[0] >> 4 == 6
        and packet[4:6] == bytes(2)
        and packet[6] == corpus.HOP_BY_HOP
    )


DIFFERENCES = [
    Difference(
        "class 0 and E",
        "Linux takes 0.0.0.1 to 0.255.255.255 and 240.0.0.0/4 for unicast; RFC 1122 section 3.2.1.3 does not",
        any_packet(is_no_host),
        expected=silence,
    ),
    Difference(
        "strange IPv6 source",
        "Linux answers :: and IPv4-mapped addresses where it has a route to them; no host has them on a link",
        any_packet(has_strange_source),
        expected=silence,
        varies=True,
    ),
    substitution(
        "CIPSO",
        "Linux checks and echoes the option of a label that it has no use for; to tunecho it is unknown",
        cipso_options,
        0x5E,
        varies=True,
    ),
    Difference(
        "Record Route",
        "Linux enters its address on receipt, and again as it sends the reply",
        recorder(corpus.ROUTE),
        expected=entered_once(corpus.ROUTE),
    ),
    Difference(
        "Timestamp",
        "Linux enters the time on receipt, and again as it sends the reply",
        recorder(corpus.TIMESTAMP),
        expected=entered_once(corpus.TIMESTAMP),
    ),
    Difference(
        "prespecified address",
        "Linux takes all of its addresses for its own, groups among them; tunecho the one that is pinged",
        finds(prespecified_by_others),
        with_bytes_at(prespecified_by_others, STRANGER),
        without_stranger,
    ),
    substitution(
        "source route",
        "Linux wants segment routing and RPL switched on even where no segment is left, unlike RFC 8200 "
        "section 4.4",
        source_routes,
        253,
    ),
    substitution(
        "CALIPSO",
        "Linux checks a label that it has no use for; to tunecho it is unknown",
        hop_by_hop(corpus.CALIPSO),
        0x1E,
        varies=True,
    ),
    substitution(
        "IOAM",
        "Linux checks the alignment of an option that it does not use; to tunecho it is unknown",
        hop_by_hop(corpus.IOAM),
        0x1E,
        varies=True,
    ),
    Difference(
        "many headers",
        "tunecho walks through 8 extension headers, Linux through as many as there are",
        any_packet(has_many_headers),
        expected=silence,
    ),
    Difference(
        "no length",
        "Linux takes all that came where the length is 0 and a Hop-by-Hop header follows, even without a "
        "jumbo option, which RFC 2675 section 3 calls an error",
        any_packet(has_no_length),
        expected=silence,
    ),
    Difference(
        "header inside fragments",
        "tunecho answers fragment by fragment, and does not see behind an extension header in the first one",
        any_packet(has_header_inside),
        expected=silence,
    ),
    Difference(
        "uneven fragment",
        "Linux cuts what is no multiple of 8 bytes off an IPv4 fragment; to RFC 791 it is none",
        any_packet(is_uneven),
        expected=silence,
    ),
    Difference(
        "all zero",
        "Linux gives a reply that is all zero the checksum 0, which its own receiver takes for wrong",
        is_all_zero,
        expected=with_other_zero,
        varies=True,
    ),
    Difference(
        "corrupted fragments",
        "tunecho cannot verify the checksum of a message in pieces; its reply carries the same error",
        repaired_message,
        repaired_message,
        with_wrong_checksum,
    ),
]
