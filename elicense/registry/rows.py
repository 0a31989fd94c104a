"""Rows of the register's tables as records, and records as what the columns hold."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from elicense.decoding import licence_from_json, read_canonical_json
from elicense.encoding import canonical_json
from elicense.errors import RegistryError
from elicense.model import LicenceState
from elicense.registry import rules
from elicense.registry.protocol import DocumentEvidence, Intent, LicenceRecord, StateChange
from elicense.registry.schema import ARCHIVE_COPY, HISTORY, INTERIM, LICENCE

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import ColumnElement, Row, Select, Table
    from sqlalchemy.engine import Connection

    from elicense.model import Licence


def find_record(connection: Connection, identifier: str) -> LicenceRecord:
    """Return the licence's present. Raises LicenceNotFound."""
    row = connection.execute(select(LICENCE).where(LICENCE.c.identifier == identifier)).one_or_none()
    if row is None:
        raise rules.not_found(identifier)
    return record_in(connection, row)


def licence_in(row: Row[Any]) -> Licence:
    """Return the content in a row. Raises RegistryError if it is not what was frozen."""
    content = row.content.encode()
    if hashlib.sha256(content).hexdigest() != row.content_sha256:
        raise RegistryError(
            f"the register's content of {row.identifier} was altered: restore it from a backup",
            f"登记库中 {row.identifier} 的内容被改动：请从备份恢复",
        )
    return licence_from_json(read_canonical_json(content))


def record_in(connection: Connection, row: Row[Any]) -> LicenceRecord:
    """Return the record in a row, with its archive copies. Raises RegistryError like `licence_in`."""
    finished = row.document is not None
    copies = copies_on_record(connection, ARCHIVE_COPY.c.identifier == row.identifier) if finished else ()
    return _record(connection, row, copies)


def find_records(connection: Connection, identifiers: Collection[str]) -> dict[str, LicenceRecord]:
    """Return the records of these identifiers, of those that are there; the rows are read together."""
    listed = select(func.json_each(json.dumps(list(identifiers))).table_valued("value").c.value)
    rows = connection.execute(select(LICENCE).where(LICENCE.c.identifier.in_(listed))).all()
    copies: dict[str, list[Row[Any]]] = {}
    for copy in copies_on_record(connection, ARCHIVE_COPY.c.identifier.in_(listed)):
        copies.setdefault(copy.identifier, []).append(copy)
    return {row.identifier: _record(connection, row, copies.get(row.identifier, ())) for row in rows}


def _record(connection: Connection, row: Row[Any], copies: Sequence[Row[Any]]) -> LicenceRecord:
    licence = licence_in(row)
    return LicenceRecord(
        licence=licence,
        state=LicenceState(row.state),
        intent=Intent(**json.loads(row.intent)),
        document=None if row.document is None else _evidence(row.document),
        changed_at=datetime.fromisoformat(row.changed_at),
        reason=row.reason,
        archive_copies=tuple(_evidence(copy.document) for copy in copies),
        interim=_interim(connection, licence),
    )


def copies_on_record(connection: Connection, which: ColumnElement[bool]) -> Sequence[Row[Any]]:
    """Return the rows of archive copies, oldest first."""
    return _later(connection, ARCHIVE_COPY, select(ARCHIVE_COPY).where(which).order_by(ARCHIVE_COPY.c.line))


def _interim(connection: Connection, licence: Licence) -> tuple[DocumentEvidence, ...]:
    """Return the licence's documents between seals, fewest seals first; only joint ones have any."""
    if not licence.joint_authorities:
        return ()
    own = select(INTERIM).where(INTERIM.c.identifier == str(licence.identifier))
    rows = _later(connection, INTERIM, own.order_by(INTERIM.c.seals))
    return tuple(_evidence(row.document) for row in rows)


def _later(connection: Connection, table: Table, wanted: Select[Any]) -> Sequence[Row[Any]]:
    """Return the rows; none if the table is not there yet: an earlier release's register gets it from a writer."""
    try:
        return connection.execute(wanted).all()
    except OperationalError as error:
        if f"no such table: {table.name}" in str(error.orig):
            return ()
        raise


def _evidence(text: str) -> DocumentEvidence:
    values = json.loads(text)
    return DocumentEvidence(**{**values, "byte_range": tuple(values["byte_range"])})


def history_of(connection: Connection, identifier: str) -> tuple[StateChange, ...]:
    """Return the licence's changes of state, oldest first."""
    lines = select(HISTORY).where(HISTORY.c.identifier == identifier).order_by(HISTORY.c.line)
    return tuple(
        StateChange(LicenceState(row.state), datetime.fromisoformat(row.at), row.reason)
        for row in connection.execute(lines)
    )


def dump(value: Intent | DocumentEvidence) -> str:
    """Return the fields of a flat record as JSON text."""
    return canonical_json({name: getattr(value, name) for name in value.__dataclass_fields__}).decode()


def time_text(at: datetime) -> str:
    """Return `at` as UTC text of one width, so that text order is time order."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
