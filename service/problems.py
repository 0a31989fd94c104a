"""Every error becomes one problem document (RFC 9457) or one page, here and nowhere else."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Response, current_app, request
from werkzeug.exceptions import HTTPException, SecurityError

from elicense import errors
from elicense.errors import ElicenseError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import ValidationError

logger = logging.getLogger("service")

PROBLEM_TYPE = "application/problem+json"


class Unauthenticated(ElicenseError):
    """The caller did not say who it is, or nobody knows it."""

    code = "unauthenticated"


class MalformedRequest(ElicenseError):
    """The request is not of the documented shape."""

    code = "malformed_request"


class UnsupportedMedia(ElicenseError):
    """The request's content type is none that this address takes."""

    code = "unsupported_media_type"


class DocumentNotFinished(ElicenseError):
    """The number is reserved and the document is not there yet."""

    code = "document_not_finished"


class ReportExpired(ElicenseError):
    """A report's text is too old or not of this service: the file must be verified again."""

    code = "report_expired"


class UploadTooLarge(ElicenseError):
    """The file is larger than this service looks at: nothing is known about it."""

    code = "upload_too_large"


STATUS: tuple[tuple[type[ElicenseError], int], ...] = (
    (Unauthenticated, 401),
    (MalformedRequest, 400),
    (ReportExpired, 410),
    (UnsupportedMedia, 415),
    (UploadTooLarge, 413),
    (DocumentNotFinished, 409),
    (errors.InvalidLicenceData, 422),
    (errors.UnknownLicenceType, 422),
    (errors.NotAuthorised, 403),
    (errors.RenderingError, 422),
    (errors.IdempotencyConflict, 422),
    (errors.LicenceNotFound, 404),
    (errors.NumberTaken, 409),
    (errors.IllegalTransition, 409),
    (errors.SigningError, 503),
    (errors.RegistryError, 503),
)
"""First match wins; any other ElicenseError is the service's own trouble and answers 500."""

ABSENT = (
    "there is no such licence in your department's register: check the identifier",
    "贵单位的登记簿中没有该证照：请核对证照标识",
)
"""The one answer for a licence that does not exist and for one that is not the caller's."""

OURS = (
    "the service could not do this, by no fault of yours: try again, then give its operator the reference",
    "服务暂时无法完成此操作，并非您的过错：请稍后重试；如仍失败，请将参考号告知运维人员",
)
"""Said instead of the text of an error that is our own trouble: that text may name files or tables."""

HTTP_TEXTS: dict[int, tuple[str, str, str]] = {
    400: ("bad_request", "the request cannot be understood", "请求无法理解"),
    404: ("not_found", "there is nothing at this address", "此地址不存在"),
    405: ("method_not_allowed", "this address does not take this method", "此地址不支持该请求方法"),
    413: ("request_too_large", "the request is larger than this address takes", "请求超过此地址允许的大小"),
    415: ("unsupported_media_type", "this address does not take this content type", "此地址不支持该内容类型"),
}
"""Status of an HTTP error raised by the framework -> code, English, Chinese."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One error as the caller sees it."""

    status: int
    """HTTP status."""
    code: str
    """Stable; clients may match on it."""
    en: str
    """One plain sentence."""
    zh: str
    """The same in Chinese."""
    field: str | None = None
    """What the caller must mend, e.g. fields.operator_name."""
    errors: tuple[dict[str, str], ...] = ()
    """For a request of the wrong shape: each place and what is wrong there, never the value itself."""
    reference: str | None = None
    """For our own trouble: finds the line in the service's log."""
    headers: tuple[tuple[str, str], ...] = ()
    """Response headers that belong to it."""

    def body(self) -> dict[str, Any]:
        """Return the members of the problem document. Source: RFC 9457, 3."""
        members: dict[str, Any] = {
            "type": f"urn:elicense:problem:{self.code}",
            "title": self.code.replace("_", " "),
            "status": self.status,
            "detail": self.en,
            "code": self.code,
            "text": {"zh": self.zh, "en": self.en},
        }
        if self.field:
            members["field"] = self.field
        if self.errors:
            members["errors"] = list(self.errors)
        if self.reference:
            members["reference"] = self.reference
        if self.code == UploadTooLarge.code:
            members["authentic"] = {"indication": "INDETERMINATE", "sub_indication": "LIMIT_REACHED"}
        return members


def of_elicense(error: ElicenseError) -> Problem:
    """Return the problem for one of our own errors."""
    status = next((status for kind, status in STATUS if isinstance(error, kind)), 500)
    if status >= 500:
        reference = _logged(error)
        retry = (("Retry-After", "60"),) if status == 503 else ()
        return Problem(status, error.code, *OURS, reference=reference, headers=retry)
    if isinstance(error, errors.LicenceNotFound):
        return Problem(status, error.code, *ABSENT, field="identifier")
    headers = (("WWW-Authenticate", 'Bearer realm="elicense"'),) if status == 401 else ()
    return Problem(status, error.code, error.en, error.zh, field=error.field, headers=headers)


def of_http(error: HTTPException) -> Problem:
    """Return the problem for an error of the framework (no such address, wrong method, …)."""
    status = error.code or 500
    if isinstance(error, SecurityError):
        return Problem(
            status,
            "untrusted_host",
            "this service is not known under the host name you used: use its published address",
            "本服务不以您所用的主机名提供：请使用公布的网址",
        )
    code, en, zh = HTTP_TEXTS.get(status, ("http_error", "the request cannot be served", "无法处理该请求"))
    kept = tuple((name, value) for name, value in error.get_headers() if name in {"Allow", "Retry-After"})
    return Problem(status, code, en, zh, headers=kept)


def of_unknown(error: Exception) -> Problem:
    """Return a problem that says nothing about an error nobody foresaw; the log has it all."""
    return Problem(500, "internal", *OURS, reference=_logged(error))


def of_validation(error: ValidationError) -> Problem:
    """Return the problem for a request that does not fit its schema: places and rules, never values."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    items = tuple(
        {"field": ".".join(map(str, one["loc"])) or "body", "code": one["type"], "text": one["msg"]}
        for one in found
    )
    place = items[0]["field"]
    return Problem(
        422,
        "invalid_request",
        f"the request does not fit its schema at {place}: see errors",
        f"请求不符合接口定义，位置 {place}：详见 errors",
        field=place,
        errors=items,
    )


def respond(problem: Problem) -> Response:
    """Return the problem document as a response."""
    response = Response(current_app.json.dumps(problem.body()), problem.status, content_type=PROBLEM_TYPE)
    response.headers.extend(list(problem.headers))
    return response


def register(app: Any, page: Callable[[Problem], Response]) -> None:
    """Make `app` answer every error: as a page where people read, as a problem document everywhere else."""

    def answer(problem: Problem) -> Response:
        return page(problem) if _for_people() else respond(problem)

    app.register_error_handler(ElicenseError, lambda error: answer(of_elicense(error)))
    app.register_error_handler(HTTPException, lambda error: answer(of_http(error)))
    app.register_error_handler(Exception, lambda error: answer(of_unknown(error)))


def _for_people() -> bool:
    """Whether the request came to a page, or to no address at all from something that reads HTML."""
    if request.endpoint is not None:
        return request.blueprint == "pages"
    return request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"


def _logged(error: Exception) -> str:
    reference = secrets.token_hex(8)
    logger.error("reference %s", reference, exc_info=error)
    return reference
