# SPDX-License-Identifier: GPL-2.0-or-later
"""tunechoctl and fake instances: with valid, invalid and late answers, and with none."""

import itertools
import json
import os
import re
import socket
import subprocess

import pytest

from fakes import CLIENT, VERDICTS, status
from harness import LIMIT, SOURCE, TABLES, USAGE, environment, sanitizer_complaint

# An answer of this size or more is invalid, in bytes.
TEXT_MAX = TABLES["status_text_max"]

WRONG, FAILED = 1, 2

# A user without privileges, in no group of root's.
UNPRIVILEGED = "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"


def run(*command, **how):
    how = {"capture_output": True, "text": True, "timeout": 2 * LIMIT, "env": environment(), **how}
    done = subprocess.run(command, check=False, **how)
    complaint = sanitizer_complaint(done.stderr or "")
    assert not complaint, complaint
    return done


def ctl(instances, *arguments, **how):
    return run(CLIENT, f"--directory={instances.directory}", *arguments, **how)


def ctl_unprivileged(instances, *arguments):
    """The build directory may be closed to others, so the program comes in on a descriptor."""
    program = os.open(CLIENT, os.O_RDONLY)
    try:
        command = *UNPRIVILEGED, f"/proc/self/fd/{program}", f"--directory={instances.directory}", *arguments
        return run(*command, pass_fds=[program])
    finally:
        os.close(program)


def states(instances):
    """What --json calls the state of each."""
    entries = json.loads(ctl(instances, "--json").stdout)
    return {entry["interface"]: entry["state"] for entry in entries}


def test_table(instances):
    instances.answer("tun10", PING=("198.18.10.2",), reply=7)
    instances.answer("tun2", reply=52, not_echo=3, malformed=1)
    done = ctl(instances)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.rstrip() for line in done.stdout.splitlines()] == [
        "INTERFACE STATE   PING        PACKETS REPLIES DROPPED     SESSIONS UPTIME ENGINE",
        "tun2      running 198.18.0.2       56      52 1 malformed        2 1m30s  io_uring",
        "                  2001:2::2                   3 not-echo",
        "tun10     running 198.18.10.2       7       7 0                  2 1m30s  io_uring",
    ]


def test_json(instances):
    instances.answer("tun0", reply=52, not_echo=3)
    instances.listen("tun1")
    instances.stop("tun1")
    done = ctl(instances, "status", "--json", "tun0", "tun1")
    good, ended = json.loads(done.stdout)
    assert done.returncode == WRONG
    assert ended == {"interface": "tun1", "state": "not-running"}
    assert good.pop("verdicts") == {**dict.fromkeys(VERDICTS, 0), "reply": 52, "not-echo": 3}
    assert good == {
        "interface": "tun0",
        "state": "running",
        "ping": ["198.18.0.2", "2001:2::2"],
        "version": "0.1.0",
        "engine": "io_uring",
        "pid": 4711,
        "mtu": 1500,
        "uptime_usec": 90000000,
        "sessions": 2,
        "sessions_opened": 20,
        "sessions_evicted": 1,
        "packets": 55,
        "replies": 52,
        "dropped": 3,
        "unsent": 0,
        "refused": 3,
    }


@pytest.mark.root("another user")
def test_unprivileged(instances):
    instances.answer("tun0", reply=52)
    done = ctl_unprivileged(instances, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)[0]["packets"] == 52


def test_none(instances):
    done = ctl(instances)
    assert (done.returncode, done.stdout) == (WRONG, "")
    assert "no instance is running" in done.stderr
    assert "systemctl start tunecho@tun0" in done.stderr


def test_no_directory(instances):
    instances.directory /= "none"
    try:
        assert ctl(instances).returncode == WRONG
        assert json.loads(ctl(instances, "--json").stdout) == []
        assert ctl(instances, "metrics").returncode == 0
    finally:
        instances.directory = instances.directory.parent


def test_one_that_does_not_run(instances):
    instances.answer("tun0")
    done = ctl(instances, "status", "tun7", "tun0")
    assert done.returncode == WRONG
    assert re.search(r"^tun7 +not-running\s*$", done.stdout, re.M)
    assert re.search(r"^tun0 +running", done.stdout, re.M)
    assert "tun7: not-running; to start it: systemctl start tunecho@tun7" in done.stderr
    assert "tun0" not in done.stderr


def test_stale_socket(instances):
    """A process that was killed left it; what does not run is shown to who asks for it."""
    instances.answer("tun0")
    instances.listen("tun1")
    instances.stop("tun1")
    assert states(instances) == {"tun0": "running"}
    assert re.search(r"^tun1 +not-running\s*$", ctl(instances, "status", "tun1").stdout, re.M)


def test_what_is_none_of_ours(instances):
    """A directory without a socket, a file, and a name that no instance has."""
    instances.answer("tun0")
    (instances.directory / "tun1").mkdir()
    (instances.directory / "tun2").write_text("")
    (instances.directory / "a name with blanks").mkdir()
    assert states(instances) == {"tun0": "running"}
    assert ctl(instances).returncode == 0


@pytest.mark.parametrize("kind", ["hold", "drip", "no accept", "full"])
def test_no_answer(instances, kind):
    """The answers of the other instances are shown all the same."""
    waiting = {}
    instances.answer("tun0", reply=1)
    for name in "tun1", "tun2", "tun3":
        if kind == "hold":
            instances.hold(name)
        elif kind == "drip":
            instances.drip(name, LIMIT)
        else:
            instances.listen(name, backlog=0 if kind == "full" else 8)
        if kind == "full":
            waiting[name] = socket.socket(socket.AF_UNIX)
            waiting[name].connect(str(instances.path(name)))
    silent = dict.fromkeys(("tun1", "tun2", "tun3"), "no-answer")
    assert states(instances) == {"tun0": "running", **silent}


def test_hint_of_no_answer(instances):
    instances.hold("tun1")
    done = ctl(instances)
    assert done.returncode == WRONG
    assert re.search(r"^tun1 +no-answer\s*$", done.stdout, re.M)
    assert "tun1: no-answer (Connection timed out); see: systemctl status tunecho@tun1" in done.stderr


def test_a_late_answer_is_an_answer(instances):
    """In pieces, each of which comes after a while."""
    text = status("tun0")

    def handler(connection):
        for begin in range(0, len(text), 100):
            connection.sendall(text[begin : begin + 100])
            instances._ended.wait(0.02)

    instances.serve("tun0", handler)
    assert states(instances) == {"tun0": "running"}


def padded(text, size):
    """The same with lines of unknown keys, up to a size."""
    line = b"TUNECHO_NEW=1\n"
    text += line * ((size - len(text)) // len(line) - 1)
    return text + b"TUNECHO_NEW=".ljust(size - len(text) - 1, b"1") + b"\n"


BAD = {
    "garbage": os.urandom(4096),
    "http": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "truncated": status("tun1", reply=5)[:-30],
    "without an end": status("tun1")[:-1],
    "huge": status("tun1") + b"TUNECHO_MORE=" + b"x" * 20000 + b"\n",
    "endless": b"TUNECHO_NEW=1\n" * 100000,
    "of another": status("tun0"),
    "longer by a line": padded(status("tun1"), TEXT_MAX) + b"TUNECHO_NEW=1\n",
    "with a zero": status("tun1").replace(b"running", b"run\0ing"),
    "behind a zero": status("tun1") + b"\0TUNECHO_NEW=1\n",
    "with an escape": status("tun1", STATE="\033[31mrunning"),
    "negative": status("tun1", MTU=-1),
    "a line": b"\n",
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_bad_answer(instances, text):
    instances.answer("tun0")
    instances.answer("tun1", text)
    done = ctl(instances)
    assert done.returncode == WRONG
    assert re.search(r"^tun0 +running", done.stdout, re.M)
    assert re.search(r"^tun1 +bad-answer\s*$", done.stdout, re.M)
    assert "\033" not in done.stdout + done.stderr


def test_ended_before_its_answer(instances):
    instances.answer("tun1", b"")
    assert states(instances) == {}
    assert re.search(r"^tun1 +not-running\s*$", ctl(instances, "status", "tun1").stdout, re.M)


def test_as_long_as_can_be(instances):
    instances.answer("tun0", padded(status("tun0"), TEXT_MAX - 1))
    assert states(instances) == {"tun0": "running"}


def test_newer_daemon(instances):
    """It sends a key and counts a verdict that this client does not know."""
    instances.answer("tun0", status("tun0", reply=3, PACKETS=10, COLOUR="red", DROPPED=7))
    (entry,) = json.loads(ctl(instances, "--json").stdout)
    assert (entry["packets"], entry["dropped"], entry["verdicts"]["reply"]) == (10, 7, 3)


@pytest.mark.root("another user")
def test_no_permission(instances):
    instances.answer("tun0")
    instances.answer("tun1")
    instances.path("tun1").chmod(0o600)
    done = ctl_unprivileged(instances)
    assert done.returncode == WRONG
    assert re.search(r"^tun0 +running", done.stdout, re.M)
    assert re.search(r"^tun1 +no-permission\s*$", done.stdout, re.M)
    instances.directory.chmod(0o700)
    refused = ctl_unprivileged(instances)
    assert (refused.returncode, refused.stdout) == (FAILED, "")
    assert refused.stderr.endswith(f": {instances.directory}: Permission denied\n")


def test_many(instances):
    names = [f"tun{number}" for number in range(100)]
    for name in names:
        instances.answer(name, reply=1)
    assert list(states(instances)) == names


@pytest.mark.parametrize("silent", [0, 150])
def test_few_descriptors(instances, silent):
    """They are asked in groups; instances that do not answer delay the next group only."""
    names = [f"tun{number}" for number in range(300)]
    for name in names[:silent]:
        instances.listen(name)
    for name in names[silent:]:
        instances.answer(name, reply=1)
    done = run("prlimit", "--nofile=64", CLIENT, f"--directory={instances.directory}", "--json")
    found = {entry["interface"]: entry["state"] for entry in json.loads(done.stdout)}
    assert list(found) == names
    assert list(found.values()) == ["no-answer"] * silent + ["running"] * (len(names) - silent)


@pytest.mark.parametrize("command", ["metrics", "status", "watch --count=1"])
def test_same_name_twice(instances, command):
    """It is asked once and printed once; the order of the arguments stays."""
    asked = instances.count("tun0", {"reply": 1})
    instances.answer("tun1", reply=1)
    lines = ctl(instances, *command.split(), "tun1", "tun0", "tun0", "tun1", "tun0").stdout.splitlines()
    shown = [name for line in lines for name in re.findall(r'^(?:tunecho_up\{.*")?(tun[01])\b', line)]
    assert shown == ["tun1", "tun0"]
    assert asked() == 1


def test_metrics(instances):
    instances.answer("tun0", reply=5, bad_source=2)
    instances.answer("tun1", b"nonsense")
    done = ctl(instances, "metrics")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert 'tunecho_packets_total{interface="tun0",verdict="bad-source"} 2' in lines
    assert 'tunecho_up{interface="tun1"} 0' in lines
    assert lines[-1] == "# EOF"
    promtool = run("promtool", "check", "metrics", input=done.stdout)
    assert (promtool.returncode, promtool.stderr) == (0, "")


@pytest.mark.parametrize("arguments", ["watch --json", "status ../tun0", "--nonsense"])
def test_usage(instances, arguments):
    done = ctl(instances, *arguments.split())
    assert (done.returncode, done.stdout) == (USAGE, "")
    assert "tunechoctl: " in done.stderr


def test_unknown_command(instances):
    done = ctl(instances, "--json", "rm -rf")
    assert (done.returncode, done.stdout) == (USAGE, "")
    message = "tunechoctl: '{}' is not a command; commands are: status, metrics, sessions, watch, ping{}\n"
    assert done.stderr == message.format("rm -rf", "")
    example = "; as in: tunechoctl status eth0"
    assert ctl(instances, "eth0").stderr == message.format("eth0", example)


def test_mistyped_command(instances):
    done = ctl(instances, "stauts", "tun0")
    assert (done.returncode, done.stdout) == (USAGE, "")
    assert done.stderr == "tunechoctl: 'stauts' is not a command; did you mean 'status'?\n"


def test_interface_alone(instances):
    """Its status, if it is the name of an instance: one that runs, or that needs no configuration."""
    instances.answer("echo-a", reply=7)
    instances.answer("tun1", reply=1)
    for names in ["echo-a"], ["tun1", "echo-a"]:
        assert ctl(instances, *names).stdout == ctl(instances, "status", *names).stdout
    (entry,) = json.loads(ctl(instances, "--json", "echo-a").stdout)
    assert (entry["interface"], entry["replies"]) == ("echo-a", 7)
    assert ctl(instances, "tun9").stderr == ctl(instances, "status", "tun9").stderr


def hint(name, **env):
    """What the client prints on standard error of an instance of this host, whose /run is empty."""
    script = 'mount -t tmpfs run /run && exec "$0" status "$1"'
    command = "unshare", "--mount", "--net", "sh", "-c", script, CLIENT, name
    done = run(*command, env=environment(env))
    assert done.returncode == WRONG
    return done.stderr


@pytest.mark.parametrize("bus", ["none", "silent"])
def test_hint_without_systemd(instances, bus):
    """A bus that accepts and does not answer is waited for, and not for long: this is no test of the time."""
    address = f"unix:path={instances.directory}/bus/status"
    if bus == "silent":
        instances.hold("bus")
    absent = "tunechoctl: tun7: not-running, no such interface; to start it: systemctl start tunecho@tun7\n"
    assert hint("tun7", DBUS_SYSTEM_BUS_ADDRESS=address) == absent
    other = "tunechoctl: lo: not-running, the interface does not belong to tunecho; see: ip -details link show lo\n"
    assert hint("lo", DBUS_SYSTEM_BUS_ADDRESS=address) == other


@pytest.mark.parametrize("arguments", ["status", "--json", "metrics", "watch --count=2", "--help"])
def test_output_that_cannot_be_written(instances, arguments):
    instances.answer("tun0")
    with open("/dev/full", "w", encoding="utf-8") as full:
        assert ctl(instances, *arguments.split(), capture_output=False, stdout=full).returncode == FAILED


def test_help_and_version(instances):
    usage = ctl(instances, "--help").stdout
    assert usage.startswith("Usage: tunechoctl ")
    assert max(map(len, usage.splitlines())) <= 80
    version = re.search(r"version: '([^']+)'", (SOURCE / "meson.build").read_text(encoding="utf-8"))[1]
    assert ctl(instances, "--version").stdout == f"tunechoctl {version}\n"


def test_libraries():
    """What each of them does not have of the other: the client asks the kernel, too, and has libmnl."""

    def needed(program):
        text = subprocess.run(["readelf", "-d", program], capture_output=True, text=True, check=True).stdout
        return {name for name in re.findall(r"NEEDED.*\[lib([a-z-]+)", text)}

    daemon, client = needed(CLIENT.parent / "tunecho"), needed(CLIENT)
    assert not daemon & {"smartcols", "json-c", "ncursesw", "tinfo"}
    assert not client & {"cap", "seccomp", "uring"}


def lines_of_watch(instances, *arguments):
    return ctl(instances, "watch", "--interval=0.1", *arguments).stdout.splitlines()


def test_watch_without_a_terminal(instances):
    instances.count("tun0", {"reply": 100, "not_echo": 3})
    assert lines_of_watch(instances, "--count=3") == [
        "tun0: running; 103 packets, 100 replies, 3 dropped (3 not-echo)",
        "tun0: running, 103 packets/s, 100 replies/s; 206 packets, 200 replies, 6 dropped (6 not-echo)",
        "tun0: running, 103 packets/s, 100 replies/s; 309 packets, 300 replies, 9 dropped (9 not-echo)",
    ]


def test_watch_of_one_that_ends(instances):
    """It stays in view."""
    instances.count("tun0", {"reply": 1})
    instances.answer("tun1")
    with subprocess.Popen(
        [CLIENT, f"--directory={instances.directory}", "watch", "--interval=0.1"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as watch:
        assert watch.stdout.readline().startswith("tun0: running;")
        assert watch.stdout.readline().startswith("tun1: running;")
        instances.remove("tun0")
        # As many as may have been printed before.
        assert "tun0: not-running\n" in itertools.islice(watch.stdout, 1000)
        watch.terminate()
        assert watch.wait(LIMIT) == 0


def test_watch_of_none(instances):
    assert lines_of_watch(instances, "--count=2") == ["no instance is running"] * 2
    assert lines_of_watch(instances, "--count=1", "tun9") == ["tun9: not-running"]
