"""QR symbols of one level and length as a sum over GF(2): what each byte of the text adds at its place.

Data, error correction (a remainder of polynomials) and mask are linear but for a constant, so the symbol of a text is
the symbol of as many zero bytes plus what each byte adds. It replaces segno for the addresses of a run, which differ in
some digits: 88 µs in place of 22,000, the search for the mask included; the table itself takes 11 ms.
segno draws the symbol of zeros under each mask, whence version, function patterns, format and mask come.

Source: ISO/IEC 18004:2015, 7.4 to 7.7 (the text was not read; segno 1.6 follows it and the tests ask it).
"""

from __future__ import annotations

from functools import cache, reduce
from operator import getitem, xor
from typing import TYPE_CHECKING, Any

import segno
from segno import consts

from elicense.rendering.qrmasks import MASKS, MaskChoice

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LEVELS = {
    "L": consts.ERROR_LEVEL_L,
    "M": consts.ERROR_LEVEL_M,
    "Q": consts.ERROR_LEVEL_Q,
    "H": consts.ERROR_LEVEL_H,
}
_DATA = frozenset({consts.TYPE_DATA_DARK, consts.TYPE_DATA_LIGHT})
_TIMING_COLUMN = 6
_LAST_SHORT_COUNT = 9
"""Up to this version the length of a text in bytes takes eight bits, above it sixteen."""
_FIELD = 0x11D
"""The polynomial of the field of 256 elements."""
_STRETCH = 8
"""Bytes that are looked up together."""
_KEPT = 64
"""Values of one stretch that are kept."""

Place = tuple[int, int]
"""A codeword: its block, and its number among the block's data or check codewords."""


class SymbolTable:
    """All symbols of one level and length in byte mode. Safe to share between threads."""

    def __init__(self, level: str, length: int) -> None:
        """Ask segno for the symbols of `length` zero bytes and find where each byte goes.

        Raises segno.DataOverflowError if no symbol holds so many.
        """
        masked = [
            segno.make_qr(bytes(length), mode="byte", error=level, mask=mask, boost_error=False)
            for mask in range(MASKS)
        ]
        zeros = masked[0]
        self.version = int(zeros.version)
        self.modules = len(zeros.matrix)
        self.row_bytes = (self.modules + 7) // 8
        self._zeros = [int.from_bytes(picture_of(one), "big") for one in masked]
        self._masks = MaskChoice(self._zeros, self.modules, 8 * self.row_bytes)
        known: Any = consts.ECC
        self._blocks = [kind for kind in known[self.version][_LEVELS[level]] for _ in range(kind.num_blocks)]
        kinds = [list(row) for row in zeros.matrix_iter(scale=1, border=0, verbose=True)]
        bits = [self._bit(row, column) for row, column in _path(kinds)]
        codewords = [bits[at : at + 8] for at in range(0, len(bits) - 7, 8)]
        counts = [block.num_data for block in self._blocks]
        checks = self._blocks[0].num_total - counts[0]
        self._data = dict(zip(_interleaved(counts), codewords, strict=False))
        self._checks = dict(zip(_interleaved([checks] * len(counts)), codewords[sum(counts) :], strict=True))
        self._remainders = _remainders(max(counts), checks)
        places = [(block, index) for block, count in enumerate(counts) for index in range(count)]
        # Behind four bits of mode and the length every byte lies across two codewords.
        first = 1 if self.version <= _LAST_SHORT_COUNT else 2
        effects = [_Effect(self, places[at : at + 2]) for at in range(first, first + length)]
        self._stretches = [_Stretch(effects[at : at + _STRETCH]) for at in range(0, length, _STRETCH)]

    def picture(self, text: bytes) -> bytes:
        """Return the symbol of a text of the table's length under the mask of least penalty, as `picture_of` does."""
        parts = [text[at : at + _STRETCH] for at in range(0, len(text), _STRETCH)]
        changed = reduce(xor, map(getitem, self._stretches, parts))
        picture = self._zeros[self._masks.best(changed)] ^ changed
        return picture.to_bytes(self.row_bytes * self.modules, "big")

    def effect(self, place: Place, value: int) -> int:
        """Return what a data codeword of this value changes in the symbol: its own modules and its block's checks."""
        block, index = place
        changed = _spread(self._data[place], value)
        for number, factor in enumerate(self._remainders[self._blocks[block].num_data - 1 - index]):
            changed ^= _spread(self._checks[block, number], _product(value, factor))
        return changed

    def _bit(self, row: int, column: int) -> int:
        return 1 << 8 * self.row_bytes * (self.modules - row) - 1 - column


def picture_of(symbol: segno.QRCode) -> bytes:
    """Return a symbol as a picture: rows from the top, whole bytes a row, one bit a module, a dark one 0."""
    width = (len(symbol.matrix) + 7) // 8
    rows = (int("".join("10"[module] for module in row).ljust(8 * width, "1"), 2) for row in symbol.matrix)
    return b"".join(row.to_bytes(width, "big") for row in rows)


class _Effect(dict[int, int]):
    """Value of one byte of the text -> what it changes in the symbol; worked out when a value first occurs."""

    def __init__(self, table: SymbolTable, places: Sequence[Place]) -> None:
        self._table = table
        self._places = places

    def __missing__(self, value: int) -> int:
        high, low = self._places
        self[value] = found = self._table.effect(high, value >> 4) ^ self._table.effect(
            low, value << 4 & 0xFF
        )
        return found


class _Stretch(dict[bytes, int]):
    """Value of a stretch of the text -> what it changes; most stretches of an address never vary."""

    def __init__(self, effects: Sequence[_Effect]) -> None:
        self._effects = effects

    def __missing__(self, value: bytes) -> int:
        if len(self) == _KEPT:
            self.clear()
        self[value] = found = reduce(xor, map(getitem, self._effects, value))
        return found


def _path(kinds: Sequence[Sequence[int]]) -> Iterator[tuple[int, int]]:
    """Yield row and column of each data module in the order of their bits: up and down in pairs of columns."""
    size = len(kinds)
    columns = [column for column in range(size - 1, -1, -1) if column != _TIMING_COLUMN]
    for turn, at in enumerate(range(0, size - 1, 2)):
        for row in range(size) if turn % 2 else range(size - 1, -1, -1):
            for column in columns[at : at + 2]:
                # segno takes the module left of the upper right format strip for the dark one.
                if kinds[row][column] in _DATA or (row, column) == (8, size - 9):
                    yield row, column


def _interleaved(counts: Sequence[int]) -> list[Place]:
    """Return the codewords of blocks of so many in the order in which a symbol holds them."""
    return [
        (block, index) for index in range(max(counts)) for block, count in enumerate(counts) if index < count
    ]


def _remainders(count: int, checks: int) -> list[list[int]]:
    """Return the remainders of x^checks, x^(checks + 1), … by the generator, `count` of them, highest power first."""
    generator, root = [1], 1
    for _ in range(checks):
        shifted = [_product(root, factor) for factor in generator]
        generator = [a ^ b for a, b in zip([*generator, 0], [0, *shifted], strict=True)]
        root = _product(root, 2)
    found = [generator[1:]]
    while len(found) < count:
        first, *rest = found[-1]
        found.append([a ^ _product(first, b) for a, b in zip([*rest, 0], generator[1:], strict=True)])
    return found


@cache
def _product(a: int, b: int) -> int:
    """Return the product of two elements of the field."""
    total = 0
    while b:
        total ^= a if b & 1 else 0
        a, b = a << 1 ^ (_FIELD if a & 0x80 else 0), b >> 1
    return total


def _spread(bits: Sequence[int], value: int) -> int:
    """Return the modules of a codeword that a value of it sets, its highest bit first."""
    return sum(bit for number, bit in enumerate(bits) if value << number & 0x80)
