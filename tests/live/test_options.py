# SPDX-License-Identifier: GPL-2.0-or-later
"""What ping(8) shows of the options that a reply brings back: Record Route and Timestamp."""

import re
import time

import pytest

from harness import LIMIT

HOST, PEER, NEIGHBOUR = "198.18.0.1", "198.18.0.2", "198.18.0.77"
MIDNIGHT = 86_400_000


@pytest.fixture(scope="module")
def tun0(shared_host):
    return shared_host.start("tun0", f"--address={HOST}/24", f"--peer={PEER}")


def reply(host, destination, *options):
    """What is shown of one reply beyond its first line."""
    ping = host.ping(destination, *options, count=1)
    ping.assert_answered(1)
    return ping.output.partition("icmp_seq=1")[2].partition("---")[0].partition("\n")[2]


def times(shown):
    """The addresses shown; the first time is that of the day, and others are since the one before."""
    rows = re.findall(r"^(?:TS: )?\t(?:(\S+)\t)?(-?\d+)( absolute)?$", shown, re.MULTILINE)
    assert rows and rows[0][2], shown
    now = time.time() * 1000 % MIDNIGHT
    # ping(8) has ended within twice the limit.
    assert (now - int(rows[0][1])) % MIDNIGHT < 2000 * LIMIT, shown
    assert all(0 <= int(row[1]) < 2000 * LIMIT for row in rows[1:]), shown
    return [row[0] for row in rows]


@pytest.mark.parametrize("destination", [PEER, NEIGHBOUR, "198.18.0.254"])
def test_record_route(shared_host, tun0, destination):
    """Out of this host, at the one pinged, and back."""
    assert reply(shared_host, destination, "-R").split() == ["RR:", HOST, destination, HOST]


def test_same_route(shared_host, tun0):
    ping = shared_host.ping(PEER, "-R")
    ping.assert_answered(3)
    assert ping.output.count("(same route)") == 2


def test_timestamps(shared_host, tun0):
    assert times(reply(shared_host, PEER, "-T", "tsonly")) == ["", "", ""]


@pytest.mark.parametrize("destination", [PEER, NEIGHBOUR])
def test_timestamps_and_addresses(shared_host, tun0, destination):
    assert times(reply(shared_host, destination, "-T", "tsandaddr")) == [HOST, destination, HOST]


@pytest.mark.parametrize(
    "hops, stamped",
    [
        pytest.param([PEER], [PEER], id="the peer"),
        pytest.param([HOST, PEER, HOST], [HOST, PEER, HOST], id="there and back"),
        pytest.param([HOST, NEIGHBOUR], [HOST], id="another"),
    ],
)
def test_timestamps_of_addresses_asked_for(shared_host, tun0, hops, stamped):
    shown = reply(shared_host, PEER, "-T", "tsprespec", *hops)
    assert times(shown)[: len(stamped)] == stamped


def test_timestamp_is_not_given_for_another(shared_host, tun0):
    """ping(8) shows nothing of an option that comes back empty."""
    assert not reply(shared_host, PEER, "-T", "tsprespec", NEIGHBOUR).strip()
