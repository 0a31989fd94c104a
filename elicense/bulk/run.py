"""The parent of a bulk run: rows go out in groups, results come back in the file's order, memory stays flat.

1. The rows of a file without keys of its own are compared with what the same run issued before: if one differs, the
   file was changed since, and nothing at all is issued.
2. Groups go to the workers. Each is issued by `issuing.group`: on the disk and on record before it is reported.
3. Reports are written in order. Groups far ahead of a slow one wait, so that no more than a few are in memory.

Whatever ends a run, the same command goes on where it stopped: the register knows every row by its key.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from elicense.bulk.pool import Pool
from elicense.bulk.results import ResultsFile
from elicense.bulk.work import Problem, Task
from elicense.errors import IdempotencyConflict
from elicense.issuing.outcome import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from elicense.bulk.columns import Columns, Job
    from elicense.bulk.sheet import Sheet
    from elicense.bulk.work import Report, RowReport
    from elicense.issuing.office import IssuingOffice

GROUP = 128
"""Rows in a group: at more, the cost of a transaction is hidden already, and more is lost to a crash."""
_AHEAD = 8
"""Groups for each worker that may be out or done while an earlier one is not."""


class Progress(NamedTuple):
    """Where a run stands."""

    checking: bool
    """True while the file is compared with what was issued before, False while it is issued."""
    done: int
    """Rows looked at so far."""
    total: int
    """Rows in the file."""
    failed: int
    """Rows among them that have no licence."""


class Stop(NamedTuple):
    """What stopped a run before the end of its file."""

    row: int
    """First row that was not finished, as a spreadsheet counts."""
    problem: Problem
    """Why."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a run."""

    total: int
    """Rows in the file."""
    counts: Mapping[Result, int]
    """How many of the rows looked at became what."""
    stopped_by: Stop | None
    """What stopped the run, or None."""
    interrupted: bool
    """True if somebody asked it to stop."""

    @property
    def complete(self) -> bool:
        """Whether every row has its licence."""
        return self.counts.get(Result.ISSUED, 0) + self.counts.get(Result.EARLIER, 0) == self.total


def run_bulk(
    sheet: Sheet,
    columns: Columns,
    job: Job,
    open_office: Callable[[], IssuingOffice],
    *,
    results: Path,
    clock: Callable[[], datetime],
    workers: int,
    lang: str = "en",
    group: int = GROUP,
    on_progress: Callable[[Progress], None] = lambda _: None,
    stop_asked: Callable[[], bool] = lambda: False,
) -> Summary:
    """Every row of the file that can be is ISSUED, stored and on record, and `results` says what became of each.

    Args:
        sheet: The file.
        columns: Its header, understood.
        job: Type, authority and name of the run.
        open_office: Called in each worker process; must be picklable.
        results: Where the results go; written anew by each run.
        clock: Gives the moment of each group, UTC: the claimed time of signing of its rows.
        workers: Processes; one for each core that may be busy.
        lang: Language of the messages in the results, "zh" or "en".
        group: Rows issued and committed together.
        on_progress: Told when the workers are ready, after each group, and about once a second.
        stop_asked: Asked before each group; True ends the run after the groups under way.

    Raises:
        ElicenseError: an office could not be opened; nothing was issued.
        WorkerLost: a worker could not be started; nothing was issued.
        ConfigurationError: another run is writing these results; nothing was issued.
        InvalidSheet: the file was changed meanwhile and cannot be read any more.
        OSError: the file cannot be read, or the results cannot be written; what is on record stays.
    """
    with Pool(workers, open_office, job, sheet.header, clock=clock) as pool:
        return run_with(
            pool, sheet, columns,
            results=results, lang=lang, group=group, on_progress=on_progress, stop_asked=stop_asked,
        )  # fmt: skip


def run_with(
    pool: Pool,
    sheet: Sheet,
    columns: Columns,
    *,
    results: Path,
    lang: str = "en",
    group: int = GROUP,
    on_progress: Callable[[Progress], None] = lambda _: None,
    stop_asked: Callable[[], bool] = lambda: False,
) -> Summary:
    """Do what `run_bulk` does, with workers that are ready. Args and Raises: as there."""
    with ResultsFile(results, lang) as file:
        ahead = _AHEAD * len(pool.processes)
        passing = _Passing(sheet, file, on_progress, stop_asked, group=group, ahead=ahead)
        if not columns.has_keys:
            passing.go(pool, check=True)
            if passing.counts:
                passing.stopped_by = _changed(passing)
        if passing.stopped_by is None:
            passing.go(pool, check=False)
        return Summary(sheet.total, dict(passing.counts), passing.stopped_by, stop_asked())


class _Passing:
    """The way through the file: what is out, what came back, what is written."""

    def __init__(
        self,
        sheet: Sheet,
        file: ResultsFile,
        on_progress: Callable[[Progress], None],
        stop_asked: Callable[[], bool],
        *,
        group: int,
        ahead: int,
    ) -> None:
        self._sheet, self._file, self._group, self._ahead = sheet, file, group, ahead
        self._on_progress, self._stop_asked = on_progress, stop_asked
        self.counts: Counter[Result] = Counter()
        self.first: RowReport | None = None
        self.stopped_by: Stop | None = None
        self._next = 0

    def go(self, pool: Pool, *, check: bool) -> None:
        """Every row was looked at, unless something stopped it; reports are written and counted."""
        self._next, done = 0, 0
        early: dict[int, Report] = {}
        self._tell(check, done)
        for answer in pool.reports(self._tasks(check), may_begin=self._may_begin):
            if answer is not None:
                task, report = answer
                early[task.number] = report
                done += len(task.rows)
                if report.stopped_by is not None:
                    self._stop(task, report.rows, report.stopped_by)
            while self._next in early:
                self._write(early.pop(self._next))
                self._next += 1
            self._tell(check, done)

    def _tasks(self, check: bool) -> Iterator[Task]:
        return (Task(number, rows, check) for number, rows in enumerate(self._sheet.groups(self._group)))

    def _may_begin(self, task: Task) -> bool:
        return self.stopped_by is None and not self._stop_asked() and task.number < self._next + self._ahead

    def _stop(self, task: Task, rows: Sequence[RowReport], problem: Problem) -> None:
        """No more groups go out; the earliest row that met the trouble is named."""
        unfinished = {Result.WAITING, Result.UNTOUCHED}
        row = next((one.row for one in rows if one.result in unfinished), task.rows[0].number)
        if self.stopped_by is None or row < self.stopped_by.row:
            self.stopped_by = Stop(row, problem)

    def _write(self, report: Report) -> None:
        self._file.write(report.rows)
        self.counts.update(row.result for row in report.rows)
        if self.first is None and report.rows:
            self.first = report.rows[0]

    def _tell(self, check: bool, done: int) -> None:
        good = self.counts[Result.ISSUED] + self.counts[Result.EARLIER]
        self._on_progress(Progress(check, done, self._sheet.total, self.counts.total() - good))


def _changed(passing: _Passing) -> Stop:
    """Return the stop of a run whose file is not the one it began with."""
    assert passing.first is not None, "there is a row that differs"
    count, row = passing.counts.total(), passing.first.row
    error = IdempotencyConflict(
        f"{count} rows differ from what this run issued before, first row {row}: put the rows back as and where they "
        "were; for another file give --name, and for rows that may move a column `key`",
        f"有 {count} 行与本批次此前签发的内容不符（首行为第 {row} 行）：请恢复各行原来的内容和位置；"
        "另一批申请请用 --name 另取名称，行序会变动的表请增加 key 列",
    )
    return Stop(row, Problem.of(error))
