"""Fonts and arts for the seal room's tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from seal_samples import BlockOutlines

from elicense.rendering.fonts import FontLibrary

FONTS = Path(__file__).parents[3] / "templates" / "fonts"


@pytest.fixture(scope="session")
def fonts():
    """The shipped fonts."""
    return FontLibrary.load(FONTS)


@pytest.fixture(scope="session")
def blocks():
    """Made-up glyphs, quick to draw."""
    return BlockOutlines()
