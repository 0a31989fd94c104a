"""Documents whose like this process has found flawless before: read at once, in process, by comparison.

Plan of `Known.read`, for the policy licence:

1. The file begins with a known frame (frames.py); else it goes the whole way.
2. What follows has a known shape (shapes.py): that is the road `shape`. Or it is read by structure.py, the frame's
   objects taken over, and nothing is found: the road `frame`.
3. The signed data of each seal are of a known form (cms_forms.py); or they bear a timestamp besides, and every
   certificate in them is known.
4. Each seal's digest is that of the covered bytes, and its signature that of the certificate's key.
5. Only now, when it is certain that a key met before sealed them, are data and pages read and compared, with
   narrower bounds than in a worker.
6. Paths, times, rights: the same code as on the whole way (document.py), with the same certificates as before.

Whatever fails in 1 to 5 goes the whole way and gets its verdict there; nothing is ever called wrong here. So this
road can only say what the other one would say: the same facts, field by field.

What is learned is learned from documents that passed every check: a frame and the form of a seal from the first one,
which went the whole way, a further shape from one on the road `frame`. It says nothing about whom to trust: that is
the trust register's word in each verification. All memory is bounded.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from elicense.pki.evidence import NO_EVIDENCE
from elicense.verification.chains import Knowledge
from elicense.verification.cms import DATA, CmsError, read_signed_data, signature_matches
from elicense.verification.cms_forms import SignedForms
from elicense.verification.der import DerError
from elicense.verification.digests import sweep
from elicense.verification.document import SignatureReader, assemble
from elicense.verification.facts import RevisionFacts
from elicense.verification.forms import OURS
from elicense.verification.frames import FramedDigests, Frames, frame_of
from elicense.verification.handing import whole
from elicense.verification.pdf import Hex, Violation
from elicense.verification.printed import Document, compare_content
from elicense.verification.ranges import check_gap
from elicense.verification.scan import Candidate
from elicense.verification.shapes import LARGEST_STREAM, LONGEST_FILE, MOST_PAGES
from elicense.verification.signature import read_contents, read_signer
from elicense.verification.structure import Structure, read_structure
from elicense.verification.timestamps import read_token

if TYPE_CHECKING:
    from datetime import datetime

    from elicense.pki.trust import TrustStore
    from elicense.verification.cms import SignedData
    from elicense.verification.digests import Digests
    from elicense.verification.facts import Facts, SignatureFacts
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

    def read(self, digests: Digests, trust: TrustStore, at: datetime) -> Reading | None:
        """Return what is found in a document, None if it must go the whole way.

        Args:
            digests: what `digests` returned for it.
            trust: what the verifier believes.
            at: the moment of verification, UTC.
        """
        if not isinstance(digests, FramedDigests):
            return None
        data = whole(digests.data)
        located = digests.frame.locate(data)
        structure = _structure_of(located) if located else read_structure(data, digests.frame)
        reader = SignatureReader(structure, OURS, Knowledge(trust, NO_EVIDENCE), (), at)
        signatures = self._signatures(digests, reader) if _is_plain(structure) else None
        if signatures is None:
            return None
        source = located or Document(data, structure, MOST_PAGES, LARGEST_STREAM)
        content = compare_content(source, structure.candidates[0].claimed_time)
        if content.facts.error is not None:
            return None
        last = structure.candidates[-1].byte_range
        facts = assemble(
            structure,
            signatures,
            timestamps=(),
            sealed_sha256=digests.sealed(last[2] + last[3]),
            loose_evidence=False,
            content=content.facts,
        )
        if located is not None:
            return Reading(facts, content.licence, Road.SHAPE)
        return Reading(facts, content.licence, Road.FRAME, structure)

    def _signatures(
        self, digests: FramedDigests, reader: SignatureReader
    ) -> tuple[SignatureFacts, ...] | None:
        """Return the facts of the seals, None if one of them is not intact or its signer not known."""
        read = []
        for candidate in reader.structure.candidates:
            signed = self._signed(whole(digests.data), candidate)
            if signed is None:
                return None
            signer = read_signer(signed.signer)
            if (
                signer.weak
                or digests.covered(candidate.byte_range, signed.digest) != signed.message_digest
                or not signature_matches(signer.key, signed)
            ):
                return None
            read.append((candidate, signed, signer))
        found = tuple(reader.describe(*one, intact=True, matches=True) for one in read)
        return None if any(one.timestamp and one.timestamp.error for one in found) else found

    def _signed(self, data: bytes, candidate: Candidate) -> SignedData | None:
        """Return a seal's signed data, None unless they are of a known form, or timestamped and all known."""
        start, end = candidate.gap
        signed = self.forms.read(data[start + 1 : end - 1])
        if signed is not None:
            return signed
        try:
            check_gap(data, Hex(start, end))
            signed = read_signed_data(read_contents(data, candidate), DATA)
            tokens = [read_token(one).signed for one in signed.timestamps]
        except (CmsError, DerError, Violation):
            return None
        brought = [one for read in (signed, *tokens) for one in (read.signer, *read.others)]
        return signed if tokens and all(one in self._certificates for one in brought) else None

    # --- Learning ---

    def learn(self, data: bytes, reading: Reading) -> None:
        """What a document of the policy licence shows is known; so it was read, and passed every check."""
        if len(data) > LONGEST_FILE or reading.road is Road.SHAPE:
            return
        frame = self.frames.recall(data)
        if reading.structure is not None:
            if frame is not None:
                frame.learn(data, reading.structure)
            return
        located = frame.locate(data) if frame else None
        structure = _structure_of(located) if located else read_structure(data, frame)
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


def _is_plain(structure: Structure) -> bool:
    """Return whether there are seals and nothing else, and all of them: no finding, no archive's data."""
    waiting = structure.extensible is not None and structure.extensible.prepared
    others = structure.evidence or any(one.kind != "seal" for one in structure.candidates)
    return not (structure.findings or waiting or others)


def _structure_of(located: Located) -> Structure:
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
