"""The twelve checks: each asks one question of the Facts and gives one answer. No check opens the document.

Plan:

 1 format             Is it readable, made of nothing but known revisions, every seal in its place?
 2 byte_range         Does each signature cover every byte of its revision but its own gap, exactly?
 3 later_changes      Was nothing changed behind a signature but what the policy permits?
 4 digest             Do the covered bytes have the digest that was signed?
 5 signature          Does the signature match the certificate's key?
 6 signing_time       When was it sealed: claimed, proven by a timestamp, now?
 7 certificate_path   Does a known anchor vouch for the signer, and may he seal this type for this authority?
 8 revocation         Was the certificate not revoked then?
 9 seal               Is the seal's own structure in order? (NOT_CONFIGURED: seals carry none yet)
10 content            Do the embedded data say what is printed?
11 log                Is it in the transparency log? (NOT_CONFIGURED: there is none yet)
12 in_force           Is the licence in force now?

9 to 12 are NOT_CONFIGURED under the policy general: it has no licence to ask about.
1 to 11 answer "authentic?", 12 alone answers "in force?". Of several signatures the worst answer counts.
TOTAL_FAILED needs a proof: bytes that do not have their digest or signature, a file that is no PDF or was cut, or
a forbidden structure in a document that a known authority signed. The same structure from a stranger is
INDETERMINATE: nothing is known about him.
"""

# ruff: noqa: ARG001 - every check has the same signature, whether it needs all three or not
from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

from elicense.model import BEIJING, InForce, LicenceStatus
from elicense.verification.changes import IN_DOUBT, NOT_PERMITTED, LaterChanges
from elicense.verification.policy import CLOCK_TOLERANCE, GENERAL
from elicense.verification.report import NOT_IN_FORCE, CheckStatus, Outcome, SubIndication

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from elicense.verification.facts import Facts, Finding, PathFacts, SignatureFacts
    from elicense.verification.policy import Policy

CODES = (
    "format", "byte_range", "later_changes", "digest", "signature", "signing_time", "certificate_path",
    "revocation", "seal", "content", "log", "in_force",
)  # fmt: skip
"""Stable codes of the questions, in the order of the plan."""

_PROOF = frozenset((
    SubIndication.FORMAT_FAILURE, SubIndication.HASH_FAILURE, SubIndication.SIG_CRYPTO_FAILURE,
    SubIndication.REVOKED, SubIndication.EXPIRED, SubIndication.NOT_YET_VALID,
))  # fmt: skip
"""Sub-indications of TOTAL_FAILED; all others are INDETERMINATE. Source: ETSI EN 319 102-1, table 5."""

_DAMAGED = frozenset(("format.empty", "format.not_pdf", "format.cut", "byte_range.empty", "byte_range.der"))
"""Damage that shows whoever signed: nothing here can be read as a sealed document."""

_UNDECIDED = frozenset(("format.unsupported", "format.removed_signature"))
"""What a foreign file may honestly be: nobody is called wrong for it, whoever signed."""

_CMS = {
    "cms.unreadable": SubIndication.SIG_CONSTRAINTS_FAILURE,
    "cms.foreign": SubIndication.SIG_CONSTRAINTS_FAILURE,
    "cms.algorithm": SubIndication.CRYPTO_CONSTRAINTS_FAILURE,
    "cms.certificate": SubIndication.NO_SIGNING_CERTIFICATE_FOUND,
}
_PATH = {
    "no_anchor": ("path.no_anchor", SubIndication.NO_CERTIFICATE_CHAIN_FOUND),
    "invalid": ("path.invalid", SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE),
    "wrong_usage": ("path.wrong_usage", SubIndication.CHAIN_CONSTRAINTS_FAILURE),
    "expired": ("path.expired", SubIndication.OUT_OF_BOUNDS_NO_POE),
    "not_yet_valid": ("path.not_yet_valid", SubIndication.OUT_OF_BOUNDS_NO_POE),
}
_TOKEN = frozenset(("time.token_unreadable", "time.token_wrong", "time.authority_unknown"))


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a check found; the runner adds number and code."""

    status: CheckStatus
    sub_indication: SubIndication | None = None
    reason: str | None = None
    detail: str = ""


_PASSED = _Answer(CheckStatus.PASSED)
_CLAIMED = _Answer(CheckStatus.PASSED, detail="claimed by the signer")
_NOT_CONFIGURED = _Answer(CheckStatus.NOT_CONFIGURED)
_WORST_FIRST = (CheckStatus.FAILED, CheckStatus.INDETERMINATE, CheckStatus.NOT_RUN)


def _not_passed(reason: str, sub: SubIndication, detail: str = "") -> _Answer:
    status = CheckStatus.FAILED if sub in _PROOF else CheckStatus.INDETERMINATE
    return _Answer(status, sub, reason, detail)


def _needs(code: str) -> _Answer:
    return _Answer(CheckStatus.NOT_RUN, detail=f"needs {code}")


def _blocked(facts: Facts) -> _Answer:
    """Return NOT_RUN for a check that needs a file of our shape, naming the check that found it is not."""
    return _needs(CODES[facts.findings[0].check - 1] if facts.findings else "digest")


def _worst(signatures: tuple[SignatureFacts, ...], ask: Callable[[SignatureFacts], _Answer]) -> _Answer:
    """Return the worst answer about any of the signatures; of several signatures it says which one."""
    if len(signatures) == 1:
        return ask(signatures[0])
    answers = [(signature, ask(signature)) for signature in signatures]
    for status in _WORST_FIRST:
        for signature, answer in answers:
            if answer.status is status and len(answers) > 1 and status is not CheckStatus.NOT_RUN:
                return replace(answer, detail=": ".join(filter(None, (repr(signature.field), answer.detail))))
            if answer.status is status:
                return answer
    return next((answer for _, answer in answers if answer.reason), answers[0][1])


def is_known(signature: SignatureFacts, policy: Policy) -> bool:
    """Return whether a known authority made this signature, whatever became of the document since."""
    vouched = signature.path is not None and signature.path.anchored
    return signature.signature_matches is True and (vouched or bool(policy.entries(signature.certificate)))


def _structural(facts: Facts, policy: Policy, finding: Finding) -> _Answer:
    """Judge a broken rule of structure: proof against a known signer, unknown otherwise."""
    where = f"at byte {finding.offset}" if finding.offset is not None else ""
    detail = ", ".join(part for part in (finding.detail, where) if part)
    if finding.reason in _UNDECIDED:
        return _not_passed(finding.reason, SubIndication.SIG_CONSTRAINTS_FAILURE, detail)
    if finding.reason in _DAMAGED or any(is_known(signature, policy) for signature in facts.signatures):
        return _not_passed(finding.reason, SubIndication.FORMAT_FAILURE, detail)
    if not facts.traces:
        reason = finding.reason if finding.reason == "format.encrypted" else "format.unsigned"
        return _not_passed(reason, SubIndication.UNSIGNED, detail)
    return _not_passed(finding.reason, SubIndication.SIG_CONSTRAINTS_FAILURE, detail)


def check_format(facts: Facts, policy: Policy, at: datetime) -> _Answer:
    """1: readable, nothing outside known revisions, every seal in its place."""
    if facts.limit:
        return _not_passed(f"limit.{facts.limit}", SubIndication.LIMIT_REACHED)
    if facts.crashed:
        return _not_passed("format.unreadable", SubIndication.FORMAT_FAILURE)
    finding = facts.findings[0] if facts.findings else None
    if finding is not None and finding.reason.startswith("limit."):
        return _not_passed(finding.reason, SubIndication.LIMIT_REACHED, finding.detail)
    if finding is None and facts.missing_seals:
        # An honest document on its way from one authority to the next; nobody may rely on it yet.
        detail = f"{facts.missing_seals} to come"
        return _not_passed("format.seals_missing", SubIndication.SIG_CONSTRAINTS_FAILURE, detail)
    return _structural(facts, policy, finding) if finding and finding.check == 1 else _PASSED


def check_byte_range(facts: Facts, policy: Policy, at: datetime) -> _Answer:
    """2: each signature covers every byte of its revision but its own gap."""
    finding = facts.findings[0] if facts.findings else None
    if finding is None and facts.signatures:
        return _PASSED
    if finding is not None and finding.check == 2:
        return _structural(facts, policy, finding)
    return _blocked(facts)


def check_later_changes(
    facts: Facts, policy: Policy, at: datetime, later: LaterChanges | None = None
) -> _Answer:
    """3: nothing was changed behind a signature but what the policy permits; `later` are the file's changes."""
    finding = facts.findings[0] if facts.findings else None
    if finding is not None and finding.check == 3:
        return _structural(facts, policy, finding)
    if finding is None and facts.signatures and policy.name == GENERAL:
        changes = later or LaterChanges(facts)
        return _worst(facts.judged, lambda signature: _changed(changes, policy, signature))
    if (finding is None or finding.check == 2) and facts.signatures:
        return _PASSED
    return _blocked(facts)


def _changed(later: LaterChanges, policy: Policy, signature: SignatureFacts) -> _Answer:
    """Say what came after one signature of a foreign document that it does not permit."""
    answer = later.unpermitted(signature)
    for found, reason in ((answer.violations, NOT_PERMITTED), (answer.undecided, IN_DOUBT)):
        if found:
            detail = "; ".join(
                dict.fromkeys(f"{change.kind} {change.detail}".strip() for change in found[:5])
            )
            proof = reason == NOT_PERMITTED and is_known(signature, policy)
            sub = SubIndication.FORMAT_FAILURE if proof else SubIndication.SIG_CONSTRAINTS_FAILURE
            return _not_passed(reason, sub, detail)
    return _PASSED


def check_digest(facts: Facts, policy: Policy, at: datetime) -> _Answer:
    """4: the covered bytes have the digest that was signed."""
    if not facts.signatures:
        return _blocked(facts)
    differing = [signature for signature in facts.judged if signature.digest_matches is False]
    # An implied byte range is a guess; only for a known signer, whose shape we know, is it none.
    if any(signature.declared or is_known(signature, policy) for signature in differing):
        return _not_passed("digest.differs", SubIndication.HASH_FAILURE)
    for signature in facts.judged:
        if signature.error == "cms.unreadable" and not facts.findings:
            return _not_passed(signature.error, SubIndication.FORMAT_FAILURE, signature.detail)
        if signature.error:
            return _not_passed(signature.error, _CMS[signature.error], signature.detail)
    if differing:
        return _not_passed("digest.not_computed", SubIndication.SIG_CONSTRAINTS_FAILURE)
    return _PASSED


def check_signature(facts: Facts, policy: Policy, at: datetime) -> _Answer:
    """5: the signature is that of the certificate's key."""
    if not facts.signatures:
        return _blocked(facts)
    if any(signature.error for signature in facts.judged):
        return _needs("digest")
    for signature in facts.judged:
        if signature.weak_key:
            return _not_passed(
                "signature.weak_key", SubIndication.CRYPTO_CONSTRAINTS_FAILURE, signature.weak_key
            )
        if not signature.signature_matches:
            return _not_passed("signature.differs", SubIndication.SIG_CRYPTO_FAILURE)
    return _PASSED


def check_signing_time(facts: Facts, policy: Policy, at: datetime) -> _Answer:
    """6: claimed, proven and present time agree, and every timestamp says what it stamps."""
    if not _readable(facts):
        return _blocked(facts)
    for stamp in facts.timestamps:
        if stamp.error in _TOKEN:
            return _not_passed(str(stamp.error), SubIndication.SIG_CONSTRAINTS_FAILURE, stamp.detail)
    stamped = [one.time for one in facts.timestamps if one.error is None and one.time]
    # A later seal covers the ones before it, so its authority has seen when they say they were made.
    claims = [one.claimed_time for one in facts.signatures if one.claimed_time and policy.name != GENERAL]
    if _goes_back(stamped) or _goes_back(claims):
        return _not_passed("time.order", SubIndication.TIMESTAMP_ORDER_FAILURE)
    if stamped and stamped[-1] > at + CLOCK_TOLERANCE:
        return _not_passed("time.future", SubIndication.SIG_CONSTRAINTS_FAILURE)
    answer = _worst(facts.judged, lambda signature: _time(signature, policy, at))
    stale = any(stamp.error == "time.authority_not_current" for stamp in facts.timestamps)
    if answer.status is CheckStatus.PASSED and answer.reason is None and stale:
        return replace(answer, reason="time.authority_not_current")
    return answer


def _goes_back(moments: list[datetime]) -> bool:
    """Return whether one of these moments, which came one after the other, says it is older than the one before."""
    return any(later < earlier - CLOCK_TOLERANCE for earlier, later in pairwise(moments))


def _time(signature: SignatureFacts, policy: Policy, at: datetime) -> _Answer:
    claimed, stamp, proven = signature.claimed_time, signature.timestamp, signature.proven_time
    if claimed is None and policy.name != GENERAL:
        return _not_passed("time.no_claim", SubIndication.SIG_CONSTRAINTS_FAILURE)
    if stamp is not None and stamp.error in _TOKEN:
        return _not_passed(str(stamp.error), SubIndication.SIG_CONSTRAINTS_FAILURE, stamp.detail)
    if any(moment > at + CLOCK_TOLERANCE for moment in (claimed, proven) if moment):
        return _not_passed("time.future", SubIndication.SIG_CONSTRAINTS_FAILURE)
    if claimed is not None and proven is not None and claimed > proven + CLOCK_TOLERANCE:
        return _not_passed("time.order", SubIndication.TIMESTAMP_ORDER_FAILURE)
    remark = "time.authority_not_current" if stamp is not None and stamp.error else None
    if remark is None and proven is None and claimed is not None:
        return _CLAIMED
    detail = "proven by a timestamp" if proven else "claimed by the signer" if claimed else "not stated"
    return _Answer(CheckStatus.PASSED, reason=remark, detail=detail)


def _with_path(facts: Facts, ask: Callable[[SignatureFacts, PathFacts], _Answer]) -> _Answer:
    """Return the worst answer about a signature and its path; in a damaged file of the first that has one."""
    chosen = facts.judged
    if facts.findings:
        chosen = tuple(one for one in facts.judged if one.path is not None)[:1]
    if not chosen:
        return _needs("digest") if facts.signatures else _blocked(facts)
    return _worst(chosen, lambda one: ask(one, one.path) if one.path else _needs("digest"))


def check_certificate_path(facts: Facts, policy: Policy, at: datetime) -> _Answer:
    """7: an anchor vouches for the signer, and the register lets him seal this type for this authority."""

    def ask(signature: SignatureFacts, path: PathFacts) -> _Answer:
        if path.status in _PATH or not path.anchored:
            reason, sub = _PATH.get(path.status, _PATH["invalid"])
            if path.status == "not_yet_valid" and signature.proven_time:
                sub = SubIndication.NOT_YET_VALID
            return _not_passed(reason, sub, path.detail)
        if policy.name == GENERAL:
            return _PASSED
        if signature.loose_certificates:
            return _not_passed("path.loose_certificates", SubIndication.CHAIN_CONSTRAINTS_FAILURE)
        if policy.register is not None:
            why = refusal(facts, policy, signature, at)
        else:
            # Whoever knows anchors only still sees that an authority which the licence names has not sealed it.
            named = 1 + len(facts.content.joint_authorities) if facts.content else 0
            why = "path.other_authority" if _seals(facts) < named else None
        return _not_passed(why, SubIndication.CHAIN_CONSTRAINTS_FAILURE) if why else _PASSED

    return _with_path(facts, ask)


def _seals(facts: Facts) -> int:
    """Return how many seals the file has or is prepared for."""
    later = sum(change.kind == "seal" for revision in facts.revisions for change in revision.changes)
    return 1 + later + facts.missing_seals


def refusal(facts: Facts, policy: Policy, signature: SignatureFacts, at: datetime) -> str | None:
    """Return why the trust register does not let this certificate seal this licence, or None."""
    entries = policy.entries(signature.certificate)
    if not entries:
        return "path.not_registered"
    content = facts.content
    if content is None or not content.authority_code:
        return None  # Check 10 says that the data are missing.
    authorities = ((content.authority_code, content.authority_name), *content.joint_authorities)
    # Each authority's seal has its own revision, in the order in which the licence names them.
    if _seals(facts) != len(authorities):
        return "path.other_authority"
    # Under its own code an authority could print another's name, which is what people read.
    stated = authorities[signature.revision]
    own = tuple(entry for entry in entries if (entry.authority_code, entry.authority_name) == stated)
    entries = tuple(entry for entry in own if content.type_code in entry.type_codes)
    if not entries:
        return "path.other_type" if own else "path.other_authority"
    # Without a proof the right must still stand: who lost it could claim any earlier day.
    proven = signature.proven_time
    moments = [proven] if proven else [moment for moment in (signature.claimed_time, at) if moment]
    if not any(all(e.valid_from <= moment <= e.valid_until for moment in moments) for e in entries):
        return "path.period"
    return None


def check_revocation(facts: Facts, policy: Policy, at: datetime) -> _Answer:
    """8: no certificate of the path was revoked at the time of signing."""

    def ask(signature: SignatureFacts, path: PathFacts) -> _Answer:
        if path.status in _PATH or not path.anchored:
            return _needs("certificate_path")
        if path.status == "revoked":
            claimed, since = signature.claimed_time, path.revoked_at
            # The signer's own word that it came after the revocation is proof; a late timestamp alone is none.
            if signature.proven_time and claimed and since and claimed >= since:
                return _not_passed("revocation.revoked", SubIndication.REVOKED, path.detail)
            return _not_passed("revocation.revoked_no_proof", SubIndication.REVOKED_NO_POE, path.detail)
        if path.status == "stale_revocation_data":
            return _not_passed("revocation.stale", SubIndication.TRY_LATER, path.detail)
        if path.status == "no_revocation_data":
            return _not_passed("revocation.no_data", SubIndication.TRY_LATER, path.detail)
        return _Answer(CheckStatus.PASSED, detail=path.detail)

    answer = _with_path(facts, ask)
    if answer.status is CheckStatus.PASSED and facts.loose_evidence and policy.name != GENERAL:
        return _not_passed("revocation.loose", SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE)
    return answer


def check_content(facts: Facts, policy: Policy, at: datetime) -> _Answer:
    """10: the embedded data conform to their schema and say what is printed."""
    if policy.name == GENERAL:
        return _NOT_CONFIGURED
    if facts.content is None:
        return _blocked(facts)
    if facts.content.error is None:
        return _PASSED
    if facts.content.error.startswith("limit."):
        return _not_passed(facts.content.error, SubIndication.LIMIT_REACHED, facts.content.detail)
    known = any(is_known(signature, policy) for signature in facts.signatures)
    sub = SubIndication.FORMAT_FAILURE if known else SubIndication.SIG_CONSTRAINTS_FAILURE
    return _not_passed(facts.content.error, sub, facts.content.detail)


def no_subject(facts: Facts, policy: Policy, at: datetime) -> _Answer:
    """9, 11: seals carry no structure of their own yet, and there is no transparency log."""
    return _NOT_CONFIGURED


def check_in_force(facts: Facts, policy: Policy, at: datetime) -> _Answer:
    """12: the register, or offline the printed validity, says that the licence is in force."""
    if policy.name == GENERAL:
        return _Answer(CheckStatus.NOT_CONFIGURED, reason="status.general")
    return _status(facts, policy, in_force(facts, at))


def _status(facts: Facts, policy: Policy, status: LicenceStatus) -> _Answer:
    if status.state in {InForce.IN_FORCE, InForce.CONDITIONAL}:
        return _Answer(CheckStatus.PASSED)
    if status.state is InForce.NOT_KNOWN and facts.register is not None and not facts.register.same_document:
        return _Answer(CheckStatus.NOT_KNOWN, reason="status.other_document")
    if status.state is InForce.NOT_KNOWN:
        return _Answer(
            CheckStatus.NOT_KNOWN, reason="status.not_known" if policy.online else "status.offline"
        )
    return _Answer(CheckStatus.FAILED, reason=f"status.{status.state.value}")


def in_force(facts: Facts, at: datetime) -> LicenceStatus:
    """Return whether the licence is in force: the register's word, else what its own validity rules out."""
    register, content = facts.register, facts.content
    # The gap of one seal can be written in more than one way, so a bad word holds for any file of the licence:
    # its holder must not escape a revocation by writing the gap anew.
    if register is not None and (register.same_document or InForce(register.state) in NOT_IN_FORCE):
        return LicenceStatus(InForce(register.state), register.as_of, register.recorded_reason)
    if register is None and content is not None and content.valid_from:
        today = at.astimezone(BEIJING).date()
        if today < date.fromisoformat(content.valid_from):
            return LicenceStatus(InForce.NOT_YET_VALID, at)
        if content.valid_until and today > date.fromisoformat(content.valid_until):
            return LicenceStatus(InForce.EXPIRED, at)
    return LicenceStatus(InForce.NOT_KNOWN, at)


def _readable(facts: Facts) -> bool:
    """Return whether the file is of the policy's shape and all its signed data could be read."""
    return not facts.findings and bool(facts.signatures) and not any(one.error for one in facts.judged)


CHECKS: tuple[Callable[[Facts, Policy, datetime], _Answer], ...] = (
    check_format,
    check_byte_range,
    check_later_changes,
    check_digest,
    check_signature,
    check_signing_time,
    check_certificate_path,
    check_revocation,
    no_subject,
    check_content,
    no_subject,
    check_in_force,
)
"""In the order of CODES."""
_NUMBERED = tuple(
    (number, code, check) for number, (code, check) in enumerate(zip(CODES, CHECKS, strict=True), 1)
)

_BEFORE_STATUS = frozenset((*CODES[:5], "certificate_path", "content"))
"""Checks without which nobody knows which licence to ask about."""


def run_checks(
    facts: Facts, policy: Policy, at: datetime, *, later: LaterChanges | None = None
) -> tuple[Outcome, ...]:
    """Return the twelve answers, in order; a limit or crash leaves all but the first unasked.

    Args:
        facts: what was found.
        policy: what is demanded.
        at: the moment of verification, UTC.
        later: the changes of these facts, for whoever asks about many of their signatures.
    """
    outcomes: list[Outcome] = []
    stopped = facts.limit is not None or facts.crashed
    general = policy.name == GENERAL
    for number, code, check in _NUMBERED:
        if stopped and number != 1 and not (general and number > 8):
            answer = _needs("format")
        elif check is check_later_changes:
            answer = check_later_changes(facts, policy, at, later)
        else:
            answer = check(facts, policy, at)
        outcomes.append(_outcome(number, code, answer))
    if general:
        return tuple(outcomes)
    for outcome in outcomes:
        if outcome.status is not CheckStatus.PASSED and outcome.code in _BEFORE_STATUS:
            outcomes[-1] = _outcome(12, "in_force", _needs(outcome.code))
            break
    return tuple(outcomes)


def answer_in_force(facts: Facts, policy: Policy, status: LicenceStatus) -> Outcome:
    """Return the answer of check 12 alone under the policy licence; `status` is what `in_force` says."""
    return _outcome(12, "in_force", _status(facts, policy, status))


_KEPT = {
    id(answer): tuple(
        Outcome(number, code, answer.status, detail=answer.detail) for number, code in enumerate(CODES, 1)
    )
    for answer in (_PASSED, _CLAIMED, _NOT_CONFIGURED)
}
"""What the answers that always are the same say for each check: they are given with every genuine licence."""


def _outcome(number: int, code: str, answer: _Answer) -> Outcome:
    kept = _KEPT.get(id(answer))
    if kept is not None:
        return kept[number - 1]
    return Outcome(number, code, answer.status, answer.sub_indication, answer.reason, answer.detail)
