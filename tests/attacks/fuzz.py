"""Random damage to sealed licences: nothing that was changed may pass, raise, or take long.

`python -m tests.attacks.fuzz SECONDS [SEED]` runs as long as told and prints what came out; the committed tests
run a short sample with a fixed seed.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from elicense.verification.pipeline import verify
from elicense.verification.report import Indication
from tests.attacks import documents
from tests.support.paths import Remembering

_TOKENS = (
    b"/ByteRange", b"/Contents", b"/Type", b"/Sig", b"/Widget", b"/V", b"/Perms", b"/DocMDP", b"/AF", b"/EF",
    b"/Length", b"/Root", b"/Size", b"/Prev", b"/Encrypt", b"/Annots", b"/Kids", b"/Names", b"/Font", b"<<", b">>",
    b"[", b"]", b"(", b")", b"<", b">", b"0 0 R", b"1 0 R", b"7 0 R", b"99999 0 R", b"-1", b"0", b"1", b"4294967296",
    b"true", b"null", b"obj", b"endobj", b"stream\n", b"endstream", b"xref", b"trailer", b"startxref", b"%%EOF\n",
    b"#41", b"\\", b"\0", b"%", b"{", b"}",
)  # fmt: skip


@dataclass
class Findings:
    """What came out."""

    verdicts: Counter[str] = field(default_factory=Counter)
    """How often each verdict."""
    raised: list[str] = field(default_factory=list)
    """Seeds whose file made the verifier raise."""
    passed: list[str] = field(default_factory=list)
    """Seeds whose file passed although it was changed."""
    slowest: float = 0.0
    """Seconds of the slowest file."""


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return the document with one to four kinds of damage."""
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        data = chance.choice(_DAMAGE)(data, chance)
    return data


def _place(data: bytes, chance: random.Random) -> int:
    """Return a position, more often where structure is than in the middle of a stream."""
    if chance.random() < 0.5:
        mark = chance.choice(_TOKENS[:24])
        at = data.find(mark, chance.randrange(len(data) or 1))
        if at >= 0:
            return at + chance.randrange(len(mark) + 2)
    return chance.randrange(len(data) + 1)


def _bit(data: bytes, chance: random.Random) -> bytes:
    at = min(_place(data, chance), len(data) - 1)
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :] if data else data


def _splice(data: bytes, chance: random.Random) -> bytes:
    at = _place(data, chance)
    new = chance.randbytes(chance.choice((1, 2, 8, 64)))
    return data[:at] + new + data[at + chance.choice((0, len(new))) :]


def _truncate(data: bytes, chance: random.Random) -> bytes:
    return data[: _place(data, chance)]


def _cut_out(data: bytes, chance: random.Random) -> bytes:
    at = _place(data, chance)
    return data[:at] + data[at + chance.choice((1, 16, 256, 4096)) :]


def _duplicate(data: bytes, chance: random.Random) -> bytes:
    start, length = _place(data, chance), chance.choice((1, 20, 200, 2000))
    at = chance.choice((start, _place(data, chance)))
    return data[:at] + data[start : start + length] + data[at:]


def _token(data: bytes, chance: random.Random) -> bytes:
    old, new = chance.choice(_TOKENS), chance.choice(_TOKENS)
    at = data.find(old, chance.randrange(len(data) or 1))
    at = at if at >= 0 else data.find(old)
    if at < 0:
        return data[: len(data) // 2] + new + data[len(data) // 2 :]
    if chance.random() < 0.5:
        new = new[: len(old)].ljust(len(old))
    return data[:at] + new + data[at + len(old) :]


_DAMAGE = (_bit, _bit, _splice, _truncate, _cut_out, _duplicate, _token, _token)


def run(files: int | None, seconds: float, seed: int, *, resealed: bool) -> Findings:
    """Return what came of mutating real licences `files` times or for `seconds`.

    Args:
        files: how many; None is no limit.
        seconds: when to stop in any case.
        seed: of the whole run.
        resealed: whether every fourth file is put in order and sealed anew by a key that is known but may not
            seal this type, so that the damage lies behind a good signature.
    """
    found, sources = Findings(), [documents.licence(slug) for slug in documents.SLUGS]
    begun, number = time.monotonic(), 0
    while (files is None or number < files) and time.monotonic() - begun < seconds:
        name, number = f"{seed}:{number}", number + 1
        chance = random.Random(name)  # noqa: S311 - reproducible damage, no secret
        source = chance.choice(sources)
        data = mutated(source, chance)
        if resealed and number % 4 == 0:
            data = documents.resealed(data)
        start = time.monotonic()
        try:
            report = verify(data, trust=documents.trust(), at=documents.AT, sandbox=Remembering())
        except Exception as error:  # noqa: BLE001 - finding it is the purpose
            found.raised.append(f"{name} {type(error).__name__}: {error}"[:200])
            continue
        found.slowest = max(found.slowest, time.monotonic() - start)
        found.verdicts[f"{report.indication}/{report.sub_indication}"] += 1
        if report.indication is Indication.TOTAL_PASSED and data not in sources:
            found.passed.append(name)
    return found


if __name__ == "__main__":
    result = run(None, float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1, resealed=True)
    for verdict, count in result.verdicts.most_common():
        sys.stdout.write(f"{count:8} {verdict}\n")
    sys.stdout.write(f"raised {len(result.raised)}, passed {result.passed}, slowest {result.slowest:.2f} s\n")
    sys.stdout.write("".join(f"  {line}\n" for line in result.raised[:50]))
