"""What stands on the pages, read back from the fill's own grammar, beside the licence inside the file.

Plan:

1. licence.json is canonical and conforms to its schema; its signing time and document id are the file's own.
2. Every place of its index says what the licence says under the layout's template.
3. Every place stands on its page, and the marked content there draws exactly its text.
4. The last content stream of a page draws no text in a fill font outside these places.

This is no PDF text extractor: it knows the one form in which fill.py writes a place (docs/format.md) and
calls everything else a difference. Decompression is bounded.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from elicense.encoding import printed, read_licence_file, template_names
from elicense.errors import InvalidTemplate, MalformedDocument
from elicense.verification.facts import ContentFacts
from elicense.verification.pdf import MAX_DEPTH, Name, Reference
from elicense.verification.structure import ATTACHMENT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from elicense.model import FieldPlacement, Licence
    from elicense.verification.pdf import Value
    from elicense.verification.structure import Structure

MAX_STREAM = 32 * 1024 * 1024
"""Bytes one stream may inflate to."""
MAX_PAGES = 10_000
"""Pages a document may have."""
_OPERATOR = re.compile(
    rb"/(?P<tag>[A-Za-z0-9]+)[ \n]*<<(?P<properties>[^<>]*)>>[ \n]*BDC\b"
    rb"|(?P<begin>/[A-Za-z0-9]+[ \n]+(?:/[A-Za-z0-9]+[ \n]+BDC|BMC)\b)"
    rb"|(?P<end>\bEMC\b)"
    rb"|/(?P<font>[A-Za-z0-9]+)[ \n]+[0-9.]+[ \n]+Tf\b"
    rb"|<(?P<hex>[0-9A-Fa-f]*)>[ \n]*Tj\b"
    rb"|(?P<other>\bTJ\b|\)[ \n]*(?:Tj\b|'|\"))"
)
_MCID = re.compile(rb"/MCID[ \n]+([0-9]{1,7})\b")
_BFCHAR = re.compile(rb"<([0-9A-Fa-f]{4})>[ \n]*<([0-9A-Fa-f]{4,16})>")
_BFRANGE = re.compile(
    rb"<([0-9A-Fa-f]{4})>[ \n]*<([0-9A-Fa-f]{4})>[ \n]*\[((?:[ \n]*<[0-9A-Fa-f]{4,16}>)+)[ \n]*\]"
)
_FILL_FONT = re.compile(r"D[0-9]+")


class ContentError(Exception):
    """Embedded and printed data cannot be read or disagree; `reason` is a stable code."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


def read_content(data: bytes, structure: Structure, claimed_time: datetime | None) -> ContentFacts:
    """Return the embedded licence and whether the pages say the same; never raises for what the file holds."""
    document = _Document(data, structure)
    stated: dict[str, Any] = {}
    try:
        raw = document.attachment()
        licence, index = _licence(raw)
        stated = _stated(licence) | {"licence_file": raw.decode("utf-8")}
        _compare_identity(licence, structure, claimed_time)
        _compare(licence, index, document.pages())
    except ContentError as error:
        return ContentFacts(error.reason, error.detail, **stated)
    return ContentFacts(None, **stated)


def _stated(licence: Licence) -> dict[str, Any]:
    """Return what the checks need of the licence, by the names of ContentFacts."""
    end = licence.validity.end
    return {
        "identifier": str(licence.identifier),
        "authority_code": licence.authority.code,
        "authority_name": licence.authority.name,
        "joint_authorities": tuple((one.code, one.name) for one in licence.joint_authorities),
        "type_code": licence.type_code,
        "valid_from": licence.validity.start.isoformat(),
        "valid_until": end.isoformat() if end else "",
    }


def _licence(raw: bytes) -> tuple[Licence, tuple[FieldPlacement, ...]]:
    try:
        return read_licence_file(raw)
    except MalformedDocument as error:
        raise ContentError("content.schema") from error


def _compare_identity(licence: Licence, structure: Structure, claimed_time: datetime | None) -> None:
    """Raise ContentError unless the data were made for this very file."""
    if licence.signing_time != claimed_time or licence.document_id != structure.document_id:
        raise ContentError("content.identity", "signing time or document id")


def _compare(licence: Licence, index: tuple[FieldPlacement, ...], pages: list[dict[int, str]]) -> None:
    """Raise ContentError unless licence, index and pages say the same."""
    seen = set()
    for place in index:
        where = f"page {place.page}, place {place.mcid}"
        _check_template(licence, place, len(pages), where)
        if (place.page, place.mcid) in seen or not 1 <= place.page <= len(pages):
            raise ContentError("content.index", where)
        seen.add((place.page, place.mcid))
        if pages[place.page - 1].get(place.mcid) != place.text.replace("\n", ""):
            raise ContentError("content.printed", where)
    drawn = {(number, mcid) for number, page in enumerate(pages, 1) for mcid in page}
    if drawn - seen:
        raise ContentError("content.unlisted", f"page {min(drawn - seen)[0]}")


def _check_template(licence: Licence, place: FieldPlacement, pages: int, where: str) -> None:
    """Raise ContentError unless the place's text is what its template makes of the licence."""
    try:
        wanted = printed(place.template, licence, page=place.page, pages=pages)
        names = template_names(place.template)
    except InvalidTemplate as error:
        raise ContentError("content.index", where) from error
    if names != place.fields:
        raise ContentError("content.index", where)
    if wanted != place.text:
        raise ContentError("content.value", where)


@dataclass(frozen=True, slots=True)
class _Document:
    """The objects of a file whose structure was found to be ours."""

    data: bytes
    structure: Structure

    def attachment(self) -> bytes:
        """Return the embedded licence.json."""
        for number, found in self.structure.objects.items():
            if "EmbeddedFile" in found.names:
                return self._stream(Reference(number, 0))
        raise ContentError("content.schema", f"no {ATTACHMENT}")

    def pages(self) -> list[dict[int, str]]:
        """Return, for each page in order, the text of each marked content in its last content stream."""
        waiting: list[Value] = [self._dictionary(Reference(self.structure.root, 0)).get("Pages")]
        visited: set[Reference] = set()
        found: list[dict[int, str]] = []
        while waiting:
            reference = waiting.pop()
            if len(found) > MAX_PAGES:
                raise ContentError("limit.complexity", "pages")
            if not isinstance(reference, Reference) or reference in visited:
                raise ContentError("content.pages")
            visited.add(reference)
            node = self._dictionary(reference)
            if node.get("Type") == "Pages":
                waiting.extend(reversed(self._list(node.get("Kids"))))
            else:
                found.append(self._page(node))
        return found

    def _page(self, page: dict[str, Value]) -> dict[int, str]:
        contents = self._list(page.get("Contents"))
        if not contents:
            raise ContentError("content.pages")
        fonts = self._dictionary(self._dictionary(page.get("Resources")).get("Font") or {})
        return _marked_text(self._stream(contents[-1]), self._characters(fonts))

    def _characters(self, fonts: dict[str, Value]) -> dict[str, dict[int, str]]:
        """Return resource name -> two-byte code -> characters, for the fill's own fonts."""
        found = {}
        for name, reference in fonts.items():
            if _FILL_FONT.fullmatch(name):
                font = self._dictionary(reference)
                if font.get("Encoding") != "Identity-H":
                    raise ContentError("content.font")
                found[name] = _read_to_unicode(self._stream(font.get("ToUnicode")))
        return found

    def _resolve(self, value: Value) -> Value:
        if isinstance(value, Reference):
            target = self.structure.objects.get(value.number)
            return target.value if target else None
        return value

    def _dictionary(self, value: Value) -> dict[str, Value]:
        resolved = self._resolve(value)
        if not isinstance(resolved, dict):
            raise ContentError("content.pages")
        return resolved

    def _list(self, value: Value) -> list[Value]:
        resolved = self._resolve(value)
        if isinstance(resolved, list):
            return resolved
        return [] if value is None else [value]

    def _stream(self, reference: Value) -> bytes:
        """Return a stream's decoded data: plain or deflated, at most MAX_STREAM bytes."""
        found = self.structure.objects.get(reference.number) if isinstance(reference, Reference) else None
        if found is None or found.stream is None or not isinstance(found.value, dict):
            raise ContentError("content.stream")
        raw = self.data[slice(*found.stream)]
        kind = found.value.get("Filter")
        if "DecodeParms" in found.value or kind not in (None, Name("FlateDecode")):
            raise ContentError("content.stream", "filter")
        return raw if kind is None else inflate(raw)


def inflate(raw: bytes) -> bytes:
    """Return deflated data. Raises ContentError if damaged, not used up, or larger than MAX_STREAM."""
    decoder = zlib.decompressobj()
    try:
        result = decoder.decompress(raw, MAX_STREAM)
    except zlib.error as error:
        raise ContentError("content.stream", "damaged") from error
    if decoder.unconsumed_tail:
        raise ContentError("limit.complexity", "a stream that inflates too far")
    if not decoder.eof or decoder.unused_data:
        raise ContentError("content.stream", "cut or followed by other bytes")
    return result


def _read_to_unicode(cmap: bytes) -> dict[int, str]:
    """Return code -> characters. Raises ContentError if a code occurs twice, or a range does not fit its texts."""
    found: dict[int, str] = {}
    count = 0
    try:
        for first, last, listed in _BFRANGE.findall(cmap):
            codes = range(int(first, 16), int(last, 16) + 1)
            found.update(zip(codes, _texts(listed), strict=True))
            count += len(codes)
        for code, text in _BFCHAR.findall(_BFRANGE.sub(b"", cmap)):
            found[int(code, 16)] = bytes.fromhex(text.decode()).decode("utf-16-be")
            count += 1
    except ValueError as error:
        raise ContentError("content.font") from error
    if len(found) != count:
        raise ContentError("content.font")
    return found


def _texts(listed: bytes) -> Sequence[str]:
    """Return the texts of hex strings in brackets. Raises ValueError if one is not UTF-16."""
    each = listed.translate(None, b" \n<").split(b">")[:-1]
    digits = b"".join(each)
    if len(digits) == 4 * len(each):
        whole = bytes.fromhex(digits.decode()).decode("utf-16-be")
        if len(whole) == len(each):
            return whole
    # A pair of surrogates, or halves of one that must not be taken for it.
    return [bytes.fromhex(one.decode()).decode("utf-16-be") for one in each]


def _marked_text(stream: bytes, fonts: dict[str, dict[int, str]]) -> dict[int, str]:
    """Return MCID -> text of one content stream. Raises ContentError for text shown in any other way."""
    marks = _Marks()
    font: dict[int, str] | None = None
    for match in _OPERATOR.finditer(stream):
        kind = match.lastgroup
        if kind in {"properties", "begin"}:
            marks.open(_MCID.search(match["properties"] or b""))
        elif kind == "end":
            marks.close()
        elif kind == "font":
            font = fonts.get(match["font"].decode("ascii"))
        elif kind == "other":
            raise ContentError("content.stream", "text shown in another way")
        elif font is not None:
            marks.show(_characters(match["hex"], font))
    if marks.waiting:
        raise ContentError("content.stream", "marks")
    return {mcid: "".join(texts) for mcid, texts in marks.found.items() if texts}


class _Marks:
    """Marked content while a stream is read."""

    def __init__(self) -> None:
        self.found: dict[int, list[str]] = {}
        self.waiting: list[int | None] = []

    def open(self, mcid: re.Match[bytes] | None) -> None:
        """A sequence begins, with or without an identifier. Raises ContentError if the identifier occurred before."""
        number = None if mcid is None else int(mcid[1])
        self.waiting.append(number)
        if len(self.waiting) > MAX_DEPTH:
            raise ContentError("content.stream", "marks")
        if number is not None:
            if number in self.found:
                raise ContentError("content.stream", "marks")
            self.found[number] = []

    def close(self) -> None:
        """The innermost sequence ends. Raises ContentError if there is none."""
        if not self.waiting:
            raise ContentError("content.stream", "marks")
        self.waiting.pop()

    def show(self, text: str) -> None:
        """Text is shown. Raises ContentError outside every sequence with an identifier."""
        mark = next((mark for mark in reversed(self.waiting) if mark is not None), None)
        if mark is None:
            raise ContentError("content.unlisted")
        self.found[mark].append(text)


def _characters(digits: bytes, font: dict[int, str]) -> str:
    if len(digits) % 4:
        raise ContentError("content.stream", "codes")
    try:
        return "".join(font[int(digits[at : at + 4], 16)] for at in range(0, len(digits), 4))
    except KeyError as error:
        raise ContentError("content.font", "a code without a character") from error
