"""A licence in which nothing was found: answered at once as the twelve checks answer, and nothing else is."""

from __future__ import annotations

import random
from dataclasses import fields, replace
from datetime import timedelta
from functools import cache
from typing import Any

from elicense.verification.checks import in_force, run_checks
from elicense.verification.facts import Facts, Finding, RegisterFacts, RevisionFacts, TimestampFacts
from elicense.verification.flawless import flawless
from elicense.verification.pipeline import verify
from elicense.verification.policy import Policy
from elicense.verification.report import CheckStatus
from tests.attacks import documents
from tests.support.roads import READER

AT = documents.AT
TRUST = documents.trust()
POLICIES = (
    *(
        Policy("licence", register, online)
        for register in (TRUST.register, None, ())
        for online in (True, False)
    ),
    Policy("general", TRUST.register, online=False),
)
WORDS = (
    None,
    "",
    "x",
    "expired",
    "revoked",
    "valid",
    "limit.size",
    "content.value",
    "time.token_wrong",
    "2020-01-01",
)
OTHERS: dict[str, tuple[Any, ...]] = {
    "findings": ((), (Finding(1, "format.cut", None, ""),), (Finding(3, "later.changes", 5, "x"),)),
    "timestamps": ((), (TimestampFacts(None, AT, None),), (TimestampFacts("time.token_wrong", None, None),)),
    "timestamp": (None, TimestampFacts(None, AT, None)),
    "revisions": ((), (RevisionFacts(0, 9), RevisionFacts(9, 20))),
    "joint_authorities": ((), (("1", "乙局"),)),
    "missing_seals": (0, 1),
    "focus": (None, 0),
    "register": (
        None,
        *(
            RegisterFacts(state, AT, None, same)
            for state in ("in_force", "revoked", "not_known")
            for same in (True, False)
        ),
    ),
    "revision": (0,),
    "detail": ("", "x"),
    "valid_from": ("2020-01-01", "2090-01-01"),
    "valid_until": ("", "2021-01-01", "2090-01-01"),
}


@cache
def genuine(subject: str) -> Facts:
    """Return the facts of a genuine document."""
    report = verify(documents.licence(subject), trust=TRUST, at=AT, sandbox=READER, known=None)
    assert report.facts is not None
    return report.facts


def another(value: Any, name: str, chance: random.Random) -> Any:
    """Return another value for a field, or the same."""
    if name in OTHERS:
        return chance.choice(OTHERS[name])
    if isinstance(value, bool) or (value is None and name.endswith("matches")):
        return chance.choice((True, False, None) if name.endswith("matches") else (True, False))
    if hasattr(value, "year") or name.endswith("time"):
        return chance.choice((None, AT, AT + timedelta(days=1), AT - timedelta(days=900)))
    if isinstance(value, (str, type(None))) and name not in {"content", "path", "locked", "permission"}:
        return chance.choice(WORDS)
    return value


def changed(facts: Facts, chance: random.Random) -> Facts:
    """Return the facts with a few of all their fields changed."""
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        name = chance.choice(("facts", "signature", "signature", "path", "content"))
        signature = facts.signatures[0]
        part: Any = {
            "facts": facts,
            "signature": signature,
            "path": signature.path,
            "content": facts.content,
        }[name]
        if part is None:
            continue
        field = chance.choice(fields(part)).name
        part = replace(part, **{field: another(getattr(part, field), field, chance)})
        if name == "facts":
            facts = part
        elif name == "content":
            facts = replace(facts, content=part)
        else:
            facts = replace(
                facts,
                signatures=(
                    part if name == "signature" else replace(signature, path=part),
                    *facts.signatures[1:],
                ),
            )
    return facts


def test_the_answer_is_that_of_the_twelve_checks() -> None:
    """Of thousands of facts, genuine ones with fields changed, it is the same or there is none."""
    chance, found, refused = random.Random(4), 0, 0  # noqa: S311 - reproducible, no secret
    subjects = (*documents.SINGLE, documents.JOINT, f"{documents.SLUGS[0]}+B-T")
    for _ in range(6000):
        facts, policy = changed(genuine(chance.choice(subjects)), chance), chance.choice(POLICIES)
        at = AT + chance.choice((timedelta(), timedelta(), timedelta(days=4000), timedelta(minutes=-6)))
        answer = flawless(facts, policy, at)
        if answer is None:
            refused += 1
            continue
        found += 1
        outcomes = run_checks(facts, policy, at)
        assert answer == (outcomes, in_force(facts, at))
        assert outcomes[-1].status is not CheckStatus.NOT_RUN
    assert min(found, refused) > 500


def test_a_genuine_licence_is_answered_at_once() -> None:
    """A licence with one seal needs none of the twelve questions; one with two seals or a timestamp is asked them."""
    policy = Policy("licence", TRUST.register, online=False)
    assert all(flawless(genuine(one), policy, AT) for one in documents.SINGLE)
    for one in (documents.JOINT, f"{documents.SLUGS[0]}+B-T"):
        assert flawless(genuine(one), policy, AT) is None
