"""Signature wrapping: the covered bytes are all still there, but a reader shows others.

Source: Mladenov, Mainka, Meyer zu Selhausen, Grothe, Schwenk: 1 Trillion Dollar Refund (CCS 2019), section 5.3; the
padding tail is the malicious signer's variant that pyHanko 0.38 takes for a whole-file signature.
"""

# ruff: noqa: D103 - what a vector is stands in its case file
from __future__ import annotations

import hashlib

from elicense.signing.cms import sign_digest
from tests.attacks import documents as d
from tests.attacks import surgery as s
from tests.vectors.registry import Vector, forgery


def _parts(subject: str) -> tuple[bytes, bytes, bytes]:
    """Return the bytes before the gap, the DER in it as digits without padding, the bytes behind it."""
    data = d.licence(subject)
    start, end = d.gap(data)
    return data[:start], d.signed_data(data).hex().encode(), data[end:]


def _wrapped(subject: str, opening: bytes, closing: bytes = b"") -> bytes:
    """Return the file with a second byte range in the freed padding and the second covered part moved to the end.

    Between the two stands the forged page; a cross-reference table to it lies where the old one lay, so that the old
    last lines, now the last lines of the moved part, lead there.

    Args:
        subject: the document.
        opening: what stands before the moved part.
        closing: what stands behind it.
    """
    document = s.of(subject)
    first, digits, second = _parts(subject)
    gap_end = len(first) + len(digits) + 2
    objects, offsets = s.objects_at(gap_end + 120, s.forged_page(document))
    filler = b" " * (document.tail.xref - gap_end - 120 - len(objects))
    lines = s.table(offsets) + s.trailer(document, offsets) + opening
    moved = document.tail.xref + len(lines)
    words = b"/ByteRange [0 %d %d %d]>>\nendobj\n" % (len(first), moved, len(second))
    return first + b"<" + digits + b">" + words.ljust(120) + objects + filler + lines + second + closing


@forgery(*d.TYPES)
def swa_second_byte_range_in_the_padding(subject: str) -> Vector:
    return s.against(_wrapped(subject, b""))


@forgery(*d.TYPES)
def swa_second_part_in_a_stream(subject: str) -> Vector:
    number = s.of(subject).free + 5
    opening = b"%d 0 obj\n<</Length 9>>\nstream\n" % number
    return s.against(_wrapped(subject, opening))


@forgery(*d.TYPES)
def swa_second_part_in_a_comment(subject: str) -> Vector:
    return s.against(_wrapped(subject, b"%"))


@forgery(*d.TYPES)
def swa_second_part_with_a_forged_end(subject: str) -> Vector:
    end = b"startxref\n%d\n%%%%EOF\n" % s.of(subject).tail.xref
    return s.against(_wrapped(subject, b"", end))


@forgery(*d.TYPES)
def swa_second_part_moved_only(subject: str) -> Vector:
    document, data = s.of(subject), d.licence(subject)
    end = d.gap(data)[1]
    objects, _ = s.objects_at(end + 1, s.forged_page(document))
    return s.against(data[:end] + b"\n" + objects + data[end:])


@forgery(*d.TYPES)
def swa_contents_twice(subject: str) -> Vector:
    data = d.licence(subject)
    start, end = d.gap(data)
    digits = d.signed_data(data).hex().encode()
    room = end - start - len(digits) - 2 - len(b"/Contents <>")
    gap = b"<" + digits + b">/Contents <" + b"30".ljust(room, b"0") + b">"
    assert len(gap) == end - start
    return s.against(data[:start] + gap + data[end:])


@forgery(*d.TYPES)
def swa_covered_range_as_a_prefix(subject: str) -> Vector:
    document = s.of(subject)
    other = s.forged_page(document)
    shift = document.tail.end
    body, offsets = s.objects_at(shift, {**_copies(document), **other})
    lines = s.table(offsets) + s.trailer(document, offsets).replace(b"/Prev %d" % document.tail.xref, b"")
    return s.against(document.data + body + lines + b"startxref\n%d\n%%%%EOF\n" % (shift + len(body)))


def _copies(document: s.Anatomy) -> dict[int, bytes]:
    """Return every object of the document again."""
    return {number: document.body(number) for number in range(1, document.free)}


@forgery(*d.TYPES)
def siwa_signature_object_cloned(subject: str) -> Vector:
    document = s.of(subject)
    page, clone = s.forged_page(document), document.free + 1
    field = document.body(document.field).replace(b"/V %d 0 R" % document.signature, b"/V %d 0 R" % clone)
    return s.changed(subject, {**page, document.field: field, clone: document.body(document.signature)})


@forgery(*d.TYPES)
def siwa_signature_object_redefined(subject: str) -> Vector:
    document = s.of(subject)
    return s.changed(
        subject, {**s.forged_page(document), document.signature: document.body(document.signature)}
    )


@forgery(*d.TYPES)
def signature_in_a_second_field(subject: str) -> Vector:
    document = s.of(subject)
    number = document.free + 1
    catalogue = document.catalogue.replace(b"/Fields[", b"/Fields[%d 0 R " % number)
    field = b"<</FT/Sig/T(Copy)/V %d 0 R>>" % document.signature
    return s.changed(subject, {**s.forged_page(document), document.tail.root: catalogue, number: field})


@forgery(*d.TYPES)
def published_forgery_2_padding_tail(subject: str) -> Vector:
    data, document = d.licence(subject), s.of(subject)
    start, end = d.gap(data)
    page = s.forged_page(document)
    size = len(s.update(document, page)) - len(data)
    room = 2048
    assert size < room
    wide = d.framed(data[: start + 1] + b"00" * (room + 2600) + data[end - 1 :] + b"%" * 0)
    start, end = d.gap(wide)
    tail = len(wide) - end
    covering = s.anatomy(wide)
    # The last `room` bytes of the file are the update; the covered second part is as long as it was, begun earlier.
    forged = s.update(covering, page)
    forged = forged[:-7] + b" " * (room - (len(forged) - len(wide))) + forged[-7:]
    words = b"/ByteRange [0 %010d %010d %010d]" % (start, end - room, tail + room)
    at = forged.rindex(b"/ByteRange [0", 0, start)
    forged = forged[:at] + words + forged[at + len(words) :]
    covered = forged[:start] + forged[end - room : len(wide)]
    signer = d.keeper(subject).signer
    der = sign_digest(hashlib.new(signer.algorithm.digest, covered).digest(), signer).hex().encode()
    assert len(der) < end - room - start - 1
    return s.against(forged[: start + 1] + der + forged[start + 1 + len(der) :])


@forgery(*d.TYPES)
def range_from_inside_the_padding(subject: str) -> Vector:
    return s.against(_resigned(subject, lambda start, end, size: (start, end - 64, size - end + 64)))


@forgery(*d.TYPES)
def range_leaves_out_more_than_contents(subject: str) -> Vector:
    return s.against(_resigned(subject, lambda start, end, size: (start - 10, end, size - end)))


@forgery(*d.TYPES)
def range_leaves_out_the_tail(subject: str) -> Vector:
    return s.against(_resigned(subject, lambda start, end, size: (start, end, size - end - 40)))


def _resigned(subject: str, choose: object) -> bytes:
    """Return the document with the byte range that `choose` makes of gap and size, truly signed by its authority."""
    data = d.licence(subject)
    start, end = d.gap(data)
    first, second, rest = choose(start, end, len(data))  # type: ignore[operator]
    words = b"/ByteRange [0 %010d %010d %010d]" % (first, second, rest)
    at = data.rindex(b"/ByteRange [0", 0, start)
    data = data[:at] + words + data[at + len(words) :]
    signer = d.keeper(subject).signer
    covered = data[:first] + data[second : second + rest]
    der = sign_digest(hashlib.new(signer.algorithm.digest, covered).digest(), signer).hex().encode()
    return data[: start + 1] + der + data[start + 1 + len(der) :]
