"""Shadow attacks: the malicious author seals a document with a second one hidden in it, and brings that out later.

Source: Mainka, Mladenov, Rohlmann: Shadow Attacks (NDSS 2021). The forger is the authority itself, with its key.
"""

# ruff: noqa: D103 - what a vector is stands in its case file
from __future__ import annotations

import re

from tests.attacks import documents as d
from tests.attacks import surgery as s
from tests.vectors.registry import Vector, forgery


def prepared(subject: str, extra: dict[int, bytes], changes: dict[int, bytes] | None = None) -> bytes:
    """Return the document with further objects and other bodies, truly sealed by its own authority."""
    document = s.of(subject)
    data = document.data
    for number, body in (changes or {}).items():
        old = b"\n%d 0 obj\n%s\nendobj\n" % (number, document.body(number))
        assert data.count(old) == 1
        data = data.replace(old, b"\n%d 0 obj\n%s\nendobj\n" % (number, body))
    more = s.objects_at(0, extra)[0]
    at = data.rindex(b"\nxref\n") + 1
    data = data[:at] + more + data[at:]
    size = max([document.free, *(number + 1 for number in extra)])
    data = re.sub(rb"\nxref\n0 [0-9]+\n", b"\nxref\n0 %d\n" % size, data)
    data = re.sub(rb"trailer\n<</Size [0-9]+", b"trailer\n<</Size %d" % size, data)
    return d.sealed(reframed(data), d.keeper(subject).signer)


def reframed(data: bytes) -> bytes:
    """Return the document with as many lines in its table as it announces, then everything fitted."""
    table = data.rindex(b"\nxref\n") + 1
    trailer = data.index(b"trailer\n", table)
    count = int(data[table:trailer].split()[2])
    lines = b"0000000000 65535 f \n" + b"0000000000 00000 n \n" * (count - 1)
    return d.framed(data[:table] + b"xref\n0 %d\n" % count + lines + data[trailer:])


def _hidden_page(document: s.Anatomy) -> dict[int, bytes]:
    """Return a page with a forged text, a page tree over it, and its content, all under new numbers."""
    tree, page, content = document.free, document.free + 1, document.free + 2
    return {
        tree: b"<</Type/Pages/Kids[%d 0 R]/Count 1>>" % page,
        page: b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 595 842]/Resources%s/Contents %d 0 R>>"
        % (tree, s.FONT, content),
        content: s.stream(s.TEXT),
    }


def _shown(document: s.Anatomy, tree: int) -> bytes:
    """Return the catalogue with another page tree."""
    return re.sub(rb"/Pages [0-9]+ 0 R", b"/Pages %d 0 R" % tree, document.catalogue)


@forgery(*d.TYPES)
def shadow_hide_and_replace_prepared(subject: str) -> Vector:
    return s.against(prepared(subject, _hidden_page(s.of(subject))))


@forgery(*d.SINGLE)
def shadow_hide_and_replace_by_table(subject: str) -> Vector:
    document = s.of(subject)
    hidden = _hidden_page(document)
    other = document.free + 3
    data = prepared(subject, {**hidden, other: _shown(document, document.free)})
    sealed = s.anatomy(data)
    # The object at that place has another number than the table says: many readers do not look.
    offset = data.rindex(b"\n%d 0 obj\n" % other) + 1
    lines = s.table({sealed.tail.root: offset}) + s.trailer(sealed, {})
    return s.against(data + lines + b"startxref\n%d\n%%%%EOF\n" % len(data))


@forgery(*d.TYPES)
def shadow_hide_and_replace_by_root(subject: str) -> Vector:
    document = s.of(subject)
    other = document.free + 3
    data = prepared(subject, {**_hidden_page(document), other: _shown(document, document.free)})
    sealed = s.anatomy(data)
    lines = b"xref\n0 0\n" + s.trailer(sealed, {}, root=other)
    return s.against(data + lines + b"startxref\n%d\n%%%%EOF\n" % len(data))


@forgery(*d.TYPES)
def shadow_hide_and_replace_reachable(subject: str) -> Vector:
    document = s.of(subject)
    catalogue = document.catalogue[:-2] + b"/PieceInfo %d 0 R>>" % document.free
    return s.against(prepared(subject, _hidden_page(document), {document.tail.root: catalogue}))


@forgery(*d.TYPES)
def shadow_hide_by_a_picture(subject: str) -> Vector:
    document = s.of(subject)
    page = document.pages[0]
    name, number = b"/Cover", document.free
    resources = int(re.search(rb"/Resources ([0-9]+) 0 R", document.body(page))[1])  # type: ignore[index]
    covered = document.body(resources).replace(b"/XObject<<", b"/XObject<<%s %d 0 R" % (name, number), 1)
    if covered == document.body(resources):
        covered = document.body(resources)[:-2] + b"/XObject<<%s %d 0 R>>>>" % (name, number)
    drawing, call = s.picture("VALID FOR EVERYTHING"), document.free + 1
    contents = re.sub(rb"/Contents\[", b"/Contents[%d 0 R " % call, document.body(page))
    data = prepared(
        subject,
        {number: drawing, call: s.stream(b"q /Cover Do Q")},
        {resources: covered, page: contents},
    )
    return s.against(
        s.update(s.anatomy(data), {number: s.stream(b"", b"/Type/XObject/Subtype/Form/BBox[0 0 1 1]")})
    )


@forgery(*d.SINGLE)
def shadow_hide_by_an_annotation(subject: str) -> Vector:
    document = s.of(subject)
    page, note, drawn = _seal_page(document), document.free, document.free + 1
    shown = b"<</Type/Annot/Subtype/Square/Rect[0 0 500 500]/F 4/AP<</N %d 0 R>>>>" % drawn
    annotated = document.body(page).replace(b"/Annots[", b"/Annots[%d 0 R " % note)
    data = prepared(subject, {note: shown, drawn: s.picture("CLEAN")}, {page: annotated})
    return s.against(s.update(s.anatomy(data), {note: shown.replace(b"/F 4", b"/F 2")}))


def _seal_page(document: s.Anatomy) -> int:
    """Return the page that the seal is on."""
    return int(re.search(rb"/P ([0-9]+) 0 R", document.body(document.field))[1])  # type: ignore[index]


@forgery(*d.SINGLE)
def shadow_replace_field_value(subject: str) -> Vector:
    document = s.of(subject)
    field, one, other = document.free, document.free + 1, document.free + 2
    body = b"<</Type/Annot/Subtype/Widget/FT/Tx/T(Amount)/V(1)/Rect[0 0 500 500]/F 4/AP<</N %d 0 R>>>>" % one
    catalogue = document.catalogue.replace(b"/Fields[", b"/Fields[%d 0 R " % field)
    data = prepared(subject, {field: body, one: s.picture("1")}, {document.tail.root: catalogue})
    sealed = s.anatomy_with_field(data, document)
    changed = body.replace(b"/V(1)", b"/V(1000)").replace(b"/N %d" % one, b"/N %d" % other)
    return s.against(s.update(sealed, {field: changed, other: s.picture("1000")}))


@forgery(*d.EXTENDED, *d.TYPES)
def shadow_replace_font(subject: str) -> Vector:
    document = s.of(subject)
    font = int(re.search(rb"\n([0-9]+) 0 obj\n<</Type/Font/Subtype/Type0/", document.data)[1])  # type: ignore[index]
    return s.changed(subject, {font: b"<</Type/Font/Subtype/Type1/BaseFont/Symbol>>"})


@forgery(*d.EXTENDED, *d.TYPES)
def shadow_replace_resources(subject: str) -> Vector:
    document = s.of(subject)
    number = int(re.search(rb"/Resources ([0-9]+) 0 R", document.body(document.pages[0]))[1])  # type: ignore[index]
    return s.changed(subject, {number: s.FONT})


@forgery(*d.TYPES)
def shadow_layers(subject: str) -> Vector:
    document = s.of(subject)
    layer = document.free
    catalogue = document.catalogue[:-2] + b"/OCProperties<</OCGs[%d 0 R]/D<</OFF[%d 0 R]>>>>>>" % (
        layer,
        layer,
    )
    group = {layer: b"<</Type/OCG/Name(Second text)>>"}
    return s.against(prepared(subject, group, {document.tail.root: catalogue}))


@forgery(*d.TYPES)
def shadow_alternate_picture(subject: str) -> Vector:
    document = s.of(subject)
    body = document.body(document.appearance).replace(
        b"/Type/XObject", b"/Type/XObject/Alternates[<</Image %d 0 R>>]" % document.free, 1
    )
    return s.against(prepared(subject, {document.free: s.picture("PRINTED")}, {document.appearance: body}))
