"""Vectors about who sealed, when, and what is known of it: certificates, lists, rights and timestamps."""

# ruff: noqa: D103 - what a vector is stands in its case file
from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache

from cryptography import x509

from elicense.pki.throwaway import Identity
from elicense.pki.trust import TrustStore
from tests.support.pki import AT, AUTHORITY, AUTHORITY_CODE, SEAL_NUMBER
from tests.support.tsa import DirectTsa
from tests.unit.verification.minimal_pdf import Draft, sealed, unsigned
from tests.vectors.foreign import pyhanko_signer
from tests.vectors.minimal import DAY, base, entry, made, pki, seal, stranger_pki, trust, untouched
from tests.vectors.registry import NOW, Vector, vector

# --- Signers ---


def by(
    identity: Identity, store: TrustStore, *, at: datetime = NOW, stamped: datetime | None = None
) -> Vector:
    """Return a document sealed by `identity`, stamped at `stamped` if given."""
    tsa = DirectTsa(at=stamped, identity=pki().timestamp_authority()) if stamped else None
    return Vector(sealed(Draft(), identity.signer(), timestamps=tsa), store, at)


@vector
def self_made_ca() -> Vector:
    return by(stranger_pki().seal(SEAL_NUMBER, AUTHORITY, AUTHORITY_CODE), trust())


@vector
def self_made_ca_altered() -> Vector:
    data = bytearray(self_made_ca().data)
    data[200] ^= 1
    return Vector(bytes(data), trust())


@vector
def self_made_ca_appended() -> Vector:
    return Vector(self_made_ca().data + b"\n\n", trust())


@cache
def short_lived() -> Identity:
    """Return a seal certificate that expires five days after sealing."""
    return pki().seal(SEAL_NUMBER, AUTHORITY, AUTHORITY_CODE, valid_from=AT - DAY, valid_until=AT + 5 * DAY)


@vector
def certificate_expired() -> Vector:
    return by(short_lived(), trust(entry(short_lived())))


@vector
def certificate_expired_after_timestamp() -> Vector:
    return by(short_lived(), trust(entry(short_lived())), stamped=AT)


@vector
def certificate_not_yet_valid() -> Vector:
    late = pki().seal(SEAL_NUMBER, AUTHORITY, AUTHORITY_CODE, valid_from=NOW + 30 * DAY)
    return by(late, trust(entry(late)))


@vector
def certificate_not_yet_valid_stamped() -> Vector:
    late = pki().seal(SEAL_NUMBER, AUTHORITY, AUTHORITY_CODE, valid_from=AT + DAY)
    return by(late, trust(entry(late)), stamped=AT)


def revoked(moment: datetime) -> tuple[x509.CertificateRevocationList, ...]:
    """Return current lists on which the seal's certificate stands since `moment`."""
    return pki().with_crls({seal().certificate.serial_number: moment}, at=NOW - DAY).crls


@vector
def certificate_revoked() -> Vector:
    return by(seal(), trust(crls=revoked(AT + DAY)))


@vector
def certificate_revoked_before_timestamp() -> Vector:
    return by(seal(), trust(crls=revoked(AT - DAY)), stamped=AT)


@vector
def certificate_revoked_after_timestamp() -> Vector:
    return by(seal(), trust(crls=revoked(AT + DAY)), stamped=AT)


@vector
def revocation_list_missing() -> Vector:
    return Vector(base(), trust(crls=()))


@vector
def revocation_list_stale() -> Vector:
    return Vector(base(), trust(crls=pki().with_crls(at=AT - 5 * DAY, days=6).crls))


@vector
def wrong_authority() -> Vector:
    return Vector(
        base(), trust(entry(seal(), authority_code="11990101MB00000027", authority_name="样例市测试局"))
    )


@vector
def wrong_type() -> Vector:
    return Vector(base(), trust(entry(seal(), type_codes=("11990000000000000D002",))))


@vector
def right_ended_before() -> Vector:
    return Vector(base(), trust(entry(seal(), valid_until=AT - DAY)))


@vector
def not_registered() -> Vector:
    other = pki().seal("99010100000025", AUTHORITY, AUTHORITY_CODE)
    return Vector(base(), trust(entry(other)))


@vector
def weak_key() -> Vector:
    weak = pki().seal(SEAL_NUMBER, AUTHORITY, AUTHORITY_CODE, algorithm="rsa1024")
    document = unsigned(Draft(), 3072)
    _, start, end, _ = document.slot.byte_range
    digest = hashlib.sha256(document.pdf[:start] + document.pdf[end:]).digest()
    signed = (
        asyncio.run(pyhanko_signer(weak).async_sign(digest, "sha256", use_pades=True)).dump().hex().encode()
    )
    data = document.pdf[: start + 1] + signed + document.pdf[start + 1 + len(signed) :]
    return Vector(data, trust(entry(weak)))


# --- Timestamps ---


@vector
def timestamp_of_unknown_authority() -> Vector:
    return made(Draft(), timestamps=DirectTsa(identity=stranger_pki().timestamp_authority()))


@dataclass
class DeafTsa(DirectTsa):
    """Stamps something else than asked for."""

    def stamp(self, digest: bytes, algorithm: str) -> bytes:  # noqa: ARG002 - deaf
        return super().stamp(hashlib.new(algorithm, b"another seal").digest(), algorithm)


@vector
def timestamp_of_another_seal() -> Vector:
    return made(Draft(), timestamps=DeafTsa(identity=pki().timestamp_authority()))


@vector
def timestamp_before_claimed_time() -> Vector:
    return made(Draft(), timestamps=DirectTsa(at=AT - DAY / 2, identity=pki().timestamp_authority()))


@vector
def sealed_in_the_future() -> Vector:
    return replace(untouched(), at=AT - timedelta(hours=1))
