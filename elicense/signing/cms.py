"""The CMS inside a seal: one SignerInfo over the document's digest, in DER, with at most one timestamp."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asn1crypto import algos, cms, x509  # type: ignore[import-untyped]
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.sign.general import SigningError as PyhankoSigningError
from pyhanko.sign.signers.pdf_cms import Signer as PyhankoSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from elicense.errors import SigningError
from elicense.pki.keys import signature_matches
from elicense.pki.loop import run

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from elicense.pki.keys import Signer


def sign_digest(digest: bytes, signer: Signer) -> bytes:
    """Return a detached CMS signature over a document with this digest, as DER; the key is used once.

    Signed attributes: content-type, message-digest, signing-certificate-v2, and no signing-time, which PAdES
    keeps in the signature dictionary. Certificates: the leaf and its chain, without the anchor. The same
    digest gives the same bytes if the signer is deterministic.

    Args:
        digest: Hash of the byte range, by the hash of the signer's algorithm.
        signer: Holder of the key.

    Raises:
        KeyUnavailable: The holder does not answer.
        SigningError: The signature that came back does not fit the signer's certificate.
        RuntimeError: Called inside a running event loop.

    Source: RFC 5652, 5; ETSI EN 319 142-1, 6.3 (through pyHanko; the ETSI text itself was not read).
    """
    adapter = _Adapter(signer)
    try:
        signed = run(adapter.async_sign(digest, signer.algorithm.digest, use_pades=True))
    except PyhankoSigningError as error:
        raise SigningError(
            f"the signature could not be assembled: {error}", f"无法组装签名：{error}"
        ) from error
    return bytes(signed.dump())


def signature_value(der: bytes) -> bytes:
    """Return the raw signature inside a CMS made by `sign_digest`: what a timestamp is taken over."""
    return bytes(_signer_info(cms.ContentInfo.load(der))["signature"].native)


def with_timestamp(der: bytes, token: bytes) -> bytes:
    """Return the CMS `der` with a signature timestamp as its only unsigned attribute.

    Args:
        der: A CMS made by `sign_digest`.
        token: DER of the RFC 3161 token over the hash of `signature_value(der)`.

    Source: RFC 3161, Appendix A.
    """
    content = cms.ContentInfo.load(der)
    attribute = cms.CMSAttribute(
        {"type": "signature_time_stamp_token", "values": [cms.ContentInfo.load(token)]}
    )
    _signer_info(content)["unsigned_attrs"] = cms.CMSAttributes([attribute])
    return bytes(content.dump())


class _Adapter(PyhankoSigner):
    """One of our signers as pyHanko wants it."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        registry = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        registry.register_multiple(_asn1(certificate) for certificate in signer.chain)
        super().__init__(
            signing_cert=_asn1(signer.certificate),
            cert_registry=registry,
            signature_mechanism=algos.SignedDigestAlgorithm({"algorithm": signer.algorithm.cms_name}),
        )

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:  # noqa: ARG002
        """Return the signature over the signed attributes, checked against the certificate."""
        if dry_run:
            return bytes(self._signer.signature_size)
        signature = self._signer.sign(data)
        if not signature_matches(self._signer.certificate, signature, data):
            raise SigningError(
                "the key holder's signature does not fit the certificate; check which key it holds",
                "密钥持有方返回的签名与证书不符，请检查所用密钥",
            )
        return signature


def _signer_info(content: cms.ContentInfo) -> cms.SignerInfo:
    return content["content"]["signer_infos"][0]


def _asn1(certificate: Certificate) -> x509.Certificate:
    return x509.Certificate.load(certificate.public_bytes(Encoding.DER))
