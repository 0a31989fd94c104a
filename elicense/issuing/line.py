"""The issuing line, one straight walk from a request to a sealed licence; `resume` goes on where it stopped.

1. catalogue: type known, values checked, this authority may issue it
2. seal: in date, its keeper's certificate listed, a valid path, and trusted for this authority and type
3. rehearsal: the pages are planned for the licence that the register proposes, so that what cannot be printed is
   never reserved
4. registry.reserve: number, content, signing time, document id and intent on record
5. rendering: the pages written as rehearsed; planned again if the number became another worker's
6. preflight
7. signing
8. verification by the policy outsiders use
9. store
10. registry.commit

A joint document goes through 7 to 10 once for each of its authorities, in their order. Until the last seal it stays
RESERVED, the register knows the document so far, and the verifier's only complaint is that seals are missing.

Up to 3 a refusal leaves nothing behind. From 4 on the number is spent: the line is finished later by
`resume`, from what is on record and with the same bytes wherever the key allows it, or the number is voided
with its reason.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from elicense import preflight
from elicense.errors import (
    ElicenseError,
    IllegalTransition,
    NotAuthorised,
    PreflightFailed,
    RenderingError,
    SigningError,
)
from elicense.issuing.asking import asked, means_of, rehearse
from elicense.issuing.means import as_intended, check_seal, compiled_for, next_keeper, require_usable
from elicense.issuing.office import IssuedLicence, Resumed, Step
from elicense.model import LicenceState
from elicense.registry.protocol import DocumentEvidence
from elicense.registry.rules import STATES_ZH
from elicense.rendering.fill import write
from elicense.rendering.planning import plan
from elicense.rendering.resources import seal_objects
from elicense.seal.drawing import draw_seal
from elicense.signing.further import NextField, seal_further
from elicense.signing.pades import seal_document
from elicense.verification.document import InProcess
from elicense.verification.pipeline import verify
from elicense.verification.report import CheckStatus
from elicense.verification.structure import read_structure

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from elicense.catalogue import LicenceType
    from elicense.issuing.asking import Rehearsed
    from elicense.issuing.office import IssuingOffice
    from elicense.model import IssueRequest
    from elicense.preflight import ClearedDocument
    from elicense.registry.protocol import LicenceRecord
    from elicense.rendering.template import CompiledTemplate
    from elicense.signing.pades import SealedDocument


_SEALS_MISSING = "format.seals_missing"
"""What the verifier says of a joint document between its seals."""


def no_step(_: Step) -> None:
    """Nobody asked."""


def issue(
    request: IssueRequest, office: IssuingOffice, *, at: datetime, on_step: Callable[[Step], None] = no_step
) -> IssuedLicence:
    """The licence asked for is sealed, verified, stored and on record as ISSUED.

    A request with the idempotency key of an earlier one returns its licence, finished now if it was not. A joint
    document gets the seals whose keepers are in this office, one after the other.

    Args:
        request: unchecked values.
        office: what to issue with.
        at: the moment, UTC; becomes the claimed time of signing.
        on_step: told of every step passed.

    Raises:
        UnknownLicenceType, InvalidLicenceData, NotAuthorised, SealError, CertificatePathError,
            RenderingError, PreflightFailed, IdempotencyConflict, NumberTaken: refused, nothing was reserved.
        SigningError, RegistryError, VerificationFailed: the number is reserved; `resume` goes on from there.
        SealAwaited: a joint document is sealed as far as this office can, and on record so far; it waits for an
            authority whose keeper is elsewhere (`seal_next`).
        IllegalTransition: the earlier request of this key was voided.
    """
    record, rehearsed = _reserve(request, office, at=at)
    on_step(Step.RESERVED)
    # Killed here: the number and all content are on record, nobody has seen a document. resume() goes on.
    if record.state is not LicenceState.RESERVED:
        return _issued(record, office)
    return _finish(record, office, at=at, on_step=on_step, rehearsed=rehearsed)


def resume(
    office: IssuingOffice, *, at: datetime, on_step: Callable[[Step], None] = no_step
) -> tuple[Resumed, ...]:
    """Every reservation that could be finished is ISSUED; return what became of each, oldest first.

    One that cannot be finished (key away, certificate expired meanwhile, template changed) stays RESERVED and
    keeps nobody else from being finished; void it, or remove the cause and call again.
    """
    waiting = office.registry.unfinished()
    return tuple(_resume_one(record, office, at=at, on_step=on_step) for record in waiting)


def seal_next(
    identifier: str,
    office: IssuingOffice,
    *,
    at: datetime,
    authority_code: str | None = None,
    on_step: Callable[[Step], None] = no_step,
) -> LicenceRecord:
    """A joint document has one seal more; return its record: RESERVED, or ISSUED with the last seal.

    Args:
        identifier: 证照标识 of the document.
        office: of the authority whose turn it is, on the same register and store as that of the first.
        at: the moment, UTC; becomes the claimed time of this seal.
        authority_code: credit code of the authority that means to seal, if that should be made sure of.
        on_step: told of every step passed.

    Raises:
        LicenceNotFound, IllegalTransition: the register knows no such document, or it waits for no seal.
        SealAwaited, NotAuthorised: it is another authority's turn, or outsiders would not believe this seal.
        ElicenseError: otherwise as `issue`; the register knows the document so far, as it did before.
    """
    record = office.registry.get(identifier)
    if record.state is not LicenceState.RESERVED or not record.licence.joint_authorities:
        raise IllegalTransition(
            f"licence {record.licence.number} is {record.state} and waits for no seal: look at its history first",
            f"证照 {record.licence.number} 当前不待盖章（{STATES_ZH[record.state]}）：请先查看其办理记录",
        )
    authority = record.licence.authorities[len(record.interim)]
    if authority_code not in {None, authority.code}:
        raise NotAuthorised(
            f"document {record.licence.number} now waits for the seal of {authority.name}: seal when it is your turn",
            f"{record.licence.number} 现待{authority.name}盖章：请按顺序盖章",
            field="authority_code",
        )
    record, _ = _seal_once(record, office, at=at, on_step=on_step)
    return record


def _resume_one(
    record: LicenceRecord, office: IssuingOffice, *, at: datetime, on_step: Callable[[Step], None]
) -> Resumed:
    try:
        issued = _finish(record, office, at=at, on_step=on_step)
    except ElicenseError as error:
        return Resumed(office.registry.get(str(record.licence.identifier)), None, error)
    return Resumed(issued.record, issued, None)


# --- Until the reservation: a refusal leaves nothing behind ---


def _reserve(
    request: IssueRequest, office: IssuingOffice, *, at: datetime
) -> tuple[LicenceRecord, Rehearsed | None]:
    """Return the record of this request, reserved now and rehearsed, or found by its idempotency key."""
    key, registry = request.idempotency_key, office.registry
    known = None if key is None else registry.find_request(request.authority_code, key)
    one = asked(request, office, known, at=at)
    if known is not None:
        return known, None
    intent, compiled = means_of(one, office, at=at)
    licence = registry.propose(one.draft, number=one.number, at=at)
    rehearsed = rehearse(licence, one.licence_type, compiled)
    record = registry.reserve(licence, number=one.number, intent=intent, at=at, idempotency_key=key)
    return record, rehearsed


# --- From the reservation on: the same code the first time and after a crash ---


def _finish(
    record: LicenceRecord,
    office: IssuingOffice,
    *,
    at: datetime,
    on_step: Callable[[Step], None],
    rehearsed: Rehearsed | None = None,
) -> IssuedLicence:
    """Return the finished licence of a reservation. See `issue` for what is raised."""
    sealed = None
    while record.state is LicenceState.RESERVED:
        record, sealed = _seal_once(record, office, at=at, on_step=on_step, rehearsed=rehearsed)
    return _issued(record, office, mine=sealed)


def _seal_once(
    record: LicenceRecord,
    office: IssuingOffice,
    *,
    at: datetime,
    on_step: Callable[[Step], None],
    rehearsed: Rehearsed | None = None,
) -> tuple[LicenceRecord, SealedDocument]:
    """The document has its next seal, which is the only one of most; return its record and what was sealed.

    The record is another worker's if that one was first.
    """
    sealed = make(record, office, at=at, on_step=on_step, rehearsed=rehearsed)
    office.store.put(sealed.pdf, sealed.sha256)
    on_step(Step.STORED)
    # Killed here: the document lies durably in the store, and nobody knows its name. Made again by a
    # deterministic key it is the same file; otherwise the orphan is never served.
    record = _recorded(record, sealed, office, last=_is_last(record), at=at)
    on_step(Step.COMMITTED)
    # Killed here: all is done but the answer; the same request, or the register, finds the licence. A document
    # that waits for further seals goes on from the one on record.
    return record, sealed


def _is_last(record: LicenceRecord) -> bool:
    """Return whether the next seal is the last one, which it is of most licences."""
    return len(record.interim) == len(record.licence.joint_authorities)


def make(
    record: LicenceRecord,
    office: IssuingOffice,
    *,
    at: datetime,
    on_step: Callable[[Step], None] = no_step,
    rehearsed: Rehearsed | None = None,
) -> SealedDocument:
    """Return the document of a reservation with its next seal, verified; it is neither stored nor on record.

    Args:
        record: RESERVED.
        office: as for `issue`.
        at: the moment, UTC.
        on_step: told of every step passed.
        rehearsed: what `rehearse` gave for this licence, or for the one proposed in its place, if it did.

    Raises:
        RenderingError, PreflightFailed: the page cannot be made, and the number was voided for it.
        ElicenseError: otherwise as `issue`; the number waits.
    """
    # Failed here (key away, no timestamp): not fatal, the reservation waits; the next resume tries again.
    if record.interim:
        sealed = _further_seal(record, office, at=at, on_step=on_step)
    else:
        sealed = _first_seal(record, office, at=at, on_step=on_step, rehearsed=rehearsed)
    on_step(Step.SEALED)
    # Killed here: a sealed document existed in this process's memory only. A deterministic key makes the same
    # bytes again; another key, or a further seal with its own time, makes others, and only what is on record first
    # ever leaves.
    _require_believed(sealed, office, at=at, last=_is_last(record))
    on_step(Step.VERIFIED)
    # Failed here: outsiders would not believe our own seal, e.g. its certificate expired meanwhile. Fatal for
    # this document, which is dropped unseen; the number waits for a cure or for its void.
    return sealed


def _first_seal(
    record: LicenceRecord,
    office: IssuingOffice,
    *,
    at: datetime,
    on_step: Callable[[Step], None],
    rehearsed: Rehearsed | None,
) -> SealedDocument:
    """Return the document as it is reserved, with its first seal."""
    licence_type, keeper, parties = as_intended(record, office)
    # Again at this moment: a reservation of last year is no right to apply a seal that has expired since.
    check_seal(keeper, licence_type, office, at=at)
    compiled = compiled_for(licence_type, keeper, parties, office, record.intent)
    return seal_document(
        _cleared(record, licence_type, compiled, office, at=at, on_step=on_step, rehearsed=rehearsed),
        keeper.signer,
        timestamps=office.timestamps if record.intent.profile == "B-T" else None,
        on_timestamp_failure=office.on_timestamp_failure,
    )


def _further_seal(
    record: LicenceRecord, office: IssuingOffice, *, at: datetime, on_step: Callable[[Step], None]
) -> SealedDocument:
    """Return the joint document on record with its next seal."""
    licence_type = office.catalogue[record.licence.type]
    keeper = next_keeper(record, office)
    require_usable(keeper, licence_type, office, at=at)
    so_far = record.interim[-1].sha256
    pdf = office.store.get(so_far)
    cleared = preflight.clear_next(pdf, record.licence, on_record=so_far, place=len(record.interim))
    on_step(Step.CLEARED)
    drawing = draw_seal(keeper.seal.art, office.fonts)
    return seal_further(
        cleared,
        keeper.signer,
        next_field=_next_field(pdf, len(record.licence.authorities) - len(record.interim)),
        drawing=partial(seal_objects, drawing),
        at=at,
        timestamps=office.timestamps if record.intent.profile == "B-T" else None,
        on_timestamp_failure=office.on_timestamp_failure,
    )


def _next_field(pdf: bytes, missing: int) -> NextField:
    """Return the field whose turn it is. Raises SigningError unless just so many seals are missing."""
    state = read_structure(pdf).extensible
    if state is None or len(state.prepared) != missing:
        raise SigningError(
            "the document so far is not of the form in which it is issued; look at its record",
            "现有文件不符合签发格式，请核对登记记录",
        )
    number, body = state.prepared[0]
    return NextField(state.tail, number, body, last=missing == 1)


def _cleared(
    record: LicenceRecord,
    licence_type: LicenceType,
    compiled: CompiledTemplate,
    office: IssuingOffice,
    *,
    at: datetime,
    on_step: Callable[[Step], None],
    rehearsed: Rehearsed | None,
) -> ClearedDocument:
    """Return the filled pages, inspected. Raises RenderingError, PreflightFailed after voiding the number."""
    try:
        planned = plan(compiled, record.licence, rehearsed and rehearsed.planned)
        unsigned = write(planned)
        on_step(Step.RENDERED)
        # Killed here and after the next step: nothing outside this process changed since the reservation.
        cleared = preflight.clear(unsigned, record.licence, licence_type, rehearsed and rehearsed.inspected)
    except (RenderingError, PreflightFailed) as error:
        # The same content under the same intent fails for ever: a number too long for its box, longer than the
        # one proposed. Fatal: the number becomes a recorded void, no silent gap.
        identifier = str(record.licence.identifier)
        office.registry.void(identifier, reason=f"the document cannot be made: {error.en}", at=at)
        raise
    on_step(Step.CLEARED)
    return cleared


def _require_believed(sealed: SealedDocument, office: IssuingOffice, *, at: datetime, last: bool) -> None:
    """Return if outsiders believe the document, but for the seals still to come. Raises VerificationFailed."""
    report = verify(sealed.pdf, trust=office.trust, at=at, sandbox=InProcess(), sha256=sealed.sha256)
    wrong = [one for one in report.checks if one.status in {CheckStatus.FAILED, CheckStatus.INDETERMINATE}]
    if last or [one.reason for one in wrong] != [_SEALS_MISSING]:
        report.require_passed()


def _recorded(
    record: LicenceRecord, sealed: SealedDocument, office: IssuingOffice, *, last: bool, at: datetime
) -> LicenceRecord:
    """Return the record with the document that was on record first, ours or another worker's."""
    identifier = str(record.licence.identifier)
    evidence = evidence_of(record, sealed)
    try:
        if last:
            return office.registry.commit(identifier, evidence, at=at)
        return office.registry.add_interim(identifier, evidence, seals=len(record.interim) + 1, at=at)
    except IllegalTransition:
        # Another worker finished the same step first. Not fatal: its document is the licence, or is sealed on;
        # ours is an orphan that is never served. A reservation voided meanwhile has no document, and that is fatal.
        found = office.registry.get(identifier)
        if found.document is None and len(found.interim) <= len(record.interim):
            raise
        return found


def evidence_of(record: LicenceRecord, sealed: SealedDocument) -> DocumentEvidence:
    """Return what goes on record: the last seal's range, the lowest profile of all seals."""
    before = record.interim[-1:]
    pending = sealed.timestamp_pending or any(one.timestamp_pending for one in before)
    return DocumentEvidence(
        sealed.sha256, len(sealed.pdf), sealed.byte_range,
        min(sealed.profile, *(one.profile for one in before)) if before else sealed.profile, pending,
    )  # fmt: skip


def _issued(
    record: LicenceRecord, office: IssuingOffice, *, mine: SealedDocument | None = None
) -> IssuedLicence:
    """Return record and document; `mine` saves reading the store if it is the one on record."""
    if record.document is None:
        raise voided(record)
    if mine is not None and mine.sha256 == record.document.sha256:
        return IssuedLicence(record, mine.pdf)
    return IssuedLicence(record, office.store.get(record.document.sha256))


def voided(record: LicenceRecord) -> IllegalTransition:
    """Return the error for a request whose number was voided."""
    return IllegalTransition(
        f"number {record.licence.number} of this request was voided ({record.reason}): "
        "ask again with a new idempotency key",
        f"该申请的编号 {record.licence.number} 已作废（{record.reason}）：请使用新的幂等键重新申请",
        field="idempotency_key",
    )
