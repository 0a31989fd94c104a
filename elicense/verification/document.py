"""A document's bytes become Facts. Runs inside the sandbox: certificates and page content are untrusted.

Plan:

1. What the document brings to build paths with (DSS, and under `general` its signatures' own data).
2. Its document timestamps, the newest first (proofs.py).
3. Each signature: signed data read, digest computed over the covered bytes, signature verified with the key.
4. Its timestamp, and the earliest moment at which it is proven to have existed.
5. Its certificate's path, at the proven time of signing or else at the time of verification; its level.
6. If the file is a licence of our shape: the embedded licence beside the printed page.

Nothing is judged here and nothing is fetched.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm

from elicense.pki.evidence import NO_EVIDENCE
from elicense.pki.paths import Purpose
from elicense.verification.chains import Knowledge, evidence_is_loose, load_all, loose, path_facts
from elicense.verification.cms import CmsError, weak_key
from elicense.verification.digests import Digests
from elicense.verification.facts import Facts, SignatureFacts
from elicense.verification.foreign import ForeignSignedData
from elicense.verification.forms import form_of
from elicense.verification.handing import whole
from elicense.verification.policy import LICENCE
from elicense.verification.printed import read_content
from elicense.verification.proofs import first_covering, judge_document_timestamps, judge_signature_timestamp
from elicense.verification.signature import (
    fingerprint,
    load_certificate,
    subject_of,
)

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

    from elicense.pki.trust import TrustStore
    from elicense.verification.cms import SignedData
    from elicense.verification.digests import Known
    from elicense.verification.facts import PathFacts, TimestampFacts
    from elicense.verification.forms import Form
    from elicense.verification.handing import Octets
    from elicense.verification.scan import Candidate
    from elicense.verification.structure import Structure

PADES = "ETSI.CAdES.detached"
"""SubFilter of the signatures that have a level. Source: ETSI EN 319 142-1, 6.3 (secondary sources)."""


def read_facts(
    data: Octets,
    structure: Structure,
    trust: TrustStore,
    at: datetime,
    *,
    policy: str = LICENCE,
    digests: Known | None = None,
) -> Facts:
    """Return the facts of a document; never raises for what its bytes hold but MemoryError.

    Args:
        data: the whole file.
        structure: what its raw bytes show.
        trust: whom to believe.
        at: the moment of verification, UTC.
        policy: "licence" or "general".
        digests: those of this very file that the caller knows.
    """
    knowledge = Knowledge(trust, structure.evidence)
    known = Digests(data, (one.byte_range for one in structure.candidates), digests)
    stamps = [one for one in structure.candidates if one.kind == "timestamp"]
    form = form_of(policy)
    timestamps, vouching = judge_document_timestamps(known, stamps, form, knowledge, at)
    reader = _SignatureReader(known, structure, form=form, knowledge=knowledge, timestamps=timestamps, at=at)
    signatures = tuple(reader.read(one) for one in structure.candidates if one.kind != "timestamp")
    content = None
    if not structure.findings and policy == LICENCE:
        content = read_content(whole(data), structure, structure.candidates[0].claimed_time)
    held = structure.evidence
    return Facts(
        structure.size,
        structure.findings,
        structure.traces,
        signatures,
        timestamps=timestamps,
        revisions=structure.revisions,
        sealed_sha256=_sealed_sha256(known, structure.size, signatures),
        evidence=(len(held.certificates), len(held.crls), len(held.ocsps)),
        loose_evidence=form.strict and evidence_is_loose(knowledge, vouching | reader.vouching),
        missing_seals=len(structure.extensible.prepared) if structure.extensible else 0,
        content=content,
    )


class InProcess:
    """Reads documents in this process, without limits: for bytes made here a moment ago, and for tests."""

    def read(
        self,
        data: bytes,
        trust: TrustStore,
        at: datetime,
        *,
        policy: str = LICENCE,
        digests: Known | None = None,
    ) -> Facts:
        """Return the facts of a document, as a sandbox would if nothing in it made a parser raise."""
        return read_facts(data, form_of(policy).structure(data), trust, at, policy=policy, digests=digests)


def _sealed_sha256(digests: Digests, size: int, signatures: tuple[SignatureFacts, ...]) -> str:
    """Return the digest of the file cut behind its last signature's range; "" if none ends in it."""
    ends = [one.byte_range[2] + one.byte_range[3] for one in signatures if one.revision >= 0]
    last = max(ends, default=0)
    return digests.upto(last).hex() if 0 < last <= size else ""


class _SignatureReader:
    """Reads the signatures of one document; `vouching` gathers the certificates of their chains."""

    def __init__(
        self,
        digests: Digests,
        structure: Structure,
        *,
        form: Form,
        knowledge: Knowledge,
        timestamps: tuple[TimestampFacts, ...],
        at: datetime,
    ) -> None:
        self.digests = digests
        self.structure = structure
        self.form = form
        self.knowledge = knowledge
        self.timestamps = timestamps
        self.at = at
        self.vouching: set[x509.Certificate] = set()

    def read(self, candidate: Candidate) -> SignatureFacts:
        """Return the facts of one signature."""
        plain = SignatureFacts(
            field=candidate.field,
            byte_range=candidate.byte_range,
            covers_all=candidate.covers_all(self.structure.size),
            declared=candidate.declared,
            claimed_time=candidate.claimed_time,
            error=None,
            kind=candidate.kind,
            revision=candidate.revision,
            permission=candidate.permission,
            locked=candidate.locked,
        )
        try:
            signed = self.form.signed(self.form.contents(self.digests.data, candidate), candidate)
            certificate = load_certificate(signed.signer)
            key = certificate.public_key()
            weak = weak_key(key)
            # A key that may not seal is not asked: verifying with a huge one is slow.
            matches = None if weak else self.form.matches(key, signed)
        except CmsError as error:
            return replace(plain, error=error.reason, detail=error.detail)
        except (ValueError, UnsupportedAlgorithm):
            detail = "the certificate's key cannot be read"
            return replace(plain, error="cms.certificate", detail=detail)
        found = replace(
            plain,
            digest_matches=self.digests.of(candidate.byte_range, signed.digest) == signed.message_digest,
            signature_matches=matches,
            weak_key=weak,
            certificate=fingerprint(signed.signer),
            subject=subject_of(certificate),
            algorithm=f"{signed.digest} {signed.algorithm}",
        )
        return self._with_time(found, signed, certificate, candidate.subfilter)

    def _with_time(
        self, found: SignatureFacts, signed: SignedData, certificate: x509.Certificate, subfilter: str
    ) -> SignatureFacts:
        """Return the facts with what proves the time, and the path at that time."""
        brought, pades = NO_EVIDENCE, True
        if isinstance(signed, ForeignSignedData):
            brought, pades = signed.evidence, subfilter == PADES and signed.names_certificate
        knowledge = replace(self.knowledge, brought=self.knowledge.brought.and_also(brought))
        cover = first_covering(self.timestamps, found.revision)
        moment = cover.time if cover and cover.time else self.at
        stamp, vouching = judge_signature_timestamp(signed, self.form, knowledge, moment)
        own = stamp if stamp is not None and stamp.error is None else None
        proven = min((one.time for one in (own, cover) if one and one.time), default=None)
        path, chain = path_facts(
            certificate, load_all(signed.others), knowledge, proven or self.at, Purpose.SEAL
        )
        self.vouching |= vouching | chain
        return replace(
            found,
            path=path,
            loose_certificates=loose(signed.others, chain, self.knowledge.trust),
            timestamp=stamp,
            proven_time=proven,
            level=self._level(path, own or cover) if pades else "CMS",
        )

    def _level(self, path: PathFacts, proof: TimestampFacts | None) -> str:
        """Return the level that the document itself reaches. Source: ETSI EN 319 142-1, 6.3 (secondary sources)."""
        if proof is None:
            return "B-B"
        if proof.path is None or not (path.by_document and proof.path.by_document):
            return "B-T"
        if not self.structure.evidence:
            return "B-LT"
        held = [
            n
            for n, one in enumerate(self.structure.revisions)
            if any(c.kind == "evidence" for c in one.changes)
        ]
        # Others add evidence for the newest timestamp behind it. Our archive never does, so all of it must be covered.
        needed = (max if self.form.strict else min)(held, default=0)
        archived = any(one.error is None and one.revision >= needed for one in self.timestamps)
        return "B-LTA" if archived else "B-LT"
