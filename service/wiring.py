"""The only place that chooses implementations."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from elicense import demo
from elicense.issuing import issue, resume
from elicense.issuing.warming import warm_up
from elicense.reporting.document import pdf_report
from elicense.reporting.identity import demo_report_signer
from elicense.verification.pipeline import verify
from elicense.verification.sandbox import Sandbox
from elicense.verification.shown import with_difference
from service.auth import Department, Departments, demo_token, digest_of, load_departments
from service.config import TOKEN_FILE
from service.services import Services

if TYPE_CHECKING:
    from collections.abc import Callable

    from elicense.issuing import IssuedLicence, IssuingOffice
    from elicense.model import IssueRequest
    from elicense.pki.keys import Signer
    from elicense.verification.report import VerificationReport
    from service.config import Settings

logger = logging.getLogger("service")

DEPARTMENTS_FILE = "departments.json"


def wire(
    settings: Settings, *, clock: Callable[[], datetime] | None = None, resuming: bool = True
) -> Services:
    """Return the services of a demo folder, warm: what requests have in common is read, compiled and started.

    Args:
        settings: checked.
        clock: instead of the machine's.
        resuming: finish first every licence that a crash left unfinished.

    Raises:
        ConfigurationError, KeyUnavailable: something in the folder is missing or broken.
        InvalidTemplate, RenderingError, SealError: a licence type cannot be compiled.
    """
    office = demo.load(settings.demo_folder)
    now = clock or _clock
    for one in resume(office, at=now()) if resuming else ():
        logger.warning(
            "resumed a licence that was left unfinished: %s", one.error.code if one.error else "issued"
        )
    warm_up(office, at=now())
    # One request at a time in a process, so one document.
    sandbox = Sandbox(workers=1)
    sandbox.warm_up()
    signer = demo_report_signer(settings.demo_folder, at=now())
    return Services(
        catalogue=office.catalogue,
        registry=office.registry,
        store=office.store,
        departments=_departments(settings, office),
        issue=partial(_issue, office),
        verify=partial(_verify, office, sandbox, limit=settings.upload_limit),
        report_pdf=partial(_report_pdf, office, signer),
        clock=now,
        readiness={
            "register": partial(_register_answers, office),
            "certificates": partial(_certificates_current, office),
        },
        close=sandbox.close,
        demo=office.trust.demo,
    )


def _clock() -> datetime:
    return datetime.now(UTC)


def _departments(settings: Settings, office: IssuingOffice) -> Departments:
    """Return the departments on file, or else one that may act for every authority of the demo."""
    path = settings.demo_folder / DEPARTMENTS_FILE
    if path.exists():
        return load_departments(path)
    token = demo_token(settings.demo_folder / TOKEN_FILE)
    everybody = frozenset(keeper.authority.code for keeper in office.keepers)
    return Departments([Department("demo", digest_of(token), everybody)])


def _issue(office: IssuingOffice, request: IssueRequest, at: datetime) -> IssuedLicence:
    return issue(request, office, at=at)


def _verify(
    office: IssuingOffice, sandbox: Sandbox, data: bytes, at: datetime, policy: str, *, limit: int
) -> VerificationReport:
    report = verify(
        data,
        trust=office.trust,
        at=at,
        policy=policy,
        registry=office.registry,
        sandbox=sandbox,
        size_limit=limit,
    )
    return with_difference(data, report, sandbox)


def _report_pdf(office: IssuingOffice, signer: Signer, report: VerificationReport, at: datetime) -> bytes:
    return pdf_report(report, fonts=office.fonts, signer=signer, at=at, demo=office.trust.demo)


def _register_answers(office: IssuingOffice, at: datetime) -> bool:  # noqa: ARG001 - one signature for all
    """The register can be read; if not, the error says why and the answer is 503 all the same."""
    return office.registry.find_document("0" * 64) is None


def _certificates_current(office: IssuingOffice, at: datetime) -> bool:
    """Every keeper's certificate is in date: an expired one makes every new licence fail."""
    certificates = [keeper.signer.certificate for keeper in office.keepers]
    return all(one.not_valid_before_utc <= at <= one.not_valid_after_utc for one in certificates)
