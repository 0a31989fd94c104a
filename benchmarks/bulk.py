"""Bulk runs as `elicense bulk` makes them: durable on SQLite and files, every document verified before it counts.

Rows of a CSV file go through worker processes that stay warm between the rounds. Wall time, for that is what a
department waits for: file read, licences issued, documents and register on the disk, results written. Each round issues
new rows.
"""

from __future__ import annotations

import csv
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from benchmarks.checks import confirmed, require_ours
from benchmarks.measure import Ratio, cpu_seconds, resident
from elicense import demo, issue
from elicense.bulk import Columns, Job, Sheet, template
from elicense.bulk.columns import Row
from elicense.bulk.pool import Pool
from elicense.bulk.run import run_with
from elicense.issuing.outcome import Result
from elicense.registry.memory import MemoryRegistry, MemoryStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from elicense import IssuingOffice
    from elicense.catalogue import LicenceType

TYPE = "food-business-licence"
ROWS = 2048
"""Rows of a round for each number of workers: sixteen groups, so that the last one weighs little."""
MEMORY_ROWS = 256
"""Licences of a round that are issued in memory."""
PER_YEAR = 9000
"""Rows dated in one year; the type's numbers have room for 9,999."""
_CONFIRMED = 10
"""Every so manieth document of a round is confirmed on the verifier's full road."""


@dataclass(frozen=True, slots=True)
class Bench:
    """Everything loaded."""

    folder: Path
    """A demonstration, and beside it the files of rows and results."""
    office: IssuingOffice
    """Over the demonstration's register and store, for looking at what was done."""
    licence_type: LicenceType
    """Of all rows."""
    at: datetime
    """One moment for all."""

    @classmethod
    def build(cls, folder: Path) -> Self:
        """Return everything over a throw-away authority made in `folder`."""
        at = datetime.now(UTC).replace(microsecond=0)
        office = demo.build(folder / "demo", at=at)
        return cls(folder, office, office.catalogue[TYPE], at)

    @property
    def job(self) -> Job:
        """What the workers are told."""
        return Job(TYPE, self.licence_type.sample_authority().code, "benchmark")

    def pool(self, workers: int) -> Pool:
        """Return so many workers, each with an office of its own."""
        opener = partial(demo.load, self.folder / "demo")
        return Pool(workers, opener, self.job, header(self.licence_type), clock=lambda: self.at)

    def sheet(self, first: int, count: int) -> Sheet:
        """Return a file of `count` rows, numbered from `first`."""
        path = self.folder / "rows.csv"
        write_rows(path, self.licence_type, range(first, first + count), self.at.year)
        return Sheet.open(path)

    def run(self, pool: Pool, sheet: Sheet) -> None:
        """Every row of the file is issued now, none found on record. Raises AssertionError."""
        columns = Columns.read(sheet.header, self.licence_type)
        summary = run_with(pool, sheet, columns, results=self.folder / "results.csv")
        assert summary.counts == {Result.ISSUED: sheet.total}, f"rows without a new licence: {summary}"

    def confirm(self, count: int) -> None:
        """The results tell of `count` different licences, and documents in the store pass. Raises AssertionError."""
        with (self.folder / "results.csv").open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.DictReader(file))
        assert len({line["number"] for line in lines}) == len(lines) == count, "not a licence for each row"
        for line in lines[::_CONFIRMED]:
            pdf = self.office.store.get(line["sha256"])
            assert confirmed(pdf, self.office, at=self.at), (
                f"the document of row {line['row']} is not confirmed"
            )

    def issue_in_memory(self, first: int, count: int) -> float:
        """Return the seconds of wall time for one of `count` licences, register and store in memory."""
        office = replace(self.office, registry=MemoryRegistry(), store=MemoryStore())
        columns = Columns.read(header(self.licence_type), self.licence_type)
        requests = [
            columns.request(Row(0, cells), self.job)
            for cells in cells_of(self.licence_type, range(first, first + count), self.at.year)
        ]
        start = time.perf_counter()
        for request in requests:
            issue(request, office, at=self.at)
        return (time.perf_counter() - start) / count


def header(licence_type: LicenceType) -> tuple[str, ...]:
    """Return the columns of the files."""
    return (*template(licence_type)[0], "issued_on")


def cells_of(licence_type: LicenceType, numbers: Sequence[int], year: int) -> list[tuple[str, ...]]:
    """Return the rows of these numbers: the sample with key, address, case and year of their own."""
    names, sample = template(licence_type)
    rows = []
    for number in numbers:
        own = {
            "key": f"row {number}", "domicile": f"示例省样例市测试区样板路{number}号",
            "case_number": f"990100-2026-{number:09d}",
        }  # fmt: skip
        cells = [own.get(name, cell) for name, cell in zip(names, sample, strict=True)]
        rows.append((*cells, f"{year - number // PER_YEAR}-01-01"))
    return rows


def write_rows(path: Path, licence_type: LicenceType, numbers: Sequence[int], year: int) -> None:
    """`path` is a file of the rows of these numbers."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header(licence_type))
        writer.writerows(cells_of(licence_type, numbers, year))


def run(rounds: int, *, rows: int = ROWS, in_memory: int = MEMORY_ROWS) -> list[Ratio]:
    """Return the metrics. Raises AssertionError if a row is not issued or a document is not good."""
    with tempfile.TemporaryDirectory() as name:
        bench = Bench.build(Path(name))
        with bench.pool(1) as one, bench.pool(2) as two:
            _warm_up(bench, one, two)
            alone: list[float] = []
            together: list[float] = []
            memory: list[float] = []
            cpu: list[float] = []
            first, last, next_row = 0.0, 0.0, 4096
            for number in range(rounds):
                for pool in (one, two) if number % 2 else (two, one):
                    sheet = bench.sheet(next_row, rows)
                    next_row += rows
                    start, used = time.perf_counter(), cpu_seconds()
                    bench.run(pool, sheet)
                    seconds = (time.perf_counter() - start) / rows
                    (alone if pool is one else together).append(seconds)
                    if pool is two:
                        cpu.append((cpu_seconds() - used) / rows)
                    bench.confirm(rows)
                memory.append(bench.issue_in_memory(next_row, in_memory))
                last = max(map(resident, two.processes))
                first = first or last
        per_core = [2 * seconds for seconds in together]
        return [
            Ratio.of(
                "bulk, two workers ÷ one, durable, groups of 128, wall time", together, alone,
                at_least=1.8, aim=1.95,
            ),
            Ratio.of(
                "bulk end to end, durable and verified, wall time of a core ÷ issue in memory", per_core, memory,
                at_least=0.6, aim=0.8,
            ),
            Ratio.of("the same, CPU time of all processes ÷ issue in memory", cpu, memory),
            Ratio.of(
                f"resident memory of a worker after the first {rows:,} rows ÷ after all", [last], [first],
                unit="MB", at_least=0.9, aim=0.97,
            ),
        ]  # fmt: skip


def _warm_up(bench: Bench, one: Pool, two: Pool) -> None:
    """Every worker has issued; of what they made some documents passed all checks."""
    for place, pool in enumerate((one, two)):
        bench.run(pool, bench.sheet(place * 512, 512))
    for number in (0, 511, 600, 1023):
        record = bench.office.registry.find_request(bench.job.authority_code, f"row {number}")
        assert record is not None, "an issued row is on record"
        assert record.document is not None, "an issued row has its document"
        pdf = bench.office.store.get(record.document.sha256)
        require_ours(pdf, record.licence, bench.office, at=bench.at)
    bench.issue_in_memory(1024, 3)
