"""A bulk run with real worker processes: each row once, whatever goes wrong, and the next run goes on."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from elicense import demo
from elicense.errors import KeyUnavailable, WorkerLost
from elicense.issuing.outcome import Result
from tests.support.bulk import (
    UNCOVERED,
    addresses,
    demonstration,
    open_dying,
    open_full,
    opening,
    require_consistent,
    results,
    run,
    write_rows,
)
from tests.support.demonstration import AT

LATE = AT + timedelta(days=800)
"""After the end of the demonstration's seals and certificates."""


@pytest.fixture
def home(tmp_path):
    """A demonstration with an empty register, and room for files beside it."""
    return demonstration(tmp_path)


def outcomes(path):
    """Return the results in the order of the file."""
    return [line["result"] for line in results(path)]


def test_every_row_is_issued_once_and_a_second_run_finds_it(home, tmp_path):
    """Two workers, an uncovered character in the middle: it is reported, the rest is issued; again: all found."""
    keys = [f"K{n}" for n in range(10)]
    path = write_rows(tmp_path / "rows.csv", [*addresses(5), UNCOVERED, *addresses(9)[5:]], keys=keys)
    seen = []
    summary = run(path, opening(home), workers=2, on_progress=seen.append)
    assert summary.counts == {Result.ISSUED: 9, Result.REFUSED: 1}
    assert not summary.complete
    assert summary.stopped_by is None
    lines = results(path)
    assert [line["row"] for line in lines] == [str(n) for n in range(2, 12)]
    assert [line["key"] for line in lines] == keys
    assert (lines[5]["result"], lines[5]["code"], lines[5]["number"]) == ("refused", "rendering_error", "")
    assert "U+323AF" in lines[5]["message"]
    assert [one.done for one in seen] == sorted(one.done for one in seen)
    assert (seen[0].done, seen[-1].done, seen[-1].total, seen[-1].failed) == (0, 10, 10, 1)
    require_consistent(home, lines)
    mended = write_rows(path, [*addresses(5), "样板路", *addresses(9)[5:]], keys=keys)
    again = run(mended, opening(home))
    assert again.counts == {Result.EARLIER: 9, Result.ISSUED: 1}
    assert again.complete
    assert {(line["key"], line["number"]) for line in lines if line["number"]} < {
        (line["key"], line["number"]) for line in results(path)
    }
    require_consistent(home, results(path))


def test_a_seal_that_ends_during_the_run_stops_it_at_the_row(home, tmp_path):
    """Everything before is on record, the row is named in both languages, and with a good seal the rest follows."""
    path = write_rows(tmp_path / "rows.csv", addresses(9))
    moments = iter([AT] * 5)
    summary = run(path, opening(home), clock=lambda: next(moments, LATE))
    # Three of the moments went to comparing the rows with what the run issued before.
    assert summary.stopped_by.row == 8
    assert summary.stopped_by.problem.code == "seal_error"
    assert summary.stopped_by.problem.zh != summary.stopped_by.problem.en
    assert outcomes(path) == ["issued"] * 6 + ["untouched"] * 3
    require_consistent(home, results(path))
    assert run(path, opening(home)).complete
    assert outcomes(path) == ["earlier"] * 6 + ["issued"] * 3
    require_consistent(home, results(path))


@pytest.mark.parametrize(
    ("change", "rows"),
    [
        (lambda rows: [*rows[:3], "别处", *rows[4:]], ["5"]),
        (lambda rows: [*rows[:5], "新增", *rows[5:]], ["7"]),
        (lambda rows: [*rows[:1], *rows[2:]], ["3", "4", "5", "6"]),
    ],
    ids=["changed", "inserted", "deleted"],
)
def test_rows_without_keys_must_stay_as_and_where_they_were(home, tmp_path, change, rows):
    """If a row differs from what it was issued as, it is named and nothing at all is issued, not even new rows."""
    path = write_rows(tmp_path / "rows.csv", addresses(6))
    assert run(path, opening(home)).complete
    before = results(path)
    write_rows(path, change(addresses(6)))
    summary = run(path, opening(home))
    assert summary.stopped_by.problem.code == "idempotency_conflict"
    assert str(summary.stopped_by.row) == rows[0]
    assert [(line["row"], line["result"]) for line in results(path)] == [(row, "refused") for row in rows]
    require_consistent(home, before)
    assert run(write_rows(path, addresses(7)), opening(home)).counts == {Result.EARLIER: 6, Result.ISSUED: 1}


def test_rows_with_keys_may_move_and_a_changed_one_is_reported(home, tmp_path):
    """The key finds the licence wherever the row stands; other content under it is that row's error alone."""
    keys = ["a", "b", "c"]
    path = write_rows(tmp_path / "rows.csv", addresses(3), keys=keys)
    assert run(path, opening(home)).complete
    write_rows(path, ["新增", "样板路3号", "别处", "样板路1号"], keys=["new", "c", "b", "a"])
    summary = run(path, opening(home))
    assert outcomes(path) == ["issued", "earlier", "refused", "earlier"]
    assert results(path)[2]["code"] == "idempotency_conflict"
    assert summary.stopped_by is None


def test_asked_to_stop_it_ends_after_the_group_under_way(home, tmp_path):
    """Groups that are out are finished and written; the same run again goes on behind them."""
    path = write_rows(tmp_path / "rows.csv", addresses(9), keys=[f"K{n}" for n in range(9)])
    asked = []
    summary = run(
        path, opening(home), stop_asked=lambda: bool(asked),
        on_progress=lambda progress: asked.append(1) if progress.done >= 3 else None,
    )  # fmt: skip
    assert summary.interrupted
    # When the first group came back the second had gone out.
    assert outcomes(path) == ["issued"] * 6
    assert run(path, opening(home)).counts == {Result.EARLIER: 6, Result.ISSUED: 3}
    require_consistent(home, results(path))


def test_an_office_that_cannot_be_opened_is_told_before_anything_is_begun(home, tmp_path):
    """A key that cannot be read ends the run at once; earlier results stay."""
    path = write_rows(tmp_path / "rows.csv", addresses(2))
    path.with_name("results.csv").write_text("earlier")
    for key in (home / "keys").glob("*.key.pem"):
        key.write_text("no key")
    with pytest.raises(KeyUnavailable):
        run(path, opening(home))
    assert path.with_name("results.csv").read_text() == "earlier"


def open_and_end(home):
    """End the process while the office is opened."""
    demo.load(home)
    raise SystemExit(7)


def test_a_worker_that_ends_before_it_is_ready_is_told(home, tmp_path):
    """Its exit status is named, in both languages."""
    path = write_rows(tmp_path / "rows.csv", addresses(2))
    with pytest.raises(WorkerLost, match="status 7 before it was ready") as caught:
        run(path, partial(open_and_end, home))
    assert "状态码 7" in caught.value.zh


def test_a_killed_worker_is_replaced_and_its_group_done_again(home, tmp_path):
    """Killed between store and record, its group comes out once, and the run ends as if nothing had been."""
    path = write_rows(tmp_path / "rows.csv", addresses(9))
    summary = run(path, partial(open_dying, home, tmp_path / "mark", "样板路5号"), workers=2)
    assert (tmp_path / "mark").exists()
    assert summary.complete
    assert outcomes(path) == ["issued"] * 9
    require_consistent(home, results(path))


def test_a_group_that_costs_two_workers_stops_the_run(home, tmp_path):
    """It is named with the signal, what others did is on record, and a later run finishes its reserved rows."""
    path = write_rows(tmp_path / "rows.csv", addresses(9))
    summary = run(path, partial(open_dying, home, None, "样板路5号"))
    assert summary.stopped_by.row == 5
    assert summary.stopped_by.problem.code == "worker_lost"
    assert "signal 9 at rows 5 to 7" in summary.stopped_by.problem.en
    assert outcomes(path) == ["issued"] * 3 + ["waiting"] * 3
    assert run(path, opening(home)).complete
    assert outcomes(path) == ["earlier"] * 3 + ["issued"] * 6
    require_consistent(home, results(path))


def test_a_disk_that_fills_up_stops_the_run_and_with_room_it_goes_on(home, tmp_path):
    """No half document is left, the rows keep their numbers, and the next run finishes every one."""
    path = write_rows(tmp_path / "rows.csv", addresses(12), keys=[f"K{n}" for n in range(12)])
    full = tmp_path / "full"
    opener = partial(open_full, home, full)
    summary = run(path, opener, on_progress=lambda one: full.touch() if one.done == 3 else None)
    assert summary.stopped_by.problem.code == "registry_error"
    assert "too large" in summary.stopped_by.problem.en
    done = outcomes(path)
    assert done == ["issued"] * done.count("issued") + ["waiting"] * 3
    files = [one for one in (home / "documents").rglob("*") if one.is_file()]
    assert len(files) == done.count("issued")
    assert {one.suffix for one in files} == {".pdf"}
    full.unlink()
    assert run(path, opener).complete
    assert outcomes(path) == ["earlier"] * done.count("issued") + ["issued"] * (12 - done.count("issued"))
    require_consistent(home, results(path))
