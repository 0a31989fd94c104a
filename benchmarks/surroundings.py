"""Where a table was measured: machine, interpreter, libraries, programs, and how busy it was."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import ssl
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cryptography.hazmat.backends.openssl import backend

PACKAGES = (
    "cryptography", "asn1crypto", "reportlab", "pyhanko", "pyhanko-certvalidator", "pypdf", "pypdfium2", "segno",
    "zxing-cpp", "uharfbuzz", "fonttools", "isal", "pillow", "sqlalchemy", "pydantic", "flask", "waitress", "granian",
)  # fmt: skip
"""Libraries of any side; those that are not installed are left out."""
_PROGRAMS = {"qpdf": "--version", "pdfsig": "-v"}


def lines() -> list[str]:
    """Return what a reader must know to compare a table with another."""
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    libraries = [f"{name} {found}" for name in PACKAGES if (found := _version(name))]
    hashing, signing = ssl.OPENSSL_VERSION, backend.openssl_version_text()
    return [
        f"Python {platform.python_version()}, {platform.platform()}, {_processor()}, {cores} cores, load {load:.1f}",
        f"SQLite {sqlite3.sqlite_version}; {signing} (cryptography), {hashing} (hashlib)",
        ", ".join(libraries),
        ", ".join(_programs()),
    ]


def _processor() -> str:
    """Return the processor's name, as far as the system tells."""
    try:
        listed = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.split(":")[1].strip() for line in listed if line.startswith("model name")), platform.machine()
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _programs() -> list[str]:
    """Return the first line each independent program says of itself."""
    said = []
    for name, argument in _PROGRAMS.items():
        if (path := shutil.which(name)) is None:
            said.append(f"no {name}")
            continue
        done = subprocess.run([path, argument], capture_output=True, text=True, check=False)  # noqa: S603
        said.append((done.stdout + done.stderr).splitlines()[0])
    return said
