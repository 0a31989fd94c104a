"""What a licence says under a template of its layout, e.g. `自{valid_from|date-zh}起`, in a single pass."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from elicense.errors import InvalidTemplate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from elicense.model import FieldValue, Licence, Validity

LONG_TERM = "长期"


class Place(NamedTuple):
    """One `{name|format}` of a template."""

    name: str
    """What is put in, e.g. holder.name or a field of the type; list items by number, `body.1` the first."""
    format: str
    """How it is written; empty for "as it is"."""
    part: tuple[int, int] | None = None
    """`{body.1@1-57}`: only these characters of it, first and last, counted from 1; a text that page breaks cut."""


_PLACE = re.compile(
    r"\{\{|\}\}|\{([a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*)(?:\|([a-z]+(?:-[a-z]+)*))?"
    r"(?:@([1-9][0-9]{0,6})-([1-9][0-9]{0,6}))?\}|[{}]"
)


@lru_cache(maxsize=4096)
def parse_template(template: str) -> tuple[str | Place, ...]:
    """Return the literal texts and places of `template` in order; `{{` and `}}` are literal braces.

    Raises:
        InvalidTemplate: a single brace, or a place that is not `{name}` or `{name|format}` in a known format.
    """
    parts: list[str | Place] = []
    end = 0
    for match in _PLACE.finditer(template):
        parts.append(template[end : match.start()])
        end = match.end()
        if match[0] in {"{{", "}}"}:
            parts.append(match[0][0])
        elif match[1] is None or (match[2] is not None and match[2] not in _FORMATS):
            raise InvalidTemplate(
                f"the template {template!r} has a wrong place at character {match.start() + 1}: "
                "write {name} or {name|format}, and two braces for a brace",
                f"模板“{template}”第{match.start() + 1}个字符处有误，"
                "应写作{字段}或{字段|格式}，花括号本身写两个",
            )
        else:
            part = (int(match[3]), int(match[4])) if match[3] else None
            parts.append(Place(match[1], match[2] or "", part))
    parts.append(template[end:])
    return tuple(part for part in parts if part)


@lru_cache(maxsize=4096)
def template_names(template: str) -> tuple[str, ...]:
    """Return the names that `template` draws on, each once, in order; empty if its text is always the same.

    Raises:
        InvalidTemplate: as `parse_template`.
    """
    return tuple(dict.fromkeys(part.name for part in parse_template(template) if isinstance(part, Place)))


def printed(template: str, licence: Licence, *, page: int | None = None, pages: int | None = None) -> str:
    """Return what is printed where the layout says `template`; nothing for a name that has no value.

    Values are put in once; whatever they contain is text, never a template or mark-up again.

    Args:
        template: text with `{name|format}` places.
        licence: where the values come from.
        page: number of the page it stands on, 1-based, for `{page}`.
        pages: how many pages there are, for `{pages}`.

    Raises:
        InvalidTemplate: the template is malformed, or a format does not suit the value it meets.
    """
    write, _ = _writer(template)
    return write(licence, page, pages)


def printed_place(place: Place, licence: Licence, *, page: int | None, pages: int | None) -> str:
    """Return what `printed` does for a template that is this place and nothing else, and raise the same."""
    return _place_writer(place)(licence, page, pages)


class Printer:
    """What templates print for one licence; each is written once, however many look at it."""

    __slots__ = ("_known", "licence")

    def __init__(self, licence: Licence) -> None:
        self.licence = licence
        """Whose values are printed."""
        self._known: dict[str, str] = {}

    def __call__(self, template: str, page: int | None = None, pages: int | None = None) -> str:
        """Return the same as `printed`, and raise the same."""
        text = self._known.get(template)
        if text is None:
            write, paged = _writer(template)
            text = write(self.licence, page, pages)
            if not paged:
                self._known[template] = text
        return text


_Write = Callable[["Licence", "int | None", "int | None"], str]
"""Writes what a template or a place says, given the licence, the page and the number of pages."""


@lru_cache(maxsize=4096)
def _writer(template: str) -> tuple[_Write, bool]:
    """Return what writes `template`, worked out once for a thousand uses, and whether that depends on the page."""
    paged = not _PAGE_NAMES.isdisjoint(template_names(template))
    parts = [part if isinstance(part, str) else _place_writer(part) for part in parse_template(template)]
    if len(parts) == 1 and not isinstance(parts[0], str):
        return parts[0], paged

    def write(licence: Licence, page: int | None, pages: int | None) -> str:
        return "".join([part if isinstance(part, str) else part(licence, page, pages) for part in parts])

    return write, paged


def _place_writer(place: Place) -> _Write:
    """Return what writes a place: all of its value, or the part of it that page breaks leave here."""
    whole = _whole_writer(place)
    if place.part is None:
        return whole
    span = slice(place.part[0] - 1, place.part[1])
    return lambda licence, page, pages: whole(licence, page, pages)[span]


def _whole_writer(place: Place) -> _Write:
    if place.name == "page":
        return lambda _licence, page, _pages: "" if page is None else str(page)
    if place.name == "pages":
        return lambda _licence, _page, pages: "" if pages is None else str(pages)
    if place.format == "term":
        return lambda licence, _page, _pages: _term(licence.validity)
    read, form = _reader(place), _FORMATS[place.format]
    # A licence without end has no last day, but a whole date has a word for it.
    absent = LONG_TERM if place.name == "valid_until" and place.format in _WHOLE_DATES else ""

    def write(licence: Licence, _page: int | None, _pages: int | None) -> str:
        value = read(licence)
        if not value:
            return absent
        try:
            return form(value)
        except (ValueError, TypeError, IndexError) as error:
            raise InvalidTemplate(
                f"{{{place.name}|{place.format}}} does not suit the value it prints: choose another format",
                f"{{{place.name}|{place.format}}}的格式与字段内容不符，请更换格式",
                field=place.name,
            ) from error

    return write


def _reader(place: Place) -> Callable[[Licence], FieldValue]:
    """Return what reads the value that `place` names, empty if the licence has none."""
    if own := _OWN_NAMES.get(place.name):
        return own
    if one := _AUTHORITY.fullmatch(place.name):
        at = slice(int(one[1]) - 1, int(one[1]))
        return lambda licence: "".join(authority.name for authority in licence.authorities[at])
    name, *positions = place.name.split(".")
    if not positions and place.format in {"", "en"}:
        language = place.format or "zh"
        return lambda licence: (
            licence.labels[name].get(language, "") if name in licence.labels else licence.fields.get(name, "")
        )
    steps = [int(position) if _POSITION.fullmatch(position) else 0 for position in positions]
    return lambda licence: _entry(licence.fields.get(name, ""), steps)


def _entry(value: FieldValue, steps: Sequence[int]) -> FieldValue:
    """Return the entry of a list that the positions lead to, from 1; empty if there is none."""
    for step in steps:
        if isinstance(value, str) or not 1 <= step <= len(value):
            return ""
        value = value[step - 1]
    return value


_POSITION = re.compile(r"[0-9]{1,9}")
_AUTHORITY = re.compile(r"authorities\.([1-9])\.name")

_OWN_NAMES: dict[str, Callable[[Licence], str]] = {
    "number": lambda licence: licence.number,
    "identifier": lambda licence: str(licence.identifier),
    "issued_on": lambda licence: licence.issued_on.isoformat(),
    "valid_from": lambda licence: licence.validity.start.isoformat(),
    "valid_until": lambda licence: licence.validity.end.isoformat() if licence.validity.end else "",
    "authority.name": lambda licence: licence.authority.name,
    "authorities": lambda licence: "、".join(authority.name for authority in licence.authorities),
    "authority.code": lambda licence: licence.authority.code,
    "authority.region": lambda licence: licence.authority.region,
    "authority.place": lambda licence: licence.authority.place,
    "authority.prefix": lambda licence: licence.authority.prefix,
    "holder.name": lambda licence: licence.holders[0].name,
    "holder.code": lambda licence: licence.holders[0].code,
    "holders": lambda licence: "、".join(holder.name for holder in licence.holders),
    "holders.code": lambda licence: "、".join(holder.code for holder in licence.holders),
    "type.name": lambda licence: licence.type_name,
    "case_number": lambda licence: licence.case_number or "",
    "verify_url": lambda licence: f"{licence.verify_base}{licence.identifier}",
    "year": lambda licence: str(licence.issued_on.year),
}

MOST_AUTHORITIES = 9
"""So many authorities at most issue one document together."""

AUTHORITY_NAMES = tuple(f"authorities.{number}.name" for number in range(1, MOST_AUTHORITIES + 1))
"""Names of the authorities one by one, in the order of sealing; a licence of one authority has the first."""

_PAGE_NAMES = frozenset({"page", "pages"})

_PATHS: dict[str, tuple[str | int, ...]] = {
    "number": ("number",),
    "identifier": ("identifier",),
    "issued_on": ("issued_on",),
    "valid_from": ("validity", "start"),
    "valid_until": ("validity", "end"),
    "authority.name": ("authority", "name"),
    "authority.code": ("authority", "code"),
    "authority.region": ("authority", "region"),
    "authority.place": ("authority", "place"),
    "authority.prefix": ("authority", "prefix"),
    "holder.name": ("holders", 0, "name"),
    "holder.code": ("holders", 0, "code"),
    "type.name": ("type_name",),
    "case_number": ("case_number",),
    "page": ("page",),
    "pages": ("pages",),
}
"""Of the own names those that say one thing: where it stands among the plain values of a licence, if it does."""


def path_of(place: Place, plain: Mapping[str, Any]) -> tuple[str | int, ...] | None:
    """Return where among the plain values (`licence_to_json`) a place's value stands; None if it comes from several.

    The path leads nowhere if the licence has no such value.
    """
    if place.format == "term":
        return None
    if place.name in OWN_NAMES:
        return _PATHS.get(place.name)
    name, *positions = place.name.split(".")
    if not positions and place.format in {"", "en"} and name in plain["labels"]:
        return "labels", name, place.format or "zh"
    return ("fields", name, *(int(one) - 1 if _POSITION.fullmatch(one) else -1 for one in positions))


def value_form(name: str) -> Callable[[FieldValue], str]:
    """Return what writes a value that is not empty in the format of this name; it raises what does not suit it."""
    return _FORMATS[name]


OWN_NAMES = frozenset({*_OWN_NAMES, *AUTHORITY_NAMES, *_PAGE_NAMES})
"""Names that every licence has, whatever its type's fields are."""


NUMBERED = frozenset({"number", "identifier", "verify_url"})
"""Names of what a licence gets when its number is reserved; all else is known from its draft."""


def _as_is(value: FieldValue) -> str:
    if isinstance(value, str):
        return value
    return "\n".join(item if isinstance(item, str) else "　".join(item) for item in value)


def _day(value: FieldValue) -> date:
    """Return the day in a canonical date or moment. Raises TypeError or ValueError for other values."""
    if not isinstance(value, str):
        raise TypeError("not a date")
    return date.fromisoformat(value[:10])


def _date_zh(value: FieldValue) -> str:
    day = _day(value)
    return f"{day.year}年{day.month}月{day.day}日"


def _date_zh_padded(value: FieldValue) -> str:
    day = _day(value)
    return f"{day.year}年{day.month:02d}月{day.day:02d}日"


def _datetime_zh(value: FieldValue) -> str:
    if not isinstance(value, str):
        raise TypeError("not a moment")
    moment = datetime.strptime(value, "%Y-%m-%dT%H:%M")  # noqa: DTZ007 - local time as on the form, no zone
    return f"{moment.year}年{moment.month}月{moment.day}日{moment.hour}时{moment.minute:02d}分"


def _term(validity: Validity) -> str:
    if validity.end is None:
        return LONG_TERM
    return f"自{_date_zh(validity.start.isoformat())}至{_date_zh(validity.end.isoformat())}"


_FORMATS: dict[str, Callable[[FieldValue], str]] = {
    "": _as_is,
    "en": _as_is,
    "code": _as_is,
    "date-zh": _date_zh,
    "date-zh-padded": _date_zh_padded,
    "date-iso": lambda value: _day(value).isoformat(),
    "year": lambda value: str(_day(value).year),
    "month": lambda value: str(_day(value).month),
    "day": lambda value: str(_day(value).day),
    "datetime-zh": _datetime_zh,
    "term": _as_is,
}
_WHOLE_DATES = frozenset({"", "date-zh", "date-zh-padded", "date-iso"})

FORMATS = frozenset(_FORMATS)
"""Formats that a place may name; the empty one is "as it is"."""
