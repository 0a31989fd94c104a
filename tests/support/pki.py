"""One throw-away PKI shared by all tests of a process; certificates are made once per kind."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from elicense.pki.throwaway import Identity, ThrowawayPki, make_pki
from elicense.pki.trust import TrustStore

if TYPE_CHECKING:
    from elicense.pki.keys import SoftwareSigner

AT = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
"""The moment the tests live in."""
SEAL_NUMBER = "99010100000017"
AUTHORITY = "示例省样例市市场监督管理局"
AUTHORITY_CODE = "11990101MB00000019"


@cache
def pki() -> ThrowawayPki:
    """Return the PKI made at AT."""
    return make_pki(at=AT)


@cache
def seal_identity(algorithm: str = "p256") -> Identity:
    """Return a seal certificate with its key, always the same for one algorithm."""
    return pki().seal(SEAL_NUMBER, AUTHORITY, AUTHORITY_CODE, algorithm=algorithm)


@cache
def seal_signer(algorithm: str = "p256") -> SoftwareSigner:
    """Return the signer of `seal_identity`."""
    return seal_identity(algorithm).signer()


@cache
def tsa_identity() -> Identity:
    """Return the certificate and key of a timestamp authority below the same root."""
    return pki().timestamp_authority()


def store() -> TrustStore:
    """Return anchors and current lists of `pki`, without a register."""
    return TrustStore((pki().root.certificate,), crls=pki().crls)
