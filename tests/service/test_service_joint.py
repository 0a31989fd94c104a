"""Joint documents through the service, with a real demo behind it: who may make several departments seal."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

import pytest

from elicense import demo
from elicense.catalogue import Catalogue, templates_folder
from elicense.encoding import holder_to_json
from service import create_app
from service.config import Settings

TYPE = Catalogue.load(templates_folder())["joint-approval-document"]
ASKED = TYPE.sample_request()
BODY = {
    "type": TYPE.slug,
    "authority_code": ASKED.authority_code,
    "joint_authority_codes": list(ASKED.joint_authority_codes),
    "holders": [holder_to_json(holder) for holder in ASKED.holders],
    "fields": dict(ASKED.fields),
}
CODES = [ASKED.authority_code, *ASKED.joint_authority_codes]


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """The application over a demonstration with two departments: one for all three authorities, one for the first."""
    folder = tmp_path_factory.mktemp("joint") / "demo"
    demo.build(folder, at=datetime.now(UTC))
    departments = [
        {"name": name, "authorities": codes, "token_sha256": hashlib.sha256(name.encode()).hexdigest()}
        for name, codes in (("all", CODES), ("first", CODES[:1]))
    ]
    listed = {"schema": "elicense/departments/1", "departments": departments}
    (folder / "departments.json").write_text(json.dumps(listed), "utf-8")
    made = create_app(Settings(folder))
    yield made
    made.extensions["elicense"].close()


def ask(app, token, body=BODY):
    """Return the answer to a request for a joint document."""
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "joint"}
    return app.test_client().post("/licences", json=body, headers=headers)


def test_who_may_act_for_every_authority_gets_the_document(app):
    """All three seal, and the answer is one issued document."""
    answer = ask(app, "all")
    assert answer.status_code == 201, answer.get_json()
    record = app.extensions["elicense"].registry.get(answer.get_json()["identifier"])
    assert [one.code for one in record.licence.authorities] == CODES
    assert len(record.interim) == 2


def test_who_may_act_for_one_authority_makes_no_other_seal(app):
    """A department that may act for the first alone is refused, and nothing is reserved."""
    answer = ask(app, "first")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "not_authorised")
    assert app.extensions["elicense"].registry.find_request(CODES[0], "first/joint") is None


def test_more_codes_than_any_type_takes_are_refused(app):
    """The schema bounds the list."""
    answer = ask(app, "all", {**BODY, "joint_authority_codes": CODES * 3})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid_request")
