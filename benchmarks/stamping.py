"""A timestamp authority without a network in between, for files to be verified."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asn1crypto import keys, x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

if TYPE_CHECKING:
    from datetime import datetime

    from elicense.pki.throwaway import Identity


@dataclass(frozen=True, slots=True)
class DirectAuthority:
    """pyHanko's time stamper behind our interface."""

    stamper: DummyTimeStamper
    """Signs in this process."""
    token_size: int = 8192
    """Bytes to reserve for a token."""

    @classmethod
    def of(cls, identity: Identity, at: datetime) -> DirectAuthority:
        """Return the authority of a certificate; its clock stands at `at`."""
        encoded = identity.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        load = x509.Certificate.load
        stamper = DummyTimeStamper(
            load(identity.certificate.public_bytes(Encoding.DER)),
            keys.PrivateKeyInfo.load(encoded),
            SimpleCertificateStore.from_certs(load(c.public_bytes(Encoding.DER)) for c in identity.chain),
            fixed_dt=at,
        )
        return cls(stamper)

    def stamp(self, digest: bytes, algorithm: str) -> bytes:
        """Return the DER of a token over `digest`."""
        token: bytes = asyncio.run(self.stamper.async_timestamp(digest, algorithm)).dump()
        return token
