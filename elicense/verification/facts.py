"""What was found in a document, before anybody judges it. Everything here is unverified until the checks ran.

Facts cross the border of the sandbox as JSON, never as pickles: what a worker says must not be able to run
code in its parent.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from elicense.verification.scan import ByteRange


MEMORY_EXIT = 77
"""Exit status of a worker that could not even take the document in; every other answer is Facts."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule."""

    check: int
    """Number of the check that answers for it: 1 format, 2 byte range, 3 later changes."""
    reason: str
    """Stable code, explained in reasons.py."""
    offset: int | None
    """Where it shows, bytes from the file's start."""
    detail: str
    """Plain English particulars; never text taken from the document."""


@dataclass(frozen=True, slots=True)
class PathFacts:
    """A certificate's path to an anchor, at one moment."""

    status: str
    """A PathStatus: valid, expired, no_anchor, …"""
    moment: datetime
    """The moment it was looked for, UTC: the proven time of signing, else the time of verification."""
    anchored: bool
    """Whether issuers' signatures lead to a trust anchor, whatever time and revocation say."""
    revoked_at: datetime | None
    """Since when the certificate or one above it counts as revoked, UTC."""
    revocation_reason: str | None
    """Reason of that revocation, e.g. key_compromise."""
    detail: str
    """Plain English particulars; never text taken from a certificate."""
    certificates: tuple[str, ...] = ()
    """SHA-256 (hex) of the path's certificates, leaf first, anchor last; empty unless the path is valid."""
    by_document: bool = False
    """Whether revocation data inside the document alone suffice for the same answer (long-term validation)."""


@dataclass(frozen=True, slots=True)
class TimestampFacts:
    """A signature timestamp, or a document timestamp."""

    error: str | None
    """Stable reason why it proves nothing (time.*), or None."""
    time: datetime | None
    """The moment it states, UTC, if readable."""
    path: PathFacts | None
    """Path of the timestamp authority at the moment it is judged for; None if it was not reached."""
    detail: str = ""
    """Plain English particulars."""
    field: str = ""
    """Name of a document timestamp's form field; "" for a signature timestamp."""
    revision: int = -1
    """Index of the revision to whose end a document timestamp reaches; -1 for a signature timestamp."""
    byte_range: ByteRange | None = None
    """Of a document timestamp."""
    certificate: str = ""
    """SHA-256 (hex) of the authority's certificate; "" if it could not be read."""
    subject: str = ""
    """That certificate's subject, for display."""


@dataclass(frozen=True, slots=True)
class SignatureFacts:
    """One signature."""

    field: str
    """Name of its form field; "" if it was found by scanning."""
    byte_range: ByteRange
    """Declared, or implied by its gap."""
    covers_all: bool
    """Whether the byte range and the gap make up the whole file."""
    declared: bool
    """Whether the file states the byte range; False if it had to be implied."""
    claimed_time: datetime | None
    """`/M`, UTC."""
    error: str | None
    """Stable reason why the signed data could not be used (cms.*), or None."""
    detail: str = ""
    """Plain English particulars of `error`."""
    digest_matches: bool | None = None
    """Whether the covered bytes have the digest that was signed; None if not computed."""
    signature_matches: bool | None = None
    """Whether the signature is that of the certificate's key; None if not computed."""
    weak_key: str = ""
    """Why the key is too weak, or empty."""
    certificate: str = ""
    """SHA-256 (hex) of the signer's certificate."""
    subject: str = ""
    """The certificate's subject, for display."""
    path: PathFacts | None = None
    """The signer's path; None if the certificate could not be read."""
    loose_certificates: bool = False
    """Whether certificates came along that neither the path uses nor the trust store knows."""
    timestamp: TimestampFacts | None = None
    """The signature timestamp, if any."""
    kind: str = "seal"
    """seal (policy licence), certification or approval (policy general)."""
    revision: int = 0
    """Index of the revision to whose end it reaches; -1 if to none."""
    permission: int | None = None
    """What it permits afterwards, 1 to 3: DocMDP P, or what its field's Lock says if stricter; None without both."""
    locked: tuple[str, ...] | None = None
    """Names of the fields it locks (FieldMDP), ("*",) for all; None if it locks none."""
    proven_time: datetime | None = None
    """Earliest moment at which a trusted timestamp proves that it existed, UTC."""
    level: str = "B-B"
    """B-B, B-T, B-LT or B-LTA; "CMS" for a signature that is no PAdES."""
    algorithm: str = ""
    """Digest and signature algorithm, for display, e.g. "sha256 ecdsa"."""


@dataclass(frozen=True, slots=True)
class Change:
    """One kind of change that a revision makes to what stood before it."""

    kind: str
    """seal, evidence, timestamp (the later revisions of a licence); under the policy general also signature,
    signature_field (a new one without extent), signature_visible (a new one on a page), form, annotation, metadata,
    unused (objects nothing refers to), other."""
    detail: str
    """Plain English particulars: field names come as repr; page numbers from 1."""


@dataclass(frozen=True, slots=True)
class RevisionFacts:
    """One revision: what was saved at one time."""

    start: int
    """Offset of its first byte."""
    end: int
    """Offset behind its last byte."""
    changes: tuple[Change, ...] = ()
    """Against the revision before; empty for the first."""


@dataclass(frozen=True, slots=True)
class ContentFacts:
    """The embedded licence beside the printed page."""

    error: str | None
    """Stable reason why the two could not be compared or do not agree (content.*), or None."""
    detail: str = ""
    """Plain English particulars; names of the layout's places, never their values."""
    licence_file: str | None = None
    """licence.json as embedded, if it could be read."""
    identifier: str = ""
    """证照标识 it states."""
    authority_code: str = ""
    """Credit code of the issuing authority it states."""
    authority_name: str = ""
    """Name of the issuing authority it states."""
    joint_authorities: tuple[tuple[str, str], ...] = ()
    """(credit code, name) of each further authority that seals with it, in their order."""
    type_code: str = ""
    """证照类型代码 it states."""
    valid_from: str = ""
    """First day of validity it states, YYYY-MM-DD."""
    valid_until: str = ""
    """Last day of validity it states, YYYY-MM-DD; empty is 长期."""


@dataclass(frozen=True, slots=True)
class RegisterFacts:
    """What the register says of the licence that the document states."""

    state: str
    """An InForce value."""
    as_of: datetime
    """The moment it is true for, UTC."""
    recorded_reason: str | None
    """Reason recorded with a suspension or revocation."""
    same_document: bool
    """Whether the register's document has this file's digest."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that was found in one document; the checks read nothing else."""

    size: int
    """Bytes."""
    findings: tuple[Finding, ...]
    """Broken rules of structure; empty for a file of exactly our shape."""
    traces: bool
    """Whether anything in the bytes hints at a signature."""
    signatures: tuple[SignatureFacts, ...] = ()
    """The seals or signatures in the order of their revisions, or what scanning found."""
    timestamps: tuple[TimestampFacts, ...] = ()
    """Document timestamps in the order of their revisions."""
    revisions: tuple[RevisionFacts, ...] = ()
    """Of a file whose structure could be read; the first is what was there before any seal but the first."""
    sealed_sha256: str = ""
    """SHA-256 (hex) of the file cut behind its last seal's revision; "" if there is none."""
    evidence: tuple[int, int, int] = (0, 0, 0)
    """Certificates, revocation lists and OCSP answers in the document's DSS."""
    loose_evidence: bool = False
    """Whether the DSS holds anything that no signature or timestamp here has a use for."""
    missing_seals: int = 0
    """Prepared fields of a joint document that are not sealed yet."""
    content: ContentFacts | None = None
    """Embedded and printed data; None if the structure did not allow reading them."""
    register: RegisterFacts | None = None
    """The register's answer; None if there is nobody to ask or nothing to ask about."""
    focus: int | None = None
    """Which of the signatures is judged, by its index; None judges all."""
    limit: str | None = None
    """Which limit the reading hit: size, time, memory, process; None if none."""
    crashed: bool = False
    """Whether a parser raised something nobody foresaw."""

    @property
    def judged(self) -> tuple[SignatureFacts, ...]:
        """Return the signatures that the checks are about."""
        return self.signatures if self.focus is None else (self.signatures[self.focus],)


_TYPES: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        Facts,
        ContentFacts,
        RegisterFacts,
        SignatureFacts,
        TimestampFacts,
        PathFacts,
        Finding,
        RevisionFacts,
        Change,
    )
}


_FIELDS = {kind: tuple(one.name for one in dataclasses.fields(kind)) for kind in _TYPES.values()}
"""Names of each type's fields."""
_SCALARS = frozenset((str, int, bool, type(None)))


def facts_to_json(facts: Facts) -> bytes:
    """Return the facts as JSON text; dataclasses carry their name, moments are tagged."""
    return json.dumps(_pack(facts), ensure_ascii=True, separators=(",", ":")).encode("ascii")


def facts_from_json(data: bytes) -> Facts:
    """Return the facts that `facts_to_json` wrote. Raises ValueError for anything else."""
    try:
        facts = _unpack(json.loads(data))
    except (TypeError, KeyError, RecursionError) as error:
        raise ValueError("not facts") from error
    if not isinstance(facts, Facts):
        raise ValueError("not facts")  # noqa: TRY004 - bytes from another process, not an argument's type
    return facts


def _pack(value: Any) -> Any:
    if type(value) in _SCALARS:
        return value
    if isinstance(value, tuple):
        return [_pack(item) for item in value]
    if isinstance(value, datetime):
        return {"": "moment", "at": value.isoformat()}
    packed: dict[str, Any] = {"": type(value).__name__}
    for name in _FIELDS[type(value)]:
        item = getattr(value, name)
        packed[name] = item if type(item) in _SCALARS else _pack(item)
    return packed


def _unpack(value: Any) -> Any:
    if isinstance(value, list):
        return tuple([item if type(item) in _SCALARS else _unpack(item) for item in value])
    if isinstance(value, dict):
        kind = value.pop("")
        if kind == "moment":
            return datetime.fromisoformat(value["at"])
        for name, item in value.items():
            if type(item) not in _SCALARS:
                value[name] = _unpack(item)
        return _TYPES[kind](**value)
    return value
