"""What other people's programs sign is genuine under the policy general, and nothing once a bit is changed."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import pytest
from producers import PRODUCERS, Foreign

from elicense.verification.pipeline import verify
from elicense.verification.report import Indication
from elicense.verification.sandbox import Sandbox

pytestmark = pytest.mark.interop

BOTH = ("table", "stream")
NAMES = {
    "endesive": ["endesive-plain", "endesive-visible", "endesive-certified"],
    "pyhanko": [
        f"pyhanko-{kind}-{page}"
        for page in BOTH
        for kind in (
            "B", "T", "LT", "LTA", "visible", "certified", "final",
            "two-signers", "certified-then-approved", "prepared-fields",
        )
    ],
    "signpdf": [
        "signpdf-plain-table",
        "signpdf-plain-visible-table",
        "signpdf-pdf-lib-table",
        "signpdf-pdf-lib-visible-stream",
        "signpdf-pdf-lib-cades-stream",
    ],
    "java": [
        f"{kind}-{page}"
        for page in BOTH
        for kind in (
            "pdfbox", "pdfbox-visible", "dss-B", "dss-T", "dss-LT", "dss-LTA", "dss-B-visible", "dss-LTA-visible",
        )
    ],
}  # fmt: skip
FILES = [(producer, name) for producer, names in NAMES.items() for name in names]
TWO = ("two-signers", "certified-then-approved", "prepared-fields")


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Foreign:
    """One PKI for all producers."""
    return Foreign(tmp_path_factory.mktemp("foreign"))


@pytest.fixture(scope="module")
def made(foreign):
    """Files of a producer, made once when first asked for."""
    return cache(lambda producer: PRODUCERS[producer](foreign))


@pytest.fixture(scope="module")
def sandbox():
    """One worker for all files."""
    with Sandbox() as box:
        yield box


def level(name: str) -> set[str]:
    """Return which levels a file may be said to have; who writes no PAdES has none."""
    if name.startswith(("pyhanko", "dss")):
        stated = next((part for part in name.split("-") if part in {"T", "LT", "LTA"}), "B")
        return {f"B-{stated}"}
    return {"CMS", "B-B"}


def now() -> datetime:
    """Return the moment of verification: the producers read the clock, so it cannot be pinned."""
    return datetime.now(UTC)


def spoilt(data: bytes) -> bytes:
    """Return the file with one bit of its first stream changed, which every signature covers."""
    at = data.index(b"stream") + 12
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize("producer", PRODUCERS)
def test_every_file_that_a_producer_makes_is_looked_at(made, producer):
    """No producer makes fewer or other files than the tests below verify."""
    assert sorted(made(producer)) == sorted(NAMES[producer])


@pytest.mark.parametrize(("producer", "name"), FILES, ids=[name for _, name in FILES])
def test_foreign_file_is_genuine(made, foreign, sandbox, producer, name):
    """Every signature passes with its level and kind, the signer known by the anchor alone."""
    data = made(producer)[name]
    report = verify(data, trust=foreign.trust(), at=now(), policy="general", sandbox=sandbox)
    told = [(o.code, o.status.value, o.reason, o.detail) for o in report.checks if o.reason]
    assert report.indication is Indication.TOTAL_PASSED, (report.sub_indication, told)
    assert {signature.indication for signature in report.signatures} == {Indication.TOTAL_PASSED}
    assert len(report.signatures) == (2 if any(kind in name for kind in TWO) else 1)
    assert {signature.profile for signature in report.signatures} <= level(name)
    certifies = "certified" in name or "final" in name
    assert report.signatures[0].kind == ("certification" if certifies else "approval")
    assert all(signature.kind == "approval" for signature in report.signatures[1:])
    proven = report.signatures[0].proven_time
    assert (proven is not None) == bool(level(name) & {"B-T", "B-LT", "B-LTA"})


@pytest.mark.parametrize(("producer", "name"), FILES, ids=[name for _, name in FILES])
def test_foreign_file_with_a_changed_bit_is_not(made, foreign, sandbox, producer, name):
    """One bit of the page's bytes changed makes the same file TOTAL_FAILED."""
    data = spoilt(made(producer)[name])
    report = verify(data, trust=foreign.trust(), at=now(), policy="general", sandbox=sandbox)
    assert report.indication is Indication.TOTAL_FAILED, report.sub_indication


@pytest.mark.parametrize(("producer", "name"), FILES, ids=[name for _, name in FILES])
def test_foreign_file_is_no_licence(made, foreign, sandbox, producer, name):
    """Under the policy licence the same file never passes: it is not one of ours."""
    report = verify(made(producer)[name], trust=foreign.trust(), at=now(), sandbox=sandbox)
    assert report.indication is not Indication.TOTAL_PASSED
    assert report.licence is None
