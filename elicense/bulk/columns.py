"""What a bulk file's header may say, and a row of its cells as a request.

A column is called by its name or by its Chinese label: the type's fields, the holder's three columns (or `holders`, a
JSON list, for several), and what else a request has. An empty cell is no value. Texts, numbers, dates and codes are
written as they are; a list or a table is JSON (`["甲", "乙"]`), and a list of texts may also stand in one cell, one
entry a line.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, NamedTuple, Self

from elicense.catalogue.definition import FieldKind
from elicense.catalogue.values import check_date, check_text, refuse
from elicense.errors import InvalidSheet
from elicense.model import Holder, IssueRequest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from elicense.catalogue import LicenceType

KEY = "key"
"""Column of the rows' own idempotency keys."""
HOLDERS = "holders"
"""Column of several holders, as JSON."""
_HOLDER = ("holder_name", "holder_code_kind", "holder_code")
_DATES = ("issued_on", "valid_from", "valid_until")
_OWN = {
    KEY: "幂等键",
    "holder_name": "持证主体名称",
    "holder_code_kind": "持证主体代码类型",
    "holder_code": "持证主体代码",
    HOLDERS: "持证主体",
    "issued_on": "颁发日期",
    "valid_from": "有效期起始日期",
    "valid_until": "有效期截止日期",
    "case_number": "办件编号",
}
"""Columns of every type, with their Chinese labels."""
_LISTS = {FieldKind.LIST, FieldKind.PARAGRAPHS}
_STRUCTURED = {*_LISTS, FieldKind.TABLE, FieldKind.PLOT}


@dataclass(frozen=True, slots=True)
class Job:
    """What one bulk run is about; it crosses to the workers."""

    slug: str
    """Licence type."""
    authority_code: str
    """Who issues all rows."""
    name: str
    """Name of the run: with a row's number it names a row that has no key of its own, today and after a crash."""


class Row(NamedTuple):
    """One row of the file."""

    number: int
    """As a spreadsheet counts: the header is row 1."""
    cells: tuple[str, ...]
    """As written."""


@dataclass(frozen=True, slots=True)
class Columns:
    """A header, understood."""

    licence_type: LicenceType
    """The type the rows are requests for."""
    names: tuple[str, ...]
    """Name of each column in the file's order."""

    @classmethod
    def read(cls, header: Sequence[str], licence_type: LicenceType) -> Self:
        """Return the columns that `header` names.

        Raises:
            InvalidSheet: a column is unknown, stands twice, or is missing; it names the column and what is expected.
        """
        labels = _labels(licence_type)
        known = {*_OWN, *(spec.name for spec in licence_type.fields)}
        names = tuple(_name(cell.strip(), known, labels) for cell in header)
        for name in names:
            if names.count(name) > 1:
                raise InvalidSheet(
                    f"the column {name} stands twice in the header: delete one",
                    f"表头中 {name} 列重复：请删除其一",
                    field=name,
                )
        for name in (*_holder_columns(names, licence_type), *_required(licence_type)):
            if name not in names:
                raise InvalidSheet(
                    f"the header lacks the column {name} ({_label(name, licence_type)}): "
                    f"{licence_type.name_en} needs it; `elicense bulk {licence_type.slug} --template` prints all",
                    f"表头缺少 {name}（{_label(name, licence_type)}）列：{licence_type.name_zh}需要该列，"
                    f"可用 elicense bulk {licence_type.slug} --template 打印样表",
                    field=name,
                )
        return cls(licence_type, names)

    @property
    def has_keys(self) -> bool:
        """Whether the rows bring keys of their own."""
        return KEY in self.names

    def key(self, row: Row, job: Job) -> str:
        """Return the row's idempotency key. Raises InvalidLicenceData if it should bring one and does not."""
        if not self.has_keys:
            return f"bulk {job.name} {row.number}"
        place = self.names.index(KEY)
        return check_text(row.cells[place] if place < len(row.cells) else "", KEY)

    def request(self, row: Row, job: Job) -> IssueRequest:
        """Return what the row asks for; values of fields stay unchecked.

        Raises:
            InvalidLicenceData: the row has too many or too few cells, or one is not of its column's form.
        """
        key = self.key(row, job)
        values = dict(zip(self.names, row.cells, strict=False))
        if len(row.cells) < len(self.names) or any(row.cells[len(self.names) :]):
            have, want = len(row.cells), len(self.names)
            refuse(
                "row",
                f"it has {have} cells and the header {want}: put texts with commas in quotation marks",
                f"本行有{have}格，表头有{want}格：含逗号的文字请加引号",
            )
        given = {name: text for name, text in values.items() if text != ""}
        dates = {name: check_date(given[name], name) for name in _DATES if name in given}
        return IssueRequest(
            self.licence_type.slug,
            authority_code=job.authority_code,
            holders=_holders(given, self.licence_type),
            fields={
                spec.name: _value(spec.kind, spec.name, given[spec.name])
                for spec in self.licence_type.fields
                if spec.name in given
            },
            case_number=given.get("case_number"),
            idempotency_key=key,
            issued_on=dates.get("issued_on"),
            valid_from=dates.get("valid_from"),
            valid_until=dates.get("valid_until"),
        )


def template(licence_type: LicenceType, *, chinese: bool = False) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return a header and one invented row to start from, in names or in Chinese labels."""
    sample = licence_type.sample_request()
    cells = {KEY: "sample-1"}
    if len(sample.holders) > 1:
        holders = [[one.name, one.code_kind, one.code] for one in sample.holders]
        cells[HOLDERS] = json.dumps(holders, ensure_ascii=False)
    else:
        one = sample.holders[0]
        cells |= dict(zip(_HOLDER, (one.name, one.code_kind, one.code), strict=True))
    for spec in licence_type.fields:
        cells[spec.name] = _cell(sample.fields.get(spec.name, ""))
    for name in (*_DATES, "case_number"):
        if (value := getattr(sample, name)) is not None:
            cells[name] = str(value)
    labels = _labels(licence_type) if chinese else {}
    header = (next((label for label, names in labels.items() if names == [name]), name) for name in cells)
    return tuple(header), tuple(cells.values())


# --- Header ---


def _labels(licence_type: LicenceType) -> dict[str, list[str]]:
    """Return label -> names of the columns called so; more than one is ambiguous."""
    labels: dict[str, list[str]] = {}
    for name, label in (*_OWN.items(), *((spec.name, spec.zh) for spec in licence_type.fields)):
        labels.setdefault(label, []).append(name)
    return labels


def _label(name: str, licence_type: LicenceType) -> str:
    return _OWN.get(name) or licence_type.field(name).zh


def _name(cell: str, known: set[str], labels: Mapping[str, list[str]]) -> str:
    """Return the name of the column that a header cell means. Raises InvalidSheet."""
    if cell in known:
        return cell
    meant = labels.get(cell, [])
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise InvalidSheet(
            f"the column {cell} may be {' or '.join(meant)}: write one of these names",
            f"{cell} 列可能指 {'、'.join(meant)}：请写其中一个英文名",
            field=cell,
        )
    near = difflib.get_close_matches(cell, (*known, *labels), n=1)
    expected = ", ".join(near or sorted(known))
    raise InvalidSheet(
        f"the header has an unknown column {cell!r}: expected {'perhaps ' if near else 'one of '}{expected}",
        f"表头中有未知的列“{cell}”：应为{'（也许是）' if near else ''} {expected}",
        field=cell,
    )


def _holder_columns(names: Sequence[str], licence_type: LicenceType) -> tuple[str, ...]:
    """Return the columns that must be there for the holders. Raises InvalidSheet if they are there in both forms."""
    if HOLDERS not in names:
        kinds = licence_type.definition.holder_kinds
        return _HOLDER if len(kinds) > 1 else (_HOLDER[0], _HOLDER[2])
    if both := [name for name in _HOLDER if name in names]:
        raise InvalidSheet(
            f"the header has {HOLDERS} and {both[0]}: keep the one column or the others",
            f"表头同时有 {HOLDERS} 和 {both[0]} 列：请只保留一种写法",
            field=both[0],
        )
    return ()


def _required(licence_type: LicenceType) -> tuple[str, ...]:
    return tuple(spec.name for spec in licence_type.fields if spec.required)


# --- Cells ---


def _holders(given: Mapping[str, str], licence_type: LicenceType) -> tuple[Holder, ...]:
    """Return the holders of a row. Raises InvalidLicenceData if their JSON is not of its form."""
    if HOLDERS not in given:
        kinds = licence_type.definition.holder_kinds
        kind = given.get("holder_code_kind") or (kinds[0] if len(kinds) == 1 else "")
        return (Holder(given.get("holder_name", ""), kind, given.get("holder_code", "")),)
    holders = _json(HOLDERS, given[HOLDERS])
    texts = isinstance(holders, list) and all(
        isinstance(one, list) and len(one) == len(_HOLDER) and all(isinstance(part, str) for part in one)
        for one in holders
    )
    if not texts or not isinstance(holders, list):
        refuse(
            HOLDERS,
            'write a list of [name, kind of code, code], e.g. [["甲", "111", "…"], ["乙", "111", "…"]]',
            '请写成 [名称, 代码类型, 代码] 的列表，如 [["甲", "111", "…"], ["乙", "111", "…"]]',
        )
    return tuple(Holder(*one) for one in holders)


def _value(kind: FieldKind, name: str, text: str) -> object:
    """Return the value that a cell writes. Raises InvalidLicenceData if it should be JSON and is not."""
    if kind not in _STRUCTURED:
        return text
    if kind in _LISTS and not text.startswith("["):
        return text.splitlines()
    return _json(name, text)


def _json(name: str, text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        refuse(
            name,
            'the cell should hold a list as JSON, e.g. ["甲", "乙"], or for a table [["1", "2"], ["3", "4"]]',
            '此格应为 JSON 列表，如 ["甲", "乙"]；表格如 [["1", "2"], ["3", "4"]]',
        )


def _cell(value: object) -> str:
    """Return how a value of a sample is written in a cell."""
    if isinstance(value, (list, tuple)):
        return json.dumps(value, ensure_ascii=False)
    return value.isoformat() if isinstance(value, date) else str(value)
