"""Where every independent program is required (CI sets ELICENSE_REQUIRE_INTEROP), a skipped test is a failed one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Generator


# A busy machine is no failure: speed is measured in benchmarks/, never in a test.
settings.register_profile("elicense", deadline=None)
settings.load_profile("elicense")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure that keeps its reason."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("ELICENSE_REQUIRE_INTEROP"):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be skipped: {report.longrepr}"
    return report
