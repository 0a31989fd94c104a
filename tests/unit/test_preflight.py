"""Preflight: each check passes on a sound page and fails on the one defect made for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from elicense.encoding import encode_index, encode_licence_file
from elicense.errors import PreflightFailed
from elicense.model import FieldPlacement
from elicense.preflight import (
    ClearedDocument,
    Furniture,
    InspectedPages,
    PlacedLine,
    SealPlacement,
    SignatureSlot,
    clear,
    rehearse,
)
from elicense.rendering.compiler import compile_template
from elicense.rendering.fill import fill
from elicense.wording import Printer
from tests.support.licences import CAPACITY, licence_of, seal_of, shipped_fonts, test_type

PERMIT, REPLY = test_type("test-permit"), test_type("test-reply")


def made(kind, **otherwise):
    """Return a licence and its document."""
    licence = licence_of(kind, **otherwise)
    return licence, fill(compile_template(kind, shipped_fonts(), seal_of(kind), capacity=CAPACITY), licence)


@pytest.fixture(scope="module")
def permit():
    """A sound licence and document."""
    return made(PERMIT)


def failures(document, licence, kind=PERMIT):
    """Return the numbers of the checks that fail."""
    with pytest.raises(PreflightFailed) as caught:
        clear(document, licence, kind)
    assert caught.value.findings
    return {int(finding.split(".")[0]) for finding in caught.value.findings}


def planned(document, **changes):
    """Return the document with another plan."""
    return replace(document, plan=replace(document.plan, **changes))


@pytest.mark.parametrize("kind", [PERMIT, REPLY], ids=lambda kind: kind.slug)
def test_a_sound_document_is_cleared_once(kind):
    """Clearance hands the document out the first time and never again."""
    licence, document = made(kind)
    cleared = clear(document, licence, kind)
    assert cleared.licence is licence
    assert cleared.redeem() is document
    with pytest.raises(RuntimeError):
        cleared.redeem()


def test_nobody_else_clears(permit):
    """A ClearedDocument cannot be made by hand."""
    licence, document = permit
    with pytest.raises(TypeError):
        ClearedDocument(document, licence, _token=object())


def test_every_finding_is_told(permit):
    """The error carries all findings, its sentence the first of them."""
    licence, document = permit
    with pytest.raises(PreflightFailed) as caught:
        clear(planned(document, placements=(), seal=SealPlacement(9, (0, 0, 1, 1))), licence, PERMIT)
    numbers = {finding[0] for finding in caught.value.findings}
    assert {"2", "4", "5"} <= numbers
    assert f"(and {len(caught.value.findings) - 1} more)" in caught.value.en
    assert f"另有{len(caught.value.findings) - 1}处" in caught.value.zh


def test_inspected_pages_are_not_looked_at_again(permit):
    """What was rehearsed is cleared with the rehearsal's word for its pages; everything else is looked at."""
    licence, document = permit
    inspected = rehearse(document.plan, Printer(licence), PERMIT)
    assert clear(document, licence, PERMIT, inspected).redeem() is document
    with pytest.raises(PreflightFailed) as caught:
        clear(replace(document, embedded=b"{}"), licence, PERMIT, inspected)
    assert {finding[0] for finding in caught.value.findings} == {"4"}


def test_a_rehearsal_speaks_for_its_own_pages_only(permit):
    """The pages of another plan, licence or type are looked at, equal as they may be."""
    licence, document = permit
    inspected = rehearse(document.plan, Printer(licence), PERMIT)
    covered = planned(document, seal=SealPlacement(9, (0, 0, 1, 1)))
    with pytest.raises(PreflightFailed) as caught:
        clear(covered, licence, PERMIT, inspected)
    assert {finding[0] for finding in caught.value.findings} == {"5"}
    for equal in (
        (replace(document.plan), licence, PERMIT),
        (document.plan, replace(licence), PERMIT),
        (document.plan, licence, replace(PERMIT)),
    ):
        assert not inspected.of(*equal)
    assert inspected.of(document.plan, licence, PERMIT)


def test_nobody_else_inspects(permit):
    """InspectedPages cannot be made by hand."""
    licence, document = permit
    with pytest.raises(TypeError):
        InspectedPages(document.plan, licence, PERMIT, _token=object())


# 1


def test_1_a_page_of_another_licence_is_refused(permit):
    """The page of one licence is not cleared for another."""
    _, document = permit
    assert {1, 4} <= failures(document, licence_of(PERMIT, sequence=2))


def with_placement(document, index, **changes):
    """Return the document with one placement changed."""
    placements = list(document.plan.placements)
    placements[index] = placements[index]._replace(**changes)
    return planned(document, placements=tuple(placements))


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "别的"},
        {"template": "{number}"},
        {"fields": ("number",)},
        {"page": 9},
        {"template": "{nonsense"},
        {"template": "{subject|date-zh}"},
    ],
)
def test_1_a_text_that_is_not_the_licence_s_is_refused(permit, changes):
    """Text, template, names and page of a placement all have to fit the licence."""
    licence, document = permit
    index = next(
        i for i, placement in enumerate(document.plan.placements) if placement.template == "{subject}"
    )
    assert 1 in failures(with_placement(document, index, **changes), licence)


def test_1_two_placements_in_one_place_are_refused(permit):
    """Page and identifier name one placement."""
    licence, document = permit
    assert 1 in failures(with_placement(document, 1, mcid=document.plan.placements[0].mcid), licence)


@pytest.mark.parametrize(
    "change", [lambda text: text[:-1], lambda text: text + "甲", lambda text: "甲" + text[1:]]
)
def test_1_lines_that_lose_or_change_characters_are_refused(permit, change):
    """The lines hold exactly the characters of the placements."""
    licence, document = permit
    lines = list(document.plan.lines)
    lines[0] = lines[0]._replace(text=change(lines[0].text))
    assert 1 in failures(planned(document, lines=tuple(lines)), licence)


# 2


def test_2_a_field_that_stands_nowhere_is_refused(permit):
    """A printed field of the licence has to be on a page."""
    licence, document = permit
    left = tuple(placement for placement in document.plan.placements if "subject" not in placement.fields)
    assert 2 in failures(planned(document, placements=left), licence)


def test_2_an_entry_that_stands_nowhere_is_refused():
    """Every entry of a list and every cell of a table has to be on a page."""
    licence, document = made(REPLY)
    for name in ("body.2", "limits.1.2", "attachments.2"):
        left = tuple(placement for placement in document.plan.placements if name not in placement.fields)
        assert 2 in failures(planned(document, placements=left), licence, REPLY)


def test_2_a_missing_part_of_a_divided_text_is_refused():
    """The parts of a paragraph that page breaks cut are complete."""
    body = tuple(f"第{number}段" + "示例文字内容，" * 14 for number in range(14))
    licence, document = made(REPLY, values={"body": body})
    clear(document, licence, REPLY)
    parts = [placement for placement in document.plan.placements if "@" in placement.template]
    for part in parts[:2]:
        left = tuple(placement for placement in document.plan.placements if placement is not part)
        assert 2 in failures(planned(document, placements=left), licence, REPLY)


def test_2_a_field_that_is_embedded_only_need_not_stand_anywhere(permit):
    """`print: false` is respected: the hidden field is in the licence and on no page."""
    licence, document = permit
    assert licence.fields["hidden"]
    assert all("hidden" not in placement.fields for placement in document.plan.placements)


# 3


@pytest.mark.parametrize(
    "changes",
    [
        {"x": 1.0},
        {"width": 500.0},
        {"y": 1.0},
        {"y": 147.0},
        {"size": 80.0},
        {"box": (300.0, 10.0, 20.0, 5.0)},
        {"width": 0.0},
        {"page": 7},
    ],
)
def test_3_a_line_outside_its_box_is_refused(permit, changes):
    """No line leaves its box, no box its page, and no line with characters is without width."""
    licence, document = permit
    index = next(i for i, line in enumerate(document.plan.lines) if line.text == "示例事项")
    lines = list(document.plan.lines)
    lines[index] = lines[index]._replace(**changes)
    assert 3 in failures(planned(document, lines=tuple(lines)), licence)


# 4


def test_4_other_embedded_data_is_refused(permit):
    """licence.json is this licence with this index, in the file, once."""
    licence, document = permit
    other = encode_licence_file(licence_of(PERMIT, sequence=2), encode_index(document.plan.placements))
    assert failures(replace(document, embedded=other), licence) == {4}
    assert failures(replace(document, embedded=b"{}"), licence) == {4}
    index = encode_licence_file(licence, encode_index(document.plan.placements[:-1]))
    assert failures(replace(document, embedded=index), licence) == {4}


def test_4_a_file_that_does_not_hold_the_data_is_refused(permit):
    """What is said to be embedded has to be in the bytes."""
    licence, document = permit
    begin, length = document.pdf.index(document.embedded), len(document.embedded)
    for at in (begin, begin + 20, begin + length // 2, begin + length - 1):
        wrong = document.pdf[:at] + b"#" + document.pdf[at + 1 :]
        assert failures(replace(document, pdf=wrong), licence) == {4}


@pytest.mark.parametrize("changes", [{"rect": (1, 2, 3, 4)}, {"mcid": 999}])
def test_4_an_index_that_names_other_places_is_refused(permit, changes):
    """Box and identifier of each entry are those of the plan, whether its pages were looked at before or not."""
    licence, document = permit
    inspected = rehearse(document.plan, Printer(licence), PERMIT)
    for index in range(len(document.plan.placements)):
        wrong = with_placement(document, index, **changes)
        assert failures(wrong, licence) == {4}
        assert failures(replace(wrong, plan=document.plan, embedded=encode(wrong, licence)), licence) == {4}
        with pytest.raises(PreflightFailed):
            clear(wrong, licence, PERMIT, inspected)


def encode(document, licence):
    """Return the licence.json that the document's plan stands for."""
    return encode_licence_file(licence, encode_index(document.plan.placements))


# 5


def test_5_a_seal_beyond_its_page_is_refused(permit):
    """The seal stays inside its page."""
    licence, document = permit
    for place in (SealPlacement(1, (190.0, 14.0, 40.0, 40.0)), SealPlacement(3, (10.0, 10.0, 5.0, 5.0))):
        assert 5 in failures(planned(document, seal=place), licence)


def test_5_other_text_under_the_seal_is_refused(permit):
    """Only the authority's name and the date may lie under the seal, furniture included."""
    licence, document = permit
    moved = SealPlacement(1, (20.0, 70.0, 40.0, 40.0))
    assert failures(planned(document, seal=moved), licence) == {5}
    x, y, width, _ = document.plan.seal.rect
    box = (x, y + 10, width, 8.0)
    line = PlacedLine("固定文字", 1, x + 2, y + 12, 20.0, 10.0, box)
    allowed = line._replace(under_seal=True)
    assert failures(planned(document, lines=(*document.plan.lines, line)), licence) == {5}
    clear(planned(document, lines=(*document.plan.lines, allowed)), licence, PERMIT)
    assert failures(planned(document, furniture=Furniture((line,))), licence) == {5}
    clear(planned(document, furniture=Furniture((allowed,))), licence, PERMIT)


def test_3_furniture_outside_its_box_is_refused(permit):
    """What is always printed is looked at like all else, and for each page size anew."""
    licence, document = permit
    line = PlacedLine("固定文字", 0, 12.0, 12.0, 20.0, 10.0, (10.0, 10.0, 30.0, 8.0))
    furniture = Furniture((line,))
    clear(planned(document, furniture=furniture), licence, PERMIT)
    assert failures(planned(document, furniture=Furniture((line._replace(x=5.0),))), licence) == {3}
    assert 3 in failures(
        planned(document, furniture=furniture, pages=((20.0, 148.0), *document.plan.pages[1:])), licence
    )


# 6


def test_6_a_slot_that_is_not_the_gap_is_refused(permit):
    """Byte range, capacity and gap belong together."""
    licence, document = permit
    start, gap, end, rest = document.slot.byte_range
    wrong = (
        (1, gap, end, rest),
        (start, gap + 1, end, rest),
        (start, gap, end - 2, rest),
        (start, gap, end, rest - 1),
    )
    for byte_range in wrong:
        assert failures(replace(document, slot=SignatureSlot(byte_range, CAPACITY)), licence) == {6}
    assert failures(
        replace(document, slot=SignatureSlot(document.slot.byte_range, CAPACITY - 1)), licence
    ) == {6}


def test_6_a_gap_that_is_not_empty_is_refused(permit):
    """Nothing stands in the gap yet."""
    licence, document = permit
    gap = document.slot.byte_range[1]
    assert failures(
        replace(document, pdf=document.pdf[: gap + 1] + b"3" + document.pdf[gap + 2 :]), licence
    ) == {6}


def test_6_bytes_behind_the_end_are_refused(permit):
    """The byte range covers the file to its last byte, which ends it."""
    licence, document = permit
    assert failures(replace(document, pdf=document.pdf + b"\n"), licence) == {6}
    assert failures(replace(document, pdf=document.pdf[:-1] + b" "), licence) == {6}


def test_placements_are_what_the_index_holds(permit):
    """The plan's placements are the very entries of the embedded index."""
    _, document = permit
    assert all(isinstance(placement, FieldPlacement) for placement in document.plan.placements)
    assert b'"template":"{subject}"' in document.embedded
