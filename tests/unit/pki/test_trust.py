"""The path to an anchor at a moment, and the files that say who is trusted."""

from __future__ import annotations

import asyncio
import json
import pickle
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from elicense.errors import CertificatePathError, ConfigurationError
from elicense.pki.keys import fingerprint
from elicense.pki.throwaway import _name, _usage, make_pki
from elicense.pki.trust import (
    PathStatus,
    Purpose,
    TrustEntry,
    TrustStore,
    dump_register,
    find_path,
    load_trust,
    require_path,
)
from tests.support.pki import (
    AT,
    AUTHORITY,
    AUTHORITY_CODE,
    SEAL_NUMBER,
    pki,
    seal_identity,
    store,
    tsa_identity,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from elicense.pki.throwaway import Identity

DAY = timedelta(days=1)
LEAF = seal_identity().certificate
CHAIN = (pki().issuing.certificate,)
ENTRY = TrustEntry(
    AUTHORITY_CODE, AUTHORITY, fingerprint(LEAF), SEAL_NUMBER, ("119900000000000000001",), AT, AT + DAY
)


def status(identity: Identity, trust: TrustStore, at: datetime = AT) -> PathStatus:
    """Return the answer about a certificate that brings its own chain."""
    return find_path(identity.certificate, identity.chain, trust, at).status


def with_lists(**changes: object) -> TrustStore:
    """Return the usual store with lists made by `with_crls`."""
    return replace(store(), crls=pki().with_crls(**changes).crls)


@pytest.mark.parametrize("algorithm", ["p256", "p384", "ed25519", "rsa2048"])
def test_a_good_certificate_has_a_path(algorithm: str) -> None:
    """The path runs from the leaf over the issuing authority to the anchor, as DER."""
    identity = seal_identity(algorithm)
    result = find_path(identity.certificate, identity.chain, store(), AT)
    expected = (identity.certificate, pki().issuing.certificate, pki().root.certificate)
    assert result.status is PathStatus.VALID
    assert result.certificates == tuple(c.public_bytes(Encoding.DER) for c in expected)
    assert result.revoked_at is None


def test_authorities_may_have_other_keys() -> None:
    """Paths below authorities with P-384, RSA and Ed25519 keys are found as well."""
    for algorithm in ("p384", "rsa2048", "ed25519"):
        other = make_pki(at=AT, algorithm=algorithm)
        trust = TrustStore((other.root.certificate,), crls=other.crls)
        assert status(other.seal(SEAL_NUMBER, AUTHORITY, AUTHORITY_CODE), trust) is PathStatus.VALID


def test_the_store_may_bring_the_intermediate() -> None:
    """A leaf that comes alone has a path if the store knows the issuing authority, and none otherwise."""
    trust = replace(store(), intermediates=CHAIN)
    assert find_path(LEAF, (), trust, AT).status is PathStatus.VALID
    assert find_path(LEAF, (), store(), AT).status is PathStatus.NO_ANCHOR


def test_another_pki_of_the_same_names_is_not_trusted() -> None:
    """A look-alike with the same names but other keys has no path."""
    twin = make_pki(at=AT)
    forged = twin.seal(SEAL_NUMBER, AUTHORITY, AUTHORITY_CODE)
    assert status(forged, replace(store(), crls=(*store().crls, *twin.crls))) is not PathStatus.VALID
    assert (
        status(seal_identity(), TrustStore((twin.root.certificate,), crls=twin.crls)) is not PathStatus.VALID
    )


def test_periods_are_inclusive_and_looked_at_in_the_asked_moment() -> None:
    """A certificate is good in its first and last second, and neither a minute before nor after."""
    identity = pki().seal(SEAL_NUMBER, AUTHORITY, AUTHORITY_CODE, valid_from=AT - DAY, valid_until=AT + DAY)
    minute = timedelta(minutes=1)
    assert status(identity, store(), AT - DAY) is PathStatus.VALID
    assert status(identity, store(), AT + DAY) is PathStatus.VALID
    assert status(identity, store(), AT - DAY - minute) is PathStatus.NOT_YET_VALID
    assert status(identity, store(), AT + DAY + minute) is PathStatus.EXPIRED


def test_an_expired_authority_breaks_the_path() -> None:
    """If the issuing authority has expired, the leaf is EXPIRED although its own period runs on."""
    short = make_pki(at=AT, years=2)
    later = AT + 300 * DAY
    trust = TrustStore((short.root.certificate,), crls=short.with_crls(at=AT).crls)
    leaf = short.seal(SEAL_NUMBER, AUTHORITY, AUTHORITY_CODE)
    assert status(leaf, trust, AT - timedelta(hours=1)) is PathStatus.VALID
    assert status(leaf, trust, later) is PathStatus.EXPIRED


def test_revocation_counts_from_its_very_second() -> None:
    """Revoked at the asked second or before is REVOKED; a second later is VALID, but known to be revoked since."""
    trust = with_lists(revoked={LEAF.serial_number: AT}, at=AT + DAY)
    second = timedelta(seconds=1)
    for moment in (AT, AT + second, AT + DAY):
        result = find_path(LEAF, CHAIN, trust, moment)
        assert (result.status, result.revoked_at) == (PathStatus.REVOKED, AT)
    result = find_path(LEAF, CHAIN, trust, AT - second)
    assert (result.status, result.revoked_at) == (PathStatus.VALID, AT)
    assert result.revocation_reason == "cessation_of_operation"


def test_the_reason_of_a_revocation_is_told() -> None:
    """A compromised key is told apart, before and after the moment."""
    trust = with_lists(revoked={LEAF.serial_number: AT}, reason=x509.ReasonFlags.key_compromise)
    assert find_path(LEAF, CHAIN, trust, AT + DAY).revocation_reason == "key_compromise"
    assert find_path(LEAF, CHAIN, trust, AT - DAY / 2).revocation_reason == "key_compromise"


def test_a_revoked_authority_breaks_the_path() -> None:
    """If the root revoked the issuing authority, the leaf is REVOKED."""
    trust = with_lists(revoked={pki().issuing.certificate.serial_number: AT - DAY})
    assert find_path(LEAF, CHAIN, trust, AT).status is PathStatus.REVOKED


def test_no_list_is_no_answer() -> None:
    """Without lists, or with one of the two missing, there is no revocation data, never a good path."""
    for crls in ((), pki().crls[:1], pki().crls[1:]):
        assert status(seal_identity(), replace(store(), crls=crls)) is PathStatus.NO_REVOCATION_DATA


def test_an_old_list_is_stale() -> None:
    """A list whose next update lies before the asked moment is out of date."""
    trust = with_lists(at=AT - 3 * DAY, days=1)
    assert status(seal_identity(), trust) is PathStatus.STALE_REVOCATION_DATA
    assert status(seal_identity(), trust, AT - 3 * DAY / 4) is PathStatus.STALE_REVOCATION_DATA


def test_a_later_list_answers_for_an_earlier_moment() -> None:
    """A list published after the asked moment is used."""
    assert status(seal_identity(), with_lists(at=AT + 30 * DAY)) is PathStatus.VALID


def test_a_list_from_after_the_expiry_proves_nothing() -> None:
    """A list first published when the certificate had expired no longer names it; an archived one decides."""
    identity = pki().seal(SEAL_NUMBER, AUTHORITY, AUTHORITY_CODE, valid_until=AT + DAY)
    late = with_lists(at=AT + 2 * DAY)
    assert status(identity, late) is PathStatus.NO_REVOCATION_DATA
    archived = replace(late, crls=(*late.crls, *pki().crls))
    assert status(identity, archived) is PathStatus.VALID
    serial = identity.certificate.serial_number
    revoking = pki().with_crls({serial: AT - DAY / 2}).crls
    assert status(identity, replace(late, crls=(*late.crls, *revoking))) is PathStatus.REVOKED


def test_a_list_signed_by_somebody_else_is_not_believed() -> None:
    """Lists of a look-alike authority neither revoke nor vouch."""
    twin = make_pki(at=AT)
    forged = twin.with_crls({LEAF.serial_number: AT - DAY}).crls
    assert status(seal_identity(), replace(store(), crls=forged)) is not PathStatus.VALID
    assert status(seal_identity(), replace(store(), crls=(*forged, *store().crls))) is PathStatus.VALID


def leaf_with(*extensions: tuple[x509.ExtensionType, bool]) -> Identity:
    """Return a certificate for a seal that carries just these extensions."""
    return pki().leaf(_name(SEAL_NUMBER, AUTHORITY), extensions=extensions)


def test_certificates_for_other_purposes_do_not_seal() -> None:
    """TLS, timestamp and encryption certificates and authorities themselves are of the WRONG_USAGE."""
    signing = (_usage(digital_signature=True), True)
    tls = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    wrong = [
        leaf_with(signing, (tls, False)),
        leaf_with((_usage(key_encipherment=True), True)),
        leaf_with(signing, (x509.BasicConstraints(ca=True, path_length=None), True)),
        leaf_with(),
        tsa_identity(),
        pki().issuing,
    ]
    assert [status(identity, store()) for identity in wrong] == [PathStatus.WRONG_USAGE] * len(wrong)
    document_signing = x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")])
    assert status(leaf_with(signing, (document_signing, False)), store()) is PathStatus.VALID


def test_unknown_critical_extensions_break_the_path() -> None:
    """A critical extension nobody understands makes the certificate unusable."""
    odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
    identity = leaf_with((_usage(digital_signature=True), True), (odd, True))
    assert status(identity, store()) is PathStatus.INVALID


def test_timestamp_authorities_need_their_own_purpose_and_anchors() -> None:
    """A timestamp authority has a path for stamping alone, below the timestamp anchors if there are any."""
    tsa = tsa_identity()

    def ask(identity: Identity, trust: TrustStore) -> PathStatus:
        return find_path(identity.certificate, identity.chain, trust, AT, purpose=Purpose.TIMESTAMP).status

    assert ask(tsa, store()) is PathStatus.VALID
    assert ask(seal_identity(), store()) is PathStatus.WRONG_USAGE
    elsewhere = replace(store(), timestamp_anchors=(make_pki(at=AT).root.certificate,))
    assert ask(tsa, elsewhere) is not PathStatus.VALID
    assert ask(tsa, replace(elsewhere, anchors=(), timestamp_anchors=store().anchors)) is PathStatus.VALID
    not_critical = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    assert ask(leaf_with((_usage(digital_signature=True), True), (not_critical, False)), store()) is (
        PathStatus.WRONG_USAGE
    )


def test_a_crowd_of_certificates_is_refused() -> None:
    """More certificates than any document of ours brings are not searched."""
    assert find_path(LEAF, CHAIN * 17, store(), AT).status is PathStatus.INVALID


def test_a_moment_without_time_zone_is_a_mistake() -> None:
    """A naive datetime is a TypeError, not an answer."""
    with pytest.raises(TypeError, match="time zone"):
        find_path(LEAF, CHAIN, store(), AT.replace(tzinfo=None))


def test_no_text_of_a_certificate_reaches_the_detail() -> None:
    """The detail never repeats a name from the certificate."""
    evil = pki().leaf(_name("<b>evil</b>", "evil"), valid_until=AT - DAY / 2)
    for trust in (store(), TrustStore(()), replace(store(), crls=())):
        result = find_path(evil.certificate, evil.chain, trust, AT)
        assert result.status is not PathStatus.VALID
        assert "evil" not in result.detail


def test_a_path_is_not_searched_inside_an_event_loop() -> None:
    """Inside a running loop the call is a RuntimeError that says what to do; in a thread beside it, it works."""

    async def inside() -> PathStatus:
        with pytest.raises(RuntimeError, match="to_thread"):
            find_path(LEAF, CHAIN, store(), AT)
        return (await asyncio.to_thread(find_path, LEAF, CHAIN, store(), AT)).status

    assert asyncio.run(inside()) is PathStatus.VALID


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: (LEAF, store(), AT + 800 * DAY), "has expired"),
        (lambda: (LEAF, store(), AT - 800 * DAY), "not yet valid"),
        (lambda: (LEAF, with_lists(revoked={LEAF.serial_number: AT}), AT), "was revoked"),
        (lambda: (LEAF, replace(store(), crls=()), AT), "no revocation list"),
        (lambda: (LEAF, with_lists(at=AT - 3 * DAY, days=1), AT), "out of date"),
        (lambda: (LEAF, TrustStore((LEAF,), crls=store().crls), AT), "cannot be used"),
        (lambda: (tsa_identity().certificate, store(), AT), "not issued for this purpose"),
    ],
)
def test_a_required_path_is_refused_by_name(
    make: Callable[[], tuple[x509.Certificate, TrustStore, datetime]], words: str
) -> None:
    """Issuing is told which certificate cannot be used, why, and in both languages."""
    leaf, trust, at = make()
    if words == "cannot be used":
        trust = replace(trust, anchors=(make_pki(at=AT).root.certificate,))
    with pytest.raises(CertificatePathError, match=words) as caught:
        require_path(leaf, CHAIN, trust, at)
    assert "证书" in caught.value.zh
    name = leaf.subject.get_attributes_for_oid(x509.oid.NameOID.COMMON_NAME)[0].value
    assert name in caught.value.en


def test_a_required_path_is_returned() -> None:
    """A good certificate passes."""
    assert require_path(LEAF, CHAIN, store(), AT).status is PathStatus.VALID


def write_register(folder: Path, **changes: object) -> Path:
    """Write the PKI and a register with one entry; `changes` replace members of the file."""
    pki().write(folder)
    text = dump_register(
        [ENTRY], anchors=["anchors.pem"], intermediates=["intermediates.pem"], crls=["crls.pem"], demo=True
    )
    path = folder / "trust.json"
    path.write_text(json.dumps(json.loads(text) | changes), encoding="utf-8")
    return path


def test_a_trust_register_is_read_back(tmp_path: Path) -> None:
    """A written register gives the same entries, anchors, intermediates, lists and demo mark."""
    trust = load_trust(write_register(tmp_path))
    assert trust.register == (ENTRY,)
    assert trust.demo
    assert trust.anchors == (pki().root.certificate,)
    assert trust.intermediates == CHAIN
    assert trust.crls == pki().crls
    assert trust.entries(fingerprint(LEAF)) == (ENTRY,)
    assert trust.entries("0" * 64) == ()
    assert find_path(LEAF, (), trust, AT).status is PathStatus.VALID


def test_pem_files_give_anchors_and_lists(tmp_path: Path) -> None:
    """PEM files alone say who, not for what; the same anchor twice counts once."""
    pki().write(tmp_path)
    trust = load_trust(tmp_path / "crls.pem", tmp_path / "intermediates.pem", *[tmp_path / "anchors.pem"] * 2)
    assert trust.register is None
    assert not trust.demo
    assert (trust.anchors, trust.intermediates) == ((pki().root.certificate,), CHAIN)
    assert trust.entries(fingerprint(LEAF)) == ()
    assert find_path(LEAF, (), trust, AT).status is PathStatus.VALID


ENTRY_JSON = {
    "authority_code": AUTHORITY_CODE,
    "authority_name": AUTHORITY,
    "certificate": fingerprint(LEAF),
    "seal_number": SEAL_NUMBER,
    "type_codes": ["119900000000000000001"],
    "valid_from": "2026-01-01T00:00:00Z",
    "valid_until": "2026-12-31T23:59:59Z",
}


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": "elicense/trust/2"},
        {"surprise": 1},
        {"demo": "yes"},
        {"anchors": "anchors.pem"},
        {"anchors": ["../anchors.pem"]},
        {"anchors": ["/etc/ssl/anchors.pem"]},
        {"anchors": ["none.pem"]},
        {"anchors": ["issuing.key.pem"]},
        {"anchors": []},
        {"entries": 3},
        {"entries": [7]},
        {"entries": [{}]},
        {"entries": [ENTRY_JSON | {"seal_number": "9901"}]},
        {"entries": [ENTRY_JSON | {"certificate": "AB" * 32}]},
        {"entries": [ENTRY_JSON | {"authority_code": 5}]},
        {"entries": [ENTRY_JSON | {"type_codes": "119900000000000000001"}]},
        {"entries": [ENTRY_JSON | {"valid_from": "2026-01-01"}]},
        {"entries": [ENTRY_JSON | {"valid_from": "2027-01-01T00:00:00Z"}]},
        {"entries": [ENTRY_JSON | {"more": "x"}]},
    ],
)
def test_a_wrong_register_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    """Another schema, unknown members, wrong values, paths outside the folder and keys as anchors are refused."""
    with pytest.raises(ConfigurationError) as caught:
        load_trust(write_register(tmp_path, **changes))
    assert "信任" in caught.value.zh


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"schema": 1, "schema": 1}', b"[]", b"\xff\xfe", b"-----BEGIN X-----"]
)
def test_a_file_that_is_no_trust_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """Empty, broken and foreign files, members given twice, and absent files are ConfigurationError."""
    path = tmp_path / "trust.json"
    path.write_bytes(content)
    for wrong in (path, tmp_path / "none"):
        with pytest.raises(ConfigurationError):
            load_trust(wrong)


def test_nothing_given_is_refused() -> None:
    """Trust without any anchor does not exist."""
    with pytest.raises(ConfigurationError, match="no trust anchor"):
        load_trust()


def test_a_store_crosses_a_process_border() -> None:
    """A pickled store is equal to the original."""
    trust = replace(
        store(), intermediates=CHAIN, register=(ENTRY,), demo=True, timestamp_anchors=store().anchors
    )
    assert pickle.loads(pickle.dumps(trust)) == trust  # noqa: S301


def test_moments_of_a_register_are_utc(tmp_path: Path) -> None:
    """The period of an entry is read as UTC."""
    trust = load_trust(write_register(tmp_path, entries=[ENTRY_JSON]))
    assert trust.register is not None
    assert trust.register[0].valid_until == datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
