"""Honest PDFs by other programs are read without a finding, and each revision's changes are named as what they are."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from io import BytesIO

import pikepdf
import pytest
from pyhanko.pdf_utils import generic
from pyhanko.sign import fields

from elicense.updates import digest_of
from elicense.verification.foreign import (
    foreign_signature_matches,
    read_foreign_contents,
    read_foreign_signed_data,
    read_foreign_token,
)
from elicense.verification.general import UNDECIDED, read_general
from elicense.verification.general_fields import read_date
from elicense.verification.general_rules import STAMPS
from elicense.verification.signature import load_certificate
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
    update,
)
from tests.support.pki import seal_identity

BOX = (100, 100, 250, 160)


def kinds(pdf: bytes) -> list[list[str]]:
    """Return the kinds of change of each revision of a file without findings, each signature in it intact."""
    structure = read_general(pdf)
    assert structure.findings == ()
    for candidate in structure.candidates:
        signed = read_foreign_signed_data(read_foreign_contents(pdf, candidate), candidate)
        assert foreign_signature_matches(load_certificate(signed.signer).public_key(), signed)
        if candidate.kind == "timestamp":
            token = read_foreign_token(read_foreign_contents(pdf, candidate))
            assert token.imprint == digest_of(pdf, candidate.byte_range, token.digest)
        else:
            assert signed.message_digest == digest_of(pdf, candidate.byte_range, signed.digest)
        revision = structure.revisions[candidate.revision]
        assert revision.end == candidate.byte_range[2] + candidate.byte_range[3]
    starts = [0, *(revision.end for revision in structure.revisions)]
    assert starts[:-1] == [revision.start for revision in structure.revisions]
    # The programs write the date of each change by their own clock.
    return [[c.kind for c in revision.changes if c.detail != STAMPS] for revision in structure.revisions]


def details(pdf: bytes) -> set[tuple[str, str]]:
    """Return (kind, detail) of all changes."""
    return {(change.kind, change.detail) for r in read_general(pdf).revisions for change in r.changes}


BASES = {
    "classic": lambda: plain(2),
    "object streams": lambda: repacked(plain(2), packed=True),
    "linearized": lambda: repacked(plain(2), linear=True),
    "linearized with object streams": lambda: repacked(plain(2), packed=True, linear=True),
    "with a form": lambda: plain(2, form=True),
    "with an annotation": lambda: plain(2, note=True),
}


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("pades", [True, False])
def test_signed_twice(base: str, *, pades: bool) -> None:
    """Two approvals on any kind of base are two signatures, the second of them in a new field."""
    pdf = sign(sign(BASES[base](), pades=pades), "Second", pades=pades)
    assert kinds(pdf) == [[], ["signature_field"]]
    assert [c.kind for c in read_general(pdf).candidates] == ["approval", "approval"]
    assert [c.field for c in read_general(pdf).candidates] == ["Signature1", "Second"]


@pytest.mark.parametrize("base", BASES)
def test_second_signature_on_a_page(base: str) -> None:
    """A second signature that shows on a page is said to."""
    assert kinds(sign(sign(BASES[base]()), "Second", box=BOX)) == [[], ["signature_visible"]]


@pytest.mark.parametrize("base", BASES)
def test_archived(base: str) -> None:
    """A certified document with evidence and timestamps has only such changes, and its evidence is found."""
    pdf = certify(BASES[base](), 1, level="LTA")
    found = kinds(pdf)
    assert {kind for revision in found for kind in revision} == {"evidence", "timestamp"}
    structure = read_general(pdf)
    assert [c.kind for c in structure.candidates] == ["certification", "timestamp"]
    assert structure.candidates[0].permission == 1
    assert len(structure.evidence.certificates) == 4
    assert len(structure.evidence.crls) == 2


def test_prepared_fields_signed_in_turn() -> None:
    """Prepared fields of a certified document are filled as signatures."""
    pdf = sign(sign(certify(prepare(plain(), "A", "B", box=BOX), 2), "A"), "B")
    assert kinds(pdf) == [[], ["signature"], ["signature"]]
    assert read_general(pdf).candidates[0].permission == 2


@pytest.mark.parametrize(
    ("action", "names", "locked"),
    [("ALL", None, ("*",)), ("INCLUDE", ["remark"], ("remark",)), ("EXCLUDE", ["remark"], ("B", "other"))],
)
def test_locked_fields(action: str, names: list[str] | None, locked: tuple[str, ...]) -> None:
    """The fields that a signature locks are named, those of "all but" by what there is."""
    spec = fields.FieldMDPSpec(fields.FieldMDPAction[action], fields=names)
    pdf = prepare(prepare(plain(form=True), "A", field_mdp_spec=spec), "B")
    found = read_general(sign(pdf, "A")).candidates[0].locked
    assert found is not None
    assert set(locked) == set(found) - {"A"}


def fill(pdf: bytes, value: str = "approved") -> bytes:
    """Return the form filled in by an increment."""

    def change(writer: object) -> None:
        field = writer.root["/AcroForm"]["/Fields"][0].get_object()
        field["/V"] = generic.pdf_string(value)
        writer.update_container(field)

    return update(pdf, change)


def test_form_filled_in() -> None:
    """A form's value that changes is `form`, and the field is named."""
    pdf = sign(fill(sign(plain(form=True))), "Second")
    assert kinds(pdf) == [[], ["form"], ["signature_field"]]
    assert ("form", "field 'remark'") in details(pdf)


def test_annotation_added() -> None:
    """A comment added afterwards is `annotation`, and the page is named."""
    pdf = sign(plain(2))

    def change(writer: object) -> None:
        note = generic.DictionaryObject(
            {
                generic.NameObject("/Type"): generic.NameObject("/Annot"),
                generic.NameObject("/Subtype"): generic.NameObject("/Text"),
                generic.NameObject("/Contents"): generic.pdf_string("seen"),
                generic.NameObject("/Rect"): generic.ArrayObject(map(generic.NumberObject, (1, 1, 20, 20))),
            }
        )
        writer.register_annotation(writer.root["/Pages"]["/Kids"].raw_get(1), writer.add_object(note))

    assert details(update(pdf, change)) == {("annotation", "page 2")}


def test_date_and_program() -> None:
    """A change of date and program alone is told from one of the title."""
    pdf = sign(plain())
    info = size_of(pdf)
    old = body_of(pdf, int(pdf.rpartition(b"/Info ")[2].split()[0]))
    assert old.startswith(b"<<")
    only_date = append(pdf, {info: old[:-2] + b"/ModDate (D:2027)>>"}, extra=b"/Info %d 0 R" % info)
    assert details(only_date) == {("metadata", STAMPS)}
    title = append(pdf, {info: b"<</Title (Another)>>"}, extra=b"/Info %d 0 R" % info)
    assert details(title) == {("metadata", "information of the document")}


def test_metadata_stream() -> None:
    """The same holds for XMP."""
    xmp = b"<x><xmp:ModifyDate>2026</xmp:ModifyDate><dc:title>%s</dc:title></x>"
    base = plain()
    meta = size_of(base)
    catalogue = body_of(base, root_of(base))[:-2] + b"/Metadata %d 0 R>>" % meta
    pdf = hand_signed(append(base, {meta: stream(xmp % b"Permit"), root_of(base): catalogue}))
    later = xmp.replace(b"2026", b"2027")
    assert details(append(pdf, {meta: stream(later % b"Permit")})) == {("metadata", STAMPS)}
    assert details(append(pdf, {meta: stream(xmp % b"Other")})) == {("metadata", "metadata of the document")}


def test_unused_object() -> None:
    """An object that nothing refers to is `unused`."""
    pdf = sign(plain())
    assert details(append(pdf, {size_of(pdf): b"<</A 1>>"})) == {("unused", "1 objects")}


def test_rewritten_without_change() -> None:
    """A page and a catalogue written once more, the same, are no change."""
    pdf = sign(plain())
    assert kinds(append(pdf, {root_of(pdf): body_of(pdf, root_of(pdf))})) == [[], []]


def test_numbers_written_otherwise() -> None:
    """A whole number written as a decimal is no change."""
    pdf = sign(plain())
    number = next(n for n in range(1, size_of(pdf)) if b"/MediaBox" in body_of(pdf, n))
    body = body_of(pdf, number)
    again = body.replace(b"/MediaBox [ 0 0", b"/MediaBox [ 0.0 0.00")
    assert again != body
    assert kinds(append(pdf, {number: again})) == [[], []]


@pytest.mark.parametrize("end", [b"%%EOF", b"%%EOF\n", b"%%EOF\r\n", b"%%EOF\r"])
def test_line_end_behind_the_file(end: bytes) -> None:
    """At most one line end may stand behind the last end, covered or not."""
    pdf = sign(plain())
    assert pdf.endswith(b"%%EOF\n")
    assert kinds(pdf) == [[]]
    assert kinds(append(pdf, {size_of(pdf): b"null"}, end=end)) == [[], ["unused"]]


@pytest.mark.parametrize("junk", [b"junk\n", b"\xef\xbb\xbf", b"%" + b"x" * 900 + b"\n"])
@pytest.mark.parametrize("from_header", [True, False])
def test_leading_bytes(junk: bytes, *, from_header: bool) -> None:
    """Bytes before the header are honest, whether offsets count from the header or from the file's start."""
    pdf = unsigned_signature(plain())
    if not from_header:
        pdf = re.sub(
            rb"(\d{10})( 00000 n)", lambda found: b"%010d%s" % (int(found[1]) + len(junk), found[2]), pdf
        )
        for word in (rb"startxref\n", rb"/Prev "):
            pattern = rb"(" + word + rb")(\d+)"
            pdf = re.sub(pattern, lambda found: found[1] + b"%d" % (int(found[2]) + len(junk)), pdf)
    assert kinds(completed(junk + pdf)) == [[]]


def test_signed_attachment() -> None:
    """A signed PDF attached as it is, uncompressed, is data and not a signature of the document."""
    inner, base = sign(plain()), plain()
    number = size_of(base)
    files = b"<</EmbeddedFiles<</Names[(a.pdf) %d 0 R]>>>>" % (number + 1)
    objects = {
        number: stream(inner, b"/Type/EmbeddedFile"),
        number + 1: b"<</Type/Filespec/F(a.pdf)/EF<</F %d 0 R>>>>" % number,
        root_of(base): body_of(base, root_of(base))[:-2] + b"/Names" + files + b">>",
    }
    pdf = sign(append(base, objects))
    assert pdf.count(b"/ByteRange") == 2
    assert kinds(pdf) == [[]]
    assert kinds(sign(pdf, "Second")) == [[], ["signature_field"]]


def test_usage_rights() -> None:
    """A usage-rights signature, which no field shows, is no signature of the document."""
    base = plain()
    number = size_of(base)
    catalogue = body_of(base, root_of(base))[:-2] + b"/Perms<</UR3 %d 0 R>>>>" % number
    rights = b"<</Type/Sig/ByteRange[0 10 20 30]/Contents<3000>>>"
    assert kinds(sign(append(base, {number: rights, root_of(base): catalogue}))) == [[]]


def hybrid(base: bytes) -> bytes:
    """Return the PDF with one more revision whose table hides an object in a stream beside it."""
    number, root = size_of(base), root_of(base)
    hidden = b"%d 0 obj\n<</Hidden true>>\nendobj\n" % number
    at = len(base + hidden)
    entries = b"/Type/XRef/W[1 4 1]/Size %d/Index[%d 1]/Root %d 0 R" % (number + 2, number, root)
    row = b"\x01" + len(base).to_bytes(4) + b"\x00"
    pdf = base + hidden + b"%d 0 obj\n%s\nendobj\n" % (number + 1, stream(row, entries))
    info = re.findall(rb"/Info \d+ 0 R", base)[-1]
    trailer = b"<</Size %d/Root %d 0 R/Prev %d/XRefStm %d%s>>" % (number + 2, root, last_xref(base), at, info)
    return pdf + b"xref\n0 0\ntrailer\n%s\nstartxref\n%d\n%%%%EOF\n" % (trailer, len(pdf))


def test_hybrid_base() -> None:
    """A hybrid cross-reference before the first signed revision is read."""
    assert kinds(hand_signed(hybrid(plain()))) == [[]]
    signed = sign(hand_signed(hybrid(plain())), "Second")
    assert sorted(kinds(signed)[1]) == ["evidence", "metadata", "signature_field"]


def test_hybrid_later() -> None:
    """A hybrid cross-reference in a later revision is not followed, and proves nothing."""
    (finding,) = read_general(hybrid(hand_signed(plain()))).findings
    assert finding.reason == "format.unsupported"
    assert finding.reason in UNDECIDED


def test_fifty_signatures_in_linear_time() -> None:
    """Fifty signatures are read, each in a revision of its own."""
    pdf = plain()
    for index in range(50):
        pdf = sign(pdf, f"S{index}")
    structure = read_general(pdf)
    assert structure.findings == ()
    assert [candidate.revision for candidate in structure.candidates] == list(range(50))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("D:20260302093000+08'00'", datetime(2026, 3, 2, 1, 30, tzinfo=UTC)),
        ("D:20260302093000+08'00", datetime(2026, 3, 2, 1, 30, tzinfo=UTC)),
        ("D:20260301203000-05'00'", datetime(2026, 3, 2, 1, 30, tzinfo=UTC)),
        ("D:20260302013000Z", datetime(2026, 3, 2, 1, 30, tzinfo=UTC)),
        ("D:20260302013000Z00'00'", datetime(2026, 3, 2, 1, 30, tzinfo=UTC)),
        ("D:2026", datetime(2026, 1, 1, tzinfo=UTC)),
        ("20260302", datetime(2026, 3, 2, tzinfo=UTC)),
        ("D:20261302", None),
        ("yesterday", None),
        ("D:00010101000000+23'59'", None),
    ],
)
def test_dates(text: str, moment: datetime | None) -> None:
    """A PDF date in any of its lengths is read in UTC, or not at all."""
    assert read_date(text) == moment


def test_written_by_qpdf_afterwards() -> None:
    """A signed file that another program wrote anew has lost its signature: the byte range fits no more."""
    buffer = BytesIO()
    with pikepdf.open(BytesIO(sign(plain()))) as opened:
        opened.save(buffer)
    assert read_general(buffer.getvalue()).findings[0].reason.startswith("byte_range.")


def test_signature_of_another_key_kind() -> None:
    """RSA signatures are read like those on curves."""
    assert kinds(sign(plain(), identity=seal_identity("rsa2048"))) == [[]]


def test_everything_named_again() -> None:
    """A program that writes the whole cross-reference with each revision changes nothing by that."""
    pdf = hand_signed(plain())
    for index in range(3):
        numbers = {int(n) for n in re.findall(rb"(?:^|[\r\n])(\d+) 0 obj", pdf)}
        listed = {number: offset_of(pdf, number) for number in numbers}
        pdf = append(pdf, {size_of(pdf): b"<</A %d>>" % index}, listed=listed)
    assert kinds(pdf) == [[], ["unused"], ["unused"], ["unused"]]


def test_comment_between_revisions() -> None:
    """White space and a comment before a later revision's first object are no content."""
    pdf = sign(plain())
    later = append(pdf, {size_of(pdf): b"null"}, between=b"\n% saved by an honest program\n")
    assert kinds(later) == [[], ["unused"]]
    assert offset_of(later, size_of(pdf)) > len(pdf)
