"""Sizes by rank, and whether a seal may be used now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from seal_samples import round_art

from elicense.errors import SealError
from elicense.model import AuthorityLevel
from elicense.seal.checks import check_usable
from elicense.seal.model import Seal, SealCentre
from elicense.seal.sizes import MAX_INSTITUTION_MM, SealBody, diameter_for, size_for

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 12, 31, 23, 59, 59, tzinfo=UTC)
OWNER, USE, CERTIFICATE = "11990101MB0000001X", "电子证照专用章", "ab" * 32
SEAL = Seal(
    "99010100000015",
    "样例市市场监督管理局电子证照专用章",
    USE,
    OWNER,
    round_art(),
    START,
    END,
    ("cd" * 32, CERTIFICATE),
)


def usable(*, certificate=CERTIFICATE, at=START, authority_code=OWNER, use=USE):
    """Check the seal with one thing changed."""
    check_usable(SEAL, certificate, at, authority_code=authority_code, use=use)


@pytest.mark.parametrize("at", [START, START + timedelta(days=400), END])
def test_usable_in_its_time(at):
    """The owner may use the seal from its first to its last moment, whatever the case of the fingerprint."""
    usable(at=at)
    usable(at=at, certificate=CERTIFICATE.upper())


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"at": START - timedelta(seconds=1)}, "valid_until", "2026-01-01"),
        ({"at": END + timedelta(seconds=1)}, "valid_until", "2028-12-31"),
        ({"authority_code": "11990101MB00000020"}, "authority_code", OWNER),
        ({"use": "行政审批专用章"}, "use", "行政审批专用章"),
        ({"certificate": "ef" * 32}, "certificates", "ef" * 32),
    ],
)
def test_not_usable(change, field, said):
    """Out of date, another's, for another use, or signed by an unlisted certificate: refused by name."""
    with pytest.raises(SealError) as refusal:
        usable(**change)
    assert refusal.value.field == field
    assert said in refusal.value.en
    assert said in refusal.value.zh


@pytest.mark.parametrize(
    ("level", "body", "diameter"),
    [
        (AuthorityLevel.NATIONAL, SealBody.GOVERNMENT, 60),
        (AuthorityLevel.NATIONAL, SealBody.DEPARTMENT, 50),
        (AuthorityLevel.PROVINCE, SealBody.GOVERNMENT, 50),
        (AuthorityLevel.CITY, SealBody.GOVERNMENT, 45),
        (AuthorityLevel.COUNTY, SealBody.GOVERNMENT, 45),
        (AuthorityLevel.TOWN, SealBody.GOVERNMENT, 42),
    ],
)
def test_diameters_of_the_rule(level, body, diameter):
    """Governments and ministries have the diameters the rule gives, and the emblem's place in the middle."""
    assert diameter_for(level, body) == diameter
    assert size_for(level, body).centre is SealCentre.EMBLEM
    assert not size_for(level, body).at_most


@pytest.mark.parametrize("level", list(AuthorityLevel))
def test_departments_stay_within_the_bound(level):
    """Every level has a department's or institution's size; local ones stay within 45 mm and bear a star."""
    size = size_for(level)
    if level is not AuthorityLevel.NATIONAL:
        assert size.diameter <= MAX_INSTITUTION_MM
        assert size.centre is SealCentre.STAR
    assert size_for(level, SealBody.INSTITUTION).diameter <= MAX_INSTITUTION_MM


def test_an_institution_is_no_government():
    """Asking for the government's seal of an institution is refused."""
    with pytest.raises(SealError, match="level of the government"):
        size_for(AuthorityLevel.INSTITUTION, SealBody.GOVERNMENT)
