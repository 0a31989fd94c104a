"""Paths as facts: from the trust store's knowledge and from what the document brings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from elicense.pki.evidence import alone
from elicense.pki.keys import has_issued
from elicense.pki.material import MOST_BROUGHT, MOST_VALUES
from elicense.pki.ocsp import read_answers
from elicense.pki.paths import PathStatus, Purpose
from elicense.pki.remembered import find_path
from elicense.pki.revocation import is_from
from elicense.verification.cms import CmsError, require_no_free_bytes, require_no_free_bytes_in_list
from elicense.verification.facts import PathFacts
from elicense.verification.signature import fingerprint, load_certificate

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from elicense.pki.evidence import Evidence
    from elicense.pki.trust import TrustStore


Question = tuple[x509.Certificate, tuple[x509.Certificate, ...], "Evidence", "datetime", Purpose]
"""Leaf, what came along, what the document brings, moment and purpose."""
Answer = tuple[PathFacts, frozenset[x509.Certificate]]
"""The path's facts, and the chain that leads to an anchor."""

_ORDINARY = 4096
"""Bytes of a certificate beyond which it is not remembered: strangers choose what they bring."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What paths may be built from."""

    trust: TrustStore
    """What the verifier was given."""
    brought: Evidence
    """What the document brings, believed only for the signatures it bears."""
    found: dict[Question, Answer] | None = None
    """Paths found so far for a document whose signatures may bring the same certificates; None keeps none."""


def path_facts(
    leaf: x509.Certificate,
    others: tuple[x509.Certificate, ...],
    knowledge: Knowledge,
    moment: datetime,
    purpose: Purpose,
) -> Answer:
    """Return the path's facts, and the certificates of the chain that leads to an anchor."""
    question = leaf, others, knowledge.brought, moment, purpose
    found = knowledge.found
    answer = found.get(question) if found is not None else None
    if answer is None:
        answer = _path_facts(question, knowledge.trust)
        if found is not None:
            found[question] = answer
    return answer


def _path_facts(question: Question, trust: TrustStore) -> Answer:
    leaf, others, brought, moment, purpose = question
    by_document = False
    if _is_company(brought, leaf, others):
        result = find_path(leaf, (*others, leaf), trust, moment, purpose=purpose)
        # Without revocation data only an anchor's own signature needs none.
        by_document = len(result.certificates) == 1
    else:
        result = find_path(leaf, others, trust, moment, purpose=purpose, evidence=brought)
        if brought and result.status is PathStatus.VALID:
            own = find_path(leaf, others, alone(trust), moment, purpose=purpose, evidence=brought)
            by_document = own.status is PathStatus.VALID
    chain, fingerprints = _read_path(result.certificates)
    if not chain:
        helpers = (*trust.intermediates, *others, *load_all(brought.certificates[:MOST_VALUES]))
        chain = frozenset(_chain(leaf, helpers, _anchors(trust, purpose)))
    facts = PathFacts(
        status=result.status.value,
        moment=moment,
        anchored=bool(chain),
        revoked_at=result.revoked_at,
        revocation_reason=result.revocation_reason,
        detail=result.detail,
        certificates=fingerprints,
        by_document=by_document,
    )
    return facts, chain


@lru_cache(maxsize=1024)
def _read_path(path: tuple[bytes, ...]) -> tuple[frozenset[x509.Certificate], tuple[str, ...]]:
    """Return the certificates of a path below its anchor, and the fingerprints of all."""
    below = frozenset(map(x509.load_der_x509_certificate, path[:-1]))
    return below, tuple(map(fingerprint, path))


def _is_company(brought: Evidence, leaf: x509.Certificate, others: tuple[x509.Certificate, ...]) -> bool:
    """Return whether a document brings nothing but the very certificates that stand beside the leaf, and it.

    Then the question is the one about the leaf and its company, whose answer may be remembered from other documents.
    """
    if not brought.certificates or brought.crls or brought.ocsps or len(others) >= MOST_BROUGHT:
        return False
    try:
        _ = leaf.subject, leaf.issuer, leaf.extensions
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension):
        return False
    return set(brought.certificates) == {one.public_bytes(Encoding.DER) for one in (leaf, *others)}


def loose(others: Iterable[bytes], used: AbstractSet[x509.Certificate], trust: TrustStore) -> bool:
    """Return whether a certificate came along that nothing vouches for: no signature covers its bytes."""
    brought = set(others)
    brought -= _all_encoded(frozenset(used))
    for known in (trust.anchors, trust.intermediates, trust.timestamp_anchors):
        if not brought:
            return False
        brought.difference_update(map(_encoded, known))
    return bool(brought)


def evidence_is_loose(knowledge: Knowledge, vouching: set[x509.Certificate]) -> bool:
    """Return whether a document's DSS holds what no chain in use needs, or what cannot be read.

    No signature covers the newest evidence, so every byte of it must be one that somebody in a chain signed.
    """
    held, trust = knowledge.brought, knowledge.trust
    if not held:
        return False
    anchors = {*trust.anchors, *trust.timestamp_anchors}
    # Whoever trusts an authority below the root finds the root there, too.
    above = {
        one
        for one in load_all(held.certificates)
        if has_issued(one, one) and any(has_issued(one, anchor) for anchor in anchors)
    }
    if loose(held.certificates, vouching | above, trust):
        return True
    issuers = [*vouching, *anchors, *above]
    if any(not _is_ours(crl, issuers) for crl in held.crls):
        return True
    pairs = [(one, issuer) for one in vouching for issuer in issuers if one.issuer == issuer.subject]
    helpers = (*trust.intermediates, *load_all(held.certificates))
    return any(
        not any(read_answers([answer], one, issuer, helpers=helpers) for one, issuer in pairs)
        for answer in held.ocsps
    )


def _is_ours(encoded: bytes, issuers: Iterable[x509.Certificate]) -> bool:
    """Return whether one of `issuers` signed every byte of this revocation list."""
    try:
        require_no_free_bytes_in_list(encoded)
        crl = x509.load_der_x509_crl(encoded)
        return any(is_from(crl, issuer) for issuer in issuers)
    except (CmsError, ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion):
        return False


def load_all(encoded: Iterable[bytes]) -> tuple[x509.Certificate, ...]:
    """Return the readable ones among further certificates; the others can be part of no path."""
    return tuple(found for one in encoded if (found := _load(one)) is not None)


def _load(encoded: bytes) -> x509.Certificate | None:
    """Return a certificate, None if it is not readable or has free bytes; ordinary ones are read once."""
    return (_load_once if len(encoded) <= _ORDINARY else _load_once.__wrapped__)(encoded)


@lru_cache(maxsize=256)
def _load_once(encoded: bytes) -> x509.Certificate | None:
    try:
        require_no_free_bytes(encoded)
        return load_certificate(encoded)
    except CmsError:
        return None


@lru_cache(maxsize=64)
def _all_encoded(certificates: frozenset[x509.Certificate]) -> frozenset[bytes]:
    # A set that was asked about before knows its hash; a certificate hashes all its bytes each time.
    return frozenset(map(_encoded, certificates))


@lru_cache(maxsize=256)
def _encoded(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


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
    below: dict[x509.Certificate, x509.Certificate | None] = {leaf: None}
    waiting = [leaf]
    while waiting:
        certificate = waiting.pop(0)
        if any(certificate == anchor or has_issued(anchor, certificate) for anchor in anchors):
            chain: set[x509.Certificate] = set()
            step: x509.Certificate | None = certificate
            while step is not None:
                chain.add(step)
                step = below[step]
            return chain
        # A decoy of the same name and key may stand beside the genuine issuer: every way is tried.
        for issuer in helpers:
            if issuer not in below and has_issued(issuer, certificate):
                below[issuer] = certificate
                waiting.append(issuer)
    return set()
