"""Reading by comparison: which road a document takes, what is learned from it, and that the answer is the same."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from elicense.verification import frames, shapes
from elicense.verification.document import InProcess
from elicense.verification.frames import Frame, Frames, frame_of
from elicense.verification.known import Known, Road
from elicense.verification.pipeline import verify
from elicense.verification.report import Indication, to_json
from elicense.verification.structure import read_structure
from tests.attacks import documents, flips
from tests.support.roads import READER, both

if TYPE_CHECKING:
    from elicense.verification.facts import Facts

SLUG = documents.SLUGS[0]
ROADS = {
    **dict.fromkeys(documents.TYPES, Road.SHAPE),
    **{f"{slug}+B-T": Road.SHAPE for slug in documents.SLUGS},
    **dict.fromkeys(documents.EXTENDED, Road.FULL),
    "approval-document": Road.FRAME,
    documents.JOINT: Road.FRAME,
}
"""How a kind of document is read once one of its template and signer was."""


class NoWorker:
    """A reader that must not be asked."""

    def read(self, *_: object, **__: object) -> Facts:
        """Fail."""
        raise AssertionError("a document of a known kind went the whole way")


def verified(data: bytes, known: Known, reader: object = READER) -> bool:
    """Return whether a document passes."""
    report = verify(data, trust=documents.trust(), at=documents.AT, sandbox=reader, known=known)  # type: ignore[arg-type]
    return report.indication is Indication.TOTAL_PASSED


def test_every_kind_has_its_road() -> None:
    """The table names every kind of document that there is."""
    assert set(ROADS) == set(flips.KINDS)


@pytest.mark.parametrize("subject", flips.KINDS)
def test_the_second_document_is_read_by_comparison(subject: str) -> None:
    """The first goes the whole way, the second takes its kind's road, and both roads say the same of both."""
    known, data = Known(), documents.licence(subject)
    roads = [both(data, documents.trust(), documents.AT, known=known)[1] for _ in range(2)]
    assert roads == [Road.FULL, ROADS[subject]]


def test_a_known_document_needs_no_worker() -> None:
    """Nothing but the first licence of a template reaches the sandbox, and JSON and reports are the same."""
    known, data = Known(), documents.licence(SLUG)
    first = verify(data, trust=documents.trust(), at=documents.AT, sandbox=READER, known=known)
    again = verify(data, trust=documents.trust(), at=documents.AT, sandbox=NoWorker(), known=known)
    assert first == again
    assert to_json(first) == to_json(again)
    with pytest.raises(AssertionError):
        verify(data, trust=documents.trust(), at=documents.AT, sandbox=NoWorker(), known=None)


def test_data_of_a_known_form_are_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the second document on the data of a licence are compared with those before; the report stays the same."""
    known, keeper = Known(), documents.keeper(SLUG)
    for _ in range(2):
        assert verified(documents.licence(SLUG), known)
    earlier = documents.made(SLUG, keeper, backdated=documents.AT - timedelta(minutes=3))
    # A signature of a length not met before goes the whole way once.
    roads = [both(earlier, documents.trust(), documents.AT, known=known)[1] for _ in range(2)]
    assert roads[-1] is Road.SHAPE

    def decode(_: bytes) -> None:
        raise AssertionError("data of a known form were decoded")

    monkeypatch.setattr("elicense.verification.printed.open_licence_file", decode)
    assert verified(earlier, known)
    with pytest.raises(AssertionError):
        verified(earlier, Known(), InProcess())


def test_another_licence_of_the_template_takes_the_road() -> None:
    """What was learned from one licence serves another one with other data, other lengths and another signature."""
    known = Known()
    assert verified(documents.licence(SLUG), known)
    keeper = documents.keeper(SLUG)
    roads = []
    for minutes in range(12):
        data = documents.made(SLUG, keeper, backdated=documents.AT - timedelta(minutes=minutes))
        roads.append(both(data, documents.trust(), documents.AT, known=known)[1])
    assert roads.count(Road.SHAPE) > 6, roads


def test_nothing_is_learned_from_what_does_not_pass() -> None:
    """Documents of strangers, damaged ones and the policy general teach nothing."""
    known = Known()
    stranger = documents.made(SLUG, documents.stranger(SLUG))
    damaged = documents.licence(SLUG)[:-1]
    for data in (stranger, damaged, stranger, damaged):
        assert not verified(data, known)
    verify(
        documents.licence(SLUG),
        trust=documents.trust(),
        at=documents.AT,
        policy="general",
        sandbox=READER,
        known=known,
    )
    assert set(known.roads) == {Road.FULL}
    assert known.frames.recall(documents.licence(SLUG)) is None


def test_a_known_kind_is_trusted_no_more_than_another() -> None:
    """What was learned under one trust register lets nothing pass under another, or at another time."""
    known, data = Known(), documents.licence(SLUG)
    assert verified(data, known)
    trust = documents.trust()
    for changed, at in (
        ({"register": ()}, documents.AT),
        ({"anchors": ()}, documents.AT),
        ({"crls": ()}, documents.AT),
        ({}, documents.AT + timedelta(days=4000)),
        ({}, documents.AT - timedelta(days=1)),
    ):
        other = replace(trust, **changed)
        report, road = both(data, other, at, known=known)
        assert report.indication is not Indication.TOTAL_PASSED
        assert road is Road.SHAPE


def test_the_frame_changes_nothing_in_what_is_read() -> None:
    """Of each kind the structure is the same, object by object, with its frame taken over and without."""
    for subject in flips.KINDS:
        data = documents.licence(subject)
        alone = read_structure(data)
        frame = frame_of(data, alone)
        assert frame is not None, subject
        assert read_structure(data, frame) == alone
        assert data.startswith(frame.prefix)
        assert len(frame.prefix) < alone.candidates[0].gap[0]


def test_tokens_of_the_frame_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A document that is too complex to be read is that with a known beginning, too."""
    data = documents.licence(SLUG)
    frame = frame_of(data, read_structure(data))
    assert frame is not None
    for limit in (frame.tokens, frame.tokens + 20):
        monkeypatch.setattr("elicense.verification.structure.MAX_TOKENS", limit)
        alone, framed = read_structure(data), read_structure(data, frame)
        assert [one.reason for one in alone.findings] == ["limit.complexity"]
        assert [one.reason for one in framed.findings] == ["limit.complexity"]


def test_digests_go_on_from_the_frame() -> None:
    """Digests of a document with a known beginning are those of all its bytes, whatever is asked for."""
    known, data = Known(), documents.licence(SLUG)
    plain = known.digests(data)
    verified(data, known)
    framed = known.digests(data)
    assert type(framed) is not type(plain)
    start, end = documents.gap(data)
    assert framed.whole == plain.whole
    for cut in (0, 10, start, end, len(data)):
        assert framed.sealed(cut) == plain.sealed(cut)
    for covered in ((0, start, end, len(data) - end), (0, 9, end, 5), (5, 9, end, 5), (0, start, end, 0)):
        for name in ("sha256", "sha384", "sha512"):
            assert framed.covered(covered, name) == plain.covered(covered, name)


# --- Bounds ---


def test_frames_are_bounded_in_number_and_memory() -> None:
    """The frames met last stay; what they take is counted; a single one that is too large is not kept."""
    made = [Frame(b"%d" % n * 500, (), {}, 0) for n in range(5)]
    room = Frames(most=2)
    for frame in made:
        room.learn(frame)
    assert [room._frames[key] for key in room._frames] == made[3:]
    memory = Frames(memory=3 * made[0].cost)
    for frame in (*made, *made):
        memory.learn(frame)
    assert list(memory._frames.values()) == made[2:]
    assert memory._used == 3 * made[0].cost
    none = Frames(memory=made[0].cost - 1)
    none.learn(made[0])
    assert (len(none._frames), none._used) == (0, 0)


def test_a_frame_learns_so_many_shapes_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shapes that never recur cost time to learn, so a frame stops learning; its documents take the other road."""
    known, data = Known(), documents.licence(SLUG)
    verified(data, known)
    frame = known.frames.recall(data)
    assert frame is not None
    structure = read_structure(data)
    for _ in range(100):
        frame.learn(data, structure)
    assert len(frame.shapes) == frames.MOST_SHAPES
    assert frame.lessons == 0
    monkeypatch.setattr(frame, "shapes", ())
    assert both(data, documents.trust(), documents.AT, known=known)[1] is Road.FRAME
    assert frame.shapes == ()


def test_large_documents_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file over the size up to which its tokens need no counting goes the whole way, and teaches nothing."""
    data = documents.licence(SLUG)
    monkeypatch.setattr("elicense.verification.known.LONGEST_FILE", len(data) - 1)
    monkeypatch.setattr(shapes, "LONGEST_FILE", len(data) - 1)
    known = Known()
    roads = [both(data, documents.trust(), documents.AT, known=known)[1] for _ in range(2)]
    assert roads == [Road.FULL, Road.FULL]
    assert learn_is_none(data)


def test_content_has_narrow_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams that inflate far, and many pages, are read by a worker only; the verdict is the same."""
    for subject, name, value in (
        (SLUG, "shapes.LARGEST_STREAM", 500),
        ("approval-document", "comparison.LARGEST_STREAM", 500),
        ("approval-document", "comparison.MOST_PAGES", 2),
    ):
        known, data = Known(), documents.licence(subject)
        assert verified(data, known)
        with monkeypatch.context() as patch:
            patch.setattr(f"elicense.verification.{name}", value)
            assert both(data, documents.trust(), documents.AT, known=known)[1] is Road.FULL
        assert both(data, documents.trust(), documents.AT, known=known)[1] is ROADS[subject]


def learn_is_none(data: bytes) -> bool:
    """Return whether the file has no shape to learn."""
    return shapes.learn_shape(data, read_structure(data), frames.prefix_length(data)) is None


def test_several_threads_share_what_is_known() -> None:
    """Documents of different kinds verified at once, with room for one frame only, all pass."""
    known = Known()
    known.frames = Frames(most=1)
    passed: list[bool] = []

    def work(subject: str) -> None:
        passed.extend(verified(documents.licence(subject), known) for _ in range(5))

    threads = [threading.Thread(target=work, args=(subject,)) for subject in documents.SINGLE[:4]]
    for subject in documents.SINGLE[:4]:
        documents.licence(subject)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert passed == [True] * 20
    assert sum(known.roads.values()) == 20
