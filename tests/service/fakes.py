"""Stand-ins for issuing and verifying at the service's own seams, and the values the tests look for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from elicense.encoding import licence_to_json
from elicense.issuing import IssuedLicence
from elicense.model import (
    AuthorityLevel,
    DocumentCategory,
    Holder,
    InForce,
    IssuingAuthority,
    LicenceDraft,
    LicenceStatus,
    Validity,
)
from elicense.registry.memory import MemoryRegistry, MemoryStore
from elicense.registry.protocol import DocumentEvidence, Intent
from elicense.verification.report import (
    CheckStatus,
    Indication,
    Outcome,
    SignatureSummary,
    VerificationReport,
)

AT = datetime(2026, 11, 23, 13, 40, tzinfo=UTC)
AUTHORITY = IssuingAuthority(
    "示例省样例市市场监督管理局", "11990101MB00000019", AuthorityLevel.CITY, "990101", "样例市", "样市监"
)
TOKEN = "a-token-of-the-market-department-xxxx"
OTHER_TOKEN = "a-token-of-the-planning-department-xx"
PERSON = "王测试"
PERSON_CODE = "990101199003070018"
PDF = b"%PDF-1.7\nnot really\n%%EOF\n"
CODES = (
    "format",
    "byte_range",
    "later_changes",
    "digest",
    "signature",
    "signing_time",
    "certificate_path",
    "revocation",
    "seal",
    "content",
    "log",
    "in_force",
)


def draft(name: str = PERSON, code: str = PERSON_CODE) -> LicenceDraft:
    """A checked request whose values the tests look for where they must not be."""
    return LicenceDraft(
        type="food-business-licence",
        type_code="11990000000000000D001",
        type_name="食品经营许可证",
        category=DocumentCategory.LICENCE,
        authority=AUTHORITY,
        holders=(Holder(name, "111", code),),
        issued_on=date(2026, 11, 23),
        validity=Validity(date(2026, 11, 23), date(2031, 11, 22)),
        fields={"address": "示例省样例市虚构路九十九号", "items": ("热食", "冷食")},
        labels={},
        verify_base="http://127.0.0.1:8000/v/",
        case_number="办件-测试-0001",
    )


@dataclass
class Fakes:
    """What stands in for issuing and verifying; a test sets `fail` or `report`."""

    registry: MemoryRegistry = field(default_factory=MemoryRegistry)
    store: MemoryStore = field(default_factory=MemoryStore)
    fail: Exception | None = None
    fail_signing: Exception | None = None
    report: VerificationReport | None = None
    requests: list = field(default_factory=list)
    verified: list = field(default_factory=list)
    policies: list = field(default_factory=list)
    signed: list = field(default_factory=list)
    clock_reads: int = 0

    def clock(self) -> datetime:
        self.clock_reads += 1
        return AT

    def issue(self, request, at) -> IssuedLicence:
        self.requests.append((request, at))
        if self.fail is not None:
            raise self.fail
        record = self.registry.reserve(
            draft(),
            number=lambda sequence: f"JY{sequence:06d}",
            intent=Intent("0" * 64, "engine", "seal", "c" * 64, 8000, "B-B"),
            at=at,
            idempotency_key=request.idempotency_key,
        )
        evidence = DocumentEvidence(
            self.store.put(PDF), len(PDF), (0, 1, 2, 3), "B-B", timestamp_pending=False
        )
        return IssuedLicence(self.registry.commit(str(record.licence.identifier), evidence, at=at), PDF)

    def verify(self, data, at, policy) -> VerificationReport:
        self.verified.append((data, at))
        self.policies.append(policy)
        if self.fail is not None:
            raise self.fail
        return self.report if self.report is not None else report(Indication.INDETERMINATE)

    def report_pdf(self, report, at) -> bytes:
        self.signed.append((report, at))
        if self.fail_signing is not None:
            raise self.fail_signing
        return PDF


def report(
    indication: Indication, sub_indication=None, state: InForce = InForce.NOT_KNOWN, *, licence=None
) -> VerificationReport:
    """A report of the shape the verifier gives."""
    passed = indication is Indication.TOTAL_PASSED
    status = CheckStatus.PASSED if passed else CheckStatus.NOT_RUN
    signature = SignatureSummary(
        "Seal", AUTHORITY.name, "9f" * 32, "99010100000012", AT, None, "whole_file", "none", "B-B"
    )
    return VerificationReport(
        indication=indication,
        sub_indication=sub_indication,
        in_force=LicenceStatus(state, AT),
        checks=tuple(Outcome(number, code, status) for number, code in enumerate(CODES, 1)),
        signatures=(signature,),
        sha256="ab" * 32,
        verified_at=AT,
        policy="licence",
        licence=licence_to_json(licence) if licence is not None else None,
    )
