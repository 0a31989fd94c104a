"""POST /verifications: a file in, a report out, nothing kept. For everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, current_app, make_response, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from elicense.reporting.etsi import etsi_report
from elicense.reporting.plain import detailed, diagnostic, simple
from elicense.verification.report import moment_text, to_json
from service.api.answers import as_json
from service.api.documented import problem_responses
from service.api.schemas import DetailedOut, DiagnosticOut, ReportOut, SimpleOut, VerifyQuery
from service.problems import MalformedRequest, UnsupportedMedia, UploadTooLarge
from service.services import now, services

if TYPE_CHECKING:
    from elicense.verification.report import VerificationReport

MULTIPART_OVERHEAD = 64 * 1024
"""Bytes that part headers and boundaries may add to a file that is just within the limit."""

FILES = {"etsi": ("application/xml", "xml"), "pdf": ("application/pdf", "pdf")}
"""Kind of report that is a file -> its media type and ending."""

verifications = APIBlueprint(
    "verifications",
    __name__,
    abp_tags=[Tag(name="verifications", description="Is it authentic, and is it in force? No token needed.")],
    abp_responses=problem_responses(400, 413, 415, 422, 500, 503),
)


@verifications.post(
    "/verifications", summary="Verify a document", operation_id="verifyDocument", responses={"200": ReportOut}
)
def verify_document(query: VerifyQuery) -> Response:
    """Verify a PDF sent as the body (application/pdf) or as the part `file` of a form. It is not kept."""
    report = report_on(uploaded(), query.policy)
    kind, lang = query.report, query.lang
    if kind in FILES:
        return report_file(report, kind)
    if kind == "simple":
        return as_json(SimpleOut.model_validate(simple(report, lang)))
    if kind == "detailed":
        return as_json(DetailedOut.model_validate(detailed(report, lang)))
    if kind == "diagnostic":
        return as_json(DiagnosticOut.model_validate(diagnostic(report)))
    shown = {
        "shown": None,
        **to_json(report),
        "verified_at": moment_text(report.verified_at),
        "policy": report.policy,
    }
    return as_json(ReportOut.model_validate(shown))


def report_on(data: bytes, policy: str) -> VerificationReport:
    """Return the report on a file as of this request's moment."""
    return services().verify(data, now(), policy)


def report_file(report: VerificationReport, kind: str) -> Response:
    """Return a report as a file to download: etsi or pdf. Raises SigningError for the PDF."""
    media, ending = FILES[kind]
    body = etsi_report(report) if kind == "etsi" else services().report_pdf(report, now())
    response = make_response(body)
    response.headers["Content-Type"] = media
    name = f"verification-report-{report.sha256[:12]}.{ending}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def uploaded() -> bytes:
    """Return the bytes of the file in this request.

    Raises UploadTooLarge, UnsupportedMedia, MalformedRequest if there is no file part called `file`.
    """
    limit: int = current_app.config["UPLOAD_LIMIT"]
    if (request.content_length or 0) > limit + MULTIPART_OVERHEAD:
        raise too_large(limit)
    request.max_content_length = limit + MULTIPART_OVERHEAD
    # The form reader counts whatever it has not yet handed on, file bytes too: its limit must not be the smaller.
    request.max_form_memory_size = limit + MULTIPART_OVERHEAD
    data = _file()
    if len(data) > limit:
        raise too_large(limit)
    return data


def _file() -> bytes:
    if request.mimetype in {"application/pdf", "application/octet-stream"}:
        return request.get_data(cache=False)
    if request.mimetype != "multipart/form-data":
        raise UnsupportedMedia(
            "send the file as application/pdf, or as the part `file` of multipart/form-data",
            "请以 application/pdf 提交文件，或以 multipart/form-data 的 file 部分提交",
            field="Content-Type",
        )
    part = request.files.get("file")
    if part is None or not part.filename:
        raise MalformedRequest(
            "choose a file first: the part `file` is missing or has no file name",
            "请先选择文件：缺少 file 部分或其文件名",
            field="file",
        )
    return part.stream.read()


def too_large(limit: int) -> UploadTooLarge:
    """Return the error for a file over `limit` bytes."""
    return UploadTooLarge(
        f"the file is larger than {limit // 2**20} MB, so it was not looked at and nothing is known about it:"
        " check it with the command line tool",
        f"文件超过 {limit // 2**20} MB，未作核验，无法确认真伪：请使用命令行工具核验",
        field="file",
    )
