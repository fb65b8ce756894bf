# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures that the live tests share."""

import contextlib
import shutil

import pytest

from fakes import Instances
from harness import Host, missing_io_uring, missing_requirement
from terminal import Terminal


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
