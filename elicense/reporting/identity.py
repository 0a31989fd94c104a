"""The throw-away key that a demonstration signs its reports with."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import NameOID

from elicense.errors import ConfigurationError
from elicense.pki.keys import load_pem_signer
from elicense.pki.throwaway import load_pki

if TYPE_CHECKING:
    from datetime import datetime

    from elicense.pki.keys import Signer

FOLDER = "keys/report"
"""Where key and certificates lie in a demonstration's folder."""
_KEY, _CERTIFICATES = "key.pem", "certificates.pem"
_SUBJECT = x509.Name(
    [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "示例查验服务"),
        x509.NameAttribute(NameOID.COMMON_NAME, "查验报告签名（演示）"),
    ]
)
_LIFE = timedelta(days=730)


def demo_report_signer(folder: Path, *, at: datetime) -> Signer:
    """Return the report signer of a demonstration, made now if there is none or its certificate has expired.

    The certificate is of the demonstration's own authority, names no department and stands in no trust register.

    Args:
        folder: of the demonstration.
        at: now, UTC.

    Raises:
        ConfigurationError: the folder has no authority of its own, or cannot be written.
        KeyUnavailable: the key cannot be read.
    """
    try:
        return _signer(folder, at)
    except OSError as error:
        raise ConfigurationError(
            f"the report key of the demonstration {folder} cannot be made ({error.strerror}): "
            "check who may write there, or run `elicense demo` again",
            f"无法生成演示目录 {folder} 的报告密钥（{error.strerror}）：请检查写权限，或重新运行 elicense demo",
        ) from error


def _signer(folder: Path, at: datetime) -> Signer:
    home = folder / FOLDER
    if home.is_dir():
        signer = load_pem_signer(home / _KEY, home / _CERTIFICATES)
        if signer.certificate.not_valid_after_utc > at:
            return signer
        shutil.rmtree(home)
    identity = load_pki(folder / "ca", at=at).leaf(_SUBJECT, valid_until=at + _LIFE)
    home.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent) as name:
        work = Path(name) / "report"
        work.mkdir()
        identity.write(work / _KEY, work / _CERTIFICATES)
        # Another process may have put its own there meanwhile, which serves as well.
        with contextlib.suppress(OSError):
            work.rename(home)
    return load_pem_signer(home / _KEY, home / _CERTIFICATES)
