# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets by hand: into a reflector, and what comes back."""

import abc
import contextlib
import functools
import itertools
import socket
import struct
import time
from collections import defaultdict, namedtuple

from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6
from scapy.packet import Raw

from harness import LIMIT, Host, enlarge_buffer

SOL_PACKET, PACKET_STATISTICS, PACKET_IGNORE_OUTGOING = 263, 6, 23
ETH_P_ALL, ETH_P_IP, ETH_P_IPV6 = 0x0003, 0x0800, 0x86DD

FAMILIES = {4: socket.AF_INET, 16: socket.AF_INET6}

# The ends of a tunnel that tests use unless they say otherwise, as (host, peer).
IPV4 = "198.18.0.1", "198.18.0.2"
IPV6 = "2001:2::1", "2001:2::2"

# The solicited-node group of the peer.
SOLICITED_NODE = "ff02::1:ff00:2"

DATA = bytes(range(56))

# What is sent ahead of packets that are to be moved in batches: more than the daemon reads one by one before
# it goes over to batches.
AHEAD, ENOUGH_FOR_BATCHES = b"ahead", 128


def ipv4(payload, source=IPV4[0], destination=IPV4[1], header_checksum=None, **header):
    """An IPv4 packet. Header fields are scapy's; checksums and lengths that are not given are right."""
    header = {"id": 0x1234, "proto": 1, "chksum": header_checksum, **header}
    return bytes(IP(src=source, dst=destination, **header) / Raw(bytes(payload)))


def ipv6(payload, source=IPV6[0], destination=IPV6[1], **header):
    return bytes(IPv6(src=source, dst=destination, **{"nh": 58, **header}) / Raw(bytes(payload)))


def echo(data=DATA, type=8, code=0, id=0xBEEF, seq=7, chksum=None, **header):
    """An IPv4 echo request (type 0: a reply)."""
    return ipv4(ICMP(type=type, code=code, id=id, seq=seq, chksum=chksum) / Raw(data), **header)


def echo6(
    data=DATA, type=128, code=0, id=0xBEEF, seq=7, cksum=None, source=IPV6[0], destination=IPV6[1], **header
):
    """An IPv6 echo request (type 129: a reply)."""
    message = ICMPv6EchoRequest(type=type, code=code, id=id, seq=seq, cksum=cksum, data=data)
    # The checksum covers the addresses, too.
    packet = bytes(IPv6(src=source, dst=destination) / message)
    return ipv6(packet[40:], source, destination, **header)


def answer(source=IPV4[0], destination=IPV4[1], **fields):
    """The reply to the echo() with these fields."""
    return echo(**{"ttl": 64, **fields, "type": 0, "source": destination, "destination": source})


def answer6(source=IPV6[0], destination=IPV6[1], **fields):
    """The reply to the echo6() with these fields."""
    return echo6(**{"hlim": 64, "fl": 0, **fields, "type": 129, "source": destination, "destination": source})


def internet_checksum(data):
    """RFC 1071, the slow way; 0 if the data hold their own checksum and it is right."""
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + bytes(len(data) % 2)))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def pseudo_header(packet, length):
    """What an ICMPv6 checksum covers beside the message."""
    return packet[8:40] + struct.pack("!II", length, 58)


def replaced(data, offset, new):
    return data[:offset] + new + data[offset + len(new) :]


def with_checksum(data, offset, over=b""):
    """Data with their checksum, which is at this offset, made right; over is what else it covers."""
    blank = replaced(data, offset, bytes(2))
    return replaced(data, offset, struct.pack("!H", internet_checksum(over + blank)))


def cut(packet, *places, identifier=0x5EED):
    """The fragments of a packet without options, cut at these places of what it carries."""
    size = 20 if packet[0] >> 4 == 4 else 40
    data = packet[size:]
    ends = [0, *places, len(data)]
    return [
        fragment(packet[:size], first, data[first:last], last < len(data), identifier)
        for first, last in zip(ends, ends[1:])
    ]


def fragment(header, offset, data, more, identifier=0x5EED):
    """One fragment behind an IP header; the identifier is IPv6's, IPv4's is in the header."""
    if header[0] >> 4 == 6:
        header = replaced(header, 4, struct.pack("!HB", 8 + len(data), 44))
        return header + struct.pack("!BBHI", 58, 0, offset | more, identifier) + data
    header = replaced(header, 2, struct.pack("!H", 20 + len(data)))
    word = header[6] << 8 & 0xC000 | more << 13 | offset // 8
    return with_checksum(replaced(header, 6, struct.pack("!H", word)), 10) + data


class Fragment(namedtuple("Fragment", "key offset more headers data")):
    """A packet's place in the one that it is a piece of; the headers are those that each piece has."""

    @classmethod
    def of(cls, packet):
        """Take a packet apart; None if it is whole. Replies have no other extension header."""
        if packet[0] >> 4 == 4:
            size, more = (packet[0] & 0x0F) * 4, 0x2000
            assert internet_checksum(packet[:size]) == 0, f"IPv4 header checksum: {packet.hex()}"
            (word,) = struct.unpack_from("!H", packet, 6)
            key, offset = packet[4:6] + packet[9:10] + packet[12:20], (word & 0x1FFF) * 8
        elif packet[6] == 44:
            size, more = 48, 1
            (word,) = struct.unpack_from("!H", packet, 42)
            key, offset = packet[8:40] + packet[44:48], word & 0xFFF8
        else:
            return None
        if offset == 0 and not word & more:
            return None
        return cls(key, offset, bool(word & more), packet[:size], packet[size:])

    def whole(self, data):
        """The packet of which this is the first piece."""
        if self.headers[0] >> 4 == 4:
            length = struct.pack("!H", len(self.headers) + len(data))
            flags = bytes([self.headers[6] & 0xC0, 0])
            return with_checksum(replaced(replaced(self.headers, 2, length), 6, flags), 10) + data
        return replaced(self.headers[:40], 4, struct.pack("!HB", len(data), self.headers[40])) + data


class Reassembly:
    """The pieces of one packet, as Linux puts them together: bytes that are there already are left out, but a
    piece that overlaps others in part spoils them all."""

    def __init__(self):
        self.pieces = {}
        self.size = None

    def add(self, piece):
        """Return all data if this piece completes them."""
        end = piece.offset + len(piece.data)
        spans = [(offset, offset + len(known.data)) for offset, known in self.pieces.items()]
        known = sum(max(0, min(end, last) - max(piece.offset, first)) for first, last in spans)
        if known:
            if known < len(piece.data):
                self.pieces.clear()
            return None

        self.pieces[piece.offset] = piece
        if not piece.more:
            self.size = end
        if sum(len(known.data) for known in self.pieces.values()) != self.size:
            return None
        return b"".join(self.pieces[offset].data for offset in sorted(self.pieces))


def reassemble(packets):
    """The packets with those that came in pieces put together, where that is possible."""
    wholes, reassemblies = [], defaultdict(Reassembly)
    for packet in packets:
        piece = Fragment.of(packet)
        data = piece and reassemblies[piece.key].add(piece)
        if not piece:
            wholes.append(packet)
        elif data:
            wholes.append(reassemblies[piece.key].pieces[0].whole(data))
    return wholes


class Echo(
    namedtuple(
        "Echo", "source destination hop_limit traffic_class options type code identifier sequence data"
    )
):
    """A whole echo message, as far as its sender decides what it says."""

    @classmethod
    def of(cls, packet):
        """Take a packet apart; None if it is something else. The checksums are checks_out()'s."""
        if packet[0] >> 4 == 4:
            size, types, protocol = (packet[0] & 0x0F) * 4, (8, 0), packet[9]
            addresses, hop_limit, traffic_class = (packet[12:16], packet[16:20]), packet[8], packet[1]
            options = packet[20:size]
        else:
            size, types, protocol = 40, (128, 129), packet[6]
            addresses, hop_limit, options = (packet[8:24], packet[24:40]), packet[7], b""
            traffic_class = (packet[0] << 4 | packet[1] >> 4) & 0xFF
        if protocol not in (1, 58) or len(packet) < size + 8 or packet[size] not in types:
            return None
        type, code, _, identifier, sequence = struct.unpack_from("!BBHHH", packet, size)
        names = (socket.inet_ntop(FAMILIES[len(address)], address) for address in addresses)
        return cls(
            *names, hop_limit, traffic_class, options, type, code, identifier, sequence, packet[size + 8 :]
        )


def checksum_of(packet):
    """The checksum in a whole ICMP packet without extension headers."""
    return struct.unpack_from("!H", packet, (packet[0] & 0x0F) * 4 + 2 if packet[0] >> 4 == 4 else 42)[0]


def checksum_error(packet):
    """How wrong the checksum of such a packet is: 0 if it is right."""
    if packet[0] >> 4 == 4:
        return internet_checksum(packet[(packet[0] & 0x0F) * 4 :])
    return internet_checksum(pseudo_header(packet, len(packet) - 40) + packet[40:])


def checks_out(packet):
    """Whether both checksums of such a packet are right."""
    header = packet[: (packet[0] & 0x0F) * 4] if packet[0] >> 4 == 4 else None
    return checksum_error(packet) == 0 and (header is None or internet_checksum(header) == 0)


class Reflector(abc.ABC):
    """Something that packets are sent to, and whose replies can be read.

    Silence is known without waiting: each packet is followed by a marker, an
    echo request that is always answered, and whatever comes back ahead of the
    marker's reply is the answer to the packet.
    """

    # Exchanges that are under way at the same time.
    BATCH = 64

    def __init__(self, host_address, peer_address):
        make = echo6 if ":" in peer_address else echo
        ends = {"source": host_address, "destination": peer_address}
        self._marker = functools.cache(lambda token: make(data=token, **ends))
        # Enough for a batch; the replies to one batch are read before the next is sent.
        self._tokens = itertools.cycle(b"marker %d" % number for number in range(2 * self.BATCH))

    @abc.abstractmethod
    def send(self, packet):
        """Hand over one packet."""

    @abc.abstractmethod
    def receive(self, seconds):
        """Return the next packet that comes back, or None if there is none within these seconds."""

    def receive_all(self, count):
        """Return that many packets, or what there is until none comes within the limit."""
        received = iter(lambda: self.receive(LIMIT), None)
        return list(itertools.islice(received, count))

    def ask(self, packet):
        """Send one packet and return the list of its replies."""
        return self.ask_all([[packet]])[0]

    def ask_all(self, exchanges):
        """Send lists of packets and return a list of replies for each of them."""
        replies = []
        for start in range(0, len(exchanges), self.BATCH):
            with self.sending():
                tokens = [
                    self._send_with_marker(packets) for packets in exchanges[start : start + self.BATCH]
                ]
            replies += [list(self._replies_before(token)) for token in tokens]
        return replies

    def sending(self):
        """A context in which all that is sent at once is sent."""
        return contextlib.nullcontext()

    def _send_with_marker(self, packets):
        token = next(self._tokens)
        for packet in *packets, self._marker(token):
            self.send(packet)
        return token

    def _replies_before(self, token):
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            packet = self.receive(deadline - time.monotonic())
            if packet and packet.endswith(token):
                return
            if packet and not packet.endswith(AHEAD):
                yield packet
        raise AssertionError(f"no reply within {LIMIT} s to the marker {token}")


class Tunecho(Reflector):
    """The daemon behind a device, reached by a packet socket, before and after the kernel's own IP.

    A daemon that is given is held back while packets are sent, so that it finds a load. Ahead of them are
    as many requests as it takes for its engine to move what follows in batches, if it does.

    Nothing is lost on the way: what is sent at once fits into the queue of the device, which holds 5,000
    packets by default, and the replies fit into the buffer of the socket; the kernel counts what does not.
    """

    # Bytes; the kernel doubles them. A small packet takes less than 2 KiB, one of 64 KiB less than 80 KiB.
    BUFFER = 64 << 20

    def __init__(self, host, interface, host_address, peer_address, daemon=None):
        super().__init__(host_address, peer_address)
        self._interface = interface
        self._daemon = daemon
        self.ahead = ENOUGH_FOR_BATCHES if daemon else 0
        self._socket = host.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        enlarge_buffer(self._socket, self.BUFFER)
        self._socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self._socket.bind((interface, ETH_P_ALL))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def send(self, packet):
        protocol = ETH_P_IPV6 if packet[0] >> 4 == 6 else ETH_P_IP
        self._socket.sendto(packet, (self._interface, protocol))

    @contextlib.contextmanager
    def sending(self):
        with self._daemon.held_back() if self._daemon else contextlib.nullcontext():
            for _ in range(self.ahead):
                self.send(self._marker(AHEAD))
            yield

    def receive(self, seconds):
        self._socket.settimeout(seconds)
        try:
            return self._socket.recv(65536)
        except TimeoutError:
            _, dropped = struct.unpack("II", self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
            assert not dropped, f"{dropped} packets found no space in the buffer of the socket"
            return None


def assert_answers_a_load(host, daemon):
    """Fill the device while nothing is read: an engine that has batches goes over to them."""
    with Tunecho(host, "tun0", *IPV4, daemon) as tunecho:
        assert tunecho.ask_all([[echo()]] * 20) == [[answer()]] * 20


class Bench:
    """A daemon and the packet socket behind it."""

    def __init__(self, daemon, tunecho):
        self.daemon = daemon
        self.tunecho = tunecho

    @classmethod
    @contextlib.contextmanager
    def on_host(cls, directory, engine, **how):
        """On a silent host of its own. An engine that has batches goes over to them for each question."""
        with Host(directory, engine) as host:
            host.silence()
            daemon = host.start("tun0", **how)
            with Tunecho(host, "tun0", *IPV4, daemon) as tunecho:
                yield cls(daemon, tunecho)
            daemon.assert_batched()

    def ask(self, *packets):
        """The replies to these packets, and the verdicts of what was dropped meanwhile."""
        before = self.daemon.totals()
        (replies,) = self.tunecho.ask_all([packets])
        added = 1 + self.tunecho.ahead
        counted = self.daemon.totals_of(before.packets + len(packets) + added).since(before)
        assert counted.packets == len(packets) + added, "the packets and their marker"
        assert counted.replies == len(replies) + added
        return replies, counted.verdicts

    def assert_answered(self, packet, expected):
        self.assert_all_answered([packet], [expected])

    def assert_all_answered(self, packets, expected):
        replies, verdicts = self.ask(*packets)
        assert [reply.hex() for reply in replies] == [reply.hex() for reply in expected]
        assert not verdicts

    def assert_dropped(self, packet, verdict):
        replies, verdicts = self.ask(packet)
        assert not replies
        assert verdicts == {verdict: 1}
