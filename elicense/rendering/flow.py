"""Text that runs over several pages: items become strips; `paginate` makes pages of them.

A strip is a level band that is never divided: a line of text, a row of a table, the signature block. Lengths are
points; inside a strip x counts from the frame's left edge and y upwards from the strip's upper edge.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from elicense.errors import RenderingError
from elicense.rendering.blocks import (
    FootItem,
    ListItem,
    PageBreak,
    ParagraphsItem,
    RowsItem,
    SignatureItem,
    Space,
    Style,
    TextItem,
)
from elicense.rendering.objects import POINTS_PER_MM
from elicense.rendering.text import EM_TOP, break_lines
from elicense.rendering.typeset import Said, SetLine, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from elicense.catalogue import LicenceType
    from elicense.model import Licence
    from elicense.rendering.blocks import Flow, Item
    from elicense.rendering.fonts import FontLibrary
    from elicense.rendering.text import Line
    from elicense.seal.drawing import SealDrawing
    from elicense.wording import Printer

MM = POINTS_PER_MM
_CELL_PADDING = 1.4 * MM
_NAME_BELOW = 0.02
"""The middle of the name's line lies so far below the seal's centre, as a share of its height, and the date below it.
Source: GB/T 9704-2012, 7.3.5.1 (not read): both a little below the middle of the seal."""
_SMALLEST_NAME = 10.0
"""Points: smallest size of the authority's name in a signature."""
_STOPS = tuple("。；：，、！？…")
"""A paragraph that ends so is a sentence, whatever it begins with."""
_LONGEST_HEADING = 40
"""Characters."""
_CLEAR = 1.0 * MM
"""Least distance between the text and a seal below it."""
_MOST_ABREAST = 3
"""Names with their seals in one row. Source: GB/T 9704-2012, 7.3.5.2 (not read): as many as the type area holds;
three of the largest seals fit into its 156 mm."""
_SMALLEST_ABREAST = 13.0
"""Points: rather than smaller, names stand in one row more."""
_APART = 2.0 * MM
"""Least distance between two seals, or two names."""


class Step(NamedTuple):
    """One step on the way from the document to a structure element."""

    tag: str
    """Structure type."""
    place: int
    """Which of its siblings."""
    lang: str | None = None
    """Language, where it is not Chinese."""
    scope: str = ""
    """Column, for the names of columns; Decimal, for a numbered list."""


class Ink(NamedTuple):
    """Text of one structure element within a strip."""

    path: tuple[Step, ...]
    """Its element, from the outermost; empty for an artifact."""
    said: Said
    """What its template prints, all of it."""
    span: tuple[int, int]
    """Which of these characters stand here."""
    lines: tuple[SetLine, ...]
    """The characters, set."""
    style: Style
    """Colour and whether a seal may cover it."""


@dataclass(frozen=True, slots=True)
class Strip:
    """A band of a flow that is not divided."""

    kind: Literal["text", "row", "header", "space", "break", "signature"]
    height: float
    """Points."""
    inks: tuple[Ink, ...] = ()
    rules: tuple[tuple[float, float, float, float], ...] = ()
    """Rectangles to outline: x, y, width, height."""
    rule_width: float = 0.0
    """Points."""
    body: bool = False
    """True for a line of the text proper, which a signature must not be parted from: neither a heading nor the
    addressee, and no list of attachments."""
    keep: bool = False
    """True if the next strip stands on the same page."""
    header: Strip | None = None
    """For a row: the names of its columns, set again at the head of a page."""
    seal_centres: tuple[tuple[float, float], ...] = ()
    """For a signature: centres of the seals, in the order of sealing."""


def strips_of(
    flow: Flow,
    printer: Printer,
    licence_type: LicenceType,
    fonts: FontLibrary,
    seals: Sequence[SealDrawing],
) -> list[Strip]:
    """Return the strips of a flow for one licence, in order; the foot is not among them.

    Raises:
        RenderingError: a character has no glyph, or a word is wider than its column.
    """
    maker = _Maker(printer, licence_type, fonts, seals, flow.frame[2] * MM)
    licence = printer.licence
    strips: list[Strip] = []
    for index, item in enumerate(flow.items):
        if isinstance(item, SignatureItem):
            above = strips.pop().height if strips and strips[-1].kind == "space" else 0.0
            make = maker.signature if len(licence.authorities) == 1 else maker.joint_signature
            strips.append(make(item, index, above))
        elif not isinstance(item, FootItem):
            strips.extend(maker.strips(item, index))
    return strips


@dataclass(frozen=True, slots=True)
class _Maker:
    """Turns items into strips."""

    printer: Printer
    licence_type: LicenceType
    fonts: FontLibrary
    seals: Sequence[SealDrawing]
    width: float
    """Of the frame, points."""

    @property
    def licence(self) -> Licence:
        """What is printed."""
        return self.printer.licence

    def strips(self, item: Item, index: int) -> list[Strip]:
        """Return the strips of an item other than the signature and the foot."""
        if isinstance(item, Space):
            return [Strip("space", item.space * MM)]
        if isinstance(item, PageBreak):
            return [Strip("break", 0.0)]
        if isinstance(item, TextItem):
            said = self._say(item.text, item)
            return self._text(said, item, Step(item.tag, index, item.lang), keep=item.keep or item.tag != "P")
        if isinstance(item, ParagraphsItem):
            return self._paragraphs(item, index)
        if isinstance(item, ListItem):
            return self._list(item, index)
        assert isinstance(item, RowsItem), "the signature and the foot are laid elsewhere"
        return self._rows(item, index)

    def _say(self, template: str, style: Style) -> Said:
        # Page numbers are not known yet; a flow's text cannot depend on them.
        return say(template, self.printer, empty=style.empty, page=0, pages=0)

    def _items(self, name: str) -> list[str]:
        """Return the templates of a list field's entries, none if it is absent."""
        value = self.licence.fields.get(name, ())
        return [f"{{{name}.{number}}}" for number in range(1, len(value) + 1)]

    def _text(self, said: Said, style: Style, step: Step, *, keep: bool = False) -> list[Strip]:
        """Return one strip a line."""
        if not said.text:
            return []
        lines = self._lines(said.text, style, self.width, style.indent, said.template)
        height = style.leading * style.size
        # Neither a first nor a last line of a paragraph stands alone on a page.
        bound = {0, len(lines) - 2}
        strips = []
        for number, (line, span) in enumerate(zip(lines, _spans(said.text, lines), strict=True)):
            ink = Ink((step,), said, span, (_set(line, style, 0.0, _baseline(style)),), style)
            kept = keep or (number in bound and len(lines) > 1)
            strips.append(Strip("text", height, (ink,), keep=kept, body=style.tag == "P" and not keep))
        return strips

    def _lines(self, text: str, style: Style, width: float, indent: float, name: str) -> tuple[Line, ...]:
        return break_lines(
            text, self.fonts, style.font, width=width, size=style.size, align=style.align, spacing=style.spacing,
            indent=indent, field=name.strip("{}") or None,
        )  # fmt: skip

    def _paragraphs(self, item: ParagraphsItem, index: int) -> list[Strip]:
        templates = self._items(item.paragraphs) or ([item.empty] if item.empty else [])
        strips: list[Strip] = []
        for number, template in enumerate(templates):
            step = Step(item.tag, index * 1000 + number, item.lang)
            said = self._say(template, item)
            font = heading_font(said.text, item)
            style = item if font is None else item.model_copy(update={"font": font})
            strips.extend(self._text(said, style, step, keep=font is not None))
        return strips

    def _list(self, item: ListItem, index: int) -> list[Strip]:
        """Return the strips of a list whose entries align behind its lead and their numbers."""
        templates = self._items(item.list_)
        numbered = item.numbered and len(templates) > 1
        left = item.indent * item.size
        lead = self._width(item.lead, item)
        labels = [f"{number}. " if numbered else "" for number in range(1, len(templates) + 1)]
        hang = left + lead + max((self._width(label, item) for label in labels), default=0.0)
        outer = Step("L", index, item.lang, "Decimal" if numbered else "")
        strips: list[Strip] = []
        for number, (label, template) in enumerate(zip(labels, templates, strict=True)):
            entry = (outer, Step("LI", number + 1))
            own: list[tuple[tuple[Step, ...], str, float]] = []
            if item.lead and number == 0:
                own.append(((outer, Step("Caption", 0)), item.lead, left))
            if label:
                own.append(((*entry, Step("Lbl", 0)), label, left + lead))
            extra = tuple(self._fixed(path, text, item, x) for path, text, x in own)
            said = self._say(template, item)
            lines = self._lines(said.text, item, self.width - hang, 0.0, said.template)
            for row, (line, span) in enumerate(zip(lines, _spans(said.text, lines), strict=True)):
                body = Ink(
                    (*entry, Step("LBody", 1)), said, span, (_set(line, item, hang, _baseline(item)),), item
                )
                strips.append(Strip("text", item.leading * item.size, (*(extra if row == 0 else ()), body)))
        return strips

    def _width(self, text: str, style: Style) -> float:
        return self.fonts.measure(text, style.font) * style.size / 1000 + style.spacing * len(text)

    def _fixed(self, path: tuple[Step, ...], text: str, style: Style, x: float) -> Ink:
        """Return one line of the layout's own text."""
        said = Said(text, text.replace("{", "{{").replace("}", "}}"))
        plain = style.model_copy(update={"align": "left"})
        (line,) = self._lines(text, plain, self.width, 0.0, "")
        return Ink(path, said, (0, len(text)), (_set(line, style, x, _baseline(style)),), style)

    def _rows(self, item: RowsItem, index: int) -> list[Strip]:
        """Return one strip a row, and the names of the columns first."""
        field = self.licence_type.field(item.rows)
        names = [column.zh for column in field.columns or ()]
        if len(names) != len(item.columns):
            raise RenderingError(
                f"the layout gives {len(item.columns)} column widths for {item.rows}, which has {len(names)} columns",
                f"版式为 {item.rows} 给出了{len(item.columns)}个列宽，但该表有{len(names)}列",
                field=item.rows,
            )
        header = None
        if item.header:
            said = [Said(name, name.replace("{", "{{").replace("}", "}}")) for name in names]
            style = item.model_copy(update={"font": item.header_font or item.font})
            header = self._row(style, said, (Step("Table", index, item.lang), Step("TR", 0)), "TH")
        strips = [replace(header, keep=True)] if header else []
        for row in range(1, len(self.licence.fields.get(item.rows, ())) + 1):
            cells = [
                self._say(f"{{{item.rows}.{row}.{column}}}", item) for column in range(1, len(names) + 1)
            ]
            made = self._row(item, cells, (Step("Table", index, item.lang), Step("TR", row)), "TD")
            strips.append(replace(made, header=header))
        return strips

    def _row(self, item: RowsItem, cells: Sequence[Said], path: tuple[Step, Step], tag: str) -> Strip:
        widths = [width * MM for width in item.columns]
        step = item.leading * item.size
        broken = [
            self._lines(said.text, item, width - 2 * _CELL_PADDING, 0.0, said.template) if said.text else ()
            for said, width in zip(cells, widths, strict=True)
        ]
        height = max(1, *(len(lines) for lines in broken)) * step + 2 * _CELL_PADDING
        inks = []
        rules = []
        x = 0.0
        for column, (said, lines, width) in enumerate(zip(cells, broken, widths, strict=True)):
            first = -(height - len(lines) * step) / 2 + _baseline(item)
            placed = tuple(
                _set(line, item, x + _CELL_PADDING, first - number * step)
                for number, line in enumerate(lines)
            )
            cell = Step(tag, column, None, "Column" if tag == "TH" else "")
            inks.append(Ink((*path, cell), said, (0, len(said.text)), placed, item))
            rules.append((x, -height, width, height))
            x += width
        return Strip("header" if tag == "TH" else "row", height, tuple(inks), tuple(rules), item.width * MM)

    def signature(self, item: SignatureItem, index: int, above: float) -> Strip:
        """Return the authority's name over the date, and the seal over both.

        Args:
            item: what the layout says.
            index: which item it is.
            above: height of the space the layout puts before it, points; more is added where the seal needs it.
        """
        sign = item.signature
        style = Style(font=sign.font, size=sign.size, leading=sign.leading, under_seal=True)
        name, date = self._say(sign.name, style), self._say(sign.date, style)
        name_style = self._narrowed(name.text, style)
        name_width, date_width = self._width(name.text, name_style), self._width(date.text, style)
        right = self.width - sign.right * sign.size
        # A name wider than the date may use the empty characters to the right of it, but not more.
        middle = min(right - date_width / 2, self.width - name_width / 2)
        step = sign.leading * sign.size
        half = self.seals[0].height_mm * MM / 2 if item.seal else 0.0
        below = 2 * half * _NAME_BELOW
        if item.seal:
            above = max(above, _CLEAR + half + below - step / 2)
        inks = (
            self._line(
                (Step("P", index * 1000),),
                name,
                name_style,
                middle - name_width / 2,
                -above + _baseline(style),
            ),
            self._line(
                (Step("P", index * 1000 + 1),),
                date,
                style,
                middle - date_width / 2,
                -above - step + _baseline(style),
            ),
        )
        return Strip(
            "signature", max(above + 2 * step, above + step / 2 - below + half), inks,
            seal_centres=((middle, below - above - step / 2),) if item.seal else (),
        )  # fmt: skip

    def joint_signature(self, item: SignatureItem, index: int, above: float) -> Strip:
        """Return the names of all authorities side by side, each under its seal, and the date below the last.

        A row holds as many as fit, at most three; an incomplete last row stands at the right. All names have one
        size, a little smaller where that spares a row. Arguments as for `signature`.

        Source: GB/T 9704-2012, 7.3.5.2 (not read): seals level, neither crossing nor touching, none beyond the type
        area, the last one over the date too.
        """
        sign = item.signature
        style = Style(font=sign.font, size=sign.size, leading=sign.leading, under_seal=True)
        count = len(self.licence.authorities)
        names = [self._say(f"{{authorities.{number}.name}}", style) for number in range(1, count + 1)]
        widest = max((said.text for said in names), key=lambda text: self._width(text, style))
        abreast = self._abreast(widest, style, count)
        cell = self.width / abreast
        fitted = self._narrowed(widest, style, cell - _APART)
        high = max(seal.height_mm for seal in self.seals) * MM
        below, step = high * _NAME_BELOW, sign.leading * sign.size
        above = max(above, _CLEAR + high / 2 + below - step / 2)
        missing = -count % abreast
        inks, centres = [], []
        for number, said in enumerate(names):
            row, column = divmod(number, abreast)
            column += missing if row == (count - 1) // abreast else 0
            middle, top = (column + 0.5) * cell, -above - row * (high + _APART)
            x = middle - self._width(said.text, fitted) / 2
            inks.append(
                self._line((Step("P", index * 1000 + number),), said, fitted, x, top + _baseline(style))
            )
            centres.append((middle, top - step / 2 + below))
        date = self._say(sign.date, style)
        x = middle - self._width(date.text, style) / 2
        path = (Step("P", index * 1000 + count),)
        inks.append(self._line(path, date, style, x, top - step + _baseline(style)))
        foot = max(2 * step - top, step / 2 - top - below + high / 2)
        return Strip("signature", foot, tuple(inks), seal_centres=tuple(centres))

    def _abreast(self, widest: str, style: Style, count: int) -> int:
        """Return how many names, the widest of which this is, stand in a row; rows are as even as can be."""
        seal = max(drawing.width_mm for drawing in self.seals) * MM
        name = self._width(widest, style) * _SMALLEST_ABREAST / style.size
        for most in range(min(_MOST_ABREAST, count), 1, -1):
            rows = -(-count // most)
            abreast = -(-count // rows)
            if max(seal, name) + _APART <= self.width / abreast:
                return abreast
        return 1

    def _narrowed(self, text: str, style: Style, room: float | None = None) -> Style:
        """Return `style`, smaller if `text` would be wider than `room`, but not below _SMALLEST_NAME.

        `room` is in points; absent, it is the width of the frame.
        """
        room = self.width if room is None else room
        width = self._width(text, style)
        if width <= room:
            return style
        # A quarter point below the exact size, so that rounding cannot push the line out of the frame.
        size = max(_SMALLEST_NAME, int(style.size * room / width * 4) / 4)
        return style.model_copy(update={"size": size})

    def _line(self, path: tuple[Step, ...], said: Said, style: Style, x: float, y: float) -> Ink:
        if x < 0:
            raise RenderingError(
                f"the signature {said.text!r} is wider than the text; choose a smaller size in the layout",
                f"落款“{said.text}”宽于版心，请在版式中改小字号", field=said.template.strip("{}"),
            )  # fmt: skip
        (line,) = self._lines(said.text, style, self.width, 0.0, said.template)
        return Ink(path, said, (0, len(said.text)), (_set(line, style, x, y),), style)


def heading_font(text: str, item: ParagraphsItem) -> str | None:
    """Return the font of a paragraph that is a heading: a short line with a heading's number and no stop."""
    if text.endswith(_STOPS) or len(text) > _LONGEST_HEADING:
        return None
    return next((heading.font for heading in item.headings if re.match(heading.pattern, text)), None)


def _baseline(style: Style) -> float:
    """Return where the baseline lies in a line's strip: the characters stand in the middle of its height."""
    return -((style.leading - 1) / 2 + EM_TOP) * style.size


def _set(line: Line, style: Style, x: float, y: float) -> SetLine:
    return SetLine(line, x, y, style.size, style.font)


def _spans(text: str, lines: Iterable[Line]) -> list[tuple[int, int]]:
    """Return which characters of `text` stand on each line; line feeds stand on none."""
    spans = []
    at = 0
    for line in lines:
        spans.append((at, at + len(line.text)))
        at += len(line.text)
        at += text[at : at + 1] == "\n"
    return spans
