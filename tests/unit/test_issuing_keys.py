"""The issuing line with every kind of key, key holder and timestamp authority, well and badly behaved."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from functools import cache
from pathlib import Path

import pkcs11
import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from elicense.errors import (
    ConfigurationError,
    KeyUnavailable,
    SigningError,
    TimestampUnavailable,
    VerificationFailed,
)
from elicense.issuing import Step, issue, resume
from elicense.model import LicenceState
from elicense.pki.keys import (
    load_pem_signer,
    load_pkcs12_signer,
    open_pkcs11_signer,
    passphrase_from,
    software_signer,
)
from elicense.pki.throwaway import ALGORITHMS, make_pki, seal_subject, write_key
from elicense.pki.timestamps import HttpTimestampAuthority
from elicense.registry.memory import MemoryRegistry, MemoryStore
from elicense.verification.document import InProcess
from elicense.verification.pipeline import verify
from elicense.verification.report import Indication
from tests.support import softhsm
from tests.support.demonstration import AT, SLUG, entropy, folder, office, request
from tests.support.sealing import SEAL_NUMBER, house
from tests.support.tsa import answer, serving

ROOT = Path(__file__).parents[2]
with_token = pytest.mark.skipif(not softhsm.INSTALLED, reason="SoftHSM2 is not installed (softhsm2)")


@cache
def home():
    """Return the house of these tests."""
    return house(AT)


@cache
def identity(algorithm="p256"):
    """Return a seal certificate with its key, made once per algorithm."""
    return home().identity(algorithm=algorithm)


@cache
def tsa():
    """Return the trusted timestamp authority."""
    return home().stamps.timestamp_authority()


def office_of(signer, **changes):
    """Return an office that seals with `signer`, with an empty register of predictable chance."""
    fresh = {"registry": MemoryRegistry(entropy=entropy()), "store": MemoryStore()}
    return home().office(signer, **{**fresh, **changes})


def verdict(pdf, place):
    """Return the report of a document under the office's trust."""
    return verify(pdf, trust=place.trust, at=AT, sandbox=InProcess())


def cut_off(step):
    """Return an on_step that ends the run at `step`."""

    def on_step(passed):
        if passed is step:
            raise KeyboardInterrupt

    return on_step


# --- Algorithms ---


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_seals_and_gives_the_same_bytes_again(algorithm):
    """A licence passes with each algorithm, and is the same file when a killed run is resumed from its record."""
    place = office_of(identity(algorithm).signer())
    issued = issue(request(), place, at=AT)
    report = verdict(issued.pdf, place)
    assert report.indication is Indication.TOTAL_PASSED, report.checks
    assert (report.signatures[0].seal, report.signatures[0].profile) == (SEAL_NUMBER, "B-B")
    for step in (Step.RESERVED, Step.SEALED, Step.STORED):
        again = office_of(identity(algorithm).signer())
        with pytest.raises(KeyboardInterrupt):
            issue(request(), again, at=AT, on_step=cut_off(step))
        (result,) = resume(again, at=AT)
        assert result.issued.pdf == issued.pdf, step


@pytest.mark.parametrize("algorithm", ["p384", "ed25519", "rsa2048"])
def test_a_changed_byte_fails_under_every_algorithm(algorithm):
    """One bit of the page, of the data and of the signature dictionary is TOTAL_FAILED."""
    place = office_of(identity(algorithm).signer())
    pdf = issue(request(), place, at=AT).pdf
    for spot in (pdf.index(b"stream\n") + 20, pdf.index("样例市".encode()), pdf.index(b"/M(D:2026") + 6):
        changed = pdf[:spot] + bytes([pdf[spot] ^ 1]) + pdf[spot + 1 :]
        assert verdict(changed, place).indication is Indication.TOTAL_FAILED, spot


# --- Key holders ---


def pem(folder, **_):
    """Return a signer of a plain PEM file."""
    identity().write(folder / "key.pem", folder / "certificates.pem")
    return load_pem_signer(folder / "key.pem", folder / "certificates.pem")


def encrypted_pem(folder, phrase=b"open sesame", **where):
    """Return a signer of an encrypted PEM file."""
    identity().write(folder / "key.pem", folder / "certificates.pem")
    write_key(folder / "key.pem", identity().key, b"open sesame")
    return load_pem_signer(
        folder / "key.pem", folder / "certificates.pem", passphrase_from(**where) or phrase
    )


def pkcs12_file(folder, phrase=b"open sesame", **where):
    """Return a signer of a PKCS#12 file."""
    own = identity()
    data = pkcs12.serialize_key_and_certificates(
        b"seal", own.key, own.certificate, own.chain, BestAvailableEncryption(b"open sesame")
    )
    path = folder / "seal.p12"
    path.touch(mode=0o600)
    path.write_bytes(data)
    return load_pkcs12_signer(path, passphrase_from(**where) or phrase)


HOLDERS = [
    (pem, None),
    (encrypted_pem, "env"),
    (encrypted_pem, "file"),
    (pkcs12_file, "env"),
    (pkcs12_file, "file"),
]


@pytest.mark.parametrize(("load", "kept"), HOLDERS)
def test_a_key_in_a_file_seals_the_same_bytes(load, kept, tmp_path, monkeypatch):
    """From PEM, encrypted PEM and PKCS#12, the passphrase in the environment or a file, the same key does the same."""
    where = {}
    if kept == "env":
        monkeypatch.setenv("SEAL_PASSPHRASE", "open sesame")
        where = {"env": "SEAL_PASSPHRASE"}
    elif kept == "file":
        (tmp_path / "phrase").touch(mode=0o600)
        (tmp_path / "phrase").write_bytes(b"open sesame\n")
        where = {"file": tmp_path / "phrase"}
    signer = load(tmp_path, phrase=b"", **where)
    assert (
        issue(request(), office_of(signer), at=AT).pdf
        == issue(request(), office_of(identity().signer()), at=AT).pdf
    )


@pytest.mark.parametrize("load", [encrypted_pem, pkcs12_file])
def test_a_wrong_passphrase_opens_nothing(load, tmp_path):
    """With another passphrase there is no signer, so nothing is ever reserved."""
    with pytest.raises(KeyUnavailable, match="wrong or missing"):
        load(tmp_path, phrase=b"wrong")


class WrongSlot:
    """A holder away from this process that signs with another key than its certificate says."""

    def __init__(self, right, other):
        self.right, self.sign = right, other.sign

    def __getattr__(self, name):
        return getattr(self.right, name)


def test_a_key_that_is_not_the_certificates_waits_for_the_right_one():
    """A holder whose key is another's is found out before anything leaves; the right one finishes the same number."""
    right, other = identity().signer(), home().identity().signer()
    place = office_of(WrongSlot(right, other))
    with pytest.raises(SigningError, match="does not fit the certificate"):
        issue(request(), place, at=AT)
    (waiting,) = place.registry.unfinished()
    assert place.store._documents == {}
    mended = replace(place, keepers=office_of(right).keepers)
    (result,) = resume(mended, at=AT)
    assert result.record.state is LicenceState.ISSUED
    assert result.record.licence == waiting.licence
    with pytest.raises(KeyUnavailable, match="do not belong together"):
        software_signer(other.key, (right.certificate, *right.chain))
    with pytest.raises(KeyUnavailable, match="do not belong together"):
        replace(right, key=other.key)


def test_a_renewed_certificate_does_not_finish_an_old_reservation():
    """What was promised under one certificate is not sealed under another: resume says so and leaves it."""
    place = office_of(identity().signer())
    with pytest.raises(KeyboardInterrupt):
        issue(request(), place, at=AT, on_step=cut_off(Step.RESERVED))
    renewed = replace(place, keepers=office_of(home().identity().signer()).keepers)
    (result,) = resume(renewed, at=AT)
    assert isinstance(result.error, ConfigurationError)
    assert "certificate" in result.error.en
    assert result.record.state is LicenceState.RESERVED


# --- Tokens ---


@pytest.fixture(scope="module")
def token():
    """A token with the keys p256, p384 and rsa2048, certified as this house's seal."""
    softhsm.folder()
    authority = office().catalogue[SLUG].sample_authority()
    subject = seal_subject(SEAL_NUMBER, authority.name, authority.code)

    def certify(key):
        return home().seals.certify(subject, key)

    with (
        pkcs11.lib(str(softhsm.MODULE))
        .get_token(token_label="office")
        .open(rw=True, user_pin=softhsm.PIN) as session
    ):
        for label, curve in (("p256", "secp256r1"), ("p384", "secp384r1")):
            softhsm.make_ec_key(session, label, curve, certify)
        softhsm.make_rsa_key(session, "rsa2048", 2048, certify)
        session.create_object(softhsm.certificate_object("issuer", home().seals.issuing.certificate))
    return "office"


def open_token(token, label="p256", pin=softhsm.PIN):
    """Return a signer of a key on the token."""
    return open_pkcs11_signer(softhsm.MODULE, token, label, pin)


@with_token
@pytest.mark.parametrize("label", ["p256", "p384", "rsa2048"])
def test_a_key_in_a_token_seals_a_licence(token, label):
    """A licence sealed inside a PKCS#11 token passes; the same request again is the same file, not a new signature."""
    keyed = replace(request(), idempotency_key="once")
    with open_token(token, label) as signer:
        place = office_of(signer)
        issued = issue(keyed, place, at=AT)
        assert verdict(issued.pdf, place).indication is Indication.TOTAL_PASSED
        assert issue(keyed, place, at=AT).pdf == issued.pdf


@with_token
def test_a_wrong_pin_opens_nothing(token):
    """With a wrong PIN there is no signer."""
    with pytest.raises(KeyUnavailable, match="PIN"):
        open_token(token, pin="000000")


@with_token
@pytest.mark.parametrize("passed", [Step.RESERVED, Step.CLEARED])
def test_a_token_taken_away_midway_costs_no_number(token, passed):
    """If the token goes while a licence is made, its number waits, and the token put back finishes that number."""
    place_of_tokens = softhsm.folder()
    away = place_of_tokens.with_name("away")

    def take_away(step):
        if step is passed:
            place_of_tokens.rename(away)

    signer = open_token(token)
    place = office_of(signer)
    try:
        with pytest.raises(KeyUnavailable, match="did not sign"):
            issue(request(), place, at=AT, on_step=take_away)
    finally:
        away.rename(place_of_tokens)
    (waiting,) = place.registry.unfinished()
    (still,) = resume(place, at=AT)  # the old session is lost for good
    assert isinstance(still.error, KeyUnavailable)
    assert place.store._documents == {}
    pkcs11.lib(str(softhsm.MODULE)).reinitialize()  # what starting the program again does
    with open_token(token) as back:
        (result,) = resume(replace(place, keepers=office_of(back).keepers), at=AT)
    assert result.error is None
    assert result.record.licence == waiting.licence
    assert verdict(result.issued.pdf, place).indication is Indication.TOTAL_PASSED


# --- Timestamps ---


def stamped(request_bytes):
    """Answer as the trusted authority does."""
    return answer(request_bytes, identity=tsa(), at=AT)


@pytest.mark.parametrize("algorithm", ["p256", "p384", "ed25519", "rsa2048"])
def test_a_timestamp_from_a_trusted_authority_proves_the_time(algorithm):
    """With an answering authority the licence is B-T on record and in the report, which names the proven time."""
    with serving(stamped) as url:
        place = office_of(identity(algorithm).signer(), timestamps=HttpTimestampAuthority(url))
        issued = issue(request(), place, at=AT)
    assert (issued.record.document.profile, issued.record.document.timestamp_pending) == ("B-T", False)
    report = verdict(issued.pdf, place)
    assert report.indication is Indication.TOTAL_PASSED, report.checks
    assert (report.signatures[0].profile, report.signatures[0].proven_time) == ("B-T", AT)


def down():
    """Return the address of a port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/tsa"


BAD_AUTHORITIES = {
    "hangs": ({"delay": 0.2}, stamped),
    "garbage": ({}, lambda _: b"\x30\x82" + bytes(range(200))),
    "nothing": ({}, lambda _: b""),
    "an HTML page": ({"content_type": "text/html"}, lambda _: b"<html>moved</html>"),
    "out of order": ({"status": 503}, lambda _: b""),
    "another's stamp": ({}, lambda question: stamped(question)[:-1] + b"\x00"),
}


@pytest.mark.parametrize("way", ["refuse", "pending"])
@pytest.mark.parametrize("name", ["down", *BAD_AUTHORITIES])
def test_a_timestamp_authority_that_fails_never_hangs_the_line(name, way):
    """Refused, the number waits and is finished as B-T later; pending, it is B-B with that on record; both soon."""
    options, reply = BAD_AUTHORITIES.get(name, ({}, stamped))
    with serving(reply, **options) as url:
        bad = HttpTimestampAuthority(down() if name == "down" else url, timeout_seconds=0.4)
        place = office_of(identity().signer(), timestamps=bad, on_timestamp_failure=way)
        start = time.monotonic()
        if way == "refuse":
            with pytest.raises(TimestampUnavailable):
                issue(request(), place, at=AT)
        else:
            issued = issue(request(), place, at=AT)
        assert time.monotonic() - start < 5
    if way == "pending":
        assert (issued.record.document.profile, issued.record.document.timestamp_pending) == ("B-B", True)
        report = verdict(issued.pdf, place)
        assert report.indication is Indication.TOTAL_PASSED
        assert (report.signatures[0].profile, report.signatures[0].proven_time) == ("B-B", None)
        return
    (waiting,) = place.registry.unfinished()
    assert place.store._documents == {}
    with serving(stamped) as url:
        (result,) = resume(replace(place, timestamps=HttpTimestampAuthority(url)), at=AT)
    assert result.record.licence == waiting.licence
    assert result.record.document.profile == "B-T"


def test_a_stranger_among_timestamp_authorities_is_not_believed():
    """A stamp of an authority outside the trust is refused at once where trust is configured, else at verification."""
    stranger = make_pki(at=AT).timestamp_authority()
    with serving(lambda question: answer(question, identity=stranger, at=AT)) as url:
        place = office_of(identity().signer(), timestamps=HttpTimestampAuthority(url))
        with pytest.raises(VerificationFailed):
            issue(request(), place, at=AT)
        assert place.store._documents == {}
        watchful = HttpTimestampAuthority(url, trust=place.trust)
        (result,) = resume(replace(place, timestamps=watchful), at=AT)
        assert isinstance(result.error, TimestampUnavailable)
    with serving(stamped) as url:
        good = HttpTimestampAuthority(url, trust=place.trust)
        (result,) = resume(replace(place, timestamps=good), at=AT)
    assert result.record.document.profile == "B-T"


# --- The same files from another process ---

PROGRAM = """
import hashlib, sys
from dataclasses import replace
from pathlib import Path
from elicense import demo
from elicense.issuing import issue
from elicense.registry.memory import MemoryRegistry, MemoryStore
from elicense.verification.document import InProcess
from tests.support.demonstration import AT, entropy

home = demo.load(Path(sys.argv[1]))
home = replace(home, registry=MemoryRegistry(entropy=entropy()), store=MemoryStore())
for kind in home.catalogue.types:
    print(kind.slug, hashlib.sha256(issue(kind.sample_request(), home, at=AT).pdf).hexdigest())
"""


def test_processes_make_the_same_files():
    """Same licence, template, fonts, seal and time: each type's file is the same from processes of other hash seeds."""
    said = set()
    for seed in ("0", "4242"):
        made = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(folder())],
            env={**os.environ, "PYTHONHASHSEED": seed}, cwd=ROOT, capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        said.add(made.stdout)
    assert len(said) == 1
    assert len(said.pop().splitlines()) == len(office().catalogue.types)
