"""A CMS built in full by pyHanko: what a template is held against before the key is used with it.

Imported at the first signature of a process only: pyHanko's signer takes 18 MB and 0.2 s.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from asn1crypto import algos, x509  # type: ignore[import-untyped]
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.sign.general import SigningError as PyhankoSigningError
from pyhanko.sign.signers.pdf_cms import Signer as PyhankoSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from elicense.errors import SigningError
from elicense.pki.loop import run

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from elicense.pki.keys import SignatureAlgorithm
    from elicense.signing.template import CmsTemplate


def require_same(
    template: CmsTemplate,
    certificate: Certificate,
    chain: tuple[Certificate, ...],
    algorithm: SignatureAlgorithm,
) -> None:
    """Return if pyHanko builds the bytes that the template does, for any digest and any signature value.

    No key is used: the values are drawn at random. Raises SigningError.
    """
    digest = secrets.token_bytes(template.digest_size)
    signature = secrets.token_bytes(64)
    try:
        signed, whole = full_build(digest, signature, certificate, chain, algorithm)
    except (PyhankoSigningError, ValueError, TypeError, KeyError) as error:
        raise SigningError(
            f"the signature could not be assembled: {error}", f"无法组装签名：{error}"
        ) from error
    if (signed, whole) != (template.to_sign(digest), template.build(digest, signature)):
        raise SigningError(
            "the signature's form does not agree with the second way to build it; "
            "look at the certificate and its chain, and report this",
            "签名结构与另一种构造方法的结果不一致，请检查证书及其证书链，并报告此问题",
        )


def full_build(
    digest: bytes,
    signature: bytes,
    certificate: Certificate,
    chain: tuple[Certificate, ...],
    algorithm: SignatureAlgorithm,
) -> tuple[bytes, bytes]:
    """Return what pyHanko would have signed, and its CMS around `signature`."""
    adapter = _Adapter(signature, certificate, chain, algorithm)
    built = run(adapter.async_sign(digest, algorithm.digest, use_pades=True))
    return adapter.asked, bytes(built.dump())


class _Adapter(PyhankoSigner):
    """A signer as pyHanko wants it, with an answer given beforehand."""

    def __init__(
        self,
        signature: bytes,
        certificate: Certificate,
        chain: tuple[Certificate, ...],
        algorithm: SignatureAlgorithm,
    ) -> None:
        self._signature = signature
        self.asked = b""
        registry = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        registry.register_multiple(map(_asn1, chain))
        super().__init__(
            signing_cert=_asn1(certificate),
            cert_registry=registry,
            signature_mechanism=algos.SignedDigestAlgorithm({"algorithm": algorithm.cms_name}),
        )

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:  # noqa: ARG002
        """Remember what was to be signed."""
        self.asked = data
        return self._signature


def _asn1(certificate: Certificate) -> x509.Certificate:
    return x509.Certificate.load(certificate.public_bytes(Encoding.DER))
