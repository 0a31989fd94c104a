"""Current revocation data for a trust register: fetched only where the register itself says, checked, then kept.

Plan, for each source of the register:

1. Its issuer's certificate must be in the register's own files.
2. The list is fetched: so many bytes, so much time, no redirect.
3. It must be complete, signed by that issuer, current, and no older than the newest list at hand.
4. The list it replaces is kept beside it if a right or a certificate ended in between: only the older one knows.
5. It replaces the file in one step; a reader finds the old list or the new one, never half of one.
6. The same for OCSP answers about each certificate of that issuer that the register's files hold.

Nothing that comes with a document ever leads here. Source: RFC 5280, 5 and 6.3; RFC 6960, 3.2 and Appendix A.1.
"""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from elicense.pki.building import may_have_issued
from elicense.pki.fetching import FetchError, Question, fetch
from elicense.pki.keys import fingerprint
from elicense.pki.ocsp import read_answers
from elicense.pki.paths import time_text
from elicense.pki.revocation import is_delta, is_from
from elicense.pki.trust import load_sources, load_trust

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from elicense.pki.ocsp import Answer
    from elicense.pki.trust import TrustSource, TrustStore

LIST_LIMIT = 32 * 1024 * 1024
"""Bytes of a revocation list."""
ANSWER_LIMIT = 64 * 1024
"""Bytes of an OCSP answer."""
CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far an authority's clock may be ahead of ours."""
_PEM = re.compile(rb"-----BEGIN X509 CRL-----.+?-----END X509 CRL-----\s?", re.DOTALL)


class Outcome(StrEnum):
    """What became of one fetch."""

    REPLACED = "replaced"
    """What was fetched is in the file now."""
    CURRENT = "current"
    """What was fetched is what the file has."""
    FAILED = "failed"
    """Nothing usable came; the file is as it was."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """One fetch and what became of it."""

    issuer: str
    """SHA-256 (hex) of the certification authority's certificate."""
    url: str
    """Where it was asked."""
    file: str
    """Name of the file beside the register."""
    outcome: Outcome
    """What became of it."""
    en: str
    """Particulars in English."""
    zh: str
    """Particulars in Chinese."""


def refresh(register: Path, *, at: datetime, timeout_seconds: float = 30.0) -> tuple[Refreshed, ...]:
    """What the sources of a trust register offer lies beside it, where `load_trust` finds it; return what happened.

    A failure of one source leaves its file and all others as they are.

    Args:
        register: The trust register's file.
        at: The moment, UTC.
        timeout_seconds: Whole time allowed for one fetch.

    Raises:
        ConfigurationError: The register cannot be read.
        OSError: A file beside it cannot be written.
    """
    store = load_trust(register)
    job = _Job(register.parent, store, at, timeout_seconds)
    return tuple(done for source in load_sources(register) for done in job.run(source))


@dataclass(frozen=True, slots=True)
class _Job:
    folder: Path
    store: TrustStore
    at: datetime
    timeout_seconds: float

    def run(self, source: TrustSource) -> list[Refreshed]:
        """Return what became of one source's list and answers."""
        known = (*self.store.anchors, *self.store.timestamp_anchors, *self.store.intermediates)
        issuer = next((one for one in known if fingerprint(one) == source.issuer), None)
        if issuer is None:
            en, zh = (
                "its issuer's certificate is in none of the register's files",
                "名册文件中没有该签发机构的证书",
            )
            return [Refreshed(source.issuer, source.crl, source.list_file, Outcome.FAILED, en, zh)]
        done = [self._list(source, issuer)]
        if source.ocsp:
            issued = (
                one for one in self.store.intermediates if one.issuer == issuer.subject and one != issuer
            )
            done += [self._answer(source, one, issuer) for one in issued if may_have_issued(one, issuer)]
        return done

    def _list(self, source: TrustSource, issuer: x509.Certificate) -> Refreshed:
        question = Question(source.crl, LIST_LIMIT, self.timeout_seconds)
        try:
            crl = self._usable_list(fetch(question), issuer)
            until = _until(crl.next_update_utc)
            path = self.folder / source.list_file
            if path.exists() and path.read_bytes() == crl.public_bytes(Encoding.PEM):
                outcome = Outcome.CURRENT
            else:
                self._keep(path, self.folder / source.kept_file, crl)
                _replace(path, crl.public_bytes(Encoding.PEM))
                outcome = Outcome.REPLACED
        except FetchError as error:
            return Refreshed(source.issuer, source.crl, source.list_file, Outcome.FAILED, error.en, error.zh)
        en, zh = (
            f"list of {time_text(crl.last_update_utc)}, good until {until}",
            (f"列表发布于 {time_text(crl.last_update_utc)}，有效至 {until}"),
        )
        return Refreshed(source.issuer, source.crl, source.list_file, outcome, en, zh)

    def _usable_list(self, body: bytes, issuer: x509.Certificate) -> x509.CertificateRevocationList:
        """Return the list. Raises FetchError if it is not a current one of `issuer`."""
        try:
            load = x509.load_pem_x509_crl if body.lstrip().startswith(b"-----") else x509.load_der_x509_crl
            crl = load(body)
            rightful = is_from(crl, issuer) and isinstance(
                crl.signature_hash_algorithm, hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None
            )
            delta = is_delta(crl)
        except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
            raise FetchError("the answer is no revocation list", "应答不是吊销列表") from error
        if not rightful or delta:
            raise FetchError(
                "the list is not a complete one signed by its issuer", "列表不完整，或不是该机构签发"
            )
        self._require_current(crl.last_update_utc, crl.next_update_utc)
        newest = max((one.last_update_utc for one in self.store.crls if is_from(one, issuer)), default=None)
        if newest is not None and crl.last_update_utc < newest:
            raise FetchError(
                f"the list of {time_text(crl.last_update_utc)} is older than the one at hand, of {time_text(newest)}",
                f"列表发布于 {time_text(crl.last_update_utc)}，早于现有列表（{time_text(newest)}）",
            )
        return crl

    def _keep(self, path: Path, kept: Path, new: x509.CertificateRevocationList) -> None:
        """The list in `path` is also in `kept` if it knows what `new` may have dropped."""
        if not path.exists():
            return
        old = x509.load_pem_x509_crl(path.read_bytes())
        ends = [entry.valid_until for entry in self.store.register or ()]
        ends += [one.not_valid_after_utc for one in self.store.intermediates]
        if not any(old.last_update_utc <= end < new.last_update_utc for end in ends):
            return
        earlier = _PEM.findall(kept.read_bytes()) if kept.exists() else []
        pems = dict.fromkeys((*(pem.strip() for pem in earlier), old.public_bytes(Encoding.PEM).strip()))
        _replace(kept, b"\n".join(pems) + b"\n")

    def _answer(
        self, source: TrustSource, certificate: x509.Certificate, issuer: x509.Certificate
    ) -> Refreshed:
        name = source.answer_file(fingerprint(certificate))
        path = self.folder / name
        try:
            answer = self._usable_answer(source, certificate, issuer)
            outcome = Outcome.CURRENT
            if not path.exists() or path.read_bytes() != answer.der:
                _replace(path, answer.der)
                outcome = Outcome.REPLACED
        except FetchError as error:
            return Refreshed(source.issuer, source.ocsp, name, Outcome.FAILED, error.en, error.zh)
        en = f"{'revoked' if answer.revoked_at else 'good'}, good until {_until(answer.next_update)}"
        zh = f"{'已吊销' if answer.revoked_at else '正常'}，有效至 {_until(answer.next_update)}"
        return Refreshed(source.issuer, source.ocsp, name, outcome, en, zh)

    def _usable_answer(
        self, source: TrustSource, certificate: x509.Certificate, issuer: x509.Certificate
    ) -> Answer:
        """Return a fresh answer. Raises FetchError if there is none."""
        builder = ocsp.OCSPRequestBuilder()
        # RFC 5019, 2.1.1: responders of the time know certificate ids by SHA-1 at least; nothing rests on it.
        builder = builder.add_certificate(certificate, issuer, hashes.SHA1())  # noqa: S303
        question = Question(
            source.ocsp,
            ANSWER_LIMIT,
            self.timeout_seconds,
            body=builder.build().public_bytes(Encoding.DER),
            headers={"Content-Type": "application/ocsp-request", "Accept": "application/ocsp-response"},
            content_type="application/ocsp-response",
        )
        lists = [crl for crl in self.store.crls if is_from(crl, issuer)]

        def read(*encoded: bytes) -> tuple[Answer, ...]:
            return read_answers(encoded, certificate, issuer, helpers=self.store.intermediates, crls=lists)

        fetched = read(fetch(question))
        if not fetched:
            raise FetchError("no answer about the certificate by its issuer", "没有该机构就此证书作出的应答")
        (answer,) = fetched
        self._require_current(answer.this_update, answer.next_update)
        if any(answer.this_update < have.this_update for have in read(*self.store.ocsps)):
            raise FetchError("the answer is older than the one at hand", "应答早于现有应答")
        return answer

    def _require_current(self, begin: datetime, end: datetime | None) -> None:
        if begin > self.at + CLOCK_TOLERANCE or end is None or end < self.at:
            raise FetchError(
                f"it is not current: from {time_text(begin)}, good until {_until(end)}",
                f"不在有效期内：发布于 {time_text(begin)}，有效至 {_until(end)}",
            )


def _replace(path: Path, data: bytes) -> None:
    """`path` holds `data`, on the disk, in one step."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _until(moment: datetime | None) -> str:
    return time_text(moment) if moment else "?"
