"""What surrounds the text is changed: fields, appearances, the seal's dictionary and picture, the embedded data.

Source: EU DSS, DSS-3946 (changed Rect, AP and F of a signature's widget went unnoticed); the remaining ones follow it.
"""

# ruff: noqa: D103, E501 - what a vector is stands in its case file
from __future__ import annotations

import re
import zlib

from tests.attacks import documents as d
from tests.attacks import surgery as s
from tests.attacks.saving import EXTENDED
from tests.vectors.registry import Vector, forgery


def _field(subject: str, old: bytes, new: bytes) -> Vector:
    return s.edited(subject, s.of(subject).field, old, new)


@forgery(*EXTENDED)
def seal_moved(subject: str) -> Vector:
    return _field(subject, rb"/Rect\[[^\]]*\]", b"/Rect[0 0 119 119]")


@forgery(*EXTENDED)
def seal_over_the_whole_page(subject: str) -> Vector:
    return _field(subject, rb"/Rect\[[^\]]*\]", b"/Rect[0 0 900 900]")


@forgery(*EXTENDED)
def seal_hidden(subject: str) -> Vector:
    return _field(subject, rb"/F 132", b"/F 2")


@forgery(*EXTENDED)
def seal_drawn_anew(subject: str) -> Vector:
    document = s.of(subject)
    field = document.body(document.field).replace(
        b"/N %d 0 R" % document.appearance, b"/N %d 0 R" % document.free
    )
    return s.changed(subject, {document.field: field, document.free: s.picture()})


@forgery(*EXTENDED)
def seal_picture_redefined(subject: str) -> Vector:
    document = s.of(subject)
    return s.changed(subject, {document.appearance: s.picture()})


@forgery(*d.SINGLE)
def seal_picture_swapped(subject: str) -> Vector:
    other = next(one for one in d.TYPES if d.keeper(one).authority != d.keeper(subject).authority)
    document, source = s.of(subject), s.of(other)
    old = b"\n%d 0 obj\n%s\nendobj\n" % (document.appearance, document.body(document.appearance))
    new = b"\n%d 0 obj\n%s\nendobj\n" % (document.appearance, source.body(source.appearance))
    return s.against(d.framed(document.data.replace(old, new)))


@forgery(*d.TYPES)
def seal_picture_swapped_in_place(subject: str) -> Vector:
    document = s.of(subject)
    body = document.body(document.appearance)
    start = document.data.index(body) + body.index(b"stream\n") + 7
    length = int(re.search(rb"/Length ([0-9]+)", body)[1])  # type: ignore[index]
    drawn = zlib.compress(b"0 0 50 50 re f").ljust(length, b"\0")
    return s.against(document.data[:start] + drawn + document.data[start + length :])


@forgery(*EXTENDED)
def seal_taken_out_of_its_field(subject: str) -> Vector:
    document = s.of(subject)
    return s.against(
        s.update(document, {**s.forged_page(document), document.field: document.body(document.field).replace(b"/V %d 0 R" % document.signature, b"")})
    )  # fmt: skip


@forgery(*EXTENDED)
def field_taken_out_of_the_form(subject: str) -> Vector:
    document = s.of(subject)
    catalogue = re.sub(rb"/Fields ?\[[^\]]*\]", b"/Fields[]", document.catalogue)
    return s.changed(subject, {**s.forged_page(document), document.tail.root: catalogue})


@forgery(*EXTENDED)
def form_taken_out_of_the_catalogue(subject: str) -> Vector:
    document = s.of(subject)
    catalogue = re.sub(rb"/AcroForm<<.*?>>", b"", document.catalogue)
    return s.changed(subject, {**s.forged_page(document), document.tail.root: catalogue})


@forgery(*EXTENDED)
def field_renamed(subject: str) -> Vector:
    return _field(subject, rb"/T\([^)]*\)", b"/T(Approval)")


@forgery(*EXTENDED)
def field_with_a_tip(subject: str) -> Vector:
    return _field(subject, rb"/TU ?<[0-9A-F]*>", b"/TU(Sealed by somebody else)")


@forgery(*EXTENDED)
def field_with_an_action(subject: str) -> Vector:
    return _field(subject, rb"/F 132", b"/F 132/A<</S/JavaScript/JS(app.alert\\(1\\))>>")


@forgery(*EXTENDED)
def field_filled_beside_the_seal(subject: str) -> Vector:
    document = s.of(subject)
    field, drawn = document.free, document.free + 1
    body = b"<</Type/Annot/Subtype/Widget/FT/Tx/T(Text)/V(x)/Rect[0 0 500 500]/F 4/AP<</N %d 0 R>>>>" % drawn
    catalogue = document.catalogue.replace(b"/Fields[", b"/Fields[%d 0 R " % field)
    page = document.body(document.pages[0])
    listed = page.replace(b"/Annots[", b"/Annots[%d 0 R " % field)
    listed = listed if listed != page else page[:-2] + b"/Annots[%d 0 R]>>" % field
    return s.changed(
        subject, {document.pages[0]: listed, document.tail.root: catalogue, field: body, drawn: s.picture()}
    )


# --- The seal's dictionary ---


def _dictionary(subject: str, old: bytes, new: bytes) -> Vector:
    return s.edited(subject, s.of(subject).signature, old, new)


@forgery(*EXTENDED)
def claimed_time_overwritten(subject: str) -> Vector:
    return _dictionary(subject, rb"/M\([^)]*\)", b"/M(D:20200101000000Z)")


@forgery(*EXTENDED)
def signer_name_overwritten(subject: str) -> Vector:
    return _dictionary(subject, rb"/M\(", b"/Name(Ministry of Everything)/M(")


@forgery(*EXTENDED)
def reason_overwritten(subject: str) -> Vector:
    return _dictionary(subject, rb"/M\(", b"/Reason(Approved for all purposes)/M(")


@forgery(*d.TYPES)
def claimed_time_changed_in_place(subject: str) -> Vector:
    return s.against(s.in_place(subject, rb"/M\(D:20260308040000Z\)", b"/M(D:20250308040000Z)"))


@forgery(*d.SINGLE)
def reason_written_in(subject: str) -> Vector:
    data = d.licence(subject)
    end = d.gap(data)[1]
    return s.against(d.framed(data[:end] + b"/Reason(Approved for all purposes)" + data[end:]))


# --- The embedded data, and what else a document says ---


@forgery(*EXTENDED)
def embedded_data_redefined(subject: str) -> Vector:
    document = s.of(subject)
    return s.edited(subject, document.attachment, rb'"number":"[^"]*"', b'"number":"FORGED"')


@forgery(*d.SINGLE)
def embedded_data_of_another_type(subject: str) -> Vector:
    other = s.of(next(one for one in d.TYPES if one != subject))
    document = s.of(subject)
    old = b"\n%d 0 obj\n%s\nendobj\n" % (document.attachment, document.body(document.attachment))
    new = b"\n%d 0 obj\n%s\nendobj\n" % (document.attachment, other.body(other.attachment))
    return s.against(d.framed(document.data.replace(old, new)))


@forgery(*d.TYPES)
def embedded_data_changed_in_place(subject: str) -> Vector:
    data = d.licence(subject)
    at = re.search(rb'"number":"[^"]*[0-9]', data).end() - 1  # type: ignore[union-attr]
    return s.against(data[:at] + (b"1" if data[at : at + 1] != b"1" else b"2") + data[at + 1 :])


@forgery(*EXTENDED)
def second_attachment_by_an_update(subject: str) -> Vector:
    document = s.of(subject)
    file, stream = document.free, document.free + 1
    words = (
        b"<</Type/Filespec/F(licence.json)/UF(licence.json)/AFRelationship/Data/EF<</F %d 0 R>>>>" % stream
    )
    catalogue = document.catalogue.replace(b"/AF[", b"/AF[%d 0 R " % file)
    data = {stream: s.stream(b"{}", b"/Type/EmbeddedFile"), file: words, document.tail.root: catalogue}
    return s.changed(subject, data)


@forgery(*EXTENDED)
def metadata_redefined(subject: str) -> Vector:
    document = s.of(subject)
    number = int(re.search(rb"/Metadata ([0-9]+) 0 R", document.catalogue)[1])  # type: ignore[index]
    return s.changed(subject, {number: s.stream(b"<x/>", b"/Type/Metadata/Subtype/XML")})


@forgery(*EXTENDED)
def information_redefined(subject: str) -> Vector:
    return s.changed(subject, {s.of(subject).tail.info: b"<</Title(Another licence)>>"})


@forgery(*EXTENDED)
def page_turned(subject: str) -> Vector:
    return s.edited(subject, s.of(subject).pages[0], rb"/MediaBox", b"/Rotate 180/MediaBox")


@forgery(*EXTENDED)
def page_cropped(subject: str) -> Vector:
    return s.edited(subject, s.of(subject).pages[0], rb"/MediaBox", b"/CropBox[0 0 200 200]/MediaBox")


@forgery(*EXTENDED)
def script_at_opening(subject: str) -> Vector:
    return s.edited(
        subject,
        s.of(subject).tail.root,
        rb"/Type/Catalog",
        b"/Type/Catalog/OpenAction<</S/JavaScript/JS(1)>>",
    )


@forgery(*d.TYPES)
def page_content_changed_in_place(subject: str) -> Vector:
    document = s.of(subject)
    contents = re.search(rb"/Contents\[([0-9]+) 0 R", document.body(document.pages[0]))
    body = document.body(int(contents[1]))  # type: ignore[index]
    at = document.data.index(body) + body.index(b"stream\n") + 40
    return s.against(document.data[:at] + bytes([document.data[at] ^ 1]) + document.data[at + 1 :])


@forgery(*d.SINGLE)
def seal_of_another_licence(subject: str) -> Vector:
    licence_type = d.keeper(subject)
    other = d.signed_data(d.made(subject, licence_type, place="他处"))
    return s.against(d.with_signed_data(d.licence(subject), other))
