"""licence.json as it is put together is the one encoding of its licence and index."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from elicense.catalogue import Catalogue, templates_folder
from elicense.encoding import encode_index, encode_licence_file
from elicense.model import AuthorityLevel, FieldPlacement, Holder, IssuingAuthority, Validity
from tests.support.general_road import plain_licence_file
from tests.support.licences import licence_of

SAMPLES = [licence_of(kind) for kind in Catalogue.load(templates_folder()).types]
# Everything that JSON writes otherwise, and everything that sorts otherwise in another encoding.
TEXTS = st.text(alphabet='照é𠮷\U0010ffff\uffffab"\\/{}\n\t\b\x00\x1f\x7f\u2028', max_size=12)
NAMES = st.text(alphabet="abz_.9é照𠮷\uffff", min_size=1, max_size=6)
DAYS = st.dates(date(1, 1, 1), date(9999, 12, 31))
AUTHORITIES = st.builds(
    IssuingAuthority, name=TEXTS, code=TEXTS, level=st.sampled_from(AuthorityLevel), region=TEXTS, place=TEXTS,
    prefix=TEXTS,
)  # fmt: skip
VALUES = TEXTS | st.lists(TEXTS, max_size=3).map(tuple) | st.lists(
    st.lists(TEXTS, max_size=3).map(tuple), max_size=3
).map(tuple)  # fmt: skip
NUMBERS = st.integers(-100, 2**53 - 1)
PLACEMENTS = st.builds(
    FieldPlacement, template=TEXTS, fields=st.lists(NAMES, max_size=3).map(tuple), page=NUMBERS,
    rect=st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS), mcid=NUMBERS, text=TEXTS,
)  # fmt: skip


@st.composite
def licences(draw):
    """Draw a licence with any values that its types allow, sensible or not."""
    return replace(
        draw(st.sampled_from(SAMPLES)),
        authority=draw(AUTHORITIES), joint_authorities=tuple(draw(st.lists(AUTHORITIES, max_size=2))),
        holders=tuple(draw(st.lists(st.builds(Holder, TEXTS, TEXTS, TEXTS), max_size=3))),
        fields=draw(st.dictionaries(NAMES, VALUES, max_size=4)),
        labels=draw(st.dictionaries(NAMES, st.dictionaries(NAMES, TEXTS, max_size=2), max_size=2)),
        number=draw(TEXTS), case_number=draw(st.none() | TEXTS), type=draw(TEXTS), type_name=draw(TEXTS),
        issued_on=draw(DAYS), validity=Validity(draw(DAYS), draw(st.none() | DAYS)), verify_base=draw(TEXTS),
        signing_time=datetime(2026, 3, 8, 2, 5, 6, tzinfo=UTC) + draw(st.timedeltas(timedelta(0), timedelta(9999))),
    )  # fmt: skip


@settings(max_examples=2000, deadline=None)
@given(licences(), st.lists(PLACEMENTS, max_size=4))
def test_it_is_the_canonical_encoding(licence, placements):
    """The quick encoder and plain canonical JSON agree to the byte."""
    assert encode_licence_file(licence, encode_index(placements)) == plain_licence_file(licence, placements)
