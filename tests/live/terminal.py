# SPDX-License-Identifier: GPL-2.0-or-later
"""A terminal with a shell, whose keys are pressed and whose screen is read with tmux."""

import subprocess

from harness import LIMIT, environment, wait_until


class Terminal:
    """A tmux server with one window and a shell in it."""

    def __init__(self, directory, columns, rows, term="xterm-256color", locale="C.UTF-8"):
        self._asked = 0
        self._tmux = ["tmux", "-f", "/dev/null", "-S", str(directory / "tmux")]
        env = environment({"LC_ALL": "C.UTF-8"})
        # The hangup at our end kills the leak checker's helper, for which its program would wait for ever.
        settings = f"TERM={term} LC_ALL={locale} ASAN_OPTIONS=detect_leaks=0 PS1='$ '"
        shell = f"exec env {settings} bash --norc --noprofile"
        size = ["-x", str(columns), "-y", str(rows)]
        subprocess.run([*self._tmux, "new-session", "-d", *size, shell], env=env, check=True, timeout=LIMIT)
        self.wait_for_line("$")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._run("kill-server")

    def _run(self, *arguments):
        how = {"capture_output": True, "text": True, "check": True, "timeout": LIMIT}
        return subprocess.run([*self._tmux, *arguments], env=environment(), **how).stdout

    def press(self, *keys):
        self._run("send-keys", *keys)

    def type(self, line):
        self._run("send-keys", "-l", line)
        self.press("Enter")

    def resize(self, columns, rows):
        self._run("resize-window", "-x", str(columns), "-y", str(rows))

    def screen(self, *how):
        """The lines, without what is empty at their ends and at the end."""
        return [line.rstrip() for line in self._run("capture-pane", "-p", *how).rstrip().splitlines()]

    def shows(self, name):
        return self._run("display-message", "-p", f"#{{{name}}}").strip()

    def wait_for(self, condition, what):
        """Wait for a screen of which something is true, and return it."""
        screen = []

        def holds():
            screen[:] = self.screen()
            return condition(screen)

        try:
            wait_until(holds, what)
        except AssertionError as error:
            raise AssertionError("\n".join([f"{error}:", *screen])) from None
        return screen

    def wait_for_line(self, line):
        return self.wait_for(lambda screen: line in screen, f"the line {line!r}")

    def result_of(self, command):
        """What a command prints, which has to be one line."""
        self._asked += 1
        begin = f"<{self._asked}: "
        self.type(f"echo \"{begin}$({command})>\"")
        screen = self.wait_for(lambda screen: any(line.startswith(begin) for line in screen), command)
        return next(line for line in screen if line.startswith(begin)).removeprefix(begin)
