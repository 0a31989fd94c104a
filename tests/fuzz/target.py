"""What every fuzzer calls: the whole line of a verification in this process, under both policies."""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from elicense.pki.trust import TrustStore
from elicense.verification.pipeline import verify
from elicense.verification.policy import GENERAL, LICENCE
from elicense.verification.report import Indication, to_json
from tests.support.paths import Remembering

if TYPE_CHECKING:
    from elicense.verification.report import VerificationReport

CORPUS = Path(__file__).parent / "corpus.tar.xz"
"""Small files, each once the way to some corner of the code, and whom to trust; made by make_corpus.py."""


@dataclass(frozen=True)
class Corpus:
    """Files, and the circumstances in which they are verified."""

    files: dict[str, bytes]
    trust: TrustStore
    at: datetime

    @property
    def honest(self) -> list[bytes]:
        """Return the files from which the others were made."""
        return [data for name, data in self.files.items() if name.startswith("honest-")]


def load_corpus(path: Path = CORPUS) -> Corpus:
    """Return the saved corpus."""
    with tarfile.open(path) as archive:
        files = {member.name: archive.extractfile(member).read() for member in archive if member.isfile()}
    pem, at = files.pop("trust.pem"), files.pop("at").decode("ascii")
    end = b"-----END X509 CRL-----"
    lists = [part[part.index(b"-----BEGIN X509 CRL") :] + end for part in pem.split(end)[:-1]]
    trust = TrustStore(
        tuple(x509.load_pem_x509_certificates(pem)), crls=tuple(map(x509.load_pem_x509_crl, lists))
    )
    return Corpus(files, trust, datetime.fromisoformat(at).astimezone(UTC))


def save_corpus(corpus: Corpus, path: Path = CORPUS) -> None:
    """The corpus lies at `path`, the same bytes for the same files."""
    pem = b"".join(item.public_bytes(Encoding.PEM) for item in (*corpus.trust.anchors, *corpus.trust.crls))
    parts = {**corpus.files, "trust.pem": pem, "at": corpus.at.isoformat().encode("ascii")}
    with tarfile.open(path, "w:xz", preset=9) as archive:
        for name, data in sorted(parts.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))


def judge(data: bytes, corpus: Corpus) -> dict[str, VerificationReport]:
    """Return the report under each policy.

    Raises whatever the verifier raises, which it never should, and AssertionError if a file passes as a licence that
    is neither an honest one nor the beginning of one.
    """
    reports = {
        policy: verify(data, trust=corpus.trust, at=corpus.at, policy=policy, sandbox=Remembering())
        for policy in (LICENCE, GENERAL)
    }
    for report in reports.values():
        to_json(report)
    if reports[LICENCE].indication is Indication.TOTAL_PASSED:
        assert any(honest.startswith(data) for honest in corpus.honest), "a changed licence passed"
    return reports
