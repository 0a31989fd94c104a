"""Two readings of one file: polyglots, keys and objects that occur twice, cross-references that lead elsewhere."""

# ruff: noqa: D103 - what a vector is stands in its case file
from __future__ import annotations

import io
import re
import zipfile
import zlib

from tests.attacks import documents as d
from tests.attacks import surgery as s
from tests.attacks.saving import EXTENDED
from tests.attacks.shadow import prepared
from tests.vectors.registry import Vector, forgery


def _archive(name: str, content: bytes) -> bytes:
    """Return a ZIP archive with one file, always the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content)
    return buffer.getvalue()


_HTML = b"<html><body><h1>FORGED LICENCE</h1></body></html>"


# --- Polyglots ---


@forgery(*EXTENDED)
def polyglot_zip_behind(subject: str) -> Vector:
    return s.against(d.licence(subject) + _archive("licence.html", _HTML))


@forgery(*EXTENDED)
def polyglot_zip_before(subject: str) -> Vector:
    return s.against(_archive("licence.html", _HTML) + d.licence(subject))


@forgery(*EXTENDED)
def polyglot_html_before(subject: str) -> Vector:
    return s.against(_HTML + b"<!--\n" + d.licence(subject) + b"-->")


@forgery(*EXTENDED)
def polyglot_html_behind(subject: str) -> Vector:
    return s.against(d.licence(subject) + _HTML)


@forgery(*EXTENDED)
def polyglot_jpeg_before(subject: str) -> Vector:
    return s.against(b"\xff\xd8\xff\xfe\x00\x40" + b" " * 62 + d.licence(subject) + b"\xff\xd9")


@forgery(*EXTENDED)
def polyglot_script_before(subject: str) -> Vector:
    return s.against(b"#!/bin/sh\nexit 0\n" + d.licence(subject))


@forgery(*EXTENDED)
def polyglot_second_header(subject: str) -> Vector:
    return s.against(b"%PDF-1.4\n" + d.licence(subject))


@forgery(*d.SINGLE)
def polyglot_in_the_padding(subject: str) -> Vector:
    data = d.licence(subject)
    end = d.gap(data)[1]
    page = _HTML.replace(b">", b" ")
    return s.against(data[: end - 1 - len(page)] + page + data[end - 1 :])


@forgery(*d.TYPES)
def polyglot_pdf_behind(subject: str) -> Vector:
    other = (
        b"%PDF-1.7\n"
        + s.objects_at(9, {1: b"<</Type/Catalog/Pages 2 0 R>>", 2: b"<</Type/Pages/Kids[]/Count 0>>"})[0]
    )
    lines = b"xref\n0 3\n0000000000 65535 f \n0000000009 00000 n \n0000000056 00000 n \n"
    return s.against(
        d.licence(subject)
        + other
        + lines
        + b"trailer\n<</Size 3/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n"
        % (len(d.licence(subject)) + len(other))
    )


# --- Keys twice ---


def _twice(subject: str, number: int, words: bytes) -> Vector:
    """Return the document with `words` at the end of an object's dictionary, sealed so by its own authority."""
    body = s.of(subject).body(number)
    return s.against(prepared(subject, {}, {number: body[:-2] + words + b">>"}))


@forgery(*d.TYPES)
def key_twice_pages(subject: str) -> Vector:
    return _twice(subject, s.of(subject).tail.root, b"/Pages 6 0 R")


@forgery(*d.TYPES)
def key_twice_pages_escaped(subject: str) -> Vector:
    return _twice(subject, s.of(subject).tail.root, b"/P#61ges 6 0 R")


@forgery(*d.TYPES)
def key_twice_form(subject: str) -> Vector:
    return _twice(subject, s.of(subject).tail.root, b"/AcroForm<</Fields[]>>")


@forgery(*d.TYPES)
def key_twice_claimed_time(subject: str) -> Vector:
    document = s.of(subject)
    body = document.body(document.signature).replace(b"/M(", b"/M(D:20200101000000Z)/M(", 1)
    return s.against(prepared(subject, {}, {document.signature: body}))


@forgery(*d.TYPES)
def key_twice_page_contents(subject: str) -> Vector:
    return _twice(subject, s.of(subject).pages[0], b"/Contents 3 0 R")


@forgery(*d.TYPES)
def key_twice_in_the_trailer(subject: str) -> Vector:
    data = d.licence(subject).replace(b"trailer\n<<", b"trailer\n<</Root 6 0 R")
    return s.against(d.sealed(d.framed(data), d.keeper(subject).signer))


@forgery(*d.TYPES)
def key_twice_stream_length(subject: str) -> Vector:
    data = re.sub(rb"/Length ([0-9]+)>>", b"/Length 1/Length \\1>>", d.licence(subject), count=1)
    return s.against(d.sealed(d.framed(data), d.keeper(subject).signer))


# --- Object numbers used again ---


@forgery(*d.TYPES)
def object_twice_in_the_sealed_revision(subject: str) -> Vector:
    document = s.of(subject)
    page = document.pages[0]
    twin = s.forged_page(document)[page]
    data = d.licence(subject)
    mark = b"\n%d 0 obj\n" % page
    at = data.index(mark) + 1
    data = data[:at] + b"%d 0 obj\n%s\nendobj\n" % (page, twin) + data[at:]
    return s.against(d.sealed(d.framed(data), d.keeper(subject).signer))


@forgery(*EXTENDED)
def object_of_another_generation(subject: str) -> Vector:
    document = s.of(subject)
    page, content = document.pages[0], document.free
    forged = s.forged_page(document)
    body, offsets = s.objects_at(document.tail.end, forged)
    body = body.replace(b"%d 0 obj\n" % page, b"%d 1 obj\n" % page, 1)
    lines = b"xref\n%d 1\n%010d 00001 n \n%d 1\n%010d 00000 n \n" % (
        page,
        offsets[page],
        content,
        offsets[content],
    )
    at = document.tail.end + len(body)
    return s.against(
        document.data + body + lines + s.trailer(document, offsets) + b"startxref\n%d\n%%%%EOF\n" % at
    )


@forgery(*EXTENDED)
def objects_freed(subject: str) -> Vector:
    document = s.of(subject)
    lines = b"xref\n0 1\n0000000000 65535 f \n"
    lines += b"".join(
        b"%d 1\n0000000000 00001 f \n" % n for n in sorted((document.field, document.signature))
    )
    end = b"startxref\n%d\n%%%%EOF\n" % document.tail.end
    return s.against(document.data + lines + s.trailer(document, {}) + end)


@forgery(*EXTENDED)
def object_number_of_the_attachment_reused(subject: str) -> Vector:
    document = s.of(subject)
    return s.changed(subject, s.forged_page(document, at=document.attachment))


@forgery(*EXTENDED)
def object_number_beyond_the_size(subject: str) -> Vector:
    document = s.of(subject)
    whole = s.update(document, s.forged_page(document, at=document.free + 500))
    at = whole.rindex(b"/Size ")
    return s.against(whole[:at] + re.sub(rb"/Size [0-9]+", b"/Size %d" % document.free, whole[at:]))


# --- Cross-references that lead elsewhere ---


@forgery(*EXTENDED)
def xref_entry_points_into_a_stream(subject: str) -> Vector:
    document = s.of(subject)
    page, content = document.pages[0], document.free
    forged = s.forged_page(document)
    inner = s.objects_at(0, forged)[0]
    carrier = document.free + 1
    head = b"%d 0 obj\n<</Length %d>>\nstream\n" % (carrier, len(inner))
    start = document.tail.end + len(head)
    body = head + inner + b"\nendstream\nendobj\n"
    offsets = {
        page: start + inner.index(b"%d 0 obj" % page),
        content: start + inner.index(b"%d 0 obj" % content),
        carrier: document.tail.end,
    }
    end = b"startxref\n%d\n%%%%EOF\n" % (document.tail.end + len(body))
    return s.against(document.data + body + s.table(offsets) + s.trailer(document, offsets) + end)


@forgery(*EXTENDED)
def xref_entries_exchanged_by_an_update(subject: str) -> Vector:
    document = s.of(subject)
    one, two = document.pages[0], document.appearance
    places = {n: document.data.rindex(b"\n%d 0 obj\n" % n) + 1 for n in (one, two)}
    offsets = {one: places[two], two: places[one]}
    end = b"startxref\n%d\n%%%%EOF\n" % document.tail.end
    return s.against(document.data + s.table(offsets) + s.trailer(document, offsets) + end)


@forgery(*d.SINGLE)
def xref_entry_changed_in_place(subject: str) -> Vector:
    data, document = d.licence(subject), s.of(subject)
    at = document.tail.xref + data[document.tail.xref :].index(b"\n", 5) + 1
    one, two = (at + 20 * n for n in (document.pages[0], document.appearance))
    return s.against(data[:one] + data[two : two + 10] + data[one + 10 :])


@forgery(*EXTENDED)
def xref_prev_loop(subject: str) -> Vector:
    document = s.of(subject)
    forged = s.forged_page(document)
    at = document.tail.end + len(s.objects_at(document.tail.end, forged)[0])
    return s.against(s.odd_update(document, forged, prev=at))


@forgery(*EXTENDED)
def xref_prev_two_in_a_circle(subject: str) -> Vector:
    document = s.of(subject)
    forged = s.forged_page(document)
    first = s.odd_update(document, forged, prev=10**9)
    second = s.anatomy(first)
    whole = s.update(second, {document.pages[0]: forged[document.pages[0]]})
    last = int(whole[whole.rindex(b"startxref\n") + 10 :].split()[0])
    return s.against(whole.replace(b"/Prev 1000000000", b"/Prev %010d" % last))


@forgery(*EXTENDED)
def xref_prev_missing(subject: str) -> Vector:
    document = s.of(subject)
    objects = {number: document.body(number) for number in range(1, document.free)}
    whole = s.update(document, {**objects, **s.forged_page(document)})
    at = whole.rindex(b"/Prev ")
    return s.against(whole[:at] + whole[at:].replace(b"/Prev %d" % document.tail.xref, b"", 1))


@forgery(*EXTENDED)
def xref_prev_elsewhere(subject: str) -> Vector:
    document = s.of(subject)
    return s.against(s.odd_update(document, s.forged_page(document), prev=document.tail.xref + 20))


@forgery(*EXTENDED)
def xref_startxref_to_the_sealed_table(subject: str) -> Vector:
    document = s.of(subject)
    whole = s.update(document, s.forged_page(document))
    at = whole.rindex(b"startxref\n")
    return s.against(whole[:at] + b"startxref\n%d\n%%%%EOF\n" % document.tail.xref)


@forgery(*EXTENDED)
def xref_stream_update(subject: str) -> Vector:
    document = s.of(subject)
    forged = s.forged_page(document)
    return s.against(document.data + _stream_update(document, forged, b""))


def _stream_update(document: s.Anatomy, objects: dict[int, bytes], hidden: bytes) -> bytes:
    """Return an update with a cross-reference stream; `hidden` are further entries of its dictionary."""
    body, offsets = s.objects_at(document.tail.end, objects)
    number, at = max(document.free, *(n + 1 for n in objects)), document.tail.end + len(body)
    offsets[number] = at
    index = b" ".join(b"%d 1" % n for n in sorted(offsets))
    rows = b"".join(b"\1" + offsets[n].to_bytes(4, "big") + b"\0" for n in sorted(offsets))
    entries = b"/Type/XRef/W[1 4 1]/Index[%s]/Size %d/Root %d 0 R/Prev %d%s" % (
        index, number + 1, document.tail.root, document.tail.xref, hidden,
    )  # fmt: skip
    return body + b"%d 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n" % (number, s.stream(rows, entries), at)


@forgery(*EXTENDED)
def xref_hybrid_update(subject: str) -> Vector:
    document = s.of(subject)
    forged = s.forged_page(document)
    hidden = _stream_update(document, forged, b"")
    at = int(hidden[hidden.rindex(b"startxref\n") + 10 :].split()[0])
    whole = document.data + hidden[: hidden.rindex(b"startxref")]
    lines = b"xref\n0 1\n0000000000 65535 f \n" + s.trailer(document, forged, extra=b"/XRefStm %d" % at)
    return s.against(whole + lines + b"startxref\n%d\n%%%%EOF\n" % len(whole))


@forgery(*EXTENDED)
def xref_objects_in_an_object_stream(subject: str) -> Vector:
    document = s.of(subject)
    page, content = document.pages[0], document.free
    forged = s.forged_page(document)
    holder = document.free + 1
    words = forged[page]
    packed = zlib.compress(b"%d 0 " % page + words)
    entries = b"/Type/ObjStm/N 1/First %d/Filter/FlateDecode" % len(b"%d 0 " % page)
    body, offsets = s.objects_at(
        document.tail.end, {content: forged[content], holder: s.stream(packed, entries)}
    )
    number, at = holder + 1, document.tail.end + len(body)
    offsets[number] = at
    lines = {n: b"\1" + offset.to_bytes(4, "big") + b"\0" for n, offset in offsets.items()}
    lines[page] = b"\2" + holder.to_bytes(4, "big") + b"\0"
    index = b" ".join(b"%d 1" % n for n in sorted(lines))
    table = b"/Type/XRef/W[1 4 1]/Index[%s]/Size %d/Root %d 0 R/Prev %d" % (
        index,
        number + 1,
        document.tail.root,
        document.tail.xref,
    )
    rows = b"".join(lines[n] for n in sorted(lines))
    end = b"%d 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n" % (number, s.stream(rows, table), at)
    return s.against(document.data + body + end)


@forgery(*EXTENDED)
def xref_overlapping_sections(subject: str) -> Vector:
    document = s.of(subject)
    forged = s.forged_page(document)
    page = document.pages[0]
    body, offsets = s.objects_at(document.tail.end, forged)
    old = document.data.rindex(b"\n%d 0 obj\n" % page) + 1
    lines = s.table(offsets) + b"%d 1\n%010d 00000 n \n" % (page, old)
    at = document.tail.end + len(body)
    return s.against(
        document.data + body + lines + s.trailer(document, offsets) + b"startxref\n%d\n%%%%EOF\n" % at
    )


@forgery(*EXTENDED)
def trailer_names_another_root(subject: str) -> Vector:
    document = s.of(subject)
    root = document.free + 1
    return s.against(s.odd_update(document, {**s.forged_page(document), root: document.catalogue}, root=root))


@forgery(*EXTENDED)
def trailer_says_encrypted(subject: str) -> Vector:
    document = s.of(subject)
    words = b"/Encrypt<</Filter/Standard/V 1/R 2/O<%s>/U<%s>/P -4>>" % (b"00" * 32, b"00" * 32)
    return s.against(s.odd_update(document, s.forged_page(document), extra=words))


@forgery(*EXTENDED)
def trailer_of_another_document(subject: str) -> Vector:
    document = s.of(subject)
    whole = s.update(document, {document.tail.root: document.catalogue})
    at = whole.rindex(b"/ID[")
    return s.against(
        whole[:at] + whole[at:].replace(document.tail.identifier, b"[<%s><%s>]" % (b"ab" * 16, b"cd" * 16))
    )


@forgery(*d.TYPES)
def linearized_in_front(subject: str) -> Vector:
    words = b"<</Linearized 1/L 1000/H[0 0]/O 1/E 1000/N 1/T 0>>"
    return s.against(prepared(subject, {s.of(subject).free: words}))


@forgery(*d.TYPES)
def comment_hides_an_object(subject: str) -> Vector:
    document = s.of(subject)
    words = b"%% %d 0 obj <</Type/Page>> endobj\n" % document.pages[0]
    data = d.licence(subject).replace(b"\nendobj\n", b"\nendobj\n" + words, 1)
    return s.against(d.sealed(d.framed(data), d.keeper(subject).signer))


# --- Other readings of the sealed bytes ---


@forgery(*(one for one in d.TYPES if one != "approval-document"))
def two_licences_one_behind_the_other(subject: str) -> Vector:
    return s.against(d.licence("approval-document") + d.licence(subject))


@forgery(*d.SINGLE)
def offsets_exchanged(subject: str) -> Vector:
    data = d.licence(subject)
    at = data.rindex(b"\nxref\n") + data[data.rindex(b"\nxref\n") :].index(b"65535 f \n") + 9
    one, two = data[at : at + 20], data[at + 20 : at + 40]
    return s.against(data[:at] + two + one + data[at + 40 :])


@forgery(*d.SINGLE)
def table_without_end(subject: str) -> Vector:
    return s.against(re.sub(rb"\nxref\n0 [0-9]+\n", b"\nxref\n0 1000000\n", d.licence(subject)))


@forgery(*d.TYPES)
def stream_swallows_its_neighbours(subject: str) -> Vector:
    data = d.licence(subject)
    return s.against(re.sub(rb"/Length ([0-9]+)>>", b"/Length 9\\1>>", data, count=1))


@forgery(*d.TYPES)
def length_kept_elsewhere(subject: str) -> Vector:
    return s.against(d.framed(re.sub(rb"/Length [0-9]+>>", b"/Length 1 0 R>>", d.licence(subject), count=1)))


@forgery(*d.TYPES)
def comment_between_objects(subject: str) -> Vector:
    return s.against(d.replaced(d.licence(subject), b"\nendobj\n", b"\nendobj\n%% 9 0 obj <</Type/Page>>\n"))


@forgery(*d.SINGLE)
def byte_range_again_in_a_string(subject: str) -> Vector:
    return s.against(s.in_seal(subject, b"/Reason(/ByteRange [0 1 2 3])"))
