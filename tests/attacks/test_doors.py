"""Every vector gets the same verdict from the command line and from the service as from the library.

The library judges each forgery of each licence type (tests/unit/verification/test_vectors.py); here every forgery goes
through both doors once, the licence types taking turns. A few go over HTTP in test_front_doors.py.
"""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

import service.wiring
from elicense.cli import run
from elicense.verification.pipeline import verify
from elicense.verification.report import Indication
from elicense.verification.sandbox import Sandbox
from service import create_app
from service.config import Settings
from service.wiring import wire
from tests.support import demonstration
from tests.vectors.generate import VECTORS, Vector, load_cases, write_trust

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from flask.testing import FlaskClient

    from elicense.pki.trust import TrustStore
    from tests.vectors.generate import Case

CASES = load_cases()
STATUS = {"TOTAL_PASSED": 0, "TOTAL_FAILED": 1, "INDETERMINATE": 3}


def taken(number: int, case: Case) -> Vector:
    """Return the vector of a case; the licence types take turns."""
    subjects = VECTORS[case.name].subjects or ("",)
    return VECTORS[case.name](subjects[number % len(subjects)])


PAIRS = [pytest.param(number, case, id=case.name) for number, case in enumerate(CASES)]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One warm sandbox for both doors."""
    with Sandbox() as opened:
        opened.warm_up()
        yield opened


@pytest.fixture(scope="module")
def trusts(tmp_path_factory: pytest.TempPathFactory) -> dict[int, tuple[TrustStore, Path]]:
    """Trust stores that were written, by identity; each with itself, so that the identity stays its own."""
    return {0: (None, tmp_path_factory.mktemp("trust"))}  # type: ignore[dict-item]


@pytest.mark.parametrize(("number", "case"), PAIRS)
def test_the_command_line_says_the_verdict(
    number: int,
    case: Case,
    sandbox: Sandbox,
    trusts: dict[int, tuple[TrustStore, Path]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit status and JSON are the case's verdict."""
    vector = taken(number, case)
    monkeypatch.setattr("elicense.cli.verify.Sandbox", lambda: nullcontext(sandbox))
    if id(vector.trust) not in trusts:
        trusts[id(vector.trust)] = vector.trust, write_trust(trusts[0][1], str(len(trusts)), vector.trust)
    (file := tmp_path / "x.pdf").write_bytes(vector.data)
    trust = str(trusts[id(vector.trust)][1])
    status = run(["verify", "--json", "--trust", trust, "--at", vector.at.isoformat(), str(file)])
    said = json.loads(capsys.readouterr().out)
    assert said["authentic"] == {"indication": case.indication, "sub_indication": case.sub_indication}
    expired = case.indication == "TOTAL_PASSED" and case.in_force != "not_known"
    assert status == (4 if expired else STATUS[case.indication])


@dataclass
class Desk:
    """What the service believes and which moment it lives in; each test says so."""

    vector: Vector | None = None

    def now(self) -> datetime:
        """Return the moment of the vector at hand."""
        return self.vector.at if self.vector else demonstration.AT


@pytest.fixture(scope="module")
def desk() -> Desk:
    """Return a desk without a vector."""
    return Desk()


@pytest.fixture(scope="module")
def client(desk: Desk, sandbox: Sandbox) -> Iterator[FlaskClient]:
    """A caller of the wired service, whose trust is the vector's."""

    def judged(data: bytes, **given: object) -> object:
        return verify(data, **{**given, "trust": desk.vector.trust, "sandbox": sandbox})

    settings = Settings(demonstration.folder(), upload_limit=64 * 1024 * 1024)
    services = wire(settings, clock=desk.now)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(service.wiring, "verify", judged)
        yield create_app(settings, services).test_client()
    services.close()


@pytest.mark.parametrize(("number", "case"), PAIRS)
def test_the_service_says_the_verdict(number: int, case: Case, client: FlaskClient, desk: Desk) -> None:
    """The answer to an upload is the case's verdict."""
    desk.vector = taken(number, case)
    answer = client.post("/verifications", data=desk.vector.data, content_type="application/pdf")
    assert answer.status_code == 200
    said = answer.get_json()["authentic"]
    assert said == {"indication": case.indication, "sub_indication": case.sub_indication}


@pytest.mark.parametrize(("number", "case"), PAIRS)
def test_no_forgery_passes_under_the_policy_general(number: int, case: Case, sandbox: Sandbox) -> None:
    """Authentic is only what its case says: signed so by its signer, or changed where nothing shows."""
    vector = taken(number, case)
    report = verify(vector.data, trust=vector.trust, at=vector.at, policy="general", sandbox=sandbox)
    assert (report.indication is Indication.TOTAL_PASSED) == case.passes_general
