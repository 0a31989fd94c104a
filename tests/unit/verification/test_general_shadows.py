"""A file prepared before signing, so that a change which a signature permits draws something else, does not pass.

Each base is signed by an honest program; whoever prepared it gave one object two parts to play.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import pypdfium2
import pytest

from elicense import updates
from elicense.verification import general
from elicense.verification.general import read_general
from tests.support.foreign import (
    append,
    body_of,
    certify,
    completed,
    hand_signed,
    last_xref,
    plain,
    prepare,
    root_of,
    sign,
    size_of,
    stream,
    unsigned_signature,
)
from tests.support.general_forgeries import FORGED, certified_by_hand, contents_of, find, page_of
from tests.support.judging import outcome
from tests.support.tsa import make_token

if TYPE_CHECKING:
    from collections.abc import Callable

FORM = (
    b"/Type/XObject/Subtype/Form/BBox[0 0 600 800]"
    b"/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
)


def drawing(base: bytes, resources: int, name: bytes) -> bytes:
    """Return the file whose first page draws what object `resources` calls `name`."""
    page = body_of(base, page_of(base))
    found = re.search(rb"/Resources <<.*?>> (?=/)", page, re.DOTALL)
    assert found is not None
    changed = page.replace(found[0], b"/Resources <</XObject %d 0 R>> " % resources)
    return append(base, {page_of(base): changed, contents_of(base): stream(b"/%s Do" % name)})


def catalogue_as_resources() -> bytes:
    """The catalogue is what the page's drawings are looked up in; its DSS is a drawing that is exchanged."""
    base = drawing(plain(), root_of(plain()), b"DSS")
    number, root = size_of(base), root_of(base)
    body = body_of(base, root)[:-2] + b"/DSS %d 0 R>>" % number
    pdf = certified_by_hand(append(base, {number: stream(b"", FORM), root: body}), 1)
    new = size_of(pdf)
    later = body_of(pdf, root).replace(b"/DSS %d 0 R" % number, b"/DSS %d 0 R" % new)
    return append(pdf, {new: stream(FORGED, FORM), root: later})


def evidence_as_drawing() -> bytes:
    """The same, with the drawing behind the DSS redefined where it is."""
    base = drawing(plain(), root_of(plain()), b"DSS")
    number, root = size_of(base), root_of(base)
    body = body_of(base, root)[:-2] + b"/DSS %d 0 R>>" % number
    pdf = certified_by_hand(append(base, {number: stream(b"", FORM), root: body}), 1)
    return append(pdf, {number: stream(FORGED, FORM)})


def field_as_resources() -> bytes:
    """A text field is what the page's drawings are looked up in; its value is a drawing that is filled in."""
    base = plain()
    number = size_of(base)
    base = append(
        drawing(base, number, b"V"),
        {number: b"<</FT/Tx/T(x)/V %d 0 R>>" % (number + 1), number + 1: stream(b"", FORM)},
    )
    pdf = certified_by_hand(base, 2, beside=b" %d 0 R" % number)
    new = size_of(pdf)
    return append(pdf, {number: b"<</FT/Tx/T(x)/V %d 0 R>>" % new, new: stream(FORGED, FORM)})


def form_as_resources() -> bytes:
    """The form is what the page's drawings are looked up in; its default appearance is a drawing."""
    base = plain()
    number = size_of(base)
    base = append(drawing(base, number, b"DA"), {number: b"null", number + 1: stream(b"", FORM)})
    unsigned, form = unsigned_signature(base), b"<</Fields[%d 0 R]/SigFlags 3/DA %d 0 R>>"
    field = size_of(unsigned) - 1
    root = root_of(unsigned)
    catalogue = body_of(unsigned, root)
    direct = catalogue[catalogue.index(b"/AcroForm") : -2]
    objects = {
        number: form % (field, number + 1),
        root: catalogue.replace(direct, b"/AcroForm %d 0 R" % number),
    }
    pdf = completed(append(unsigned, objects))
    new = size_of(pdf)
    return append(pdf, {number: form % (field, new), new: stream(FORGED, FORM)})


def form_moved_to_resources() -> bytes:
    """The form stands in the catalogue when it is signed, then moves to where the page's drawings are looked up."""
    base = plain()
    number = size_of(base)
    base = append(drawing(base, number, b"DA"), {number: b"null", number + 1: stream(b"", FORM)})
    inner = b"/SigFlags 3/DA %d 0 R>>"
    unsigned = unsigned_signature(base, beside=b"]/DA %d 0 R/X[" % (number + 1))
    field = size_of(unsigned) - 1
    resources = b"<</Fields[%d 0 R]/X[]" % field + inner
    pdf = completed(append(unsigned, {number: resources % (number + 1)}))
    catalogue = body_of(pdf, root_of(pdf))
    direct = catalogue[catalogue.index(b"/AcroForm") : -2]
    moved = append(pdf, {root_of(pdf): catalogue.replace(direct, b"/AcroForm %d 0 R" % number)})
    new = size_of(moved)
    return append(moved, {number: resources % new, new: stream(FORGED, FORM)})


def page_behind_a_reference() -> bytes:
    """The page is an object that is only a reference to another; that one is redefined."""
    base = plain()
    page, number = page_of(base), size_of(base)
    body = body_of(base, page)
    pdf = certified_by_hand(append(base, {page: b"%d 0 R" % number, number: body}), 1)
    new = size_of(pdf)
    redrawn = re.sub(rb"/Contents \d+ 0 R", b"/Contents %d 0 R" % new, body)
    return append(pdf, {number: redrawn, new: stream(FORGED)})


def parent_of_no_tree() -> bytes:
    """A field inherits its value from a parent that no list of fields leads to; the parent is redefined."""
    base = plain()
    number = size_of(base)
    objects = {
        number: b"<</FT/Tx/T(amount)/Parent %d 0 R>>" % (number + 1),
        number + 1: b"<</FT/Tx/V(1)>>",
    }
    pdf = certified_by_hand(append(base, objects), 1, beside=b" %d 0 R" % number)
    return append(pdf, {number + 1: b"<</FT/Tx/V(1000000)>>"})


def locked(names: bytes) -> bytes:
    """Return the signature's entries that certify with P=2 and lock these fields."""
    return (
        b"/Reference[<</TransformMethod/DocMDP/TransformParams<</V/1.2/P 2>>>>"
        b"<</TransformMethod/FieldMDP/TransformParams<</V/1.2/Action/Include/Fields[%s]>>>>]" % names
    )


def eleventh_field() -> bytes:
    """A locked field is filled in behind ten that are not locked."""
    base = plain()
    number = size_of(base)
    fields = {number + n: b"<</FT/Tx/T(f%d)/V(1)>>" % n for n in range(12)}
    beside = b"".join(b" %d 0 R" % one for one in fields)
    pdf = hand_signed(append(base, fields), entries=locked(b"(f11)"), beside=beside)
    return append(pdf, {one: body.replace(b"/V(1)", b"/V(1000)") for one, body in fields.items()})


def lock_in_another_encoding() -> bytes:
    """A field's name is in PDFDocEncoding, and the lock names it in UTF-16."""
    base = plain()
    number = size_of(base)
    field = b"<</FT/Tx/T(\xa0)/V(1)>>"
    utf16 = b"<FEFF20AC>"
    pdf = hand_signed(append(base, {number: field}), entries=locked(utf16), beside=b" %d 0 R" % number)
    return append(pdf, {number: field.replace(b"/V(1)", b"/V(1000)")})


def value_of_the_parent() -> bytes:
    """A locked field without a value inherits the one that its parent gets, which is not locked itself."""
    base = plain()
    number = size_of(base)
    fields = {
        number: b"<</FT/Tx/T(form)/Kids[%d 0 R]>>" % (number + 1),
        number + 1: b"<</T(amount)/Parent %d 0 R>>" % number,
    }
    entries = locked(b"(form.amount)")
    pdf = hand_signed(append(base, fields), entries=entries, beside=b" %d 0 R" % number)
    return append(pdf, {number: fields[number][:-2] + b"/V(1000)>>"})


def comment_as_signature_field() -> bytes:
    """A new signature field without extent is a comment at the same time."""
    pdf = certified_by_hand(plain(), 2)
    new, page = size_of(pdf), page_of(pdf)
    catalogue = body_of(pdf, root_of(pdf)).replace(b"/Fields[", b"/Fields[%d 0 R " % new)
    note = b"<</Type/Annot/Subtype/Text/FT/Sig/T(Note)/Rect[100 700 100 700]/Contents(The amount is 9)/F 4>>"
    body = body_of(pdf, page)[:-2] + b"/Annots[%d 0 R]>>" % new
    return append(pdf, {new: note, root_of(pdf): catalogue, page: body})


def object_twice_in_a_stream() -> bytes:
    """A later object stream holds the catalogue twice, and the cross-reference names the harmless one."""
    pdf = hand_signed(plain())
    root, pack = root_of(pdf), size_of(pdf)
    catalogue = body_of(pdf, root)
    forged = catalogue[:-2] + b"/OpenAction<</S/JavaScript/JS(x)>>>>"
    bodies = forged + b" " + catalogue
    head = b"%d 0 %d %d " % (root, root, len(forged) + 1)
    packed = stream(head + bodies, b"/Type/ObjStm/N 2/First %d" % len(head))
    out = pdf + b"%d 0 obj\n%s\nendobj\n" % (pack, packed)
    rows = b"\x02" + pack.to_bytes(4) + b"\x01" + b"\x01" + len(pdf).to_bytes(4) + b"\x00"
    entries = b"/Type/XRef/W[1 4 1]/Size %d/Index[%d 1 %d 1]/Root %d 0 R/Prev %d%s" % (
        pack + 2, root, pack, root, last_xref(pdf), re.findall(rb"/Info \d+ 0 R", pdf)[-1],
    )  # fmt: skip
    return out + b"%d 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n" % (
        pack + 1,
        stream(rows, entries),
        len(out),
    )


def timestamp_where_another_signs(*, certified: bool) -> bytes:
    """Where a second signer is to sign, anybody's timestamp stands, and draws what looks like his signature."""
    base = prepare(plain(), "Second", box=(100, 100, 250, 160))
    pdf = certify(base, 2) if certified else sign(base)
    field = find(pdf, rb"/T \(Second\)")
    new = size_of(pdf)
    shown = b"/AP<</N %d 0 R>>/V %d 0 R>>" % (new, new + 1)
    plain_field = re.sub(rb"/AP <<.*?>>", b"", body_of(pdf, field), flags=re.DOTALL)
    objects = {
        field: plain_field[:-2] + shown,
        new: stream(FORGED, FORM),
        new + 1: updates.timestamp_value(4096),
    }
    extended = append(pdf, objects)
    placed, byte_range = updates.place_gap(extended, len(pdf))
    covered = placed[: byte_range[1]] + placed[byte_range[2] :]
    return updates.fill_gap(placed, byte_range, make_token(hashlib.sha256(covered).digest(), "sha256").dump())


ATTACKS: dict[str, tuple[Callable[[], bytes], set[str]]] = {
    "catalogue as resources": (catalogue_as_resources, {"violation"}),
    "evidence as drawing": (evidence_as_drawing, {"violation"}),
    "field as resources": (field_as_resources, {"violation"}),
    "form as resources": (form_as_resources, {"violation"}),
    "form moved to resources": (form_moved_to_resources, {"violation"}),
    "page behind a reference": (page_behind_a_reference, {"format.unsupported", "format.layout"}),
    "parent of no tree": (parent_of_no_tree, {"violation"}),
    "eleventh field": (eleventh_field, {"violation"}),
    "lock in another encoding": (lock_in_another_encoding, {"violation"}),
    "value of the parent": (value_of_the_parent, {"violation"}),
    "comment as a signature field": (comment_as_signature_field, {"violation"}),
    "timestamp where another signs": (lambda: timestamp_where_another_signs(certified=False), {"doubt"}),
    "timestamp where another signs on P=2": (
        lambda: timestamp_where_another_signs(certified=True),
        {"violation"},
    ),
    "object twice in a stream": (object_twice_in_a_stream, {"format.layout"}),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_prepared_file_does_not_pass(name: str) -> None:
    """What a permitted change draws or says anew is no longer what was signed, and it shows."""
    attack, expected = ATTACKS[name]
    assert outcome(attack()) in expected


def test_attack_draws_another_page() -> None:
    """A reader shows another text than the one that was certified, so the attack is one."""
    pdf = catalogue_as_resources()
    (signature,) = read_general(pdf).candidates
    end = signature.byte_range[2] + signature.byte_range[3]
    sealed, shown = (
        pypdfium2.PdfDocument(one)[0].get_textpage().get_text_range() for one in (pdf[:end], pdf)
    )
    assert (sealed, shown) == ("", "FORGED LICENCE")


def test_signatures_times_changes_are_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many signatures before many changes are not judged one against the other without end."""
    pdf = sign(sign(plain()), "Second")
    assert read_general(pdf).findings == ()
    monkeypatch.setattr(general, "MOST_JUDGED", 1)
    (finding,) = read_general(pdf).findings
    assert finding.reason == "limit.complexity"


def test_a_name_of_a_hundred_thousand_parts_is_a_limit() -> None:
    """A name that takes minutes to be looked up among locked ones is not read."""
    base = plain()
    number = size_of(base)
    field = b"<</FT/Tx/T(%s)/V(1)>>" % (b"." * 100_000)
    pdf = hand_signed(append(base, {number: field}), entries=locked(b"(x)"), beside=b" %d 0 R" % number)
    (finding,) = read_general(pdf).findings
    assert finding.reason == "limit.complexity"
