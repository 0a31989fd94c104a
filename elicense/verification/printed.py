"""The licence inside the file beside what stands on its pages.

Plan:

1. licence.json is canonical and conforms to its schema; its signing time and document id are the file's own.
2. Every place of its index says what the licence says under the layout's template.
3. Every place stands on its page, and the marked content there draws exactly its text (marks.py).
4. The last content stream of a page draws no text in a fill font outside these places.

Decompression is bounded.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from elicense.decoding import open_licence_file
from elicense.encoding import printed, template_names
from elicense.errors import InvalidTemplate, MalformedDocument
from elicense.verification.facts import ContentFacts
from elicense.verification.marks import ContentError, marked_text, read_to_unicode
from elicense.verification.pdf import Name, Reference
from elicense.verification.structure import ATTACHMENT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from elicense.decoding import LicenceFile, PlaceHead
    from elicense.verification.data_forms import DataForms, Lesson
    from elicense.verification.marks import Font
    from elicense.verification.pdf import Value
    from elicense.verification.structure import Structure

MAX_STREAM = 32 * 1024 * 1024
"""Bytes one stream may inflate to."""
MAX_PAGES = 10_000
"""Pages a document may have."""
_FILL_FONT = re.compile(r"D[0-9]+")


class Source(Protocol):
    """Whatever finds the parts of a document that are compared."""

    @property
    def document_id(self) -> str:
        """Return the first part of the file's /ID, lower-case hex."""

    def attachment(self) -> bytes:
        """Return the embedded licence.json. Raises ContentError."""

    def pages(self) -> Sequence[dict[int, str]]:
        """Return, for each page, MCID -> text of its last content stream. Raises ContentError."""


@dataclass(frozen=True, slots=True)
class Content:
    """What comparing gave."""

    facts: ContentFacts
    """For the checks."""
    licence: dict[str, object] | None
    """The licence as plain values; None if it could not be read."""
    lesson: Lesson | None = None
    """What data_forms.py may learn if the document passes: where data and pages agree and were not compared with it."""


def read_content(data: bytes, structure: Structure, claimed_time: datetime | None) -> ContentFacts:
    """Return the embedded licence and whether the pages say the same; never raises for what the file holds."""
    return compare_content(Document(data, structure), claimed_time).facts


def compare_content(source: Source, claimed_time: datetime | None, forms: DataForms | None = None) -> Content:
    """Return what `read_content` does, of a document whose parts `source` finds.

    Args:
        source: finds them.
        claimed_time: `/M`, UTC.
        forms: what was learned from other documents of the template.
    """
    stated: dict[str, Any] = {}
    plain, error, lesson = None, None, None
    try:
        raw = source.attachment()
        known = forms.read(raw, source.document_id, claimed_time) if forms is not None else None
        if known is not None and source.pages() == known.pages:
            return Content(ContentFacts(None, **known.facts), known.plain)
        read = _licence(raw)
        plain = read.plain
        stated = _stated(read) | {"licence_file": raw.decode("utf-8")}
        if read.licence.signing_time != claimed_time or read.licence.document_id != source.document_id:
            # The data were not made for this very file.
            error = ContentError("content.identity", "signing time or document id")
        else:
            pages = source.pages()
            _compare(read, pages)
            lesson = stated["licence_file"], read, len(pages)
    except ContentError as difference:
        error = difference
    if error is not None:
        return Content(ContentFacts(error.reason, error.detail, **stated), plain)
    return Content(ContentFacts(None, **stated), plain, lesson)


def _stated(read: LicenceFile) -> dict[str, Any]:
    """Return what the checks need of the licence, by the names of ContentFacts."""
    licence, end = read.licence, read.licence.validity.end
    return {
        # As it stands there: it was read strictly, so it is what it would be written as.
        "identifier": read.plain["identifier"],
        "authority_code": licence.authority.code,
        "authority_name": licence.authority.name,
        "joint_authorities": tuple((one.code, one.name) for one in licence.joint_authorities),
        "type_code": licence.type_code,
        "valid_from": licence.validity.start.isoformat(),
        "valid_until": end.isoformat() if end else "",
    }


def _licence(raw: bytes) -> LicenceFile:
    try:
        return open_licence_file(raw)
    except MalformedDocument as error:
        raise ContentError("content.schema") from error


def _compare(read: LicenceFile, pages: Sequence[dict[int, str]]) -> None:
    """Raise ContentError unless licence, index and pages say the same."""
    seen = set()
    for place, text in read.places:
        here = place.page, place.mcid
        try:
            wanted = printed(place.template, read.licence, page=place.page, pages=len(pages))
            named = template_names(place.template)
        except InvalidTemplate as error:
            raise _differs("content.index", place) from error
        if named != place.fields:
            raise _differs("content.index", place)
        if wanted != text:
            raise _differs("content.value", place)
        if here in seen or not 1 <= place.page <= len(pages):
            raise _differs("content.index", place)
        seen.add(here)
        if pages[place.page - 1].get(place.mcid) != text.replace("\n", ""):
            raise _differs("content.printed", place)
    drawn = {(number, mcid) for number, page in enumerate(pages, 1) for mcid in page}
    if drawn - seen:
        raise ContentError("content.unlisted", f"page {min(drawn - seen)[0]}")


def _differs(reason: str, place: PlaceHead) -> ContentError:
    return ContentError(reason, f"page {place.page}, place {place.mcid}")


@dataclass(frozen=True, slots=True)
class PagePlan:
    """Where a page's dynamic text is, by object numbers."""

    content: int
    """Its last content stream."""
    fonts: tuple[tuple[bytes, int], ...]
    """Resource names of the fill's fonts with their ToUnicode streams."""


def read_pages(plans: Sequence[PagePlan], stream: Callable[[int], bytes]) -> list[dict[int, str]]:
    """Return, for each page, MCID -> text of its last content stream.

    Args:
        plans: the pages in order.
        stream: gives the decoded data of a stream by its object number.

    Raises ContentError.
    """
    maps: dict[int, Font] = {}
    found = []
    for plan in plans:
        fonts = {}
        for name, number in plan.fonts:
            if number not in maps:
                maps[number] = read_to_unicode(stream(number))
            fonts[name] = maps[number]
        found.append(marked_text(stream(plan.content), fonts))
    return found


@dataclass(frozen=True, slots=True)
class Document:
    """The objects of a file whose structure was found to be ours."""

    data: bytes
    structure: Structure
    pages_at_most: int = MAX_PAGES
    stream_at_most: int | None = None
    """Bytes one stream may inflate to; None is MAX_STREAM."""

    @property
    def document_id(self) -> str:
        """Return the first part of the file's /ID."""
        return self.structure.document_id

    def attachment(self) -> bytes:
        """Return the embedded licence.json. Raises ContentError."""
        return self._stream(attachment_number(self.structure))

    def pages(self) -> list[dict[int, str]]:
        """Return, for each page in order, MCID -> text of its last content stream. Raises ContentError."""
        return read_pages(page_plans(self.structure, self.pages_at_most), self._stream)

    def _stream(self, number: int) -> bytes:
        """Return a stream's decoded data: plain or deflated, at most MAX_STREAM bytes."""
        found = self.structure.objects.get(number)
        if found is None or found.stream is None or not isinstance(found.value, dict):
            raise ContentError("content.stream")
        raw = self.data[slice(*found.stream)]
        return inflate(raw, self.stream_at_most) if is_deflated(found.value) else raw


def is_deflated(dictionary: dict[str, Value]) -> bool:
    """Return whether a stream is deflated, not plain. Raises ContentError for any other filter."""
    kind = dictionary.get("Filter")
    if "DecodeParms" in dictionary or kind not in (None, Name("FlateDecode")):
        raise ContentError("content.stream", "filter")
    return kind is not None


def attachment_number(structure: Structure) -> int:
    """Return the object number of the embedded file. Raises ContentError if there is none."""
    for number, found in structure.objects.items():
        if "EmbeddedFile" in found.names:
            return number
    raise ContentError("content.schema", f"no {ATTACHMENT}")


def page_plans(structure: Structure, most: int = MAX_PAGES) -> tuple[PagePlan, ...]:
    """Return where each page's text is, in the order of the at most so many pages. Raises ContentError."""
    objects = _Objects(structure)
    waiting: list[Value] = [objects.dictionary(Reference(structure.root, 0)).get("Pages")]
    visited: set[Reference] = set()
    found: list[PagePlan] = []
    while waiting:
        reference = waiting.pop()
        if len(found) > most:
            raise ContentError("limit.complexity", "pages")
        if not isinstance(reference, Reference) or reference in visited:
            raise ContentError("content.pages")
        visited.add(reference)
        node = objects.dictionary(reference)
        if node.get("Type") == "Pages":
            waiting.extend(reversed(objects.items(node.get("Kids"))))
        else:
            found.append(objects.page(node))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Objects:
    """The values of a document's objects."""

    structure: Structure

    def page(self, page: dict[str, Value]) -> PagePlan:
        """Return where the text of a page is."""
        contents = self.items(page.get("Contents"))
        if not contents:
            raise ContentError("content.pages")
        fonts = self.dictionary(self.dictionary(page.get("Resources")).get("Font") or {})
        return PagePlan(
            _number(contents[-1]),
            tuple(
                (name.encode("ascii"), self.to_unicode(font))
                for name, font in fonts.items()
                if _FILL_FONT.fullmatch(name)
            ),
        )

    def to_unicode(self, reference: Value) -> int:
        """Return the object number of a fill font's ToUnicode stream."""
        font = self.dictionary(reference)
        if font.get("Encoding") != "Identity-H":
            raise ContentError("content.font")
        return _number(font.get("ToUnicode"))

    def dictionary(self, value: Value) -> dict[str, Value]:
        """Return a dictionary, given directly or by reference."""
        resolved = self._resolve(value)
        if not isinstance(resolved, dict):
            raise ContentError("content.pages")
        return resolved

    def items(self, value: Value) -> list[Value]:
        """Return the items of an array, given directly or by reference; another value is one item."""
        resolved = self._resolve(value)
        if isinstance(resolved, list):
            return resolved
        return [] if value is None else [value]

    def _resolve(self, value: Value) -> Value:
        if isinstance(value, Reference):
            target = self.structure.objects.get(value.number)
            return target.value if target else None
        return value


def _number(value: Value) -> int:
    """Return the number of the object that a stream must be."""
    if not isinstance(value, Reference):
        raise ContentError("content.stream")
    return value.number


def inflate(raw: bytes, most: int | None = None) -> bytes:
    """Return deflated data. Raises ContentError if damaged, not used up, or larger than `most`, else MAX_STREAM."""
    decoder = zlib.decompressobj()
    try:
        result = decoder.decompress(raw, most or MAX_STREAM)
    except zlib.error as error:
        raise ContentError("content.stream", "damaged") from error
    if decoder.unconsumed_tail:
        raise ContentError("limit.complexity", "a stream that inflates too far")
    if not decoder.eof or decoder.unused_data:
        raise ContentError("content.stream", "cut or followed by other bytes")
    return result
