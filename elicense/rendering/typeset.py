"""Text blocks as content operators and as measured lines: the bridge from boxes in mm to a page in points."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from elicense.preflight import PlacedLine
from elicense.rendering.embedding import FontSubsets
from elicense.rendering.objects import POINTS_PER_MM, num, rgb
from elicense.rendering.text import Box, Line, box
from elicense.wording import Place, Printer, parse_template

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from elicense.rendering.blocks import Style
    from elicense.rendering.embedding import CarriedFont
    from elicense.rendering.fonts import FontLibrary
    from elicense.rendering.template import Rect

BLACK = "#000000"


class Said(NamedTuple):
    """What a template prints for one licence."""

    text: str
    """The printed text."""
    template: str
    """The template that prints it: where a value is absent, what stands for it is written out."""


def say(template: str, printer: Printer, *, empty: str, page: int, pages: int) -> Said:
    """Return what `template` prints on page `page` of `pages`; `empty` stands for each absent value."""
    if not empty:
        return Said(printer(template, page, pages), template)
    parts = []
    for part in parse_template(template):
        if isinstance(part, Place):
            place = _place(part)
            parts.append(place if printer(place, page, pages) else literal(empty))
        else:
            parts.append(literal(part))
    whole = "".join(parts)
    return Said(printer(whole, page, pages), whole)


def cut(said: Said, span: tuple[int, int], printer: Printer) -> Said:
    """Return the characters `span` of what was said, with the template that prints just these.

    Args:
        said: a whole text; its template knows nothing of page numbers.
        span: first character and the one behind the last, from 0.
        printer: says what the templates print.
    """
    first, end = span
    if span == (0, len(said.text)):
        return said
    parts = []
    at = 0
    for part in parse_template(said.template):
        place = _place(part) if isinstance(part, Place) else ""
        text = printer(place) if place else str(part)
        begin, stop = max(first - at, 0), min(end - at, len(text))
        at += len(text)
        if begin >= stop:
            continue
        if not place:
            parts.append(literal(text[begin:stop]))
        elif (begin, stop) == (0, len(text)):
            parts.append(place)
        else:
            parts.append(f"{place[:-1]}@{begin + 1}-{stop}}}")
    return Said(said.text[first:end], "".join(parts))


def _place(place: Place) -> str:
    return f"{{{place.name}|{place.format}}}" if place.format else f"{{{place.name}}}"


def literal(text: str) -> str:
    """Return the template that says `text` and nothing else."""
    return text.replace("{", "{{").replace("}", "}}")


class SetLine(NamedTuple):
    """A line of text at its place on the page."""

    line: Line
    """What it shows and how."""
    x: float
    """Left edge of its box, points from the page's left."""
    y: float
    """Baseline, points from the page's foot."""
    size: float
    """Type size, points."""
    role: str
    """Font role."""


class Run(NamedTuple):
    """A stretch of text as a content stream shows it, but for the codes that its document's fonts will give it."""

    text: str
    """The characters."""
    role: str
    """Font role."""
    size: str
    """Type size, as PDF writes it."""
    spacing: str
    """Extra points after each character, as PDF writes it."""
    move: str
    """Operator that goes to its first character, a space behind it."""


class PlacedBox(NamedTuple):
    """A box at its place on the page."""

    box: Box
    """How texts are set in it."""
    x: float
    """Left edge, points from the page's left."""
    y: float
    """Lower edge, points from the page's foot."""

    def set(self, text: str) -> tuple[SetLine, ...]:
        """Return `text` set in the box. Raises RenderingError if it does not fit or has no glyph."""
        size, _, lines = self.box.fit(text)
        return tuple([SetLine(line, self.x, self.y + line.y, size, self.box.role) for line in lines])


def placed_box(
    fonts: FontLibrary, style: Style, rect: Rect, *, name: str | None, baseline: float | None = None
) -> PlacedBox:
    """Return the box `rect`, mm.

    Args:
        fonts: where the faces are.
        style: how its texts are set.
        rect: the box, mm.
        name: the field a refusal mentions.
        baseline: where the first line stands, mm from the page's foot; absent: as `style` says.

    Raises:
        InvalidTemplate: unknown font role.
    """
    x, y, width, height = (value * POINTS_PER_MM for value in rect)
    return PlacedBox(box(
        fonts, style.font, width=width, height=height, size=style.size, min_size=style.min_size,
        leading=style.leading, align=style.align, valign="top" if style.valign == "label" else style.valign,
        spacing=style.spacing, indent=style.indent, field=name,
        baseline=None if baseline is None else baseline * POINTS_PER_MM - y,
    ), x, y)  # fmt: skip


def runs_of(lines: Iterable[SetLine]) -> tuple[Run, ...]:
    """Return the lines' stretches of text in order."""
    return tuple([
        Run(text, role, usual_num(size), usual_num(spacing), f"1 0 0 1 {num(left + x)} {num(y)} Tm ")
        for line, left, y, size, role in lines
        for text, x, spacing in line.segments
    ])  # fmt: skip


usual_num = lru_cache(maxsize=4096)(num)
"""For numbers that come again and again, sizes and spacings."""


@dataclass(slots=True)
class Typesetter:
    """Shows texts in one collection of font subsets."""

    fonts: FontLibrary
    """Where the faces are."""
    prefix: str
    """Resource names begin with it: S for furniture, D for what differs from licence to licence."""
    carried: tuple[CarriedFont, ...] = ()
    """Fonts of the furniture that these go on from."""
    subsets: FontSubsets = field(init=False)
    """The characters used so far."""

    def __post_init__(self) -> None:
        self.subsets = FontSubsets(self.fonts, self.prefix, self.carried)

    def operators(self, lines: Iterable[SetLine]) -> str:
        """Return the text object that shows `lines`."""
        return "\n".join(self.shown(("BT", *runs_of(lines), "ET")))

    def shown(self, painted: Sequence[str | Run]) -> list[str]:
        """Return the operators of a page, the runs of text among them shown in codes.

        Args:
            painted: operators and runs; what stands between two runs is no operator, or ends their text object.
        """
        self.subsets.prepare((part.text, part.role) for part in painted if isinstance(part, Run))
        parts = []
        state: tuple[int, str] | None = None
        spacing = "0"
        for part in painted:
            if isinstance(part, str):
                if spacing != "0":
                    spacing = "0"
                    parts.append("0 Tc")
                state = None
                parts.append(part)
                continue
            text, role, size, extra, move = part
            if extra != spacing:
                spacing = extra
                parts.append(f"{spacing} Tc")
            for font, codes in self.subsets.shown(text, role):
                if state != (font, size):
                    state = (font, size)
                    parts.append(f"/{self.prefix}{font} {size} Tf")
                parts.append(f"{move}<{codes}> Tj")
                move = ""
        return parts


def in_colour(operators: str, colour: str) -> str:
    """Return marked content painted in `colour`; black is how a page begins."""
    return operators if colour == BLACK else f"q {rgb(colour)} rg\n{operators}\nQ"


def marked(tag: str, mcid: int, operators: str) -> str:
    """Return one marked-content sequence."""
    return f"/{tag} <</MCID {mcid}>> BDC\n{operators}\nEMC"


def artifact(operators: str, kind: str = "") -> str:
    """Return content that is no part of the document's meaning, e.g. of kind Pagination."""
    opening = f"/Artifact <</Type/{kind}>> BDC" if kind else "/Artifact BMC"
    return f"{opening}\n{operators}\nEMC"


def measured(lines: Iterable[SetLine], page: int, rect: Rect, *, under_seal: bool) -> tuple[PlacedLine, ...]:
    """Return the lines as preflight looks at them; `rect` is their box in mm."""
    scale = 1 / POINTS_PER_MM
    return tuple([
        PlacedLine(
            line.text, page, (left + line.x) * scale, y * scale, line.width * scale, size, rect, under_seal
        )
        for line, left, y, size, _ in lines
    ])  # fmt: skip


@lru_cache(maxsize=4096)
def hundredths(rect: Rect) -> tuple[int, int, int, int]:
    """Return a box in mm as the data index has it: whole hundredths of a millimetre."""
    x, y, width, height = (round(value * 100) for value in rect)
    return x, y, width, height


def box_points(rect: Rect) -> Rect:
    """Return a box in mm as left, lower, right, upper in points."""
    x, y, width, height = (value * POINTS_PER_MM for value in rect)
    return x, y, x + width, y + height
