# SPDX-License-Identifier: GPL-2.0-or-later
"""The clients that people ping with: none loses a packet, and none complains.

Most of them take what comes late for lost, and have no option to wait longer; so a run that lost some is
repeated.

inetutils' ping cannot be installed beside iputils'; its package is unpacked into
the build directory instead, once, from wherever apt gets packages.
"""

import re
import shutil
import subprocess

import pytest

from harness import BUILD, LIMIT, environment

IPV4, IPV6 = "198.18.0.2", "2001:2::2"
PEERS = pytest.mark.parametrize("peer", [IPV4, IPV6])

COMPLAINTS = re.compile(
    "wrong|mismatch|different|dup|truncated|corrupt|error|warn|unreachable|invalid", re.I
)


@pytest.fixture(scope="module")
def tun0(shared_host):
    return shared_host.start("tun0")


@pytest.fixture(scope="module")
def inetutils():
    """The directory of inetutils' ping and ping6."""
    directory = BUILD / "inetutils-ping"
    if not list(directory.glob("**/ping6")):
        directory.mkdir(exist_ok=True)
        for command in ["apt-get", "download", "inetutils-ping"], [
            "sh",
            "-c",
            "dpkg -x inetutils-ping_*.deb .",
        ]:
            try:
                subprocess.run(command, cwd=directory, check=True, capture_output=True, timeout=60)
            except (OSError, subprocess.SubprocessError):
                pytest.skip("need Debian's package inetutils-ping")
    return next(directory.glob("**/ping6")).parent  # bin, later than Debian 12 usr/bin


TRIES = 10


@pytest.fixture
def run(shared_host, tun0):
    """A function that runs a client until it prints what is expected, and no complaint; returns what matches."""

    def client(expected, program, *arguments):
        if not shutil.which(program):
            pytest.skip(f"need {program}")
        for _ in range(TRIES):
            done = shared_host.run(program, *arguments, env=environment(), stdin=subprocess.DEVNULL)
            output = done.stdout + done.stderr
            assert not COMPLAINTS.search(output), output
            matches = re.findall(expected, output, re.MULTILINE)
            if matches and done.returncode == 0:
                return matches
        raise AssertionError(f"{TRIES} runs, none of which printed {expected!r}:\n{output}")

    return client


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["-A"],
        ["-f"],
        ["-Q", "0xb8"],
        ["-M", "do"],
        ["-s", "0"],
        ["-s", "1400"],
        ["-s", "4000"],
        ["-p", "00"],
        ["-p", "ff"],
        ["-p", "c0ffee"],
        ["-t", "1"],
        ["-t", "255"],
        ["-D"],
        ["-U"],
        ["-e", "4711"],
        ["-I", "tun0"],
        ["-m", "7"],
    ],
    ids=" ".join,
)
@PEERS
def test_iputils(shared_host, tun0, peer, options):
    for _ in range(TRIES):
        ping = shared_host.ping(peer, *options, count=20)
        # With these, it waits for the last replies no longer than twice the round trip takes.
        if ping.received == 20 or not {"-A", "-f"} & set(options):
            break
    ping.assert_answered(20)


@pytest.mark.parametrize("options", [["-R"], ["-T", "tsonly"], ["-T", "tsandaddr"], ["-b"]], ids=" ".join)
def test_iputils_ipv4(shared_host, tun0, options):
    shared_host.ping(IPV4, *options, count=20).assert_answered(20)


def test_iputils_flow_label(shared_host, tun0):
    shared_host.ping(IPV6, "-F", "12345", count=20).assert_answered(20)


# In milliseconds. By itself, fping(8) waits for no reply longer than until the next request.
FPING_TIMEOUT = f"-t{LIMIT * 1000}"


@pytest.mark.parametrize("size", [0, 56, 1400, 20000])
@PEERS
def test_fping(run, peer, size):
    run("xmt/rcv/%loss = 20/20/0%", "fping", "-c20", "-p10", FPING_TIMEOUT, f"-b{size}", peer)


def test_fping_of_many(run):
    """The peers of both families at once, each answered."""
    assert len(run("xmt/rcv/%loss = 5/5/0%", "fping", "-c5", "-p20", FPING_TIMEOUT, IPV4, IPV6)) == 2


@pytest.mark.parametrize(
    "options", [[], ["--data-length=1400"], ["--ttl=1"], ["--tos=184"], ["--df"]], ids=" ".join
)
def test_nping(run, options):
    """Of IPv4 alone: of IPv6 it cannot capture the replies where there is no Ethernet."""
    sent = r"Raw packets sent: 5 .* Rcvd: 5 .* Lost: 0 \(0\.00%\)"
    run(sent, "nping", "--icmp", "-c5", "--delay=5ms", *options, IPV4)


@pytest.mark.parametrize(
    "options", [[], ["-d", "1000"], ["--ttl", "1"], ["--tos", "b8"], ["--icmp-ipid", "0"]], ids=" ".join
)
def test_hping3(run, options):
    sent = "5 packets transmitted, 5 packets received, 0% packet loss"
    run(sent, "hping3", "--icmp", "-c", 5, "-i", "u5000", *options, IPV4)


@PEERS
def test_mtr(run, peer):
    """One hop, which is the peer."""
    hop = r"^ +(\d+)\.\S* (\S+) +0\.0% +10 "
    assert run(hop, "mtr", "--report", "--no-dns", "-c10", "-i0.05", "--gracetime=1", peer) == [("1", peer)]


@PEERS
def test_traceroute(run, peer):
    hop = r"^ *(\d+)  (\S+)  [\d.]+ ms  [\d.]+ ms  [\d.]+ ms$"
    assert run(hop, "traceroute", "-n", "-I", f"-w{LIMIT},0,0", peer) == [("1", peer)]


@PEERS
def test_busybox(run, peer):
    sent = "3 packets transmitted, 3 packets received, 0% packet loss"
    run(sent, "busybox", "ping", "-c3", "-i0.1", f"-W{LIMIT}", peer)


@pytest.mark.parametrize("program, peer", [("ping", IPV4), ("ping6", IPV6)])
@pytest.mark.parametrize("count, size", [(2, 56), (1, 0), (1, 4000)])
def test_inetutils(run, inetutils, program, peer, count, size):
    sent = f"{count} packets transmitted, {count} packets received, 0% packet loss"
    run(sent, inetutils / program, f"-c{count}", f"-s{size}", peer)


def test_inetutils_route(run, inetutils):
    (route,) = run(r"RR:((?:\s+198\.18\.0\.\d+$)+)", inetutils / "ping", "-c1", "-R", "-n", IPV4)
    assert route.split()[:2] == ["198.18.0.1", IPV4]
