"""The documents of joint licences between their seals, in the register on SQLite: a table that only grows."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Column, Integer, MetaData, Table, Text, insert, select
from sqlalchemy.exc import OperationalError

from elicense.encoding import canonical_json
from elicense.registry.protocol import DocumentEvidence

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from elicense.model import Licence

_METADATA = MetaData()

INTERIM = Table(
    "interim",
    _METADATA,
    Column("identifier", Text, primary_key=True),
    Column("seals", Integer, primary_key=True),
    Column("document", Text, nullable=False),
    Column("at", Text, nullable=False),
    sqlite_strict=True,
)
"""One row for each seal but the last: whoever comes second to the same seal violates the primary key."""


def insert_interim(
    connection: Connection, identifier: str, evidence: DocumentEvidence, *, seals: int, at: datetime
) -> None:
    """The document with so many seals is on record; the first of all makes the table."""
    _prepare(connection)
    row = {"identifier": identifier, "seals": seals, "document": canonical_json(asdict(evidence)).decode()}
    connection.execute(
        insert(INTERIM).values(**row, at=at.astimezone(UTC).isoformat(timespec="microseconds"))
    )


def interim_of(connection: Connection, licence: Licence) -> tuple[DocumentEvidence, ...]:
    """Return the licence's documents between seals, fewest seals first; most licences have none."""
    if not licence.joint_authorities:
        return ()
    rows = select(INTERIM).where(INTERIM.c.identifier == str(licence.identifier))
    try:
        found = connection.execute(rows.order_by(INTERIM.c.seals)).all()
    except OperationalError as error:
        # A register gets the table with its first joint licence.
        if f"no such table: {INTERIM.name}" in str(error.orig):
            return ()
        raise
    return tuple(_evidence(row.document) for row in found)


def _evidence(text: str) -> DocumentEvidence:
    values = json.loads(text)
    return DocumentEvidence(**{**values, "byte_range": tuple(values["byte_range"])})


def _prepare(connection: Connection) -> None:
    """The table is there, and nothing in it can be changed or deleted."""
    _METADATA.create_all(connection)
    for what in ("UPDATE", "DELETE"):
        connection.exec_driver_sql(
            f"CREATE TRIGGER IF NOT EXISTS interim_no_{what.lower()} BEFORE {what} ON interim "
            "BEGIN SELECT RAISE(ABORT, 'a seal on record is final'); END"
        )
