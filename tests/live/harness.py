# SPDX-License-Identifier: GPL-2.0-or-later
"""A host of the test's own, and the daemon on it.

A Host is a network namespace and an /etc; both are anonymous, held by this
process alone, so that whatever is killed, nothing stays behind and two runs
never meet. Every wait is bounded by LIMIT.
"""

import contextlib
import ctypes
import errno
import fcntl
import itertools
import json
import os
import re
import select
import shutil
import signal
import socket
import stat
import struct
import subprocess
import tempfile
import threading
import time
from collections import Counter, namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SOURCE = Path(os.environ.get("TUNECHO_SOURCE", Path(__file__).resolve().parents[2]))
BUILD = Path(os.environ.get("TUNECHO_BUILD", SOURCE / "build"))
BINARY = BUILD / "tunecho"

# What tests/unit/tables.c prints.
TABLES = json.loads(subprocess.run([BUILD / "tests/unit/tables"], capture_output=True, check=True).stdout)

# Seconds that anything at all may take: generous, for a build with sanitizers on a busy machine. It costs
# nothing unless something is wrong.
LIMIT = 60

# Exit statuses, of sysexits(3).
USAGE, UNAVAILABLE, OSERR, NOPERM, CONFIG = 64, 69, 71, 77, 78

TOOLS = "bash", "ip", "mount", "nsenter", "ping", "setpriv", "unshare"

# What systemd does between fork and exec: descriptors from 3 on, and variables with the daemon's own PID.
HAND_OVER = (
    'n=3; for fd in $0; do eval "exec $n<&$fd $fd<&-"; n=$((n + 1)); done; '
    'export LISTEN_PID=$$ WATCHDOG_PID=$$; exec "$@"'
)

# Sanitizers keep their own books of memory, and give up where the kernel gives none.
THREAD_SANITIZED = b"__tsan_init" in BINARY.read_bytes()  # which has a thread of its own
SANITIZED = THREAD_SANITIZED or b"__asan_init" in BINARY.read_bytes()

# Whether root here is that of the machine, and not of a user namespace that has no other user.
IS_ROOT = Path("/proc/self/uid_map").read_text().split() == ["0", "0", "4294967295"]

# A user namespace without the user that the daemon becomes makes it log this once.
SERVED_AS_ROOT = re.compile(r"^.* is served as user 0, as this user namespace has no user .*\n", re.M)

CLONE_NEWNET = 0x40000000
IO_URING_SETUP = 425
libc = ctypes.CDLL(None, use_errno=True)


def missing_requirement():
    """Say what this machine lacks to run these tests, if anything."""
    for tool in TOOLS:
        if not shutil.which(tool):
            return f"need {tool}"
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR))
    except OSError as error:
        return f"need /dev/net/tun: {error.strerror}"
    return None


def can_read_at_once():
    """Whether the kernel lets a read of a TUN device say that it does not wait, from Linux 6.4 on."""
    node = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    try:
        os.preadv(node, [bytearray(1)], -1, os.RWF_NOWAIT)
    except OSError as error:
        return error.errno != errno.EOPNOTSUPP
    finally:
        os.close(node)


def missing_io_uring():
    """Say why this daemon cannot have io_uring(7) here, if it cannot."""
    if b"io_uring_register" not in BINARY.read_bytes():
        return "need a build with liburing"
    if not can_read_at_once():
        return "need io_uring: reads of a TUN device that do not wait"
    # Without any parameters it fails in any case, but not in this way.
    libc.syscall(IO_URING_SETUP, 1, None)
    number = ctypes.get_errno()
    return f"need io_uring: {os.strerror(number)}" if number in (errno.ENOSYS, errno.EPERM) else None


def expected_lines(log):
    """What the daemon logs for root of the machine as well."""
    return log if IS_ROOT else SERVED_AS_ROOT.sub("", log)


def wait_until(condition, what):
    """Poll until condition() is true, and return what it returned."""
    deadline = time.monotonic() + LIMIT
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < deadline, f"waited {LIMIT} s for {what}"
        time.sleep(0.002)


def call_libc(function, *arguments):
    if function(*arguments) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def in_thread(function, *arguments):
    """Call a function in a thread of its own, which may change its namespaces."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(function, *arguments).result()


def new_network():
    call_libc(libc.unshare, CLONE_NEWNET)
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


class Host:
    """A network namespace, an /etc with the machine's users and nothing else in it, and an empty /run.

    An engine is that of every daemon here; without one, it is their choice.
    """

    def __init__(self, directory, engine=None):
        self.directory = Path(directory)
        self.engine = engine
        self.daemons = []
        self._numbers = itertools.count()
        self.etc = self.directory / "etc"
        (self.etc / "tunecho").mkdir(parents=True)
        self.run_directory = self.directory / "run"
        self.run_directory.mkdir()
        for name in "passwd", "group", "nsswitch.conf", "ld.so.cache":
            with contextlib.suppress(FileNotFoundError):
                shutil.copy(f"/etc/{name}", self.etc)

        self._let_users_in()
        self._net = in_thread(new_network)
        self.ip("link", "set", "lo", "up")

    def _let_users_in(self):
        """The daemon becomes nobody, and has to find its file at a reload: pytest's directories are for root."""
        temporary = Path(tempfile.gettempdir())
        for directory in self.directory, *self.directory.parents:
            if temporary in directory.parents:
                directory.chmod(directory.stat().st_mode | 0o011)

    def __enter__(self):
        return self

    def __exit__(self, failed, *_):
        try:
            problems = [problem for daemon in self.daemons for problem in daemon.clean_up()]
        finally:
            os.close(self._net)
        assert failed or not problems, "\n".join(problems)

    def call(self, function, *arguments):
        """Call a function inside the namespace; a socket that it makes belongs there for good."""

        def inside():
            call_libc(libc.setns, self._net, CLONE_NEWNET)
            return function(*arguments)

        return in_thread(inside)

    def command(self, *arguments):
        """Turn a command into one that runs inside the namespace, in the same process."""
        return ["nsenter", f"--net=/proc/{os.getpid()}/fd/{self._net}", *map(str, arguments)]

    def run(self, *arguments, **how):
        how = {"capture_output": True, "text": True, "timeout": 2 * LIMIT, **how}
        return subprocess.run(self.command(*arguments), **how)

    @contextlib.contextmanager
    def background(self, *arguments):
        """Run a command for as long as the context lasts."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        with subprocess.Popen(self.command(*arguments), env=environment(), text=True, **pipes) as process:
            try:
                yield process
            finally:
                process.kill()

    def ip(self, *arguments):
        done = self.run("ip", *arguments)
        assert done.returncode == 0, f"ip {' '.join(map(str, arguments))}: {done.stderr}"
        return done.stdout

    def ip_json(self, *arguments):
        return json.loads(self.ip("-j", "-d", *arguments) or "[]")

    def link(self, name):
        """What ip(8) knows about a device, its addresses included; None if there is none."""
        return next((link for link in self.ip_json("address") if link["ifname"] == name), None)

    def links(self):
        return {link["ifname"] for link in self.ip_json("link")}

    def addresses(self, name):
        """The addresses of a device, but the kernel's own: (local, peer or None, prefix length)."""
        return {
            (entry["local"], entry.get("address"), entry["prefixlen"])
            for entry in self.link(name)["addr_info"]
            if entry["scope"] != "link"
        }

    def sysctl(self, name, value):
        path = Path("/proc/sys", *name.split("/"))
        self.call(path.write_text, str(value))

    def take(self, other, name):
        """Move a device here from another host."""
        with self.background("sleep", LIMIT) as resident:
            there = f"/proc/{resident.pid}/ns/net"
            wait_until(lambda: os.stat(there) == os.fstat(self._net), "a process in the namespace")
            other.ip("link", "set", name, "netns", resident.pid)

    def silence(self):
        """Keep the kernel from sending anything of its own into the devices to come."""
        self.sysctl("net/ipv6/conf/default/router_solicitations", 0)
        # Without a route, it would tell us that a reply's destination is unreachable.
        self.ip("-6", "route", "add", "blackhole", "default")

    def switch_ipv6_off(self):
        for which in "all", "default":
            self.sysctl(f"net/ipv6/conf/{which}/disable_ipv6", 1)

    @staticmethod
    def ping_command(address, *options, count=3):
        # All requests at once, which is fast. Of late replies, ping(8) waits for the first as long as -W
        # says, and for the others as long as -i does. Its buffer holds the replies to 150 small requests.
        interval = () if {"-f", "-A"} & set(options) else ("-l", count, "-i", LIMIT)
        return "ping", "-n", "-c", count, *interval, "-W", LIMIT, *options, address

    def ping(self, address, *options, count=3):
        done = self.run(*self.ping_command(address, *options, count=count), env=environment())
        return Ping.parse(done.stdout + done.stderr)

    @contextlib.contextmanager
    def flood(self, *peers):
        """Flood each peer with so many requests at a time that they are a load; gives the commands."""
        with contextlib.ExitStack() as stack:
            flood = "ping", "-n", "-q", "-f", "-l", 200
            yield [stack.enter_context(self.background(*flood, peer)) for peer in peers]

    def requests_sent(self):
        """How many echo requests were sent from here, by the kernel's count."""

        def read():
            ipv4, ipv6 = (Path("/proc/thread-self/net", name).read_text() for name in ("snmp", "snmp6"))
            names, values = re.findall("^IcmpMsg: (.*)$", ipv4, re.M) or ("", "")
            found = dict(zip(names.split(), values.split())).get("OutType8", 0)
            return int(found) + sum(map(int, re.findall(r"^Icmp6OutType128\s+(\d+)$", ipv6, re.M)))

        return self.call(read)

    def socket(self, *arguments):
        return self.call(socket.socket, *arguments)

    def status_directory(self, interface):
        return self.run_directory / "tunecho" / interface

    def connect_status(self, interface="tun0", name="status"):
        """A client of a daemon's status, or of its other socket; the path is longer than an address has room for."""
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.settimeout(LIMIT)
        directory = os.open(self.status_directory(interface), os.O_PATH)
        try:
            client.connect(f"/proc/self/fd/{directory}/{name}")
        except OSError:
            client.close()
            raise
        finally:
            os.close(directory)
        return client

    def configure(self, text, name="test.conf"):
        path = self.directory / name
        path.write_text(text)
        return path

    def daemon_command(self, *arguments, prefix=(), setup=":", binary=BINARY):
        """The daemon on this host's /etc and /run, after setup (shell), under prefix, dying with this process."""
        script = f'mount --bind "$0/etc" /etc && mount --bind "$0/run" /run && {setup} && exec "$@"'
        launcher = "setpriv", "--pdeathsig=KILL", "unshare", "--mount", "sh", "-c", script, self.directory
        return self.command(*launcher, *prefix, binary, *arguments)

    def tunecho(self, *arguments, env=(), **how):
        """Run tunecho where it is expected to end by itself."""
        command = self.daemon_command(*arguments, **how)
        run = {"capture_output": True, "text": True, "timeout": LIMIT, "env": environment(env)}
        try:
            done = subprocess.run(command, **run)
        except subprocess.TimeoutExpired as expired:
            raise AssertionError(f"still running after {LIMIT} s: {expired.stderr}") from None
        complaint = sanitizer_complaint(done.stderr)
        assert not complaint, complaint
        done.stderr = expected_lines(done.stderr)
        return done

    def launch(self, *arguments, config=None, **how):
        """Start a daemon, without waiting for it to become ready."""
        if config is not None:
            arguments = (f"--config={self.configure(config)}", *arguments)
        if self.engine:
            arguments = (f"--engine={self.engine}", *arguments)
        # Never the same number twice: what another thread is about to start may still hold the socket of before.
        daemon = Daemon(self, next(self._numbers), arguments, **how)
        self.daemons.append(daemon)
        return daemon

    def start(self, *arguments, **how):
        """Start a daemon and wait for READY=1."""
        daemon = self.launch(*arguments, **how)
        daemon.wait_ready()
        return daemon


class Store:
    """The descriptor store of systemd: descriptors with their names."""

    def __init__(self):
        self.kept = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for name in self.names():
            self.forget(name)

    def names(self):
        return [name for name, _ in self.kept]

    def keep(self, name, descriptor):
        # What is kept already is not kept twice. The numbers are out of the way of the daemon's.
        if all(self._file(kept) != self._file(descriptor) for _, kept in self.kept):
            self.kept.append((name, fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 100)))
        os.close(descriptor)

    @staticmethod
    def _file(descriptor):
        """The identity of an open file; of a device also its name."""
        device = re.findall("^iff:.*", Path(f"/proc/self/fdinfo/{descriptor}").read_text(), re.M)
        return os.fstat(descriptor)[:3], device

    def forget(self, name):
        for _, descriptor in filter(lambda entry: entry[0] == name, self.kept):
            os.close(descriptor)
        self.kept = [entry for entry in self.kept if entry[0] != name]

    def notify(self, message, descriptors):
        """Do what a notification requests, and close the descriptors that it does not store."""
        assignments = dict(line.split("=", 1) for line in message)
        name = assignments.get("FDNAME", "stored")
        if "FDSTOREREMOVE" in assignments:
            self.forget(name)
        for descriptor in descriptors:
            if "FDSTORE" in assignments:
                self.keep(name, descriptor)
            else:
                os.close(descriptor)

    def hand_over(self):
        """What makes the daemon have the descriptors: arguments of its launcher, and of Popen()."""
        numbers = [descriptor for _, descriptor in self.kept]
        env = {"LISTEN_FDS": str(len(numbers)), "LISTEN_FDNAMES": ":".join(self.names())} if numbers else {}
        return ("bash", "-c", HAND_OVER, " ".join(map(str, numbers))), env, numbers


# Of a sender's requests.
IDENTIFIER = 0x5E4D

SO_ATTACH_FILTER, SO_RCVBUFFORCE = 26, 33


def enlarge_buffer(receiver, size):
    """Give a socket a receive buffer of that many bytes, as far as its user may have one."""
    receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE if IS_ROOT else socket.SO_RCVBUF, size)


def receive_only(raw, identifier, is_ipv6):
    """Have the kernel keep the replies to others, such as those to a flood, out of a raw socket's buffer."""
    # Of IPv4, the header is there, too. Load the identifier, compare it, and take the whole packet or nothing.
    load = [(0x28, 0, 0, 4)] if is_ipv6 else [(0xB1, 0, 0, 0), (0x48, 0, 0, 4)]
    program = [*load, (0x15, 0, 1, identifier), (0x06, 0, 0, 0xFFFFFFFF), (0x06, 0, 0, 0)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    raw.setsockopt(
        socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", len(program), ctypes.addressof(code))
    )


class Sender:
    """Echo requests at a constant rate; ping(8) slows down when replies stop.

    What the kernel does not take, as without a route, is refused; the rest is
    answered or lost. Nothing is lost by the test itself: where replies do not
    come, no more than a window of requests is under way, which the queue of the
    device holds, for two senders at a time, and the buffer of the socket their
    replies. Requests are answered in their order, so that those before the last
    one that was answered are not under way any more. In case all that are under
    way were lost, one a second goes on.
    """

    WINDOW = 2000 if IS_ROOT else 300

    def __init__(self, host, address, rate=500, window=WINDOW):
        self._address = address, 0
        self._rate = rate
        self._window = window
        self._is_ipv6 = ":" in address
        family = (socket.AF_INET6, 58) if self._is_ipv6 else (socket.AF_INET, socket.IPPROTO_ICMP)
        self._socket = host.socket(family[0], socket.SOCK_RAW, family[1])
        enlarge_buffer(self._socket, 16 << 20)
        receive_only(self._socket, IDENTIFIER, self._is_ipv6)
        self._socket.settimeout(0.1)
        self._stopping, self._pausing, self._paused = (threading.Event() for _ in range(3))
        self._sending = threading.Thread(target=self._send)
        self._receiving = threading.Thread(target=self._receive)
        self._last_answered = -1
        self.sent, self.answered, self.refused = {}, {}, 0

    def __enter__(self):
        self._sending.start()
        self._receiving.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        self._sending.join()
        self._receiving.join()
        self._socket.close()

    def _request(self, number):
        header = struct.pack("!BBHHH", 128 if self._is_ipv6 else 8, 0, 0, IDENTIFIER, number & 0xFFFF)
        packet = header + struct.pack("!I", number)
        total = sum(struct.unpack(f"!{len(packet) // 2}H", packet))
        total = (total & 0xFFFF) + (total >> 16)
        return packet[:2] + struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF) + packet[4:]

    def _send(self):
        begin = time.monotonic()
        number = due = 0
        while not self._stopping.is_set():
            if self._pausing.is_set():
                self._paused.set()
                time.sleep(0.001)
                continue
            self._paused.clear()
            self._wait_for_window(number)
            try:
                self.sent[number] = time.monotonic()
                self._socket.sendto(self._request(number), self._address)
                number += 1
            except OSError:
                del self.sent[number]
                self.refused += 1
            due += 1
            time.sleep(max(0, begin + due / self._rate - time.monotonic()))

    def _wait_for_window(self, number):
        end = time.monotonic() + 1
        while number - self._last_answered > self._window and time.monotonic() < end:
            if self._stopping.is_set() or self._pausing.is_set():
                return
            time.sleep(0.001)

    def _number_of_reply(self):
        """Receive one packet; the number of the request that it answers, or None if it is no reply."""
        message = self._socket.recv(2048)[0 if self._is_ipv6 else 20 :]
        kind, _, _, identifier, _, number = struct.unpack("!BBHHHI", message[:12])
        return number if (kind, identifier) == (129 if self._is_ipv6 else 0, IDENTIFIER) else None

    def _receive(self):
        while self._sending.is_alive() or self.missing():
            try:
                number = self._number_of_reply()
            except TimeoutError:
                if not self._sending.is_alive() and self._is_over():
                    return
                continue
            if number is not None:
                self.answered[number] = time.monotonic()
                self._last_answered = max(number, self._last_answered)

    def _is_over(self):
        """Nothing more can come, or it has had its time."""
        last = max(self.sent, default=-1)
        return self._last_answered == last or time.monotonic() > self.sent[last] + LIMIT

    @contextlib.contextmanager
    def paused(self):
        """Send nothing for as long as the context lasts, at the beginning of which nothing is under way."""
        self._pausing.set()
        try:
            wait_until(
                lambda: self._paused.is_set() and self._last_answered == max(self.sent, default=-1),
                "the reply to the last request",
            )
            yield
        finally:
            self._pausing.clear()

    @classmethod
    def flood(cls, host, address, count, window=100):
        """Send requests as fast as they are answered, a window of them under way; replies come in order."""
        flood = cls(host, address)
        with flood._socket:
            flood._socket.settimeout(LIMIT)
            for number in range(count + window):
                if number < count:
                    flood._socket.sendto(flood._request(number), flood._address)
                while number >= window and (answered := flood._number_of_reply()) != number - window:
                    assert answered is None, f"reply {answered} instead of {number - window}"

    def missing(self):
        return self.sent.keys() - self.answered.keys()

    def wait(self, count):
        """Wait until so many more were sent."""
        goal = len(self.sent) + count
        wait_until(lambda: len(self.sent) >= goal, f"{count} requests")

    def assert_nothing_lost(self):
        """To be called after the end."""
        missing = sorted(self.missing())
        assert not missing, f"{len(missing)} of {len(self.sent)} lost: {missing[:20]}"
        assert not self.refused, f"{self.refused} refused beside {len(self.sent)} sent"
        assert self.answered, "nothing was sent"


def environment(more=()):
    """What a process of these tests gets to see of our own environment."""
    kept = [name for name in os.environ if name == "PATH" or name.endswith("SAN_OPTIONS")]
    return {**{name: os.environ[name] for name in kept}, "LC_ALL": "C.UTF-8", **dict(more)}


def sanitizer_complaint(text):
    return text if re.search(r"Sanitizer|runtime error:", text) else None


class Ping(namedtuple("Ping", "transmitted received output")):
    """What ping(8) saw."""

    COMPLAINTS = re.compile("wrong data|BAD CHECKSUM|DIFFERENT ADDRESS|DUP!|truncated|corrupted|errors", re.I)

    @classmethod
    def parse(cls, output):
        counts = re.search(r"(\d+) packets transmitted, (\d+) received", output)
        return cls(*(map(int, counts.groups()) if counts else (0, 0)), output)

    def assert_answered(self, count):
        assert (self.transmitted, self.received) == (count, count), self.output
        assert not self.COMPLAINTS.search(self.output), self.output


class Totals(namedtuple("Totals", "packets replies dropped verdicts")):
    """The totals line of the log; verdicts counts what was dropped."""

    LINE = re.compile(r"(\d+) packets?, (\d+) repl(?:y|ies)(?: \([^)]*\))?, (\d+) dropped(?: \(([^)]*)\))?")

    @classmethod
    def all_in(cls, text):
        return [cls.parse(*match) for match in cls.LINE.findall(text)]

    @classmethod
    def parse(cls, packets, replies, dropped, verdicts):
        entries = (entry.split() for entry in verdicts.split(", ") if entry)
        totals = cls(int(packets), int(replies), int(dropped), Counter({name: int(n) for n, name in entries}))
        assert totals.packets == totals.replies + totals.dropped, totals
        assert totals.dropped == sum(totals.verdicts.values()), totals
        return totals

    def since(self, before):
        counts = (now - then for now, then in zip(self[:3], before[:3]))
        return Totals(*counts, self.verdicts - before.verdicts)


def what_is(descriptor):
    """What a descriptor in /proc is of: the TUN node by its number, as its path is that of a namespace."""
    status = os.stat(descriptor)
    if stat.S_ISCHR(status.st_mode) and status.st_rdev == os.makedev(10, 200):
        return "/dev/net/tun"
    return os.readlink(descriptor)


def fields_of(path):
    """The fields of a file such as /proc/PID/status."""
    return dict(line.split(":\t", 1) for line in path.read_text().splitlines() if ":\t" in line)


class Daemon:
    """A running tunecho: its notifications, its log, its end."""

    def __init__(
        self, host, number, arguments, env=(), stderr=None, store=None, prefix=(), pass_fds=(), **how
    ):
        self.log_path = host.directory / f"stderr-{number}"
        self.log_path.touch()
        self.notifications = []
        self.messages = []
        self._host = host
        self._store = store
        handing_over, listen, descriptors = store.hand_over() if store else ((), {}, pass_fds)

        # An abstract address lives in the namespace, and whatever user the daemon becomes may send to it.
        self._notify = host.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(f"\0notify-{number}")
        self._notify.setblocking(False)

        with self.log_path.open("w") as log:
            self.process = subprocess.Popen(
                host.daemon_command(*arguments, prefix=(*handing_over, *prefix), **how),
                env=environment({"NOTIFY_SOCKET": f"@notify-{number}", **listen, **dict(env)}),
                pass_fds=descriptors,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=stderr or log,
                text=True,
            )
        self.pid = self.process.pid
        self._pidfd = os.pidfd_open(self.pid)
        self._ended_by_us = False

    @property
    def log(self):
        """The lines on stderr, as far as they are complete."""
        text = self.log_path.read_text(errors="replace")
        return expected_lines(text[: text.rfind("\n") + 1])

    def notified(self, assignment):
        """Has the daemon sent this assignment (exact, or a prefix ending in "=")?"""
        self.read_messages()
        return any(
            line.startswith(assignment) if assignment.endswith("=") else line == assignment
            for line in self.notifications
        )

    def read_messages(self):
        """Take what the daemon has sent since the last call, and return every message so far."""
        with contextlib.suppress(BlockingIOError):
            while True:
                text, descriptors, _, _ = socket.recv_fds(self._notify, 65536, 16)
                message = text.decode().splitlines()
                self.messages.append(message)
                self.notifications += message
                if self._store:
                    self._store.notify(message, descriptors)
                else:
                    for descriptor in descriptors:
                        os.close(descriptor)
        return self.messages

    def fill_notifications(self):
        """Fill the queue of its notification socket, until read_messages() empties it."""
        with contextlib.closing(self._host.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as other:
            other.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                for _ in range(10000):
                    other.sendto(b"X_OTHER=1", self._notify.getsockname())

    def wait_ready(self):
        poll = select.poll()
        poll.register(self._notify, select.POLLIN)
        poll.register(self._pidfd, select.POLLIN)
        deadline = time.monotonic() + LIMIT
        while not self.notified("READY=1"):
            status = self.process.poll()
            assert status is None, f"exit status {status} before READY=1:\n{self.log}"
            assert time.monotonic() < deadline, f"no READY=1 within {LIMIT} s:\n{self.log}"
            poll.poll(1000)

    def wait(self):
        """Wait for the daemon to end by itself; return its exit status."""
        try:
            return self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"still running after {LIMIT} s:\n{self.log}") from None

    def stop(self, number=signal.SIGTERM):
        self._ended_by_us = True
        self.process.send_signal(number)
        return self.wait()

    def clean_up(self):
        """End the daemon if it still runs, and return what is wrong with it."""
        problems = []
        try:
            if self.process.poll() is None:
                self.stop()
        except AssertionError as error:
            problems.append(str(error))
        finally:
            self._notify.close()
            os.close(self._pidfd)
            if self.process.stderr:
                self.process.stderr.close()

        if self._ended_by_us and self.process.returncode != 0:
            problems.append(f"exit status {self.process.returncode} after being stopped:\n{self.log}")
        problems += filter(None, [sanitizer_complaint(self.log)])
        return problems

    def totals(self):
        """Ask for the totals by SIGUSR1."""
        seen = len(self.log)
        self.process.send_signal(signal.SIGUSR1)
        return wait_until(lambda: Totals.all_in(self.log[seen:]), "the totals")[-1]

    def totals_of(self, packets):
        """The totals as soon as they have that many packets: a reply may arrive before it is counted."""
        return wait_until(
            lambda: (totals := self.totals()).packets >= packets and totals, f"{packets} packets to count"
        )

    def final_totals(self):
        return Totals.all_in(self.log)[-1]

    def reload(self):
        """Ask for a reload and wait for its end; return what is new in the log."""
        seen, ready = len(self.log), self._ready_count()
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self._ready_count() > ready, "READY=1 after the reload")
        return self.log[seen:]

    def _ready_count(self):
        return sum("READY=1" in message for message in self.read_messages())

    def status_line(self):
        """What `systemctl status` would show."""
        self.read_messages()
        return [line for line in self.notifications if line.startswith("STATUS=")][-1].removeprefix("STATUS=")

    def assert_no_error_told(self):
        """The notification of an error is cleared after a success."""
        self.read_messages()
        last = [line for line in self.notifications if line.startswith("ERRNO=")][-1:]
        assert last in ([], ["ERRNO=0"])

    def limit_descriptors(self, soft):
        """Set its limit, as its own user, who needs no privilege for that."""
        status = self.status()
        user = f"--reuid={status['Uid'].split()[0]}", f"--regid={status['Gid'].split()[0]}"
        groups = "--clear-groups" if IS_ROOT else "--keep-groups"
        limit = "prlimit", f"--pid={self.pid}", f"--nofile={soft}:"
        subprocess.run(["setpriv", *user, groups, *limit], check=True, timeout=LIMIT)

    def descriptors(self):
        """What it holds open: number to (what, whether it is close-on-exec)."""
        found = {}
        for path in Path(f"/proc/{self.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                info = Path(f"/proc/{self.pid}/fdinfo/{path.name}").read_text()
                flags = int(re.search(r"^flags:\s*(\d+)", info, re.M)[1], 8)
                found[int(path.name)] = what_is(path), bool(flags & os.O_CLOEXEC)
        return found

    def threads(self):
        """The /proc directories of its threads, those that the kernel made for it included."""
        return list(Path(f"/proc/{self.pid}/task").iterdir())

    def statuses(self):
        """The fields of each thread's status."""
        return [fields_of(thread / "status") for thread in self.threads()]

    def suspend(self):
        """Send SIGSTOP, and wait until no thread of it runs any more."""
        self.process.send_signal(signal.SIGSTOP)

        def is_stopped():
            return all(status["State"].startswith("T") for status in self.statuses())

        wait_until(is_stopped, "the daemon to stop")

    @contextlib.contextmanager
    def held_back(self):
        """Keep it from reading for as long as the context lasts, so that it finds a load then."""
        self.suspend()
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def batched(self):
        """How many reads went through its ring, those that found nothing included; None without a ring."""
        rings = [number for number, (what, _) in self.descriptors().items() if "[io_uring]" in what]
        if not rings:
            return None
        # While the ring is at work, the kernel may show nothing of it.
        deadline = time.monotonic() + LIMIT
        while not (tail := re.search(r"^CqTail:\s*(\w+)", self.info(rings[0]), re.M)):
            assert time.monotonic() < deadline, self.info(rings[0])
            time.sleep(0.01)
        return int(tail[1], 0)

    def info(self, descriptor):
        """What the kernel says of a descriptor of its."""
        return Path(f"/proc/{self.pid}/fdinfo/{descriptor}").read_text()

    def assert_batched(self):
        """Its engine has moved packets in batches, if it is one that does.

        How many of them depends on the speed of the machine; so tests check each answer, and that some batch
        ran. To be sure of one, send enough packets within held_back().
        """
        reads = self.batched()
        if self._host.engine == "io_uring":
            assert reads, f"{reads} reads of the ring"
        else:
            assert reads is None, "the engine 'syscall' has a ring"

    def assert_no_worker(self):
        """The kernel has started no thread to do what the ring asks for."""
        names = [status["Name"] for status in self.statuses()]
        assert not [name for name in names if name.startswith("iou-")], names

    def status(self):
        """The fields of /proc/PID/status, which are those of its first thread."""
        return fields_of(Path(f"/proc/{self.pid}/status"))

    def private_memory(self):
        """Kilobytes that it has written to."""
        text = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        return int(re.search(r"^Private_Dirty:\s+(\d+) kB", text, re.MULTILINE)[1])

    def assert_not_grown(self, before, kilobytes):
        """By that much, since private_memory() was asked. A sanitizer keeps books, and what is freed."""
        grown = self.private_memory() - before
        assert SANITIZED or grown < kilobytes, f"{grown} kB more"

    def wait_idle(self):
        """Wait until it takes no time of a processor for a while, which it never does if it spins."""

        def is_idle():
            before = self.cpu_seconds()
            time.sleep(0.3)
            return self.cpu_seconds() == before

        wait_until(is_idle, "the daemon to be idle")

    def wait_asleep(self):
        """Wait until no thread of it is woken for a second, which never comes if one is woken regularly."""

        def switches():
            kinds = "voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"
            return [[int(status[kind]) for kind in kinds] for status in self.statuses()]

        def is_asleep():
            before = switches()
            time.sleep(1)
            return switches() == before

        wait_until(is_asleep, "the daemon to sleep for a second")

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
