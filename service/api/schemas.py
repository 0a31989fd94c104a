"""The shapes of requests and answers: what the OpenAPI document shows and pydantic enforces."""

from __future__ import annotations

from datetime import date, datetime  # noqa: TC003 - pydantic reads the annotations at run time
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, StringConstraints

from elicense.model import Holder, IssueRequest

Cell = StrictStr | StrictInt
FieldInput = Cell | list[Cell] | list[list[Cell]]
"""A field's value as typed: text, whole number, list, or table rows. Decimals are text: no digit is lost."""

Code = Annotated[str, StringConstraints(min_length=1, max_length=64)]
IDENTIFIER = r"^1\.2\.156\.3005\.2\.[0-9A-Z]{21}\.[0-9A-Z]{18}\.[0-9A-Z]{1,32}\.[0-9]{3}\.[0-9A-Z]$"


class Closed(BaseModel):
    """A request object: an unknown member is an error, not a silent loss."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Asked(BaseModel):
    """Headers or a query of a request."""

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return the JSON Schema; the plain one, which the framework asks for at every request, is made once.

        Made anew each time it costs 0.2 ms, more than the rest of reading a request.
        """
        if args or kwargs:
            return super().model_json_schema(*args, **kwargs)
        if cls not in _MADE:
            _MADE[cls] = super().model_json_schema()
        return _MADE[cls]


_MADE: dict[type[Asked], dict[str, Any]] = {}
"""The plain schemas, by class."""


class HolderIn(Closed):
    """持证主体."""

    name: str = Field(min_length=1, max_length=200, description="As printed.")
    code_kind: str = Field(min_length=1, max_length=8, description="GB/T 36903 Annex A, e.g. 001 or 111.")
    code: Code = Field(description="The code itself; check digits are verified for 001 and 111.")


class IssueIn(Closed):
    """What a clerk asks for."""

    type: Code = Field(description="Licence type, e.g. food-business-licence.")
    authority_code: Code = Field(description="Credit code of the issuing authority.")
    joint_authority_codes: list[Code] = Field(
        default=[],
        max_length=8,
        description="Credit codes of the authorities that seal after it (联合行文), in that order.",
    )
    holders: list[HolderIn] = Field(min_length=1, max_length=50)
    fields: dict[Annotated[str, StringConstraints(max_length=64)], FieldInput] = Field(
        description="Values by field name, as the licence type declares them."
    )
    issued_on: date | None = Field(default=None, description="Date of issue, Beijing time; default today.")
    valid_from: date | None = None
    valid_until: date | None = None
    case_number: str | None = Field(default=None, max_length=64, description="办件编号.")

    def to_request(self, idempotency_key: str) -> IssueRequest:
        """Return the request as the issuing line takes it; the key already names the department."""
        return IssueRequest(
            type=self.type,
            authority_code=self.authority_code,
            holders=tuple(Holder(one.name, one.code_kind, one.code) for one in self.holders),
            fields={name: _frozen(value) for name, value in self.fields.items()},
            issued_on=self.issued_on,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            case_number=self.case_number,
            idempotency_key=idempotency_key,
            joint_authority_codes=tuple(self.joint_authority_codes),
        )


def _frozen(value: object) -> object:
    """Lists become tuples, all the way down."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


class IssueHeaders(Asked):
    """Headers of POST /licences."""

    idempotency_key: str = Field(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,128}$",
        description="Yours to choose, one per licence; sent again with the same body: the same licence.",
    )


class LicencePath(BaseModel):
    """Path of one licence."""

    identifier: str = Field(pattern=IDENTIFIER, description="证照标识, GB/T 36904. Never the printed number.")


class DocumentQuery(Closed, Asked):
    """Which of a licence's files is wanted."""

    which: Literal["sealed", "archive"] = Field(
        default="sealed",
        alias="copy",
        description="sealed: the document as sealed; archive: its newest archive copy, or else the document.",
    )


class AuthorityOut(BaseModel):
    """颁发机构."""

    name: str
    code: str


class HolderOut(BaseModel):
    """持证主体."""

    name: str
    code_kind: str
    code: str


class StatusOut(BaseModel):
    """The answer to "in force?", true as of a moment."""

    state: Literal[
        "in_force",
        "conditional",
        "suspended",
        "revoked",
        "expired",
        "not_yet_valid",
        "superseded",
        "not_known",
    ]
    as_of: datetime
    reason: str | None


class DocumentOut(BaseModel):
    """The finished document."""

    href: str = Field(description="Where to download it.")
    sha256: str
    size: int
    profile: str = Field(description="PAdES level, B-B or B-T.")
    timestamp_pending: bool


class LicenceOut(BaseModel):
    """One licence in the register."""

    identifier: str
    number: str = Field(description="证照编号 as printed.")
    type: str
    type_code: str
    type_name: str
    category: Literal["licence", "approval"]
    state: Literal["reserved", "issued", "suspended", "revoked", "superseded", "void"]
    in_force: StatusOut
    authority: AuthorityOut
    holders: list[HolderOut]
    issued_on: date
    valid_from: date
    valid_until: date | None = Field(description="Last day of validity; null is 长期.")
    fields: dict[str, Any]
    case_number: str | None
    signing_time: datetime
    changed_at: datetime
    verify_url: str = Field(description="What the QR code on the page says.")
    document: DocumentOut | None = Field(description="Null until the document is finished.")


class AuthenticOut(BaseModel):
    """The answer to "authentic?"."""

    indication: Literal["TOTAL_PASSED", "INDETERMINATE", "TOTAL_FAILED"]
    sub_indication: str | None


class SignatureOut(BaseModel):
    """One signature found."""

    field: str
    signer: str
    seal: str | None
    claimed_time: datetime | None
    proven_time: datetime | None
    coverage: str
    modification: str


class CheckOut(BaseModel):
    """One check's answer."""

    code: str
    status: Literal["PASSED", "FAILED", "INDETERMINATE", "NOT_RUN", "RECORDED", "NOT_CONFIGURED", "NOT_KNOWN"]
    indication: str | None
    sub_indication: str | None
    detail: str


class PageDifferenceOut(BaseModel):
    """How one page's text differs from what was sealed."""

    page: int
    removed: list[str]
    added: list[str]


class ShownOut(BaseModel):
    """What stands behind the seal, for information: how the text differs. No part of the answers."""

    field: str
    sealed_size: int
    sealed_sha256: str
    pages: list[PageDifferenceOut]
    complete: bool
    trouble: str | None = Field(description="Why nothing could be compared, e.g. unreadable or time.")


class ReportOut(BaseModel):
    """The two answers, never blended, and all that led to them."""

    sha256: str
    verified_at: datetime
    policy: str
    authentic: AuthenticOut
    in_force: StatusOut
    signatures: list[SignatureOut]
    checks: list[CheckOut]
    shown: ShownOut | None = Field(description="Null unless the file was extended after it was sealed.")


class VerifyQuery(Asked):
    """What to answer with."""

    report: Literal["simple", "detailed", "diagnostic", "etsi", "pdf"] | None = Field(
        default=None, description="Kind of report; without it the answers and checks in short."
    )
    policy: Literal["licence", "general"] = Field(
        default="licence", description="licence: documents of this system, strictly; general: any signed PDF."
    )
    lang: Literal["zh", "en"] = Field(default="zh", description="Of the words in simple and detailed.")


class AnswerOut(AuthenticOut):
    """The answer to "authentic?" in words."""

    question: str
    answer: str


class ForceOut(StatusOut):
    """The answer to "in force?" in words."""

    question: str
    answer: str


class SignedOut(BaseModel):
    """Who sealed it and when."""

    name: str
    seal: str | None
    claimed_time: datetime | None
    proven_time: datetime | None


class LicenceShortOut(BaseModel):
    """What identifies the licence, as embedded in an authentic file."""

    type: str
    number: str
    identifier: str
    holders: list[str]
    authorities: list[str]
    valid_from: date
    valid_until: date | None


class SimpleOut(BaseModel):
    """The two answers, why, what to do, and who sealed what if the file is authentic."""

    report: Literal["simple", "detailed"]
    lang: str
    sha256: str
    verified_at: datetime
    policy: str
    authentic: AnswerOut
    in_force: ForceOut
    why: str
    what_to_do: str
    signed: list[SignedOut]
    licence: LicenceShortOut | None


class SignatureDetailOut(SignedOut):
    """One signature with its own answer."""

    field: str
    kind: str
    kind_text: str
    certificate: str = Field(description="SHA-256 of the signer's certificate.")
    indication: str
    sub_indication: str | None
    answer: str
    coverage: str
    coverage_text: str
    modification: str
    revision: int
    level: str = Field(description="PAdES level, B-B to B-LTA.")
    level_text: str


class TimestampOut(BaseModel):
    """One document timestamp."""

    field: str
    time: datetime | None
    authority: str
    proves: bool
    revision: int
    reason: str | None


class ChangeOut(BaseModel):
    """One kind of change."""

    kind: str
    text: str
    detail: str


class RevisionOut(BaseModel):
    """What was saved at one time, and which signatures stand over it."""

    revision: int
    size: int
    end: int
    changes: list[ChangeOut]
    signed_after: list[str]


class EvidenceOut(BaseModel):
    """Validation data inside the file."""

    certificates: int
    crls: int
    ocsps: int


class CheckDetailOut(BaseModel):
    """One check in words."""

    number: int
    code: str
    question: str
    status: str
    status_text: str
    answer: str
    advice: str
    sub_indication: str | None
    reason: str | None
    detail: str


class ShownDetailOut(ShownOut):
    """The difference in words."""

    text: str
    note: str


class DetailedOut(SimpleOut):
    """What simple says, and every signature, timestamp, revision and check."""

    size: int | None
    signatures: list[SignatureDetailOut]
    timestamps: list[TimestampOut]
    revisions: list[RevisionOut]
    evidence: EvidenceOut | None
    checks: list[CheckDetailOut]
    shown: ShownDetailOut | None


class DiagnosticOut(BaseModel):
    """All that was found, unjudged; what can be judged again."""

    report: Literal["diagnostic"]
    sha256: str
    verified_at: datetime
    policy: str
    facts: dict[str, Any] | None = Field(description="Null where the register knew the file by its digest.")


class PlaceOut(BaseModel):
    """One place in a request that is not as the schema says."""

    field: str
    code: str
    text: str


class TextOut(BaseModel):
    """One sentence in two languages."""

    zh: str
    en: str


class ProblemOut(BaseModel):
    """What went wrong. Source: RFC 9457 (application/problem+json)."""

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(description="Stable; clients may match on it.")
    text: TextOut
    field: str | None = Field(default=None, description="What to mend.")
    errors: list[PlaceOut] | None = Field(default=None, description="All places, for invalid_request.")
    reference: str | None = Field(default=None, description="For the operator of the service.")
    authentic: AuthenticOut | None = Field(
        default=None, description="For upload_too_large: INDETERMINATE, because nothing was looked at."
    )
