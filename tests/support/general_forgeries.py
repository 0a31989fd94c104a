"""Published ways to change a signed PDF unseen, by name, each from a file that an honest program signed."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from tests.support.foreign import (
    append,
    body_of,
    certify,
    completed,
    hand_signed,
    last_xref,
    offset_of,
    plain,
    prepare,
    repacked,
    root_of,
    sign,
    size_of,
    stream,
    unsigned_signature,
)

if TYPE_CHECKING:
    from collections.abc import Callable

BOX = (100, 100, 250, 160)
WHOLE = (0, 0, 600, 800)
FORGED = b"BT /F1 40 Tf 72 700 Td (FORGED LICENCE) Tj ET"


def find(pdf: bytes, pattern: bytes) -> int:
    """Return the number of the one object whose newest body matches."""
    numbers = [int(n) for n in set(re.findall(rb"(?:^|[\r\n])(\d+) 0 obj", pdf))]
    (number,) = [n for n in numbers if re.search(pattern, body_of(pdf, n))]
    return number


def page_of(pdf: bytes) -> int:
    """Return the first page's number."""
    numbers = sorted({int(n) for n in re.findall(rb"(?:^|[\r\n])(\d+) 0 obj", pdf)})
    return next(n for n in numbers if re.search(rb"/Type /Page\b(?!s)", body_of(pdf, n)))


def contents_of(pdf: bytes) -> int:
    """Return the number of the first page's content."""
    found = re.search(rb"/Contents (\d+) 0 R", body_of(pdf, page_of(pdf)))
    assert found is not None
    return int(found[1])


def drawn(pdf: bytes) -> dict[int, bytes]:
    """Return the redefinition that draws another licence."""
    return {contents_of(pdf): stream(FORGED)}


def with_entry(pdf: bytes, number: int, entry: bytes) -> dict[int, bytes]:
    """Return an object with an entry more."""
    return {number: body_of(pdf, number)[:-2] + entry + b">>"}


def replaced(pdf: bytes, pattern: bytes, old: bytes, new: bytes) -> dict[int, bytes]:
    """Return the object that matches, some of its bytes replaced."""
    number = find(pdf, pattern)
    body = body_of(pdf, number)
    assert old in body
    return {number: body.replace(old, new)}


@cache
def one() -> bytes:
    """Return a file with an approval."""
    return sign(plain(2))


@cache
def visible() -> bytes:
    """Return a file with an approval that shows on its page."""
    return sign(plain(2), box=BOX)


@cache
def filled() -> bytes:
    """Return a file with a form and an approval."""
    return sign(plain(form=True))


def annotation(subtype: bytes = b"FreeText") -> bytes:
    """Return an annotation that covers what is printed."""
    return b"<</Type/Annot/Subtype/%s/Rect[0 0 600 800]/Contents(FORGED)/F 4>>" % subtype


def annotated(pdf: bytes, subtype: bytes = b"FreeText") -> bytes:
    """Return the file with such an annotation on its first page."""
    number, page = size_of(pdf), page_of(pdf)
    body = body_of(pdf, page)
    if b"/Annots" in body:
        page_body = re.sub(rb"/Annots \[([^\]]*)\]", rb"/Annots [\1 %d 0 R]" % number, body)
    else:
        page_body = body[:-2] + b"/Annots[%d 0 R]>>" % number
    return append(pdf, {number: annotation(subtype), page: page_body})


def incremental(**options: object) -> Callable[[], bytes]:
    """Return an attack that redraws the first page in a later revision."""

    def attack() -> bytes:
        pdf = one()
        return append(pdf, drawn(pdf), **options)

    return attack


def tail_without_table() -> bytes:
    """The page redrawn, with no cross-reference at all."""
    pdf = one()
    return pdf + b"%d 0 obj\n%s\nendobj\n" % next(iter(drawn(pdf).items()))


def tail_with_old_startxref() -> bytes:
    """The page redrawn, and the old cross-reference named once more."""
    return tail_without_table() + b"startxref\n%d\n%%%%EOF\n" % last_xref(one())


def padding_tail(keep: int) -> bytes:
    """A byte range whose second part starts in the padding and stops short of the end, as a bad signer may write it."""
    return completed(unsigned_signature(plain()), shift=(0, -keep, 0))


def hidden_page_tree() -> bytes:
    """A second tree of pages lies unused in what is signed; a later catalogue refers to it."""
    base = plain()
    number = size_of(base)
    page = b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 600 800]/Contents %d 0 R>>" % (number, number + 2)
    hidden = {
        number: b"<</Type/Pages/Count 1/Kids[%d 0 R]>>" % (number + 1),
        number + 1: page,
        number + 2: stream(FORGED),
    }
    pdf = sign(append(base, hidden))
    catalogue = body_of(pdf, root_of(pdf))
    return append(pdf, {root_of(pdf): re.sub(rb"/Pages \d+ 0 R", b"/Pages %d 0 R" % number, catalogue)})


def hidden_content_listed() -> bytes:
    """A second stream lies unused in what is signed; a later cross-reference points the content's number there."""
    base = plain()
    number = size_of(base)
    pdf = sign(append(base, {number: stream(FORGED)}))
    return append(pdf, {}, listed={contents_of(pdf): offset_of(pdf, number)})


def hidden_object_of_same_number() -> bytes:
    """An older object of the content's number is in what is signed; a later cross-reference goes back to it."""
    base = plain()
    content = contents_of(base)
    twice = append(append(base, {content: stream(FORGED)}), {content: body_of(base, content)})
    first = re.search(rb"[\r\n]%d 0 obj\s+<<[^>]*>>\s+stream\s+BT /F1 40" % content, twice)
    assert first is not None
    pdf = sign(twice)
    return append(pdf, {}, listed={content: first.start() + 1})


def dangling_reference() -> bytes:
    """What is signed refers to an object that does not exist; a later revision defines it."""
    base = plain()
    number = size_of(base) + 50
    page = page_of(base)
    body = re.sub(rb"/Contents (\d+) 0 R", rb"/Contents [\1 0 R %d 0 R]" % number, body_of(base, page))
    pdf = sign(append(base, {page: body}))
    return append(pdf, {number: stream(FORGED)})


def length_redefined() -> bytes:
    """The length of what is printed is an object of its own; a later revision makes it shorter."""
    base = plain()
    number, content = size_of(base), contents_of(base)
    body = re.sub(rb"/Length \d+", b"/Length %d 0 R" % number, body_of(base, content))
    length = re.search(rb"/Length (\d+)", body_of(base, content))
    assert length is not None
    pdf = sign(append(base, {content: body, number: length[1]}))
    return append(pdf, {number: b"10"})


def generation_reused() -> bytes:
    """The content's number comes back under a later generation."""
    pdf = one()
    content = contents_of(pdf)
    forged = append(pdf, drawn(pdf)).replace(
        b"%d 0 obj\n<</Length" % content, b"%d 1 obj\n<</Length" % content
    )
    return re.sub(rb"(xref\n%d 1\n\d{10}) 00000 n" % content, rb"\1 00001 n", forged)


def signature_dictionary_overwritten() -> bytes:
    """The signature's dictionary is written once more with another reason; its byte range names the old gap."""
    pdf = sign(plain(), reason="seen")
    number = find(pdf, rb"/ByteRange")
    return append(pdf, {number: body_of(pdf, number).replace(b"(seen)", b"(paid)")})


def field_out_of_the_form() -> bytes:
    """The signed field is no longer in the form: the file seems unsigned."""
    pdf = one()
    root = root_of(pdf)
    body = body_of(pdf, root)
    if b"/Fields" in body:
        return append(pdf, {root: re.sub(rb"/Fields \[[^\]]*\]", b"/Fields []", body)})
    number = find(pdf, rb"/Fields")
    return append(pdf, {number: re.sub(rb"/Fields \[[^\]]*\]", b"/Fields []", body_of(pdf, number))})


def value_out_of_the_field() -> bytes:
    """The field has lost its signature."""
    pdf = one()
    field = find(pdf, rb"/FT /Sig")
    return append(pdf, {field: re.sub(rb"/V \d+ 0 R", b"", body_of(pdf, field))})


def signature_in_two_fields() -> bytes:
    """A second field shows the same signature."""
    pdf = hand_signed(plain())
    field = find(pdf, rb"/FT/Sig")
    number = size_of(pdf)
    catalogue = body_of(pdf, root_of(pdf)).replace(b"/Fields[", b"/Fields[%d 0 R " % number)
    return append(pdf, {number: body_of(pdf, field).replace(b"(Hand)", b"(Two)"), root_of(pdf): catalogue})


def object_stream_redefined() -> bytes:
    """A later revision redefines the number of an object stream."""
    pdf = sign(repacked(plain(), packed=True))
    number = int(re.search(rb"(\d+) 0 obj\s*<<[^>]*/Type /ObjStm", pdf)[1])
    return append(pdf, {number: b"<</A 1>>"})


def content_listed_as_field() -> bytes:
    """The page's content is listed as a text field before signing, so that it may be "filled in"."""
    base = plain()
    content = contents_of(base)
    body = re.sub(rb"^<<", b"<</FT/Tx/T(x)/V(a)", body_of(base, content))
    pdf = hand_signed(append(base, {content: body}), beside=b" %d 0 R" % content)
    return append(pdf, {content: body.replace(b"Permit No. 7", b"Permit No. 8")})


def layers_listed_as_field() -> bytes:
    """The settings of layers are listed as a field, so that a list in them may change like an appearance state."""
    base = plain()
    number = size_of(base)
    settings = b"<</FT/Tx/T(x)/Order[]/AS[]>>"
    layers = b"/OCProperties<</OCGs[%d 0 R]/D %d 0 R>>" % (number + 1, number)
    catalogue = body_of(base, root_of(base))[:-2] + layers + b">>"
    objects = {number: settings, number + 1: b"<</Type/OCG/Name(a)>>", root_of(base): catalogue}
    pdf = certified_by_hand(append(base, objects), 2, beside=b" %d 0 R" % number)
    shown = b"/AS[<</Event/View/OCGs[%d 0 R]/Category[/View]>>]" % (number + 1)
    return append(pdf, {number: settings.replace(b"/AS[]", shown)})


def certified_by_hand(base: bytes, permission: int, **options: object) -> bytes:
    """Return the file certified with that P."""
    parameters = b"<</Type/TransformParams/V/1.2/P %d>>" % permission
    entries = b"/Reference[<</Type/SigRef/TransformMethod/DocMDP/TransformParams%s>>]" % parameters
    return hand_signed(base, entries=entries, **options)


def pages_listed_as_annotations() -> bytes:
    """The tree of pages and a page's list of annotations are one array, so that a page may come as an annotation."""
    base = plain()
    number, page = size_of(base), page_of(base)
    tree = int(re.search(rb"/Pages (\d+) 0 R", body_of(base, root_of(base)))[1])
    objects = {
        number: b"[%d 0 R]" % page,
        tree: re.sub(rb"/Kids \[[^\]]*\]", b"/Kids %d 0 R" % number, body_of(base, tree)),
        page: body_of(base, page)[:-2] + b"/Annots %d 0 R>>" % number,
    }
    pdf = certified_by_hand(append(base, objects), 3)
    new = size_of(pdf)
    forged = b"<</Type/Page/Subtype/Text/Rect[0 0 1 1]/Parent %d 0 R/MediaBox[0 0 600 800]/Contents %d 0 R>>"
    later = {number: b"[%d 0 R %d 0 R]" % (page, new), new: forged % (tree, new + 1), new + 1: stream(FORGED)}
    return sign(append(pdf, later), "Second")


def content_as_new_field() -> bytes:
    """The list of fields is also the list of a page's contents; a new field is a stream that draws."""
    base = plain()
    number, content = size_of(base), contents_of(base)
    page = re.sub(rb"/Contents \d+ 0 R", b"/Contents %d 0 R" % number, body_of(base, page_of(base)))
    pdf = append(base, {page_of(base): page, number: b"[%d 0 R]" % content})
    unsigned = unsigned_signature(pdf)
    field = size_of(unsigned) - 1
    unsigned = unsigned.replace(b"/Fields[%d 0 R]" % field, b"/Fields %d 0 R" % number)
    shared = append(base, {page_of(base): page, number: b"[%d 0 R %d 0 R]" % (content, size_of(pdf) + 1)})
    pdf = completed(
        unsigned_signature(shared).replace(b"/Fields[%d 0 R]" % field, b"/Fields %d 0 R  " % number)
    )
    new = size_of(pdf)
    later = {
        number: b"[%d 0 R %d 0 R %d 0 R]" % (content, field, new),
        new: stream(FORGED, b"/FT/Sig/T(New)"),
    }
    return append(pdf, later)


def field_with_script() -> bytes:
    """A new invisible field runs a script."""
    pdf = hand_signed(plain())
    new = size_of(pdf)
    catalogue = body_of(pdf, root_of(pdf)).replace(b"/Fields[", b"/Fields[%d 0 R " % new)
    return append(pdf, {new: b"<</FT/Sig/T(New)/AA<</C<</S/JavaScript/JS(x)>>>>>>", root_of(pdf): catalogue})


def older_object_stream() -> bytes:
    """A later revision takes an object out of an object stream of the signed one."""
    base = plain()
    pack, content = size_of(base), contents_of(base)
    head = b"%d 0 " % content
    packed = stream(head + b"<</Forged true>>", b"/Type/ObjStm/N 1/First %d" % len(head))
    pdf = hand_signed(append(base, {pack: packed}))
    info = re.findall(rb"/Info \d+ 0 R", pdf)[-1]
    row = b"\x02" + pack.to_bytes(2) + b"\x00"
    entries = b"/Type/XRef/W[1 2 1]/Size %d/Index[%d 1]/Root %d 0 R/Prev %d%s" % (
        size_of(pdf) + 9, content, root_of(pdf), last_xref(pdf), info,
    )  # fmt: skip
    section = b"%d 0 obj\n%s\nendobj\n" % (size_of(pdf) + 8, stream(row, entries))
    return pdf + section + b"startxref\n%d\n%%%%EOF\n" % len(pdf)


def signed_again_over(change: Callable[[bytes], bytes]) -> Callable[[], bytes]:
    """Return an attack that changes an approved file and signs it again: the first signature still forbids it."""
    return lambda: sign(change(one()), "Second")


def skipped_revision() -> bytes:
    """The last revision continues from before the second signature."""
    first = one()
    second = sign(first, "Second")
    return append(second, {size_of(second): b"null"}, prev=last_xref(first))


ATTACKS: dict[str, tuple[Callable[[], bytes], set[str]]] = {
    # Incremental saving
    "incremental saving": (incremental(), {"violation"}),
    "tail without end mark": (incremental(end=b""), {"format.after_end"}),
    "tail without table": (tail_without_table, {"format.after_end"}),
    "tail with the old startxref": (tail_with_old_startxref, {"changes.revision"}),
    "end mark commented": (incremental(end=b"%x%%EOF\n"), {"format.after_end"}),
    "bytes after the end": (lambda: one() + b"garbage", {"format.after_end"}),
    "two line ends": (lambda: one() + b"\n", {"format.after_end"}),
    "bytes between revisions": (incremental(between=b"99 0 obj null endobj\n"), {"changes.revision"}),
    "loop of cross-references": (lambda: append(one(), {}, prev=len(one())), {"format.layout"}),
    "revision skipped": (skipped_revision, {"format.seal_field"}),
    "encrypted afterwards": (incremental(extra=b"/Encrypt<</Filter/Standard>>"), {"format.encrypted"}),
    # Padding tail, wrapping
    "padding tail": (lambda: padding_tail(20), {"byte_range.gap"}),
    "range ends early": (
        lambda: completed(unsigned_signature(plain()), shift=(0, 0, -20)), {"byte_range.coverage"},
    ),
    "gap starts early": (
        lambda: completed(unsigned_signature(plain()), shift=(-9, 0, 0)), {"byte_range.gap"},
    ),
    "dictionary overwritten": (signature_dictionary_overwritten, {"byte_range.gap"}),
    "field out of the form": (field_out_of_the_form, {"format.seal_field"}),
    "value out of the field": (value_out_of_the_field, {"format.seal_field"}),
    "signature in two fields": (signature_in_two_fields, {"format.seal_field"}),
    # Shadow: hide, replace, hide and replace
    "page redrawn": (incremental(), {"violation"}),
    "content freed": (lambda: append(one(), {}, free=(contents_of(one()),)), {"violation"}),
    "font exchanged": (
        lambda: append(one(), replaced(one(), rb"/BaseFont", b"/Helvetica", b"/Symbol")), {"violation"},
    ),
    "page turned": (
        lambda: append(one(), replaced(one(), rb"/Type /Page\b(?!s).*page|/Contents 9 ", b"/Rotate 0", b"/Rotate 180")),
        {"violation"},
    ),
    "hidden page tree": (hidden_page_tree, {"violation"}),
    "hidden content listed": (hidden_content_listed, {"changes.revision"}),
    "older object listed again": (hidden_object_of_same_number, {"changes.revision"}),
    "another catalogue": (
        lambda: append(one(), {size_of(one()): body_of(one(), root_of(one()))}, root=size_of(one())), {"violation"},
    ),
    "dangling reference defined": (dangling_reference, {"violation"}),
    "length redefined": (length_redefined, {"violation"}),
    "generation reused": (generation_reused, {"violation"}),
    "object stream redefined": (object_stream_redefined, {"violation"}),
    "content listed as a field": (content_listed_as_field, {"violation"}),
    "layers listed as a field": (layers_listed_as_field, {"violation"}),
    "pages listed as annotations": (pages_listed_as_annotations, {"violation"}),
    "content as a new field": (content_as_new_field, {"violation", "format.seal_field"}),
    "field with a script": (field_with_script, {"violation"}),
    "older object stream": (older_object_stream, {"changes.revision"}),
    "script at opening": (
        lambda: append(one(), with_entry(one(), root_of(one()), b"/OpenAction<</S/JavaScript/JS(x)>>")), {"violation"},
    ),
    "redrawn and signed again": (signed_again_over(lambda pdf: append(pdf, drawn(pdf))), {"violation"}),
    # Certified documents: annotations, signatures over the text
    "comment on P=1": (lambda: annotated(certify(plain(), 1)), {"violation"}),
    "comment on P=2": (lambda: annotated(certify(plain(), 2)), {"violation"}),
    "comment on P=3": (lambda: annotated(certify(plain(), 3)), {"doubt"}),
    "comment on an approval": (lambda: annotated(one()), {"doubt"}),
    "stamp on P=3": (lambda: annotated(certify(plain(), 3), b"Stamp"), {"doubt"}),
    "field on P=1": (lambda: prepare(certify(plain(), 1), "Second"), {"violation"}),
    "signature over the text of P=2": (lambda: sign(certify(plain(), 2), "Second", box=WHOLE), {"violation"}),
    "signature over the text of P=3": (lambda: sign(certify(plain(), 3), "Second", box=WHOLE), {"doubt"}),
    "empty field over the text": (lambda: prepare(one(), "Cover", box=(0, 0, 600, 800)), {"doubt"}),
    "widget of no field": (lambda: annotated(one(), b"Widget"), {"violation"}),
    # Tampering with the seal's appearance
    "seal moved": (
        lambda: append(visible(), replaced(visible(), rb"/FT /Sig", b"[ 100 100 250 160 ]", b"[ 0 0 600 800 ]")),
        {"violation"},
    ),
    "seal hidden": (
        lambda: append(visible(), replaced(visible(), rb"/FT /Sig", b"/F 132", b"/F 2")), {"violation"},
    ),
    "seal's appearance exchanged": (
        lambda: append(
            visible(),
            {
                size_of(visible()): stream(FORGED, b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]"),
                find(visible(), rb"/FT /Sig"): re.sub(
                    rb"/AP <<.*?>>", b"/AP <</N %d 0 R>>" % size_of(visible()),
                    body_of(visible(), find(visible(), rb"/FT /Sig")), flags=re.DOTALL,
                ),
            },
        ),
        {"violation"},
    ),
    "seal's appearance redrawn": (
        lambda: append(
            visible(),
            {
                int(re.search(rb"/N (\d+) 0 R", body_of(visible(), find(visible(), rb"/FT /Sig")))[1]):
                stream(FORGED, b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]"),
            },
        ),
        {"violation"},
    ),
    # Forms
    "form filled in after an approval": (
        lambda: append(
            filled(),
            replaced(filled(), rb"/T \(remark\)", b"/V (none)", b"/V (forged)"),
        ),
        {"doubt"},
    ),
    "form field moved": (
        lambda: append(
            filled(),
            {
                find(filled(), rb"/T \(remark\)"): re.sub(
                    rb"/Rect \[[^\]]*\]", b"/Rect [0 0 600 800]",
                    body_of(filled(), find(filled(), rb"/T \(remark\)")),
                ),
            },
        ),
        {"violation"},
    ),
    # Metadata
    "title changed": (
        lambda: append(
            one(), {size_of(one()): b"<</Title(Another)>>"}, extra=b"/Info %d 0 R" % size_of(one())
        ),
        {"doubt"},
    ),
}  # fmt: skip
