"""Canonical JSON: one licence, one encoding; and templates, where values are only ever text."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elicense import decoding, encoding
from elicense.errors import InvalidTemplate, MalformedDocument
from elicense.identifiers import LicenceIdentifier
from elicense.model import (
    AuthorityLevel,
    DocumentCategory,
    FieldPlacement,
    Holder,
    IssuingAuthority,
    Licence,
    LicenceDraft,
    Validity,
)

AUTHORITY = IssuingAuthority(
    "样例市市场监督管理局", "11990100001001013A", AuthorityLevel.CITY, "990100", "样例市", "样市监"
)
LICENCE = Licence(
    type="food-business-licence",
    type_code="11990000000001011Q002",
    type_name="食品经营许可证",
    category=DocumentCategory.LICENCE,
    authority=AUTHORITY,
    holders=(
        Holder("示例餐饮有限公司", "001", "91990101MA05HJ014U"),
        Holder("张示例", "111", "990101198805120016"),
    ),
    issued_on=date(2026, 3, 8),
    validity=Validity(date(2026, 3, 8), date(2031, 3, 7)),
    fields={
        "form": "1",
        "items": "冷食；热食",
        "names": ("甲", "乙"),
        "rows": (("1", "2"), ("3", "4")),
        "born_at": "2026-03-01T04:06",
        "odd": "{number} <b>{{7*7}}</b>",
    },
    labels={"form": {"zh": "销售", "en": "Seller"}},
    verify_base="https://elicense.example.org/v/",
    identifier=LicenceIdentifier("11990000000001011Q002", "11990100001001013A", "ABC123", 1),
    number="JY1",
    signing_time=datetime(2026, 3, 8, 2, 5, 9, tzinfo=UTC),
    document_id="0123456789abcdef" * 2,
)
PLACEMENT = FieldPlacement("{number}", ("number",), 1, (100, 200, 3000, 400), 7, "JY1")

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True)
VALUES = (
    TEXTS
    | st.lists(TEXTS, max_size=3).map(tuple)
    | st.lists(st.lists(TEXTS, min_size=1, max_size=3).map(tuple), min_size=1, max_size=3).map(tuple)
)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@st.composite
def licences(draw: st.DrawFn) -> Licence:
    """Licences of any content."""
    start = draw(st.dates())
    return replace(
        LICENCE,
        type_name=draw(TEXTS),
        holders=tuple(draw(st.lists(st.builds(Holder, TEXTS, TEXTS, TEXTS), min_size=1, max_size=3))),
        issued_on=draw(st.dates()),
        validity=Validity(start, draw(st.none() | st.dates(min_value=start))),
        fields=draw(st.dictionaries(NAMES, VALUES, max_size=5)),
        labels=draw(st.dictionaries(NAMES, st.fixed_dictionaries({"zh": TEXTS, "en": TEXTS}), max_size=2)),
        category=draw(st.sampled_from(DocumentCategory)),
        case_number=draw(st.none() | TEXTS),
        signing_time=draw(st.datetimes(timezones=st.just(UTC))).replace(microsecond=0),
    )


PLACEMENTS = st.builds(
    FieldPlacement,
    template=TEXTS,
    fields=st.lists(NAMES, max_size=3).map(tuple),
    page=st.integers(1, 99),
    rect=st.tuples(*[st.integers(-9999, 99999)] * 4),
    mcid=st.integers(0, 9999),
    text=TEXTS,
)


@given(JSON_VALUES)
def test_canonical_json_reads_back_and_is_ordinary_json(value: object) -> None:
    """What is written reads back, by us and by the standard library, and encodes to the same bytes."""
    data = encoding.canonical_json(value)
    assert decoding.read_canonical_json(data) == value == json.loads(data)
    assert b": " not in data.replace(b'": ', b"") or isinstance(value, (str, list, dict))


def test_canonical_json_is_sorted_tight_and_unescaped() -> None:
    """Keys stand in code point order, there is no white space, and Chinese stays Chinese."""
    data = encoding.canonical_json({"b": [1, True, None], "a": "照\n𠮷", "é": {}})
    assert data.decode() == '{"a":"照\\n𠮷","b":[1,true,null],"é":{}}'


@pytest.mark.parametrize(
    "value", [1.0, {1: "a"}, {"a": {1, 2}}, b"x", 2**53, "\ud800", {"\udfff": 1}, object()]
)
def test_canonical_json_refuses_what_it_cannot_say(value: object) -> None:
    """Fractions, other keys than text, sets, bytes, great numbers and half surrogates are a TypeError."""
    with pytest.raises(TypeError):
        encoding.canonical_json(value)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b'{"a":1,"a":1}', b'{"a":1.0}', b'{"a":1e3}', b"NaN", b"[Infinity]", b"-0", b' {"a":1}', b'{"a": 1}',
        b'{"b":1,"a":2}', b'"\\u4e2d"', b'"\\/"', b"\xff", b'\xef\xbb\xbf{"a":1}', b'"\\ud800"', b"9007199254740992",
        b"[" * 100_000, b"9" * 10_000, b"1\n", "{}".encode("utf-16"),
    ],
)  # fmt: skip
def test_any_other_encoding_is_malformed(data: bytes) -> None:
    """Not JSON, duplicate keys, fractions, white space, another order or escape, too deep: MalformedDocument."""
    with pytest.raises(MalformedDocument):
        decoding.read_canonical_json(data)


@given(licences(), st.lists(PLACEMENTS, max_size=3).map(tuple))
def test_every_licence_file_reads_back(licence: Licence, placements: tuple[FieldPlacement, ...]) -> None:
    """A licence and its index equal what is read from their file, and the file is reproduced byte for byte."""
    data = encoding.encode_licence_file(licence, encoding.encode_index(placements))
    again = decoding.read_licence_file(data)
    assert again == (licence, placements)
    assert encoding.encode_licence_file(again[0], encoding.encode_index(again[1])) == data


@given(licences())
def test_drafts_read_back_and_their_digest_tells_them_apart(licence: Licence) -> None:
    """A draft reads back; its digest is the same for equal drafts and another after any change."""
    draft = LicenceDraft(**{name: getattr(licence, name) for name in LicenceDraft.__dataclass_fields__})
    again = decoding.draft_from_json(encoding.draft_to_json(draft))
    assert again == draft
    assert encoding.draft_digest(again) == encoding.draft_digest(draft) == encoding.draft_digest(licence)
    changed = replace(draft, type_name=draft.type_name + "甲")
    assert encoding.draft_digest(changed) != encoding.draft_digest(draft)


def _file(**changes: object) -> bytes:
    """Return LICENCE's file with keys of the licence changed; None deletes."""
    body = json.loads(encoding.encode_licence_file(LICENCE, encoding.encode_index((PLACEMENT,))))
    for name, value in changes.items():
        target = body if name in {"schema", "index"} else body["licence"]
        if value is None:
            del target[name]
        else:
            target[name] = value
    return encoding.canonical_json(body)


def test_the_file_of_the_example_is_accepted() -> None:
    """The unchanged example reads back, so the refusals below are due to their changes."""
    assert decoding.read_licence_file(_file()) == (LICENCE, (PLACEMENT,))


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": "elicense/licence/2"}, {"schema": None}, {"extra": 1}, {"number": None}, {"number": 5},
        {"identifier": "1.2.3"}, {"signing_time": "2026-03-08T02:05:09"}, {"signing_time": "2026-3-8T02:05:09Z"},
        {"signing_time": "2026-03-08T02:05:09.5Z"}, {"signing_time": "2026-03-08T02:05:09+00:00Z"},
        {"document_id": "ABC"}, {"issued_on": "2026-W10-7"}, {"issued_on": "20260308"}, {"category": "permit"},
        {"authority": {}}, {"authority": []}, {"holders": {}}, {"holders": [{"name": "甲"}]}, {"fields": {"a": 1}},
        {"fields": {"a": ["b", ["c"]]}}, {"fields": {"a": [["b"], "c"]}}, {"labels": {"a": "b"}},
        {"validity": {"start": "2026-03-08"}}, {"validity": {"start": None, "end": None}}, {"case_number": 1},
        {"index": {}}, {"index": [{}]},
        {"index": [encoding.placement_to_json(PLACEMENT) | {"rect": [1, 2, 3]}]},
        {"index": [encoding.placement_to_json(PLACEMENT) | {"page": True}]},
    ],
)  # fmt: skip
def test_a_file_of_another_shape_is_malformed(changes: dict[str, object]) -> None:
    """A missing, extra or mistyped value anywhere is MalformedDocument, not a crash."""
    with pytest.raises(MalformedDocument):
        decoding.read_licence_file(_file(**changes))


@pytest.mark.parametrize(
    "data", [b"[]", b"null", b'"x"', b"{}", b'{"index":[],"licence":{},"schema":"elicense/licence/1"}']
)
def test_other_json_is_no_licence_file(data: bytes) -> None:
    """Canonical JSON of another shape is MalformedDocument."""
    with pytest.raises(MalformedDocument):
        decoding.read_licence_file(data)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("营业执照", "营业执照"),
        ("{number}", "JY1"),
        ("{{number}} {{{number}}}", "{number} {JY1}"),
        ("{authority.name}/{authority.code}/{authority.region}/{authority.place}/{authority.prefix}",
         "样例市市场监督管理局/11990100001001013A/990100/样例市/样市监"),
        ("{holder.name}|{holder.code}", "示例餐饮有限公司|91990101MA05HJ014U"),
        ("{holders}", "示例餐饮有限公司、张示例"),
        ("{type.name} {year} {case_number}", "食品经营许可证 2026 "),
        ("{issued_on} {issued_on|date-zh} {issued_on|date-zh-padded}", "2026-03-08 2026年3月8日 2026年03月08日"),
        ("{issued_on|date-iso} {issued_on|year}.{issued_on|month}.{issued_on|day}", "2026-03-08 2026.3.8"),
        ("{valid_from|date-zh}至{valid_until|date-zh}", "2026年3月8日至2031年3月7日"),
        ("{valid_from|term}", "自2026年3月8日至2031年3月7日"),
        ("{born_at|datetime-zh}", "2026年3月1日4时06分"),
        ("{born_at|date-zh}", "2026年3月1日"),
        ("{form} {form|en} {form|code}", "销售 Seller 1"),
        ("{names}", "甲\n乙"),
        ("{names.1}{names.2}{names.3}{names.0}", "甲乙"),
        ("{rows}", "1　2\n3　4"),
        ("{rows.2.1}{rows.2.9}{items.1}", "3"),
        ("{odd}", "{number} <b>{{7*7}}</b>"),
        ("{missing}！", "！"),
        ("第{page}页，共{pages}页", "第页，共页"),
    ],
)  # fmt: skip
def test_templates_print_as_said(template: str, expected: str) -> None:
    """Each name and format of the manual prints what the manual says."""
    assert encoding.printed(template, LICENCE) == expected


def test_the_checking_address_ends_with_the_identifier() -> None:
    """`{verify_url}` is the address with the identifier appended."""
    assert encoding.printed("{verify_url}", LICENCE) == f"https://elicense.example.org/v/{LICENCE.identifier}"


def test_pages_and_absent_values() -> None:
    """Page numbers are put in where known; what a licence does not have is nothing."""
    assert encoding.printed("— {page}/{pages} —", LICENCE, page=2, pages=3) == "— 2/3 —"
    assert encoding.printed("无{missing}", LICENCE) == "无"


def test_an_open_end_is_long_term() -> None:
    """Without a last day every date format says 长期, and a part of it is empty."""
    open_end = replace(LICENCE, validity=Validity(date(2026, 3, 8), None))
    for template in ("{valid_until}", "{valid_until|date-zh}", "{valid_until|date-iso}", "{valid_from|term}"):
        assert encoding.printed(template, open_end) == "长期"
    assert encoding.printed("{valid_until|year}", open_end) == ""


@pytest.mark.parametrize(
    "template",
    ["{", "}", "{a", "a}", "{ a}", "{A}", "{a|}", "{a|b c}", "{a|nope}", "{}", "{a.}", "{{a}", "{a}}"],
)
def test_malformed_templates_are_refused(template: str) -> None:
    """A single brace, an unknown format or a place of another form is InvalidTemplate."""
    with pytest.raises(InvalidTemplate):
        encoding.template_names(template)


@pytest.mark.parametrize(
    "template", ["{items|date-zh}", "{names|date-zh}", "{issued_on|datetime-zh}", "{rows|year}"]
)
def test_a_format_that_does_not_suit_its_value_is_refused(template: str) -> None:
    """A date format on a value that is no date is InvalidTemplate with the field named."""
    with pytest.raises(InvalidTemplate) as caught:
        encoding.printed(template, LICENCE)
    assert caught.value.field in {"items", "names", "issued_on", "rows"}


def test_names_come_once_in_order() -> None:
    """`template_names` gives each name once, in order, and nothing for a text that is always the same."""
    assert encoding.template_names("{b|date-zh}{a}{b}{holder.name}") == ("b", "a", "holder.name")
    assert encoding.template_names("字{{x}}") == ()


@given(TEXTS)
def test_a_value_is_text_whatever_it_looks_like(value: str) -> None:
    """A value is printed as it is: braces, mark-up and templates inside it stay what they are."""
    licence = replace(LICENCE, fields={"value": value})
    assert encoding.printed("<{value}>{{", licence) == f"<{value}>{{"


@given(TEXTS)
def test_escaped_text_prints_as_itself(text: str) -> None:
    """Any text with its braces doubled is a template that prints the text."""
    template = text.replace("{", "{{").replace("}", "}}")
    assert encoding.printed(template, LICENCE) == text
    assert encoding.template_names(template) == ()


@pytest.mark.parametrize(
    "change",
    [
        {"holders": []},
        {"validity": {"start": "2026-03-08", "end": "2026-03-07"}},
        {"type_code": "11990000000001011Q003"},
        {"identifier": str(replace(LICENCE.identifier, issuer_code="11990100001002016T"))},
    ],
)
def test_a_licence_that_contradicts_itself_is_malformed(change):
    """No holder, an end before the start, or an identifier of another type or authority is refused."""
    with pytest.raises(MalformedDocument):
        decoding.licence_from_json(encoding.licence_to_json(LICENCE) | change)
