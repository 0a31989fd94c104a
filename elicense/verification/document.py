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
from elicense.verification.cms import CmsError
from elicense.verification.digests import Digests
from elicense.verification.facts import Facts, SignatureFacts
from elicense.verification.foreign import ForeignSignedData
from elicense.verification.forms import form_of
from elicense.verification.handing import whole
from elicense.verification.policy import LICENCE
from elicense.verification.printed import read_content
from elicense.verification.proofs import first_covering, judge_document_timestamps, judge_signature_timestamp
from elicense.verification.signature import read_signer

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

    from elicense.pki.trust import TrustStore
    from elicense.verification.cms import SignedData
    from elicense.verification.facts import ContentFacts, PathFacts, TimestampFacts
    from elicense.verification.forms import Form
    from elicense.verification.handing import Octets
    from elicense.verification.scan import Candidate
    from elicense.verification.signature import Signer
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
    digests: Digests | None = None,
) -> Facts:
    """Return the facts of a document; never raises for what its bytes hold but MemoryError.

    Args:
        data: The whole file.
        structure: What its raw bytes show under the policy.
        trust: What the verifier believes.
        at: The moment of verification, UTC.
        policy: "licence" or "general".
        digests: Of `data`, where somebody has begun to compute them.
    """
    digests = digests or Digests(data)
    digests.expect(one.byte_range for one in structure.candidates)
    knowledge = Knowledge(trust, structure.evidence, {})
    stamps = [one for one in structure.candidates if one.kind == "timestamp"]
    form = form_of(policy)
    timestamps, vouching = judge_document_timestamps(digests, stamps, form, knowledge, at)
    reader = SignatureReader(structure, form, knowledge, timestamps, at)
    signatures = tuple(reader.read(one, digests) for one in structure.candidates if one.kind != "timestamp")
    content = None
    if not structure.findings and policy == LICENCE:
        content = read_content(whole(data), structure, structure.candidates[0].claimed_time)
    return assemble(
        structure,
        signatures,
        timestamps=timestamps,
        sealed_sha256=_sealed_sha256(digests, signatures),
        loose_evidence=form.strict and evidence_is_loose(knowledge, vouching | reader.vouching),
        content=content,
    )


def assemble(
    structure: Structure,
    signatures: tuple[SignatureFacts, ...],
    *,
    timestamps: tuple[TimestampFacts, ...],
    sealed_sha256: str,
    loose_evidence: bool,
    content: ContentFacts | None,
) -> Facts:
    """Return the facts of a document from what was found in its parts."""
    held = structure.evidence
    return Facts(
        structure.size,
        structure.findings,
        structure.traces,
        signatures,
        timestamps,
        structure.revisions,
        sealed_sha256,
        (len(held.certificates), len(held.crls), len(held.ocsps)),
        loose_evidence,
        len(structure.extensible.prepared) if structure.extensible else 0,
        content,
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
        digests: Digests | None = None,
    ) -> Facts:
        """Return the facts of a document, as a sandbox would if nothing in it made a parser raise."""
        return read_facts(data, form_of(policy).structure(data), trust, at, policy=policy, digests=digests)


def _sealed_sha256(digests: Digests, signatures: tuple[SignatureFacts, ...]) -> str:
    """Return the digest of the file cut behind its last signature's range; "" if none ends in it."""
    ends = [one.byte_range[2] + one.byte_range[3] for one in signatures if one.revision >= 0]
    last = max(ends, default=0)
    return digests.sealed(last) if 0 < last <= len(digests.data) else ""


class SignatureReader:
    """Reads the signatures of one document; `vouching` gathers the certificates of their chains.

    Args:
        structure: The document's.
        form: The readers of the policy.
        knowledge: What paths may be built from.
        timestamps: The document's, judged.
        at: The moment of verification, UTC.
    """

    def __init__(
        self,
        structure: Structure,
        form: Form,
        knowledge: Knowledge,
        timestamps: tuple[TimestampFacts, ...],
        at: datetime,
    ) -> None:
        self.structure = structure
        self.form = form
        self.knowledge = knowledge
        self.timestamps = timestamps
        self.at = at
        self.vouching: set[x509.Certificate] = set()

    def read(self, candidate: Candidate, digests: Digests) -> SignatureFacts:
        """Return the facts of one signature."""
        try:
            signed = self.form.signed(self.form.contents(digests.data, candidate), candidate)
            signer = read_signer(signed.signer)
            # A key that may not seal is not asked: verifying with a huge one is slow.
            matches = None if signer.weak else self.form.matches(signer.key, signed)
        except CmsError as error:
            return self._unreadable(candidate, error.reason, error.detail)
        except (ValueError, UnsupportedAlgorithm):
            return self._unreadable(candidate, "cms.certificate", "the certificate's key cannot be read")
        intact = digests.covered(candidate.byte_range, signed.digest) == signed.message_digest
        return self.describe(candidate, signed, signer, intact=intact, matches=matches)

    def _unreadable(self, candidate: Candidate, reason: str, detail: str) -> SignatureFacts:
        """Return the facts of a signature whose signed data cannot be used."""
        return SignatureFacts(
            candidate.field,
            candidate.byte_range,
            candidate.covers_all(self.structure.size),
            candidate.declared,
            candidate.claimed_time,
            reason,
            detail,
            kind=candidate.kind,
            revision=candidate.revision,
            permission=candidate.permission,
            locked=candidate.locked,
        )

    def describe(
        self, candidate: Candidate, signed: SignedData, signer: Signer, *, intact: bool, matches: bool | None
    ) -> SignatureFacts:
        """Return the facts of a signature that was read, with what proves its time, and the path at that time.

        Args:
            candidate: Where it is.
            signed: Its signed data.
            signer: Its certificate.
            intact: Whether the covered bytes have the digest that was signed.
            matches: Whether the signature is that of the key; None if the key may not seal.
        """
        brought, pades = NO_EVIDENCE, True
        if isinstance(signed, ForeignSignedData):
            brought, pades = signed.evidence, candidate.subfilter == PADES and signed.names_certificate
        knowledge = self.knowledge
        if brought:
            knowledge = replace(knowledge, brought=knowledge.brought.and_also(brought))
        cover = first_covering(self.timestamps, candidate.revision)
        moment = cover.time if cover and cover.time else self.at
        stamp, vouching = judge_signature_timestamp(signed, self.form, knowledge, moment)
        own = stamp if stamp is not None and stamp.error is None else None
        proven = min((one.time for one in (own, cover) if one and one.time), default=None)
        path, chain = path_facts(
            signer.certificate, load_all(signed.others), knowledge, proven or self.at, Purpose.SEAL
        )
        self.vouching |= vouching | chain
        return SignatureFacts(
            candidate.field,
            candidate.byte_range,
            candidate.covers_all(self.structure.size),
            candidate.declared,
            candidate.claimed_time,
            None,
            "",
            intact,
            matches,
            signer.weak,
            signer.fingerprint,
            signer.subject,
            path,
            loose(signed.others, chain, self.knowledge.trust),
            stamp,
            candidate.kind,
            candidate.revision,
            candidate.permission,
            candidate.locked,
            proven,
            self._level(path, own or cover) if pades else "CMS",
            f"{signed.digest} {signed.algorithm}",
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
