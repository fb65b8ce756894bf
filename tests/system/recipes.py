# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the commands that a document shows, in order, and compares their output with the document's. For the rig.

What the document shows below a command has to be among what the command prints, where "[...]" stands for anything;
without that, the command has to succeed.
"""

import os
import re
import subprocess
import sys
import time

# Seconds for one command, and for what the journal has not got yet: a ping ends ten seconds after its last
# request.
LIMIT, JOURNAL_LIMIT = 120, 60

# What differs from run to run, and what stands for it.
VOLATILE = [
    (r"\btime[= ]?\d+(\.\d+)? ?ms\b", "time"),
    (r"\bid \d+:", "id:"),
    (r"\bin \d+ s\b", "in s"),
    (r"\bmark (0x)?1\b", "mark 1"),
    (r"\s+", " "),
]


def plain(line):
    for pattern, replacement in VOLATILE:
        line = re.sub(pattern, replacement, line)
    return line.strip()


def shows(lines, expected):
    """Whether one of these lines is what the document has."""
    pattern = re.escape(plain(expected)).replace(re.escape("[...]"), ".*")
    return any(re.fullmatch(pattern, line) for line in lines)


def run(command, prefix=()):
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL}
    done = subprocess.run([*prefix, "bash", "-c", command], timeout=LIMIT, text=True, check=False, **options)
    return done.returncode, done.stdout


def try_once(command, expected, prefix=()):
    """What is wrong with it, or None; and what it printed."""
    status, output = run(command, prefix)
    lines = [plain(line) for line in output.splitlines()]
    missing = [line for line in expected if not shows(lines, line)]
    if missing:
        return f"not printed: {missing[0]}", output
    if status != 0 and not expected:
        return f"exit status {status}", output
    return None, output


def attempt(command, expected, prefix=()):
    deadline = time.monotonic() + JOURNAL_LIMIT
    while True:
        wrong, output = try_once(command, expected, prefix)
        if not wrong or "journalctl" not in command or time.monotonic() > deadline:
            return wrong, output
        time.sleep(0.5)


def report(number, what, wrong, output):
    """Print one case as TAP; returns whether it failed."""
    print(f"{'not ' if wrong else ''}ok {number} - {what[:80].replace('#', '')}", flush=True)
    if wrong:
        print(*(f"# {line}" for line in [wrong, *output.splitlines()[-20:]]), sep="\n", flush=True)
    return bool(wrong)


def require_rig():
    if os.environ.get("TUNECHO_RIG") != "1":
        sys.exit(f"Bail out! {sys.argv[0]} is for tests/system/rig")
