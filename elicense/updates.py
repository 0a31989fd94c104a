"""The bytes of a later revision: one form for whoever adds a seal or an archive timestamp and whoever checks it.

An update stands directly behind the `%%EOF` line of what it extends: objects by ascending number, one classic
cross-reference section, a trailer that repeats the one before with another Size and a Prev, `startxref`, `%%EOF`.

    seal       redefines one prepared field; adds its signature and what its appearance needs
    evidence   redefines the catalogue; adds a DSS dictionary with certificates, revocation lists, OCSP answers
    timestamp  redefines the catalogue (or the form it refers to); adds a field without a widget and a DocTimeStamp

No page, no metadata and no other object is touched. Source: ISO 32000-2, 7.5.6, 12.7.5.5, 12.8.4.3 and 12.8.5 (text
read in secondary sources); the exact bytes are ours (docs/format.md).
"""

from __future__ import annotations

import hashlib
import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RANGE = b"/ByteRange [0 %010d %010d %010d]"
"""How every signature of ours states its byte range."""
_DSS = re.compile(rb"/DSS ([1-9][0-9]*) 0 R>>\Z")
_FIELDS = re.compile(rb"/Fields ?\[([0-9R ]*)\]")
_APPEARANCE = re.compile(rb"/AP<</N [1-9][0-9]* 0 R>>")


@dataclass(frozen=True, slots=True)
class Tail:
    """What an update must know of the file it extends; offsets in bytes from the file's start."""

    end: int
    """Length of the file."""
    xref: int
    """Offset of its newest cross-reference section, the Prev of the update."""
    size: int
    """Its Size: the first free object number."""
    root: int
    """Object number of the catalogue."""
    info: int
    """Object number of the information dictionary; 0 if there is none."""
    identifier: bytes
    """The bytes of the trailer's ID array, brackets included."""


def write_update(tail: Tail, objects: Mapping[int, bytes]) -> bytes:
    """Return the update with these objects; the file is extended by exactly these bytes.

    Args:
        tail: what is extended.
        objects: object number -> body (without `obj` and `endobj`); new numbers go on from `tail.size` without a gap.
    """
    parts, offsets, position = [], {}, tail.end
    for number in sorted(objects):
        whole = b"%d 0 obj\n%s\nendobj\n" % (number, objects[number])
        offsets[number] = position
        parts.append(whole)
        position += len(whole)
    parts.append(b"xref\n")
    for _, run in itertools.groupby(enumerate(sorted(offsets)), lambda pair: pair[1] - pair[0]):
        numbers = [number for _, number in run]
        parts.append(b"%d %d\n" % (numbers[0], len(numbers)))
        parts += [b"%010d 00000 n \n" % offsets[number] for number in numbers]
    info = b"/Info %d 0 R" % tail.info if tail.info else b""
    size = max(tail.size, *(number + 1 for number in objects))
    parts.append(
        b"trailer\n<</Size %d/Root %d 0 R%s/ID%s/Prev %d>>\nstartxref\n%d\n%%%%EOF\n"
        % (size, tail.root, info, tail.identifier, tail.xref, position)
    )
    return b"".join(parts)


def data_stream(der: bytes) -> bytes:
    """Return the body of a stream that holds one DER value as it is."""
    return b"<</Length %d>>\nstream\n%s\nendstream" % (len(der), der)


def evidence(certificates: Sequence[int], crls: Sequence[int], ocsps: Sequence[int]) -> bytes:
    """Return the body of a DSS dictionary over streams given by object number. Source: ISO 32000-2, 12.8.4.3."""
    parts = [b"<</Type/DSS"]
    for key, numbers in ((b"Certs", certificates), (b"CRLs", crls), (b"OCSPs", ocsps)):
        if numbers:
            parts.append(b"/%s[%s]" % (key, _references(numbers)))
    return b"".join([*parts, b">>"])


def with_evidence(catalogue: bytes, dss: int) -> bytes:
    """Return the catalogue's body with its DSS entry set to object `dss`, last of all entries."""
    return _DSS.sub(b">>", catalogue)[:-2] + b"/DSS %d 0 R>>" % dss


def with_field(form: bytes, field: int) -> bytes:
    """Return the body with the form's Fields (the catalogue, or the form itself), one more field at their end.

    Raises ValueError if there is not exactly one Fields array of references in it.
    """
    found = _FIELDS.findall(form)
    if len(found) != 1:
        raise ValueError("not exactly one array of fields")
    return _FIELDS.sub(b"/Fields[%s %d 0 R]" % (found[0], field), form)


def timestamp_field(name: str, value: int) -> bytes:
    """Return the body of the field of an archive timestamp; it has no widget, so no page knows it."""
    return b"<</FT/Sig/T(%s)/TU(Archive timestamp)/V %d 0 R>>" % (name.encode("ascii"), value)


def timestamp_name(number: int) -> str:
    """Return the name of the field of the `number`-th archive timestamp, counted from 1."""
    return f"Timestamp{number}"


def timestamp_value(capacity: int) -> bytes:
    """Return the body of a DocTimeStamp with an empty gap of `capacity` bytes of DER and a byte range of zeros."""
    return (
        b"<</Type/DocTimeStamp/Filter/Adobe.PPKLite/SubFilter/ETSI.RFC3161"
        + RANGE % (0, 0, 0)
        + b"/Contents <%s>>>" % (b"0" * (2 * capacity))
    )


def seal_value(claimed: bytes, capacity: int, *, locks: int = 0) -> bytes:
    """Return the body of a further seal's signature with an empty gap and a byte range of zeros.

    Args:
        claimed: the claimed time, `D:YYYYMMDDHHMMSSZ`.
        capacity: bytes of DER.
        locks: object number of the catalogue if this is the last seal, which locks every field; else 0.
    """
    lock = (
        b"/Reference[<</Type/SigRef/TransformMethod/FieldMDP/Data %d 0 R"
        b"/TransformParams<</Type/TransformParams/Action/All/V/1.2>>>>]" % locks
        if locks
        else b""
    )
    return (
        b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached"
        + lock
        + b"/M(%s)" % claimed
        + RANGE % (0, 0, 0)
        + b"/Contents <%s>>>" % (b"0" * (2 * capacity))
    )


LOCK = b"<</Type/SigFieldLock/Action/All/P 1>>"
"""Body of the object that the last prepared field's Lock refers to: once sealed, nothing may change.

Source: ISO 32000-2, 12.7.5.5 (an indirect reference; text from memory of it)."""


def sealed_field(prepared: bytes, *, appearance: int, value: int) -> bytes:
    """Return the body of a prepared field once it is sealed: another appearance, and the value behind all else.

    Raises ValueError if `prepared` has not exactly one appearance given by reference.
    """
    changed, count = _APPEARANCE.subn(b"/AP<</N %d 0 R>>" % appearance, prepared)
    if count != 1:
        raise ValueError("not exactly one appearance")
    return changed[:-2] + b"/V %d 0 R>>" % value


def place_gap(pdf: bytes, start: int) -> tuple[bytes, tuple[int, int, int, int]]:
    """Return the file with the byte range of the one empty signature behind `start` written, and that range.

    The range reaches to the end of `pdf`. Raises ValueError if there is not exactly one such signature.
    """
    empty = RANGE % (0, 0, 0)
    if pdf.count(empty, start) != 1:
        raise ValueError("not exactly one empty signature")
    declared = pdf.index(empty, start)
    gap = declared + len(empty) + len(b"/Contents ")
    end = pdf.index(b">", gap) + 1
    byte_range = (0, gap, end, len(pdf) - end)
    return pdf[:declared] + RANGE % byte_range[1:] + pdf[declared + len(empty) :], byte_range


def digest_of(pdf: bytes, byte_range: tuple[int, int, int, int], algorithm: str) -> bytes:
    """Return the hash of the bytes that a byte range covers."""
    first, length, second, rest = byte_range
    view = memoryview(pdf)
    digest = hashlib.new(algorithm, view[first : first + length])
    digest.update(view[second : second + rest])
    return digest.digest()


def fill_gap(pdf: bytes, byte_range: tuple[int, int, int, int], der: bytes) -> bytes:
    """Return the file with `der` in the gap, lower-case, zeros behind it. Raises ValueError if it does not fit."""
    _, start, end, _ = byte_range
    if 2 * len(der) > end - start - 2:
        raise ValueError("the gap is too small")
    view, digits = memoryview(pdf), der.hex().encode("ascii").ljust(end - start - 2, b"0")
    return b"".join((view[: start + 1], digits, view[end - 1 :]))


def _references(numbers: Sequence[int]) -> bytes:
    return b" ".join(b"%d 0 R" % number for number in numbers)
