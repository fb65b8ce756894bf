# SPDX-License-Identifier: GPL-2.0-or-later
"""Which privileges the daemon has while it serves: its user, capabilities and filters of system calls."""

import platform
import pwd
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness import BINARY, NOPERM, UNAVAILABLE, USAGE, wait_until
from packets import IPV4, IPV6

CAP_NET_ADMIN = 1 << 12
PEERS = IPV4[1], IPV6[1]
NOBODY = pwd.getpwnam("nobody")
DAEMON = pwd.getpwnam("daemon")

# Where a node of mode 0666 is, as udev makes it; in a container the machine's own may be 0600.
OPEN_NODE = "mount -t tmpfs none /dev/net && mknod -m 0666 /dev/net/tun c 10 200"
CLOSED_NODE = "mount -t tmpfs none /dev/net && mknod -m 0600 /dev/net/tun c 10 200"

SETPRIV = "setpriv", "--reuid=nobody", f"--regid={NOBODY.pw_gid}", "--clear-groups"
LIKE_THE_UNIT = (
    *SETPRIV,
    "--inh-caps=-all,+net_admin",
    "--ambient-caps=-all,+net_admin",
    "--bounding-set=-all,+net_admin",
    "--no-new-privs",
)

# As a container starts a process: root, with these capabilities alone.
IN_A_CONTAINER = "setpriv", "--bounding-set=-all,+net_admin,+net_raw,+setuid,+setgid,+chown,+dac_override"

# Starts a program with a filter, with which seccomp(2) fails, or succeeds and installs nothing. What only asks for
# the features of the kernel is spared, and so are calls with certain flags.
WITHOUT_SECCOMP = """
import ctypes, os, struct, sys
number, result, spared = map(int, sys.argv[1:4])
load, equal, set, end, allow = 0x20, 0x15, 0x45, 0x06, 0x7FFF0000
steps = [
    (load, 0, 0, 0), (equal, 0, 7, number), (load, 0, 0, 16), (equal, 0, 5, 1), (load, 0, 0, 32), (equal, 3, 0, 0),
    (load, 0, 0, 24), (set, 1, 0, spared), (end, 0, 0, result), (end, 0, 0, allow),
]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code)))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, program, 0, 0) == 0, os.strerror(ctypes.get_errno())
os.execvp(sys.argv[4], sys.argv[4:])
"""
REFUSED, NO_EFFECT = 0x50001, 0x50000
TSYNC = 1  # in the flags of a filter for all threads
SECCOMP = {"x86_64": 317, "aarch64": 277}.get(platform.machine())


@pytest.fixture
def public_binary(host):
    """The daemon where any user may execute it, wherever the build directory is."""
    shutil.copy(BINARY, host.etc / "tunecho-binary")
    host.directory.chmod(0o755)
    return "/etc/tunecho-binary"


def tasks(daemon):
    """The fields of /proc/PID/task/TID/status, of the main thread first."""
    for task in sorted(Path(f"/proc/{daemon.pid}/task").iterdir(), key=lambda path: int(path.name)):
        lines = (task / "status").read_text().splitlines()
        yield dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def assert_least_privilege(daemon, bounding=0):
    for status in tasks(daemon):
        for name in "CapPrm", "CapEff":
            assert int(status[name], 16) == CAP_NET_ADMIN, (name, status[name])
        for name in "CapInh", "CapAmb":
            assert int(status[name], 16) & ~CAP_NET_ADMIN == 0, (name, status[name])
        assert int(status["CapBnd"], 16) & ~CAP_NET_ADMIN == bounding, status["CapBnd"]
        assert status["NoNewPrivs"] == "1"


def assert_filters(daemon, before=0):
    """Each thread has the filter of the process, and the data plane its own besides."""
    statuses = list(tasks(daemon))
    assert {status["Seccomp"] for status in statuses} == {"2"}
    if "Seccomp_filters" in statuses[0]:
        counts = sorted(int(status["Seccomp_filters"]) - before for status in statuses)
        assert counts == [1] * (len(statuses) - 1) + [2]


def assert_user(daemon, user):
    for status in tasks(daemon):
        assert status["Uid"].split() == [str(user.pw_uid)] * 4
        assert status["Gid"].split() == [str(user.pw_gid)] * 4
        assert set(status["Groups"].split()) <= {str(user.pw_gid)}


def assert_answers(host):
    for peer in PEERS:
        host.ping(peer).assert_answered(3)


def warnings(daemon, text):
    return [line for line in daemon.log.splitlines() if text in line]


@pytest.mark.root("another user")
def test_started_by_root(host, each_engine):
    """It becomes nobody, and every client reaches the status socket."""
    daemon = host.start("tun0", prefix=("setpriv", "--groups=4,27"))
    assert_user(daemon, NOBODY)
    assert_least_privilege(daemon)
    assert_filters(daemon)
    assert_answers(host)
    host.connect_status().close()
    daemon.totals()
    daemon.reload()
    assert_answers(host)
    assert daemon.stop() == 0
    assert not (host.status_directory("tun0") / "status").exists()
    assert not warnings(daemon, "keeps") and not warnings(daemon, "is served as")


def test_filters_under_load(host, each_engine):
    daemon = host.start("tun0")
    with host.flood(*PEERS):
        wait_until(lambda: daemon.totals().replies > 1000, "a thousand replies")
        daemon.assert_batched()
        assert_filters(daemon)
        assert daemon.stop() == 0


@pytest.mark.root("another user")
def test_started_by_root_with_ambient_capabilities(host):
    """More than one capability, in every set: all of them go."""
    sets = "--inh-caps=+net_admin,+net_raw,+sys_admin", "--ambient-caps=+net_admin,+net_raw,+sys_admin"
    daemon = host.start("tun0", prefix=("setpriv", *sets))
    assert_least_privilege(daemon)
    assert_user(daemon, NOBODY)


@pytest.mark.root("another user")
def test_user(host):
    daemon = host.start("--user=daemon", "tun0", prefix=("setpriv", "--groups=4,27"))
    assert_user(daemon, DAEMON)
    assert_least_privilege(daemon)
    assert_answers(host)


@pytest.mark.parametrize("name", ["root", "toor"])
def test_user_root(host, name):
    """Whatever its name is."""
    with (host.etc / "passwd").open("a") as users:
        users.write("toor:x:0:0::/:/bin/sh\n")
    done = host.tunecho(f"--user={name}", "tun0")
    assert done.returncode == USAGE, done.stderr
    assert f"--user={name}: root" in done.stderr
    assert host.links() == {"lo"}


@pytest.mark.root("another user")
def test_no_entry_for_nobody(host):
    """As in a container with one program in it."""
    (host.etc / "passwd").write_text("root:x:0:0::/:/bin/sh\n")
    daemon = host.start("tun0")
    for status in tasks(daemon):
        assert status["Uid"].split() == status["Gid"].split() == ["65534"] * 4
    assert_answers(host)


def test_nobody_is_root(host):
    (host.etc / "passwd").write_text("nobody:x:0:0::/:/bin/sh\n")
    done = host.tunecho("tun0")
    assert done.returncode == USAGE, done.stderr
    assert "nobody" in done.stderr and "root" in done.stderr


@pytest.mark.parametrize("user", [[], ["--user=daemon"]], ids=["nobody", "daemon"])
@pytest.mark.root("a node of its own")
def test_user_namespace_without_the_user(host, user):
    """unshare -Ur: setuid(2) fails with EINVAL there."""
    daemon = host.launch(*user, "tun0", setup=OPEN_NODE, prefix=("unshare", "--user", "--map-root-user", "--net"))
    wait_until(lambda: "is ready" in daemon.log or daemon.process.poll() is not None, "the ready message")
    assert len(warnings(daemon, "is served as user 0")) == 1, daemon.log
    assert {status["Uid"].split()[0] for status in tasks(daemon)} == {"0"}
    assert_least_privilege(daemon)
    assert_filters(daemon)

    inside = "nsenter", "--target", str(daemon.pid), "--user", "--net", "--preserve-credentials"
    pinged = subprocess.run([*inside, *map(str, host.ping_command(IPV4[1]))], capture_output=True, text=True, timeout=30)
    assert "3 received" in pinged.stdout, pinged.stdout + pinged.stderr
    assert daemon.stop() == 0


@pytest.mark.root("another user")
def test_bounding_set_that_stays(host):
    """As in a container without CAP_SETPCAP: one warning, and the other sets are exact."""
    daemon = host.start("tun0", prefix=IN_A_CONTAINER)
    bounding = sum(1 << number for number in (13, 7, 6, 0, 1))  # net_raw, setuid, setgid, chown, dac_override
    assert_least_privilege(daemon, bounding)
    assert_user(daemon, NOBODY)
    assert_answers(host)
    daemon.reload()
    assert len(warnings(daemon, "bounding set")) == 1, daemon.log


@pytest.mark.root("another user")
@pytest.mark.parametrize("lacking", ["setuid", "setgid"])
def test_root_that_cannot_become_nobody(host, lacking):
    """As in a container with CAP_NET_ADMIN alone."""
    daemon = host.start("tun0", prefix=("setpriv", f"--bounding-set=-{lacking}", f"--inh-caps=-{lacking}"))
    assert len(warnings(daemon, "is served as user 0, as CAP_SETUID or CAP_SETGID is lacking")) == 1, daemon.log
    assert {status["Uid"].split()[0] for status in tasks(daemon)} == {"0"}
    assert_least_privilege(daemon)
    assert_filters(daemon)
    assert_answers(host)


@pytest.mark.root("another user")
def test_root_that_cannot_become_the_user(host):
    """The one that it was asked to become: never user 0 instead."""
    prefix = "setpriv", "--bounding-set=-setuid", "--inh-caps=-setuid"
    done = host.tunecho("--user=daemon", "tun0", prefix=prefix)
    assert done.returncode == NOPERM, done.stderr
    assert "drop privileges" in done.stderr
    assert host.links() == {"lo"}


@pytest.mark.root("another user")
def test_started_as_the_unit_does(host, each_engine, public_binary):
    daemon = host.start("tun0", binary=public_binary, setup=OPEN_NODE, prefix=LIKE_THE_UNIT)
    assert_user(daemon, NOBODY)
    assert_least_privilege(daemon)
    assert_filters(daemon)
    assert_answers(host)


@pytest.mark.parametrize(
    "prefix",
    [
        pytest.param(("setpriv", "--inh-caps=-net_admin", "--bounding-set=-net_admin"), id="root without it"),
        pytest.param(SETPRIV, id="nobody"),
    ],
)
@pytest.mark.root("a node of its own")
def test_lacking_the_capability(host, public_binary, prefix):
    done = host.tunecho("tun0", binary=public_binary, setup=OPEN_NODE, prefix=prefix)
    assert done.returncode == NOPERM, done.stderr
    assert "CAP_NET_ADMIN" in done.stderr
    assert host.links() == {"lo"}


@pytest.mark.root("a node of its own")
def test_closed_node(host, public_binary):
    """The capability does not open a node of mode 0600: the message says what does."""
    done = host.tunecho("tun0", binary=public_binary, setup=CLOSED_NODE, prefix=LIKE_THE_UNIT)
    assert done.returncode in (NOPERM, UNAVAILABLE), done.stderr
    assert "/dev/net/tun" in done.stderr
    assert re.search("0?666|mode|permi", done.stderr), done.stderr


@pytest.mark.parametrize("result", [REFUSED, NO_EFFECT], ids=["refused", "no effect"])
@pytest.mark.parametrize("spared", [0, TSYNC], ids=["process", "data plane"])
def test_no_filter(host, each_engine, spared, result):
    """It reads the filters back, and does not run without."""
    if SECCOMP is None:
        pytest.skip("need the number of seccomp(2) on this machine")
    prefix = sys.executable, "-c", WITHOUT_SECCOMP, str(SECCOMP), str(result), str(spared)
    done = host.tunecho(f"--engine={each_engine}", "tun0", prefix=prefix)
    assert done.returncode == NOPERM, done.stderr
    whose = "the data plane's system calls" if spared else "system calls"
    assert f"Refusing to run without a filter of {whose}" in done.stderr
    assert "is ready" not in done.stderr
    assert host.links() == {"lo"}


@pytest.mark.root("in a user namespace the daemon reads proc(5)")
def test_filters_without_proc(host):
    """prctl(2) reads them back where proc(5) is not mounted."""
    daemon = host.start("tun0", setup="mount -t tmpfs none /proc")
    assert_filters(daemon)
    assert_answers(host)
    # Not by stop(): what a sanitizer does at the end of a program needs /proc.
    daemon.process.kill()
    daemon.wait()


def test_filters_that_log(host, each_engine):
    """For debugging, with a warning."""
    daemon = host.start("tun0", env={"TUNECHO_SECCOMP": "log"})
    assert len(warnings(daemon, "TUNECHO_SECCOMP=log")) == 1, daemon.log
    assert_filters(daemon)
    assert_least_privilege(daemon)
    assert_answers(host)
    assert daemon.stop() == 0


@pytest.mark.parametrize("value", ["", "LOG", "off", "log "])
def test_filters_with_another_value(host, value):
    done = host.tunecho("tun0", env={"TUNECHO_SECCOMP": value})
    assert done.returncode == USAGE, done.stderr
    assert "TUNECHO_SECCOMP" in done.stderr
    assert host.links() == {"lo"}
