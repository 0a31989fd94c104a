"""Programs by other hands that look at our files: found, built once, asked, and their words parsed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
JAVA = Path(__file__).resolve().parent / "java"
BUILT = ROOT / "var" / "oracles"


def require(program: str) -> str:
    """Return the path of `program`; skip with the reason where it is absent, fail where CI demands it."""
    path = shutil.which(program)
    if path is None:
        missing(f"{program} is not installed on this machine")
    return str(path)


def missing(reason: str) -> None:
    """Skip, or fail if every oracle is required."""
    if os.environ.get("ELICENSE_REQUIRE_INTEROP"):
        pytest.fail(f"required in CI: {reason}")
    pytest.skip(reason)


def run(*command: str, timeout: int = 120) -> subprocess.CompletedProcess[str]:
    """Run `command` in the C locale and return what it said."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=timeout,
        env=environment,
        check=False,
        errors="replace",
    )


def java_classpath() -> str:
    """Return the class path of the Java oracles, built once per version of their sources."""
    require("javac")
    mvn = require("mvn")
    sources = [*sorted(JAVA.rglob("*.java")), JAVA / "pom.xml"]
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    target = BUILT / digest
    if not (target / "ready").exists():
        work = BUILT / f"{digest}.{os.getpid()}"
        shutil.copytree(JAVA, work)
        built = run(
            mvn, "-q", "-B", "-f", str(work / "pom.xml"), "compile", "dependency:copy-dependencies",
            f"-DoutputDirectory={work}/lib", timeout=900,
        )  # fmt: skip
        if built.returncode:
            missing(f"the Java oracles could not be built: {built.stdout[-500:]}")
        (work / "ready").touch()
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            shutil.rmtree(work)
        else:
            work.rename(target)
    return f"{target}/target/classes:{target}/lib/*"


def ask_java(oracle: str, *arguments: str) -> list[list[str]]:
    """Return the tab-separated lines that the Java class `oracle` printed."""
    done = run("java", "-cp", java_classpath(), f"oracle.{oracle}", *arguments, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    return [line.split("\t") for line in done.stdout.splitlines() if "\t" in line]


def ask_dss(anchors: list[Path], lists: list[Path], *files: Path) -> list[list[str]]:
    """Return what EU DSS says of the signatures of each file, all in one Java machine."""
    return ask_java("Dss", ",".join(map(str, anchors)), ",".join(map(str, lists)), *map(str, files))


def spoil(sealed: bytes) -> bytes:
    """Return the file with one bit of the first page's content changed, which the signature covers."""
    at = sealed.index(b"stream\n") + 20
    return sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]


def openssl_verifies(path: Path, anchor: Path, folder: Path) -> bool:
    """Return whether OpenSSL verifies the CMS in the one gap of `path` over all bytes but the gap.

    Args:
        path: the signed file.
        anchor: PEM of the root.
        folder: where the parts are put.
    """
    openssl = require("openssl")
    data = path.read_bytes()
    start = data.index(b"/Contents <") + len(b"/Contents ")
    end = data.index(b">", start) + 1
    signature, content = folder / "signature.der", folder / "content"
    signature.write_bytes(bytes.fromhex(data[start + 1 : end - 1].decode()))
    content.write_bytes(data[:start] + data[end:])
    done = run(
        openssl, "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", str(signature),
        "-content", str(content), "-CAfile", str(anchor), "-purpose", "any", "-out", "/dev/null",
    )  # fmt: skip
    return done.returncode == 0


@dataclass(frozen=True)
class PdfsigWord:
    """What pdfsig said of the one signature."""

    valid: bool
    whole_file: bool


def ask_pdfsig(path: Path, nss: Path) -> PdfsigWord:
    """Return pdfsig's words about `path` with the trust database `nss`; its exit status says nothing."""
    said = run(require("pdfsig"), "-nssdir", f"sql:{nss}", "-no-ocsp", str(path)).stdout
    return PdfsigWord(
        valid="Signature is Valid." in said,
        whole_file="Total document signed" in said and "Not total" not in said,
    )


def nss_database(folder: Path, anchors: list[Path]) -> Path:
    """Return a new NSS database in `folder` that trusts `anchors`."""
    certutil = require("certutil")
    folder.mkdir()
    run(certutil, "-N", "-d", f"sql:{folder}", "--empty-password")
    for number, anchor in enumerate(anchors):
        done = run(
            certutil, "-A", "-d", f"sql:{folder}", "-n", f"a{number}", "-t", "CT,C,C", "-i", str(anchor)
        )
        assert done.returncode == 0, done.stderr
    return folder
