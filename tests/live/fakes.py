# SPDX-License-Identifier: GPL-2.0-or-later
"""Fake instances: sockets that answer tunechoctl as an instance does, or with something else."""

import contextlib
import itertools
import shutil
import socket
import tempfile
import threading
import time
from pathlib import Path

from harness import BUILD, LIMIT, TABLES

CLIENT = BUILD / "tunechoctl"

VERDICTS = list(TABLES["verdicts"])


def status(interface, **changes):
    """The answer of an instance; verdicts have their names, with _ for -."""
    verdicts = {name: changes.pop(name.replace("-", "_"), 0) for name in VERDICTS}
    replies = verdicts["reply"] + verdicts["reply-fragment"]
    packets = sum(verdicts.values())
    values = {
        "INTERFACE": interface,
        "VERSION": "0.1.0",
        "PID": 4711,
        "STATE": "running",
        "PING": ("198.18.0.2", "2001:2::2"),
        "MTU": 1500,
        "ENGINE": "io_uring",
        "UPTIME_USEC": 90_000_000,
        "SESSIONS": 2,
        "SESSIONS_OPENED": 20,
        "SESSIONS_EVICTED": 1,
        "PACKETS": packets,
        "REPLIES": replies,
        "DROPPED": packets - replies,
        "UNSENT": 0,
        "REFUSED": 3,
        **{name.upper().replace("-", "_"): count for name, count in verdicts.items()},
        **changes,
    }
    lines = [
        f"TUNECHO_{key}={one}\n"
        for key, value in values.items()
        for one in (value if isinstance(value, tuple) else (value,))
    ]
    return "".join(lines).encode()


ROW = {
    "SOURCE": "198.18.0.1",
    "DESTINATION": "198.18.0.2",
    "IDENTIFIER": 4711,
    "REQUESTS": 90,
    "MISSING": 10,
    "LENGTH_MIN": 84,
    "LENGTH_MAX": 84,
    "HOP_LIMIT_MIN": 64,
    "HOP_LIMIT_MAX": 64,
    "IDLE_USEC": 500_000,
    **dict.fromkeys(
        "DUPLICATES REORDERED SEQUENCE_FIRST SEQUENCE_LAST FRAGMENTED LATER_FRAGMENTS BYTES DURATION_USEC REFUSED".split(),
        0,
    ),
}


def sessions(interface, *rows, **changes):
    """The sessions of an instance; a row is what differs from the usual one, None for what it lacks."""
    head = {"INTERFACE": interface, "RECORDING": "yes", "ADDRESSES": "yes", "SESSIONS": len(rows), **changes}
    records = [head, *({**ROW, **row} for row in rows)]
    lines = [
        "".join(f"TUNECHO_{key}={value}\n" for key, value in record.items() if value is not None)
        for record in records
    ]
    return "".join(f"{record}\n" for record in lines).encode()


class Instances:
    """A directory of instances, each with a thread that answers."""

    def __init__(self):
        # The path of a socket has to be short, unlike those of pytest. The client may run unprivileged.
        self.directory = Path(tempfile.mkdtemp(prefix="tunecho-", dir="/tmp"))
        self.directory.chmod(0o755)
        self._sockets = {}
        self._threads = []
        self._ended = threading.Event()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._ended.set()
        for name in list(self._sockets):
            self.stop(name)
        for thread in self._threads:
            thread.join(LIMIT)
        shutil.rmtree(self.directory)

    def path(self, name, kind="status"):
        return self.directory / name / kind

    def listen(self, name, backlog=8, kind="status"):
        """A socket that no connection is accepted from."""
        path = self.path(name, kind)
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        path.chmod(0o666)
        listener.listen(backlog)
        self._sockets.setdefault(name, []).append(listener)
        return listener

    def serve(self, name, handler, kind="status"):
        """Call handler(connection) for each connection."""
        listener = self.listen(name, kind=kind)
        thread = threading.Thread(target=self._accept, args=(listener, handler), daemon=True)
        self._threads.append(thread)
        thread.start()

    @staticmethod
    def _accept(listener, handler):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):
                    handler(connection)

    def answer(self, name, text=None, **changes):
        """Answer each connection with the same text."""
        text = status(name, **changes) if text is None else text
        self.serve(name, lambda connection: connection.sendall(text))

    def count(self, name, step, **changes):
        """Answer with counters to which a second is added for each request.

        step has what is added for each verdict; the value may be a list, of which each number is used
        once, in order, and the last one from then on. Returns a function that returns the number of requests.
        """
        asked = 0
        totals = dict.fromkeys(step, 0)

        def handler(connection):
            nonlocal asked
            for verdict, more in step.items():
                steps = more if isinstance(more, list) else [more]
                totals[verdict] += steps[min(asked, len(steps) - 1)]
            asked += 1
            connection.sendall(status(name, UPTIME_USEC=asked * 1_000_000, **totals, **changes))

        self.serve(name, handler)
        return lambda: asked

    def answer_sessions(self, name, text):
        """Answer each connection to the other socket with the text, or with each of a list in turn."""
        texts = iter(text) if isinstance(text, list) else itertools.repeat(text)
        self.serve(name, lambda connection: connection.sendall(next(texts)), kind="sessions")

    def stop(self, name):
        """Close the sockets, but leave their files."""
        for listener in self._sockets.pop(name):
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # which ends accept()
            listener.close()

    def remove(self, name):
        self.stop(name)
        shutil.rmtree(self.path(name).parent)

    def drip(self, name, seconds):
        """Answer a byte at a time, for longer than a client waits."""
        text = status(name)

        def handler(connection):
            deadline = time.monotonic() + seconds
            for byte in text:
                if time.monotonic() > deadline or self._ended.wait(0.05):
                    return
                connection.sendall(bytes([byte]))

        self.serve(name, handler)

    def hold(self, name):
        """Accept connections and send nothing; returns the event of the first connection."""
        connected = threading.Event()

        def handler(_):
            connected.set()
            self._ended.wait(LIMIT)

        self.serve(name, handler)
        return connected
