# SPDX-License-Identifier: GPL-2.0-or-later
"""Every kind of packet: the seeds of fuzz-reflect, and what the model of the unit tests says of each."""

import subprocess
from collections import Counter, defaultdict, namedtuple

import pytest

from harness import BUILD
from packets import IPV4, Bench, answer, echo, echo6

# Bits of the first control byte of a seed, as tests/fuzz/reflect-input.c has them.
BROADCAST, MULTICAST, PEER4, PEER6, DESTINATIONS = 4, 8, 16, 32, 64
SETTINGS = BROADCAST | MULTICAST | PEER4 | PEER6 | DESTINATIONS


class Seed(namedtuple("Seed", "name control packet verdict reply timed")):
    """One packet, with the verdict and the reply of the model."""

    @classmethod
    def parse(cls, line):
        name, control, packet, verdict, reply, *timed = line.split()
        return cls(name, *(bytes.fromhex(text[1:]) for text in (control, packet)), verdict,
                   bytes.fromhex(reply[1:]), bool(timed))

    def can_be_sent(self):
        """Whether it has a first byte, and the link-local peer that the daemon makes of its peer."""
        return self.packet and self.control[3] >> 4 == 0

    def config(self):
        """The settings that make the policy of the seed."""
        flags = self.control[0]
        lines = ["[Device]", "MTUBytes=9000", "[Network]", "Address=198.18.0.1/24", "Address=198.19.0.1/16"]
        lines += ["Address=2001:2::1/64"]
        lines += ["Peer=198.18.0.2"] if flags & PEER4 else []
        lines += ["Peer=2001:2::2"] if flags & PEER6 else []
        lines += ["[Reflector]", f"HopLimit={self.control[1]}"]
        lines += [f"AnswerBroadcast={bool(flags & BROADCAST):d}", f"AnswerMulticast={bool(flags & MULTICAST):d}"]
        if flags & DESTINATIONS:
            length = self.control[2]
            lines += [f"Destination=198.18.0.2/{length % 33}", f"Destination=2001:2::2/{length % 129}"]
        return "\n".join(lines) + "\n"


def seeds():
    """The seeds that can be sent, by the settings that they need."""
    directory = BUILD / "tests/fuzz"
    command = directory / "reflect-model", directory / "corpus-reflect"
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = defaultdict(list)
    for seed in map(Seed.parse, done.stdout.splitlines()):
        if seed.can_be_sent():
            found[seed.config()].append(seed)
    return found


SEEDS = seeds()


@pytest.fixture(scope="module")
def bench(tmp_path_factory, each_engine):
    with Bench.on_host(tmp_path_factory.mktemp("host"), each_engine) as bench:
        yield bench


def is_right(seed, replies):
    if seed.timed:
        return [len(reply) for reply in replies] == [len(seed.reply)]
    return replies == ([seed.reply] if seed.reply else [])


@pytest.mark.parametrize("config", SEEDS, ids=[f"settings {number}" for number in range(len(SEEDS))])
def test_seeds(tmp_path, each_engine, config):
    with Bench.on_host(tmp_path, each_engine, config=config) as bench:
        before, tunecho = bench.daemon.totals(), bench.tunecho
        answers = tunecho.ask_all([[seed.packet] for seed in SEEDS[config]])
        wrong = [
            f"{seed.name}: {seed.packet[:200].hex()} has the replies {[reply[:200].hex() for reply in replies]}"
            for seed, replies in zip(SEEDS[config], answers) if not is_right(seed, replies)
        ]
        assert not wrong, "\n".join(wrong)

        batches = -(-len(SEEDS[config]) // tunecho.BATCH)
        packets = 2 * len(SEEDS[config]) + batches * tunecho.ahead
        counted = bench.daemon.totals_of(before.packets + packets).since(before)
        assert counted.packets == packets, "the packets, their markers and what is sent ahead"
        assert counted.verdicts == Counter(seed.verdict for seed in SEEDS[config] if not seed.reply)


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


@pytest.mark.parametrize("request_, reply", TO_THE_LETTER.values(), ids=TO_THE_LETTER)
def test_to_the_letter(bench, request_, reply):
    bench.assert_answered(bytes.fromhex(request_), bytes.fromhex(reply))


def test_every_truncation(bench):
    """No prefix of a request is answered, and none is more than one packet."""
    for whole in echo(data=b"abcd"), echo6(data=b"abcd"):
        for size in range(1, len(whole)):
            bench.assert_dropped(whole[:size], "malformed")


def test_replies_keep_their_order(bench):
    sent = [echo(data=bytes(size), seq=size) for size in range(200)]
    with bench.tunecho.sending():
        for packet in sent:
            bench.tunecho.send(packet)
    expected = [answer(data=bytes(size), seq=size) for size in range(200)]
    received = bench.tunecho.receive_all(bench.tunecho.ahead + len(sent))
    assert received[bench.tunecho.ahead :] == expected
