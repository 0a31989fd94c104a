"""The model as canonical JSON, and what a licence says under a template of its layout.

The associated file of a sealed PDF, `licence.json`, reads
`{"index":[…],"licence":{…},"schema":"elicense/licence/1"}`: keys in code point order, no white space,
UTF-8, only texts, whole numbers, true, false, null, lists and objects. One licence has exactly one encoding,
so equal bytes and equal licences are the same thing. decoding.py reads what is written here.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from elicense.wording import OWN_NAMES, Place, parse_template, printed, template_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from elicense.model import FieldPlacement, FieldValue, Holder, IssuingAuthority, Licence, LicenceDraft

_T = TypeVar("_T")

__all__ = [
    "OWN_NAMES", "Place", "authority_to_json", "canonical_json", "draft_digest", "draft_to_json",
    "encode_index", "encode_licence_file", "holder_to_json", "licence_member", "licence_to_json",
    "parse_template", "placement_to_json", "printed", "template_names", "utc_text",
]  # fmt: skip

LICENCE_SCHEMA = "elicense/licence/1"
DRAFT_SCHEMA = "elicense/draft/1"

LARGEST_INTEGER = 2**53 - 1
"""Beyond it readers that keep numbers as doubles disagree about the value."""


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
    return _utf8(_ENCODER.encode(value))


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
    """Return the bytes that licence.json has for this licence: the member, up to the key that follows it.

    It is the canonical JSON of `licence_to_json`, put together in 9 us instead of 17 (measured): when a licence is
    written, before it is sealed and when it is looked up. Both give the same: tests/unit/test_licence_file.py.

    Raises:
        TypeError: a value is no text, or holds half a surrogate pair.
    """
    case, end = licence.case_number, licence.validity.end
    last_day = "null" if end is None else f'"{end.isoformat()}"'
    joint = ",".join(map(_authority, licence.joint_authorities))
    joint_member = f',"joint_authorities":[{joint}]' if joint else ""
    return _utf8(
        f'"licence":{{"authority":{_authority(licence.authority)}'
        f',"case_number":{"null" if case is None else json_text(case)}'
        f',"category":{json_text(licence.category)},"document_id":{json_text(licence.document_id)}'
        f',"fields":{_object(licence.fields, _value)},"holders":[{",".join(map(_holder, licence.holders))}]'
        f',"identifier":{json_text(str(licence.identifier))},"issued_on":"{licence.issued_on.isoformat()}"{joint_member}'
        f',"labels":{_object(licence.labels, _texts)},"number":{json_text(licence.number)}'
        f',"signing_time":"{utc_text(licence.signing_time)}","type":{json_text(licence.type)}'
        f',"type_code":{json_text(licence.type_code)},"type_name":{json_text(licence.type_name)}'
        f',"validity":{{"end":{last_day},"start":"{licence.validity.start.isoformat()}"}}'
        f',"verify_base":{json_text(licence.verify_base)}}},"schema":'
    )


def _authority(one: IssuingAuthority) -> str:
    return (
        f'{{"code":{json_text(one.code)},"level":{json_text(one.level)},"name":{json_text(one.name)}'
        f',"place":{json_text(one.place)},"prefix":{json_text(one.prefix)},"region":{json_text(one.region)}}}'
    )


def _holder(one: Holder) -> str:
    return f'{{"code":{json_text(one.code)},"code_kind":{json_text(one.code_kind)},"name":{json_text(one.name)}}}'


def _object(members: Mapping[str, _T], written: Callable[[_T], str]) -> str:
    """Return an object with its keys in order."""
    return f"{{{','.join([f'{json_text(key)}:{written(members[key])}' for key in sorted(members)])}}}"


def _texts(members: Mapping[str, str]) -> str:
    return _object(members, json_text)


def _value(value: FieldValue) -> str:
    """Return a text, a list or rows."""
    if isinstance(value, str):
        return json_text(value)
    return f"[{','.join(map(_value, value))}]"


def _utf8(text: str) -> bytes:
    """Return the bytes of canonical JSON. Raises TypeError for half a surrogate pair."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise TypeError("canonical JSON cannot hold half a surrogate pair") from error


def licence_to_json(licence: Licence) -> dict[str, object]:
    """Return the licence as plain values, keys as in `draft_to_json`."""
    body = draft_to_json(licence)
    body["document_id"] = licence.document_id
    body["identifier"] = str(licence.identifier)
    body["number"] = licence.number
    body["signing_time"] = utc_text(licence.signing_time)
    return body


@lru_cache(maxsize=16)
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


def encode_licence_file(licence: Licence, index: bytes) -> bytes:
    """Return the content of `licence.json`: the licence and the entries of its index."""
    return b'{"index":[%s],%s"%s"}' % (index, licence_member(licence), LICENCE_SCHEMA.encode())


def encode_index(placements: Iterable[FieldPlacement]) -> bytes:
    """Return the entries of the index, one behind the other."""
    return _utf8(",".join(map(_index_entry, placements)))


def _index_entry(placement: FieldPlacement) -> str:
    """Return the canonical JSON of `placement_to_json`, in half the time: there are dozens in a file."""
    template, fields, page, (x, y, width, height), mcid, text = placement
    return (
        f'{{"fields":[{",".join(map(json_text, fields))}],"mcid":{mcid},"page":{page},'
        f'"rect":[{x},{y},{width},{height}],"template":{json_text(template)},"text":{json_text(text)}}}'
    )
