# SPDX-License-Identifier: GPL-2.0-or-later
"""The clients that people ping with: none loses a packet, and none complains.

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
    "wrong|mismatch|different|dup|truncated|corrupt|error|warn|unreachable|invalid|timed? ?out", re.I
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


@pytest.fixture
def run(shared_host, tun0):
    """A function that runs a client to its end, and returns what it said, which is no complaint."""

    def client(program, *arguments):
        if not shutil.which(program):
            pytest.skip(f"need {program}")
        done = shared_host.run(program, *arguments, env=environment(), stdin=subprocess.DEVNULL)
        output = done.stdout + done.stderr
        assert done.returncode == 0, output
        assert not COMPLAINTS.search(output), output
        return output

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
    shared_host.ping(peer, *options, count=20).assert_answered(20)


@pytest.mark.parametrize("options", [["-R"], ["-T", "tsonly"], ["-T", "tsandaddr"], ["-b"]], ids=" ".join)
def test_iputils_ipv4(shared_host, tun0, options):
    shared_host.ping(IPV4, *options, count=20).assert_answered(20)


def test_iputils_flow_label(shared_host, tun0):
    shared_host.ping(IPV6, "-F", "12345", count=20).assert_answered(20)


# In milliseconds. Left to itself, fping(8) waits for no reply longer than until the next request.
PATIENCE = f"-t{LIMIT * 1000}"


@pytest.mark.parametrize("size", [0, 56, 1400, 20000])
@PEERS
def test_fping(run, peer, size):
    assert "xmt/rcv/%loss = 20/20/0%" in run("fping", "-c20", "-p10", PATIENCE, f"-b{size}", peer)


def test_fping_of_many(run):
    """The peers of both families at once, each answered."""
    output = run("fping", "-c5", "-p20", PATIENCE, IPV4, IPV6)
    assert output.count("xmt/rcv/%loss = 5/5/0%") == 2


@pytest.mark.parametrize(
    "options", [[], ["--data-length=1400"], ["--ttl=1"], ["--tos=184"], ["--df"]], ids=" ".join
)
def test_nping(run, options):
    """Of IPv4 alone: of IPv6 it cannot capture the replies where there is no Ethernet."""
    output = run("nping", "--icmp", "-c5", "--delay=5ms", *options, IPV4)
    assert re.search(r"Raw packets sent: 5 .* Rcvd: 5 .* Lost: 0 \(0\.00%\)", output)


@pytest.mark.parametrize(
    "options", [[], ["-d", "1000"], ["--ttl", "1"], ["--tos", "b8"], ["--icmp-ipid", "0"]], ids=" ".join
)
def test_hping3(run, options):
    output = run("hping3", "--icmp", "-c", 5, "-i", "u5000", *options, IPV4)
    assert "5 packets transmitted, 5 packets received, 0% packet loss" in output


@PEERS
def test_mtr(run, peer):
    """One hop, which is the peer."""
    output = run("mtr", "--report", "--no-dns", "-c10", "-i0.05", "--gracetime=1", peer)
    (hop,) = re.findall(r"^ +(\d+)\.\S* (\S+) +(\S+)% +(\d+) ", output, re.MULTILINE)
    assert hop == ("1", peer, "0.0", "10")


@PEERS
def test_traceroute(run, peer):
    output = run("traceroute", "-n", "-I", peer)
    assert re.findall(r"^ *(\d+)  (\S+)  [\d.]+ ms  [\d.]+ ms  [\d.]+ ms$", output, re.MULTILINE) == [
        ("1", peer)
    ]


@PEERS
def test_busybox(run, peer):
    output = run("busybox", "ping", "-c3", "-i0.1", f"-W{LIMIT}", peer)
    assert "3 packets transmitted, 3 packets received, 0% packet loss" in output


@pytest.mark.parametrize("program, peer", [("ping", IPV4), ("ping6", IPV6)])
@pytest.mark.parametrize("count, size", [(2, 56), (1, 0), (1, 4000)])
def test_inetutils(run, inetutils, program, peer, count, size):
    output = run(inetutils / program, f"-c{count}", f"-s{size}", peer)
    assert f"{count} packets transmitted, {count} packets received, 0% packet loss" in output


def test_inetutils_route(run, inetutils):
    output = run(inetutils / "ping", "-c1", "-R", "-n", IPV4)
    assert re.findall(r"198\.18\.0\.\d+$", output.partition("RR:")[2], re.MULTILINE)[:2] == [
        "198.18.0.1",
        IPV4,
    ]
