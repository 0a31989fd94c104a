"""Canonical JSON to and from the model, and what a licence says under a template of its layout.

The associated file of a sealed PDF, `licence.json`, reads
`{"index":[…],"licence":{…},"schema":"elicense/licence/1"}`: keys in code point order, no white space,
UTF-8, only texts, whole numbers, true, false, null, lists and objects. One licence has exactly one encoding,
so equal bytes and equal licences are the same thing.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast

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
from elicense.wording import MOST_AUTHORITIES, OWN_NAMES, Place, parse_template, printed, template_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from enum import StrEnum

__all__ = [
    "OWN_NAMES", "Place", "authority_from_json", "authority_to_json", "canonical_json", "draft_digest",
    "draft_from_json", "draft_to_json", "encode_licence_file", "holder_from_json", "holder_to_json",
    "licence_from_json", "licence_to_json", "parse_template", "placement_from_json", "placement_to_json",
    "printed", "read_canonical_json", "read_licence_file", "template_names",
]  # fmt: skip

LICENCE_SCHEMA = "elicense/licence/1"
DRAFT_SCHEMA = "elicense/draft/1"

LARGEST_INTEGER = 2**53 - 1
"""Beyond it readers that keep numbers as doubles disagree about the value."""

_E = TypeVar("_E", bound="StrEnum")


# --- Canonical JSON ---


json_text = json.encoder.encode_basestring
"""Returns a text as canonical JSON has it, quotation marks included."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def canonical_json(value: object) -> bytes:
    """Return the one canonical encoding of `value`.

    Raises:
        TypeError: `value` holds anything but texts, whole numbers up to 2**53 - 1, booleans, None, lists,
            tuples and dicts with text keys, or a text with half a surrogate pair.
    """
    _require_plain(value)
    try:
        return _ENCODER.encode(value).encode("utf-8")
    except UnicodeEncodeError as error:
        raise TypeError("canonical JSON cannot hold half a surrogate pair") from error


def _require_plain(value: object) -> None:
    """Raise TypeError for what the encoder would write though it is not as said above: fractions, large numbers."""
    items: Iterable[object]
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise TypeError("canonical JSON has texts for keys")
        items = value.values()
    elif isinstance(value, (list, tuple)):
        items = value
    elif (
        value is None or isinstance(value, str) or (isinstance(value, int) and abs(value) <= LARGEST_INTEGER)
    ):
        return
    else:
        raise TypeError(f"canonical JSON does not hold {type(value).__name__} here")
    for item in items:
        if item.__class__ is not str:
            _require_plain(item)


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


# --- Model to JSON ---


def authority_to_json(authority: IssuingAuthority) -> dict[str, object]:
    """Return the authority as plain values."""
    return {
        "code": authority.code,
        "level": authority.level.value,
        "name": authority.name,
        "place": authority.place,
        "prefix": authority.prefix,
        "region": authority.region,
    }


def holder_to_json(holder: Holder) -> dict[str, object]:
    """Return the holder as plain values."""
    return {"code": holder.code, "code_kind": holder.code_kind, "name": holder.name}


def draft_to_json(draft: LicenceDraft) -> dict[str, object]:
    """Return the draft as plain values, every key present but that of joint authorities where there are none."""
    joint = [authority_to_json(authority) for authority in draft.joint_authorities]
    return {
        "authority": authority_to_json(draft.authority),
        "case_number": draft.case_number,
        "category": draft.category.value,
        "fields": {name: _listed(value) for name, value in draft.fields.items()},
        "holders": [holder_to_json(holder) for holder in draft.holders],
        "issued_on": draft.issued_on.isoformat(),
        **({"joint_authorities": joint} if joint else {}),
        "labels": {name: dict(labels) for name, labels in draft.labels.items()},
        "type": draft.type,
        "type_code": draft.type_code,
        "type_name": draft.type_name,
        "validity": {
            "end": draft.validity.end.isoformat() if draft.validity.end else None,
            "start": draft.validity.start.isoformat(),
        },
        "verify_base": draft.verify_base,
    }


def _listed(value: FieldValue) -> str | list[str] | list[list[str]]:
    """Return a canonical value with lists for tuples, as it is read from JSON."""
    if isinstance(value, str):
        return value
    return [item if isinstance(item, str) else list(item) for item in value]  # type: ignore[return-value]


def licence_member(licence: Licence) -> bytes:
    """Return the bytes that licence.json has for this licence: the member, up to the key that follows it."""
    return b'"licence":' + canonical_json(licence_to_json(licence)) + b',"schema":'


def licence_to_json(licence: Licence) -> dict[str, object]:
    """Return the licence as plain values, keys as in `draft_to_json`."""
    body = draft_to_json(licence)
    body["document_id"] = licence.document_id
    body["identifier"] = str(licence.identifier)
    body["number"] = licence.number
    body["signing_time"] = utc_text(licence.signing_time)
    return body


def utc_text(moment: datetime) -> str:
    """Return `moment` to the second, in UTC."""
    return moment.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat() + "Z"


def placement_to_json(placement: FieldPlacement) -> dict[str, object]:
    """Return one entry of the data index as plain values."""
    return {
        "fields": list(placement.fields),
        "mcid": placement.mcid,
        "page": placement.page,
        "rect": list(placement.rect),
        "template": placement.template,
        "text": placement.text,
    }


def draft_digest(draft: LicenceDraft) -> str:
    """Return the SHA-256 (hex) of the draft's canonical JSON: equal exactly for equal drafts."""
    body = {"schema": DRAFT_SCHEMA, "draft": draft_to_json(draft)}
    return hashlib.sha256(canonical_json(body)).hexdigest()


def encode_licence_file(licence: Licence, placements: Sequence[FieldPlacement]) -> bytes:
    """Return the content of `licence.json`: the licence and the index of what stands where."""
    index = ",".join(map(_index_entry, placements))
    try:
        return b'{"index":[%s],%s"%s"}' % (index.encode(), licence_member(licence), LICENCE_SCHEMA.encode())
    except UnicodeEncodeError as error:
        raise TypeError("canonical JSON cannot hold half a surrogate pair") from error


def _index_entry(placement: FieldPlacement) -> str:
    """Return the canonical JSON of `placement_to_json`, in half the time: there are dozens in a file."""
    template, fields, page, (x, y, width, height), mcid, text = placement
    return (
        f'{{"fields":[{",".join(map(json_text, fields))}],"mcid":{mcid},"page":{page},'
        f'"rect":[{x},{y},{width},{height}],"template":{json_text(template)},"text":{json_text(text)}}}'
    )


# --- JSON to model ---


def read_licence_file(data: bytes) -> tuple[Licence, tuple[FieldPlacement, ...]]:
    """Return the licence and the index that `data` encodes.

    Raises:
        MalformedDocument: `data` is not canonical JSON of exactly this schema.
    """
    body = _keys(read_canonical_json(data), {"schema", "licence", "index"})
    if body["schema"] != LICENCE_SCHEMA:
        raise _malformed("it follows another schema")
    index = tuple(placement_from_json(item) for item in _list(body["index"]))
    return licence_from_json(body["licence"]), index


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
    if (identifier.type_code, identifier.issuer_code) != (parts["type_code"], parts["authority"].code):
        raise _malformed("its identifier is not one of this type and authority")
    document_id = _text(body["document_id"])
    if not re.fullmatch(r"[0-9a-f]{32}", document_id):
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
    body = _keys(value, {"fields", "mcid", "page", "rect", "template", "text"})
    rect = tuple(_number(item) for item in _list(body["rect"]))
    if len(rect) != 4:  # x, y, width, height
        raise _malformed("a rectangle of its index is wrong")
    return FieldPlacement(
        template=_text(body["template"]),
        fields=tuple(_text(item) for item in _list(body["fields"])),
        page=_number(body["page"]),
        rect=(rect[0], rect[1], rect[2], rect[3]),
        mcid=_number(body["mcid"]),
        text=_text(body["text"]),
    )


_DRAFT_KEYS = {
    "authority", "case_number", "category", "fields", "holders", "issued_on", "labels",
    "type", "type_code", "type_name", "validity", "verify_base",
}  # fmt: skip
_LICENCE_KEYS = _DRAFT_KEYS | {"document_id", "identifier", "number", "signing_time"}
_OPTIONAL_KEYS = frozenset({"joint_authorities"})


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
        "fields": {name: _field_value(item) for name, item in _mapping(body["fields"]).items()},
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
    body = _keys(value, {"start", "end"})
    start, end = _date(body["start"]), None if body["end"] is None else _date(body["end"])
    if end is not None and end < start:
        raise _malformed("its validity ends before it begins")
    return Validity(start=start, end=end)


def authority_from_json(value: object) -> IssuingAuthority:
    """Return the authority written as an object of its fields.

    Raises:
        MalformedDocument: a key is missing or extra, or a value is not text.
    """
    body = _keys(value, {"name", "code", "level", "region", "place", "prefix"})
    return IssuingAuthority(
        name=_text(body["name"]),
        code=_text(body["code"]),
        level=_member(AuthorityLevel, body["level"]),
        region=_text(body["region"]),
        place=_text(body["place"]),
        prefix=_text(body["prefix"]),
    )


def holder_from_json(value: object) -> Holder:
    """Return the holder written as an object of its fields.

    Raises:
        MalformedDocument: a key is missing or extra, or a value is not text.
    """
    body = _keys(value, {"name", "code_kind", "code"})
    return Holder(name=_text(body["name"]), code_kind=_text(body["code_kind"]), code=_text(body["code"]))


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
    if body.keys() - optional != keys:
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
    text = _text(value)
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
