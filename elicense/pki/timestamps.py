"""Timestamps from an RFC 3161 authority: asked once, answered in time and checked, or refused."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol
from urllib.parse import urlsplit

from asn1crypto import cms, core, tsp  # type: ignore[import-untyped]
from cryptography import x509
from pyhanko.sign.general import extract_certificate_info
from pyhanko.sign.validation.generic_cms import validate_sig_integrity

from elicense.errors import ConfigurationError, TimestampUnavailable
from elicense.pki.fetching import FetchError, Question, fetch
from elicense.pki.loop import refuse_running_loop
from elicense.pki.paths import PathStatus, Purpose, unfit_for
from elicense.pki.remembered import find_path

if TYPE_CHECKING:
    from elicense.pki.trust import TrustStore

_HEADERS = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}


class TimestampAuthority(Protocol):
    """Whoever proves that a hash existed at a moment."""

    @property
    def token_size(self) -> int:
        """Bytes to reserve for a token; a larger token is refused."""

    def stamp(self, digest: bytes, algorithm: str) -> bytes:
        """Return the DER of a token over `digest`. Raises TimestampUnavailable if there is none."""


@dataclass(frozen=True, slots=True)
class HttpTimestampAuthority:
    """An RFC 3161 authority reached over HTTP(S): one question, no redirects, no retries, never a hang."""

    url: str
    """Where to ask, http or https, without user name and password."""
    timeout_seconds: float = 10.0
    """Whole time allowed for one stamp, name look-up and connection included."""
    token_size: int = 8192
    """Bytes reserved for a token; a larger token is refused."""
    trust: TrustStore | None = None
    """If given, a token whose signer has no path to a timestamp anchor is refused already here."""

    def __post_init__(self) -> None:
        """Refuse an address or limit that could not work. Raises ConfigurationError."""
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
            raise ConfigurationError(
                f"the timestamp authority's address {self.url!r} must be http(s)://host/path",
                f"时间戳服务地址 {self.url!r} 应为 http(s)://主机/路径",
            )
        if not 0 < self.timeout_seconds <= 120 or not 1024 <= self.token_size <= 65536:
            raise ConfigurationError(
                "a timestamp's timeout is up to 120 seconds and its size 1024 to 65536 bytes",
                "时间戳超时应不超过 120 秒，预留大小应为 1024 至 65536 字节",
            )

    def stamp(self, digest: bytes, algorithm: str) -> bytes:
        """Return the DER of a token over `digest`, its signature, imprint, nonce and signer checked.

        Args:
            digest: The hash to be stamped.
            algorithm: Its name in hashlib.

        Raises:
            TimestampUnavailable: The authority does not answer in time, refuses, or answers with something
                else than a correct token that fits into `token_size`.
            RuntimeError: Called inside a running event loop.

        Source: RFC 3161, 2.4 and 3.4.
        """
        refuse_running_loop()
        imprint = tsp.MessageImprint({"hash_algorithm": {"algorithm": algorithm}, "hashed_message": digest})
        nonce = secrets.randbits(63)
        question = tsp.TimeStampReq(
            {"version": "v1", "message_imprint": imprint, "nonce": nonce, "cert_req": True}
        )
        answer = _ask(self, question.dump())
        # The answer is untrusted bytes and asn1crypto decodes lazily, with any exception: none is a token.
        try:
            token = _token(answer, imprint, nonce, self.trust)
        except (TimestampUnavailable, MemoryError):
            raise
        except Exception as error:
            raise _unusable("it is not readable", "无法解析") from error
        if len(token) > self.token_size:
            raise _unusable(
                f"it has {len(token)} bytes and {self.token_size} are reserved",
                f"长度 {len(token)} 字节超过预留的 {self.token_size} 字节",
            )
        return token


def _ask(authority: HttpTimestampAuthority, question: bytes) -> bytes:
    """Return the answer's body, or raise TimestampUnavailable when time is up, whatever the network does."""
    asked = Question(
        authority.url,
        limit=authority.token_size + 4096,
        timeout_seconds=authority.timeout_seconds,
        body=question,
        headers=_HEADERS,
        content_type=_HEADERS["Accept"],
    )
    try:
        return fetch(asked)
    except FetchError as error:
        raise _unusable(error.en, error.zh) from error


class _Response(core.Sequence):  # type: ignore[misc]
    """TimeStampResp as RFC 3161, 2.4.2 has it: a refusal carries no token, which asn1crypto's own type denies."""

    _fields: ClassVar[list[tuple[object, ...]]] = [
        ("status", tsp.PKIStatusInfo),
        ("time_stamp_token", cms.ContentInfo, {"optional": True}),
    ]


def _token(answer: bytes, imprint: tsp.MessageImprint, nonce: int, trust: TrustStore | None) -> bytes:
    """Return the checked token of an answer; raises anything for bytes that are no answer."""
    response = _Response.load(answer, strict=True)
    status = response["status"]["status"].native
    if status not in {"granted", "granted_with_mods"}:
        raise _unusable("the authority refused", "时间戳服务拒绝了请求")
    token = response["time_stamp_token"]
    content = token["content"]
    info = content["encap_content_info"]["content"].parsed
    if not isinstance(info, tsp.TSTInfo) or len(content["signer_infos"]) != 1:
        raise _unusable("it is not a timestamp with one signer", "不是单签名者的时间戳")
    if _plain(info["message_imprint"]) != _plain(imprint):
        raise _unusable("it stamps something else", "所盖内容与请求不符")
    if info["nonce"].native != nonce:
        raise _unusable("it answers another question", "随机数与请求不符")
    signer = _signer(content)
    if trust is None:
        if unfit_for(signer, Purpose.TIMESTAMP):
            raise _unusable("its signer may not stamp", "签名证书不可用于时间戳")
    else:
        others = [x509.load_der_x509_certificate(choice.chosen.dump()) for choice in content["certificates"]]
        path = find_path(signer, others, trust, info["gen_time"].native, purpose=Purpose.TIMESTAMP)
        if path.status is not PathStatus.VALID:
            raise _unusable(f"its signer is not trusted ({path.status})", f"签名者不受信任（{path.status}）")
    return bytes(token.dump())


def _plain(imprint: tsp.MessageImprint) -> tuple[str, bytes]:
    return imprint["hash_algorithm"]["algorithm"].native, imprint["hashed_message"].native


def _signer(content: cms.SignedData) -> x509.Certificate:
    """Return the certificate whose key signed the token and which the token names. Source: RFC 3161, 2.4.2.

    Raises:
        TimestampUnavailable: The signature is wrong, or the token does not name its signer's certificate.
    """
    (signer_info,) = content["signer_infos"]
    certificate = extract_certificate_info(content).signer_cert
    named = {attribute["type"].native for attribute in signer_info["signed_attrs"]}
    digest = hashlib.new(signer_info["digest_algorithm"]["algorithm"].native)
    digest.update(content["encap_content_info"]["content"].contents)
    # A signing-certificate attribute that names another certificate makes this raise.
    intact, valid = validate_sig_integrity(signer_info, certificate, "tst_info", digest.digest())
    if not (intact and valid and named & {"signing_certificate", "signing_certificate_v2"}):
        raise _unusable("its signature is wrong", "时间戳签名无效")
    return x509.load_der_x509_certificate(certificate.dump())


def _unusable(en: str, zh: str) -> TimestampUnavailable:
    return TimestampUnavailable(
        f"the timestamp authority's answer is not usable: {en}", f"时间戳服务的应答不可用：{zh}"
    )
