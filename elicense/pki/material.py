"""What of a document's validation data may be used for one path, and what a document needs of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from elicense.pki.evidence import NO_EVIDENCE, Evidence
from elicense.pki.revocation import Said, hear, is_delta, knows, readable_lists

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from elicense.pki.trust import TrustStore

MOST_BROUGHT = 16
"""A signature that comes with more certificates than this is not one of ours."""
MOST_VALUES = 256
"""Certificates, lists and answers in a document each: with two a renewal, enough for a century."""


@dataclass(frozen=True, slots=True)
class Material:
    """Everything at hand for one path."""

    certificates: tuple[x509.Certificate, ...]
    """What may stand between leaf and anchor; for a chain, that chain and what the store knows."""
    crls: tuple[x509.CertificateRevocationList, ...]
    """Lists of the store; for a chain, also those of a document that the chain's issuers signed."""
    ocsps: tuple[bytes, ...]
    """OCSP answers, unread."""
    helpers: tuple[x509.Certificate, ...]
    """All certificates at hand, among which an OCSP responder's may be."""
    own: tuple[x509.Certificate, ...]
    """The store's intermediates."""
    lists: tuple[bytes, ...]
    """A document's lists, unread."""

    def for_chain(self, chain: Sequence[x509.Certificate]) -> Material:
        """Return what may be used for one chain, leaf first: of a document nothing that this chain did not sign."""
        return replace(
            self,
            certificates=tuple(dict.fromkeys((*chain[1:-1], *self.own))),
            crls=(*self.crls, *readable_lists(self.lists, chain[1:])),
        )

    def said(self, path: Sequence[bytes]) -> tuple[Said, ...]:
        """Return what is said about each certificate of a path but the anchor."""
        return hear(path, self.crls, self.ocsps, self.helpers)


def collect(
    brought: tuple[x509.Certificate, ...],
    store: TrustStore,
    anchors: tuple[x509.Certificate, ...],
    evidence: Evidence,
) -> Material | None:
    """Return what may be used for a path; None if a document brings more than any of ours."""
    if max(map(len, evidence.kinds)) > MOST_VALUES or len(brought) > MOST_BROUGHT:
        return None
    between = (*brought, *_readable(evidence.certificates), *store.intermediates)
    return Material(
        certificates=between,
        crls=store.crls,
        ocsps=(*store.ocsps, *evidence.ocsps),
        helpers=(*between, *anchors),
        own=store.intermediates,
        lists=evidence.crls,
    )


def gather(path: Sequence[bytes], store: TrustStore, at: datetime, have: Evidence = NO_EVIDENCE) -> Evidence:
    """Return what proves later that `path` was valid at `at`, as far as `have` does not say it already.

    All certificates of the path, and for each below the anchor one list or OCSP answer out of the store: the newest
    that counts at `at` and is from before the certificate's expiry. The anchor is there for verifiers that look for
    the issuer of a list among a document's certificates only; nobody trusts it for standing there.

    Args:
        path: DER, leaf first, anchor last, as PathResult has it.
        store: Where the lists and answers come from.
        at: The moment the path was found valid for, UTC.
        have: What the document has already.
    """
    crls, ocsps = list(have.crls), list(have.ocsps)
    lists = (*readable_lists(have.crls, _readable(path)), *store.crls)
    for said in hear(
        path, lists, (*have.ocsps, *store.ocsps), (*store.intermediates, *_readable(have.certificates))
    ):
        expiry = said.certificate.not_valid_after_utc
        found = {
            crl.public_bytes(Encoding.DER): crl.last_update_utc
            for crl in said.lists
            if _counts(crl, at) and knows(crl, said.certificate)
        }
        answers = {
            answer.der: answer.this_update
            for answer in said.answers
            if answer.counts_at(at) and answer.this_update <= expiry
        }
        enough = found.keys() & set(crls) | answers.keys() & set(ocsps)
        if enough or not found | answers:
            continue
        newest = max(found | answers, key=(found | answers).__getitem__)
        (crls if newest in found else ocsps).append(newest)
    return Evidence(tuple(path), tuple(crls), tuple(ocsps)).without(have)


def _counts(crl: x509.CertificateRevocationList, at: datetime) -> bool:
    """Return whether a complete list was not out of date at `at`, or is from later."""
    if is_delta(crl):
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
