"""`elicense bulk`: what it prints, how it ends, and what it refuses before anything is begun."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

from elicense.bulk import Progress
from elicense.cli import bulk, run
from tests.support.bulk import (
    TYPE,
    UNCOVERED,
    addresses,
    demonstration,
    require_consistent,
    results,
    write_rows,
)
from tests.support.demonstration import AT, SLUG


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project's root after the demo, the clock at AT."""
    (tmp_path / "var").mkdir()
    demonstration(tmp_path / "var")
    monkeypatch.chdir(tmp_path)
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(bulk, "now", lambda: AT)
    return tmp_path


def test_the_template_is_a_file_to_start_from(project, capsys):
    """What --template prints is a file whose row is issued as it stands; Chinese labels come with --lang zh."""
    assert run(["bulk", SLUG, "--template"]) == 0
    names = capsys.readouterr().out
    assert run(["bulk", SLUG, "--template", "--lang", "zh"]) == 0
    labels = capsys.readouterr().out
    assert names.startswith("\ufeffkey,holder_name,")
    assert labels.startswith("\ufeff幂等键,持证主体名称,")
    (project / "rows.csv").write_text(labels, "utf-8", newline="")
    assert run(["bulk", SLUG, "rows.csv", "--workers", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["issued"] == 1
    (project / "rows.csv").write_text(names, "utf-8", newline="")
    assert run(["bulk", SLUG, "rows.csv", "--workers", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["earlier"] == 1


def test_it_says_what_became_of_the_rows(project, capsys):
    """A summary on standard output, progress on standard error, results beside the file; 1 for a refused row."""
    path = write_rows(project / "rows.csv", [*addresses(2), UNCOVERED], encoding="gb18030")
    assert run(["bulk", SLUG, "rows.csv", "--workers", "1", "--results", "results.csv"]) == 1
    shown = capsys.readouterr()
    assert "3 rows, 2 issued, 1 refused" in shown.out
    assert "results: results.csv" in shown.out
    assert "issuing 3/3" in shown.err
    assert "1 not issued" in shown.err
    require_consistent(project / "var" / "demo", results(path))
    write_rows(path, addresses(2))
    assert run(["bulk", SLUG, "rows.csv", "--workers", "1", "--lang", "zh"]) == 0
    shown = capsys.readouterr()
    assert "共 2 行，2 此前已签发" in shown.out
    assert (project / "rows-results.csv").exists()


def test_a_stop_is_told_with_its_row(project, capsys):
    """With rows that are not those issued before nothing is issued; row and reason stand on standard error."""
    path = write_rows(project / "rows.csv", addresses(2))
    assert run(["bulk", SLUG, "rows.csv", "--workers", "1", "--json"]) == 0
    write_rows(path, ["别处", *addresses(3)[1:]])
    capsys.readouterr()
    assert run(["bulk", SLUG, "rows.csv", "--workers", "1", "--json", "--lang", "zh"]) == 1
    shown = capsys.readouterr()
    assert "在第 2 行停止" in shown.err
    said = json.loads(shown.out)
    assert said["stopped_by"]["row"] == 2
    assert said["stopped_by"]["code"] == "idempotency_conflict"
    assert (said["issued"], said["refused"], said["rows"]) == (0, 1, 3)
    assert run(["bulk", SLUG, "rows.csv", "--workers", "1", "--name", "another", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["issued"] == 3


def wrong_header(path):
    """Write a file with a column nobody knows."""
    path.write_text("key,holder_nam\n1,2\n", "utf-8")


WRONG_CALLS = {
    "unknown column": (wrong_header, [], "invalid_sheet", "holder_name"),
    "no file": (lambda _: None, ["--name", "x"], "usage", ""),
    "no rows": (lambda path: path.write_text("a\n"), [], "invalid_sheet", "rows.csv"),
    "no such folder for results": (
        lambda path: write_rows(path, addresses(1)), ["--results", "none/results.csv"], "configuration_error", "none",
    ),
    "no demonstration": (
        lambda path: write_rows(path, addresses(1)), ["--folder", "nowhere"], "configuration_error", "nowhere",
    ),
    "wrong encoding": (
        lambda path: write_rows(path, addresses(1), encoding="gb18030"), ["--encoding", "utf-8"], "invalid_sheet",
        "--encoding",
    ),
}  # fmt: skip


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", WRONG_CALLS)
def test_what_cannot_be_begun_ends_with_two(project, capsys, name, lang):
    """Wrong header, file or option: one sentence in the language asked for, an object with --json, nothing issued."""
    make, options, code, words = WRONG_CALLS[name]
    make(project / "rows.csv")
    file = [] if name == "no file" else ["rows.csv"]
    assert run(["bulk", SLUG, *file, *options, "--workers", "1", "--lang", lang, "--json"]) == 2
    shown = capsys.readouterr()
    said = json.loads(shown.out)["error"]
    assert said["code"] == code
    assert words in shown.err
    assert "Traceback" not in shown.err
    assert bool(re.search("[\u4e00-\u9fff]", said["text"])) == (lang == "zh")
    assert not list(project.glob("*results*"))


def test_an_unknown_type_and_an_authority_that_issues_nothing(project, capsys):
    """The type is refused at once; an authority without a seal here is every row's own refusal."""
    write_rows(project / "rows.csv", addresses(2))
    assert run(["bulk", "none", "rows.csv"]) == 1
    assert run(["bulk", SLUG, "rows.csv", "--workers", "1", "--authority", "X" * 18, "--json"]) == 1
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["refused"] == 2


# --- Progress ---


class Terminal(io.StringIO):
    """Standard error that is a terminal, or is none."""

    def __init__(self, *, terminal):
        super().__init__()
        self._terminal = terminal

    def isatty(self):
        return self._terminal


def shown_progress(monkeypatch, *, terminal, seconds, lang="en"):
    """Return what is printed for a run of a thousand rows with a group of a hundred every so many seconds."""
    stream, moments = Terminal(terminal=terminal), iter(range(10**6))
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr(bulk.time, "monotonic", lambda: next(moments) * seconds)
    line = bulk._Line(lang)
    for done in range(0, 1001, 100):
        line(Progress(checking=False, done=done, total=1000, failed=int(done > 500)))
    line.end()
    return stream.getvalue()


def test_a_terminal_has_one_line_that_is_rewritten(monkeypatch):
    """Done, rate, time left and failures, in place, after every group."""
    shown = shown_progress(monkeypatch, terminal=True, seconds=2)
    assert shown.count("\n") == 1
    assert shown.count("\r") == 11
    assert "issuing 500/1,000, 50/s, 0:00:10 left" in shown
    assert "issuing 1,000/1,000, 50/s, 0:00:00 left, 1 not issued" in shown


def test_without_a_terminal_there_is_a_line_now_and_then(monkeypatch):
    """Every ten seconds and at the end, and no control characters."""
    shown = shown_progress(monkeypatch, terminal=False, seconds=2, lang="zh")
    assert "\r" not in shown
    assert [line.split("，")[0] for line in shown.splitlines()] == [
        "签发 0/1,000", "签发 500/1,000", "签发 1,000/1,000",
    ]  # fmt: skip
    assert "50 份/秒，剩余 0:00:10" in shown


def test_the_template_is_csv_that_quotes_its_lists(capsys):
    """A list stands in one cell."""
    assert run(["bulk", SLUG, "--template"]) == 0
    header, cells = csv.reader(io.StringIO(capsys.readouterr().out.removeprefix("\ufeff")))
    place = header.index("inspectors")
    assert json.loads(cells[place]) == list(TYPE.sample_request().fields["inspectors"])
