"""No published way to change a signed PDF unseen leaves a file without a finding and with permitted changes only.

Each attack starts from a file that an honest program signed. Classes and their names: universal signature forgery,
incremental saving, signature wrapping (2019), shadow attacks (2021), attacks on certified documents (2021).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from elicense.verification.foreign import read_foreign_contents
from elicense.verification.general import UNDECIDED, read_general
from tests.support.foreign import (
    append,
    body_of,
    hand_signed,
    plain,
    root_of,
    sign,
    size_of,
)
from tests.support.general_forgeries import ATTACKS, find
from tests.support.judging import outcome

if TYPE_CHECKING:
    pass


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_does_not_pass(name: str) -> None:
    """The forged file has the finding, or the change that is not permitted, which its attack leaves."""
    attack, expected = ATTACKS[name]
    assert outcome(attack()) in expected


UNIVERSAL = {
    "no byte range": (rb"/ByteRange \[[^\]]*\]", b""),
    "empty byte range": (rb"/ByteRange \[[^\]]*\]", b"/ByteRange []"),
    "null byte range": (rb"/ByteRange \[[^\]]*\]", b"/ByteRange null"),
    "negative byte range": (rb"/ByteRange \[0 0", b"/ByteRange [0 -"),
    "three numbers": (rb"(/ByteRange \[[^\]]*) \d+ ?\]", rb"\1]"),
    "decimal numbers": (rb"/ByteRange \[0 ", b"/ByteRange [0.0 "),
    "range by reference": (rb"/ByteRange \[[^\]]*\]", b"/ByteRange 1 0 R"),
    "two byte ranges": (rb"(/ByteRange \[[^\]]*\])", rb"\1/ByteRange[0 1 2 3]"),
    "two byte ranges, one escaped": (rb"(/ByteRange \[[^\]]*\])", rb"\1/Byte#52ange[0 1 2 3]"),
    "two contents": (rb"(/Contents <)", rb"/Contents(x)\1"),
    "no contents": (rb"/Contents <[0-9a-f]*>", b""),
    "null contents": (rb"/Contents <[0-9a-f]*>", b"/Contents null"),
    "empty contents": (rb"/Contents <[0-9a-f]*>", b"/Contents <>"),
    "contents of zeros": (rb"(?<=/Contents <)[0-9a-f]*(?=>)", lambda found: b"0" * len(found[0])),
    "white space in contents": (rb"(?<=/Contents <)30", b"3\n0"),
}


@pytest.mark.parametrize("name", UNIVERSAL)
def test_universal_forgery_does_not_pass(name: str) -> None:
    """A signature without what makes it one is a broken byte range, never a file that is merely unsigned."""
    pattern, by = UNIVERSAL[name]
    pdf = hand_signed(plain())
    forged = re.sub(pattern, by, pdf, count=1)
    assert forged != pdf
    reason = outcome(forged)
    assert reason not in {"passed", "format.unsigned"}
    assert reason not in UNDECIDED or reason == "format.unsupported"


def test_padding_is_checked() -> None:
    """What hides behind the signature's value in its gap is found when the gap is read."""
    pdf = hand_signed(plain())
    (candidate,) = read_general(pdf).candidates
    forged = pdf[: candidate.gap[1] - 5] + b"abcd>" + pdf[candidate.gap[1] :]
    with pytest.raises(ValueError, match=r"cms\.unreadable"):
        read_foreign_contents(forged, candidate)


def test_removed_signature() -> None:
    """An older signature that was taken out before the first one left is named, and proves nothing."""
    pdf = hand_signed(plain())
    field = find(pdf, rb"/FT/Sig")
    cleared = append(pdf, {field: b"<</FT/Sig/T(Hand)>>"}, free=(find(pdf, rb"/ByteRange"),))
    (finding,) = read_general(sign(cleared, "Hand")).findings
    assert finding.reason == "format.removed_signature"
    assert finding.reason in UNDECIDED


def test_signed_twice_in_one_revision() -> None:
    """Two signatures never cover the same bytes."""
    pdf = hand_signed(plain())
    (candidate,) = read_general(pdf).candidates
    number = size_of(pdf)
    second = b"<</Type/Sig/SubFilter/ETSI.CAdES.detached/ByteRange[0 1 2 3]/Contents<3000>>>"
    catalogue = body_of(pdf, root_of(pdf)).replace(b"/Fields[", b"/Fields[%d 0 R " % (number + 1))
    objects = {number: second, number + 1: b"<</FT/Sig/T(B)/V %d 0 R>>" % number, root_of(pdf): catalogue}
    assert outcome(append(pdf, objects)) == "byte_range.gap"
    assert candidate.field == "Hand"
