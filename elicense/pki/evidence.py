"""Validation data that travels with a document, as bytes; material.py says what they may be used for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from elicense.pki.trust import TrustStore


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

    @property
    def kinds(self) -> tuple[tuple[bytes, ...], tuple[bytes, ...], tuple[bytes, ...]]:
        """Return the three in their order."""
        return self.certificates, self.crls, self.ocsps

    def and_also(self, other: Evidence) -> Evidence:
        """Return this and behind it what only `other` has."""
        pairs = zip(self.kinds, other.kinds, strict=True)
        return Evidence(*(tuple(dict.fromkeys((*mine, *theirs))) for mine, theirs in pairs))

    def without(self, other: Evidence) -> Evidence:
        """Return what of this `other` does not have."""
        pairs = zip(self.kinds, other.kinds, strict=True)
        return Evidence(*(tuple(der for der in mine if der not in theirs) for mine, theirs in pairs))


NO_EVIDENCE = Evidence()
"""A document that brings nothing."""


def alone(store: TrustStore) -> TrustStore:
    """Return the store without revocation data: with it, only what a document brings is heard."""
    return replace(store, crls=(), ocsps=())
