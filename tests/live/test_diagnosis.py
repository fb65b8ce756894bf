# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel answers about a ping while it runs: a cause and a command that helps, and nothing else."""

import re
import shlex

import pytest

from harness import wait_until
from packets import IPV4, IPV6, Tunecho, echo, echo6
from sessions import Session

ENTRY = re.compile(r"^ping (\S+) > (\S+) id (\d+), (requests|replies): (.*); try: (.*)$", re.M)

CLIENT = {"ipv4": ("192.0.2.2", IPV4[1]), "ipv6": ("2001:db8::2", IPV6[1])}
FAMILIES = pytest.mark.parametrize("family", CLIENT)


def entries(daemon):
    return ENTRY.findall(daemon.log)


def wait_for_entry(daemon):
    wait_until(lambda: entries(daemon), f"an entry:\n{daemon.log}")
    (entry,) = entries(daemon)
    return entry


def wait_until_known(daemon):
    """The totals in `systemctl status` follow what is reported: the kernel was asked about the ping by then."""
    wait_until(lambda: re.search(r" [1-9]\d* replies", daemon.status_line()), "the totals")


def try_remedy(host, remedy):
    for command in remedy.split("; "):
        done = host.run(*shlex.split(command))
        assert done.returncode == 0, f"{command}: {done.stderr}"


@pytest.fixture
def running(tunnel, client, family):
    """A ping of the client that goes on, with the daemon that has answered it."""
    source, peer = CLIENT[family]
    daemon = tunnel.start("tun0")
    with client.background("ping", "-n", "-q", "-i", 0.2, peer) as ping:
        wait_until_known(daemon)
        yield daemon
        ping.kill()


def test_forwarding_off(tunnel, client):
    """IPv4: at once, as the kernel sends an event; the command helps."""
    for family, names in {
        "ipv4": ["net/ipv4/ip_forward"],
        "ipv6": ["net/ipv6/conf/all/forwarding"],
    }.items():
        source, peer = CLIENT[family]
        daemon = tunnel.start("tun0")
        with client.background("ping", "-n", "-q", "-i", 0.2, peer):
            wait_until_known(daemon)
            for name in names:
                tunnel.sysctl(name, 0)
            wait_until(lambda: entries(daemon), "an entry")
            assert {entry[:2] for entry in entries(daemon)} == {(source, peer)}
            assert {entry[4] for entry in entries(daemon)} <= {
                "this host does not forward what arrives on 'lan'",
                "this host does not forward what arrives on 'tun0'",
            }
            before = daemon.totals().replies
            try_remedy(tunnel, entries(daemon)[0][5])
            wait_until(lambda: daemon.totals().replies > before, "replies again")
        assert daemon.stop() == 0


@FAMILIES
def test_no_return_route(tunnel, client, family):
    """When the session opens: its requests arrive, and the kernel has no route for the replies."""
    source, peer = ("203.0.113.7", IPV4[1]) if family == "ipv4" else ("2001:db8:7::7", IPV6[1])
    if family == "ipv6":
        tunnel.ip("-6", "route", "del", "blackhole", "default")
    client.ip("address", "add", source, "dev", "lo")
    daemon = tunnel.start("tun0")
    client.run("ping", "-n", "-q", "-c", 1, "-W", 1, "-I", source, peer)
    ping_source, destination, _, direction, cause, remedy = wait_for_entry(daemon)
    assert (ping_source, destination, direction) == (source, peer, "replies")
    assert cause == f"no route to {source}, or a rule makes it unreachable"
    via = "192.0.2.2" if family == "ipv4" else "2001:db8::2"
    try_remedy(tunnel, remedy.replace("GATEWAY", via))
    assert " 0% packet loss" in client.run("ping", "-n", "-q", "-c", 1, "-W", 60, "-I", source, peer).stdout
    assert daemon.stop() == 0
    assert len(entries(daemon)) == 1


@FAMILIES
def test_reply_prohibited(tunnel, running, family):
    source, _ = CLIENT[family]
    six = ["-6"] if family == "ipv6" else []
    tunnel.ip(*six, "rule", "add", "to", source, "prohibit", "pref", 10)
    *_, direction, cause, remedy = wait_for_entry(running)
    assert (direction, cause) == ("replies", f"a route or a rule prohibits packets to {source}")
    assert remedy.endswith("rule")


def test_rp_filter(tunnel, client):
    """The route to the client is another one than that of its requests, and the filter is strict."""
    tunnel.ip("tuntap", "add", "dev", "other0", "mode", "tun")
    tunnel.ip("link", "set", "other0", "up")
    daemon = tunnel.start("tun0")
    with client.background("ping", "-n", "-q", "-i", 0.2, IPV4[1]):
        wait_until_known(daemon)
        tunnel.sysctl("net/ipv4/conf/lan/rp_filter", 1)
        tunnel.ip("route", "add", "192.0.2.2", "dev", "other0")
        *_, direction, cause, remedy = wait_for_entry(daemon)
        assert direction == "requests"
        assert cause.startswith("rp_filter drops packets from 192.0.2.2 that arrive on 'lan', ")
        before = daemon.totals().replies
        try_remedy(tunnel, remedy)
        wait_until(lambda: daemon.totals().replies > before, "requests again")


def test_rp_filter_of_the_device(host):
    """A ping of this host by a rule for a mark: the reply is filtered, as the route to its source differs."""
    host.silence()
    host.ip("tuntap", "add", "dev", "a", "mode", "tun")
    host.ip("link", "set", "dev", "a", "up")
    host.ip("route", "add", "203.0.113.0/24", "dev", "a")
    daemon = host.start("tun0")
    host.ip("route", "add", "203.0.113.0/24", "dev", "tun0", "table", 100)
    host.ip("rule", "add", "fwmark", 1, "lookup", 100, "pref", 100)
    host.sysctl("net/ipv4/conf/tun0/rp_filter", 1)
    host.run("ping", "-n", "-q", "-c", 1, "-W", 1, "-m", 1, "-I", IPV4[0], "203.0.113.9")
    _, _, _, direction, cause, remedy = wait_for_entry(daemon)
    assert direction == "replies" and cause.startswith("rp_filter drops packets from 203.0.113.9 that arrive on 'tun0'")
    try_remedy(host, remedy)
    done = host.run("ping", "-n", "-q", "-c", 1, "-W", 60, "-m", 1, "-I", IPV4[0], "203.0.113.9")
    assert " 0% packet loss" in done.stdout


def test_client_address_deleted(host):
    host.silence()
    host.ip("address", "add", "10.77.0.1", "dev", "lo")
    daemon = host.start("tun0")
    with host.background("ping", "-n", "-q", "-i", 0.2, "-I", "10.77.0.1", IPV4[1]):
        wait_until_known(daemon)
        host.ip("address", "del", "10.77.0.1", "dev", "lo")
        *_, cause, remedy = wait_for_entry(daemon)
    assert cause == "10.77.0.1 is no address of this host"
    assert remedy == "ip address add 10.77.0.1 dev INTERFACE"


def test_mtu_lowered(host):
    """Requests that must not be fragmented stop, and are known by their size."""
    daemon = host.start("tun0")
    with host.background("ping", "-n", "-q", "-i", 0.2, "-M", "do", "-s", 1472, IPV4[1]):
        wait_until_known(daemon)
        host.ip("link", "set", "dev", "tun0", "mtu", 1400)
        _, _, _, direction, cause, remedy = wait_for_entry(daemon)
    assert (direction, cause) == ("requests", "1500 bytes are more than the MTU of 'tun0'")
    try_remedy(host, remedy)
    host.ping(IPV4[1], "-M", "do", "-s", 1472).assert_answered(3)


@FAMILIES
def test_nothing_wrong(tunnel, client, family):
    """Whatever else changes meanwhile; of this host and of another one, by a rule for a mark, and from a group."""
    _, peer = CLIENT[family]
    daemon = tunnel.start("tun0")
    tunnel.ip("tuntap", "add", "dev", "a", "mode", "tun")
    with client.background("ping", "-n", "-q", "-i", 0.2, peer), tunnel.background("ping", "-n", "-q", "-i", 0.2, peer):
        wait_until_known(daemon)
        for state in ("up", "down") * 2:
            tunnel.ip("link", "set", "dev", "a", state)
        # From a check to the next one.
        seen = daemon.totals().replies
        wait_until(lambda: daemon.totals().replies > seen + 20, "more replies")
    assert daemon.stop() == 0
    assert not entries(daemon), daemon.log


def test_each_cause_once(tunnel):
    """For each ping, however often it is refused; and a limited number of questions for many of them."""
    tunnel.sysctl("net/ipv4/ip_forward", 1)
    daemon = tunnel.start("tun0")
    with Tunecho(tunnel, "tun0", *IPV4) as tunecho:
        for number in range(20):
            tunecho.send(echo(id=7, seq=number, source="203.0.113.9"))
    with Tunecho(tunnel, "tun0", *IPV6) as tunecho:
        tunecho.send(echo6(id=7, seq=1, source="fe80::9"))
    wait_until(lambda: entries(daemon), "an entry")
    assert daemon.stop() == 0
    assert len(entries(daemon)) == 1
    assert len([session for session in Session.all_in(daemon.log) if session.source == "203.0.113.9"]) == 1
