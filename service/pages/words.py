"""How moments, periods, names and values are written on the pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from elicense.catalogue import FieldKind
from elicense.model import BEIJING, InForce

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from elicense.catalogue import FieldSpec, LicenceType
    from elicense.model import FieldValue, Holder, Licence
    from service.pages.translations import Texts

_MONTHS = "January,February,March,April,May,June,July,August,September,October,November,December"
MONTHS = tuple(_MONTHS.split(","))
CREDIT_CODE = "001"
"""持证主体代码类型代码 of organisations, GB/T 36903 Annex A."""
MOST_ROWS = 6
"""Lines of a long list shown for comparison; the file has the rest."""

FORCE_TONES = {
    InForce.IN_FORCE: "good",
    InForce.CONDITIONAL: "caution",
    InForce.SUSPENDED: "caution",
    InForce.REVOKED: "caution",
    InForce.EXPIRED: "caution",
    InForce.NOT_YET_VALID: "caution",
    InForce.SUPERSEDED: "caution",
    InForce.NOT_KNOWN: "unknown",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled value."""

    label: str
    """What it is."""
    lines: tuple[str, ...]
    """The value, line by line."""
    strong: bool = False
    """True for what to look at first."""

    @property
    def value(self) -> str:
        """The value as one text."""
        return " ".join(self.lines)


def day(value: date, texts: Texts) -> str:
    """Return a calendar day in words."""
    if texts.language == "zh":
        return f"{value.year}年{value.month}月{value.day}日"
    return f"{value.day} {MONTHS[value.month - 1]} {value.year}"


def moment(value: datetime, texts: Texts) -> str:
    """Return a moment in Beijing time, to the minute, saying so."""
    local = value.astimezone(BEIJING)
    zone = "北京时间 " if texts.language == "zh" else ""
    suffix = "" if texts.language == "zh" else " Beijing time"
    return f"{zone}{day(local.date(), texts)} {local:%H:%M}{suffix}"


def validity(licence: Licence, texts: Texts) -> str:
    """Return the period of validity in words."""
    start, end = licence.validity.start, licence.validity.end
    if end is None:
        return texts("value.long_term", start=day(start, texts))
    return texts("value.to", start=day(start, texts), end=day(end, texts))


def masked(holder: Holder) -> str:
    """Return a holder's name with only enough left to recognise one's own.

    Of a person only the first character stays; of an organisation the first two and last two, if its name is
    long enough to hide at least half. The length is hidden.
    """
    if holder.code_kind != CREDIT_CODE or len(holder.name) < 8:
        return holder.name[:1] + "**"
    return f"{holder.name[:2]}****{holder.name[-2:]}"


def masked_holders(holders: Sequence[Holder], texts: Texts) -> str:
    """Return the first holder masked, and how many there are."""
    first = masked(holders[0])
    return first if len(holders) == 1 else texts("value.and_others", first=first, count=len(holders))


def details_of(licence: Licence, licence_type: LicenceType | None, texts: Texts) -> tuple[Row, ...]:
    """Return what to compare with the paper: who, what, when, then the printed fields."""
    rows = [
        Row(texts("label.type"), (type_name(licence, licence_type, texts),)),
        Row(texts("label.holder"), tuple(holder.name for holder in licence.holders), strong=True),
        Row(texts("label.number"), (licence.number,), strong=True),
        Row(texts("label.authority"), tuple(one.name for one in licence.authorities)),
        Row(texts("label.issued_on"), (day(licence.issued_on, texts),)),
        Row(texts("label.validity"), (validity(licence, texts),), strong=True),
    ]
    if licence_type is None:
        rows += [Row(name, lines_of(value, texts)) for name, value in licence.fields.items()]
    else:
        printed = [spec for spec in licence_type.fields if spec.printed and spec.name in licence.fields]
        rows += [_field_row(spec, licence, texts) for spec in printed]
    rows.append(Row(texts("label.identifier"), (str(licence.identifier),)))
    return tuple(rows)


def _field_row(spec: FieldSpec, licence: Licence, texts: Texts) -> Row:
    label = spec.zh if texts.language == "zh" else spec.en
    value = licence.fields[spec.name]
    choice = licence.labels.get(spec.name, {}).get(texts.language)
    if choice is not None:
        return Row(label, (choice,))
    if spec.kind is FieldKind.DATE and isinstance(value, str):
        return Row(label, (day(date.fromisoformat(value), texts),))
    return Row(label, lines_of(value, texts))


def type_name(licence: Licence, licence_type: LicenceType | None, texts: Texts) -> str:
    """Return what the type is called; its Chinese name if this service does not have the type."""
    return licence_type.name_en if licence_type is not None and texts.language == "en" else licence.type_name


def lines_of(value: FieldValue, texts: Texts) -> tuple[str, ...]:
    """Return a field's value line by line, shortened if it is long."""
    if isinstance(value, str):
        return (value,)
    lines = tuple(row if isinstance(row, str) else " · ".join(row) for row in value)
    if len(lines) <= MOST_ROWS:
        return lines
    return (*lines[:MOST_ROWS], texts("value.more", count=len(lines)))
