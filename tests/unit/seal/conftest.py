"""Fonts and arts for the seal room's tests."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from seal_samples import BlockOutlines

from elicense.rendering.fontlist import FaceSpec, FontList
from elicense.rendering.fonts import FontLibrary

ROOT = Path(__file__).parents[3]
FONTS = ROOT / "templates" / "fonts"
TRUETYPE = ROOT / "benchmarks" / "fonts" / "NotoSerifSC-Regular.ttf"


@pytest.fixture(scope="session")
def fonts():
    """The shipped fonts."""
    return FontLibrary.load(FONTS)


@pytest.fixture(scope="session")
def quadratic():
    """A font with quadratic curves in every role."""
    digest = hashlib.sha256(TRUETYPE.read_bytes()).hexdigest()
    return FontLibrary(
        FontList((FaceSpec("song", TRUETYPE, digest),), dict.fromkeys(("song", "title", "hei"), (0,)), ())
    )


@pytest.fixture(scope="session")
def blocks():
    """Made-up glyphs, quick to draw."""
    return BlockOutlines()
