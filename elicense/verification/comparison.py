"""Documents whose like this process has found flawless before: read at once, in process, by comparison.

Plan of `read_compared`, for the policy licence:

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
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from elicense.pki.evidence import NO_EVIDENCE
from elicense.verification.chains import Knowledge
from elicense.verification.cms import signature_matches
from elicense.verification.document import SignatureReader, assemble
from elicense.verification.forms import OURS
from elicense.verification.frames import FramedDigests
from elicense.verification.handing import whole
from elicense.verification.known import Reading, Road, structure_of
from elicense.verification.printed import Document, compare_content
from elicense.verification.shapes import LARGEST_STREAM, MOST_PAGES
from elicense.verification.signature import read_signer
from elicense.verification.structure import read_structure

if TYPE_CHECKING:
    from datetime import datetime

    from elicense.pki.trust import TrustStore
    from elicense.verification.cms import SignedData
    from elicense.verification.digests import Digests
    from elicense.verification.facts import SignatureFacts
    from elicense.verification.known import Known
    from elicense.verification.scan import Candidate
    from elicense.verification.signature import Signer
    from elicense.verification.structure import Structure


def read_compared(known: Known, digests: Digests, trust: TrustStore, at: datetime) -> Reading | None:
    """Return what is found in a document, None if it must go the whole way.

    Args:
        known: what was learned before.
        digests: what it returned for the document.
        trust: what the verifier believes.
        at: the moment of verification, UTC.
    """
    if not isinstance(digests, FramedDigests):
        return None
    data = whole(digests.data)
    located = digests.frame.locate(data)
    structure = structure_of(located) if located else read_structure(data, digests.frame)
    reader = SignatureReader(structure, OURS, Knowledge(trust, NO_EVIDENCE), (), at)
    signatures = _signatures(known, digests, reader) if _is_plain(structure) else None
    if signatures is None:
        return None
    source = located or Document(data, structure, MOST_PAGES, LARGEST_STREAM)
    forms = digests.frame.data_forms if located else None
    content = compare_content(source, structure.candidates[0].claimed_time, forms)
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
        return Reading(facts, content.licence, Road.SHAPE, lesson=content.lesson)
    return Reading(facts, content.licence, Road.FRAME, structure)


def _is_plain(structure: Structure) -> bool:
    """Return whether there are seals and nothing else, and all of them: no finding, no archive's data."""
    waiting = structure.extensible is not None and structure.extensible.prepared
    others = structure.evidence or any(one.kind != "seal" for one in structure.candidates)
    return not (structure.findings or waiting or others)


def _signatures(
    known: Known, digests: FramedDigests, reader: SignatureReader
) -> tuple[SignatureFacts, ...] | None:
    """Return the facts of the seals, None if one of them is not intact or its signer not known."""
    read = []
    for candidate in reader.structure.candidates:
        signed = known.signed(whole(digests.data), candidate)
        if signed is None:
            return None
        signer = read_signer(signed.signer)
        if not _is_intact(candidate, signed, signer, digests):
            return None
        read.append((candidate, signed, signer))
    found = tuple(reader.describe(*one, intact=True, matches=True) for one in read)
    return None if any(one.timestamp and one.timestamp.error for one in found) else found


def _is_intact(candidate: Candidate, signed: SignedData, signer: Signer, digests: Digests) -> bool:
    """Return whether digest and signature are right, and the key may seal."""
    if signer.weak or digests.covered(candidate.byte_range, signed.digest) != signed.message_digest:
        return False
    try:
        return signature_matches(signer.key, signed)
    except ValueError:
        return False
