# SPDX-License-Identifier: GPL-2.0-or-later
"""Many pings at a time: all are answered, all are accounted for, and the log stays readable."""

import json
import shutil
import time
from ipaddress import ip_address

import pytest

from harness import BUILD, Host, environment
from packets import IPV4, IPV6
from sessions import Session, Sum

FLOOD = BUILD / "tests/bench/flood"

ENTRIES_A_SECOND = 10
SESSIONS_MAX = 256

# Under a sanitizer or beside other work fewer packets pass in this time, and a million is what there can be.
FLOOD_MILLISECONDS = 5000
SOURCES = 1_000_000

# What is written to for the first time takes a page or two; a table that grows with the sources takes far more.
MEMORY_KILOBYTES = 1024


@pytest.fixture
def quiet_host(tmp_path):
    with Host(tmp_path) as host:
        host.silence()
        yield host


def flood(host, ends, *options):
    done = host.run(FLOOD, *options, "tun0", *ends)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["accepted"]


def assert_readable(log, seconds):
    """No more entries than there may be in that time: for pings, for their sums, and all in all."""
    entries, sums = len(Session.all_in(log)), len(Sum.all_in(log))
    assert 1 <= entries <= ENTRIES_A_SECOND * (seconds + 1), f"{entries} entries in {seconds:.1f} s"
    assert sums <= seconds + 2, f"{sums} sums in {seconds:.1f} s"
    assert len(log.splitlines()) <= entries + sums + 4, log


def accounted_for(log):
    """Sessions and requests, of the entries and the sums."""
    sessions, sums = Session.all_in(log), Sum.all_in(log)
    return (
        len(sessions) + sum(entry.sessions for entry in sums),
        sum(entry.requests for entry in (*sessions, *sums)),
    )


@pytest.mark.parametrize("first", ["198.51.100.0", "2001:db8::"], ids=["ipv4", "ipv6"])
def test_a_thousand_hosts(quiet_host, first):
    """fping over 1,024 addresses: all are alive, each was pinged once, and a few lines tell of it."""
    if not shutil.which("fping"):
        pytest.skip("need fping")
    daemon = quiet_host.start("tun0")
    hosts = [str(ip_address(first) + n) for n in range(1024)]
    quiet_host.ip("route", "add", f"{first}/{118 if ':' in first else 22}", "dev", "tun0")

    begin = time.monotonic()
    done = quiet_host.run("fping", "-a", "-i", 1, "-r", 0, input="\n".join(hosts), env=environment())
    assert sorted(done.stdout.split()) == sorted(hosts), done.stderr
    assert done.returncode == 0, done.stderr
    assert daemon.stop() == 0
    assert_readable(daemon.log, time.monotonic() - begin)
    assert accounted_for(daemon.log) == (1024, 1024)
    assert daemon.final_totals().packets == 1024
    assert all(entry.missing == 0 for entry in Sum.all_in(daemon.log))


def test_rounds_over_many_hosts(quiet_host):
    """Numbers that a round has given to other hosts are no losses, and the sum does not count them as such."""
    if not shutil.which("fping"):
        pytest.skip("need fping")
    daemon = quiet_host.start("tun0")
    quiet_host.ip("route", "add", "198.51.100.0/24", "dev", "tun0")
    hosts = [f"198.51.100.{n}" for n in range(100)]
    done = quiet_host.run("fping", "-q", "-c", 3, "-p", 100, "-i", 1, *hosts, env=environment())
    assert done.returncode == 0, done.stderr
    assert daemon.stop() == 0
    assert accounted_for(daemon.log) == (100, 300)
    (total,) = Sum.all_in(daemon.log)
    assert total == (90, 270, 0, 0, 0)


@pytest.mark.parametrize(
    "source, peer", [("10.0.0.1", IPV4[1]), ("2001:db8::1", IPV6[1])], ids=["ipv4", "ipv6"]
)
def test_a_million_sources(quiet_host, source, peer):
    """Spoofed sources take no memory, write no book, and each of their packets is accounted for."""
    daemon = quiet_host.start("tun0")
    # What a load needs at all, and what it takes to close sessions and to tell of it.
    begin = time.monotonic()
    first = flood(quiet_host, (source, peer), "-t", 300, "-n", 2 * SESSIONS_MAX)
    memory = daemon.private_memory()

    accepted = flood(quiet_host, (source, peer), "-t", FLOOD_MILLISECONDS, "-c", SOURCES, "-n", SOURCES)
    assert accepted > 50_000
    quiet_host.ping(peer).assert_answered(3)
    daemon.assert_not_grown(memory, MEMORY_KILOBYTES)
    assert daemon.stop() == 0

    assert_readable(daemon.log, time.monotonic() - begin)
    totals = daemon.final_totals()
    assert totals.packets == totals.replies == first + accepted + 3
    sessions, requests = accounted_for(daemon.log)
    assert requests == totals.replies
    assert sessions > accepted, "each source is one of its own"
