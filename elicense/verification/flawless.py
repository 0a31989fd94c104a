"""A licence with one seal in which nothing was found: what the twelve checks say of it, answered at once.

Nearly every document is one. Asking it each of the questions of checks.py takes 70 us, this 30. Whatever is not
exactly as here, a timestamp already, is asked in the long way (tests/unit/verification/test_flawless.py compares them).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from elicense.verification.checks import CODES, answer_in_force, in_force, refusal
from elicense.verification.policy import CLOCK_TOLERANCE, LICENCE
from elicense.verification.report import CheckStatus, Outcome

if TYPE_CHECKING:
    from datetime import datetime

    from elicense.model import LicenceStatus
    from elicense.verification.facts import Facts, SignatureFacts
    from elicense.verification.policy import Policy

_WITHOUT_SUBJECT, _DETAILS = {"seal", "log"}, {"signing_time": "claimed by the signer"}
_ELEVEN = tuple(
    Outcome(
        number,
        code,
        CheckStatus.NOT_CONFIGURED if code in _WITHOUT_SUBJECT else CheckStatus.PASSED,
        detail=_DETAILS.get(code, ""),
    )
    for number, code in enumerate(CODES[:-1], 1)
)


def flawless(facts: Facts, policy: Policy, at: datetime) -> tuple[tuple[Outcome, ...], LicenceStatus] | None:
    """Return what `run_checks` and `in_force` do, None for every document that is not as said above."""
    if not (
        len(facts.signatures) == 1
        and policy.name == LICENCE
        and _is_bare(facts)
        and _is_intact(facts.signatures[0], at)
        and (policy.register is None or refusal(facts, policy, facts.signatures[0], at) is None)
    ):
        return None
    status = in_force(facts, at)
    return (*_ELEVEN, answer_in_force(facts, policy, status)), status


def _is_bare(facts: Facts) -> bool:
    """Return whether there is an agreeing content of one authority, and nothing that a check would have to weigh."""
    content = facts.content
    return (
        content is not None
        and content.error is None
        and not content.joint_authorities
        and not facts.findings
        and not facts.timestamps
        and not facts.loose_evidence
        and not facts.missing_seals
        and not facts.crashed
        and facts.limit is None
        and facts.focus is None
    )


def _is_intact(signature: SignatureFacts, at: datetime) -> bool:
    """Return whether digest, key and path are right, and its time is claimed and nothing else."""
    path, claimed = signature.path, signature.claimed_time
    return (
        signature.error is None
        and signature.digest_matches is not False
        and bool(signature.signature_matches)
        and not signature.weak_key
        and not signature.loose_certificates
        and signature.timestamp is None
        and signature.proven_time is None
        and claimed is not None
        and claimed <= at + CLOCK_TOLERANCE
        and path is not None
        and path.status == "valid"
        and path.anchored
        and not path.detail
    )
