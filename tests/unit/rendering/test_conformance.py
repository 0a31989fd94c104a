"""Our own look at PDF/A-3 and PDF/UA-1: sound documents pass, each broken rule is found."""

from __future__ import annotations

import io
import re
import zlib

import pytest
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, NameObject

from elicense.rendering.compiler import compile_template
from elicense.rendering.conformance import examine
from elicense.rendering.fill import fill
from tests.support.licences import CAPACITY, licence_of, seal_of, shipped_fonts, test_type


def made(name):
    """Return a test type's document."""
    kind = test_type(name)
    return fill(
        compile_template(kind, shipped_fonts(), seal_of(kind), capacity=CAPACITY), licence_of(kind)
    ).pdf


@pytest.fixture(scope="module")
def permit():
    """A document of fixed pages."""
    return made("test-permit")


@pytest.mark.parametrize("name", ["test-permit", "test-reply"])
def test_our_documents_keep_every_rule(name):
    """Fixed pages and flows alike are PDF/A-3a and PDF/UA-1 as far as we can tell."""
    assert examine(made(name)) == ()


SPOILED = {
    "no part": (b"<pdfaid:part>3", b"<pdfaid:part>2", "PDF/A 6.6.4"),
    "no UA claim": (b"<pdfuaid:part>1", b"<pdfuaid:part>7", "PDF/UA 5"),
    "no title": (b"<dc:title>", b"<dc:tutle>", "PDF/UA 5"),
    "no output intent": (b"/S/GTS_PDFA1", b"/S/GTS_PDFA2", "PDF/A 6.2.3"),
    "not marked": (b"/Marked true", b"/Mirked true", "PDF/UA 7.1"),
    "no language": (b"/Lang(zh-CN)", b"/Long(zh-CN)", "PDF/UA 7.1"),
    "title not shown": (b"/DisplayDocTitle true", b"/DisplayDocTutle true", "PDF/UA 7.1"),
    "an action": (b"/Version/1.7", b"/OpenAction 1", "PDF/A 6.5.2"),
    "no relationship": (b"/AFRelationship/Data", b"/AFRelatiunship/Data", "PDF/A 6.8"),
    "not printed": (b"/F 132", b"/F 128", "PDF/A 6.3"),
    "no description": (b"/TU <", b"/TV <", "PDF/UA 7.18"),
    "no tab order": (b"/Tabs/S", b"/Tubs/S", "PDF/UA 7.18.3"),
    "no ToUnicode": (b"/ToUnicode ", b"/TuUnicode ", "PDF/A 6.2.11.7"),
    "no glyph map": (b"/CIDToGIDMap", b"/CIDTuGIDMap", "PDF/A 6.2.11.3"),
    "no alternative text": (b"/Alt <", b"/Alu <", "PDF/UA 7.3"),
    "no heading above": (b"/S/H1/", b"/S/H2/", "PDF/UA 7.4.2"),
    "no scope": (b"/Scope/", b"/Scupe/", "PDF/UA 7.5"),
    "no form": (b"/S/Form/", b"/S/Form2/", "PDF/UA 7.18.4"),
    "irregular table": (b"/RowSpan 2", b"/ColSpan 2", "PDF/UA 7.2"),
    "not rows": (b"/S/TR/", b"/S/TD/", "PDF/UA 7.2"),
}


@pytest.mark.parametrize(("old", "new", "rule"), SPOILED.values(), ids=SPOILED.keys())
def test_each_broken_rule_is_found(permit, old, new, rule):
    """A document with one entry spoiled is told by that rule."""
    plain = inflated_metadata(permit)
    assert old in plain
    assert rule in {finding.rule for finding in examine(rewritten(plain.replace(old, new)))}


def inflated_metadata(pdf):
    """Return the objects of a file whose XMP is not deflated; offsets are as they were."""
    found = re.search(rb"/Subtype/XML(/Filter/FlateDecode/Length (\d+))>>\nstream\n", pdf)
    packet = zlib.decompress(pdf[found.end() : found.end() + int(found[2])])
    head = pdf[: found.start(1)] + b"/Length %d>>\nstream\n" % len(packet)
    return head + packet + pdf[found.end() + int(found[2]) :]


def rewritten(pdf):
    """Return the objects of a spoiled file with sound offsets."""
    parts = pdf[: pdf.rindex(b"xref\n0 ")]
    offsets = {}
    at = 0
    while (found := parts.find(b" 0 obj\n", at)) >= 0:
        begin = parts.rfind(b"\n", 0, found) + 1
        if parts[begin:found].isdigit():
            offsets.setdefault(int(parts[begin:found]), begin)
        at = found + 1
    size = max(offsets) + 1
    table = b"".join(b"%010d 00000 n \n" % offsets[number] for number in range(1, size))
    trailer = pdf[pdf.rindex(b"trailer\n") : pdf.rindex(b"startxref")]
    head = b"xref\n0 %d\n0000000000 65535 f \n" % size
    return parts + head + table + trailer + b"startxref\n%d\n%%%%EOF\n" % len(parts)


def painted(pdf, operators):
    """Return the document with more operators on its first page."""
    writer = PdfWriter(clone_from=io.BytesIO(pdf))
    page = writer.pages[0]
    stream = DecodedStreamObject()
    stream.set_data(page.get_contents().get_data() + b"\n" + operators)
    page[NameObject("/Contents")] = writer._add_object(stream)
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("operators", "text"),
    [
        (b"0 0 5 5 re f", "without a tag"),
        (b"/P <</MCID 900>> BDC EMC", "belongs to no element"),
        (b"/P <</MCID 901>> BDC /Artifact BMC EMC EMC", "artifact stands inside"),
        (b"/Artifact BMC /P <</MCID 902>> BDC EMC EMC", "tagged content stands inside"),
        (b"/Artifact BMC", "not closed"),
    ],
)
def test_content_outside_the_structure_is_found(permit, operators, text):
    """Whatever is painted without a tag, or tagged without an owner, is told."""
    assert any(text in finding.text for finding in examine(painted(permit, operators)))
    assert examine(painted(permit, b"/Artifact BMC 0 0 5 5 re f EMC")) == ()
