"""Certificates a document brings and paths for them, as facts: what the trust store says, and what the document adds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from elicense.pki.ocsp import read_answers
from elicense.pki.paths import PathStatus, Purpose, find_path
from elicense.verification.cms import CmsError, require_no_free_bytes, require_no_free_bytes_in_list
from elicense.verification.facts import PathFacts
from elicense.verification.signature import load_certificate

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from elicense.pki.trust import TrustStore
    from elicense.verification.revisions import ValidationData

_MOST_STEPS = 8
"""Certificates a chain of issuers may have."""
_MOST_ITEMS = 256
"""Certificates, lists or answers of a DSS that are looked at; a licence has a few, a much countersigned file dozens."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What paths may be built from."""

    trust: TrustStore
    """What the verifier was given."""
    store: TrustStore
    """The same with the document's certificates and revocation data added: trusted for nothing by themselves."""
    alone: TrustStore | None
    """The verifier's anchors with the document's data only; None if the document brings none."""
    unreadable: bool
    """Whether the document brings data that cannot be read."""


def know(trust: TrustStore, brought: ValidationData) -> Knowledge:
    """Return the trust store's knowledge beside the document's."""
    if not (brought.certificates or brought.crls or brought.ocsps):
        return Knowledge(trust, trust, None, unreadable=False)
    certificates = load_all(brought.certificates[:_MOST_ITEMS])
    crls = _crls(brought.crls[:_MOST_ITEMS])
    ocsps = brought.ocsps[:_MOST_ITEMS]
    found = len(certificates) + len(crls) + len(ocsps)
    own = replace(trust, intermediates=certificates, crls=crls, ocsps=ocsps)
    return Knowledge(
        trust,
        replace(
            trust,
            intermediates=(*trust.intermediates, *certificates),
            crls=(*trust.crls, *crls),
            ocsps=(*trust.ocsps, *ocsps),
        ),
        own,
        unreadable=found < len(brought.certificates) + len(brought.crls) + len(brought.ocsps),
    )


def path_facts(
    leaf: x509.Certificate,
    others: tuple[x509.Certificate, ...],
    knowledge: Knowledge,
    moment: datetime,
    purpose: Purpose,
) -> tuple[PathFacts, set[x509.Certificate]]:
    """Return the path's facts, and the certificates of the chain that leads to an anchor."""
    result = find_path(leaf, others, knowledge.store, moment, purpose=purpose)
    valid = result.status is PathStatus.VALID
    anchors = _anchors(knowledge.trust, purpose)
    chain = _chain(leaf, (*knowledge.store.intermediates, *others), anchors)
    alone = knowledge.alone
    by_document = (
        valid
        and alone is not None
        and find_path(leaf, others, alone, moment, purpose=purpose).status is PathStatus.VALID
    )
    facts = PathFacts(
        status=result.status.value,
        moment=moment,
        anchored=bool(chain),
        revoked_at=result.revoked_at,
        revocation_reason=result.revocation_reason,
        detail=result.detail,
        certificates=tuple(hashlib.sha256(certificate).hexdigest() for certificate in result.certificates),
        by_document=by_document,
    )
    return facts, chain


def loose(others: Iterable[bytes], used: set[x509.Certificate], trust: TrustStore) -> bool:
    """Return whether a certificate came along that nothing vouches for: no signature covers its bytes."""
    brought = set(others)
    if not brought:
        return False
    known = {*used, *trust.anchors, *trust.intermediates, *trust.timestamp_anchors}
    return not brought <= {certificate.public_bytes(Encoding.DER) for certificate in known}


def evidence_is_loose(held: ValidationData, knowledge: Knowledge, vouching: set[x509.Certificate]) -> bool:
    """Return whether a document's DSS holds what no chain in use needs, or what cannot be read.

    No signature covers the newest evidence, so every byte of it must be one that somebody in a chain signed.
    """
    if knowledge.unreadable or loose(held.certificates, vouching, knowledge.trust):
        return True
    trust = knowledge.trust
    issuers = [*vouching, *trust.anchors, *trust.timestamp_anchors]
    if any(not _is_ours(crl, issuers) for crl in held.crls):
        return True
    pairs = [(one, issuer) for one in vouching for issuer in issuers if one.issuer == issuer.subject]
    helpers = knowledge.store.intermediates
    return any(
        not any(read_answers([answer], one, issuer, helpers=helpers) for one, issuer in pairs)
        for answer in held.ocsps
    )


def _is_ours(encoded: bytes, issuers: Iterable[x509.Certificate]) -> bool:
    """Return whether one of `issuers` signed every byte of this revocation list."""
    try:
        require_no_free_bytes_in_list(encoded)
        crl = x509.load_der_x509_crl(encoded)
        return any(
            crl.issuer == issuer.subject and crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
            for issuer in issuers
        )
    except (CmsError, ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion):
        return False


def load_all(encoded: Iterable[bytes]) -> tuple[x509.Certificate, ...]:
    """Return the readable ones among further certificates; the others can be part of no path."""
    found = []
    for certificate in encoded:
        try:
            require_no_free_bytes(certificate)
            found.append(load_certificate(certificate))
        except CmsError:
            continue
    return tuple(found)


def _crls(encoded: Iterable[bytes]) -> tuple[x509.CertificateRevocationList, ...]:
    """Return the readable ones among revocation lists."""
    found = []
    for one in encoded:
        try:
            found.append(x509.load_der_x509_crl(one))
        except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
            continue
    return tuple(found)


def _anchors(trust: TrustStore, purpose: Purpose) -> tuple[x509.Certificate, ...]:
    if purpose is Purpose.TIMESTAMP and trust.timestamp_anchors:
        return trust.timestamp_anchors
    return trust.anchors


def _chain(
    leaf: x509.Certificate, helpers: tuple[x509.Certificate, ...], anchors: tuple[x509.Certificate, ...]
) -> set[x509.Certificate]:
    """Return the certificates from the leaf to below an anchor, each signed by the next; empty if none lead there.

    Looks at names and signatures only: it answers "whose is this?" even when a period or a revocation list
    forbids relying on it. find_path decides everything else.
    """
    chain = [leaf]
    for _ in range(_MOST_STEPS):
        if any(chain[-1] == anchor or _issued(chain[-1], anchor) for anchor in anchors):
            return set(chain)
        issuer = next((c for c in helpers if c not in chain and _issued(chain[-1], c)), None)
        if issuer is None:
            return set()
        chain.append(issuer)
    return set()


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Return whether `issuer` signed `certificate`."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True
