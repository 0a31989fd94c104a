"""Text set into lines: Chinese line-breaking rules, alignment, and shrinking within a stated bound.

Lengths are points from the lower left corner of the box. A line keeps every character of the text except the
line feed itself; spaces at a line's end hang out of the box and cost no width. All work is linear in the
text.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Literal

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

_SPACES = " \u3000"
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
_TOLERANCE = 0.01
"""Slack in 1/1000 em against rounding."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a line with even spacing, shown with one Tc."""

    text: str
    """The characters."""
    x: float
    """Where the first begins, points from the box's left edge."""
    spacing: float
    """Extra points after each character (Tc)."""


@dataclass(frozen=True, slots=True)
class Line:
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


@dataclass(frozen=True, slots=True)
class FittedText:
    """A text that fits its box."""

    size: float
    """Type size in points."""
    leading: float
    """Points from baseline to baseline."""
    lines: tuple[Line, ...]
    """From top to bottom; none for an empty text."""


@dataclass(frozen=True)
class _Paragraph:
    """One hard line of the text, measured."""

    text: str
    sums: tuple[float, ...]
    """sums[i]: width of the first i characters with their spacing, 1/1000 em."""

    @cached_property
    def opportunities(self) -> tuple[list[int], list[int]]:
        """Where lines may break; the same at every size."""
        return _opportunities(self.text)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Characters `start` to `end` of a paragraph, standing on one line."""

    paragraph: _Paragraph
    start: int
    end: int

    @property
    def text(self) -> str:
        """The characters."""
        return self.paragraph.text[self.start : self.end]

    @property
    def last(self) -> bool:
        """Whether the paragraph ends here."""
        return self.end == len(self.paragraph.text)


@dataclass(frozen=True, slots=True)
class _Setting:
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


def fit(
    text: str,
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
) -> FittedText:
    """Return `text` set at the largest size from `size` down to `min_size` at which it fits the box.

    Args:
        text: what is printed; each line feed begins a new paragraph.
        fonts: the font library.
        role: its font role.
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

    Raises:
        RenderingError: a character has no glyph, or the text is too long even at `min_size`.
        InvalidTemplate: unknown role.
    """
    paragraphs = _measure(text, fonts, role, spacing * 1000 / size, field)
    smallest = size if min_size is None else min(min_size, size)
    wanted = _Setting(width, size, spacing * 1000 / size, indent * 1000, align)
    setting, pieces = _largest(
        paragraphs, wanted, smallest, leading=leading, room=_Room(height, baseline), field=field
    )
    block = setting.size * (1 + leading * (len(pieces) - 1))
    top = {"top": height, "middle": (height + block) / 2, "bottom": block}[valign]
    first = top - EM_TOP * setting.size if baseline is None else baseline
    step = leading * setting.size
    lines = tuple(
        replace(_set_line(piece, setting), y=round(first - step * row, 3)) for row, piece in enumerate(pieces)
    )
    return FittedText(size=setting.size, leading=step, lines=lines)


@dataclass(frozen=True, slots=True)
class _Room:
    """The height that lines may fill."""

    height: float
    """Of the box, points."""
    baseline: float | None
    """Where the first line stands, points above the box's foot; None: anywhere."""


def _largest(
    paragraphs: Sequence[_Paragraph],
    setting: _Setting,
    smallest: float,
    *,
    leading: float,
    room: _Room,
    field: str | None,
) -> tuple[_Setting, list[_Piece]]:
    """Return the largest size down to `smallest` at which the text fits, and its lines. Raises RenderingError."""
    pieces: list[_Piece] = []
    found: tuple[_Setting, list[_Piece]] | None = None
    lines = 0
    for tried in _sizes(setting.size, smallest):
        setting = replace(setting, size=tried)
        pieces = list(_break(paragraphs, setting))
        lines = _line_count(_usable(room.height, tried, room.baseline), tried, leading)
        fits = len(pieces) <= lines and _inside(pieces, setting)
        if fits and (found is None or len(pieces) < len(found[1])):
            found = setting, pieces
        # A single character on a last line looks like a mishap; a little smaller may spare it the line.
        if found is not None and (not _straggles(found[1]) or tried <= _TIDY * found[0].size):
            break
    if found is None:
        raise _too_long(pieces, setting, lines, field)
    return found


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

    Arguments as for `fit`.

    Raises:
        RenderingError: a character has no glyph, or is wider than the line.
        InvalidTemplate: unknown role.
    """
    setting = _Setting(width, size, spacing * 1000 / size, indent * 1000, align)
    pieces = list(_break(_measure(text, fonts, role, setting.spacing, field), setting))
    if not _inside(pieces, setting):
        raise _too_long(pieces, setting, len(pieces), field)
    return tuple(_set_line(piece, setting) for piece in pieces)


def _sizes(size: float, smallest: float) -> Iterator[float]:
    """Yield the sizes to try, the largest first, the smallest last."""
    steps = int((size - smallest) / SHRINK_STEP)
    yield from (size - SHRINK_STEP * step for step in range(steps + 1))
    if size - SHRINK_STEP * steps > smallest:
        yield smallest


def _straggles(pieces: Sequence[_Piece]) -> bool:
    """Tell whether a paragraph of several lines ends with a line of one or two characters."""
    return any(piece.last and piece.start > 0 and len(piece.text) <= _STRAGGLERS for piece in pieces)


def _usable(height: float, size: float, baseline: float | None) -> float:
    """Return the height of the box below the upper edge of its first line; 0 if that edge lies outside."""
    if baseline is None:
        return height
    upper = baseline + EM_TOP * size
    return upper if upper <= height + 1e-6 else 0.0


def _line_count(height: float, size: float, leading: float) -> int:
    """Return how many lines of `size` stand in `height` points."""
    return int((height - size) / (leading * size) + 1 + 1e-6) if height + 1e-6 >= size else 0


def _measure(text: str, fonts: FontLibrary, role: str, spacing: float, field: str | None) -> list[_Paragraph]:
    """Return the paragraphs of `text` with the running sum of their widths."""
    paragraphs = []
    for part in text.split("\n") if text else ():
        advances = (glyph.advance + spacing for glyph in fonts.glyphs(part, role, field=field))
        paragraphs.append(_Paragraph(part, tuple(accumulate(advances, initial=0.0))))
    return paragraphs


def _break(paragraphs: Sequence[_Paragraph], setting: _Setting) -> Iterator[_Piece]:
    """Yield the lines of all paragraphs."""
    full = setting.width * 1000 / setting.size + setting.spacing + _TOLERANCE
    for paragraph in paragraphs:
        text, sums = paragraph.text, paragraph.sums
        if sums[-1] <= full - setting.indent:
            yield _Piece(paragraph, 0, len(text))
            continue
        before, word_end = paragraph.opportunities
        start, room = 0, full - setting.indent
        while start < len(text):
            end = bisect_right(sums, sums[start] + room, start) - 1
            if end < len(text):
                end = _past_spaces(text, end)
            if end < len(text):
                kept = before[end]
                # A word longer than any line is filled into what is left of this one, and divided.
                divided = kept <= start or sums[word_end[kept]] - sums[kept] > full
                end = max(end, start + 1) if divided else kept
            yield _Piece(paragraph, start, end)
            start, room = end, full


def _past_spaces(text: str, at: int) -> int:
    """Return the index of the first character from `at` on that is not a space."""
    while at < len(text) and text[at] in _SPACES:
        at += 1
    return at


def _opportunities(text: str) -> tuple[list[int], list[int]]:
    """Return for each index the last place up to it where a line may break, and where ink from it ends.

    The second list is meant for places where a line may break: the end of what must stay together, without
    the spaces behind it.
    """
    count = len(text)
    wide = [_is_wide(char) for char in text]
    allowed = [False] * (count + 1)
    before = [0] * (count + 1)
    for at in range(1, count):
        allowed[at] = _may_break(text[at - 1], text[at], wide[at - 1] or wide[at])
        before[at] = at if allowed[at] else before[at - 1]
    before[count] = count
    word_end = [count] * (count + 1)
    end = ink = count
    for at in range(count - 1, -1, -1):
        if at + 1 == end:
            ink = at + 1
        if text[at] in _SPACES and ink == at + 1:
            ink = at
        word_end[at] = max(ink, at)
        if allowed[at]:
            end = at
    return before, word_end


def _may_break(left: str, right: str, beside_wide: bool) -> bool:
    """Tell whether a line may end after `left` and the next begin with `right`."""
    if right in _SPACES or right in _NO_START or left in _NO_END:
        return False
    if left in _SPACES:
        return True
    return beside_wide and not (left == right and left in _PAIRED)


def _is_wide(char: str) -> bool:
    """Tell whether `char` is set like an ideograph, so that a line may break beside it."""
    return char in _PAIRED or unicodedata.east_asian_width(char) in "WF"


def _ink_end(piece: _Piece) -> int:
    """Return where the spaces at the piece's end begin."""
    return piece.start + len(piece.text.rstrip(_SPACES))


def _natural_width(piece: _Piece, spacing: float) -> float:
    """Return the piece's width without spaces at its end, 1/1000 em."""
    sums, end = piece.paragraph.sums, _ink_end(piece)
    return sums[end] - sums[piece.start] - spacing if end > piece.start else 0.0


def _left_edge(piece: _Piece, setting: _Setting) -> float:
    """Return where the piece may begin, 1/1000 em."""
    return setting.indent if piece.start == 0 else 0.0


def _inside(pieces: Sequence[_Piece], setting: _Setting) -> bool:
    """Tell whether no line is wider than the box."""
    full = setting.width * 1000 / setting.size + _TOLERANCE
    widths = (_left_edge(piece, setting) + _natural_width(piece, setting.spacing) for piece in pieces)
    return all(width <= full for width in widths)


def _set_line(piece: _Piece, setting: _Setting) -> Line:
    """Return the piece as a line at y 0."""
    em = setting.size / 1000
    natural = _natural_width(piece, setting.spacing) * em
    edge = _left_edge(piece, setting) * em
    slack = setting.width - edge - natural
    stretched = setting.align == "spread" or (setting.align == "justify" and not piece.last)
    stretch = slack if stretched else 0.0
    parts = _parts(piece, whole=setting.align != "justify")
    gaps = sum(len(part) if even else 1 for part, even in parts) - 1
    if gaps < 1:
        stretch = 0.0
    alone = setting.align == "spread" and gaps < 1
    shift = {"center": 0.5, "right": 1.0}.get(setting.align, 0.5 if alone else 0.0) * slack
    segments = _segments(piece, setting, parts, edge + shift, stretch / gaps if gaps > 0 else 0.0)
    return Line(piece.text, round(edge + shift, 3), 0.0, round(natural + stretch, 3), segments)


def _parts(piece: _Piece, *, whole: bool) -> list[tuple[str, bool]]:
    """Return the piece's ink cut where stretching changes: words and dashes keep theirs."""
    text = piece.paragraph.text[piece.start : _ink_end(piece)]
    if whole or not text:
        return [(text, True)] if text else []
    parts: list[tuple[str, bool]] = []
    begin = 0
    even = [char not in _PAIRED and (_is_wide(char) or char in _SPACES) for char in text]
    for at in range(1, len(text) + 1):
        if at == len(text) or even[at] != even[begin]:
            parts.append((text[begin:at], even[begin]))
            begin = at
    return parts


def _segments(
    piece: _Piece, setting: _Setting, parts: Sequence[tuple[str, bool]], x: float, extra: float
) -> tuple[Segment, ...]:
    """Return the parts placed from `x` on, `extra` points more at every stretchable gap."""
    em = setting.size / 1000
    spacing = setting.spacing * em
    sums = piece.paragraph.sums
    segments = []
    at = piece.start
    for text, even in parts:
        segments.append(Segment(text, round(x, 3), round(spacing + extra if even else spacing, 4)))
        x += (sums[at + len(text)] - sums[at]) * em + extra * (len(text) if even else 1)
        at += len(text)
    tail = piece.text[at - piece.start :]
    if tail and segments:
        segments[-1] = replace(segments[-1], text=segments[-1].text + tail)
    elif tail:
        segments.append(Segment(tail, round(x, 3), round(spacing, 4)))
    return tuple(segments)


def _too_long(pieces: Sequence[_Piece], setting: _Setting, room: int, field: str | None) -> RenderingError:
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
