"""Sealed documents: what they cover, what fits, what happens without a timestamp, and what others say of them."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from asn1crypto import cms
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from elicense.errors import SigningError, TimestampUnavailable
from elicense.pki.throwaway import ALGORITHMS
from elicense.pki.timestamps import HttpTimestampAuthority
from elicense.preflight import HashedPrefix
from elicense.signing.pades import required_capacity, seal_document
from tests.support.minimal_pdf import LICENCE, cleared, unsigned
from tests.support.pki import AT, pki, seal_signer, store
from tests.support.tsa import DirectTsa, answer, serving

if TYPE_CHECKING:
    from pathlib import Path

    from elicense.signing.pades import SealedDocument


def seal(algorithm: str = "p256", tsa: object = None, **options: object) -> SealedDocument:
    """Return the minimal document, sealed."""
    signer = seal_signer(algorithm)
    return seal_document(cleared(unsigned(required_capacity(signer, tsa))), signer, timestamps=tsa, **options)


def contents(document: SealedDocument) -> bytes:
    """Return the bytes of the gap between the angle brackets."""
    return document.pdf[document.byte_range[1] + 1 : document.byte_range[2] - 1]


@pytest.mark.parametrize("stamped", [False, True])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_pyhanko_trusts_the_seal(algorithm: str, stamped: bool) -> None:
    """To pyHanko the signature is intact, trusted and covers the whole file, with nothing after it."""
    document = seal(algorithm, DirectTsa() if stamped else None)
    roots = [asn1_x509.Certificate.load(pki().root.certificate.public_bytes(Encoding.DER))]
    crls = [crl.public_bytes(Encoding.DER) for crl in pki().crls]
    context = ValidationContext(trust_roots=roots, moment=AT, crls=crls, revocation_mode="require")
    (embedded,) = PdfFileReader(io.BytesIO(document.pdf), strict=True).embedded_signatures
    status = validate_pdf_signature(embedded, context)
    assert status.bottom_line
    assert status.coverage is SignatureCoverageLevel.ENTIRE_FILE
    assert status.modification_level is ModificationLevel.NONE
    assert status.docmdp_ok
    assert document.profile == ("B-T" if stamped else "B-B")
    assert (status.timestamp_validity is not None) == stamped


def test_a_sealed_document_describes_itself() -> None:
    """Digest, byte range, profile and licence are those of the bytes."""
    document = seal()
    assert document.sha256 == hashlib.sha256(document.pdf).hexdigest()
    zero, start, end, tail = document.byte_range
    assert (zero, end + tail) == (0, len(document.pdf))
    assert (document.pdf[start : start + 1], document.pdf[end - 1 : end]) == (b"<", b">")
    assert not document.timestamp_pending
    assert document.licence is LICENCE


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_same_document_gives_the_same_bytes(algorithm: str) -> None:
    """Sealing again without a timestamp changes not one byte."""
    assert seal(algorithm).pdf == seal(algorithm).pdf


@pytest.mark.parametrize("length", [0, 1, 200, 400])
@pytest.mark.parametrize("algorithm", ["p256", "p384", "ed25519", "rsa2048"])
def test_what_is_hashed_already_changes_nothing(algorithm: str, length: int) -> None:
    """Told the hash of the file's first bytes, sealing gives the same document, and leaves that hash as it was."""
    signer = seal_signer(algorithm)
    document = unsigned(required_capacity(signer), filler=b"x" * 3000)
    begun = HashedPrefix(length, hashlib.sha256(document.pdf[:length]))
    sealed = [
        seal_document(cleared(replace(document, hashed=given)), signer) for given in (None, begun, begun)
    ]
    assert sealed[0] == sealed[1] == sealed[2]
    assert sealed[0].sha256 == hashlib.sha256(sealed[0].pdf).hexdigest()


def test_only_the_gap_changes() -> None:
    """Outside the gap every byte is that of the unsigned document; inside stand lower-case hex and zeros."""
    signer = seal_signer()
    document = unsigned(required_capacity(signer))
    sealed = seal_document(cleared(document), signer)
    _, start, end, _ = sealed.byte_range
    assert (sealed.pdf[:start], sealed.pdf[end:]) == (document.pdf[:start], document.pdf[end:])
    assert len(sealed.pdf) == len(document.pdf)
    gap = contents(sealed)
    assert set(gap) <= set(b"0123456789abcdef")
    value = cms.ContentInfo.load(bytes.fromhex(gap.decode()).rstrip(b"\x00"), strict=True)
    assert gap == value.dump().hex().encode().ljust(len(gap), b"0")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_reserved_space_fits_and_is_fixed(algorithm: str) -> None:
    """The CMS fits with a dozen bytes to spare, and the same signer always asks for the same space."""
    tsa = DirectTsa()
    signer = seal_signer(algorithm)
    plain, stamped = required_capacity(signer), required_capacity(signer, tsa)
    assert (plain, stamped) == (required_capacity(signer), required_capacity(signer, tsa))
    assert stamped - plain >= tsa.token_size
    used = len(bytes.fromhex(contents(seal(algorithm)).decode()).rstrip(b"\x00"))
    assert 0 <= plain - used <= 12
    biggest = DirectTsa(token_size=65536)
    assert required_capacity(signer, biggest) >= used + biggest.token_size


def test_a_clearance_is_spent_once() -> None:
    """The same ClearedDocument cannot be sealed twice, not even when the first time failed."""
    signer = seal_signer()
    clearance = cleared(unsigned(required_capacity(signer)))
    seal_document(clearance, signer)
    with pytest.raises(RuntimeError, match="already redeemed"):
        seal_document(clearance, signer)
    small = cleared(unsigned(100))
    with pytest.raises(SigningError):
        seal_document(small, signer)
    with pytest.raises(RuntimeError, match="already redeemed"):
        seal_document(small, signer)


def test_a_slot_too_small_is_refused() -> None:
    """A CMS longer than the reserved space is a SigningError that says both sizes."""
    with pytest.raises(SigningError, match="not 1000"):
        seal_document(cleared(unsigned(1000)), seal_signer())


@pytest.mark.parametrize(
    "shift", [(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (0, 0, 1, -1), (0, -1, 0, 0)]
)
def test_a_slot_beside_the_gap_is_refused(shift: tuple[int, int, int, int]) -> None:
    """A byte range that is not exactly everything but the gap is refused."""
    document = unsigned(required_capacity(seal_signer()))
    moved = tuple(a + b for a, b in zip(document.slot.byte_range, shift, strict=True))
    wrong = replace(document, slot=replace(document.slot, byte_range=moved))
    with pytest.raises(SigningError, match="not where the document says"):
        seal_document(cleared(wrong), seal_signer())


def test_a_gap_already_filled_is_refused() -> None:
    """A document whose gap holds anything but zeros is refused."""
    document = unsigned(required_capacity(seal_signer()))
    start = document.slot.byte_range[1]
    filled = document.pdf[: start + 5] + b"1" + document.pdf[start + 6 :]
    with pytest.raises(SigningError, match="not where the document says"):
        seal_document(cleared(replace(document, pdf=filled)), seal_signer())


class Absent:
    """A timestamp authority that is down."""

    token_size = 8192

    def stamp(self, _: bytes, __: str) -> bytes:
        """Refuse."""
        raise TimestampUnavailable("down", "不可用")


def test_without_a_timestamp_it_refuses_by_default() -> None:
    """An authority that is down means no document."""
    with pytest.raises(TimestampUnavailable):
        seal(tsa=Absent())


def test_without_a_timestamp_it_degrades_on_request() -> None:
    """With "pending" the document is sealed B-B, in the space of a B-T, and marked pending."""
    document = seal(tsa=Absent(), on_timestamp_failure="pending")
    assert (document.profile, document.timestamp_pending) == ("B-B", True)
    assert len(contents(document)) == 2 * required_capacity(seal_signer(), Absent())


def test_the_timestamp_is_over_the_signature() -> None:
    """Through the HTTP client: one question, and the token's imprint is the hash of the raw signature."""
    asked = []

    def reply(request: bytes) -> bytes:
        asked.append(request)
        return answer(request)

    with serving(reply) as url:
        document = seal("p384", HttpTimestampAuthority(url, trust=store()))
    data = cms.ContentInfo.load(bytes.fromhex(contents(document).decode()))["content"]
    (info,) = data["signer_infos"]
    token = info["unsigned_attrs"][0]["values"][0]["content"]["encap_content_info"]["content"].parsed
    imprint = token["message_imprint"]["hashed_message"].native
    assert imprint == hashlib.sha384(info["signature"].native).digest()
    assert (document.profile, document.timestamp_pending, len(asked)) == ("B-T", False, 1)


@pytest.mark.interop
@pytest.mark.skipif(shutil.which("pdfsig") is None, reason="pdfsig is not installed (poppler-utils)")
@pytest.mark.parametrize("stamped", [False, True])
@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if name != "ed25519"])
def test_pdfsig_finds_the_seal_valid(algorithm: str, stamped: bool, tmp_path: Path) -> None:
    """To pdfsig the signature is valid and the whole document signed, until a byte changes.

    Ed25519 is not known to poppler 22.12 and is left to the other judges.
    """
    document = seal(algorithm, DirectTsa() if stamped else None)
    file = tmp_path / "sealed.pdf"
    file.write_bytes(document.pdf)
    assert "Signature is Valid." in pdfsig(file)
    assert "Total document signed" in pdfsig(file)
    file.write_bytes(document.pdf.replace(b"MediaBox[0 0 595", b"MediaBox[0 0 596"))
    assert "Signature is Valid." not in pdfsig(file)


def pdfsig(file: Path) -> str:
    """Return what pdfsig says; its exit status means nothing."""
    done = subprocess.run(
        ["pdfsig", "-nocert", file], capture_output=True, text=True, timeout=20, check=False
    )
    return done.stdout


@pytest.mark.interop
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if name != "ed25519"])
def test_openssl_verifies_the_cms(algorithm: str, tmp_path: Path) -> None:
    """To openssl the detached CMS with its signing-certificate attribute is good, until a byte changes.

    Ed25519 in CMS is not known to openssl 3.0 and is left to the other judges.
    """
    document = seal(algorithm)
    _, start, end, _ = document.byte_range
    (tmp_path / "x.cms").write_bytes(bytes.fromhex(contents(document).decode()).rstrip(b"\x00"))
    (tmp_path / "root.pem").write_bytes(pki().root.certificate.public_bytes(Encoding.PEM))
    command = [
        "openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", "x.cms", "-content", "x.dat",
        "-CAfile", "root.pem", "-purpose", "any", "-attime", str(int(AT.timestamp())), "-out", "/dev/null",
    ]  # fmt: skip
    results = []
    for data in (document.pdf[:start] + document.pdf[end:], document.pdf[:start] + document.pdf[end:] + b" "):
        (tmp_path / "x.dat").write_bytes(data)
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=20, check=False)
        results.append(done.returncode == 0)
    assert results == [True, False]
