"""Both roads of a verification: by comparison with what is known, and the whole way; they must say the same."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from elicense.verification.known import Known, Road
from elicense.verification.pipeline import verify
from elicense.verification.report import Indication
from tests.attacks import documents, flips
from tests.support.paths import Remembering

if TYPE_CHECKING:
    from datetime import datetime

    from elicense.pki.trust import TrustStore
    from elicense.verification.report import VerificationReport
    from elicense.verification.sandbox import Reader

READER = Remembering()


@cache
def learned() -> Known:
    """Return what whoever verified each kind of genuine document knows; shared, so that it learns as tests go on."""
    known = Known()
    # Read a second time, by comparison, it teaches the form of its data.
    for subject in (*flips.KINDS, *flips.KINDS):
        data = documents.licence(subject)
        report = verify(data, trust=documents.trust(), at=documents.AT, sandbox=READER, known=known)
        assert report.indication is Indication.TOTAL_PASSED, subject
    return known


def both(
    data: bytes, trust: TrustStore, at: datetime, *, known: Known | None = None, reader: Reader = READER
) -> tuple[VerificationReport, Road]:
    """Return the report that both roads give, and the road that was taken where one was known.

    Raises AssertionError if they differ in anything: verdict, answers, facts or data.
    """
    known = known or learned()
    before = known.roads.copy()
    whole = verify(data, trust=trust, at=at, sandbox=reader, known=None)
    quick = verify(data, trust=trust, at=at, sandbox=reader, known=known)
    (road,) = (known.roads - before).elements()
    assert quick == whole, road
    return quick, road
