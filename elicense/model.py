"""The frozen types everything else speaks in: who issues what to whom, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta, timezone
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from elicense.identifiers import LicenceIdentifier

BEIJING = timezone(timedelta(hours=8), "Asia/Shanghai")
"""北京时间, the time zone of a licence's days; no daylight saving since 1991."""

FieldValue = str | tuple[str, ...] | tuple[tuple[str, ...], ...]
"""A canonical value: text (dates YYYY-MM-DD, moments YYYY-MM-DDThh:mm, decimals as written), a list, or rows."""


class AuthorityLevel(StrEnum):
    """证照颁发机构级别, GB/T 36902 (codes of the standard differ between systems; names are ours)."""

    NATIONAL = "national"
    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    TOWN = "town"
    INSTITUTION = "institution"


class DocumentCategory(StrEnum):
    """Whether a type is a licence (证照) or an approval document (批文)."""

    LICENCE = "licence"
    APPROVAL = "approval"


@dataclass(frozen=True, slots=True)
class IssuingAuthority:
    """颁发机构: the department that answers for a licence."""

    name: str
    """Full official name in Chinese, as on the seal."""
    code: str
    """统一社会信用代码, 18 characters, GB 32100."""
    level: AuthorityLevel
    """Decides which types it may issue and the diameter of its seal."""
    region: str
    """行政区划代码, 6 digits, GB/T 2260."""
    place: str
    """Short name of the place as used inside licence numbers, e.g. 样例市."""
    prefix: str
    """发文机关代字 as used in document numbers, e.g. 样规."""


@dataclass(frozen=True, slots=True)
class Holder:
    """持证主体: a person or organisation the licence is given to."""

    name: str
    """2 to 60 characters, as printed."""
    code_kind: str
    """持证主体代码类型代码, GB/T 36903 Annex A: 001 credit code, 111 resident id, 414 passport, 999 other, …"""
    code: str
    """The code itself; check digits verified for 001 and 111."""


@dataclass(frozen=True, slots=True)
class Validity:
    """有效期: first and last day, both inclusive."""

    start: date
    """First day of validity."""
    end: date | None
    """Last day of validity; None is 长期."""


@dataclass(frozen=True, slots=True)
class IssueRequest:
    """What a clerk asks for: unchecked values, as typed."""

    type: str
    """Folder name of the licence type, e.g. food-business-licence."""
    authority_code: str
    """Credit code of the issuing authority."""
    holders: tuple[Holder, ...]
    """At least one."""
    fields: Mapping[str, object]
    """Field name -> value as typed; checked and made canonical by the catalogue."""
    issued_on: date | None = None
    """Date of issue (北京时间); None is the day of `at`."""
    valid_from: date | None = None
    """Overrides the start that the type's validity rule gives, where the rule allows it."""
    valid_until: date | None = None
    """Overrides the end that the type's validity rule gives, where the rule allows it."""
    case_number: str | None = None
    """办件编号 of the case this licence closes."""
    idempotency_key: str | None = None
    """Same key and same content: the same licence; same key and other content: IdempotencyConflict."""
    joint_authority_codes: tuple[str, ...] = ()
    """Credit codes of the authorities that seal after the issuing one (联合行文), in that order."""


@dataclass(frozen=True, slots=True)
class LicenceDraft:
    """A checked request: everything about a licence that is known before it has a number."""

    type: str
    """Folder name of the licence type."""
    type_code: str
    """证照类型代码, 21 characters, GB/T 36904."""
    type_name: str
    """证照类型名称 in Chinese."""
    category: DocumentCategory
    """Licence or approval document."""
    authority: IssuingAuthority
    """Who issues it."""
    holders: tuple[Holder, ...]
    """Whom it is given to, main holder first."""
    issued_on: date
    """颁发日期, 北京时间."""
    validity: Validity
    """有效期."""
    fields: Mapping[str, FieldValue]
    """Canonical values by field name; absent optional fields are absent."""
    labels: Mapping[str, Mapping[str, str]]
    """For each choice field present: language ("zh", "en") -> what its value is called."""
    verify_base: str
    """Address that checks a licence when its identifier is appended, e.g. https://host/v/."""
    case_number: str | None = None
    """办件编号."""
    joint_authorities: tuple[IssuingAuthority, ...] = ()
    """Who issues it together with `authority` (联合行文), in the order of sealing; empty for most."""

    @property
    def authorities(self) -> tuple[IssuingAuthority, ...]:
        """All who issue it, in the order of sealing; the main one is the first."""
        return (self.authority, *self.joint_authorities)


@dataclass(frozen=True, slots=True)
class Licence(LicenceDraft):
    """电子证照 (or 批文): a draft that received its number. Frozen from the moment of reservation."""

    identifier: LicenceIdentifier = field(kw_only=True)
    """证照标识, GB/T 36904: never used twice."""
    number: str = field(kw_only=True)
    """证照编号 as printed."""
    signing_time: datetime = field(kw_only=True)
    """Claimed time of signing (`/M`), UTC, whole seconds, fixed before the key moves."""
    document_id: str = field(kw_only=True)
    """32 hex digits; the PDF's `/ID` and the same after every resume."""


class FieldPlacement(NamedTuple):
    """数据索引: where one piece of printed data stands on the page, so that a machine finds it."""

    template: str
    """The layout's text with `{field|format}` places, e.g. `{valid_until|date-zh}`."""
    fields: tuple[str, ...]
    """Names the template draws on."""
    page: int
    """1-based page number."""
    rect: tuple[int, int, int, int]
    """x, y, width, height in hundredths of a millimetre from the page's lower left."""
    mcid: int
    """Marked-content identifier on that page; the text inside it is what is printed."""
    text: str
    """What is printed, after formatting and before line breaking."""


class LicenceState(StrEnum):
    """Where a licence stands in the register."""

    RESERVED = "reserved"
    """Number taken, document not yet finished; resume() drives it on."""
    ISSUED = "issued"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"
    VOID = "void"
    """Number spent without a document, on record with its reason."""


class InForce(StrEnum):
    """The answer to "in force?"."""

    IN_FORCE = "in_force"
    CONDITIONAL = "conditional"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    SUPERSEDED = "superseded"
    NOT_KNOWN = "not_known"


@dataclass(frozen=True, slots=True)
class LicenceStatus:
    """Whether a licence is in force, as of a moment."""

    state: InForce
    """The answer."""
    as_of: datetime
    """The moment it is true for, UTC."""
    reason: str | None = None
    """Reason recorded with a suspension, revocation or void."""
