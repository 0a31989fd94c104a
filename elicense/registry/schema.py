"""The tables of the register on SQLite, and the triggers that keep what is on record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    insert,
    select,
)

from elicense.errors import ConfigurationError
from elicense.model import LicenceState

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.engine import Connection

SCHEMA_VERSION = 1
"""Of the tables an earlier release already wrote; tables added since are made when such a register is opened."""

_STATES = ", ".join(f"'{state}'" for state in LicenceState)
METADATA = MetaData()

VERSION = Table("schema_version", METADATA, Column("version", Integer, nullable=False), sqlite_strict=True)

COUNTER = Table(
    "counter",
    METADATA,
    Column("authority", Text, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("last", Integer, nullable=False),
    sqlite_strict=True,
)

LICENCE = Table(
    "licence",
    METADATA,
    Column("position", Integer, primary_key=True),
    Column("identifier", Text, nullable=False, unique=True),
    Column("number", Text, nullable=False, unique=True),
    Column("authority", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("year", Integer, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("content", Text, nullable=False),
    Column("content_sha256", Text, nullable=False),
    Column("intent", Text, nullable=False),
    Column("state", Text, CheckConstraint(f"state IN ({_STATES})"), nullable=False),
    Column("changed_at", Text, nullable=False),
    Column("reason", Text),
    Column("document_sha256", Text, unique=True),
    Column("document", Text),
    UniqueConstraint("authority", "type", "year", "sequence"),
    sqlite_strict=True,
)
Index("licence_unfinished", LICENCE.c.position, sqlite_where=LICENCE.c.state == LicenceState.RESERVED.value)

HISTORY = Table(
    "history",
    METADATA,
    Column("line", Integer, primary_key=True),
    Column("identifier", Text, nullable=False, index=True),
    Column("state", Text, CheckConstraint(f"state IN ({_STATES})"), nullable=False),
    Column("at", Text, nullable=False),
    Column("reason", Text),
    sqlite_strict=True,
)

REQUEST = Table(
    "idempotency",
    METADATA,
    Column("authority", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("draft_sha256", Text, nullable=False),
    Column("identifier", Text, nullable=False),
    sqlite_strict=True,
)

ARCHIVE_COPY = Table(
    "archive_copy",
    METADATA,
    Column("line", Integer, primary_key=True),
    Column("identifier", Text, nullable=False, index=True),
    Column("sha256", Text, nullable=False, unique=True),
    Column("document", Text, nullable=False),
    Column("at", Text, nullable=False),
    sqlite_strict=True,
)

INTERIM = Table(
    "interim",
    METADATA,
    Column("identifier", Text, primary_key=True),
    Column("seals", Integer, primary_key=True),
    Column("document", Text, nullable=False),
    Column("at", Text, nullable=False),
    sqlite_strict=True,
)
"""A joint document for each seal but the last: whoever comes second to the same seal violates the primary key."""

_LATER = (ARCHIVE_COPY, INTERIM)
"""Tables that registers of earlier releases lack; their first writer makes them."""

_FROZEN = "position, identifier, number, authority, type, year, sequence, content, content_sha256, intent"
_TRIGGERS = tuple(
    f"CREATE TRIGGER IF NOT EXISTS {name} BEFORE {what} BEGIN SELECT RAISE(ABORT, '{why}'); END"
    for name, what, why in (
        ("history_no_update", "UPDATE ON history", "history is append-only"),
        ("history_no_delete", "DELETE ON history", "history is append-only"),
        ("licence_frozen", f"UPDATE OF {_FROZEN} ON licence", "the content of a licence is frozen"),
        ("licence_no_delete", "DELETE ON licence", "a number is never forgotten"),
        (
            "licence_document_once",
            "UPDATE OF document, document_sha256 ON licence WHEN OLD.document IS NOT NULL",
            "a finished document is final",
        ),
        ("idempotency_no_update", "UPDATE ON idempotency", "a request is never forgotten"),
        ("idempotency_no_delete", "DELETE ON idempotency", "a request is never forgotten"),
        ("archive_copy_no_update", "UPDATE ON archive_copy", "a copy on record is final"),
        ("archive_copy_no_delete", "DELETE ON archive_copy", "a copy on record is never forgotten"),
        ("interim_no_update", "UPDATE ON interim", "a seal on record is final"),
        ("interim_no_delete", "DELETE ON interim", "a seal on record is final"),
    )
)


def prepare_schema(connection: Connection) -> None:
    """An empty database, or one of ours, has all our tables and triggers; any other is left alone."""
    if connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema").scalar_one() == 0:
        METADATA.create_all(connection, checkfirst=False)
        connection.execute(insert(VERSION).values(version=SCHEMA_VERSION))
    elif _version(connection) != SCHEMA_VERSION or all(_has_table(connection, one.name) for one in _LATER):
        return
    else:
        METADATA.create_all(connection, tables=_LATER)
    for trigger in _TRIGGERS:
        connection.exec_driver_sql(trigger)


def require_schema(connection: Connection, path: Path) -> None:
    """Return if the database is of our schema. Raises ConfigurationError otherwise."""
    if _version(connection) != SCHEMA_VERSION:
        raise ConfigurationError(
            f"{path} is not a register of schema {SCHEMA_VERSION}: "
            "point to another file, or use the release that wrote it",
            f"{path} 不是版本 {SCHEMA_VERSION} 的登记库：请改用其他文件，或使用写入它的软件版本",
        )


def _version(connection: Connection) -> int | None:
    found = _has_table(connection, VERSION.name)
    return connection.execute(select(VERSION.c.version)).scalar_one_or_none() if found else None


def _has_table(connection: Connection, name: str) -> bool:
    rows = connection.exec_driver_sql(
        "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", (name,)
    )
    return rows.first() is not None
