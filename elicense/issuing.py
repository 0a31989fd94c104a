"""The issuing line, one straight walk from a request to a sealed licence; `resume` goes on where it stopped.

1. catalogue: type known, values checked, this authority may issue it
2. seal: in date, its keeper's certificate listed, a valid path, and trusted for this authority and type
3. rehearsal: the page is made once with a stand-in number, so that what cannot be printed is never reserved
4. registry.reserve: number, content, signing time, document id and intent on record
5. rendering.fill
6. preflight
7. signing
8. verification by the policy outsiders use
9. store
10. registry.commit

Up to 3 a refusal leaves nothing behind. From 4 on the number is spent: the line is finished later by
`resume`, from what is on record and with the same bytes wherever the key allows it, or the number is voided
with its reason.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from elicense import preflight
from elicense.errors import (
    ConfigurationError,
    ElicenseError,
    IllegalTransition,
    NotAuthorised,
    PreflightFailed,
    RenderingError,
)
from elicense.model import LicenceState
from elicense.pki.keys import fingerprint
from elicense.pki.trust import require_path
from elicense.registry.protocol import DocumentEvidence, Intent
from elicense.registry.rules import new_licence
from elicense.rendering.compiler import compile_template
from elicense.rendering.fill import engine_version, fill
from elicense.seal.checks import check_usable
from elicense.signing.pades import required_capacity, seal_document
from elicense.verification.document import read_facts
from elicense.verification.pipeline import verify
from elicense.verification.policy import LICENCE
from elicense.verification.structure import read_structure

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from elicense.catalogue import Catalogue, LicenceType
    from elicense.model import IssueRequest, IssuingAuthority, LicenceDraft
    from elicense.pki.keys import Signer
    from elicense.pki.timestamps import TimestampAuthority
    from elicense.pki.trust import TrustStore
    from elicense.preflight import ClearedDocument
    from elicense.registry.protocol import DocumentStore, LicenceRecord, Registry
    from elicense.rendering.fonts import FontLibrary
    from elicense.rendering.template import CompiledTemplate
    from elicense.seal.model import Seal
    from elicense.signing.pades import SealedDocument
    from elicense.verification.facts import Facts


class Step(StrEnum):
    """A point of the line that was just passed; what the world holds then is said in `_finish`."""

    RESERVED = "reserved"
    RENDERED = "rendered"
    CLEARED = "cleared"
    SEALED = "sealed"
    VERIFIED = "verified"
    STORED = "stored"
    COMMITTED = "committed"


@dataclass(frozen=True, slots=True)
class SealKeeper:
    """Who applies a seal: the authority it speaks for, the seal, and the holder of its key."""

    authority: IssuingAuthority
    """The authority whose licences this keeper seals."""
    seal: Seal
    """The seal; its `use` says for which licence types."""
    signer: Signer
    """Holder of the private key; its certificate is on the seal's list."""


@dataclass(frozen=True, slots=True)
class IssuingOffice:
    """Everything that issuing needs, chosen by whoever starts the program."""

    catalogue: Catalogue
    """Licence types."""
    fonts: FontLibrary
    """Fonts the pages are set in."""
    keepers: tuple[SealKeeper, ...]
    """Authorities with their seals; one for each authority and use."""
    trust: TrustStore
    """Trust of the verification after sealing: what outsiders are told to trust."""
    registry: Registry
    """Numbers and states."""
    store: DocumentStore
    """Finished documents."""
    verify_base: str
    """Address that checks a licence when its identifier is appended, e.g. https://host/v/."""
    timestamps: TimestampAuthority | None = None
    """Timestamp authority for profile B-T; None issues B-B."""
    on_timestamp_failure: Literal["refuse", "pending"] = "refuse"
    """What happens if the timestamp authority does not answer."""


@dataclass(frozen=True, slots=True)
class IssuedLicence:
    """A licence on record and its document."""

    record: LicenceRecord
    """As the register has it: ISSUED, or what became of it since, for a request that came again."""
    pdf: bytes
    """The sealed document."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """What `resume` made of one unfinished licence."""

    record: LicenceRecord
    """As the register has it now."""
    issued: IssuedLicence | None
    """The finished licence, or None."""
    error: ElicenseError | None
    """Why it is still not finished, or None."""


def _no_step(_: Step) -> None:
    """Nobody asked."""


def issue(
    request: IssueRequest, office: IssuingOffice, *, at: datetime, on_step: Callable[[Step], None] = _no_step
) -> IssuedLicence:
    """The licence asked for is sealed, verified, stored and on record as ISSUED.

    A request with the idempotency key of an earlier one returns its licence, finished now if it was not.

    Args:
        request: unchecked values.
        office: what to issue with.
        at: the moment, UTC; becomes the claimed time of signing.
        on_step: told of every step passed.

    Raises:
        UnknownLicenceType, InvalidLicenceData, NotAuthorised, SealError, CertificatePathError,
            RenderingError, PreflightFailed, IdempotencyConflict, NumberTaken: refused, nothing was reserved.
        SigningError, RegistryError, VerificationFailed: the number is reserved; `resume` goes on from there.
        IllegalTransition: the earlier request of this key was voided.
    """
    record = _reserve(request, office, at=at)
    on_step(Step.RESERVED)
    # Killed here: the number and all content are on record, nobody has seen a document. resume() goes on.
    if record.state is not LicenceState.RESERVED:
        return _issued(record, office)
    return _finish(record, office, at=at, on_step=on_step)


def resume(
    office: IssuingOffice, *, at: datetime, on_step: Callable[[Step], None] = _no_step
) -> tuple[Resumed, ...]:
    """Every reservation that could be finished is ISSUED; return what became of each, oldest first.

    One that cannot be finished (key away, certificate expired meanwhile, template changed) stays RESERVED and
    keeps nobody else from being finished; void it, or remove the cause and call again.
    """
    waiting = office.registry.unfinished()
    return tuple(_resume_one(record, office, at=at, on_step=on_step) for record in waiting)


def _resume_one(
    record: LicenceRecord, office: IssuingOffice, *, at: datetime, on_step: Callable[[Step], None]
) -> Resumed:
    try:
        issued = _finish(record, office, at=at, on_step=on_step)
    except ElicenseError as error:
        return Resumed(office.registry.get(str(record.licence.identifier)), None, error)
    return Resumed(issued.record, issued, None)


# --- Until the reservation: a refusal leaves nothing behind ---


def _reserve(request: IssueRequest, office: IssuingOffice, *, at: datetime) -> LicenceRecord:
    """Return the record of this request, reserved now or found by its idempotency key."""
    licence_type = office.catalogue[request.type]
    keeper = _keeper(office, request.authority_code, licence_type)
    known = None
    if request.idempotency_key is not None:
        known = office.registry.find_request(request.authority_code, request.idempotency_key)
    draft = office.catalogue.draft(
        request,
        keeper.authority,
        # The same request tomorrow is the same licence: what depends on the day is taken from the first time.
        at=known.licence.signing_time if known else at,
        verify_base=office.verify_base,
    )
    if known is None:
        _require_usable(keeper, licence_type, office, at=at)
        intent = _intent(licence_type, keeper, office)
        _rehearse(draft, licence_type, _compiled(licence_type, keeper, office, intent), at=at)
    else:
        intent = known.intent
    return office.registry.reserve(
        draft,
        number=lambda sequence: licence_type.number(draft, sequence),
        intent=intent,
        at=at,
        idempotency_key=request.idempotency_key,
    )


def _keeper(office: IssuingOffice, authority_code: str, licence_type: LicenceType) -> SealKeeper:
    """Return who seals this type for this authority. Raises NotAuthorised."""
    own = [keeper for keeper in office.keepers if keeper.authority.code == authority_code]
    if not own:
        raise NotAuthorised(
            f"no authority with the credit code {authority_code!r} issues here: choose one that does",
            f"本系统中没有代码为 {authority_code!r} 的颁发机构：请选择已开通的颁发机构",
            field="authority_code",
        )
    for keeper in own:
        if keeper.seal.use == licence_type.seal_use:
            return keeper
    raise NotAuthorised(
        f"{own[0].authority.name} has no seal {licence_type.seal_use} here, which "
        f"{licence_type.name_zh} needs: install the seal and its key",
        f"{own[0].authority.name}未配置{licence_type.name_zh}所需的"
        f"{licence_type.seal_use}：请先安装印章及密钥",
        field="authority_code",
    )


def _require_usable(
    keeper: SealKeeper, licence_type: LicenceType, office: IssuingOffice, *, at: datetime
) -> None:
    """Return if outsiders will believe this keeper's seal under this type at `at`.

    Raises SealError, CertificatePathError, NotAuthorised.
    """
    certificate = fingerprint(keeper.signer.certificate)
    _check_seal(keeper, licence_type, at=at)
    require_path(keeper.signer.certificate, keeper.signer.chain, office.trust, at)
    entries = office.trust.entries(certificate)
    if office.trust.register is not None and not any(
        (entry.authority_code, entry.authority_name) == (keeper.authority.code, keeper.authority.name)
        and entry.seal_number == keeper.seal.number
        and licence_type.type_code in entry.type_codes
        and entry.valid_from <= at <= entry.valid_until
        for entry in entries
    ):
        raise NotAuthorised(
            f"the trust register does not let {keeper.authority.name} seal {licence_type.name_zh} with "
            f"seal {keeper.seal.number} now: have it amended, or choose another authority",
            f"信任名册未授权{keeper.authority.name}此时以印章 {keeper.seal.number} "
            f"签发{licence_type.name_zh}：请更新名册或更换颁发机构",
            field="authority_code",
        )


def _check_seal(keeper: SealKeeper, licence_type: LicenceType, *, at: datetime) -> None:
    """Return if this seal may be applied at `at`. Raises SealError."""
    certificate = fingerprint(keeper.signer.certificate)
    check_usable(
        keeper.seal, certificate, at, authority_code=keeper.authority.code, use=licence_type.seal_use
    )


def _intent(licence_type: LicenceType, keeper: SealKeeper, office: IssuingOffice) -> Intent:
    """Return everything but the licence that decides the bytes."""
    return Intent(
        template_digest=licence_type.digest,
        engine=engine_version(office.fonts),
        seal=f"{keeper.seal.number} {keeper.seal.art_digest}",
        certificate=fingerprint(keeper.signer.certificate),
        capacity=required_capacity(keeper.signer, office.timestamps),
        profile="B-B" if office.timestamps is None else "B-T",
    )


def _compiled(
    licence_type: LicenceType, keeper: SealKeeper, office: IssuingOffice, intent: Intent
) -> CompiledTemplate:
    return compile_template(licence_type, office.fonts, keeper.seal, capacity=intent.capacity)


def _rehearse(
    draft: LicenceDraft, licence_type: LicenceType, compiled: CompiledTemplate, *, at: datetime
) -> None:
    """Return if the page can be made. Raises RenderingError, PreflightFailed, InvalidLicenceData.

    The stand-in has the first number of the year and a made-up identifier, of the same shape: a character
    without a glyph or a value that does not fit shows now, and not after the number is spent.
    """
    stand_in = new_licence(draft, number=licence_type.number(draft, 1), at=at)
    preflight.clear(fill(compiled, stand_in), stand_in, licence_type)


# --- From the reservation on: the same code the first time and after a crash ---


def _finish(
    record: LicenceRecord, office: IssuingOffice, *, at: datetime, on_step: Callable[[Step], None]
) -> IssuedLicence:
    """Return the finished licence of a reservation. See `issue` for what is raised."""
    licence_type, keeper = _as_intended(record, office)
    # Again at this moment: a reservation of last year is no right to apply a seal that has expired since.
    _check_seal(keeper, licence_type, at=at)
    cleared = _cleared(record, licence_type, keeper, office, at=at, on_step=on_step)
    # Failed here (key away, no timestamp): not fatal, the reservation waits; the next resume tries again.
    sealed = seal_document(
        cleared,
        keeper.signer,
        timestamps=office.timestamps if record.intent.profile == "B-T" else None,
        on_timestamp_failure=office.on_timestamp_failure,
    )
    on_step(Step.SEALED)
    # Killed here: a sealed document existed in this process's memory only. A deterministic key makes the same
    # bytes again; another key makes others, and only what is committed first ever leaves.
    verify(sealed.pdf, trust=office.trust, at=at, sandbox=_OwnReader()).require_passed()
    on_step(Step.VERIFIED)
    # Failed here: outsiders would not believe our own seal, e.g. its certificate expired meanwhile. Fatal for
    # this document, which is dropped unseen; the number waits for a cure or for its void.
    office.store.put(sealed.pdf)
    on_step(Step.STORED)
    # Killed here: the document lies durably in the store, and nobody knows its name. Made again by a
    # deterministic key it is the same file; otherwise the orphan is never served.
    record = _committed(record, sealed, office, at=at)
    on_step(Step.COMMITTED)
    # Killed here: all is done but the answer; the same request, or the register, finds the licence.
    return _issued(record, office, mine=sealed)


def _as_intended(record: LicenceRecord, office: IssuingOffice) -> tuple[LicenceType, SealKeeper]:
    """Return type and keeper if the office can still make what the reservation recorded.

    Raises ConfigurationError naming what changed: other means would make other bytes under the same number.
    """
    licence_type = office.catalogue[record.licence.type]
    keeper = _keeper(office, record.licence.authority.code, licence_type)
    intent = _intent(licence_type, keeper, office)
    if record.intent.profile == "B-B":
        # A timestamp authority set up since then changes nothing for a licence that was promised none.
        intent = replace(intent, profile="B-B", capacity=required_capacity(keeper.signer, None))
    recorded, current = asdict(record.intent), asdict(intent)
    changed = [name for name in current if current[name] != recorded[name]]
    if changed:
        names = ", ".join(changed)
        raise ConfigurationError(
            f"licence {record.licence.number} was reserved with another {names}: "
            "put that back, or void the number",
            f"证照 {record.licence.number} 预留后 {names} 发生了变化：请恢复原配置，或作废该编号",
        )
    return licence_type, keeper


def _cleared(
    record: LicenceRecord,
    licence_type: LicenceType,
    keeper: SealKeeper,
    office: IssuingOffice,
    *,
    at: datetime,
    on_step: Callable[[Step], None],
) -> ClearedDocument:
    """Return the filled page, inspected. Raises RenderingError, PreflightFailed after voiding the number."""
    try:
        unsigned = fill(_compiled(licence_type, keeper, office, record.intent), record.licence)
        on_step(Step.RENDERED)
        # Killed here and after the next step: nothing outside this process changed since the reservation.
        cleared = preflight.clear(unsigned, record.licence, licence_type)
    except (RenderingError, PreflightFailed) as error:
        # The same content under the same intent fails for ever: a number too long for its box, which the
        # rehearsal with number 1 could not show. Fatal: the number becomes a recorded void, no silent gap.
        identifier = str(record.licence.identifier)
        office.registry.void(identifier, reason=f"the document cannot be made: {error.en}", at=at)
        raise
    on_step(Step.CLEARED)
    return cleared


class _OwnReader:
    """Reads a document in this process: only for bytes that were made here a moment ago."""

    def read(self, data: bytes, trust: TrustStore, at: datetime, *, policy: str = LICENCE) -> Facts:
        """Return the facts of the document, as a sandbox would."""
        return read_facts(data, read_structure(data), trust, at, policy=policy)


def _committed(
    record: LicenceRecord, sealed: SealedDocument, office: IssuingOffice, *, at: datetime
) -> LicenceRecord:
    """Return the record with the document that was committed first, ours or another worker's."""
    identifier = str(record.licence.identifier)
    evidence = DocumentEvidence(
        sealed.sha256, len(sealed.pdf), sealed.byte_range, sealed.profile, sealed.timestamp_pending
    )
    try:
        return office.registry.commit(identifier, evidence, at=at)
    except IllegalTransition:
        # Another worker finished the same reservation first. Not fatal: its document is the licence, ours an
        # orphan that is never served. A reservation voided meanwhile has no document, and that is fatal.
        record = office.registry.get(identifier)
        if record.document is None:
            raise
        return record


def _issued(
    record: LicenceRecord, office: IssuingOffice, *, mine: SealedDocument | None = None
) -> IssuedLicence:
    """Return record and document; `mine` saves reading the store if it is the one on record."""
    if record.document is None:
        raise IllegalTransition(
            f"number {record.licence.number} of this request was voided ({record.reason}): "
            "ask again with a new idempotency key",
            f"该申请的编号 {record.licence.number} 已作废（{record.reason}）：请使用新的幂等键重新申请",
            field="idempotency_key",
        )
    if mine is not None and mine.sha256 == record.document.sha256:
        return IssuedLicence(record, mine.pdf)
    return IssuedLicence(record, office.store.get(record.document.sha256))
