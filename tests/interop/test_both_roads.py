"""Licences of every type issued on the road for speed and on the general one: nobody can see a difference.

Both issue the same requests with registers that draw the same numbers, so licence and licence.json are the same to
the byte. The files are not: deflate, font programs and signature differ.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache, lru_cache, reduce
from typing import TYPE_CHECKING, NamedTuple
from unittest.mock import patch

import pypdfium2
import pytest
from isal import isal_zlib
from oracles import ask_java
from PIL import ImageChops

from elicense.issuing import issue
from elicense.rendering import fill
from elicense.rendering.assembler import Assembler
from elicense.rendering.compiler import compile_template
from elicense.rendering.oneline import OneLine
from elicense.rendering.qrtables import SymbolTable
from elicense.rendering.sheet import Sheet
from elicense.signing.template import CmsTemplate
from elicense.verification.pipeline import verify
from elicense.verification.report import Indication
from tests.support import demonstration
from tests.support.demonstration import AT
from tests.support.general_road import general_road
from tests.support.licences import CAPACITY, licence_of, seal_of, shipped_fonts
from tests.support.long_values import FULL, NAMES

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image

    from elicense.issuing import IssuedLicence
    from elicense.model import IssueRequest
    from elicense.preflight import UnsignedDocument

DPI = 150
LARGEST, SHARE = 64, 2e-5
"""Anti-aliasing: how much a colour of a pixel may differ (of 255), and which share of a page's pixels may at all.

Measured: 51 and 1.4e-5, the accents of a dozen letters. In the general road's fonts they are parts of their own, which
PDFium puts on whole pixels; in ours they are drawn with the letter. Where there are none, no pixel differs. A glyph
moved by a point: 220 and 5e-5 at the least.
"""
TYPES = demonstration.office().catalogue.types
each_type = pytest.mark.parametrize("slug", [kind.slug for kind in TYPES])


def requests(slug: str) -> dict[str, IssueRequest]:
    """Return what is asked for of a type: its sample, all fields at their longest, rare characters, the least."""
    sample = demonstration.request(slug)
    first, *others = sample.holders
    rare = replace(first, name=f"{NAMES['rare']} {NAMES['diacritics']}")
    optional = {spec.name for spec in demonstration.office().catalogue[slug].fields if not spec.required}
    needed = {name: value for name, value in sample.fields.items() if name not in optional}
    return {
        "sample": sample,
        "longest": replace(sample, fields={**sample.fields, **{k: listed(v) for k, v in FULL[slug].items()}}),
        "rare": replace(sample, holders=(rare, *others)),
        "least": replace(sample, fields=needed, case_number=None),
    }


def listed(value: object) -> object:
    """Return a canonical value as a request has it."""
    return list(map(listed, value)) if isinstance(value, tuple) else value


@cache
def issued(slug: str) -> dict[str, tuple[IssuedLicence, IssuedLicence]]:
    """Return the licences of a type as both roads issue them, the general one's second."""
    quick = {name: issue(asked, demonstration.office(), at=AT) for name, asked in requests(slug).items()}
    with general_road():
        return {
            name: (quick[name], issue(asked, demonstration.office(), at=AT))
            for name, asked in requests(slug).items()
        }


def texts(pdf: bytes) -> list[str]:
    """Return the text of each page as PDFium extracts it."""
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.get_textpage().get_text_bounded() for page in document]


def flat(text: str) -> str:
    """Return a text without white space, which no extractor keeps as it was."""
    return "".join(text.split())


@lru_cache(maxsize=2)
def pictures(pdf: bytes) -> list[Image]:
    """Return each page as PDFium paints it, seals included."""
    with pypdfium2.PdfDocument(pdf) as document:
        document.init_forms()  # seals are painted with the form's fields
        return [page.render(scale=DPI / 72).to_pil().convert("RGB") for page in document]


class Difference(NamedTuple):
    """How much the pages of two documents differ where they differ most."""

    largest: int
    """In one colour of one pixel, of 255."""
    share: float
    """Of a page's pixels that are not the same."""


def difference(one: bytes, other: bytes) -> Difference:
    """Return how much the pages of two documents differ to the eye; there are as many of them."""
    found = []
    for pair in zip(pictures(one), pictures(other), strict=True):
        counts = reduce(ImageChops.lighter, ImageChops.difference(*pair).split()).histogram()
        found.append((max(level for level, count in enumerate(counts) if count), 1 - counts[0] / sum(counts)))
    return Difference(*map(max, zip(*found, strict=True)))


@each_type
def test_text_is_extracted_alike(slug: str) -> None:
    """Page by page PDFium reads the same from both files, and the holder's or addressee's name is in it."""
    for name, (quick, general) in issued(slug).items():
        assert quick.record.licence == general.record.licence
        assert quick.pdf != general.pdf
        assert texts(quick.pdf) == texts(general.pdf), name
        licence = quick.record.licence
        said = licence.holders[0].name if licence.category == "licence" else licence.fields["addressee"]
        assert flat(said) in flat("".join(texts(quick.pdf)))


@each_type
def test_pages_look_alike(slug: str) -> None:
    """At 150 dpi the samples are the same pixel by pixel, and rare letters differ by anti-aliasing at most."""
    for name, (quick, general) in issued(slug).items():
        found = difference(quick.pdf, general.pdf)
        bound = Difference(0, 0.0) if name in {"sample", "least"} else Difference(LARGEST, SHARE)
        assert found.largest <= bound.largest, name
        assert found.share <= bound.share, name


@each_type
def test_the_verifier_says_the_same(slug: str) -> None:
    """Both pass, with the same answers to every check, the same signatures and the same content."""
    trust = demonstration.office().trust
    for name, pair in issued(slug).items():
        quick, general = (verify(one.pdf, trust=trust, at=AT) for one in pair)
        assert quick.indication is Indication.TOTAL_PASSED
        assert replace(quick, sha256="", facts=None) == replace(general, sha256="", facts=None), name
        assert quick.facts.content == general.facts.content, name


@pytest.mark.interop
def test_verapdf_says_the_same(tmp_path: Path) -> None:
    """Of every file of both roads veraPDF finds PDF/A-3a and PDF/UA-1 kept, of drawn pages PDF/A-3b."""
    asked = []
    for kind in TYPES:
        flavours = ["3b"] if (kind.folder / "background.pdf").exists() else ["3a", "ua1"]
        for name, pair in issued(kind.slug).items():
            for road, one in zip(("quick", "general"), pair, strict=True):
                path = tmp_path / f"{kind.slug}-{name}-{road}.pdf"
                path.write_bytes(one.pdf)
                asked += [(flavour, str(path)) for flavour in flavours]
    lines = ask_java("Verapdf", *(word for pair in asked for word in pair))
    assert [line[:3] for line in lines] == [[path, flavour, "compliant"] for flavour, path in asked]


# --- That these comparisons can fail ---


def raised(content: bytes, number: int) -> bytes:
    """Return a content stream in which the first glyph of one of its texts stands one point higher."""
    found = list(re.finditer(rb"<([0-9A-F]{4})([0-9A-F]*)> Tj", content))[number]
    moved = b"1 Ts <%s> Tj 0 Ts <%s> Tj" % found.groups()
    return content[: found.start()] + moved + content[found.end() :]


def unsigned(*, diameter: float = 40) -> UnsignedDocument:
    """Return a food licence, its seal so many millimetres wide."""
    kind = demonstration.office().catalogue[demonstration.SLUG]
    seal = seal_of(kind, diameter=diameter)
    return fill.fill(compile_template(kind, shipped_fonts(), seal, capacity=CAPACITY), licence_of(kind))


def test_a_glyph_moved_by_a_point_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever text it begins, one glyph one point higher is more than anti-aliasing, by either measure."""
    right, whole = unsigned().pdf, Sheet.stream
    shown = len(unsigned().plan.lines)
    assert shown > 15
    for number in range(shown):
        monkeypatch.setattr(Sheet, "stream", lambda *page, number=number: raised(whole(*page), number))
        wrong = unsigned().pdf
        assert texts(wrong) == texts(right)
        found = difference(right, wrong)
        assert found.largest > LARGEST, number
        assert found.share > SHARE, number


def test_a_seal_that_is_a_millimetre_wider_is_seen() -> None:
    """The pictures show the seal, and another one is more than anti-aliasing."""
    found = difference(unsigned().pdf, unsigned(diameter=41).pdf)
    assert found.largest > LARGEST
    assert found.share > SHARE


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (OneLine, "set"),
        (Assembler, "joined"),
        (SymbolTable, "picture"),
        (fill, "encode_licence_file"),
        (isal_zlib, "compress"),
        (CmsTemplate, "to_sign"),
    ],
)
def test_the_roads_have_nothing_in_common_there(owner: object, name: str) -> None:
    """The quick road does not get by without any part that is made for speed, the general one needs none."""
    request = demonstration.request()
    with patch.object(owner, name, side_effect=AssertionError("asked")):
        with pytest.raises(AssertionError, match="asked"):
            issue(request, demonstration.office(), at=AT)
        with general_road():
            issue(request, demonstration.office(), at=AT)
