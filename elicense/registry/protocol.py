"""What issuing and verifying need from a register: no more than these methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from elicense.errors import ElicenseError
    from elicense.model import Licence, LicenceDraft, LicenceState, LicenceStatus


@dataclass(frozen=True, slots=True)
class Intent:
    """What was about to be made, recorded before the key moves; the same intent gives the same bytes."""

    template_digest: str
    """SHA-256 of the licence type's folder."""
    engine: str
    """Versions of what shapes the bytes: fonts, deflate, QR, fill grammar."""
    seal: str
    """Which seal: its number, and the SHA-256 of what it looks like."""
    certificate: str
    """SHA-256 of the signer's certificate."""
    capacity: int
    """Bytes reserved for the signature."""
    profile: str
    """B-B or B-T."""


@dataclass(frozen=True, slots=True)
class DocumentEvidence:
    """What the register knows of a finished document."""

    sha256: str
    """Of the whole file."""
    size: int
    """Bytes."""
    byte_range: tuple[int, int, int, int]
    """Of the sealing signature; of a joint document's last one."""
    profile: str
    """B-B or B-T as made; B-T, B-LT or B-LTA for an archive copy."""
    timestamp_pending: bool
    """True if B-T was asked for and the authority did not answer."""


@dataclass(frozen=True, slots=True)
class LicenceRecord:
    """One licence in the register."""

    licence: Licence
    """Frozen content."""
    state: LicenceState
    """Where it stands."""
    intent: Intent
    """As recorded with the reservation."""
    document: DocumentEvidence | None
    """Present from ISSUED on."""
    changed_at: datetime
    """Last change of state, UTC."""
    reason: str | None
    """Reason of a suspension, revocation or void."""
    archive_copies: tuple[DocumentEvidence, ...] = ()
    """Later revisions of the document (proof of time, long-term validation data), oldest first."""
    interim: tuple[DocumentEvidence, ...] = ()
    """The documents of a joint licence between its seals; the first bears one seal, each one more."""


@dataclass(frozen=True, slots=True)
class StateChange:
    """One line of a licence's history; lines are added, never changed."""

    state: LicenceState
    """The state from then on."""
    at: datetime
    """When, UTC."""
    reason: str | None
    """As given with a suspension, its lifting, a revocation or a void."""


class Reservation(NamedTuple):
    """One of a group of reservations, as `Registry.reserve` takes it."""

    draft: LicenceDraft
    """Checked content, or a proposed licence."""
    number: Callable[[int], str]
    """Turns the sequence into the printed number."""
    intent: Intent
    """What is about to be made."""
    idempotency_key: str | None = None
    """The request's own name within its authority."""


class Finished(NamedTuple):
    """One of a group of finished documents, as `Registry.commit` takes it."""

    record: LicenceRecord
    """As the register gave it; its content is frozen, its state is looked up again."""
    document: DocumentEvidence
    """What was stored."""


class Registry(Protocol):
    """The register of licences."""

    def propose(
        self, draft: LicenceDraft, *, number: Callable[[int], str], at: datetime, ahead: int = 0
    ) -> Licence:
        """Return the licence that `reserve` would most probably make of `draft` now, and will if it is given it.

        Nothing is taken, on record or kept from anybody. Identifier and document id are this licence's own from here
        on; the number is a guess from what this process has seen, `ahead` others of its sequence being proposed
        before it. Raises what `number` raises.
        """

    def reserve(
        self,
        draft: LicenceDraft,
        *,
        number: Callable[[int], str],
        intent: Intent,
        at: datetime,
        idempotency_key: str | None = None,
    ) -> LicenceRecord:
        """Take the next sequence of (authority, type, year), freeze the content, commit RESERVED.

        `number` turns the sequence into the printed number. A proposed licence in place of the draft is reserved as it
        is if its number is that one, otherwise with that number in place of its own. The same idempotency key with the
        same draft returns the existing record, whatever its state.
        Raises IdempotencyConflict, NumberTaken (also for a licence that is on record already), RegistryError.
        """

    def reserve_group(
        self, wanted: Sequence[Reservation], *, at: datetime
    ) -> tuple[LicenceRecord | ElicenseError, ...]:
        """Do what `reserve` does for each of `wanted`, in their order, in one transaction; return what became of each.

        A refusal stands in its place as the error that `reserve` would raise; it costs no sequence and keeps none of
        the others from its number. Raises RegistryError, and then nothing of the group is reserved.
        """

    def find_request(self, authority_code: str, idempotency_key: str) -> LicenceRecord | None:
        """Return the record that this authority's idempotency key made, if any."""

    def find_requests(
        self, authority_code: str, idempotency_keys: Sequence[str]
    ) -> Mapping[str, LicenceRecord]:
        """Return the records that these keys of this authority made, by key; a key that made none is missing."""

    def commit(self, identifier: str, evidence: DocumentEvidence, *, at: datetime) -> LicenceRecord:
        """RESERVED -> ISSUED with evidence; the same evidence again is a no-op.

        Raises IllegalTransition for other evidence or another state, or if a joint licence lacks an earlier seal,
        LicenceNotFound.
        """

    def commit_group(
        self, finished: Sequence[Finished], *, at: datetime
    ) -> tuple[LicenceRecord | ElicenseError, ...]:
        """Do what `commit` does for each of `finished`, in one transaction; return what became of each.

        A refusal stands in its place as the error that `commit` would raise. Raises RegistryError, and then nothing of
        the group is committed.
        """

    def add_archive_copy(self, identifier: str, evidence: DocumentEvidence, *, at: datetime) -> LicenceRecord:
        """Put a later revision of a finished document on record; the same evidence again is a no-op.

        The state does not change. Raises IllegalTransition if the licence has no document, LicenceNotFound.
        """

    def add_interim(
        self, identifier: str, evidence: DocumentEvidence, *, seals: int, at: datetime
    ) -> LicenceRecord:
        """Put the document of a joint licence on record that bears `seals` seals and waits for more.

        It stays RESERVED; the same evidence for the same number of seals again is a no-op. Raises IllegalTransition
        if it is not RESERVED, another document bears as many seals, or seals are missing before or after it,
        LicenceNotFound.
        """

    def void(self, identifier: str, *, reason: str, at: datetime) -> LicenceRecord:
        """RESERVED -> VOID, number spent, reason on record. Raises IllegalTransition, LicenceNotFound."""

    def change_state(
        self, identifier: str, state: LicenceState, *, reason: str, at: datetime
    ) -> LicenceRecord:
        """ISSUED <-> SUSPENDED, either -> REVOKED or SUPERSEDED.

        Raises IllegalTransition, LicenceNotFound.
        """

    def get(self, identifier: str) -> LicenceRecord:
        """Return the record. Raises LicenceNotFound."""

    def find_document(self, sha256: str) -> LicenceRecord | None:
        """Return the record whose finished document, or one of its archive copies, has this digest, if any."""

    def history(self, identifier: str) -> tuple[StateChange, ...]:
        """Return all changes of state, oldest first. Raises LicenceNotFound."""

    def unfinished(self) -> tuple[LicenceRecord, ...]:
        """Return all RESERVED records, oldest first."""

    def status(self, identifier: str, *, at: datetime) -> LicenceStatus:
        """Return whether the licence is in force at `at`, from its history up to then and its validity.

        NOT_KNOWN if the register has no such licence, or `at` is before its document was finished.
        """


class DocumentStore(Protocol):
    """Write-once store of finished documents, by content hash."""

    def put(self, document: bytes, sha256: str | None = None) -> str:
        """Store durably (fsync) and return the SHA-256; storing the same bytes again is a no-op.

        Whoever has worked out the SHA-256 already may say it; it is not checked here, but by every `get`.
        """

    def put_group(self, documents: Mapping[str, bytes]) -> None:
        """Store every document durably under its SHA-256, which the caller worked out and nobody checks here.

        Killed or refused before the end, each one is there whole or not at all. Raises RegistryError.
        """

    def get(self, sha256: str) -> bytes:
        """Return the bytes, their hash checked.

        Raises LicenceNotFound if absent, RegistryError if damaged.
        """
