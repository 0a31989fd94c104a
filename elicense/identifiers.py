"""Codes with check digits: licence identifier, credit code, resident identity number, seal number and others.

Strict on output: what these functions return may be printed. Identifiers from elsewhere may be read
leniently; then `deviations` says what is unusual about them. The texts of the standards were not read; the
rules follow published descriptions and are tested against published examples and an independent
implementation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from operator import mul
from typing import TYPE_CHECKING, Self

from elicense.errors import InvalidLicenceData

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT_OID = "1.2.156.3005.2"
"""Arc under which licence identifiers live. Source: GB/T 36904-2018 (text not read)."""

DIGITS_AND_CAPITALS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CREDIT_CODE_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
RESIDENT_CHECK_CHARACTERS = "10X98765432"

_CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)

_CREDIT_SHAPE = re.compile(f"[{CREDIT_CODE_ALPHABET}]{{2}}[0-9]{{6}}[{CREDIT_CODE_ALPHABET}]{{10}}")
_ORGANISATION_SHAPE = re.compile(r"([0-9A-Z]{8})-?([0-9X])")
_RESIDENT_SHAPE = re.compile(r"[1-9][0-9]{16}[0-9X]")
_SERIAL_SHAPE = re.compile(r"[0-9A-Z]{1,32}")
_LENIENT_PART = re.compile(r"[0-9A-Z]{1,64}")
_VERSION_SHAPE = re.compile(r"[0-9]{3}")
_TAIL = re.compile(r"([0-9A-Z]{1,32})\.((?!000)[0-9]{3})\.[0-9A-Z]")

PARTS = 5
"""Parts after the root: type, issuer, serial, version, check character."""


# --- ISO/IEC 7064 ---


def _hybrid_check(body: str, alphabet: str) -> str:
    """Return the check character of an ISO/IEC 7064 hybrid system with modulus `len(alphabet)`.

    Raises ValueError if `body` is empty or holds a character outside `alphabet`.
    """
    if not body:
        raise ValueError("an empty text has no check character")
    return _hybrid_end(_hybrid_product(body, alphabet), alphabet)


def _hybrid_product(body: str, alphabet: str, product: int | None = None) -> int:
    """Return the product after these characters, going on from one; None is the beginning of a text."""
    modulus = len(alphabet)
    product = modulus if product is None else product
    for character in body:
        total = (product + alphabet.index(character)) % modulus or modulus
        product = total * 2 % (modulus + 1)
    return product


def _hybrid_end(product: int, alphabet: str) -> str:
    """Return the check character of a text that ends with this product."""
    return alphabet[(len(alphabet) + 1 - product) % len(alphabet)]


def mod_37_36(body: str) -> str:
    """Return the MOD 37,36 check character of digits and capitals. Source: GB/T 17710, ISO/IEC 7064.

    Raises ValueError if `body` is empty or holds other characters.
    """
    return _hybrid_check(body, DIGITS_AND_CAPITALS)


def mod_11_10(body: str) -> str:
    """Return the MOD 11,10 check digit of digits. Source: ISO/IEC 7064.

    Raises ValueError if `body` is empty or holds other characters.
    """
    return _hybrid_check(body, "0123456789")


def mod_11_2(body: str) -> str:
    """Return the MOD 11-2 check character (a digit or X) of digits. Source: ISO/IEC 7064.

    Raises ValueError if `body` is empty or holds other characters.
    """
    if not body:
        raise ValueError("an empty text has no check character")
    total = 0
    for character in body:
        total = (total + "0123456789".index(character)) * 2 % 11
    return "0123456789X"[(12 - total) % 11]


# --- Codes of organisations and people ---


def _weighted(characters: Sequence[str], weights: Sequence[int], alphabet: str) -> int:
    if len(characters) != len(weights):
        raise ValueError("too many or too few characters")
    return sum(map(mul, map(alphabet.index, characters), weights))


def credit_code_check(body: str) -> str:
    """Return the 18th character that belongs to the first 17 of a credit code. Source: GB 32100-2015.

    Raises ValueError if `body` is not 17 characters of the credit code alphabet.
    """
    return CREDIT_CODE_ALPHABET[-_weighted(body, _CREDIT_WEIGHTS, CREDIT_CODE_ALPHABET) % 31]


def organisation_code_check(body: str) -> str:
    """Return the 9th character that belongs to the first 8 of an organisation code. Source: GB 11714.

    Raises ValueError if `body` is not 8 digits and capitals.
    """
    remainder = -_weighted(body, _ORGANISATION_WEIGHTS, DIGITS_AND_CAPITALS) % 11
    return "0123456789X"[remainder]


def resident_id_check(body: str) -> str:
    """Return the 18th character that belongs to the first 17 digits of an identity number. Source: GB 11643.

    Raises ValueError if `body` is not 17 digits.
    """
    return RESIDENT_CHECK_CHARACTERS[_weighted(body, _RESIDENT_WEIGHTS, "0123456789") % 11]


@lru_cache(maxsize=1024)
def check_credit_code(text: str, name: str = "credit_code") -> str:
    """Return `text` if it is a 统一社会信用代码: 18 characters, alphabet and check character right.

    Args:
        text: the code as typed.
        name: field named in the error.

    Raises:
        InvalidLicenceData: the code is not 18 characters of the alphabet, or its check character is wrong.

    Source: GB 32100-2015. The organisation code inside is not checked again: not all codes given out since
    are formed by GB 11714, and the outer check character already guards every character.
    """
    if not _CREDIT_SHAPE.fullmatch(text):
        raise InvalidLicenceData(
            "a credit code has 18 characters, digits and capital letters without I, O, S, V and Z; "
            "characters 3 to 8 are digits: copy it again from the registration",
            "统一社会信用代码为18位数字和大写字母（不含I、O、S、V、Z），第3至8位为数字，请按登记信息重新填写",
            field=name,
        )
    if credit_code_check(text[:17]) != text[17]:
        raise InvalidLicenceData(
            "the credit code's check character does not fit: one of its 18 characters is mistyped",
            "统一社会信用代码校验位不符，请逐位核对是否有误",
            field=name,
        )
    return text


def check_organisation_code(text: str, name: str = "organisation_code") -> str:
    """Return the 9 characters of an organisation code (a hyphen before the last is dropped).

    Raises:
        InvalidLicenceData: shape or check character wrong; `field` is `name`.

    Source: GB 11714.
    """
    match = _ORGANISATION_SHAPE.fullmatch(text)
    if match is None or organisation_code_check(match[1]) != match[2]:
        raise InvalidLicenceData(
            "an organisation code has 8 digits or capital letters and a check character that fits them: "
            "copy it again",
            "组织机构代码应为8位数字或大写字母加1位校验码，请核对后重新填写",
            field=name,
        )
    return match[1] + match[2]


def check_resident_id(text: str, name: str = "resident_id", *, on: date | None = None) -> str:
    """Return the 公民身份号码 with a capital X: 18 characters, a real date of birth, check character right.

    Args:
        text: the number as typed; a final small x is taken as X.
        name: field named in the error. The error never repeats the number.
        on: the date of birth may not be later than this day, if given.

    Raises:
        InvalidLicenceData: shape, date of birth or check character wrong.

    Source: GB 11643-1999. Region codes are not looked up: the list changes and old numbers keep old codes.
    """
    canonical = text[:-1] + "X" if text.endswith("x") else text
    if not _RESIDENT_SHAPE.fullmatch(canonical):
        raise InvalidLicenceData(
            "a resident identity number has 17 digits and a check character (digit or X): type it again",
            "公民身份号码应为17位数字加1位校验码（数字或X），请重新填写",
            field=name,
        )
    born = _birth_date(canonical)
    if born is None or (on is not None and born > on):
        raise InvalidLicenceData(
            "digits 7 to 14 of the resident identity number are not a possible date of birth: type it again",
            "公民身份号码第7至14位不是有效的出生日期，请重新填写",
            field=name,
        )
    if resident_id_check(canonical[:17]) != canonical[17]:
        raise InvalidLicenceData(
            "the resident identity number's check character does not fit: one of its characters is mistyped",
            "公民身份号码校验位不符，请逐位核对是否有误",
            field=name,
        )
    return canonical


def _birth_date(number: str) -> date | None:
    """Return the date of birth in an 18-character identity number, None if there is no such day."""
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def check_seal_number(text: str, name: str = "seal_number") -> str:
    """Return `text` if it is 14 digits: region (6, not 000000) and serial (8).

    Raises:
        InvalidLicenceData: anything else; `field` is `name`.

    Source: numbers of government seals in use; GA 241.1 was not read.
    """
    if not re.fullmatch(r"[1-9][0-9]{13}", text):
        raise InvalidLicenceData(
            "a seal number has 14 digits, region code (6) and serial (8): copy it from the seal's record",
            "印章编码应为14位数字（6位行政区划代码加8位顺序号），请按印章备案信息填写",
            field=name,
        )
    return text


def check_region(text: str, name: str = "region") -> str:
    """Return `text` if it has the shape of a 行政区划代码: 6 digits, first not 0.

    Raises:
        InvalidLicenceData: anything else; `field` is `name`.

    Source: GB/T 2260; its list is not used, because it changes and old codes stay on record.
    """
    if not re.fullmatch(r"[1-9][0-9]{5}", text):
        raise InvalidLicenceData(
            "a region code has 6 digits and does not begin with 0",
            "行政区划代码应为6位数字且不以0开头",
            field=name,
        )
    return text


@lru_cache(maxsize=1024)
def check_type_code(text: str, name: str = "type_code") -> str:
    """Return `text` if it is a 证照类型代码: credit code of the defining body and 3 digits.

    Raises:
        InvalidLicenceData: anything else; `field` is `name`.

    Source: GB/T 36904-2018 (text not read; shape from codes in use).
    """
    if not re.fullmatch(r".{18}[0-9]{3}", text, re.DOTALL):
        raise InvalidLicenceData(
            "a licence type code has 21 characters: the defining body's credit code and 3 digits",
            "证照类型代码应为21位：证照定义机构的统一社会信用代码加3位顺序号",
            field=name,
        )
    check_credit_code(text[:18], name)
    return text


# --- Licence identifier ---


@dataclass(frozen=True, slots=True)
class LicenceIdentifier:
    """证照标识: names one version of one licence, for ever.

    `str(identifier)` is the full dotted text. Construction is strict unless `lenient` says that the parts
    come from elsewhere.

    Raises:
        InvalidLicenceData: a part is not as its field says.

    Source: GB/T 36904-2018 (text not read; shape and check character from identifiers in use).
    """

    type_code: str
    """证照类型代码, 21 characters: credit code of the defining body + 3 digits."""
    issuer_code: str
    """证照颁发机构代码, the authority's credit code."""
    serial: str
    """流水号, 1 to 32 digits and capital letters."""
    version: int
    """版本号, 1 to 999; one more for each change or re-issue of the same licence."""
    lenient: bool = field(default=False, kw_only=True, compare=False, repr=False)
    """True if the parts were read from elsewhere and only their characters were checked; see `deviations`."""

    def __post_init__(self) -> None:
        parts = (self.type_code, self.issuer_code, self.serial)
        if not all(_LENIENT_PART.fullmatch(part) for part in parts) or not 1 <= self.version <= 999:
            raise _malformed()
        if not self.lenient and not self._strict():
            raise self.deviations[0]

    def _strict(self) -> bool:
        """Return whether there are no `deviations`; the same few types and issuers are asked about once."""
        return _issuer_is_strict(self.type_code, self.issuer_code) and bool(
            _SERIAL_SHAPE.fullmatch(self.serial)
        )

    @property
    def check_character(self) -> str:
        """Check character over type, issuer, serial and version without dots; the root does not take part."""
        return str(self)[-1]

    @property
    def text(self) -> str:
        """The full dotted text, the same as `str(self)`."""
        return str(self)

    @property
    def deviations(self) -> tuple[InvalidLicenceData, ...]:
        """What departs from the strict form, one error a part; empty for every identifier made here."""
        found = []
        for check, value, name in (
            (check_type_code, self.type_code, "type_code"),
            (check_credit_code, self.issuer_code, "issuer_code"),
            (_check_serial, self.serial, "serial"),
        ):
            try:
                check(value, name)
            except InvalidLicenceData as error:
                found.append(error)
        return tuple(found)

    def __str__(self) -> str:
        return _dotted(self.type_code, self.issuer_code, self.serial, self.version)

    @classmethod
    def parse(cls, text: str, *, strict: bool = True) -> Self:
        """Return the identifier written in `text`.

        Args:
            text: six parts with dots between them, beginning with the root.
            strict: False accepts what other systems really write: the root left out, small letters, a region
                code or another short code in place of a credit code, a type code of another length.
                `deviations` of the result says what departs. The check character must fit all the same.

        Raises:
            InvalidLicenceData: not an identifier, or its check character does not fit.
        """
        source = text if strict else text.strip().upper()
        prefix = ROOT_OID + "."
        if not source.startswith(prefix) and strict:
            raise _malformed()
        parts = source.removeprefix(prefix).split(".")
        if len(parts) != PARTS or not _VERSION_SHAPE.fullmatch(parts[3]):
            raise _malformed()
        identifier = cls(parts[0], parts[1], parts[2], int(parts[3]), lenient=not strict)
        if identifier.check_character != parts[4]:
            raise InvalidLicenceData(
                "the licence identifier's check character does not fit: one of its characters is mistyped",
                "证照标识校验位不符，请逐位核对是否有误",
                field="identifier",
            )
        return identifier


def is_identifier_of(text: str, type_code: str, issuer_code: str) -> bool:
    """Return whether a text is an identifier of this type and issuer, both known to be strict, as `parse` takes it."""
    head = f"{ROOT_OID}.{type_code}.{issuer_code}."
    tail = _TAIL.fullmatch(text, len(head))
    return tail is not None and text == _dotted(type_code, issuer_code, tail[1], int(tail[2]))


@lru_cache(maxsize=1024)
def _issuer_is_strict(type_code: str, issuer_code: str) -> bool:
    """Return whether both codes are as this system writes them."""
    try:
        check_type_code(type_code)
        check_credit_code(issuer_code)
    except InvalidLicenceData:
        return False
    return True


@lru_cache(maxsize=1024)
def _product_of_issuer(type_code: str, issuer_code: str) -> int:
    """Return the product after the parts that all licences of one type and issuer share."""
    return _hybrid_product(type_code + issuer_code, DIGITS_AND_CAPITALS)


@lru_cache(maxsize=1024)
def _dotted(type_code: str, issuer_code: str, serial: str, version: int) -> str:
    """Return the full text; a licence is asked for its identifier a dozen times on its way."""
    begun = _product_of_issuer(type_code, issuer_code)
    check = _hybrid_end(
        _hybrid_product(f"{serial}{version:03d}", DIGITS_AND_CAPITALS, begun), DIGITS_AND_CAPITALS
    )
    return f"{ROOT_OID}.{type_code}.{issuer_code}.{serial}.{version:03d}.{check}"


def _check_serial(text: str, name: str) -> str:
    if not _SERIAL_SHAPE.fullmatch(text):
        raise InvalidLicenceData(
            "a serial has 1 to 32 digits and capital letters", "流水号应为1至32位数字和大写字母", field=name
        )
    return text


def _malformed() -> InvalidLicenceData:
    return InvalidLicenceData(
        f"a licence identifier reads {ROOT_OID}.type.issuer.serial.version.check "
        "with digits and capital letters: copy it again from the licence",
        f"证照标识形如 {ROOT_OID}.证照类型代码.颁发机构代码.流水号.版本号.校验位，请按证照重新填写",
        field="identifier",
    )
