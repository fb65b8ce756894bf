# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures that the live tests share."""

import pytest

from harness import Host, missing_requirement


@pytest.fixture(scope="session", autouse=True)
def requirements():
    reason = missing_requirement()
    if reason:
        pytest.skip(reason)


@pytest.fixture
def host(tmp_path):
    """A host for one test."""
    with Host(tmp_path) as host:
        yield host


@pytest.fixture(scope="module")
def shared_host(tmp_path_factory):
    """A host for all tests of a file, which leave it as they found it."""
    with Host(tmp_path_factory.mktemp("host")) as host:
        yield host
