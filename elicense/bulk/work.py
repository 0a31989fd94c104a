"""What a worker process of a bulk run does: opens its own office once, then issues group after group."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from elicense.bulk.columns import Columns
from elicense.errors import ElicenseError
from elicense.issuing.group import changed_requests, issue_group
from elicense.issuing.outcome import Outcome, Result
from elicense.registry.files import FileStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from multiprocessing.connection import Connection

    from elicense.bulk.columns import Job, Row
    from elicense.issuing.office import IssuingOffice
    from elicense.model import IssueRequest


class Task(NamedTuple):
    """A group of rows to work on."""

    number: int
    """Counts the groups of a pass through the file, from 0."""
    rows: tuple[Row, ...]
    """In the file's order."""
    check: bool
    """True to look only whether a row differs from what it was issued as."""


class Problem(NamedTuple):
    """An error as it crosses to the parent and into the results: its words, not its baggage."""

    code: str
    """As in docs/errors.md."""
    en: str
    """What is wrong and what to do."""
    zh: str
    """The same in Chinese."""
    field: str | None = None
    """The column or field it is about."""

    @classmethod
    def of(cls, error: ElicenseError) -> Problem:
        """Return the error's words."""
        return cls(error.code, error.en, error.zh, error.field)


class RowReport(NamedTuple):
    """What became of one row."""

    row: int
    """As a spreadsheet counts."""
    key: str
    """Its idempotency key; empty if it should have brought one and did not."""
    result: Result
    """What became of it."""
    number: str = ""
    """证照编号, if one was taken."""
    identifier: str = ""
    """证照标识, if there is one."""
    sha256: str = ""
    """Of its document, if it has one."""
    file: str = ""
    """Where the document lies in the store's folder, if the store has one."""
    problem: Problem | None = None
    """Why it is not issued."""


class Report(NamedTuple):
    """What became of a task's rows."""

    rows: tuple[RowReport, ...]
    """Each of them; in a check only those that differ."""
    stopped_by: Problem | None
    """What the next group would meet too, or None."""


class Greeting(StrEnum):
    """What a worker says first, unless it says an ElicenseError."""

    READY = "ready"


def work(
    connection: Connection, open_office: Callable[[], IssuingOffice], job: Job, header: Sequence[str]
) -> None:
    """Every task that comes is answered with its report, until the parent hangs up or is gone.

    One thread, one group at a time: what is in the making is finished even if nobody waits for the answer.
    """
    try:
        office = open_office()
        desk = _Desk(office, Columns.read(header, office.catalogue[job.slug]), job)
    except ElicenseError as error:
        _say(connection, error)
        return
    if not _say(connection, Greeting.READY):
        return
    while True:
        try:
            task, at = connection.recv()
        except (EOFError, OSError):
            return
        if not _say(connection, desk.report(task, at)):
            return


def _say(connection: Connection, message: object) -> bool:
    """Return whether the parent could still be told."""
    try:
        connection.send(message)
    except OSError:
        return False
    return True


class _Desk:
    """An office with the form of the rows that come to it."""

    def __init__(self, office: IssuingOffice, columns: Columns, job: Job) -> None:
        self._office, self._columns, self._job = office, columns, job

    def report(self, task: Task, at: datetime) -> Report:
        """Return what became of the task's rows; `at` is the moment of all of them, UTC."""
        requests: dict[int, IssueRequest] = {}
        reports: dict[int, RowReport] = {}
        for place, row in enumerate(task.rows):
            try:
                requests[place] = self._columns.request(row, self._job)
            except ElicenseError as error:
                reports[place] = self._unreadable(row, error)
        if task.check:
            return self._differences(task, requests, at)
        group = issue_group(list(requests.values()), self._office, at=at)
        for place, outcome in zip(requests, group.outcomes, strict=True):
            reports[place] = self._of(task.rows[place], requests[place], outcome)
        stopped_by = None if group.stopped_by is None else Problem.of(group.stopped_by)
        return Report(tuple(reports[place] for place in range(len(task.rows))), stopped_by)

    def _differences(self, task: Task, requests: Mapping[int, IssueRequest], at: datetime) -> Report:
        """Return those rows that were issued before and are others now."""
        try:
            changes = changed_requests(list(requests.values()), self._office, at=at)
        except ElicenseError as error:
            return Report((), Problem.of(error))
        return Report(
            tuple(
                self._of(task.rows[place], request, Outcome(Result.REFUSED, None, error))
                for (place, request), error in zip(requests.items(), changes, strict=True)
                if error is not None
            ),
            None,
        )

    def _unreadable(self, row: Row, error: ElicenseError) -> RowReport:
        """Return the report of a row that does not even make a request."""
        try:
            key = self._columns.key(row, self._job)
        except ElicenseError:
            key = ""
        return RowReport(row.number, key, Result.REFUSED, problem=Problem.of(error))

    def _of(self, row: Row, request: IssueRequest, outcome: Outcome) -> RowReport:
        key = request.idempotency_key or ""
        problem = None if outcome.error is None else Problem.of(outcome.error)
        if outcome.record is None:
            return RowReport(row.number, key, outcome.result, problem=problem)
        licence, document = outcome.record.licence, outcome.record.document
        sha256 = document.sha256 if document else ""
        store = self._office.store
        file = store.place_of(sha256) if sha256 and isinstance(store, FileStore) else ""
        identifier = str(licence.identifier)
        return RowReport(row.number, key, outcome.result, licence.number, identifier, sha256, file, problem)
