"""Requests made from the API description: no crash, and nothing that the description does not say."""

from __future__ import annotations

from types import SimpleNamespace

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from service import create_app
from service.auth import Department, Departments, digest_of
from service.config import Settings
from service.services import Services
from tests.service.fakes import AUTHORITY, TOKEN, Fakes

SIXTEEN = settings(
    max_examples=16,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def _service(tmp_path_factory):
    """Return the application with fakes that accept everything."""
    fakes = Fakes()
    services = Services(
        catalogue=SimpleNamespace(types=()),
        registry=fakes.registry,
        store=fakes.store,
        departments=Departments([Department("market", digest_of(TOKEN), frozenset({AUTHORITY.code}))]),
        issue=fakes.issue,
        verify=fakes.verify,
        report_pdf=fakes.report_pdf,
        clock=fakes.clock,
        readiness={},
        close=lambda: None,
        demo=False,
    )
    return create_app(Settings(tmp_path_factory.mktemp("schema")), services)


def test_every_operation_keeps_its_word(tmp_path_factory):
    """Sixteen generated requests to each operation: answers have documented statuses, types and shapes."""
    schema = schemathesis.openapi.from_wsgi("/openapi.json", _service(tmp_path_factory))
    seen = [answer for one in schema.get_all_operations() for answer in _exercised(one.ok())]
    assert len({label for label, _ in seen}) == 4
    assert len(seen) >= 50
    assert all(status < 500 for _, status in seen)


def _exercised(operation):
    """Return the operation's name and the status of every answer, each checked against the description."""
    seen = []

    @SIXTEEN
    @given(case=operation.as_strategy())
    def exercise(case):
        response = case.call(headers={"Authorization": f"Bearer {TOKEN}"})
        case.validate_response(response)
        seen.append((operation.label, response.status_code))

    exercise()
    return seen
