"""Preflight: the filled page against its licence, before the real key moves. Clearance is spent once.

Plan (the numbers are those of the findings):

1. Every printed text equals what the licence says under the layout's template; its lines lose no character.
2. Every field of the licence that its type prints stands on a page: each entry of a list, all of a divided text.
3. No text overflows its box, no box its page, no line with characters is without width (on the placed lines; the
   fill refuses a character without a glyph before it places it).
4. The embedded licence.json decodes to this very licence and its index names these very placements.
5. Nothing but an authority's name and the date lies under a seal; a seal stays inside its page, apart from others;
   there is one for each authority.
6. The signature slot is one gap of the stated length, its ByteRange covers all else.

Before each further seal of a joint document:

7. The document so far is the one on record, holds this very licence, and waits for this authority.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from elicense.decoding import read_licence_file
from elicense.encoding import encode_licence_file, licence_member
from elicense.errors import InvalidTemplate, MalformedDocument, PreflightFailed
from elicense.wording import Place, parse_template, printed, template_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from elicense.catalogue import LicenceType
    from elicense.model import FieldPlacement, FieldValue, Licence

_MM_PER_POINT = 25.4 / 72
_SLACK = 0.05
"""Millimetres of rounding."""
_ASCENT, _DESCENT = 0.88, 0.12
"""Of the ideographic em box above and below the baseline, in em."""


@dataclass(frozen=True, slots=True)
class PlacedLine:
    """One line of text on a page, as measured by the fill."""

    text: str
    """Characters of the line."""
    page: int
    """1-based."""
    x: float
    """Left edge, mm from the page's left."""
    y: float
    """Baseline, mm from the page's foot."""
    width: float
    """Advance width, mm."""
    size: float
    """Type size, points."""
    box: tuple[float, float, float, float]
    """The box it must stay inside: x, y, width, height in mm."""
    under_seal: bool = False
    """True for the authority's name and the date, the only texts a seal may cover."""


@dataclass(frozen=True, slots=True)
class SealPlacement:
    """Where the seal's signature widget stands."""

    page: int
    """1-based."""
    rect: tuple[float, float, float, float]
    """x, y, width, height in mm from the page's lower left."""


@dataclass(frozen=True, slots=True)
class FillPlan:
    """What the fill put on the pages: the input of preflight, made without reading the PDF back."""

    pages: tuple[tuple[float, float], ...]
    """Width and height of each page in mm."""
    lines: tuple[PlacedLine, ...]
    """Every dynamic line, in the order of the placements; behind them the furniture's lines on the seal's page."""
    placements: tuple[FieldPlacement, ...]
    """The data index, as embedded."""
    seal: SealPlacement
    """Where the first seal goes."""
    further_seals: tuple[SealPlacement, ...] = ()
    """Where the seals of the joint authorities go, in the order of sealing."""


@dataclass(frozen=True, slots=True)
class SignatureSlot:
    """The hole in the finished bytes that the CMS goes into."""

    byte_range: tuple[int, int, int, int]
    """`/ByteRange`, already written into the bytes: 0, start of the gap, end of the gap, length after it."""
    capacity: int
    """DER bytes that fit; the gap is 2 * capacity + 2 characters, `<` zeros `>`."""


@dataclass(frozen=True, slots=True)
class UnsignedDocument:
    """A finished PDF but for the content of its signature slot."""

    pdf: bytes
    """All bytes; the gap is filled with zeros."""
    slot: SignatureSlot
    """Where the signature goes."""
    plan: FillPlan
    """What stands on the pages."""
    embedded: bytes
    """The associated file licence.json, as embedded."""


class ClearedDocument:
    """An unsigned document that passed preflight; `redeem()` hands it out once, so it is sealed once."""

    __slots__ = ("_document", "licence")

    def __init__(self, document: UnsignedDocument, licence: Licence, *, _token: object) -> None:
        if _token is not _TOKEN:
            raise TypeError("only preflight.clear() makes a ClearedDocument")
        self._document: UnsignedDocument | None = document
        self.licence = licence

    def redeem(self) -> UnsignedDocument:
        """Return the document, the first time; a second call is a programmer's mistake (RuntimeError)."""
        document, self._document = self._document, None
        if document is None:
            raise RuntimeError("this ClearedDocument was already redeemed")
        return document


class ClearedSeal:
    """The document so far, found to be the one on record and ready for its next seal; `redeem()` hands it out once."""

    __slots__ = ("_document", "licence")

    def __init__(self, document: bytes, licence: Licence, *, _token: object) -> None:
        if _token is not _TOKEN:
            raise TypeError("only preflight.clear_next() makes a ClearedSeal")
        self._document: bytes | None = document
        self.licence = licence

    def redeem(self) -> bytes:
        """Return the document, the first time; a second call is a RuntimeError."""
        document, self._document = self._document, None
        if document is None:
            raise RuntimeError("this ClearedSeal was already redeemed")
        return document


_TOKEN = object()


class _Finding(NamedTuple):
    """One thing that is wrong."""

    check: int
    en: str
    zh: str

    def __str__(self) -> str:
        return f"{self.check}. {self.en}"


def clear(document: UnsignedDocument, licence: Licence, licence_type: LicenceType) -> ClearedDocument:
    """Return the document ready to be sealed, once.

    Args:
        document: as the fill made it.
        licence: what it was made for.
        licence_type: the licence's type.

    Raises:
        PreflightFailed: one of the checks above fails; `findings` names every one, with its number.
    """
    plan = document.plan
    findings = [
        *_printed_texts(plan, licence),
        *_printed_fields(plan, licence, licence_type),
        *_overflows(plan),
        *_embedded_data(document, licence),
        *_seal_places(plan, licence),
        *_slot(document),
    ]
    if findings:
        more = len(findings) - 1
        raise PreflightFailed(
            f"the page does not say what the licence says: {findings[0].en}{f' (and {more} more)' if more else ''}; "
            "nothing was sealed, correct the data or the layout",
            f"版面与证照数据不一致：{findings[0].zh}{f'（另有{more}处）' if more else ''}；未加盖印章，请更正",
            findings=tuple(str(finding) for finding in findings),
        )
    return ClearedDocument(document, licence, _token=_TOKEN)


def clear_next(pdf: bytes, licence: Licence, *, on_record: str, place: int) -> ClearedSeal:
    """Return the document so far ready for its next seal, once.

    Args:
        pdf: the document with the seals before.
        licence: what it is the document of.
        on_record: SHA-256 (hex) by which the register knows the document that bears just these seals.
        place: which authority seals now, counted from 0; the first one's seal is no business of this function.

    Raises:
        PreflightFailed: 7. it is not the document on record, does not hold this licence, or has no such authority.
    """
    right = hashlib.sha256(pdf).hexdigest() == on_record and pdf.count(licence_member(licence)) == 1
    if not right or not 1 <= place < len(licence.authorities):
        finding = _Finding(
            7, "it is not the document on record, waiting for this seal", "不是登记在案、待盖此印的文件"
        )
        raise PreflightFailed(
            f"the document cannot be sealed further: {finding.en}; nothing was sealed, look at its record",
            f"不能继续加盖印章：{finding.zh}；未加盖印章，请核对登记记录",
            findings=(str(finding),),
        )
    return ClearedSeal(pdf, licence, _token=_TOKEN)


def _printed_texts(plan: FillPlan, licence: Licence) -> Iterator[_Finding]:
    """Check 1."""
    seen = set()
    lines = iter(plan.lines)
    for placement in plan.placements:
        where = f"page {placement.page}, place {placement.mcid}"
        try:
            wanted = printed(placement.template, licence, page=placement.page, pages=len(plan.pages))
            names = template_names(placement.template)
        except InvalidTemplate as error:
            yield _Finding(1, f"{where}: {error.en}", f"第{placement.page}页：{error.zh}")
            continue
        if wanted != placement.text or names != placement.fields:
            yield _Finding(
                1, f"{where} does not print {placement.template}", f"第{placement.page}页有文字不符"
            )
        if (placement.page, placement.mcid) in seen or not 1 <= placement.page <= len(plan.pages):
            yield _Finding(1, f"{where} is named twice or nowhere", f"第{placement.page}页的索引有误")
        seen.add((placement.page, placement.mcid))
        if not _drawn(placement, lines):
            yield _Finding(
                1, f"{where}: the lines are not its text", f"第{placement.page}页有一处文字与分行不符"
            )


def _drawn(placement: FieldPlacement, lines: Iterator[PlacedLine]) -> bool:
    """Tell whether the next lines hold the placement's characters; the fill notes both in the same order."""
    left = placement.text.replace("\n", "")
    while left:
        line = next(lines, None)
        if line is None or line.page != placement.page or not line.text or not left.startswith(line.text):
            return (
                line is not None
                and not line.text
                and line.page == placement.page
                and _drawn(placement, lines)
            )
        left = left[len(line.text) :]
    return True


def _printed_fields(plan: FillPlan, licence: Licence, licence_type: LicenceType) -> Iterator[_Finding]:
    """Check 2."""
    places = [place for entry in plan.placements for place in _places(entry.template)]
    whole = {place.name for place in places if place.part is None}
    divided = {place.name for place in places if place.part is not None}
    for name in sorted(divided - whole):
        spans = sorted(place.part for place in places if place.name == name and place.part is not None)
        length = len(printed(f"{{{name}}}", licence))
        if not _gapless(spans, length):
            yield _Finding(2, f"a part of {name} is missing", f"字段 {name} 有缺漏")
    for spec in licence_type.fields:
        value = licence.fields.get(spec.name)
        if not spec.printed or not value:
            continue
        missing = [name for name in _entries(spec.name, value) if not _covered(name, whole | divided)]
        if missing:
            yield _Finding(2, f"{missing[0]} stands on no page", f"字段 {missing[0]} 未印在版面上")


def _places(template: str) -> list[Place]:
    """Return a template's places; none of one that cannot be read, which check 1 tells."""
    try:
        return [part for part in parse_template(template) if isinstance(part, Place)]
    except InvalidTemplate:
        return []


def _gapless(parts: Sequence[tuple[int, int]], length: int) -> bool:
    """Tell whether the parts, first and last character from 1, make up a whole text."""
    at = 0
    for first, last in parts:
        if first > at + 1:
            return False
        at = max(at, last)
    return at >= length


def _entries(name: str, value: FieldValue | Sequence[str]) -> Iterator[str]:
    """Yield the names of everything a value holds: `body.1`, `limits.2.3`; of a text its own."""
    if isinstance(value, str):
        yield name
        return
    for number, item in enumerate(value, 1):
        if item:
            yield from _entries(f"{name}.{number}", item)


def _covered(name: str, on_page: set[str]) -> bool:
    """Tell whether `name`, or a list that holds it, is printed."""
    while name not in on_page:
        name, dot, _ = name.rpartition(".")
        if not dot:
            return False
    return True


def _overflows(plan: FillPlan) -> Iterator[_Finding]:
    """Check 3."""
    for line in plan.lines:
        x, y, width, height = line.box
        size = line.size * _MM_PER_POINT
        inside = (
            line.x >= x - _SLACK
            and line.x + line.width <= x + width + _SLACK
            and line.y - _DESCENT * size >= y - _SLACK
            and line.y + _ASCENT * size <= y + height + _SLACK
        )
        on_page = 1 <= line.page <= len(plan.pages) and _within(line.box, plan.pages[line.page - 1])
        if not inside or not on_page or (line.text.strip() and line.width <= 0):
            shown = line.text[:12]
            yield _Finding(
                3, f"page {line.page}: {shown!r} leaves its box", f"第{line.page}页“{shown}”超出其版面框"
            )


def _within(rect: tuple[float, float, float, float], page: tuple[float, float]) -> bool:
    x, y, width, height = rect
    return x >= -_SLACK and y >= -_SLACK and x + width <= page[0] + _SLACK and y + height <= page[1] + _SLACK


def _embedded_data(document: UnsignedDocument, licence: Licence) -> Iterator[_Finding]:
    """Check 4."""
    placements = document.plan.placements
    wrong = _Finding(4, "licence.json is not this licence and this index", "内嵌数据与证照或索引不一致")
    try:
        _, index = read_licence_file(document.embedded)
    except MalformedDocument:
        yield wrong
        return
    # One licence has one encoding, so equal bytes are an equal licence.
    if index != placements or document.embedded != encode_licence_file(licence, placements):
        yield wrong
    if document.pdf.count(b"stream\n" + document.embedded + b"\nendstream") != 1:
        yield _Finding(4, "the file does not hold licence.json once", "文件中内嵌数据缺失或重复")


def _seal_places(plan: FillPlan, licence: Licence) -> Iterator[_Finding]:
    """Check 5."""
    seals = (plan.seal, *plan.further_seals)
    if len(seals) != len(licence.authorities):
        yield _Finding(5, "there is not one seal for each authority", "印章数与发文机关数不一致")
    for number, seal in enumerate(seals):
        yield from _seal_place(plan, seal)
        if any(other.page == seal.page and _touch(other.rect, seal.rect) for other in seals[:number]):
            yield _Finding(5, f"seal {number + 1} touches another one", f"第{number + 1}枚印章与其他印章相交")


def _touch(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    """Tell whether two seals' boxes have a point in common."""
    return all(
        one[axis] <= other[axis] + other[axis + 2] and other[axis] <= one[axis] + one[axis + 2]
        for axis in (0, 1)
    )


def _seal_place(plan: FillPlan, seal: SealPlacement) -> Iterator[_Finding]:
    """Check 5 for one seal."""
    if not 1 <= seal.page <= len(plan.pages) or not _within(seal.rect, plan.pages[seal.page - 1]):
        yield _Finding(5, "the seal leaves its page", "印章超出页面")
    left, bottom, width, height = seal.rect
    for line in plan.lines:
        if line.page != seal.page or line.under_seal or not line.text.strip():
            continue
        size = line.size * _MM_PER_POINT
        apart = (
            line.x >= left + width - _SLACK
            or line.x + line.width <= left + _SLACK
            or line.y - _DESCENT * size >= bottom + height - _SLACK
            or line.y + _ASCENT * size <= bottom + _SLACK
        )
        if not apart:
            yield _Finding(5, f"{line.text[:12]!r} lies under the seal", f"“{line.text[:12]}”被印章压住")


def _slot(document: UnsignedDocument) -> Iterator[_Finding]:
    """Check 6."""
    pdf, slot = document.pdf, document.slot
    start, gap, end, rest = slot.byte_range
    # Directly before the gap: the same words elsewhere may be a value that somebody typed.
    written = b"/ByteRange [%d %010d %010d %010d]/Contents " % slot.byte_range
    whole = start == 0 and end - gap == 2 * slot.capacity + 2 and end + rest == len(pdf)
    if not whole or not pdf[:gap].endswith(written):
        yield _Finding(6, "ByteRange does not cover all but the gap", "签名范围未覆盖全文")
    elif pdf[gap:end] != b"<" + b"00" * slot.capacity + b">":
        yield _Finding(6, "the gap is not empty", "签名占位不为空")
    elif not pdf.startswith(b"%PDF-1.7\n") or not pdf.endswith(b"%%EOF\n"):
        yield _Finding(6, "the file is not whole", "文件不完整")
