"""OCSP answers and validation data out of documents: what counts, and what says nothing."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from elicense.pki.evidence import NO_EVIDENCE, Evidence, alone
from elicense.pki.material import MOST_VALUES, gather
from elicense.pki.ocsp import read_answers
from elicense.pki.paths import PathStatus, find_path
from elicense.pki.throwaway import make_pki
from tests.support.ocsp import answer, delegate
from tests.support.pki import AT, AUTHORITY, AUTHORITY_CODE, SEAL_NUMBER, pki, seal_identity, store

if TYPE_CHECKING:
    from datetime import datetime

    from elicense.pki.paths import PathResult
    from elicense.pki.trust import TrustStore

DAY = timedelta(days=1)
LEAF = seal_identity().certificate
ISSUER = pki().issuing.certificate
ROOT_LIST = pki().crls[:1]
RESPONDER = delegate(pki())


def ask(*ocsps: bytes, at: datetime = AT, trust: TrustStore | None = None) -> PathResult:
    """Return the answer about LEAF when only the root's list and these OCSP answers are at hand."""
    trust = trust or replace(store(), crls=ROOT_LIST)
    return find_path(LEAF, (ISSUER,), replace(trust, ocsps=ocsps), at)


def der(*items: x509.Certificate | x509.CertificateRevocationList) -> tuple[bytes, ...]:
    """Return the DER of each."""
    return tuple(item.public_bytes(Encoding.DER) for item in items)


@pytest.mark.parametrize("responder", [RESPONDER, pki().issuing], ids=["delegate", "issuer"])
@pytest.mark.parametrize("algorithm", [hashes.SHA1(), hashes.SHA256()], ids=lambda one: one.name)  # noqa: S303
def test_a_good_answer_counts_like_a_list(responder, algorithm):
    """An answer of the issuer or its delegate, whatever the hash of its certificate id, makes the path valid."""
    result = ask(answer(LEAF, ISSUER, responder, AT, algorithm=algorithm))
    assert (result.status, result.revoked_at) == (PathStatus.VALID, None)
    assert result.certificates == der(LEAF, ISSUER, pki().root.certificate)
    assert ask().status is PathStatus.NO_REVOCATION_DATA


def test_answers_serve_authorities_too():
    """With answers about leaf and issuing authority, no list is needed at all."""
    top = answer(ISSUER, pki().root.certificate, pki().root, AT)
    trust = replace(store(), crls=())
    assert ask(answer(LEAF, ISSUER, RESPONDER, AT), top, trust=trust).status is PathStatus.VALID
    assert ask(top, trust=trust).status is PathStatus.NO_REVOCATION_DATA


def test_an_answer_counts_in_its_time_and_for_the_time_before():
    """Up to its next update an answer counts, and for moments before it; afterwards it is stale."""
    good = answer(LEAF, ISSUER, RESPONDER, AT, days=1)
    assert ask(good, at=AT - DAY / 2).status is PathStatus.VALID
    assert ask(good, at=AT + DAY).status is PathStatus.VALID
    late = ask(good, at=AT + 2 * DAY)
    assert (late.status, late.detail) == (
        PathStatus.STALE_REVOCATION_DATA,
        "revocation data out of date since 2026-03-03T01:30:00Z",
    )
    endless = answer(LEAF, ISSUER, RESPONDER, AT, days=None)
    assert ask(endless).status is PathStatus.VALID
    assert ask(endless, at=AT + DAY).status is PathStatus.NO_REVOCATION_DATA


def test_a_revocation_is_told_with_its_time_and_reason():
    """Revoked at the asked second or before is REVOKED; later it is VALID, and known to be revoked since."""
    revoked = answer(LEAF, ISSUER, RESPONDER, AT + DAY, revoked_at=AT, reason=x509.ReasonFlags.key_compromise)
    result = ask(revoked)
    assert (result.status, result.revoked_at, result.revocation_reason) == (
        PathStatus.REVOKED,
        AT,
        "key_compromise",
    )
    result = ask(revoked, at=AT - timedelta(seconds=1))
    assert (result.status, result.revoked_at, result.revocation_reason) == (
        PathStatus.VALID,
        AT,
        "key_compromise",
    )


def test_a_revocation_is_heard_beside_a_list_that_does_not_know_it():
    """A current list calls the certificate good, a later answer revokes it: the revocation counts."""
    revoked = answer(LEAF, ISSUER, RESPONDER, AT + DAY / 4, revoked_at=AT + DAY / 8)
    assert ask(revoked, trust=store(), at=AT + DAY).status is PathStatus.REVOKED
    listed = replace(store(), crls=pki().with_crls({LEAF.serial_number: AT}, at=AT).crls)
    good = answer(LEAF, ISSUER, RESPONDER, AT + DAY)
    assert ask(good, trust=listed, at=AT + DAY).status is PathStatus.REVOKED


TWIN = make_pki(at=AT)
OTHER = pki().seal(SEAL_NUMBER, AUTHORITY, AUTHORITY_CODE).certificate


@pytest.mark.parametrize(
    "make",
    [
        lambda: answer(LEAF, ISSUER, RESPONDER, AT, status=ocsp.OCSPCertStatus.UNKNOWN),
        lambda: answer(OTHER, ISSUER, RESPONDER, AT),
        lambda: answer(LEAF, pki().root.certificate, RESPONDER, AT),
        lambda: answer(LEAF, ISSUER, TWIN.issuing, AT),
        lambda: answer(LEAF, ISSUER, delegate(TWIN), AT),
        lambda: answer(LEAF, ISSUER, seal_identity(), AT),
        lambda: answer(LEAF, ISSUER, delegate(pki(), purpose=ExtendedKeyUsageOID.TIME_STAMPING), AT),
        lambda: answer(LEAF, ISSUER, delegate(pki(), valid_until=AT - DAY / 2), AT),
        lambda: answer(LEAF, ISSUER, delegate(pki(), valid_from=AT + DAY, valid_until=AT + 2 * DAY), AT),
        lambda: answer(LEAF, ISSUER, delegate(pki(), unchecked=False), AT),
        lambda: answer(
            LEAF, ISSUER, RESPONDER, AT,
            extension=(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True),
        ),
        lambda: ocsp.OCSPResponseBuilder.build_unsuccessful(
            ocsp.OCSPResponseStatus.TRY_LATER
        ).public_bytes(Encoding.DER),
        lambda: b"",
        lambda: b"\x30\x03\x0a\x01\x00",
        lambda: answer(LEAF, ISSUER, RESPONDER, AT)[:-40],
        lambda: answer(LEAF, ISSUER, RESPONDER, AT).replace(b"\x30", b"\x31", 3),
    ],
    ids=[
        "unknown", "another certificate", "another issuer", "a twin", "a twin's delegate", "a seal",
        "another purpose", "expired responder", "responder of tomorrow", "responder not looked up",
        "critical extension", "try later", "empty", "hollow", "cut", "bent",
    ],
)  # fmt: skip
def test_whoever_may_not_answer_says_nothing(make):
    """Any other answer neither vouches nor raises."""
    assert ask(make()).status is PathStatus.NO_REVOCATION_DATA


def test_no_changed_byte_of_an_answer_is_believed():
    """With any byte of the signed part changed, the answer is none."""
    good = answer(LEAF, ISSUER, RESPONDER, AT)
    start = good.index(ocsp.load_der_ocsp_response(good).tbs_response_bytes)
    length = len(ocsp.load_der_ocsp_response(good).tbs_response_bytes)
    assert read_answers([good], LEAF, ISSUER)
    for position in range(start, start + length, 3):
        changed = good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :]
        assert not read_answers([changed], LEAF, ISSUER)


def test_a_responder_may_be_looked_up_in_the_list_instead():
    """A responder without the no-check mark is believed if the issuer's list does not name it, marked or not."""
    unmarked = delegate(pki(), unchecked=False)
    serials = {unmarked.certificate.serial_number: AT + DAY, RESPONDER.certificate.serial_number: AT + DAY}
    revoking = pki().with_crls(serials).crls
    for responder in (unmarked, RESPONDER):
        good = answer(LEAF, ISSUER, responder, AT)
        assert read_answers([good], LEAF, ISSUER, crls=pki().crls[1:])
        assert not read_answers([good], LEAF, ISSUER, crls=revoking[1:])


def test_an_answer_from_after_the_expiry_proves_nothing():
    """An answer first given when the certificate had expired does not vouch for it."""
    short = pki().seal(SEAL_NUMBER, AUTHORITY, AUTHORITY_CODE, valid_until=AT + DAY).certificate
    for moment, expected in ((AT, PathStatus.VALID), (AT + 2 * DAY, PathStatus.NO_REVOCATION_DATA)):
        trust = replace(store(), crls=ROOT_LIST, ocsps=(answer(short, ISSUER, RESPONDER, moment),))
        assert find_path(short, (ISSUER,), trust, AT).status is expected


def test_a_store_with_answers_can_be_handed_to_a_worker():
    """Answers survive pickling."""
    trust = replace(store(), ocsps=(answer(LEAF, ISSUER, RESPONDER, AT),))
    assert pickle.loads(pickle.dumps(trust)) == trust  # noqa: S301


def test_a_document_may_bring_everything_but_the_anchor():
    """With a document's certificates, lists and answers a bare store is enough; without any of them it is not."""
    bare = alone(store())
    lists = Evidence(der(ISSUER), der(*pki().crls))
    answers = Evidence(der(ISSUER), der(*ROOT_LIST), (answer(LEAF, ISSUER, RESPONDER, AT),))
    for whole in (lists, answers):
        assert find_path(LEAF, (), bare, AT, evidence=whole).status is PathStatus.VALID
        assert find_path(LEAF, (), bare, AT, evidence=replace(whole, certificates=())).status is (
            PathStatus.NO_ANCHOR
        )
        for less in (replace(whole, crls=()), replace(whole, crls=whole.crls[:1], ocsps=())):
            assert find_path(LEAF, (), bare, AT, evidence=less).status is PathStatus.NO_REVOCATION_DATA
    assert find_path(
        LEAF, (), replace(bare, anchors=(TWIN.root.certificate,)), AT, evidence=lists
    ).status is (PathStatus.NO_ANCHOR)


def test_revocations_in_a_document_count():
    """A list that came with the document revokes although the store's own list does not."""
    revoking = pki().with_crls({LEAF.serial_number: AT}, at=AT).crls
    evidence = Evidence(crls=der(*revoking))
    assert find_path(LEAF, (ISSUER,), store(), AT, evidence=evidence).status is PathStatus.REVOKED


@pytest.mark.parametrize("junk", [b"", b"\x30\x00", der(*pki().crls)[0][:-9], b"%PDF", bytes(64)])
def test_junk_in_a_document_changes_nothing(junk):
    """What cannot be read, or is of nobody at hand, neither helps nor harms, in any place."""
    twins = der(*TWIN.with_crls({LEAF.serial_number: AT - DAY}).crls)
    evidence = Evidence((junk, *der(TWIN.issuing.certificate)), (junk, *twins), (junk,))
    assert find_path(LEAF, (ISSUER,), store(), AT, evidence=evidence).status is PathStatus.VALID
    assert find_path(LEAF, (ISSUER,), alone(store()), AT, evidence=evidence).status is (
        PathStatus.NO_REVOCATION_DATA
    )


def test_a_crowd_in_a_document_is_refused():
    """More values than any document of ours brings are not looked at."""
    crowd = Evidence(ocsps=tuple(b"%d" % n for n in range(MOST_VALUES + 1)))
    assert find_path(LEAF, (ISSUER,), store(), AT, evidence=crowd).status is PathStatus.INVALID


def test_what_is_gathered_is_enough_and_no_more():
    """Gathered data prove the path alone, each value once; what the document has is not gathered again."""
    other = make_pki(at=AT)
    trust = replace(store(), crls=(*other.crls, *pki().with_crls(at=AT - DAY).crls, *pki().crls))
    path = find_path(LEAF, (ISSUER,), trust, AT).certificates
    found = gather(path, trust, AT)
    assert found == Evidence(path, der(*reversed(pki().crls)))
    assert find_path(LEAF, (), alone(trust), AT, evidence=found).status is PathStatus.VALID
    assert not gather(path, trust, AT, have=found)
    second = find_path(OTHER, (ISSUER,), trust, AT).certificates
    assert gather(second, trust, AT, have=found) == Evidence(der(OTHER))


def test_answers_are_gathered_where_there_is_no_list():
    """An OCSP answer is taken for a certificate whose issuer has no list at hand."""
    good = answer(LEAF, ISSUER, RESPONDER, AT)
    trust = replace(store(), crls=ROOT_LIST, ocsps=(good,))
    path = find_path(LEAF, (ISSUER,), trust, AT).certificates
    found = gather(path, trust, AT)
    assert found == Evidence(path, der(*ROOT_LIST), (good,))
    assert find_path(LEAF, (), alone(trust), AT, evidence=found).status is PathStatus.VALID
    assert gather(path, alone(trust), AT) == Evidence(path)
    assert not NO_EVIDENCE
