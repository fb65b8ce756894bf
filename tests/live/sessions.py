# SPDX-License-Identifier: GPL-2.0-or-later
"""What the log says about pings that have ended."""

import re
from collections import namedtuple


class Session(
    namedtuple(
        "Session",
        "source destination identifier requests missing duplicates reordered fragments size hops conclusion",
    )
):
    """The entry of one ping; missing is None where it is not known."""

    LINE = re.compile(
        r"^ping (\S+) > (\S+) id (\d+): (\d+) requests? in \d+ s, (\d+|unknown) missing, (\d+) duplicate, "
        r"(\d+) reordered(?:, (\d+) in fragments)?, ((?:\d+ to )?\d+) bytes, ttl ((?:\d+ to )?\d+): (.*)$",
        re.MULTILINE,
    )

    @classmethod
    def all_in(cls, log):
        sessions = [cls.parse(*fields) for fields in cls.LINE.findall(log)]
        assert len(sessions) == len(re.findall(r"^ping .*:", log, re.MULTILINE)), f"not understood:\n{log}"
        return sessions

    @classmethod
    def parse(cls, source, destination, identifier, requests, missing, *rest):
        duplicates, reordered, fragments, size, hops, conclusion = rest
        return cls(
            source,
            destination,
            int(identifier),
            int(requests),
            None if missing == "unknown" else int(missing),
            int(duplicates),
            int(reordered),
            int(fragments or 0),
            size,
            hops,
            conclusion,
        )


class Sum(namedtuple("Sum", "sessions requests missing duplicates reordered")):
    """Those that have no entry of their own."""

    LINE = re.compile(
        r"^(\d+) more pings? ended on '\S+': (\d+) requests, (\d+) missing, (\d+) duplicate, (\d+) reordered$",
        re.MULTILINE,
    )

    @classmethod
    def all_in(cls, log):
        return [cls(*map(int, fields)) for fields in cls.LINE.findall(log)]
