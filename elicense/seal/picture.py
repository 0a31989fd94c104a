"""A supplied seal picture becomes raw pixels, or is refused with what to do; it is never scaled.

Plan: bytes not too many; a PNG signature and header with sides within 2,000 pixels (read before any decoder
runs); one frame; an alpha channel that is neither full nor empty; square pixels of at least 300 dpi at the
declared size. What comes out is re-encoded: no chunk of the supplied file survives.
"""

from __future__ import annotations

import base64
import io
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from elicense.errors import SealError

if TYPE_CHECKING:
    from PIL import Image

    from elicense.seal.model import SealPicture

MAX_SIDE = 2000
MAX_BYTES = 16 * 2**20
MIN_DPI = 300
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MM_PER_INCH = 25.4
_RED = (255, 0, 0)


@dataclass(frozen=True, slots=True)
class SealImage:
    """Pixels of a seal, ready for an image XObject with a soft mask."""

    width: int
    """Pixels across."""
    height: int
    """Pixels down."""
    rgb: bytes
    """3 bytes a pixel, rows from the top; fully transparent pixels are pure red, so nothing hides in them."""
    alpha: bytes
    """1 byte a pixel: 0 transparent, 255 opaque."""

    def data_uri(self) -> str:
        """Return the picture as a PNG in a data: address, for previews."""
        from PIL import Image  # noqa: PLC0415 - as in `read_picture`

        picture = Image.frombytes("RGB", (self.width, self.height), self.rgb)
        picture.putalpha(Image.frombytes("L", (self.width, self.height), self.alpha))
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def read_picture(picture: SealPicture) -> SealImage:
    """Return the pixels of a supplied picture.

    Raises:
        SealError: not a PNG, damaged, animated, too large, not transparent, blank, below 300 dpi, distorted.
    """
    # Drawn seals need no pictures: whoever issues under one does without this library.
    from PIL import Image  # noqa: PLC0415

    _check_header(picture)
    image = _decode(picture.png)
    alpha = image.getchannel("A")
    least, most = alpha.getextrema()
    if least != 0:
        raise SealError(
            "The seal picture has no transparent background; save it as PNG with transparency.",
            "印章图片没有透明背景，请另存为背景透明的 PNG。",
            field="png",
        )
    if most == 0:
        raise SealError(
            "The seal picture is empty: every pixel is transparent; supply the seal's picture.",
            "印章图片为空白（全部透明），请提供印章图片。",
            field="png",
        )
    visible = alpha.point(lambda value: 255 if value else 0)
    painted = Image.composite(image.convert("RGB"), Image.new("RGB", image.size, _RED), visible)
    return SealImage(*image.size, rgb=painted.tobytes(), alpha=alpha.tobytes())


def _check_header(picture: SealPicture) -> None:
    """Refuse by the first 24 bytes what need not, or should not, be decoded."""
    head = picture.png[:24]
    if len(head) < 24 or not head.startswith(_SIGNATURE) or head[12:16] != b"IHDR":
        raise SealError(
            "The seal picture is not a PNG; supply a PNG with transparency.",
            "印章图片不是 PNG，请提供背景透明的 PNG。",
            field="png",
        )
    width, height = struct.unpack(">II", head[16:24])
    if len(picture.png) > MAX_BYTES or not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise SealError(
            f"The seal picture has {width} x {height} pixels in {len(picture.png):,} bytes; at most "
            f"{MAX_SIDE} x {MAX_SIDE} pixels and {MAX_BYTES:,} bytes are taken.",
            f"印章图片为{width}×{height}像素、{len(picture.png)}字节，"
            f"最大{MAX_SIDE}×{MAX_SIDE}像素、{MAX_BYTES}字节。",
            field="png",
        )
    if not (picture.width > 0 and picture.height > 0):
        raise SealError(
            "The size of a seal picture must be positive; declare the true size in millimetres.",
            "印章图片的毫米尺寸应为正数，请填写实际尺寸。",
            field="width",
        )
    across, down = width * _MM_PER_INCH / picture.width, height * _MM_PER_INCH / picture.height
    if min(across, down) < MIN_DPI:
        raise SealError(
            f"The seal picture has {min(across, down):.0f} dpi at {picture.width:g} x {picture.height:g} mm; "
            f"supply one of at least {MIN_DPI} dpi.",
            f"印章图片在{picture.width:g}×{picture.height:g}毫米下只有{min(across, down):.0f} dpi，"
            f"请提供不低于{MIN_DPI} dpi 的图片。",
            field="png",
        )
    if abs(across - down) > 0.01 * across:
        raise SealError(
            f"The seal picture of {width} x {height} pixels would be distorted at "
            f"{picture.width:g} x {picture.height:g} mm; declare the size that fits its proportions.",
            f"{width}×{height}像素的印章图片按{picture.width:g}×{picture.height:g}毫米绘制会变形，"
            "请填写与图片比例一致的尺寸。",
            field="width",
        )


def _decode(png: bytes) -> Image.Image:
    """Return the picture as RGBA."""
    from PIL import Image  # noqa: PLC0415 - as in `read_picture`

    try:
        with Image.open(io.BytesIO(png), formats=["PNG"]) as opened:
            if getattr(opened, "is_animated", False):
                raise SealError(
                    "The seal picture is animated; supply a PNG with one picture.",
                    "印章图片是动画，请提供单幅 PNG。",
                    field="png",
                )
            return opened.convert("RGBA")
    # Untrusted bytes: each of these is what Pillow or zlib says of a damaged PNG.
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error) as error:
        raise SealError(
            "The seal picture is damaged and cannot be read; export the PNG again.",
            "印章图片已损坏，无法读取，请重新导出 PNG。",
            field="png",
        ) from error
