# SPDX-License-Identifier: GPL-2.0-or-later
"""Nothing holds a packet up: not a journal, a systemd, a terminal or a client that does not read, nor netlink."""

import contextlib
import os
import signal
import socket
import time

import pytest

from harness import Sender, Store, wait_until
from packets import IPV4 as ENDS
from packets import Tunecho, echo

SECONDS = 10
RATE = 100


@pytest.fixture
def store():
    with Store() as store:
        yield store


def fill_pipe(write_end):
    os.set_blocking(write_end, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(write_end, b"x" * 4096)
    os.set_blocking(write_end, True)


def read_status(host):
    with host.connect_status() as client, client.makefile("rb") as status:
        return status.read()


class Blocked:
    """Four instances, each with another reader that does not read."""

    def __init__(self, host, stack):
        self.host = host
        self.stack = stack

    def start(self, number, env=(), prefix=(), **how):
        settings = f"[Log]\nPackets=yes\n[Network]\nAddress=10.9.{number}.1\nPeer=10.9.{number}.2\n"
        path = self.host.configure(settings, f"blocked{number}.conf")
        return self.host.start(
            f"--config={path}", f"blocked{number}", env={"WATCHDOG_USEC": "1000000", **dict(env)}, prefix=prefix, **how
        )

    def systemd(self, number):
        daemon = self.start(number)
        daemon.fill_notifications()
        return daemon

    def journal(self, number):
        directory = self.host.run_directory / "systemd" / "journal"
        directory.mkdir(parents=True)
        journal = self.stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        descriptor = os.open(directory, os.O_PATH)
        self.stack.callback(os.close, descriptor)
        journal.bind(f"/proc/self/fd/{descriptor}/socket")
        # stderr counts as the journal's where its device and inode are those of the variable.
        stream = 'export JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2); exec "$@"'
        daemon = self.start(number, prefix=("sh", "-c", stream, "sh"))
        with self.stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as other:
            other.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                for _ in range(10000):
                    other.sendto(b"MESSAGE=other\n", f"/proc/self/fd/{descriptor}/socket")
        return daemon

    def stderr(self, number):
        read_end, write_end = os.pipe()
        self.stack.callback(os.close, read_end)
        daemon = self.start(number, stderr=write_end)
        fill_pipe(write_end)
        os.close(write_end)
        return daemon

    def client(self, number):
        daemon = self.start(number)
        for _ in range(50):
            self.stack.enter_context(self.host.connect_status(f"blocked{number}"))
        return daemon


def test_readers_that_do_not_read(host):
    """With an entry for each packet and a watchdog of a second; SIGTERM ends each of them all the same."""
    with contextlib.ExitStack() as stack:
        blocked = Blocked(host, stack)
        kinds = blocked.systemd, blocked.journal, blocked.stderr, blocked.client
        daemons = [start(number) for number, start in enumerate(kinds)]
        with contextlib.ExitStack() as sending:
            senders = [sending.enter_context(Sender(host, f"10.9.{n}.2", RATE)) for n in range(len(kinds))]
            for sender in senders:
                sender.wait(RATE * SECONDS)
        for sender in senders:
            sender.assert_nothing_lost()
            slowest = max(sender.answered[number] - sent for number, sent in sender.sent.items())
            print(f"slowest round trip: {1000 * slowest:.1f} ms")
        for daemon in daemons:
            assert daemon.stop() == 0


def test_storm_of_link_events(host, each_engine):
    """Events that netlink has lost, and then an MTU that is larger: no packet is cut."""
    host.silence()
    daemon = host.start("tun0")
    host.ip("tuntap", "add", "dev", "other0", "mode", "tun")
    with daemon.held_back():
        # More events than the daemon's socket holds.
        storm = "".join(f"link set other0 {state}\n" for _ in range(2000) for state in ("up", "down"))
        done = host.run("ip", "-batch", "-", input=storm)
        assert done.returncode == 0, done.stderr
        host.ip("link", "set", "tun0", "mtu", 9000)

    with Tunecho(host, "tun0", *ENDS, daemon) as tunecho:
        requests = [echo(bytes(8900), seq=number) for number in range(300)]
        (replies,) = tunecho.ask_all([requests])
        assert len(replies) == len(requests)
    assert not daemon.totals().verdicts["malformed"]
    wait_until(lambda: b"TUNECHO_MTU=9000\n" in read_status(host), "the MTU in the status")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_immediate_start(host, each_engine, number):
    """Without systemd, the next process has the name at once, however the last one ended."""
    for _ in range(8):
        daemon = host.start("tun0")
        with host.flood("198.18.0.2"):
            wait_until(lambda: daemon.totals().replies > 100, "traffic")
            daemon.process.send_signal(number)
            daemon.wait()
    host.start("tun0")
    host.ping("198.18.0.2").assert_answered(3)


@pytest.mark.root("a rule for other users")
def test_restart_under_policy_routing(host, store):
    """A rule that means other users leads the daemon's own lookup elsewhere: no wait, no loss, no warning."""
    host.ip("tuntap", "add", "dev", "other0", "mode", "tun")
    host.ip("link", "set", "other0", "up")
    host.ip("route", "add", "default", "dev", "other0", "table", 100)
    daemon = host.start("--user=nobody", "tun0", store=store)
    host.ip("rule", "add", "uidrange", "1-4294967294", "lookup", 100, "pref", 100)
    with Sender(host, "198.18.0.2", 1000) as sender:
        for _ in range(3):
            sender.wait(300)
            daemon.stop()
            daemon = host.start("--user=nobody", "tun0", store=store)
            sender.wait(300)
            daemon.reload()
        sender.wait(300)
    sender.assert_nothing_lost()
    # The routes are checked once, a second after a start or a reload.
    time.sleep(2)
    assert "; try: " not in daemon.log, daemon.log
