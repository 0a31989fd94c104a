"""The rules all registers share."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from registry_samples import NOON, make_draft

from elicense.identifiers import LicenceIdentifier
from elicense.registry.rules import new_licence


@given(st.binary(min_size=20, max_size=20))
def test_every_entropy_makes_a_strict_identifier(entropy):
    """Whatever the random bytes are, the identifier is strict and 20 characters of serial long."""
    licence = new_licence(make_draft(), number="1", at=NOON, entropy=lambda n: entropy[:n])
    assert len(licence.identifier.serial) == 20
    assert LicenceIdentifier.parse(str(licence.identifier)) == licence.identifier
    assert licence.document_id == entropy[:16].hex()
