# SPDX-License-Identifier: GPL-2.0-or-later
"""A pytest plugin that prints the Test Anything Protocol instead of pytest's own report."""

import io

import pytest
from _pytest.config import create_terminal_writer


def emit(line):
    print(line, flush=True)


def diagnose(text):
    for line in text.splitlines():
        emit(f"# {line}")


def title(nodeid):
    """tests/test_ping.py::test_any_address[ipv6] -> any address [ipv6]"""
    name, bracket, parameters = nodeid.partition("::")[2].partition("[")
    name = name.removeprefix("test_").replace("_", " ")
    return f"{name} {bracket}{parameters}".strip().replace("#", "-")


def skip_reason(report):
    _, _, reason = report.longrepr
    return reason.removeprefix("Skipped: ")


class Silence:
    """What remains of pytest's own report."""

    def __init__(self, config):
        self._tw = create_terminal_writer(config, io.StringIO())


class TapReporter:
    """One line per test. With strict, a skipped test is a failed one."""

    def __init__(self, strict):
        self.strict = strict
        self.count = 0
        self.failed = False
        self.reports = []

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config):
        config.pluginmanager.unregister(name="terminalreporter")
        # Since version 8, pytest asks it how to colour what an assertion compared.
        config.pluginmanager.register(Silence(config), "terminalreporter")

    def pytest_collectreport(self, report):
        if report.failed:
            diagnose(report.longreprtext)
            emit(f"Bail out! {report.nodeid} cannot be loaded")

    def pytest_internalerror(self, excrepr):
        diagnose(str(excrepr))
        emit("Bail out! internal error")

    def pytest_keyboard_interrupt(self):
        emit("Bail out! interrupted")

    def pytest_collection_finish(self, session):
        if not session.testsfailed:
            emit(f"1..{len(session.items)}")

    def pytest_runtest_logreport(self, report):
        self.reports.append(report)

    def pytest_runtest_logfinish(self, nodeid):
        """Sum up a test's three reports: setup, call and teardown."""
        reports, self.reports = self.reports, []
        failed = [report for report in reports if report.failed]
        skipped = [report for report in reports if report.skipped]

        self.count += 1
        line = f"ok {self.count} - {title(nodeid)}"
        if failed:
            emit(f"not {line}")
            for report in failed:
                self.explain(report)
        elif skipped and self.strict:
            emit(f"not {line}")
            diagnose(f"skipped: {skip_reason(skipped[0])}")
            self.failed = True
        elif skipped:
            emit(f"{line} # SKIP {skip_reason(skipped[0])}")
        else:
            emit(line)

    def pytest_sessionfinish(self, session):
        if self.failed:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @staticmethod
    def explain(report):
        diagnose(report.longreprtext)
        for heading, text in report.sections:
            diagnose(f"{heading}:\n{text}")
