"""The peer of verification: pyHanko's validator, its trust loaded once."""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asn1crypto import crl as asn1_crl
from asn1crypto import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from elicense import TrustStore


@dataclass(frozen=True, slots=True)
class PyhankoValidator:
    """Anchors and lists as pyHanko wants them; a context of its own for each document, as its guide says."""

    roots: Sequence[x509.Certificate]
    """Trust anchors."""
    others: Sequence[x509.Certificate]
    """Intermediates."""
    lists: Sequence[asn1_crl.CertificateList]
    """Revocation lists."""
    at: datetime
    """The moment of validation."""

    @classmethod
    def of(cls, trust: TrustStore, at: datetime) -> PyhankoValidator:
        """Return the validator of a trust store."""
        load = x509.Certificate.load
        return cls(
            [load(one.public_bytes(Encoding.DER)) for one in trust.anchors],
            [load(one.public_bytes(Encoding.DER)) for one in trust.intermediates],
            [asn1_crl.CertificateList.load(one.public_bytes(Encoding.DER)) for one in trust.crls],
            at,
        )

    def accepts(self, pdf: bytes, *, revocation: bool = False, count: int = 1) -> bool:
        """Return whether every signature of a document is good: intact, trusted, later changes allowed.

        Args:
            pdf: the document.
            revocation: True asks the revocation lists, too, and insists on an answer.
            count: how many signatures, timestamps not counted, there must be.
        """
        asked: dict[str, Any] = (
            {"crls": self.lists, "revocation_mode": "require", "other_certs": self.others}
            if revocation
            else {}
        )
        context = ValidationContext(trust_roots=self.roots, allow_fetching=False, moment=self.at, **asked)
        try:
            found = PdfFileReader(io.BytesIO(pdf)).embedded_regular_signatures
            return len(found) == count and all(
                asyncio.run(async_validate_pdf_signature(one, context, context)).bottom_line for one in found
            )
        except Exception:  # noqa: BLE001 - pyHanko raises anything on a spoilt file
            return False
