"""The pages' addresses. Nothing that is uploaded here is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from flask import Blueprint, Response, current_app, make_response, render_template, request

from elicense.errors import LicenceNotFound
from elicense.model import LicenceState
from service.api.verifications import FILES, MULTIPART_OVERHEAD, report_file, report_on, uploaded
from service.pages.assets import asset, asset_url
from service.pages.result import Answer, force_answer, result_view, too_large_view
from service.pages.translations import DEFAULT, Texts, texts_in
from service.pages.words import Row, day, masked_holders, type_name, validity
from service.problems import Problem, UploadTooLarge
from service.services import now, services, status_now
from service.vault import LARGEST

if TYPE_CHECKING:
    from elicense.verification.report import VerificationReport
    from service.vault import Vault

pages = Blueprint("pages", __name__, template_folder="templates")
pages.add_url_rule("/static/<name>", "asset", asset)

PUBLIC = {LicenceState.ISSUED, LicenceState.SUSPENDED, LicenceState.REVOKED, LicenceState.SUPERSEDED}
"""States in which a licence exists for the public."""

OF_A_LICENCE = {"pages.status", "pages.verify_against"}
"""Endpoints whose links and form lead back to the same address; those of any other lead to the start."""


@dataclass(frozen=True, slots=True)
class StatusView:
    """All that anybody may see of a licence by its identifier: this and no more."""

    state: Answer
    """In force?"""
    rows: tuple[Row, ...]
    """Type, authority, masked holder, period, identifier."""


@pages.get("/")
def start() -> Response:
    """The verify page."""
    return _page("start.html")


@pages.post("/")
def verify_file() -> Response:
    """The result for one uploaded file."""
    return _result(_uploaded_report())


@pages.post("/report")
def report() -> Response:
    """A result shown another way, from the locked report that its page carries; nothing is verified again."""
    request.max_content_length = request.max_form_memory_size = LARGEST + MULTIPART_OVERHEAD
    found = _vault().unlock(request.form.get("report", ""), now())
    kind = request.form.get("kind", "")
    return report_file(found, kind) if kind in FILES else _result(found, unfolded=True)


@pages.get("/v/<identifier>")
def status(identifier: str) -> Response:
    """Where a licence's QR code leads: its state, masked, and an invitation to check the file."""
    return _page("status.html", view=_status_view(identifier))


@pages.post("/v/<identifier>")
def verify_against(identifier: str) -> Response:
    """The result for one uploaded file, which should be the licence of the scanned code."""
    return _result(_uploaded_report(), expected=identifier)


def _uploaded_report() -> VerificationReport:
    """Return the report on the file of this request, by the policy that its form names."""
    data = uploaded()
    return report_on(data, "general" if request.form.get("policy") == "general" else "licence")


def _result(found: VerificationReport, *, expected: str | None = None, unfolded: bool = False) -> Response:
    view = result_view(found, _texts(found.policy), services().catalogue, expected=expected)
    locked = _vault().lock(found, now())
    return _page("result.html", found.policy, view=view, locked=locked, unfolded=unfolded)


def _vault() -> Vault:
    vault: Vault = current_app.extensions["elicense_vault"]
    return vault


def problem_page(problem: Problem) -> Response:
    """Return the page for something that went wrong."""
    texts = _texts()
    if problem.code == UploadTooLarge.code:
        view = too_large_view(current_app.config["UPLOAD_LIMIT"], texts)
        response = _page("result.html", view=view)
    elif problem.code == LicenceNotFound.code:
        response = _page(
            "message.html", tone="unknown", headline=texts("status.absent.title"), text=texts("status.absent")
        )
    else:
        text = problem.zh if texts.language == "zh" else problem.en
        response = _page(
            "message.html",
            tone="unknown",
            headline=texts("error.title"),
            text=text,
            reference=problem.reference,
        )
    response.status_code = problem.status
    response.headers.extend(list(problem.headers))
    return response


def _status_view(identifier: str) -> StatusView:
    """Return the public part of a record. Raises LicenceNotFound if the public knows no such licence."""
    texts = _texts()
    record = services().registry.get(identifier)
    if record.state not in PUBLIC:
        raise LicenceNotFound("no such licence", "没有这份证照")
    licence = record.licence
    licence_type = next((one for one in services().catalogue.types if one.slug == licence.type), None)
    rows = (
        Row(texts("label.type"), (type_name(licence, licence_type, texts),)),
        Row(texts("label.authority"), tuple(one.name for one in licence.authorities)),
        Row(texts("label.holder"), (masked_holders(licence.holders, texts),)),
        Row(texts("label.issued_on"), (day(licence.issued_on, texts),)),
        Row(texts("label.validity"), (validity(licence, texts),)),
        Row(texts("label.identifier"), (identifier,)),
    )
    return StatusView(force_answer(status_now(record), texts), rows)


def _texts(policy: str = "licence") -> Texts:
    return texts_in(request.args.get("lang", ""), policy)


def _page(template: str, policy: str = "licence", **values: Any) -> Response:
    """Return a page in the language asked for, with the links and limits that every page needs."""
    texts = _texts(policy)
    of_a_licence = request.endpoint in OF_A_LICENCE and request.view_args
    here = f"/v/{quote(of_a_licence['identifier'])}" if of_a_licence else "/"
    return make_response(
        render_template(
            template,
            t=texts,
            asset_url=asset_url,
            home=_in(texts.language, "/"),
            switch=_in(texts.other, here),
            action=_in(texts.language, here),
            report_action=_in(texts.language, "/report"),
            limit=current_app.config["UPLOAD_LIMIT"],
            demo=services().demo,
            **values,
        )
    )


def _in(language: str, address: str) -> str:
    """Return the address of a page in a language. The service stands at the root of its host, so it is known."""
    return address if language == DEFAULT else f"{address}?lang={language}"
