"""A supplied picture is taken as it is, or refused with what to do."""

from __future__ import annotations

import base64
import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, PngImagePlugin

from elicense.errors import SealError
from elicense.seal.drawing import draw_seal
from elicense.seal.model import SealPicture
from elicense.seal.picture import read_picture


def picture(size=(500, 500), mode="RGBA", background=(9, 8, 7, 0), ink=(255, 0, 0, 255)):
    """Return a picture of a filled circle."""
    image = Image.new(mode, size, background)
    ImageDraw.Draw(image).ellipse((20, 20, size[0] - 20, size[1] - 20), fill=ink)
    return image


def png(image, **options):
    """Return PNG bytes."""
    buffer = io.BytesIO()
    image.save(buffer, options.pop("kind", "PNG"), **options)
    return buffer.getvalue()


GOOD = png(picture())


def test_pixels_are_kept():
    """A picture becomes its own pixels, unscaled; what was under transparency is gone."""
    image = read_picture(SealPicture(GOOD, 42, 42))
    assert (image.width, image.height) == (500, 500)
    assert len(image.rgb) == 3 * len(image.alpha) == 750_000
    assert set(image.alpha) == {0, 255}
    assert set(zip(image.rgb[::3], image.rgb[1::3], image.rgb[2::3], strict=True)) == {(255, 0, 0)}


def test_half_transparent_pixels_are_kept():
    """A soft edge stays soft."""
    image = read_picture(SealPicture(png(picture(ink=(200, 10, 20, 128))), 42, 42))
    assert set(image.alpha) == {0, 128}
    assert image.rgb[3 * 125_250 : 3 * 125_251] == bytes((200, 10, 20))


def test_palette_picture():
    """A palette PNG with a transparent colour is taken."""
    image = Image.new("P", (600, 600), 0)
    image.putpalette([255, 255, 255, 255, 0, 0])
    ImageDraw.Draw(image).rectangle((50, 50, 300, 300), fill=1)
    taken = read_picture(SealPicture(png(image, transparency=0), 42, 42))
    assert taken.alpha.count(255) == 251 * 251


def test_drawn_at_its_declared_size():
    """The drawing calls the picture once, at exactly its declared size in points, without any path."""
    drawing = draw_seal(SealPicture(GOOD, 42, 42), None)
    assert drawing.content == b"q 119.06 0 0 119.06 0 0 cm /SealImage Do Q\n"
    assert drawing.outlines == ()
    assert (drawing.width_mm, drawing.height_mm) == (42, 42)


def test_preview_picture_has_the_same_pixels():
    """The picture in the SVG is the same as the one in the document."""
    drawing = draw_seal(SealPicture(GOOD, 42, 42), None)
    packed = drawing.svg().split("base64,")[1].split('"')[0]
    image = Image.open(io.BytesIO(base64.b64decode(packed)))
    assert image.convert("RGB").tobytes() == drawing.image.rgb
    assert image.getchannel("A").tobytes() == drawing.image.alpha


def animated():
    """Return an animated PNG."""
    return png(picture(), save_all=True, append_images=[picture(ink=(0, 255, 0, 255))])


def huge():
    """Return a small file that claims 60,000 x 60,000 pixels."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 6, 0, 0, 0)
    chunk = b"IHDR" + header
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


def text_bomb():
    """Return a PNG whose compressed text is enormous."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "0" * 80_000_000, zip=True)
    return png(picture(), pnginfo=info)


REFUSED = [
    (b"", 42, 42, "not a PNG"),
    (b"GIF89a" + bytes(40), 42, 42, "not a PNG"),
    (png(picture(mode="RGB", background=(255, 255, 255), ink=(255, 0, 0)), kind="JPEG"), 42, 42, "not a PNG"),
    (png(picture(mode="RGB", background=(255, 255, 255), ink=(255, 0, 0))), 42, 42, "no transparent"),
    (png(picture(background=(255, 255, 255, 255))), 42, 42, "no transparent"),
    (png(Image.new("RGBA", (500, 500), (255, 0, 0, 0))), 42, 42, "empty"),
    (png(picture((490, 490))), 42, 42, "296 dpi"),
    (GOOD, 42, 30, "distorted"),
    (GOOD, 0, 42, "positive"),
    (GOOD, float("nan"), 42, "positive"),
    (png(Image.new("RGBA", (2001, 600))), 60, 18, "2001 x 600"),
    (huge(), 42, 42, "60000 x 60000"),
    (GOOD[:300], 42, 42, "damaged"),
    (GOOD[:60] + b"\0" * 40 + GOOD[100:], 42, 42, "damaged"),
    (animated(), 42, 42, "animated"),
    (text_bomb(), 42, 42, "damaged"),
]


@pytest.mark.parametrize(("data", "width", "height", "words"), REFUSED, ids=lambda value: str(value)[:12])
def test_refused(data, width, height, words):
    """What is not fit for a seal is refused, and the message says what to supply."""
    with pytest.raises(SealError, match=words) as refusal:
        read_picture(SealPicture(data, width, height))
    assert "请" in refusal.value.zh or "最大" in refusal.value.zh


@given(place=st.integers(8, len(GOOD) - 1), value=st.integers(0, 255))
def test_damage_never_escapes(place, value):
    """A picture with any byte changed is either taken whole or refused with a SealError."""
    data = bytearray(GOOD)
    data[place] = value
    try:
        image = read_picture(SealPicture(bytes(data), 42, 42))
    except SealError:
        return
    assert len(image.alpha) == image.width * image.height
