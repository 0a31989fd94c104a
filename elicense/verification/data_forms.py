"""licence.json files that differ from one read before in some texts alone: compared, not decoded and printed again.

Two licences of a template have the same index but for the texts printed, and the same data but for some values. Plan:

1. One expression for the whole file: every byte as it was, but for the texts that may differ. These have no quotation
   mark, escape or control character, so each stays one string, and the file canonical JSON of the same structure.
2. What decoding.py asks of the values that may differ is asked again: identifier, document id, days, signing time.
3. Every place must say what its template makes of these values.

Whatever does not fit is read by printed.py, and gets its answer there. In a line that issues licences of one page this
takes 75 us, decoding the data and printing its places anew 170 (tests/unit/verification/test_data_forms.py compares).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from elicense.decoding import END, MIDDLE, licence_from_json, read_day
from elicense.encoding import utc_text
from elicense.errors import InvalidTemplate, MalformedDocument
from elicense.identifiers import is_identifier_of
from elicense.wording import parse_template, path_of, printed, printed_place, value_form

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from elicense.decoding import LicenceFile, PlaceHead

LONGEST, MOST_FORMS = 6000, 8
"""Characters of a file that has a form, and how many forms of one template and seal are remembered."""
_MAY_DIFFER = frozenset((
    "case_number", "document_id", "fields", "holders", "identifier", "issued_on", "labels", "number",
    "signing_time", "validity",
))  # fmt: skip
"""Members of a licence whose texts may differ: of most decoding.py takes any text, `DataForm.read` asks the rest."""
_TEXT = r'([^"\\\x00-\x1f]*+)'
_ASKED = (("document_id",), ("signing_time",), ("identifier",), ("issued_on",), ("validity", "start"))
_LAST_DAY = ("validity", "end")

_READ = json.JSONDecoder().raw_decode
"""Reads one value; that nothing is behind it the expression says."""

Values = tuple[str, ...]
"""The texts that may differ: those of the index, the licence as a whole, those in it."""
Take = Callable[[Values], Values]
"""Takes some of them."""
Part = str | tuple[int, Callable[[str], str]]
"""Of what a template prints: always the same text, or one of the values as its format writes it."""
_Path = tuple[str | int, ...]
_WHOLE: _Path = ()
"""Path of the licence as a whole."""


Lesson = tuple[str, "LicenceFile", int]
"""A file, what decoding.py says of it, and on how many pages stands what it says, and nothing else."""


class Stated(NamedTuple):
    """What a file says whose places say what its values are."""

    facts: dict[str, Any]
    """For ContentFacts, by the names of its fields."""
    plain: dict[str, object]
    """The licence as plain values."""
    pages: list[dict[int, str]]
    """For each page, MCID -> text: what must be drawn there, and nothing else."""


@dataclass(frozen=True, slots=True)
class DataForm:
    """One file, and where in it texts may be others."""

    pattern: re.Pattern[str]
    """All of it; its groups are the texts that may differ."""
    licence: int
    """Which of them is the licence as a whole."""
    facts: Mapping[str, Any]
    """For ContentFacts, what is the same in all files of the form."""
    issuer: tuple[str, str]
    """Type code and issuer code in every identifier."""
    asked: Take
    """Takes document id, signing time, identifier, day of issue and first day."""
    last_day: int | None
    """Which is the last day; None in a form without one."""
    same: tuple[Take, Take]
    """Take the texts of the places that print one value as it is, and those values."""
    written: tuple[tuple[int, tuple[Part, ...]], ...]
    """Text of each place that prints values in other ways, and what it is put together from."""
    others: tuple[tuple[int, PlaceHead], ...]
    """Text of each place that is printed from the licence as a whole, and its head."""
    pages: tuple[tuple[tuple[int, ...], Take], ...]
    """For each page its MCIDs, and what takes their texts."""

    def read(self, text: str, document_id: str, claimed_time: datetime) -> Stated | None:
        """Return what a file of this form says, None for every other and where anything is not as it must be."""
        found = self.pattern.fullmatch(text)
        if found is None:
            return None
        values = found.groups()
        document, moment, identifier, issued, start = self.asked(values)
        end = start if self.last_day is None else values[self.last_day]
        plain, _ = _READ(values[self.licence])
        try:
            if (
                document != document_id
                or moment != utc_text(claimed_time)
                or not is_identifier_of(identifier, *self.issuer)
                or not (read_day(issued) and read_day(start) <= read_day(end))
                or not self._says(values, plain)
            ):
                return None
        except (MalformedDocument, InvalidTemplate, ValueError):
            return None
        until = "" if self.last_day is None else end
        facts = {
            **self.facts, "licence_file": text, "identifier": identifier, "valid_from": start, "valid_until": until,
        }  # fmt: skip
        return Stated(
            facts, plain, [dict(zip(mcids, take(values), strict=True)) for mcids, take in self.pages]
        )

    def _says(self, values: Values, plain: dict[str, object]) -> bool:
        """Return whether every place says what its template makes of the values.

        Raises MalformedDocument, InvalidTemplate or ValueError where a value does not suit its format.
        """
        said, meant = self.same
        if said(values) != meant(values) or any(
            values[place] != _put_together(parts, values) for place, parts in self.written
        ):
            return False
        if not self.others:
            return True
        licence, pages = licence_from_json(plain), len(self.pages)
        return all(
            values[place] == printed(head.template, licence, page=head.page, pages=pages)
            for place, head in self.others
        )


def _put_together(parts: Sequence[Part], values: Values) -> str:
    """Return what a template prints; an empty value prints nothing, whatever its format."""
    said = []
    for part in parts:
        if isinstance(part, str):
            said.append(part)
        elif value := values[part[0]]:
            said.append(part[1](value))
    return "".join(said)


class DataForms:
    """The forms met last of the files of one template and seal."""

    __slots__ = ("_forms", "_lessons")

    def __init__(self) -> None:
        self._forms: tuple[DataForm, ...] = ()
        # Learning one takes as long as reading twenty files in the other way.
        self._lessons = 3 * MOST_FORMS

    def read(self, raw: bytes, document_id: str, claimed_time: datetime | None) -> Stated | None:
        """Return what a file says, None if it is of no known form or anything in it is not as it must be."""
        try:
            text = raw.decode("utf-8")
        except ValueError:
            return None
        if claimed_time is None:
            return None
        for form in self._forms:
            stated = form.read(text, document_id, claimed_time)
            if stated is not None:
                return stated
        return None

    def learn(self, lesson: Lesson) -> None:
        """The form of a file is known, if it has one."""
        text = lesson[0]
        if self._lessons and len(text) <= LONGEST and "\\" not in text:
            self._lessons -= 1
            self._forms = (learn_form(*lesson), *self._forms)[:MOST_FORMS]


# --- Learning ---


def learn_form(text: str, read: LicenceFile, pages: int) -> DataForm:
    """Return the form of a file.

    Args:
        text: The file, canonical and without an escape, so that every quotation mark is one around a string.
        read: What decoding.py says of it.
        pages: How many pages say what it says.
    """
    index, _, data = text.partition(MIDDLE)
    paths: list[_Path] = []
    entries = _expression(index, json.loads(index + "}"), paths)
    paths.append(_WHOLE)
    members = _expression(data.removesuffix(END), read.plain, paths)
    at = {path: number for number, path in enumerate(paths)}
    heads = [head for head, _ in read.places]
    parts = [_parts(head, read, at, pages) for head in heads]
    plain = {place: value for place, one in enumerate(parts) if (value := _value_alone(one)) is not None}
    licence = read.licence
    return DataForm(
        re.compile(f"{entries}{re.escape(MIDDLE)}({members}){re.escape(END)}"),
        at[_WHOLE],
        {
            "authority_code": licence.authority.code,
            "authority_name": licence.authority.name,
            "joint_authorities": tuple((joint.code, joint.name) for joint in licence.joint_authorities),
            "type_code": licence.type_code,
        },
        (licence.type_code, licence.authority.code),
        _taking([at[path] for path in _ASKED]),
        at.get(_LAST_DAY),
        (_taking(list(plain)), _taking(list(plain.values()))),
        tuple((place, one) for place, one in enumerate(parts) if one is not None and place not in plain),
        tuple((place, heads[place]) for place, one in enumerate(parts) if one is None),
        tuple(_on_page(heads, number + 1) for number in range(pages)),
    )


def _expression(text: str, value: object, paths: list[_Path]) -> str:
    """Return the expression for the text of a value; `paths` gains that of each string in it that may differ."""
    pieces = text.split('"')
    parts = [re.escape(pieces[0])]
    for path, said, behind in zip(_strings(value, ()), pieces[1::2], pieces[2::2], strict=True):
        differs = path is not None and (path[0] in _MAY_DIFFER or (path[0] == "index" and path[2] == "text"))
        if path is not None and differs:
            paths.append(path)
        parts += ['"', _TEXT if differs else re.escape(said), '"', re.escape(behind)]
    return "".join(parts)


def _strings(value: object, path: _Path) -> Iterator[_Path | None]:
    """Yield, for each string of canonical JSON in its order, the path to it, None for a name."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict):
        for name in sorted(value):
            yield None
            yield from _strings(value[name], (*path, name))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _strings(item, (*path, number))


def _parts(
    head: PlaceHead, read: LicenceFile, at: Mapping[_Path, int], pages: int
) -> tuple[Part, ...] | None:
    """Return what a place's text is put together from, None if that takes the licence as a whole."""
    parts: list[Part] = []
    for part in parse_template(head.template):
        if isinstance(part, str):
            parts.append(part)
            continue
        path = path_of(part, read.plain)
        if path is None or part.part is not None:
            return None
        if path in at:
            parts.append((at[path], value_form(part.format)))
        elif any(other[: len(path)] == path for other in at):
            return None
        else:
            parts.append(printed_place(part, read.licence, page=head.page, pages=pages))
    return tuple(parts)


def _value_alone(parts: tuple[Part, ...] | None) -> int | None:
    """Return which value a place prints as it is and alone, None if it prints anything else."""
    if parts is None or len(parts) != 1 or isinstance(parts[0], str):
        return None
    value, form = parts[0]
    return value if form is value_form("") else None


def _on_page(heads: Sequence[PlaceHead], page: int) -> tuple[tuple[int, ...], Take]:
    """Return the MCIDs of a page's places, and what takes their texts."""
    here = [place for place, head in enumerate(heads) if head.page == page]
    return tuple(heads[place].mcid for place in here), _taking(here)


def _taking(which: Sequence[int]) -> Take:
    """Return what takes these of the values, in one go where there are several."""
    if len(which) > 1:
        return itemgetter(*which)
    return lambda values: tuple(values[one] for one in which)
