"""Running text on its pages: what stays together, what may stand under a seal, what is set as a heading."""

from __future__ import annotations

import pytest

from elicense.catalogue import Catalogue, templates_folder
from elicense.rendering.blocks import ParagraphsItem, TextBlock
from elicense.rendering.compiler import compile_template
from elicense.rendering.fill import fill
from elicense.rendering.flow import Strip, heading_font
from elicense.rendering.paginate import paginate
from elicense.wording import template_names
from tests.support.licences import CAPACITY, licence_of, seal_of, shipped_fonts

KIND = Catalogue.load(templates_folder())["approval-document"]
SENTENCE = "建设单位应当落实各项环境保护措施，确保污染物稳定达标排放，并按照规定公开环境信息，接受社会监督。"


def filled(**values):
    """Return the filled reply with other values."""
    return fill(compile_template(KIND, shipped_fonts(), seal_of(KIND, diameter=42), capacity=CAPACITY),
                licence_of(KIND, values=values))  # fmt: skip


def line_counts(document, field):
    """Return for each paragraph of a field how many lines it has on each of its pages."""
    counts = {}
    at = iter(document.plan.lines)
    for placement in document.plan.placements:
        lines, left = 0, placement.text.replace("\n", "")
        while left:
            text = next(at).text
            left, lines = left[len(text) :], lines + bool(text)
        for name in template_names(placement.template):
            if name.startswith(f"{field}."):
                counts.setdefault(name, []).append((placement.page, lines))
    return counts


@pytest.mark.parametrize("count", range(5, 17))
def test_no_line_of_a_paragraph_stands_alone(count):
    """However the pages fall, a divided paragraph has at least two lines on each of its pages."""
    document = filled(body=tuple(SENTENCE * (2 + number % 3) for number in range(count)))
    for name, parts in line_counts(document, "body").items():
        assert len(parts) == 1 or all(lines >= 2 for _, lines in parts), (name, parts)


@pytest.mark.parametrize("count", range(2, 14))
def test_an_attachment_list_alone_is_not_text_under_the_seal(count):
    """The page with the seal has two lines of the body; neither the addressee nor the list of attachments counts."""
    document = filled(body=(SENTENCE,) * count)
    on_page = sum(
        lines for parts in line_counts(document, "body").values()
        for page, lines in parts if page == document.plan.seal.page
    )  # fmt: skip
    assert on_page >= 2


def test_a_short_reply_leaves_text_on_its_first_page():
    """A reply whose seal does not fit below its only paragraph divides the paragraph rather than leave a bare title."""
    document = filled(body=(SENTENCE * 2,))
    (parts,) = line_counts(document, "body").values()
    assert [page for page, _ in parts] == [1, 2] == [1, document.plan.seal.page]
    addressee = next(entry for entry in document.plan.placements if "addressee" in entry.template)
    assert addressee.page == 1


def test_a_full_page_has_twenty_two_lines():
    """The type area of 225 mm holds the 22 lines that GB/T 9704 names."""
    document = filled(body=tuple(f"{SENTENCE}{SENTENCE}" for _ in range(20)))
    lines = [line for line in document.plan.lines if line.page == 2 and line.size == 16]
    assert len({line.y for line in lines}) == 22


def test_name_and_date_lie_below_the_seal_s_centre():
    """Both lines lie below the centre of the seal and within it, above the code at its foot."""
    document = filled()
    _, foot, _, height = document.plan.seal.rect
    for line in (line for line in document.plan.lines if line.under_seal):
        middle = line.y + 0.38 * line.size * 25.4 / 72
        assert foot + height * 0.2 < middle < foot + height / 2


def test_a_heading_goes_with_what_it_heads_across_space():
    """Space between a heading and the next strip does not part them."""
    heading, gap, line = Strip("text", 20, keep=True), Strip("space", 10), Strip("text", 20, body=True)
    pages = paginate([line, line, heading, gap, line], (100, 100), 0)
    assert [[placed.strip.kind for placed in page] for page in pages] == [["text"] * 3 + ["space", "text"]]
    pages = paginate([line, line, line, heading, gap, line], (100, 100), 0)
    assert [len(page) for page in pages] == [3, 3]


ITEM = ParagraphsItem(paragraphs="body", headings=({"pattern": "[一二三]+、", "font": "hei"},
                                                   {"pattern": "（[一二三]+）", "font": "kai"}))  # fmt: skip


@pytest.mark.parametrize(
    ("text", "font"),
    [("一、总体要求", "hei"), ("（二）监测", "kai"), ("一、项目位于园区。", None), ("三、重点做好以下工作：", None),
     ("总体要求", None), ("一、" + "很长" * 30, None)],
)  # fmt: skip
def test_a_heading_is_a_short_paragraph_without_a_stop(text, font):
    """What begins like a heading but is a sentence stays text."""
    assert heading_font(text, ITEM) == font


def test_a_heading_stands_with_its_paragraph():
    """A heading of the body is on the page of the first line of the paragraph below it."""
    document = filled(
        body=tuple(text for number in range(12) for text in (f"一、第{number}部分", SENTENCE * 2))
    )
    where = line_counts(document, "body")
    for number in range(1, 24, 2):
        assert where[f"body.{number}"][0][0] == where[f"body.{number + 1}"][0][0]


def test_a_value_beside_a_label_needs_the_label():
    """`valign: label` without a fixed label, and a pattern that cannot be read, are refused when the layout is read."""
    with pytest.raises(ValueError, match="valign: label"):
        TextBlock(text="{number}", rect=(0, 0, 10, 10), valign="label")
    with pytest.raises(ValueError, match="cannot be read"):
        ParagraphsItem(paragraphs="body", headings=({"pattern": "(", "font": "hei"},))
