"""Trust is by register, not by name: who else holds a good certificate is stopped by check 7, with the reason."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from elicense.pki.throwaway import Identity, _usage, make_pki, seal_subject
from elicense.pki.trust import TrustEntry, TrustStore
from elicense.verification.pipeline import verify
from elicense.verification.report import CheckStatus, Indication, SubIndication
from tests.support.pki import AT, AUTHORITY, AUTHORITY_CODE, SEAL_NUMBER, pki, seal_identity
from tests.unit.verification.minimal_pdf import TYPE_CODE, Draft, sealed

NOW = AT + timedelta(days=8)
OTHER_TYPE = "11990000000000000D002"
WEB = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "scjg.example")])
AUTHORITY_NAME = seal_subject(SEAL_NUMBER, AUTHORITY, AUTHORITY_CODE)


def entry(identity: Identity, **changes: object) -> TrustEntry:
    """Return the line of the register that lets a certificate seal our type for our authority."""
    digest = hashlib.sha256(identity.certificate.public_bytes(Encoding.DER)).hexdigest()
    year = timedelta(days=365)
    line = TrustEntry(AUTHORITY_CODE, AUTHORITY, digest, SEAL_NUMBER, (TYPE_CODE,), AT - year, AT + year)
    return replace(line, **changes)


def store(*entries: TrustEntry) -> TrustStore:
    """Return our anchor and lists, with a register of these lines."""
    return TrustStore((pki().root.certificate,), crls=pki().crls, register=entries)


def web_server(subject: x509.Name) -> Identity:
    """Return the key and certificate of a web server, from the authority that issues the seals too."""
    usage = _usage(digital_signature=True, key_encipherment=True)
    server = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    return pki().leaf(subject, extensions=[(usage, True), (server, False)])


TLS, TLS_OF_OUR_NAME = web_server(WEB), web_server(AUTHORITY_NAME)
TWIN = make_pki(at=AT).seal(SEAL_NUMBER, AUTHORITY, AUTHORITY_CODE)
SECOND = pki().seal(SEAL_NUMBER, AUTHORITY, AUTHORITY_CODE)
OURS = seal_identity()
CHAIN, NOBODY = SubIndication.CHAIN_CONSTRAINTS_FAILURE, SubIndication.NO_CERTIFICATE_CHAIN_FOUND
CASES = {
    "a web server's certificate": (TLS, store(entry(OURS)), CHAIN, "path.wrong_usage"),
    "a web server's with our name": (TLS_OF_OUR_NAME, store(entry(OURS)), CHAIN, "path.wrong_usage"),
    "a web server's that somebody registered": (TLS, store(entry(TLS)), CHAIN, "path.wrong_usage"),
    "the same names from another root": (TWIN, store(entry(OURS)), NOBODY, "path.no_anchor"),
    "the same names from our root": (SECOND, store(entry(OURS)), CHAIN, "path.not_registered"),
    "ours for another type": (OURS, store(entry(OURS, type_codes=(OTHER_TYPE,))), CHAIN, "path.other_type"),
    "ours for another authority": (
        OURS,
        store(entry(OURS, authority_name="示例省样例市教育局")),
        CHAIN,
        "path.other_authority",
    ),
    "ours after its right ended": (
        OURS,
        store(entry(OURS, valid_until=AT - timedelta(days=1))),
        CHAIN,
        "path.period",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_only_the_registered_certificate_may_seal(name, in_process):
    """Digest and signature are good, and yet nothing passes: check 7 is the first to object, and says why."""
    signer, trust, sub_indication, reason = CASES[name]
    report = verify(sealed(Draft(), signer.signer()), trust=trust, at=NOW, sandbox=in_process)
    assert (report.indication, report.sub_indication) == (Indication.INDETERMINATE, sub_indication)
    first = next(o for o in report.checks if o.status in {CheckStatus.FAILED, CheckStatus.INDETERMINATE})
    assert (first.number, first.reason) == (7, reason)
    passed = {o.code for o in report.checks if o.status is CheckStatus.PASSED}
    assert {"format", "byte_range", "digest", "signature"} <= passed


def test_the_registered_certificate_passes(in_process):
    """The same document by the certificate that the register names is authentic."""
    report = verify(sealed(Draft(), OURS.signer()), trust=store(entry(OURS)), at=NOW, sandbox=in_process)
    report.require_passed()


@pytest.mark.parametrize("anchors_only", [True, False])
def test_no_register_makes_a_web_server_an_authority(anchors_only, in_process):
    """A web server's certificate seals nothing either where only anchors are known."""
    trust = store(entry(OURS))
    trust = replace(trust, register=None) if anchors_only else trust
    report = verify(sealed(Draft(), TLS.signer()), trust=trust, at=NOW, sandbox=in_process)
    assert report.indication is Indication.INDETERMINATE
    assert report.checks[6].reason == "path.wrong_usage"
