"""The CMS inside a seal: one SignerInfo over the document's digest, in DER, with at most one timestamp."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from elicense.errors import SigningError
from elicense.pki.keys import SoftwareSigner, signature_matches
from elicense.pki.loop import refuse_running_loop
from elicense.signing.template import make_template

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from elicense.pki.keys import SignatureAlgorithm, Signer
    from elicense.signing.template import CmsTemplate


class Signature(NamedTuple):
    """A signature over one document's digest."""

    template: CmsTemplate
    """What stands around it."""
    digest: bytes
    """Of the document."""
    value: bytes
    """The raw signature: what a timestamp is taken over."""

    def der(self, timestamp: bytes = b"") -> bytes:
        """Return the detached CMS; its only unsigned attribute is the timestamp (DER of a token), if given."""
        return self.template.build(self.digest, self.value, timestamp)


def sign_digest(digest: bytes, signer: Signer) -> bytes:
    """Return a detached CMS signature over a document with this digest, as DER; the key is used once.

    Args and Raises: as `sign`.
    """
    return sign(digest, signer).der()


def sign(digest: bytes, signer: Signer) -> Signature:
    """Return a signature over a document with this digest; the key is used once.

    Signed attributes: content-type, message-digest, signing-certificate-v2, and no signing-time, which PAdES
    keeps in the signature dictionary. Certificates: the leaf and its chain, without the anchor. The same
    digest gives the same bytes if the signer is deterministic.

    What comes back from a token or a distant holder is verified here: one that uses the wrong key is found out
    before a timestamp is bought. A software key was held against its certificate when it was loaded.

    Args:
        digest: Hash of the byte range, by the hash of the signer's algorithm.
        signer: Holder of the key.

    Raises:
        KeyUnavailable: The holder does not answer.
        SigningError: The signature that came back does not fit the signer's certificate, or the template for this
            signer is not what a full build gives.
        ValueError: `digest` is not as long as a hash of this algorithm.
        RuntimeError: Called inside a running event loop.

    Source: RFC 5652, 5; ETSI EN 319 142-1, 6.3 (the ETSI text itself was not read).
    """
    refuse_running_loop()
    template = template_of(signer)
    if len(digest) != template.digest_size:
        raise ValueError("the digest is not one of the signer's algorithm")
    attributes = template.to_sign(digest)
    value = signer.sign(attributes)
    if not isinstance(signer, SoftwareSigner) and not signature_matches(
        signer.certificate, value, attributes
    ):
        raise SigningError(
            "the key holder's signature does not fit the certificate; check which key it holds",
            "密钥持有方返回的签名与证书不符，请检查所用密钥",
        )
    return Signature(template, digest, value)


def template_of(signer: Signer) -> CmsTemplate:
    """Return the template of a signer, held against a full build once; no key is used. Raises SigningError."""
    return _template(signer.certificate, signer.chain, signer.algorithm)


@lru_cache(maxsize=4096)
def _template(
    certificate: Certificate, chain: tuple[Certificate, ...], algorithm: SignatureAlgorithm
) -> CmsTemplate:
    """Return the template of a signer, held against a full build once. Raises SigningError if they differ."""
    # Imported here: what only verifies, and what has signed once, needs no pyHanko signer.
    from elicense.signing.full_build import require_same  # noqa: PLC0415

    template = make_template(certificate, chain, algorithm)
    require_same(template, certificate, chain, algorithm)
    return template
