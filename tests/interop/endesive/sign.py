"""Signs with endesive, in an environment of its own: key and chain (PEM), then kind, input and output of each job."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificates

# Its verifier's dependency oscrypto 1.3.0 takes OpenSSL 3.0.10 and later for no OpenSSL; signing needs neither.
sys.modules["certvalidator"] = ModuleType("certvalidator")

from endesive.pdf import cms  # noqa: E402 - after the module it must not import

KINDS = {
    "plain": {},
    "visible": {"signature": "endesive", "signaturebox": (50, 50, 170, 90), "sigfield": "Visible"},
    "certified": {"sigandcertify": True, "sigfield": "Certified"},
}


def main(key: str, chain: str, *jobs: str) -> None:
    """Sign each input with each kind."""
    private = load_pem_private_key(Path(key).read_bytes(), None)
    leaf, *others = load_pem_x509_certificates(Path(chain).read_bytes())
    details = {
        "sigflags": 3,
        "sigpage": 0,
        "contact": "nobody@example.invalid",
        "location": "nowhere",
        "reason": "test",
        "signingdate": f"D:{datetime.now(UTC):%Y%m%d%H%M%S}+00'00'",
    }
    for kind, source, target in zip(jobs[::3], jobs[1::3], jobs[2::3], strict=True):
        data = Path(source).read_bytes()
        update = cms.sign(data, {**details, **KINDS[kind]}, private, leaf, others, "sha256")
        Path(target).write_bytes(data + update)


main(*sys.argv[1:])
