"""Incremental saving: what was sealed is untouched, what is shown stands behind it.

Source: Mladenov and others (CCS 2019), section 5.2 (variants 1 to 4); the tail without an end mark is the forgery that
pyHanko 0.38 does not see.
"""

# ruff: noqa: D103 - what a vector is stands in its case file
from __future__ import annotations

from tests.attacks import documents as d
from tests.attacks import surgery as s
from tests.vectors.registry import Vector, forgery

EXTENDED = (*d.TYPES, *d.EXTENDED)
"""Everything an update can be put behind."""


@forgery(*EXTENDED)
def published_forgery_1_isa_tail(subject: str) -> Vector:
    document = s.of(subject)
    return s.against(s.odd_update(document, s.forged_page(document), end=b""))


@forgery(*EXTENDED)
def isa_1_whole_update(subject: str) -> Vector:
    return s.changed(subject, s.forged_page(s.of(subject)))


@forgery(*EXTENDED)
def isa_2_update_without_table(subject: str) -> Vector:
    document = s.of(subject)
    body, offsets = s.objects_at(document.tail.end, s.forged_page(document))
    end = b"startxref\n%d\n%%%%EOF\n" % document.tail.xref
    return s.against(document.data + body + s.trailer(document, offsets) + end)


@forgery(*EXTENDED)
def isa_3_update_without_table_and_trailer(subject: str) -> Vector:
    document = s.of(subject)
    return s.against(document.data + s.objects_at(document.tail.end, s.forged_page(document))[0])


@forgery(*EXTENDED)
def isa_4_update_with_a_copied_signature(subject: str) -> Vector:
    document = s.of(subject)
    copy = {document.signature: document.body(document.signature)}
    return s.against(document.data + s.objects_at(document.tail.end, {**s.forged_page(document), **copy})[0])


@forgery(*EXTENDED)
def isa_4_whole_update_with_a_copied_signature(subject: str) -> Vector:
    document = s.of(subject)
    copy = {document.signature: document.body(document.signature)}
    return s.against(s.odd_update(document, {**s.forged_page(document), **copy}, end=b""))


@forgery(*EXTENDED)
def isa_tail_without_startxref(subject: str) -> Vector:
    document = s.of(subject)
    whole = s.odd_update(document, s.forged_page(document), end=b"")
    return s.against(whole[: whole.rindex(b"startxref")])


@forgery(*EXTENDED)
def isa_tail_with_half_an_end_mark(subject: str) -> Vector:
    document = s.of(subject)
    return s.against(s.odd_update(document, s.forged_page(document), end=b"%%EO"))


@forgery(*EXTENDED)
def isa_tail_behind_a_thousand_bytes(subject: str) -> Vector:
    document = s.of(subject)
    whole = s.odd_update(document, s.forged_page(document), end=b"")
    at = whole.rindex(b"startxref")
    return s.against(whole[:at] + b" " * 1024 + whole[at:])


@forgery(*EXTENDED)
def isa_tail_in_a_comment(subject: str) -> Vector:
    document = s.of(subject)
    tail = s.update(document, s.forged_page(document))[document.tail.end :]
    return s.against(document.data + b"%" + tail.replace(b"\n", b"\n%"))


@forgery(*EXTENDED)
def update_with_a_second_end_mark(subject: str) -> Vector:
    document = s.of(subject)
    end = b"startxref\n%d\n%%%%EOF\n" % document.tail.xref
    return s.against(s.update(document, s.forged_page(document)) + end)


@forgery(*EXTENDED)
def update_that_changes_nothing(subject: str) -> Vector:
    document = s.of(subject)
    lines = b"xref\n0 0\n" + s.trailer(document, {})
    return s.against(document.data + lines + b"startxref\n%d\n%%%%EOF\n" % document.tail.end)


@forgery(*EXTENDED)
def updates_one_behind_the_other(subject: str) -> Vector:
    document = s.of(subject)
    forged = s.forged_page(document)
    first = s.anatomy(s.update(document, forged))
    return s.against(s.update(first, {document.pages[0]: document.body(document.pages[0])}))


@forgery(*EXTENDED)
def update_adds_a_page(subject: str) -> Vector:
    document = s.of(subject)
    tree = int(document.catalogue.split(b"/Pages ")[1].split()[0])
    page, content = document.free, document.free + 1
    body = b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 595 842]/Resources%s/Contents %d 0 R>>" % (
        tree,
        s.FONT,
        content,
    )
    kids = document.body(tree).replace(b"/Kids[", b"/Kids[%d 0 R " % page)
    assert kids != document.body(tree)
    return s.changed(subject, {tree: kids, page: body, content: s.stream(s.TEXT)})


@forgery(*EXTENDED)
def update_takes_the_pages_away(subject: str) -> Vector:
    document = s.of(subject)
    tree, page, content = document.free, document.free + 1, document.free + 2
    body = b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 595 842]/Resources%s/Contents %d 0 R>>" % (
        tree,
        s.FONT,
        content,
    )
    pages = b"<</Type/Pages/Kids[%d 0 R]/Count 1>>" % page
    old = int(document.catalogue.split(b"/Pages ")[1].split()[0])
    catalogue = document.catalogue.replace(b"/Pages %d 0 R" % old, b"/Pages %d 0 R" % tree)
    return s.changed(
        subject, {document.tail.root: catalogue, tree: pages, page: body, content: s.stream(s.TEXT)}
    )
