"""Rows of the register's tables as records, and records as what the columns hold."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.exc import OperationalError

from elicense.decoding import licence_from_json, read_canonical_json
from elicense.encoding import canonical_json
from elicense.errors import RegistryError
from elicense.model import LicenceState
from elicense.registry import rules
from elicense.registry.protocol import DocumentEvidence, Intent, LicenceRecord, StateChange
from elicense.registry.schema import ARCHIVE_COPY, HISTORY, INTERIM, LICENCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row, Select
    from sqlalchemy.engine import Connection

    from elicense.model import Licence


# Put together once: that takes SQLAlchemy twice as long as running one of them (50 of 74 µs).
_LISTED = select(func.json_each(bindparam("identifiers")).table_valued("value").c.value)
_LICENCES = select(LICENCE).where(LICENCE.c.identifier.in_(_LISTED))
_COPIES = select(ARCHIVE_COPY).where(ARCHIVE_COPY.c.identifier.in_(_LISTED)).order_by(ARCHIVE_COPY.c.line)
_INTERIM = select(INTERIM).where(INTERIM.c.identifier == bindparam("identifier")).order_by(INTERIM.c.seals)
_HISTORY = select(HISTORY).where(HISTORY.c.identifier == bindparam("identifier")).order_by(HISTORY.c.line)
_DOCUMENT = select(LICENCE.c.identifier).where(LICENCE.c.document_sha256 == bindparam("sha256"))
_COPY = select(ARCHIVE_COPY.c.identifier).where(ARCHIVE_COPY.c.sha256 == bindparam("sha256"))
_UNFINISHED = (
    select(LICENCE.c.identifier)
    .where(LICENCE.c.state == LicenceState.RESERVED.value)
    .order_by(LICENCE.c.position)
)


def find_record(connection: Connection, identifier: str) -> LicenceRecord:
    """Return the licence's present. Raises LicenceNotFound, and RegistryError if it is not what was frozen."""
    record = find_records(connection, [identifier]).get(identifier)
    if record is None:
        raise rules.not_found(identifier)
    return record


def find_records(connection: Connection, identifiers: Sequence[str]) -> dict[str, LicenceRecord]:
    """Return the records of these identifiers, of those that are there; the rows are read together.

    Raises RegistryError if the content of one is not what was frozen.
    """
    if not identifiers:
        return {}
    rows = connection.execute(_LICENCES, {"identifiers": json.dumps(list(identifiers))}).all()
    finished = [row.identifier for row in rows if row.document is not None]
    copies: dict[str, list[Row[Any]]] = {}
    for copy in _later(connection, _COPIES, identifiers=json.dumps(finished)) if finished else ():
        copies.setdefault(copy.identifier, []).append(copy)
    return {row.identifier: _record(connection, row, copies.get(row.identifier, ())) for row in rows}


def find_owner(connection: Connection, sha256: str) -> str | None:
    """Return the identifier of the licence whose document, or one of its archive copies, has this digest."""
    rows = connection.execute(_DOCUMENT, {"sha256": sha256}).all() or _later(connection, _COPY, sha256=sha256)
    return rows[0].identifier if rows else None


def find_unfinished(connection: Connection) -> Sequence[str]:
    """Return the identifiers of all RESERVED licences, oldest first."""
    return connection.execute(_UNFINISHED).scalars().all()


def _licence(row: Row[Any]) -> Licence:
    """Return the content in a row. Raises RegistryError if it is not what was frozen."""
    content = row.content.encode()
    if hashlib.sha256(content).hexdigest() != row.content_sha256:
        raise RegistryError(
            f"the register's content of {row.identifier} was altered: restore it from a backup",
            f"登记库中 {row.identifier} 的内容被改动：请从备份恢复",
        )
    return licence_from_json(read_canonical_json(content))


def _record(connection: Connection, row: Row[Any], copies: Sequence[Row[Any]]) -> LicenceRecord:
    licence = _licence(row)
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


def _interim(connection: Connection, licence: Licence) -> tuple[DocumentEvidence, ...]:
    """Return the licence's documents between seals, fewest seals first; only joint ones have any."""
    if not licence.joint_authorities:
        return ()
    rows = _later(connection, _INTERIM, identifier=str(licence.identifier))
    return tuple(_evidence(row.document) for row in rows)


def _later(connection: Connection, wanted: Select[Any], **values: str) -> Sequence[Row[Any]]:
    """Return the rows; none if the table is not there yet: an earlier release's register gets it from a writer."""
    try:
        return connection.execute(wanted, values).all()
    except OperationalError as error:
        if "no such table: " in str(error.orig):
            return ()
        raise


def _evidence(text: str) -> DocumentEvidence:
    values = json.loads(text)
    return DocumentEvidence(**{**values, "byte_range": tuple(values["byte_range"])})


def history_of(connection: Connection, identifier: str) -> tuple[StateChange, ...]:
    """Return the licence's changes of state, oldest first."""
    return tuple(
        StateChange(LicenceState(row.state), datetime.fromisoformat(row.at), row.reason)
        for row in connection.execute(_HISTORY, {"identifier": identifier})
    )


def dump(value: Intent | DocumentEvidence) -> str:
    """Return the fields of a flat record as JSON text."""
    return canonical_json({name: getattr(value, name) for name in value.__dataclass_fields__}).decode()


def time_text(at: datetime) -> str:
    """Return `at` as UTC text of one width, so that text order is time order."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
