# SPDX-License-Identifier: GPL-2.0-or-later
"""Fragments are reflected one by one, at any MTU and in any order; single ones are in test_packets.py."""

import itertools
import random

import pytest

from harness import Host
from packets import IPV4, IPV6, Bench, Tunecho, answer, answer6, cut, echo, echo6

# The most data that an echo request can have; one of IPv6 has its header beside the 65,535 bytes.
LARGEST = {IPV4[1]: 65507, IPV6[1]: 65527}

FAMILIES = [pytest.param(echo, answer, id="IPv4"), pytest.param(echo6, answer6, id="IPv6")]


@pytest.fixture(scope="module", params=[1280, 1500, 9000, 65535])
def host_with_mtu(request, tmp_path_factory, each_engine):
    with Host(tmp_path_factory.mktemp("host"), each_engine) as host:
        host.start("tun0", f"--mtu={request.param}")
        yield host, request.param


@pytest.mark.parametrize("peer", LARGEST)
def test_largest_ping(host_with_mtu, peer):
    host, _ = host_with_mtu
    host.ping(peer, "-s", LARGEST[peer]).assert_answered(3)


@pytest.mark.parametrize("peer", LARGEST)
def test_ping_around_the_mtu(host_with_mtu, peer):
    host, mtu = host_with_mtu
    headers = 28 if peer == IPV4[1] else 48
    for size in (mtu - headers - 8, mtu - headers, mtu - headers + 1, 2 * mtu, 20_000):
        host.ping(peer, "-s", min(size, LARGEST[peer])).assert_answered(3)


def pieces(make, make_answer, size, *places, **fields):
    """The fragments of a request, and those of its reply."""
    fields = {"data": random.Random(size).randbytes(size), **fields}
    return cut(make(**fields), *places), cut(make_answer(**fields), *places)


@pytest.mark.parametrize("make, make_answer", FAMILIES)
def test_many_at_once(host_with_mtu, make, make_answer):
    """Fragments as large as they can be, and so many that an engine with batches uses them."""
    host, mtu = host_with_mtu
    (daemon,) = host.daemons
    size, headers = (65507, 20) if make == echo else (65527, 48)
    step = (mtu - headers) // 8 * 8
    sent, expected = pieces(make, make_answer, size, *range(step, size + 8, step))
    times = 1 + 100 // len(sent)
    with Tunecho(host, "tun0", *IPV4, daemon) as tunecho:
        for replies in tunecho.ask_all([sent] * times):
            assert replies == expected
    daemon.assert_batched()
    daemon.assert_no_worker()


@pytest.fixture(scope="module")
def bench(tmp_path_factory, each_engine):
    with Bench.on_host(tmp_path_factory.mktemp("host"), each_engine) as bench:
        yield bench


@pytest.mark.parametrize("make, make_answer", FAMILIES)
def test_any_order(bench, make, make_answer):
    sent, expected = pieces(make, make_answer, 1000, 8, 400, 800)
    for order in itertools.permutations(range(len(sent))):
        bench.assert_all_answered([sent[i] for i in order], [expected[i] for i in order])


@pytest.mark.parametrize("make, make_answer", FAMILIES)
def test_each_twice(bench, make, make_answer):
    sent, expected = pieces(make, make_answer, 1000, 8, 400, 800)
    bench.assert_all_answered([*sent, *sent], [*expected, *expected])
