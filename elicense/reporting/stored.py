"""A report as text that gives back the same report: kept, handed on, and shown another way later."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from elicense.model import InForce, LicenceStatus
from elicense.verification.facts import facts_from_json, facts_to_json
from elicense.verification.report import (
    CheckStatus,
    Indication,
    Outcome,
    SignatureSummary,
    SubIndication,
    VerificationReport,
)
from elicense.verification.shown import PageDifference, TextDifference

if TYPE_CHECKING:
    from collections.abc import Mapping


def report_to_json(report: VerificationReport) -> bytes:
    """Return the report as JSON text that `report_from_json` reads."""
    return json.dumps(
        {
            "indication": report.indication,
            "sub_indication": report.sub_indication,
            "in_force": _members(report.in_force),
            "checks": [_members(one) for one in report.checks],
            "signatures": [_members(one) for one in report.signatures],
            "sha256": report.sha256,
            "verified_at": report.verified_at,
            "policy": report.policy,
            "licence": report.licence,
            "facts": json.loads(facts_to_json(report.facts)) if report.facts else None,
            "shown": asdict(report.shown) if report.shown else None,
        },
        default=datetime.isoformat,
    ).encode("ascii")


def _members(one: LicenceStatus | Outcome | SignatureSummary) -> dict[str, Any]:
    """Return what a flat record holds, by name: `asdict` copies every value, which takes ten times as long."""
    return {name: getattr(one, name) for name in one.__dataclass_fields__}


def report_from_json(data: bytes) -> VerificationReport:
    """Return the report that `report_to_json` wrote.

    Who hands it over vouches for it: nothing is verified again. Raises ValueError for what is no report.
    """
    try:
        return _report(json.loads(data))
    except (TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError("not a report") from error


def _report(value: Mapping[str, Any]) -> VerificationReport:
    state = value["in_force"]
    facts = value["facts"]
    return VerificationReport(
        indication=Indication(value["indication"]),
        sub_indication=_sub(value["sub_indication"]),
        in_force=LicenceStatus(InForce(state["state"]), _moment(state["as_of"]), state["reason"]),
        checks=tuple(
            Outcome(
                **{**one, "status": CheckStatus(one["status"]), "sub_indication": _sub(one["sub_indication"])}
            )
            for one in value["checks"]
        ),
        signatures=tuple(_signature(one) for one in value["signatures"]),
        sha256=value["sha256"],
        verified_at=_moment(value["verified_at"]),
        policy=value["policy"],
        licence=value["licence"],
        facts=facts_from_json(json.dumps(facts).encode("ascii")) if facts is not None else None,
        shown=_shown(value["shown"]) if value["shown"] is not None else None,
    )


def _signature(value: Mapping[str, Any]) -> SignatureSummary:
    times = {name: _moment(value[name]) if value[name] else None for name in ("claimed_time", "proven_time")}
    answer = {"indication": Indication(value["indication"]), "sub_indication": _sub(value["sub_indication"])}
    return SignatureSummary(**{**value, **times, **answer})


def _shown(value: Mapping[str, Any]) -> TextDifference:
    pages = tuple(
        PageDifference(one["page"], tuple(one["removed"]), tuple(one["added"])) for one in value["pages"]
    )
    return TextDifference(**{**value, "pages": pages})


def _sub(value: str | None) -> SubIndication | None:
    return SubIndication(value) if value is not None else None


def _moment(value: str) -> datetime:
    return datetime.fromisoformat(value)
