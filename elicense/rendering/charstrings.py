"""Type 2 charstrings: a glyph's outline written as one, and whether one states its width.

Source: Adobe Technical Note 5177.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from elicense.seal.geometry import Point

_MOVE, _LINES, _CURVES = 21, 5, 8
_ENDCHAR = 14
_LEVEL_MOVES = (4, 22)
"""vmoveto and hmoveto, which take one number; every other operator that may come first takes none or pairs."""
_STACK = 48
"""Numbers that one operator may be given."""
_UNIT = 0x10000


class CharstringPen:
    """Collects HarfBuzz's outline calls of a font with cubic curves. The method names are the pen protocol's."""

    def __init__(self, width: bytes) -> None:
        """Begin a charstring that states this width."""
        self._out = bytearray(width)
        self._at = (0, 0)
        self._operator = 0
        self._operands: list[int] = []

    def moveTo(self, point: Point) -> None:  # noqa: N802
        """Start a contour."""
        self._add(_MOVE, point)

    def lineTo(self, point: Point) -> None:  # noqa: N802
        """Add a straight line."""
        self._add(_LINES, point)

    def curveTo(self, *points: Point) -> None:  # noqa: N802
        """Add a cubic curve."""
        self._add(_CURVES, *points)

    qCurveTo = curveTo  # noqa: N815 - HarfBuzz wants the name to be there; a CFF font has no quadratic curves

    def closePath(self) -> None:  # noqa: N802
        """Close the contour: nothing to write, the next one or the end does it."""

    def charstring(self) -> bytes:
        """Return what was drawn."""
        self._flush()
        return bytes(self._out) + bytes((_ENDCHAR,))

    def _add(self, operator: int, *points: Point) -> None:
        if operator != self._operator or operator == _MOVE or len(self._operands) + 2 * len(points) > _STACK:
            self._flush()
            self._operator = operator
        for x, y in points:
            there = (round(x * _UNIT), round(y * _UNIT))
            self._operands += (there[0] - self._at[0], there[1] - self._at[1])
            self._at = there

    def _flush(self) -> None:
        if self._operands:
            for operand in self._operands:
                self._out += _fixed(operand)
            self._out.append(self._operator)
            self._operands.clear()


def _fixed(value: int) -> bytes:
    """Return a number given in 1/65536."""
    whole, part = divmod(value, _UNIT)
    return b"\xff" + value.to_bytes(4, "big", signed=True) if part else number(whole)


def number(value: int) -> bytes:
    """Return a whole number as a charstring has it. Raises OverflowError beyond two bytes."""
    if -107 <= value <= 107:
        return bytes((value + 139,))
    if 108 <= value <= 1131:
        return (0xF700 + value - 108).to_bytes(2, "big")
    if -1131 <= value <= -108:
        return (0xFB00 - value - 108).to_bytes(2, "big")
    return b"\x1c" + value.to_bytes(2, "big", signed=True)


def states_width(charstring: bytes) -> bool:
    """Tell whether one number too many stands before the first operator. Raises IndexError if there is none."""
    at = count = 0
    while (byte := charstring[at]) >= 32 or byte == 28:
        at += 1 if 32 <= byte <= 246 else 2 if 247 <= byte <= 254 else 3 if byte == 28 else 5
        count += 1
    return count % 2 == (byte not in _LEVEL_MOVES)
