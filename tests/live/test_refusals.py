# SPDX-License-Identifier: GPL-2.0-or-later
"""ICMP errors about replies: who refuses them, why, and of which ping."""

import re

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import ICMPv6DestUnreach, IPv6
from scapy.packet import Raw

from harness import wait_until
from packets import IPV4, IPV6, Tunecho, answer, answer6, echo, echo6
from sessions import Session

REFUSED = re.compile(
    r"^(\S+) refuses the reply (\S+) > (\S+) id (\d+) seq (\d+): (.*?)(, MTU \d+)?(?:, \d+ more since .*)?$", re.M
)

# An address of the client that the router has no route to, the peer, and the router's own addresses.
FAR = {
    "ipv4": ("203.0.113.7", "203.0.113.0/24", IPV4[1], "192.0.2.1"),
    "ipv6": ("2001:db8:7::7", "2001:db8:7::/64", IPV6[1], "2001:db8::1"),
}

FAMILIES = pytest.mark.parametrize("family", FAR)


@pytest.fixture
def far(tunnel, client, family):
    """The far address, its prefix and the peer; the router does not limit the rate of its errors."""
    address, prefix, peer, _ = FAR[family]
    client.ip("address", "add", address, "dev", "lo")
    tunnel.sysctl("net/ipv4/icmp_ratelimit", 0)
    tunnel.sysctl("net/ipv6/icmp/ratelimit", 0)
    if family == "ipv6":
        tunnel.ip("-6", "route", "del", "blackhole", "default")
    return address, prefix, peer


def ping(client, source, peer, *options):
    """Three requests at once, to which no reply comes."""
    done = client.run("ping", "-n", "-q", "-c", 3, "-l", 3, "-W", 1, "-I", source, *options, peer)
    assert " 0 received" in done.stdout, done.stdout + done.stderr


def refusals(daemon):
    return REFUSED.findall(daemon.log)


def assert_refused(daemon, source, peer, reason, reporters, mtu="", requests=3):
    """There is an entry, and the session and the totals count all errors; none is an entry of drops, too."""
    # A busy kernel leaves some errors out.
    wait_until(lambda: refusals(daemon), "the entry")
    assert daemon.stop() == 0
    errors = daemon.final_totals().verdicts["icmp-error"]
    assert 1 <= errors <= requests
    for reporter, reply_source, destination, _, number, why, why_mtu in refusals(daemon):
        assert reporter in reporters, daemon.log
        assert (reply_source, destination) == (peer, source)
        assert 1 <= int(number) <= requests
        assert (why, why_mtu) == (reason, mtu)
    (session,) = [session for session in Session.all_in(daemon.log) if session.source == source]
    assert (session.requests, session.refused) == (requests, errors)
    assert session.identifier == int(refusals(daemon)[0][3])
    assert " as icmp-error" not in re.sub("stopped: .*", "", daemon.log)


def reporters_of(family):
    """This host answers with whichever of its addresses."""
    return FAR[family][3], (IPV4 if family == "ipv4" else IPV6)[0]


def status(host):
    with host.connect_status() as connection:
        lines = b"".join(iter(lambda: connection.recv(65536), b"")).decode().splitlines()
    return {key: int(value) for key, _, value in (line.partition("=") for line in lines) if value.isdigit()}


@FAMILIES
def test_status(tunnel, client, far):
    """All errors are counted; the kernel does not send one for each reply if it is busy."""
    tunnel.start("tun0")
    assert status(tunnel)["TUNECHO_REFUSED"] == 0
    pings = 0

    def is_refused():
        nonlocal pings
        ping(client, far[0], far[2])
        pings += 1
        return status(tunnel)["TUNECHO_REFUSED"] > 0

    wait_until(is_refused, "an error")
    found = status(tunnel)
    assert found["TUNECHO_REFUSED"] == found["TUNECHO_ICMP_ERROR"] <= 3 * pings
    assert (found["TUNECHO_SESSIONS_OPENED"], found["TUNECHO_SESSIONS_EVICTED"]) == (pings, 0)


@FAMILIES
def test_no_route_back(tunnel, client, far, family):
    daemon = tunnel.start("tun0")
    ping(client, far[0], far[2])
    assert_refused(daemon, far[0], far[2], "no route to the destination", reporters_of(family))


@FAMILIES
def test_no_route_back_without_forwarding(tunnel, client, far, family):
    """Then the kernel takes no request of others either, and says so to nobody."""
    daemon = tunnel.start("tun0")
    tunnel.sysctl("net/ipv4/ip_forward", 0)
    tunnel.sysctl("net/ipv6/conf/all/forwarding", 0)
    ping(client, far[0], far[2])
    assert daemon.totals().replies == 0
    assert not refusals(daemon)


@FAMILIES
def test_host_unreachable(tunnel, client, far, family):
    """The next hop of the route back is not there."""
    daemon = tunnel.start("tun0")
    gateway = "192.0.2.99" if family == "ipv4" else "2001:db8::99"
    tunnel.ip("route", "add", far[1], "via", gateway)
    ping(client, far[0], far[2])
    why = "host unreachable" if family == "ipv4" else "address unreachable"
    assert_refused(daemon, far[0], far[2], why, reporters_of(family))


@FAMILIES
def test_prohibited_by_a_firewall(tunnel, client, far, family):
    daemon = tunnel.start("tun0")
    tunnel.ip("route", "add", far[1], "dev", "lan")
    rule = "type filter hook forward priority 0; iifname tun0 reject with icmpx type admin-prohibited;"
    done = tunnel.run("nft", "-f", "-", input=f"table inet block {{ chain back {{ {rule} }}; }}\n")
    assert done.returncode == 0, done.stderr
    ping(client, far[0], far[2])
    assert_refused(daemon, far[0], far[2], "administratively prohibited", reporters_of(family))


@FAMILIES
def test_time_exceeded(tunnel, client, far, family):
    """HopLimit=1 is enough for this host, and for no other."""
    daemon = tunnel.start("tun0", config="[Reflector]\nHopLimit=1\n")
    tunnel.ip("route", "add", far[1], "dev", "lan")
    ping(client, far[0], far[2])
    assert_refused(daemon, far[0], far[2], "hop limit exceeded in transit", reporters_of(family))


@FAMILIES
def test_too_big(tunnel, client, far, family):
    """The route back has a smaller MTU, which the entry names."""
    daemon = tunnel.start("tun0")
    via = "192.0.2.2" if family == "ipv4" else "2001:db8::2"
    tunnel.ip("route", "add", far[1], "via", via, "mtu", "lock", 1400)
    ping(client, far[0], far[2], "-M", "do", "-s", 1432)
    assert_refused(daemon, far[0], far[2], "packet too big", reporters_of(family), ", MTU 1400")


@FAMILIES
def test_refused_by_another_router(tunnel, client, far, family):
    """The reply reaches the next router, which sends it back until its hop limit is exceeded."""
    daemon = tunnel.start("tun0", config="[Reflector]\nHopLimit=2\n")
    via, address = ("192.0.2.2", "203.0.113.0/24") if family == "ipv4" else ("2001:db8::2", "2001:db8:7::/64")
    client.ip("address", "del", far[0], "dev", "lo")
    client.sysctl("net/ipv4/ip_forward", 1)
    client.sysctl("net/ipv4/icmp_ratelimit", 0)
    client.sysctl("net/ipv6/conf/all/forwarding", 1)
    client.sysctl("net/ipv6/icmp/ratelimit", 0)
    tunnel.ip("route", "add", address, "via", via)
    make = echo if family == "ipv4" else echo6
    for number in 1, 2, 3:
        with Tunecho(tunnel, "tun0", *(IPV4 if family == "ipv4" else IPV6)) as tunecho:
            tunecho.send(make(id=7, seq=number, source=far[0]))
    assert_refused(daemon, far[0], far[2], "hop limit exceeded in transit", (via,))


def error_about(family, quoted):
    """That the host is unreachable."""
    if family == "ipv4":
        return bytes(IP(src="192.0.2.9", dst=IPV4[1]) / ICMP(type=3, code=1) / Raw(quoted))
    return bytes(IPv6(src="2001:db8::9", dst=IPV6[1]) / ICMPv6DestUnreach(code=3) / Raw(quoted))


@FAMILIES
def test_forged_errors(host, each_engine, family):
    """Each error is either an entry about a reply that was sent here, or a drop."""
    host.silence()
    ends = IPV4 if family == "ipv4" else IPV6
    make, reply = (echo, answer) if family == "ipv4" else (echo6, answer6)
    daemon = host.start("tun0")
    errors = {
        "of this ping": reply(id=7, seq=1),
        "of no ping": reply(id=8, seq=1),
        "of another host": reply(id=7, seq=1, source="192.0.2.7" if family == "ipv4" else "2001:db8::7"),
        "the request": make(id=7, seq=1),
    }
    with Tunecho(host, "tun0", *ends) as tunecho:
        tunecho.ask(make(id=7, seq=1))
        for quoted in errors.values():
            assert tunecho.ask(error_about(family, quoted)) == []
    assert daemon.stop() == 0
    ((reporter, *reply_ends, identifier, _, _, _),) = refusals(daemon)
    assert reporter == ("192.0.2.9" if family == "ipv4" else "2001:db8::9")
    assert (reply_ends, identifier) == ([ends[1], ends[0]], "7")
    dropped = re.findall(r"^'tun0' dropped (\d+) packets? as icmp-error", daemon.log, re.M)
    assert sum(map(int, dropped)) == len(errors) - 1
    (session,) = [session for session in Session.all_in(daemon.log) if session.identifier == 7]
    assert session.refused == 1
