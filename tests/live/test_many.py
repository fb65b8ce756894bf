# SPDX-License-Identifier: GPL-2.0-or-later
"""Many pings at a time: all are answered, all are accounted for, and the log stays readable."""

import json
import re
import shutil
import time
from ipaddress import ip_address

import pytest

from harness import BUILD, LIMIT, Host, Totals, environment
from packets import IPV4, IPV6
from sessions import Session, Sum

FLOOD = BUILD / "tests/bench/flood"

ENTRIES_A_SECOND = 10

# The kernel is asked about so many pings a second; the answers about requests and replies may both be wrong.
QUESTIONS_A_SECOND = 10
CAUSE = re.compile(r"^ping \S+ > \S+ id \d+, (?:requests|replies): ", re.M)

SESSIONS_MAX = 256

# In milliseconds, and the option of fping(8), which waits for no reply longer than half a second by itself.
TIMEOUT = LIMIT * 1000
FPING_TIMEOUT = f"-t{TIMEOUT}"

# The buffer of fping(8) holds the replies to a few more.
HOSTS_AT_ONCE = 200

# Packets that a queue of the usual length has space for, and the sources of far more.
FILLING, SOURCES = 4000, 200_000

# What is written to for the first time takes a page or two; a table that grows with the sources, megabytes.
MEMORY_KILOBYTES = 1024


@pytest.fixture
def quiet_host(tmp_path):
    with Host(tmp_path) as host:
        host.silence()
        yield host


def flood(host, ends, *options):
    """Send as many as the options say; how long that takes is the machine's."""
    done = host.run(FLOOD, "-t", TIMEOUT, *options, "tun0", *ends)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["accepted"]


def assert_readable(log, seconds):
    """No more entries than there may be in that time, in which the whole run lies: for pings, for their sums,
    for causes, and all in all."""
    entries, sums = len(Session.all_in(log)), len(Sum.all_in(log))
    assert 1 <= entries <= ENTRIES_A_SECOND * (seconds + 1), f"{entries} entries in {seconds:.1f} s"
    assert sums <= seconds + 2, f"{sums} sums in {seconds:.1f} s"
    causes = len(CAUSE.findall(log))
    assert causes <= 2 * QUESTIONS_A_SECOND * (seconds + 1), f"{causes} causes in {seconds:.1f} s"
    assert len(log.splitlines()) <= entries + sums + causes + len(Totals.all_in(log)) + 3, log


def accounted_for(log):
    """Sessions and requests, of the entries and the sums."""
    sessions, sums = Session.all_in(log), Sum.all_in(log)
    return (
        len(sessions) + sum(entry.sessions for entry in sums),
        sum(entry.requests for entry in (*sessions, *sums)),
    )


@pytest.mark.parametrize("first", ["198.51.100.0", "2001:db8::"], ids=["ipv4", "ipv6"])
def test_a_thousand_hosts(quiet_host, first):
    """fping over 1,024 addresses: all are alive, each was pinged once, and the log has a few lines."""
    if not shutil.which("fping"):
        pytest.skip("need fping")
    daemon = quiet_host.start("tun0")
    hosts = [str(ip_address(first) + n) for n in range(1024)]
    quiet_host.ip("route", "add", f"{first}/{118 if ':' in first else 22}", "dev", "tun0")

    begin = time.monotonic()
    for start in range(0, len(hosts), HOSTS_AT_ONCE):
        some = hosts[start : start + HOSTS_AT_ONCE]
        command = "fping", "-a", "-i", 1, "-r", 0, FPING_TIMEOUT
        done = quiet_host.run(*command, input="\n".join(some), env=environment())
        assert sorted(done.stdout.split()) == sorted(some), done.stderr
        assert done.returncode == 0, done.stderr
    assert daemon.stop() == 0
    assert_readable(daemon.log, time.monotonic() - begin)
    assert accounted_for(daemon.log) == (1024, 1024)
    assert daemon.final_totals().packets == 1024
    assert all(entry.missing == 0 for entry in Sum.all_in(daemon.log))


def test_rounds_over_many_hosts(quiet_host):
    """Numbers that a round uses for other hosts are not counted as missing."""
    if not shutil.which("fping"):
        pytest.skip("need fping")
    daemon = quiet_host.start("tun0")
    quiet_host.ip("route", "add", "198.51.100.0/24", "dev", "tun0")
    hosts = [f"198.51.100.{n}" for n in range(60)]
    command = "fping", "-q", "-c", 3, "-p", 100, "-i", 1, FPING_TIMEOUT
    done = quiet_host.run(*command, *hosts, env=environment())
    assert done.returncode == 0, done.stderr
    assert daemon.stop() == 0
    assert accounted_for(daemon.log) == (60, 180)
    (total,) = Sum.all_in(daemon.log)
    assert total == (50, 150, 0, 0, 0)


@pytest.mark.parametrize(
    "source, peer", [("10.0.0.1", IPV4[1]), ("2001:db8::1", IPV6[1])], ids=["ipv4", "ipv6"]
)
def test_many_sources(quiet_host, source, peer):
    """Spoofed sources take no memory, few entries, and each of their packets is accounted for."""
    daemon = quiet_host.start("tun0")
    # What a load needs at all, and what it takes to close sessions and to log them.
    begin = time.monotonic()
    with daemon.held_back():
        first = flood(quiet_host, (source, peer), "-c", FILLING, "-n", 2 * SESSIONS_MAX)
    daemon.totals_of(first)
    memory = daemon.private_memory()

    accepted = flood(quiet_host, (source, peer), "-c", SOURCES, "-n", SOURCES)
    assert accepted >= SOURCES
    quiet_host.ping(peer).assert_answered(3)
    daemon.assert_not_grown(memory, MEMORY_KILOBYTES)
    assert daemon.stop() == 0

    assert_readable(daemon.log, time.monotonic() - begin)
    totals = daemon.final_totals()
    assert totals.packets == totals.replies == first + accepted + 3
    sessions, requests = accounted_for(daemon.log)
    assert requests == totals.replies
    assert sessions > accepted, "each source is one of its own"
