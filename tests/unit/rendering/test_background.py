"""The other route: a page drawn elsewhere, its form fields turned into places."""

from __future__ import annotations

import io
import shutil

import pytest
import yaml
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject, TextStringObject
from reportlab.lib.pagesizes import A5, landscape
from reportlab.pdfgen.canvas import Canvas

from elicense.catalogue.types import load_type
from elicense.errors import InvalidTemplate
from elicense.preflight import clear
from elicense.rendering.compiler import compile_template
from elicense.rendering.conformance import examine
from elicense.rendering.fill import fill
from elicense.verification.printed import read_content
from elicense.verification.structure import read_structure
from tests.support.licences import AT, CAPACITY, TYPES, licence_of, seal_of, shipped_fonts

FIELDS = {
    "holder.name": (60, 300, 200, 24), "number": (300, 300, 200, 24), "subject": (60, 250, 440, 30),
    "form": (60, 220, 100, 20), "entries": (60, 150, 100, 60), "since|date-zh": (200, 220, 120, 20),
    "authority.name": (360, 110, 200, 20), "issued_on|date-zh": (360, 85, 200, 20), "qr": (60, 40, 90, 90),
    "seal": (400, 50, 113, 113), "parcel": (200, 100, 120, 90),
}  # fmt: skip
UNDER = {"under_seal": True, "align": "center"}
CHOICE = {"places": {"authority.name": UNDER, "issued_on|date-zh": UNDER}}


def draw(size=None, pages=1, fields=None, drawing=None):
    """Return a page as an office program would export it: lines, a picture, and form fields."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=size or landscape(A5), invariant=1)
    for _ in range(pages):
        canvas.setStrokeColorRGB(0.6, 0.1, 0.1)
        canvas.rect(20, 20, 555, 380)
        if drawing:
            drawing(canvas)
        for name, (x, y, width, height) in (FIELDS if fields is None else fields).items():
            canvas.acroForm.textfield(name=name, x=x, y=y, width=width, height=height, borderWidth=0)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


@pytest.fixture
def make(tmp_path):
    """Return a type with a background of its own."""

    def made(pdf, layout=CHOICE):
        folder = tmp_path / "test-permit"
        shutil.copytree(TYPES / "test-permit", folder, dirs_exist_ok=True)
        content = yaml.safe_dump({"background": "background.pdf", **layout}, allow_unicode=True)
        (folder / "layout.yaml").write_text(content, "utf-8")
        (folder / "background.pdf").write_bytes(pdf)
        return load_type(folder)

    return made


def filled(kind):
    """Return a licence of the type and its document."""
    licence = licence_of(kind)
    return licence, fill(compile_template(kind, shipped_fonts(), seal_of(kind), capacity=CAPACITY), licence)


def test_form_fields_become_places(make):
    """Each field prints its template in its own box, and the result clears preflight and verification."""
    kind = make(draw())
    licence, document = filled(kind)
    clear(document, licence, kind)
    structure = read_structure(document.pdf)
    assert {finding.reason for finding in structure.findings} == {"byte_range.empty"}
    assert read_content(document.pdf, structure, AT).error is None
    said = {placement.template: placement for placement in document.plan.placements}
    assert said["{holder.name}"].text == "示例餐饮有限公司"
    assert said["{since|date-zh}"].text == "2026年1月5日"
    assert said["{number}"].rect == pytest.approx(
        [round(value * 25.4 / 72 * 100) for value in FIELDS["number"]], abs=2
    )
    assert document.plan.seal.rect[2:] == (40.0, 40.0)


def test_only_the_drawing_remains(make):
    """The old form, its fonts, actions, metadata and structure stay behind; the result claims PDF/A-3b alone."""
    writer = PdfWriter(clone_from=io.BytesIO(draw()))
    script = TextStringObject("app.alert(1)")
    action = DictionaryObject({NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): script})
    writer.root_object[NameObject("/OpenAction")] = writer._add_object(action)
    writer.add_metadata({"/Author": "somebody"})
    buffer = io.BytesIO()
    writer.write(buffer)
    _, document = filled(make(buffer.getvalue()))
    root = PdfReader(io.BytesIO(document.pdf)).trailer["/Root"]
    assert [field.get_object()["/T"] for field in root["/AcroForm"]["/Fields"]] == ["Seal"]
    assert not {"/StructTreeRoot", "/MarkInfo", "/OpenAction"} & set(root)
    for leftover in (b"JavaScript", b"Helvetica", b"somebody", b"app.alert"):
        assert leftover not in document.pdf
    packet = root["/Metadata"].get_data()
    assert b"<pdfaid:conformance>B</pdfaid:conformance>" in packet
    assert b"pdfuaid:part" not in packet
    assert b"somebody" not in packet
    assert examine(document.pdf) == ()


def test_the_same_background_gives_the_same_bytes(make):
    """Copying the drawing is reproducible."""
    assert filled(make(draw()))[1].pdf == filled(make(draw()))[1].pdf


def test_the_ground_of_a_field_is_dropped(make):
    """The plain rectangle an office program paints under a field does not hide what lies below."""

    def grounds(canvas):
        canvas.setFillColorRGB(1, 1, 1)
        for x, y, width, height in FIELDS.values():
            canvas.rect(x, y, width, height, stroke=0, fill=1)
        canvas.rect(30, 30, 5, 5, stroke=0, fill=1)

    kind = make(draw(drawing=grounds))
    _, document = filled(kind)
    form = PdfReader(io.BytesIO(document.pdf)).pages[0]["/Resources"]["/XObject"]["/Page"].get_data()
    assert form.count(b" re") == 2


def test_nested_field_names_are_joined(make):
    """A field below another is known by both names."""
    writer = PdfWriter(clone_from=io.BytesIO(draw()))
    for reference in writer.pages[0]["/Annots"]:
        widget = reference.get_object()
        if widget["/T"] == "holder.name":
            parent = writer._add_object(DictionaryObject({NameObject("/T"): TextStringObject("holder")}))
            widget[NameObject("/T")] = TextStringObject("name")
            widget[NameObject("/Parent")] = parent
    buffer = io.BytesIO()
    writer.write(buffer)
    _, document = filled(make(buffer.getvalue()))
    assert "{holder.name}" in {placement.template for placement in document.plan.placements}


def test_a_place_may_print_another_template(make):
    """A place's template stands before the field's name."""
    number = {"template": "编号 {number}", "size": 9}
    _, document = filled(make(draw(), {"places": {**CHOICE["places"], "number": number}}))
    assert "编号 {number}" in {placement.template for placement in document.plan.placements}


def spoiled(**catalogue):
    """Return a background with a stream of a forbidden kind."""
    writer = PdfWriter(clone_from=io.BytesIO(draw()))
    picture = DecodedStreamObject()
    picture.set_data(b"\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01")
    picture.update(
        {
            NameObject("/Type"): NameObject("/XObject"),
            NameObject("/Subtype"): NameObject("/Image"),
            NameObject("/Filter"): NameObject("/LZWDecode"),
        }
    )
    page = writer.pages[0]
    pictures = DictionaryObject({NameObject("/Im"): writer._add_object(picture)})
    page["/Resources"].get_object()[NameObject("/XObject")] = pictures
    stream = DecodedStreamObject()
    stream.set_data(page.get_contents().get_data() + b"\nq /Im Do Q")
    page[NameObject("/Contents")] = writer._add_object(stream)
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def locked():
    """Return a background with a password."""
    writer = PdfWriter(clone_from=io.BytesIO(draw()))
    writer.encrypt("secret", algorithm="AES-256")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


NO_SEAL = {name: rect for name, rect in FIELDS.items() if name != "seal"}
REFUSED = {
    "two pages": (lambda: draw(pages=2), CHOICE, "one page"),
    "no seal": (lambda: draw(fields=NO_SEAL), CHOICE, "named seal"),
    "another size": (lambda: draw(size=(300, 300)), CHOICE, "paper"),
    "an unknown place": (draw, {"places": {"nothing": {}}}, "no form field nothing"),
    "an unknown field": (lambda: draw(fields={**FIELDS, "nothing": (1, 1, 50, 20)}), CHOICE, "no field"),
    "a name that is no template": (
        lambda: draw(fields={**FIELDS, "a}b": (1, 1, 50, 20)}),
        CHOICE,
        "name or place",
    ),
    "a forbidden filter": (spoiled, CHOICE, "LZW"),
    "a password": (locked, CHOICE, "password"),
    "a font left out": (lambda: draw(drawing=lambda page: page.drawString(50, 50, "x")), CHOICE, "Helvetica"),
    "no PDF": (lambda: b"nothing of the kind", CHOICE, "cannot be read"),
}


@pytest.mark.parametrize(("pdf", "layout", "word"), REFUSED.values(), ids=REFUSED.keys())
def test_an_unusable_background_is_refused(make, pdf, layout, word):
    """The refusal names what is wrong with the drawing."""
    with pytest.raises(InvalidTemplate, match=word):
        filled(make(pdf(), layout))
