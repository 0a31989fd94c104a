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
from typing import TYPE_CHECKING

from elicense.wording import OWN_NAMES, Place, parse_template, printed, template_names

if TYPE_CHECKING:
    from datetime import datetime

    from elicense.model import FieldPlacement, Holder, IssuingAuthority, Licence, LicenceDraft

__all__ = [
    "OWN_NAMES", "Place", "authority_to_json", "canonical_json", "draft_digest", "draft_to_json",
    "encode_licence_file", "holder_to_json", "licence_member", "licence_to_json", "parse_template",
    "placement_to_json", "printed", "template_names", "utc_text",
]  # fmt: skip

LICENCE_SCHEMA = "elicense/licence/1"
DRAFT_SCHEMA = "elicense/draft/1"

LARGEST_INTEGER = 2**53 - 1
"""Beyond it readers that keep numbers as doubles disagree about the value."""


# --- Canonical JSON ---


def canonical_json(value: object) -> bytes:
    """Return the one canonical encoding of `value`.

    Raises:
        TypeError: `value` holds anything but texts, whole numbers up to 2**53 - 1, booleans, None, lists,
            tuples and dicts with text keys, or a text with half a surrogate pair.
    """
    try:
        text = json.dumps(
            _plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
        )
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise TypeError("canonical JSON cannot hold half a surrogate pair") from error


def _plain(value: object) -> object:
    """Return `value` with only types that JSON knows. Raises TypeError for all others."""
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, int) and abs(value) <= LARGEST_INTEGER:
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _plain(item) for key, item in value.items()}
    raise TypeError(f"canonical JSON does not hold {type(value).__name__} here")


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
        "fields": _plain(dict(draft.fields)),
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


def licence_member(licence: Licence) -> bytes:
    """Return the bytes that licence.json has for this licence: the member, up to the key that follows it."""
    return b'"licence":' + canonical_json(licence_to_json(licence)) + b',"schema":'


def licence_to_json(licence: Licence) -> dict[str, object]:
    """Return the licence as plain values, keys as in `draft_to_json`."""
    return draft_to_json(licence) | {
        "document_id": licence.document_id,
        "identifier": str(licence.identifier),
        "number": licence.number,
        "signing_time": utc_text(licence.signing_time),
    }


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


def encode_licence_file(licence: Licence, placements: tuple[FieldPlacement, ...]) -> bytes:
    """Return the content of `licence.json`: the licence and the index of what stands where."""
    return canonical_json(
        {
            "schema": LICENCE_SCHEMA,
            "licence": licence_to_json(licence),
            "index": [placement_to_json(placement) for placement in placements],
        }
    )
