"""licence.json and other canonical JSON to the model: what is read is exactly what encoding.py writes.

Plan of `read_licence_file`:

1. The index is taken entry by entry by one expression that knows how an entry is written. What stands before an
   entry's text is the same on every licence of a layout; it is read strictly once and remembered.
2. The licence behind it is read as JSON and encoded again: only the same text is its canonical form.
3. Whatever the expression does not match is read as any canonical JSON, which also says what is wrong.

The expression replaces reading and encoding the whole index again as JSON: 60 us instead of 220 us for the licence
of one page (tests/unit/test_decoding.py compares the two).
"""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeVar, cast

from elicense.encoding import LARGEST_INTEGER, LICENCE_SCHEMA, canonical_json, utc_text
from elicense.errors import InvalidLicenceData, MalformedDocument
from elicense.identifiers import LicenceIdentifier
from elicense.model import (
    AuthorityLevel,
    DocumentCategory,
    FieldPlacement,
    FieldValue,
    Holder,
    IssuingAuthority,
    Licence,
    LicenceDraft,
    Validity,
)
from elicense.wording import MOST_AUTHORITIES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from enum import StrEnum

_E = TypeVar("_E", bound="StrEnum")


# --- Canonical JSON ---


def read_canonical_json(data: bytes) -> object:
    """Return what `data` encodes; `canonical_json` of the result is `data` again.

    Raises:
        MalformedDocument: not UTF-8, not JSON, duplicate keys, fractions, numbers out of range, nested too
            deep, or any encoding but the canonical one.
    """
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
        again = canonical_json(value)
    except (ValueError, TypeError, RecursionError) as error:
        raise _malformed("it is not readable") from error
    if again != data:
        raise _malformed("it is not in canonical form")
    return cast("object", value)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


def _integer(text: str) -> int:
    if len(text) > len(str(-LARGEST_INTEGER)):
        raise ValueError("number out of range")
    return int(text)


def _refuse_number(text: str) -> NoReturn:
    raise ValueError(f"no such number here: {text[:20]}")


def _malformed(why: str) -> MalformedDocument:
    return MalformedDocument(
        f"the embedded licence data cannot be used: {why}; ask the issuing authority for a fresh copy",
        "内嵌证照数据无法使用，请向颁发机构重新获取该文件",
        field="licence.json",
    )


_DECODER = json.JSONDecoder(parse_float=_refuse_number, parse_constant=_refuse_number)
"""Reads a licence; a name twice or a number in another form shows when the result is encoded again."""
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False)
"""Writes what `canonical_json` does of values that a decoder made."""


# --- JSON to model ---


class PlaceHead(NamedTuple):
    """One entry of the index without its text: what a layout prints there, and where."""

    template: str
    """The layout's text with `{field|format}` places."""
    fields: tuple[str, ...]
    """Names the template draws on."""
    page: int
    """1-based page number."""
    rect: tuple[int, int, int, int]
    """x, y, width, height in hundredths of a millimetre from the page's lower left."""
    mcid: int
    """Marked-content identifier on that page."""


class LicenceFile(NamedTuple):
    """What licence.json holds."""

    licence: Licence
    """The licence."""
    places: tuple[tuple[PlaceHead, str], ...]
    """The index: each place with the text that is printed there."""
    plain: dict[str, object]
    """The licence as plain values, keys as in `licence_to_json`."""


_BEGIN, MIDDLE, END = '{"index":[', ',"licence":', f',"schema":"{LICENCE_SCHEMA}"}}'
"""What stands before the entries of the index, between them and the licence, and behind it."""
_PLAIN = r'[^"\\\x00-\x1f]'
_ESCAPED = r'\\(?:["\\bfnrt]|u00(?:0[0-7be-f]|1[0-9a-f]))'
_ENTRY = re.compile(
    r'\{("fields":\[[^\]\\]{0,600}\],"mcid":[0-9]{1,16},"page":[0-9]{1,16},"rect":\[[-0-9,]{7,80}\],'
    rf'"template":"{_PLAIN}{{0,300}}+(?:{_ESCAPED}{_PLAIN}{{0,300}}+){{0,3}}+"),'
    rf'"text":"({_PLAIN}*+(?:{_ESCAPED}{_PLAIN}*+)*+)"\}}([,\]])'
)
"""An entry; what stands before its text is bounded, because it is remembered. Escapes are those that are canonical."""


def read_licence_file(data: bytes) -> tuple[Licence, tuple[FieldPlacement, ...]]:
    """Return the licence and the index that `data` encodes.

    Raises:
        MalformedDocument: `data` is not canonical JSON of exactly this schema.
    """
    read = open_licence_file(data)
    index = tuple(FieldPlacement(*head, text) for head, text in read.places)
    return read.licence, index


def open_licence_file(data: bytes) -> LicenceFile:
    """Return what `read_licence_file` does, the index without a FieldPlacement for each entry.

    Raises:
        MalformedDocument: `data` is not canonical JSON of exactly this schema.
    """
    return _as_written(data) or _as_json(data)


def _as_written(data: bytes) -> LicenceFile | None:
    """Return what is in a licence.json written as the issuer does, None for another one. Raises MalformedDocument."""
    try:
        text = data.decode("utf-8")
        places, end = _places(text)
        if not text.startswith(MIDDLE, end) or not text.endswith(END):
            return None
        encoded = text[end + len(MIDDLE) : -len(END)]
        plain = _DECODER.decode(encoded)
        if _ENCODER.encode(plain) != encoded:
            return None
    except (ValueError, RecursionError):
        return None
    return LicenceFile(licence_from_json(plain), places, plain)


def _places(text: str) -> tuple[tuple[tuple[PlaceHead, str], ...], int]:
    """Return the entries of the index that `text` begins with, and where it ends.

    Raises ValueError for entries of another form, MalformedDocument for what no entry may say.
    """
    found: list[tuple[PlaceHead, str]] = []
    at, more = len(_BEGIN) if text.startswith(_BEGIN) else len(text), ","
    while more == ",":
        entry = _ENTRY.match(text, at)
        if entry is None:
            raise ValueError("an entry that is not as the issuer writes it")
        head, said, more = entry.groups()
        found.append((_head(head), said if "\\" not in said else _DECODER.decode(f'"{said}"')))
        at = entry.end()
    return tuple(found), at


@lru_cache(maxsize=2048)
def _head(text: str) -> PlaceHead:
    """Return the head of an entry. Raises MalformedDocument unless it is canonical and of the schema."""
    body = read_canonical_json(f"{{{text}}}".encode())
    return _place_head(_keys(body, {"fields", "mcid", "page", "rect", "template"}))


def _as_json(data: bytes) -> LicenceFile:
    body = _keys(read_canonical_json(data), {"schema", "licence", "index"})
    if body["schema"] != LICENCE_SCHEMA:
        raise _malformed("it follows another schema")
    entries = [_keys(item, _PLACE_KEYS) for item in _list(body["index"])]
    places = tuple((_place_head(entry), _text(entry["text"])) for entry in entries)
    return LicenceFile(licence_from_json(body["licence"]), places, _mapping(body["licence"]))


def licence_from_json(value: object) -> Licence:
    """Return the licence that `licence_to_json` wrote.

    Raises:
        MalformedDocument: a key is missing or extra, a value has another type or form, or the identifier is not
            one of this type and authority.
    """
    body = _keys(value, _LICENCE_KEYS, _OPTIONAL_KEYS)
    try:
        identifier = LicenceIdentifier.parse(_text(body["identifier"]))
    except InvalidLicenceData as error:
        raise _malformed("its identifier is wrong") from error
    parts = _draft_parts(body)
    if identifier.type_code != parts["type_code"] or identifier.issuer_code != parts["authority"].code:
        raise _malformed("its identifier is not one of this type and authority")
    document_id = _text(body["document_id"])
    if not _DOCUMENT_ID.fullmatch(document_id):
        raise _malformed("its document id is wrong")
    return Licence(
        **parts,
        identifier=identifier,
        number=_text(body["number"]),
        signing_time=_moment(body["signing_time"]),
        document_id=document_id,
    )


def draft_from_json(value: object) -> LicenceDraft:
    """Return the draft that `draft_to_json` wrote.

    Raises:
        MalformedDocument: a key is missing or extra, or a value has another type or form.
    """
    return LicenceDraft(**_draft_parts(_keys(value, _DRAFT_KEYS, _OPTIONAL_KEYS)))


def placement_from_json(value: object) -> FieldPlacement:
    """Return the index entry that `placement_to_json` wrote.

    Raises:
        MalformedDocument: a key is missing or extra, or a value has another type or form.
    """
    body = _keys(value, _PLACE_KEYS)
    head = _place_head(body)
    return FieldPlacement(*head, _text(body["text"]))


def _place_head(body: Mapping[str, object]) -> PlaceHead:
    """Return the head of an index entry from its members. Raises MalformedDocument."""
    rect = tuple(_number(item) for item in _list(body["rect"]))
    if len(rect) != 4:  # x, y, width, height
        raise _malformed("a rectangle of its index is wrong")
    return PlaceHead(
        template=_text(body["template"]),
        fields=tuple(_text(item) for item in _list(body["fields"])),
        page=_number(body["page"]),
        rect=(rect[0], rect[1], rect[2], rect[3]),
        mcid=_number(body["mcid"]),
    )


_PLACE_KEYS = {"fields", "mcid", "page", "rect", "template", "text"}
_DRAFT_KEYS = {
    "authority", "case_number", "category", "fields", "holders", "issued_on", "labels",
    "type", "type_code", "type_name", "validity", "verify_base",
}  # fmt: skip
_LICENCE_KEYS = _DRAFT_KEYS | {"document_id", "identifier", "number", "signing_time"}
_OPTIONAL_KEYS = frozenset({"joint_authorities"})
_VALIDITY_KEYS = {"start", "end"}
_HOLDER_KEYS = {"name", "code_kind", "code"}
_DOCUMENT_ID = re.compile(r"[0-9a-f]{32}")


def _draft_parts(body: Mapping[str, object]) -> dict[str, Any]:
    """Return the arguments of LicenceDraft. Raises MalformedDocument."""
    case_number = body["case_number"]
    holders = tuple(holder_from_json(item) for item in _list(body["holders"]))
    if not holders:
        raise _malformed("it has no holder")
    authority = authority_from_json(body["authority"])
    return {
        "type": _text(body["type"]),
        "type_code": _text(body["type_code"]),
        "type_name": _text(body["type_name"]),
        "category": _member(DocumentCategory, body["category"]),
        "authority": authority,
        "holders": holders,
        "issued_on": _date(body["issued_on"]),
        "validity": _validity(body["validity"]),
        "fields": _fields(_mapping(body["fields"])),
        "labels": {
            name: {lang: _text(label) for lang, label in _mapping(item).items()}
            for name, item in _mapping(body["labels"]).items()
        },
        "verify_base": _text(body["verify_base"]),
        "case_number": None if case_number is None else _text(case_number),
        "joint_authorities": _joint(body, authority),
    }


def _joint(body: Mapping[str, object], main: IssuingAuthority) -> tuple[IssuingAuthority, ...]:
    """Return the joint authorities, none where the member is absent. Raises MalformedDocument."""
    if "joint_authorities" not in body:
        return ()
    found = tuple(authority_from_json(item) for item in _list(body["joint_authorities"]))
    # An empty list would be a second encoding of the same licence.
    if (
        not 0 < len(found) < MOST_AUTHORITIES
        or len({main.code, *(authority.code for authority in found)}) != len(found) + 1
    ):
        raise _malformed("its joint authorities are wrong")
    return found


def _validity(value: object) -> Validity:
    body = _keys(value, _VALIDITY_KEYS)
    start, end = _date(body["start"]), None if body["end"] is None else _date(body["end"])
    if end is not None and end < start:
        raise _malformed("its validity ends before it begins")
    return Validity(start=start, end=end)


def authority_from_json(value: object) -> IssuingAuthority:
    """Return the authority written as an object of its fields.

    Raises:
        MalformedDocument: a key is missing or extra, or a value is not text.
    """
    body = _keys(value, _AUTHORITY_KEYS)
    texts = tuple(_text(body[key]) for key in _AUTHORITY_TEXTS)
    level = _member(AuthorityLevel, body["level"])
    return (_authority if sum(map(len, texts)) < _SHORT else _authority.__wrapped__)(level, *texts)


@lru_cache(maxsize=256)
def _authority(  # noqa: PLR0917 - as remembered, by place
    level: AuthorityLevel, name: str, code: str, region: str, place: str, prefix: str
) -> IssuingAuthority:
    return IssuingAuthority(name=name, code=code, level=level, region=region, place=place, prefix=prefix)


_AUTHORITY_TEXTS = ("name", "code", "region", "place", "prefix")
_AUTHORITY_KEYS = {*_AUTHORITY_TEXTS, "level"}
_SHORT = 500
"""Characters of an authority's texts that is remembered."""


def holder_from_json(value: object) -> Holder:
    """Return the holder written as an object of its fields.

    Raises:
        MalformedDocument: a key is missing or extra, or a value is not text.
    """
    body = _keys(value, _HOLDER_KEYS)
    return Holder(name=_text(body["name"]), code_kind=_text(body["code_kind"]), code=_text(body["code"]))


def _fields(body: dict[str, object]) -> dict[str, FieldValue]:
    return {name: item if isinstance(item, str) else _field_value(item) for name, item in body.items()}


def _field_value(value: object) -> FieldValue:
    if isinstance(value, str):
        return value
    items = _list(value)
    if items and isinstance(items[0], list):
        return tuple(tuple(_text(cell) for cell in _list(row)) for row in items)
    return tuple(_text(item) for item in items)


def _mapping(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _malformed("an object is missing")
    return value


def _keys(value: object, keys: set[str], optional: frozenset[str] = frozenset()) -> dict[str, object]:
    body = _mapping(value)
    if body.keys() != keys and body.keys() - optional != keys:
        raise _malformed("a name is missing or unknown")
    return body


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise _malformed("a list is missing")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _malformed("a text is missing")
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _malformed("a number is missing")
    return value


def _member(kind: type[_E], value: object) -> _E:
    try:
        return kind(_text(value))
    except ValueError as error:
        raise _malformed("a code is unknown") from error


def _date(value: object) -> date:
    return read_day(_text(value))


def read_day(text: str) -> date:
    """Return the day that a canonical text says. Raises MalformedDocument for any other text."""
    return _day(text) if len(text) == len("2026-03-08") else _day.__wrapped__(text)


@lru_cache(maxsize=4096)
def _day(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise _malformed("a date is wrong") from error
    # fromisoformat also takes week dates and the short form; equal licences must have equal bytes.
    if found.isoformat() != text:
        raise _malformed("a date is wrong")
    return found


def _moment(value: object) -> datetime:
    text = _text(value)
    try:
        found = datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
    except ValueError as error:
        raise _malformed("a moment is wrong") from error
    if utc_text(found) != text:
        raise _malformed("a moment is wrong")
    return found
