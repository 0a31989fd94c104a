"""The whole service with a real demo behind it: issue, fetch, download, verify, as strangers would."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from elicense import demo
from elicense.encoding import holder_to_json
from elicense.model import LicenceState
from service import create_app
from service.config import TOKEN_FILE, Settings

TYPE = "food-business-licence"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A demonstration of its own."""
    folder = tmp_path_factory.mktemp("service") / "demo"
    demo.build(folder, at=datetime.now(UTC))
    return folder


@pytest.fixture(scope="module")
def real(folder):
    """The application as `python -m service` makes it."""
    app = create_app(Settings(folder))
    yield app
    app.extensions["elicense"].close()


@pytest.fixture(scope="module")
def token(real, folder):
    """The bearer token the service made for the demo."""
    return (folder / TOKEN_FILE).read_text().strip()


@pytest.fixture(scope="module")
def headers(token):
    """The token as a header."""
    return {"Authorization": f"Bearer {token}"}


def test_reports_of_a_real_file(real, headers):
    """An issued file extended by somebody: the page tells what is new, and the signed report is no licence."""
    client = real.test_client()
    issued = client.post("/licences", json=sample(real), headers={**headers, "Idempotency-Key": "report"})
    sealed = client.get(f"{issued.get_json()['document']['href']}", headers=headers).data
    extended = sealed + b"\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
    answer = client.post("/verifications", data=extended, content_type="application/pdf").get_json()
    assert answer["shown"]["sealed_sha256"] == hashlib.sha256(sealed).hexdigest()
    page = client.post("/", data={"file": (io.BytesIO(sealed), "a.pdf")}, content_type="multipart/form-data")
    token = re.search(r'name="report" value="([^"]+)"', page.text)[1]
    pdf = client.post("/report", data={"report": token, "kind": "pdf"}).data
    assert pdf.startswith(b"%PDF-1.7")
    judged = client.post("/verifications", data=pdf, content_type="application/pdf").get_json()
    assert judged["authentic"]["indication"] != "TOTAL_PASSED"


def sample(real, slug=TYPE):
    """The type's own sample as a request body."""
    request = real.extensions["elicense"].catalogue[slug].sample_request()
    return {
        "type": request.type,
        "authority_code": request.authority_code,
        "holders": [holder_to_json(holder) for holder in request.holders],
        "fields": json.loads(json.dumps(dict(request.fields))),
        **{
            name: value.isoformat()
            for name in ("valid_from", "valid_until")
            if (value := getattr(request, name)) is not None
        },
    }


@pytest.fixture(scope="module")
def issued(real, headers):
    """One licence issued through the service, and its file."""
    client = real.test_client()
    response = client.post("/licences", json=sample(real), headers={**headers, "Idempotency-Key": "first"})
    assert response.status_code == 201, response.text
    record = response.get_json()
    return record, client.get(record["document"]["href"], headers=headers).data


def verify(real, data):
    """Return the service's report on these bytes."""
    return real.test_client().post("/verifications", data=data, content_type="application/pdf").get_json()


def test_issue_fetch_download_verify(real, headers, issued):
    """What the service issues, the service fetches, and anybody verifies: authentic and in force."""
    record, pdf = issued
    client = real.test_client()
    assert (
        client.get(f"/licences/{record['identifier']}", headers=headers).get_json()["number"]
        == record["number"]
    )
    assert hashlib.sha256(pdf).hexdigest() == record["document"]["sha256"]
    report = verify(real, pdf)
    assert report["authentic"] == {"indication": "TOTAL_PASSED", "sub_indication": None}
    assert report["in_force"]["state"] == "in_force"
    assert report["signatures"][0]["signer"] == record["authority"]["name"]


def test_the_page_says_authentic_and_in_force(real, issued):
    """The page and the API agree, and the scanned code's licence is recognised."""
    record, pdf = issued
    client = real.test_client()
    text = client.post(f"/v/{record['identifier']}", data={"file": (io.BytesIO(pdf), "a.pdf")}).text
    shown_words = (
        "<h1>真实有效</h1>",
        record["number"],
        record["authority"]["name"],
        "正是您所扫描",
        "演示系统",
    )
    for shown in shown_words:
        assert shown in text


def test_one_changed_byte_is_not_authentic(real, issued):
    """A copy with a byte changed under the signature fails, on the page and in the API."""
    _, pdf = issued
    position = pdf.index(b"stream") + 40
    forged = pdf[:position] + bytes([pdf[position] ^ 1]) + pdf[position + 1 :]
    assert verify(real, forged)["authentic"]["indication"] == "TOTAL_FAILED"
    text = real.test_client().post("/", data={"file": (io.BytesIO(forged), "a.pdf")}).text
    assert "真实有效" not in text


@pytest.mark.parametrize("data", [b"", b"hello", b"%PDF-1.7\n%%EOF\n"], ids=["empty", "text", "bare"])
def test_what_is_no_document_gets_a_report(real, data):
    """Junk is a report, not an error, and never authentic."""
    report = verify(real, data)
    assert report["authentic"]["indication"] != "TOTAL_PASSED"
    assert len(report["checks"]) == 12


def test_a_revoked_licence_is_authentic_and_not_in_force(real, headers):
    """Revocation changes the second answer and leaves the first."""
    client = real.test_client()
    key = {"Idempotency-Key": "to-be-revoked"}
    record = client.post("/licences", json=sample(real), headers={**headers, **key}).get_json()
    pdf = client.get(record["document"]["href"], headers=headers).data
    registry = real.extensions["elicense"].registry
    registry.change_state(record["identifier"], LicenceState.REVOKED, reason="示例原因", at=datetime.now(UTC))
    report = verify(real, pdf)
    assert report["authentic"]["indication"] == "TOTAL_PASSED"
    assert report["in_force"]["state"] == "revoked"
    assert "真实但已失效（撤销）" in client.post("/", data={"file": (io.BytesIO(pdf), "a.pdf")}).text


def test_fifty_identical_requests_make_one_licence(real, headers):
    """However often and however concurrently a request comes, one number is spent."""
    body = sample(real)

    def post(_):
        response = real.test_client().post(
            "/licences", json=body, headers={**headers, "Idempotency-Key": "fifty"}
        )
        return response.status_code, response.get_json().get("identifier")

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(post, range(50)))
    assert {status for status, _ in answers} == {201}
    assert len({identifier for _, identifier in answers}) == 1


def test_the_same_key_with_another_body_is_refused(real, headers, issued):
    """422, and the first licence stands."""
    other = sample(real) | {"case_number": "另案-0002"}
    response = real.test_client().post(
        "/licences", json=other, headers={**headers, "Idempotency-Key": "first"}
    )
    assert response.status_code == 422
    assert response.get_json()["code"] == "idempotency_conflict"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"type": "no-such-type"}, "unknown_licence_type"),
        ({"authority_code": "119901010000000000"}, "not_authorised"),
        ({"fields": {}}, "invalid_licence_data"),
        ({"fields": {"no_such_field": "x"}}, "invalid_licence_data"),
        (
            {"holders": [{"name": "样例市测试公司", "code_kind": "001", "code": "91990101MA00000000"}]},
            "invalid_licence_data",
        ),
    ],
)
def test_bad_requests_reserve_nothing(real, headers, change, code):
    """A refusal carries its code and field, and no number is spent."""
    registry = real.extensions["elicense"].registry
    response = real.test_client().post(
        "/licences", json={**sample(real), **change}, headers={**headers, "Idempotency-Key": "bad"}
    )
    assert response.status_code in {403, 422}
    assert response.get_json()["code"] == code
    assert registry.unfinished() == ()


@pytest.mark.parametrize("nasty", ["<img src=/etc/passwd>", "{{7*7}}", "{0.__class__}", "=1+1"])
def test_markup_like_text_stays_text(real, headers, nasty):
    """Values that look like mark-up, templates or formulas come back literally, in JSON and on the page."""
    body = sample(real)
    name = next(
        spec.name
        for spec in real.extensions["elicense"].catalogue[TYPE].fields
        if spec.kind == "text" and spec.pattern is None and spec.printed and spec.max_length >= 30
    )
    body["fields"][name] = nasty
    client = real.test_client()
    response = client.post(
        "/licences", json=body, headers={**headers, "Idempotency-Key": f"nasty-{len(nasty)}"}
    )
    assert response.status_code == 201, response.text
    assert response.get_json()["fields"][name] == nasty
    pdf = client.get(response.get_json()["document"]["href"], headers=headers).data
    text = client.post("/", data={"file": (io.BytesIO(pdf), "a.pdf")}).text
    assert "<h1>真实有效</h1>" in text
    assert "<img src=/etc" not in text


def free_port():
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def process(folder):
    """`python -m service` with one worker, which is the process itself; stopped by its own handle."""
    port = free_port()
    command = [sys.executable, "-m", "service", "--demo", str(folder), "--port", str(port)]
    root = Path(__file__).parents[2]
    environment = {**os.environ, "ELICENSE_WORKERS": "1"}
    with subprocess.Popen(
        command, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        line = server.stdout.readline()
        yield port, line
        # It cannot renew itself, says so and goes on; asked to end it ends well.
        server.send_signal(signal.SIGHUP)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live", timeout=20) as response:
            assert response.status == 200
        server.terminate()
        _, said = server.communicate(timeout=20)
        assert server.returncode == 0
        assert "cannot renew itself" in said
        assert "worker" not in said.replace("several workers", "")


def test_the_process_prints_its_address_and_is_alive(process):
    """The first line printed is the verify page's address, on loopback, and it answers."""
    port, line = process
    assert f"http://127.0.0.1:{port}/" in line
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=20) as response:
        assert json.load(response)["status"] == "ready"


def test_the_process_listens_on_loopback_only(process):
    """No other address of this machine answers on its port."""
    port, _ = process
    listening = Path("/proc/net/tcp").read_text().splitlines()[1:]
    addresses = {
        fields[1].split(":")[0]
        for fields in map(str.split, listening)
        if fields[1].endswith(f":{port:04X}") and fields[3] == "0A"
    }
    assert addresses == {"0100007F"}


def test_a_hundred_megabytes_are_refused_before_they_are_read(process):
    """The server answers 413 with INDETERMINATE to the headers alone."""
    port, _ = process
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(
            b"POST /verifications HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/pdf\r\n"
            b"Content-Length: 104857600\r\nExpect: 100-continue\r\n\r\n"
        )
        answer = b""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and (part := connection.recv(65536)):
            answer += part
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"application/problem+json" in answer
    assert b'"indication": "INDETERMINATE"' in answer


def refused(folder, port, workers=1):
    """Return what the service says when it does not start."""
    command = [sys.executable, "-m", "service", "--demo", str(folder), "--port", str(port)]
    environment = {**os.environ, "ELICENSE_WORKERS": str(workers)}
    done = subprocess.run(
        command, cwd=Path(__file__).parents[2], env=environment,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("workers", [1, 2])
def test_a_wrong_folder_does_not_start(tmp_path, workers):
    """A folder that is no demonstration is refused in one plain sentence, in both languages, once."""
    said = refused(tmp_path, free_port(), workers)
    assert said.count("make it with `elicense demo`") == 1
    assert said.count("请先运行 elicense demo") == 1


def test_a_wrong_or_taken_port_does_not_start(folder):
    """Port 0 is none to tell anybody; one that is taken is said to be taken, whatever the number of workers."""
    assert "the port must be 1 to 65535" in refused(folder, 0)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "choose another with --port" in refused(folder, taken.getsockname()[1], workers=2)
