"""Coverage-guided fuzzing of the whole line: `python -m tests.fuzz.atheris_target [FOLDER] [-max_total_time=60 …]`.

Needs atheris 3.0.0 (Python 3.11 on Linux). New inputs are kept in FOLDER. Half of
the inputs are changed byte by byte by libFuzzer, half by what knows a PDF's words.
"""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["elicense.verification", "elicense.pki", "elicense.encoding"]):
    from tests.attacks.fuzz import mutated
    from tests.fuzz.target import judge, load_corpus

CORPUS = load_corpus()


def one_input(data: bytes) -> None:
    """Nothing happens if the verifier can cope with the bytes."""
    judge(data, CORPUS)


def changed(data: bytes, max_size: int, seed: int) -> bytes:
    """Return the input with damage."""
    chance = random.Random(seed)  # noqa: S311 - reproducible damage, no secret
    if chance.random() < 0.5:
        return bytes(atheris.Mutate(data, max_size))
    return mutated(bytes(data) or CORPUS.honest[0], chance)[:max_size]


def main(arguments: list[str]) -> None:
    """Fuzz until a limit in the arguments is reached or something is found."""
    with tempfile.TemporaryDirectory() as seeds:
        for name, data in CORPUS.files.items():
            (Path(seeds) / name).write_bytes(data)
        atheris.Setup([arguments[0], *arguments[1:], seeds], one_input, custom_mutator=changed)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
