"""Compiling: furniture drawn once, as constant bytes at known offsets."""

from __future__ import annotations

import re
import shutil
import zlib

import pytest
import yaml

from elicense.catalogue.types import load_type
from elicense.errors import InvalidTemplate, RenderingError, SealError
from elicense.rendering import compiler, deflate
from elicense.rendering.art import Drawing, draw
from elicense.rendering.blocks import Border, Box, Emblem, Line, Pattern
from elicense.rendering.compiler import compile_template
from elicense.rendering.fill import engine_version, fill
from elicense.rendering.fonts import FontLibrary
from elicense.rendering.metadata import srgb_profile
from elicense.rendering.objects import Body, num, text_string
from elicense.seal.model import SealShape
from tests.support.licences import CAPACITY, TYPES, licence_of, seal_of, shipped_fonts, test_type

BLOCKS = [{"text": "甲", "rect": [10, 10, 20, 5]}, {"seal": True, "centre": [100, 70]}]


@pytest.fixture(scope="module")
def permit():
    """A compiled layout of fixed pages."""
    return compiled(test_type("test-permit"))


@pytest.fixture
def make(tmp_path):
    """Return a type with a layout of its own."""

    def made(layout, name="test-permit"):
        folder = tmp_path / name
        shutil.copytree(TYPES / name, folder)
        (folder / "layout.yaml").write_text(yaml.safe_dump(layout, allow_unicode=True), "utf-8")
        return load_type(folder)

    return made


def compiled(licence_type, **seal):
    """Return the compiled template of a type."""
    return compile_template(licence_type, shipped_fonts(), seal_of(licence_type, **seal), capacity=CAPACITY)


def test_a_template_is_compiled_once(permit):
    """The same type, fonts, seal and capacity give the very same object; anything else another."""
    kind = test_type("test-permit")
    assert compiled(kind) is permit
    assert compiled(kind, diameter=38.0) is not permit
    assert compile_template(kind, shipped_fonts(), seal_of(kind), capacity=CAPACITY + 1) is not permit


def test_files_that_changed_since_they_were_read_are_never_mixed(make):
    """What is ready stays as it was read; what is not is refused until the type is read again, which is another one."""
    kind = make({"pages": [{"id": "front", "blocks": BLOCKS}]})
    ready = compiled(kind)
    layout = kind.folder / "layout.yaml"
    layout.write_text(layout.read_text("utf-8").replace("甲", "乙"), "utf-8")
    assert compiled(kind) is ready
    with pytest.raises(InvalidTemplate, match="changed since they were read"):
        compiled(kind, diameter=38.0)
    assert compiled(load_type(kind.folder)) is not ready


def test_every_object_of_the_prefix_lies_where_the_template_says(permit):
    """The offsets are those of the objects' own numbers."""
    offsets = [int(line[:10]) for line in permit.static_lines.split(b"\n")[:-1]]
    numbers = range(permit.first_static, permit.next_number)
    numbered = dict(zip(numbers, offsets, strict=True)) | dict(permit.low_offsets)
    assert len(numbered) == permit.prefix.count(b" 0 obj\n")
    for number, offset in numbered.items():
        assert permit.prefix.startswith(b"%d 0 obj\n" % number, offset)


def test_the_prefix_begins_every_document(permit):
    """Two licences of one type share all constant bytes."""
    kind = test_type("test-permit")
    first, second = fill(permit, licence_of(kind)), fill(permit, licence_of(kind, sequence=2))
    assert first.pdf.startswith(permit.prefix)
    assert second.pdf.startswith(permit.prefix)
    assert first.pdf != second.pdf


def test_compiling_again_gives_the_same_bytes(permit, monkeypatch):
    """Nothing in the prefix depends on the moment, the process or the order of things before."""
    monkeypatch.setattr(compiler, "_SHELF", compiler._Shelf())
    kind = test_type("test-permit")
    fonts = FontLibrary.load(TYPES.parents[3] / "templates" / "fonts")
    again = compile_template(kind, fonts, seal_of(kind), capacity=CAPACITY)
    assert again is not permit
    assert again.prefix == permit.prefix
    assert fill(again, licence_of(kind)).pdf == fill(permit, licence_of(kind)).pdf


def test_the_shelf_keeps_the_templates_used_last(monkeypatch):
    """The least recently used template goes first."""
    monkeypatch.setattr(compiler, "KEPT", 2)
    shelf = compiler._Shelf()
    made = []
    for key in ("a", "b", "a", "c", "a", "b"):
        shelf.get((key,), lambda key=key: made.append(key))
    assert made == ["a", "b", "c", "b"]


def test_the_engine_version_names_what_shapes_the_bytes():
    """Fonts, compression and this package's own edition are part of it."""
    told = engine_version(shipped_fonts())
    assert told.startswith("elicense ")
    assert f"; {deflate.engine()}; " in told
    assert shipped_fonts().engine in told


def test_the_colour_profile_is_the_same_everywhere():
    """The sRGB profile carries a fixed date and no platform."""
    profile = srgb_profile()
    assert profile[36:40] == b"acsp"
    assert profile[16:20] == b"RGB "
    assert profile[24:36].hex() == "07e800010001000000000000"
    assert profile[40:44] == bytes(4)


def test_a_seal_beyond_its_page_is_refused(make):
    """A seal that leaves the page is an error of the template, found when it is compiled."""
    with pytest.raises(SealError):
        compiled(make({"pages": [{"id": "front", "blocks": [{"seal": True, "centre": [5, 5]}]}]}))


def test_furniture_that_does_not_fit_is_refused(make):
    """A fixed text too long for its box is an error of the template."""
    wide = {"text": "甲" * 40, "rect": [10, 10, 20, 5]}
    with pytest.raises(RenderingError):
        compiled(make({"pages": [{"id": "front", "blocks": [wide, BLOCKS[1]]}]}))


def test_an_unknown_name_is_refused_before_anything_is_drawn(make):
    """A layout that draws on a field the type lacks does not compile."""
    with pytest.raises(InvalidTemplate, match="no field"):
        compiled(
            make({"pages": [{"id": "front", "blocks": [{**BLOCKS[0], "text": "{unknown}"}, BLOCKS[1]]}]})
        )


def test_literal_braces_of_the_furniture_are_printed_once(make):
    """`{{` in a fixed text is one brace on the page."""
    kind = make({"pages": [{"id": "front", "blocks": [{**BLOCKS[0], "text": "{{7}}"}, BLOCKS[1]]}]})
    (line,) = compiled(kind).pages[0].lines
    assert line.text == "{7}"


@pytest.mark.parametrize("shape", list(SealShape))
def test_every_shape_of_seal_is_an_appearance_that_multiplies(make, shape):
    """Black text stays black under the seal, whatever its shape."""
    prefix = compiled(make({"pages": [{"id": "front", "blocks": BLOCKS}]}), shape=shape, diameter=30.0).prefix
    assert prefix.count(b"/BM/Multiply") == 1


ART = {
    "ornate": Border(kind="border", rect=(8, 8, 281, 194), style="ornate", colour="#a8874a"),
    "double": Border(kind="border", rect=(8, 8, 100, 50), style="double"),
    "simple": Border(kind="border", rect=(8, 8, 100, 50)),
    "pattern": Pattern(kind="pattern", rect=(12, 12, 273, 186)),
    "line": Line.model_validate({"kind": "line", "from": [1, 2], "to": [3, 4]}),
    "rect": Box(kind="rect", rect=(1, 2, 3, 4), stroke="#ff0000", fill="#00ff00"),
    "unseen rect": Box(kind="rect", rect=(1, 2, 3, 4)),
    "emblem": Emblem(kind="emblem", centre=(100, 100), diameter=20),
}


@pytest.mark.parametrize("piece", ART.values(), ids=ART.keys())
def test_art_is_an_artifact_and_leaves_no_trace(piece):
    """What is drawn is marked as an artifact, and the graphics state is as before."""
    drawing = Drawing()
    draw((piece,), drawing)
    tokens = drawing.content().split()
    assert tokens[:2] == ["/Artifact", "BMC"]
    assert tokens[-1] == "EMC"
    assert tokens.count("q") == tokens.count("Q")
    assert set(re.findall(r"/(A\d+) Do", drawing.content())) == set(drawing.forms)
    assert len(drawing.content()) + sum(map(len, drawing.forms.values())) < 40_000


def test_equal_ornaments_are_drawn_once():
    """Two pages with the same frame share its forms."""
    drawing = Drawing()
    draw((ART["ornate"],), drawing)
    count = len(drawing.forms)
    draw((ART["ornate"],), Drawing(forms=drawing.forms))
    assert len(drawing.forms) == count


def test_the_tiles_of_a_frame_fill_each_side_exactly():
    """A side's repeats are stretched to its length, so the braid meets the corners."""
    drawing = Drawing()
    draw((Border(kind="border", rect=(0, 0, 100, 60), style="ornate"),), drawing)
    sides = re.findall(
        r"q (\S+) (\S+) \S+ \S+ \S+ \S+ cm\n((?:/A0 Do|1 0 0 1 \S+ 0 cm|\n)+)Q", drawing.content()
    )
    lengths = [max(abs(float(a)), abs(float(b))) * repeats.count("Do") * 9.0 for a, b, repeats in sides]
    assert lengths == pytest.approx([100 - 17, 100 - 17, 60 - 17, 60 - 17], abs=0.1)


def test_an_object_is_written_once():
    """Writing a number twice is a programmer's mistake."""
    body = Body(0)
    body.add(1, "null")
    with pytest.raises(RuntimeError):
        body.add(1, "null")


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (-0.0001, "0"), (1.5, "1.5"), (100.0, "100"), (2.3456, "2.346")]
)
def test_numbers_are_short(value, text):
    """Numbers have no needless digits and no minus zero."""
    assert num(value) == text


@pytest.mark.parametrize("text", ["plain", "a(b)\\c", "中文", "𬱖", "tab\t"])
def test_text_strings_hold_any_text(text):
    """A text string reads back as what was put in."""
    written = text_string(text)
    if written.startswith(b"<"):
        assert bytes.fromhex(written[5:-1].decode()).decode("utf-16-be") == text
    else:
        assert re.sub(rb"\\(.)", rb"\1", written[1:-1]).decode() == text


def test_static_content_is_compressed_with_a_fixed_level(permit):
    """Every compressed stream of the prefix inflates."""
    streams = re.findall(rb"/Filter/FlateDecode/Length (\d+)>>\nstream\n", permit.prefix)
    starts = [
        match.end() for match in re.finditer(rb"/Filter/FlateDecode/Length \d+>>\nstream\n", permit.prefix)
    ]
    assert starts
    for start, length in zip(starts, streams, strict=True):
        assert zlib.decompress(permit.prefix[start : start + int(length)])
