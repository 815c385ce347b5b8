"""`.ci/run` has every part: with `SLIPWAY_TEST_ALL` set, a test skipped for a missing one fails instead."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

_MISSING = ("is not installed", "does not answer", "is not on PATH", "is not there")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn such a skip into a failure."""
    report = yield
    wants_all = os.environ.get("SLIPWAY_TEST_ALL") and not item.get_closest_marker("heavy")
    if wants_all and report.skipped and any(words in str(report.longrepr) for words in _MISSING):
        report.outcome = "failed"
        report.longrepr = f"a part is missing, and here nothing may be: {report.longrepr}"
    return report
