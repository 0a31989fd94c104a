"""A service around fakes at the protocol seams, for what does not need a real office."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from service import create_app
from service.auth import Department, Departments, digest_of
from service.config import Settings
from service.services import Services
from tests.service.fakes import AUTHORITY, OTHER_TOKEN, PERSON, PERSON_CODE, TOKEN, Fakes


@pytest.fixture
def fakes():
    """What stands in for issuing and verifying."""
    return Fakes()


@pytest.fixture
def settings(tmp_path):
    """Small limits, so that tests reach them."""
    return Settings(tmp_path, upload_limit=128 * 1024, body_limit=64 * 1024)


@pytest.fixture
def app(fakes, settings):
    """The service around the fakes."""
    departments = Departments(
        [
            Department("market", digest_of(TOKEN), frozenset({AUTHORITY.code})),
            Department("planning", digest_of(OTHER_TOKEN), frozenset({"1" * 18})),
        ]
    )
    services = Services(
        catalogue=SimpleNamespace(types=()),
        registry=fakes.registry,
        store=fakes.store,
        departments=departments,
        issue=fakes.issue,
        verify=fakes.verify,
        report_pdf=fakes.report_pdf,
        clock=fakes.clock,
        readiness={"register": lambda at: fakes.fail is None, "certificates": lambda at: True},
        close=lambda: None,
        demo=False,
    )
    return create_app(settings, services)


@pytest.fixture
def client(app):
    """A caller without a browser."""
    return app.test_client()


@pytest.fixture
def bearer():
    """The market department's token."""
    return {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def body():
    """A request body in order."""
    return {
        "type": "food-business-licence",
        "authority_code": AUTHORITY.code,
        "holders": [{"name": PERSON, "code_kind": "111", "code": PERSON_CODE}],
        "fields": {"address": "示例省样例市虚构路九十九号", "items": ["热食", "冷食"]},
        "valid_until": "2031-11-22",
    }


@pytest.fixture
def issued(client, bearer, body):
    """The record of one licence, as the API answered."""
    response = client.post("/licences", json=body, headers={**bearer, "Idempotency-Key": "k1"})
    assert response.status_code == 201
    return response.get_json()
