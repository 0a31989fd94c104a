"""The matrix of what became of a signer's certificate against what proves when he sealed."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from cryptography import x509

from elicense.pki.paths import Purpose
from elicense.pki.throwaway import make_pki
from elicense.pki.trust import TrustStore
from elicense.verification.pipeline import verify
from tests.support.archives import evidence_for, with_evidence, with_timestamp
from tests.support.pki import AT, AUTHORITY, AUTHORITY_CODE, SEAL_NUMBER
from tests.support.tsa import DirectTsa
from tests.unit.verification.minimal_pdf import LICENCE, Draft, sealed
from tests.vectors.minimal import DAY, entry

SEALED, ARCHIVED, ENDED, LOOKED = AT, AT + 5 * DAY, AT + 10 * DAY, AT + 20 * DAY
"""Sealed; made an archive copy; the certificate expired or was revoked; verified."""


@cache
def pki():
    """Return authorities that outlive everything here."""
    return make_pki(at=AT)


@cache
def signer(*, expires: bool):
    """Return the seal's certificate, which may expire at ENDED."""
    until = ENDED if expires else None
    return pki().seal(SEAL_NUMBER, AUTHORITY, AUTHORITY_CODE, valid_until=until)


@cache
def tsa() -> DirectTsa:
    """Return the timestamp authority at the moment of sealing."""
    return DirectTsa(at=SEALED, identity=pki().timestamp_authority())


@cache
def document(proof: str, *, expires: bool, claimed: object = SEALED) -> bytes:
    """Return a sealed licence with no proof of time, a signature timestamp, or as a B-LTA archive copy."""
    draft = Draft(licence=replace(LICENCE, signing_time=claimed.replace(microsecond=0)))
    data = sealed(draft, signer(expires=expires).signer(), timestamps=None if proof == "none" else tsa())
    if proof != "archive":
        return data
    store = TrustStore((pki().root.certificate,), crls=pki().with_crls(at=ARCHIVED).crls)
    who = (signer(expires=expires), Purpose.SEAL), (tsa().identity, Purpose.TIMESTAMP)
    held = evidence_for(*who, trust=store, at=ARCHIVED)
    return with_timestamp(with_evidence(data, held), replace(tsa(), at=ARCHIVED))


def store(fate: str, when: object = ENDED) -> TrustStore:
    """Return anchors, the rights, and the lists of the first day and of the day of looking."""
    identity = signer(expires=fate == "expired")
    revoked = {identity.certificate.serial_number: when} if fate in {"revoked", "compromised"} else {}
    reason = x509.ReasonFlags.key_compromise if fate == "compromised" else x509.ReasonFlags.superseded
    newest = pki().with_crls(revoked, at=LOOKED - DAY, reason=reason)
    return TrustStore(
        (pki().root.certificate,), crls=(*pki().crls, *newest.crls), register=(entry(identity),)
    )


MATRIX = {
    ("valid", "none"): "TOTAL_PASSED/None/B-B",
    ("valid", "timestamp"): "TOTAL_PASSED/None/B-T",
    ("valid", "archive"): "TOTAL_PASSED/None/B-LTA",
    ("expired", "none"): "INDETERMINATE/OUT_OF_BOUNDS_NO_POE/B-B",
    ("expired", "timestamp"): "TOTAL_PASSED/None/B-T",
    ("expired", "archive"): "TOTAL_PASSED/None/B-LTA",
    ("revoked", "none"): "INDETERMINATE/REVOKED_NO_POE/B-B",
    ("revoked", "timestamp"): "TOTAL_PASSED/None/B-T",
    ("revoked", "archive"): "TOTAL_PASSED/None/B-LTA",
    ("compromised", "none"): "INDETERMINATE/REVOKED_NO_POE/B-B",
    ("compromised", "timestamp"): "TOTAL_PASSED/None/B-T",
    ("compromised", "archive"): "TOTAL_PASSED/None/B-LTA",
}


@pytest.mark.parametrize(("fate", "proof"), MATRIX)
def test_fate_of_the_certificate_against_proof_of_time(fate: str, proof: str, in_process: object) -> None:
    """Without proof only a certificate that is good now will do; a proof from before its end outlives it."""
    data = document(proof, expires=fate == "expired")
    report = verify(data, trust=store(fate), at=LOOKED, sandbox=in_process)
    found = f"{report.indication}/{report.sub_indication}/{report.signatures[0].profile}"
    assert found == MATRIX[fate, proof], [one.reason for one in report.checks if one.reason]


@pytest.mark.parametrize("fate", ["revoked", "compromised"])
@pytest.mark.parametrize("proof", ["timestamp", "archive"])
def test_a_proof_from_after_the_revocation_proves_nothing(fate: str, proof: str, in_process: object) -> None:
    """Revoked a day before the timestamp: the seal may be older, so it is undecided and not called wrong."""
    draft_time = SEALED - 2 * DAY
    data = document(proof, expires=False, claimed=draft_time)
    report = verify(data, trust=store(fate, SEALED - DAY), at=LOOKED, sandbox=in_process)
    assert (report.indication, report.sub_indication) == ("INDETERMINATE", "REVOKED_NO_POE")


@pytest.mark.parametrize("fate", ["revoked", "compromised"])
def test_a_seal_that_says_itself_it_is_from_after_the_revocation_fails(fate: str, in_process: object) -> None:
    """Claimed and proven after the revocation: the signer's own word is the proof."""
    data = document("timestamp", expires=False)
    report = verify(data, trust=store(fate, SEALED - DAY), at=LOOKED, sandbox=in_process)
    assert (report.indication, report.sub_indication) == ("TOTAL_FAILED", "REVOKED")


def test_a_timestamp_from_after_the_expiry_proves_nothing(in_process: object) -> None:
    """An archive timestamp made when the certificate had expired leaves the licence undecided."""
    late = with_timestamp(document("none", expires=True), replace(tsa(), at=ENDED + DAY))
    report = verify(late, trust=store("expired"), at=LOOKED, sandbox=in_process)
    assert (report.indication, report.sub_indication) == ("INDETERMINATE", "OUT_OF_BOUNDS_NO_POE")


def test_the_three_readings_of_time_are_said_apart(in_process: object) -> None:
    """Claimed, proven and now are three moments, and each is reported as what it is."""
    report = verify(document("archive", expires=False), trust=store("valid"), at=LOOKED, sandbox=in_process)
    (seal,) = report.signatures
    assert (seal.claimed_time, seal.proven_time, report.verified_at) == (
        SEALED.replace(microsecond=0), SEALED, LOOKED,
    )  # fmt: skip
