"""POST /verifications."""

from __future__ import annotations

import io
import json
import tempfile

import pytest

from elicense.errors import KeyUnavailable
from elicense.reporting.etsi import etsi_report
from elicense.reporting.plain import detailed, diagnostic, simple
from elicense.verification.report import Indication, SubIndication
from tests.service.fakes import AT, PDF, report
from tests.support.reports import every_report


def test_a_raw_body_is_verified(client, fakes):
    """application/pdf in, report out, both answers apart."""
    fakes.report = report(Indication.TOTAL_FAILED, SubIndication.HASH_FAILURE)
    response = client.post("/verifications", data=PDF, content_type="application/pdf")
    assert response.status_code == 200
    answer = response.get_json()
    assert answer["authentic"] == {"indication": "TOTAL_FAILED", "sub_indication": "HASH_FAILURE"}
    assert answer["in_force"]["state"] == "not_known"
    assert len(answer["checks"]) == 12
    assert answer["signatures"][0]["field"] == "Seal"
    assert fakes.verified == [(PDF, AT)]


def test_a_form_file_is_verified(client, fakes):
    """multipart/form-data with the part `file` is the same."""
    response = client.post("/verifications", data={"file": (io.BytesIO(PDF), "随便.pdf")})
    assert response.status_code == 200
    assert fakes.verified == [(PDF, AT)]


def test_a_form_file_full_of_line_ends_is_verified(client, fakes):
    """Bytes that look like the beginning of a boundary do not fill the form reader's buffer."""
    data = b"\r\n--" * 30_000
    response = client.post("/verifications", data={"file": (io.BytesIO(data), "a.pdf")})
    assert response.status_code == 200
    assert fakes.verified == [(data, AT)]


@pytest.mark.parametrize(("kind", "media", "beginning"), [
    ("simple", "application/json", b"{"), ("detailed", "application/json", b"{"),
    ("diagnostic", "application/json", b"{"), ("etsi", "application/xml", b"<?xml"),
    ("pdf", "application/pdf", b"%PDF"),
])  # fmt: skip
def test_every_kind_of_report(client, fakes, kind, media, beginning):
    """`report` chooses the shape; the file is verified once, whatever the shape."""
    for one in every_report().values():
        fakes.report = one
        response = client.post(
            f"/verifications?report={kind}&lang=en", data=PDF, content_type="application/pdf"
        )
        assert response.status_code == 200
        assert response.mimetype == media
        assert response.data.startswith(beginning)
        if media == "application/json":
            assert response.get_json()["report"] == kind
    assert len(fakes.verified) == len(every_report())
    assert len(fakes.signed) == (len(every_report()) if kind == "pdf" else 0)


def test_reports_are_those_of_the_library(client, fakes):
    """Through HTTP the same words and facts come as from the library."""
    one = fakes.report = every_report()["foreign"]
    for kind, expected in (("simple", simple(one, "en")), ("detailed", detailed(one, "en")),
                           ("diagnostic", diagnostic(one))):  # fmt: skip
        answer = client.post(
            f"/verifications?report={kind}&lang=en", data=PDF, content_type="application/pdf"
        )
        assert answer.get_json() == json.loads(json.dumps(expected))
    answer = client.post("/verifications?report=etsi", data=PDF, content_type="application/pdf")
    assert answer.data == etsi_report(one)
    assert 'filename="verification-report-abababababab.xml"' in answer.headers["Content-Disposition"]


def test_the_short_report_has_the_difference(client, fakes):
    """`shown` is null unless the file was extended after it was sealed."""
    fakes.report = every_report()["foreign"]
    answer = client.post("/verifications", data=PDF, content_type="application/pdf").get_json()
    assert answer["shown"]["pages"][0]["added"] == ["Amount due: 100,000", "PAID IN FULL"]
    fakes.report = every_report()["sealed"]
    assert client.post("/verifications", data=PDF, content_type="application/pdf").get_json()["shown"] is None


def test_the_policy_is_chosen_by_the_caller(client, fakes):
    """Licence unless general is asked for; any other word is refused before the file is looked at."""
    for query, policy in (("", "licence"), ("?policy=licence", "licence"), ("?policy=general", "general")):
        client.post(f"/verifications{query}", data=PDF, content_type="application/pdf")
        assert fakes.policies[-1] == policy
    for query in ("policy=mine", "report=poem", "lang=fr"):
        response = client.post(f"/verifications?{query}", data=PDF, content_type="application/pdf")
        assert response.status_code == 422
        assert response.get_json()["code"] == "invalid_request"
    assert len(fakes.verified) == 3


def test_a_report_key_that_fails_is_no_verdict(client, fakes):
    """503: the file was verified, but the report cannot be signed now."""
    fakes.fail_signing = KeyUnavailable("away", "不可用")
    response = client.post("/verifications?report=pdf", data=PDF, content_type="application/pdf")
    assert response.status_code == 503
    assert "authentic" not in response.get_json()


def test_no_token_is_needed_and_none_is_looked_at(client):
    """Verifying is for everybody."""
    headers = {"Authorization": "Bearer wrong"}
    assert (
        client.post("/verifications", data=PDF, content_type="application/pdf", headers=headers).status_code
        == 200
    )


@pytest.mark.parametrize("content", [b"", b"hello", b"\x00" * 1000])
def test_what_is_no_pdf_is_still_a_report(client, fakes, content):
    """The verifier judges every file, however little of a PDF it is."""
    assert client.post("/verifications", data=content, content_type="application/pdf").status_code == 200
    assert fakes.verified == [(content, AT)]


@pytest.mark.parametrize("form", [True, False])
@pytest.mark.parametrize("size", [128 * 1024 + 1, 300 * 1024])
def test_over_the_limit_is_indeterminate(client, fakes, form, size):
    """413 that says INDETERMINATE: nothing was looked at, nothing is known, no parser ran."""
    data = b"x" * size
    if form:
        response = client.post("/verifications", data={"file": (io.BytesIO(data), "a.pdf")})
    else:
        response = client.post("/verifications", data=data, content_type="application/pdf")
    problem = response.get_json()
    assert response.status_code == 413
    assert problem["code"] == "upload_too_large"
    assert problem["authentic"] == {"indication": "INDETERMINATE", "sub_indication": "LIMIT_REACHED"}
    assert fakes.verified == []


def test_exactly_the_limit_is_looked_at(client, fakes):
    """The limit is the largest size that is taken."""
    client.post("/verifications", data=b"x" * 128 * 1024, content_type="application/pdf")
    assert len(fakes.verified) == 1


def test_an_endless_body_is_cut(client, fakes):
    """A body without a length is read up to the limit only."""
    response = client.post(
        "/verifications",
        input_stream=io.BytesIO(b"x" * 1024 * 1024),
        content_type="application/pdf",
        environ_overrides={"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"},
    )
    assert response.status_code == 413
    assert fakes.verified == []


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "image/png", ""])
def test_other_content_types_are_refused(client, fakes, content_type):
    """415 names what is taken."""
    response = client.post("/verifications", data=PDF, content_type=content_type)
    assert response.status_code == 415
    assert "application/pdf" in response.get_json()["detail"]


@pytest.mark.parametrize("form", [{}, {"file": "just text"}, {"other": (io.BytesIO(PDF), "a.pdf")}])
def test_a_form_without_the_file_is_refused(client, form):
    """400 says which part is missing."""
    response = client.post("/verifications", data=form, content_type="multipart/form-data")
    assert response.status_code == 400
    assert response.get_json()["field"] == "file"


def test_too_many_parts_are_refused(client, fakes):
    """A form with hundreds of parts is not taken apart."""
    parts = {f"part{number}": "x" for number in range(100)} | {"file": (io.BytesIO(PDF), "a.pdf")}
    assert client.post("/verifications", data=parts).status_code == 413
    assert fakes.verified == []


def test_an_upload_never_touches_the_disk(client, fakes, monkeypatch):
    """No temporary file is opened for an upload within the limit."""

    def refuse(*args, **kwargs):
        raise AssertionError("a temporary file")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", refuse)
    client.post("/verifications", data={"file": (io.BytesIO(b"x" * 100_000), "a.pdf")})
    assert len(fakes.verified[0][0]) == 100_000


def test_a_crash_of_the_verifier_is_not_a_verdict(client, fakes):
    """500 says nothing about the file."""
    fakes.fail = RuntimeError("worker lost")
    response = client.post("/verifications", data=PDF, content_type="application/pdf")
    assert response.status_code == 500
    assert "authentic" not in response.get_json()
    assert "worker" not in response.text
