"""The Flask application: the issuing line and the verifier over HTTP, and the public verify page."""

from __future__ import annotations

import io
import json
import logging
import time
from typing import IO, TYPE_CHECKING, Any

from flask import Request as FlaskRequest
from flask import Response, g, request
from flask.json.provider import DefaultJSONProvider
from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI

from service import problems
from service.api.documented import describe
from service.api.health import health
from service.api.licences import licences
from service.api.schemas import ProblemOut
from service.api.verifications import verifications
from service.pages import pages
from service.pages.views import problem_page
from service.vault import Vault
from service.wiring import wire

if TYPE_CHECKING:
    from service.config import Settings
    from service.services import Services

logger = logging.getLogger("service")

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
"""Sent with every answer."""

BEARER = {"type": "http", "scheme": "bearer", "description": "A department's token."}


class Request(FlaskRequest):
    """A request whose uploaded files never touch the disk."""

    def _get_file_stream(
        self,
        total_content_length: int | None,  # noqa: ARG002 - the framework's signature
        content_type: str | None,  # noqa: ARG002
        filename: str | None = None,  # noqa: ARG002
        content_length: int | None = None,  # noqa: ARG002
    ) -> IO[bytes]:
        return io.BytesIO()

    def on_json_loading_failed(self, e: ValueError | None) -> Any:
        """Say plainly that the body is not JSON. Raises MalformedRequest."""
        raise problems.MalformedRequest(
            "the body is not strict JSON (bad syntax, a member twice, NaN): mend it and send it again",
            "请求体不是严格的 JSON（语法错误、成员重复或 NaN）：请改正后重新提交",
            field="body",
        ) from e


class StrictJson(DefaultJSONProvider):
    """JSON as the encoder of licences knows it: no member twice, no NaN; text stays readable."""

    ensure_ascii = False
    sort_keys = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Return the value. Raises ValueError for anything but strict JSON, nesting without end among it."""
        try:
            return json.loads(s, object_pairs_hook=_unique, parse_constant=_no_constant, **kwargs)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


def create_app(
    settings: Settings, services: Services | None = None, *, vault_key: bytes | None = None
) -> OpenAPI:
    """Return the application, warm; `services` replaces what wiring would choose.

    Processes that serve side by side need one `vault_key`, 32 random bytes: a report locked by one of them may come
    back to another.

    Raises ConfigurationError when something the settings name is missing or wrong.
    """
    app = OpenAPI(
        __name__,
        info=Info(title="elicense", version="1", description="Issue, fetch and verify electronic licences."),
        security_schemes={"department": BEARER},
        doc_ui=False,
        validation_error_model=ProblemOut,
        validation_error_callback=lambda error: problems.respond(problems.of_validation(error)),
        static_folder=None,
    )
    app.config.update(
        MAX_CONTENT_LENGTH=settings.body_limit,
        MAX_FORM_MEMORY_SIZE=64 * 1024,
        MAX_FORM_PARTS=8,
        TRUSTED_HOSTS=list(settings.trusted_hosts),
        UPLOAD_LIMIT=settings.upload_limit,
    )
    app.request_class = Request
    app.json = StrictJson(app)
    app.extensions["elicense"] = services if services is not None else wire(settings)
    app.extensions["elicense_vault"] = Vault(vault_key)
    problems.register(app, problem_page)
    app.register_api(licences)
    app.register_api(verifications)
    app.register_blueprint(pages)
    app.register_blueprint(health)
    document = app.json.dumps(describe(app))
    app.add_url_rule("/openapi.json", "openapi", lambda: Response(document, mimetype="application/json"))
    app.before_request(_start)
    app.after_request(_finish)
    return app


def _start() -> None:
    g.started = time.perf_counter()


def _finish(response: Response) -> Response:
    """Harden the answer and log it, without address, identifier or content."""
    response.headers.update(SECURITY_HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")
    milliseconds = (time.perf_counter() - g.started) * 1000 if "started" in g else 0.0
    department = g.department.name if "department" in g else "-"
    logger.info(
        "%s %s %s %d %.0f ms",
        department,
        request.method,
        request.endpoint,
        response.status_code,
        milliseconds,
    )
    return response


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member appears twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
