"""The name ByteRange is found wherever it matters, and where it cannot matter it is not looked for."""

# ruff: noqa: S311 - chance is seeded, for the same bytes each time
from __future__ import annotations

import random
import re

import pytest

from elicense.verification import general, general_names
from elicense.verification.general import read_general
from elicense.verification.general_names import find_names
from elicense.verification.pdf import Violation
from elicense.verification.scan import MOST_RANGES, spelled
from tests.support.foreign import append, hand_signed, plain, stream
from tests.unit.verification.test_general_properties import WORDS, mutated, samples

CHANCE = random.Random(11)
PARTS = (
    b"/ByteRange", b"/Byte#52ange", b"/#42#79teRange", b"/Byte", b"Range", b"#", b"/", b"\n", b"/ByteRang#65",
    b"/ByteRang#6", b"/byterange", b"a" * 9, b"/ByteRange[",
)  # fmt: skip


@pytest.mark.parametrize("piece", [1, 7, 64, 1 << 20])
def test_every_spelling_is_found(monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    """Searching in pieces finds what searching at once for every spelling finds, outside what is passed over."""
    monkeypatch.setattr(general_names, "_PIECE", piece)
    pattern = re.compile(b"/" + spelled("ByteRange"))
    for _ in range(700):
        data = b"".join(CHANCE.choices(PARTS, k=CHANCE.randint(0, 30)))
        cuts = sorted(CHANCE.randrange(len(data) + 1) for _ in range(2 * CHANCE.randint(0, 2)))
        spans = list(zip(cuts[0::2], cuts[1::2], strict=True))
        wanted = []
        for start, end in zip([0, *cuts[1::2]], [*cuts[0::2], len(data)], strict=True):
            wanted += [start + found.start() for found in pattern.finditer(data[start:end])]
        assert find_names(data, spans) == wanted


def test_too_many() -> None:
    """More than any file has are a limit."""
    with pytest.raises(Violation, match=r"limit\.complexity"):
        find_names(b"/ByteRange" * (MOST_RANGES + 1), [])


def test_passing_over_streams_changes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two thousand files, most of them damaged, get the same answer whether all streams are passed over or none."""
    files = [*samples()]
    for _ in range(2_000):
        changes = [
            (CHANCE.random(), CHANCE.randint(0, 12), CHANCE.choice(WORDS))
            for _ in range(CHANCE.randint(1, 3))
        ]
        files.append(mutated(CHANCE.choice(samples()), changes))
    answers = {}
    for large in (1, 1 << 40):
        for module in (general, general_names):
            monkeypatch.setattr(module, "LARGE", large)
        answers[large] = [read_general(data) for data in files]
    assert answers[1] == answers[1 << 40]


@pytest.mark.parametrize("spelling", [b"/ByteRange [0 1 2 3]", b"/Byte#52ange [0 1 2 3]"])
def test_what_stands_in_a_large_stream(spelling: bytes) -> None:
    """A byte range in the data of a stream is data, however large; anywhere else it is somebody's signature."""
    data = b"x" * general_names.LARGE + spelling
    assert read_general(hand_signed(append(plain(), {900: stream(data)}))).findings == ()
    outside = hand_signed(append(plain(), {900: b"(" + data + b")"}))
    (finding,) = read_general(outside).findings
    assert finding.reason == "format.removed_signature"


def test_a_stream_that_is_no_longer_in_use() -> None:
    """A removed signature in a large stream of an older revision is found."""
    data = b"x" * general_names.LARGE + b"/ByteRange [0 1 2 3]"
    older = append(append(plain(), {900: stream(data)}), {900: b"null"})
    (finding,) = read_general(hand_signed(older)).findings
    assert finding.reason == "format.removed_signature"


def test_objects_that_cost_much_are_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """One large object that cannot be read as a stream ends the attempt: a file may be made of nothing else."""
    read = []
    original = general_names.read_object

    def count(*arguments: object) -> object:
        read.append(arguments[1])
        return original(*arguments)

    monkeypatch.setattr(general_names, "read_object", count)
    body = b"(" * 10 + b"x" * general_names.LARGE
    read_general(hand_signed(append(plain(), {900 + number: body for number in range(20)})))
    assert len(read) == 1
