# SPDX-License-Identifier: GPL-2.0-or-later
"""What the log says about pings that have ended."""

import re
from collections import namedtuple


class Session(
    namedtuple(
        "Session",
        "source destination identifier requests first last missing unknown duplicates reordered refused fragments "
        "later size hops so_far idle",
    )
):
    """The entry of one ping; missing is None where it is not known, and unknown says why."""

    LINE = re.compile(
        r"^ping (\S+) > (\S+) id (\d+): (\d+) requests? in \d+ s, seq (\d+) to (\d+), "
        r"(?:(\d+) missing|unknown missing \(([^)]*)\)), (\d+) duplicate, (\d+) reordered"
        r"(?:, (\d+) refused)?(?:, (\d+) first and (\d+) later fragments)?, ((?:\d+ to )?\d+) bytes, "
        r"ttl ((?:\d+ to )?\d+)( so far)?"
        r"(; idle 10 s: (?:if the ping goes on, its requests do not arrive|\d+ more requests? w\w+ dropped as \S+))?$",
        re.MULTILINE,
    )

    @classmethod
    def all_in(cls, log):
        sessions = [cls.parse(*fields) for fields in cls.LINE.findall(log)]
        assert len(sessions) == len(re.findall(r"^ping \S+ > \S+ id \d+:", log, re.MULTILINE)), f"not understood:\n{log}"
        return sessions

    @classmethod
    def parse(cls, source, destination, identifier, requests, first, last, missing, unknown, *rest):
        duplicates, reordered, refused, fragments, later, size, hops, so_far, idle = rest
        return cls(
            source,
            destination,
            int(identifier),
            int(requests),
            int(first),
            int(last),
            int(missing) if missing else None,
            unknown or None,
            int(duplicates),
            int(reordered),
            int(refused or 0),
            int(fragments or 0),
            int(later or 0),
            size,
            hops,
            bool(so_far),
            bool(idle),
        )

    @property
    def numbers(self):
        """Requests, the first and the last number, and what is missing of them."""
        return self.requests, self.first, self.last, self.missing


class Sum(namedtuple("Sum", "sessions requests missing duplicates reordered")):
    """Those that have no entry of their own."""

    LINE = re.compile(
        r"^(\d+) more pings? ended on '\S+': (\d+) requests, (\d+) missing, (\d+) duplicate, (\d+) reordered$",
        re.MULTILINE,
    )

    @classmethod
    def all_in(cls, log):
        return [cls(*map(int, fields)) for fields in cls.LINE.findall(log)]
