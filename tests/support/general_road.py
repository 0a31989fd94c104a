"""The general road of issuing: what elicense does by itself for speed, done by the libraries it replaces.

It exists in the tests only; the product has one road. Replaced are

1. text on one line: all texts are broken into lines by the long road
2. the codes of a text: each character is looked up in its chain of fonts
3. font programs from glyph records: fontTools draws CFF; of TrueType hb-subset, and the CIDToGIDMap it makes necessary
4. QR codes from tables: segno, with the same mask
5. licence.json put together: the standard library's JSON encoder
6. deflate by ISA-L: zlib
7. what is taken over: templates are compiled anew, and pages planned anew after the reservation
8. a CMS with two holes: pyHanko's build
"""

from __future__ import annotations

import hashlib
import zlib
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import TYPE_CHECKING, Self
from unittest.mock import patch

import segno
import uharfbuzz as hb
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen

from elicense.encoding import canonical_json, licence_to_json, placement_to_json
from elicense.issuing import line as issuing
from elicense.rendering import compiler, deflate, embedding, fill, planning, qrcode, resources
from elicense.rendering.embedding import FontSubsets
from elicense.rendering.fonts import Face
from elicense.rendering.objects import stream
from elicense.rendering.qrtables import picture_of
from elicense.rendering.template import TextSlot
from elicense.signing import cms as signing
from elicense.signing.full_build import full_build

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from elicense.model import FieldPlacement, Licence
    from elicense.pki.keys import Signer
    from elicense.preflight import UnsignedDocument
    from elicense.rendering.embedding import EmbeddedFont
    from elicense.rendering.objects import Body
    from elicense.rendering.planning import Planned
    from elicense.rendering.template import CompiledTemplate

KEPT_TABLES = frozenset({"glyf", "head", "hhea", "hmtx", "loca", "maxp"})
"""Of a font program in a PDF."""


@contextmanager
def general_road() -> Iterator[None]:
    """Offices that issue for the first time meanwhile do so on the general road."""
    with ExitStack() as stack:
        for target, name, replacement in (
            (TextSlot, "line", property(lambda _: None)),
            (FontSubsets, "shown", _shown),
            (FontSubsets, "prepare", lambda *_: None),
            (Face, "program", lambda *_: b""),
            (embedding, "_embed", _embedded),
            (resources, "write_font", _write_font),
            (qrcode, "_table", _Symbols),
            (issuing, "write", _write),
            (issuing, "plan", _plan),
            (deflate, "QUICK", deflate.Deflater("zlib level 6", zlib.compress)),
            (compiler, "_SHELF", compiler._Shelf()),
            (signing, "template_of", _FullBuild),
        ):
            stack.enter_context(patch.object(target, name, replacement))
        yield


# --- Fonts ---


def _shown(self: FontSubsets, text: str, role: str) -> tuple[tuple[int, str], ...]:
    """Return font and codes of each stretch of a text."""
    return tuple((run.font, run.codes) for run in self.encode(self.library.glyphs(text, role)))


def _embedded(subset: Collection[str], face: Face, names: tuple[str, ...]) -> EmbeddedFont:
    """Return the font of one face, its program by fontTools or hb-subset."""
    gids = [face.gid(char) for char in subset]
    whole = prepared(face.spec.path, face.spec.index)
    program = redrawn(hb.Font(whole), gids) if face.cff else Subset(whole, gids)
    return _EMBED(subset, face, names)._replace(program=program)


_EMBED = embedding._embed


def redrawn(font: hb.Font, gids: Sequence[int]) -> bytes:
    """Return a name-keyed CFF program, whose CIDs are glyph numbers: the k-th of the glyphs drawn anew as glyph k."""
    em = font.face.upem
    charstrings = {}
    for number, gid in enumerate((0, *gids)):
        pen = T2CharStringPen(font.get_glyph_h_advance(gid), None)
        font.draw_glyph_with_pen(gid, pen)
        charstrings[f"glyph{number}" if number else ".notdef"] = pen.getCharString()
    builder = FontBuilder(em, isTTF=False)
    builder.setupGlyphOrder(list(charstrings))
    builder.setupCFF("Redrawn", {"FontMatrix": [1 / em, 0, 0, 1 / em, 0, 0]}, charstrings, {})
    program: bytes = builder.font["CFF "].compile(builder.font)
    return program


@cache
def prepared(path: Path, index: int) -> hb.Face:
    """Return a face of a font file, prepared for subsets."""
    return hb.subset_preprocess(hb.Face(hb.Blob.from_file_path(str(path)), index))


class Subset(bytes):
    """hb-subset's program of some glyphs: it keeps the face's own order and gives each glyph once."""

    numbers: dict[int, int]
    """Number of a glyph in the face -> in the program."""
    cid_map: bytes
    """CIDToGIDMap: for the k-th of the glyphs asked for, from 1 on, its number in the program."""

    def __new__(cls, face: hb.Face, gids: Sequence[int]) -> Self:
        """Return the program of these glyphs of a prepared face."""
        wanted = hb.SubsetInput()
        wanted.glyph_set.update(gids)
        wanted.flags = hb.SubsetFlags.NO_HINTING | hb.SubsetFlags.NO_LAYOUT_CLOSURE
        wanted.drop_table_tag_set.update(
            int.from_bytes(tag.encode(), "big") for tag in face.table_tags if tag not in KEPT_TABLES
        )
        plan = hb.SubsetPlan(face, wanted)
        made = super().__new__(cls, plan.execute().blob.data)
        made.numbers = dict(plan.old_to_new_glyph_mapping.items())
        made.cid_map = b"".join(made.numbers[gid].to_bytes(2, "big") for gid in (0, *gids))
        return made


def _write_font(body: Body, allocate: Callable[[], int], font: EmbeddedFont, *, best: bool = False) -> int:
    """Write the objects of a font and its map from codes to glyphs; return the number of the font dictionary."""
    if font.cff:
        return _WRITE_FONT(body, allocate, font, best=best)
    number = allocate()
    body.add(number, stream("", font.program.cid_map, best=best))

    class Mapping:
        """The body, but that its font is told of the map."""

        def add(self, other: int, content: str | bytes) -> None:
            if isinstance(content, str):
                content = content.replace("/CIDToGIDMap/Identity", f"/CIDToGIDMap {number} 0 R")
            body.add(other, content)

    return _WRITE_FONT(Mapping(), allocate, font, best=best)


_WRITE_FONT = resources.write_font


# --- QR code, licence.json, pages, signature ---


def symbol(text: bytes, error: str) -> segno.QRCode:
    """Return segno's QR symbol of a text as bytes, under the mask that segno finds best."""
    return segno.make_qr(text, mode="byte", error=error, boost_error=False)


class _Symbols:
    """What a table of symbols does, by segno."""

    def __init__(self, error: str, length: int) -> None:
        self._error = error
        zeros = symbol(bytes(length), error)
        self.version, self.modules = int(zeros.version), len(zeros.matrix)

    def picture(self, text: bytes) -> bytes:
        return picture_of(symbol(text, self._error))


def plain_licence_file(licence: Licence, placements: Iterable[FieldPlacement]) -> bytes:
    """Return licence.json by the standard library's encoder of JSON."""
    return canonical_json({
        "schema": "elicense/licence/1",
        "licence": licence_to_json(licence),
        "index": [placement_to_json(placement) for placement in placements],
    })  # fmt: skip


def _write(planned: Planned) -> UnsignedDocument:
    """Return the unsigned document, its licence.json encoded as a whole."""

    def encoded(licence: Licence, _: object) -> bytes:
        return plain_licence_file(licence, planned.layout.placements)

    with patch.object(fill, "encode_licence_file", encoded):
        return fill.write(planned)


def _plan(compiled: CompiledTemplate, licence: Licence, _: Planned | None = None) -> Planned:
    return planning.plan(compiled, licence)


class _FullBuild:
    """What a CMS template does, by pyHanko from the beginning each time."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self.digest_size = hashlib.new(signer.algorithm.digest).digest_size

    def to_sign(self, digest: bytes) -> bytes:
        return self._built(digest, bytes(64))[0]

    def build(self, digest: bytes, signature: bytes, timestamp: bytes = b"") -> bytes:
        assert not timestamp, "no document of these tests has one"
        return self._built(digest, signature)[1]

    def _built(self, digest: bytes, signature: bytes) -> tuple[bytes, bytes]:
        signer = self._signer
        return full_build(digest, signature, signer.certificate, signer.chain, signer.algorithm)
