"""The content of a `type.yaml`: every key known, rules consistent, every mistake named by file and place."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Literal, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from elicense.catalogue.numbers import CHECKS, NumberFormat
from elicense.errors import InvalidLicenceData, InvalidTemplate
from elicense.identifiers import check_type_code
from elicense.model import AuthorityLevel, DocumentCategory
from elicense.wording import MOST_AUTHORITIES, OWN_NAMES

_M = TypeVar("_M", bound=BaseModel)

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
Words = Annotated[str, Field(min_length=1, max_length=200)]
Count = Annotated[int, Field(ge=1, le=100_000)]

PAPER = {"A3": (297.0, 420.0), "A4": (210.0, 297.0), "A5": (148.0, 210.0), "B5": (176.0, 250.0)}
"""Width and height upright, mm. Source: ISO 216."""

_RESERVED = {name.split(".")[0] for name in OWN_NAMES} | {"sequence", "check", "qr", "seal"}


class FieldKind(StrEnum):
    """What sort of value a field holds."""

    TEXT = "text"
    PARAGRAPHS = "paragraphs"
    LIST = "list"
    TABLE = "table"
    DATE = "date"
    DATETIME = "datetime"
    INTEGER = "integer"
    DECIMAL = "decimal"
    CHOICE = "choice"
    CREDIT_CODE = "credit_code"
    RESIDENT_ID = "resident_id"
    PLOT = "plot"


_DATED = {FieldKind.DATE, FieldKind.DATETIME}


class _Part(BaseModel):
    """A piece of a type's definition: frozen, and unknown keys are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Bilingual(_Part):
    """A name in both languages."""

    zh: Words
    en: Words


class FieldSpec(_Part):
    """One field of a licence type (照面信息项)."""

    name: Name
    """How layouts and requests call it."""
    zh: Words
    """Its name in Chinese."""
    en: Words
    """Its name in English."""
    kind: FieldKind
    """What sort of value it holds."""
    required: bool = True
    """False if a licence may do without it."""
    printed: Annotated[bool, Field(alias="print")] = True
    """False if it is embedded only."""
    personal: bool = False
    """True for personal data, masked in public."""
    min_length: Annotated[int, Field(ge=0)] = 1
    """Least number of characters of the value or of each of its texts."""
    max_length: Count = 200
    """Greatest number of characters of the value or of each of its texts."""
    max_items: Count = 200
    """Greatest number of paragraphs, entries, rows or corners."""
    pattern: str | None = None
    """Regular expression that the whole of each text must match."""
    choices: dict[Annotated[str, Field(min_length=1, max_length=20)], Bilingual] | None = None
    """Code -> what it is called; for `choice`."""
    columns: tuple[Bilingual, ...] | None = None
    """Names of the columns; for `table`."""
    places: Annotated[int, Field(ge=0, le=9)] = 2
    """Digits after the point; for `decimal` and `plot`."""
    minimum: float | None = None
    """Least value; for `integer` and `decimal`."""
    maximum: float | None = None
    """Greatest value; for `integer` and `decimal`."""
    not_after: str | None = None
    """Field or `issued_on`: this date may not be later; for `date` and `datetime`."""

    @model_validator(mode="after")
    def _keys_suit_the_kind(self) -> Self:
        if self.name in _RESERVED:
            raise ValueError(f"the name {self.name} is taken by every licence's own data")
        if (self.choices is not None) != (self.kind is FieldKind.CHOICE):
            raise ValueError("choices belong to kind choice, and only to it")
        if (self.columns is not None) != (self.kind is FieldKind.TABLE):
            raise ValueError("columns belong to kind table, and only to it")
        if self.not_after is not None and self.kind not in _DATED:
            raise ValueError("not_after belongs to dates")
        if self.min_length > self.max_length:
            raise ValueError("min_length is greater than max_length")
        if self.pattern is not None:
            try:
                re.compile(self.pattern)
            except re.error as error:
                raise ValueError(f"the pattern is no regular expression: {error}") from error
        return self


class NumberRule(_Part):
    """How 证照编号 is formed."""

    format: Words
    """Text with {sequence:N}, {year}, {authority.region}, {field}, {check}."""
    check: str | None = None
    """What {check} is: a name from `numbers.CHECKS`."""

    @model_validator(mode="after")
    def _readable(self) -> Self:
        if self.check is not None and self.check not in CHECKS:
            raise ValueError(f"check is one of {', '.join(sorted(CHECKS))}")
        self.parsed()
        return self

    def parsed(self) -> NumberFormat:
        """Return the format, read. Raises ValueError if it cannot give one number to one licence."""
        return NumberFormat.parse(self.format, self.check)


class ValidityRule(_Part):
    """Where a licence's first and last day come from."""

    kind: Literal["years", "indefinite", "request", "fields"]
    """Counted from the start, without end, as requested, or taken from two fields."""
    years: Annotated[int, Field(ge=1, le=100)] | None = None
    """For `years`: the last day is the day before the anniversary."""
    start: Annotated[str | None, Field(alias="from")] = None
    """For `fields`: the date field that holds the first day; absent: the date of issue."""
    until: str | None = None
    """For `fields`: the date field that holds the last day; no value: 长期."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.years is not None) != (self.kind == "years"):
            raise ValueError("years belongs to kind years, and only to it")
        if (self.until is not None) != (self.kind == "fields") or (self.start and self.kind != "fields"):
            raise ValueError("from and until belong to kind fields, which needs until")
        return self


class JointRule(_Part):
    """How many authorities may issue one document together (联合行文)."""

    max: Annotated[int, Field(ge=2, le=MOST_AUTHORITIES)]
    """Greatest number of authorities, the main one included."""


class SealRule(_Part):
    """Which seal the type needs."""

    use: Words
    """印章用途: 公章, 电子证照专用章, 行政审批专用章, …"""
    joint: JointRule | None = None
    """For a type that several authorities may issue together, each with its seal of that use."""


class PageRule(_Part):
    """The paper."""

    size: Literal["A3", "A4", "A5", "B5"] = "A4"
    orientation: Literal["portrait", "landscape"] = "portrait"

    @property
    def extent(self) -> tuple[float, float]:
        """Width and height as turned, mm."""
        width, height = PAPER[self.size]
        return (height, width) if self.orientation == "landscape" else (width, height)


class TypeDefinition(_Part):
    """A licence type, as its `type.yaml` says."""

    schema_: Annotated[Literal[1], Field(alias="schema")]
    """Version of this form."""
    name: Bilingual
    """证照类型名称."""
    type_code: str
    """证照类型代码, GB/T 36904."""
    category: DocumentCategory = DocumentCategory.LICENCE
    """Licence or approval document."""
    legal_basis: Annotated[tuple[Words, ...], Field(min_length=1)]
    """设定依据: laws and articles."""
    issuing_levels: Annotated[tuple[AuthorityLevel, ...], Field(min_length=1)]
    """Which levels of authority may issue it."""
    holder_kinds: Annotated[tuple[Annotated[str, Field(pattern=r"^[0-9]{3}$")], ...], Field(min_length=1)]
    """持证主体代码类型代码 that are allowed, GB/T 36903 Annex A."""
    max_holders: Annotated[int, Field(ge=1, le=100)] = 1
    """Greatest number of holders."""
    number: NumberRule
    """How it is numbered."""
    validity: ValidityRule
    """How long it is valid."""
    seal: SealRule
    """Which seal it needs."""
    page: PageRule = PageRule()
    """Its paper."""
    sources: Annotated[tuple[Words, ...], Field(min_length=1)]
    """Where form and rules come from, and what was not read."""
    fields: Annotated[tuple[FieldSpec, ...], Field(min_length=1)]
    """What it says about its holder's case."""

    @cached_property
    def field_names(self) -> frozenset[str]:
        """Names of its fields."""
        return frozenset(field.name for field in self.fields)

    @model_validator(mode="after")
    def _names_meet(self) -> Self:
        try:
            check_type_code(self.type_code)
        except InvalidLicenceData as error:
            raise ValueError(error.en) from error
        known = {field.name: field for field in self.fields}
        if len(known) != len(self.fields):
            raise ValueError("two fields have the same name")
        dates = {name for name, field in known.items() if field.kind in _DATED}
        wanted = {field.not_after for field in self.fields if field.not_after} - {"issued_on"}
        wanted |= {name for name in (self.validity.start, self.validity.until) if name}
        if wanted - dates:
            raise ValueError(f"no date field is called {', '.join(sorted(wanted - dates))}")
        for name in self.number.parsed().fields:
            if name not in known or not known[name].required:
                raise ValueError(f"the number draws on {name}, which is no required field")
        return self


class _Loader(yaml.SafeLoader):
    """YAML's safe subset, where a key that stands twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:
        """Return the mapping. Raises ConstructorError if a key stands twice."""
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def load_yaml(path: Path) -> object:
    """Return the content of a YAML file of the safe subset, no key twice.

    Raises:
        InvalidTemplate: missing, not UTF-8, no YAML, or a key stands twice; names the file.
    """
    shown = f"{path.parent.name}/{path.name}"
    try:
        return yaml.load(path.read_text("utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader subclass
    except (OSError, UnicodeDecodeError, yaml.YAMLError, TypeError) as error:
        where = re.sub(r"\s+", " ", str(error)).replace(str(path), shown)
        raise InvalidTemplate(f"{shown}: {where}", f"{shown}：{where}", field=shown) from error


def load_model(path: Path, kind: type[_M]) -> _M:
    """Return what `path` holds as a `kind`.

    Raises:
        InvalidTemplate: as `load_yaml`, or a key or rule is wrong; names the file and the place.
    """
    content = load_yaml(path)
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        shown = f"{path.parent.name}/{path.name}"
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "top level"
        text = first["msg"].removeprefix("Value error, ")
        raise InvalidTemplate(
            f"{shown}, at {place}: {text}", f"{shown}，{place} 处：{text}", field=place
        ) from error
