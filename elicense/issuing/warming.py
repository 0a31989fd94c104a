"""What the first licence of each type would wait for, done before anybody waits."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from elicense import preflight
from elicense.errors import (
    CertificatePathError,
    InvalidLicenceData,
    NotAuthorised,
    PreflightFailed,
    RenderingError,
    SealError,
    SigningError,
)
from elicense.issuing.means import compiled_for, intent_of, parties_of, require_usable
from elicense.registry.rules import new_licence
from elicense.rendering.compiler import KEPT
from elicense.rendering.fill import fill
from elicense.signing.cms import template_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from elicense.catalogue import LicenceType
    from elicense.issuing.office import IssuingOffice, JointPartner, SealKeeper
    from elicense.model import IssueRequest


def warm_up(office: IssuingOffice, *, at: datetime) -> int:
    """Templates of pages and of signatures are made, certificate paths are known, fonts open.

    Nothing is reserved and no key moves. A seal or certificate that is out of date is no error here: whoever asks for
    a licence is told.

    Args:
        office: what will issue.
        at: now, UTC.

    Returns:
        How many templates are ready: each type under each seal, as many as are kept; a joint document with the
        parties of its sample.

    Raises:
        InvalidTemplate, RenderingError, SealError: a template cannot be compiled under a seal.
    """
    ready = 0
    for licence_type in office.catalogue.types:
        sample = licence_type.sample_request()
        for keeper in _first_keepers(licence_type, sample, office):
            if ready == KEPT:
                return ready
            own = replace(sample, authority_code=keeper.authority.code)
            _prepare(licence_type, own, keeper, office, at=at)
            ready += 1
    return ready


def _first_keepers(
    licence_type: LicenceType, sample: IssueRequest, office: IssuingOffice
) -> Iterator[SealKeeper]:
    """Yield each keeper who may be the first to seal this type, by the seal's use and the trust register."""
    trust = office.trust
    for keeper in office.keepers:
        listed = trust.register is None or any(
            licence_type.type_code in entry.type_codes and entry.seal_number == keeper.seal.number
            for certificate in keeper.seal.certificates
            for entry in trust.entries(certificate)
        )
        first = keeper.authority.code not in sample.joint_authority_codes
        if listed and first and keeper.seal.use == licence_type.seal_use:
            yield keeper


def _prepare(
    licence_type: LicenceType,
    sample: IssueRequest,
    keeper: SealKeeper,
    office: IssuingOffice,
    *,
    at: datetime,
) -> None:
    """One template is compiled and, if the sample can be this authority's, its page made once and thrown away."""
    with suppress(SealError, CertificatePathError, NotAuthorised):
        require_usable(keeper, licence_type, office, at=at)
    with suppress(SigningError):
        template_of(keeper.signer)
    parties: tuple[SealKeeper | JointPartner, ...] = ()
    with suppress(NotAuthorised):
        parties = parties_of(office, sample.joint_authority_codes, licence_type)
    intent = intent_of(licence_type, keeper, parties, office)
    compiled = compiled_for(licence_type, keeper, parties, office, intent)
    with suppress(NotAuthorised, InvalidLicenceData, RenderingError, PreflightFailed):
        authorities = (keeper.authority, *(party.authority for party in parties))
        draft = office.catalogue.draft(sample, *authorities, at=at, verify_base=office.verify_base)
        licence = new_licence(draft, number=licence_type.number(draft, 1), at=at)
        preflight.clear(fill(compiled, licence), licence, licence_type)
