"""Validation data that travels with a document: what of it may be used, and what a document needs of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from elicense.pki.revocation import Said, hear, knows, readable_lists

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from elicense.pki.trust import TrustStore

MOST_CHAIN = 16
"""A document that brings more certificates for one path than this is not one of ours; path building stays cheap."""
MOST_VALUES = 256
"""Certificates, lists and answers in a document each: with two a renewal, enough for a century."""
_DELTA = x509.ObjectIdentifier("2.5.29.27")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Certificates and revocation data as DER, believed only for the signatures they bear."""

    certificates: tuple[bytes, ...] = ()
    """X.509 certificates."""
    crls: tuple[bytes, ...] = ()
    """Revocation lists."""
    ocsps: tuple[bytes, ...] = ()
    """OCSP answers (OCSPResponse)."""

    def __bool__(self) -> bool:
        """Return whether there is anything in it."""
        return bool(self.certificates or self.crls or self.ocsps)

    def and_also(self, other: Evidence) -> Evidence:
        """Return this and behind it what only `other` has."""
        return Evidence(
            *(
                tuple(dict.fromkeys((*mine, *theirs)))
                for mine, theirs in (
                    (self.certificates, other.certificates),
                    (self.crls, other.crls),
                    (self.ocsps, other.ocsps),
                )
            )
        )

    def without(self, other: Evidence) -> Evidence:
        """Return what of this `other` does not have."""
        return Evidence(
            tuple(der for der in self.certificates if der not in other.certificates),
            tuple(der for der in self.crls if der not in other.crls),
            tuple(der for der in self.ocsps if der not in other.ocsps),
        )


NO_EVIDENCE = Evidence()
"""A document that brings nothing."""


@dataclass(frozen=True, slots=True)
class Material:
    """Everything at hand for one path."""

    certificates: tuple[x509.Certificate, ...]
    """Helpers for building it."""
    crls: tuple[x509.CertificateRevocationList, ...]
    """Lists of the store, and those of the evidence that a certificate at hand signed."""
    ocsps: tuple[bytes, ...]
    """OCSP answers, unread."""
    helpers: tuple[x509.Certificate, ...]
    """All certificates at hand, among which an OCSP responder's may be."""

    def said(self, path: Sequence[bytes]) -> tuple[Said, ...]:
        """Return what is said about each certificate of a path but the anchor."""
        return hear(path, self.crls, self.ocsps, self.helpers)


def collect(
    leaf: x509.Certificate,
    brought: tuple[x509.Certificate, ...],
    store: TrustStore,
    anchors: tuple[x509.Certificate, ...],
    evidence: Evidence,
) -> Material | None:
    """Return what may be used for the path of `leaf`; None if a document brings more than any of ours.

    Of the evidence's certificates only those are used that signed the leaf or another one used: the others are
    of other paths, or nobody's.
    """
    sizes = (len(evidence.certificates), len(evidence.crls), len(evidence.ocsps))
    loaded = _readable(evidence.certificates) if max(sizes) <= MOST_VALUES else ()
    chain = _issuers(leaf, brought, loaded)
    if max(sizes) > MOST_VALUES or len(brought) + len(chain) > MOST_CHAIN:
        return None
    known = (*brought, *store.intermediates, *anchors, *loaded)
    return Material(
        certificates=(*brought, *chain, *store.intermediates),
        crls=(*store.crls, *readable_lists(evidence.crls, known)),
        ocsps=(*store.ocsps, *evidence.ocsps),
        helpers=known,
    )


def gather(path: Sequence[bytes], store: TrustStore, at: datetime, have: Evidence = NO_EVIDENCE) -> Evidence:
    """Return what proves later that `path` was valid at `at`, as far as `have` does not say it already.

    All certificates of the path, and for each below the anchor one list or OCSP answer out of the store: the
    newest that counts at `at` and is from before the certificate's expiry; a list that was needed anyhow goes first.

    Args:
        path: DER, leaf first, anchor last, as PathResult has it.
        store: Where the lists and answers come from.
        at: The moment the path was found valid for, UTC.
        have: What the document has already.
    """
    crls, ocsps = list(have.crls), list(have.ocsps)
    for said in hear(path, store.crls, store.ocsps, store.intermediates):
        expiry = said.certificate.not_valid_after_utc
        lists = {
            crl.public_bytes(Encoding.DER): crl.last_update_utc
            for crl in said.lists
            if _counts(crl, at) and knows(crl, said.certificate)
        }
        answers = {
            answer.der: answer.this_update
            for answer in said.answers
            if answer.counts_at(at) and answer.this_update <= expiry
        }
        newest = max((*lists.values(), *answers.values()), default=None)
        # What is in the document already is as good as anything newer of the same issuer.
        if newest is None or any(der in crls for der in lists) or any(der in ocsps for der in answers):
            continue
        found = next(der for der, moment in (lists | answers).items() if moment == newest)
        (crls if found in lists else ocsps).append(found)
    return Evidence(tuple(path), tuple(crls), tuple(ocsps)).without(have)


def alone(store: TrustStore) -> TrustStore:
    """Return the store without revocation data: with it, only what a document brings is heard."""
    return replace(store, crls=(), ocsps=())


def _counts(crl: x509.CertificateRevocationList, at: datetime) -> bool:
    """Return whether a complete list was not out of date at `at`, or is from later."""
    if any(extension.oid == _DELTA for extension in crl.extensions):
        return False
    return crl.last_update_utc >= at or (crl.next_update_utc is not None and crl.next_update_utc >= at)


def _readable(encoded: Iterable[bytes]) -> tuple[x509.Certificate, ...]:
    found = []
    for der in dict.fromkeys(encoded):
        try:
            certificate = x509.load_der_x509_certificate(der)
            _ = certificate.subject, certificate.issuer, certificate.extensions, certificate.public_key()
        except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension):
            continue
        found.append(certificate)
    return tuple(found)


def _issuers(
    leaf: x509.Certificate, brought: tuple[x509.Certificate, ...], pool: tuple[x509.Certificate, ...]
) -> tuple[x509.Certificate, ...]:
    """Return those of `pool` that signed the leaf, one brought, or one that is returned."""
    waiting, found = [leaf, *brought], dict.fromkeys((leaf, *brought))
    while waiting:
        certificate = waiting.pop()
        for other in pool:
            if other not in found and _issued(certificate, other):
                found[other] = None
                waiting.append(other)
    return tuple(found)[1 + len(set(brought) - {leaf}) :]


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True
