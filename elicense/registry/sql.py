"""The register on SQLite: every step one transaction, on the disk before it is answered.

What guards the promises is the database, not this code's reading of it: unique constraints for numbers
and identifiers, one writer at a time (`BEGIN IMMEDIATE`), triggers that refuse to change history or frozen
content. A connection must not cross a fork: make the register in the process that uses it.
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import insert, update

from elicense.errors import IllegalTransition, LicenceNotFound
from elicense.model import InForce, LicenceState, LicenceStatus
from elicense.registry import groups, rules
from elicense.registry.assigning import Assigned, assign, counter_of, digests_of, only
from elicense.registry.connections import READS, as_registry_error, open_engine
from elicense.registry.protocol import Reservation
from elicense.registry.rows import (
    dump,
    find_owner,
    find_record,
    find_records,
    find_unfinished,
    history_of,
    time_text,
)
from elicense.registry.schema import ARCHIVE_COPY, HISTORY, INTERIM, LICENCE, prepare_schema, require_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from elicense.errors import ElicenseError
    from elicense.model import Licence, LicenceDraft
    from elicense.registry.assigning import Counter
    from elicense.registry.protocol import DocumentEvidence, Finished, Intent, LicenceRecord, StateChange


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
        self._engine = open_engine(self.path, read_only=read_only)
        # Readers begin DEFERRED: they see one snapshot and wait for nobody but a committing writer.
        self._reader = self._engine.execution_options(**{READS: True})
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
        """See Registry.reserve; it is a group of one."""
        return only(self.reserve_group([Reservation(draft, number, intent, idempotency_key)], at=at))

    def reserve_group(
        self, wanted: Sequence[Reservation], *, at: datetime
    ) -> tuple[LicenceRecord | ElicenseError, ...]:
        """See Registry.reserve_group."""
        digests = digests_of(wanted)
        taken: set[str] = set()
        with self._writing() as connection:
            known = groups.known_requests(connection, wanted)
            before = groups.last_sequences(connection, [one.draft for one in wanted])
            while True:
                answers = assign(
                    wanted, digests, known=known, last=dict(before), taken=taken, at=at, entropy=self._entropy
                )
                fresh = [one for one in answers if isinstance(one, Assigned)]
                # A name in use is seldom met: then the group is numbered again without it.
                in_use = groups.names_in_use(connection, [one.record.licence for one in fresh])
                if not in_use:
                    break
                taken |= in_use
            groups.write_reservations(connection, fresh, at)
        self._last.update({counter_of(one.record.licence): one.sequence for one in fresh})
        return tuple(one.record if isinstance(one, Assigned) else one for one in answers)

    def find_request(self, authority_code: str, idempotency_key: str) -> LicenceRecord | None:
        """See Registry.find_request."""
        return self.find_requests(authority_code, [idempotency_key]).get(idempotency_key)

    def find_requests(
        self, authority_code: str, idempotency_keys: Sequence[str]
    ) -> Mapping[str, LicenceRecord]:
        """See Registry.find_requests."""
        with self._reading() as connection:
            # Most probably something is about to be proposed: what others have taken meanwhile is worth a look.
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
            identifier = find_owner(connection, sha256)
            return None if identifier is None else find_record(connection, identifier)

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
        with self._reading() as connection:
            identifiers = find_unfinished(connection)
            records = find_records(connection, identifiers)
            return tuple(records[identifier] for identifier in identifiers)

    def status(self, identifier: str, *, at: datetime) -> LicenceStatus:
        """See Registry.status."""
        with self._reading() as connection:
            record = find_records(connection, [identifier]).get(identifier)
            if record is None:
                return LicenceStatus(InForce.NOT_KNOWN, at)
            return rules.status_at(record.licence.validity, history_of(connection, identifier), at=at)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """One transaction that no other writer overlaps: committed at the end, undone by any error."""
        with as_registry_error(self.path), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """One consistent view of the register."""
        with as_registry_error(self.path), self._reader.begin() as connection:
            yield connection


# --- Rows ---


def _commit(
    connection: Connection, identifier: str, evidence: DocumentEvidence, at: datetime
) -> LicenceRecord:
    """Return the record, ISSUED with this document. Raises IllegalTransition, LicenceNotFound."""
    record = find_record(connection, identifier)
    if not rules.require_commit(record, evidence):
        return record
    groups.write_documents(connection, {identifier: evidence}, at)
    return replace(record, state=LicenceState.ISSUED, document=evidence, changed_at=at)


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
