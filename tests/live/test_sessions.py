# SPDX-License-Identifier: GPL-2.0-or-later
"""tunechoctl sessions of a daemon that runs: what it shows of each ping, to whom, and what it costs."""

import contextlib
import json
import os
import re
import subprocess

import pytest

from fakes import CLIENT
from harness import LIMIT, THREAD_SANITIZED, Sender, environment, sanitizer_complaint, wait_until
from packets import IPV4, IPV6, Tunecho, echo, echo6

SESSIONS_MAX = 256
CLIENTS = 200

# Of what is written to for the first time; the lists that the clients do not read are far more.
MEMORY_KILOBYTES = 512

HINT = "addresses are shown to root and the groups adm and systemd-journal"


def ctl(host, *arguments, user=()):
    """Run the client on the host's /run. Another user finds it by a descriptor: the build may be closed to others."""
    program = os.open(CLIENT, os.O_RDONLY)
    prefix = ("setpriv", *user, "--bounding-set=-all") if user else ()
    how = {"binary": f"/proc/self/fd/{program}", "prefix": prefix}
    run = {"capture_output": True, "text": True, "timeout": 2 * LIMIT, "env": environment(), "pass_fds": [program]}
    try:
        done = subprocess.run(host.daemon_command(*arguments, **how), check=False, **run)
    finally:
        os.close(program)
    complaint = sanitizer_complaint(done.stderr)
    assert not complaint, complaint
    return done


def sessions(host, *arguments, user=()):
    """The first instance as JSON."""
    return json.loads(ctl(host, "sessions", "--json", *arguments, user=user).stdout)[0]


def send(host, daemon, packets, expected=None):
    """Send packets into the device, and wait until they are counted."""
    before = daemon.totals().packets
    with Tunecho(host, "tun0", *IPV4) as tunecho:
        for packet in packets:
            tunecho.send(packet)
        daemon.totals_of(before + len(packets))


@pytest.fixture
def daemon(host):
    host.silence()
    return host.start("tun0")


def test_figures(host, daemon):
    """Of two pings: what the entry in the journal would say, the one with the latest request first."""
    numbers = [1, 2, 3, 6, 5, 5]
    send(host, daemon, [echo(id=4711, seq=seq, ttl=63 + seq % 2) for seq in numbers])
    send(host, daemon, [echo6(id=4712, seq=1)])
    answer = sessions(host)
    assert (answer["interface"], answer["state"], answer["open"]) == ("tun0", "running", 2)
    assert answer["recording"] is answer["addresses"] is True
    latest, first = answer["sessions"]
    assert (latest["from"], latest["to"], latest["identifier"], latest["requests"]) == (*IPV6, 4712, 1)
    assert (first["from"], first["to"], first["identifier"], first["requests"]) == (*IPV4, 4711, 6)
    assert (first["sequence_first"], first["sequence_last"]) == (1, 6)
    assert (first["duplicates"], first["reordered"], first["refused"]) == (1, 1, 0)
    assert (first["hop_limit_min"], first["hop_limit_max"]) == (63, 64)
    assert first["length_min"] == first["length_max"] == 84
    assert latest["idle_usec"] <= first["idle_usec"]

    table = ctl(host, "sessions", "tun0")
    assert (table.returncode, table.stderr) == (0, "")
    heading, *lines = table.stdout.splitlines()
    assert heading.split() == (
        "INTERFACE FROM TO ID REQUESTS MISSING DUPLICATE REORDERED TTL SIZE SEEN REFUSED".split()
    )
    assert lines[0].split()[:5] == ["tun0", *IPV6, "4712", "1"]
    assert any("63 to 64" in line for line in lines)


def test_refused(host, daemon):
    """By whom, and why."""
    send(host, daemon, [echo(id=4711, seq=seq) for seq in (1, 2, 3)])
    from scapy.layers.inet import ICMP, IP

    quoted = IP(src=IPV4[1], dst=IPV4[0]) / ICMP(type=0, id=4711, seq=2)
    send(host, daemon, [bytes(IP(src="192.0.2.9", dst=IPV4[1]) / ICMP(type=3, code=4, nexthopmtu=1280) / quoted)])
    (session,) = sessions(host)["sessions"]
    assert (session["refused"], session["reporter"], session["reason"]) == (1, "192.0.2.9", "packet too big")
    assert (session["type"], session["code"], session["path_mtu"]) == (3, 4, 1280)
    table = ctl(host, "sessions").stdout
    assert "by 192.0.2.9" in table and "packet too big, MTU 1280" in table


def test_unknown_missing(host, daemon):
    """The reason in words; a client whose numbers do not count."""
    send(host, daemon, [echo(id=4711, seq=7)] * 5)
    (session,) = sessions(host)["sessions"]
    assert "missing" not in session and session["unknown"] == "no-count"
    assert re.search(r"unknown.*\n.*numbers do not count", ctl(host, "sessions").stdout)


def test_end(host, daemon):
    """A ping that has paused is in the journal, and in the list no more."""
    send(host, daemon, [echo(id=4711, seq=seq) for seq in (1, 2, 3)])
    assert sessions(host)["open"] == 1
    wait_until(lambda: "id 4711: 3 requests" in daemon.log, "the entry")
    answer = sessions(host)
    assert (answer["open"], answer["sessions"]) == (0, [])
    assert ctl(host, "sessions").stdout == ""


def group_id(host, name):
    return re.search(rf"^{name}:[^:]*:(\d+):", (host.etc / "group").read_text(), re.M)[1]


NOBODY = "--reuid=65534", "--regid=65534"


@pytest.mark.parametrize(
    "user, group, sees",
    [
        ((), None, True),
        ((*NOBODY, "--clear-groups"), None, False),
        (("--reuid=12345", "--regid=12345", "--groups=54321,54322"), None, False),
        ((*NOBODY, "--groups=12345,{}"), "adm", True),
        ((*NOBODY, "--groups={}"), "systemd-journal", True),
        (("--reuid=12345", "--regid={}", "--clear-groups"), "adm", True),
    ],
    ids=["root", "nobody", "other groups", "adm", "systemd-journal", "adm as the group of the user"],
)
@pytest.mark.root("another user")
def test_who_sees_addresses(host, daemon, user, group, sees):
    """The daemon is nobody, too, which is the user of other services and every user that is unknown."""
    assert daemon.status()["Uid"].split()[0] == "65534"
    send(host, daemon, [echo(id=4711, seq=seq) for seq in (1, 2, 3)])
    if group:
        user = [option.format(group_id(host, group)) for option in user]
    answer = sessions(host, user=user)
    (session,) = answer["sessions"]
    assert answer["addresses"] is sees
    assert (session["identifier"], session["requests"]) == (4711, 3)
    assert ("from" in session, "to" in session) == (sees, sees)

    done = ctl(host, "sessions", user=user)
    assert done.returncode == 0
    assert (IPV4[1] in done.stdout, HINT in done.stderr) == (sees, not sees)
    assert sees == ("FROM" in done.stdout)


@pytest.mark.root("another user")
def test_the_daemons_user(host):
    """One that is not nobody sees what its own daemon has."""
    host.silence()
    daemon = host.start("tun0", "--user=daemon")
    send(host, daemon, [echo(id=4711, seq=1)])
    uid, gid = (daemon.status()[name].split()[0] for name in ("Uid", "Gid"))
    assert sessions(host, user=(f"--reuid={uid}", "--regid=12345", "--clear-groups"))["addresses"] is True
    assert sessions(host, user=("--reuid=12345", f"--regid={gid}", "--clear-groups"))["addresses"] is False


@pytest.mark.root("another user")
def test_a_user_namespace(host):
    """A daemon that is root of a user namespace: its own user is root there, the others are unknown."""
    daemon = host.launch("tun0", prefix=("unshare", "--user", "--map-root-user", "--net"))
    wait_until(lambda: "'tun0' is ready" in daemon.log, "the daemon")
    with host.connect_status(name="sessions") as client, client.makefile() as lines:
        assert "TUNECHO_ADDRESSES=yes\n" in list(lines)
    stranger = sessions(host, user=("--reuid=12345", "--regid=12345", "--clear-groups"))
    assert stranger["addresses"] is False
    assert daemon.stop() == 0


def test_nothing_is_recorded(host):
    host.silence()
    daemon = host.start("tun0", config="[Log]\nSessions=no\n")
    send(host, daemon, [echo(id=4711, seq=1)])
    answer = sessions(host)
    assert (answer["recording"], answer["sessions"]) == (False, [])
    assert "Sessions=no" in ctl(host, "sessions").stderr


def requests_of_all():
    """A request of as many pings as there can be."""
    return [echo(id=identifier) for identifier in range(1000, 1000 + SESSIONS_MAX)]


def test_no_ping_is_lost(host, daemon):
    """All sessions that there can be are listed again and again beside pings, all of which are answered."""
    packets = requests_of_all()
    with Sender(host, IPV4[1], rate=2000) as sender, Tunecho(host, "tun0", *IPV4) as tunecho:

        def are_all_listed():
            for packet in packets:
                tunecho.send(packet)
            answer = sessions(host)
            return answer.get("open") == len(answer.get("sessions", [])) == SESSIONS_MAX

        for _ in range(20):
            wait_until(are_all_listed, f"{SESSIONS_MAX} sessions")
            sender.wait(10)
    sender.assert_nothing_lost()


def test_clients_that_do_not_read(host, daemon):
    """They cost neither memory of the daemon nor a descriptor, and hold nothing up; each has a whole list."""

    def connect():
        return host.connect_status(name="sessions")

    def read_all(client):
        return b"".join(iter(lambda: client.recv(65536), b"")).decode()

    send(host, daemon, requests_of_all())
    with connect() as client:
        assert read_all(client).count("\n\n") > 1
    before, memory = len(daemon.descriptors()), daemon.private_memory()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect()) for _ in range(CLIENTS)]
        host.ping(IPV4[1]).assert_answered(3)
        with connect() as client:
            assert read_all(client), "it is answered behind them"
        wait_until(lambda: len(daemon.descriptors()) == before, "the descriptors of before")
        if not THREAD_SANITIZED:
            daemon.assert_not_grown(memory, MEMORY_KILOBYTES)
        for client in clients:
            text = read_all(client)
            listed = int(re.search(r"^TUNECHO_SESSIONS=(\d+)$", text, re.M)[1])
            assert text.endswith("\n\n") and text.count("\n\n") == 1 + listed
