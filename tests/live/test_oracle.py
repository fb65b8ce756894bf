# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel as the oracle: what it answers with an echo reply, tunecho answers with an equal one.

TUNECHO_SEED and TUNECHO_CORPUS choose another corpus, and its size.
"""

import os
import struct
import time
from collections import Counter

import pytest

import corpus
import tap
from differences import DIFFERENCES, WRONG, ends_of, entry_size, recorded, recorder
from harness import SOURCE, Host
from kernel import Kernel
from packets import IPV4, Echo, Tunecho, checks_out, checksum_of, reassemble, replaced

SEED = int(os.environ.get("TUNECHO_SEED", "20100425"))
SIZE = int(os.environ.get("TUNECHO_CORPUS", "2600"))


def destination_of(packet):
    """Where a packet goes, if it is somewhere that can be a host, and not the one that it comes from."""
    source, destination = ends_of(packet) or (None, None)
    if source == destination or destination.is_multicast or destination.is_unspecified:
        return None
    return str(destination)


@pytest.fixture(scope="module")
def exchanges():
    return corpus.exchanges(SEED, SIZE)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory, exchanges):
    destinations = {destination_of(packet) for exchange in exchanges for packet in exchange.packets} - {None}
    with Host(tmp_path_factory.mktemp("kernel")) as host, Kernel(host, sorted(destinations)) as kernel:
        yield kernel


@pytest.fixture(scope="module")
def tunecho(tmp_path_factory, each_engine):
    with Host(tmp_path_factory.mktemp("tunecho"), each_engine) as host:
        host.silence()
        daemon = host.start(
            "tun0",
            "--address=198.18.0.1/24",
            "--peer=198.18.0.2",
            "--address=2001:2::1/64",
            "--peer=2001:2::2",
        )
        with Tunecho(host, "tun0", *IPV4, daemon) as tunecho:
            yield tunecho
        daemon.assert_batched()


def answers_of(replies):
    """Whole echo messages, each with its ICMP checksum if all of them are right."""
    return [
        (Echo.of(packet), checksum_of(packet) if checks_out(packet) else WRONG)
        for packet in reassemble(replies)
    ]


def answers_of_kernel(replies):
    """Its echo replies, among the errors that it may send."""
    return [(echo, checksum) for echo, checksum in answers_of(replies) if echo and echo.type in (0, 129)]


# In milliseconds, and in seconds: no packet was sent before.
MIDNIGHT = 86_400_000
START = time.time() - 1


def timeless(packets, answers):
    """Answers without the times in their Timestamp options, which were now."""
    found = recorder(corpus.TIMESTAMP)(packets)
    if not found:
        return answers
    packet, offset = found
    asked, size, result = packet[offset:], entry_size(packet[offset:]), []
    for echo, checksum in answers:
        place = echo and recorded(echo, corpus.TIMESTAMP)
        for end in range(asked[2] - 1 + size, echo.options[place + 2], size) if place is not None else ():
            (time_of_day,) = struct.unpack_from("!I", echo.options, place + end - 4)
            since = (time_of_day - START * 1000) % MIDNIGHT
            assert since < (time.time() - START + 1) * 1000, f"{time_of_day} is not the time of day in {echo}"
            echo = echo._replace(options=replaced(echo.options, place + end - 4, b"time"))
        result.append((echo, checksum))
    return result


class Oracle:
    """What tunecho is to answer, as far as Linux knows it."""

    def __init__(self, kernel, exchanges):
        self.replies = kernel.ask_all([exchange.packets for exchange in exchanges])
        self._applying = [[one for one in DIFFERENCES if one.applies(packets)] for _, packets in exchanges]
        instead = {}
        for number, (_, packets) in enumerate(exchanges):
            for difference in self._applying[number]:
                packets = difference.asked(packets) if difference.asked else packets
            if packets != exchanges[number].packets:
                instead[number] = packets
        self._instead = dict(zip(instead, kernel.ask_all(list(instead.values()))))

    def expected(self, number, packets):
        """The answers to the exchange of this number, and the names of the differences that made them so."""
        asked = answers_of_kernel(self.replies[number])
        answers = answers_of_kernel(self._instead[number]) if number in self._instead else asked
        names = [one.name for one in self._applying[number] if one.asked and answers != asked]
        for difference in self._applying[number]:
            before = answers
            answers = difference.expected(packets, answers) if difference.expected else answers
            if answers != before:
                names.append(difference.name)
        return answers, set(names)


def dump(exchange, expected, of_tunecho, of_kernel):
    """A failure, for the eye: of many packets or much data, the beginning."""
    kinds = {"request": exchange.packets, "kernel": of_kernel, "tunecho": of_tunecho}
    lines = [f"{exchange.recipe}:"]
    for kind, packets in kinds.items():
        lines += [f"  {kind:8} {packet[:120].hex()} ({len(packet)} bytes)" for packet in packets[:6]]
        lines += [f"  {kind:8} and {len(packets) - 6} more"] if len(packets) > 6 else []
    lines += [f"  expected {echo}, checksum {checksum}" for echo, checksum in expected]
    return "\n".join(lines)


@pytest.fixture(scope="module")
def oracle(kernel, exchanges):
    return Oracle(kernel, exchanges)


@pytest.fixture(scope="module")
def replies(tunecho, exchanges):
    return tunecho.ask_all([exchange.packets for exchange in exchanges])


def test_oracle(oracle, exchanges, replies, each_engine, capsys):
    counts, differed, failures = Counter(), Counter(), []
    for number, (exchange, of_kernel, of_tunecho) in enumerate(zip(exchanges, oracle.replies, replies)):
        packets = exchange.packets
        answers = timeless(packets, answers_of(of_tunecho))
        expected, names = oracle.expected(number, packets)
        if answers != timeless(packets, expected):
            failures.append(dump(exchange, expected, of_tunecho, of_kernel))
        elif answers == timeless(packets, answers_of_kernel(of_kernel)):
            counts["answered" if answers else "silent"] += 1
        else:
            differed.update(names)
            counts["different"] += 1

    listed = ", ".join(f"{count} {name}" for name, count in differed.most_common())
    with capsys.disabled():
        tap.diagnose(
            f"{each_engine}, seed {SEED}: {len(exchanges)} packets, {counts['answered']} answered alike, "
            f"{counts['silent']} silent alike, {counts['different']} listed differences: {listed}"
        )
    if failures:
        pytest.fail(
            f"{len(failures)} differences that are not listed:\n" + "\n".join(failures[:20]), pytrace=False
        )
    unseen = {difference.name for difference in DIFFERENCES if not difference.varies} - set(differed)
    assert not unseen, f"listed, but Linux does as tunecho: {unseen}"


def test_manual_has_the_differences():
    page = (SOURCE / "man/tunecho-packets.7").read_text(encoding="utf-8").split("\n.Sh DIFFERENCES FROM LINUX\n")[1]
    documented = {line[4:].lower() for line in page.splitlines() if line.startswith(".It ")}
    assert not {difference.name.lower() for difference in DIFFERENCES} - documented


def test_what_is_not_compared(exchanges, replies):
    """Linux chooses identification, flags and flow label of a reply; here they follow from the request."""
    for (_, packets), answered in zip(exchanges, replies):
        for request, reply in zip(packets, answered) if len(packets) == 1 else ():
            if request[0] >> 4 == 4:
                assert reply[4:6] == request[4:6]
                assert reply[6] >> 5 == request[6] >> 5 & 3
            else:
                assert reply[1] & 0x0F == 0 and reply[2:4] == bytes(2)


def test_replies_are_not_longer(exchanges, replies):
    for (_, packets), answered in zip(exchanges, replies):
        assert len(answered) <= len(packets)
        assert max(map(len, answered), default=0) <= max(map(len, packets))
