"""The seal page's code runs."""

from __future__ import annotations

import doctest
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_docs_run(monkeypatch):
    """Every example in docs/seals.md gives what the page says."""
    monkeypatch.chdir(ROOT)
    result = doctest.testfile(str(ROOT / "docs" / "seals.md"), module_relative=False, encoding="utf-8")
    assert result.attempted > 5
    assert result.failed == 0
