# SPDX-License-Identifier: GPL-2.0-or-later
"""From start to stop: privileges, signals, notifications, totals, the log's text."""

import os
import pwd
import re
import shutil
import signal
import subprocess

import pytest

from harness import BINARY, NOPERM, UNAVAILABLE, Store, Totals, wait_until
from packets import IPV4, IPV6, Tunecho, assert_answers_a_load, echo, echo6

CAP_NET_ADMIN = 1 << 12
PEERS = IPV4[1], IPV6[1]
NOBODY = pwd.getpwnam("nobody")

# Where a node of mode 0666 is, as udev makes it; in a container the machine's own may be 0600.
OPEN_NODE = "mount -t tmpfs none /dev/net && mknod -m 0666 /dev/net/tun c 10 200"
CLOSED_NODE = "mount -t tmpfs none /dev/net && mknod -m 0600 /dev/net/tun c 10 200"

SETPRIV = "setpriv", "--reuid=nobody", f"--regid={NOBODY.pw_gid}", "--clear-groups"
LIKE_THE_UNIT = (
    *SETPRIV,
    "--inh-caps=-all,+net_admin",
    "--ambient-caps=-all,+net_admin",
    "--bounding-set=-all,+net_admin",
    "--no-new-privs",
)


@pytest.fixture
def public_binary(host):
    """The daemon where any user may execute it, wherever the build directory is."""
    shutil.copy(BINARY, host.etc / "tunecho-binary")
    host.directory.chmod(0o755)
    return "/etc/tunecho-binary"


def assert_least_privilege(daemon):
    for status in daemon.statuses():
        for name in "CapPrm", "CapEff":
            assert int(status[name], 16) == CAP_NET_ADMIN, (name, status[name])
        for name in "CapInh", "CapBnd", "CapAmb":
            assert int(status[name], 16) & ~CAP_NET_ADMIN == 0, (name, status[name])
        assert status["NoNewPrivs"] == "1"


def assert_user(daemon, uid, gid):
    for status in daemon.statuses():
        assert status["Uid"].split() == [str(uid)] * 4
        assert status["Gid"].split() == [str(gid)] * 4
        assert set(status["Groups"].split()) <= {str(gid)}


def assert_answers(host):
    for peer in PEERS:
        host.ping(peer).assert_answered(3)


def test_started_by_root(host):
    daemon = host.start("tun0")
    assert_least_privilege(daemon)
    assert_answers(host)


def test_started_by_root_with_ambient_capabilities(host):
    """More than one capability, in every set: all of them go."""
    sets = "--inh-caps=+net_admin,+net_raw,+sys_admin", "--ambient-caps=+net_admin,+net_raw,+sys_admin"
    daemon = host.start("tun0", prefix=("setpriv", *sets))
    assert_least_privilege(daemon)


def test_user(host):
    daemon = host.start("--user=nobody", "tun0", prefix=("setpriv", "--groups=4,27"))
    assert_user(daemon, NOBODY.pw_uid, NOBODY.pw_gid)
    assert_least_privilege(daemon)
    assert_answers(host)
    daemon.totals()
    assert daemon.stop() == 0


def test_started_as_the_unit_does(host, each_engine, public_binary):
    daemon = host.start("tun0", binary=public_binary, setup=OPEN_NODE, prefix=LIKE_THE_UNIT)
    assert_user(daemon, NOBODY.pw_uid, NOBODY.pw_gid)
    assert_least_privilege(daemon)
    assert_answers(host)


@pytest.mark.parametrize(
    "prefix",
    [
        pytest.param(("setpriv", "--inh-caps=-net_admin", "--bounding-set=-net_admin"), id="root without it"),
        pytest.param(SETPRIV, id="nobody"),
    ],
)
def test_lacking_the_capability(host, public_binary, prefix):
    done = host.tunecho("tun0", binary=public_binary, setup=OPEN_NODE, prefix=prefix)
    assert done.returncode == NOPERM, done.stderr
    assert "CAP_NET_ADMIN" in done.stderr
    assert host.links() == {"lo"}


def test_closed_node(host, public_binary):
    """The capability does not open a node of mode 0600: the message says what does."""
    done = host.tunecho("tun0", binary=public_binary, setup=CLOSED_NODE, prefix=LIKE_THE_UNIT)
    assert done.returncode in (NOPERM, UNAVAILABLE), done.stderr
    assert "/dev/net/tun" in done.stderr
    assert re.search("0?666|mode|permi", done.stderr), done.stderr


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
