# SPDX-License-Identifier: GPL-2.0-or-later
"""tunechoctl watch on a terminal, which tmux is: the screen, and the state of the terminal afterwards.

The uptime of an instance grows by a second whenever it is asked, so the screen depends on the number of
refreshes and not on the time.
"""

import os
import re
import subprocess

import pytest

from fakes import CLIENT, sessions
from harness import LIMIT, environment


class Watch:
    """A watch in a terminal that refreshes when the space bar is pressed."""

    def __init__(self, terminal, instances, *arguments):
        self.terminal = terminal
        self.uptime = 1
        command = [CLIENT, f"--directory={instances.directory}", "watch", "--interval=3600", *arguments]
        terminal.type(f"clear; {' '.join(map(str, command))}; echo \"<exit status $?>\"")
        self._wait()

    def _wait(self):
        pattern = re.compile(rf"tun0: .*up {self.uptime}s")
        what = f"the refresh at {self.uptime} s"
        self.terminal.wait_for(lambda screen: any(map(pattern.match, screen)), what)

    def refresh(self, times=1):
        for _ in range(times):
            self.uptime += 1
            self.terminal.press("Space")
            self._wait()
        return self.terminal.screen()


FOOTER = "q quits, space refreshes"

# 10 to 80 packets a second, but for three that are dropped at the fifth refresh.
STEPS = {"reply": [1000, 10, 20, 30, 40, 50, 60, 70, 80], "bad_icmp_checksum": [5, 0, 0, 0, 3, 0]}

HEADER = ["tun0: running, up 9s, 2 sessions, io_uring", "ping 198.18.0.2 or 2001:2::2"]
WIDE = [
    "                           total         per s        change",
    "packets                     1368            80          +363",
    "replies                     1360            80          +360",
    "dropped                        8             0            +3",
    " bad-icmp-checksum             8             0            +3",
]
NARROW = [
    "                    total  per s change",
    "packets              1368     80   +363",
    "replies              1360     80   +360",
    "dropped                 8      0     +3",
    " bad-icmp-checksum      8      0     +3",
]
GRAPHS = {"C.UTF-8": "▂▃▄▅▆▇██ peak 80/s", "C": ".:-=+*## peak 80/s"}


@pytest.mark.parametrize("locale", GRAPHS)
@pytest.mark.parametrize("term", ["xterm-256color", "vt100"])
def test_screen(instances, terminal, term, locale):
    instances.count("tun0", STEPS)
    one = terminal(80, 24, term=term, locale=locale)
    screen = Watch(one, instances).refresh(8)
    assert screen == [*HEADER, GRAPHS[locale], *WIDE, *[""] * 15, FOOTER]

    coloured = re.search(r"\033\[[0-9;]*3[0-7]", "".join(one.screen("-e")))
    assert bool(coloured) == (term != "vt100")


def test_narrow_screen(instances, terminal):
    instances.count("tun0", STEPS)
    screen = Watch(terminal(40, 10), instances).refresh(8)
    assert screen == [HEADER[0][:40], HEADER[1], GRAPHS["C.UTF-8"], *NARROW, "", FOOTER]


def test_low_screen(instances, terminal):
    """The footer has the number of the lines that do not fit."""
    instances.count("tun0", STEPS)
    screen = Watch(terminal(80, 5), instances).refresh(8)
    assert screen == [*HEADER, GRAPHS["C.UTF-8"], WIDE[0], f"{FOOTER}, 4 lines hidden"]


SESSIONS = [
    "FROM       TO           ID REQUESTS MISSING DUPLICATE REORDERED TTL SIZE SEEN RE",
    "198.18.0.1 198.18.0.2 4711       90      10         0         0 64  84     0s 0",
    "198.18.0.1 198.18.0.2 4712       90      10         0         0 64  84     3s 0",
]


@pytest.mark.parametrize("rows", [24, 11, 10, 9])
def test_sessions(instances, terminal, rows):
    """They are below the graph and the counters, as many as there is space for; the others keep theirs."""
    instances.count("tun0", STEPS)
    instances.answer_sessions("tun0", sessions("tun0", {}, {"IDENTIFIER": 4712, "IDLE_USEC": 3_000_000}))
    screen = Watch(terminal(80, rows), instances).refresh(8)
    above, space = [*HEADER, GRAPHS["C.UTF-8"], *WIDE], rows - 1 - 8
    shown = ["", *SESSIONS][:space] if space >= 3 else []
    assert screen == [*above, *shown, *[""] * (space - len(shown)), FOOTER]


def test_sessions_without_addresses(instances, terminal):
    instances.count("tun0", STEPS)
    row = {"SOURCE": None, "DESTINATION": None}
    instances.answer_sessions("tun0", sessions("tun0", row, ADDRESSES="no"))
    screen = Watch(terminal(80, 24), instances).refresh(8)
    assert screen[9] == "  ID REQUESTS MISSING DUPLICATE REORDERED TTL SIZE SEEN REFUSED"
    assert screen[10] == "4711       90      10         0         0 64  84     0s 0"


def test_resize(instances, terminal):
    """The same refresh is drawn again."""
    instances.count("tun0", STEPS)
    one = terminal(80, 24)
    watch = Watch(one, instances)
    wide = watch.refresh(8)
    one.resize(40, 10)
    one.wait_for(lambda screen: screen[3:8] == NARROW and screen[9:] == [FOOTER], "the narrow screen")
    one.resize(80, 24)
    assert one.wait_for(lambda screen: len(screen) == 24, "the wide screen") == wide
    assert watch.refresh()[0].startswith("tun0: running, up 10s")


def test_no_colour_is_wanted(instances, terminal):
    instances.count("tun0", STEPS)
    one = terminal(80, 24)
    one.type("export NO_COLOR=1")
    Watch(one, instances).refresh()
    assert not re.search(r"\033\[[0-9;]*3[0-7]", "".join(one.screen("-e")))


def test_restart(instances, terminal):
    """The instance goes, is waited for, and comes back with counters that begin at 0."""
    instances.count("tun0", {"reply": 100})
    one = terminal(80, 24)
    watch = Watch(one, instances)
    watch.refresh(2)
    instances.remove("tun0")
    one.press("Space")
    screen = one.wait_for(lambda screen: "tun0: not-running, waiting" in screen, "the end of the instance")
    assert screen[4] == "packets                      300             -          +200"

    instances.count("tun0", {"reply": 7}, PID=4712)
    watch.uptime = 0
    screen = watch.refresh()
    assert screen[0] == "tun0: running, up 1s, 1 restart, 2 sessions, io_uring"
    assert screen[2] == "██ ▂ peak 100/s"
    assert screen[4] == "packets                        7             7          +207"


def test_several(instances, terminal):
    """All that there are, even those that come later."""
    instances.count("tun0", {"reply": 1})
    instances.answer("tun1", PING=(), reply=5)
    one = terminal(80, 24)
    watch = Watch(one, instances)
    instances.answer("tun2")
    screen = watch.refresh()
    headers = [line for line in screen if line.startswith("tun")]
    assert [header[:13] for header in headers] == ["tun0: running", "tun1: running", "tun2: running"]
    assert "every address routed into it answers" in screen


def test_none(instances, terminal):
    one = terminal(80, 24)
    one.type(f"clear; {CLIENT} --directory={instances.directory} watch")
    one.wait_for(lambda screen: "no instance is running, waiting" in screen, "the message")


def settings(one):
    """All that a program could leave changed."""
    flags = "cursor_flag", "alternate_on", "insert_flag", "keypad_cursor_flag", "wrap_flag"
    return [one.shows(flag) for flag in flags], one.result_of("stty -g")


def leave(one, how):
    """Press a key, or send a signal to the client of this terminal's shell."""
    if how in ("q", "C-c"):
        one.press(how)
    else:
        shell = one.shows("pane_pid")
        subprocess.run(["pkill", f"-{how}", "-P", shell, "-x", "tunechoctl"], check=True, timeout=LIMIT)


@pytest.mark.parametrize("how", ["q", "C-c", "TERM", "HUP", "INT", "count"])
def test_leaving(instances, terminal, how):
    """However it ends, the terminal is as it was, and what was on it is there again."""
    instances.count("tun0", {"reply": 1})
    one = terminal(80, 24)
    before = settings(one)
    watch = Watch(one, instances, *(["--count=2"] if how == "count" else []))
    assert (one.shows("cursor_flag"), one.shows("alternate_on")) == ("0", "1")
    if how == "count":
        one.press("Space")
    else:
        watch.refresh()
        leave(one, how)
    one.wait_for_line("<exit status 0>")
    assert settings(one) == before


@pytest.mark.parametrize("how", ["q", "C-c", "TERM", "HUP", "INT"])
def test_leaving_without_an_answer(instances, terminal, how):
    """Keys and signals end it while an instance does not answer, although the next refresh is due before."""
    connected = instances.hold("tun0")
    one = terminal(80, 24)
    before = settings(one)
    command = f"{CLIENT} --directory={instances.directory} watch --interval=0.1"
    one.type(f"clear; {command}; echo \"<exit status $?>\"")
    one.wait_for(lambda screen: screen[-1:] == [FOOTER], "the screen")
    assert connected.wait(LIMIT)
    leave(one, how)
    one.wait_for_line("<exit status 0>")
    assert settings(one) == before


def test_stopped_and_continued(instances, terminal):
    instances.count("tun0", STEPS)
    one = terminal(80, 24)
    watch = Watch(one, instances)
    watch.refresh(7)
    one.press("C-z")
    one.wait_for(lambda screen: any("Stopped" in line for line in screen), "the shell")
    assert one.shows("cursor_flag") == "1"
    one.type("fg")
    one.wait_for(lambda screen: screen[-1] == FOOTER, "the screen again")
    assert watch.refresh()[:3] == [*HEADER, GRAPHS["C.UTF-8"]]


@pytest.mark.parametrize("term", ["dumb", "nonsense", ""])
def test_terminal_that_cannot_be_drawn_upon(instances, terminal, term):
    instances.count("tun0", {"reply": 5})
    one = terminal(80, 24)
    one.type(f"clear; TERM={term} {CLIENT} --directory={instances.directory} watch --count=2 --interval=0.1")
    one.wait_for_line("tun0: running, 5 packets/s, 5 replies/s; 10 packets, 10 replies, 0 dropped")


def test_terminal_that_is_gone(instances):
    """It is not the controlling one, so no signal announces its end."""
    instances.answer("tun0")
    ours, theirs = os.openpty()
    command = [CLIENT, f"--directory={instances.directory}", "watch", "--interval=3600"]
    env = environment({"TERM": "xterm"})
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, env=env, start_new_session=True) as watch:
        try:
            os.close(theirs)
            seen = b""
            while b"tun0" not in seen:
                seen += os.read(ours, 4096)
            os.close(ours)
            assert watch.wait(LIMIT) == 0
        finally:
            watch.kill()


def test_keyboard_that_is_none(instances, terminal):
    instances.count("tun0", {"reply": 5})
    one = terminal(80, 24)
    command = f"{CLIENT} --directory={instances.directory} watch --count=3 --interval=0.1 </dev/null"
    assert one.result_of(f"{command} >/dev/tty; echo $?") == "0>"
