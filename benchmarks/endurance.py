"""`python -m benchmarks.endurance [--rows 100000] [--no-kill]`: a long bulk run with a kill in its middle.

The program itself is run, `elicense bulk`, over a file of so many rows. When half of them are in the results its whole
process group is killed with SIGKILL; the same command is then run to its end. Checked afterwards:

1. every row has one licence, and every licence is a row's; numbers have no gap, nothing is left reserved
2. every document on record lies in the store whole, and the store holds no other
3. one document in a hundred is believed by our verifier
4. memory is flat: what parent and workers hold in the last tenth of a run is what they held in the second

Rows are dated in as many years as their numbers need: the type has room for 9,999 a year. 100,000 documents need 10 GB.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.bulk import TYPE, write_rows
from benchmarks.measure import resident
from elicense import Indication, demo, verify
from elicense.demo_folder import register_file

if TYPE_CHECKING:
    from collections.abc import Sequence

GROWTH = 1.05
"""What a process may hold at the end, against the beginning."""
JUDGED = 10_000
"""Rows from which a run is long enough for that: the first groups fill what is kept for later ones."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, kill, run again, check; print what was found. Raises AssertionError if something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.endurance", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--no-kill", action="store_true", help="one run, without interruption")
    parser.add_argument(
        "--folder", type=Path, help="where to work; by default a temporary folder, removed after"
    )
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=chosen.folder) as name:
        endure(Path(name), chosen.rows, chosen.workers, kill=not chosen.no_kill)


def endure(folder: Path, rows: int, workers: int, *, kill: bool) -> None:
    """Every check has passed over `rows` rows in `folder`. Raises AssertionError."""
    at = datetime.now(UTC)
    office = demo.build(folder / "demo", at=at)
    write_rows(folder / "rows.csv", office.catalogue[TYPE], range(rows), at.year)
    if kill:
        done = _run(folder, workers, kill_at=rows // 2)
        print(f"killed with {done:,} rows in the results", flush=True)
        assert 0 < done < rows, "the kill must come in the middle"
    _run(folder, workers)
    lines = _results(folder)
    counts = Counter(line["result"] for line in lines)
    print(f"results: {dict(counts)}")
    assert len({line["key"] for line in lines}) == len(lines) == rows, "a row is missing or there twice"
    assert counts["issued"] + counts["earlier"] == rows, "a row has no licence"
    documents = _check_register(folder, lines)
    _check_store(folder, documents)
    for line in lines[::100]:
        pdf = office.store.get(line["sha256"])
        report = verify(pdf, trust=office.trust, at=datetime.now(UTC), registry=office.registry)
        assert report.indication is Indication.TOTAL_PASSED, line
    print(f"one in a hundred verified: {len(lines[::100]):,} documents TOTAL_PASSED")


def _run(folder: Path, workers: int, *, kill_at: int | None = None) -> int:
    """Run the program to its end, or kill it when so many rows are in the results; return how many there are."""
    command = [
        sys.executable, "-m", "elicense", "bulk", TYPE, "rows.csv", "--folder", "demo",
        "--workers", str(workers), "--results", "results.csv", "--lang", "en",
    ]  # fmt: skip
    start = time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)}
    with subprocess.Popen(command, cwd=folder, start_new_session=True, env=environment) as program:  # noqa: S603
        part, done, held = folder / "results.csv.part", 0, []
        while program.poll() is None:
            time.sleep(0.5)
            held.append(_held(program.pid))
            done = _count(part) or done
            if kill_at is not None and done >= kill_at:
                os.killpg(program.pid, signal.SIGKILL)
    seconds = time.perf_counter() - start
    if kill_at is None:
        assert program.returncode == 0, f"the run ended with {program.returncode}"
        print(f"run to the end in {seconds:,.0f} s")
    if done >= JUDGED:
        _check_memory([one for one in held if len(one) > workers])
    return done


def _count(path: Path) -> int:
    """Return the rows in a results file, 0 if it is not there."""
    try:
        with path.open("rb") as file:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b"")) - 1
    except FileNotFoundError:
        return 0


def _held(program: int) -> dict[int, float]:
    """Return the resident memory of the program's processes that are there, MB."""
    held = {}
    children = (Path(f"/proc/{program}/task") / str(program) / "children").read_text("ascii").split()
    for process in (program, *map(int, children)):
        try:
            # The tracker of multiprocessing's resources is no worker; it holds next to nothing.
            if (memory := resident(process)) > 20 or process == program:
                held[process] = memory
        except OSError:
            continue
    return held


def _check_memory(held: Sequence[dict[int, float]]) -> None:
    """Print what the processes held in the second and in the last tenth of the run; it is the same."""
    tenth = len(held) // 10
    early, late = held[tenth : 2 * tenth], held[-tenth:]
    for process in set(early[0]) & set(late[-1]):
        first = max(one.get(process, 0.0) for one in early)
        last = max(one.get(process, 0.0) for one in late)
        print(f"process {process}: {first:.0f} MB in the second tenth, {last:.0f} MB in the last")
        assert last <= first * GROWTH, "memory grows"


def _results(folder: Path) -> list[dict[str, str]]:
    with (folder / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _check_register(folder: Path, lines: Sequence[dict[str, str]]) -> set[str]:
    """Return the digests on record; register and results tell of the same licences, without gap or remainder."""
    connection = sqlite3.connect(register_file(folder / "demo"))
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = connection.execute(
            "SELECT number, document_sha256, year, sequence, state FROM licence"
        ).fetchall()
        requests = connection.execute(
            "SELECT count(*), count(DISTINCT identifier) FROM idempotency"
        ).fetchone()
    finally:
        connection.close()
    assert {(row[0], row[1]) for row in rows} == {(line["number"], line["sha256"]) for line in lines}
    assert {row[4] for row in rows} == {"issued"}, "something is left reserved"
    assert len(rows) == len(lines) == requests[0] == requests[1], "a row was issued twice"
    years = Counter(row[2] for row in rows)
    for year, count in years.items():
        assert sorted(row[3] for row in rows if row[2] == year) == list(range(1, count + 1)), "a gap"
    print(f"register: {len(rows):,} licences of {len(years)} years, numbers contiguous, nothing reserved")
    return {row[1] for row in rows}


def _check_store(folder: Path, documents: set[str]) -> None:
    """The store holds the documents on record, each whole, and no other."""
    found, size = set(), 0
    for path in (folder / "demo" / "documents").glob("??/??/*.pdf"):
        body = path.read_bytes()
        assert hashlib.sha256(body).hexdigest() == path.stem, f"{path} is damaged"
        found.add(path.stem)
        size += len(body)
    assert found == documents, "store and register differ"
    left = len(list((folder / "demo" / "documents" / "unfinished").glob("*")))
    print(
        f"store: {len(found):,} documents, {size / 1e9:.1f} GB, all whole; {left} temporary files left by the kill"
    )


if __name__ == "__main__":
    main()
