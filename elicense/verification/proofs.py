"""Proof of time: which timestamps hold, judged backwards from now, and what they prove.

Plan:

1. The newest document timestamp is judged at the time of verification.
2. Each older one is judged at the time of the next newer one that holds: that one proves that it, and what the
   document says of its authority, existed then. So a chain of renewals outlives every authority in it.
3. A signature timestamp is judged at the time of the first document timestamp that covers it and holds.
4. What holds and covers a signature proves that it existed; the earliest of these moments counts.

Source: ETSI EN 319 102-1, 5.6 (past validation; text read in secondary sources); RFC 3161.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm

from elicense.pki.paths import Purpose
from elicense.verification import der
from elicense.verification.chains import load_all, loose, path_facts
from elicense.verification.cms import CmsError, weak_key
from elicense.verification.facts import TimestampFacts
from elicense.verification.signature import (
    fingerprint,
    load_certificate,
    subject_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from cryptography import x509

    from elicense.verification.chains import Knowledge
    from elicense.verification.cms import SignedData
    from elicense.verification.digests import Digests
    from elicense.verification.forms import Form
    from elicense.verification.scan import Candidate
    from elicense.verification.timestamps import Token


def judge_document_timestamps(
    digests: Digests, candidates: Sequence[Candidate], form: Form, knowledge: Knowledge, at: datetime
) -> tuple[tuple[TimestampFacts, ...], set[x509.Certificate]]:
    """Return the facts of each document timestamp, in order, and the certificates that vouch for them."""
    judged: list[TimestampFacts] = []
    vouching: set[x509.Certificate] = set()
    moment = at
    for candidate in reversed(candidates):
        facts, chain = _document_timestamp(digests, candidate, form, knowledge, moment)
        judged.append(facts)
        vouching |= chain
        if facts.error is None and facts.time is not None:
            moment = facts.time
    return tuple(reversed(judged)), vouching


def _document_timestamp(
    digests: Digests, candidate: Candidate, form: Form, knowledge: Knowledge, moment: datetime
) -> tuple[TimestampFacts, AbstractSet[x509.Certificate]]:
    def stamps(token: Token) -> bool:
        return digests.covered(candidate.byte_range, token.digest) == token.imprint

    chain: AbstractSet[x509.Certificate] = frozenset()
    try:
        facts, chain = _judge(form.contents(digests.data, candidate), stamps, form, knowledge, moment)
    except CmsError as error:
        facts = TimestampFacts("time.token_unreadable", None, None, error.detail)
    placed = replace(
        facts, field=candidate.field, revision=candidate.revision, byte_range=candidate.byte_range
    )
    return placed, chain


def judge_signature_timestamp(
    signed: SignedData, form: Form, knowledge: Knowledge, moment: datetime
) -> tuple[TimestampFacts | None, AbstractSet[x509.Certificate]]:
    """Return the facts of the signature timestamp at `moment`, None if there is none, and who vouches for it.

    Of several the first that holds counts, or else the first.
    """
    judged = [
        _judge(encoded, lambda token: token.stamps(signed.signature), form, knowledge, moment)
        for encoded in signed.timestamps
    ]
    if not judged:
        return None, set()
    return next((one for one in judged if one[0].error is None), judged[0])


def first_covering(timestamps: Iterable[TimestampFacts], revision: int) -> TimestampFacts | None:
    """Return the first document timestamp that holds and covers the end of this revision."""
    return next((one for one in timestamps if one.error is None and one.revision >= revision >= 0), None)


def _judge(
    encoded: bytes, stamps: Callable[[Token], bool], form: Form, knowledge: Knowledge, moment: datetime
) -> tuple[TimestampFacts, AbstractSet[x509.Certificate]]:
    """Return what a token proves at `moment`, and the chain of its authority."""
    try:
        token = form.token(encoded)
        certificate = load_certificate(token.signed.signer)
        key = certificate.public_key()
        fits = not weak_key(key) and form.matches(key, token.signed) and stamps(token)
    except (CmsError, der.DerError, ValueError, UnsupportedAlgorithm) as error:
        detail = error.detail if isinstance(error, CmsError) else "not readable"
        return TimestampFacts("time.token_unreadable", None, None, detail), set()
    found = TimestampFacts(
        None, token.time, None, certificate=fingerprint(token.signed.signer), subject=subject_of(certificate)
    )
    if not fits:
        return replace(found, error="time.token_wrong"), set()
    path, chain = path_facts(certificate, load_all(token.signed.others), knowledge, moment, Purpose.TIMESTAMP)
    found = replace(found, path=path, detail=path.detail)
    if form.strict and path.anchored and loose(token.signed.others, chain, knowledge.trust):
        detail = "certificates that belong to no path"
        return replace(found, error="time.token_unreadable", detail=detail), chain
    if path.status != "valid":
        reason = "time.authority_not_current" if path.anchored else "time.authority_unknown"
        return replace(found, error=reason), chain
    # Valid at the moment, revoked since: the moment is now, or proven by a newer timestamp to lie before.
    return found, chain
