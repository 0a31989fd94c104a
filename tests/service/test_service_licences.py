"""POST /licences, GET /licences/{identifier}, GET /licences/{identifier}/document."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta

import pytest

from elicense import errors
from elicense.model import LicenceState
from elicense.registry.protocol import DocumentEvidence, Intent
from tests.service.fakes import AT, AUTHORITY, OTHER_TOKEN, PDF, PERSON, PERSON_CODE

KEY = {"Idempotency-Key": "k1"}


def test_issue_answers_with_place_and_record(client, bearer, body, fakes):
    """201 says where the licence is and what the register holds; the request arrived as typed."""
    response = client.post("/licences", json=body, headers={**bearer, **KEY})
    assert response.status_code == 201
    record = response.get_json()
    assert response.headers["Location"] == f"/licences/{record['identifier']}"
    assert record["number"] == "JY000001"
    assert record["state"] == "issued"
    assert record["in_force"]["state"] == "in_force"
    assert record["document"]["sha256"] == hashlib.sha256(PDF).hexdigest()
    assert record["verify_url"] == f"http://127.0.0.1:8000/v/{record['identifier']}"
    request, at = fakes.requests[0]
    assert request.fields == {"address": "示例省样例市虚构路九十九号", "items": ("热食", "冷食")}
    assert request.holders[0].name == PERSON
    assert request.valid_until == date(2031, 11, 22)
    assert at == AT


def test_the_clock_is_read_once_per_request(client, bearer, body, fakes):
    """Issue, status and answer all speak of one moment."""
    client.post("/licences", json=body, headers={**bearer, **KEY})
    assert fakes.clock_reads == 1


def test_idempotency_keys_belong_to_one_department(client, bearer, body, fakes):
    """The key that reaches the register names the department, so no other can meet it."""
    client.post("/licences", json=body, headers={**bearer, **KEY})
    assert fakes.requests[0][0].idempotency_key == "market/k1"


def test_same_key_and_body_returns_the_same_licence(client, bearer, body, issued):
    """A repeated request issues nothing new."""
    again = client.post("/licences", json=body, headers={**bearer, **KEY})
    assert again.status_code == 201
    assert again.get_json()["identifier"] == issued["identifier"]


def test_a_request_without_idempotency_key_is_refused(client, bearer, body, fakes):
    """Without a key a retry would issue twice, so nothing is issued at all."""
    response = client.post("/licences", json=body, headers=bearer)
    assert response.status_code == 422
    assert response.get_json()["field"] == "Idempotency-Key"
    assert fakes.requests == []


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "unauthenticated"),
        ({"Authorization": "Bearer wrong"}, "unauthenticated"),
        ({"Authorization": "Basic bWFya2V0OnB3"}, "unauthenticated"),
        ({"Authorization": "Bearer "}, "unauthenticated"),
        ({"Authorization": "Bearer \udcff".encode("latin-1", "replace").decode()}, "unauthenticated"),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/licences"), ("GET", "/licences/x"), ("GET", "/licences/x/document")],
)
def test_nobody_unknown_gets_in(client, body, fakes, headers, code, method, path):
    """Every address for departments answers 401 and names the scheme before it looks at anything else."""
    response = client.open(path, method=method, json=body, headers={**headers, **KEY})
    assert response.status_code == 401
    assert response.get_json()["code"] == code
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert fakes.requests == []


def test_a_department_cannot_issue_for_another_authority(client, body, fakes):
    """403 before the issuing line is reached."""
    response = client.post("/licences", json=body, headers={"Authorization": f"Bearer {OTHER_TOKEN}", **KEY})
    assert response.status_code == 403
    assert response.get_json()["field"] == "authority_code"
    assert fakes.requests == []


@pytest.mark.parametrize("suffix", ["", "/document"])
def test_anothers_licence_looks_like_none(client, bearer, issued, suffix):
    """A foreign identifier and an absent one give the same answer, so existence is not revealed."""
    other = {"Authorization": f"Bearer {OTHER_TOKEN}"}
    absent = issued["identifier"].replace(".001.", ".002.")
    foreign = client.get(f"/licences/{issued['identifier']}{suffix}", headers=other)
    missing = client.get(f"/licences/{absent}{suffix}", headers=other)
    own_missing = client.get(f"/licences/{absent}{suffix}", headers=bearer)
    assert foreign.status_code == missing.status_code == own_missing.status_code == 404
    assert foreign.get_json() == missing.get_json() == own_missing.get_json()


def test_get_returns_the_record(client, bearer, issued):
    """What was answered at issue is what is there to fetch."""
    response = client.get(f"/licences/{issued['identifier']}", headers=bearer)
    assert response.status_code == 200
    assert response.get_json() == issued
    assert response.headers["Cache-Control"] == "no-store"


def test_document_is_a_download_named_by_the_server(client, bearer, issued):
    """The PDF comes as stored, as an attachment, its hash as ETag; only the caller may keep it, asking each time."""
    response = client.get(issued["document"]["href"], headers=bearer)
    assert response.data == PDF
    assert response.mimetype == "application/pdf"
    assert (
        response.headers["Content-Disposition"]
        == f'attachment; filename="licence-{issued["identifier"]}.pdf"'
    )
    assert response.headers["ETag"] == f'"{hashlib.sha256(PDF).hexdigest()}"'
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_the_newest_archive_copy_is_a_download_of_its_own(client, bearer, issued, fakes):
    """With copy=archive the newest copy comes, without it the document; a licence without copies has the document."""
    href = issued["document"]["href"]
    assert client.get(href, query_string={"copy": "archive"}, headers=bearer).data == PDF
    for copy in (PDF + b"first", PDF + b"second"):
        evidence = DocumentEvidence(
            fakes.store.put(copy), len(copy), (0, 1, 2, 3), "B-LTA", timestamp_pending=False
        )
        fakes.registry.add_archive_copy(issued["identifier"], evidence, at=AT)
    response = client.get(href, query_string={"copy": "archive"}, headers=bearer)
    assert response.data == PDF + b"second"
    assert response.headers["ETag"] == f'"{hashlib.sha256(PDF + b"second").hexdigest()}"'
    assert client.get(href, query_string={"copy": "sealed"}, headers=bearer).data == PDF
    assert client.get(href, headers=bearer).data == PDF
    assert client.get(href, query_string={"copy": "other"}, headers=bearer).status_code == 422


def test_document_is_not_sent_twice(client, bearer, issued, fakes):
    """Whoever has the bytes of this ETag gets 304, and the store is not even asked; without a token 401, as ever."""
    fakes.store.get = None
    etag = f'"{issued["document"]["sha256"]}"'
    response = client.get(issued["document"]["href"], headers={**bearer, "If-None-Match": etag})
    assert response.status_code == 304
    assert response.data == b""
    assert response.headers["ETag"] == etag
    assert client.get(issued["document"]["href"], headers={"If-None-Match": etag}).status_code == 401


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"holders": []}, "holders"),
        ({"holders": [{"name": PERSON, "code_kind": "111"}]}, "holders.0.code"),
        ({"unknown": 1}, "unknown"),
        ({"valid_until": "tomorrow"}, "valid_until"),
        ({"fields": {"area": 1.5}}, "fields.area"),
        ({"fields": [1]}, "fields"),
        ({"type": ""}, "type"),
    ],
)
def test_wrong_shapes_are_named_and_never_echoed(client, bearer, body, fakes, change, place):
    """422 names the place; no value that was sent comes back."""
    response = client.post("/licences", json={**body, **change}, headers={**bearer, **KEY})
    problem = response.get_json()
    assert response.status_code == 422
    assert problem["code"] == "invalid_request"
    assert problem["field"].startswith(place)
    assert PERSON not in response.text
    assert PERSON_CODE not in response.text
    assert "tomorrow" not in response.text
    assert fakes.requests == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"type": 1, "type": 2}',
        '{"a": NaN}',
        "[" * 100_000,
        '"x"',
        "[]",
        "null",
        b"\xff\xfe".decode("latin-1"),
    ],
)
def test_what_is_not_strict_json_is_refused(client, bearer, fakes, text):
    """Broken, doubled, endless or wrong-typed JSON is the caller's error, never ours."""
    response = client.post(
        "/licences", data=text[:60_000], content_type="application/json", headers={**bearer, **KEY}
    )
    assert response.status_code in {400, 422}
    assert response.mimetype == "application/problem+json"
    assert response.get_json()["field"]
    assert fakes.requests == []


def test_only_json_is_taken(client, bearer, fakes):
    """415 for any other content type."""
    response = client.post("/licences", data=b"<x/>", content_type="text/xml", headers={**bearer, **KEY})
    assert response.status_code == 415
    assert response.get_json()["code"] == "unsupported_media_type"


def test_a_body_over_the_limit_is_refused(client, bearer, body):
    """413, not a parse."""
    body["fields"]["address"] = "长" * 64 * 1024
    response = client.post("/licences", json=body, headers={**bearer, **KEY})
    assert response.status_code == 413
    assert response.get_json()["code"] == "request_too_large"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidLicenceData, 422),
        (errors.UnknownLicenceType, 422),
        (errors.NotAuthorised, 403),
        (errors.RenderingError, 422),
        (errors.IdempotencyConflict, 422),
        (errors.NumberTaken, 409),
        (errors.IllegalTransition, 409),
    ],
)
def test_refusals_carry_code_field_and_both_languages(client, bearer, body, fakes, error, status):
    """A refusal of the issuing line reaches the caller whole."""
    fakes.fail = error("say what to do", "说明怎样做", field="fields.address")
    response = client.post("/licences", json=body, headers={**bearer, **KEY})
    problem = response.get_json()
    assert response.status_code == status == problem["status"]
    assert response.mimetype == "application/problem+json"
    assert problem["code"] == error.code
    assert problem["field"] == "fields.address"
    assert problem["text"] == {"zh": "说明怎样做", "en": "say what to do"}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidTemplate, 500),
        (errors.PreflightFailed, 500),
        (errors.SealError, 500),
        (errors.CertificatePathError, 500),
        (errors.MalformedDocument, 500),
        (errors.ConfigurationError, 500),
        (errors.LogError if hasattr(errors, "LogError") else errors.ElicenseError, 500),
        (errors.SigningError, 503),
        (errors.KeyUnavailable, 503),
        (errors.TimestampUnavailable, 503),
        (errors.RegistryError, 503),
    ],
)
def test_our_own_trouble_is_logged_and_not_told(client, bearer, body, fakes, caplog, error, status):
    """What went wrong inside stays in the log, under the reference the caller gets."""
    fakes.fail = error("cannot open /srv/keys/secret.pem", "无法打开 /srv/keys/secret.pem")
    response = client.post("/licences", json=body, headers={**bearer, **KEY})
    problem = response.get_json()
    assert response.status_code == status
    assert problem["code"] == error.code
    assert "secret.pem" not in response.text
    assert problem["reference"] in caplog.text
    assert "secret.pem" in caplog.text
    assert ("Retry-After" in response.headers) == (status == 503)


def test_every_error_class_has_its_status():
    """A class added to the tree is either in the table or our own trouble on purpose."""
    from service.problems import STATUS

    def tree(kind):
        yield kind
        for child in kind.__subclasses__():
            yield from tree(child)

    ours = {
        "ElicenseError",
        "InvalidTemplate",
        "PreflightFailed",
        "SealError",
        "CertificatePathError",
        "MalformedDocument",
        "ConfigurationError",
        "VerificationFailed",
        "LogError",
        "InvalidSheet",
        "WorkerLost",
    }
    known = tuple(kind for kind, _ in STATUS)
    loose = {
        kind.__name__
        for kind in tree(errors.ElicenseError)
        if not issubclass(kind, known) and kind.__module__.startswith(("elicense.errors", "service"))
    }
    assert loose <= ours


def test_an_unknown_error_is_internal(client, bearer, body, fakes, caplog):
    """An error nobody foresaw says nothing but its reference."""
    fakes.fail = ZeroDivisionError("the divisor of 张三 was zero")
    response = client.post("/licences", json=body, headers={**bearer, **KEY})
    problem = response.get_json()
    assert response.status_code == 500
    assert problem["code"] == "internal"
    assert "divisor" not in response.text
    assert problem["reference"] in caplog.text


def test_a_reserved_licence_has_no_document_yet(client, bearer, fakes):
    """Between reservation and commit the record is there and the document is not."""
    from tests.service.fakes import draft

    record = fakes.registry.reserve(
        draft(), number=str, intent=Intent("0" * 64, "e", "s", "c" * 64, 8000, "B-B"), at=AT
    )
    path = f"/licences/{record.licence.identifier}"
    shown = client.get(path, headers=bearer).get_json()
    assert shown["state"] == "reserved"
    assert shown["document"] is None
    assert shown["authority"]["code"] == AUTHORITY.code
    response = client.get(f"{path}/document", headers=bearer)
    assert response.status_code == 409
    assert response.get_json()["code"] == "document_not_finished"


def test_the_log_names_no_holder(client, bearer, body, caplog):
    """A request's log line has department, method, endpoint and status, nothing from the request itself."""
    with caplog.at_level("INFO", logger="service"):
        record = client.post("/licences", json=body, headers={**bearer, **KEY}).get_json()
        client.get(f"/licences/{record['identifier']}", headers=bearer)
    assert "market POST licences.issue_licence 201" in caplog.text
    for secret in (PERSON, PERSON_CODE, record["identifier"], record["number"], bearer["Authorization"][7:]):
        assert secret not in caplog.text


def test_a_change_while_the_request_ran_is_asked_for(client, bearer, issued, fakes):
    """A record that changed after this request's moment does not tell what was true then: the register is asked."""
    fakes.registry.change_state(
        issued["identifier"], LicenceState.REVOKED, reason="示例", at=AT + timedelta(seconds=1)
    )
    record = client.get(f"/licences/{issued['identifier']}", headers=bearer).get_json()
    assert (record["state"], record["in_force"]["state"]) == ("revoked", "in_force")
