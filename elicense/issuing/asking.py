"""From a request to what is reserved for it, for the single line and for groups alike.

1. `asked`: type known, values checked, this authority may issue it; a request that came before is the same request
2. `means_of`: seal in date, its keeper's certificate listed, a valid path, trusted for this authority and type
3. `rehearse`: the pages are planned for the licence that the register proposes, and inspected

A refusal in any of them leaves nothing behind. If the licence reserved is the very one rehearsed, as it is unless
another worker took its number, its pages are neither planned nor inspected again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from elicense import preflight
from elicense.encoding import draft_digest
from elicense.issuing.means import compiled_for, intent_of, keeper_of, parties_of, require_usable
from elicense.issuing.office import SealKeeper
from elicense.registry import rules
from elicense.rendering.planning import plan

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from elicense.catalogue import LicenceType
    from elicense.issuing.office import IssuingOffice, JointPartner
    from elicense.model import IssueRequest, Licence, LicenceDraft
    from elicense.preflight import InspectedPages
    from elicense.registry.protocol import Intent, LicenceRecord
    from elicense.rendering.planning import Planned
    from elicense.rendering.template import CompiledTemplate


class Asked(NamedTuple):
    """A request, checked."""

    licence_type: LicenceType
    """What is asked for."""
    keeper: SealKeeper
    """Who seals it first."""
    parties: tuple[SealKeeper | JointPartner, ...]
    """Who seals a joint document after that."""
    draft: LicenceDraft
    """Its content."""
    number: Callable[[int], str]
    """Gives the printed number of a sequence."""


class _Numbers(dict[int, str]):
    """Sequence -> printed number of a draft; most are asked for twice, when proposed and when reserved."""

    def __init__(self, licence_type: LicenceType, draft: LicenceDraft) -> None:
        self._type, self._draft = licence_type, draft

    def __missing__(self, sequence: int) -> str:
        number = self[sequence] = self._type.number(self._draft, sequence)
        return number


class Means(NamedTuple):
    """What the documents of a type under the same seals are made with."""

    intent: Intent
    """What goes on record of it."""
    compiled: CompiledTemplate
    """The type's template under these seals."""


class Rehearsed(NamedTuple):
    """A licence's pages from before its number was reserved."""

    planned: Planned
    """The pages."""
    inspected: InspectedPages
    """The same, cleared as far as a document can be that is not written."""


def asked(
    request: IssueRequest, office: IssuingOffice, before: LicenceRecord | None, *, at: datetime
) -> Asked:
    """Return the request with its values checked and canonical.

    Args:
        request: unchecked values.
        office: where it is issued.
        before: what the register has for its idempotency key.
        at: the moment, UTC.

    Raises:
        UnknownLicenceType, InvalidLicenceData, NotAuthorised: refused.
        IdempotencyConflict: its key came with other content before.
    """
    licence_type = office.catalogue[request.type]
    keeper = keeper_of(office, request.authority_code, licence_type)
    parties = parties_of(office, request.joint_authority_codes, licence_type)
    draft = office.catalogue.draft(
        request,
        keeper.authority,
        *(party.authority for party in parties),
        # The same request tomorrow is the same licence: what depends on the day is taken from the first time.
        at=at if before is None else before.licence.signing_time,
        verify_base=office.verify_base,
    )
    if before is not None and draft_digest(draft) != draft_digest(before.licence):
        raise rules.conflict(request.idempotency_key or "")
    return Asked(licence_type, keeper, parties, draft, _Numbers(licence_type, draft).__getitem__)


def means_of(one: Asked, office: IssuingOffice, *, at: datetime) -> Means:
    """Return what the document is made with, found usable.

    Raises:
        NotAuthorised, SealError, CertificatePathError: outsiders would not believe a seal at `at`.
    """
    for party in (one.keeper, *one.parties):
        # Another office's seal is looked at there, when its turn comes.
        if isinstance(party, SealKeeper):
            require_usable(party, one.licence_type, office, at=at)
    intent = intent_of(one.licence_type, one.keeper, one.parties, office)
    return Means(intent, compiled_for(one.licence_type, one.keeper, one.parties, office, intent))


def rehearse(licence: Licence, licence_type: LicenceType, compiled: CompiledTemplate) -> Rehearsed:
    """Return the pages of a licence that is not reserved yet; they can be made, and would be cleared.

    A character without a glyph or a value that does not fit shows now, and not after the number is spent.

    Raises:
        RenderingError, SealError, PreflightFailed: they cannot, or would not.
    """
    planned = plan(compiled, licence)
    return Rehearsed(planned, preflight.rehearse(planned.layout, planned.printer, licence_type))
