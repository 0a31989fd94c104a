"""Every shipped licence type: it loads, its sample keeps its own rules, its layout prints what its fields say."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from pypdf import PdfReader

from elicense.catalogue import Catalogue, FieldKind, LicenceType, load_yaml, templates_folder
from elicense.decoding import read_licence_file
from elicense.encoding import encode_index, encode_licence_file, parse_template, printed, template_names
from elicense.identifiers import LicenceIdentifier
from elicense.model import Licence
from elicense.wording import OWN_NAMES, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

AT = datetime(2026, 3, 8, 2, 5, tzinfo=UTC)
BASE = "https://elicense.example.org/v/"
CATALOGUE = Catalogue.load(templates_folder())
RESERVED_PLACES = {"qr", "seal"}

each_type = pytest.mark.parametrize("licence_type", CATALOGUE.types, ids=lambda t: t.slug)


def sample(licence_type: LicenceType) -> Licence:
    """Return the licence that the type's sample becomes."""
    draft = CATALOGUE.draft(
        licence_type.sample_request(), licence_type.sample_authority(),
        *licence_type.sample_joint_authorities(), at=AT, verify_base=BASE,
    )  # fmt: skip
    return Licence(
        **{name: getattr(draft, name) for name in type(draft).__dataclass_fields__},
        identifier=LicenceIdentifier(draft.type_code, draft.authority.code, "SAMPLE0001", 1),
        number=licence_type.number(draft, 1),
        signing_time=AT,
        document_id="0" * 32,
    )


def values(part: Any, keys: tuple[str, ...]) -> Iterator[str]:
    """Yield every text under one of `keys`, at any depth of a layout."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key in keys and isinstance(value, str):
                yield value
            yield from values(value, keys)
    elif isinstance(part, list):
        for item in part:
            yield from values(item, keys)


def places(licence_type: LicenceType) -> set[str]:
    """Return the templates of a layout by either route."""
    layout: Any = load_yaml(licence_type.folder / "layout.yaml")
    if "background" in layout:
        fields = PdfReader(licence_type.folder / layout["background"]).get_fields() or {}
        inner = {name.rpartition(".")[0] for name in fields}
        given: dict[str, Any] = layout.get("places") or {}
        named = {
            name: (given.get(name) or {}).get("template") for name in set(fields) - inner - RESERVED_PLACES
        }
        return {template or "{" + name + "}" for name, template in named.items()} | {"{verify_url}"}
    found = set(values(layout["pages"], ("text", "qr", "name", "date")))
    found |= {"{" + name + "}" for name in values(layout["pages"], ("paragraphs", "list", "rows", "plot"))}
    return found


@each_type
def test_a_sample_keeps_the_rules_of_its_type(licence_type: LicenceType) -> None:
    """The sample becomes a licence, and that licence survives its own encoding."""
    licence = sample(licence_type)
    assert read_licence_file(encode_licence_file(licence, encode_index(()))) == (licence, ())
    assert licence.type_name == licence_type.name_zh


@each_type
def test_a_sample_fills_every_field(licence_type: LicenceType) -> None:
    """A sample shows each field but one that stands for an open end."""
    missing = {spec.name for spec in licence_type.fields} - set(sample(licence_type).fields)
    assert missing <= {licence_type.definition.validity.until}


@each_type
def test_a_layout_names_only_what_exists(licence_type: LicenceType) -> None:
    """Each name in a layout is a field of the type or the licence's own; list items belong to list fields."""
    known = {spec.name: spec for spec in licence_type.fields}
    for template in places(licence_type):
        for name in template_names(template):
            field, _, item = name.partition(".")
            assert name in OWN_NAMES or field in known
            assert (
                name in OWN_NAMES or not item or known[field].kind in {FieldKind.LIST, FieldKind.PARAGRAPHS}
            )


@each_type
def test_every_printed_field_stands_in_the_layout(licence_type: LicenceType) -> None:
    """A field that is to be printed is used by the layout; one that is embedded only is not."""
    used = {name.partition(".")[0] for template in places(licence_type) for name in template_names(template)}
    for spec in licence_type.fields:
        assert (spec.name in used) == spec.printed, spec.name
    assert {"number", "verify_url"} <= used


@each_type
def test_a_layout_prints_the_issuer_and_the_day(licence_type: LicenceType) -> None:
    """The authority's name and the date of issue, which the seal covers, are on every type."""
    used = {name for template in places(licence_type) for name in template_names(template)}
    flows = list(values(load_yaml(licence_type.folder / "layout.yaml"), ("name", "date")))
    assert {"authority.name", "issued_on"} <= used | {name for text in flows for name in template_names(text)}


@each_type
def test_every_template_prints_the_sample(licence_type: LicenceType) -> None:
    """No format meets a value that it does not suit, and every place but an open end prints something."""
    licence = sample(licence_type)
    for template in places(licence_type):
        printed(template, licence, page=1, pages=1)
        for place in parse_template(template):
            if isinstance(place, Place) and place.name in licence.fields:
                assert printed(
                    f"{{{place.name}|{place.format}}}" if place.format else f"{{{place.name}}}", licence
                )


@each_type
def test_only_invented_people_and_places_appear(licence_type: LicenceType) -> None:
    """Samples stand in region 99, which no place has, and bear the words for example or test."""
    licence = sample(licence_type)
    assert licence.authority.region.startswith("99")
    assert licence.authority.code[2:4] == "99"
    for holder in licence.holders:
        assert holder.code_kind not in {"001", "111"} or "9901" in holder.code
        assert any(word in holder.name for word in ("示例", "样例", "测试", "小样"))


def test_the_types_the_project_promises_are_there() -> None:
    """The six types, one of them an approval document, and one drawn in an office program."""
    slugs = {licence_type.slug for licence_type in CATALOGUE.types}
    assert slugs >= {
        "business-licence", "food-business-licence", "real-estate-certificate", "construction-planning-permit",
        "birth-certificate", "approval-document", "service-certificate",
    }  # fmt: skip
    assert CATALOGUE["approval-document"].category == "approval"
    background: Any = load_yaml(CATALOGUE["service-certificate"].folder / "layout.yaml")
    assert background["background"] == "background.pdf"


def test_numbers_of_the_samples_look_as_the_forms_say() -> None:
    """The printed numbers have the shapes of the real forms."""
    numbers = {licence_type.slug: sample(licence_type).number for licence_type in CATALOGUE.types}
    assert numbers["food-business-licence"] == "JY29901002600014"
    assert numbers["real-estate-certificate"] == "示（2026）样例市不动产权第0000001号"
    assert numbers["construction-planning-permit"] == "建字第990100202600001号"
    assert numbers["birth-certificate"] == "A260000001"
    assert numbers["approval-document"] == "样环许〔2026〕1号"
