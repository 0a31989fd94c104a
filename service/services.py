"""What the handlers work with: chosen in wiring.py, frozen from then on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import current_app, g

from elicense.registry.rules import status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from elicense.catalogue import Catalogue
    from elicense.issuing import IssuedLicence
    from elicense.model import IssueRequest, LicenceStatus
    from elicense.registry.protocol import DocumentStore, LicenceRecord, Registry
    from elicense.verification.report import VerificationReport
    from service.auth import Department, Departments


@dataclass(frozen=True, slots=True)
class Services:
    """The implementations behind one application."""

    catalogue: Catalogue
    """Licence types, for their names."""
    registry: Registry
    """The register of licences."""
    store: DocumentStore
    """Finished documents."""
    departments: Departments
    """Who may call."""
    issue: Callable[[IssueRequest, datetime], IssuedLicence]
    """The issuing line."""
    verify: Callable[[bytes, datetime, str], VerificationReport]
    """The verifier with our trust, register and sandbox: a file, the moment, the policy's name."""
    report_pdf: Callable[[VerificationReport, datetime], bytes]
    """The printable report, signed at a moment with the service's own key."""
    clock: Callable[[], datetime]
    """Read once per request, UTC."""
    readiness: Mapping[str, Callable[[datetime], bool]]
    """Name of a thing the service cannot work without -> whether it is well."""
    close: Callable[[], None]
    """Ends what runs beside the requests; called once, when the server stops."""
    demo: bool
    """Whether the trust is a demonstration's: every page must say so."""


def services() -> Services:
    """Return the implementations of the current application."""
    found: Services = current_app.extensions["elicense"]
    return found


def now() -> datetime:
    """Return the moment of this request: the clock is read once, the first time somebody asks."""
    if "at" not in g:
        g.at = services().clock()
    moment: datetime = g.at
    return moment


def status_now(record: LicenceRecord) -> LicenceStatus:
    """Return whether a licence just read from the register is in force at this request's moment."""
    known = status_of(record, at=now())
    if known is not None:
        return known
    return services().registry.status(str(record.licence.identifier), at=now())


def caller() -> Department:
    """Return the department that is calling; only behind auth's door."""
    department: Department = g.department
    return department
