# SPDX-License-Identifier: GPL-2.0-or-later
"""From start to stop: signals, notifications, totals, the log's text."""

import os
import re
import signal
import subprocess

import pytest

from harness import Store, Totals, wait_until
from packets import IPV4, IPV6, Tunecho, assert_answers_a_load, echo, echo6

PEERS = IPV4[1], IPV6[1]


def assert_answers(host):
    for peer in PEERS:
        host.ping(peer).assert_answered(3)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_with_totals(host, each_engine, number):
    daemon = host.start("tun0")
    assert_answers(host)
    assert daemon.stop(number) == 0

    assert daemon.notified("STOPPING=1")
    assert daemon.final_totals().replies == 6


def test_stop_under_load(host, each_engine):
    daemon = host.start("tun0")
    assert_answers_a_load(host, daemon)
    daemon.assert_batched()
    with host.flood(*PEERS):
        wait_until(lambda: daemon.totals().replies > 1000, "a thousand replies")
        daemon.assert_no_worker()
        assert daemon.stop() == 0
    assert daemon.final_totals().replies > 1000


def test_stop_with_a_full_queue(host, each_engine):
    """Whether a reply was to be written, or its request has not even been read: the totals are right."""
    host.silence()
    request = echo()
    with Store() as store:
        daemon = host.start("tun0", store=store)
        with Tunecho(host, "tun0", *IPV4) as tunecho:
            with daemon.held_back():
                for _ in range(2000):
                    tunecho.send(request)
            assert daemon.stop() == 0
            # The writes of the daemon have put them into the buffer of the socket.
            replies = sum(1 for _ in iter(lambda: tunecho.receive(0.1), None))
        assert daemon.final_totals().replies == replies


def test_totals_on_request(host):
    host.silence()
    daemon = host.start("tun0")
    before = daemon.totals()
    host.ping(IPV4[1], count=25).assert_answered(25)
    assert daemon.totals_of(before.packets + 25).since(before) == (25, 25, 0, {})


def packets_read(host):
    """How many packets the daemon of tun0 has read, by the kernel's count."""
    (link,) = host.ip_json("-s", "link", "show", "tun0")
    return link["stats64"]["tx"]["packets"]


def test_totals_under_load(host, each_engine):
    """They come while the load lasts, and count what was read so far, but for what is being answered."""
    daemon = host.start("tun0")
    unanswered, request = 2 * 64, echo()  # one batch is written, and one was read
    with host.flood(*PEERS), Tunecho(host, "tun0", *IPV4) as tunecho:
        wait_until(lambda: daemon.totals().replies > 1000, "a thousand replies")
        for _ in range(20):
            seen = len(daemon.log)
            with daemon.held_back():
                read = packets_read(host)
                for _ in range(1000):
                    tunecho.send(request)
                daemon.process.send_signal(signal.SIGUSR1)
            wait_until(lambda: Totals.all_in(daemon.log[seen:]), "the totals")
            (totals,) = Totals.all_in(daemon.log[seen:])
            assert read - unanswered <= totals.packets <= packets_read(host)
        daemon.assert_batched()


def test_totals_add_up(host, each_engine):
    """Every packet sent is counted, and under the verdict that it earned."""
    host.silence()
    daemon = host.start("tun0", config="[Network]\nAddress=198.18.0.1/24\nPeer=198.18.0.2\n")
    sent = {
        "bad-source": (echo(source="127.0.0.1"), 7),
        "not-echo": (echo(type=0), 11),
        "icmp-error": (echo(type=3), 29),
        "housekeeping": (echo6(type=133), 31),
        "malformed": (echo()[:19], 13),
        "bad-icmp-checksum": (echo(chksum=0x1234), 17),
        "bad-ip-checksum": (echo(header_checksum=0x1234), 19),
        "group-destination": (echo(destination="198.18.0.255"), 23),
    }
    drops = {verdict: count for verdict, (_, count) in sent.items()}
    before = daemon.totals()
    with Tunecho(host, "tun0", *IPV4) as tunecho:
        with daemon.held_back():
            for packet, count in sent.values():
                for _ in range(count):
                    tunecho.send(packet)
        for _ in range(50):
            assert tunecho.ask(echo())
    daemon.assert_batched()

    # Each of the fifty had its marker.
    counted = daemon.totals_of(before.packets + 100 + sum(drops.values()))
    assert counted.since(before) == (100 + sum(drops.values()), 100, sum(drops.values()), drops)
    assert daemon.stop() == 0
    assert daemon.final_totals() == counted
    assert " as icmp-error: " in daemon.log
    assert " as housekeeping" not in daemon.log, "it is counted, and has no entry"


def test_status_is_sent_and_not_repeated(host):
    host.silence()
    daemon = host.start("tun0")
    assert_answers(host)
    wait_until(lambda: daemon.notified("STATUS="), "a status")
    assert daemon.stop() == 0
    daemon.notified("STATUS=")
    statuses = [line for line in daemon.notifications if line.startswith("STATUS=")]
    assert all(one != next for one, next in zip(statuses, statuses[1:])), statuses


def test_ready_message_names_what_to_ping(host):
    log = host.start("tun0").log
    assert "ping 198.18.0.2" in log
    assert "ping 2001:2::2" in log
    assert "ping 198.18.0.1" not in log


def lines_of_a_run(host, env):
    daemon = host.start("tun0", env=env, stderr=subprocess.PIPE)
    assert daemon.stop() == 0
    lines = daemon.process.stderr.read().splitlines()
    assert len(lines) >= 2, lines
    return lines


def test_text_has_no_level_prefix(host):
    for line in lines_of_a_run(host, env={}):
        assert not re.match(r"<\d>", line), line


def test_text_has_a_level_prefix_for_the_service_manager(host):
    env = {"INVOCATION_ID": os.urandom(16).hex()}
    for line in lines_of_a_run(host, env):
        assert re.match(r"<[3-6]>\S", line), line

    done = host.tunecho("--config=/nonexistent", "tun0", env=env)
    assert re.match(r"<3>\S", done.stderr), done.stderr
