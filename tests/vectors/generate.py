"""Writes the verification vectors as files: each with its verdict, and the trust and the moment it is judged with.

A vector is a function of this folder or of `tests/attacks`, and a `cases/<name>.toml` that says what must come out.
Nothing that was made is committed, because a private key would have to be committed with it to make it again. For
an implementer of another verifier:

    python -m tests.vectors.generate FOLDER

writes for each case `<name>.pdf`, `<name>.toml`, and the trust files that belong to it; a forgery of our own
documents is written for the first of its licence types, with `--all` for each, as `<name>@<type>.pdf`.
"""

from __future__ import annotations

import sys
from datetime import UTC
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from elicense.pki.trust import TrustStore, dump_register
from tests.attacks import (
    certification,
    evidence,
    exhaustion,
    joint,
    lookalikes,
    readings,
    rewriting,
    saving,
    shadow,
    tampering,
    universal,
    wrapping,
)
from tests.vectors import foreign, signers
from tests.vectors.foreign import plain, unsigned_foreign
from tests.vectors.minimal import (
    AT,
    base,
    entry,
    flipped,
    gap,
    made,
    pki,
    seal,
    stranger_pki,
    trust,
    untouched_timestamped,
    update,
)
from tests.vectors.registry import CASES, NOW, VECTORS, Case, Vector, instances, load_cases
from tests.vectors.signers import self_made_ca

MODULES = (
    certification, evidence, exhaustion, foreign, joint, lookalikes, readings, rewriting, saving, shadow, signers,
    tampering, universal, wrapping,
)  # fmt: skip
"""Where vectors are made, tests.vectors.minimal besides: whoever imports this module has them all registered."""
__all__ = [
    "AT", "CASES", "MODULES", "NOW", "VECTORS", "Case", "Vector", "base", "entry", "flipped", "gap", "instances",
    "load_cases", "made", "pki", "plain", "seal", "self_made_ca", "stranger_pki", "trust", "unsigned_foreign",
    "untouched_timestamped", "update", "write", "write_trust",
]  # fmt: skip


def write(folder: Path, *, every: bool = False) -> list[str]:
    """Every vector with its case and the trust it is verified with lies in `folder`; returns their names.

    Args:
        folder: is made if it is not there.
        every: each forgery of each licence type, not of the first alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for name, subject in instances():
        first = (*VECTORS[name].subjects, "")[0]
        if subject == first or every:
            names.append(f"{name}@{subject}" if every and subject else name)
            _write(folder, names[-1], name, VECTORS[name](subject))
    return names


def _write(folder: Path, file: str, name: str, vector: Vector) -> None:
    (folder / f"{file}.pdf").write_bytes(vector.data)
    text = (CASES / f"{name}.toml").read_text(encoding="utf-8")
    moment = vector.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    (folder / f"{file}.toml").write_text(f'at = "{moment}"\n{text}', encoding="utf-8")
    write_trust(folder, file, vector.trust)


def write_trust(folder: Path, file: str, store: TrustStore) -> Path:
    """The trust lies in `folder`, in files whose names begin with `file`; returns the one to name to a verifier."""
    anchors = folder / f"{file}.pem"
    anchors.write_bytes(b"".join(item.public_bytes(Encoding.PEM) for item in (*store.anchors, *store.crls)))
    if store.register is None:
        return anchors
    lists = [anchors.name] if store.crls else []
    others = {"intermediates": store.intermediates, "timestamp_anchors": store.timestamp_anchors}
    names: dict[str, list[str]] = {}
    for kind, certificates in others.items():
        names[kind] = [f"{file}.{kind}.pem"] if certificates else []
        for name in names[kind]:
            (folder / name).write_bytes(b"".join(item.public_bytes(Encoding.PEM) for item in certificates))
    register = folder / f"{file}.trust.json"
    text = dump_register(store.register, anchors=[anchors.name], crls=lists, **names)
    register.write_text(text, encoding="utf-8")
    return register


if __name__ == "__main__":
    sys.stdout.write(f"{len(write(Path(sys.argv[1]), every='--all' in sys.argv[2:]))} vectors\n")
