# SPDX-License-Identifier: GPL-2.0-or-later
"""System calls that fail, one after the other, from start to stop; descriptors and memory that run out.

strace(1) lets a single call of a run fail. Whatever it is, the run ends in
service, or with a message and a status of sysexits(3), and leaves no device
behind. A run takes less than a tenth of a second.
"""

import contextlib
import queue
import re
import shutil
import signal
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness import CONFIG, NOPERM, OSERR, SANITIZED, UNAVAILABLE, USAGE
from harness import Host, Store, sanitizer_complaint, wait_until

IPV4 = "198.18.0.2"

STATUSES = {0, USAGE, UNAVAILABLE, OSERR, NOPERM, CONFIG}

# A transient error must not end with a status after which systemd does not start the daemon again.
PASSING = {0, UNAVAILABLE, OSERR}

# What strace cannot do beside a sanitizer, it must not try.
ENV = {"ASAN_OPTIONS": "detect_leaks=0"}

WORKERS = 4

# How each call could fail; by itself, or because a sandbox forbids it (EPERM).
ERRORS = {
    "files": {
        "openat": ["EMFILE", "ENOMEM", "EACCES", "EPERM", "EIO"],
        "newfstatat": ["EIO", "EPERM"],
        "fstat": ["EIO", "EPERM"],
        "lseek": ["ESPIPE", "EPERM"],
        "close": ["EINTR", "EIO"],
        "getrandom": ["ENOSYS", "EPERM"],
    },
    "device": {
        "ioctl": ["EBUSY", "EINVAL", "EPERM", "ENODEV", "ENOMEM"],
        "fcntl": ["EINVAL", "EPERM"],
        "read": ["EIO", "EINTR", "EPERM", "EBADFD"],
        "write": ["EIO", "EINTR", "ENOBUFS", "EINVAL", "ENOSPC"],
        "poll": ["EINTR", "ENOMEM", "EPERM"],
        "ppoll": ["EINTR", "ENOMEM", "EPERM"],
        "io_uring_setup": ["ENOSYS", "EPERM", "ENOMEM", "EMFILE"],
        "io_uring_register": ["EINVAL", "EPERM", "ENOMEM"],
        "io_uring_enter": ["EAGAIN", "EBUSY", "EINTR", "EINVAL", "ENOMEM", "EPERM"],
    },
    "network": {
        "socket": ["EMFILE", "EAFNOSUPPORT", "EPERM"],
        "bind": ["EADDRINUSE", "ENOMEM", "EPERM"],
        "getsockname": ["ENOBUFS"],
        "sendto": ["ENOBUFS", "EINTR", "EPERM"],
        "recvmsg": ["ENOBUFS", "EINTR", "ENOMEM"],
        "clock_nanosleep": ["EINTR", "EPERM"],
    },
    "privileges": {
        "fchown": ["EPERM"],
        "getgroups": ["EPERM"],
        "seccomp": ["EPERM", "EINVAL"],
        "setgid": ["EPERM"],
        "setgroups": ["EPERM"],
        "setuid": ["EPERM", "EAGAIN"],
        "capget": ["EPERM"],
        "capset": ["EPERM"],
        "prctl": ["EPERM", "EINVAL"],
        "pipe2": ["EMFILE", "ENFILE"],
        "clone": ["EAGAIN", "ENOMEM", "EPERM"],
        "wait4": ["EINTR", "ECHILD"],
    },
    "status": {
        "mkdir": ["EACCES", "ENOSPC", "EPERM"],
        "chmod": ["EPERM"],
        "flock": ["EAGAIN", "ENOLCK"],
        "unlinkat": ["EBUSY", "EPERM"],
        "listen": ["EADDRINUSE", "EPERM"],
        "accept4": ["EMFILE", "ENFILE", "ECONNABORTED", "EINTR", "EPERM"],
        "rmdir": ["EBUSY", "EPERM"],
    },
    "events": {
        "epoll_create1": ["EMFILE", "ENOMEM"],
        "epoll_ctl": ["ENOMEM", "ENOSPC", "EPERM"],
        "epoll_wait": ["EINTR", "EPERM"],
        "epoll_pwait2": ["EINTR", "EPERM", "ENOSYS"],
        "eventfd2": ["EMFILE", "ENOMEM", "EPERM"],
        "signalfd4": ["EMFILE", "ENOMEM", "EPERM"],
        "timerfd_create": ["EMFILE", "ENOMEM", "EPERM"],
        "timerfd_settime": ["EINVAL", "EPERM"],
        "rt_sigaction": ["EPERM"],
        "rt_sigprocmask": ["EPERM"],
        "rt_sigpending": ["EPERM"],
    },
    "threads": {
        "clone3": ["EAGAIN", "ENOMEM", "EPERM"],
        "tgkill": ["EAGAIN", "EPERM"],
    },
    "systemd": {
        "connect": ["EAGAIN", "ECONNREFUSED", "EPERM"],
        "sendmsg": ["ECONNREFUSED", "EAGAIN", "ENOBUFS", "EPERM", "ETOOMANYREFS"],
        "setsockopt": ["EPERM"],
        "getsockopt": ["EPERM"],
    },
}

# Without these there are no two planes: the start ends with status 71.
NEEDED = "clone3", "epoll_create1", "eventfd2", "signalfd4", "timerfd_create"

# What the data plane calls after the start.
DATA_PLANE = {
    "read": ["EIO", "EINTR", "EPERM", "EBADFD"],
    "write": ["EIO", "EINTR", "ENOBUFS", "EINVAL", "ENOSPC"],
    "poll": ["EINTR", "ENOMEM", "EPERM"],
}

# The C library asks for more memory the one way or the other; with small steps, more of our allocations show.
# brk(2) of the kernel has no errors: what did not move has not grown.
MEMORY = {"brk": "retval=0", "mmap": "error=ENOMEM"}
SMALL_STEPS = {"MALLOC_TOP_PAD_": "0", "MALLOC_MMAP_THRESHOLD_": "1024", "MALLOC_TRIM_THRESHOLD_": "0"}

# Cannot fail, or the C library ends the process if they do; and what only a sanitizer calls.
NEVER = {
    *("getresgid", "getresuid", "pread64"),
    "sched_getaffinity",  # pthread_getattr_np(3), by AddressSanitizer for the stack of a new thread
    *("getpid", "gettid", "getuid", "geteuid", "getgid", "getegid", "futex", "exit", "exit_group", "sigaltstack"),
    *("rt_sigreturn", "set_robust_list", "restart_syscall", "brk", "mmap", "munmap", "mprotect", "madvise"),
    *("readlink", "sched_yield", "clock_gettime", "umask"),
}

# The numbers apply to the child that builds a filter, too: its failure, and then the message about that.
TWICE = {("write", 1)}

# Of a call that is made often, these are enough; of netlink's each is another request.
FIRST, LAST = 3, 1
FIRST_OF = {"sendto": 14, "recvmsg": 18, "openat": 6, "ioctl": 6, "fcntl": 6, "read": 10, "sendmsg": 6}


@pytest.fixture(scope="module", autouse=True)
def strace():
    if not shutil.which("strace"):
        pytest.skip("need strace")
    probe = subprocess.run(["strace", "-D", "-o", "/dev/null", "true"], capture_output=True, text=True)
    if probe.returncode != 0:
        pytest.skip(f"need strace that may trace: {probe.stderr.strip()}")


@pytest.fixture(scope="module")
def hosts(tmp_path_factory):
    """One for each worker."""
    with contextlib.ExitStack() as stack:
        free = queue.SimpleQueue()
        for number in range(WORKERS):
            free.put(stack.enter_context(Host(tmp_path_factory.mktemp(f"host{number}"))))
        yield free


def run(host, *options, store=None, env=(), statuses=STATUSES):
    """A daemon from start to stop under strace; what was wrong with it, or None."""
    tracing = "strace", "-D", "-qq", *options
    daemon = host.launch("tun0", prefix=tracing, env={**ENV, **dict(env)}, store=store)
    try:
        return watch(host, daemon) or after(host, daemon, store, statuses)
    except AssertionError as error:
        return str(error)
    finally:
        # What is wrong with its end is said already.
        daemon.clean_up()
        host.daemons.remove(daemon)


def unusual_messages(daemon):
    """The messages that a run without a failure does not have."""
    ordinary = "is ready, try|so far|until now|stopped:|applied its|is recovered"
    return [line for line in daemon.log.splitlines() if not re.search(ordinary, line)]


def wait_notified(daemon):
    """The notification comes after the ready message; without it, there is a message about that."""

    def is_reported():
        return daemon.process.poll() is not None or daemon.notified("READY=1") or unusual_messages(daemon)

    wait_until(is_reported, "the notification that it is ready")


def watch(host, daemon):
    def ended():
        return daemon.process.poll() is not None

    def answers():
        return ended() or host.ping(IPV4, "-W", "1", count=1).received > 0

    wait_until(lambda: daemon.notified("READY=1") or "is ready" in daemon.log or ended(), "READY=1")
    if ended() and daemon.process.returncode == 0:
        return "ended with 0 before it was asked to"
    wait_until(answers, "an answer")
    with contextlib.suppress(OSError):
        host.connect_status().close()
    wait_notified(daemon)

    # Low numbers are taken first: the daemon reloads, and then it stops.
    host.run("ip", "-batch", "-", input="link set tun0 down\nlink set tun0 up\n")
    for number in signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM:
        daemon.process.send_signal(number)
    daemon.wait()
    return None


def after(host, daemon, store, statuses):
    status = daemon.process.returncode
    daemon.read_messages()  # with what was to be kept
    if store:
        store.forget("tun")
    if status not in statuses:
        return f"exit status {status}: {daemon.log}"
    if status != 0 and not unusual_messages(daemon):
        return f"exit status {status} without a word: {daemon.log}"
    if sanitizer_complaint(daemon.log):
        return daemon.log

    # strace, which had it open, too, ends a moment later.
    wait_until(lambda: [name for _, name in host.call(socket.if_nameindex)] == ["lo"], "the device to go")
    return None


def calls_of(log):
    """Name and number of each call of a run, without those of the dynamic linker, which come before main().

    strace counts the calls of each thread, and a number applies to all threads. So a call of the data plane is
    left out if the dynamic linker has one of the same name and number.
    """
    found = re.findall(r"^(?:(\d+) +)?(\w+)\((.*)$", log.read_text(), re.MULTILINE)
    counts, linker, calls, in_main = {}, set(), [], False
    for thread, name, arguments in found:
        number = counts[thread, name] = counts.get((thread, name), 0) + 1
        # The first thing of all is to ask what stderr is.
        in_main = in_main or (name in ("newfstatat", "fstat") and re.match(r"2[,)]", arguments))
        if not in_main:
            linker.add((name, number))
        elif (name, number) not in linker:
            calls.append((name, number))
    assert in_main, log.read_text()
    return calls


def record(host, *options, **how):
    log = host.directory / "calls"
    wrong = run(host, *options, "-o", log, **how)
    assert not wrong, wrong
    return calls_of(log)


@pytest.fixture(scope="module")
def recorded(hosts):
    """The calls of a normal run."""
    host = hosts.get()
    try:
        return record(host, "-f")
    finally:
        hosts.put(host)


def chosen(recorded, name):
    numbers = [number for call, number in recorded if call == name and (call, number) not in TWICE]
    return sorted({*numbers[: FIRST_OF.get(name, FIRST)], *numbers[-LAST:]})


def try_all(hosts, cases, with_store=False):
    """Run all cases, each a call, its number and an error, and return what was wrong."""

    def one(case):
        name, number, error = case
        host = hosts.get()
        try:
            with Store() as store:
                if with_store:
                    fill(host, store)
                inject = f"inject={name}:error={error}:when={number}"
                options = "-f", "-o", "/dev/null", "-e", f"trace={name}", "-e", inject
                wrong = run(host, *options, store=store if with_store else None)
                return wrong and f"{name} no. {number}: {error}: {wrong}"
        finally:
            hosts.put(host)

    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        return [wrong for wrong in pool.map(one, cases) if wrong]


def fill(host, store):
    daemon = host.start("tun0", store=store)
    assert daemon.stop() == 0
    daemon.clean_up()
    host.daemons.remove(daemon)
    assert store.names() == ["tun"]


def test_every_call_is_known(recorded):
    """A call that is new to the daemon has to be given its errors here."""
    known = NEVER.union(*ERRORS.values())
    unknown = {name for name, _ in recorded} - known
    assert not unknown, " ".join(sorted(unknown))


@pytest.mark.parametrize("group", ERRORS)
def test_failing_call(hosts, recorded, group):
    cases = [
        (name, number, error)
        for name, errors in ERRORS[group].items()
        for number in chosen(recorded, name)
        for error in errors
    ]
    assert cases, recorded
    wrong = try_all(hosts, cases)
    assert not wrong, f"{len(wrong)} of {len(cases)} runs:\n" + "\n".join(wrong)


@pytest.mark.parametrize("name", NEEDED)
def test_call_that_the_start_needs(host, recorded, name):
    number = chosen(recorded, name)[0]
    inject = f"inject={name}:error=EPERM:when={number}"
    tracing = "strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={name}", "-e", inject
    done = host.tunecho("tun0", prefix=tracing, env=ENV)
    assert done.returncode == OSERR, done.stderr
    assert "Operation not permitted" in done.stderr
    wait_until(lambda: host.links() == {"lo"}, "the device to go")


@pytest.mark.parametrize("name", DATA_PLANE)
def test_failing_call_of_the_data_plane(host, name):
    """The thread alone is traced, from the start on."""
    for error in DATA_PLANE[name]:
        for number in 1, 2:
            daemon = host.start("tun0", env=ENV)
            thread = next(int(task.name) for task in daemon.threads() if int(task.name) != daemon.pid)
            inject = "-e", f"trace={name}", "-e", f"inject={name}:error={error}:when={number}"
            with host.background("strace", "-qq", "-o", "/dev/null", *inject, "-p", thread):
                status = Path(f"/proc/{daemon.pid}/task/{thread}/status")
                wait_until(lambda: "TracerPid:\t0\n" not in status.read_text(), "strace")
                wrong = watch(host, daemon) or after(host, daemon, None, {0, OSERR})
            assert not wrong, f"{name} no. {number}: {error}: {wrong}"
            daemon.clean_up()
            host.daemons.remove(daemon)


def test_failing_call_of_a_takeover(hosts):
    """The same for what is done to a descriptor of the store."""
    host = hosts.get()
    try:
        with Store() as store:
            fill(host, store)
            recorded = record(host, "-f", store=store)
    finally:
        hosts.put(host)
    cases = [
        (name, number, error)
        for name in ("fcntl", "ioctl", "sendmsg")
        for number in chosen(recorded, name)
        for error in ERRORS["systemd" if name == "sendmsg" else "device"][name]
    ]
    wrong = try_all(hosts, cases, with_store=True)
    assert not wrong, f"{len(wrong)} of {len(cases)} runs:\n" + "\n".join(wrong)


@pytest.mark.parametrize("error", ["ENOBUFS", "ENOMEM"])
def test_answer_that_is_lost_in_a_reload(host, error):
    """A reload whose conversation with the kernel breaks off is refused; the next one is as good as any."""
    daemon = host.start("tun0", env=ENV)
    for number in range(1, 10):
        inject = "-e", "trace=recvmsg", "-e", f"inject=recvmsg:error={error}:when={number}"
        with host.background("strace", "-qq", "-o", "/dev/null", *inject, "-p", daemon.pid):
            wait_until(lambda: daemon.status()["TracerPid"] != "0", "strace")
            assert daemon.reload().strip()
        wait_until(lambda: daemon.status()["TracerPid"] == "0", "the end of strace")
        assert "applied its new settings" in daemon.reload(), f"after no. {number}: {daemon.log}"
        daemon.assert_no_error_told()
        host.ping(IPV4).assert_answered(3)


# The kernel may not know how to tell of the addresses of one device alone, as before Linux 4.20.
NARROWING = {"of the device": "when=99", "of all devices": "when=1+"}


@pytest.mark.parametrize("how", NARROWING.values(), ids=NARROWING)
def test_addresses_change_all_the_time(host, how):
    """A dump that the kernel marks as interrupted is repeated: no reload is refused, none misses an address."""
    many = [f"address add 2001:db8::{number:x} dev lo\n" for number in range(1, 301)]
    assert host.run("ip", "-batch", "-", input="".join(many)).returncode == 0
    inject = "-e", "trace=setsockopt", "-e", f"inject=setsockopt:error=ENOPROTOOPT:{how}"
    without = "[Network]\nAddress=198.18.0.1\nPeer=198.18.0.2\n"
    tracing = "strace", "-D", "-qq", "-o", "/dev/null", *inject
    daemon = host.start("tun0", config=without, prefix=tracing, env=ENV)
    host.ip("address", "add", "10.50.0.1/24", "dev", "tun0")
    stay = host.addresses("tun0")

    changes = host.directory / "changes"
    changes.write_text("address add 2001:db8::ffff dev lo\naddress del 2001:db8::ffff dev lo\n" * 50)
    with host.background("sh", "-c", 'while ip -batch "$0"; do :; done', changes) as changing:
        for _ in range(25):
            for text, own in (without + "Address=10.77.0.1/24\n", {("10.77.0.1", None, 24)}), (without, set()):
                host.configure(text)
                log = daemon.reload()
                assert "applied its new settings" in log, log
                assert host.addresses("tun0") == stay | own
        assert changing.poll() is None, "nothing changed any more"
    host.ping(IPV4).assert_answered(3)


def try_limit(host, *limit):
    """Run under prlimit(1); returns None for service, else the status."""
    daemon = host.launch("tun0", prefix=("prlimit", *limit, "--"), env=ENV)
    try:
        wait_until(lambda: "is ready" in daemon.log or daemon.process.poll() is not None, "the ready message")
        if daemon.process.poll() is None:
            host.ping(IPV4).assert_answered(3)
            wait_notified(daemon)
            if daemon.notified("READY=1"):
                daemon.reload()
            assert daemon.stop() == 0
            return None
        daemon.read_messages()  # with what was to be kept
        assert host.links() == {"lo"}
        # Without its libraries it is not a daemon yet: the dynamic linker, or the kernel, has given up.
        if "tun0" in daemon.log or daemon.process.returncode in STATUSES:
            assert daemon.process.returncode in PASSING - {0}, (daemon.process.returncode, daemon.log)
            assert daemon.log.strip()
        return daemon.process.returncode
    finally:
        daemon.clean_up()
        host.daemons.remove(daemon)


def test_out_of_descriptors(host):
    """From none to enough: either a message, or service; and what is enough once is enough for a reload."""
    results = [try_limit(host, f"--nofile={number}") for number in range(3, 24)]
    assert results[-1] is None, results
    first = results.index(None)
    assert set(results[first:]) == {None}, results
    assert OSERR in results, results


if not SANITIZED:

    def test_no_more_memory(hosts):
        """From some allocation on there is none."""
        host = hosts.get()
        try:
            recorded = record(host, env=SMALL_STEPS)
        finally:
            hosts.put(host)
        calls = [(name, number) for name, number in recorded if name in MEMORY]
        assert len(calls) > 3, recorded

        def one(index):
            host = hosts.get()
            try:
                options = []
                for name, failure in MEMORY.items():
                    later = [number for call, number in calls[index:] if call == name]
                    if later:
                        options += "-e", f"inject={name}:{failure}:when={later[0]}+"
                options += "-o", "/dev/null", "-e", "trace=brk,mmap"
                wrong = run(host, *options, env=SMALL_STEPS, statuses=PASSING)
                return wrong and f"from allocation {index} of {len(calls)} on: {wrong}"
            finally:
                hosts.put(host)

        with ThreadPoolExecutor(max_workers=WORKERS) as pool:
            wrong = [wrong for wrong in pool.map(one, range(len(calls))) if wrong]
        assert not wrong, "\n".join(wrong)

    def test_out_of_memory(host):
        """In small steps up to what is enough, without the dynamic linker having to give up."""
        enough = next(kib for kib in range(1024, 65536, 1024) if try_limit(host, f"--as={kib << 10}") is None)
        results = [try_limit(host, f"--as={kib << 10}") for kib in range(enough - 1024, enough + 1, 16)]
        assert results[-1] is None, results
