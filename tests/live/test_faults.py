# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes wrong around a daemon: the device, its time, its log, systemd, its file."""

import contextlib
import errno
import fcntl
import itertools
import os
import pwd
import re
import shutil
import signal
import socket
import sys
import time

import pytest

from harness import BINARY, CONFIG, OSERR, UNAVAILABLE, Host, Ping, Sender, Store, wait_until
from packets import Tunecho, answer, assert_answers_a_load, echo

IPV4, IPV6 = "198.18.0.2", "2001:2::2"
ENDS = {("198.18.0.1", IPV4, 32), ("2001:2::1", IPV6, 128)}
NOBODY = pwd.getpwnam("nobody")

F_SETPIPE_SZ = 1031


@pytest.fixture
def store():
    with Store() as store:
        yield store


@pytest.fixture
def other(tmp_path):
    """A second host."""
    with Host(tmp_path / "other") as other:
        yield other


def assert_answers(host, *peers):
    for peer in peers or (IPV4, IPV6):
        host.ping(peer).assert_answered(3)


def reload(host, daemon, text=None):
    if text is not None:
        host.configure(text)
    return daemon.reload()


# The device.


def test_link_down_under_load(host, each_engine):
    """Down and up, over and over: what is refused meanwhile is the kernel's, and IPv6 comes back, too."""
    daemon = host.start("tun0")
    assert_answers_a_load(host, daemon)
    daemon.assert_batched()
    with host.flood(IPV4, IPV6):
        for _ in range(10):
            host.ip("link", "set", "tun0", "down")
            host.ip("link", "set", "tun0", "up")
            time.sleep(0.02)
    wait_until(lambda: host.addresses("tun0") == ENDS, "the addresses")
    wait_until(lambda: host.ping(IPV6, "-W", 1, count=1).received, "IPv6")
    assert_answers(host)
    assert_answers_a_load(host, daemon)
    daemon.wait_idle()


def test_link_stays_down(host):
    """Nothing spins, the daemon does not set it up against the administrator's, and up again it answers."""
    daemon = host.start("tun0")
    host.ip("link", "set", "tun0", "down")
    daemon.wait_idle()
    assert "UP" not in host.link("tun0")["flags"]
    host.ip("link", "set", "tun0", "up")
    wait_until(lambda: host.addresses("tun0") == ENDS, "the addresses")
    wait_until(lambda: host.ping(IPV6, "-W", 1, count=1).received, "IPv6")
    assert_answers(host)


def test_renamed(host, store):
    """It answers under the new name, is reloaded, and a restart keeps it, with a warning."""
    daemon = host.start("tun0", config="", store=store)
    host.ip("link", "set", "tun0", "down")
    host.ip("link", "set", "tun0", "name", "new0")
    host.ip("link", "set", "new0", "up")
    wait_until(lambda: host.addresses("new0") == ENDS, "the addresses")
    assert_answers(host)
    assert "applied its new settings" in reload(host, daemon, "[Device]\nMTUBytes=1300\n")
    assert host.link("new0")["mtu"] == 1300

    assert daemon.stop() == 0
    daemon = host.start("tun0", store=store)
    assert "'tun0' was renamed to 'new0', and continues under that name" in daemon.log
    assert host.links() == {"lo", "new0"}
    assert_answers(host)
    assert daemon.stop() == 0
    store.forget("tun")
    assert host.links() == {"lo"}


def test_moved_to_another_namespace(host, other, store):
    """It answers there, with the addresses that it is given there. Here nothing of it is left to be set."""
    daemon = host.start("tun0", config="", store=store)
    other.take(host, "tun0")
    daemon.wait_idle()
    other.ip("address", "add", "10.3.0.1/24", "dev", "tun0")
    other.ip("link", "set", "tun0", "up")
    other.ping("10.3.0.2").assert_answered(3)

    log = reload(host, daemon, "[Reflector]\nHopLimit=9\n")
    assert "tun0" in log
    assert "namespace" in log
    assert "ttl=9 " in other.ping("10.3.0.2").output
    assert other.addresses("tun0") == {("10.3.0.1", None, 24)}
    assert daemon.stop() == 0


def test_larger_packets_in_another_namespace(host, other, each_engine):
    """No event of that namespace arrives, and its MTU has grown beyond the settings."""
    daemon = host.start("tun0", config="")
    other.take(host, "tun0")
    other.silence()
    other.ip("address", "add", "198.18.0.1/24", "dev", "tun0")
    other.ip("link", "set", "tun0", "up", "mtu", 9000)
    with Tunecho(other, "tun0", "198.18.0.1", IPV4, daemon) as tunecho:
        sent, expected = ([made(data=bytes(8972), seq=n) for n in range(100)] for made in (echo, answer))
        for mtu in 1500, 2000:
            reload(host, daemon, f"[Device]\nMTUBytes={mtu}\n")
            for _ in range(2):
                assert tunecho.ask_all([[packet] for packet in sent]) == [[packet] for packet in expected]
    daemon.assert_batched()
    assert daemon.stop() == 0


def test_moved_there_and_back(host, other):
    """The kernel takes its addresses for the journey; with the link they come back."""
    daemon = host.start("tun0")
    other.take(host, "tun0")
    host.take(other, "tun0")
    host.ip("link", "set", "tun0", "up")
    reload(host, daemon)
    assert_answers(host)


def test_namespace_of_the_device_ends(host):
    """Its device goes with it, and the daemon ends as after a deletion."""
    with contextlib.ExitStack() as stack:
        other = Host(host.directory / "other")
        daemon = host.start("tun0")
        stack.callback(other.__exit__, None)
        other.take(host, "tun0")
    assert daemon.wait() == OSERR
    assert re.search("tun0.*deleted", daemon.log.splitlines()[-1])


def test_deleted_under_load(host, each_engine):
    daemon = host.start("tun0")
    assert_answers_a_load(host, daemon)
    daemon.assert_batched()
    with host.flood(IPV4):
        wait_until(lambda: daemon.totals().replies > 1000, "a thousand replies")
        host.ip("link", "del", "tun0")
        assert daemon.wait() == OSERR
    assert re.search("tun0.*deleted", daemon.log.splitlines()[-1])
    assert daemon.notified("STOPPING=1")
    assert host.links() == {"lo"}


def assert_whole(host, daemon, data):
    """A request that fills a packet is answered, alone and within a load."""
    host.ping(IPV4, "-M", "do", "-s", data).assert_answered(3)
    with Tunecho(host, "tun0", "198.18.0.1", IPV4, daemon) as tunecho:
        request, expected = echo(data=bytes(data)), answer(data=bytes(data))
        assert tunecho.ask_all([[request]] * 20) == [[expected]] * 20
    daemon.assert_batched()


def shown_mtu(host):
    """What its status says."""
    with host.connect_status() as client, client.makefile() as snapshot:
        return int(dict(line.split("=", 1) for line in snapshot)["TUNECHO_MTU"])


@pytest.mark.parametrize("mtu, data", [(576, 500), (9000, 8972), (65535, 65507)])
def test_mtu_changed_from_outside(host, each_engine, mtu, data):
    """Whatever the kernel takes is answered, whole; a reload sets what is configured."""
    daemon = host.start("tun0")
    host.ip("link", "set", "tun0", "mtu", mtu)
    assert_whole(host, daemon, data)
    assert shown_mtu(host) == mtu
    daemon.reload()
    assert host.link("tun0")["mtu"] == shown_mtu(host) == 1500
    assert_whole(host, daemon, 1472)


@pytest.mark.parametrize("family", ["-4", "-6"])
def test_address_flushed(host, family):
    """Pings find no way, which is not the daemon's doing; a reload puts the addresses back."""
    daemon = host.start("tun0")
    host.ip(family, "address", "flush", "dev", "tun0")
    daemon.wait_idle()
    assert_answers(host, IPV6 if family == "-4" else IPV4)
    daemon.reload()
    assert host.addresses("tun0") == ENDS
    assert_answers(host)


def test_ipv6_switched_off_while_it_runs(host):
    """IPv4 does not notice. After it is switched on again, a reload or the link brings the addresses back."""
    daemon = host.start("tun0")
    with Sender(host, IPV4) as sender:
        sender.wait(20)
        host.sysctl("net/ipv6/conf/tun0/disable_ipv6", 1)
        sender.wait(20)
        host.sysctl("net/ipv6/conf/tun0/disable_ipv6", 0)
        daemon.reload()
        sender.wait(20)
    sender.assert_nothing_lost()
    assert_answers(host)


@pytest.mark.parametrize("flags", [("pi",), ("vnet_hdr",), ("pi", "vnet_hdr")], ids="+".join)
def test_persistent_device_with_other_headers(host, flags):
    """What is read from it is packets alone again."""
    host.ip("tuntap", "add", "dev", "tun0", "mode", "tun", *flags)
    host.start("tun0")
    assert_answers(host)


def test_multi_queue_device(host):
    host.ip("tuntap", "add", "dev", "tun0", "mode", "tun", "multi_queue")
    done = host.tunecho("tun0")
    assert done.returncode == UNAVAILABLE, done.stderr
    assert re.search("tun0.*one queue", done.stderr)
    assert host.links() == {"lo", "tun0"}


@pytest.mark.root("another user")
def test_device_of_another_user(host):
    """A process with CAP_NET_ADMIN can attach to a device of any owner."""
    host.ip("tuntap", "add", "dev", "tun0", "mode", "tun", "user", "nobody")
    host.start("tun0")
    assert_answers(host)


def test_queue_overflows(host, each_engine):
    """While no process reads, packets wait up to the queue's length; the kernel drops and counts the rest."""
    host.silence()
    daemon = host.start("tun0", config="[Device]\nTransmitQueueLength=10\n")
    daemon.suspend()
    with host.background(*host.ping_command(IPV4, count=100)) as ping:
        wait_until(lambda: host.requests_sent() == 100, "the requests")
        daemon.process.send_signal(signal.SIGCONT)
        answers = itertools.takewhile(lambda line: "bytes from" not in line, ping.stdout)
        beginning = "".join(answers)
        ping.send_signal(signal.SIGINT)
        counts = Ping.parse(beginning + ping.communicate()[0])
    assert 0 < counts.received < counts.transmitted == 100
    assert host.ip_json("-s", "link", "show", "tun0")[0]["stats64"]["tx"]["dropped"] > 0
    assert_answers(host)


# The ring.

SETUP, REGISTER = 425, 427
REGISTER_RESTRICTIONS = 11

# Has a system call, or one with this second argument, fail in the process that it becomes.
FORBID = """
import ctypes, os, struct, sys
number, operation, error = map(int, sys.argv[1:4])
instruction = struct.Struct("HBBI").pack
any_operation = operation < 0
filter = b"".join((
    instruction(0x20, 0, 0, 0),  # the number of the call
    instruction(0x15, 0, 3, number),
    instruction(0x20, 0, 0, 24),  # its second argument
    instruction(0x35 if any_operation else 0x15, 0, 1, 0 if any_operation else operation),
    instruction(0x06, 0, 0, 0x00050000 | error),
    instruction(0x06, 0, 0, 0x7FFF0000),
))
buffer = ctypes.create_string_buffer(filter)
program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(filter) // 8, ctypes.addressof(buffer)))
assert ctypes.CDLL(None).prctl(22, 2, program) == 0, "no filter"
os.execvp(sys.argv[4], sys.argv[4:])
"""

# kernel.io_uring_disabled is of the whole machine, and other tests run on it: its error stands for it.
LACKING = {
    "a kernel without it": (SETUP, -1, errno.ENOSYS, "io_uring_setup(2)"),
    "forbidden, by a sandbox or by kernel.io_uring_disabled": (SETUP, -1, errno.EPERM, "io_uring_setup(2)"),
    "no memory": (SETUP, -1, errno.ENOMEM, "io_uring_setup(2)"),
    "an operation unknown": (REGISTER, REGISTER_RESTRICTIONS, errno.EINVAL, "restricting the ring"),
}


def forbid(number, operation, error):
    return sys.executable, "-c", FORBID, str(number), str(operation), str(error)


@pytest.mark.parametrize("number, operation, error, step", LACKING.values(), ids=LACKING)
def test_io_uring_is_unavailable(host, number, operation, error, step):
    """read(2) and write(2) move all packets, and the journal has the reason; with io_uring required, it is an error."""
    prefix = forbid(number, operation, error)
    daemon = host.start("tun0", prefix=prefix)
    logged = f"'tun0' is served by read(2) and write(2), as io_uring is unavailable ({step}): {os.strerror(error)}"
    assert daemon.log.splitlines().count(logged) == 1, daemon.log
    assert_answers_a_load(host, daemon)
    assert daemon.batched() is None
    assert_answers(host)
    assert daemon.stop() == 0
    assert daemon.log.splitlines().count(logged) == 1, daemon.log

    done = host.tunecho("tun0", "--engine=io_uring", prefix=prefix)
    assert done.returncode == OSERR, done.stderr
    assert f"Cannot set up the engine io_uring: {os.strerror(error)}" in done.stderr
    assert host.links() == {"lo"}


def own_user(host):
    """A user that no other process of the machine has: the kernel adds up the memory that a user has locked."""
    with open(host.etc / "passwd", "a") as users:
        users.write(f"ring:x:{(1 << 20) + os.getpid()}:65534::/:/bin/false\n")
    return "--user=ring"


@pytest.mark.parametrize("name", ["auto", "io_uring"])
@pytest.mark.root("another user")
def test_no_descriptor_is_left(host, name):
    """The ring is made at the start: the load needs no descriptor, nor more than a little memory that is locked."""
    limit = "prlimit", "--memlock=65536", "--"
    daemon = host.start("tun0", f"--engine={name}", own_user(host), prefix=limit)
    daemon.totals()  # the socket of its last notification is closed then
    held = daemon.descriptors()
    free = next(number for number in itertools.count() if number not in held)
    daemon.limit_descriptors(free)
    assert_answers_a_load(host, daemon)
    assert daemon.batched()


# Time.


def test_stopped_and_continued(host, each_engine):
    """SIGSTOP for as long as it likes: the queue holds ten seconds of 500 a second."""
    daemon = host.start("tun0")
    with Sender(host, IPV4) as sender:
        for _ in range(3):
            sender.wait(20)
            with daemon.held_back():
                sender.wait(250)
    sender.assert_nothing_lost()
    assert daemon.totals_of(len(sender.sent)).replies >= len(sender.sent)
    daemon.assert_batched()


# The log.


def full_pipe(capacity=4096):
    """A full pipe, which no process reads."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, F_SETPIPE_SZ, capacity)
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, b"x" * 4096)
    os.set_blocking(writing, True)
    return reading, writing


def test_log_nobody_reads(host):
    """Entries are lost then; pings, the status and the end are not."""
    reading, writing = full_pipe()
    try:
        daemon = host.start("tun0", stderr=writing, config="[Log]\nPackets=yes\n")
        assert_answers(host)
        assert daemon.stop() == 0
        assert daemon.notified("STOPPING=1")
    finally:
        os.close(reading)
        os.close(writing)


def test_log_whose_reader_has_gone(host):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        daemon = host.start("tun0", stderr=writing, config="[Log]\nPackets=yes\n")
    finally:
        os.close(writing)
    assert_answers(host)
    assert daemon.stop() == 0


def test_log_on_a_full_device(host):
    with open("/dev/full", "w") as full:
        daemon = host.start("tun0", stderr=full, config="[Log]\nPackets=yes\n")
        assert_answers(host)
        daemon.reload()
        assert daemon.stop() == 0


@pytest.mark.parametrize("closed", ["2>&-", "0<&- 1>&- 2>&-"], ids=["stderr", "all three"])
def test_standard_descriptors_closed(host, closed):
    """What is opened first is not taken for the log then."""
    closing = "sh", "-c", f'exec "$@" {closed}', "sh"
    daemon = host.start("tun0", config="[Log]\nPackets=yes\n", prefix=closing)
    assert_answers(host)
    # A write to the device that is no packet is counted by it as dropped.
    [link] = host.ip_json("-s", "link", "show", "tun0")
    assert link["stats64"]["rx"]["dropped"] == 0
    assert daemon.descriptors().get(2, ("/dev/null",))[0] == "/dev/null"
    assert daemon.stop() == 0


# systemd.


@pytest.mark.parametrize(
    "address",
    ["@nobody-is-there", "/nonexistent/notify", "relative", "@" + "x" * 200, ""],
    ids=["nobody", "no path", "no address", "too long", "empty"],
)
def test_systemd_that_is_absent(host, address):
    """Pings are answered. A warning says that a restart will create the device again."""
    daemon = host.launch("tun0", env={"NOTIFY_SOCKET": address})
    wait_until(lambda: "ready" in daemon.log, "the ready message")
    assert_answers(host)
    assert "Cannot store the descriptor of 'tun0'" in daemon.log
    daemon.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "applied its new settings" in daemon.log, "the reload")
    assert daemon.stop() == 0
    assert host.links() == {"lo"}


def test_systemd_that_ends(host):
    """Its socket is closed while the daemon runs."""
    systemd = host.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    with systemd:
        systemd.bind("\0short-lived")
        daemon = host.launch("tun0", env={"NOTIFY_SOCKET": "@short-lived"})
        wait_until(lambda: "ready" in daemon.log, "the ready message")
    assert_answers(host)
    time.sleep(1.2)
    assert_answers(host)
    assert daemon.stop() == 0


@pytest.mark.parametrize(
    "env",
    [
        {"LISTEN_FDS": "x"},
        {"LISTEN_FDS": "-1"},
        {"LISTEN_FDS": "99999999999"},
        {"LISTEN_FDS": "1", "LISTEN_FDNAMES": "tun:other"},
        {"LISTEN_FDS": "3"},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "soon"},
    ],
    ids=lambda env: " ".join(f"{name}={value}" for name, value in env.items()),
)
def test_invalid_environment_of_systemd(host, env):
    """Refused with a reason, and nothing is left behind."""
    hold = "sh", "-c", 'export LISTEN_PID=$$ WATCHDOG_PID=$$; exec "$@"', "sh"
    done = host.tunecho("tun0", prefix=hold, env=env)
    assert done.returncode == 71, done.stderr
    assert done.stderr.strip()
    assert host.links() == {"lo"}


# The file. What is wrong inside it, and a directory in its place, is a matter of the settings' own tests.


def make_fifo(path):
    os.mkfifo(path)


def make_huge(path):
    with path.open("w") as file:
        file.truncate(100 << 20)


def make_binary(path):
    path.write_bytes(bytes(range(256)) * 200)


def make_endless_line(path):
    path.write_text("A" * 60000)


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


def make_loop(path):
    path.symlink_to(path)


@pytest.mark.parametrize(
    "make, says",
    [
        (make_fifo, "FIFO"),
        (make_huge, "larger"),
        (make_binary, "not text|neither|unknown"),
        (make_endless_line, "neither"),
        (make_socket, "opened"),
        (make_loop, "opened"),
    ],
    ids=lambda value: getattr(value, "__name__", " ").removeprefix("make_").replace("_", " "),
)
@pytest.mark.parametrize("where", ["default", "option"])
def test_file_that_is_no_settings(host, make, says, where):
    path = host.etc / "tunecho/tun0.conf" if where == "default" else host.directory / "tun0.conf"
    make(path)
    done = host.tunecho(*(["--config", path] if where == "option" else []), "tun0")
    assert done.returncode == CONFIG, done.stderr
    assert re.search(rf"tun0.conf:.*({says})", done.stderr)
    assert re.fullmatch(r"[\x20-\x7e\n]*", done.stderr), "nothing of it reaches a terminal as it is"
    assert len(done.stderr.splitlines()) <= 101
    assert host.links() == {"lo"}


@pytest.mark.root("another user")
def test_file_that_may_not_be_read(host):
    shutil.copy(BINARY, host.etc / "tunecho-binary")
    host.directory.chmod(0o755)
    path = host.etc / "tunecho/tun0.conf"
    path.write_text("")
    path.chmod(0)
    like_the_unit = (
        *("setpriv", "--reuid=nobody", f"--regid={NOBODY.pw_gid}", "--clear-groups"),
        *("--inh-caps=-all,+net_admin", "--ambient-caps=-all,+net_admin", "--bounding-set=-all,+net_admin"),
    )
    done = host.tunecho("tun0", binary="/etc/tunecho-binary", prefix=like_the_unit)
    assert done.returncode == CONFIG, done.stderr
    assert re.search("tun0.conf: cannot be opened: Permission denied", done.stderr)


@pytest.mark.parametrize("make", [make_fifo, make_huge, make_binary, make_loop])
def test_reload_of_a_file_that_is_no_settings(host, make):
    daemon = host.start("tun0")
    make(host.etc / "tunecho/tun0.conf")
    with Sender(host, IPV4) as sender:
        sender.wait(20)
        assert "keeps its settings" in daemon.reload()
        sender.wait(20)
    sender.assert_nothing_lost()
    assert daemon.status_line().startswith("Reload refused")
