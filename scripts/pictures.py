# SPDX-License-Identifier: GPL-2.0-or-later
"""Pictures of a terminal, which tmux is, for the documents."""

import contextlib
import io
import os
import re
import subprocess
import sys
import time
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1]
ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8"}
PACKAGES = "iproute2", "python3-rich", "tmux"


def install_packages(*more):
    script = '. scripts/lib.sh && install_packages "$@"'
    subprocess.run(["bash", "-euc", script, "pictures", *PACKAGES, *more], cwd=SOURCE, check=True)


def wait_until(condition, what, seconds=10):
    for _ in range(10 * seconds):
        if condition():
            return
        time.sleep(0.1)
    sys.exit(f"waited for {what} in vain")


@contextlib.contextmanager
def terminal(directory, columns, rows, command):
    """Run a command in a terminal; gives a function that returns the screen, with the escapes of its colours."""
    tmux = ["tmux", "-f", "/dev/null", "-S", f"{directory}/tmux"]
    command = f"env TERM=tmux-256color LC_ALL=C.UTF-8 {command}"
    size = ["-x", str(columns), "-y", str(rows)]
    subprocess.run([*tmux, "new-session", "-d", *size, command], env=ENVIRONMENT, check=True)
    try:
        yield lambda: subprocess.check_output([*tmux, "capture-pane", "-e", "-p"], env=ENVIRONMENT, text=True)
    finally:
        subprocess.run([*tmux, "kill-server"], check=True)


def picture(screen, columns, title, identifier):
    """A screen as SVG, with whatever fixed font there is."""
    from rich.console import Console
    from rich.text import Text

    nowhere = io.StringIO()
    console = Console(record=True, width=columns, file=nowhere, force_terminal=True, color_system="standard")
    console.print(Text.from_ansi(screen.rstrip("\n")))
    svg = console.export_svg(title=title, unique_id=identifier)
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL).replace("Fira Code, ", "")
    return svg.replace("<svg ", '<svg xml:space="preserve" ', 1)
