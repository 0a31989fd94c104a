"""Forgeries of documents whose kind is known: the quick road says of each what the whole way says.

Here every forgery meets a verifier that has seen the honest document before; tests/unit/verification/test_vectors.py
asks for the verdicts themselves.
"""

from __future__ import annotations

import itertools
import random
from datetime import timedelta
from functools import cache

import pytest

from elicense.verification.known import Road
from elicense.verification.report import Indication
from elicense.verification.structure import read_structure
from tests.attacks import documents, flips, fuzz
from tests.support.roads import both, learned
from tests.vectors.generate import VECTORS, instances

PASSED = Indication.TOTAL_PASSED
PARTS = ("signature", "xmp", "data", "information", "content", "fonts", "identifier")
"""What two licences of one template differ in."""


def roads(data: bytes) -> tuple[Indication, Road]:
    """Return the verdict that both roads give, and the one that was taken."""
    report, road = both(data, documents.trust(), documents.AT)
    return report.indication, road


@pytest.mark.parametrize("name", sorted(VECTORS))
def test_every_vector_is_judged_the_same(name: str) -> None:
    """Of every subject it forges, with the honest document of that kind known, both roads give the same report."""
    for _, subject in (one for one in instances() if one[0] == name):
        vector = VECTORS[name](subject)
        both(vector.data, vector.trust, vector.at)


def test_flipped_bits_are_judged_the_same() -> None:
    """A sample of flipped bits in every kind of document, and in its seal; `flips N` does the same for any number."""
    found = flips.run(flips.chosen(600, 20_261_008), known=learned())
    assert (found.passed, found.raised, found.differing) == ([], [], [])
    assert found.roads[Road.FULL] > 500


def test_cut_and_stretched_documents_are_judged_the_same() -> None:
    """Bytes taken away or put in anywhere, few or many, never pass and never make the roads differ."""
    chance = random.Random(7)  # noqa: S311 - reproducible damage, no secret
    for subject, _ in itertools.product((*documents.SINGLE, documents.JOINT), range(25)):
        data = documents.licence(subject)
        at, count = chance.randrange(len(data)), chance.choice((1, 1, 2, 16, 500))
        for changed in (
            data[:at],
            data[at:],
            data[:at] + data[at + count :],
            data[:at] + chance.randbytes(count) + data[at:],
            data[:at] + data[at - count : at] + data[at:],
            data + data[-count:],
        ):
            assert changed == data or roads(changed)[0] is not PASSED


def test_random_damage_is_judged_the_same() -> None:
    """Mutations as the fuzzer makes them, in order and sealed anew by a known signer or not, find the roads agreed."""
    for number in range(250):
        chance = random.Random(f"roads {number}")  # noqa: S311 - reproducible damage, no secret
        data = documents.licence(chance.choice(documents.SLUGS))
        changed = fuzz.mutated(data, chance)
        if number % 2:
            changed = documents.resealed(changed)
        assert changed == data or roads(changed)[0] is not PASSED


# --- Two genuine licences of one frame ---


OTHERS = {
    "food-business-licence": {"domicile": "异地省异地市丙丁路99号", "signatory": "郑不同"},
    "real-estate-certificate": {"location": "异地省异地市丙丁路99号3幢"},
    "service-certificate": {"project": "异地社区植树造林活动"},
}
"""What the second licence says otherwise: other data, another page, other characters in its fonts."""


@cache
def pair(slug: str) -> tuple[bytes, bytes]:
    """Return the known licence of a type and another one of the same template, which passes too."""
    one = documents.licence(slug)
    earlier = documents.AT - timedelta(hours=5)
    two = documents.made(slug, documents.keeper(slug), backdated=earlier, fields=OTHERS[slug])
    assert {roads(data)[0] for data in (one, two)} == {PASSED}
    return one, two


def bodies(data: bytes) -> dict[str, dict[int, bytes]]:
    """Return the bodies of the objects behind the prefix, by what they are for and number."""
    structure = read_structure(data)
    start = structure.objects[2].start
    found: dict[str, dict[int, bytes]] = {part: {} for part in (*PARTS, "other")}
    for number, one in structure.objects.items():
        if one.start < start:
            continue
        kinds = {1: "signature", 2: "xmp", 3: "data", 4: "information"}
        part = kinds.get(number)
        if part is None:
            part = (
                "fonts"
                if number > max(n for n, o in structure.objects.items() if o.start < start)
                else "content"
            )
            part = part if one.stream or part == "fonts" else "other"
        found[part][number] = documents.body(data, number)
    return found


def mixed(one: bytes, two: bytes, parts: tuple[str, ...]) -> bytes:
    """Return the first licence with these parts from the second, its table and byte range put in order."""
    if "identifier" in parts:
        mine, other = (read_structure(data).document_id.encode() for data in (one, two))
        one = one.replace(b"/ID[<%s><%s>]" % (mine, mine), b"/ID[<%s><%s>]" % (other, other))
    others = bodies(two)
    for part in parts:
        for number, body in others[part].items():
            mine = documents.body(one, number)
            old, new = (b"\n%d 0 obj\n%s\nendobj\n" % (number, text) for text in (mine, body))
            assert one.count(old) == 1
            one = one.replace(old, new)
    return documents.framed(one)


@pytest.mark.parametrize("slug", OTHERS)
def test_parts_of_two_licences_never_make_a_third(slug: str) -> None:
    """Every choice of parts from two genuine licences fails by its digest, whichever seal it bears."""
    one, two = pair(slug)
    for count in range(1, len(PARTS)):
        for parts in itertools.combinations(PARTS, count):
            indication, road = roads(mixed(one, two, parts))
            assert (indication is PASSED, road) == (False, Road.FULL), parts


@pytest.mark.parametrize("slug", OTHERS)
def test_parts_sealed_by_the_authority_itself_must_agree(slug: str) -> None:
    """Sealed by the true key, a mixture passes only where claimed time, data, page, fonts and identifier are of one.

    Digest and signature are good here, so the quick road goes as far as comparing data and pages.
    """
    one, two = pair(slug)
    signer = documents.keeper(slug).signer
    # XMP and the information dictionary are covered and not compared (docs/format.md, "Metadata").
    compared = {"signature", "data", "content", "fonts", "identifier"}
    taken = set()
    for count in range(len(PARTS) + 1):
        for parts in itertools.combinations(PARTS, count):
            indication, road = roads(documents.sealed(mixed(one, two, parts), signer))
            whole = compared <= set(parts) or not compared & set(parts)
            assert (indication is PASSED) == whole, parts
            taken |= {road} if whole else set()
    # A signature of a length not met before goes the whole way once.
    assert Road.SHAPE in taken
