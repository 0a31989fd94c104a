"""Numbers for a group of reservations: in their order, without a gap, a refusal keeping nobody else from his."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from elicense.encoding import draft_digest
from elicense.errors import ElicenseError
from elicense.model import LicenceState
from elicense.registry import rules
from elicense.registry.protocol import LicenceRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, MutableMapping, Sequence
    from datetime import datetime

    from elicense.model import LicenceDraft
    from elicense.registry.protocol import Reservation

Counter = tuple[str, str, int]
"""Authority, type and year: what a sequence counts."""
Request = tuple[str, str]
"""Authority and idempotency key."""


class Known(NamedTuple):
    """What an idempotency key made before."""

    draft_sha256: str
    """Digest of the draft it came with."""
    record: LicenceRecord
    """The licence."""


class Assigned(NamedTuple):
    """A reservation that is still to be written down."""

    record: LicenceRecord
    """As it will be on record."""
    sequence: int
    """What its number was made from."""
    request: Request | None
    """Its idempotency key, if it has one."""
    draft_sha256: str
    """Digest of its draft."""


def counter_of(draft: LicenceDraft) -> Counter:
    """Return the counter that a draft's number is taken from."""
    return draft.authority.code, draft.type, draft.issued_on.year


def request_of(one: Reservation) -> Request | None:
    """Return the name of a reservation's request, if it has one."""
    return None if one.idempotency_key is None else (one.draft.authority.code, one.idempotency_key)


def digests_of(wanted: Sequence[Reservation]) -> list[str]:
    """Return the digests of their drafts, empty without a key: only what may be asked for again is told apart."""
    return ["" if one.idempotency_key is None else draft_digest(one.draft) for one in wanted]


def only(answers: Sequence[LicenceRecord | ElicenseError]) -> LicenceRecord:
    """Return the answer to a group of one. Raises what it was refused for."""
    (answer,) = answers
    if isinstance(answer, ElicenseError):
        raise answer
    return answer


def assign(
    wanted: Sequence[Reservation],
    digests: Sequence[str],
    *,
    known: Mapping[Request, Known],
    last: MutableMapping[Counter, int],
    taken: Container[str],
    at: datetime,
    entropy: Callable[[int], bytes],
) -> list[Assigned | LicenceRecord | ElicenseError]:
    """Return for each of `wanted` what to write down, the record it made before, or why it is refused.

    Args:
        wanted: The reservations, in the order of their numbers.
        digests: Of their drafts, as `digests_of` gives them.
        known: What is on record for those of their idempotency keys that came before.
        last: Last sequence of each counter that they touch; afterwards it holds the last one assigned.
        taken: Printed numbers and identifiers in use.
        at: Moment of the reservations, UTC.
        entropy: Gives n unguessable bytes.
    """
    requests = dict(known)
    given: set[str] = set()
    answers: list[Assigned | LicenceRecord | ElicenseError] = []
    for one, digest in zip(wanted, digests, strict=True):
        request = request_of(one)
        before = requests.get(request) if request is not None else None
        if before is not None:
            assert request is not None, "only a request is known"
            conflict = before.draft_sha256 != digest
            answers.append(rules.conflict(request[1]) if conflict else before.record)
            continue
        counter = counter_of(one.draft)
        sequence = last[counter] + 1
        try:
            number = one.number(sequence)
            if number in given or number in taken:
                raise rules.number_taken(number)
            licence = rules.numbered(one.draft, number=number, at=at, entropy=entropy)
            identifier = str(licence.identifier)
            if identifier in given or identifier in taken:
                raise rules.identifier_taken(identifier)
        except ElicenseError as error:
            answers.append(error)
            continue
        record = LicenceRecord(licence, LicenceState.RESERVED, one.intent, None, at, None)
        last[counter] = sequence
        given |= {number, identifier}
        if request is not None:
            requests[request] = Known(digest, record)
        answers.append(Assigned(record, sequence, request, digest))
    return answers
