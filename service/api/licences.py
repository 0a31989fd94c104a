"""POST /licences, GET /licences/{identifier}, GET /licences/{identifier}/document: for departments only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, g, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from elicense.errors import LicenceNotFound
from service.api.answers import as_json
from service.api.documented import problem_responses
from service.api.schemas import DocumentQuery, IssueHeaders, IssueIn, LicenceOut, LicencePath
from service.auth import bearer_token
from service.problems import ABSENT, DocumentNotFinished, UnsupportedMedia
from service.services import caller, now, services, status_now

if TYPE_CHECKING:
    from elicense.registry.protocol import LicenceRecord

licences = APIBlueprint(
    "licences",
    __name__,
    url_prefix="/licences",
    abp_tags=[Tag(name="licences", description="Issue and fetch; needs a department's token.")],
    abp_security=[{"department": []}],
    abp_responses=problem_responses(400, 401, 404, 500, 503),
)


@licences.before_request
def _authenticate() -> None:
    """Let only departments in. Raises Unauthenticated."""
    g.department = services().departments.by_token(bearer_token(request.headers.get("Authorization")))


@licences.before_request
def _require_json() -> None:
    """Read the body once, strictly, before the schema sees it. Raises UnsupportedMedia, BadRequest."""
    if request.method == "POST":
        if request.mimetype != "application/json":
            raise UnsupportedMedia(
                "send the licence as application/json", "请以 application/json 提交", field="Content-Type"
            )
        request.get_json()


@licences.post(
    "",
    summary="Issue a licence",
    operation_id="issueLicence",
    responses={"201": LicenceOut, **problem_responses(403, 409, 413, 415, 422)},
)
def issue_licence(header: IssueHeaders, body: IssueIn) -> Response:
    """Issue one licence: numbered, rendered, sealed, verified and stored before the answer comes."""
    department = caller()
    # Every keeper is at hand here: whoever asks for a joint document makes all of them seal.
    for code in (body.authority_code, *body.joint_authority_codes):
        department.require(code)
    issued = services().issue(body.to_request(f"{department.name}/{header.idempotency_key}"), now())
    response = _shown(issued.record, 201)
    response.headers["Location"] = f"/licences/{issued.record.licence.identifier}"
    return response


@licences.get(
    "/<identifier>",
    summary="One licence in the register",
    operation_id="getLicence",
    responses={"200": LicenceOut, **problem_responses(422)},
)
def get_licence(path: LicencePath) -> Response:
    """Return the record and whether the licence is in force now."""
    return _shown(_record(path.identifier))


@licences.get(
    "/<identifier>/document",
    summary="The sealed document",
    operation_id="getDocument",
    responses={
        "200": {
            "description": "The sealed PDF, byte for byte as stored.",
            "headers": {"ETag": {"description": "SHA-256 of the file.", "schema": {"type": "string"}}},
            "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
        },
        "304": {"description": "You already have it."},
        **problem_responses(409, 422),
    },
)
def get_document(path: LicencePath, query: DocumentQuery) -> Response:
    """Return the finished document, or its newest archive copy, as a download."""
    record = _record(path.identifier)
    if record.document is None:
        raise DocumentNotFinished(
            "the document is not finished yet: try again in a minute", "文件尚未生成完毕：请稍后再试"
        )
    kept = (record.document, *record.archive_copies)
    chosen = kept[-1] if query.which == "archive" else kept[0]
    # What the caller already has is not read from the store again: the digest is on record.
    known = request.if_none_match.contains_weak(chosen.sha256)
    data = b"" if known else services().store.get(chosen.sha256)
    response = Response(data, 304 if known else 200, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="licence-{path.identifier}.pdf"'
    # May be kept, by nobody but the caller, who asks each time whether it is still allowed to have it.
    response.headers["Cache-Control"] = "private, no-cache"
    response.set_etag(chosen.sha256)
    return response


def _record(identifier: str) -> LicenceRecord:
    """Return the record if it is the caller's; another department's looks exactly like none at all."""
    record = services().registry.get(identifier)
    if record.licence.authority.code not in caller().authorities:
        raise LicenceNotFound(*ABSENT)
    return record


def _shown(record: LicenceRecord, http_status: int = 200) -> Response:
    """Return the record as JSON."""
    licence, status = record.licence, status_now(record)
    identifier = str(licence.identifier)
    shown = LicenceOut.model_validate(
        {
            "identifier": identifier,
            "number": licence.number,
            "type": licence.type,
            "type_code": licence.type_code,
            "type_name": licence.type_name,
            "category": licence.category,
            "state": record.state,
            "in_force": {"state": status.state, "as_of": status.as_of, "reason": status.reason},
            "authority": {"name": licence.authority.name, "code": licence.authority.code},
            "holders": [{"name": h.name, "code_kind": h.code_kind, "code": h.code} for h in licence.holders],
            "issued_on": licence.issued_on,
            "valid_from": licence.validity.start,
            "valid_until": licence.validity.end,
            "fields": dict(licence.fields),
            "case_number": licence.case_number,
            "signing_time": licence.signing_time,
            "changed_at": record.changed_at,
            "verify_url": f"{licence.verify_base}{identifier}",
            "document": record.document
            and {
                "href": f"/licences/{identifier}/document",
                "sha256": record.document.sha256,
                "size": record.document.size,
                "profile": record.document.profile,
                "timestamp_pending": record.document.timestamp_pending,
            },
        }
    )
    return as_json(shown, http_status)
