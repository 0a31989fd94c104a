"""The tuned peer: the best use of the same libraries that keeps reportlab's page and pyHanko's writer.

Against the plain pipeline: the QR code is one picture by zxing-cpp instead of a widget of thousand rectangles; the key
is loaded once instead of at every signature; the room for the signature is given instead of found out by a dry run; the
CMS is assembled from DER parts of which only digest and signature vary. It makes the same simple document and checks
nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import zxingcpp
from asn1crypto import cms
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from PIL import Image
from pyhanko.sign import signers
from reportlab.lib.utils import ImageReader

from benchmarks.page import draw
from benchmarks.plain import signed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reportlab.pdfgen.canvas import Canvas

    from benchmarks.content import Content


@dataclass(frozen=True, slots=True)
class TunedPipeline:
    """What is loaded once."""

    signer: TemplateSigner
    """Key and prepared CMS."""
    seal: Path
    """The seal's drawing, a PDF."""
    reserved: int
    """Room for the signature, hex digits."""

    @classmethod
    def load(cls, *, key: Path, certificate: Path, chain: Path, seal_pdf: Path) -> TunedPipeline:
        """Return the pipeline, ready; `benchmarks.page.load_font` has been called."""
        signer = TemplateSigner(key=key, certificate=certificate, chain=chain)
        return cls(signer, seal_pdf, 2 * len(signer.assemble(bytes(32))) + 64)

    def issue(self, content: Content) -> bytes:
        """Return the same signed document as the plain pipeline's."""
        return signed(draw(content, draw_picture), self.signer, self.seal, bytes_reserved=self.reserved)


def draw_picture(sheet: Canvas, text: str, x: float, y: float, side: float) -> None:
    """The QR code of `text` is drawn as a picture of one pixel a module."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    grey: Any = code.to_image(scale=1, add_quiet_zones=False)
    height, width = grey.shape
    picture = Image.frombuffer("L", (width, height), bytes(memoryview(grey)), "raw", "L", 0, 1).convert("1")
    # An object of its own: qpdf takes letters in some pictures for the end of one that stands in the page's stream.
    sheet.drawImage(ImageReader(picture), x, y, side, side)


class LoadedSigner(signers.Signer):
    """pyHanko's signer over PEM files, but for the key, which is loaded once; the CMS is pyHanko's own."""

    def __init__(self, *, key: Path, certificate: Path, chain: Path) -> None:
        whole = signers.SimpleSigner.load(str(key), str(certificate), ca_chain_files=(str(chain),))
        super().__init__(signing_cert=whole.signing_cert, cert_registry=whole.cert_registry)
        private: Any = load_pem_private_key(key.read_bytes(), None)
        self.sign = _signing(private)

    async def async_sign_raw(self, data: bytes, *_: object, **__: object) -> bytes:
        """See pyHanko's Signer."""
        return self.sign(data)

    def build(self, digest: bytes) -> cms.ContentInfo:
        """Return the CMS over a document with this digest, as pyHanko builds it."""
        return asyncio.run(self.async_sign(digest, "sha256", use_pades=True))


class TemplateSigner(LoadedSigner):
    """A signer whose CMS is taken apart once, around the digest and the signature."""

    def __init__(self, *, key: Path, certificate: Path, chain: Path) -> None:
        super().__init__(key=key, certificate=certificate, chain=chain)
        made = asyncio.run(super().async_sign(bytes(32), "sha256", use_pades=True))
        info = made["content"]["signer_infos"][0]
        attributes = bytes(info["signed_attrs"].untag().dump())
        self._attributes = attributes.split(bytes(32))
        assert len(self._attributes) == 2, "the digest stands at one place"
        self._before = b"".join(info[name].dump() for name in ("version", "sid", "digest_algorithm"))
        self._after = bytes(info["signature_algorithm"].dump())
        names = ("version", "digest_algorithms", "encap_content_info", "certificates")
        self._head = b"".join(made["content"][name].dump() for name in names)
        self._kind = bytes(cms.ContentType("signed_data").dump())

    def assemble(self, digest: bytes) -> bytes:
        """Return the DER of the CMS over a document with this digest."""
        attributes = digest.join(self._attributes)
        signature = self.sign(attributes)
        # RFC 5652, 5.4: signed as a SET OF, written with the tag [0].
        parts = (self._before, b"\xa0" + attributes[1:], self._after, _der(0x04, signature))
        signer_info = _der(0x30, b"".join(parts))
        signed_data = _der(0x30, self._head + _der(0x31, signer_info))
        return _der(0x30, self._kind + _der(0xA0, signed_data))

    async def async_sign(self, data_digest: bytes, *_: object, **__: object) -> Any:
        """Return the CMS as bytes, which pyHanko's writer takes as well. See pyHanko's Signer."""
        return self.assemble(data_digest)


def _signing(key: Any) -> Callable[[bytes], bytes]:
    """Return what signs with a loaded key, hashing with SHA-256."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return lambda data: key.sign(data, ec.ECDSA(hashes.SHA256()))
    return lambda data: bytes(key.sign(data, padding.PKCS1v15(), hashes.SHA256()))


def _der(tag: int, content: bytes) -> bytes:
    """Return one element. Source: X.690, 8.1.3, lengths of up to 65,535 bytes."""
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    size = (length.bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + length.to_bytes(size, "big") + content
