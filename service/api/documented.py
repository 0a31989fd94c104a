"""The OpenAPI 3.1 document: what the framework generates, with what it cannot know put right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic.json_schema import models_json_schema

from service.api.schemas import DetailedOut, DiagnosticOut, ReportOut, SimpleOut
from service.problems import PROBLEM_TYPE

if TYPE_CHECKING:
    from flask_openapi3.openapi import OpenAPI

DESCRIPTIONS = {
    400: "The request cannot be understood.",
    401: "No token, or one nobody knows.",
    403: "Not your department's to do.",
    404: "No such licence, or not your department's.",
    409: "The register's state does not allow it.",
    413: "Too large.",
    415: "Not a content type this address takes.",
    422: "Understood, and wrong: `code` and `field` say what.",
    500: "The service's own trouble; `reference` is for its operator.",
    503: "Not possible at the moment; try again.",
}


def problem_responses(*statuses: int) -> dict[str | int, Any]:
    """Return the documentation of these error answers, with the media type they really have."""
    schema = {"$ref": "#/components/schemas/ProblemOut"}
    return {
        str(status): {"description": DESCRIPTIONS[status], "content": {PROBLEM_TYPE: {"schema": schema}}}
        for status in statuses
    }


def _report_contents(schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the media types of a report, the schemas of those in JSON added to `schemas`."""
    mode: Literal["serialization"] = "serialization"
    names = [(kind, mode) for kind in (ReportOut, SimpleOut, DetailedOut, DiagnosticOut)]
    references, made = models_json_schema(names, ref_template="#/components/schemas/{model}")
    schemas.update(made["$defs"])
    return {
        "application/json": {"schema": {"anyOf": list(references.values())}},
        "application/xml": {"schema": {"type": "string"}},
        "application/pdf": {"schema": {"type": "string", "format": "binary"}},
    }


def describe(app: OpenAPI) -> dict[str, Any]:
    """Return the finished OpenAPI document of `app`."""
    document: dict[str, Any] = app.api_doc
    form = {
        "type": "object",
        "properties": {"file": {"type": "string", "format": "binary"}},
        "required": ["file"],
        "additionalProperties": False,
    }
    verify = document["paths"]["/verifications"]["post"]
    verify["responses"]["200"]["content"] = _report_contents(document["components"]["schemas"])
    verify["requestBody"] = {
        "required": True,
        "content": {
            "application/pdf": {"schema": {}},
            "multipart/form-data": {"schema": form},
        },
    }
    return document
