# SPDX-License-Identifier: GPL-2.0-or-later
"""SIGHUP: what changes under traffic, what is refused, and what is left as it was."""

import os
import re
import signal

import pytest

from harness import Sender, Store, wait_until
from packets import IPV4 as IPV4_ENDS
from packets import Tunecho, answer, answer6, assert_answers_a_load, echo, echo6

IPV4, IPV6 = "198.18.0.2", "2001:2::2"

# Both ends as the defaults of tun0 have them, for files that say more than that.
ENDS = "Address=198.18.0.1\nAddress=2001:2::1\nPeer=198.18.0.2\nPeer=2001:2::2\n"

# Behind the device whatever its addresses are.
FAR = "203.0.113.5"


@pytest.fixture
def store():
    with Store() as store:
        yield store


class Reloader:
    """A daemon whose file changes."""

    def __init__(self, host, text, *arguments, **how):
        self._host = host
        self.daemon = host.start(*arguments, "tun0", config=text, **how)

    def reload(self, text):
        """Write the file, reload, and return what the log says about it."""
        self._host.configure(text)
        return self.daemon.reload()

    def apply(self, text):
        log = self.reload(text)
        assert "applied its new settings" in log, log
        assert "keeps" not in log, log
        return log

    def refuse(self, text):
        log = self.reload(text)
        assert "keeps its settings" in log, log
        assert self.daemon.status_line().startswith("Reload refused")
        return log


@pytest.fixture
def start(host):
    def start(text="", *arguments, **how):
        return Reloader(host, text, *arguments, **how)

    return start


def limits(host):
    link = host.link("tun0")
    return link["mtu"], link["txqlen"]


def is_settled(host):
    """The kernel adds the local route of an IPv6 address some time after the address."""
    routes = host.ip("-6", "route", "show", "table", "local", "dev", "tun0")
    ours = [address for address, *_ in host.addresses("tun0") if ":" in address]
    return all(re.search(rf"^(local )?{re.escape(address)} ", routes, re.M) for address in ours)


def assert_answers(host, *peers):
    wait_until(lambda: is_settled(host), "the local routes")
    for peer in peers or (IPV4, IPV6):
        host.ping(peer).assert_answered(3)


# Files that follow each other under traffic, whose way stays open all the time.
CHANGES = {
    "MTU": ["[Device]\nMTUBytes=1300\n", "[Device]\nMTUBytes=65535\n", "[Device]\nMTUBytes=1280\n", ""],
    "addresses": [
        f"[Network]\n{ENDS}Address=10.0.0.1/24\nAddress=fd00::1/64\n",
        f"[Network]\n{ENDS}Address=10.0.0.1/16\nAddress=fd00::1/48\nAddress=10.1.0.1/24\n",
        f"[Network]\n{ENDS}Address=10.1.0.1/24\nAddress=10.1.0.2/24\n",
        f"[Network]\n{ENDS}Address=10.1.0.2/24\n",
        f"[Network]\n{ENDS}",
        "",
    ],
    "peer to subnet": [
        "[Network]\nAddress=198.18.0.1/24\nAddress=2001:2::1\nPeer=198.18.0.2\nPeer=2001:2::2\n",
        "[Network]\nAddress=198.18.0.1/30\nAddress=2001:2::1\nPeer=2001:2::2\n",
        "",
    ],
    "reflector": [
        "[Reflector]\nDestination=198.18.0.0/15\nDestination=2001:2::/48\n",
        "[Reflector]\nDestination=0.0.0.0/1\nDestination=192.0.0.0/2\nDestination=::/0\nHopLimit=1\n",
        "[Reflector]\nAnswerBroadcast=yes\nAnswerMulticast=no\nHopLimit=255\n",
        "",
    ],
    "packets": ["[Log]\nPackets=yes\n", "[Log]\nPackets=no\nSessions=no\n", ""],
}


@pytest.mark.parametrize("files", CHANGES.values(), ids=CHANGES)
def test_nothing_is_lost(host, start, files):
    """At 500 requests a second, over each family."""
    running = start("")
    with Sender(host, IPV4) as sender, Sender(host, IPV6) as sender6:
        for text in files:
            sender.wait(30)
            running.apply(text)
        sender.wait(30)
    sender.assert_nothing_lost()
    sender6.assert_nothing_lost()
    assert limits(host) == (1500, 5000)


@pytest.mark.parametrize("make, make_answer", [(echo, answer), (echo6, answer6)], ids=["IPv4", "IPv6"])
def test_nothing_is_lost_of_a_load(host, each_engine, start, make, make_answer):
    """A reload while the queue is emptied: batches end for the sake of the MTU, and others follow."""
    host.silence()
    running = start("")
    sent, expected = ([made(seq=number) for number in range(4000)] for made in (make, make_answer))
    with Tunecho(host, "tun0", *IPV4_ENDS, running.daemon) as tunecho:
        for mtu in 1280, 65535, 1500:
            with tunecho.sending():
                for packet in sent:
                    tunecho.send(packet)
            running.apply(f"[Device]\nMTUBytes={mtu}\n")
            assert limits(host) == (mtu, 5000)
            replies = tunecho.receive_all(tunecho.ahead + len(sent))
            assert replies[tunecho.ahead :] == expected
        # The last MTU has its batches, too.
        assert tunecho.ask_all([[packet] for packet in sent[:64]]) == [[packet] for packet in expected[:64]]
    running.daemon.assert_batched()


@pytest.mark.parametrize("make, make_answer", [(echo, answer), (echo6, answer6)], ids=["IPv4", "IPv6"])
def test_larger_packets_are_queued(host, each_engine, start, make, make_answer):
    """When the MTU shrinks, what was sent before is larger, and is answered as a whole."""
    host.silence()
    running = start("")
    headers = 28 if make == echo else 48
    with Tunecho(host, "tun0", *IPV4_ENDS, running.daemon) as tunecho:
        for mtu, size in (1280, 1500), (9000, 1280), (1500, 9000):
            sent, expected = (
                [made(data=bytes(size - headers), seq=number) for number in range(200)]
                for made in (make, make_answer)
            )
            with tunecho.sending():
                for packet in sent:
                    tunecho.send(packet)
                host.configure(f"[Device]\nMTUBytes={mtu}\n")
                running.daemon.process.send_signal(signal.SIGHUP)
            replies = tunecho.receive_all(tunecho.ahead + len(sent))
            assert replies[tunecho.ahead :] == expected
            wait_until(lambda: limits(host) == (mtu, 5000), "the new MTU")


def test_queue_length(host, start):
    """For another length the kernel stops the device for a moment, and drops what is sent meanwhile.

    Nothing is lost before and after, nor where the length stays. The window is less than the shortest queue.
    """
    running = start("")
    under_way = set()
    with Sender(host, IPV4, window=50) as sender:
        for length in 100, 100000, 5000:
            sender.wait(30)
            with sender.paused():
                first = len(sender.sent)
            running.apply(f"[Device]\nTransmitQueueLength={length}\n")
            assert limits(host) == (1500, length)
            under_way.update(range(first, len(sender.sent) + 1))
            sender.wait(60)
        with sender.paused():
            pass
        for _ in range(10):
            running.apply("[Device]\nTransmitQueueLength=5000\n")
        sender.wait(30)
    assert not sender.refused
    print(f"{len(sender.missing())} of {len(under_way)} were lost while the length changed")
    assert sender.missing() <= under_way


@pytest.mark.parametrize("promote", [0, 1], ids=["secondaries go", "secondaries stay"])
@pytest.mark.parametrize(
    "change",
    [("10.1.0.1/24", "10.1.0.7/24"), ("10.0.0.1/24", "10.1.0.1/24"), ("10.1.0.1/24", "10.1.0.1/16")],
    ids=["same subnet", "another subnet", "another length"],
)
def test_route_of_others_stays(host, start, change, promote):
    """Also where one address of a subnet takes the place of another, whatever promote_secondaries is."""
    host.sysctl("net/ipv4/conf/default/promote_secondaries", promote)
    running = start(f"[Network]\nAddress={change[0]}\n")
    host.ip("route", "add", "203.0.113.0/24", "dev", "tun0")
    running.apply(f"[Network]\nAddress={change[1]}\n")
    assert [f"{local}/{length}" for local, _, length in host.addresses("tun0")] == [change[1]]
    assert "203.0.113.0/24 dev tun0" in host.ip("route")
    assert_answers(host, FAR)


def test_ipv6_prefix_length(host, start):
    """The kernel has an address of IPv6 but once on a device, so it goes before it comes back."""
    running = start("")
    host.ip("route", "add", "2001:db8:77::/48", "dev", "tun0")
    for network, length in ("2001:2::1/64", 64), ("2001:2::1/48", 48):
        running.apply(f"[Network]\nAddress={network}\n")
        assert host.addresses("tun0") == {("2001:2::1", None, length)}
        assert_answers(host, IPV6, "2001:db8:77::5")
    running.apply("")
    assert_answers(host)


def test_every_address_changes_and_routes_stay(host, start):
    """Also the routes that others made, though not one of the addresses before is left."""
    running = start("")
    host.ip("route", "add", "203.0.113.0/24", "dev", "tun0")
    host.ip("route", "add", "2001:db8:77::/48", "dev", "tun0")
    routes = "203.0.113.0/24 dev tun0 scope link", "2001:db8:77::/48 dev tun0"
    for network in "10.0.0.1/24", "10.1.0.1/24", "10.2.0.1/16":
        running.apply(f"[Network]\nAddress={network}\nAddress=fd00::1/64\n")
        assert {address[0] for address in host.addresses("tun0")} == {network.partition("/")[0], "fd00::1"}
        assert_answers(host, FAR, "2001:db8:77::5")
    assert routes[0] in host.ip("route")
    assert routes[1] in host.ip("-6", "route")
    running.apply("")
    assert_answers(host, IPV4, IPV6, FAR, "2001:db8:77::5")


def test_peer_changes_under_traffic(host, start):
    """Pings to another address behind the device are answered, whatever the peer is."""
    running = start("")
    host.ip("route", "add", "203.0.113.0/24", "dev", "tun0")
    with Sender(host, FAR) as sender:
        for last in 9, 200, 2:
            sender.wait(30)
            running.apply(f"[Network]\nAddress=198.18.0.1\nPeer=198.18.0.{last}\n")
            assert_answers(host, f"198.18.0.{last}")
            assert host.addresses("tun0") == {("198.18.0.1", f"198.18.0.{last}", 32)}
        sender.wait(30)
    sender.assert_nothing_lost()


def test_limits(host, start):
    running = start("")
    running.apply("[Device]\nMTUBytes=1300\nTransmitQueueLength=77\n")
    assert limits(host) == (1300, 77)
    running.apply("[Device]\nMTUBytes=9000\n")
    assert limits(host) == (9000, 5000)
    host.ping(IPV4, "-M", "do", "-s", "8972").assert_answered(3)


def test_reflector_keys(host, start):
    host.silence()
    broadcast = echo(destination="198.18.0.255")
    ends = "[Network]\nAddress=198.18.0.1/24\nAddress=2001:2::1/64\nPeer=198.18.0.2\nPeer=2001:2::2\n"
    all_nodes = echo6(destination="ff02::1", hlim=255)
    running = start(ends)
    with Tunecho(host, "tun0", "198.18.0.1", "198.18.0.2") as tunecho:
        assert tunecho.ask(echo()) == [answer()]
        assert tunecho.ask(broadcast) == []
        assert len(tunecho.ask(all_nodes)) == 1

        running.apply(f"{ends}[Reflector]\nHopLimit=9\nAnswerBroadcast=yes\nAnswerMulticast=no\n")
        assert tunecho.ask(echo()) == [answer(ttl=9)]
        assert tunecho.ask(broadcast) == [answer(ttl=9)]
        assert tunecho.ask(all_nodes) == []

        running.apply(f"{ends}[Reflector]\nDestination=198.18.0.2\n")
        assert tunecho.ask(echo()) == [answer()]
        assert tunecho.ask(echo(destination="198.18.0.3")) == []

        running.apply(ends)
        assert tunecho.ask(echo(destination="198.18.0.3")) == [answer(destination="198.18.0.3")]


def test_packets_key(host, start):
    running = start("")
    for text, entries in ("[Log]\nPackets=yes\n", 3), ("", 0):
        running.apply(text)
        seen = len(running.daemon.log)

        def found():
            return len(re.findall(rf"{IPV4}: icmp", running.daemon.log[seen:]))

        assert_answers(host, IPV4)
        running.daemon.totals()
        wait_until(lambda: found() >= entries, "the entries")
        assert found() == entries


def test_engine_cannot_change(host, start):
    """It stays, and says why; everything else of the file is applied."""
    running = start("[Engine]\nType=auto\n")
    log = running.reload("[Engine]\nType=syscall\n[Device]\nMTUBytes=1300\n")
    assert re.search("Type=auto.*restart", log), log
    assert "applied its other new settings" in log, log
    assert limits(host) == (1300, 5000)
    assert running.daemon.status_line().startswith("Reload refused")
    assert_answers(host)

    running.apply("[Engine]\nType=auto\n[Device]\nMTUBytes=1300\n")
    assert not running.daemon.status_line().startswith("Reload refused")


def test_mistakes_change_nothing(host, start):
    """They are all logged, with their lines, and none of the lines that are right is applied."""
    running = start("[Device]\nMTUBytes=1400\n")
    before = host.link("tun0")
    device = "[Device]\nMTUBytes=1300\nTransmitQueueLength=x\n"
    text = f"{device}[Network]\nAddress=10.0.0.1/99\n[Motor]\n[Reflector]\nHopLimit=9\n"
    with Sender(host, IPV4) as sender:
        sender.wait(20)
        log = running.refuse(text)
        sender.wait(20)
    sender.assert_nothing_lost()
    path = re.escape(str(host.directory / "test.conf"))
    assert {int(line) for line in re.findall(rf"{path}:(\d+): ", log)} == {3, 5, 6}
    assert host.link("tun0") == before
    assert "ttl=64" in host.ping(IPV4).output


FILES = {
    "a directory": lambda path: path.mkdir(),
    "missing, though it was named": lambda path: None,
    "binary": lambda path: path.write_bytes(bytes(range(256)) * 16),
    "large": lambda path: path.write_text("# nothing\n" * 10000),
}


@pytest.mark.parametrize("make", FILES.values(), ids=FILES)
def test_file_that_is_none(host, start, make):
    running = start("[Device]\nMTUBytes=1400\n")
    path = host.directory / "test.conf"
    path.unlink()
    make(path)
    log = running.daemon.reload()
    assert str(path) in log
    assert "keeps its settings" in log
    assert limits(host) == (1400, 5000)
    assert_answers(host)


def test_status_says_so_until_it_is_good_again(host, start):
    running = start("")
    running.refuse("[Device]\nMTUBytes=1\n")
    seen = len(running.daemon.read_messages())
    assert_answers(host)
    wait_until(lambda: len(running.daemon.read_messages()) > seen, "the totals")
    assert re.match(r"Reload refused.*\d+ packets", running.daemon.status_line())

    running.apply("")
    assert re.match(r"\d+ packets", running.daemon.status_line())


def test_no_trace_of_a_failure_is_left(host, start):
    """The notification of a failure is cleared after a success."""
    running = start("")
    host.switch_ipv6_off()
    running.refuse("[Network]\nAddress=fd00::1/64\n")
    running.apply("")
    running.daemon.assert_no_error_told()


def test_what_the_kernel_refuses_is_rolled_back(host, start):
    """An address of IPv6, where that is disabled; changes before the failure are undone."""
    running = start("[Network]\nAddress=198.18.0.1\nPeer=198.18.0.2\n")
    host.sysctl("net/ipv6/conf/tun0/disable_ipv6", 1)
    before = host.link("tun0")
    text = "[Device]\nMTUBytes=1300\n[Network]\nAddress=10.0.0.1/24\nAddress=fd00::1/64\n"
    with Sender(host, IPV4) as sender:
        sender.wait(20)
        log = running.refuse(text + "[Reflector]\nHopLimit=9\n")
        sender.wait(20)
    sender.assert_nothing_lost()
    assert "IPv6" in log
    assert host.link("tun0") == before
    assert "ttl=64" in host.ping(IPV4).output


def test_many_refusals_of_the_kernel(host, start):
    """After any number of them the next good reload works."""
    running = start("[Network]\nAddress=198.18.0.1\nPeer=198.18.0.2\n")
    host.sysctl("net/ipv6/conf/tun0/disable_ipv6", 1)
    for _ in range(10):
        running.refuse("[Network]\nAddress=fd00::1/64\n")
    running.apply("[Network]\nAddress=10.0.0.1/24\n")
    assert host.addresses("tun0") == {("10.0.0.1", None, 24)}


def test_options_still_win(host, start):
    options = "--mtu=1350", "--address=10.9.0.1/24"
    running = start("[Device]\nMTUBytes=1400\n[Network]\nAddress=10.0.0.1/24\n", *options)
    running.apply("[Device]\nMTUBytes=1300\nTransmitQueueLength=9\n[Network]\nAddress=10.1.0.1/24\n")
    assert limits(host) == (1350, 9)
    assert host.addresses("tun0") == {("10.9.0.1", None, 24)}


def test_default_file_comes_and_goes(host):
    path = host.etc / "tunecho/tun0.conf"
    daemon = host.start("tun0")
    path.write_text("[Device]\nMTUBytes=1300\n[Network]\nAddress=10.0.0.1/24\n")
    daemon.reload()
    assert limits(host) == (1300, 5000)
    assert_answers(host, "10.0.0.2")
    path.unlink()
    daemon.reload()
    assert limits(host) == (1500, 5000)
    assert_answers(host)


def test_drop_in(host, start):
    """It comes, is refused by its name as long as it has an error, and goes; the options still win."""
    running = start("[Device]\nTransmitQueueLength=9\n", "--mtu=1400")
    drop_in = host.directory / "test.conf.d/10.conf"
    drop_in.parent.mkdir()
    drop_in.write_text("[Device]\nMTUBytes=1300\nTransmitQueueLength=8\n[Network]\nAddress=10.0.0.1/24\n")
    with Sender(host, "10.0.0.2") as sender:
        running.apply("")
        assert limits(host) == (1400, 8)
        sender.wait(20)
        drop_in.write_text("[Device]\nTransmitQueueLength=0\n")
        assert f"{drop_in}:2: " in running.refuse("")
        assert limits(host) == (1400, 8)
    drop_in.unlink()
    running.apply("[Device]\nTransmitQueueLength=7\n")
    assert limits(host) == (1400, 7)
    assert_answers(host)


def test_pipe_that_was_read(host):
    """There is nothing more in it, and so the settings stay as they are."""
    pipe, writer = os.pipe()
    os.write(writer, b"[Device]\nMTUBytes=1300\n")
    os.close(writer)
    daemon = host.start(f"--config=/dev/fd/{pipe}", "tun0", pass_fds=(pipe,))
    os.close(pipe)
    assert limits(host) == (1300, 5000)
    log = daemon.reload()
    assert f"/dev/fd/{pipe}: " in log and "keeps its settings" in log, log
    assert limits(host) == (1300, 5000)
    assert_answers(host)


def test_link_that_is_down(host, start):
    """The reload sets it up again, as a start does."""
    running = start("")
    host.ip("link", "set", "tun0", "down")
    running.apply("[Device]\nMTUBytes=1300\n")
    assert limits(host) == (1300, 5000)
    assert_answers(host)
    host.ip("link", "set", "tun0", "down")
    running.refuse("[Device]\nMTUBytes=1\n")
    assert "UP" not in host.link("tun0")["flags"]
    running.apply("")
    assert_answers(host)


def test_configure_is_switched(host, start):
    """From no to yes the addresses come, from yes to no they stay."""
    running = start("[Network]\nConfigure=no\n")
    assert not host.addresses("tun0")
    running.apply("")
    assert_answers(host)
    running.apply("[Network]\nConfigure=no\n[Device]\nMTUBytes=1300\n")
    assert_answers(host)
    assert limits(host) == (1300, 5000)
    host.ip("address", "add", "10.5.0.1/24", "dev", "tun0")
    running.apply("[Network]\nConfigure=no\n")
    assert ("10.5.0.1", None, 24) in host.addresses("tun0")


def test_ipv6_that_comes_back(host, start):
    """Switched off and on again while it runs: a reload follows, and the defaults are the defaults again."""
    running = start("")
    host.sysctl("net/ipv6/conf/tun0/disable_ipv6", 1)
    assert "IPv6 is disabled" in running.reload("")
    assert_answers(host, IPV4)
    host.sysctl("net/ipv6/conf/tun0/disable_ipv6", 0)
    running.apply("")
    assert_answers(host)


def test_reloads_in_a_row(host, start, store):
    """They leave nothing behind, no descriptor and no memory, and pings do not wait for them."""
    texts = f"[Network]\n{ENDS}Address=10.0.0.1/24\n", "[Device]\nMTUBytes=1300\n", "[Device]\nMTUBytes=1\n"
    running = start("", store=store)
    # A load may come at any time, and what it takes is kept.
    assert_answers_a_load(host, running.daemon)
    for text in texts:
        running.reload(text)
    descriptors, memory = len(running.daemon.descriptors()), running.daemon.private_memory()
    with Sender(host, IPV4) as sender:
        for number in range(51):
            running.reload(texts[number % 3])
    sender.assert_nothing_lost()
    assert len(running.daemon.descriptors()) == descriptors
    running.daemon.assert_not_grown(memory, 512)
    assert store.names() == ["tun"]


def test_burst_of_signals(host, start):
    """Signals that come faster than they are handled are one; the last file counts."""
    running = start("")
    with Sender(host, IPV4) as sender:
        for mtu in range(1300, 1400):
            host.configure(f"[Device]\nMTUBytes={mtu}\n")
            running.daemon.process.send_signal(signal.SIGHUP)
            running.daemon.read_messages()
        wait_until(lambda: running.daemon.read_messages() and limits(host)[0] == 1399, "the last one")
        sender.wait(20)
    sender.assert_nothing_lost()


def test_before_ready(host):
    """A reload that is asked for while the daemon starts is done once it is ready, and ends nothing.

    As its device is to be stored first, it does not become ready before systemd reads.
    """
    daemon = host.launch("tun0")
    daemon.suspend()
    daemon.fill_notifications()
    daemon.process.send_signal(signal.SIGCONT)

    def blocks_signals():
        status = daemon.status()
        return status["Name"] == "tunecho" and int(status["SigBlk"], 16) & 1

    wait_until(lambda: host.link("tun0") and blocks_signals(), "a daemon that waits for systemd")
    assert "ready" not in daemon.log
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_ready()
    wait_until(lambda: "applied its new settings" in daemon.log, "the reload")
    assert_answers(host)
