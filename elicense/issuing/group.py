"""Many requests through the issuing line, its durable steps taken for all of them together.

The steps, their order and what each leaves behind are those of `line`:

1. what the register has for the requests' idempotency keys; draft of each
2. seal and path, once for each keeper: all requests of a group have the same moment
3. rehearsal of each that is new
4. registry.reserve_group: one transaction
5. each: fill, preflight, signing, verification by the policy outsiders use
6. store.put_group: all written, all on the disk
7. registry.commit_group: one transaction

A request that is refused before 4 leaves nothing behind and keeps nobody else from being issued. What concerns the
office and not the request (certificate at its end, key away, disk full) stops the group: what is sealed by then is
stored and committed, the rest waits, and the same group again goes on from there.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from elicense.errors import ElicenseError, InvalidLicenceData
from elicense.issuing.asking import asked, means_of, rehearse
from elicense.issuing.line import evidence_of, make, no_step, voided
from elicense.issuing.office import Step
from elicense.issuing.outcome import GroupOutcome, Outcome, Result
from elicense.model import LicenceState
from elicense.registry.assigning import counter_of
from elicense.registry.protocol import Finished, Reservation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from elicense.issuing.asking import Asked, Means, Rehearsed
    from elicense.issuing.office import IssuingOffice
    from elicense.model import IssueRequest
    from elicense.registry.protocol import LicenceRecord
    from elicense.signing.pades import SealedDocument


def issue_group(
    requests: Sequence[IssueRequest],
    office: IssuingOffice,
    *,
    at: datetime,
    on_step: Callable[[Step], None] = no_step,
) -> GroupOutcome:
    """Every request that can be is ISSUED, as by `line.issue`; return what became of each.

    Nothing is raised for a request or for the office: the outcome says it. Joint documents are refused, for they go
    from one authority to the next.

    Args:
        requests: unchecked values; an idempotency key makes a request repeatable.
        office: what to issue with.
        at: the moment of all, UTC; becomes the claimed time of signing.
        on_step: told of every step passed; RESERVED, STORED and COMMITTED once for the group.
    """
    group = _Group(requests, office, at=at, on_step=on_step)
    begun = group.begin()
    # Killed here: the numbers are on record, nobody has seen a document. The same group again, or `resume`, goes on.
    sealed = group.make(begun)
    # Killed here: sealed documents existed in this process's memory only.
    group.finish(sealed)
    return group.outcome()


def changed_requests(
    requests: Sequence[IssueRequest], office: IssuingOffice, *, at: datetime
) -> tuple[ElicenseError | None, ...]:
    """Return for each request why it is not the one that its idempotency key came with before, None if it is or is new.

    Raises:
        RegistryError: the register cannot be asked.
    """
    return _Group(requests, office, at=at, on_step=no_step).changes()


class _Group:
    """The work on one group: the outcomes so far, and what stopped it."""

    def __init__(
        self,
        requests: Sequence[IssueRequest],
        office: IssuingOffice,
        *,
        at: datetime,
        on_step: Callable[[Step], None],
    ) -> None:
        self._requests, self._office, self._at, self._on_step = requests, office, at, on_step
        self._outcomes = [Outcome(Result.UNTOUCHED, None, None)] * len(requests)
        self._twins: dict[int, int] = {}
        self._means: dict[tuple[str, str], Means] = {}
        self._rehearsed: dict[int, Rehearsed] = {}
        self._proposed: Counter[tuple[str, str, int]] = Counter()
        self._stopped_by: ElicenseError | None = None

    def outcome(self) -> GroupOutcome:
        """Return what became of the group."""
        for place, first in self._twins.items():
            same = self._outcomes[first]
            self._outcomes[place] = replace(same, result=Result.EARLIER) if same.error is None else same
        return GroupOutcome(tuple(self._outcomes), self._stopped_by)

    def changes(self) -> tuple[ElicenseError | None, ...]:
        """Return what is wrong with those requests whose keys the register knows."""
        known = self._known()
        found: list[ElicenseError | None] = []
        for request in self._requests:
            before = known.get(_name(request))
            try:
                if before is not None:
                    self._asked(request, before)
                found.append(None)
            except ElicenseError as error:
                found.append(error)
        return tuple(found)

    # --- Until the reservation: a refusal leaves nothing behind ---

    def begin(self) -> dict[int, LicenceRecord]:
        """Return by place what is RESERVED, now or since an earlier run; all else has its outcome."""
        wanted: dict[int, Reservation] = {}
        found: dict[int, LicenceRecord] = {}
        try:
            known = self._known()
            for place, request in enumerate(self._requests):
                step = self._prepared(place, request, known.get(_name(request)))
                if isinstance(step, Outcome):
                    self._outcomes[place] = step
                elif isinstance(step, Reservation):
                    wanted[place] = step
                else:
                    found[place] = step
            answers = self._office.registry.reserve_group(list(wanted.values()), at=self._at)
        except ElicenseError as error:
            self._stop(found, error)
            return {}
        for place, answer in zip(wanted, answers, strict=True):
            if isinstance(answer, ElicenseError):
                self._outcomes[place] = Outcome(Result.REFUSED, None, answer)
            else:
                found[place] = answer
        self._on_step(Step.RESERVED)
        return self._distinct(found)

    def _prepared(
        self, place: int, request: IssueRequest, before: LicenceRecord | None
    ) -> Outcome | LicenceRecord | Reservation:
        """Return what a request comes to: its outcome, what is RESERVED for it since before, or what to reserve.

        Raises ElicenseError for what concerns the office.
        """
        try:
            one = self._asked(request, before)
        except ElicenseError as error:
            return Outcome(Result.REFUSED, None, error)
        if before is not None and before.state is not LicenceState.RESERVED:
            return _settled(before)
        intent, compiled = self._means_of(one)
        if before is not None:
            return before
        counter = counter_of(one.draft)
        try:
            licence = self._office.registry.propose(
                one.draft, number=one.number, at=self._at, ahead=self._proposed[counter]
            )
            self._rehearsed[place] = rehearse(licence, one.licence_type, compiled)
        except ElicenseError as error:
            return Outcome(Result.REFUSED, None, error)
        self._proposed[counter] += 1
        return Reservation(licence, one.number, intent, request.idempotency_key)

    def _known(self) -> dict[tuple[str, str | None], LicenceRecord]:
        """Return what the register has for the requests' keys, by authority and key."""
        keys: dict[str, list[str]] = {}
        for request in self._requests:
            if request.idempotency_key is not None:
                keys.setdefault(request.authority_code, []).append(request.idempotency_key)
        return {
            (authority, key): record
            for authority, wanted in keys.items()
            for key, record in self._office.registry.find_requests(authority, wanted).items()
        }

    def _asked(self, request: IssueRequest, before: LicenceRecord | None) -> Asked:
        """Return the request, checked. Raises as `asked`, for this request only."""
        if request.joint_authority_codes:
            raise InvalidLicenceData(
                "a document of several authorities is not issued in a group: issue it by itself",
                "联合发文不能批量签发：请逐份办理",
                field="joint_authority_codes",
            )
        return asked(request, self._office, before, at=self._at)

    def _means_of(self, one: Asked) -> Means:
        """Return what the type's documents are made with now. Raises as `means_of`, for the whole office."""
        which = (one.keeper.authority.code, one.licence_type.slug)
        found = self._means.get(which)
        if found is None:
            found = self._means[which] = means_of(one, self._office, at=self._at)
        return found

    def _distinct(self, found: Mapping[int, LicenceRecord]) -> dict[int, LicenceRecord]:
        """Return each RESERVED licence at its first place only; the rest has its outcome, or shares that place's."""
        first: dict[str, int] = {}
        for place, record in sorted(found.items()):
            if record.state is not LicenceState.RESERVED:
                # Another worker has finished this key's licence since it was looked up.
                self._outcomes[place] = _settled(record)
            elif first.setdefault(str(record.licence.identifier), place) != place:
                self._twins[place] = first[str(record.licence.identifier)]
        return {place: found[place] for place in first.values()}

    # --- From the reservation on ---

    def make(self, begun: Mapping[int, LicenceRecord]) -> dict[int, tuple[LicenceRecord, SealedDocument]]:
        """Return by place the documents that were sealed and believed; all others have their outcome."""
        sealed = {}
        for place, record in begun.items():
            if self._stopped_by is not None:
                self._outcomes[place] = Outcome(Result.WAITING, record, self._stopped_by)
                continue
            try:
                sealed[place] = (
                    record,
                    make(
                        record,
                        self._office,
                        at=self._at,
                        on_step=self._on_step,
                        # Taken out: the plans of a group are not kept beside its documents.
                        rehearsed=self._rehearsed.pop(place, None),
                    ),
                )
            except ElicenseError as error:
                self._outcomes[place] = self._unmade(record, error)
        return sealed

    def _unmade(self, record: LicenceRecord, error: ElicenseError) -> Outcome:
        """Return the outcome of a document that could not be made; the group stops unless it was its own fault."""
        try:
            found = self._office.registry.get(str(record.licence.identifier))
        except ElicenseError as trouble:
            found, error = record, trouble
        if found.state is LicenceState.VOID:
            return Outcome(Result.VOID, found, error)
        # Key away, or outsiders would not believe the seal: it would be the same with the next.
        self._stopped_by = error
        return Outcome(Result.WAITING, found, error)

    def finish(self, sealed: Mapping[int, tuple[LicenceRecord, SealedDocument]]) -> None:
        """Every document is stored and then ISSUED, or waits for the next run."""
        try:
            self._office.store.put_group({one.sha256: one.pdf for _, one in sealed.values()})
            self._on_step(Step.STORED)
            # Killed here: the documents lie durably in the store, and nobody knows their names. See `line`.
            finished = [Finished(record, evidence_of(record, one)) for record, one in sealed.values()]
            answers = self._office.registry.commit_group(finished, at=self._at)
            self._on_step(Step.COMMITTED)
        except ElicenseError as error:
            self._stop({place: record for place, (record, _) in sealed.items()}, error)
            return
        for place, answer in zip(sealed, answers, strict=True):
            if isinstance(answer, ElicenseError):
                self._outcomes[place] = self._overtaken(sealed[place][0], answer)
            else:
                self._outcomes[place] = Outcome(Result.ISSUED, answer, None)

    def _overtaken(self, record: LicenceRecord, error: ElicenseError) -> Outcome:
        """Return the outcome of a licence that somebody else finished or voided meanwhile; his word counts."""
        try:
            return _settled(self._office.registry.get(str(record.licence.identifier)))
        except ElicenseError:
            return Outcome(Result.WAITING, record, error)

    # --- Outcomes ---

    def _stop(self, waiting: Mapping[int, LicenceRecord], error: ElicenseError) -> None:
        """The group ends with `error`; what is RESERVED waits."""
        self._stopped_by = self._stopped_by or error
        for place, record in waiting.items():
            self._outcomes[place] = Outcome(Result.WAITING, record, error)


def _name(request: IssueRequest) -> tuple[str, str | None]:
    """Return what the register may know a request by; one without a key is known by nothing."""
    return request.authority_code, request.idempotency_key


def _settled(record: LicenceRecord) -> Outcome:
    """Return the outcome of a request whose licence was finished, or voided, before."""
    if record.document is not None:
        return Outcome(Result.EARLIER, record, None)
    return Outcome(Result.VOID, record, voided(record))
