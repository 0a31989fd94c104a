"""Revocation lists and OCSP answers about the certificates of a path: who signed them, what they say, since when."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from elicense.pki.ocsp import Answer, read_answers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

_KEEPS_EXPIRED = x509.ObjectIdentifier("2.5.29.60")
"""expiredCertsOnCRL: the list goes on naming certificates that have expired. Source: ITU-T X.509."""

_REMOVED, _HOLD = x509.ReasonFlags.remove_from_crl.name, x509.ReasonFlags.certificate_hold.name


@dataclass(frozen=True, slots=True)
class Said:
    """What the issuer of one certificate of a path says about it."""

    certificate: x509.Certificate
    """The certificate."""
    lists: tuple[x509.CertificateRevocationList, ...]
    """The lists that its issuer's key signed."""
    answers: tuple[Answer, ...]
    """The OCSP answers about it."""

    def is_answered_at(self, at: datetime) -> bool:
        """Return whether an OCSP answer decides about `at`: one that counts then, or says that it was revoked."""
        expiry = self.certificate.not_valid_after_utc
        return any(
            (answer.counts_at(at) and answer.this_update <= expiry)
            or (answer.revoked_at is not None and answer.revoked_at <= at)
            for answer in self.answers
        )

    def stale_since(self, at: datetime) -> datetime | None:
        """Return since when the newest of it is out of date at `at`; None if that is not what is wrong."""
        ends = [
            *(crl.next_update_utc for crl in self.lists),
            *(answer.next_update for answer in self.answers),
        ]
        newest = max((end for end in ends if end is not None), default=None)
        return newest if newest is not None and newest < at else None

    def revocations(self) -> Iterator[tuple[datetime, str]]:
        """Yield since when and why it is revoked, one for each list and answer that says so.

        A hold that the newest list naming it removes is none. Source: RFC 5280, 5.2.4 and 5.3.1.
        """
        newest_first = sorted(self.lists, key=lambda crl: crl.last_update_utc, reverse=True)
        entries = [_entry(crl, self.certificate.serial_number) for crl in newest_first]
        found = [entry for entry in entries if entry is not None]
        lifted = bool(found) and found[0][1] == _REMOVED
        yield from (entry for entry in found if not lifted or entry[1] not in {_REMOVED, _HOLD})
        for answer in self.answers:
            if answer.revoked_at is not None:
                yield answer.revoked_at, answer.reason


def hear(
    path: Sequence[bytes],
    crls: Sequence[x509.CertificateRevocationList],
    ocsps: Iterable[bytes],
    helpers: Sequence[x509.Certificate] = (),
) -> tuple[Said, ...]:
    """Return what is said about each certificate of a path (DER, leaf first) but its anchor."""
    encoded = tuple(ocsps)
    found = []
    for certificate, issuer in itertools.pairwise(map(x509.load_der_x509_certificate, path)):
        lists = tuple(crl for crl in crls if is_from(crl, issuer))
        answers = read_answers(encoded, certificate, issuer, helpers=helpers, crls=lists) if encoded else ()
        found.append(Said(certificate, lists, answers))
    return tuple(found)


def is_from(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    """Return whether this certificate's key signed the list in its name."""
    return crl.issuer == issuer.subject and crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]


def is_delta(crl: x509.CertificateRevocationList) -> bool:
    """Return whether the list names only what changed since another one. Source: RFC 5280, 5.2.4."""
    return any(extension.oid == x509.DeltaCRLIndicator.oid for extension in crl.extensions)


def knows(crl: x509.CertificateRevocationList, certificate: x509.Certificate) -> bool:
    """Return whether the list is from before the certificate's expiry, or keeps expired ones."""
    if crl.last_update_utc <= certificate.not_valid_after_utc:
        return True
    return any(extension.oid == _KEEPS_EXPIRED for extension in crl.extensions)


def remembers(crl: x509.CertificateRevocationList, chain: Sequence[x509.Certificate]) -> bool:
    """Return whether the list cannot have forgotten any certificate of the chain that it may be about.

    A list is about the certificate that its signer issued; one of another signer, or for several, about any.
    """
    if all(knows(crl, one) for one in chain[:-1]):
        return True
    pairs = [(one, issuer) for one, issuer in itertools.pairwise(chain) if is_from(crl, issuer)]
    scopes = (extension.value for extension in crl.extensions)
    several = any(isinstance(scope, x509.IssuingDistributionPoint) and scope.indirect_crl for scope in scopes)
    about = [one for one, _ in pairs] if pairs and not several else chain[:-1]
    return all(knows(crl, one) for one in about)


def readable_lists(
    encoded: Iterable[bytes], signers: Sequence[x509.Certificate]
) -> tuple[x509.CertificateRevocationList, ...]:
    """Return the lists among untrusted DER values that one of `signers` signed; the others say nothing."""
    found = []
    for der in encoded:
        try:
            crl = x509.load_der_x509_crl(der)
            times, _ = (crl.last_update_utc, crl.next_update_utc), crl.extensions
            if times[1] is not None and any(is_from(crl, signer) for signer in signers):
                found.append(crl)
        except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature, x509.DuplicateExtension):
            continue
    return tuple(found)


def _entry(crl: x509.CertificateRevocationList, serial: int) -> tuple[datetime, str] | None:
    """Return since when and why `serial` is revoked; an earlier invalidity date counts instead."""
    entry = crl.get_revoked_certificate_by_serial_number(serial)
    if entry is None:
        return None
    moment, reason = entry.revocation_date_utc, "unspecified"
    for extension in entry.extensions:
        if isinstance(extension.value, x509.InvalidityDate):
            moment = min(moment, extension.value.invalidity_date_utc)
        if isinstance(extension.value, x509.CRLReason):
            reason = extension.value.reason.name
    return moment, reason
