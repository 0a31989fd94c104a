"""`elicense archive`: a file beside its copy, a licence on record, and what is refused."""

from __future__ import annotations

import json
import shutil
from functools import partial

import pytest

from elicense import demo
from elicense.cli import run
from elicense.pki.throwaway import load_pki
from tests.support.demonstration import AT, SLUG, folder
from tests.support.tsa import answer, serving


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project's root with a demonstration, one licence in licence.pdf, the clock at AT."""
    shutil.copytree(folder(), tmp_path / "var" / "demo")
    monkeypatch.chdir(tmp_path)
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for module in ("verify", "office", "archive"):
        monkeypatch.setattr(f"elicense.cli.{module}.now", lambda: AT)
    assert run(["issue", SLUG, "--json", "--out", "licence.pdf"]) == 0
    return tmp_path


@pytest.fixture
def url():
    """Address of a timestamp authority under the demonstration's root."""
    identity = load_pki(folder() / "ca", at=AT).timestamp_authority()
    with serving(partial(answer, identity=identity, at=AT)) as running:
        yield running


def said(capsys):
    """Return the one JSON object printed last."""
    return json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.mark.parametrize("level", ["T", "LT", "LTA"])
def test_a_file_gets_a_copy_beside_it(project, url, capsys, level):
    """The copy begins with the file, verifies, and the file itself stays as it was."""
    before = (project / "licence.pdf").read_bytes()
    assert run(["archive", "licence.pdf", "--tsa", url, "--level", level, "--json"]) == 0
    told = said(capsys)
    assert (told["level"], told["file"]) == (f"B-{level}", "licence-archive.pdf")
    assert (project / "licence-archive.pdf").read_bytes().startswith(before)
    assert (project / "licence.pdf").read_bytes() == before
    assert run(["verify", "licence-archive.pdf", "--json"]) == 0
    assert said(capsys)["authentic"]["indication"] == "TOTAL_PASSED"


def test_what_is_there_is_said_and_renewed_only_when_asked(project, url, capsys):
    """Archived again nothing is written; with --renew a further copy is."""
    assert run(["archive", "licence.pdf", "--tsa", url, "-o", "a.pdf"]) == 0
    capsys.readouterr()
    assert run(["archive", "a.pdf", "--tsa", url, "-o", "b.pdf", "--lang", "zh"]) == 0
    assert "无需补充" in capsys.readouterr().out
    assert not (project / "b.pdf").exists()
    assert run(["archive", "a.pdf", "--tsa", url, "-o", "b.pdf", "--renew"]) == 0
    shown = capsys.readouterr().out
    assert "b.pdf: B-LTA (timestamp)" in shown
    assert "renew it before 2028-" in shown
    assert (project / "b.pdf").read_bytes().startswith((project / "a.pdf").read_bytes())


def test_a_licence_on_record_gets_its_copy_on_record(project, url, capsys):
    """With --licence the copy goes into store and register; a second time there is nothing to do."""
    assert run(["issue", SLUG, "--json", "--out", "other.pdf"]) == 0
    issued = said(capsys)
    assert run(["archive", "--licence", issued["identifier"], "--tsa", url, "--json"]) == 0
    told = said(capsys)
    assert (told["level"], told["added"]) == ("B-LTA", ["timestamp", "evidence", "timestamp"])
    assert told["renew_before"] > "2028-"
    office = demo.load(project / "var" / "demo")
    kept = office.registry.get(issued["identifier"]).archive_copies
    assert [copy.sha256 for copy in kept] == [told["sha256"]]
    assert office.store.get(told["sha256"]).startswith(office.store.get(issued["sha256"]))
    assert run(["archive", "--licence", issued["identifier"], "--tsa", url, "--json"]) == 0
    assert said(capsys)["added"] == []


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ([], 2, "name either"),
        (["licence.pdf", "--licence", "x"], 2, "name either"),
        (["licence.pdf", "-o", "licence.pdf"], 2, "replace the file"),
        (["missing.pdf"], 2, "no such file"),
        (["var/demo/demo.json"], 1, "sound document"),
        (["--licence", "x"], 1, "no licence"),
        (["licence.pdf", "--trust", "missing.json"], 2, "cannot be read"),
    ],
)
def test_refusals_are_one_plain_sentence(project, url, capsys, arguments, status, words):
    """What cannot be archived is refused with its reason, and nothing is written."""
    before = sorted(path.name for path in project.iterdir())
    assert run(["archive", *arguments, "--tsa", url, "--lang", "en"]) == status
    assert words in capsys.readouterr().err
    assert sorted(path.name for path in project.iterdir()) == before


def test_an_authority_that_is_not_there_is_named(project, capsys):
    """Without an answer from the timestamp authority there is no copy, and the error says what to check."""
    assert run(["archive", "licence.pdf", "--tsa", "http://127.0.0.1:9/", "--lang", "en"]) == 1
    assert "timestamp authority" in capsys.readouterr().err
    assert not (project / "licence-archive.pdf").exists()
