# SPDX-License-Identifier: GPL-2.0-or-later
"""systemd, played by the test: the notifications that it receives, and the descriptors that it stores."""

import fcntl
import os
import re
import signal
import socket
import struct
import time
from collections import Counter

import pytest

from harness import OSERR, UNAVAILABLE, Host, Ping, Sender, Store, wait_until
from packets import IPV4 as IPV4_ENDS
from packets import Tunecho, answer, echo

IPV4, IPV6 = "198.18.0.2", "2001:2::2"
ENDS = {("198.18.0.1", IPV4, 32), ("2001:2::1", IPV6, 128)}

# Of one daemon after the other, and the packets that each may have read before it answers them.
KILLS, BATCH_MAX = 6, 64

STORE = ["FDSTORE=1", "FDNAME=tun"]
REMOVE = ["FDSTOREREMOVE=1", "FDNAME=tun"]

TUNSETIFF, IFF_TUN, IFF_TAP, IFF_NO_PI = 0x400454CA, 1, 2, 0x1000

# What the daemon holds open whatever it is made of: input, log twice, the device, and the locked directory of
# its status socket.
HELD = {"/dev/null": 1, "stderr": 2, "/dev/net/tun": 1, "/run/tunecho/tun0": 1}

# All that a daemon holds open that nothing was handed over to.
DESCRIPTORS = Counter()


@pytest.fixture(scope="module", autouse=True)
def fresh_descriptors(tmp_path_factory):
    """Find out what a fresh daemon holds open."""
    with Host(tmp_path_factory.mktemp("fresh")) as host:
        daemon = host.start("tun0")
        daemon.totals()  # the socket of its last notification is closed then
        DESCRIPTORS.update(names_of(daemon))


@pytest.fixture
def store():
    with Store() as store:
        yield store


def assert_answers(host):
    for peer in IPV4, IPV6:
        host.ping(peer).assert_answered(3)


def names_of(daemon):
    """What it holds open."""
    names = {str(daemon.log_path): "stderr"}
    found = [re.sub(r":\[\d+\]$", "", what) for what, _ in daemon.descriptors().values()]
    # A load may have been there, and a ring is kept.
    found = [what for what in found if what != "anon_inode:[io_uring]"]
    return Counter(names.get(what, what) for what in found)


def assert_descriptors(daemon, expected=DESCRIPTORS):
    """It holds what it is to hold, and a program that it would execute got nothing of it."""
    # The socket of its last message may still be open.
    try:
        wait_until(lambda: names_of(daemon) == expected, "its descriptors")
    except AssertionError:
        assert names_of(daemon) == expected
    found = daemon.descriptors()
    assert all(close_on_exec for number, (_, close_on_exec) in found.items() if number > 2), found


def kinds(daemon):
    """The messages by what they are about, the totals left out."""
    names = [message[0].partition("=")[0] for message in daemon.read_messages()]
    return [name for name in names if name != "STATUS"]


def tun_device(name, flags=IFF_TUN | IFF_NO_PI):
    """A descriptor of a device that another process created."""
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
    return descriptor


def pipe_end():
    kept, other = os.pipe()
    os.close(other)
    return kept


def unix_socket():
    return socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).detach()


def null():
    return os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)


def tun9():
    return tun_device("tun9")


FOREIGN = {"a pipe": pipe_end, "a socket": unix_socket, "a file": null, "another device": tun9}


def test_stored_before_anything_else(host):
    """While systemd does not read, the device exists and is not configured."""
    systemd = host.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    systemd.bind("\0slow-systemd")
    systemd.setblocking(False)
    crowd = host.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    crowd.setblocking(False)
    with systemd, crowd:
        try:
            while True:
                crowd.sendto(b"X_FULL=1", "\0slow-systemd")
        except BlockingIOError:
            pass

        host.launch("tun0", env={"NOTIFY_SOCKET": "@slow-systemd"})
        wait_until(lambda: host.link("tun0"), "the device")
        time.sleep(0.3)
        assert not host.link("tun0")["addr_info"]
        assert "UP" not in host.link("tun0")["flags"]

        messages = []

        def received(what):
            try:
                while True:
                    text, descriptors, _, _ = socket.recv_fds(systemd, 4096, 4)
                    messages.append((text.decode().splitlines(), len(descriptors)))
                    for descriptor in descriptors:
                        os.close(descriptor)
            except BlockingIOError:
                return any(what in lines for lines, _ in messages)

        wait_until(lambda: received("READY=1"), "READY=1")
        received = [(lines, count) for lines, count in messages if lines != ["X_FULL=1"]]
        assert received[0] == (STORE, 1)
        assert received[1][0][0] == "READY=1"
        assert host.addresses("tun0") == ENDS


def test_messages_of_a_run(host, store):
    daemon = host.start("tun0", store=store)
    assert store.names() == ["tun"]
    before = time.monotonic_ns() // 1000
    daemon.reload()
    assert daemon.stop() == 0
    assert kinds(daemon) == ["FDSTORE", "READY", "RELOADING", "READY", "STOPPING"]

    messages = daemon.read_messages()
    assert messages[0] == STORE
    assert messages[-1] == ["STOPPING=1"]
    assert all(message[1].startswith("STATUS=") for message in messages if message[0] == "READY=1")
    assert f"ping {IPV4}" in messages[1][1]
    [reloading] = [message for message in messages if message[0] == "RELOADING=1"]
    [usec] = [int(line.removeprefix("MONOTONIC_USEC=")) for line in reloading[1:]]
    assert before <= usec <= time.monotonic_ns() // 1000


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL, signal.SIGABRT], ids=lambda how: how.name)
def test_restart_keeps_everything(host, each_engine, store, how):
    """Index, addresses, routes of others, and the packets that came while no process read."""
    daemon = host.start("tun0", store=store)
    host.ip("route", "add", "203.0.113.0/24", "dev", "tun0")
    host.ip("route", "add", "2001:db8:77::/48", "dev", "tun0")
    before = host.link("tun0"), host.ip("route"), host.ip("-6", "route")
    daemon.process.send_signal(how)
    daemon.wait()

    with (
        host.background(*host.ping_command(IPV4, count=50)) as near,
        host.background(*host.ping_command("203.0.113.9", count=50)) as far,
        host.background(*host.ping_command(IPV6, count=50)) as near6,
        host.background(*host.ping_command("2001:db8:77::9", count=50)) as far6,
    ):
        wait_until(lambda: host.requests_sent() == 200, "the requests")
        successor = host.start("tun0", store=store)
        for ping in near, far, near6, far6:
            Ping.parse(ping.communicate()[0]).assert_answered(50)

    successor.assert_batched()
    assert (host.link("tun0"), host.ip("route"), host.ip("-6", "route")) == before
    assert "is recovered" in successor.log
    assert kinds(successor) in (["READY"], ["FDSTORE", "READY"])
    assert_descriptors(successor)
    assert successor.stop() == 0
    assert successor.final_totals().replies >= 200


def test_restarts_under_traffic(host, each_engine, store):
    """A stop, and a kill between two packets, lose nothing of what comes before, meanwhile and later."""
    daemon = host.start("tun0", store=store)
    index = host.link("tun0")["ifindex"]
    with Sender(host, IPV4) as sender, Sender(host, IPV6) as sender6:
        for number in range(6):
            sender.wait(50)
            if number % 2:
                with sender.paused(), sender6.paused():
                    daemon.process.kill()
                    daemon.wait()
            else:
                daemon.process.terminate()
                daemon.wait()
            sender.wait(10)
            daemon = host.start("tun0", store=store)
        sender.wait(50)
    assert host.link("tun0")["ifindex"] == index
    assert daemon.stop() == 0
    for each in sender, sender6:
        each.assert_nothing_lost()


def test_kills_under_traffic(host, each_engine, store):
    """A kill takes along what was read and not answered yet: a batch at most, and nothing that came later."""
    daemon = host.start("tun0", store=store)
    sent_before = set()
    with Sender(host, IPV4) as sender:
        for _ in range(KILLS):
            sender.wait(50)
            daemon.process.kill()
            daemon.wait()
            sent_before |= sender.missing()
            sender.wait(10)
            daemon = host.start("tun0", store=store)
        sender.wait(50)
    assert daemon.stop() == 0
    lost = sender.missing()
    print(f"{len(lost)} of {len(sender.sent)} were lost by {KILLS} kills")
    assert lost <= sent_before
    assert len(lost) <= KILLS * BATCH_MAX
    assert not sender.refused


def test_stop_without_a_successor_removes_the_device(host, store):
    """systemd empties the store of a unit that it stops."""
    daemon = host.start("tun0", store=store)
    assert daemon.stop() == 0
    assert "tun0" in host.links()
    store.forget("tun")
    assert host.links() == {"lo"}


def described(host):
    """What the kernel knows about the device, but for its number and what it has counted."""
    link = host.link("tun0")
    del link["ifindex"]
    for address in link["addr_info"]:
        # The kernel makes up a link-local one, and another one when the link comes up again.
        if address["scope"] == "link":
            address["local"] = "fe80::"
    return link


@pytest.mark.parametrize("ipv6_mode", ["none", "eui64"])
def test_adoption_equals_creation(host, store, ipv6_mode):
    device = "[Device]\nMTUBytes=1400\nTransmitQueueLength=70\n"
    settings = f"{device}[Network]\nAddress=10.0.0.1/24\nAddress=fd00::1/64\n"
    fresh = host.start("tun0", config=settings)
    expected = described(host), host.ip("route"), host.ip("-6", "route")
    assert fresh.stop() == 0

    first = host.start("tun0", store=store)
    assert first.stop() == 0
    host.ip("link", "set", "tun0", "mtu", "1300", "txqueuelen", "9", "down")
    added = []
    if ipv6_mode == "none":
        host.ip("address", "flush", "dev", "tun0")
    else:
        host.ip("link", "set", "tun0", "up")
        added = ["10.77.0.1/24", "10.0.0.9/32", "2001:db8:9::9/64"]
    for address in added:
        host.ip("address", "add", address, "dev", "tun0")

    second = host.start("tun0", config=settings, store=store)
    # Without what an administrator added, which stays, nothing differs.
    for address in added:
        host.ip("address", "del", address, "dev", "tun0")
    assert (described(host), host.ip("route"), host.ip("-6", "route")) == expected
    host.ping("10.0.0.200").assert_answered(3)
    host.ping("fd00::200").assert_answered(3)
    assert_descriptors(second)


def test_dead_descriptor(host, store):
    assert host.start("tun0", store=store).stop() == 0
    host.ip("link", "del", "tun0")
    daemon = host.start("tun0", store=store)
    assert kinds(daemon) == ["FDSTOREREMOVE", "FDSTORE", "READY"]
    assert daemon.read_messages()[:2] == [REMOVE, STORE]
    assert store.names() == ["tun"]
    assert re.search("tun0.*created again", daemon.log)
    assert_answers(host)
    assert_descriptors(daemon)

    # What was stored last is good.
    assert daemon.stop() == 0
    assert "is recovered" in host.start("tun0", store=store).log


def test_deleted_while_it_runs(host, store):
    """It ends with a status after which systemd restarts it, and the next run creates it again."""
    daemon = host.start("tun0", store=store)
    host.ip("link", "del", "tun0")
    assert daemon.wait() == OSERR
    successor = host.start("tun0", store=store)
    assert_answers(host)
    assert store.names() == ["tun"]
    assert_descriptors(successor)


# A device that is stored as "tun" is tunecho's, whatever its name is.
@pytest.mark.parametrize(
    "what, name",
    [(what, name) for what in FOREIGN for name in ("tun", "stored", "other") if (what, name) != ("another device", "tun")],
)
def test_foreign_descriptor(host, store, what, name):
    store.keep(name, host.call(FOREIGN[what]))
    daemon = host.start("tun0", store=store)
    assert daemon.read_messages()[0] == ["FDSTOREREMOVE=1", f"FDNAME={name}"]
    assert kinds(daemon) == ["FDSTOREREMOVE", "FDSTORE", "READY"]
    assert re.search(f"'{name}'", daemon.log.splitlines()[0])
    assert store.names() == ["tun"]
    assert host.links() == {"lo", "tun0"}
    assert_answers(host)
    assert_descriptors(daemon)


def test_foreign_descriptors_beside_the_device(host, store):
    first = host.start("tun0", store=store)
    index = host.link("tun0")["ifindex"]
    assert first.stop() == 0

    store.keep("before", host.call(pipe_end))
    store.kept.reverse()
    store.keep("after", host.call(tun9))
    store.keep("last", host.call(unix_socket))
    daemon = host.start("tun0", store=store)
    assert store.names() == ["tun"]
    assert host.link("tun0")["ifindex"] == index
    assert host.links() == {"lo", "tun0"}
    assert_descriptors(daemon)
    for name in "before", "after", "last":
        assert f"'{name}'" in daemon.log


@pytest.mark.parametrize("order", ["dead one first", "device first"])
def test_second_descriptor_of_the_same_name(host, store, order):
    """Removing the bad one by its name removes the good one, too: it has to be stored again."""
    first = host.start("tun0", store=store)
    index = host.link("tun0")["ifindex"]
    assert first.stop() == 0
    store.keep("tun", host.call(pipe_end))
    if order == "dead one first":
        store.kept.reverse()

    daemon = host.start("tun0", store=store)
    assert host.link("tun0")["ifindex"] == index
    assert store.names() == ["tun"]
    daemon.process.kill()
    daemon.wait()
    assert host.link("tun0")["ifindex"] == index


def test_tap_in_the_store(host, store):
    """As long as systemd holds it, its name is in use; the next start has it."""
    store.keep("tun", host.call(tun_device, "tun0", IFF_TAP | IFF_NO_PI))
    daemon = host.launch("tun0", store=store)
    assert daemon.wait() == UNAVAILABLE
    assert "tun0" in daemon.log.splitlines()[-1]
    daemon.read_messages()
    assert store.names() == []
    host.start("tun0", store=store)
    assert_answers(host)


def test_renamed_device(host, store):
    """The stored device is adopted under its new name, with everything that is on it."""
    assert host.start("tun0", store=store).stop() == 0
    index = host.link("tun0")["ifindex"]
    host.ip("link", "set", "tun0", "down")
    host.ip("link", "set", "tun0", "name", "old0")
    host.ip("link", "set", "old0", "up")
    host.ip("address", "add", "10.50.0.1/24", "dev", "old0")
    host.ip("route", "add", "10.60.0.0/24", "dev", "old0", "src", "10.50.0.1")
    daemon = host.start("tun0", store=store)
    assert "'tun0' was renamed to 'old0', and continues under that name" in daemon.log
    assert host.links() == {"lo", "old0"}
    assert host.link("old0")["ifindex"] == index
    assert ("10.50.0.1", None, 24) in host.addresses("old0")
    assert "src 10.50.0.1" in host.ip("route", "show", "10.60.0.0/24")
    assert_answers(host)
    assert_descriptors(daemon)


def test_device_in_another_namespace(host, store, tmp_path):
    """It keeps answering where it is now, and stays as it was set there."""
    assert host.start("tun0", store=store).stop() == 0
    with Host(tmp_path / "other") as other:
        other.take(host, "tun0")
        other.ip("address", "add", "10.3.0.1/24", "dev", "tun0")
        other.ip("link", "set", "tun0", "up", "mtu", "1300")

        daemon = host.start("tun0", store=store)
        assert re.search("tun0.*namespace", daemon.log)
        assert host.links() == {"lo"}
        other.ping("10.3.0.2").assert_answered(3)
        assert other.link("tun0")["mtu"] == 1300
        assert_descriptors(daemon)

        daemon.reload()
        other.ping("10.3.0.2").assert_answered(3)
        assert other.addresses("tun0") == {("10.3.0.1", None, 24)}
        assert daemon.stop() == 0


def test_larger_packets_are_queued(host, store, each_engine):
    """What was sent before a start with a smaller MTU is answered as a whole. The first daemon reads none."""
    host.silence()
    daemon = host.start("tun0", "--mtu=9000", store=store)
    sent, expected = ([made(data=bytes(8972), seq=n) for n in range(500)] for made in (echo, answer))
    with Tunecho(host, "tun0", *IPV4_ENDS) as tunecho:
        with daemon.held_back():
            for packet in sent:
                tunecho.send(packet)
            daemon.process.kill()
            daemon.wait()
        host.start("tun0", "--mtu=1400", store=store)
        assert tunecho.receive_all(len(sent)) == expected


def make_somebody_elses(host):
    """A device of the same name as ours, which was moved; and what it is like."""
    host.ip("tuntap", "add", "dev", "tun0", "mode", "tun")
    host.ip("address", "add", "10.4.0.1/24", "dev", "tun0")
    host.ip("link", "set", "tun0", "mtu", "1234", "txqueuelen", "43")
    return host.link("tun0")


def test_name_of_a_device_in_another_namespace(host, store, tmp_path):
    """An interface of another process that has its name here stays as it is."""
    assert host.start("tun0", store=store).stop() == 0
    with Host(tmp_path / "other") as other:
        other.take(host, "tun0")
        other.ip("address", "add", "10.3.0.1/24", "dev", "tun0")
        other.ip("link", "set", "tun0", "up")
        before = make_somebody_elses(host)

        daemon = host.start("tun0", store=store)
        assert re.search("tun0.*namespace", daemon.log)
        other.ping("10.3.0.2").assert_answered(3)
        assert_descriptors(daemon)
        daemon.reload()
        other.ping("10.3.0.2").assert_answered(3)
        assert host.link("tun0") == before
        assert daemon.stop() == 0


def test_number_of_a_device_in_another_namespace(host, store, tmp_path):
    """So is what has its number."""
    daemon = host.start("tun0", store=store)
    index = host.link("tun0")["ifindex"]
    with Host(tmp_path / "other") as other:
        other.ip("tuntap", "add", "dev", "tun9", "mode", "tun")
        assert other.link("tun9")["ifindex"] == index
        other.take(host, "tun0")
        host.take(other, "tun9")
        before = host.link("tun9")
        assert before["ifindex"] == index
        assert re.search("tun0.*namespace", daemon.reload())
        assert host.link("tun9") == before

        # A device of ours that comes up would have its addresses again.
        host.ip("link", "set", "tun9", "up")
        daemon.totals()
        assert not host.addresses("tun9")
        assert_descriptors(daemon)
        assert daemon.stop() == 0


def test_device_that_comes_back(host, store, tmp_path):
    """It is configured again by the next start, whatever its number is now."""
    assert host.start("tun0", store=store).stop() == 0
    with Host(tmp_path / "other") as other:
        other.take(host, "tun0")
        host.take(other, "tun0")
        daemon = host.start("tun0", store=store)
        assert "namespace" not in daemon.log
        assert host.addresses("tun0") == ENDS
        assert_answers(host)
        assert_descriptors(daemon)


def test_stop_while_the_manager_does_not_read(host):
    daemon = host.start("tun0")
    daemon.fill_notifications()
    assert_answers(host)
    assert daemon.stop() == 0
    assert not daemon.notified("STOPPING=1"), "there was room"


def test_failure_while_the_manager_does_not_read(host):
    daemon = host.start("tun0")
    daemon.fill_notifications()
    host.ip("link", "del", "tun0")
    assert daemon.wait() == OSERR


def test_descriptors_of_a_fresh_run(host):
    daemon = host.start("tun0")
    assert_descriptors(daemon)
    assert HELD.items() <= names_of(daemon).items()


def test_descriptors_for_somebody_else(host):
    """Without LISTEN_PID of its own, what is open at 3 is none of its business, and stays as it is."""
    reading, writing = os.pipe()
    try:
        script = 'exec 3<&$0; export LISTEN_PID=1 LISTEN_FDS=1 LISTEN_FDNAMES=tun; exec "$@"'
        hold = "bash", "-c", script, str(reading)
        daemon = host.start("tun0", prefix=hold, pass_fds=[reading])
        assert daemon.descriptors()[3][0].startswith("pipe:")
        assert_answers(host)
    finally:
        os.close(reading)
        os.close(writing)


def watchdog(daemon):
    daemon.read_messages()
    return daemon.notifications.count("WATCHDOG=1")


@pytest.fixture
def watched(host, store):
    return host.start("tun0", store=store, env={"WATCHDOG_USEC": "1000000"})


@pytest.mark.parametrize("load", ["idle", "flood"])
def test_watchdog(host, each_engine, watched, load):
    """There is one sign of life after the other, whatever the load; how soon is printed."""
    with host.flood(*(IPV4, IPV6) if load == "flood" else ()):
        for _ in range(3):
            begin, seen = time.monotonic(), watchdog(watched)
            wait_until(lambda: watchdog(watched) > seen, "WATCHDOG=1")
            print(f"WATCHDOG=1 after {time.monotonic() - begin:.3f} s of 1 s")


def test_watchdog_of_a_stopped_loop(host, watched):
    watched.suspend()
    seen = watchdog(watched)
    time.sleep(1.5)
    assert watchdog(watched) == seen
    watched.process.send_signal(signal.SIGCONT)
    wait_until(lambda: watchdog(watched) > seen, "WATCHDOG=1 again")


def test_watchdog_kills_and_nothing_is_lost(host, each_engine, store, watched):
    """What systemd does when the watchdog is not answered: kill, start again. The queue is answered."""
    watched.suspend()
    with host.background(*host.ping_command(IPV4, count=100)) as ping:
        wait_until(lambda: host.requests_sent() == 100, "the requests")
        # A process that is stopped does not see the first one, and systemd sends the second some time later.
        watched.process.send_signal(signal.SIGABRT)
        watched.process.kill()
        watched.wait()
        host.start("tun0", store=store)
        Ping.parse(ping.communicate()[0]).assert_answered(100)


def test_watchdog_of_another_process(host):
    daemon = host.start("tun0", env={"WATCHDOG_USEC": "200000", "WATCHDOG_PID": "1"})
    time.sleep(0.5)
    assert watchdog(daemon) == 0
