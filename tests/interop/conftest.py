"""The demonstration's files, issued once for all oracles, with one byte of each changed beside them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from oracles import spoil

from elicense import demo


@dataclass(frozen=True)
class Issued:
    """What the oracles look at."""

    files: dict[str, Path]
    changed: dict[str, Path]
    anchors: list[Path]
    crls: list[Path]
    chains: list[list[Path]]
    background: frozenset[str]


@pytest.fixture(scope="session")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Issued:
    """One licence of each shipped type of a single authority, sealed by a throw-away PKI."""
    folder = tmp_path_factory.mktemp("interop")
    now = datetime.now(UTC).replace(microsecond=0)
    office = demo.build(folder / "demo", at=now)
    files, changed = {}, {}
    for sample in demo.issue_samples(office, folder, at=now):
        if sample.record.licence.joint_authorities:
            continue  # several signatures in one file: test_joint_oracles.py
        files[sample.type.slug] = sample.file
        changed[sample.type.slug] = folder / f"{sample.type.slug}-changed.pdf"
        changed[sample.type.slug].write_bytes(spoil(sample.file.read_bytes()))
    return Issued(
        files=files,
        changed=changed,
        anchors=[_write(folder, f"anchor{n}.pem", c) for n, c in enumerate(office.trust.anchors)],
        crls=[_write(folder, f"list{n}.crl", c) for n, c in enumerate(office.trust.crls)],
        chains=[
            [
                _write(folder, f"{k.seal.number}-{n}.der", c)
                for n, c in enumerate((k.signer.certificate, *k.signer.chain))
            ]
            for k in office.keepers
        ],
        background=frozenset(
            t.slug for t in office.catalogue.types if (t.folder / "background.pdf").exists()
        ),
    )


def _write(folder: Path, name: str, item: x509.Certificate | x509.CertificateRevocationList) -> Path:
    path = folder / name
    path.write_bytes(item.public_bytes(Encoding.PEM if name.endswith(".pem") else Encoding.DER))
    return path
