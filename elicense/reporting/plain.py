"""The reports as plain values: simple for a citizen, detailed for an expert, diagnostic to judge again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from elicense import messages
from elicense.reporting.words import (
    ANOTHER,
    AUTHENTIC,
    CHANGES,
    COMPARE,
    CONDITIONS,
    COVERAGE,
    KINDS,
    LEVELS,
    NO_FORCE,
    SIGNATURE,
    TROUBLES,
    heading,
    named,
)
from elicense.verification.facts import facts_to_json
from elicense.verification.report import CheckStatus, Indication, decisive, is_damaged, moment_text
from elicense.verification.shown import difference_to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from elicense.verification.facts import Facts, TimestampFacts
    from elicense.verification.report import Outcome, SignatureSummary, VerificationReport

Plain = dict[str, Any]
"""Plain values, ready for JSON."""

_NEUTRAL = {CheckStatus.PASSED, CheckStatus.RECORDED}


def simple(report: VerificationReport, lang: str) -> Plain:
    """Return the two answers, why, what to do; who sealed what and when, if the file is authentic.

    Nobody is named on the strength of a file that is not.

    Args:
        report: the verification's.
        lang: "zh" or "en".
    """
    passed = report.indication is Indication.TOTAL_PASSED
    return {
        "report": "simple",
        "lang": lang,
        "sha256": report.sha256,
        "verified_at": moment_text(report.verified_at),
        "policy": report.policy,
        "authentic": {
            "indication": report.indication.value,
            "sub_indication": report.sub_indication.value if report.sub_indication else None,
            "question": heading("authentic", lang),
            "answer": AUTHENTIC[answer_key(report)](lang),
        },
        "in_force": {
            "state": report.in_force.state.value,
            "as_of": moment_text(report.in_force.as_of),
            "reason": report.in_force.reason,
            "question": heading("in_force", lang),
            "answer": _in_force(report, lang),
        },
        "why": why(report, lang),
        "what_to_do": what_to_do(report, lang),
        "signed": [_signed(one) for one in report.signatures] if passed else [],
        "licence": licence_rows(report.licence) if passed and report.licence is not None else None,
    }


def detailed(report: VerificationReport, lang: str) -> Plain:
    """Return what `simple` does, and every signature, timestamp, revision and check, and the texts' difference."""
    facts = report.facts
    return {
        **simple(report, lang),
        "report": "detailed",
        "size": facts.size if facts else None,
        "signatures": [_signature(one, lang) for one in report.signatures],
        "timestamps": [_timestamp(one) for one in facts.timestamps] if facts else [],
        "revisions": _revisions(facts, lang) if facts else [],
        "evidence": dict(zip(("certificates", "crls", "ocsps"), facts.evidence, strict=True))
        if facts
        else None,
        "checks": [_check(one, lang, report.policy) for one in report.checks],
        "shown": _shown(report, lang),
    }


def diagnostic(report: VerificationReport) -> Plain:
    """Return all that was found, as it crossed the border of the sandbox; null where the register knew the file.

    `facts` is what `elicense.verification.facts.facts_from_json` reads back: who has it can judge again.
    """
    return {
        "report": "diagnostic",
        "sha256": report.sha256,
        "verified_at": moment_text(report.verified_at),
        "policy": report.policy,
        "facts": json.loads(facts_to_json(report.facts)) if report.facts else None,
    }


def why(report: VerificationReport, lang: str) -> str:
    """Return the answer of the check that decided, or what the main indication means."""
    reason = decisive(report)
    return (
        messages.answer(reason, lang, report.policy)
        if reason
        else messages.indication(report.indication, lang, report.policy)
    )


def what_to_do(report: VerificationReport, lang: str) -> str:
    """Return what to do next."""
    if report.indication is not Indication.TOTAL_PASSED:
        reason = decisive(report)
        if reason is None:
            return messages.indication_advice(report.indication, lang, report.policy)
        another = ("" if lang == "zh" else " ") + ANOTHER(lang) if may_be_another(report) else ""
        return messages.advice(reason, lang, report.policy) + another
    if report.policy == "general":
        return messages.indication_advice("TOTAL_PASSED", lang, report.policy)
    state = report.in_force.state.value
    if state == "in_force":
        return COMPARE(lang)
    if state == "conditional":
        return CONDITIONS(lang)
    last = report.checks[-1].reason
    return messages.advice(last or f"status.{state}", lang)


def licence_rows(licence: Mapping[str, Any]) -> Plain:
    """Return what identifies a licence, of its data as embedded."""
    validity = licence["validity"]
    return {
        "type": licence["type_name"],
        "number": licence["number"],
        "identifier": licence["identifier"],
        "holders": [holder["name"] for holder in licence["holders"]],
        "authorities": [one["name"] for one in (licence["authority"], *licence.get("joint_authorities", ()))],
        "valid_from": validity["start"],
        "valid_until": validity["end"],
    }


def answer_key(report: VerificationReport) -> str:
    """Return what the first answer is called: the main indication, or a milder word for a broken format.

    That is "damaged", or "another" where the file is no licence by its make and may never have been one.
    """
    if not is_damaged(report):
        return report.indication.value
    return "another" if may_be_another(report) else "damaged"


def may_be_another(report: VerificationReport) -> bool:
    """Return whether what kept the file from being a licence would be so in any other signed PDF."""
    return report.policy != "general" and decisive(report) in _ANOTHER


_ANOTHER = frozenset(("format.layout", "format.attachment", "format.seal_field", "format.certification"))
"""Reasons that a PDF of another make gives by nature."""


def _in_force(report: VerificationReport, lang: str) -> str:
    return NO_FORCE(lang) if report.policy == "general" else messages.in_force(report.in_force.state, lang)


def _signed(signature: SignatureSummary) -> Plain:
    return {
        "name": signature.signer,
        "seal": signature.seal,
        "claimed_time": moment_text(signature.claimed_time),
        "proven_time": moment_text(signature.proven_time),
    }


def _signature(signature: SignatureSummary, lang: str) -> Plain:
    sub = signature.sub_indication
    return {
        "field": signature.field,
        "kind": signature.kind,
        "kind_text": named(KINDS, signature.kind, lang),
        **_signed(signature),
        "certificate": signature.certificate,
        "indication": signature.indication.value,
        "sub_indication": sub.value if sub else None,
        "answer": SIGNATURE[signature.indication](lang),
        "coverage": signature.coverage,
        "coverage_text": named(COVERAGE, signature.coverage, lang),
        "modification": signature.modification,
        "revision": signature.revision,
        "level": signature.profile,
        "level_text": named(LEVELS, signature.profile, lang),
    }


def _timestamp(stamp: TimestampFacts) -> Plain:
    return {
        "field": stamp.field,
        "time": moment_text(stamp.time),
        "authority": stamp.subject,
        "proves": stamp.error is None and stamp.path is not None and stamp.path.status == "valid",
        "revision": stamp.revision,
        "reason": stamp.error,
    }


def _revisions(facts: Facts, lang: str) -> list[Plain]:
    """Return each revision, its changes, and the fields of what reaches to its end or beyond it."""
    marks = [(one.revision, one.field) for one in facts.signatures]
    marks = sorted(marks + [(one.revision, one.field) for one in facts.timestamps])
    return [
        {
            "revision": index,
            "size": revision.end - revision.start,
            "end": revision.end,
            "changes": [
                {"kind": one.kind, "text": named(CHANGES, one.kind, lang), "detail": one.detail}
                for one in revision.changes
            ],
            "signed_after": [field for reach, field in marks if reach >= index],
        }
        for index, revision in enumerate(facts.revisions)
    ]


def _check(outcome: Outcome, lang: str, policy: str) -> Plain:
    reason, done = outcome.reason, outcome.status in _NEUTRAL
    said = messages.passed(outcome.code, lang, policy) if done else ""
    if reason:
        said = messages.answer(reason, lang, policy)
    failed = outcome.status in {CheckStatus.FAILED, CheckStatus.INDETERMINATE}
    return {
        "number": outcome.number,
        "code": outcome.code,
        "question": messages.question(outcome.code, lang, policy),
        "status": outcome.status.value,
        "status_text": messages.status(outcome.status, lang),
        "answer": said,
        "advice": messages.advice(reason, lang, policy) if reason and failed else "",
        "sub_indication": outcome.sub_indication.value if outcome.sub_indication else None,
        "reason": reason,
        "detail": outcome.detail,
    }


def _shown(report: VerificationReport, lang: str) -> Plain | None:
    shown = report.shown
    if shown is None:
        return None
    text = TROUBLES[shown.trouble](lang) if shown.trouble else ""
    if not shown.trouble and not shown.pages:
        text = heading("shown_same", lang)
    if not shown.trouble and not shown.complete:
        text += ("" if lang == "zh" or not text else " ") + heading("shown_cut", lang)
    return {**difference_to_json(shown), "text": text, "note": heading("shown_note", lang)}
