# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures that the live tests share."""

import contextlib
import shutil

import pytest

from fakes import Instances
from harness import IS_ROOT, Host, missing_io_uring, missing_requirement
from terminal import Terminal


def pytest_configure(config):
    config.addinivalue_line("markers", "root(reason): needs root, and not that of a user namespace")


def pytest_runtest_setup(item):
    mark = item.get_closest_marker("root")
    if mark and not IS_ROOT:
        pytest.skip(f"need root: {mark.args[0]}")


@pytest.fixture(scope="session", autouse=True)
def requirements():
    reason = missing_requirement()
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="module", params=["syscall", "io_uring"])
def each_engine(request):
    """One engine after the other."""
    reason = missing_io_uring() if request.param == "io_uring" else None
    if reason:
        pytest.skip(reason)
    return request.param


@pytest.fixture
def host(tmp_path, request):
    """A host for one test; of a test that wants each engine, with that."""
    engine = request.getfixturevalue("each_engine") if "each_engine" in request.fixturenames else None
    with Host(tmp_path, engine) as host:
        yield host


@pytest.fixture(scope="module")
def shared_host(tmp_path_factory):
    """A host for all tests of a file, which leave it as they found it."""
    with Host(tmp_path_factory.mktemp("host")) as host:
        yield host


@pytest.fixture
def tunnel(tmp_path):
    """A router whose kernel has nothing of its own to say."""
    with Host(tmp_path) as host:
        host.silence()
        yield host


@pytest.fixture
def client(tunnel, tmp_path):
    """A host behind the router that leads to the peers of tun0."""
    with Host(tmp_path / "client") as client:
        tunnel.ip("link", "add", "lan", "type", "veth", "peer", "name", "uplink")
        client.take(tunnel, "uplink")
        for host, device, ipv4, ipv6 in (
            (tunnel, "lan", "192.0.2.1/24", "2001:db8::1/64"),
            (client, "uplink", "192.0.2.2/24", "2001:db8::2/64"),
        ):
            host.ip("address", "add", ipv4, "dev", device)
            host.ip("address", "add", ipv6, "dev", device, "nodad")
            host.ip("link", "set", device, "up")
        tunnel.sysctl("net/ipv4/ip_forward", 1)
        tunnel.sysctl("net/ipv6/conf/all/forwarding", 1)
        client.ip("route", "add", "default", "via", "192.0.2.1")
        client.ip("-6", "route", "add", "default", "via", "2001:db8::1")
        yield client


@pytest.fixture
def instances():
    """Instances for tunechoctl to ask."""
    with Instances() as instances:
        yield instances


@pytest.fixture
def terminal(instances):
    """A function that opens a terminal; all are closed at the end."""
    if not shutil.which("tmux"):
        pytest.skip("need tmux")

    with contextlib.ExitStack() as opened:
        yield lambda *how, **more: opened.enter_context(Terminal(instances.directory, *how, **more))
