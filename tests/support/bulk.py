"""Bulk files for tests, and offices that worker processes open: ordinary ones and ones that die."""

from __future__ import annotations

import csv
import os
import resource
import shutil
import signal
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from elicense import demo
from elicense.bulk import Job, Sheet, run_bulk, template
from elicense.bulk.columns import Columns
from elicense.catalogue import Catalogue, templates_folder
from elicense.registry.files import FileStore
from tests.support.demonstration import AT, SLUG, folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from elicense.bulk import Summary
    from elicense.issuing import IssuingOffice

UNCOVERED = "示例路\U000323af号"
"""An address with a character that no font has."""
TYPE = Catalogue.load(templates_folder())[SLUG]


def demonstration(home: Path) -> Path:
    """Return a copy of the shared demonstration with a register and a store of its own, both empty."""
    # Other tests of this process may have issued into the shared one.
    shutil.copytree(folder(), home / "demo", ignore=shutil.ignore_patterns("register.sqlite*", "documents"))
    return home / "demo"


def addresses(count: int) -> list[str]:
    """Return addresses that differ."""
    return [f"样板路{number}号" for number in range(1, count + 1)]


def write_rows(
    path: Path, domiciles: Sequence[str], *, keys: Sequence[str] = (), encoding: str = "utf-8"
) -> Path:
    """`path` has a row of the type for each address; with `keys` the rows have keys."""
    header, sample = template(TYPE)
    place = header.index("domicile")
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header if keys else header[1:])
        for number, domicile in enumerate(domiciles):
            cells = [*sample[:place], domicile, *sample[place + 1 :]]
            writer.writerow([keys[number], *cells[1:]] if keys else cells[1:])
    return path


def run(path: Path, opener: partial[IssuingOffice], **changes: object) -> Summary:
    """Run the file in groups of three with one worker; results go to results.csv beside it."""
    sheet = Sheet.open(path)
    job = Job(SLUG, TYPE.sample_authority().code, "the run")
    arguments = {
        "results": path.with_name("results.csv"), "clock": lambda: AT, "workers": 1, "group": 3, **changes,
    }  # fmt: skip
    return run_bulk(sheet, Columns.read(sheet.header, TYPE), job, opener, **arguments)


def results(path: Path) -> list[dict[str, str]]:
    """Return the lines of results.csv beside the file."""
    with path.with_name("results.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def opening(home: Path) -> partial[IssuingOffice]:
    """Return what opens the demonstration's office in a worker."""
    return partial(demo.load, home)


def open_dying(home: Path, mark: Path | None, address: str) -> IssuingOffice:
    """Return an office whose process is killed before a licence with `address` is on record; once with `mark`."""
    office = demo.load(home)
    return replace(office, registry=_Dying(office.registry, mark, address))


class _Dying:
    """A register that ends the process between the store and the record of a group with one address."""

    def __init__(self, real, mark, address):
        self._real, self._mark, self._address = real, mark, address

    def __getattr__(self, name):
        return getattr(self._real, name)

    def commit_group(self, finished, *, at):
        """Put the group on record, or die if it is the one."""
        found = any(one.record.licence.fields["domicile"] == self._address for one in finished)
        if found and not (self._mark and self._mark.exists()):
            if self._mark:
                self._mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return self._real.commit_group(finished, at=at)


def open_full(home: Path, mark: Path) -> IssuingOffice:
    """Return an office whose disk takes no file of more than a few kilobytes into the store while `mark` is there."""
    office = demo.load(home)
    return replace(office, store=_Full(office.store.folder, mark))


class _Full(FileStore):
    """A store that meets the system's refusal in the middle of a file."""

    def __init__(self, folder, mark):
        super().__init__(folder)
        self._mark = mark

    def put_group(self, documents):
        """Store the group, or fail as a full disk does."""
        if not self._mark.exists():
            super().put_group(documents)
            return
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
        try:
            super().put_group(documents)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)


def require_consistent(home: Path, lines: Sequence[dict[str, str]]) -> None:
    """Return if register, store and results tell of the same licences, each row's once, numbers without a gap."""
    office = demo.load(home)
    registry = office.registry
    good = [line for line in lines if line["result"] in {"issued", "earlier"}]
    assert registry.unfinished() == ()
    with registry._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
        rows = connection.exec_driver_sql(
            "SELECT number, document_sha256, sequence, state FROM licence"
        ).all()
    registry.close()
    assert sorted(row.number for row in rows) == sorted(line["number"] for line in good)
    assert len({line["key"] for line in good}) == len(good)
    assert {(row.number, row.document_sha256) for row in rows} == {
        (line["number"], line["sha256"]) for line in good
    }
    assert sorted(row.sequence for row in rows) == list(range(1, len(good) + 1))
    for line in good:
        document = office.store.get(line["sha256"])
        assert (home / "documents" / line["file"]).read_bytes() == document
