"""What became of the requests of a group."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from elicense.errors import ElicenseError
    from elicense.registry.protocol import LicenceRecord


class Result(StrEnum):
    """What became of one request of a group."""

    ISSUED = "issued"
    """Sealed, verified, stored and on record now."""
    EARLIER = "earlier"
    """The licence of this idempotency key was finished before."""
    REFUSED = "refused"
    """Something is wrong with the request; nothing was reserved."""
    VOID = "void"
    """Its number is spent and voided: the document cannot be made, or somebody voided it."""
    WAITING = "waiting"
    """Its number is reserved; the same request, or `resume`, finishes it."""
    UNTOUCHED = "untouched"
    """The group stopped before it; nothing was reserved."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One request's part in a group."""

    result: Result
    """What became of it."""
    record: LicenceRecord | None
    """As the register has it; None if it has nothing."""
    error: ElicenseError | None
    """Why it is not issued, or None."""


@dataclass(frozen=True, slots=True)
class GroupOutcome:
    """What became of a group."""

    outcomes: tuple[Outcome, ...]
    """One for each request, in their order."""
    stopped_by: ElicenseError | None
    """What kept the office from going on, or None; the next group would meet it too."""
