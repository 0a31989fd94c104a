"""Text set into lines: Chinese line-breaking rules, alignment, and shrinking within a stated bound.

Lengths are points from the lower left corner of the box. A line keeps every character of the text except the
line feed itself; spaces at a line's end hang out of the box and cost no width. All work is linear in the
text.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate, groupby, pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple

from elicense.errors import RenderingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from elicense.rendering.fonts import FontLibrary

Align = Literal["left", "center", "right", "justify", "spread"]
"""`spread` sets the first character at the left edge, the last at the right, as labels on Chinese forms."""
Valign = Literal["top", "middle", "bottom"]

SHRINK_STEP = 0.25
"""Points by which a size is lowered until the text fits."""
EM_TOP = 0.88
"""Top of the ideographic em box above the baseline, in em; its bottom is 0.12 below."""

SPACES = " \u3000"
_GLUE = "\u00a0\u202f"
"""No-break spaces: a line neither ends nor begins beside one."""
_NO_START = frozenset(
    "。，、；：！？）》」』】〉〕］｝〗〙〛”’·‧・％～－–／"  # full width and Chinese
    ",.;:!?)]}%‰℃℉°′″¢" + _GLUE
)
"""May not begin a line. Source: GB/T 15834-2011, 5.1 (the text itself was not read)."""
_NO_END = frozenset("（《「『【〈〔［｛〖〘〚“‘／([{￥¥$€£№" + _GLUE)
"""May not end a line. Source: as above."""
_PAIRED = frozenset("—…⸺‥")
"""A dash or an ellipsis is two of these and is not divided."""
_STRAGGLERS = 2
"""So few characters alone on a last line are avoided where a slightly smaller size can."""
_TIDY = 0.9
"""How much smaller, as a share of the size."""
SHIFT = {"center": 0.5, "right": 1.0}
"""Share of the free width that stands before a line."""
TOLERANCE = 0.01
"""Slack in 1/1000 em against rounding."""


class Segment(NamedTuple):
    """A stretch of a line with even spacing, shown with one Tc."""

    text: str
    """The characters."""
    x: float
    """Where the first begins, points from the box's left edge."""
    spacing: float
    """Extra points after each character (Tc)."""


class Line(NamedTuple):
    """One line of set text."""

    text: str
    """Its characters, spaces at the end included."""
    x: float
    """Where the ink begins, points from the box's left edge."""
    y: float
    """Baseline, points from the box's bottom; 0 from `break_lines`."""
    width: float
    """Points from the first to the end of the last character that is not a space at the end."""
    segments: tuple[Segment, ...]
    """The same characters as they are shown; empty for an empty line."""


class FittedText(NamedTuple):
    """A text that fits its box."""

    size: float
    """Type size in points."""
    leading: float
    """Points from baseline to baseline."""
    lines: tuple[Line, ...]
    """From top to bottom; none for an empty text."""


class Paragraph(NamedTuple):
    """One hard line of the text, measured."""

    text: str
    """Its characters."""
    sums: Sequence[float]
    """sums[i]: width of the first i characters with their spacing, 1/1000 em."""


class _Piece(NamedTuple):
    """Characters `start` to `end` of a paragraph, standing on one line."""

    paragraph: Paragraph
    start: int
    end: int


class Setting(NamedTuple):
    """How lines are set at one size."""

    width: float
    """Of the box, points."""
    size: float
    """Points."""
    spacing: float
    """1/1000 em."""
    indent: float
    """First line of a paragraph, 1/1000 em."""
    align: Align
    """Where lines stand."""
    room: float
    """For a line without indent, 1/1000 em."""


class Rung(NamedTuple):
    """One size on the way down to the smallest."""

    setting: Setting
    """How lines are set."""
    lines: int
    """So many have room."""


class Box(NamedTuple):
    """A box, and how texts are set in it; worked out once, for a box of a template is filled in every document."""

    fonts: FontLibrary
    """The font library."""
    role: str
    """Font role."""
    field: str | None
    """The licence field, for the refusal."""
    ladder: tuple[Rung, ...]
    """The sizes to try, the largest first."""
    height: float
    """Points."""
    leading: float
    """Line height as a multiple of the size."""
    valign: Valign
    """Where the block of lines stands."""
    baseline: float | None
    """Where the first line stands, points above the box's foot, if not as `valign` says."""

    def fit(self, text: str) -> FittedText:
        """Return `text` at the largest size at which it fits.

        Raises:
            RenderingError: a character has no glyph, or the text is too long even at the smallest size.
        """
        paragraphs = _measure(text, self.fonts, self.role, self.ladder[0].setting.spacing, self.field)
        setting, ends = self.largest(paragraphs)
        pieces = _pieces(paragraphs, ends)
        heights = self.baselines(setting.size, len(pieces))
        lines = [_set_line(piece, setting, y) for piece, y in zip(pieces, heights, strict=True)]
        return FittedText(setting.size, self.leading * setting.size, tuple(lines))

    def largest(self, paragraphs: Sequence[Paragraph]) -> tuple[Setting, list[list[int]]]:
        """Return how the text is set at the largest size at which it fits, and where each paragraph's lines end.

        Raises:
            RenderingError: the text is too long even at the smallest size.
        """
        found: tuple[Setting, list[list[int]]] | None = None
        fewest, straggles = 0, False
        for setting, most in self.ladder:
            ends, inside = _break(paragraphs, setting)
            count = sum(map(len, ends))
            if inside and count <= most and (found is None or count < fewest):
                found, fewest, straggles = (setting, ends), count, _straggles(ends)
            # A single character on a last line looks like a mishap; a little smaller may spare it the line.
            if found is not None and (not straggles or setting.size <= _TIDY * found[0].size):
                return found
        if found is None:
            raise _too_long(_pieces(paragraphs, ends), setting, most, self.field)
        return found

    def baselines(self, size: float, count: int) -> list[float]:
        """Return where `count` lines of a size stand, points above the box's foot."""
        step, first = self.leading * size, self.baseline
        if first is None:
            block = size * (1 + self.leading * (count - 1))
            top = {"top": self.height, "middle": (self.height + block) / 2, "bottom": block}[self.valign]
            first = top - EM_TOP * size
        return [round(first - step * row, 3) for row in range(count)]


@lru_cache(maxsize=1024)
def box(
    fonts: FontLibrary,
    role: str,
    *,
    width: float,
    height: float,
    size: float,
    min_size: float | None = None,
    leading: float = 1.35,
    align: Align = "left",
    valign: Valign = "middle",
    spacing: float = 0.0,
    indent: float = 0.0,
    baseline: float | None = None,
    field: str | None = None,
) -> Box:
    """Return a box whose texts are set at the largest size from `size` down to `min_size` at which they fit.

    Args:
        fonts: the font library.
        role: font role.
        width: of the box, points.
        height: of the box, points.
        size: wanted type size, points.
        min_size: smallest allowed size, points; absent: no shrinking.
        leading: line height as a multiple of the size.
        align: where lines stand between the box's edges.
        valign: where the block of lines stands in the box.
        spacing: extra between characters in points at `size`; shrinks with it.
        indent: of each paragraph's first line, in characters.
        baseline: where the first line stands at any size, points above the box's foot; `valign` means nothing then.
        field: the licence field, for the refusal.
    """
    smallest = size if min_size is None else min(min_size, size)
    ladder = [
        Rung(
            _setting(width, tried, spacing * 1000 / size, indent, align),
            _line_count(_usable(height, tried, baseline), tried, leading),
        )
        for tried in _sizes(size, smallest)
    ]
    return Box(fonts, role, field, tuple(ladder), height, leading, valign, baseline)


def break_lines(
    text: str,
    fonts: FontLibrary,
    role: str,
    *,
    width: float,
    size: float,
    align: Align = "left",
    spacing: float = 0.0,
    indent: float = 0.0,
    field: str | None = None,
) -> tuple[Line, ...]:
    """Return `text` broken into lines of `width` points, y 0; the caller stacks them and turns pages.

    A line feed begins a new paragraph; other arguments as for `box`.

    Raises:
        RenderingError: a character has no glyph, or is wider than the line.
        InvalidTemplate: unknown role.
    """
    setting = _setting(width, size, spacing * 1000 / size, indent, align)
    paragraphs = _measure(text, fonts, role, setting.spacing, field)
    ends, inside = _break(paragraphs, setting)
    pieces = _pieces(paragraphs, ends)
    if not inside:
        raise _too_long(pieces, setting, len(pieces), field)
    return tuple([_set_line(piece, setting, 0.0) for piece in pieces])


def _setting(width: float, size: float, spacing: float, indent: float, align: Align) -> Setting:
    """Return how lines are set: width and size in points, spacing in 1/1000 em, the indent in characters."""
    return Setting(width, size, spacing, indent * 1000, align, width * 1000 / size + spacing + TOLERANCE)


def _sizes(size: float, smallest: float) -> Iterator[float]:
    """Yield the sizes to try, the largest first, the smallest last."""
    steps = int((size - smallest) / SHRINK_STEP)
    yield from (size - SHRINK_STEP * step for step in range(steps + 1))
    if size - SHRINK_STEP * steps > smallest:
        yield smallest


def _straggles(ends: Sequence[Sequence[int]]) -> bool:
    """Tell whether a paragraph of several lines ends with a line of one or two characters."""
    return any(len(last) > 1 and last[-1] - last[-2] <= _STRAGGLERS for last in ends)


def _usable(height: float, size: float, baseline: float | None) -> float:
    """Return the height of the box below the upper edge of its first line; 0 if that edge lies outside."""
    if baseline is None:
        return height
    upper = baseline + EM_TOP * size
    return upper if upper <= height + 1e-6 else 0.0


def _line_count(height: float, size: float, leading: float) -> int:
    """Return how many lines of `size` stand in `height` points."""
    return int((height - size) / (leading * size) + 1 + 1e-6) if height + 1e-6 >= size else 0


def _measure(text: str, fonts: FontLibrary, role: str, spacing: float, field: str | None) -> list[Paragraph]:
    """Return the paragraphs of `text`, a new one behind each line feed, with the running sum of their widths."""
    widths = fonts.advances(role)
    paragraphs = []
    for part in text.split("\n") if text else ():
        try:
            advances = list(map(widths.__getitem__, part))
        except RenderingError:
            # Asked for the whole text it names the field, and all characters without a glyph.
            fonts.glyphs(part, role, field=field)
            raise
        if spacing:
            advances = [advance + spacing for advance in advances]
        paragraphs.append(Paragraph(part, list(accumulate(advances, initial=0.0))))
    return paragraphs


def _break(paragraphs: Sequence[Paragraph], setting: Setting) -> tuple[list[list[int]], bool]:
    """Return where the lines of each paragraph end, and whether none is wider than the box."""
    inside = setting.room >= setting.indent
    found = []
    for paragraph in paragraphs:
        ends, fits = _ends(paragraph, setting.room, setting.indent)
        found.append(ends)
        inside = inside and fits
    return found, inside


def _ends(paragraph: Paragraph, full: float, indent: float) -> tuple[list[int], bool]:
    """Return where a paragraph's lines end if each has room for `full`, and whether none is wider."""
    text, sums = paragraph
    length = len(text)
    ends, inside = [], True
    start, room = 0, full - indent
    while start < length and sums[length] - sums[start] > room:
        end = max(start, bisect_right(sums, sums[start] + room, start) - 1)
        if not (start < end < length and _TWO_IDEOGRAPHS.match(text, end - 1)):
            end = _past_spaces(text, end)
            if end < length:
                kept = _last_break(text, start, end)
                # A word longer than any line is filled into what is left of this one, and divided.
                if kept > start and not _wider(paragraph, kept, end, full):
                    end = kept
                elif end == start:
                    end, inside = start + 1, False
        ends.append(end)
        start, room = end, full
    if start < length or not length:
        ends.append(length)
    return ends, inside


_TWO_IDEOGRAPHS = re.compile("[\u4e00-\u9fff]{2}")
"""Between two of these a line may always break, and between most characters of most texts stand no others."""


def _pieces(paragraphs: Sequence[Paragraph], ends: Sequence[Sequence[int]]) -> list[_Piece]:
    """Return the lines of all paragraphs, given where they end."""
    return [
        _Piece(paragraph, start, end)
        for paragraph, last in zip(paragraphs, ends, strict=True)
        for start, end in pairwise([0, *last])
    ]


def _past_spaces(text: str, at: int) -> int:
    """Return the index of the first character from `at` on that is not a space."""
    while at < len(text) and text[at] in SPACES:
        at += 1
    return at


def _last_break(text: str, start: int, end: int) -> int:
    """Return the last place behind `start`, up to `end`, where a line may break; `start` if there is none."""
    while end > start and not _may_break(text[end - 1], text[end]):
        end -= 1
    return end


def _wider(paragraph: Paragraph, kept: int, end: int, full: float) -> bool:
    """Tell whether what must stay together from `kept` on is wider than `full`; it reaches beyond `end`.

    Looks no further than that width, so that all lines together look at no character more than a few times.
    """
    text, sums = paragraph
    limit = sums[kept] + full
    for at in range(end, len(text)):
        if text[at] not in SPACES and sums[at + 1] > limit:
            return True
        if at + 1 < len(text) and _may_break(text[at], text[at + 1]):
            return False
    return False


def _may_break(left: str, right: str) -> bool:
    """Tell whether a line may end after `left` and the next begin with `right`."""
    if right in SPACES or right in _NO_START or left in _NO_END:
        return False
    if left in SPACES:
        return True
    return (_is_wide(left) or _is_wide(right)) and not (left == right and left in _PAIRED)


@lru_cache(maxsize=65536)
def _is_wide(char: str) -> bool:
    """Tell whether `char` is set like an ideograph, so that a line may break beside it."""
    return char in _PAIRED or unicodedata.east_asian_width(char) in "WF"


def _set_line(piece: _Piece, setting: Setting, y: float) -> Line:
    """Return the piece as a line with its baseline at y."""
    (whole, sums), start, end = piece
    text = whole[start:end]
    ink = text.rstrip(SPACES)
    em, align = setting.size / 1000, setting.align
    natural = (sums[start + len(ink)] - sums[start] - setting.spacing) * em if ink else 0.0
    edge = setting.indent * em if start == 0 else 0.0
    slack = setting.width - edge - natural
    stretched = align == "spread" or (align == "justify" and end < len(whole))
    parts: list[tuple[str, bool]] = []
    gaps = -1
    if stretched and (align == "spread" or ALL_EVEN.fullmatch(ink)):
        gaps = len(ink) - 1
    elif stretched:
        parts = [("".join(run), even) for even, run in groupby(ink, _is_even)]
        gaps = sum([len(part) if even else 1 for part, even in parts]) - 1
    stretch = slack if gaps > 0 else 0.0
    # What cannot be spread stands in the middle.
    x = edge + SHIFT.get("center" if align == "spread" and gaps < 1 else align, 0.0) * slack
    spacing = setting.spacing * em
    segments: tuple[Segment, ...]
    if len(parts) > 1:
        segments = _segments(piece, parts, x, em, (spacing, stretch / gaps if gaps > 0 else 0.0))
    else:
        spacing += stretch / gaps if gaps > 0 else 0.0
        segments = (Segment(text, round(x, 3), round(spacing, 4)),) if text else ()
    return Line(text, round(x, 3), y, round(natural + stretch, 3), segments)


ALL_EVEN = re.compile("[\u3000-\u303e\u4e00-\u9fff\uff01-\uff60]*")
"""Ideographs with their punctuation, as most lines are: of these alone `_is_even` would say yes."""


@lru_cache(maxsize=65536)
def _is_even(char: str) -> bool:
    """Tell whether a stretched line has its extra space beside `char`, as beside any ideograph or space."""
    return char not in _PAIRED and (char in SPACES or _is_wide(char))


def _segments(
    piece: _Piece, parts: Sequence[tuple[str, bool]], x: float, em: float, spacings: tuple[float, float]
) -> tuple[Segment, ...]:
    """Return the parts placed from `x` on.

    Args:
        piece: the line.
        parts: its ink, and where each begins.
        x: points from the box's left edge.
        em: 1/1000 of the size.
        spacings: points after every character, and as many more at every stretchable gap.
    """
    spacing, extra = spacings
    sums = piece.paragraph.sums
    segments = []
    at = piece.start
    for text, even in parts:
        segments.append(Segment(text, round(x, 3), round(spacing + extra if even else spacing, 4)))
        x += (sums[at + len(text)] - sums[at]) * em + extra * (len(text) if even else 1)
        at += len(text)
    tail = piece.paragraph.text[at : piece.end]
    segments[-1] = segments[-1]._replace(text=segments[-1].text + tail)
    return tuple(segments)


def _too_long(pieces: Sequence[_Piece], setting: Setting, room: int, field: str | None) -> RenderingError:
    """Return the refusal that says by how many characters the text is too long."""
    where_en, where_zh = (f"Field {field}: ", f"字段 {field}：") if field else ("", "")
    over = sum(piece.end - piece.start for piece in pieces[room:])
    if room == 0 or not over:
        return RenderingError(
            f"{where_en}the box is too small for a character of {setting.size:g} pt; enlarge the box.",
            f"{where_zh}版面框放不下一个 {setting.size:g} 磅的字，请加大该框。",
            field=field,
        )
    return RenderingError(
        f"{where_en}the text is {over} characters too long for its box even at {setting.size:g} pt; "
        "shorten it, or enlarge the box in the layout.",
        f"{where_zh}文字缩至 {setting.size:g} 磅仍超出版面框 {over} 个字符，请缩短文字或在版式中加大该框。",
        field=field,
    )
