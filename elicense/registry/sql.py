"""The register on SQLite: every step one transaction, on the disk before it is answered.

What guards the promises is the database, not this code's reading of it: unique constraints for numbers
and identifiers, one writer at a time (`BEGIN IMMEDIATE`), triggers that refuse to change history or frozen
content. A connection must not cross a fork: make the register in the process that uses it.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sqlite3
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy import Engine, Row, create_engine, event, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from elicense.encoding import canonical_json, draft_digest, licence_to_json
from elicense.errors import ConfigurationError, IllegalTransition, LicenceNotFound, RegistryError
from elicense.model import InForce, LicenceState, LicenceStatus
from elicense.registry import groups, rules
from elicense.registry.assigning import Assigned, assign, counter_of
from elicense.registry.protocol import LicenceRecord
from elicense.registry.rows import (
    copies_on_record,
    dump,
    find_record,
    history_of,
    licence_in,
    record_in,
    time_text,
)
from elicense.registry.schema import (
    ARCHIVE_COPY,
    COUNTER,
    HISTORY,
    INTERIM,
    LICENCE,
    REQUEST,
    prepare_schema,
    require_schema,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection
    from sqlalchemy.engine.interfaces import DBAPIConnection

    from elicense.errors import ElicenseError
    from elicense.model import Licence, LicenceDraft
    from elicense.registry.assigning import Counter
    from elicense.registry.protocol import DocumentEvidence, Finished, Intent, Reservation, StateChange

BUSY_SECONDS = 10
"""How long a writer waits for another one before it gives up."""


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
        # Last sequence of each counter as this process saw it: for guesses only, numbers come from the database.
        self._last: dict[Counter, int] = {}
        self._engine = _open_engine(self.path, read_only=read_only)
        # Readers begin DEFERRED: they see one snapshot and wait for nobody but a committing writer.
        self._reader = self._engine.execution_options(elicense_begin="BEGIN DEFERRED")
        if not read_only:
            with self._writing() as connection:
                prepare_schema(connection)
        with self._reading() as connection:
            require_schema(connection, self.path)

    def close(self) -> None:
        """All connections are closed."""
        self._engine.dispose()

    def propose(
        self, draft: LicenceDraft, *, number: Callable[[int], str], at: datetime, ahead: int = 0
    ) -> Licence:
        """See Registry.propose; the database is not asked."""
        text = number(self._last.get(counter_of(draft), 0) + 1 + ahead)
        return rules.new_licence(draft, number=text, at=at, entropy=self._entropy)

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
        digest, counter = draft_digest(draft), counter_of(draft)
        with self._writing() as connection:
            if idempotency_key is not None:
                known = _request(connection, draft.authority.code, idempotency_key)
                if known is not None:
                    if known.draft_sha256 != digest:
                        raise rules.conflict(idempotency_key)
                    return find_record(connection, known.identifier)
            sequence = _next_sequence(connection, counter)
            # An error of number() rolls the counter back with everything else: no gap.
            licence = rules.numbered(draft, number=number(sequence), at=at, entropy=self._entropy)
            record = LicenceRecord(licence, LicenceState.RESERVED, intent, None, at, None)
            try:
                _insert(connection, record, sequence)
            except IntegrityError as error:
                raise rules.number_taken(licence.number) from error
            if idempotency_key is not None:
                connection.execute(
                    insert(REQUEST).values(
                        authority=draft.authority.code,
                        key=idempotency_key,
                        draft_sha256=digest,
                        identifier=str(licence.identifier),
                    )
                )
        self._last[counter] = sequence
        return record

    def reserve_group(
        self, wanted: Sequence[Reservation], *, at: datetime
    ) -> tuple[LicenceRecord | ElicenseError, ...]:
        """See Registry.reserve_group."""
        digests = [draft_digest(one.draft) for one in wanted]
        taken: set[str] = set()
        with self._writing() as connection:
            known = groups.known_requests(connection, wanted)
            before = groups.last_sequences(connection, [one.draft for one in wanted])
            while True:
                answers = assign(
                    wanted, digests, known=known, last=dict(before), taken=taken, at=at, entropy=self._entropy
                )
                fresh = [one for one in answers if isinstance(one, Assigned)]
                # A number in use is seldom met: then the group is numbered again without it.
                in_use = groups.numbers_in_use(connection, [one.record.licence.number for one in fresh])
                if not in_use:
                    break
                taken |= in_use
            groups.write_reservations(connection, fresh, at)
        self._last.update({counter_of(one.record.licence): one.sequence for one in fresh})
        return tuple(one.record if isinstance(one, Assigned) else one for one in answers)

    def find_request(self, authority_code: str, idempotency_key: str) -> LicenceRecord | None:
        """See Registry.find_request."""
        with self._reading() as connection:
            known = _request(connection, authority_code, idempotency_key)
            return find_record(connection, known.identifier) if known is not None else None

    def find_requests(
        self, authority_code: str, idempotency_keys: Sequence[str]
    ) -> Mapping[str, LicenceRecord]:
        """See Registry.find_requests."""
        with self._reading() as connection:
            # A group is about to be proposed: so many numbers that what others have taken meanwhile is worth a look.
            self._last.update(groups.counters(connection, authority_code))
            known = groups.find_known(connection, authority_code, idempotency_keys)
            return {key: one.record for key, one in known.items()}

    def commit(self, identifier: str, evidence: DocumentEvidence, *, at: datetime) -> LicenceRecord:
        """See Registry.commit."""
        with self._writing() as connection:
            return _commit(connection, identifier, evidence, at)

    def commit_group(
        self, finished: Sequence[Finished], *, at: datetime
    ) -> tuple[LicenceRecord | ElicenseError, ...]:
        """See Registry.commit_group."""
        with self._writing() as connection:
            names = [str(one.record.licence.identifier) for one in finished]
            waiting = groups.waiting(connection, names)
            # A joint document's earlier seals are counted, and a second of the same is compared: those go one by one.
            plain = {
                name: one
                for name, one in zip(reversed(names), reversed(finished), strict=True)
                if name in waiting and not one.record.licence.joint_authorities
            }
            groups.write_documents(connection, {name: one.document for name, one in plain.items()}, at)
            return tuple(
                replace(one.record, state=LicenceState.ISSUED, document=one.document, changed_at=at)
                if plain.get(name) is one
                else _commit_one(connection, name, one.document, at)
                for name, one in zip(names, finished, strict=True)
            )

    def add_archive_copy(self, identifier: str, evidence: DocumentEvidence, *, at: datetime) -> LicenceRecord:
        """See Registry.add_archive_copy."""
        with self._writing() as connection:
            if rules.require_copy(find_record(connection, identifier), evidence):
                connection.execute(
                    insert(ARCHIVE_COPY).values(
                        identifier=identifier,
                        sha256=evidence.sha256,
                        document=dump(evidence),
                        at=time_text(at),
                    )
                )
            return find_record(connection, identifier)

    def void(self, identifier: str, *, reason: str, at: datetime) -> LicenceRecord:
        """See Registry.void."""
        with self._writing() as connection:
            rules.require_void(find_record(connection, identifier))
            _enter(connection, identifier, LicenceState.VOID, at, reason)
            return find_record(connection, identifier)

    def change_state(
        self, identifier: str, state: LicenceState, *, reason: str, at: datetime
    ) -> LicenceRecord:
        """See Registry.change_state."""
        with self._writing() as connection:
            rules.require_change(find_record(connection, identifier), state)
            _enter(connection, identifier, state, at, reason)
            return find_record(connection, identifier)

    def get(self, identifier: str) -> LicenceRecord:
        """See Registry.get."""
        with self._reading() as connection:
            return find_record(connection, identifier)

    def find_document(self, sha256: str) -> LicenceRecord | None:
        """See Registry.find_document."""
        with self._reading() as connection:
            row = connection.execute(select(LICENCE).where(LICENCE.c.document_sha256 == sha256)).one_or_none()
            if row is not None:
                return record_in(connection, row)
            copies = copies_on_record(connection, ARCHIVE_COPY.c.sha256 == sha256)
            return find_record(connection, copies[0].identifier) if copies else None

    def add_interim(
        self, identifier: str, evidence: DocumentEvidence, *, seals: int, at: datetime
    ) -> LicenceRecord:
        """See Registry.add_interim."""
        with self._writing() as connection:
            if rules.require_interim(find_record(connection, identifier), evidence, seals):
                row = {
                    "identifier": identifier,
                    "seals": seals,
                    "document": dump(evidence),
                    "at": time_text(at),
                }
                connection.execute(insert(INTERIM).values(**row))
            return find_record(connection, identifier)

    def history(self, identifier: str) -> tuple[StateChange, ...]:
        """See Registry.history."""
        with self._reading() as connection:
            find_record(connection, identifier)
            return history_of(connection, identifier)

    def unfinished(self) -> tuple[LicenceRecord, ...]:
        """See Registry.unfinished."""
        waiting = select(LICENCE).where(LICENCE.c.state == LicenceState.RESERVED.value)
        with self._reading() as connection:
            rows = connection.execute(waiting.order_by(LICENCE.c.position)).all()
            return tuple(record_in(connection, row) for row in rows)

    def status(self, identifier: str, *, at: datetime) -> LicenceStatus:
        """See Registry.status."""
        with self._reading() as connection:
            row = connection.execute(select(LICENCE).where(LICENCE.c.identifier == identifier)).one_or_none()
            if row is None:
                return LicenceStatus(InForce.NOT_KNOWN, at)
            return rules.status_at(licence_in(row).validity, history_of(connection, identifier), at=at)

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


def _next_sequence(connection: Connection, counter: Counter) -> int:
    """Return the next number of (authority, type, year), taken within this transaction."""
    key = dict(zip(("authority", "type", "year"), counter, strict=True))
    step = update(COUNTER).filter_by(**key).values(last=COUNTER.c.last + 1).returning(COUNTER.c.last)
    sequence: int | None = connection.execute(step).scalar_one_or_none()
    if sequence is None:
        connection.execute(insert(COUNTER).values(**key, last=1))
        return 1
    return sequence


def _insert(connection: Connection, record: LicenceRecord, sequence: int) -> None:
    """`record` is a new row with the first line of its history."""
    licence = record.licence
    content = canonical_json(licence_to_json(licence))
    connection.execute(
        insert(LICENCE).values(
            identifier=str(licence.identifier),
            number=licence.number,
            authority=licence.authority.code,
            type=licence.type,
            year=licence.issued_on.year,
            sequence=sequence,
            content=content.decode(),
            content_sha256=hashlib.sha256(content).hexdigest(),
            intent=dump(record.intent),
            state=record.state.value,
            changed_at=time_text(record.changed_at),
        )
    )
    _enter(connection, str(licence.identifier), record.state, record.changed_at, None)


def _commit(
    connection: Connection, identifier: str, evidence: DocumentEvidence, at: datetime
) -> LicenceRecord:
    """Return the record, ISSUED with this document. Raises IllegalTransition, LicenceNotFound."""
    if rules.require_commit(find_record(connection, identifier), evidence):
        connection.execute(
            update(LICENCE)
            .where(LICENCE.c.identifier == identifier)
            .values(document=dump(evidence), document_sha256=evidence.sha256)
        )
        _enter(connection, identifier, LicenceState.ISSUED, at, None)
    return find_record(connection, identifier)


def _commit_one(
    connection: Connection, identifier: str, evidence: DocumentEvidence, at: datetime
) -> LicenceRecord | ElicenseError:
    """Return the record as `_commit` does, or why it refuses."""
    try:
        return _commit(connection, identifier, evidence, at)
    except (IllegalTransition, LicenceNotFound) as error:
        return error


def _enter(
    connection: Connection, identifier: str, state: LicenceState, at: datetime, reason: str | None
) -> None:
    """The licence is in `state`, and its history says since when and why."""
    connection.execute(
        update(LICENCE)
        .where(LICENCE.c.identifier == identifier)
        .values(state=state.value, changed_at=time_text(at), reason=reason)
    )
    connection.execute(
        insert(HISTORY).values(identifier=identifier, state=state.value, at=time_text(at), reason=reason)
    )


def _request(connection: Connection, authority: str, key: str) -> Row[Any] | None:
    return connection.execute(select(REQUEST).filter_by(authority=authority, key=key)).one_or_none()
