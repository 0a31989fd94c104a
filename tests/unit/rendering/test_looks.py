"""The shipped pages under stress: whatever is printed is legible, covers nothing else, and clears preflight."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest

from elicense.catalogue import Catalogue, templates_folder
from elicense.errors import RenderingError
from elicense.preflight import clear
from elicense.rendering.compiler import compile_template
from elicense.rendering.fill import fill
from elicense.rendering.layout import load_layout
from tests.support.licences import CAPACITY, licence_of, seals_of, shipped_fonts
from tests.support.long_values import FULL, LONG, NAMES

CATALOGUE = Catalogue.load(templates_folder())
AUTHORITIES = ("样例市局", "样例省样例市样例高新技术产业开发区行政审批服务与数据管理局")
LEAST = 5.5
"""Points: the smallest type on any page."""

each_type = pytest.mark.parametrize("kind", CATALOGUE.types, ids=lambda kind: kind.slug)


def filled(kind, **otherwise):
    """Return the filled document, which has cleared preflight."""
    licence = licence_of(kind, **otherwise)
    document = fill(
        compile_template(kind, shipped_fonts(), *seals_of(kind, licence, diameter=42), capacity=CAPACITY),
        licence,
    )
    assert clear(document, licence, kind).redeem() is document
    return document


def ink(line):
    """Return the box that a line's characters take, mm; nearly all glyphs are lower than the em box."""
    em = line.size * 25.4 / 72
    return line.x, line.y - 0.1 * em, line.x + line.width, line.y + 0.82 * em


def check(document):
    """No line of text touches another, and none is too small to read."""
    lines = [line for line in document.plan.lines if line.text.strip()]
    assert min(line.size for line in lines) >= LEAST
    for first, second in combinations(lines, 2):
        if first.page != second.page:
            continue
        (a, b, c, d), (e, f, g, h) = ink(first), ink(second)
        across, up = min(c, g) - max(a, e), min(d, h) - max(b, f)
        assert across <= 0.05 or up <= 0.15, f"{first.text!r} and {second.text!r} overlap"


def whole(texts):
    """Return the characters on the page, in order, without breaks."""
    return "".join(texts).replace("\n", "")


@each_type
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_names_of_every_kind_and_length(kind, name):
    """A holder's name of 2 to 60 characters of any script is set in full."""
    (first, *_) = licence_of(kind).holders
    document = filled(kind, holders=(replace(first, name=name),))
    check(document)
    if kind.category == "licence":
        assert name in whole(line.text for line in document.plan.lines)


@each_type
@pytest.mark.parametrize("name", AUTHORITIES, ids=len)
def test_authorities_with_short_and_long_names(kind, name):
    """An authority's name of 4 to 30 characters is set in full, under the seal."""
    document = filled(kind, authority=replace(kind.sample_authority(), name=name))
    check(document)
    assert name in whole(line.text for line in document.plan.lines if line.under_seal)


@each_type
def test_every_field_at_its_longest(kind):
    """All values at the lengths the type allows stand on the page together."""
    assert len(LONG) <= 60
    document = filled(kind, values=FULL[kind.slug])
    check(document)


def test_a_long_approval_document_repeats_the_head_of_its_table():
    """More than ten pages: each page of the table begins with its column names."""
    document = filled(CATALOGUE["approval-document"], values=FULL["approval-document"])
    assert len(document.plan.pages) > 10
    rows = {entry.page for entry in document.plan.placements if entry.text == "10毫克／立方米"}
    heads = [entry for entry in document.plan.placements if entry.text == "限值"]
    assert [entry.page for entry in heads] == sorted(rows)
    assert len(rows) > 2


@pytest.mark.parametrize("slug", ["real-estate-certificate", "construction-planning-permit"])
def test_too_many_long_holders_are_refused_by_name(slug):
    """What cannot be read at any allowed size is refused, and the refusal names the field."""
    kind = CATALOGUE[slug]
    (first, *_) = licence_of(kind).holders
    with pytest.raises(RenderingError) as caught:
        filled(kind, holders=(replace(first, name=NAMES["sixty"]),) * kind.definition.max_holders)
    assert caught.value.field == "holders"


@pytest.mark.parametrize("slug", ["business-licence", "food-business-licence"])
@pytest.mark.parametrize("full", [False, True], ids=["sample", "full"])
def test_a_value_stands_on_the_line_of_its_label(slug, full):
    """The first line of each value that says so has its label's baseline, at whatever size."""
    kind = CATALOGUE[slug]
    document = filled(kind, values=FULL[slug] if full else {})
    beside = [
        block for page in load_layout(kind.folder / "layout.yaml").pages for block in page.blocks
        if getattr(block, "valign", None) == "label"
    ]  # fmt: skip
    assert len(beside) >= 8
    lines = (*document.plan.furniture.lines, *document.plan.lines)
    for block in beside:
        (label,) = [line for line in lines if line.box == block.label.rect]
        values = [line for line in lines if line.box == block.rect and line.text]
        assert values[0].y == pytest.approx(label.y, abs=0.01)


@each_type
def test_name_and_date_stand_below_the_seal_s_centre(kind):
    """Both lie across the last seal below its centre; under each other seal lies its authority's name alone."""
    document = filled(kind)
    *others, last = (document.plan.seal, *document.plan.further_seals)
    *names, name, date = [line for line in document.plan.lines if line.under_seal]
    for seal, lines in [*zip(others, [[line] for line in names], strict=True), (last, [name, date])]:
        x, y, width, height = seal.rect
        middles = [line.y + 0.38 * line.size * 25.4 / 72 for line in lines]
        assert y + height / 2 > middles[0] > middles[-1] - 1e-9 > y + height / 5
        for line in lines:
            assert line.x + line.width / 2 == pytest.approx(x + width / 2, abs=0.6)
