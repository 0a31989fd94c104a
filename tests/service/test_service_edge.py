"""What holds for every address: hosts, headers, errors, the API description, health, settings, tokens."""

from __future__ import annotations

import json
import stat

import pytest
from openapi_spec_validator import validate

from elicense.errors import ConfigurationError
from service.api.schemas import IssueHeaders, VerifyQuery
from service.auth import demo_token, digest_of, load_departments
from service.config import Settings, read_settings


@pytest.mark.parametrize(
    "path", ["/", "/v/x", "/licences/x", "/openapi.json", "/static/verify.css", "/nowhere"]
)
def test_every_answer_is_hardened(client, path):
    """Headers against framing, sniffing, leaking and foreign content are on every answer, errors included."""
    with client.get(path) as response:
        headers = response.headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/", "/openapi.json", "/verifications", "/licences"])
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "localhost@evil.example"])
def test_a_foreign_host_is_refused(client, path, host):
    """The service answers to its own names only, and says so without repeating the other."""
    response = client.get(path, headers={"Host": host})
    assert response.status_code == 400
    assert "evil" not in response.text


def test_own_hosts_are_answered(client):
    """The trusted names work with any port."""
    for host in ("127.0.0.1:8000", "localhost", "localhost:1"):
        assert client.get("/", headers={"Host": host}).status_code == 200


def test_unknown_addresses_answer_in_the_callers_form(client):
    """A program gets a problem document, a browser a page."""
    assert client.get("/nowhere").mimetype == "application/problem+json"
    page = client.get("/nowhere", headers={"Accept": "text/html,*/*;q=0.8"})
    assert page.status_code == 404
    assert page.mimetype == "text/html"


def test_a_wrong_method_names_the_right_ones(client):
    """405 carries Allow."""
    response = client.delete("/verifications")
    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]
    assert response.mimetype == "application/problem+json"


def test_the_api_description_is_valid(client):
    """/openapi.json is OpenAPI 3.1, and every error is documented as the media type it really has."""
    document = client.get("/openapi.json").get_json()
    validate(document)
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {
        "/licences",
        "/licences/{identifier}",
        "/licences/{identifier}/document",
        "/verifications",
    }
    for item in document["paths"].values():
        for operation in item.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    assert list(response["content"]) == ["application/problem+json"]


def test_the_schema_of_headers_is_made_once():
    """What the framework asks for at every request is made at the first, and is what pydantic makes."""
    assert IssueHeaders.model_json_schema() is IssueHeaders.model_json_schema()
    assert IssueHeaders.model_json_schema() == IssueHeaders.model_json_schema(by_alias=True)
    assert VerifyQuery.model_json_schema() != IssueHeaders.model_json_schema()


def test_the_description_says_who_needs_a_token(client):
    """Licences need a department's token, verifications none."""
    paths = client.get("/openapi.json").get_json()["paths"]
    assert paths["/licences"]["post"]["security"] == [{"department": []}]
    assert "security" not in paths["/verifications"]["post"]


def test_health(client, fakes):
    """Live answers always; ready names what is not well."""
    assert client.get("/health/live").get_json() == {"status": "live"}
    assert client.get("/health/ready").status_code == 200
    fakes.fail = RuntimeError()
    response = client.get("/health/ready")
    assert response.status_code == 503
    assert response.get_json() == {"status": "not ready", "unwell": ["register"]}
    assert client.get("/health/live").status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"port": 0},
        {"port": 70000},
        {"trusted_hosts": ()},
        {"trusted_hosts": ("",)},
        {"upload_limit": 1},
        {"body_limit": 10**9},
        {"workers": 0},
    ],
)
def test_wrong_settings_do_not_start(tmp_path, wrong):
    """A setting that makes no sense is refused at start."""
    with pytest.raises(ConfigurationError):
        Settings(tmp_path, **wrong)


def test_settings_need_their_folder(tmp_path):
    """A demo folder that does not exist is refused with what to do."""
    with pytest.raises(ConfigurationError, match="elicense demo"):
        Settings(tmp_path / "absent")


def test_settings_from_the_environment(tmp_path):
    """The environment overrides the defaults, and nonsense in it is named by its variable."""
    settings = read_settings(
        tmp_path, 8001, {"ELICENSE_TRUSTED_HOSTS": "a.example, b.example", "ELICENSE_WORKERS": "2"}
    )
    assert (settings.port, settings.trusted_hosts, settings.workers) == (8001, ("a.example", "b.example"), 2)
    with pytest.raises(ConfigurationError, match="ELICENSE_UPLOAD_LIMIT"):
        read_settings(tmp_path, 8001, {"ELICENSE_UPLOAD_LIMIT": "10 MB"})
    with pytest.raises(ConfigurationError, match="trusted host"):
        read_settings(tmp_path, 8001, {"ELICENSE_TRUSTED_HOSTS": ""})


def test_a_demo_token_is_kept_and_private(tmp_path):
    """The token is made once, only its owner can read it, and a damaged file is refused."""
    path = tmp_path / "token"
    token = demo_token(path)
    assert demo_token(path) == token
    assert len(token) >= 43
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("short\n")
    with pytest.raises(ConfigurationError, match="damaged"):
        demo_token(path)


def test_departments_on_file(tmp_path):
    """A departments file holds hashes only, and its token opens the right department."""
    path = tmp_path / "departments.json"
    one = {"name": "a", "token_sha256": digest_of("t" * 43), "authorities": ["1" * 18]}
    path.write_text(json.dumps({"schema": "elicense/departments/1", "departments": [one]}))
    assert load_departments(path).by_token("t" * 43).name == "a"


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "{}",
        '{"schema": "other", "departments": []}',
        '{"schema": "elicense/departments/1", "departments": [{"name": "a", "token_sha256": "t", "authorities": []}]}',
        '{"schema": "elicense/departments/1", "departments": [1]}',
    ],
)
def test_a_broken_departments_file_does_not_start(tmp_path, content):
    """A file of another shape is refused by name."""
    path = tmp_path / "departments.json"
    path.write_text(content)
    with pytest.raises(ConfigurationError, match=r"departments\.json"):
        load_departments(path)
