"""Vectors on the smallest sealed licence, made by hand: honest, damaged, and sealed against the rules."""

# ruff: noqa: D103 - what a vector is stands in its case file
from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date, timedelta
from functools import cache

from cryptography import x509

from elicense.encoding import encode_index, encode_licence_file
from elicense.model import Validity
from elicense.pki.keys import fingerprint
from elicense.pki.throwaway import Identity, ThrowawayPki, make_pki
from elicense.pki.trust import TrustEntry, TrustStore
from elicense.verification import der
from tests.support.pki import AT, AUTHORITY, AUTHORITY_CODE, SEAL_NUMBER
from tests.support.tsa import DirectTsa
from tests.unit.verification.minimal_pdf import (
    LICENCE,
    TYPE_CODE,
    Draft,
    page_content,
    placements,
    sealed,
    unsigned,
)
from tests.vectors.registry import Vector, vector

DAY = timedelta(days=1)


# --- Circumstances ---


@cache
def pki() -> ThrowawayPki:
    """Return the PKI that everybody trusts."""
    return make_pki(at=AT)


@cache
def stranger_pki() -> ThrowawayPki:
    """Return a PKI with the same names that nobody trusts."""
    return make_pki(at=AT)


@cache
def seal() -> Identity:
    """Return the authority's seal certificate."""
    return pki().seal(SEAL_NUMBER, AUTHORITY, AUTHORITY_CODE)


def entry(identity: Identity, **changes: object) -> TrustEntry:
    """Return the register's line for a certificate: our authority, our type, ten years."""
    line = TrustEntry(
        authority_code=AUTHORITY_CODE,
        authority_name=AUTHORITY,
        certificate=fingerprint(identity.certificate),
        seal_number=SEAL_NUMBER,
        type_codes=(TYPE_CODE,),
        valid_from=AT - 365 * DAY,
        valid_until=AT + 3650 * DAY,
    )
    return replace(line, **changes)


def trust(*entries: TrustEntry, crls: tuple[x509.CertificateRevocationList, ...] | None = None) -> TrustStore:
    """Return our anchors and lists with a register of `entries`, by default the seal's."""
    return TrustStore(
        anchors=(pki().root.certificate,),
        crls=pki().crls if crls is None else crls,
        register=entries or (entry(seal()),),
    )


@cache
def base() -> bytes:
    """Return the untouched document."""
    return sealed(Draft(), seal().signer())


def gap(data: bytes) -> tuple[int, int]:
    """Return where the hexadecimal string of the seal begins and ends, brackets included."""
    start = data.index(b"/Contents <") + len(b"/Contents ")
    return start, data.index(b">", start) + 1


def with_gap(data: bytes, encoded: bytes) -> bytes:
    """Return the document with other DER in its gap."""
    start, end = gap(data)
    digits = encoded.hex().encode("ascii")
    assert len(digits) <= end - start - 2
    return data[: start + 1] + digits.ljust(end - start - 2, b"0") + data[end - 1 :]


def flipped(position: int, bit: int = 1, data: bytes | None = None) -> Vector:
    """Return the base document with one bit changed."""
    changed = bytearray(data or base())
    changed[position] ^= bit
    return Vector(bytes(changed), trust())


def changed(old: bytes, new: bytes) -> Vector:
    """Return the base document with the last occurrence of `old` replaced."""
    head, found, tail = base().rpartition(old)
    assert found
    return Vector(head + new + tail, trust())


def made(draft: Draft, **options: object) -> Vector:
    """Return a document that the known authority sealed, whatever is in it."""
    return Vector(sealed(draft, seal().signer(), **options), trust())


# --- Honest ---


@vector
def untouched() -> Vector:
    return Vector(base(), trust())


@vector
def untouched_timestamped() -> Vector:
    return made(Draft(), timestamps=DirectTsa(identity=pki().timestamp_authority()))


@vector
def untouched_anchors_only() -> Vector:
    return Vector(base(), replace(trust(), register=None))


@vector
def licence_expired() -> Vector:
    licence = replace(LICENCE, validity=Validity(date(2026, 3, 2), date(2026, 3, 4)))
    return made(Draft(licence=licence))


@vector
def licence_not_yet_valid() -> Vector:
    return made(Draft(licence=replace(LICENCE, validity=Validity(date(2026, 6, 1), None))))


# --- One bit changed, in each kind of place ---


@vector
def bit_in_header() -> Vector:
    return flipped(base().index(b"1.7"))


@vector
def bit_in_binary_comment() -> Vector:
    return flipped(10, 2)


@vector
def bit_in_object_number() -> Vector:
    return flipped(base().index(b"3 0 obj"))


@vector
def bit_in_page_content() -> Vector:
    return flipped(base().index(b"stream\n", base().index(b"10 0 obj")) + 30)


@vector
def bit_in_font_map() -> Vector:
    return flipped(base().index(b"stream\n", base().index(b"13 0 obj")) + 30)


@vector
def bit_in_embedded_data() -> Vector:
    return flipped(base().index("有限公司".encode()), 4)


@vector
def bit_in_byte_range_keyword() -> Vector:
    return flipped(base().index(b"/ByteRange") + 3)


@vector
def bit_in_byte_range_digits() -> Vector:
    return flipped(base().index(b"/ByteRange [0 0") + 23, 2)


@vector
def bit_in_contents_keyword() -> Vector:
    return flipped(base().index(b"/Contents <") + 3)


@vector
def bit_in_signature_type() -> Vector:
    return flipped(base().index(b"/Type/Sig/") + 6)


@vector
def bit_in_certification() -> Vector:
    return flipped(base().index(b"/P 1/V") + 3, 2)


@vector
def bit_in_xref_keyword() -> Vector:
    return flipped(base().rindex(b"\nxref") + 2)


@vector
def bit_in_xref_entry() -> Vector:
    return flipped(base().rindex(b" 00000 n") - 1)


@vector
def bit_in_trailer() -> Vector:
    return flipped(base().rindex(b"/Root") + 1)


@vector
def bit_in_startxref() -> Vector:
    return flipped(base().rindex(b"startxref") + 2)


@vector
def bit_in_end_mark() -> Vector:
    return flipped(base().rindex(b"%%EOF") + 3)


# --- Bytes added or removed ---


@vector
def appended_newline() -> Vector:
    return Vector(base() + b"\n", trust())


@vector
def appended_byte() -> Vector:
    return Vector(base() + b"\0", trust())


@vector
def appended_garbage() -> Vector:
    return Vector(base() + bytes(range(256)) * 40, trust())


@vector
def appended_zip() -> Vector:
    return Vector(base() + b"PK\x05\x06" + bytes(18), trust())


def update(objects: dict[int, bytes], *, end: bytes = b"%%EOF\n") -> bytes:
    """Return an incremental update of the base document. Source: ISO 32000-2, 7.5.6."""
    data = base()
    previous = int(data[data.rindex(b"startxref") + 10 :].split()[0])
    parts, offsets, position = [], {}, len(data)
    for number, body in objects.items():
        offsets[number] = position
        parts.append(b"%d 0 obj\n%s\nendobj\n" % (number, body))
        position += len(parts[-1])
    parts.append(b"xref\n" + b"".join(b"%d 1\n%010d 00000 n \n" % item for item in offsets.items()))
    size = max(15, *(number + 1 for number in objects))
    parts.append(b"trailer\n<</Size %d/Root 1 0 R/Prev %d>>\n" % (size, previous))
    parts.append(b"startxref\n%d\n" % position + end)
    return b"".join(parts)


SHADOW = b"<</Length 44>>\nstream\nBT /D0 12 Tf 57 700 Td <00010002> Tj ET          \nendstream"


@vector
def second_revision_page_content() -> Vector:
    return Vector(base() + update({10: SHADOW}), trust())


@vector
def second_revision_new_page() -> Vector:
    pages = b"<</Type/Pages/Kids[3 0 R 15 0 R]/Count 2>>"
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources 8 0 R/Contents 10 0 R>>"
    return Vector(base() + update({2: pages, 15: page}), trust())


@vector
def second_revision_metadata() -> Vector:
    return Vector(base() + update({14: b"<</Title(Something else)>>"}), trust())


@vector
def tail_without_end_mark() -> Vector:
    """Incremental saving without %%EOF: readers that look back for the signed one see no new revision."""
    return Vector(base() + update({10: SHADOW}, end=b""), trust())


@vector
def junk_before() -> Vector:
    return Vector(b"GIF89a junk\n" + base(), trust())


@vector
def cut_by_one() -> Vector:
    return Vector(base()[:-1], trust())


@vector
def cut_tail() -> Vector:
    return Vector(base()[:-300], trust())


@vector
def cut_in_seal() -> Vector:
    return Vector(base()[: gap(base())[0] + 500], trust())


@vector
def cut_early() -> Vector:
    return Vector(base()[:400], trust())


@vector
def embedded_data_swapped() -> Vector:
    return changed("样例餐饮测试有限公司".encode(), "示例餐饮测试有限公司".encode())


# --- The gap ---


@vector
def padding_not_zero() -> Vector:
    _, end = gap(base())
    return flipped(end - 3)


@vector
def hex_in_capitals() -> Vector:
    start, end = gap(base())
    data = base()
    return Vector(data[:start] + data[start:end].upper() + data[end:], trust())


@vector
def hex_one_capital() -> Vector:
    start, _ = gap(base())
    position = next(at for at in range(start, len(base())) if base()[at : at + 1] in b"abcdef")
    return flipped(position, 0x20)


@vector
def seal_wiped() -> Vector:
    start, end = gap(base())
    return Vector(base()[:start] + b"<" + b"0" * (end - start - 2) + b">" + base()[end:], trust())


@vector
def never_sealed() -> Vector:
    return Vector(unsigned(Draft(), 3072).pdf, trust())


@vector
def seal_damaged() -> Vector:
    return flipped(gap(base())[0] + 4)


@vector
def seal_of_another_document() -> Vector:
    other = sealed(Draft(licence=replace(LICENCE, number="JY19901010000026")), seal().signer())
    start, end = gap(base())
    return Vector(base()[:start] + other[slice(*gap(other))] + base()[end:], trust())


@vector
def signature_value_changed() -> Vector:
    start, end = gap(base())
    raw = bytearray.fromhex(base()[start + 1 : end - 1].decode("ascii"))
    raw[der.read(raw, 0, len(raw)).end - 1] ^= 1
    return Vector(base()[: start + 1] + raw.hex().encode("ascii") + base()[end - 1 :], trust())


# --- Sealed by the known authority, against the rules ---


@vector
def range_ends_early() -> Vector:
    """Padding tail: the second part begins in the padding and stops as many bytes before the end."""
    document = unsigned(Draft(), 3072)
    zero, start, end, tail = document.slot.byte_range
    old = b"[0 %010d %010d %010d]" % (start, end, tail)
    shifted = (zero, start, end - 64, tail)
    pdf = document.pdf.replace(old, b"[0 %010d %010d %010d]" % shifted[1:])
    return Vector(seal_over(pdf, shifted), trust())


def seal_over(pdf: bytes, byte_range: tuple[int, int, int, int]) -> bytes:
    """Return `pdf` with the authority's true signature over whatever `byte_range` says."""
    from elicense.signing.cms import sign_digest

    first, length, second, rest = byte_range
    covered = pdf[first : first + length] + pdf[second : second + rest]
    value = sign_digest(hashlib.sha256(covered).digest(), seal().signer()).hex().encode()
    start = pdf.index(b"/Contents <") + len(b"/Contents <")
    return pdf[:start] + value + pdf[start + len(value) :]


@vector
def range_not_canonical() -> Vector:
    return made(Draft(byte_range=b"[0  %010d %010d %010d]"))


@vector
def range_twice() -> Vector:
    return made(Draft(signature=b"/Reason(x /ByteRange [0 1 2 3])"))


@vector
def duplicate_key() -> Vector:
    return made(Draft(catalogue=b"/Lang(en)"))


@vector
def duplicate_key_escaped() -> Vector:
    return made(Draft(catalogue=b"/L#61ng(en)"))


@vector
def script() -> Vector:
    return made(Draft(catalogue=b"/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>"))


@vector
def script_escaped() -> Vector:
    return made(Draft(objects={14: b"<</Title(x)/Next<</S/#4aavaScript>>>>"}))


@vector
def hidden_object() -> Vector:
    return made(Draft(objects={15: b"<</Type/Page/MediaBox[0 0 595 842]>>"}))


@vector
def second_attachment() -> Vector:
    objects = {15: b"<</Type/Filespec/F(other.txt)/UF(other.txt)/EF<</F 7 0 R>>>>"}
    return made(Draft(objects=objects, catalogue=b"/Extensions 15 0 R"))


@vector
def attachment_renamed() -> Vector:
    return made(Draft(file_name=b"licence.exe"))


@vector
def changes_allowed() -> Vector:
    return made(Draft(permission=b"2"))


@vector
def second_field() -> Vector:
    return made(Draft(objects={12: b"<</Fields[4 0 R 15 0 R]/SigFlags 3>>", 15: b"<</FT/Tx/T(a)>>"}))


@vector
def encrypted_and_sealed() -> Vector:
    return made(Draft(trailer=b"/Encrypt<</Filter/Standard/V 1/R 2/O<00>/U<00>/P -4>>"))


@vector
def print_differs() -> Vector:
    return made(Draft(lines={2: "样例餐饮测试股份公司"}))


@vector
def print_unlisted() -> Vector:
    return made(Draft(extra_stream=b"BT\n/D0 12 Tf\n57 300 Td <00010002> Tj\nET\n"))


@vector
def data_malformed() -> Vector:
    return made(Draft(embedded=b'{"schema":"elicense/licence/1","licence":{}}'))


@vector
def data_of_another_licence() -> Vector:
    other = replace(LICENCE, document_id="ff" * 16)
    return made(Draft(embedded=encode_licence_file(other, encode_index(placements(other)))))


@vector
def data_not_as_printed() -> Vector:
    other = replace(LICENCE, number="JY19901010000026")
    return made(Draft(embedded=encode_licence_file(other, encode_index(placements(LICENCE)))))


@vector
def page_bomb() -> Vector:
    """Two hundred megabytes of page content in two hundred kilobytes."""
    import zlib

    content, _ = page_content(Draft())
    squeezed = zlib.compress(content + b" " * (200 << 20))
    body = b"<</Filter/FlateDecode/Length %d>>\nstream\n%s\nendstream" % (len(squeezed), squeezed)
    return made(Draft(objects={10: body}))
