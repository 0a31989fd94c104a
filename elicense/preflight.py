"""Preflight: the filled page against its licence, before the real key moves. Clearance is spent once.

Plan (the numbers are those of the findings; 1, 2, 3 and 5 look at what stands on the pages and are rehearsed before
a number is reserved, 4 and 6 look at the bytes):

1. Every printed text equals what the licence says under the layout's template; its lines lose no character.
2. Every field of the licence that its type prints stands on a page: each entry of a list, all of a divided text.
3. No text overflows its box, no box its page, no line with characters is without width (on the placed lines; the
   fill refuses a character without a glyph before it places it).
4. The embedded licence.json is this very licence, encoded anew, and its index names these very placements. One
   licence has one encoding, so equal bytes are an equal licence; that they decode to it again is the verifier's to
   say, of the finished file and before it counts.
5. Nothing but an authority's name and the date lies under a seal; a seal stays inside its page, apart from others;
   there is one for each authority.
6. The signature slot is one gap of the stated length, its ByteRange covers all else.

Before each further seal of a joint document:

7. The document so far is the one on record, holds this very licence, and waits for this authority.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from operator import is_
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from elicense.encoding import encode_index, encode_licence_file, licence_member
from elicense.errors import InvalidTemplate, PreflightFailed
from elicense.wording import Place, Printer, parse_template, template_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from hashlib import _Hash as Hash

    from elicense.catalogue import LicenceType
    from elicense.model import FieldPlacement, FieldValue, Licence

_T = TypeVar("_T")
_MM_PER_POINT = 25.4 / 72
_SLACK = 0.05
"""Millimetres of rounding."""
_ASCENT, _DESCENT = 0.88, 0.12
"""Of the ideographic em box above and below the baseline, in em."""


class PlacedLine(NamedTuple):
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


@dataclass(frozen=True, slots=True, eq=False)
class Furniture:
    """The fixed texts of one page of a template: the same object for all its licences, so it is looked at once."""

    lines: tuple[PlacedLine, ...]
    """Measured when the template was compiled; their page number means nothing."""


@dataclass(frozen=True)
class FillPlan:
    """What the fill puts on the pages: the input of preflight, made without reading the PDF back."""

    pages: tuple[tuple[float, float], ...]
    """Width and height of each page in mm."""
    lines: tuple[PlacedLine, ...]
    """Every dynamic line, in the order of the placements."""
    placements: tuple[FieldPlacement, ...]
    """The data index, as embedded."""
    seal: SealPlacement
    """Where the first seal goes."""
    further_seals: tuple[SealPlacement, ...] = ()
    """Where the seals of the joint authorities go, in the order of sealing."""
    furniture: Furniture = Furniture(())
    """What is always printed on the seal's page."""

    @cached_property
    def index(self) -> bytes:
        """The data index as licence.json has it; it follows from the placements, and is encoded once."""
        return encode_index(self.placements)


@dataclass(frozen=True, slots=True)
class SignatureSlot:
    """The hole in the finished bytes that the CMS goes into."""

    byte_range: tuple[int, int, int, int]
    """`/ByteRange`, already written into the bytes: 0, start of the gap, end of the gap, length after it."""
    capacity: int
    """DER bytes that fit; the gap is 2 * capacity + 2 characters, `<` zeros `>`."""


class HashedPrefix(NamedTuple):
    """The bytes that begin every document of a template, already digested: who signs has only the rest to read."""

    length: int
    """So many bytes from the file's first, all of them before the signature's gap."""
    state: Hash
    """SHA-256 of them, to be copied before it is updated with what follows."""


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
    hashed: HashedPrefix | None = field(default=None, compare=False, repr=False)
    """How the file begins, if that is the same in every document of its template; it follows from `pdf`."""


class _Cleared(Generic[_T]):
    """What passed preflight; `redeem()` hands it out once, so it is sealed once."""

    __slots__ = ("_document", "licence")

    def __init__(self, document: _T, licence: Licence, *, _token: object) -> None:
        if _token is not _TOKEN:
            raise TypeError("only preflight clears a document")
        self._document: _T | None = document
        self.licence = licence

    def redeem(self) -> _T:
        """Return the document, the first time; a second call is a programmer's mistake (RuntimeError)."""
        document, self._document = self._document, None
        if document is None:
            raise RuntimeError(f"this {type(self).__name__} was already redeemed")
        return document


class ClearedDocument(_Cleared[UnsignedDocument]):
    """An unsigned document, made by `clear`."""

    __slots__ = ()


class ClearedSeal(_Cleared[bytes]):
    """The document so far, found by `clear_next` to be the one on record and ready for its next seal."""

    __slots__ = ()


class InspectedPages:
    """Pages planned for a licence of a type, found right in checks 1, 2, 3 and 5; nothing of the three can change."""

    __slots__ = ("_inspected",)

    def __init__(self, *inspected: object, _token: object) -> None:
        if _token is not _TOKEN:
            raise TypeError("only preflight.rehearse() makes InspectedPages")
        self._inspected = inspected

    def of(self, plan: FillPlan, licence: Licence, licence_type: LicenceType) -> bool:
        """Tell whether these very objects were inspected together."""
        return all(map(is_, self._inspected, (plan, licence, licence_type)))


_TOKEN = object()


class _Finding(NamedTuple):
    """One thing that is wrong."""

    check: int
    en: str
    zh: str

    def __str__(self) -> str:
        return f"{self.check}. {self.en}"


def rehearse(plan: FillPlan, printer: Printer, licence_type: LicenceType) -> InspectedPages:
    """Return the pages planned for the printer's licence as inspected: checks 1, 2, 3 and 5.

    Raises:
        PreflightFailed: as `clear`.
    """
    _require_none(_on_the_pages(plan, printer, licence_type))
    return InspectedPages(plan, printer.licence, licence_type, _token=_TOKEN)


def clear(
    document: UnsignedDocument,
    licence: Licence,
    licence_type: LicenceType,
    inspected: InspectedPages | None = None,
) -> ClearedDocument:
    """Return the document ready to be sealed, once.

    Args:
        document: as the fill made it.
        licence: what it was made for.
        licence_type: the licence's type.
        inspected: from the rehearsal; if it is of this very plan, licence and type, the pages are not looked at again.

    Raises:
        PreflightFailed: one of the checks above fails; `findings` names every one, with its number.
    """
    findings = [*_embedded_data(document, licence), *_slot(document)]
    if inspected is None or not inspected.of(document.plan, licence, licence_type):
        findings += _on_the_pages(document.plan, Printer(licence), licence_type)
    _require_none(findings)
    return ClearedDocument(document, licence, _token=_TOKEN)


def _on_the_pages(plan: FillPlan, printer: Printer, licence_type: LicenceType) -> list[_Finding]:
    """Return what is wrong with the pages."""
    return [
        *_printed_texts(plan, printer),
        *_printed_fields(plan, printer, licence_type),
        *_overflows(plan),
        *_seal_places(plan, printer.licence),
    ]


def _require_none(findings: Sequence[_Finding]) -> None:
    """Raise PreflightFailed with all findings, in the order of the checks, if there are any."""
    findings = sorted(findings, key=lambda finding: finding.check)
    if findings:
        more = len(findings) - 1
        raise PreflightFailed(
            f"the page does not say what the licence says: {findings[0].en}{f' (and {more} more)' if more else ''}; "
            "nothing was sealed, correct the data or the layout",
            f"版面与证照数据不一致：{findings[0].zh}{f'（另有{more}处）' if more else ''}；未加盖印章，请更正",
            findings=tuple(str(finding) for finding in findings),
        )


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


def _printed_texts(plan: FillPlan, printer: Printer) -> Iterator[_Finding]:
    """Check 1."""
    seen = set()
    lines = iter(plan.lines)
    count = len(plan.pages)
    for placement in plan.placements:
        template, fields, page, _, mcid, text = placement
        try:
            right = printer(template, page, count) == text and template_names(template) == fields
        except InvalidTemplate as error:
            yield _Finding(1, f"{_where(placement)}: {error.en}", f"第{page}页：{error.zh}")
            continue
        if not right:
            yield _Finding(1, f"{_where(placement)} does not print {template}", f"第{page}页有文字不符")
        if (page, mcid) in seen or not 1 <= page <= count:
            yield _Finding(1, f"{_where(placement)} is named twice or nowhere", f"第{page}页的索引有误")
        seen.add((page, mcid))
        if not _drawn(text, page, lines):
            yield _Finding(
                1, f"{_where(placement)}: the lines are not its text", f"第{page}页有一处文字与分行不符"
            )


def _where(placement: FieldPlacement) -> str:
    return f"page {placement.page}, place {placement.mcid}"


def _drawn(text: str, page: int, lines: Iterator[PlacedLine]) -> bool:
    """Tell whether the next lines hold just the text's characters; the fill notes both in the same order."""
    left = text.replace("\n", "")
    while left:
        line = next(lines, None)
        if line is None or line.page != page or not left.startswith(line.text):
            return False
        left = left[len(line.text) :]
    return True


def _printed_fields(plan: FillPlan, printer: Printer, licence_type: LicenceType) -> Iterator[_Finding]:
    """Check 2."""
    places = [place for entry in plan.placements for place in _places(entry.template)]
    whole = {place.name for place in places if place.part is None}
    divided = {place.name for place in places if place.part is not None} - whole
    for name in sorted(divided):
        spans = sorted(place.part for place in places if place.name == name and place.part is not None)
        if not _gapless(spans, len(printer(f"{{{name}}}"))):
            yield _Finding(2, f"a part of {name} is missing", f"字段 {name} 有缺漏")
    on_page = whole | divided
    for spec in licence_type.fields:
        value = printer.licence.fields.get(spec.name)
        if not spec.printed or not value or spec.name in on_page:
            continue
        missing = [name for name in _entries(spec.name, value) if not _covered(name, on_page)]
        if missing:
            yield _Finding(2, f"{missing[0]} stands on no page", f"字段 {missing[0]} 未印在版面上")


@lru_cache(maxsize=4096)
def _places(template: str) -> tuple[Place, ...]:
    """Return a template's places; none of one that cannot be read, which check 1 tells."""
    try:
        return tuple(part for part in parse_template(template) if isinstance(part, Place))
    except InvalidTemplate:
        return ()


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
    for size in plan.pages[plan.seal.page - 1 : plan.seal.page]:
        yield from _fixed_overflows(plan.furniture, size, plan.seal.page)
    for line in plan.lines:
        on_page = 1 <= line.page <= len(plan.pages)
        if not on_page or not _stays(line, plan.pages[line.page - 1]):
            yield _overflow(line, line.page)


@lru_cache(maxsize=256)
def _fixed_overflows(furniture: Furniture, size: tuple[float, float], page: int) -> tuple[_Finding, ...]:
    """Check 3 for what is always printed."""
    return tuple(_overflow(line, page) for line in furniture.lines if not _stays(line, size))


def _overflow(line: PlacedLine, page: int) -> _Finding:
    shown = line.text[:12]
    return _Finding(3, f"page {page}: {shown!r} leaves its box", f"第{page}页“{shown}”超出其版面框")


def _stays(line: PlacedLine, page: tuple[float, float]) -> bool:
    """Tell whether a line stays inside its box, its box inside the page, and characters take up room."""
    text, _, left, y, wide, size, (x, foot, width, height), _ = line
    em = size * _MM_PER_POINT
    return (
        -_SLACK <= x <= left + _SLACK
        and left + wide - _SLACK <= x + width <= page[0] + _SLACK
        and -_SLACK <= foot <= y - _DESCENT * em + _SLACK
        and y + _ASCENT * em - _SLACK <= foot + height <= page[1] + _SLACK
        and (wide > 0 or not text.strip())
    )


def _within(rect: tuple[float, float, float, float], page: tuple[float, float]) -> bool:
    x, y, width, height = rect
    return x >= -_SLACK and y >= -_SLACK and x + width <= page[0] + _SLACK and y + height <= page[1] + _SLACK


def _embedded_data(document: UnsignedDocument, licence: Licence) -> Iterator[_Finding]:
    """Check 4."""
    if document.embedded != encode_licence_file(licence, document.plan.index):
        yield _Finding(4, "licence.json is not this licence and this index", "内嵌数据与证照或索引不一致")
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
    if seal.page == plan.seal.page:
        yield from _fixed_below(plan.furniture, seal.rect)
    for line in plan.lines:
        if line.page == seal.page and _lies_below(line, seal.rect):
            yield _below(line)


@lru_cache(maxsize=256)
def _fixed_below(furniture: Furniture, seal: tuple[float, float, float, float]) -> tuple[_Finding, ...]:
    """Check 5 for one seal and what is always printed."""
    return tuple(_below(line) for line in furniture.lines if _lies_below(line, seal))


def _below(line: PlacedLine) -> _Finding:
    return _Finding(5, f"{line.text[:12]!r} lies under the seal", f"“{line.text[:12]}”被印章压住")


def _lies_below(line: PlacedLine, seal: tuple[float, float, float, float]) -> bool:
    """Tell whether a seal would cover a line that it may not cover."""
    text, _, x, y, wide, size, _, under_seal = line
    left, foot, width, height = seal
    em = size * _MM_PER_POINT
    return not (
        y + _ASCENT * em <= foot + _SLACK
        or y - _DESCENT * em >= foot + height - _SLACK
        or x + wide <= left + _SLACK
        or x >= left + width - _SLACK
        or under_seal
        or not text.strip()
    )


def _slot(document: UnsignedDocument) -> Iterator[_Finding]:
    """Check 6."""
    pdf, slot = document.pdf, document.slot
    start, gap, end, rest = slot.byte_range
    # Directly before the gap: the same words elsewhere may be a value that somebody typed.
    written = b"/ByteRange [%d %010d %010d %010d]/Contents " % slot.byte_range
    whole = start == 0 and end - gap == 2 * slot.capacity + 2 and end + rest == len(pdf)
    if not whole or not pdf.endswith(written, 0, gap):
        yield _Finding(6, "ByteRange does not cover all but the gap", "签名范围未覆盖全文")
    elif pdf[gap:end] != b"<" + b"00" * slot.capacity + b">":
        yield _Finding(6, "the gap is not empty", "签名占位不为空")
    elif not pdf.startswith(b"%PDF-1.7\n") or not pdf.endswith(b"%%EOF\n"):
        yield _Finding(6, "the file is not whole", "文件不完整")
