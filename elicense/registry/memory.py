"""A register and a store that live as long as the process: for tests, trials and benchmarks."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from elicense.errors import IllegalTransition, LicenceNotFound
from elicense.model import InForce, LicenceState, LicenceStatus
from elicense.registry import rules
from elicense.registry.assigning import Assigned, Known, assign, counter_of, digests_of, only, request_of
from elicense.registry.protocol import LicenceRecord, Reservation, StateChange

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from elicense.errors import ElicenseError
    from elicense.model import Licence, LicenceDraft
    from elicense.registry.protocol import DocumentEvidence, Finished, Intent


class MemoryRegistry:
    """A Registry in dictionaries behind one lock; the same behaviour as SqlRegistry, nothing survives."""

    def __init__(self, *, entropy: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._entropy = entropy
        self._lock = threading.RLock()
        self._counters: Counter[tuple[str, str, int]] = Counter()
        self._records: dict[str, LicenceRecord] = {}
        self._names: set[str] = set()  # printed numbers and identifiers
        self._history: dict[str, list[StateChange]] = {}
        self._requests: dict[tuple[str, str], tuple[str, str]] = {}

    def propose(
        self, draft: LicenceDraft, *, number: Callable[[int], str], at: datetime, ahead: int = 0
    ) -> Licence:
        """See Registry.propose."""
        text = number(self._counters[counter_of(draft)] + 1 + ahead)
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
        with self._lock:
            known = {
                request: Known(self._requests[request][0], self._records[self._requests[request][1]])
                for one in wanted
                if (request := request_of(one)) is not None and request in self._requests
            }
            # It moves the sequences only for what can no longer fail.
            answers = assign(
                wanted, digests,
                known=known, last=self._counters, taken=self._names, at=at, entropy=self._entropy,
            )  # fmt: skip
            return tuple(self._keep(one) if isinstance(one, Assigned) else one for one in answers)

    def _keep(self, one: Assigned) -> LicenceRecord:
        """Return the record; it and its request are known from now on."""
        identifier = str(one.record.licence.identifier)
        self._names |= {one.record.licence.number, identifier}
        if one.request is not None:
            self._requests[one.request] = (one.draft_sha256, identifier)
        self._history[identifier] = []
        return self._write(one.record)

    def find_request(self, authority_code: str, idempotency_key: str) -> LicenceRecord | None:
        """See Registry.find_request."""
        with self._lock:
            found = self._requests.get((authority_code, idempotency_key))
            return self._records[found[1]] if found else None

    def find_requests(
        self, authority_code: str, idempotency_keys: Sequence[str]
    ) -> Mapping[str, LicenceRecord]:
        """See Registry.find_requests."""
        found = {key: self.find_request(authority_code, key) for key in idempotency_keys}
        return {key: record for key, record in found.items() if record is not None}

    def commit(self, identifier: str, evidence: DocumentEvidence, *, at: datetime) -> LicenceRecord:
        """See Registry.commit."""
        with self._lock:
            record = self.get(identifier)
            if not rules.require_commit(record, evidence):
                return record
            return self._write(replace(record, state=LicenceState.ISSUED, document=evidence, changed_at=at))

    def commit_group(
        self, finished: Sequence[Finished], *, at: datetime
    ) -> tuple[LicenceRecord | ElicenseError, ...]:
        """See Registry.commit_group."""
        with self._lock:
            return tuple(self._commit_one(one, at) for one in finished)

    def _commit_one(self, one: Finished, at: datetime) -> LicenceRecord | ElicenseError:
        try:
            return self.commit(str(one.record.licence.identifier), one.document, at=at)
        except (IllegalTransition, LicenceNotFound) as error:
            return error

    def add_archive_copy(self, identifier: str, evidence: DocumentEvidence, *, at: datetime) -> LicenceRecord:
        """See Registry.add_archive_copy."""
        del at  # kept only where a register outlives its process
        with self._lock:
            record = self.get(identifier)
            if rules.require_copy(record, evidence):
                record = replace(record, archive_copies=(*record.archive_copies, evidence))
                self._records[identifier] = record
            return record

    def void(self, identifier: str, *, reason: str, at: datetime) -> LicenceRecord:
        """See Registry.void."""
        with self._lock:
            record = self.get(identifier)
            rules.require_void(record)
            return self._write(replace(record, state=LicenceState.VOID, reason=reason, changed_at=at))

    def change_state(
        self, identifier: str, state: LicenceState, *, reason: str, at: datetime
    ) -> LicenceRecord:
        """See Registry.change_state."""
        with self._lock:
            record = self.get(identifier)
            rules.require_change(record, state)
            return self._write(replace(record, state=state, reason=reason, changed_at=at))

    def get(self, identifier: str) -> LicenceRecord:
        """See Registry.get."""
        with self._lock:
            record = self._records.get(identifier)
        if record is None:
            raise rules.not_found(identifier)
        return record

    def find_document(self, sha256: str) -> LicenceRecord | None:
        """See Registry.find_document."""
        with self._lock:
            records = tuple(self._records.values())
        return next(
            (
                r
                for r in records
                for known in (r.document, *r.archive_copies)
                if known and known.sha256 == sha256
            ),
            None,
        )

    def add_interim(
        self, identifier: str, evidence: DocumentEvidence, *, seals: int, at: datetime
    ) -> LicenceRecord:
        """See Registry.add_interim."""
        del at  # kept only where a register outlives its process
        with self._lock:
            record = self.get(identifier)
            if rules.require_interim(record, evidence, seals):
                record = replace(record, interim=(*record.interim, evidence))
                self._records[identifier] = record
            return record

    def history(self, identifier: str) -> tuple[StateChange, ...]:
        """See Registry.history."""
        with self._lock:
            self.get(identifier)
            return tuple(self._history[identifier])

    def unfinished(self) -> tuple[LicenceRecord, ...]:
        """See Registry.unfinished."""
        with self._lock:
            return tuple(r for r in self._records.values() if r.state is LicenceState.RESERVED)

    def status(self, identifier: str, *, at: datetime) -> LicenceStatus:
        """See Registry.status."""
        with self._lock:
            record = self._records.get(identifier)
            if record is None:
                return LicenceStatus(InForce.NOT_KNOWN, at)
            return rules.status_at(record.licence.validity, self._history[identifier], at=at)

    def _write(self, record: LicenceRecord) -> LicenceRecord:
        """`record` is the licence's present, and one more line of its history."""
        identifier = str(record.licence.identifier)
        self._records[identifier] = record
        self._history[identifier].append(StateChange(record.state, record.changed_at, record.reason))
        return record


class MemoryStore:
    """A DocumentStore in a dictionary."""

    def __init__(self) -> None:
        self._documents: dict[str, bytes] = {}

    def put(self, document: bytes, sha256: str | None = None) -> str:
        """`document` is kept under its SHA-256, which is returned."""
        sha256 = sha256 or hashlib.sha256(document).hexdigest()
        self._documents[sha256] = document
        return sha256

    def put_group(self, documents: Mapping[str, bytes]) -> None:
        """Every document is kept under its digest."""
        self._documents.update(documents)

    def get(self, sha256: str) -> bytes:
        """Return the document. Raises LicenceNotFound if there is none."""
        try:
            return self._documents[sha256]
        except KeyError:
            raise LicenceNotFound("the document store has no such document", "文件库中没有该文件") from None
