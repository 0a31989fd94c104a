"""The register on SQLite: every step one transaction, on the disk before it is answered.

What guards the promises is the database, not this code's reading of it: unique constraints for numbers
and identifiers, one writer at a time (`BEGIN IMMEDIATE`), triggers that refuse to change history or frozen
content. A connection must not cross a fork: make the register in the process that uses it.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import sqlite3
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy import (
    CheckConstraint,
    Column,
    Engine,
    Index,
    Integer,
    MetaData,
    Row,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from elicense.encoding import (
    canonical_json,
    draft_digest,
    licence_from_json,
    licence_to_json,
    read_canonical_json,
)
from elicense.errors import ConfigurationError, RegistryError
from elicense.model import InForce, LicenceState, LicenceStatus
from elicense.registry import rules, sealing
from elicense.registry.protocol import DocumentEvidence, Intent, LicenceRecord, StateChange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.engine import Connection
    from sqlalchemy.engine.interfaces import DBAPIConnection

    from elicense.model import LicenceDraft

SCHEMA_VERSION = 1
BUSY_SECONDS = 10
"""How long a writer waits for another one before it gives up."""

_STATES = ", ".join(f"'{state}'" for state in LicenceState)
_METADATA = MetaData()

_VERSION = Table("schema_version", _METADATA, Column("version", Integer, nullable=False), sqlite_strict=True)

_COUNTER = Table(
    "counter",
    _METADATA,
    Column("authority", Text, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("last", Integer, nullable=False),
    sqlite_strict=True,
)

_LICENCE = Table(
    "licence",
    _METADATA,
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
Index("licence_unfinished", _LICENCE.c.position, sqlite_where=_LICENCE.c.state == LicenceState.RESERVED.value)

_HISTORY = Table(
    "history",
    _METADATA,
    Column("line", Integer, primary_key=True),
    Column("identifier", Text, nullable=False, index=True),
    Column("state", Text, CheckConstraint(f"state IN ({_STATES})"), nullable=False),
    Column("at", Text, nullable=False),
    Column("reason", Text),
    sqlite_strict=True,
)

_REQUEST = Table(
    "idempotency",
    _METADATA,
    Column("authority", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("draft_sha256", Text, nullable=False),
    Column("identifier", Text, nullable=False),
    sqlite_strict=True,
)

_FROZEN = "position, identifier, number, authority, type, year, sequence, content, content_sha256, intent"
_TRIGGERS = tuple(
    f"CREATE TRIGGER {name} BEFORE {what} BEGIN SELECT RAISE(ABORT, '{why}'); END"
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
    )
)


def journal_mode(version: tuple[int, int, int]) -> str:
    """Return the journal to use with this SQLite: "WAL", or "TRUNCATE" where WAL may lose commits.

    SQLite before 3.51.3 can lose committed transactions or corrupt the file when a WAL is reset while another
    connection writes; the repair went back into 3.50.7 and 3.44.6. A rollback journal never had the fault.
    """
    mended = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51, 0) or (3, 44, 6) <= version < (3, 45, 0)
    return "WAL" if mended else "TRUNCATE"


class SqlRegistry:
    """A Registry in one SQLite file, safe for several threads and processes on one machine."""

    def __init__(
        self, path: Path, *, read_only: bool = False, entropy: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        """The file at `path` is open and of our schema; if it was not there, only its owner can read it.

        Args:
            path: database file on a local disk (SQLite's locks are not reliable on network file systems).
            read_only: True opens without ever writing; the file must exist.
            entropy: gives n unguessable bytes for serials and document ids.

        Raises:
            ConfigurationError: the file is of another schema, no database, or the journal cannot be set.
            RegistryError: the file cannot be opened.
        """
        self.path = Path(path)
        self._entropy = entropy
        self._engine = _open_engine(self.path, read_only=read_only)
        # Readers begin DEFERRED: they see one snapshot and wait for nobody but a committing writer.
        self._reader = self._engine.execution_options(elicense_begin="BEGIN DEFERRED")
        if not read_only:
            with self._writing() as connection:
                _prepare_schema(connection)
        with self._reading() as connection:
            _require_schema(connection, self.path)

    def close(self) -> None:
        """All connections are closed."""
        self._engine.dispose()

    def reserve(
        self,
        draft: LicenceDraft,
        *,
        number: Callable[[int], str],
        intent: Intent,
        at: datetime,
        idempotency_key: str | None = None,
    ) -> LicenceRecord:
        """See Registry.reserve."""
        digest = draft_digest(draft)
        with self._writing() as connection:
            if idempotency_key is not None:
                known = _request(connection, draft.authority.code, idempotency_key)
                if known is not None:
                    if known.draft_sha256 != digest:
                        raise rules.conflict(idempotency_key)
                    return _record(connection, known.identifier)
            sequence = _next_sequence(connection, draft)
            # An error of number() rolls the counter back with everything else: no gap.
            licence = rules.new_licence(draft, number=number(sequence), at=at, entropy=self._entropy)
            record = LicenceRecord(licence, LicenceState.RESERVED, intent, None, at, None)
            try:
                _insert(connection, record, sequence)
            except IntegrityError as error:
                raise rules.number_taken(licence.number) from error
            if idempotency_key is not None:
                connection.execute(
                    insert(_REQUEST).values(
                        authority=draft.authority.code,
                        key=idempotency_key,
                        draft_sha256=digest,
                        identifier=str(licence.identifier),
                    )
                )
        return record

    def find_request(self, authority_code: str, idempotency_key: str) -> LicenceRecord | None:
        """See Registry.find_request."""
        with self._reading() as connection:
            known = _request(connection, authority_code, idempotency_key)
            return _record(connection, known.identifier) if known is not None else None

    def commit(self, identifier: str, evidence: DocumentEvidence, *, at: datetime) -> LicenceRecord:
        """See Registry.commit."""
        with self._writing() as connection:
            record = _record(connection, identifier)
            if rules.require_commit(record, evidence):
                connection.execute(
                    update(_LICENCE)
                    .where(_LICENCE.c.identifier == identifier)
                    .values(document=_dump(evidence), document_sha256=evidence.sha256)
                )
                _enter(connection, identifier, LicenceState.ISSUED, at, None)
            return _record(connection, identifier)

    def void(self, identifier: str, *, reason: str, at: datetime) -> LicenceRecord:
        """See Registry.void."""
        with self._writing() as connection:
            rules.require_void(_record(connection, identifier))
            _enter(connection, identifier, LicenceState.VOID, at, reason)
            return _record(connection, identifier)

    def change_state(
        self, identifier: str, state: LicenceState, *, reason: str, at: datetime
    ) -> LicenceRecord:
        """See Registry.change_state."""
        with self._writing() as connection:
            rules.require_change(_record(connection, identifier), state)
            _enter(connection, identifier, state, at, reason)
            return _record(connection, identifier)

    def get(self, identifier: str) -> LicenceRecord:
        """See Registry.get."""
        with self._reading() as connection:
            return _record(connection, identifier)

    def find_document(self, sha256: str) -> LicenceRecord | None:
        """See Registry.find_document."""
        with self._reading() as connection:
            row = connection.execute(
                select(_LICENCE).where(_LICENCE.c.document_sha256 == sha256)
            ).one_or_none()
            return _from_row(connection, row) if row is not None else None

    def add_interim(
        self, identifier: str, evidence: DocumentEvidence, *, seals: int, at: datetime
    ) -> LicenceRecord:
        """See Registry.add_interim."""
        with self._writing() as connection:
            if rules.require_interim(_record(connection, identifier), evidence, seals):
                sealing.insert_interim(connection, identifier, evidence, seals=seals, at=at)
            return _record(connection, identifier)

    def history(self, identifier: str) -> tuple[StateChange, ...]:
        """See Registry.history."""
        with self._reading() as connection:
            _record(connection, identifier)
            return _history(connection, identifier)

    def unfinished(self) -> tuple[LicenceRecord, ...]:
        """See Registry.unfinished."""
        waiting = select(_LICENCE).where(_LICENCE.c.state == LicenceState.RESERVED.value)
        with self._reading() as connection:
            rows = connection.execute(waiting.order_by(_LICENCE.c.position)).all()
            return tuple(_from_row(connection, row) for row in rows)

    def status(self, identifier: str, *, at: datetime) -> LicenceStatus:
        """See Registry.status."""
        with self._reading() as connection:
            row = connection.execute(
                select(_LICENCE).where(_LICENCE.c.identifier == identifier)
            ).one_or_none()
            if row is None:
                return LicenceStatus(InForce.NOT_KNOWN, at)
            validity = _from_row(connection, row).licence.validity
            return rules.status_at(validity, _history(connection, identifier), at=at)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """One transaction that no other writer overlaps: committed at the end, undone by any error."""
        with _as_registry_error(self.path), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """One consistent view of the register."""
        with _as_registry_error(self.path), self._reader.begin() as connection:
            yield connection


# --- Opening ---


def _open_engine(path: Path, *, read_only: bool) -> Engine:
    """Return an engine whose connections have our durability settings and begin transactions as we say."""
    if not read_only:
        with _as_registry_error(path):
            # Holder data: not for other users of the machine. Two processes may start at once: no O_EXCL.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    uri = f"file:{quote(str(path.absolute()))}?mode={'ro' if read_only else 'rw'}"

    def connect() -> sqlite3.Connection:
        # isolation_level None: Python opens no transactions of its own, each BEGIN below is ours.
        return sqlite3.connect(
            uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool, pool_size=4, max_overflow=28)
    journal = journal_mode(sqlite3.sqlite_version_info)

    @event.listens_for(engine, "connect")
    def set_durability(connection: DBAPIConnection, _: object) -> None:
        cursor = connection.cursor()
        if not read_only:
            cursor.execute(f"PRAGMA journal_mode={journal}")
            if cursor.fetchall() != [(journal.lower(),)]:
                raise ConfigurationError(
                    f"{path} is open elsewhere in another journal mode: stop the program with another SQLite",
                    f"{path} 正被其他程序以另一种日志模式打开：请先停止该程序（其 SQLite 版本不同）",
                )
        # EXTRA also syncs the folder when a rollback journal ends; under WAL it means FULL.
        cursor.execute("PRAGMA synchronous=EXTRA")
        cursor.execute("PRAGMA trusted_schema=OFF")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # IMMEDIATE: a writer takes its lock first, so what it reads cannot change before it writes.
        options = connection.get_execution_options()
        connection.exec_driver_sql(options.get("elicense_begin", "BEGIN IMMEDIATE"))

    return engine


def _prepare_schema(connection: Connection) -> None:
    """An empty database has our tables and triggers; any other is left alone."""
    tables = connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema").scalar_one()
    if tables == 0:
        _METADATA.create_all(connection, checkfirst=False)
        for trigger in _TRIGGERS:
            connection.exec_driver_sql(trigger)
        connection.execute(insert(_VERSION).values(version=SCHEMA_VERSION))


def _require_schema(connection: Connection, path: Path) -> None:
    found = connection.exec_driver_sql(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'schema_version'"
    ).scalar_one()
    version = connection.execute(select(_VERSION.c.version)).scalar_one_or_none() if found else None
    if version != SCHEMA_VERSION:
        raise ConfigurationError(
            f"{path} is not a register of schema {SCHEMA_VERSION}: "
            "point to another file, or use the release that wrote it",
            f"{path} 不是版本 {SCHEMA_VERSION} 的登记库：请改用其他文件，或使用写入它的软件版本",
        )


@contextmanager
def _as_registry_error(path: Path) -> Iterator[None]:
    """Turn what the database or the disk refuses into one plain sentence."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        why = getattr(error, "orig", None) or error
        if isinstance(why, sqlite3.DatabaseError) and why.sqlite_errorname == "SQLITE_NOTADB":
            raise ConfigurationError(
                f"{path} is not a database: point to the register's file",
                f"{path} 不是数据库：请指向登记库文件",
            ) from error
        raise RegistryError(
            f"the register {path} cannot be used ({why}): "
            "check the disk, its space and who else has the file open, then resume",
            f"登记库 {path} 无法使用（{why}）：请检查磁盘、空间及占用该文件的程序，然后续办",
        ) from error


# --- Rows ---


def _next_sequence(connection: Connection, draft: LicenceDraft) -> int:
    """Return the next number of (authority, type, year), taken within this transaction."""
    key = {"authority": draft.authority.code, "type": draft.type, "year": draft.issued_on.year}
    step = update(_COUNTER).filter_by(**key).values(last=_COUNTER.c.last + 1).returning(_COUNTER.c.last)
    sequence: int | None = connection.execute(step).scalar_one_or_none()
    if sequence is None:
        connection.execute(insert(_COUNTER).values(**key, last=1))
        return 1
    return sequence


def _insert(connection: Connection, record: LicenceRecord, sequence: int) -> None:
    """`record` is a new row with the first line of its history."""
    licence = record.licence
    content = canonical_json(licence_to_json(licence))
    connection.execute(
        insert(_LICENCE).values(
            identifier=str(licence.identifier),
            number=licence.number,
            authority=licence.authority.code,
            type=licence.type,
            year=licence.issued_on.year,
            sequence=sequence,
            content=content.decode(),
            content_sha256=hashlib.sha256(content).hexdigest(),
            intent=_dump(record.intent),
            state=record.state.value,
            changed_at=_time(record.changed_at),
        )
    )
    _enter(connection, str(licence.identifier), record.state, record.changed_at, None)


def _enter(
    connection: Connection, identifier: str, state: LicenceState, at: datetime, reason: str | None
) -> None:
    """The licence is in `state`, and its history says since when and why."""
    connection.execute(
        update(_LICENCE)
        .where(_LICENCE.c.identifier == identifier)
        .values(state=state.value, changed_at=_time(at), reason=reason)
    )
    connection.execute(
        insert(_HISTORY).values(identifier=identifier, state=state.value, at=_time(at), reason=reason)
    )


def _request(connection: Connection, authority: str, key: str) -> Row[Any] | None:
    return connection.execute(select(_REQUEST).filter_by(authority=authority, key=key)).one_or_none()


def _record(connection: Connection, identifier: str) -> LicenceRecord:
    """Return the licence's present. Raises LicenceNotFound."""
    row = connection.execute(select(_LICENCE).where(_LICENCE.c.identifier == identifier)).one_or_none()
    if row is None:
        raise rules.not_found(identifier)
    return _from_row(connection, row)


def _from_row(connection: Connection, row: Row[Any]) -> LicenceRecord:
    """Return the record in a row. Raises RegistryError if its content is not what was frozen."""
    content = row.content.encode()
    if hashlib.sha256(content).hexdigest() != row.content_sha256:
        raise RegistryError(
            f"the register's content of {row.identifier} was altered: restore it from a backup",
            f"登记库中 {row.identifier} 的内容被改动：请从备份恢复",
        )
    document = None
    if row.document is not None:
        values = json.loads(row.document)
        document = DocumentEvidence(**{**values, "byte_range": tuple(values["byte_range"])})
    licence = licence_from_json(read_canonical_json(content))
    return LicenceRecord(
        licence=licence,
        state=LicenceState(row.state),
        intent=Intent(**json.loads(row.intent)),
        document=document,
        changed_at=datetime.fromisoformat(row.changed_at),
        reason=row.reason,
        interim=sealing.interim_of(connection, licence),
    )


def _history(connection: Connection, identifier: str) -> tuple[StateChange, ...]:
    lines = select(_HISTORY).where(_HISTORY.c.identifier == identifier).order_by(_HISTORY.c.line)
    return tuple(
        StateChange(LicenceState(row.state), datetime.fromisoformat(row.at), row.reason)
        for row in connection.execute(lines)
    )


def _dump(value: Intent | DocumentEvidence) -> str:
    """Return the fields of a flat record as JSON text."""
    return canonical_json(asdict(value)).decode()


def _time(at: datetime) -> str:
    """Return `at` as UTC text of one width, so that text order is time order."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
