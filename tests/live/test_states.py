# SPDX-License-Identifier: GPL-2.0-or-later
"""The device as other processes change it: an entry with the remedy for each state, and the state in the status."""

import json
import os
import re
import shlex
import subprocess

import pytest

from harness import BUILD, Host, wait_until
from packets import IPV4, IPV6


def status(host, interface="tun0"):
    """The answer of the status socket."""
    with host.connect_status(interface) as client, client.makefile("r") as lines:
        return dict(line.rstrip("\n").removeprefix("TUNECHO_").split("=", 1) for line in lines)


def state(host):
    return status(host)["STATE"]


def wait_for_entry(daemon, pattern, count=1):
    wait_until(lambda: len(re.findall(pattern, daemon.log, re.M)) == count, f"{count} of {pattern}:\n{daemon.log}")


def entries_since(daemon, seen):
    return daemon.log[len(seen) :].splitlines()


def try_remedy(host, line):
    """Do what an entry says."""
    for command in line.partition("try: ")[2].split("; "):
        if not command.startswith("systemctl reload"):
            done = host.run(*shlex.split(command))
            assert done.returncode == 0, f"{command}: {done.stderr}"


@pytest.fixture
def daemon(host):
    daemon = host.start("tun0")
    for address in IPV4[1], IPV6[1]:
        host.ping(address).assert_answered(3)
    assert state(host) == "running"
    return daemon


def test_down_and_up(host, daemon):
    """One entry for each, however many addresses and routes went with the link; and the notice."""
    seen = daemon.log
    host.ip("link", "set", "tun0", "down")
    assert state(host) == "down"
    wait_for_entry(daemon, "^'tun0' is down; try: ip link set dev tun0 up$")
    wait_until(lambda: daemon.status_line().startswith("Down, see the journal; "), "the notice")
    try_remedy(host, entries_since(daemon, seen)[-1])
    wait_for_entry(daemon, "^'tun0' is up again, with its addresses and routes$")
    wait_until(lambda: not daemon.status_line().startswith("Down"), "the end of the notice")
    assert len(entries_since(daemon, seen)) == 2, daemon.log
    assert state(host) == "running"
    for address in IPV4[1], IPV6[1]:
        host.ping(address).assert_answered(3)


CHANGES = {
    "an IPv4 address": (
        ("address", "del", "198.18.0.1", "peer", "198.18.0.2", "dev", "tun0"),
        "no-address",
        r"'tun0' is without its address 198\.18\.0\.1; try: systemctl reload tunecho@tun0",
        "Without its address 198.18.0.1",
    ),
    "all addresses": (
        ("address", "flush", "dev", "tun0", "scope", "global"),
        "no-address",
        r"'tun0' is without its address 198\.18\.0\.1 and 1 more; try: systemctl reload tunecho@tun0",
        "Without its address 198.18.0.1",
    ),
    "the route to the IPv4 peer": (
        ("route", "del", IPV4[1]),
        "not-routed",
        r"no route to 198\.18\.0\.2, or a rule makes it unreachable; try: ip route add 198\.18\.0\.2 dev tun0",
        "No route into it for 198.18.0.2",
    ),
    "the route to the IPv6 peer": (
        ("-6", "route", "del", IPV6[1]),
        "not-routed",
        r"no route to 2001:2::2, or a rule makes it unreachable; try: ip -6 route add 2001:2::2 dev tun0",
        "No route into it for 2001:2::2",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("back", ["reload", "remedy"])
def test_lost_and_back(host, daemon, what, back):
    """One administrative action has one entry; what it says helps, and so does a reload."""
    command, name, entry, notice = CHANGES[what]
    seen = daemon.log
    host.ip(*command)
    assert state(host) == name
    wait_for_entry(daemon, f"^{entry}$")
    wait_until(lambda: daemon.status_line().startswith(f"{notice}, see the journal; "), "the notice")
    assert len(entries_since(daemon, seen)) == 1, daemon.log
    if back == "remedy":
        try_remedy(host, entries_since(daemon, seen)[0])
    if back == "reload" or name == "no-address":
        daemon.reload()
    wait_for_entry(daemon, "^'tun0' is up again, with its addresses and routes$")
    assert state(host) == "running"
    for address in IPV4[1], IPV6[1]:
        host.ping(address).assert_answered(3)


def test_routed_elsewhere(host, daemon):
    host.ip("tuntap", "add", "dev", "other0", "mode", "tun")
    host.ip("link", "set", "other0", "up")
    host.ip("route", "replace", IPV4[1], "dev", "other0")
    assert state(host) == "not-routed"
    entry = r"198\.18\.0\.2 is routed out of 'other0', not 'tun0'; try: ip route replace 198\.18\.0\.2 dev tun0"
    wait_for_entry(daemon, f"^{entry}$")
    try_remedy(host, re.search(entry, daemon.log)[0])
    wait_for_entry(daemon, "^'tun0' is up again, with its addresses and routes$")
    host.ping(IPV4[1]).assert_answered(3)


def test_ready_names_what_is_routed(host):
    """An address that leads elsewhere is not one to try, and is named with the device that has it."""
    host.ip("tuntap", "add", "dev", "a", "mode", "tun")
    host.ip("link", "set", "dev", "a", "up")
    host.ip("route", "add", "default", "dev", "a", "table", 100)
    host.ip("rule", "add", "to", IPV4[1], "lookup", 100, "pref", 100)
    daemon = host.start("tun0")
    ready = re.search("^'tun0' is ready, try: (.*); settings", daemon.log, re.M)[1]
    assert ready == "ping 2001:2::2"
    wait_for_entry(daemon, r"^198\.18\.0\.2 is routed out of 'a', not 'tun0'; try: ")
    assert state(host) == "not-routed"


def test_ipv6_switched_off(host, daemon):
    host.sysctl("net/ipv6/conf/tun0/disable_ipv6", 1)
    entry = r"'tun0' is without its address 2001:2::1, as IPv6 is switched off there; try: sysctl -w \S+; systemctl .*"
    wait_for_entry(daemon, f"^{entry}$")
    assert state(host) == "no-address"
    try_remedy(host, re.search(entry, daemon.log)[0])
    daemon.reload()
    wait_for_entry(daemon, "^'tun0' is up again, with its addresses and routes$")
    host.ping(IPV6[1]).assert_answered(3)


def test_moved_and_back(host, daemon, tmp_path):
    """Where it is it keeps its MTU, which the status has; back here, a reload sets it up."""
    with Host(tmp_path / "other") as other:
        host.ip("link", "set", "tun0", "mtu", 1400)
        other.take(host, "tun0")
        wait_until(lambda: state(host) == "moved", "the state")
        entry = r"'tun0' is not in this network namespace, and answers where it is; to move it back: (.*)"
        wait_for_entry(daemon, f"^{entry}$")
        wait_until(lambda: daemon.status_line().startswith("In another network namespace, "), "the notice")
        assert status(host)["MTU"] == "1400"
        other.ip("link", "set", "tun0", "mtu", 1350)
        assert status(host)["MTU"] == "1350"
        daemon.reload()
        assert state(host) == "moved"

        remedy = re.search(entry, daemon.log)[1]
        assert re.fullmatch(rf"ip -n NAMESPACE link set dev tun0 netns {daemon.pid}", remedy), remedy
        host.take(other, "tun0")
    wait_for_entry(daemon, "^'tun0' is down; try: ip link set dev tun0 up$")
    assert state(host) == "down"
    daemon.reload()
    wait_for_entry(daemon, "^'tun0' is up again, with its addresses and routes$")
    assert (state(host), status(host)["MTU"]) == ("running", "1500")
    for address in IPV4[1], IPV6[1]:
        host.ping(address).assert_answered(3)


def test_renamed(host, daemon):
    """It continues under the new name, which later entries have."""
    host.ip("link", "set", "tun0", "down")
    host.ip("link", "set", "tun0", "name", "new0")
    wait_for_entry(daemon, "^'tun0' was renamed to 'new0', and continues under that name$")
    wait_for_entry(daemon, "^'new0' is down; try: ip link set dev new0 up$")
    host.ip("link", "set", "new0", "up")
    wait_for_entry(daemon, "^'new0' is up again, with its addresses and routes$")
    host.ping(IPV4[1]).assert_answered(3)


def test_configure_no(host):
    """Whoever configures it may take his time; what is undone later has an entry."""
    daemon = host.start("wg1", config="[Network]\nConfigure=no\nAddress=10.0.1.2/24\nPeer=10.0.1.1\n")
    assert status(host, "wg1")["STATE"] == "down"
    wait_until(lambda: daemon.status_line().startswith("Down, "), "the first check")
    assert " is down" not in daemon.log
    host.ip("link", "set", "wg1", "up")
    host.ip("address", "add", "10.0.1.2/24", "dev", "wg1")
    wait_for_entry(daemon, "^'wg1' is up again, ")
    host.ip("link", "set", "wg1", "down")
    wait_for_entry(daemon, "^'wg1' is down; ")
    host.ip("link", "set", "wg1", "up")
    wait_for_entry(daemon, "^'wg1' is up again, ", 2)


def tunechoctl(host, *arguments):
    command = [BUILD / "tunechoctl", f"--directory={host.run_directory}/tunecho", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=dict(os.environ))


def test_client(host, daemon):
    """The table, JSON and the metrics have the state, and the exit status says that something is wrong."""
    assert tunechoctl(host, "status").returncode == 0
    host.ip("link", "set", "tun0", "down")
    done = tunechoctl(host, "status")
    assert done.returncode == 1
    assert re.search(r"^tun0 +down ", done.stdout, re.M)
    assert "tun0: down; see: journalctl -u tunecho@tun0" in done.stderr
    assert json.loads(tunechoctl(host, "--json", "status").stdout)[0]["state"] == "down"
    metrics = tunechoctl(host, "metrics")
    assert (metrics.returncode, 'state="down"' in metrics.stdout) == (0, True)
    assert re.findall(r'^tunecho_state\{.*state="(.*)"\} 1$', metrics.stdout, re.M) == ["down"]
    host.ip("link", "set", "tun0", "up")
    wait_until(lambda: tunechoctl(host, "status").returncode == 0, "the end of it")
