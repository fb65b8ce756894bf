# SPDX-License-Identifier: GPL-2.0-or-later
"""The device: how it is made, found, set up, lost and left."""

import re
import signal
from pathlib import Path

import pytest

from harness import CONFIG, OSERR, THREAD_SANITIZED, UNAVAILABLE, USAGE, Ping, wait_until

IPV4, IPV6 = "198.18.0.2", "2001:2::2"

# What the defaults of tun0 look like to the kernel.
ENDS = {("198.18.0.1", "198.18.0.2", 32), ("2001:2::1", "2001:2::2", 128)}


def settings(host, name="tun0"):
    """Everything about a device that the daemon is to set."""
    link = host.link(name)
    return {
        "addresses": host.addresses(name),
        "up": "UP" in link["flags"],
        "mtu": link["mtu"],
        "queue": link["txqlen"],
    }


def assert_answers(host, *peers):
    for peer in peers or (IPV4, IPV6):
        host.ping(peer).assert_answered(3)


def test_defaults_as_the_kernel_sees_them(host):
    host.start("tun0")
    assert settings(host) == {"addresses": ENDS, "up": True, "mtu": 1500, "queue": 5000}
    assert host.link("tun0")["linkinfo"]["info_data"]["type"] == "tun"
    assert host.link("tun0")["linkinfo"]["info_data"]["pi"] is False


def test_settings_of_the_file(host):
    device = "MTUBytes=1400\nTransmitQueueLength=77\n"
    network = "Address=10.0.0.1/24\nAddress=2001:db8::1/64\n"
    host.start("tun0", config=f"[Device]\n{device}[Network]\n{network}")
    found = settings(host)
    assert (found["mtu"], found["queue"], found["up"]) == (1400, 77, True)
    assert found["addresses"] == {("10.0.0.1", None, 24), ("2001:db8::1", None, 64)}


def test_default_file_is_read(host):
    """Without --config, /etc/tunecho/INTERFACE.conf."""
    (host.etc / "tunecho/vpn.conf").write_text("[Network]\nAddress=10.7.7.1\nPeer=10.7.7.2\n")
    host.start("vpn")
    assert_answers(host, "10.7.7.2")


def test_options_win_over_the_file(host):
    host.start("tun0", "--mtu=1300", config="[Device]\nMTUBytes=1400\nTransmitQueueLength=77\n")
    found = settings(host)
    assert (found["mtu"], found["queue"]) == (1300, 77)


def test_device_of_its_own_goes_with_it(host):
    daemon = host.start("tun0")
    assert daemon.stop() == 0
    assert host.links() == {"lo"}


def test_started_again_and_again(host):
    for _ in range(3):
        daemon = host.start("tun0")
        assert settings(host)["addresses"] == ENDS
        assert_answers(host)
        assert daemon.stop() == 0


def test_persistent_device_is_attached_and_remains(host):
    host.ip("tuntap", "add", "dev", "tun0", "mode", "tun")
    index = host.link("tun0")["ifindex"]
    for _ in range(2):
        daemon = host.start("tun0")
        assert host.link("tun0")["ifindex"] == index
        assert settings(host)["addresses"] == ENDS
        assert_answers(host)
        assert daemon.stop() == 0
        assert host.link("tun0")["ifindex"] == index


@pytest.mark.parametrize("up", [False, True], ids=["down", "up"])
def test_settings_of_a_persistent_device(host, up):
    """It gets the settings of a fresh device; addresses that it had stay, but an IPv6 address exists only once."""
    fresh = host.start("tun0")
    expected = settings(host)
    assert fresh.stop() == 0

    host.ip("tuntap", "add", "dev", "tun0", "mode", "tun")
    host.ip("link", "set", "tun0", "mtu", "1400", "txqueuelen", "50", *(["up"] if up else []))
    stay = {("10.9.9.9", None, 24), ("198.18.0.1", None, 24), ("2001:db8:9::9", None, 64)}
    for address, _, length in [*stay, ("2001:2::1", None, 64)]:
        host.ip("address", "add", f"{address}/{length}", "dev", "tun0")
    host.ip("address", "add", "198.18.0.77", "peer", "198.18.0.78", "dev", "tun0")
    stay.add(("198.18.0.77", "198.18.0.78", 32))

    host.start("tun0")
    assert settings(host) == {**expected, "addresses": expected["addresses"] | stay}
    assert_answers(host)


def make_lo(host):
    """The one device that is no TUN and that every kernel has, under our name."""
    host.ip("link", "set", "lo", "down")
    host.ip("link", "set", "lo", "name", "tun0")


def make_tap(host):
    host.ip("tuntap", "add", "dev", "tun0", "mode", "tap")


def make_veth(host):
    host.ip("link", "add", "tun0", "type", "veth", "peer", "name", "tun1")


def make_bridge(host):
    host.ip("link", "add", "tun0", "type", "bridge")


MAKERS = {"not a TUN": make_lo, "a TAP": make_tap, "a veth": make_veth, "a bridge": make_bridge}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_device_of_another_kind(host, make):
    make(host)
    before = settings(host)
    done = host.tunecho("tun0")
    assert done.returncode == UNAVAILABLE, done.stderr
    assert done.stderr.count("\n") == 1
    assert "'tun0': an interface of this name exists, and is not a TUN device" in done.stderr
    assert settings(host) == before


def test_busy_device(host):
    daemon = host.start("tun0")
    done = host.tunecho("tun0")
    assert done.returncode == UNAVAILABLE, done.stderr
    assert "tun0" in done.stderr
    holder = f"process {daemon.pid} (tunecho) holds this device"
    assert holder in done.stderr, done.stderr
    assert_answers(host)


# A TAP device for as long as the process runs; the number is TUNSETIFF, the flags are IFF_TAP and IFF_NO_PI.
HOLD_TAP = """
import fcntl, os, struct, time
tap = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tap, 0x400454CA, struct.pack("16sH22x", b"tun0", 0x1002))
time.sleep(60)
"""


def test_held_tap(host):
    """A TAP device, as of a virtual machine: the error names the process that holds it."""
    with host.background("python3", "-c", HOLD_TAP) as holder:
        wait_until(lambda: "tun0" in host.links(), "the TAP device")
        done = host.tunecho("tun0")
    assert done.returncode == UNAVAILABLE, done.stderr
    assert "is not a TUN device" in done.stderr
    assert f"process {holder.pid} (python3) holds it" in done.stderr, done.stderr


@pytest.mark.parametrize("engine", ["auto", "syscall"])
def test_start_right_after_a_kill(host, engine):
    """The kernel releases the device some time after its last owner died, with io_uring later still."""
    for _ in range(5):
        daemon = host.start("tun0", f"--engine={engine}")
        assert_answers(host)
        daemon.process.kill()
        daemon.process.wait()
    host.start("tun0", f"--engine={engine}")
    assert_answers(host)


def test_what_an_administrator_added_stays(host):
    """Addresses, routes with a source of them, and sysctls, through a kill and new settings; own addresses go."""
    sysctls = {f"net/ipv4/conf/tun0/{name}": "1\n" for name in ("promote_secondaries", "rp_filter", "log_martians")}
    sysctls["net/ipv6/conf/tun0/forwarding"] = "1\n"
    host.ip("tuntap", "add", "dev", "tun0", "mode", "tun")
    first = host.start("tun0", config="[Network]\nAddress=10.1.0.1/24\nAddress=fe80::1234/64\n")
    host.ip("address", "add", "10.50.0.1/24", "dev", "tun0")
    host.ip("route", "add", "203.0.113.0/24", "dev", "tun0", "src", "10.50.0.1")
    for name in sysctls:
        host.sysctl(name, 1)
    first.process.kill()
    first.process.wait()

    host.start("tun0")
    assert host.addresses("tun0") == ENDS | {("10.50.0.1", None, 24)}
    assert "fe80::1234" not in host.ip("-6", "address", "show", "dev", "tun0")
    assert "203.0.113.0/24 dev tun0 scope link src 10.50.0.1" in host.ip("route")
    assert {name: host.call(Path("/proc/sys", name).read_text) for name in sysctls} == sysctls


def delete_peer_routes(host):
    for peer in IPV4, IPV6:
        host.ip("route", "del", peer)
        assert not host.ip("route", "show", peer)


def test_route_to_the_peer_comes_back(host):
    """At a start with a device that was there, and at a reload."""
    host.ip("tuntap", "add", "dev", "tun0", "mode", "tun")
    first = host.start("tun0")
    first.process.kill()
    first.process.wait()
    delete_peer_routes(host)
    daemon = host.start("tun0")
    assert_answers(host)
    delete_peer_routes(host)
    daemon.reload()
    assert_answers(host)


@pytest.mark.parametrize("name", ["all", "default"])
def test_name_that_the_kernel_reserves(host, name):
    done = host.tunecho(name)
    assert done.returncode == USAGE, done.stderr
    assert "sysctl" in done.stderr
    assert host.links() == {"lo"}


def test_no_node(host):
    done = host.tunecho("tun0", setup="mount -t tmpfs none /dev/net")
    assert done.returncode == UNAVAILABLE, done.stderr
    assert "/dev/net/tun" in done.stderr
    assert "module" in done.stderr


# What the kernel answers for the node, what the message names, and whether it is the same at the next attempt.
NODE_ERRORS = {
    "EACCES": ("its mode", UNAVAILABLE),
    "EPERM": ("device policy", UNAVAILABLE),
    "ENOENT": ("module", UNAVAILABLE),
    "ENODEV": ("module", UNAVAILABLE),
    "ENXIO": ("module", UNAVAILABLE),
    "EMFILE": ("Too many open files", OSERR),
    "ENOMEM": ("Cannot allocate memory", OSERR),
}


@pytest.mark.parametrize("error", NODE_ERRORS)
def test_node_that_cannot_be_opened(host, error):
    """One message, which is the status of the unit, too."""
    text, status = NODE_ERRORS[error]
    inject = "-e", "trace=openat", "-e", f"inject=openat:error={error}", "-P", "/dev/net/tun"
    tracing = "strace", "-D", "-qq", "-o", "/dev/null", *inject
    daemon = host.launch("tun0", prefix=tracing, env={"ASAN_OPTIONS": "detect_leaks=0"})
    assert daemon.wait() == status, daemon.log
    assert text in daemon.log
    assert daemon.log.count("\n") == 1
    assert daemon.status_line() == daemon.log.rstrip("\n")


def test_configure_no_leaves_addresses_and_link_alone(host):
    daemon = host.start("wg1", config="[Network]\nConfigure=no\n")
    assert not settings(host, "wg1")["up"]
    assert not host.addresses("wg1")

    host.ip("link", "set", "up", "wg1")
    host.ip("address", "add", "10.0.1.2/24", "dev", "wg1")
    assert_answers(host, "10.0.1.1", "10.0.1.254")
    assert daemon.stop() == 0


def test_configure_no_keeps_what_is_there(host):
    host.ip("tuntap", "add", "dev", "wg1", "mode", "tun")
    host.ip("link", "set", "up", "wg1")
    host.ip("address", "add", "10.0.1.2/24", "dev", "wg1")
    before = host.addresses("wg1")
    host.start("wg1", config="[Network]\nConfigure=no\n")
    assert host.addresses("wg1") == before
    assert settings(host, "wg1")["up"]
    assert_answers(host, "10.0.1.1")


def test_link_down_and_up(host):
    """While the link is down nothing spins, and then pings are answered as before."""
    daemon = host.start("tun0")
    # By itself the kernel drops IPv6 addresses with the link.
    host.sysctl("net/ipv6/conf/tun0/keep_addr_on_down", 1)
    for _ in range(3):
        host.ip("link", "set", "tun0", "down")
        daemon.wait_idle()
        host.ip("link", "set", "tun0", "up")
        # The kernel adds it some time after the link is up; before, it drops the replies.
        wait_until(lambda: "2001:2::1 " in host.ip("-6", "route", "show", "table", "local"), "the local route")
        assert_answers(host)
    assert daemon.stop() == 0


def test_link_down_under_traffic(host):
    daemon = host.start("tun0")
    with host.background("ping", "-n", "-q", "-f", IPV4):
        for _ in range(20):
            host.ip("link", "set", "tun0", "down")
            host.ip("link", "set", "tun0", "up")
    assert_answers(host, IPV4)
    assert daemon.stop() == 0


def test_deleted_device(host):
    daemon = host.start("tun0")
    host.ip("link", "del", "tun0")
    assert daemon.wait() == OSERR
    assert re.search("tun0.*(gone|deleted|lost)", daemon.log.splitlines()[-1]), daemon.log


def test_ipv6_switched_off(host):
    """The defaults fall back to IPv4, and say so."""
    host.switch_ipv6_off()
    daemon = host.start("tun0")
    assert_answers(host, IPV4)
    assert "ping 198.18.0.2" in daemon.log
    assert "ping 2001:2::2" not in daemon.log
    assert "IPv6" in daemon.log
    assert settings(host)["addresses"] == {("198.18.0.1", "198.18.0.2", 32)}


@pytest.mark.parametrize("how", ["option", "file"])
def test_ipv6_switched_off_but_configured(host, how):
    host.switch_ipv6_off()
    file = host.configure("[Network]\nAddress=2001:db8::1/64\n")
    done = host.tunecho("--address=2001:db8::1/64" if how == "option" else f"--config={file}", "tun0")
    assert done.returncode in (UNAVAILABLE, OSERR, CONFIG), done.stderr
    assert "IPv6" in done.stderr or "2001:db8::1" in done.stderr
    assert host.links() == {"lo"}


if not THREAD_SANITIZED:

    def test_idle_daemon_is_not_woken(host):
        host.silence()
        daemon = host.start("tun0")
        assert_answers(host)
        daemon.wait_asleep()


def test_packets_wait_while_nobody_reads(host):
    daemon = host.start("tun0")
    daemon.suspend()
    with host.background(*host.ping_command(IPV4, count=100)) as ping:
        wait_until(lambda: host.requests_sent() == 100, "the requests")
        daemon.process.send_signal(signal.SIGCONT)
        Ping.parse(ping.communicate()[0]).assert_answered(100)
