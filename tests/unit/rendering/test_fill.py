"""Filling: what a licence says stands on the page, in the index and in the metadata, and the same every time."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import date
from itertools import pairwise
from xml.etree import ElementTree as ET

import pypdfium2
import pytest
import yaml
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from elicense.catalogue.types import load_type
from elicense.decoding import read_licence_file
from elicense.errors import RenderingError
from elicense.model import Holder, Validity
from elicense.preflight import clear
from elicense.rendering.compiler import compile_template
from elicense.rendering.conformance import examine
from elicense.rendering.fill import fill
from elicense.rendering.typeset import cut, say
from elicense.verification.printed import read_content
from elicense.verification.structure import read_structure
from elicense.wording import Printer, printed
from tests.support.licences import (
    AT,
    CAPACITY,
    DOCUMENT_ID,
    TYPES,
    licence_of,
    seal_of,
    shipped_fonts,
    test_type,
)

PERMIT, REPLY = test_type("test-permit"), test_type("test-reply")
XMP = {"lic": "urn:elicense:gbt36903:1", "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
       "xmp": "http://ns.adobe.com/xap/1.0/", "dc": "http://purl.org/dc/elements/1.1/"}  # fmt: skip


def made(kind, **otherwise):
    """Return a licence of a test type and its unsigned document."""
    licence = licence_of(kind, **otherwise)
    compiled = compile_template(kind, shipped_fonts(), seal_of(kind), capacity=CAPACITY)
    return licence, fill(compiled, licence)


def texts(document):
    """Return template -> text of the index."""
    return {placement.template: placement.text for placement in document.plan.placements}


def page_text(document, number):
    """Return what another library reads on a page, without white space."""
    page = PdfReader(io.BytesIO(document.pdf)).pages[number - 1]
    return re.sub(r"\s", "", page.extract_text())


def paragraphs(count, length=90):
    """Return numbered paragraphs of a length."""
    return tuple(f"第{number}段" + "示例文字内容，" * (length // 7) for number in range(1, count + 1))


@pytest.mark.parametrize("kind", [PERMIT, REPLY], ids=lambda kind: kind.slug)
def test_the_same_licence_gives_the_same_bytes(kind):
    """Nothing depends on when or how often a licence is filled in."""
    assert made(kind)[1] == made(kind)[1]


@pytest.mark.parametrize("kind", [PERMIT, REPLY], ids=lambda kind: kind.slug)
def test_the_verifier_reads_the_grammar(kind):
    """Structure and printed data are as the verifier expects; only the signature itself is not there yet."""
    _, document = made(kind)
    structure = read_structure(document.pdf)
    assert {finding.reason for finding in structure.findings} == {"byte_range.empty"}
    content = read_content(document.pdf, structure, AT)
    assert content.error is None, content


@pytest.mark.parametrize("kind", [PERMIT, REPLY], ids=lambda kind: kind.slug)
def test_another_program_finds_the_file_sound(kind, tmp_path):
    """The program qpdf has nothing to say against the syntax."""
    qpdf = shutil.which("qpdf")
    if qpdf is None:
        pytest.skip("qpdf is not installed on this machine")
    path = tmp_path / "document.pdf"
    path.write_bytes(made(kind)[1].pdf)
    told = subprocess.run([qpdf, "--check", path], capture_output=True, text=True, check=False, timeout=60)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "WARNING" not in told.stdout + told.stderr


def test_the_slot_is_where_the_byte_range_says():
    """ByteRange covers all but the gap, and the gap is zeros between brackets."""
    _, document = made(PERMIT)
    start, gap, end, rest = document.slot.byte_range
    assert (start, end - gap, end + rest) == (0, 2 * CAPACITY + 2, len(document.pdf))
    assert document.pdf[gap:end] == b"<" + b"00" * CAPACITY + b">"
    assert document.pdf[:gap].endswith(b"/ByteRange [0 %010d %010d %010d]/Contents " % (gap, end, rest))


def test_the_signature_certifies_against_every_change():
    """The field is one widget with a certifying signature, reached from the catalogue's permissions."""
    _, document = made(PERMIT)
    root = PdfReader(io.BytesIO(document.pdf)).trailer["/Root"]
    (field,) = root["/AcroForm"]["/Fields"]
    signature = field.get_object()["/V"]
    assert signature == root["/Perms"]["/DocMDP"]
    assert signature["/SubFilter"] == "/ETSI.CAdES.detached"
    assert signature["/M"] == "D:20260308020506Z"
    assert signature["/Reference"][0].get_object()["/TransformParams"]["/P"] == 1
    assert field.get_object()["/Subtype"] == "/Widget"


def test_the_widget_has_the_seal_s_true_size():
    """A seal of 40 mm is 40 mm on the page, about the layout's centre."""
    _, document = made(PERMIT)
    assert document.plan.seal.page == 1
    assert document.plan.seal.rect == pytest.approx((140, 14.5, 40, 40))
    widget = PdfReader(io.BytesIO(document.pdf)).pages[0]["/Annots"][0].get_object()
    rect = [float(value) for value in widget["/Rect"]]
    assert rect == pytest.approx([value * 72 / 25.4 for value in (140, 14.5, 180, 54.5)], abs=0.01)


def test_the_file_names_its_licence():
    """/ID is the document id, licence.json is the licence and its index."""
    licence, document = made(PERMIT)
    reader = PdfReader(io.BytesIO(document.pdf))
    assert [bytes(part.original_bytes).hex() for part in reader.trailer["/ID"]] == [DOCUMENT_ID] * 2
    (attached,) = reader.attachments["licence.json"]
    assert attached == document.embedded
    assert read_licence_file(attached) == (licence, document.plan.placements)


def test_everything_the_index_names_is_on_its_page():
    """Another library reads each indexed text on the page it names."""
    _, document = made(REPLY)
    pages = {number: page_text(document, number) for number in range(1, len(document.plan.pages) + 1)}
    for placement in document.plan.placements:
        assert re.sub(r"\s", "", placement.text) in pages[placement.page], placement.template


def test_the_metadata_is_the_licence():
    """XMP holds the elements of GB/T 36903; its dates equal the claimed signing time; marks are escaped."""
    holders = (
        Holder("甲&乙<有限>公司", "001", "91990101MA05HJ014U"),
        Holder("李样例", "111", "990101198805120016"),
    )
    licence, document = made(PERMIT, holders=holders)
    packet = PdfReader(io.BytesIO(document.pdf)).trailer["/Root"]["/Metadata"].get_data()
    root = ET.fromstring(packet.decode("utf-8"))  # noqa: S314 - our own bytes
    assert root.findtext(".//lic:certificateNumber", namespaces=XMP) == licence.number
    assert root.findtext(".//lic:certificateIdentifier", namespaces=XMP) == str(licence.identifier)
    assert root.findtext(".//lic:certificateExpiringDate", namespaces=XMP) == "2031-03-07"
    names = root.findall(".//lic:certificateHolderName/rdf:Seq/rdf:li", XMP)
    assert [name.text for name in names] == ["甲&乙<有限>公司", "李样例"]
    kinds = root.findall(".//lic:certificateHolderTypeCode/rdf:Seq/rdf:li", XMP)
    assert [kind.text for kind in kinds] == ["001", "111"]
    dates = {root.findtext(f".//xmp:{name}Date", namespaces=XMP) for name in ("Create", "Modify", "Metadata")}
    assert dates == {"2026-03-08T02:05:06Z"}
    assert root.findtext(".//dc:title/rdf:Alt/rdf:li", namespaces=XMP) == f"测试许可证 {licence.number}"


def test_an_open_end_has_no_expiring_date():
    """A licence without end says nothing where the end would be."""
    _, document = made(PERMIT, validity=Validity(date(2026, 3, 8), None))
    packet = PdfReader(io.BytesIO(document.pdf)).trailer["/Root"]["/Metadata"].get_data()
    assert b"<lic:certificateEffectiveDate>" in packet
    assert b"<lic:certificateExpiringDate>" not in packet


def test_an_absent_value_prints_what_the_layout_says():
    """`empty` stands for a value that is absent and becomes part of the template; without it nothing is printed."""
    said = texts(made(PERMIT)[1])
    assert said["备注：无"] == "备注：无"
    assert "{remark}" not in said
    said = texts(made(PERMIT, values={"remark": "已核对"})[1])
    assert said["备注：{remark}"] == "备注：已核对"
    assert said["{remark}"] == "已核对"


def test_marks_and_templates_in_a_value_are_text():
    """Nothing in a value is read again, whatever it looks like."""
    tricky = "<img src=/etc/passwd> {{7*7}} {number} (\\) %s <0041> Tj"
    licence, document = made(PERMIT, values={"subject": tricky})
    assert texts(document)["{subject}"] == tricky
    assert clear(document, licence, PERMIT).redeem() is document


RARE = "𬱖𫍯𠮷㐀〇éΩ，——"


def test_characters_of_every_plane_extract():
    """Supplementary characters come out of the file as they went in, through another library."""
    _, document = made(PERMIT, values={"subject": RARE})
    assert RARE in page_text(document, 1)


def test_a_character_without_a_glyph_is_refused_by_name():
    """A character that no font covers refuses the licence and is named with its code point."""
    with pytest.raises(RenderingError, match="U\\+E000") as caught:
        made(PERMIT, values={"subject": "甲\ue000"})
    assert caught.value.field == "subject"


def test_a_long_value_shrinks_and_then_refuses():
    """A value shrinks down to its least size, never below."""
    _, document = made(PERMIT, values={"subject": "很长的事项名称" * 10})
    sizes = {line.size for line in document.plan.lines if line.text.startswith("很长")}
    assert 7 <= max(sizes) < 12
    with pytest.raises(RenderingError) as caught:
        made(PERMIT, values={"subject": "很长的事项名称" * 40})
    assert caught.value.field == "subject"


def test_odd_and_even_pages_differ():
    """A block for odd pages is on odd pages only."""
    _, document = made(PERMIT)
    second = {placement.template for placement in document.plan.placements if placement.page == 2}
    assert "偶数页 {number}" in second
    assert "奇数页 {number}" not in second


def test_page_numbers_are_no_running_text():
    """Page numbers are artifacts that still stand in the index."""
    _, document = made(PERMIT)
    numbers = [entry.text for entry in document.plan.placements if entry.template == "第{page}页共{pages}页"]
    assert numbers == ["第1页共2页", "第2页共2页"]
    content = PdfReader(io.BytesIO(document.pdf)).pages[0]["/Contents"][1].get_object().get_data()
    assert content.count(b"/Artifact <</MCID ") == 1


def test_a_label_and_its_value_are_one_element():
    """The value's element holds the label's content and its own; a label in another language says so."""
    _, document = made(PERMIT)
    tree = PdfReader(io.BytesIO(document.pdf)).trailer["/Root"]["/StructTreeRoot"]
    kids = [kid.get_object() for kid in tree["/K"]["/K"]]
    labelled = kids[2]
    assert labelled["/S"] == "/P"
    assert len(labelled["/K"]) == 2
    assert kids[1]["/Lang"] == "en"
    assert kids[3]["/K"][0].get_object()["/S"] == "/Span"
    assert kids[3]["/K"][0].get_object()["/Lang"] == "en"


def test_the_parcel_is_drawn_and_listed():
    """Each corner is named in the drawing and beside its coordinates, which are indexed."""
    _, document = made(PERMIT)
    said = texts(document)
    (drawing,) = [text for text in said if text.startswith("J1J2J3J4")]
    assert drawing.endswith("J1J2J3J4")
    assert said["{parcel}"].split("\n")[1] == "90.50　12.25"


def picture(document, page, scale=4.0):
    """Return a page as pixels, with its form fields."""
    opened = pypdfium2.PdfDocument(document.pdf)
    opened.init_forms()
    return opened[page - 1].render(scale=scale).to_pil().convert("RGB")


def test_the_page_shows_its_code_and_its_seal():
    """The QR code is read back; text under the seal is black, the seal beside it red."""
    licence, document = made(PERMIT)
    image = picture(document, 1)
    (code,) = zxingcpp.read_barcodes(image)
    assert code.text == f"{licence.verify_base}{licence.identifier}"
    scale = 4.0 * 72 / 25.4
    x, y, width, height = document.plan.seal.rect
    box = image.crop(tuple(round(value * scale) for value in (x, 148 - y - height, x + width, 148 - y)))
    raw = box.tobytes()
    pixels = list(zip(raw[::3], raw[1::3], raw[2::3], strict=True))
    assert sum(red > 200 and green < 60 and blue < 60 for red, green, blue in pixels) > len(pixels) // 25
    assert any(max(pixel) < 60 for pixel in pixels)


def test_a_straddle_seal_is_on_every_page():
    """Each page of several shows its strip at the edge, as an artifact."""
    _, document = made(REPLY, values={"body": paragraphs(20)})
    reader = PdfReader(io.BytesIO(document.pdf))
    assert len(reader.pages) > 3
    for page in reader.pages:
        content = page["/Contents"][1].get_object().get_data()
        assert re.search(rb"/Artifact BMC\nq [\d. ]+ re W n 1 0 0 1 [-\d. ]+ cm /Seal Do Q\nEMC", content)


@settings(max_examples=25, deadline=None)
@given(st.text(alphabet=RARE + "示例文字许可证A9 -《》（）、", min_size=1, max_size=60).filter(str.strip))
def test_any_text_passes_preflight_and_verification(text):
    """Whatever is entered is printed, indexed and found again."""
    licence, document = made(PERMIT, values={"subject": text})
    clear(document, licence, PERMIT)
    assert read_content(document.pdf, read_structure(document.pdf), AT).error is None


# --- Flows ---


@pytest.mark.parametrize("count", [1, 6, 11, 12, 13, 14, 30, 60])
def test_running_text_takes_the_pages_it_needs(count):
    """However long the text: everything is printed, sound, and clears preflight."""
    licence, document = made(REPLY, values={"body": paragraphs(count)})
    clear(document, licence, REPLY)
    structure = read_structure(document.pdf)
    assert {finding.reason for finding in structure.findings} == {"byte_range.empty"}
    assert read_content(document.pdf, structure, AT).error is None
    entries = document.plan.placements
    text = "".join(entry.text for entry in entries if entry.template.startswith("{body."))
    assert text == "".join(paragraphs(count))


def test_a_paragraph_cut_by_a_page_names_its_parts():
    """The parts of a divided paragraph follow one another without a gap, one on each page."""
    _, document = made(REPLY, values={"body": paragraphs(14)})
    parts = [placement for placement in document.plan.placements if "@" in placement.template]
    assert parts
    for first, second in pairwise(parts[:2]):
        ends = [
            tuple(map(int, re.search(r"@(\d+)-(\d+)", part.template).groups())) for part in (first, second)
        ]
        assert ends[0][0] == 1
        assert ends[1][0] == ends[0][1] + 1
        assert second.page == first.page + 1


@pytest.mark.parametrize("count", range(7, 14))
def test_a_sealed_page_bears_text(count):
    """At least two lines of the body stand above the signature, which lies within the seal, clear of the text."""
    _, document = made(REPLY, values={"body": paragraphs(count, 70)})
    seal = document.plan.seal
    on_page = [line for line in document.plan.lines if line.page == seal.page]
    body = [line for line in on_page if line.size == 16 and not line.under_seal and line.box[2] == 156]
    assert len([line for line in body if line.text.startswith(("第", "示例")) or "示例" in line.text]) >= 2
    signed = [line for line in on_page if line.under_seal]
    assert len(signed) == 2
    x, y, width, height = seal.rect
    middle = sum(line.y for line in signed) / 2 + 16 * 25.4 / 72 * 0.38
    assert y + height * 0.3 < middle < y + height / 2
    for line in signed:
        assert line.x + line.width / 2 == pytest.approx(x + width / 2, abs=0.1)
    lowest = min(line.y for line in body) - 0.12 * 16 * 25.4 / 72
    assert 0 < lowest - (y + height) < 10.5


def test_the_date_stands_four_characters_from_the_right():
    """The date's right edge is four characters in."""
    _, document = made(REPLY)
    (signed_on,) = [line for line in document.plan.lines if line.under_seal and line.text.startswith("2026")]
    assert signed_on.x + signed_on.width == pytest.approx(28 + 156 - 4 * 16 * 25.4 / 72, abs=0.05)


def test_a_long_name_stays_within_the_text():
    """A name wider than the date moves inwards, then shrinks, rather than leave the page."""
    for length in (12, 20, 27, 28, 35):
        name = ("样例市测试区自然资源和规划建设综合行政审批服务管理" * 2)[:length]
        authority = replace(REPLY.sample_authority(), name=name)
        _, document = made(REPLY, authority=authority)
        line = next(line for line in document.plan.lines if line.under_seal and line.text == name)
        assert line.x >= 28 - 0.05
        assert line.x + line.width <= 28 + 156 + 0.05


def test_the_foot_stands_on_the_last_page_of_the_flow():
    """The foot comes once, on the flow's last page, and no text of the flow reaches it."""
    for rows in (2, 20, 24, 25, 26, 60):
        limits = tuple((f"项目{number}", "1") for number in range(rows))
        _, document = made(REPLY, values={"limits": limits})
        (foot,) = [placement for placement in document.plan.placements if placement.text == "固定的一行"]
        assert foot.page == len(document.plan.pages) - 1
        above = [
            line.y for line in document.plan.lines if line.page == foot.page and line.text.startswith("项目")
        ]
        assert not above or min(above) > 53


def test_a_table_repeats_its_head_on_each_page():
    """The names of the columns are tagged once and set again, as an artifact, on each further page."""
    limits = tuple((f"项目{number}", "1") for number in range(90))
    _, document = made(REPLY, values={"limits": limits})
    heads = [placement.page for placement in document.plan.placements if placement.text == "数值"]
    entries = document.plan.placements
    rows = {entry.page for entry in entries if entry.text.startswith("项目") and entry.fields}
    assert heads == sorted(rows)
    assert document.pdf.count(b"/S/TH/") == 2


def test_a_heading_is_never_parted_from_what_follows():
    """A heading at the foot of a page goes along to the next."""
    _, document = made(REPLY, values={"attachments": None, "limits": (("噪声", "65分贝"),)})
    heading = next(placement for placement in document.plan.placements if placement.text == "附件")
    row = next(placement for placement in document.plan.placements if placement.text == "噪声")
    assert heading.page == row.page


def test_an_absent_list_is_left_out_and_a_single_entry_has_no_number():
    """No lead without entries; a number only where there are several."""
    said = [placement.text for placement in made(REPLY, values={"attachments": None})[1].plan.placements]
    assert "附件：" not in said
    said = [
        placement.text for placement in made(REPLY, values={"attachments": ("唯一附件",)})[1].plan.placements
    ]
    assert "附件：" in said
    assert "1. " not in said


def test_pages_behind_a_flow_keep_their_furniture():
    """A fixed page behind a flow is the last one, whatever the flow's length."""
    _, document = made(REPLY, values={"body": paragraphs(30)})
    count = len(document.plan.pages)
    assert "最后一页" in page_text(document, count)
    assert texts(document)["— {page}／{pages} —"] == f"— {count}／{count} —"


def test_a_seal_behind_a_flow_moves_with_its_page(tmp_path):
    """The seal on a fixed page behind a flow stays on that page, whatever number the page gets."""
    folder = tmp_path / "test-reply"
    shutil.copytree(TYPES / "test-reply", folder)
    layout = yaml.safe_load((folder / "layout.yaml").read_text("utf-8"))
    flow = layout["pages"][0]["blocks"][2]["flow"]
    flow["items"] = [item for item in flow["items"] if "signature" not in item]
    layout["pages"][2]["blocks"].append({"seal": True, "centre": [105, 100]})
    (folder / "layout.yaml").write_text(yaml.safe_dump(layout, allow_unicode=True), "utf-8")
    kind = load_type(folder)
    for count in (2, 30):
        licence, document = made(kind, values={"body": paragraphs(count)})
        assert document.plan.seal.page == len(document.plan.pages)
        clear(document, licence, kind)
        assert read_content(document.pdf, read_structure(document.pdf), AT).error is None
        assert examine(document.pdf) == ()


@given(st.integers(0, 30), st.integers(0, 30))
def test_a_cut_text_has_a_template_of_its_own(first, second):
    """Whatever stretch of a text is cut out, its template prints just that, braces and formats included."""
    licence = licence_of(PERMIT)
    printer = Printer(licence)
    said = say("{{甲}}于{since|date-zh}办理{subject}，形式{form}", printer, empty="", page=1, pages=1)
    span = (min(first, second, len(said.text)), min(max(first, second), len(said.text)))
    piece = cut(said, span, printer)
    assert piece.text == said.text[slice(*span)]
    assert printed(piece.template, licence) == piece.text


def test_a_piece_higher_than_a_page_is_refused():
    """A row that fits no page refuses the licence instead of running out of it."""
    with pytest.raises(RenderingError, match="page of its own"):
        made(REPLY, values={"limits": (("很长的内容" * 200, "1"),)})
