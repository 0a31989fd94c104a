"""What a process has learned from documents that passed every check: frames, shapes, forms, certificates.

comparison.py reads documents with it; nothing here is ever called wrong or right. It says nothing about whom to trust:
that is the trust register's word in each verification. What is known of a file's beginning, of what follows it, and of
signed data and licence.json, frames.py, shapes.py, cms_forms.py and data_forms.py say. All memory is bounded.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from elicense.verification.cms import DATA, read_signed_data
from elicense.verification.cms_forms import SignedForms
from elicense.verification.digests import sweep
from elicense.verification.facts import RevisionFacts
from elicense.verification.frames import FramedDigests, Frames, frame_of
from elicense.verification.pdf import Hex, Violation
from elicense.verification.ranges import check_gap
from elicense.verification.scan import Candidate
from elicense.verification.shapes import LONGEST_FILE
from elicense.verification.signature import read_contents
from elicense.verification.structure import Structure, read_structure
from elicense.verification.timestamps import read_token

if TYPE_CHECKING:
    from elicense.verification.cms import SignedData
    from elicense.verification.data_forms import Lesson
    from elicense.verification.digests import Digests
    from elicense.verification.facts import Facts
    from elicense.verification.shapes import Located

MOST_CERTIFICATES = 4096
"""Certificates that are remembered."""
LARGEST_CERTIFICATE = 8192
"""Bytes of one."""


class Road(StrEnum):
    """How a document was read."""

    SHAPE = "shape"
    """Every byte of its structure compared with a known shape."""
    FRAME = "frame"
    """Its beginning known, the rest read by structure.py."""
    FULL = "full"
    """The whole way."""


class Reading(NamedTuple):
    """A document that was read here."""

    facts: Facts
    """What the whole way would have found."""
    licence: dict[str, object] | None
    """The embedded licence as plain values."""
    road: Road
    """How it was read."""
    structure: Structure | None = None
    """What structure.py said, on the road `frame`."""
    lesson: Lesson | None = None
    """What licence.json teaches, on the road `shape`; None if its form is known."""


class Known:
    """What a process has learned, and `roads`: how many documents were read in each way.

    May be used from several threads at once.
    """

    def __init__(self) -> None:
        self.frames = Frames()
        self.forms = SignedForms()
        self.roads: Counter[Road] = Counter()
        self._certificates: OrderedDict[bytes, None] = OrderedDict()
        self._lock = threading.Lock()

    def digests(self, data: bytes) -> Digests:
        """Return the digests of a document, begun where its frame is known."""
        frame = self.frames.recall(data) if len(data) <= LONGEST_FILE else None
        return FramedDigests(data, frame) if frame else sweep(data)

    def count(self, road: Road) -> None:
        """One document more was read so."""
        with self._lock:
            self.roads[road] += 1

    def signed(self, data: bytes, candidate: Candidate) -> SignedData | None:
        """Return a seal's signed data, None unless they are of a known form, or timestamped and all known."""
        start, end = candidate.gap
        signed = self.forms.read(data[start + 1 : end - 1])
        if signed is not None:
            return signed
        try:
            check_gap(data, Hex(start, end))
            signed = read_signed_data(read_contents(data, candidate), DATA)
            tokens = [read_token(one).signed for one in signed.timestamps]
        except (ValueError, Violation):
            return None
        brought = [one for read in (signed, *tokens) for one in (read.signer, *read.others)]
        return signed if tokens and all(one in self._certificates for one in brought) else None

    # --- Learning ---

    def learn(self, data: bytes, reading: Reading) -> None:
        """What a document of the policy licence shows is known; so it was read, and passed every check."""
        if reading.lesson is not None and (frame := self.frames.recall(data)) is not None:
            frame.data_forms.learn(reading.lesson)
        if len(data) > LONGEST_FILE or reading.road is Road.SHAPE:
            return
        if reading.facts.timestamps or any(reading.facts.evidence):
            # With an archive's data it goes the whole way each time: read here besides, it would teach nothing new.
            return
        frame = self.frames.recall(data)
        if reading.structure is not None:
            if frame is not None:
                frame.learn(data, reading.structure)
            return
        located = frame.locate(data) if frame else None
        structure = structure_of(located) if located else read_structure(data, frame)
        if structure.findings:
            return
        for candidate in structure.candidates:
            if candidate.kind == "seal":
                self._learn_signed(read_contents(data, candidate))
        frame = frame or frame_of(data, structure)
        if located is None and frame is not None:
            frame.learn(data, structure)
            self.frames.learn(frame)

    def _learn_signed(self, encoded: bytes) -> None:
        """The form of a seal's signed data, and every certificate in them, are known."""
        signed = read_signed_data(encoded, DATA)
        self.forms.learn(encoded, signed)
        tokens = [read_token(one).signed for one in signed.timestamps]
        with self._lock:
            for read in (signed, *tokens):
                for certificate in (read.signer, *read.others):
                    if len(certificate) <= LARGEST_CERTIFICATE:
                        self._certificates[certificate] = None
            while len(self._certificates) > MOST_CERTIFICATES:
                self._certificates.popitem(last=False)


def structure_of(located: Located) -> Structure:
    """Return what structure.py says of a file of a known shape, without its objects."""
    size, shape = len(located.data), located.shape
    seal = Candidate(
        shape.field, located.byte_range, declared=True, claimed_time=located.claimed_time, permission=1
    )
    return Structure(
        size=size,
        findings=(),
        traces=True,
        candidates=(seal,),
        objects={},
        root=shape.root,
        document_id=located.document_id,
        revisions=(RevisionFacts(0, size),),
    )


PROCESS = Known()
"""What this process knows. It changes no answer, only how fast it comes; so it is the one thing kept between calls."""
