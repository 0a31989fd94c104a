"""Timestamps over HTTP: right ones come through, and no wrong or absent answer does, or hangs."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import socket
import subprocess
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from asn1crypto import cms, tsp
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from elicense.errors import ConfigurationError, TimestampUnavailable
from elicense.pki.throwaway import make_pki, write_key
from elicense.pki.timestamps import HttpTimestampAuthority, _Response, _token
from tests.support.pki import AT, pki, seal_identity, store, tsa_identity
from tests.support.tsa import answer, make_token, serving

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DIGEST = hashlib.sha256(b"signature").digest()
QUICK = {"timeout_seconds": 1.0}


def granted(token: cms.ContentInfo) -> bytes:
    """Return an answer that grants this token."""
    return tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": token}).dump()


def nonce_of(request: bytes) -> int:
    """Return the nonce of a request."""
    return int(tsp.TimeStampReq.load(request)["nonce"].native)


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_a_right_token_comes_through(algorithm: str) -> None:
    """The token stamps the digest that was asked for, whether or not the authority's trust is checked."""
    digest = hashlib.new(algorithm, b"signature").digest()
    with serving(answer) as url:
        for trust in (None, store()):
            token = HttpTimestampAuthority(url, trust=trust).stamp(digest, algorithm)
            info = cms.ContentInfo.load(token)["content"]["encap_content_info"]["content"].parsed
            assert info["message_imprint"]["hashed_message"].native == digest
            assert info["gen_time"].native == AT


def wrong_signature(request: bytes) -> bytes:
    """Return an otherwise right answer with one bit of the signature changed."""
    response = tsp.TimeStampResp.load(answer(request))
    signer = response["time_stamp_token"]["content"]["signer_infos"][0]
    signature = bytearray(signer["signature"].native)
    signature[-1] ^= 1
    signer["signature"] = bytes(signature)
    return response.dump(force=True)


def without_naming_its_signer(request: bytes) -> bytes:
    """Return an answer whose signed attributes name another certificate than the signer's."""
    other = tsa_identity().signer()
    response = tsp.TimeStampResp.load(answer(request, identity=pki().timestamp_authority()))
    token = response["time_stamp_token"]
    certificate = cms.Certificate.load(other.certificate.public_bytes(Encoding.DER))
    token["content"]["signer_infos"][0]["sid"] = cms.SignerIdentifier(
        name="issuer_and_serial_number",
        value={"issuer": certificate.issuer, "serial_number": certificate.serial_number},
    )
    token["content"]["certificates"] = [certificate]
    return response.dump(force=True)


def refused(_: bytes) -> bytes:
    """Return a refusal."""
    return _Response({"status": {"status": "rejection", "fail_info": {"bad_alg"}}}).dump()


WRONG: dict[str, Callable[[bytes], bytes]] = {
    "refusal": refused,
    "other imprint": lambda r: granted(
        make_token(hashlib.sha256(b"x").digest(), "sha256", nonce=nonce_of(r))
    ),
    "other hash": lambda r: granted(make_token(DIGEST, "sha3_256", nonce=nonce_of(r))),
    "other nonce": lambda r: granted(make_token(DIGEST, "sha256", nonce=nonce_of(r) ^ 1)),
    "no nonce": lambda _: granted(make_token(DIGEST, "sha256")),
    "signer may not stamp": lambda r: answer(r, identity=seal_identity()),
    "wrong signature": wrong_signature,
    "other signer named": without_naming_its_signer,
    "no token": lambda _: _Response({"status": {"status": "granted"}}).dump(),
    "no timestamp inside": lambda _: granted(cms.ContentInfo({"content_type": "data", "content": b"plain"})),
    "garbage": lambda _: b"<html>502 Bad Gateway</html>",
    "empty": lambda _: b"",
    "cut": lambda r: answer(r)[:-40],
    "followed by more": lambda r: answer(r) + b"\x00",
    "endless": lambda _: b"\x30" * 100_000,
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_answer_is_refused(kind: str) -> None:
    """Whatever is wrong with the answer, it is TimestampUnavailable."""
    with serving(WRONG[kind]) as url, pytest.raises(TimestampUnavailable, match="not usable") as caught:
        HttpTimestampAuthority(url, **QUICK).stamp(DIGEST, "sha256")
    assert "时间戳" in caught.value.zh
    assert ("refused" in caught.value.en) == (kind == "refusal")


def test_an_authority_outside_the_trust_is_refused() -> None:
    """With trust given, a right token of an unknown authority is refused; the same token passes without."""
    stranger = make_pki(at=AT).timestamp_authority()
    with serving(lambda request: answer(request, identity=stranger)) as url:
        assert HttpTimestampAuthority(url).stamp(DIGEST, "sha256")
        with pytest.raises(TimestampUnavailable, match="not trusted"):
            HttpTimestampAuthority(url, trust=store()).stamp(DIGEST, "sha256")
    no_lists = replace(store(), crls=())
    with serving(answer) as url, pytest.raises(TimestampUnavailable, match="no_revocation_data"):
        HttpTimestampAuthority(url, trust=no_lists).stamp(DIGEST, "sha256")


def test_a_token_that_does_not_fit_is_refused() -> None:
    """A token longer than the reserved space is refused before anything is written."""
    with serving(answer) as url, pytest.raises(TimestampUnavailable, match="reserved"):
        HttpTimestampAuthority(url, token_size=1024).stamp(DIGEST, "sha256")


@pytest.mark.parametrize("changes", [{"status": 500}, {"status": 404}, {"content_type": "text/html"}])
def test_http_errors_are_refused(changes: dict[str, object]) -> None:
    """Another status or another type of content is TimestampUnavailable even with a right token inside."""
    with serving(answer, **changes) as url, pytest.raises(TimestampUnavailable):
        HttpTimestampAuthority(url, **QUICK).stamp(DIGEST, "sha256")


def test_redirects_are_not_followed() -> None:
    """A redirect to a right authority is refused."""
    with (
        serving(answer) as good,
        serving(lambda _: b"", status=302, location=good) as url,
        pytest.raises(TimestampUnavailable, match="302"),
    ):
        HttpTimestampAuthority(url, **QUICK).stamp(DIGEST, "sha256")


def test_nobody_there_is_refused() -> None:
    """A closed port is TimestampUnavailable at once."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        with pytest.raises(TimestampUnavailable, match="cannot be reached"):
            HttpTimestampAuthority(url, **QUICK).stamp(DIGEST, "sha256")


def test_a_silent_authority_does_not_hang() -> None:
    """An authority that accepts and says nothing is given up when its time is over."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        start = time.monotonic()
        with pytest.raises(TimestampUnavailable, match=r"within 0\.3 seconds"):
            HttpTimestampAuthority(url, timeout_seconds=0.3).stamp(DIGEST, "sha256")
        assert time.monotonic() - start < 3


def test_a_trickling_authority_does_not_hang() -> None:
    """An authority that sends a byte now and then is given up when the whole time is over."""
    with serving(answer, delay=0.1) as url:
        start = time.monotonic()
        with pytest.raises(TimestampUnavailable, match="within"):
            HttpTimestampAuthority(url, timeout_seconds=0.5).stamp(DIGEST, "sha256")
        assert time.monotonic() - start < 3


def test_a_hanging_name_look_up_does_not_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name look-up that takes long is not waited for."""

    def slow(*_: object, **__: object) -> list[object]:
        time.sleep(2)
        raise OSError("no such host")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    start = time.monotonic()
    with pytest.raises(TimestampUnavailable, match="within"):
        HttpTimestampAuthority("http://tsa.example/", timeout_seconds=0.3).stamp(DIGEST, "sha256")
    assert time.monotonic() - start < 1.7


@pytest.mark.parametrize(
    ("url", "limits"),
    [
        ("ftp://tsa.example/", {}),
        ("tsa.example", {}),
        ("http:///path", {}),
        ("http://user:pass@tsa.example/", {}),
        ("https://tsa.example/", {"timeout_seconds": 0}),
        ("https://tsa.example/", {"timeout_seconds": 1000}),
        ("https://tsa.example/", {"token_size": 10}),
    ],
)
def test_settings_that_cannot_work_are_refused(url: str, limits: dict[str, float]) -> None:
    """Addresses without host or of another scheme, and limits out of bounds, are ConfigurationError."""
    with pytest.raises(ConfigurationError):
        HttpTimestampAuthority(url, **limits)


def test_stamping_inside_an_event_loop_is_refused() -> None:
    """Inside a running loop the call is a RuntimeError."""

    async def inside() -> None:
        HttpTimestampAuthority("http://127.0.0.1:9/").stamp(DIGEST, "sha256")

    with pytest.raises(RuntimeError, match="to_thread"):
        asyncio.run(inside())


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_no_changed_answer_stamps_something_else(position: int, change: int) -> None:
    """One byte of a right answer changed anywhere: refused, or a token over the same digest and nonce."""
    imprint = tsp.MessageImprint({"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": DIGEST})
    reply = bytearray(granted(make_token(DIGEST, "sha256", nonce=7)))
    reply[position % len(reply)] ^= change
    try:
        token = _token(bytes(reply), imprint, 7, store())
    except Exception:  # noqa: BLE001 - stamp() turns any exception into TimestampUnavailable
        return
    content = cms.ContentInfo.load(token)["content"]["encap_content_info"]["content"]
    assert content.parsed["message_imprint"]["hashed_message"].native == DIGEST
    assert content.parsed["gen_time"].native == AT


@pytest.mark.interop
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_as_authority_and_as_judge(tmp_path: Path) -> None:
    """A token made by openssl is accepted, and openssl accepts a token that we accepted."""
    tsa = make_pki(at=AT, algorithm="rsa2048").leaf(
        tsa_identity().certificate.subject, algorithm="rsa2048", timestamping=True
    )
    write_key(tmp_path / "tsa.key", tsa.key)
    (tmp_path / "tsa.pem").write_bytes(tsa.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "serial").write_text("01\n")
    (tmp_path / "ts.cnf").write_text(
        "[tsa]\ndefault_tsa=t\n[t]\nserial=serial\nsigner_cert=tsa.pem\nsigner_key=tsa.key\n"
        "signer_digest=sha256\ndefault_policy=1.2.3.4\ndigests=sha256\ness_cert_id_alg=sha256\n"
    )

    def openssl(*arguments: str) -> str:
        command = ["openssl", "ts", *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=20, check=False)
        return done.stdout + done.stderr

    def reply(request: bytes) -> bytes:
        (tmp_path / "q.tsq").write_bytes(request)
        openssl("-reply", "-config", "ts.cnf", "-queryfile", "q.tsq", "-out", "r.tsr")
        return (tmp_path / "r.tsr").read_bytes()

    with serving(reply) as url:
        assert HttpTimestampAuthority(url).stamp(DIGEST, "sha256")

    with serving(answer) as url:
        (tmp_path / "ours.tst").write_bytes(HttpTimestampAuthority(url).stamp(DIGEST, "sha256"))
    (tmp_path / "root.pem").write_bytes(pki().root.certificate.public_bytes(Encoding.PEM))
    verify = ["-verify", "-digest", DIGEST.hex(), "-in", "ours.tst", "-token_in", "-CAfile", "root.pem"]
    assert "Verification: OK" in openssl(*verify, "-attime", str(int(AT.timestamp())))
