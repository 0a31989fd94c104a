"""Frames: the constant beginnings of documents found flawless, with what reading them gave.

Every licence of one template and seal begins with the same bytes: header, furniture, fonts, seal, catalogue. Reading
an indirect object depends on its bytes and its offset alone, so a file with the same beginning has the same objects
there, at the same places. `structure.read_structure` takes them from the frame and reads only what follows.

A frame ends where the metadata begin, which are object 2 and the first of the objects that differ.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from elicense.verification.data_forms import DataForms
from elicense.verification.digests import Digests
from elicense.verification.marks import ContentError
from elicense.verification.pdf import MAX_TOKENS, Inventory, read_value
from elicense.verification.shapes import MOST_OBJECTS, learn_shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from elicense.verification.digests import State
    from elicense.verification.pdf import IndirectObject
    from elicense.verification.shapes import Located, Shape
    from elicense.verification.structure import Structure

LARGEST_PREFIX = 4 * 1024 * 1024
"""Bytes of a prefix that is remembered."""
MOST_SHAPES = 8
"""Shapes of one prefix: they differ with the number of fonts that a licence needs."""
_OBJECT_COST, _FORMS_COST = 1500, 256 * 1024
"""Bytes of memory that an object which was read takes, and all shapes and data forms of a prefix, about."""
_SAMPLES = 64
_LAST_LINES = re.compile(rb"startxref\n([0-9]{1,10})\n%%EOF\n\Z")
_SECOND_ENTRY = re.compile(
    rb"xref\n0 [0-9]{1,7}\n0000000000 65535 f[ \r]\n[0-9]{10} 00000 n[ \r]\n([0-9]{10}) 00000 n"
)
_METADATA = b"2 0 obj\n<</Type/Metadata/"


@dataclass(slots=True)
class Frame:
    """One prefix; its shapes are learned as files with them come by."""

    prefix: bytes = field(repr=False)
    """The file's first bytes, up to the metadata."""
    places: tuple[tuple[int, int], ...]
    """(offset, number) of the objects in it, in the order of the file."""
    objects: Mapping[int, IndirectObject] = field(repr=False)
    """By number."""
    tokens: int
    """How many tokens reading them took."""
    shapes: tuple[Shape, ...] = ()
    """Of what may follow, the newest first."""
    lessons: int = 3 * MOST_SHAPES
    """How many more shapes may be learned: making one takes as long as reading several files."""
    data_forms: DataForms = field(default_factory=DataForms)
    """Of licence.json in files with these shapes."""
    states: dict[str, hashlib._Hash] = field(default_factory=dict)
    """hashlib name -> state after the prefix."""

    @property
    def cost(self) -> int:
        """Return how much memory it takes, about, in bytes."""
        return len(self.prefix) + _OBJECT_COST * len(self.objects) + _FORMS_COST

    def locate(self, data: bytes) -> Located | None:
        """Return where the parts of a file of a known shape are; the file begins with the prefix."""
        return next((found for shape in self.shapes if (found := shape.match(data)) is not None), None)

    def learn(self, data: bytes, structure: Structure) -> None:
        """The shape of a flawless file that begins with the prefix is known, if it has one."""
        if self.lessons == 0 or len(structure.objects) - len(self.objects) > MOST_OBJECTS:
            return
        try:
            shape = learn_shape(data, structure, len(self.prefix))
        except ContentError:
            return
        self.lessons -= 1
        if shape is not None:
            self.shapes = (shape, *self.shapes)[:MOST_SHAPES]

    def state(self, name: str) -> hashlib._Hash:
        """Return a digest that has taken in the prefix; `name` is hashlib's."""
        known = self.states.get(name)
        if known is None:
            known = self.states[name] = hashlib.new(name, self.prefix)
        return known.copy()


class FramedDigests(Digests):
    """Digests of a file with a known prefix, whose bytes are not hashed again."""

    __slots__ = ("frame",)

    def __init__(self, data: bytes, frame: Frame) -> None:
        super().__init__(data)
        self.frame = frame

    def _begun(self, name: str, end: int) -> tuple[State, int]:
        taken = len(self.frame.prefix)
        return (self.frame.state(name), taken) if taken <= end else super()._begun(name, end)


class Frames:
    """The frames met last, bounded in number and memory; may be used from several threads at once.

    Args:
        most: How many.
        memory: Bytes that all together may take.
    """

    def __init__(self, most: int = 256, memory: int = 64 * 1024 * 1024) -> None:
        self._most = most
        self._memory = memory
        self._used = 0
        self._frames: OrderedDict[tuple[int, bytes], Frame] = OrderedDict()
        self._lock = threading.Lock()

    def recall(self, data: bytes) -> Frame | None:
        """Return the frame that a file begins with, if it is known."""
        if not self._frames:
            return None
        key = _key(data, prefix_length(data))
        frame = self._frames.get(key)
        if frame is None or not data.startswith(frame.prefix):
            return None
        with self._lock:
            if key in self._frames:
                self._frames.move_to_end(key)
        return frame

    def learn(self, frame: Frame) -> None:
        """The frame is known; those not met for longest are forgotten where there are too many."""
        key = _key(frame.prefix, len(frame.prefix))
        with self._lock:
            before = self._frames.pop(key, None)
            self._used += frame.cost - (before.cost if before else 0)
            self._frames[key] = frame
            while self._frames and (len(self._frames) > self._most or self._used > self._memory):
                _, forgotten = self._frames.popitem(last=False)
                self._used -= forgotten.cost


def _key(data: bytes, length: int) -> tuple[int, bytes]:
    """Return what a prefix is looked up by: its length and bytes from all over it."""
    return length, data[length % _SAMPLES : length : max(length // _SAMPLES, 1)]


def prefix_length(data: bytes) -> int:
    """Return where the metadata, object 2, begin, as the last lines or else a search say; 0 if nowhere."""
    last = _LAST_LINES.search(data, max(len(data) - 40, 0))
    entry = _SECOND_ENTRY.match(data, int(last[1])) if last else None
    offset = int(entry[1]) if entry else data.find(b"\n" + _METADATA) + 1
    return offset if data.startswith(_METADATA, offset) else 0


def frame_of(data: bytes, structure: Structure) -> Frame | None:
    """Return the frame of a file found flawless, None if its metadata do not begin where a frame ends."""
    length = prefix_length(data)
    before = sorted((one.start, number) for number, one in structure.objects.items() if one.start < length)
    if not before or length > LARGEST_PREFIX or 2 not in structure.objects:
        return None
    if structure.objects[2].start != length or not length < structure.candidates[0].gap[0]:
        return None
    objects = {number: structure.objects[number] for _, number in before}
    met = Inventory(MAX_TOKENS)
    for found in objects.values():
        read_value(data, *found.body, met)
        # What was not read yet would hold on to the whole file.
        _ = found.value
    return Frame(data[:length], tuple(before), objects, MAX_TOKENS - met.tokens)
