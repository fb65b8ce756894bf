# SPDX-License-Identifier: GPL-2.0-or-later
"""Completion of both programs in bash, with the keyboard."""

from pathlib import Path

import pytest

from harness import BUILD, SOURCE

LIBRARY = Path("/usr/share/bash-completion/bash_completion")

pytestmark = pytest.mark.skipif(not LIBRARY.exists(), reason="need bash-completion")


@pytest.fixture
def shell(instances, terminal):
    one = terminal(150, 24)
    one.type(f"PATH={BUILD}:$PATH; . {LIBRARY}; cd {instances.directory}")
    for program in "tunecho", "tunechoctl":
        one.type(f". {SOURCE}/scripts/bash-completion/{program}")
    # What is ambiguous is listed at once.
    one.type("bind 'set show-all-if-ambiguous on'; clear")
    one.wait_for(lambda screen: screen == ["$"], "the prompt")
    return one


def complete(instances, shell, typed):
    for name in "tun0", "tun17", "echo-a":
        instances.listen(name)
    shell.press("-l", typed)
    shell.press("Tab")


@pytest.mark.parametrize(
    "typed, completed",
    [
        ("tunechoctl st", "tunechoctl status"),
        ("tunechoctl se", "tunechoctl sessions"),
        ("tunechoctl sessions --wa", "tunechoctl sessions --watch"),
        ("tunechoctl --js", "tunechoctl --json"),
        ("tunechoctl watch --co", "tunechoctl watch --count="),
        ("tunechoctl --directory=. watch tun1", "tunechoctl --directory=. watch tun17"),
        ("tunechoctl --directory=. status tun17 ec", "tunechoctl --directory=. status tun17 echo-a"),
        ("tunechoctl --directory . status tun17 ec", "tunechoctl --directory . status tun17 echo-a"),
        ("tunechoctl --directory=tun1", "tunechoctl --directory=tun17/"),
        ("tunecho --eng", "tunecho --engine="),
        ("tunecho --engine=io", "tunecho --engine=io_uring"),
        ("tunecho --user nobo", "tunecho --user nobody"),
        ("tunecho -e sy", "tunecho -e syscall"),
        ("tunecho tu", "tunecho tun0"),
    ],
)
def test_one(instances, shell, typed, completed):
    complete(instances, shell, typed)
    shell.wait_for_line(f"$ {completed}")


@pytest.mark.parametrize(
    "typed, offered",
    [
        ("tunechoctl ", "metrics   ping      sessions  status    watch"),
        ("tunechoctl --directory=. metrics ", "echo-a  tun0    tun17"),
    ],
)
def test_list(instances, shell, typed, offered):
    complete(instances, shell, typed)
    shell.wait_for_line(offered)


def test_running_of_tunecho(instances, shell):
    """Those that run are offered where nothing is configured; in a /run of the shell's own."""
    instances.listen("echo-a")
    shell.type("exec unshare --mount env PS1='$ ' bash --norc --noprofile")
    shell.type("clear; mount -t tmpfs run /run && mkdir /run/tunecho && mount --bind . /run/tunecho; echo up")
    shell.wait_for_line("up")
    shell.type(f". {LIBRARY}; . {SOURCE}/scripts/bash-completion/tunecho; PATH={BUILD}:$PATH; clear; echo on")
    shell.wait_for(lambda screen: screen == ["on", "$"], "the prompt")
    shell.press("-l", "tunecho ec")
    shell.press("Tab")
    shell.wait_for_line("$ tunecho echo-a")
