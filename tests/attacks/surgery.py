"""Tools to forge sealed documents without a key: their anatomy, and updates that keep as few rules as wanted."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from elicense import updates
from tests.attacks import documents as d
from tests.vectors.registry import Vector

if TYPE_CHECKING:
    from collections.abc import Mapping

_OBJECT = re.compile(rb"(?:\A|\n)([0-9]{1,6}) 0 obj\n")
FORGED = "FORGED LICENCE"
"""What readers show on the first page of a document whose page was forged."""


@dataclass(frozen=True)
class Anatomy:
    """Where everything is in one of our documents; numbers are object numbers."""

    data: bytes
    tail: updates.Tail
    pages: tuple[int, ...]
    fields: tuple[int, ...]
    """Signature fields, in the order of their numbers."""
    field: int
    """That of the seal."""
    signature: int
    """The seal's dictionary."""
    appearance: int
    """The seal's picture."""
    attachment: int
    """The stream of licence.json."""

    def body(self, number: int) -> bytes:
        """Return the newest body of an object."""
        return d.body(self.data, number)

    @property
    def free(self) -> int:
        """The first object number that is not used."""
        return self.tail.size

    @property
    def catalogue(self) -> bytes:
        """The catalogue's body."""
        return self.body(self.tail.root)


@lru_cache(maxsize=32)
def anatomy(data: bytes) -> Anatomy:
    """Return where everything is in a document of ours."""
    pages, fields, attachment = [], [], 0
    for match in _OBJECT.finditer(data):
        number, head = int(match[1]), data[match.end() : match.end() + 400]
        if head.startswith(b"<</Type/Page/") and number not in pages:
            pages.append(number)
        elif b"/FT/Sig/" in head.partition(b"endobj")[0] and number not in fields:
            fields.append(number)
        elif head.startswith(b"<</Type/EmbeddedFile"):
            attachment = number
    whole = Anatomy(
        data, d.tail(data), tuple(pages), tuple(sorted(fields)), 0, 0, 0, attachment
    )  # fmt: skip
    form = re.search(rb"/Fields ?\[([0-9]+) 0 R", whole.catalogue)
    assert form is not None
    field = int(form[1])
    value, drawn = (
        re.search(rb"/V ([0-9]+) 0 R", whole.body(field)),
        re.search(rb"/AP<</N ([0-9]+)", whole.body(field)),
    )
    assert value is not None
    assert drawn is not None
    return Anatomy(
        data, whole.tail, whole.pages, whole.fields, field, int(value[1]), int(drawn[1]), attachment
    )  # fmt: skip


def of(subject: str) -> Anatomy:
    """Return the anatomy of a subject."""
    return anatomy(d.licence(subject))


def against(data: bytes) -> Vector:
    """Return the file as a verifier of the demonstration meets it."""
    return Vector(data, d.trust(), d.AT)


# --- Updates that keep as few rules as wanted ---


def objects_at(position: int, objects: Mapping[int, bytes]) -> tuple[bytes, dict[int, int]]:
    """Return the objects one behind the other from `position` on, and their offsets."""
    parts, offsets = [], {}
    for number, content in objects.items():
        offsets[number] = position
        parts.append(b"%d 0 obj\n%s\nendobj\n" % (number, content))
        position += len(parts[-1])
    return b"".join(parts), offsets


def table(offsets: Mapping[int, int]) -> bytes:
    """Return a cross-reference section with one line for each object."""
    return b"xref\n" + b"".join(b"%d 1\n%010d 00000 n \n" % item for item in sorted(offsets.items()))


def trailer(
    document: Anatomy, offsets: Mapping[int, int], *, root: int = 0, extra: bytes = b"", prev: int = -1
) -> bytes:
    """Return a trailer as an honest update has it, `extra` at its end."""
    tail = document.tail
    size = max(tail.size, *(number + 1 for number in offsets)) if offsets else tail.size
    info = b"/Info %d 0 R" % tail.info if tail.info else b""
    back = b"/Prev %d" % (tail.xref if prev < 0 else prev)
    return b"trailer\n<</Size %d/Root %d 0 R%s/ID%s%s%s>>\n" % (
        size, root or tail.root, info, tail.identifier, back, extra,
    )  # fmt: skip


def update(document: Anatomy, objects: Mapping[int, bytes]) -> bytes:
    """Return the whole file with an update of these objects in exactly the form that ours have."""
    return document.data + updates.write_update(document.tail, objects)


def odd_update(
    document: Anatomy, objects: Mapping[int, bytes], *, end: bytes = b"%%EOF\n", **what: object
) -> bytes:
    """Return the whole file with an update in another form: another end, or `what` of its trailer."""
    body, offsets = objects_at(document.tail.end, objects)
    lines = table(offsets) + trailer(document, offsets, **what)  # type: ignore[arg-type]
    return document.data + body + lines + b"startxref\n%d\n" % (document.tail.end + len(body)) + end


def changed(subject: str, objects: Mapping[int, bytes]) -> Vector:
    """Return the subject with an update that changes these objects."""
    return against(update(of(subject), objects))


def edited(subject: str, number: int, old: bytes, new: bytes) -> Vector:
    """Return the subject with an update in which one object has `old` (a pattern) replaced."""
    content, count = re.subn(old, lambda _: new, of(subject).body(number), count=1)
    assert count, (number, old)
    return changed(subject, {number: content})


# --- What a forger wants to show ---


def stream(content: bytes, entries: bytes = b"") -> bytes:
    """Return the body of a stream."""
    return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (entries, len(content), content)


FONT = b"<</Font<</F0<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
TEXT = b"1 1 1 rg 0 0 2000 2000 re f 0 g BT /F0 24 Tf 60 400 Td (%s) Tj ET" % FORGED.encode()
"""Covers the page and says it is forged."""


def forged_page(document: Anatomy, *, at: int = 0) -> dict[int, bytes]:
    """Return the first page with other content, and that content as object `at` or the first free number."""
    page, content = document.pages[0], at or document.free
    body = re.sub(rb"/Resources [0-9]+ 0 R", lambda _: b"/Resources" + FONT, document.body(page))
    body = re.sub(rb"/Contents(?:\[[^\]]*\]| [0-9]+ 0 R)", b"/Contents %d 0 R" % content, body)
    assert b"/Contents %d 0 R" % content in body
    return {page: body, content: stream(TEXT)}


def picture(text: str = FORGED) -> bytes:
    """Return a form that draws a text over everything below it."""
    drawn = b"1 1 1 rg 0 0 500 500 re f 0 g BT /F0 18 Tf 4 40 Td (%s) Tj ET" % text.encode()
    return stream(drawn, b"/Type/XObject/Subtype/Form/BBox[0 0 500 500]/Resources" + FONT)


# --- Covered bytes, changed in place ---


def in_place(subject: str, old: bytes, new: bytes) -> bytes:
    """Return the subject with the first `old` (a pattern) replaced by as many bytes; `new` is filled with spaces."""
    data = d.licence(subject)
    found = re.search(old, data)
    assert found is not None, old
    assert len(new) <= len(found[0]), (found[0], new)
    return data[: found.start()] + new.ljust(len(found[0])) + data[found.end() :]


def anatomy_with_field(data: bytes, like: Anatomy) -> Anatomy:
    """Return the anatomy of a document that has the objects of `like` and more form fields than the seal's."""
    return replace(like, data=data, tail=d.tail(data))


def in_seal(subject: str, words: bytes) -> bytes:
    """Return the licence with `words` at the end of its signature dictionary; the seal does not fit any more."""
    data = d.licence(subject)
    end = d.gap(data)[1]
    return d.framed(data[:end] + words + data[end:])
