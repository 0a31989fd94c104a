"""The examples in the documentation run and give what they say."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def fences(path):
    """Return (language, content) of every fenced block."""
    return re.findall(r"^```(\w*)\n(.*?)^```", path.read_text("utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_python_examples_run(path):
    """Each Python example of a page is a doctest that passes; no example is left untested."""
    examples = "\n".join(content for language, content in fences(path) if language == "python")
    test = doctest.DocTestParser().get_doctest(examples, {}, path.name, str(path), 0)
    assert not examples or test.examples, "a Python example must be written as a doctest"
    output = []
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(test, out=output.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(output)


def test_readme_shows_the_whole_story():
    """The first screen's example is there: issued, TOTAL_PASSED, altered, TOTAL_FAILED."""
    code = "".join(content for language, content in fences(ROOT / "README.md") if language == "python")
    assert all(
        word in code for word in ("issue(", "TOTAL_PASSED", "in_force", "TOTAL_FAILED", "HASH_FAILURE")
    )


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(path):
    """Every relative link and picture of a page names a file of the project."""
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text("utf-8")):
        assert (path.parent / target).exists(), f"{path.name} links to {target}"


def test_readme_names_every_command():
    """The README's table of commands and the program agree."""
    from elicense.cli import COMMANDS

    text = (ROOT / "README.md").read_text("utf-8")
    for name in COMMANDS:
        assert re.search(rf"`(elicense )?{name}\b", text), name
