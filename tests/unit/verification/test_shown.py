"""What was sealed and what is shown: the sealed revision taken out, and the difference of the texts."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from elicense.errors import MalformedDocument
from elicense.verification import shown, worker
from elicense.verification.pipeline import verify
from elicense.verification.report import to_json
from elicense.verification.sandbox import Sandbox
from elicense.verification.shown import (
    LONGEST_LINE,
    MOST_REPORTED,
    PageDifference,
    compare,
    read_answer,
    sealed_end,
    sealed_revision,
    text_difference,
    with_difference,
)
from tests.support.reports import foreign, sealed
from tests.vectors.generate import NOW, base, trust

TRUST = trust()
FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


def page(text: bytes) -> bytes:
    """Return a plain PDF of one page that shows `text`, with a cross-reference PDFium mends by itself."""
    content = b"BT /F 12 Tf 20 700 Td 14 TL %s ET" % b" ".join(
        b"(%s) Tj T*" % line for line in text.split(b"\n")
    )
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        b"<</Length %d>>\nstream\n%s\nendstream" % (len(content), content), FONT,
    )  # fmt: skip
    body = b"".join(b"%d 0 obj\n%s\nendobj\n" % (number, one) for number, one in enumerate(objects, 1))
    return b"%PDF-1.7\n" + body + b"trailer\n<</Size 6/Root 1 0 R>>\nstartxref\n0\n%%EOF\n"


def rewritten(before: bytes, text: bytes) -> bytes:
    """Return the file with its page's content replaced by a later object of the same number."""
    content = page(text)
    start = content.index(b"4 0 obj")
    return before + content[start : content.index(b"5 0 obj")] + content[content.index(b"trailer") :]


STAMPED = (
    b"\n3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>"
    b"/Annots[6 0 R]>>\nendobj\n6 0 obj\n<</Type/Annot/Subtype/Stamp/F 4/Rect[50 50 350 90]/AP<</N 7 0 R>>>>\nendobj\n"
    b"7 0 obj\n<</Type/XObject/Subtype/Form/BBox[0 0 300 40]/Resources<</Font<</F 5 0 R>>>>/Length 44>>\nstream\n"
    b"BT /F 20 Tf 5 5 Td (PAID IN FULL) Tj ET     \nendstream\nendobj\n"
    b"trailer\n<</Size 8/Root 1 0 R>>\nstartxref\n0\n%%EOF\n"
)
"""An update that puts a stamp with text on the page."""


def found(before: bytes, after: bytes) -> tuple[tuple[PageDifference, ...], bool, str | None]:
    """Return what the child process would say."""
    assert after.startswith(before)
    return read_answer(compare(after, len(before)))


def test_the_sealed_revision_is_the_file_that_was_sealed(sandbox: Sandbox) -> None:
    """Whatever stands behind the seal is cut off; the rest is the sealed file, bit by bit."""
    data = base() + b"\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
    report = verify(data, trust=TRUST, at=NOW, sandbox=sandbox)
    assert sealed_revision(data, report) == base()
    assert sealed_end(base(), verify(base(), trust=TRUST, at=NOW, sandbox=sandbox))[1] == len(base())


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7\n%%EOF\n", b"no PDF at all"])
def test_without_a_seal_there_is_no_sealed_revision(sandbox: Sandbox, data: bytes) -> None:
    """A file without a signature is refused with a sentence, and has no difference to show."""
    report = verify(data, trust=TRUST, at=NOW, sandbox=sandbox)
    with pytest.raises(MalformedDocument, match="no seal"):
        sealed_revision(data, report)
    assert text_difference(data, report, sandbox) is None


def test_the_last_seal_counts_and_under_general_the_first_signature() -> None:
    """Which signature is meant depends on the policy, unless its field is named."""
    data = bytes(61000)
    assert sealed_end(data, foreign()) == ("Signature1", 40000)
    assert sealed_end(data, replace(foreign(), policy="licence")) == ("Signature2", 60000)
    assert sealed_end(data, foreign(), field="Signature2") == ("Signature2", 60000)
    assert sealed_end(data, foreign(), field="Signature3") is None


def test_a_strangers_later_signature_hides_nothing() -> None:
    """Whoever changes a sealed file and signs the result himself does not become its sealed revision."""
    facts = foreign().facts
    first, second = facts.signatures
    stranger = replace(second, path=replace(second.path, anchored=False))
    for later in (stranger, replace(second, digest_matches=False), replace(second, path=None)):
        report = replace(foreign(), policy="licence", facts=replace(facts, signatures=(first, later)))
        assert sealed_end(bytes(61000), report) == ("Signature1", 40000)


def test_a_range_beyond_the_file_or_only_implied_is_none() -> None:
    """A signature that covers more than there is, or does not say what, gives no revision."""
    assert sealed_end(bytes(39999), sealed()) is None
    facts = sealed().facts
    implied = replace(facts, signatures=(replace(facts.signatures[0], declared=False),))
    assert sealed_end(bytes(40000), replace(sealed(), facts=implied)) is None


def test_a_changed_line_is_found() -> None:
    """The line that was sealed is gone, another is there; what stayed is not told."""
    before = page(b"Name: Example\nAmount: 100")
    after = rewritten(before, b"Name: Example\nAmount: 100000")
    assert found(before, after) == ((PageDifference(1, ("Amount: 100",), ("Amount: 100000",)),), True, None)


def test_text_of_an_annotation_is_shown_text() -> None:
    """A stamp laid over the page after sealing is seen, as a reader sees it."""
    before = page(b"Name: Example")
    assert found(before, before + STAMPED) == ((PageDifference(1, (), ("PAID IN FULL",)),), True, None)


def test_the_same_text_is_no_difference() -> None:
    """Bytes behind the seal that show nothing new are no difference."""
    before = page(b"Name: Example")
    assert found(before, rewritten(before, b"Name: Example")) == ((), True, None)


def test_what_is_reported_is_bounded() -> None:
    """Long lines and many differences are cut, and the answer says that it is not all."""
    before = page(b"x")
    pages, complete, _ = found(before, rewritten(before, b"\n".join(b"line %d" % n for n in range(100))))
    assert len(pages[0].added) == MOST_REPORTED
    assert not complete
    pages, complete, _ = found(before, rewritten(before, b"y" * (LONGEST_LINE + 50)))
    assert len(pages[0].added[0]) == LONGEST_LINE
    assert not complete


def test_what_pdfium_cannot_read_is_trouble_and_no_verdict() -> None:
    """An unreadable half is named, not raised."""
    assert found(b"junk", b"junk and more") == ((), False, "unreadable")


def test_without_the_package_the_answer_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A verifier that ships without PDFium says what is missing."""
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    assert found(b"a", b"ab") == ((), False, "not_installed")


@pytest.mark.parametrize(
    "answer",
    [
        b"no JSON", b"[]", b"{}", b'{"pages": 1, "complete": true, "trouble": null}',
        b'{"pages": [], "complete": true, "trouble": "surprise"}',
        b'{"pages": [{"page": 1, "removed": [1], "added": []}], "complete": true, "trouble": null}',
        b'{"pages": [{"page": 1, "removed": ["\\ud800"], "added": []}], "complete": true, "trouble": null}',
        json.dumps({"pages": [{"page": 1, "removed": ["x" * 301], "added": []}], "complete": True,
                    "trouble": None}).encode(),
    ],
)  # fmt: skip
def test_an_answer_that_no_worker_of_ours_gives_is_refused(answer: bytes) -> None:
    """What a taken-over worker may say is checked before anybody shows it."""
    with pytest.raises(ValueError, match=r".*"):
        read_answer(answer)


def test_the_worker_that_compared_is_gone(sandbox: Sandbox) -> None:
    """A process in which a native reader saw a document never reads another one."""
    sandbox.warm_up()
    (one,) = sandbox._idle
    before = page(b"a")
    after = rewritten(before, b"b")
    assert sandbox.difference(after, len(before)) == ((PageDifference(1, ("a",), ("b",)),), True, None)
    assert not one.alive()
    assert sandbox._idle == []
    assert sandbox.read(base(), TRUST, NOW).signatures


def test_limits_hold_for_comparing_too() -> None:
    """A comparison that takes too long is stopped and says so."""
    with Sandbox(wall_seconds=0.001) as hurried:
        before = page(b"a")
        assert hurried.difference(rewritten(before, b"b"), len(before)) == ((), False, "time")


def test_importing_the_verifier_does_not_load_pdfium() -> None:
    """The verifier alone never loads the native reader, neither in its process nor in a worker that reads facts."""
    code = (
        "import sys, elicense.verification.pipeline, elicense.verification.worker, elicense.verification.shown;"
        "sys.exit(any(name.startswith('pypdfium2') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert not hasattr(worker, "pypdfium2")
    assert not hasattr(shown, "pypdfium2")


def test_the_difference_is_information(sandbox: Sandbox) -> None:
    """It stands in the JSON report and leaves both answers and every check as they were."""
    data = base() + b"\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
    report = verify(data, trust=TRUST, at=NOW, sandbox=sandbox)
    more = with_difference(data, report, sandbox)
    assert replace(more, shown=None) == report
    assert to_json(more)["shown"]["sealed_size"] == len(base())
    assert "shown" not in to_json(report)
