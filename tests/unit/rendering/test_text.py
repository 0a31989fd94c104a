"""Where lines break, how they are aligned, when a text shrinks and when it is refused."""

import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elicense.errors import InvalidTemplate, RenderingError
from elicense.rendering import text as setting
from elicense.rendering.fonts import FontLibrary
from elicense.rendering.text import box, break_lines

FONTS = FontLibrary.load(Path(__file__).parents[3] / "templates" / "fonts")
CHARACTERS = "字证示例市，。（）《》“”！—…ab12 A-/.,)(\u3000"


def fit(text, fonts, role, **style):
    """Return `text` set in a box."""
    return box(fonts, role, **style).fit(text)


def lines_of(text, width_in_characters, **more):
    """Return the texts of the lines of `text` at 10 points."""
    lines = break_lines(text, FONTS, "song", width=10 * width_in_characters, size=10, **more)
    return [line.text for line in lines]


def right_end(line, size):
    """Return where the ink of a line's last segment ends, points."""
    segment = line.segments[-1]
    ink = segment.text.rstrip(" \u3000")
    return segment.x + FONTS.measure(ink, "song") * size / 1000 + segment.spacing * (len(ink) - 1)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("一二三四五六七八", ["一二三四五", "六七八"]),
        ("一二三四五。六", ["一二三四", "五。六"]),
        ("一二三四（五）", ["一二三四", "（五）"]),
        ("一二三四“五六”", ["一二三四", "“五六”"]),
        ("一二三四》》五", ["一二三", "四》》五"]),
        ("一二三四——五", ["一二三四", "——五"]),
        ("一二三四……五", ["一二三四", "……五"]),
        ("约翰史密斯·布朗", ["约翰史密", "斯·布朗"]),
        ("罚款三百￥300元", ["罚款三百", "￥300元"]),
        ("增长百分50%以上", ["增长百分", "50%以上"]),
        ("一二 abc defg 三", ["一二 abc ", "defg 三"]),
        ("一二三四五     六", ["一二三四五     ", "六"]),
        ("一二\n三四五六七八", ["一二", "三四五六七", "八"]),
        ("一\n\n二", ["一", "", "二"]),
        ("一二三Registration号", ["一二三Reg", "istration", "号"]),
        ("一二三Regist号", ["一二三", "Regist号"]),
        ("一二三四五\u00a0六七", ["一二三四", "五\u00a0六七"]),
    ],
)
def test_lines_break_by_the_rules(text, lines):
    """Marks stay with their text, words stay whole where a line can hold them, all characters are kept."""
    assert lines_of(text, 5) == lines


def test_empty_text_has_no_lines():
    """Nothing to print gives no line and no refusal."""
    assert break_lines("", FONTS, "song", width=1, size=10) == ()
    assert fit("", FONTS, "song", width=1, height=1, size=10).lines == ()


@settings(max_examples=300, deadline=None)
@given(
    st.text(alphabet=CHARACTERS + "\n", max_size=80),
    st.floats(2, 30),
    st.sampled_from([0.0, 2.0]),
    st.sampled_from([0.0, 0.5]),
    st.sampled_from(["left", "center", "right", "justify", "spread"]),
)
def test_no_character_is_lost_and_no_line_is_too_wide(text, width, indent, spacing, align):
    """Lines joined are the text without line feeds; ink stays inside the box, in every alignment."""
    width = max(width, indent + 1.2) * 10
    style = {"indent": indent, "spacing": spacing, "align": align}
    lines = break_lines(text, FONTS, "song", width=width, size=10, **style)
    assert "".join(line.text for line in lines) == text.replace("\n", "")
    for line in lines:
        assert "".join(segment.text for segment in line.segments) == line.text
        if line.text.strip(" \u3000"):
            assert line.x >= -0.001
            assert right_end(line, 10) <= width + 0.02
            assert right_end(line, 10) == pytest.approx(line.x + line.width, abs=0.02)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=CHARACTERS, max_size=80), st.integers(2, 12))
def test_forbidden_breaks_happen_only_without_an_alternative(text, width):
    """A line ends against the rules only if it has no allowed place, or what begins there fits no line."""
    lines = lines_of(text, width)
    for row, (line, following) in enumerate(pairwise(lines)):
        if not may_break(line[-1], following[0]):
            places = [at for at in range(1, len(line)) if may_break(line[at - 1], line[at])]
            rest = "".join(lines[row:])[places[-1] if places else 0 :]
            assert not places or FONTS.measure(whole_word(rest), "song") > width * 1000


def may_break(left, right):
    """Tell whether a line may end between two characters."""
    return setting._may_break(left, right)


def whole_word(text):
    """Return the beginning of `text` that must stay together."""
    end = next((at for at in range(1, len(text)) if may_break(text[at - 1], text[at])), len(text))
    return text[:end].rstrip(" \u3000")


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=CHARACTERS, max_size=60), st.integers(2, 12))
def test_lines_are_filled(text, width):
    """The word that begins a line would not have fitted on the line before."""
    lines = lines_of(text, width)
    for row in range(len(lines) - 1):
        word = whole_word("".join(lines[row + 1 :]))
        assert FONTS.measure(lines[row] + word, "song") > width * 1000 or not may_break(
            lines[row][-1], lines[row + 1][0]
        )


def test_text_shrinks_by_quarter_points_to_the_largest_size_that_fits():
    """Twenty characters shrink from 12 to 10 points in a box of 200 points, one quarter point at a time."""
    fitted = fit("字" * 20, FONTS, "song", width=200, height=13, size=12, min_size=8)
    assert fitted.size == 10
    assert len(fitted.lines) == 1


def test_smallest_size_is_tried_even_between_steps():
    """A bound that is no whole number of steps below the size is still reached."""
    assert fit("字" * 10, FONTS, "song", width=81, height=12, size=10, min_size=8.1).size == 8.1


def test_without_a_bound_nothing_shrinks():
    """A text that is one character too long is refused when no smaller size is allowed."""
    with pytest.raises(RenderingError) as refused:
        fit("字" * 11, FONTS, "song", width=100, height=12, size=10, field="scope")
    assert refused.value.field == "scope"
    assert "1 characters too long" in refused.value.en
    assert "1 个字符" in refused.value.zh


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=CHARACTERS.replace(" ", "").replace("\u3000", ""), min_size=1, max_size=120))
def test_refusal_says_exactly_how_much_to_cut(text):
    """Cutting off the stated number of characters makes the text fit."""
    box = {"width": 80, "height": 30, "size": 12, "min_size": 10}
    try:
        fit(text, FONTS, "song", **box)
    except RenderingError as refused:
        over = int(refused.en.split(" characters")[0].split()[-1])
        assert 0 < over < len(text)
        assert fit(text[:-over], FONTS, "song", **box).lines


def test_box_smaller_than_a_character_is_refused():
    """A box too low or too narrow for one character says so."""
    for small in ({"width": 100, "height": 5}, {"width": 5, "height": 100}):
        with pytest.raises(RenderingError, match="too small for a character of 10 pt"):
            fit("字字", FONTS, "song", size=10, **small)


def test_uncovered_character_is_refused_with_the_field():
    """Fitting refuses what no font can print, naming the field."""
    with pytest.raises(RenderingError, match=r"U\+30EDD") as refused:
        fit("\U00030edd", FONTS, "song", width=100, height=20, size=10, field="operator_name")
    assert refused.value.field == "operator_name"


def test_unknown_role_is_refused():
    """A role without fonts is the template's error."""
    with pytest.raises(InvalidTemplate):
        fit("字", FONTS, "comic", width=100, height=20, size=10)


@pytest.mark.parametrize(("align", "x"), [("left", 0), ("center", 35), ("right", 70)])
def test_short_line_stands_where_it_is_told(align, x):
    """Three characters of 10 points in 100 points, spaces at the end not counted."""
    (line,) = fit("许可证 ", FONTS, "song", width=100, height=20, size=10, align=align).lines
    assert (line.x, line.width, line.text) == (x, 30, "许可证 ")


@pytest.mark.parametrize(("valign", "first"), [("top", 91.2), ("middle", 52.95), ("bottom", 14.7)])
def test_block_stands_where_it_is_told(valign, first):
    """The em boxes of two lines of 10 points, 13.5 apart, stand at the top, middle or foot of 100 points."""
    fitted = fit("一\n二", FONTS, "song", width=100, height=100, size=10, valign=valign)
    assert [line.y for line in fitted.lines] == [first, pytest.approx(first - 13.5)]
    assert fitted.leading == 13.5


def test_spread_reaches_both_edges():
    """A label's characters are spread evenly: the first flush left, the last flush right."""
    (line,) = fit("经营者名称", FONTS, "song", width=100, height=20, size=10, align="spread").lines
    assert line.x == 0
    assert line.segments[0].spacing == 12.5
    assert right_end(line, 10) == pytest.approx(100)


def test_single_character_spread_is_centred():
    """One character cannot touch both edges."""
    (line,) = fit("证", FONTS, "song", width=100, height=20, size=10, align="spread").lines
    assert line.x == 45


def test_justified_lines_end_flush_and_words_keep_their_spacing():
    """All lines but the last of a paragraph reach the edge; letters of a word are not driven apart."""
    text = "根据Regulation No. 12/2026 on Food Safety的规定，经审查同意。\n第二段。"
    lines = break_lines(text, FONTS, "song", width=105, size=10, align="justify")
    ends = [line for line in lines if not line.text.endswith("。")]
    assert len(ends) > 2
    for line in ends:
        assert right_end(line, 10) == pytest.approx(105, abs=0.02)
    for line in lines:
        for segment in line.segments:
            assert segment.spacing == 0 or not segment.text.isascii() or segment.text.strip() == ""
    assert {segment.spacing for line in lines if line not in ends for segment in line.segments} == {0}


def test_justifying_does_not_tear_a_dash_apart():
    """The two halves of —— stay joined while the characters around them are spread."""
    line = break_lines("自即日——起施行特此", FONTS, "song", width=83, size=10, align="justify")[0]
    spacing = {segment.text: segment.spacing for segment in line.segments}
    assert spacing["——"] == 0
    assert spacing["自即日"] > 0
    assert right_end(line, 10) == pytest.approx(83, abs=0.02)


def test_indent_moves_each_paragraph_in():
    """The first line of every paragraph begins two characters in, the others at the edge."""
    lines = break_lines("一二三四五六\n七", FONTS, "song", width=50, size=10, indent=2)
    assert [(line.text, line.x) for line in lines] == [("一二三", 20), ("四五六", 0), ("七", 20)]


def test_spacing_shrinks_with_the_size():
    """Extra spacing keeps its proportion to the type when a text shrinks."""
    fitted = fit("字" * 10, FONTS, "song", width=60, height=10, size=10, min_size=4, spacing=2)
    assert fitted.size == 5
    assert fitted.lines[0].segments[0].spacing == 1


def test_rare_character_takes_part_in_fitting():
    """A character of a fallback face is measured in that face, in the same line."""
    (line,) = fit("张𠮷三", FONTS, "song", width=30, height=12, size=10).lines
    assert line.width == 30


@pytest.mark.parametrize("unit", ["A", "字", "（", "。", "a ", "字 ", "A" * 500 + " " * 500])
def test_long_values_take_linear_time(unit):
    """Twenty thousand characters, broken at 33 sizes in search of one that fits, take only seconds."""
    text = unit * (20_000 // len(unit))
    began = time.process_time()
    with pytest.raises(RenderingError):
        fit(text, FONTS, "song", width=300, height=40, size=16, min_size=8)
    assert time.process_time() - began < 5
