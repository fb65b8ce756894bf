# SPDX-License-Identifier: GPL-2.0-or-later
"""tunechoctl sessions of fake instances: valid and invalid answers, and --watch on a terminal and without one."""

import json
import subprocess

import pytest

from fakes import CLIENT, sessions
from harness import LIMIT, USAGE, environment, sanitizer_complaint

WRONG = 1
FOOTER = "q quits, space refreshes"
HEADING = "INTERFACE FROM       TO           ID REQUESTS MISSING DUPLICATE REORDERED TTL SIZE SEEN REFUSED"
LINES = {
    4711: "tun0      198.18.0.1 198.18.0.2 4711       90      10         0         0 64  84     0s 0",
    4712: "tun1      198.18.0.1 198.18.0.2 4712       90      10         0         0 64  84     3s 0",
}


def ctl(instances, *arguments):
    command = [CLIENT, f"--directory={instances.directory}", "sessions", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=2 * LIMIT, env=environment(), check=False)
    complaint = sanitizer_complaint(done.stderr)
    assert not complaint, complaint
    return done


def lines(text):
    return [line.rstrip() for line in text.splitlines()]


@pytest.fixture
def two(instances):
    """Two instances, each with a session."""
    for name in "tun0", "tun1":
        instances.answer(name)
    instances.answer_sessions("tun0", sessions("tun0", {}))
    instances.answer_sessions("tun1", sessions("tun1", {"IDENTIFIER": 4712, "IDLE_USEC": 3_000_000}))
    return instances


def test_table(two):
    done = ctl(two)
    assert (done.returncode, done.stderr) == (0, "")
    assert lines(done.stdout) == [HEADING, LINES[4711], LINES[4712]]
    assert lines(ctl(two, "tun1").stdout) == [HEADING, LINES[4712]]


def test_none(instances):
    done = ctl(instances)
    assert (done.returncode, done.stdout) == (WRONG, "")
    assert "no instance is running" in done.stderr
    done = ctl(instances, "tun7")
    assert (done.returncode, done.stdout) == (WRONG, "")
    assert "tun7: " in done.stderr and "systemctl start tunecho@tun7" in done.stderr


BAD = {
    "garbage": b"\xff\x00\n",
    "another": sessions("tun7"),
    "cut off": sessions("tun0", {})[:-1],
    "escape": sessions("tun0", {"SOURCE": "\033[31m"}),
    "more than said": sessions("tun0", {}, {}, SESSIONS=1),
    "endless": sessions("tun0") + b"TUNECHO_NEW=1\n" * 100000,
    "nothing": b"",
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_bad_answer(two, text):
    """The others are shown all the same."""
    two.answer("tun2")
    two.answer_sessions("tun2", text)
    done = ctl(two)
    assert done.returncode == WRONG
    assert lines(done.stdout) == [HEADING, LINES[4711], LINES[4712]]
    assert "tun2: no answer about sessions (" in done.stderr
    assert "\033" not in done.stdout + done.stderr


def test_an_older_daemon(two):
    """It has no such socket."""
    two.answer("tun2")
    done = ctl(two, "--json", "tun2")
    assert (done.returncode, json.loads(done.stdout)) == (WRONG, [{"interface": "tun2", "state": "running"}])
    assert "tun2: no answer about sessions (No such file or directory)" in done.stderr


def test_cut_off_by_the_socket(instances):
    instances.answer("tun0")
    instances.answer_sessions("tun0", sessions("tun0", {}, SESSIONS=200))
    done = ctl(instances)
    assert lines(done.stdout) == [HEADING, LINES[4711]]
    assert "tun0: 1 of 200 sessions are shown" in done.stderr


@pytest.mark.parametrize("arguments", [["--json", "--watch"], ["--count=1"], ["--openmetrics"]])
def test_usage(instances, arguments):
    assert ctl(instances, *arguments).returncode == USAGE


def test_watch_without_a_terminal(two):
    done = ctl(two, "--watch", "--count=2", "--interval=0.1")
    assert lines(done.stdout) == [HEADING, LINES[4711], LINES[4712], ""] * 2


def test_watch(instances, terminal):
    """The list as it changes, with the space bar; then the terminal is as it was."""
    instances.answer("tun0")
    texts = [sessions("tun0", {"REQUESTS": requests}) for requests in (90, 91)]
    instances.answer_sessions("tun0", [*texts, sessions("tun0")])
    one = terminal(110, 10)
    before = one.result_of("stty -g")
    command = f"{CLIENT} --directory={instances.directory} sessions --watch --interval=3600"
    one.type(f"clear; {command}; echo \"<exit status $?>\"")
    screen = one.wait_for(lambda screen: LINES[4711] in screen, "the first list")
    assert screen == [HEADING, LINES[4711], *[""] * 7, FOOTER]
    one.press("Space")
    one.wait_for(lambda screen: LINES[4711].replace(" 90 ", " 91 ") in screen, "the second list")
    one.press("Space")
    one.wait_for(lambda screen: "no ping is running" in screen, "the end of the ping")
    instances.remove("tun0")
    one.press("Space")
    one.wait_for(lambda screen: "no instance is running, waiting" in screen, "the end of the instance")
    one.press("q")
    one.wait_for_line("<exit status 0>")
    assert one.result_of("stty -g") == before


def test_watch_of_many(instances, terminal):
    """The footer has the number of the lines that do not fit; a narrow terminal cuts them."""
    instances.answer("tun0")
    instances.answer_sessions("tun0", sessions("tun0", *({"IDENTIFIER": number} for number in range(20))))
    one = terminal(60, 10)
    one.type(f"clear; {CLIENT} --directory={instances.directory} sessions --watch")
    screen = one.wait_for(lambda screen: screen[-1:] == [f"{FOOTER}, 12 lines hidden"], "the footer")
    assert screen[1] == "tun0      198.18.0.1 198.18.0.2  0       90      10"
