"""Archive copies: a sealed document extended so that its proof outlives certificates and authorities.

The citizen's copy stays the one sealed revision. The archive's copy is the same bytes with updates behind them
(elicense/updates.py), none of which touches a page, the metadata or a signature:

    B-T    a timestamp over a document whose signature has none: proof of time for one issued while the
           timestamp authority was down
    B-LT   evidence: certificates and revocation data of every chain, out of the trust store
    B-LTA  a timestamp over the evidence; renewed before its authority's certificate expires

No step needs the signing key, and none asks whether the signer's certificate is still valid today: it was valid at
the moment that a timestamp proves. Nothing is fetched but timestamps.

Source: ETSI EN 319 142-1, 5.4 and 6.3; ISO 32000-2, 12.8.4.3 and 12.8.5 (texts read in secondary sources).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from elicense import updates
from elicense.errors import CertificatePathError, IllegalTransition, MalformedDocument, TimestampUnavailable
from elicense.pki.evidence import alone
from elicense.pki.material import gather
from elicense.pki.paths import PathStatus, Purpose
from elicense.pki.remembered import find_path, require_path
from elicense.registry.protocol import DocumentEvidence
from elicense.verification.cms import DATA, read_signed_data
from elicense.verification.pipeline import verify
from elicense.verification.report import CheckStatus, Indication
from elicense.verification.signature import load_certificate, read_contents
from elicense.verification.structure import read_structure
from elicense.verification.timestamps import read_token

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

    from elicense.pki.evidence import Evidence
    from elicense.pki.timestamps import TimestampAuthority
    from elicense.pki.trust import TrustStore
    from elicense.registry.protocol import DocumentStore, LicenceRecord, Registry
    from elicense.verification.cms import SignedData
    from elicense.verification.facts import PathFacts
    from elicense.verification.report import VerificationReport
    from elicense.verification.revisions import Extensible
    from elicense.verification.sandbox import Reader
    from elicense.verification.scan import Candidate
    from elicense.verification.structure import Structure

Level = Literal["B-T", "B-LT", "B-LTA"]
"""What an archive copy is asked to reach."""

_IMPRINT = "sha256"
_RANK = {"B-B": 0, "B-T": 1, "B-LT": 2, "B-LTA": 3}
_SOUND = ("format", "byte_range", "later_changes", "digest", "signature", "content")
"""Checks that a document must have passed before anything is added to it."""


@dataclass(frozen=True, slots=True)
class ArchivedDocument:
    """A sealed document and what was added to it, verified."""

    pdf: bytes
    """The whole file; the document handed in stands at its beginning, unchanged."""
    sha256: str
    """Of the whole file, hex."""
    byte_range: tuple[int, int, int, int]
    """Of the last seal, as it was: it reaches to the end of the document that was extended at first."""
    level: str
    """What it reaches: B-T, B-LT or B-LTA, at least what was asked for."""
    added: tuple[str, ...]
    """Kinds of the updates added now, in order: timestamp, evidence. Empty if the document had all of it."""
    renew_before: datetime
    """End of the certificate behind the newest proof of time, UTC: later there is nothing to renew."""


@dataclass(frozen=True, slots=True)
class ArchivedLicence:
    """A licence on record and its newest copy."""

    record: LicenceRecord
    """As the register has it now."""
    document: ArchivedDocument
    """The newest copy; its `added` is empty if nothing was to be done."""


def archive(
    pdf: bytes,
    *,
    level: Level,
    trust: TrustStore,
    timestamps: TimestampAuthority,
    at: datetime,
    renew: bool = False,
    sandbox: Reader | None = None,
) -> ArchivedDocument:
    """Return the document extended to `level`; what it has already is not added again.

    Plan:

    1. Verify: nothing may be wrong with the document; what only time or evidence can prove may be missing.
    2. Proof of time: a timestamp over the document, if a seal has none that holds.
    3. Evidence for every chain, as far as the document does not bring it.
    4. A timestamp over the evidence, if there is none, or one more to renew the newest.
    5. Verify again, as an outsider would: authentic, and at least at that level.

    Args:
        pdf: A sealed document or an archive copy of one, single or joint, complete.
        level: B-T, B-LT or B-LTA.
        trust: Anchors and current revocation data; the only place where evidence is taken from.
        timestamps: Asked once for each timestamp that is added.
        at: The moment, UTC.
        renew: Add evidence for the newest timestamp's chain and one more timestamp, whatever the document has.
        sandbox: Where the bytes are read; None starts a worker for each verification (half a second).

    Raises:
        MalformedDocument: Not a sealed document of ours, not complete, or changed.
        CertificatePathError: The trust store has no path or no revocation data for one of the chains.
        TimestampUnavailable: The authority gave no timestamp that fits.
        VerificationFailed: The result is not proven authentic, e.g. the certificate expired before any proof of time.
    """
    work = _Work(pdf, timestamps)
    report = verify(pdf, trust=trust, at=at, sandbox=sandbox)
    _require_sound(report, work.structure)
    if not all(signature.proven_time for signature in report.signatures):
        work.add_timestamp()
        report = verify(work.pdf, trust=trust, at=at, sandbox=sandbox)
    if renew or level != "B-T":
        work.add_evidence(_missing_evidence(work, report, trust))
    if renew or (level == "B-LTA" and not work.is_evidence_stamped()):
        work.add_timestamp()
    report = verify(work.pdf, trust=trust, at=at, sandbox=sandbox)
    report.require_passed()
    reached = min((signature.profile for signature in report.signatures), key=_RANK.__getitem__)
    if _RANK[reached] < _RANK[level]:
        raise _insufficient()
    sha256 = hashlib.sha256(work.pdf).hexdigest()
    last = work.of_kind("seal")[-1].byte_range
    return ArchivedDocument(work.pdf, sha256, last, reached, tuple(work.added), _renew_before(work))


def archive_licence(
    identifier: str,
    registry: Registry,
    store: DocumentStore,
    *,
    level: Level,
    trust: TrustStore,
    timestamps: TimestampAuthority,
    at: datetime,
    renew: bool = False,
    sandbox: Reader | None = None,
) -> ArchivedLicence:
    """The newest copy of a licence's document reaches `level`, is stored and on record; return both.

    Extends the newest archive copy, or else the document itself. If nothing was to be added, nothing changes.

    Raises:
        LicenceNotFound: No such licence.
        IllegalTransition: It has no finished document.
        RegistryError: The register or the store failed.
        MalformedDocument, CertificatePathError, TimestampUnavailable, VerificationFailed: See `archive`.
    """
    record = registry.get(identifier)
    if record.document is None:
        raise IllegalTransition(
            f"licence {record.licence.number} has no document to archive: finish it first",
            f"证照 {record.licence.number} 尚无可归档的文件：请先完成签发",
        )
    newest = (record.document, *record.archive_copies)[-1]
    archived = archive(
        store.get(newest.sha256),
        level=level,
        trust=trust,
        timestamps=timestamps,
        at=at,
        renew=renew,
        sandbox=sandbox,
    )
    if not archived.added:
        return ArchivedLicence(record, archived)
    # Killed between these two: the copy lies in the store and nobody knows its name; the next call makes another.
    store.put(archived.pdf)
    evidence = DocumentEvidence(
        archived.sha256, len(archived.pdf), archived.byte_range, archived.level, timestamp_pending=False
    )
    return ArchivedLicence(registry.add_archive_copy(identifier, evidence, at=at), archived)


# --- What is there, what is missing ---


def _require_sound(report: VerificationReport, structure: Structure) -> None:
    """Return if nothing is wrong with the document. Raises MalformedDocument."""
    passed = {check.code for check in report.checks if check.status is CheckStatus.PASSED}
    if (
        structure.extensible is None
        or not passed.issuperset(_SOUND)
        or report.indication is Indication.TOTAL_FAILED
    ):
        why = f"{report.indication}/{report.sub_indication}"
        raise MalformedDocument(
            f"only a sound document can be archived ({why}): verify it, and take the copy from the store",
            f"只能归档完好的证照文件（{why}）：请先核验，并使用文件库中的文件",
        )
    if structure.extensible.prepared:
        raise MalformedDocument(
            "not every department has sealed the document yet: archive it when it is complete",
            "尚有部门未签章：请待全部签章完成后再归档",
        )


def _missing_evidence(work: _Work, report: VerificationReport, trust: TrustStore) -> Evidence:
    """Return what the document does not bring to prove every chain. Raises CertificatePathError."""
    whole = have = work.structure.evidence
    for chain in _chains(work, report):
        path = require_path(
            chain.leaf, chain.others, trust, chain.moment, purpose=chain.purpose, evidence=whole
        )
        whole = whole.and_also(gather(path.certificates, trust, chain.moment, whole))
        without_us = find_path(
            chain.leaf, (), alone(trust), chain.moment, purpose=chain.purpose, evidence=whole
        )
        if without_us.status is not PathStatus.VALID:
            raise _insufficient()
    return whole.without(have)


@dataclass(frozen=True, slots=True)
class _Chain:
    """A certificate that must be proven good, and the moment for which the verifier will ask."""

    leaf: x509.Certificate
    others: tuple[x509.Certificate, ...]
    purpose: Purpose
    moment: datetime


def _chains(work: _Work, report: VerificationReport) -> list[_Chain]:
    """Return the chains of the timestamps and of the signers, each at the moment it was judged for."""
    facts, found = report.facts, []
    if facts is None:
        return []
    for candidate, stamp in zip(work.of_kind("timestamp"), facts.timestamps, strict=True):
        token = read_token(read_contents(work.pdf, candidate)).signed
        found.append(_chain(token, stamp.path, Purpose.TIMESTAMP, report.verified_at))
    for candidate, signature in zip(work.of_kind("seal"), facts.signatures, strict=True):
        signed = read_signed_data(read_contents(work.pdf, candidate), DATA)
        if signed.timestamps and signature.timestamp:
            token = read_token(signed.timestamps[0]).signed
            found.append(_chain(token, signature.timestamp.path, Purpose.TIMESTAMP, report.verified_at))
        found.append(_chain(signed, signature.path, Purpose.SEAL, report.verified_at))
    return found


def _chain(signed: SignedData, path: PathFacts | None, purpose: Purpose, at: datetime) -> _Chain:
    others = tuple(load_certificate(encoded) for encoded in signed.others)
    return _Chain(load_certificate(signed.signer), others, purpose, path.moment if path else at)


def _renew_before(work: _Work) -> datetime:
    """Return when the authority of the newest timestamp ends, or the first of those of the seals' own timestamps."""
    stamps = [read_contents(work.pdf, one) for one in work.of_kind("timestamp")[-1:]]
    if not stamps:
        seals = (read_signed_data(read_contents(work.pdf, one), DATA) for one in work.of_kind("seal"))
        stamps = [seal.timestamps[0] for seal in seals]
    return min(load_certificate(read_token(one).signed.signer).not_valid_after_utc for one in stamps)


def _insufficient() -> CertificatePathError:
    return CertificatePathError(
        "the evidence in the document would not suffice by itself: "
        "add current revocation data of every certification authority to the trust store",
        "文件内的验证数据不足以独立证明：请在信任库中补充各认证机构的最新吊销数据",
    )


# --- The bytes ---


class _Work:
    """A document as it grows; `structure` is always that of `pdf`."""

    def __init__(self, pdf: bytes, timestamps: TimestampAuthority) -> None:
        self.pdf = pdf
        self.structure = read_structure(pdf)
        self.added: list[str] = []
        self._timestamps = timestamps

    @property
    def _state(self) -> Extensible:
        if self.structure.extensible is None:
            raise RuntimeError("an update made a document that cannot be read")
        return self.structure.extensible

    def of_kind(self, kind: Literal["seal", "timestamp"]) -> list[Candidate]:
        """Return the seals or the archive timestamps, in order."""
        return [one for one in self.structure.candidates if one.kind == kind]

    def is_evidence_stamped(self) -> bool:
        """Return whether a timestamp is the newest update, and evidence stands before it."""
        kinds = [change.kind for revision in self.structure.revisions for change in revision.changes]
        return "evidence" in kinds and kinds[-1] == "timestamp"

    def add_timestamp(self) -> None:
        """One more archive timestamp covers the whole document. Raises TimestampUnavailable."""
        state, capacity = self._state, self._timestamps.token_size
        field, value = state.tail.size, state.tail.size + 1
        objects = {
            state.form: updates.with_field(state.form_body, field),
            field: updates.timestamp_field(updates.timestamp_name(state.timestamps + 1), value),
            value: updates.timestamp_value(capacity),
        }
        extended = self.pdf + updates.write_update(state.tail, objects)
        extended, byte_range = updates.place_gap(extended, len(self.pdf))
        token = self._timestamps.stamp(updates.digest_of(extended, byte_range, _IMPRINT), _IMPRINT)
        try:
            filled = updates.fill_gap(extended, byte_range, token)
        except ValueError as error:
            raise TimestampUnavailable(
                f"the timestamp has {len(token)} bytes and {capacity} are reserved: reserve more for this authority",
                f"时间戳长度 {len(token)} 字节超过预留的 {capacity} 字节：请增大预留空间",
            ) from error
        self._become(filled, "timestamp")

    def add_evidence(self, new: Evidence) -> None:
        """The document's DSS holds `new` behind what it held; without anything new nothing changes."""
        if not new:
            return
        state = self._state
        dss, objects, numbers = state.tail.size, dict[int, bytes](), list(state.evidence)
        for kind, values in enumerate(new.kinds):
            for encoded in values:
                number = dss + 1 + len(objects)
                objects[number] = updates.data_stream(encoded)
                numbers[kind] = (*numbers[kind], number)
        objects[dss] = updates.evidence(*numbers)
        objects[state.tail.root] = updates.with_evidence(state.catalogue, dss)
        self._become(self.pdf + updates.write_update(state.tail, objects), "evidence")

    def _become(self, pdf: bytes, kind: str) -> None:
        self.pdf = pdf
        self.structure = read_structure(pdf)
        self.added.append(kind)
