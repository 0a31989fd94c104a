"""The catalogue: what a type's file may say, and what a request must be to become a draft."""

from __future__ import annotations

import json
import shutil
import sys
import unicodedata
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from elicense.catalogue import Catalogue, FieldKind, FieldSpec, load_yaml, values
from elicense.catalogue.numbers import NumberFormat
from elicense.catalogue.values import canonical, check_text
from elicense.errors import (
    ElicenseError,
    InvalidLicenceData,
    InvalidTemplate,
    NotAuthorised,
    UnknownLicenceType,
)
from elicense.identifiers import mod_11_10
from elicense.model import AuthorityLevel, Holder, IssueRequest, IssuingAuthority, LicenceDraft, Validity

AT = datetime(2026, 3, 8, 2, 5, tzinfo=UTC)
BASE = "https://elicense.example.org/v/"
AUTHORITY = IssuingAuthority(
    "样例市示例局", "11990100001001013A", AuthorityLevel.CITY, "990100", "样例市", "样示"
)
COMPANY = Holder("示例餐饮有限公司", "001", "91990101MA05HJ014U")
PERSON = Holder("张示例", "111", "990101198805120016")

TYPE: dict[str, Any] = {
    "schema": 1,
    "name": {"zh": "测试证", "en": "Test Licence"},
    "type_code": "11990000000001011Q099",
    "legal_basis": ["《测试规则》第一条"],
    "issuing_levels": ["city"],
    "holder_kinds": ["001", "111", "414"],
    "max_holders": 2,
    "number": {"format": "{form:1}-{authority.region}-{year}-{sequence:3}-{check}", "check": "iso7064-mod11-10"},
    "validity": {"kind": "request"},
    "seal": {"use": "公章"},
    "sources": ["invented for the tests"],
    "fields": [
        {"name": "form", "zh": "形式", "en": "Form", "kind": "choice",
         "choices": {"1": {"zh": "甲类", "en": "Class A"}, "2": {"zh": "乙类", "en": "Class B"}}},
        {"name": "title", "zh": "标题", "en": "Title", "kind": "text", "max_length": 10, "required": False},
        {"name": "code", "zh": "代码", "en": "Code", "kind": "text", "pattern": "[A-Z]{2}[0-9]+", "required": False},
        {"name": "body", "zh": "正文", "en": "Body", "kind": "paragraphs", "max_items": 3, "required": False},
        {"name": "rows", "zh": "表", "en": "Table", "kind": "table", "required": False,
         "columns": [{"zh": "甲", "en": "A"}, {"zh": "乙", "en": "B"}]},
        {"name": "from_day", "zh": "始", "en": "From", "kind": "date", "required": False, "not_after": "to_day"},
        {"name": "to_day", "zh": "止", "en": "To", "kind": "date", "required": False},
        {"name": "seen_at", "zh": "时间", "en": "Seen at", "kind": "datetime", "required": False,
         "not_after": "issued_on"},
        {"name": "count", "zh": "数量", "en": "Count", "kind": "integer", "required": False, "minimum": 1,
         "maximum": 99},
        {"name": "area", "zh": "面积", "en": "Area", "kind": "decimal", "places": 2, "required": False},
        {"name": "buyer", "zh": "买方", "en": "Buyer", "kind": "credit_code", "required": False},
        {"name": "person", "zh": "人员", "en": "Person", "kind": "resident_id", "required": False},
        {"name": "parcel", "zh": "宗地", "en": "Parcel", "kind": "plot", "required": False},
    ],
}  # fmt: skip
SAMPLE = {"authority": {}, "request": {}}


def write_type(folder: Path, content: object = TYPE, slug: str = "test-licence") -> Path:
    """Write a type's folder and return the folder of types."""
    (folder / slug).mkdir(parents=True, exist_ok=True)
    (folder / slug / "type.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
    (folder / slug / "sample.json").write_text(json.dumps(SAMPLE), "utf-8")
    return folder


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """One invented type that has every kind of field."""
    return Catalogue.load(write_type(tmp_path_factory.mktemp("types")))


def request(fields: dict[str, object] | None = None, **changes: object) -> IssueRequest:
    """Return a request that is right, with changes."""
    base = IssueRequest("test-licence", AUTHORITY.code, (COMPANY,), {"form": "1"} | (fields or {}))
    return replace(base, **changes)  # type: ignore[arg-type]


def draft(catalogue: Catalogue, asked: IssueRequest, authority: IssuingAuthority = AUTHORITY) -> LicenceDraft:
    """Return the draft of `asked` at the tests' moment."""
    return catalogue.draft(asked, authority, at=AT, verify_base=BASE)


def refused(
    catalogue: Catalogue, asked: IssueRequest, kind: type[ElicenseError] = InvalidLicenceData
) -> str | None:
    """Return the field that the refusal names."""
    with pytest.raises(kind) as caught:
        draft(catalogue, asked)
    assert caught.value.en
    assert caught.value.zh
    return caught.value.field


# --- The right request ---


def test_a_right_request_becomes_a_draft(catalogue: Catalogue) -> None:
    """Everything the licence will say comes from request, type and authority; the day is Beijing's."""
    made = catalogue.draft(
        request({"title": "甲·Ab"}, case_number="A-1"),
        AUTHORITY,
        at=datetime(2026, 3, 7, 16, 0, tzinfo=UTC),
        verify_base=BASE,
    )
    assert made.issued_on == date(2026, 3, 8)
    assert made.validity == Validity(date(2026, 3, 8), None)
    assert (made.type, made.type_code, made.type_name) == ("test-licence", TYPE["type_code"], "测试证")
    assert made.fields == {"form": "1", "title": "甲·Ab"}
    assert made.labels == {"form": {"zh": "甲类", "en": "Class A"}}
    assert (made.holders, made.authority, made.case_number) == ((COMPANY,), AUTHORITY, "A-1")


def test_empty_optional_values_are_absent(catalogue: Catalogue) -> None:
    """None, an empty text and an empty list in an optional field mean that there is no value."""
    made = draft(catalogue, request({"title": "", "body": [], "count": None}))
    assert made.fields == {"form": "1"}


@pytest.mark.parametrize(
    ("name", "typed", "expected"),
    [
        ("title", "很短的标题", "很短的标题"),
        ("body", ["一", "二"], ("一", "二")),
        ("rows", [["a", ""], ["b", "c"]], (("a", ""), ("b", "c"))),
        ("to_day", date(2027, 1, 2), "2027-01-02"),
        ("to_day", "2028-02-29", "2028-02-29"),
        ("seen_at", "2026-03-08 09:05", "2026-03-08T09:05"),
        ("seen_at", datetime(2026, 3, 8, 9, 5), "2026-03-08T09:05"),  # noqa: DTZ001 - local, as on a form
        ("count", 12, "12"),
        ("count", "7", "7"),
        ("area", 120.5, "120.50"),
        ("area", "0.1", "0.10"),
        ("area", "-0.00", "0.00"),
        ("area", 3, "3.00"),
        ("buyer", "91990101MA05HJ014U", "91990101MA05HJ014U"),
        ("person", "990101198805120016", "990101198805120016"),
        ("parcel", [[0, 0], ["10.5", 0], [0, "7.25"]], (("0.00", "0.00"), ("10.50", "0.00"), ("0.00", "7.25"))),
    ],
)  # fmt: skip
def test_values_become_canonical(catalogue: Catalogue, name: str, typed: object, expected: object) -> None:
    """Each kind has one written form, whatever right form was typed."""
    assert draft(catalogue, request({name: typed})).fields[name] == expected


# --- Wrong values ---


@pytest.mark.parametrize(
    ("name", "typed", "field"),
    [
        ("form", "3", "form"), ("form", 1, "form"), ("form", "", "form"), ("form", None, "form"),
        ("nonsense", "x", "nonsense"),
        ("title", 5, "title"), ("title", "一二三四五六七八九十一", "title"), ("title", "a\nb", "title"),
        ("title", " a", "title"), ("title", "a\u3000", "title"),
        ("code", "AB", "code"), ("code", "AB1x", "code"), ("code", "AB1\n", "code"),
        ("body", "一", "body"), ("body", ["一", ""], "body.2"), ("body", ["一", 2], "body.2"),
        ("body", ["一"] * 4, "body"), ("body", {"a": 1}, "body"),
        ("rows", [["a"]], "rows.1"), ("rows", [["a", "b"], ["a", "b", "c"]], "rows.2"), ("rows", ["ab"], "rows.1"),
        ("rows", [["a", "b\t"]], "rows.1.2"),
        ("to_day", "2027-02-29", "to_day"), ("to_day", "2027/01/02", "to_day"), ("to_day", 20270102, "to_day"),
        ("to_day", "2027-W01-1", "to_day"), ("to_day", datetime(2027, 1, 1, tzinfo=UTC), "to_day"),
        ("seen_at", "2026-03-08", "seen_at"), ("seen_at", "2026-03-08T25:00", "seen_at"),
        ("seen_at", datetime(2026, 3, 8, tzinfo=UTC), "seen_at"), ("seen_at", "2026-03-09T00:00", "seen_at"),
        ("count", 0, "count"), ("count", 100, "count"), ("count", "1.5", "count"), ("count", True, "count"),
        ("count", "１２", "count"), ("count", "012", "count"),
        ("area", "1.234", "area"), ("area", float("nan"), "area"), ("area", "1e3", "area"), ("area", "", None),
        ("area", "9" * 30, "area"), ("area", "+1", "area"), ("area", [1], "area"),
        ("buyer", "91990101MA05HJ014A", "buyer"), ("buyer", 9, "buyer"),
        ("person", "990101198805120017", "person"), ("person", "990101202812120011", "person"), ("person", 1, "person"),
        ("parcel", [[0, 0], [1, 0]], "parcel"), ("parcel", [[0, 0], [1, 1], [2, 2]], "parcel"),
        ("parcel", [[0, 0], [1, 0], [0, 1], [0, 0]], "parcel"), ("parcel", [[0, 0], [1], [0, 1]], "parcel.2"),
        ("parcel", [[0, 0], [1, "x"], [0, 1]], "parcel.2.2"), ("parcel", "no", "parcel"),
    ],
)  # fmt: skip
def test_wrong_values_are_refused_by_name(
    catalogue: Catalogue, name: str, typed: object, field: str | None
) -> None:
    """Each wrong value is InvalidLicenceData with its field, in lists with the entry's number."""
    if field is None:
        assert name not in draft(catalogue, request({name: typed})).fields
    else:
        assert refused(catalogue, request({name: typed})) == field


def test_dates_stand_in_order(catalogue: Catalogue) -> None:
    """A date that must not be later than another is refused when it is, by its own name."""
    assert draft(catalogue, request({"from_day": "2027-01-01", "to_day": "2027-01-01"}))
    assert refused(catalogue, request({"from_day": "2027-01-02", "to_day": "2027-01-01"})) == "from_day"


@pytest.mark.parametrize(
    "character",
    ["\x00", "\x07", "\t", "\n", "\r", "\x7f", "\x85", "\u00a0", "\u00ad", "\u034f", "\u061c", "\u115f", "\u180e",
     "\u200b", "\u200d", "\u200e", "\u2028", "\u2029", "\u202e", "\u2060", "\u2066", "\u3164", "\ufeff", "\ufe0f",
     "\ufffd", "\uffff", "\ufffe", "\U000e0041", "\U000e0100", "\U0002fffe", chr(0xD800), "\u0378", "\u2003",
     "\U0001d173", "\uffa0"],
)  # fmt: skip
def test_invisible_and_turning_characters_are_refused_with_their_code_point(character: str) -> None:
    """Control, bidi, zero-width, unassigned and unusual space characters are refused and named."""
    with pytest.raises(InvalidLicenceData) as caught:
        check_text(f"张{character}三", "name")
    assert caught.value.field == "name"
    assert f"U+{ord(character):04X}" in caught.value.en
    assert f"U+{ord(character):04X}" in caught.value.zh


@pytest.mark.parametrize(
    "text",
    ["张示例", "阿依古丽·买买提", "O’Brien Zoë", "王\U00020bb7", "王\U00030edd", "王\U00031350", "王\U0002ebf0",
     "王\ue000", "〇〔2026〕㎡", "<img src=/etc/passwd>", "{{7*7}}", "一 二　三", "a" * 200],
)  # fmt: skip
def test_names_and_rare_characters_are_accepted(text: str) -> None:
    """Middle dots, Latin letters, ideographs of every plane, private use and mark-up-like text are just text."""
    assert check_text(text, "name") == text


@pytest.mark.parametrize("text", ["e\u0301", "\uf900", "\u2126", "\U0002f800"])
def test_characters_with_two_encodings_are_refused(text: str) -> None:
    """A text that is not in NFC is refused and the character is named; nothing is replaced silently."""
    assert not unicodedata.is_normalized("NFC", text)
    with pytest.raises(InvalidLicenceData, match="NFC"):
        check_text(f"张{text}", "name")


@given(st.text(max_size=12))
def test_an_accepted_text_is_normal_visible_and_unchanged(text: str) -> None:
    """Whatever is accepted is in NFC, has no control or format character and no space at its ends."""
    try:
        accepted = check_text(text, "name")
    except InvalidLicenceData:
        return
    assert accepted == text == unicodedata.normalize("NFC", text)
    assert accepted.strip() == accepted != ""
    assert not {unicodedata.category(c) for c in accepted} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_common_characters_are_beyond_doubt():
    """No character that is taken without a second look has another form, joins with one before it, or is refused."""
    every = [chr(point) for point in range(sys.maxunicode + 1) if not 0xD800 <= point <= 0xDFFF]
    common = {character for character in every if values._COMMON.fullmatch(character)}
    joining = {part for character in every for part in unicodedata.normalize("NFD", character)[1:]}
    assert len(common) > 20_000
    assert not common & joining
    assert all(unicodedata.is_normalized("NFC", c) and not unicodedata.combining(c) for c in common)
    assert not any(values._fault(character) for character in common)


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=2))
def test_decimals_keep_their_value(number: Any) -> None:
    """A decimal is written with exactly its places and reads back as the same number."""
    spec = FieldSpec.model_validate({"name": "area", "zh": "面积", "en": "Area", "kind": FieldKind.DECIMAL})
    text = canonical(spec, str(number), on=AT.date())
    assert type(number)(text) == number
    assert str(text).partition(".")[2].isdigit()


# --- Holders, authority, dates of the licence ---


@pytest.mark.parametrize(
    ("holders", "field"),
    [
        ((), "holders"),
        ((COMPANY, PERSON, replace(PERSON, code="990101199009230024")), "holders"),
        ((COMPANY, COMPANY), "holders"),
        ((replace(COMPANY, code_kind="411"),), "holders.1.code_kind"),
        ((replace(COMPANY, code="91990101MA05HJ014A"),), "holders.1.code"),
        ((COMPANY, replace(PERSON, code="990101198805120017")), "holders.2.code"),
        ((COMPANY, replace(PERSON, name="张")), "holders.2.name"),
        ((replace(COMPANY, name="字" * 61),), "holders.1.name"),
        ((replace(COMPANY, name="示例\u202e公司"),), "holders.1.name"),
        ((Holder("Zoë", "414", "E1 2"),), "holders.1.code"),
    ],
)
def test_wrong_holders_are_refused_by_position(
    catalogue: Catalogue, holders: tuple[Holder, ...], field: str
) -> None:
    """Number, kind, code and name of holders are checked; the error says which holder."""
    assert refused(catalogue, request(holders=holders)) == field


@pytest.mark.parametrize("name", ["张三", "字" * 60, "阿卜杜热合曼·艾则孜", "Anne-Marie O’Neill", "𠮷𱁬"])
def test_names_of_two_to_sixty_characters_hold(catalogue: Catalogue, name: str) -> None:
    """Short, long, foreign and rare names are accepted as they are."""
    made = draft(catalogue, request(holders=(Holder(name, "414", "E12345678"),)))
    assert made.holders[0].name == name


def test_a_small_x_in_an_identity_number_becomes_a_capital(catalogue: Catalogue) -> None:
    """The holder's code is canonical."""
    made = draft(catalogue, request(holders=(Holder("测试者", "111", "11010519491231002x"),)))
    assert made.holders[0].code == "11010519491231002X"


def test_only_the_right_authority_may_issue(catalogue: Catalogue) -> None:
    """Another level, or a request for another authority, is NotAuthorised; wrong own data is named."""
    with pytest.raises(NotAuthorised) as caught:
        draft(catalogue, request(), replace(AUTHORITY, level=AuthorityLevel.TOWN))
    assert caught.value.field == "authority.level"
    assert refused(catalogue, request(authority_code="11990100001002016T"), NotAuthorised) == "authority_code"
    for change in ({"region": "9901"}, {"name": "局"}, {"place": ""}, {"prefix": "样\u200b"}):
        with pytest.raises(InvalidLicenceData) as wrong:
            draft(catalogue, request(), replace(AUTHORITY, **change))
        assert wrong.value.field == f"authority.{next(iter(change))}"


def test_an_unknown_type_is_named_with_the_known_ones(catalogue: Catalogue) -> None:
    """An unknown type is UnknownLicenceType and the text lists what there is."""
    with pytest.raises(UnknownLicenceType, match="test-licence"):
        draft(catalogue, request(type="../secret"))


def test_the_day_of_issue_is_not_in_the_future(catalogue: Catalogue) -> None:
    """Today in Beijing and earlier are possible, tomorrow is not; a naive moment is a programmer's mistake."""
    assert draft(catalogue, request(issued_on=date(2026, 3, 8))).issued_on == date(2026, 3, 8)
    assert refused(catalogue, request(issued_on=date(2026, 3, 9))) == "issued_on"
    with pytest.raises(TypeError):
        catalogue.draft(request(), AUTHORITY, at=AT.replace(tzinfo=None), verify_base=BASE)


def test_requested_validity_stands_in_order(catalogue: Catalogue) -> None:
    """Under the rule `request` both days may be given; the last before the first is refused."""
    day = date(2026, 4, 1)
    assert draft(catalogue, request(valid_from=day, valid_until=day)).validity == Validity(day, day)
    assert refused(catalogue, request(valid_from=day, valid_until=date(2026, 3, 31))) == "valid_until"


@pytest.mark.parametrize(
    ("rule", "start", "end"),
    [
        ({"kind": "years", "years": 5}, date(2026, 3, 8), date(2031, 3, 7)),
        ({"kind": "indefinite"}, date(2026, 3, 8), None),
        ({"kind": "fields", "from": "from_day", "until": "to_day"}, date(2026, 1, 1), date(2027, 1, 1)),
        ({"kind": "fields", "until": "to_day"}, date(2026, 3, 8), date(2027, 1, 1)),
    ],
)
def test_validity_rules(tmp_path: Path, rule: dict[str, object], start: date, end: date | None) -> None:
    """Each rule gives its first and last day, and does not take a last day from the request."""
    types = Catalogue.load(write_type(tmp_path, TYPE | {"validity": rule}))
    asked = request({"from_day": "2026-01-01", "to_day": "2027-01-01"})
    assert draft(types, asked).validity == Validity(start, end)
    assert refused(types, replace(asked, valid_until=date(2030, 1, 1))) == "valid_until"
    if rule["kind"] == "fields":
        assert refused(types, replace(asked, valid_from=date(2026, 1, 1))) == "valid_from"
        early = replace(asked, fields={"form": "1", "to_day": "2025-12-31"})
        assert refused(types, early) == "to_day"
        open_end = replace(asked, fields={"form": "1"})
        assert draft(types, open_end).validity.end is None
    else:
        assert draft(types, replace(asked, valid_from=date(2026, 5, 1))).validity.start == date(2026, 5, 1)


def test_five_years_from_a_leap_day(tmp_path: Path) -> None:
    """A licence that begins on 29 February ends on 28 February."""
    types = Catalogue.load(write_type(tmp_path, TYPE | {"validity": {"kind": "years", "years": 5}}))
    made = draft(types, request(valid_from=date(2024, 2, 29)))
    assert made.validity.end == date(2029, 2, 28)


@pytest.mark.parametrize(
    "base", ["", "ftp://x/", "https://example.org", "https://例.cn/", "javascript:alert(1)//"]
)
def test_a_wrong_checking_address_is_refused(catalogue: Catalogue, base: str) -> None:
    """The address must be http or https, plain, and end where the identifier goes."""
    with pytest.raises(InvalidLicenceData) as caught:
        catalogue.draft(request(), AUTHORITY, at=AT, verify_base=base)
    assert caught.value.field == "verify_base"


# --- Numbers ---


def test_the_number_has_counters_fields_and_a_check_digit(catalogue: Catalogue) -> None:
    """The number is formed from the draft; its check digit covers the digits before it."""
    made = draft(catalogue, request())
    number = catalogue["test-licence"].number(made, 42)
    assert number == f"1-990100-2026-042-{mod_11_10('19901002026042')}"
    with pytest.raises(InvalidLicenceData) as caught:
        catalogue["test-licence"].number(made, 1000)
    assert caught.value.field == "sequence"


@given(st.integers(1, 999), st.integers(1, 999))
def test_two_sequences_never_give_one_number(first: int, second: int) -> None:
    """Numbers are equal only if their sequences are."""
    made = LicenceDraft(
        "t",
        "c",
        "n",
        "licence",
        AUTHORITY,
        (COMPANY,),
        AT.date(),
        Validity(AT.date(), None),
        {},
        {},
        BASE,  # type: ignore[arg-type]
    )
    numbers = [
        NumberFormat.parse("{authority.prefix}〔{year}〕{sequence}号{check}", "iso7064-mod37-36").number(
            made, n
        )
        for n in (first, second)
    ]
    assert (numbers[0] == numbers[1]) == (first == second)


@pytest.mark.parametrize(
    ("template", "check"),
    [
        ("{year}", None), ("{sequence}", None), ("{year}{sequence}{sequence}", None), ("{year}{sequence}{check}", None),
        ("{year}{sequence}", "iso7064-mod11-10"), ("{year}{sequence}{", None), ("{year}{sequence}}", None),
        ("{year}{sequence}{authority.level}", None), ("{year}{sequence:0}", None),
        ("{year}{sequence}{check}{check}", "iso7064-mod11-10"),
    ],
)  # fmt: skip
def test_number_formats_that_could_repeat_or_cannot_be_read_are_refused(
    template: str, check: str | None
) -> None:
    """A format needs one sequence and the year, known places, and `check` exactly when it says so."""
    with pytest.raises(ValueError, match=r"number format|check"):
        NumberFormat.parse(template, check)


# --- The files of a type ---


def changed(*path: object, value: object) -> dict[str, Any]:
    """Return TYPE with one value changed; `...` deletes it."""
    content = deepcopy(TYPE)
    target: Any = content
    for step in path[:-1]:
        target = target[step]
    if value is ...:
        del target[path[-1]]
    else:
        target[path[-1]] = value
    return content


@pytest.mark.parametrize(
    "content",
    [
        changed("schema", value=2), changed("schema", value=...), changed("name", value={"zh": "测试"}),
        changed("type_code", value=11990000000001), changed("type_code", value="11990000000001011A099"),
        changed("typo", value=1), changed("issuing_levels", value=["village"]), changed("issuing_levels", value=[]),
        changed("holder_kinds", value=[1]), changed("max_holders", value=0), changed("sources", value=[]),
        changed("number", "format", value="{year}"), changed("number", "format", value="{title}{year}{sequence}"),
        changed("number", "check", value="crc32"), changed("validity", value={"kind": "years"}),
        changed("validity", value={"kind": "indefinite", "years": 2}),
        changed("validity", value={"kind": "fields", "until": "title"}), changed("validity", value={"kind": "fields"}),
        changed("page", value={"size": "A9"}), changed("fields", value=[]), changed("fields", 1, "name", value="form"),
        changed("fields", 1, "name", value="number"), changed("fields", 1, "name", value="Title"),
        changed("fields", 1, "kind", value="colour"),
        changed("fields", 1, "choices", value={"1": {"zh": "a", "en": "b"}}),
        changed("fields", 0, "choices", value=...), changed("fields", 4, "columns", value=...),
        changed("fields", 2, "pattern", value="["), changed("fields", 1, "min_length", value=11),
        changed("fields", 1, "not_after", value="to_day"), changed("fields", 5, "not_after", value="title"),
        changed("fields", 8, "minimum", value=float("inf")), [], "text", None,
    ],
)  # fmt: skip
def test_wrong_type_files_are_refused(tmp_path: Path, content: object) -> None:
    """A missing, unknown or inconsistent key is InvalidTemplate and names the file."""
    with pytest.raises(InvalidTemplate, match=r"test-licence/type\.yaml") as caught:
        Catalogue.load(write_type(tmp_path, content))
    assert caught.value.field


@pytest.mark.parametrize(
    "text", ["a: 1\na: 2\n", "a: {b: 1, b: 2}\n", "a: [\n", "!!python/object:os.system {}\n", "? [1]\n: 2\n"]
)
def test_yaml_with_doubled_keys_or_foreign_tags_is_refused(tmp_path: Path, text: str) -> None:
    """A key that stands twice, broken YAML and tags that make objects are refused."""
    path = tmp_path / "type.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(InvalidTemplate):
        load_yaml(path)


def test_missing_files_and_doubled_codes_are_refused(tmp_path: Path) -> None:
    """An empty folder, a missing or wrong sample, a bad folder name and a doubled type code are named."""
    with pytest.raises(InvalidTemplate):
        Catalogue.load(tmp_path)
    write_type(tmp_path)
    assert Catalogue.load(tmp_path)["test-licence"].name_en == "Test Licence"
    sample = tmp_path / "test-licence" / "sample.json"
    for wrong in ("{", "[]", '{"request": {}}'):
        sample.write_text(wrong, "utf-8")
        with pytest.raises(InvalidTemplate, match=r"sample\.json"):
            Catalogue.load(tmp_path)
    sample.unlink()
    with pytest.raises(InvalidTemplate, match=r"sample\.json"):
        Catalogue.load(tmp_path)
    write_type(tmp_path)
    write_type(tmp_path, slug="other")
    with pytest.raises(InvalidTemplate, match="type code"):
        Catalogue.load(tmp_path)
    shutil.move(tmp_path / "other", tmp_path / "Other Type")
    with pytest.raises(InvalidTemplate, match="renamed"):
        Catalogue.load(tmp_path)


def test_the_digest_changes_with_any_file(tmp_path: Path) -> None:
    """The digest depends on names and contents of all files but hidden ones, and on nothing else."""
    write_type(tmp_path / "a")
    first = Catalogue.load(tmp_path / "a").types[0].digest
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert Catalogue.load(tmp_path / "b").types[0].digest == first
    (tmp_path / "b" / "test-licence" / ".lock").write_text("x", "utf-8")
    assert Catalogue.load(tmp_path / "b").types[0].digest == first
    (tmp_path / "b" / "test-licence" / "layout.yaml").write_text("x", "utf-8")
    second = Catalogue.load(tmp_path / "b").types[0].digest
    (tmp_path / "b" / "test-licence" / "layout.yaml").rename(tmp_path / "b" / "test-licence" / "layout.yml")
    third = Catalogue.load(tmp_path / "b").types[0].digest
    assert len({first, second, third}) == 3


def test_pages_are_turned(catalogue: Catalogue, tmp_path: Path) -> None:
    """Width and height are those of the page as turned, in millimetres."""
    portrait = catalogue["test-licence"]
    assert (portrait.page_width, portrait.page_height) == (210, 297)
    types = Catalogue.load(write_type(tmp_path, TYPE | {"page": {"size": "A3", "orientation": "landscape"}}))
    assert (types.types[0].page_width, types.types[0].page_height) == (420, 297)
    assert portrait.field("form").kind is FieldKind.CHOICE
    with pytest.raises(KeyError):
        portrait.field("nonsense")


def test_the_example_of_the_manual_is_a_valid_type(tmp_path: Path) -> None:
    """The type.yaml that docs/templates.md shows is accepted as it stands, and gives a number with 14 digits."""
    manual = (Path(__file__).parents[2] / "docs" / "templates.md").read_text("utf-8")
    example = manual.partition("## type.yaml")[2].partition("```yaml\n")[2].partition("```")[0]
    types = Catalogue.load(write_type(tmp_path, yaml.safe_load(example)))
    fields = {"operator_name": "示例餐饮有限公司", "business_form": "2"}
    made = draft(types, replace(request(), fields=fields))
    assert types.types[0].number(made, 1) == "JY29901002600014"
