"""Signed data of a known form: compared, the same answer as reading them strictly, and nothing else taken for them."""

from __future__ import annotations

import hashlib
import random
from functools import cache

import pytest

from elicense.pki.throwaway import make_pki
from elicense.signing.cms import sign_digest
from elicense.verification.cms import DATA, read_signed_data
from elicense.verification.cms_forms import HEAD, SignedForms, learn_form
from tests.attacks import documents
from tests.support.pki import AT, AUTHORITY, AUTHORITY_CODE, SEAL_NUMBER

ALGORITHMS = ("p256", "p384", "rsa2048", "ed25519")
_SIZES = {"sha256": 32, "sha384": 48, "sha512": 64}
ROOM = 6000
"""Digits of a gap."""


def sealed(algorithm: str, count: int) -> tuple[bytes, ...]:
    """Return signed data of one signer over so many digests."""
    return _seals(algorithm)[:count]


@cache
def _seals(algorithm: str) -> tuple[bytes, ...]:
    signer = make_pki(at=AT).seal(SEAL_NUMBER, AUTHORITY, AUTHORITY_CODE, algorithm=algorithm).signer()
    size = _SIZES[signer.algorithm.digest]
    return tuple(sign_digest(hashlib.shake_128(b"%d" % n).digest(size), signer) for n in range(80))


def gap(encoded: bytes) -> bytes:
    """Return the digits of a gap that holds the signed data."""
    return encoded.hex().encode().ljust(ROOM, b"0")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_seals_of_a_known_signer_are_read_by_comparison(algorithm: str) -> None:
    """Each further seal of a signer, once its length was met, is read without parsing, and as the reader does."""
    forms, compared = SignedForms(), 0
    for encoded in sealed(algorithm, 80 if algorithm != "rsa2048" else 40):
        strict = read_signed_data(encoded, DATA)
        found = forms.read(gap(encoded))
        assert found in (None, strict)
        compared += found is not None
        forms.learn(encoded, strict)
    assert compared > 20


def test_no_other_byte_may_differ() -> None:
    """Each bit of the digits flipped: only a digest or a signature that is another stays of the form."""
    encoded = sealed("ed25519", 1)[0]
    form = learn_form(encoded, read_signed_data(encoded, DATA))
    assert form is not None
    digits = gap(encoded)
    begin, end, start, stop = form.places
    for position in range(len(digits)):
        value = begin <= position < end or start <= position < stop
        for bit in range(8):
            changed = bytearray(digits)
            changed[position] ^= 1 << bit
            found = form.read(bytes(changed))
            assert found is None or (
                value and found == read_signed_data(bytes.fromhex(changed[:stop].decode()), DATA)
            )


def test_digits_are_lower_case_and_padding_is_zeros() -> None:
    """Capitals, white space that would be skipped, and padding of anything else are not of the form."""
    encoded = sealed("p256", 1)[0]
    form = learn_form(encoded, read_signed_data(encoded, DATA))
    assert form is not None
    digits = gap(encoded)
    begin, end, start, stop = form.places
    wrong = [
        digits[:begin] + digits[begin:end].upper() + digits[end:],
        digits[:start] + digits[start:stop].upper() + digits[stop:],
        digits[:begin] + b" " * (end - begin) + digits[end:],
        digits[:start] + b" " * (stop - start) + digits[stop:],
        digits[:-1] + b"1",
        digits.upper(),
        digits[: stop - 2],
        b"",
    ]
    assert form.read(digits) is not None
    assert [form.read(one) for one in wrong] == [None] * len(wrong)


def test_a_timestamp_has_no_form() -> None:
    """Signed data with a timestamp are not remembered: every token is another."""
    encoded = documents.signed_data(documents.licence(f"{documents.SLUGS[0]}+B-T"))
    assert learn_form(encoded, read_signed_data(encoded, DATA)) is None


def test_forms_are_bounded() -> None:
    """The form not learned again for longest is forgotten, and large signed data are never remembered."""
    forms = SignedForms(most=2)
    seals = [sealed(algorithm, 1)[0] for algorithm in ALGORITHMS[:3]]
    for encoded in seals:
        forms.learn(encoded, read_signed_data(encoded, DATA))
    assert [forms.read(gap(encoded)) is not None for encoded in seals] == [False, True, True]


def test_lengths_of_one_signer_stand_beside_each_other() -> None:
    """Forms are looked up by their first digits, in which the length is, so no signer drives out its own."""
    chance = random.Random(5)  # noqa: S311 - reproducible, no secret
    seals = list(sealed("p256", 80))
    chance.shuffle(seals)
    assert len({gap(encoded)[:HEAD] for encoded in seals}) == len({len(encoded) for encoded in seals}) > 1
