"""Licences and seals for the tests: a type's own sample, with whatever a test wants otherwise."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from elicense.catalogue import LicenceType, templates_folder
from elicense.catalogue.drafting import make_draft
from elicense.catalogue.types import load_type
from elicense.identifiers import LicenceIdentifier
from elicense.model import IssuingAuthority, Licence
from elicense.rendering.fonts import FontLibrary
from elicense.seal.model import Seal, SealArt, SealCentre, SealShape

AT = datetime(2026, 3, 8, 2, 5, 6, tzinfo=UTC)
VERIFY_BASE = "https://elicense.example.org/v/"
DOCUMENT_ID = "0123456789abcdef0123456789abcdef"
TYPES = Path(__file__).parents[1] / "unit" / "rendering" / "data"
CAPACITY = 4096


@cache
def shipped_fonts() -> FontLibrary:
    """Return the shipped fonts, opened once."""
    return FontLibrary.load(templates_folder() / "fonts")


@cache
def test_type(name: str) -> LicenceType:
    """Return a licence type that exists for the tests only."""
    return load_type(TYPES / name)


test_type.__test__ = False  # type: ignore[attr-defined]  # its name begins as a test's does


def licence_of(
    licence_type: LicenceType, *, sequence: int = 1, values: dict[str, Any] | None = None, **parts: Any
) -> Licence:
    """Return the licence of the type's sample.

    Args:
        licence_type: the type.
        sequence: number of the licence.
        values: canonical field values that replace the sample's; None takes a field away.
        parts: parts of the licence that replace the sample's.
    """
    authority = licence_type.sample_authority()
    joint = licence_type.sample_joint_authorities()
    draft = make_draft(
        licence_type, licence_type.sample_request(), authority, *joint, at=AT, verify_base=VERIFY_BASE
    )
    content = {entry.name: getattr(draft, entry.name) for entry in fields(draft)}
    changed = {**draft.fields, **(values or {})}
    content["fields"] = {name: value for name, value in changed.items() if value is not None}
    content |= {
        "identifier": LicenceIdentifier(draft.type_code, authority.code, f"{sequence:010d}", 1),
        "number": licence_type.number(draft, sequence),
        "signing_time": AT,
        "document_id": DOCUMENT_ID,
    }
    return Licence(**(content | parts))


def seals_of(licence_type: LicenceType, licence: Licence, *, diameter: float = 40.0) -> tuple[Seal, ...]:
    """Return a specimen seal of each authority of a licence, in the order of sealing."""
    return tuple(
        seal_of(licence_type, diameter=diameter, authority=authority) for authority in licence.authorities
    )


def seal_of(
    licence_type: LicenceType,
    *,
    diameter: float = 40.0,
    shape: SealShape = SealShape.ROUND,
    authority: IssuingAuthority | None = None,
) -> Seal:
    """Return a specimen seal of an authority, by default the sample's."""
    authority = authority or licence_type.sample_authority()
    centre = SealCentre.STAR if shape is SealShape.ROUND else SealCentre.NONE
    art = SealArt(shape, diameter, diameter, authority.name, centre)
    return Seal("99010000000001", authority.name, licence_type.seal_use, authority.code, art, AT, AT, ())
