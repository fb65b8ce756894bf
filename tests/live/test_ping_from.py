# SPDX-License-Identifier: GPL-2.0-or-later
"""tunechoctl ping --from: what the kernel would do with the pings of another host, and why that fails."""

import json
import os
import shlex
import shutil

import pytest

from fakes import CLIENT
from harness import USAGE, environment, sanitizer_complaint
from packets import IPV4, IPV6

HEALTHY, WRONG, FAILED = 0, 1, 2
UNPRIVILEGED = "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"

# Addresses of a family: the client, its router, the peer, another network; and what ip(8) and nft(8) call it.
FAMILIES = {
    "ipv4": {
        "from": "192.0.2.2",
        "peer": IPV4[1],
        "elsewhere": "203.0.113.7",
        "forward": "net/ipv4/ip_forward",
        "f": "-4",
        "ip": "ip",
    },
    "ipv6": {
        "from": "2001:db8::2",
        "peer": IPV6[1],
        "elsewhere": "2001:db8:7::7",
        "forward": "net/ipv6/conf/all/forwarding",
        "f": "-6",
        "ip": "ip6",
    },
}

# Another route to the peer, whatever the daemon does with its own one.
OTHER_TABLE = "ip {f} rule add to {peer} lookup 77 pref 9"
OTHER_DEVICE = "ip tuntap add dev other mode tun", "ip link set other up"
PROHIBIT_FROM_LAN = "ip {f} rule add iif lan to {peer} prohibit pref 9"
NO_NEIGHBOUR = "ip {f} neighbour replace {from} dev lan nud failed"

# Commands of the router, then the stage and the cause that are named, and whether that is certain.
BREAKS = {
    "forwarding is off": (["sysctl -qw {forward}=0"], "request", "not-forwarding", True),
    "the peer is routed elsewhere": (
        ["ip {f} route add {peer} dev lan table 77", OTHER_TABLE], "request", "routed-elsewhere", True),
    "a blackhole": (
        ["ip {f} route add blackhole {peer} table 77", OTHER_TABLE], "request", "blackhole", True),
    "a rule of the interface": ([PROHIBIT_FROM_LAN], "request", "prohibit", True),
    "a rule, but another interface": ([*OTHER_DEVICE, PROHIBIT_FROM_LAN], "request", "prohibit", False),
    "a rule of the replies": (
        ["ip {f} rule add to {from} prohibit pref 9"], "reply", "prohibit", True),
    "replies are routed back": (["ip {f} route add {from} dev tun0"], "reply", "routed-back", True),
    "the next hop does not answer": ([NO_NEIGHBOUR], "next-hop", "next-hop", False),
    "the gateway does not answer": (
        ["ip {f} route add {elsewhere} via {from}", NO_NEIGHBOUR], "next-hop", "next-hop", False),
    "the device is down": (["ip link set tun0 down"], "device", "device-down", True),
}

BREAKS_OF_IPV4 = {
    "rp_filter": (
        [
            *OTHER_DEVICE,
            "ip route add {from} dev other",
            "ip neighbour replace {from} lladdr 02:00:00:00:00:01 dev lan",
            "sysctl -qw net/ipv4/conf/lan/rp_filter=1",
        ],
        "request", "rp-filter", False),
}
BREAKS_OF_IPV6 = {
    "IPv6 is off": (["sysctl -qw net/ipv6/conf/lan/disable_ipv6=1"], "request", "ipv6-off", True),
    "IPv6 is off on the device": (["sysctl -qw net/ipv6/conf/tun0/disable_ipv6=1"], "device", "ipv6-off", True),
}

CASES = [(family, name, *what) for family in FAMILIES for name, what in BREAKS.items()]
CASES += [("ipv4", name, *what) for name, what in BREAKS_OF_IPV4.items()]
CASES += [("ipv6", name, *what) for name, what in BREAKS_OF_IPV6.items()]


def ping_from(host, *arguments, program=(CLIENT,), **how):
    directory = f"--directory={host.run_directory}/tunecho"
    return host.run(*program, "ping", directory, *arguments, env=environment(), **how)


def report(host, client, *arguments, **how):
    """The object of the only address that is checked, and the exit status."""
    done = ping_from(host, "tun0", *arguments, f"--from={client}", "--json", **how)
    assert not sanitizer_complaint(done.stderr), done.stderr
    assert done.returncode in (HEALTHY, WRONG), done.stderr
    (found,) = json.loads(done.stdout)
    assert found["ok"] == (done.returncode == HEALTHY)
    return found


def run(host, names, command):
    done = host.run(*shlex.split(command.format(**names)))
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


@pytest.fixture
def router(tunnel, client):
    """A router with tun0 that passes on the pings of a client."""
    tunnel.start("tun0")
    return tunnel


@pytest.mark.parametrize("family", FAMILIES)
def test_healthy(router, client, family):
    names = FAMILIES[family]
    client.ping(names["peer"]).assert_answered(3)
    found = report(router, names["from"])
    assert (found["interface"], found["address"], found["from"]) == ("tun0", names["peer"], names["from"])
    assert (found["ok"], found["stage"], found["cause"], found["certain"]) == (True, None, "healthy", True)
    request, reply = found["paths"]
    assert (request["direction"], request["interface"], request["out"]) == ("request", "lan", "tun0")
    assert request["ok"] and request["likely"]
    assert (reply["direction"], reply["interface"], reply["out"], reply["ok"]) == ("reply", "tun0", "lan", True)
    assert found["next_hop"] == names["from"] and found["neighbour"] not in (None, "failed")
    text = ping_from(router, "tun0", f"--from={names['from']}").stdout
    assert text.startswith(f"tun0 {names['peer']}: the kernel would pass on pings from {names['from']}\n")


@pytest.mark.parametrize("family, name, commands, stage, cause, certain", CASES)
def test_break(router, client, family, name, commands, stage, cause, certain):
    names = FAMILIES[family]
    for command in commands:
        run(router, names, command)
    client_address = names["elsewhere" if any("{elsewhere}" in command for command in commands) else "from"]
    # The device may have lost its addresses, and with them what the instance says to ping.
    found = report(router, client_address, names["peer"])
    assert (found["ok"], found["stage"], found["cause"], found["certain"]) == (False, stage, cause, certain), found
    assert found["text"] and found["remedy"]
    text = ping_from(router, "tun0", names["peer"], f"--from={client_address}").stdout
    assert text.startswith(f"tun0 {names['peer']}: {cause}, for pings from {client_address}\n  stage:   {stage}\n")
    assert f"  cause:   {found['text']}{'' if certain else ' (likely)'}\n  remedy:  {found['remedy']}\n" in text


@pytest.mark.parametrize("family", FAMILIES)
def test_remedy(router, client, family):
    """The command that is printed repairs it."""
    names = FAMILIES[family]
    router.sysctl(names["forward"], 0)
    run(router, names, report(router, names["from"])["remedy"])
    assert report(router, names["from"])["ok"]
    client.ping(names["peer"]).assert_answered(3)


@pytest.mark.parametrize("family", FAMILIES)
def test_suspects(router, client, family):
    """Rules that forwarded pings pass, with a command that shows them; no cause, as they may not match."""
    if not shutil.which("nft"):
        pytest.skip("need nft")
    names = FAMILIES[family]
    run(router, names, "nft add table {ip} f; add chain {ip} f fw {{ type filter hook forward priority 0; }}")
    run(router, names, "nft add rule {ip} f fw {ip} saddr {from} drop")
    run(router, names, "nft add rule {ip} f fw tcp dport 22 drop")
    found = report(router, names["from"])
    (suspect,) = found["suspects"]
    assert found["ok"] and suspect.startswith(f"{names['ip']} f fw handle ")
    rule, command = suspect.split("; see: ")
    assert rule.endswith(f": {names['ip']} saddr {names['from']} drop")
    assert f"saddr {names['from']} drop # handle" in run(router, {}, command)
    assert f"  suspect: {suspect}\n" in ping_from(router, "tun0", f"--from={names['from']}").stdout


@pytest.mark.root("another user")
def test_unprivileged(router, client):
    """A user sees all but the rules, and is told so."""
    descriptor = os.open(CLIENT, os.O_RDONLY)
    try:
        program = *UNPRIVILEGED, f"/proc/self/fd/{descriptor}"
        found = report(router, "192.0.2.2", program=program, pass_fds=[descriptor])
    finally:
        os.close(descriptor)
    assert found["suspects"] == []
    assert "rules of nft, as only root can read them" in found["unseen"]


@pytest.mark.parametrize(
    "client_address, status, message",
    [
        ("192.0.2.1", FAILED, "192.0.2.1 is an address of this host, whose pings are tested without --from"),
        ("224.0.0.1", USAGE, "--from: 224.0.0.1 is no address that packets are routed to"),
        ("fe80::1", USAGE, "--from: fe80::1 is no address that packets are routed to"),
    ],
)
def test_other_addresses(router, client, client_address, status, message):
    done = ping_from(router, "tun0", f"--from={client_address}")
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr == f"tunechoctl: {message}\n"
