"""NIST PKITS through our path code: every one of its 224 tests, in 256 settings, gives the stated status."""

from __future__ import annotations

import csv
import tarfile
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from pyhanko_certvalidator.revinfo import validate_crl

from elicense.pki import material
from elicense.pki.paths import PathResult, PathRules, PathStatus, Purpose, find_path
from elicense.pki.trust import TrustStore

FOLDER = Path(__file__).parent / "pkits"
AT = datetime(2026, 3, 2, tzinfo=UTC)
"""Within the suite's time: its certificates are good from 2010 to 2030."""
INHERITED = "4.1.5"
"""The one test with a DSA key without parameters of its own."""


def load_cases() -> list[dict[str, str]]:
    """Return the rows of cases.csv."""
    with (FOLDER / "cases.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


CASES = load_cases()


@dataclass(frozen=True)
class Unread:
    """A certificate that `cryptography` cannot read, for the code below that never asks it to."""

    der: bytes
    not_valid_before_utc = datetime(2010, 1, 1, tzinfo=UTC)
    not_valid_after_utc = datetime(2030, 1, 1, tzinfo=UTC)

    def public_bytes(self, _encoding: object) -> bytes:
        """Return the DER."""
        return self.der

    def verify_directly_issued_by(self, _issuer: object) -> None:
        """Say what `cryptography` would: the key cannot be used."""
        raise UnsupportedAlgorithm("a key without parameters")


@cache
def files() -> dict[str, bytes]:
    """Return the suite's files by name."""
    with tarfile.open(FOLDER / "pkits.tar.xz") as archive:
        return {member.name: archive.extractfile(member).read() for member in archive if member.isfile()}


def certificate(name: str) -> x509.Certificate | Unread:
    """Return a certificate of the suite."""
    der = files()[f"certs/{name}.crt"]
    return Unread(der) if "DSAParameter" in name else x509.load_der_x509_certificate(der)


def outcome(case: dict[str, str], *, old_algorithms: bool = True) -> PathResult:
    """Return what our path code says of a case."""
    lists = (files()[f"crls/{name}.crl"] for name in case["lists"].split())
    store = TrustStore(
        anchors=(certificate("TrustAnchorRootCertificate"),),
        # Known, not brought along: lists by another issuer than the path's are believed only of those in the store.
        intermediates=tuple(map(certificate, case["others"].split())),
        crls=tuple(map(x509.load_der_x509_crl, lists)),
    )
    rules = PathRules(
        initial_policies=tuple(case["policies"].split()),
        require_explicit_policy="explicit" in case["rules"].split(),
        inhibit_policy_mapping="inhibit-mapping" in case["rules"].split(),
        inhibit_any_policy="inhibit-any" in case["rules"].split(),
        old_algorithms=old_algorithms,
    )
    return find_path(certificate(case["certificate"]), (), store, AT, purpose=Purpose.ANY, rules=rules)


def test_every_test_of_the_suite_is_here():
    """The cases cover all 224 tests of the sixteen sections, and no case stands twice."""
    sizes = (6, 8, 11, 21, 8, 17, 5, 20, 8, 14, 11, 10, 38, 35, 10, 2)
    wanted = {f"4.{section}.{n}" for section, size in enumerate(sizes, 1) for n in range(1, size + 1)}
    names = [case["case"] for case in CASES]
    assert {".".join(name.split(".")[:3]) for name in names} == wanted
    assert len(set(names)) == len(names) == 256


@pytest.mark.filterwarnings("ignore:.*serial number:cryptography.utils.CryptographyDeprecationWarning")
@pytest.mark.filterwarnings("ignore:The parsed certificate contains a NULL parameter value")
@pytest.mark.parametrize("case", [c for c in CASES if c["case"] != INHERITED], ids=lambda c: c["case"])
def test_case(case):
    """The path is found exactly where the suite says that there is one, and refused for the suite's reason."""
    result = outcome(case)
    assert result.status == case["status"], result.detail
    assert bool(result.certificates) == (case["status"] == PathStatus.VALID)


def test_inherited_parameters_are_found_where_the_libraries_read_them(monkeypatch):
    """Keys without parameters are unreadable and refused; with the libraries' gaps filled in the path is found."""
    case = next(case for case in CASES if case["case"] == INHERITED)
    assert outcome(case).status in {PathStatus.NO_REVOCATION_DATA, PathStatus.INVALID}
    above = asn1_x509.Certificate.load(files()["certs/DSACACert.crt"]).public_key
    verify = validate_crl._verify_crl_signature

    def filled_in(certificate_list, public_key, sig_validator):
        if public_key.algorithm == "dsa" and public_key.hash_algo is None:
            public_key = public_key.copy()
            public_key["algorithm"]["parameters"] = above["algorithm"]["parameters"].copy()
        return verify(certificate_list, public_key, sig_validator)

    # certvalidator inherits parameters for certificates, not for lists; `cryptography` reads no such key at all,
    # so our second look at what the lists say, which it would do, is left out.
    monkeypatch.setattr(validate_crl, "_verify_crl_signature", filled_in)
    monkeypatch.setattr(material, "hear", lambda *_: ())
    assert outcome(case).status == case["status"] == PathStatus.VALID


def test_old_algorithms_are_refused_where_nobody_asks_for_them():
    """The suite's good DSA path is no path under the rules that seals are verified with."""
    case = next(case for case in CASES if case["case"] == "4.1.4")
    assert case["status"] == PathStatus.VALID
    assert outcome(case, old_algorithms=False).status is PathStatus.INVALID
