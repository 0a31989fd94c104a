"""The benchmark and the long trial of bulk runs at small sizes: what they check can fail. Nothing is timed here."""

from __future__ import annotations

import csv
import os
import sqlite3
from collections import Counter
from dataclasses import replace

import pytest

from benchmarks import bulk, endurance
from benchmarks.bulk import PER_YEAR, Bench, cells_of, header, write_rows
from benchmarks.checks import spoilt
from benchmarks.measure import resident
from elicense.bulk import Sheet
from elicense.demo_folder import register_file
from elicense.registry.memory import MemoryStore
from tests.support.bulk import TYPE, UNCOVERED

ROWS = 40


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """A bench on which one run was made."""
    bench = Bench.build(tmp_path_factory.mktemp("bench"))
    with bench.pool(1) as pool:
        bench.run(pool, bench.sheet(0, ROWS))
    return bench


@pytest.fixture(scope="module")
def endured(tmp_path_factory):
    """The folder of a trial without a kill, which passed."""
    folder = tmp_path_factory.mktemp("endurance")
    endurance.endure(folder, ROWS, 1, kill=False)
    return folder


def test_no_two_rows_are_alike_and_numbers_last():
    """The same number gives the same row, with key, address and case of its own; no year has more than it may."""
    names = header(TYPE)
    rows = [dict(zip(names, cells, strict=True)) for cells in cells_of(TYPE, range(3 * PER_YEAR), 2026)]
    for name in ("key", "domicile", "case_number"):
        assert len({row[name] for row in rows}) == len(rows)
    assert Counter(row["issued_on"] for row in rows) == {
        f"{year}-01-01": PER_YEAR for year in (2026, 2025, 2024)
    }
    assert PER_YEAR <= 9999
    assert cells_of(TYPE, range(5, 7), 2026) == [tuple(row.values()) for row in rows[5:7]]


def test_the_table_is_made_of_one_small_round():
    """One worker, two workers and memory are compared; each figure is of one licence."""
    rows = bulk.run(1, rows=ROWS, in_memory=3)
    assert [(row.at_least, row.aim, row.unit) for row in rows] == [
        (1.8, 1.95, "s"),
        (0.6, 0.8, "s"),
        (None, None, "s"),
        (0.9, 0.97, "MB"),
    ]
    assert all(row.ratio > 0 and row.rounds == 1 for row in rows)
    two, core, *_ = rows
    assert core.ours == 2 * two.ours


def test_a_run_that_does_not_issue_every_row_is_no_run(bench):
    """A refused row ends the benchmark, and so do rows that have their licence already."""
    path = bench.folder / "refused.csv"
    write_rows(path, TYPE, range(100, 103), bench.at.year)
    path.write_text(path.read_text("utf-8").replace("样板路101号", UNCOVERED), "utf-8")
    with bench.pool(1) as pool:
        for sheet in (Sheet.open(path), bench.sheet(0, ROWS)):
            with pytest.raises(AssertionError, match="rows without a new licence"):
                bench.run(pool, sheet)


def test_documents_of_a_run_are_confirmed(bench):
    """The run passes as it is; not with another number of rows, one licence for two rows, or a spoilt document."""
    with bench.pool(1) as pool:
        bench.run(pool, bench.sheet(ROWS, ROWS))
    bench.confirm(ROWS)
    with pytest.raises(AssertionError, match="for each row"):
        bench.confirm(ROWS - 1)
    path = bench.folder / "results.csv"
    whole = path.read_text("utf-8-sig")
    with path.open(encoding="utf-8-sig", newline="") as file:
        first, second, *_ = [line["number"] for line in csv.DictReader(file)]
    path.write_text(whole.replace(second, first), "utf-8-sig")
    with pytest.raises(AssertionError, match="for each row"):
        bench.confirm(ROWS)
    path.write_text(whole, "utf-8-sig")

    class Spoiling(MemoryStore):
        def get(self, sha256):
            return spoilt(bench.office.store.get(sha256))["embedded data"]

    with pytest.raises(AssertionError, match="not confirmed"):
        replace(bench, office=replace(bench.office, store=Spoiling())).confirm(ROWS)


# --- The long trial ---


def test_the_register_must_tell_of_the_results(endured):
    """A licence that the results do not know, one told of twice, and one left reserved are found."""
    lines = endurance._results(endured)
    documents = endurance._check_register(endured, lines)
    assert len(documents) == ROWS
    for wrong in (lines[1:], [*lines, lines[0]], [{**lines[0], "sha256": "0" * 64}, *lines[1:]]):
        with pytest.raises(AssertionError):
            endurance._check_register(endured, wrong)


def test_a_gap_in_the_numbers_is_found(endured, tmp_path):
    """A register whose last number is not the count of its licences has lost one."""
    lines = endurance._results(endured)
    (tmp_path / "demo").mkdir()
    copy = register_file(tmp_path / "demo")
    with sqlite3.connect(register_file(endured / "demo")) as source, sqlite3.connect(copy) as target:
        source.backup(target)
        for (name,) in target.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            target.execute(f"DROP TRIGGER {name}")
        target.execute("UPDATE licence SET sequence = sequence + 1 WHERE sequence = ?", (ROWS,))
    for connection in (source, target):
        connection.close()
    with pytest.raises(AssertionError, match="a gap"):
        endurance._check_register(tmp_path, lines)


def test_the_store_must_hold_the_documents_on_record_and_no_other(endured):
    """A document missing, one too many and one damaged are found."""
    documents = endurance._check_register(endured, endurance._results(endured))
    endurance._check_store(endured, documents)
    for wrong in (documents - {min(documents)}, documents | {"0" * 64}):
        with pytest.raises(AssertionError, match="differ"):
            endurance._check_store(endured, wrong)
    path = next((endured / "demo" / "documents").glob("??/??/*.pdf"))
    whole = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(whole[:-1])
    with pytest.raises(AssertionError, match="is damaged"):
        endurance._check_store(endured, documents)
    path.write_bytes(whole)


def test_memory_that_grows_is_found():
    """Ten per cent more in the last tenth than in the second is too much, three are not."""
    steady = [{1: 100.0, 2: 90.0}] * 50
    endurance._check_memory([*steady, *[{1: 103.0, 2: 90.0}] * 50])
    with pytest.raises(AssertionError, match="memory grows"):
        endurance._check_memory([*steady, *[{1: 100.0, 2: 99.0}] * 50])


def test_rows_and_memory_are_counted(tmp_path):
    """The header is no row, a file that is not there has none; this process holds some memory, a worker or more."""
    path = tmp_path / "results.csv.part"
    assert endurance._count(path) == 0
    path.write_text("header\n1\n2\n", "utf-8")
    assert endurance._count(path) == 2
    assert endurance._held(os.getpid())[os.getpid()] == pytest.approx(resident(os.getpid()), rel=0.2)
