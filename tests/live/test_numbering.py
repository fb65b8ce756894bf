# SPDX-License-Identifier: GPL-2.0-or-later
"""What the entry says of the numbers of real clients, with and without loss on the request path."""

import shutil
import subprocess

import pytest

from harness import Host, environment
from sessions import Session

PEER4, PEER6, OTHER4 = "198.18.0.2", "2001:2::2", "198.18.1.2"

# Every fourth request, and neither the first nor the last one of a multiple of four.
FOURTH = "icmp type echo-request numgen inc mod 4 == 2"


@pytest.fixture
def tun0(host):
    host.silence()
    return host.start("tun0")


def lose(host, hook, *rules):
    """Drop the packets into tun0 that match one of the rules."""
    if not shutil.which("nft"):
        pytest.skip("need nft")
    lines = "".join(f'oifname "tun0" {rule} drop\n' for rule in rules)
    table = f"table inet loss {{\nchain out {{\ntype filter hook {hook} priority 0;\n{lines}}}\n}}\n"
    done = host.run("nft", "-f", "-", input=table)
    assert done.returncode == 0, done.stderr


def run(host, program, *arguments):
    """Run a client to its end, whatever it says of replies."""
    if not shutil.which(program):
        pytest.skip(f"need {program}")
    done = host.run(program, *arguments, env=environment(), stdin=subprocess.DEVNULL)
    return done.stdout + done.stderr


def end(daemon):
    assert daemon.stop() == 0
    return Session.all_in(daemon.log)


def one(daemon):
    (session,) = end(daemon)
    return session


# Client and arguments; the first and the last number of so many requests; what is missing, or why it is unknown.
CLIENTS = {
    "ping": (["ping", "-c6", "-i0.05", PEER4], 6, 1, 6, 0),
    "ping of IPv6": (["ping", "-c6", "-i0.05", PEER6], 6, 1, 6, 0),
    "ping -f": (["ping", "-f", "-c300", PEER4], 300, 1, 300, 0),
    "ping -A": (["ping", "-A", "-c50", PEER4], 50, 1, 50, 0),
    "ping -l": (["ping", "-l10", "-c12", "-i0.2", PEER4], 12, 1, 12, 0),
    "ping -s": (["ping", "-c3", "-i0.05", "-s3000", PEER4], 3, 1, 3, 0),
    "busybox ping": (["busybox", "ping", "-c5", "-i0.05", PEER4], 5, 0, 4, 0),
    "hping3": (["hping3", "-1", "-c", "6", "--fast", PEER4], 6, 0, 5, 0),
    "hping3 faster": (["hping3", "-1", "-c", "300", "-i", "u1000", PEER4], 300, 0, 299, 0),
    "fping": (["fping", "-q", "-c6", "-p60", PEER4], 6, 0, 5, 0),
    "fping, elsewhere, too": (
        ["fping", "-q", "-c6", "-p60", PEER4, "127.0.0.1"],
        *(6, 0, 10, "every 2nd number"),
    ),
    "fping of three": (
        ["fping", "-q", "-c6", "-p60", "127.0.0.2", PEER4, "127.0.0.1"],
        *(6, 1, 16, "every 3rd number"),
    ),
    "traceroute": (["traceroute", "-n", "-I", PEER4], 16, 1, 16, 0),
}


@pytest.mark.parametrize("command, requests, first, last, missing", CLIENTS.values(), ids=CLIENTS)
def test_nothing_is_lost(host, tun0, command, requests, first, last, missing):
    run(host, *command)
    session = one(tun0)
    assert (session.requests, session.first, session.last) == (requests, first, last), tun0.log
    assert (session.unknown or session.missing) == missing, tun0.log
    assert (session.duplicates, session.reordered) == (0, 0), tun0.log


def test_both_families(host, tun0):
    """fping(8) has one counter; what the other family has is not missing."""
    run(host, "fping", "-q", "-c5", "-p60", "-i5", PEER4, PEER6)
    sessions = {session.destination: session for session in end(tun0)}
    assert set(sessions) == {PEER4, PEER6}
    for session in sessions.values():
        assert (session.requests, session.unknown) == (5, "every 2nd number"), tun0.log


def test_two_devices(host, tun0):
    other = host.start("tun1")
    run(host, "fping", "-q", "-c5", "-p60", "-i5", PEER4, OTHER4)
    for daemon, peer in (tun0, PEER4), (other, OTHER4):
        session = one(daemon)
        assert (session.destination, session.requests) == (peer, 5)
        assert session.unknown == "every 2nd number", daemon.log


def test_numbers_with_slips(host, tun0):
    """nping(1) skips a number and repeats one, where its two timers race: which, differs from run to run."""
    run(host, "nping", "--icmp", "-c5", "--rate", "20", PEER4)
    session = one(tun0)
    assert session.requests == 5
    assert not session.missing and session.reordered == 0, tun0.log


@pytest.fixture
def client(tmp_path, host, tun0):
    """A host behind the one of tun0, which is its router."""
    with Host(tmp_path / "client") as client:
        host.ip("link", "add", "lan", "type", "veth", "peer", "name", "uplink")
        client.take(host, "uplink")
        for end, n in (host, 1), (client, 2):
            device = "lan" if end is host else "uplink"
            end.ip("address", "add", f"192.0.2.{n}/24", "dev", device)
            end.ip("address", "add", f"2001:db8::{n}/64", "dev", device, "nodad")
            end.ip("link", "set", device, "up")
        host.sysctl("net/ipv4/ip_forward", 1)
        host.sysctl("net/ipv6/conf/all/forwarding", 1)
        client.ip("route", "add", "default", "via", "192.0.2.1")
        client.ip("-6", "route", "add", "default", "via", "2001:db8::1")
        for peer in PEER4, PEER6:
            client.ping(peer).assert_answered(3)
        yield client


# Of which the router loses every fourth: how many arrive, and how many are missing.
LOSSY = {
    "ping": (["ping", "-c12", "-i0.05", PEER4], 9, 1, 12, 3),
    "ping -f": (["ping", "-f", "-c200", PEER4], 150, 1, 200, 50),
    "ping -l": (["ping", "-l12", "-c12", "-W1", PEER4], 9, 1, 12, 3),
    "hping3": (["hping3", "-1", "-c", "12", "--fast", PEER4], 9, 0, 11, 3),
    "hping3 faster": (["hping3", "-1", "-c", "300", "-i", "u1000", PEER4], 225, 0, 299, 75),
    "fping, elsewhere, too": (["fping", "-q", "-c12", "-p60", PEER4, "127.0.0.1"], 9, 0, 22, 3),
}


@pytest.mark.parametrize("command, requests, first, last, missing", LOSSY.values(), ids=LOSSY)
def test_every_fourth_is_lost(host, client, tun0, command, requests, first, last, missing):
    lose(host, "forward", FOURTH)
    run(client, *command)
    *_, session = end(tun0)
    assert session.numbers == (requests, first, last, missing), tun0.log
    assert (session.duplicates, session.reordered) == (0, 0), tun0.log


def test_mtr(client, tun0):
    """mtr(8) uses some of its numbers for the hops before."""
    run(client, "mtr", "--report", "--no-dns", "-c5", "-i0.3", "--gracetime=1", PEER4)
    *_, session = end(tun0)
    assert session.requests >= 5 and session.first > 33000
    assert session.unknown == "every 2nd number", tun0.log


def test_the_same_identifier_again(host, tun0):
    """Two pings one after the other, and no duplicate."""
    for _ in range(2):
        run(host, "ping", "-e42", "-c3", "-i0.2", PEER4)
    sessions = end(tun0)
    assert [session.numbers for session in sessions] == [(3, 1, 3, 0)] * 2, tun0.log
    assert [session.duplicates for session in sessions] == [0, 0], tun0.log


@pytest.mark.parametrize("peer", [PEER4, PEER6])
@pytest.mark.parametrize("lost", [False, True], ids=["all arrive", "the later ones are lost"])
def test_fragments(host, client, tun0, peer, lost):
    """The first ones arrive; that the others do not shows."""
    if lost:
        lose(host, "forward", "ip frag-off & 0x1fff != 0", "frag frag-off != 0")
    done = client.ping(peer, "-s3000", "-i0.1", "-W1")
    assert (done.transmitted, done.received) == (3, 0 if lost else 3), done.output
    *_, session = end(tun0)
    assert session.numbers == (3, 1, 3, 0), tun0.log
    assert (session.fragments, session.later) == (3, 0 if lost else 6), tun0.log
