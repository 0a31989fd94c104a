"""Codes with check digits: published examples, an independent implementation, and every single typing slip."""

from __future__ import annotations

import pickle
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric, uscc
from stdnum.iso7064 import mod_11_2 as oracle_11_2
from stdnum.iso7064 import mod_11_10 as oracle_11_10
from stdnum.iso7064 import mod_37_36 as oracle_37_36

from elicense import identifiers as ids
from elicense.errors import InvalidLicenceData
from elicense.identifiers import LicenceIdentifier

PUBLISHED = (
    "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0",
    "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
)
DEVIATING = "1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9"
WRONG = "1.2.156.3005.2.11100000000013661B006.113700000045046442.209FA4E88F9E4C878F3E9BED2CE7EA49.001.M"
CREDIT_CODES = (
    "11330105002500287C",
    "11320500014150050B",
    "11370306MB2867521U",
    "11110000000021135M",
    "91350100M000100Y43",
)
TYPE, ISSUER = "11990000000001011Q001", "11990100001001013A"


def credit_codes(heads: tuple[str, ...] = ("11", "91", "52", "N2", "A1", "Y1")) -> st.SearchStrategy[str]:
    """Valid credit codes that begin with one of `heads`: body of registration and kind of organisation."""
    letters = st.text(ids.CREDIT_CODE_ALPHABET, min_size=9, max_size=9)
    bodies = st.builds(
        "{}{}{}".format,
        st.sampled_from(heads),
        st.text("0123456789", min_size=6, max_size=6),
        letters,
    )
    return bodies.map(lambda body: body + ids.credit_code_check(body))


def identifiers() -> st.SearchStrategy[LicenceIdentifier]:
    """Strict identifiers."""
    return st.builds(
        LicenceIdentifier,
        type_code=st.tuples(credit_codes(), st.text("0123456789", min_size=3, max_size=3)).map("".join),
        issuer_code=credit_codes(),
        serial=st.text(ids.DIGITS_AND_CAPITALS, min_size=1, max_size=32),
        version=st.integers(1, 999),
    )


@pytest.mark.parametrize("text", PUBLISHED)
def test_published_identifiers_are_read_and_written_back(text: str) -> None:
    """A published identifier is accepted, has no deviations, and is written as it was read."""
    identifier = LicenceIdentifier.parse(text)
    assert str(identifier) == identifier.text == text
    assert identifier.deviations == ()
    assert identifier.check_character == text[-1]


@pytest.mark.parametrize("strict", [True, False])
def test_an_identifier_with_a_wrong_check_character_is_refused(strict: bool) -> None:
    """The published example with a wrong check character is refused, leniently too."""
    with pytest.raises(InvalidLicenceData) as caught:
        LicenceIdentifier.parse(WRONG, strict=strict)
    assert caught.value.field == "identifier"
    assert str(LicenceIdentifier.parse(WRONG[:-1] + "D", strict=False)).endswith(".D")


def test_a_real_deviation_is_read_leniently_and_named() -> None:
    """An identifier whose issuer is a region code is refused strictly; leniently, the deviation is named."""
    with pytest.raises(InvalidLicenceData) as caught:
        LicenceIdentifier.parse(DEVIATING)
    assert caught.value.field == "issuer_code"
    identifier = LicenceIdentifier.parse(DEVIATING, strict=False)
    assert str(identifier) == DEVIATING
    assert [deviation.field for deviation in identifier.deviations] == ["issuer_code"]


def test_lenient_reading_takes_small_letters_and_a_missing_root() -> None:
    """Leniently, white space around, small letters and a missing root do not matter."""
    text = PUBLISHED[0]
    assert LicenceIdentifier.parse(f" {text.lower()} ", strict=False) == LicenceIdentifier.parse(text)
    bare = text.removeprefix(ids.ROOT_OID + ".")
    assert LicenceIdentifier.parse(bare, strict=False) == LicenceIdentifier.parse(text)
    for variant in (bare, text.lower(), text + " "):
        with pytest.raises(InvalidLicenceData):
            LicenceIdentifier.parse(variant)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1.2.156.3005.2",
        PUBLISHED[0] + ".0",
        PUBLISHED[0].replace(".002.", ".2."),
        PUBLISHED[0].replace(".002.", ".000."),
        PUBLISHED[0].replace("2025052201", ""),
        PUBLISHED[0].replace("2025052201", "２０２５"),
        PUBLISHED[0].replace("2025052201", "A-B"),
        "1.2.156.3005.2." + "." * 4,
    ],
)
@pytest.mark.parametrize("strict", [True, False])
def test_malformed_identifiers_are_refused(text: str, strict: bool) -> None:
    """What is not six parts of digits and capitals is refused with the field named."""
    with pytest.raises(InvalidLicenceData) as caught:
        LicenceIdentifier.parse(text, strict=strict)
    assert caught.value.field is not None
    assert caught.value.zh
    assert caught.value.en


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        (("11990000000001011Q01", ISSUER, "1", 1), "type_code"),
        (("119900000000000000001", ISSUER, "1", 1), "type_code"),
        ((TYPE, "11990100001001013B", "1", 1), "issuer_code"),
        ((TYPE, ISSUER, "1" * 33, 1), "serial"),
        ((TYPE, ISSUER, "a", 1), "identifier"),
        ((TYPE, ISSUER, "1", 0), "identifier"),
        ((TYPE, ISSUER, "1", 1000), "identifier"),
    ],
)
def test_an_identifier_cannot_be_made_from_wrong_parts(parts: tuple[str, str, str, int], field: str) -> None:
    """Construction refuses each wrong part by name."""
    with pytest.raises(InvalidLicenceData) as caught:
        LicenceIdentifier(*parts)
    assert caught.value.field == field


@given(identifiers())
def test_every_identifier_survives_writing_and_reading(identifier: LicenceIdentifier) -> None:
    """Any strict identifier equals what is read back from its text, and its check character is the oracle's."""
    assert LicenceIdentifier.parse(str(identifier)) == identifier
    body = f"{identifier.type_code}{identifier.issuer_code}{identifier.serial}{identifier.version:03d}"
    assert identifier.check_character == oracle_37_36.calc_check_digit(body)


@given(identifiers(), st.data())
def test_one_mistyped_character_is_always_noticed(identifier: LicenceIdentifier, data: st.DataObject) -> None:
    """Whichever single character after the root is mistyped, the identifier is refused."""
    text = str(identifier)
    position = data.draw(st.integers(len(ids.ROOT_OID) + 1, len(text) - 1))
    wrong = data.draw(st.sampled_from(ids.DIGITS_AND_CAPITALS + ".").filter(lambda c: c != text[position]))
    with pytest.raises(InvalidLicenceData):
        LicenceIdentifier.parse(text[:position] + wrong + text[position + 1 :])


def test_identifiers_can_be_pickled_and_compared() -> None:
    """An identifier crosses a process border; how it was read does not matter to equality."""
    identifier = LicenceIdentifier.parse(PUBLISHED[0])
    assert pickle.loads(pickle.dumps(identifier)) == identifier  # noqa: S301 - our own bytes
    assert LicenceIdentifier.parse(PUBLISHED[0], strict=False) == identifier
    assert hash(LicenceIdentifier.parse(PUBLISHED[0], strict=False)) == hash(identifier)


def test_small_published_vectors_of_mod_37_36() -> None:
    """The check characters of two published vectors come out."""
    assert ids.mod_37_36("A12425GABC1234002") == "M"
    assert ids.mod_37_36("12CD") == "5"


@given(st.text(ids.DIGITS_AND_CAPITALS, min_size=1, max_size=60))
def test_mod_37_36_agrees_with_the_oracle(body: str) -> None:
    """MOD 37,36 equals an independent implementation's."""
    assert ids.mod_37_36(body) == oracle_37_36.calc_check_digit(body)


@given(st.text("0123456789", min_size=1, max_size=40))
def test_number_checks_agree_with_the_oracle(body: str) -> None:
    """MOD 11,10 and MOD 11-2 equal an independent implementation's."""
    assert ids.mod_11_10(body) == oracle_11_10.calc_check_digit(body)
    assert ids.mod_11_2(body) == oracle_11_2.calc_check_digit(body)


@pytest.mark.parametrize("function", [ids.mod_37_36, ids.mod_11_10, ids.mod_11_2])
@pytest.mark.parametrize("body", ["", "a", "-1", "１"])
def test_check_characters_of_other_texts_do_not_exist(function: object, body: str) -> None:
    """An empty text or one with foreign characters has no check character."""
    with pytest.raises(ValueError, match=r".+"):
        function(body)  # type: ignore[operator]


@pytest.mark.parametrize("code", CREDIT_CODES)
def test_published_credit_codes_are_valid(code: str) -> None:
    """Each published credit code passes, and so does the organisation code inside."""
    assert ids.check_credit_code(code) == code
    assert ids.check_organisation_code(code[8:17]) == code[8:17]
    assert ids.check_organisation_code(f"{code[8:16]}-{code[16]}") == code[8:17]


@pytest.mark.parametrize(
    "code",
    ["12330000470003281U", "", "1133010500250028", "11330105002500287c", "11330105002500287CC", "1133010500250028IC",
     "11330105002500287C\n", "１1330105002500287C", "11A30105002500287C"],
)  # fmt: skip
def test_wrong_credit_codes_are_refused_by_field(code: str) -> None:
    """A published invalid code, wrong lengths and foreign characters are refused with the field's name."""
    with pytest.raises(InvalidLicenceData) as caught:
        ids.check_credit_code(code, "buyer")
    assert caught.value.field == "buyer"


# The oracle knows no bodies of registration that are letters (agriculture is N).
@given(credit_codes(("11", "91", "52")))
def test_credit_codes_agree_with_the_oracle(code: str) -> None:
    """A code we find valid is valid to an independent implementation."""
    assert uscc.is_valid(code)
    assert ids.check_credit_code(code) == code


@given(credit_codes(), st.data())
def test_a_mistyped_credit_code_is_refused_as_by_the_oracle(code: str, data: st.DataObject) -> None:
    """With one character changed, we and an independent implementation refuse alike."""
    position = data.draw(st.integers(0, 17))
    wrong = data.draw(st.sampled_from(ids.CREDIT_CODE_ALPHABET).filter(lambda c: c != code[position]))
    mistyped = code[:position] + wrong + code[position + 1 :]
    assert not uscc.is_valid(mistyped)
    with pytest.raises(InvalidLicenceData):
        ids.check_credit_code(mistyped)


@pytest.mark.parametrize("code", ["", "002500288", "00250028-8", "0025002-87", "00250028x"])
def test_wrong_organisation_codes_are_refused(code: str) -> None:
    """A wrong check character, a hyphen elsewhere and small letters are refused."""
    with pytest.raises(InvalidLicenceData) as caught:
        ids.check_organisation_code(code)
    assert caught.value.field == "organisation_code"


def test_the_published_identity_number_is_valid_in_either_case() -> None:
    """The published example passes; a small x comes back as a capital."""
    assert ids.check_resident_id("11010519491231002X") == "11010519491231002X"
    assert ids.check_resident_id("11010519491231002x") == "11010519491231002X"


@pytest.mark.parametrize(
    "number",
    ["110105194912310021", "11010519491331002X", "11010519490229002X", "1101051949123100", "01010519491231002X",
     "11010519491231002Ｘ", "x", "11010519491231002X ", "110105194912310O2X"],
)  # fmt: skip
def test_wrong_identity_numbers_are_refused_without_repeating_them(number: str) -> None:
    """Check character, impossible date, length and foreign characters are refused; the error keeps it secret."""
    with pytest.raises(InvalidLicenceData) as caught:
        ids.check_resident_id(number, "mother_id")
    assert caught.value.field == "mother_id"
    assert len(number) < 5 or (number not in caught.value.en and number not in caught.value.zh)


def test_nobody_is_born_after_the_day_of_issue() -> None:
    """A date of birth after the given day is refused, on that day it is not."""
    assert ids.check_resident_id("11010519491231002X", on=date(1949, 12, 31))
    with pytest.raises(InvalidLicenceData):
        ids.check_resident_id("11010519491231002X", on=date(1949, 12, 30))


@given(st.dates(date(1900, 1, 1), date(2025, 12, 31)), st.integers(0, 999))
def test_identity_numbers_agree_with_the_oracle(born: date, order: int) -> None:
    """For any date and order number our check character is the independent implementation's."""
    body = f"110105{born:%Y%m%d}{order:03d}"
    number = body + ids.resident_id_check(body)
    assert ric.is_valid(number)
    assert ids.check_resident_id(number) == number


@given(st.text("0123456789X", min_size=18, max_size=18))
def test_random_numbers_are_valid_only_if_the_oracle_agrees_on_the_check_character(number: str) -> None:
    """No random text passes whose check character the oracle would not give."""
    try:
        ids.check_resident_id(number)
    except InvalidLicenceData:
        return
    assert ric.calc_check_digit(number) == number[-1]


@pytest.mark.parametrize("number", ["32050000011053", "53011200000556", "37030000001721"])
def test_published_seal_numbers_are_valid(number: str) -> None:
    """Numbers of government seals in use pass."""
    assert ids.check_seal_number(number) == number


@pytest.mark.parametrize(
    "number", ["", "3205000001105", "320500000110533", "02050000011053", "3205000001105X", "３" * 14]
)
def test_wrong_seal_numbers_are_refused(number: str) -> None:
    """Other lengths, a leading zero, letters and full-width digits are refused."""
    with pytest.raises(InvalidLicenceData) as caught:
        ids.check_seal_number(number)
    assert caught.value.field == "seal_number"


def test_region_codes_have_six_digits() -> None:
    """Six digits pass, all else is refused."""
    assert ids.check_region("990101") == "990101"
    for wrong in ("", "09010", "090101", "9901011", "99010A"):
        with pytest.raises(InvalidLicenceData):
            ids.check_region(wrong)
