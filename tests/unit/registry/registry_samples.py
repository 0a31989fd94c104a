"""What the register's tests share: a draft, an intent, evidence, moments."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from elicense.model import AuthorityLevel, DocumentCategory, Holder, IssuingAuthority, LicenceDraft, Validity
from elicense.registry.protocol import DocumentEvidence, Intent

NOON = datetime(2026, 3, 8, 4, 0, 0, 250_000, tzinfo=UTC)
"""Noon in Beijing on the day of issue, with a fraction of a second."""

INTENT = Intent("a" * 64, "engine/1", "99010100000001", "c" * 64, 4096, "B-B")

AUTHORITY = IssuingAuthority(
    "示例省样例市市场监督管理局", "11990101MB00000006", AuthorityLevel.CITY, "990101", "样例市", "样市监"
)


def later(**amount: float) -> datetime:
    """Return the moment `amount` after NOON."""
    return NOON + timedelta(**amount)


def number(sequence: int) -> str:
    """Return the printed number of a sequence."""
    return f"JY{sequence:06d}"


def make_draft(**changes: object) -> LicenceDraft:
    """Return a checked draft with some fields changed."""
    values = {
        "type": "food-business-licence",
        "type_code": "11990000MB0000000J001",
        "type_name": "食品经营许可证",
        "category": DocumentCategory.LICENCE,
        "authority": AUTHORITY,
        "holders": (Holder("测试餐饮有限公司", "999", "T-1"),),
        "issued_on": date(2026, 3, 8),
        "validity": Validity(date(2026, 3, 8), date(2031, 3, 7)),
        "fields": {"operator_name": "测试餐饮", "items": ("热食类", "𠮷"), "rows": (("1", "2"), ("3", "4"))},
        "labels": {"form": {"zh": "经营者", "en": "Operator"}},
        "verify_base": "https://licence.example/v/",
        "case_number": None,
    }
    return LicenceDraft(**{**values, **changes})


def joint_draft():
    """Return the draft of a document that three authorities issue together."""
    others = [
        replace(make_draft().authority, code=code) for code in ("11990000MB0000000J", "11990000MB0000001G")
    ]
    return make_draft(joint_authorities=tuple(others))


def make_evidence(sha256: str = "d" * 64) -> DocumentEvidence:
    """Return evidence of a finished document."""
    return DocumentEvidence(sha256, 12_345, (0, 100, 9000, 3345), "B-B", timestamp_pending=False)
