"""A list may forget a certificate that has expired: nobody escapes his revocation by waiting for that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from elicense.pki.evidence import Evidence
from elicense.pki.paths import PathStatus, find_path
from elicense.pki.throwaway import Identity, ThrowawayPki, make_pki, seal_subject
from elicense.pki.trust import TrustStore

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SIGNED = START + 50 * DAY
EXPIRY = START + 100 * DAY


@cache
def made() -> tuple[ThrowawayPki, Identity]:
    """Return a PKI and a seal that expires on day 100."""
    made_then = make_pki(at=START)
    subject = seal_subject("99010100000017", "样例单位", "11990101MB00000019")
    return made_then, made_then.leaf(subject, valid_from=START, valid_until=EXPIRY)


def lists(
    day: float, days: float, revoked: float | None = None
) -> tuple[x509.CertificateRevocationList, ...]:
    """Return root's and issuer's list of a day, good for `days`, with the seal revoked on day `revoked`."""
    one, seal = made()
    named = {} if revoked is None else {seal.certificate.serial_number: START + revoked * DAY}
    return one.with_crls(named, at=START + day * DAY, days=days).crls


def status(
    store: tuple[x509.CertificateRevocationList, ...], brought: tuple[x509.CertificateRevocationList, ...]
) -> PathStatus:
    """Return the status at the proven time of signing, day 50."""
    one, seal = made()
    evidence = Evidence(crls=tuple(crl.public_bytes(Encoding.DER) for crl in brought))
    trust = TrustStore((one.root.certificate,), crls=store)
    return find_path(seal.certificate, seal.chain, trust, SIGNED, evidence=evidence).status


def test_an_old_list_does_not_vouch_beside_one_that_forgot() -> None:
    """Revoked on day 40, signed on day 50, dropped from the list after day 100: the list of day 10 proves nothing."""
    assert status(lists(110, 365), lists(10, 7)) is not PathStatus.VALID


@pytest.mark.parametrize("day", [45, 60, 99])
def test_a_list_from_before_expiry_vouches(day: float) -> None:
    """One that was current at the time of signing, or came later but before the expiry, is enough."""
    assert status(lists(110, 365), lists(day, 7)) is PathStatus.VALID


def test_what_any_list_names_is_revoked() -> None:
    """A revocation counts, whichever list at hand names it."""
    assert status(lists(110, 365), lists(60, 7, revoked=40)) is PathStatus.REVOKED
    assert status(lists(110, 365, revoked=40), lists(45, 7)) is PathStatus.REVOKED
    assert status(lists(110, 365, revoked=40), ()) is PathStatus.REVOKED
