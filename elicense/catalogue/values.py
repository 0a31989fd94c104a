"""Values as typed become canonical values, or are refused by name: one rule set for all fields of all types.

Nothing is mended silently. A character that cannot be seen, that turns the writing direction, that has two
encodings or that Unicode has not given out is refused with its code point, because what is printed must be
what was entered and two readers must see the same text.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, NoReturn

from elicense.catalogue.definition import FieldKind, FieldSpec
from elicense.errors import InvalidLicenceData
from elicense.identifiers import check_credit_code, check_resident_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from elicense.model import FieldValue

# Letters and marks that have no width of their own and are not in category Cf.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\ufff0-\uffff\U000e0000-\U000e0fff]"
)
_RADICAL = "radical"
"""Ours, beside Unicode's: fonts draw U+2F00 exactly like U+4E00, the page would look right and compare as wrong."""
_REFUSED_CATEGORIES = {
    _RADICAL: ("a radical that only looks like a character", "部首符号（并非汉字）"),
    "Cc": ("a control character", "控制字符"),
    "Cf": ("an invisible or direction-changing character", "不可见字符或方向控制字符"),
    "Cs": ("half a surrogate pair", "不完整的代理字符"),
    "Zl": ("a line separator", "行分隔符"),
    "Zp": ("a paragraph separator", "段分隔符"),
}
_COMMON = re.compile("[!-~\u3000\u3001\u3002\u4e00-\u9fff \u201c\u201d\uff08\uff09\uff0c\uff1a\uff1b]*")
"""Characters beyond doubt, each of them its own normal form; most values are nothing else."""
_SPACES = (" ", "\u3000")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,9})?")


def refuse(spec_name: str, en: str, zh: str) -> NoReturn:
    """Raise InvalidLicenceData for the field `spec_name`."""
    raise InvalidLicenceData(f"{spec_name}: {en}", f"{spec_name}：{zh}", field=spec_name)


def check_text(text: object, name: str, *, least: int = 1, most: int = 200) -> str:
    """Return `text` if it may be printed and embedded as it is.

    Args:
        text: value as typed.
        name: field named in the error.
        least: fewest characters.
        most: most characters.

    Raises:
        InvalidLicenceData: not text; too short or long; not in NFC; leading or trailing space; a control,
            bidi, zero-width, unassigned or non-character, or a space other than U+0020 and U+3000.
    """
    if not isinstance(text, str):
        refuse(name, "a text is needed here", "此项应填写文字")
    if not least <= len(text) <= most:
        refuse(
            name,
            f"it has {len(text)} characters, {least} to {most} are allowed: shorten or complete it",
            f"共{len(text)}个字，应为{least}至{most}个字，请删减或补全",
        )
    common = _COMMON.fullmatch(text) is not None
    for position, character in enumerate("" if common else text, 1):
        if fault := _fault(character):
            point = f"U+{ord(character):04X}"
            refuse(
                name,
                f"character {position} ({point}) is {fault[0]}: delete it and type the text again",
                f"第{position}个字符（{point}）是{fault[1]}，请删除后重新输入",
            )
    if text[:1] in _SPACES or text[-1:] in _SPACES:
        refuse(name, "delete the space at its beginning or end", "请删除开头或结尾的空格")
    if not common and not unicodedata.is_normalized("NFC", text):
        refuse(name, _compatibility(text), "含有非规范组合形式（NFC）的字符，请用输入法重新输入该字")
    return text


def _fault(character: str) -> tuple[str, str] | None:
    """Return what is wrong with a character in English and Chinese, None if it may stand in a text."""
    if character.isascii() and character.isprintable():
        return None
    category = _RADICAL if "\u2e80" <= character <= "\u2fdf" else unicodedata.category(character)
    if category in _REFUSED_CATEGORIES:
        return _REFUSED_CATEGORIES[category]
    if category == "Zs" and character != "\u3000":
        return "an unusual space", "特殊空格"
    if _INVISIBLE.match(character):
        return "an invisible or replacement character", "不可见字符或替代字符"
    # Planes 2 and 3 are set aside for ideographs; rare names use blocks newer than Python's own tables.
    # Whether a font has them is decided when the page is made.
    ideographic = 0x20000 <= ord(character) <= 0x3FFFF and ord(character) & 0xFFFF < 0xFFFE
    if category == "Cn" and not ideographic:
        return "not assigned by Unicode", "Unicode未分配的字符"
    return None


def _compatibility(text: str) -> str:
    normal = unicodedata.normalize("NFC", text)
    found = next((a for a, b in zip(text, normal, strict=False) if a != b), text[-1])
    return f"U+{ord(found):04X} has another, normal form (NFC): type that character again with the keyboard"


# --- Kinds ---


def canonical(spec: FieldSpec, value: object, *, on: date) -> FieldValue:
    """Return `value` in canonical form.

    Args:
        spec: the field.
        value: as typed: text, number, date, or list, by the field's kind.
        on: day of issue, against which dates of birth in identity numbers are held.

    Raises:
        InvalidLicenceData: the value does not conform; `field` names it, with the entry's number in lists.
    """
    if spec.kind is FieldKind.RESIDENT_ID:
        return check_resident_id(check_text(value, spec.name), spec.name, on=on)
    return _KINDS[spec.kind](spec, value)


def _text(spec: FieldSpec, value: object, name: str = "") -> str:
    """Return a text that keeps the field's own length and pattern. Raises InvalidLicenceData."""
    name = name or spec.name
    text = check_text(value, name, least=spec.min_length, most=spec.max_length)
    if spec.pattern is not None and not re.fullmatch(spec.pattern, text):
        refuse(name, f"it is not of the form {spec.pattern}: correct it", f"格式应为{spec.pattern}，请更正")
    return text


def _items(spec: FieldSpec, value: object) -> Sequence[object]:
    """Return the entries of a list field. Raises InvalidLicenceData."""
    if not isinstance(value, (list, tuple)) or not 1 <= len(value) <= spec.max_items:
        refuse(
            spec.name,
            f"a list with 1 to {spec.max_items} entries is needed here",
            f"此项应为1至{spec.max_items}条的列表",
        )
    return value


def _texts(spec: FieldSpec, value: object) -> tuple[str, ...]:
    return tuple(_text(spec, item, f"{spec.name}.{n}") for n, item in enumerate(_items(spec, value), 1))


def _table(spec: FieldSpec, value: object) -> tuple[tuple[str, ...], ...]:
    width = len(spec.columns or ())
    rows = []
    for n, row in enumerate(_items(spec, value), 1):
        if not isinstance(row, (list, tuple)) or len(row) != width:
            refuse(f"{spec.name}.{n}", f"a row of {width} cells is needed here", f"此行应有{width}格")
        rows.append(
            tuple(
                check_text(cell, f"{spec.name}.{n}.{m}", least=0, most=spec.max_length)
                for m, cell in enumerate(row, 1)
            )
        )
    return tuple(rows)


def _date(spec: FieldSpec, value: object) -> str:
    return check_date(value, spec.name).isoformat()


def check_date(value: object, name: str) -> date:
    """Return the day that `value` is or writes as YYYY-MM-DD.

    Raises:
        InvalidLicenceData: anything else, or no such day.
    """
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            refuse(name, f"there is no day {value}: correct the date", f"{value}不是有效日期，请更正")
    refuse(name, "a date is written 2026-03-08", "日期应写作2026-03-08的形式")


def _datetime(spec: FieldSpec, value: object) -> str:
    text = value.isoformat(timespec="minutes") if isinstance(value, datetime) and not value.tzinfo else value
    if isinstance(text, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}", text):
        try:
            return datetime.fromisoformat(text).isoformat(timespec="minutes")
        except ValueError:
            refuse(spec.name, f"there is no moment {text}: correct it", f"{text}不是有效时间，请更正")
    refuse(spec.name, "a moment is written 2026-03-08T09:05", "时间应写作2026-03-08T09:05的形式")


def _decimal(value: object, name: str, places: int) -> Decimal:
    """Return a number of at most `places` digits after the point. Raises InvalidLicenceData."""
    # A float comes from JSON; its shortest form is what the sender wrote.
    text = repr(value) if isinstance(value, float) else str(value)
    right_type = isinstance(value, (str, int, float, Decimal)) and not isinstance(value, bool)
    if not right_type or not _NUMBER.fullmatch(text):
        refuse(name, "a number in plain digits is needed here, e.g. 120.50", "此项应填写数字，如120.50")
    try:
        number = Decimal(text).quantize(Decimal(1).scaleb(-places))
    except InvalidOperation:
        refuse(name, "the number is too great", "数值过大")
    if number != Decimal(text):
        refuse(
            name,
            f"it has more than {places} digits after the point: round it yourself",
            f"小数不得超过{places}位，请自行取舍",
        )
    return abs(number) if number == 0 else number


def _number(spec: FieldSpec, value: object, places: int) -> str:
    number = _decimal(value, spec.name, places)
    if spec.minimum is not None and number < Decimal(str(spec.minimum)):
        refuse(spec.name, f"it must be at least {spec.minimum:g}", f"不得小于{spec.minimum:g}")
    if spec.maximum is not None and number > Decimal(str(spec.maximum)):
        refuse(spec.name, f"it must be at most {spec.maximum:g}", f"不得大于{spec.maximum:g}")
    return f"{number:f}"


def _choice(spec: FieldSpec, value: object) -> str:
    choices = spec.choices or {}
    if not isinstance(value, str) or value not in choices:
        allowed = ", ".join(f"{code} ({words.en})" for code, words in choices.items())
        allowed_zh = "、".join(f"{code}（{words.zh}）" for code, words in choices.items())
        refuse(spec.name, f"choose one of {allowed}", f"请选择：{allowed_zh}")
    return value


def _plot(spec: FieldSpec, value: object) -> tuple[tuple[str, ...], ...]:
    corners = []
    for n, corner in enumerate(_items(spec, value), 1):
        if not isinstance(corner, (list, tuple)) or len(corner) != 2:  # x and y
            refuse(
                f"{spec.name}.{n}",
                "a corner is two numbers, x and y in metres",
                "界址点应为x、y两个坐标（米）",
            )
        corners.append(
            tuple(_decimal(c, f"{spec.name}.{n}.{m}", spec.places) for m, c in enumerate(corner, 1))
        )
    following = corners[1:] + corners[:1]
    twice_area = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(corners, following, strict=True))
    if len(set(corners)) != len(corners) or twice_area == 0:
        refuse(
            spec.name,
            "a parcel has at least three different corners that enclose an area; do not repeat the first one",
            "宗地至少应有三个互不相同且围成面积的界址点，首点不必重复",
        )
    return tuple(tuple(f"{c:f}" for c in corner) for corner in corners)


_KINDS: dict[FieldKind, Callable[[FieldSpec, object], FieldValue]] = {
    FieldKind.TEXT: _text,
    FieldKind.PARAGRAPHS: _texts,
    FieldKind.LIST: _texts,
    FieldKind.TABLE: _table,
    FieldKind.DATE: _date,
    FieldKind.DATETIME: _datetime,
    FieldKind.INTEGER: lambda spec, value: _number(spec, value, 0),
    FieldKind.DECIMAL: lambda spec, value: _number(spec, value, spec.places),
    FieldKind.CHOICE: _choice,
    FieldKind.CREDIT_CODE: lambda spec, value: check_credit_code(check_text(value, spec.name), spec.name),
    FieldKind.PLOT: _plot,
}
