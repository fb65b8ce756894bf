# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel of this machine as a host that is pinged: its own address is the destination."""

import contextlib
import fcntl
import os
import select
import socket
import struct
from ipaddress import ip_address

from packets import IPV4, IPV6, SOLICITED_NODE, Reflector

TUNSETIFF, IFF_TUN_NO_PI = 0x400454CA, 0x1001

# What makes of a host an honest one, and of what it is sent no settings.
SYSCTLS = {
    "net/ipv4/conf/{}/rp_filter": 0,  # a source is answered wherever it is routed
    "net/ipv4/conf/{}/accept_redirects": 0,  # a packet of the corpus may happen to be a redirect
    "net/ipv6/conf/{}/accept_redirects": 0,
    "net/ipv6/conf/{}/accept_ra": 0,  # or a router advertisement
    "net/ipv6/conf/{}/router_solicitations": 0,  # it does not speak unless it is spoken to
    "net/ipv6/conf/{}/dad_transmits": 0,  # addresses are there at once
}
SYSCTLS_OF_ALL = {
    "net/ipv4/icmp_ratelimit": 0,  # no answer is lost to a limit
    "net/ipv6/icmp/ratelimit": 0,
    "net/ipv4/icmp_echo_ignore_all": 0,
    "net/ipv6/icmp/echo_ignore_all": 0,
    "net/ipv4/icmp_echo_ignore_broadcasts": 1,  # as is the default; AnswerBroadcast=no
    "net/ipv4/ip_default_ttl": 64,  # HopLimit=64
    "net/ipv4/ipfrag_high_thresh": 1 << 28,  # fragments of many packets wait for the one that was lost
    "net/ipv6/ip6frag_high_thresh": 1 << 28,
}


class Kernel(Reflector):
    """A host behind a device of its own, to which belongs every unicast address that is asked for."""

    def __init__(self, host, destinations):
        super().__init__(*IPV4)
        for name, value in SYSCTLS.items():
            for which in "all", "default":
                host.sysctl(name.format(which), value)
        for name, value in SYSCTLS_OF_ALL.items():
            host.sysctl(name, value)

        self._device = host.call(self._open)
        host.ip("link", "set", "tun0", "addrgenmode", "none", "txqueuelen", 5000, "up")
        for address in f"{IPV4[1]}/24", f"{IPV6[1]}/64", "fe80::2/64":
            host.ip("address", "add", address, "dev", "tun0")

        for family in "-4", "-6":
            host.ip(family, "route", "add", "default", "dev", "tun0")
            # All destinations are local to what arrives, but only the host's own addresses are to what leaves
            # and to the check of a source, or no source could be the destination of another packet.
            host.ip(family, "rule", "add", "pref", 1, "lookup", 100)
            host.ip(family, "rule", "add", "pref", 0, "iif", "tun0", "lookup", "local")
            host.ip(family, "rule", "delete", "pref", 0, "lookup", "local")
        own = [f"local {address} dev tun0 table 100" for address in (IPV4[1], IPV6[1], "fe80::2")]
        own.append("broadcast 198.18.0.255 dev tun0 table 100")
        self._add_routes(host, own)
        # On a link with neighbour discovery, every host is in this group by itself.
        self._group = host.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        index = host.call(socket.if_nametoindex, "tun0")
        where = struct.pack("@16sI", ip_address(SOLICITED_NODE).packed, index)
        self._group.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, where)
        # Where a route is refused, or is there already, no host has this address.
        self._add_routes(host, [f"local {one} dev lo table local" for one in destinations], "-force")

    @staticmethod
    def _add_routes(host, routes, *options):
        text = "".join(f"route add {route}\n" for route in routes)
        done = host.run("ip", *options, "-batch", "-", input=text)
        assert options or done.returncode == 0, done.stderr

    @staticmethod
    def _open():
        device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", b"tun0", IFF_TUN_NO_PI))
        return device

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._group.close()
        os.close(self._device)

    def send(self, packet):
        # What is neither IPv4 nor IPv6 the device refuses.
        with contextlib.suppress(OSError):
            os.write(self._device, packet)

    def receive(self, seconds):
        poll = select.poll()
        poll.register(self._device, select.POLLIN)
        return os.read(self._device, 65536) if poll.poll(seconds * 1000) else None
