"""Project Wycheproof through our signature code: no wrong signature is taken, no right one refused."""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key

from elicense.verification.cms import SignedData, signature_matches, weak_key

ARCHIVE = Path(__file__).parent / "wycheproof" / "wycheproof.tar.xz"
KINDS = {"ECDSA": "ecdsa", "RSASSA-PKCS1-v1_5": "rsa", "RSASSA-PSS": "rsa_pss", "EDDSA": "ed25519"}
DIGESTS = {"SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


@cache
def vectors() -> dict[str, Any]:
    """Return the vectors by file name."""
    with tarfile.open(ARCHIVE) as archive:
        return {m.name: json.load(archive.extractfile(m)) for m in archive if m.isfile()}


def ours(kind: str, group: dict[str, Any]) -> bool:
    """Return whether a group's digest and parameters are such as a seal may use (RFC 4056, 2.2 for PSS)."""
    if kind != "rsa_pss":
        return True
    digest = DIGESTS.get(group["sha"])
    return (
        digest is not None
        and group["mgfSha"] == group["sha"]
        and group["sLen"] == hashlib.new(digest).digest_size
    )


def accepted(kind: str, group: dict[str, Any], test: dict[str, str], digest: str) -> bool:
    """Return whether our code takes the vector's signature by its key."""
    key = load_der_public_key(bytes.fromhex(group["publicKeyDer"]))
    assert weak_key(key) == ""
    message, signature = bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"])
    signed = SignedData(digest, b"", kind, message, signature, b"", (), None, ())
    return signature_matches(key, signed)


@pytest.mark.parametrize("name", sorted(vectors()))
def test_file(name):
    """Valid is accepted, invalid is not, "acceptable" may be either; valid by foreign parameters is refused."""
    content = vectors()[name]
    kind, wrong, counted = KINDS[content["algorithm"]], [], 0
    for group in content["testGroups"]:
        # A digest or parameters that no seal may use are tried as each digest that one may use.
        digest = DIGESTS.get(group.get("sha", "SHA-512"))
        for test in group["tests"]:
            counted += 1
            if ours(kind, group):
                right = {"valid": {True}, "invalid": {False}, "acceptable": {True, False}}[test["result"]]
                answers = {accepted(kind, group, test, digest)}
            elif test["result"] == "valid":
                right, answers = {False}, {accepted(kind, group, test, one) for one in DIGESTS.values()}
            else:
                continue  # what is wrong under foreign parameters may be right under ours
            wrong += [] if answers <= right else [(test["tcId"], test["comment"], answers)]
    assert wrong == []
    assert counted == content["numberOfTests"] > 0


def test_how_many_cases_there_are():
    """Every algorithm a seal may use has its cases, and so have the curves and sizes."""
    counts = Counter()
    for content in vectors().values():
        counts[KINDS[content["algorithm"]]] += content["numberOfTests"]
    assert counts == {"ecdsa": 3098, "rsa": 2330, "rsa_pss": 1431, "ed25519": 151}
