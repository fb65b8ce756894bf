# SPDX-License-Identifier: GPL-2.0-or-later
"""Which way a ping loses packets: what the log says adds up with what ping printed."""

import json
import random
import re
import shutil
import signal
import subprocess
import time

import pytest

from harness import LIMIT, Ping, environment, wait_until
from packets import IPV4, IPV6, Tunecho, cut, echo, echo6
from sessions import Session

# By itself, fping(8) waits for no reply longer than until the next request.
FPING_TIMEOUT = f"-t{LIMIT * 1000}"

FAMILIES = pytest.mark.parametrize("ends", [IPV4, IPV6], ids=["ipv4", "ipv6"])

# One of each ten, and neither the first nor the last of them: so none is lost where nobody can know.
EACH_TENTH = "numgen inc mod 10 == 5"

# Where the router sends requests on, and the replies.
OUT = 'chain out {{ type filter hook forward priority 0; oifname "tun0" {} counter name lost_out drop; }}'
BACK = 'chain back {{ type filter hook forward priority 0; iifname "tun0" {} counter name lost_back drop; }}'


def lose(host, *chains, which=EACH_TENTH):
    """Have the host lose these packets of a ping, and no others."""
    if not shutil.which("nft"):
        pytest.skip("need nft")
    of_ping = "meta l4proto { icmp, ipv6-icmp } "
    counters = ["counter lost_out {}", "counter lost_back {}"]
    rules = "\n".join([*counters, *(chain.format(of_ping + which) for chain in chains)])
    done = host.run("nft", "-f", "-", input=f"table inet loss {{\n{rules}\n}}\n")
    assert done.returncode == 0, done.stderr


def lost(host):
    """How many it has lost, on the way out and on the way back."""
    listed = json.loads(host.run("nft", "-j", "list", "counters", "table", "inet", "loss").stdout)["nftables"]
    counters = [entry["counter"] for entry in listed if "counter" in entry]
    packets = {counter["name"]: counter["packets"] for counter in counters}
    return packets["lost_out"], packets["lost_back"]


def start(tunnel, client, address):
    """The daemon, and that it can be reached: the neighbours know each other from here on."""
    daemon = tunnel.start("tun0")
    client.ping(address).assert_answered(3)
    return daemon


def ping(tunnel, client, daemon, address, count=100):
    """Ping until each request and each reply has arrived or was lost on purpose; then stop ping(8)."""
    before = daemon.totals().replies
    path = client.directory / "ping"
    command = client.command(*client.ping_command(address, "-q", count=count))
    with path.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=environment())

    def is_settled():
        lost_out, lost_back = lost(tunnel)
        # Replies: of what the kernel has to say by itself, as a router, there is none.
        arrived = daemon.totals().replies - before
        if process.poll() is not None or lost_out + arrived < count:
            return process.poll() is not None
        # It prints how many replies it has.
        process.send_signal(signal.SIGQUIT)
        time.sleep(0.05)
        printed = re.findall(r"(\d+)/(\d+) packets", path.read_text())
        return printed[-1:] == [(str(arrived - lost_back), str(count))]

    try:
        wait_until(is_settled, "the end of the ping")
        process.send_signal(signal.SIGINT)
        process.wait(LIMIT)
    finally:
        process.kill()
        process.wait()
    done = Ping.parse(path.read_text())
    assert done.transmitted == count, done.output
    return done.transmitted, done.received


def end(daemon):
    """Stop the daemon; the entries of the pings that it saw."""
    assert daemon.stop() == 0
    return Session.all_in(daemon.log)


def end_of_ping(daemon, ends):
    """The entry of the ping that followed the one of start()."""
    first, session = end(daemon)
    assert first.numbers == (3, 1, 3, 0)
    assert daemon.final_totals().replies == first.requests + session.requests
    assert session.source == ("2001:db8::2" if ":" in ends[1] else "192.0.2.2")
    assert (session.destination, session.hops) == (ends[1], "63")
    assert (session.duplicates, session.reordered) == (0, 0)
    return session


# The chains, and what of a hundred requests arrives there, and of the replies here.
WAYS = {
    "none": ([], 100, 100),
    "out": ([OUT], 90, 90),
    "back": ([BACK], 100, 90),
    "both": ([OUT, BACK], 90, 81),
}


@FAMILIES
@pytest.mark.parametrize("chains, arrived, answered", WAYS.values(), ids=WAYS)
def test_each_tenth_is_lost(tunnel, client, ends, chains, arrived, answered):
    daemon = start(tunnel, client, ends[1])
    lose(tunnel, *chains)
    assert ping(tunnel, client, daemon, ends[1]) == (100, answered)

    session = end_of_ping(daemon, ends)
    assert session.numbers == (arrived, 1, 100, 100 - arrived)


@FAMILIES
def test_random_loss_both_ways(tunnel, client, ends):
    """However many are lost, and wherever: out and back add up to what ping did not get."""
    daemon = start(tunnel, client, ends[1])
    lose(tunnel, OUT, BACK, which="numgen random mod 5 == 0")
    transmitted, received = ping(tunnel, client, daemon, ends[1], count=150)

    session = end_of_ping(daemon, ends)
    # What is lost before the first and behind the last that arrived is in ping's count alone.
    unseen = transmitted - session.requests - session.missing
    assert 0 <= unseen < 50, "that many at the ends are lost once in 10^30 runs"
    assert 0 < session.missing < transmitted / 2
    lost_on_the_way_back = session.requests - received
    assert 0 < lost_on_the_way_back < transmitted / 2
    assert session.missing + unseen + lost_on_the_way_back == transmitted - received


@FAMILIES
@pytest.mark.parametrize("which, missing", [("< 20", 0), ("{ 0-19, 50 }", 1)])
def test_the_first_ones_are_lost(tunnel, client, ends, which, missing):
    """The entry names the first number, which ping(8) does not begin with."""
    daemon = start(tunnel, client, ends[1])
    lose(tunnel, OUT, which=f"numgen inc mod 1000 {which}")
    assert ping(tunnel, client, daemon, ends[1]) == (100, 80 - missing)
    session = end_of_ping(daemon, ends)
    assert session.numbers == (80 - missing, 21, 100, missing)


def test_the_last_ones_are_lost(tunnel, client):
    """Which does not show in what arrived; the last number is there to be compared with what ping(8) sent."""
    daemon = start(tunnel, client, IPV4[1])
    lose(tunnel, OUT, which="numgen inc mod 1000 >= 90")
    assert ping(tunnel, client, daemon, IPV4[1]) == (100, 90)
    session = end_of_ping(daemon, IPV4)
    assert session.numbers == (90, 1, 90, 0)


@FAMILIES
def test_duplicates_and_reordering(host, each_engine, ends):
    """A stream by hand: no queueing discipline that every kernel has makes one. Its numbers wrap."""
    daemon = host.start("tun0")
    make = echo6 if ":" in ends[0] else echo
    chance = random.Random(4711)
    numbers = [n for n in range(400) if n in (0, 399) or chance.random() > 0.1]
    missing = 400 - len(numbers)
    duplicates = chance.sample(range(1, len(numbers) - 1), 30)
    stream = [copy for n, number in enumerate(numbers) for copy in [number] * (1 + (n in duplicates))]
    for n in range(10, len(stream) - 10, 20):
        stream.insert(n + 3, stream.pop(n))

    seen, duplicate, reordered, highest = set(), 0, 0, -1
    for number in stream:
        duplicate += number in seen
        reordered += number not in seen and number < highest
        highest = max(highest, number)
        seen.add(number)
    with Tunecho(host, "tun0", *ends, daemon) as tunecho:
        replies = tunecho.ask_all([[make(id=7, seq=(65400 + number) % 65536)] for number in stream])
    assert [len(exchange) for exchange in replies] == [1] * len(stream)
    daemon.assert_batched()

    (session,) = [session for session in end(daemon) if session.identifier == 7]
    assert session.numbers == (len(stream), 65400, (65400 + 399) % 65536, missing)
    assert (session.duplicates, session.reordered) == (duplicate, reordered)
    assert duplicate == 30 and reordered > 10, "the stream is no test"


@FAMILIES
def test_ranges(tunnel, ends):
    """Sizes, hop limits and fragments of one ping: as one number where they are, as a range where not."""
    daemon = tunnel.start("tun0")
    make, limit = (echo6, "hlim") if ":" in ends[0] else (echo, "ttl")
    packets = [make(id=7, seq=n, data=bytes(100 + n), **{limit: 60 - n}) for n in range(3)]
    sizes = [len(packet) for packet in packets]
    pieces = cut(make(id=7, seq=3, data=bytes(100), **{limit: 60}), 64)
    with Tunecho(tunnel, "tun0", *ends) as tunecho:
        for packet in *packets, *pieces:
            tunecho.ask(packet)

    (session,) = [session for session in end(daemon) if session.identifier == 7]
    assert (session.requests, session.fragments, session.later) == (4, 1, len(pieces) - 1)
    assert (session.missing, session.duplicates, session.reordered) == (0, 0, 0)
    assert session.size == f"{len(pieces[0])} to {max(sizes)}"
    assert session.hops == "58 to 60"


def test_sessions_with_loss_alone(tunnel):
    """Sessions=loss has an entry for each ping with duplicate or reordered requests, and for no whole one."""
    pings = {1: [1, 2, 3], 3: [1, 2, 2], 4: [1, 3, 2], 5: [56, 57, 58]}
    daemon = tunnel.start("tun0", config="[Log]\nSessions=loss\n")
    with Tunecho(tunnel, "tun0", *IPV4) as tunecho:
        for identifier, numbers in pings.items():
            for number in numbers:
                tunecho.ask(echo(id=identifier, seq=number))

    assert {session.identifier for session in end(daemon)} & set(pings) == {3, 4}
