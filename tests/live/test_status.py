# SPDX-License-Identifier: GPL-2.0-or-later
"""The status socket: a whole snapshot for whoever reads, however many they are, and no ping lost for it."""

import contextlib
import os
import pwd
import re
import resource
import signal
import time
from pathlib import Path

import pytest

from harness import Host, Sender, wait_until
from packets import IPV4, Tunecho, answer, assert_answers_a_load, echo

PEER4, PEER6 = "198.18.0.2", "2001:2::2"
CLIENTS, DEAD, WAITING = 1000, 300, 200

# Of what is written to for the first time; a client that is kept costs more.
MEMORY_KILOBYTES = 512

KEYS = """INTERFACE VERSION PID STATE MTU ENGINE UPTIME_USEC SESSIONS SESSIONS_OPENED SESSIONS_EVICTED PACKETS
    REPLIES DROPPED UNSENT REFUSED""".split()
VERDICTS = """REPLY REPLY_FRAGMENT MALFORMED NOT_ICMP ICMP_ERROR HOUSEKEEPING NOT_ECHO BAD_IP_CHECKSUM
    BAD_ICMP_CHECKSUM BAD_SOURCE BAD_DESTINATION NOT_OURS GROUP_DESTINATION SOURCE_ROUTE BAD_OPTION UNSUPPORTED""".split()


@pytest.fixture(autouse=True)
def room_for_clients():
    """As many descriptors as the clients of a test are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def place(host):
    return host.status_directory("tun0") / "status"


def read_all(client):
    with client:
        return b"".join(iter(lambda: client.recv(65536), b"")).decode()


class Snapshot:
    """What a client reads, which is whole and adds up."""

    def __init__(self, text):
        assert text.endswith("\n"), f"cut off: {text!r}"
        lines = [line.split("=", 1) for line in text.splitlines()]
        assert all(len(line) == 2 for line in lines), text
        self.pings = [value for key, value in lines if key == "TUNECHO_PING"]
        names = [key.removeprefix("TUNECHO_") for key, _ in lines if key != "TUNECHO_PING"]
        assert len(names) == len(set(names)), text
        assert set(KEYS + VERDICTS) <= set(names), text
        self.values = {key.removeprefix("TUNECHO_"): value for key, value in lines}
        verdicts = {name: int(self.values[name]) for name in VERDICTS}
        assert self["PACKETS"] == sum(verdicts.values()) == self["REPLIES"] + self["DROPPED"], text
        assert self["REPLIES"] == verdicts["REPLY"] + verdicts["REPLY_FRAGMENT"], text

    def __getitem__(self, name):
        value = self.values[name]
        return int(value) if value.isdigit() else value


def ask(host):
    return Snapshot(read_all(host.connect_status()))


def descriptors(daemon):
    """How many, without the ring's, which the first load makes."""
    return sum("io_uring" not in name for name, _ in daemon.descriptors().values())


def test_what_it_says(host):
    host.silence()
    daemon = host.start("tun0")
    snapshot = ask(host)
    assert (snapshot["INTERFACE"], snapshot["PID"], snapshot["STATE"]) == ("tun0", daemon.pid, "running")
    assert (snapshot["MTU"], snapshot["PACKETS"], snapshot["SESSIONS"]) == (1500, 0, 0)
    assert snapshot["ENGINE"] in ("io_uring", "syscall")
    assert snapshot.pings == [PEER4, PEER6]

    host.ping(PEER4).assert_answered(3)
    host.ping(PEER6, "-s", 4000).assert_answered(3)
    later = ask(host)
    assert (later["REPLY"], later["REPLY_FRAGMENT"], later["SESSIONS"]) == (6, 6, 2)
    assert later["UPTIME_USEC"] > snapshot["UPTIME_USEC"]
    assert daemon.stop() == 0
    assert daemon.final_totals()[:3] == (later["PACKETS"], later["REPLIES"], later["DROPPED"])


@pytest.mark.parametrize(
    "config, pings",
    [
        ("[Network]\nAddress=10.99.0.1/24\nPeer=10.99.0.9\n", ["10.99.0.9"]),
        ("[Network]\nAddress=2001:db8::1/64\nPeer=2001:db8::9\n", ["2001:db8::9"]),
        ("[Network]\nConfigure=no\n", []),
    ],
    ids=["ipv4", "ipv6", "none"],
)
def test_what_to_ping(host, config, pings):
    host.start("tun0", config=config)
    assert ask(host).pings == pings


def test_a_refused_reload(host):
    daemon = host.start("tun0", config="[Device]\nMTUBytes=1400\n")
    assert (ask(host)["STATE"], ask(host)["MTU"]) == ("running", 1400)
    host.configure("[Device]\nMTUBytes=1\n")
    daemon.reload()
    assert (ask(host)["STATE"], ask(host)["MTU"]) == ("reload-refused", 1400)
    host.configure("[Device]\nMTUBytes=1300\n")
    daemon.reload()
    assert (ask(host)["STATE"], ask(host)["MTU"]) == ("running", 1300)


def test_a_thousand_clients(host):
    """At once, again and again, beside some that never read, and some that are gone before they are served."""
    daemon = host.start("tun0")
    assert_answers_a_load(host, daemon)
    Sender.flood(host, PEER4, 3000)
    ask(host)
    before, memory = descriptors(daemon), daemon.private_memory()
    most = before

    with Sender(host, PEER4) as four, Sender(host, PEER6) as six, contextlib.ExitStack() as dead:
        with host.background("ping", "-q", "-f", PEER4):
            for _ in range(DEAD):
                dead.enter_context(host.connect_status())
            for _ in range(3):
                clients = [host.connect_status() for _ in range(CLIENTS)]
                for _ in range(100):
                    host.connect_status().close()
                most = max(most, descriptors(daemon))
                for client in clients[:: CLIENTS // 10]:
                    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                        client.send(bytes(10000))
                texts = [read_all(client) for n, client in enumerate(clients) if n % (CLIENTS // 10)]
                assert len(texts) == CLIENTS - 10
                for text in texts:
                    assert Snapshot(text)["PID"] == daemon.pid
                for client in clients:
                    client.close()
            four.wait(10)
            six.wait(10)

        assert most <= before + 1, "one client at a time"
        wait_until(lambda: descriptors(daemon) == before, "the descriptors of before")
        daemon.assert_not_grown(memory, MEMORY_KILOBYTES)
        assert ask(host)["PACKETS"] > 1000

    four.assert_nothing_lost()
    six.assert_nothing_lost()


def test_packets_are_not_behind_clients(host, each_engine):
    """All wait at the same time. Every packet is answered though no client reads; each has its snapshot then."""
    host.silence()
    daemon = host.start("tun0")
    with Tunecho(host, "tun0", *IPV4) as tunecho:
        with daemon.held_back():
            clients = [host.connect_status() for _ in range(CLIENTS)]
            for number in range(WAITING):
                tunecho.send(echo(seq=number))
        assert tunecho.receive_all(WAITING) == [answer(seq=number) for number in range(WAITING)]
        counted = [Snapshot(read_all(client))["PACKETS"] for client in clients]
    # They are served in the order in which they came, and what is counted does not decrease.
    assert counted == sorted(counted)
    served = sum(count < WAITING for count in counted)
    print(f"{served} clients were served before the last packet was counted")
    daemon.totals_of(WAITING)
    assert ask(host)["PACKETS"] == WAITING
    daemon.assert_batched()


def test_a_signal_does_not_wait_for_clients(host):
    """It stops though clients wait, none of which reads. Each has a whole snapshot then, or nothing."""
    daemon = host.start("tun0")
    with daemon.held_back():
        clients = [host.connect_status() for _ in range(CLIENTS)]
        daemon.process.send_signal(signal.SIGTERM)
    assert daemon.wait() == 0

    served = 0
    for client in clients:
        with contextlib.suppress(ConnectionResetError):
            text = read_all(client)
            served += bool(text and Snapshot(text))
    print(f"{served} of {CLIENTS} clients were served before the end")


def test_no_descriptor_is_left(host):
    """Who cannot be let in waits; pings do not, and nothing spins."""
    daemon = host.start("tun0")
    ask(host)
    used = len(daemon.descriptors())
    limits = re.search(r"^Max open files +(\d+)", Path(f"/proc/{daemon.pid}/limits").read_text(), re.M)
    daemon.limit_descriptors(used)
    with host.connect_status() as client:
        host.ping(PEER4).assert_answered(3)
        daemon.wait_idle()
        host.ping(PEER6).assert_answered(3)
        daemon.limit_descriptors(limits[1])
        host.ping(PEER4).assert_answered(3)
        assert Snapshot(read_all(client))["PID"] == daemon.pid


def test_a_socket_that_was_left_behind(host):
    daemon = host.start("tun0")
    daemon.process.send_signal(signal.SIGKILL)
    daemon.wait()
    assert place(host).is_socket()
    with pytest.raises(ConnectionRefusedError):
        host.connect_status()

    successor = host.start("tun0")
    assert ask(host)["PID"] == successor.pid
    assert successor.stop() == 0
    assert not list(place(host).parent.glob("*")), "what it made is removed, except the directory"


@pytest.mark.root("another user")
@pytest.mark.parametrize("made", ["tunecho", "tunecho/tun0"])
def test_a_directory_of_another_user(host, made):
    """It is refused and stays as it is, unless it belongs to the user that the daemon becomes."""
    host.status_directory("tun0").mkdir(parents=True)
    directory = host.run_directory / made
    other = pwd.getpwnam("daemon")
    os.chown(directory, other.pw_uid, other.pw_gid)
    directory.chmod(0o777)
    daemon = host.start("tun0")
    assert re.search("has no status socket.*Operation not permitted", daemon.log)
    host.ping(PEER4).assert_answered(3)
    assert daemon.stop() == 0
    assert (directory.stat().st_uid, directory.stat().st_mode & 0o777) == (other.pw_uid, 0o777)
    daemon = host.start("tun0", "--user=daemon")
    assert ask(host)["PID"] == daemon.pid
    assert daemon.stop() == 0


def test_a_link_in_its_place(host, tmp_path):
    target = tmp_path / "target"
    target.mkdir(0o700)
    host.status_directory("tun0").parent.mkdir()
    host.status_directory("tun0").symlink_to(target)
    daemon = host.start("tun0")
    assert "has no status socket" in daemon.log
    assert daemon.stop() == 0
    assert target.stat().st_mode & 0o777 == 0o700 and not list(target.iterdir())


@pytest.mark.parametrize("user", [[], ["--user=daemon"]], ids=["nobody", "daemon"])
def test_who_may_ask(host, user):
    daemon = host.start("tun0", *user)
    assert place(host).stat().st_mode & 0o777 == 0o666
    assert place(host).parent.stat().st_mode & 0o777 == 0o711
    ask(host)
    assert daemon.stop() == 0
    assert not place(host).exists()


def test_another_of_the_same_name(host, tmp_path):
    """In another network namespace, and with the same /run: the first one keeps its socket."""
    first = host.start("tun0")
    with Host(tmp_path / "other") as other:
        second = other.start("tun0", setup=f"mount --bind {host.run_directory} /run")
        assert "has no status socket" in second.log
        for where in host, other:
            where.ping(PEER4).assert_answered(3)
        assert ask(host)["PID"] == first.pid
        assert second.stop() == 0
        assert ask(host)["PID"] == first.pid


@pytest.mark.parametrize(
    "setup",
    ["mount -o remount,ro,bind /run", "touch /run/tunecho", "mkdir -p /run/tunecho/tun0/status/x"],
    ids=["read-only", "a file in its place", "a directory in its place"],
)
def test_no_place_for_it(host, setup):
    """A warning, and pings are answered."""
    daemon = host.start("tun0", setup=setup)
    assert "has no status socket" in daemon.log
    for peer in PEER4, PEER6:
        host.ping(peer).assert_answered(3)
    assert daemon.stop() == 0


def test_the_managers_directory(host, tmp_path):
    directory = tmp_path / "managed"
    directory.mkdir()
    daemon = host.start("tun0", env={"RUNTIME_DIRECTORY": str(directory)}.items())
    if len(str(directory)) > 90:
        assert "has no status socket" in daemon.log, "there is no address for it"
    else:
        assert (directory / "status").is_socket()
    assert not place(host).exists()
    assert daemon.stop() == 0
    assert directory.is_dir() and not list(directory.iterdir()), "it is the manager's to remove"
