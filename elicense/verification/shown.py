"""What was sealed, beside what a file shows now: the sealed revision, and how the text of the whole file differs.

Information for people, never part of a verdict: text can be hidden, pictures can lie, and a reader other than
PDFium may show either differently. Text is taken from the pages with their annotations and form fields as they look.

The text is read by PDFium in a child process that reads this one document and ends (see sandbox.py); this module
loads it only there.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from elicense.errors import MalformedDocument
from elicense.verification.structure import read_structure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elicense.verification.facts import SignatureFacts
    from elicense.verification.report import VerificationReport

MOST_PAGES = 200
"""Pages whose text is compared."""
MOST_LINES = 1000
"""Lines of a page that are compared."""
LONGEST_LINE = 300
"""Characters of a line that are compared and reported."""
MOST_NAMES = 20
"""Fields that an error lists."""
MOST_REPORTED = 40
"""Differing pages that are reported, and lines of a page, removed and added each."""
TROUBLES = ("unreadable", "not_installed", "size", "time", "memory", "process")
"""Why there is no comparison: PDFium could not read one of the two or is not there, or a limit was reached."""


@dataclass(frozen=True, slots=True)
class PageDifference:
    """How one page's text differs from what was sealed."""

    page: int
    """Page number, from 1."""
    removed: tuple[str, ...]
    """Lines that were sealed and are not shown now."""
    added: tuple[str, ...]
    """Lines that are shown now and were not sealed."""


@dataclass(frozen=True, slots=True)
class TextDifference:
    """The text of the sealed revision against that of the whole file."""

    field: str
    """Name of the signature's form field; "" if it was found by scanning."""
    size: int
    """Bytes of the sealed revision."""
    sha256: str
    """Of the sealed revision, hex."""
    pages: tuple[PageDifference, ...] = ()
    """The pages that differ; empty if none was found to."""
    complete: bool = True
    """Whether all of both texts was compared and everything found is listed."""
    trouble: str | None = None
    """One of TROUBLES if nothing could be compared."""


class Comparer(Protocol):
    """Whatever compares the texts of two revisions without harm; usually a Sandbox."""

    def difference(self, data: bytes, end: int) -> tuple[tuple[PageDifference, ...], bool, str | None]:
        """Return differing pages, whether that is all, and the trouble, of `data` against its first `end` bytes."""


def sealed_end(
    data: bytes, report: VerificationReport, *, field: str | None = None
) -> tuple[str, int] | None:
    """Return field name and end of the sealed revision: the end of a signature's byte range.

    Under the policy licence it is the last seal's, under the policy general the first signature's. Signatures that
    are good come before others: one that somebody added over his own changes must not hide them.

    Args:
        data: the file.
        report: on the same file.
        field: name of another signature's form field.

    Returns:
        None if the file has no such signature that states a byte range within the file.
    """
    found = [one for one in _ends(data, report) if field in {None, one[0]}]
    best = [(name, end) for name, end, doubt in found if doubt == min(one[2] for one in found)]
    if not best:
        return None
    return best[0] if report.policy == "general" or field is not None else max(best, key=lambda one: one[1])


def _ends(data: bytes, report: VerificationReport) -> Iterator[tuple[str, int, int]]:
    """Yield field, end and doubts of every signature that says what it covers, in the order of the report."""
    if report.facts is not None and report.facts.signatures:
        known = [(one.field, one.byte_range, one.declared, _doubt(one)) for one in report.facts.signatures]
    else:
        # Found by hash, or not read at all: the raw bytes say enough for this.
        candidates = (one for one in read_structure(data).candidates if one.kind != "timestamp")
        known = [(one.field, one.byte_range, one.declared, 0) for one in candidates]
    for name, (start, gap, behind, rest), declared, doubt in known:
        if declared and start == 0 and gap <= behind and behind + rest <= len(data):
            yield name, behind + rest, doubt


def _doubt(signature: SignatureFacts) -> int:
    """Return 0 for an intact signature under an anchor, 1 for an intact one of a stranger, 2 for any other."""
    if not (signature.digest_matches and signature.signature_matches):
        return 2
    return 0 if signature.path is not None and signature.path.anchored else 1


def sealed_revision(data: bytes, report: VerificationReport, *, field: str | None = None) -> bytes:
    """Return the file as it was when it was sealed: its bytes up to the end of the seal's byte range.

    Whether that is authentic is for a verification of its own to say. Arguments as for `sealed_end`.

    Raises:
        MalformedDocument: there is no such signature, or it does not say what it covers.
    """
    found = sealed_end(data, report, field=field)
    if found is None and field is not None:
        names = dict.fromkeys(name for name, _, _ in _ends(data, report) if name)
        listed = ", ".join(map(repr, tuple(names)[:MOST_NAMES]))
        raise MalformedDocument(
            f"no signature field {field!r} says what it covers: name {listed or 'no field at all'}",
            f"没有写明覆盖范围的签名域 {field!r}：请改用 {listed or '默认值，不指定签名域'}",
        )
    if found is None:
        raise MalformedDocument(
            "no seal or signature in the file says what it covers, so no earlier version can be taken out: "
            "ask for the original file",
            "文件中没有写明覆盖范围的签章或签名，无法取出签署时的版本：请索取原始文件",
        )
    return data[: found[1]]


def text_difference(
    data: bytes, report: VerificationReport, comparer: Comparer, *, field: str | None = None
) -> TextDifference | None:
    """Return how the text of `data` differs from its sealed revision's, None if nothing stands behind that.

    Args:
        data: the file.
        report: on the same file.
        comparer: reads both texts, usually a Sandbox.
        field: as for `sealed_end`.
    """
    found = sealed_end(data, report, field=field)
    if found is None or found[1] >= len(data):
        return None
    name, end = found
    pages, complete, trouble = comparer.difference(data, end)
    return TextDifference(name, end, hashlib.sha256(data[:end]).hexdigest(), pages, complete, trouble)


def with_difference(
    data: bytes, report: VerificationReport, comparer: Comparer, *, field: str | None = None
) -> VerificationReport:
    """Return the report with what `text_difference` found in it; the two answers stay what they are."""
    return replace(report, shown=text_difference(data, report, comparer, field=field))


def difference_to_json(difference: TextDifference) -> dict[str, object]:
    """Return the difference as plain values."""
    return {
        "field": difference.field,
        "sealed_size": difference.size,
        "sealed_sha256": difference.sha256,
        "pages": [
            {"page": one.page, "removed": list(one.removed), "added": list(one.added)}
            for one in difference.pages
        ],
        "complete": difference.complete,
        "trouble": difference.trouble,
    }


# --- In the child process ---


def compare(data: bytes, end: int) -> bytes:
    """Return the answer about `data` against its first `end` bytes, as JSON that `read_answer` reads."""
    try:
        import pypdfium2 as pdfium  # noqa: PLC0415 - only the process that compares may load it
    except ImportError:
        return json.dumps({"pages": [], "complete": False, "trouble": "not_installed"}).encode("ascii")
    try:
        sealed, whole = _texts(pdfium, data[:end]), _texts(pdfium, data)
        pages = [page for page in _differing(sealed[0], whole[0]) if page["removed"] or page["added"]]
    except pdfium.PdfiumError:
        return json.dumps({"pages": [], "complete": False, "trouble": "unreadable"}).encode("ascii")
    cut = any(page.pop("cut") for page in pages)
    complete = sealed[1] and whole[1] and len(pages) <= MOST_REPORTED and not cut
    answer = {"pages": pages[:MOST_REPORTED], "complete": complete, "trouble": None}
    return json.dumps(answer, ensure_ascii=True).encode("ascii")


def _texts(pdfium: Any, data: bytes) -> tuple[list[list[str]], bool]:
    """Return the lines of each page as it looks, annotations among them, and whether that is all there is."""
    document = pdfium.PdfDocument(data)
    pages, complete = [], len(document) <= MOST_PAGES
    for index in range(min(len(document), MOST_PAGES)):
        # Annotations become part of the page, then the page is read anew.
        page = document[index]
        pdfium.raw.FPDFPage_Flatten(page, pdfium.raw.FLAT_NORMALDISPLAY)
        page.close()
        page = document[index]
        text = page.get_textpage().get_text_range(errors="replace")
        page.close()
        lines = [line for line in map(_visible, text.splitlines()) if line]
        complete = complete and len(lines) <= MOST_LINES and all(len(line) <= LONGEST_LINE for line in lines)
        pages.append([line[:LONGEST_LINE] for line in lines[:MOST_LINES]])
    document.close()
    return pages, complete


def _visible(line: str) -> str:
    """Return the line without what has no shape of its own: controls, marks of direction, noncharacters."""
    return "".join(char for char in line if unicodedata.category(char)[0] != "C").strip()


def _differing(sealed: list[list[str]], whole: list[list[str]]) -> Iterator[dict[str, Any]]:
    for index in range(max(len(sealed), len(whole))):
        before = sealed[index] if index < len(sealed) else []
        after = whole[index] if index < len(whole) else []
        removed: list[str] = []
        added: list[str] = []
        matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
        for kind, one, two, three, four in matcher.get_opcodes() if before != after else ():
            if kind != "equal":
                removed += before[one:two]
                added += after[three:four]
        yield {
            "page": index + 1,
            "removed": removed[:MOST_REPORTED],
            "added": added[:MOST_REPORTED],
            "cut": max(len(removed), len(added)) > MOST_REPORTED,
        }


def read_answer(answer: bytes) -> tuple[tuple[PageDifference, ...], bool, str | None]:
    """Return what `compare` found. Raises ValueError for anything that it would not write."""
    try:
        found = json.loads(answer)
        pages = tuple(
            PageDifference(int(one["page"]), _lines(one["removed"]), _lines(one["added"]))
            for one in found["pages"]
        )
        trouble = found["trouble"]
    except (TypeError, KeyError, RecursionError) as error:
        raise ValueError("not a comparison") from error
    if len(pages) > MOST_REPORTED or trouble not in {None, *TROUBLES}:
        raise ValueError("not a comparison")
    return pages, found["complete"] is True, trouble


def _lines(values: list[object]) -> tuple[str, ...]:
    lines = tuple(value for value in values if isinstance(value, str) and len(value) <= LONGEST_LINE)
    # Half a surrogate pair is a ValueError here and would be trouble for whoever prints it.
    "".join(lines).encode()
    if len(lines) != len(values) or len(lines) > MOST_REPORTED:
        raise ValueError("not a comparison")
    return lines
