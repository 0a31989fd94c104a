"""What the general reader alone makes of a file: findings, changes that no signature permits, digests."""

from __future__ import annotations

from elicense.updates import digest_of
from elicense.verification.changes import LaterChanges, Unpermitted
from elicense.verification.facts import Facts, SignatureFacts, TimestampFacts
from elicense.verification.foreign import read_foreign_contents, read_foreign_signed_data
from elicense.verification.general import read_general


def facts_of(pdf: bytes) -> Facts:
    """Return the facts of structure alone, every signature taken for good."""
    structure = read_general(pdf)
    signatures = tuple(
        SignatureFacts(
            field=c.field,
            byte_range=c.byte_range,
            covers_all=c.covers_all(len(pdf)),
            declared=True,
            claimed_time=None,
            error=None,
            kind=c.kind,
            revision=c.revision,
            permission=c.permission,
            locked=c.locked,
        )
        for c in structure.candidates
        if c.kind != "timestamp"
    )
    stamps = tuple(
        TimestampFacts(None, None, None, field=c.field, revision=c.revision)
        for c in structure.candidates
        if c.kind == "timestamp"
    )
    return Facts(len(pdf), structure.findings, True, signatures, stamps, structure.revisions)


def judged(pdf: bytes) -> Unpermitted:
    """Return what any of its signatures does not permit, of a file without findings."""
    facts = facts_of(pdf)
    assert facts.findings == ()
    later = LaterChanges(facts)
    found = [later.unpermitted(signature) for signature in facts.signatures]
    return Unpermitted(
        tuple(change for one in found for change in one.violations),
        tuple(change for one in found for change in one.undecided),
    )


def outcome(pdf: bytes) -> str:
    """Return the reason of the finding, "violation", "doubt", "digest" or "passed"."""
    facts = facts_of(pdf)
    if facts.findings:
        return facts.findings[0].reason
    answer = judged(pdf)
    if answer.violations:
        return "violation"
    if answer.undecided:
        return "doubt"
    for candidate in read_general(pdf).candidates:
        signed = read_foreign_signed_data(read_foreign_contents(pdf, candidate), candidate)
        if (
            candidate.kind != "timestamp"
            and digest_of(pdf, candidate.byte_range, signed.digest) != signed.message_digest
        ):
            return "digest"
    return "passed"
