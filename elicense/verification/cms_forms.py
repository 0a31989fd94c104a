"""Signed data that differ from some read before in message digest and signature alone: compared, not read again.

All seals of one signer are the same bytes but for these two, whose places are known once one was read strictly. Any
other difference (a timestamp, another length, a digit, padding that is not zero) is none of the form, and cms.py reads
it. A seal of a form needs 3 us here, 90 us there (tests/unit/verification/test_cms_forms.py compares them).

Why it is the same answer: cms.py takes both values as they are, from octet strings whose tags and lengths are among the
compared bytes; nothing else in the signed data depends on them.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from elicense.verification.cms import SignedData

HEAD = 256
"""Digits by which a form is looked up: lengths, versions, and where the first certificate begins, with its number."""
LARGEST = 16_384
"""Bytes of signed data that are remembered; those of seals have some 2,000."""


@dataclass(frozen=True, slots=True)
class SignedForm:
    """Signed data without timestamp, and where in its digits, counted from the first one, the two values are."""

    signed: SignedData
    """As it was read."""
    head: bytes
    """Digits before the message digest."""
    middle: bytes
    """Digits from there to the signature, which ends the signed data."""
    places: tuple[int, int, int, int]
    """Begin and end of the digest's digits, begin and end of the signature's."""
    attributes: tuple[bytes, bytes]
    """The signed attributes before and behind the message digest."""

    def read(self, digits: bytes) -> SignedData | None:
        """Return the signed data in a gap, given by its digits, None if they are not of this form."""
        begin, end, start, stop = self.places
        if (
            len(digits) < stop
            or not digits.startswith(self.head)
            or not digits.startswith(self.middle, end)
            or digits[stop:] != b"0" * (len(digits) - stop)
        ):
            return None
        digest, signature = _lower(digits[begin:end]), _lower(digits[start:stop])
        if digest is None or signature is None:
            return None
        before, behind = self.attributes
        one = self.signed
        return SignedData(
            one.digest,
            digest,
            one.algorithm,
            b"".join((before, digest, behind)),
            signature,
            one.signer,
            one.others,
            one.content,
            one.timestamps,
        )


def _lower(digits: bytes) -> bytes | None:
    """Return what lower-case digits say, None for all others."""
    try:
        raw = bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        return None
    return raw if raw.hex().encode("ascii") == digits else None


def learn_form(encoded: bytes, signed: SignedData) -> SignedForm | None:
    """Return the form of signed data that cms.py read, None if a part of them has no place of its own."""
    digest, signature = signed.message_digest, signed.signature
    alone = encoded.count(digest) == encoded.count(signature) == signed.signed.count(digest) == 1
    if signed.timestamps or len(encoded) > LARGEST or not alone or not encoded.endswith(signature):
        return None
    begin, start = encoded.index(digest), len(encoded) - len(signature)
    end = begin + len(digest)
    before, _, behind = signed.signed.partition(digest)
    return SignedForm(
        signed,
        encoded[:begin].hex().encode("ascii"),
        encoded[end:start].hex().encode("ascii"),
        (2 * begin, 2 * end, 2 * start, 2 * len(encoded)),
        (before, behind),
    )


class SignedForms:
    """The forms met last, at most `most` heads with four forms each; may be used from several threads at once."""

    def __init__(self, most: int = 512) -> None:
        self._most = most
        self._forms: OrderedDict[bytes, tuple[SignedForm, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, digits: bytes) -> SignedData | None:
        """Return the signed data in a gap, given by its digits, None if they are of no known form."""
        forms = self._forms.get(digits[:HEAD], ())
        return next((signed for form in forms if (signed := form.read(digits)) is not None), None)

    def learn(self, encoded: bytes, signed: SignedData) -> None:
        """The form of signed data that cms.py read is known."""
        form = learn_form(encoded, signed)
        if form is None:
            return
        key = encoded[: HEAD // 2].hex().encode("ascii")
        with self._lock:
            others = self._forms.pop(key, ())
            self._forms[key] = (form, *others)[:4]
            if len(self._forms) > self._most:
                self._forms.popitem(last=False)
