"""One running hash gives the digests that hashing each byte range on its own gives, at the cost of one pass."""

# ruff: noqa: S311 - chance is seeded, for the same bytes each time
from __future__ import annotations

import hashlib
import mmap
import random
import tempfile
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.foreign import many_signatures
from elicense.updates import RANGE, digest_of
from elicense.verification import chains, general_fields, pipeline, xref
from elicense.verification.changes import LaterChanges
from elicense.verification.digests import Digests, first_bytes, latest_ranges, sweep
from elicense.verification.document import InProcess, read_facts
from elicense.verification.general import read_general
from elicense.verification.report import Indication

if TYPE_CHECKING:
    from collections.abc import Callable

    from elicense.pki.trust import TrustStore

ALGORITHMS = ("sha256", "sha384", "sha512", "sha3_256")
SIZE = 3_000
CHANCE = random.Random(4)
DATA = CHANCE.randbytes(SIZE)
PLACES = st.integers(0, SIZE + 50)


def test_any_ranges_in_any_order() -> None:
    """Four thousand sets of ranges, announced or not, within the file or not, have the digests of their bytes."""
    for _ in range(4_000):
        places = [CHANCE.randrange(SIZE + 50) for _ in range(CHANCE.randint(1, 8))]
        ranges = [
            (CHANCE.choice((0, 0, 0, 7)), *(CHANCE.choice(places) for _ in range(3)))
            for _ in range(CHANCE.randint(1, 10))
        ]
        digests = Digests(DATA)
        digests.expect(CHANCE.sample(ranges, CHANCE.randint(0, len(ranges))))
        for byte_range in CHANCE.choices(ranges, k=15):
            algorithm = CHANCE.choice(ALGORITHMS)
            assert digests.covered(byte_range, algorithm) == digest_of(DATA, byte_range, algorithm)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.tuples(PLACES, PLACES, PLACES), max_size=6), st.integers(0, SIZE))
def test_what_is_swept_is_true(stated: list[tuple[int, int, int]], at: int) -> None:
    """Whatever ranges a file states, what is known of it beforehand are digests of its bytes, the whole among them."""
    data = DATA[:at] + b"".join(RANGE % one for one in stated) + DATA[at:]
    digests = sweep(data)
    assert digests.known["sha256", first_bytes(len(data))].hex() == hashlib.sha256(data).hexdigest()
    for (algorithm, byte_range), digest in digests.known.items():
        assert digest == digest_of(data, byte_range, algorithm)
    assert digests.hashed <= 2 * len(data)


def test_ranges_that_would_cost_much() -> None:
    """A file that states many ranges over nearly all of it does not make the process that took it in hash for long."""
    body = b"".join(b"/ByteRange [0 %d 20 1000000]" % (number % 19) for number in range(200))
    data = bytes(1_000_100) + body
    assert sweep(data).hashed <= 2 * len(data)


def test_mapped_memory_is_hashed_as_bytes_are() -> None:
    """A document that was handed over in shared memory has the digests of its bytes."""
    with tempfile.TemporaryFile() as file:
        file.write(DATA)
        file.flush()
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    assert Digests(mapped).covered((0, 10, 20, 30), "sha256") == digest_of(DATA, (0, 10, 20, 30), "sha256")


# --- Cost by what is done, never by the clock ---

COUNTS = (1, 10, 20, 40)


@cache
def documents() -> tuple[TrustStore, datetime, dict[int, bytes]]:
    """Return whom to trust, when, and documents of one page, signed so many times by pyHanko just now."""
    at = datetime.now(UTC).replace(microsecond=0)
    trust, files = many_signatures(at, COUNTS)
    return trust, at, files


def test_every_signature_is_found_from_the_end() -> None:
    """What is swept are all signatures' ranges, so that the reader need not hash."""
    for pdf in documents()[2].values():
        ranges = {candidate.byte_range for candidate in read_general(pdf).candidates}
        assert set(latest_ranges(pdf)) == ranges
        assert {("sha256", one) for one in ranges} <= sweep(pdf).known.keys()


@pytest.mark.parametrize("swept", [True, False])
def test_bytes_hashed(swept: bool) -> None:
    """A document is hashed once, and what stands behind each gap once more, however many signatures there are."""
    trust, at, files = documents()
    for pdf in files.values():
        structure = read_general(pdf)
        digests = sweep(pdf) if swept else Digests(pdf)
        read_facts(pdf, structure, trust, at, policy="general", digests=digests)
        behind = sum(candidate.byte_range[3] for candidate in structure.candidates)
        assert digests.hashed <= len(pdf) + behind
        assert behind < len(pdf) / 2


COUNTED = (
    (xref, "read_object"),
    (xref, "read_value"),
    (general_fields, "_signature"),
    (chains, "find_path"),
    (pipeline, "run_checks"),
    (LaterChanges, "__init__"),
)


def counted(monkeypatch: pytest.MonkeyPatch, pdf: bytes) -> Counter[str]:
    """Return how often what costs most is done in one verification."""
    trust, at, _ = documents()
    done: Counter[str] = Counter()

    def counting(name: str, original: Callable[..., object]) -> Callable[..., object]:
        def count(*arguments: object, **named: object) -> object:
            done[name] += 1
            return original(*arguments, **named)

        return count

    with monkeypatch.context() as patched:
        for owner, name in COUNTED:
            patched.setattr(owner, name, counting(name, getattr(owner, name)))
        report = pipeline.verify(pdf, trust=trust, at=at, policy="general", sandbox=InProcess())
    assert report.indication is Indication.TOTAL_PASSED
    return done


def test_work_is_in_proportion_to_the_signatures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice as many signatures are twice as many objects; paths and checks are asked for once for all of them."""
    work = {count: counted(monkeypatch, pdf) for count, pdf in documents()[2].items()}
    for name in ("read_object", "read_value", "_signature"):
        ten, twenty = (work[high][name] - work[low][name] for low, high in ((10, 20), (20, 40)))
        assert 0 < twenty <= 2 * ten
    assert {work[count][name] for count in COUNTS for name in ("find_path", "run_checks", "__init__")} == {1}
