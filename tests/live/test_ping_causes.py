# SPDX-License-Identifier: GPL-2.0-or-later
"""tunechoctl ping: each break of a host has its cause, in both families, and a healthy host has none."""

import json
import shlex
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor

import pytest

from fakes import CLIENT
from harness import USAGE, Host, wait_until
from packets import IPV4, IPV6

WRONG, FAILED = 1, 2

# Cases at a time: each waits for most of its time.
WORKERS = 4

# What differs between the families.
WORDS = {
    "ipv4": {
        "own": IPV4[0], "peer": IPV4[1], "icmp": "icmp", "ip": "ip", "far": "203.0.113.9", "host": "10.9.0.1",
        "gateway": "10.9.0.2", "length": "24", "mtu": 1472, "fragment": "ip frag-off & 0x1fff != 0", "all": "32",
        "header": "0x46", "nexthdr": "", "nat": "ip",
    },
    "ipv6": {
        "own": IPV6[0], "peer": IPV6[1], "icmp": "icmpv6", "ip": "ip -6", "far": "2001:db8::9", "host": "fd00:9::1",
        "gateway": "fd00:9::2", "length": "64 nodad", "mtu": 1452, "fragment": "@nh,336,16 & 0xfff8 != 0", "all": "128",
        "header": "0x70", "nexthdr": "ip6 nexthdr 44 ", "nat": "ip6",
    },
}  # fmt: skip

# Another interface, with a neighbour that never answers.
LINK = """
    ip link add lan0 type veth peer name lan1; ip link set lan0 up; ip link set lan1 up
    {ip} address add {host}/{length} dev lan0
    {ip} neighbour add {gateway} lladdr 02:00:00:00:00:01 dev lan0 nud permanent
"""


def nft(hook, rule, kind="filter", priority="0"):
    """A table with one rule in a hook; the hooks of a device are those of tun0."""
    device, family = ("device tun0 ", "netdev") if hook in ("ingress", "egress") else ("", "inet")
    chain = f"type {kind} hook {hook} {device}priority {priority};"
    return f"nft 'table {family} t {{{{ chain c {{{{ {chain} {rule}; }}}}; }}}}'"


REQUEST, REPLY = "oifname tun0 {icmp} type echo-request ", "iifname tun0 {icmp} type echo-reply "
ROUTE = "{ip} route del {peer} dev tun0; {ip} route add "
BY_MARK = "{ip} route add default dev tun0 table 100; {ip} rule add fwmark 1 lookup 100"

# The cause, or those of both families, one of which may be None; commands; options; the address; and settings.
Case = namedtuple("Case", "name causes commands arguments address config", defaults=("", "peer", None))
CASES = [
    Case(name, causes if isinstance(causes, tuple) else (causes, causes), *more)
    for name, causes, *more in [
        ("healthy", "healthy", ""),
        ("source of another interface", "healthy", LINK, "-I {host}"),
        ("mark", "healthy", BY_MARK, "-m 1"),
        ("fragments", "healthy", "", "-s 4000"),
        ("down", "device-down", "ip link set tun0 down"),
        ("addresses flushed", "no-address", "ip address flush dev tun0 scope global"),
        ("addresses flushed, default route", "no-address",
         LINK + "ip address flush dev tun0 scope global; {ip} route add default via {gateway}"),
        ("IPv6 off", (None, "ipv6-off"), "sysctl -qw net.ipv6.conf.tun0.disable_ipv6=1"),
        ("IPv6 off everywhere", (None, "ipv6-off"), "sysctl -qw net.ipv6.conf.all.disable_ipv6=1"),
        ("renamed", ("device-renamed", None), "ip link set tun0 down; ip link set tun0 name other; "
         "ip link set other up; ip route replace {peer} dev other"),
        ("no such source", "no-source", "", "-I {far}"),
        ("own address", "own-address", "", "", "own"),
        ("no route", "no-route", "{ip} route del {peer}"),
        ("route elsewhere", "routed-elsewhere", LINK + "{ip} route add {peer}/{all} via {gateway} metric 1; "
         "{ip} route del {peer} dev tun0"),
        ("no rule for the mark", "routed-elsewhere", LINK + "{ip} route add default via {gateway}", "-m 1", "far"),
        ("blackhole", "blackhole", ROUTE + "blackhole {peer}"),
        ("prohibit", "prohibit", ROUTE + "prohibit {peer}"),
        ("unreachable", "unreachable", ROUTE + "unreachable {peer}"),
        ("prohibited by a rule", "prohibit", "{ip} rule add to {peer} prohibit pref 10"),
        ("output", "output-filter", nft("output", REQUEST + "drop")),
        ("output, rejected", "output-filter", nft("output", REQUEST + "reject")),
        ("postrouting", "output-filter", nft("postrouting", REQUEST + "drop")),
        ("IPsec, out", "ipsec", "ip xfrm policy add dst {peer} dir out action block"),
        ("IPsec, in", "ipsec", "ip xfrm policy add src {peer} dir in action block"),
        ("too big", "too-big", "ip link set tun0 mtu 1400", "-M do -s {mtu}"),
        ("NAT to this host", "rewritten", LINK + nft("output", "oifname tun0 dnat {nat} to {host}", "nat", "-100")),
        ("NAT to elsewhere", "rewritten", LINK + nft("output", "oifname tun0 dnat {nat} to {gateway}", "nat", "-100")),
        ("marked on output", "rewritten", LINK + nft("output", REQUEST + "meta mark set 7", "route", "-150")
         + "; {ip} route add default via {gateway} table 7; {ip} rule add fwmark 7 lookup 7"),
        ("egress", "egress-filter", nft("egress", "drop")),
        ("one in three at egress", "egress-filter", nft("egress", "numgen inc mod 3 == 0 drop")),
        ("fragments of requests", "fragments-lost", nft("egress", "{nexthdr}{fragment} drop"), "-s 4000"),
        ("qdisc", "qdisc", "tc qdisc add dev tun0 root tbf rate 8bit burst 10b limit 10b"),
        ("egress, and another qdisc", "egress-filter",
         "tc qdisc add dev tun0 root tbf rate 8bit burst 10b limit 10b; ping -c 3 -W 1 {peer} >/dev/null || :; "
         + nft("egress", "drop") + "; (sleep 1.5; tc qdisc replace dev tun0 root pfifo) >/dev/null 2>&1 &"),
        ("Destination=", "not-ours", "", "", "peer", "[Reflector]\nDestination=192.0.2.0/24\n"),
        ("corrupt requests", "corrupt-requests", nft("output", REQUEST + "@th,16,16 set 0x1234")),
        ("another type", "dropped", nft("output", REQUEST + "{icmp} type set 201")),
        ("ingress", "ingress-filter", nft("ingress", "drop")),
        ("rp_filter", ("rp-filter", None), BY_MARK + "; sysctl -qw net.ipv4.conf.tun0.rp_filter=1", "-m 1", "far"),
        ("another destination", ("not-local", None),
         nft("prerouting", REPLY + "ip daddr set 10.77.0.9", "filter", "-300")),
        ("another destination, forwarded", "not-local",
         LINK + "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1; "
         + nft("prerouting", REPLY + "{nat} daddr set {gateway}", "filter", "-300")),
        ("header", "bad-header", nft("ingress", "@nh,0,8 set {header}")),
        ("fragments of replies", "fragments-lost",
         nft("prerouting", "iifname tun0 {nexthdr}{fragment} drop", "filter", "-450"), "-s 4000"),
        ("prerouting", "input-filter", nft("prerouting", REPLY + "drop", "filter", "-300")),
        ("input", "input-filter", nft("input", REPLY + "drop")),
        ("one in three on input", "input-filter", nft("input", REPLY + "numgen inc mod 3 == 0 drop")),
        ("policy of input", "input-filter", nft("input", "policy drop")),
        ("rejected on input", "reply-refused", nft("input", REPLY + "reject")),
        ("corrupt replies", "corrupt-replies", nft("prerouting", REPLY + "@th,128,16 set 0xabcd", "filter", "-300")),
    ]
]  # fmt: skip

RUNS = [(case, family) for case in CASES for family, cause in zip(WORDS, case.causes) if cause]


def ping(host, *arguments, **how):
    return host.tunecho("ping", *arguments, binary=CLIENT, **how)


def report(host, *arguments):
    """The one report, which agrees with the exit status."""
    done = ping(host, "--json", *arguments)
    (found,) = json.loads(done.stdout)
    assert done.returncode == (0 if found["ok"] else WRONG), done.stderr
    assert found["ok"] == (found["cause"] == "healthy")
    return found


def start(host, config=None):
    """Start it and wait until its routes are settled: one that comes later would repair what is broken here."""
    daemon = host.start("tun0", config=config)
    wait_until(lambda: not host.ip("-6", "address", "show", "dev", "tun0", "tentative"), "the addresses")
    for peer in IPV4[1], IPV6[1]:
        host.ping(peer, "-W", 1, count=1)
    return daemon


def run_case(directory, case, family):
    words = WORDS[family]
    arguments = case.arguments.format(**words).split()
    with Host(directory) as host:
        start(host, case.config)
        done = host.run("sh", "-ec", case.commands.format(**words) or ":")
        assert done.returncode == 0, done.stderr
        return report(host, "tun0", words[case.address], *arguments)


@pytest.fixture(scope="module")
def reports(request, tmp_path_factory):
    """The report of each case that is selected; they are run side by side."""
    selected = [item.callspec.params for item in request.session.items if "case" in getattr(item, "fixturenames", ())]
    with ThreadPoolExecutor(WORKERS) as pool:
        found = {
            (one["case"].name, one["family"]): pool.submit(run_case, tmp_path_factory.mktemp("host"), **one)
            for one in selected
        }
    return found


@pytest.mark.parametrize("case, family", RUNS, ids=[f"{case.name}-{family}" for case, family in RUNS])
def test_cause(reports, case, family):
    found = reports[case.name, family].result()
    cause = dict(zip(WORDS, case.causes))[family]
    assert found["cause"] == cause, found
    assert "{" not in found["text"] + found["remedy"]
    assert found["suspects"] or not cause.endswith("put-filter"), found
    passed = [stage["packets"] for stage in found["stages"]]
    assert passed == sorted(passed, reverse=True) and passed[0] == found["sent"] and passed[-1] == found["received"]


def test_remedies(host):
    """Commands that can be pasted: each one helps."""
    start(host)
    for commands, cause in (
        ("ip route del 198.18.0.2", "no-route"),
        ("ip link set tun0 down", "device-down"),
        ("ip route add default dev tun0 table 9; ip rule add fwmark 9 lookup 9; ip tuntap add dev tun9 mode tun; "
         "ip link set tun9 up; ip route add default dev tun9; sysctl -qw net.ipv4.conf.tun0.rp_filter=1", "rp-filter"),
    ):  # fmt: skip
        arguments = ("-m", 9, "tun0", "203.0.113.9") if cause == "rp-filter" else ("tun0", "198.18.0.2")
        assert host.run("sh", "-ec", commands).returncode == 0
        found = report(host, *arguments)
        assert found["cause"] == cause
        assert host.run("sh", "-ec", found["remedy"]).returncode == 0
        if cause == "device-down":  # the kernel deletes the route with the link
            host.ip("route", "replace", "198.18.0.2", "dev", "tun0", "src", "198.18.0.1")
        assert report(host, *arguments)["cause"] == "healthy"


@pytest.mark.parametrize("run", range(3))
@pytest.mark.parametrize("busy", [False, True], ids=["quiet", "busy"])
def test_no_false_alarm(host, busy, run):
    """All instances and families, while others ping, too."""
    host.start("tun0")
    host.start("tun1")
    with host.flood(*(IPV4[1], IPV6[1]) if busy else ()):
        done = ping(host, "--json")
    found = [(entry["interface"], entry["address"], entry["cause"]) for entry in json.loads(done.stdout)]
    peers = [("tun0", IPV4[1]), ("tun0", IPV6[1]), ("tun1", "198.18.1.2"), ("tun1", "2001:2:0:1::2")]
    assert found == [(*peer, "healthy") for peer in peers]


def test_ignored_sigchld(host):
    """As the process that starts it may leave it: the rule is found all the same."""
    start(host)
    assert host.run("sh", "-ec", nft("input", REPLY + "drop").format(**WORDS["ipv4"])).returncode == 0
    done = ping(host, "--json", "tun0", IPV4[1], prefix=("env", "--ignore-signal=CHLD"))
    (found,) = json.loads(done.stdout)
    assert found["cause"] == "input-filter" and found["suspects"], found


@pytest.mark.parametrize("family", WORDS)
def test_busy_break(host, family):
    """Pings of others are lost in the same way, and are not counted."""
    host.start("tun0")
    words = WORDS[family]
    with host.flood(words["peer"]):
        assert host.run("sh", "-ec", nft("input", REPLY + "drop").format(**words)).returncode == 0
        assert report(host, "tun0", words["peer"])["cause"] == "input-filter"


def test_daemon_that_does_not_read(host):
    """Its peers are those of the addresses of the device."""
    daemon = host.start("tun0")
    with daemon.held_back():
        done = ping(host, "--json")
    assert done.returncode == WRONG
    found = {(entry["address"], entry["cause"]) for entry in json.loads(done.stdout)}
    assert found == {(IPV4[1], "not-reading"), (IPV6[1], "not-reading")}


def test_moved(host, tmp_path):
    daemon = host.start("tun0")
    with Host(tmp_path / "other") as other:
        other.take(host, "tun0")
        assert {entry["cause"] for entry in json.loads(ping(host, "--json").stdout)} == {"device-missing"}
        assert daemon.stop() == 0  # before its device goes with the other host


def test_no_address_to_ping(host):
    """That is no fault of the device, and nothing is tested."""
    host.start("tun0", config="[Network]\nAddress=198.18.0.1\nPeer=198.18.0.2\n")
    done = ping(host, "tun0", "-I", "2001:db8::1")
    assert done.returncode == FAILED
    assert "tun0: not tested: " in done.stdout and "no address of that family to ping" in done.stdout
    (found,) = json.loads(ping(host, "--json", "tun0", "-I", "2001:db8::1").stdout)
    assert (found["cause"], found["ok"], found["certain"]) == (None, False, False)


def test_not_running(host):
    done = ping(host, "tun7")
    assert done.returncode == WRONG
    assert "tun7: not-running\n" in done.stdout and "systemctl start tunecho@tun7" in done.stdout
    assert ping(host).returncode == WRONG
    assert ping(host, "--nagios").returncode == 3


def test_person_and_monitor(host):
    host.start("tun0")
    done = ping(host, "tun0", IPV4[1])
    assert done.stdout.startswith(f"tun0 {IPV4[1]}: healthy, 100 of 100 pings answered, median ")
    assert (done.stdout.count("\n"), done.stderr) == (1, "")
    done = ping(host, "--nagios", "-c", 3)
    assert done.returncode == 0 and done.stdout.startswith("TUNECHO OK: ") and f"'tun0 {IPV6[1]} pl'=0%" in done.stdout

    host.ip("link", "set", "tun0", "down")
    done = ping(host, "-c", 3, "tun0", IPV4[1])
    assert f"tun0 {IPV4[1]}: device-down, 0 of 3 pings answered\n  stage:   before\n" in done.stdout
    assert "\n  remedy:  ip link set dev tun0 up\n" in done.stdout
    done = ping(host, "--nagios", "-c", 3)
    assert done.returncode == 2 and done.stdout.startswith("TUNECHO CRITICAL: ")


@pytest.mark.root("another user")
def test_unprivileged(host):
    """With ICMP sockets it needs nothing; without them it says what is missing, and does not guess."""
    nobody = "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"
    host.start("tun0")
    host.sysctl("net/ipv4/ping_group_range", "0 2147483647")
    done = ping(host, "--json", prefix=nobody)
    assert {entry["cause"] for entry in json.loads(done.stdout)} == {"healthy"}
    host.sysctl("net/ipv4/ping_group_range", "1 0")
    done = ping(host, "tun0", IPV4[1], prefix=nobody)
    assert done.returncode == FAILED
    assert "not tested" in done.stdout and "net.ipv4.ping_group_range" in done.stdout
    assert {entry["cause"] for entry in json.loads(ping(host, "--json", prefix=nobody).stdout)} == {None}
    assert ping(host, "--nagios", prefix=nobody).returncode == 3
    host.sysctl("net/ipv4/ping_group_range", "0 2147483647")
    done = ping(host, "-m", 1, "tun0", IPV4[1], prefix=nobody)
    assert done.returncode == FAILED and "only root may set a mark" in done.stdout


def test_from(tunnel, client):
    """The pings of another host, which are only asked about."""
    tunnel.start("tun0")
    assert report(tunnel, "--from", "192.0.2.2", "tun0", IPV4[1])["cause"] == "healthy"
    tunnel.sysctl("net/ipv4/ip_forward", 0)
    assert report(tunnel, "--from", "192.0.2.2", "tun0")["cause"] == "not-forwarding"
    assert report(tunnel, "--from", "2001:db8::2")["cause"] == "healthy"
    assert ping(tunnel, "--from", "192.0.2.2", "-c", 1).returncode == USAGE


def test_usage(host):
    assert ping(host, "tun0", "tun1").returncode == USAGE


def test_terminal(host, terminal):
    """The number of pings while they are sent, and only the report in the end."""
    host.start("tun0")
    one = terminal(150, 24)
    command = host.daemon_command("ping", "-c", 20, "tun0", IPV4[1], binary=CLIENT)
    one.type(f"clear; {shlex.join(map(str, command))}; echo \"<exit status $?>\"")
    one.wait_for(lambda screen: any(" of 20 pings sent, " in line for line in screen), "the progress")
    screen = one.wait_for(lambda screen: "<exit status 0>" in screen, "the end")
    assert screen[0].startswith(f"tun0 {IPV4[1]}: healthy, 20 of 20 pings answered, ")
    assert screen[1] == "<exit status 0>"
