"""What is done before the first licence is asked for, and what is not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from elicense.errors import InvalidTemplate, SealError
from elicense.issuing import issue
from elicense.issuing.warming import warm_up
from elicense.rendering import compiler
from tests.support.demonstration import AT, office


@pytest.fixture(autouse=True)
def shelf(monkeypatch):
    """No template is compiled yet."""
    monkeypatch.setattr(compiler, "_SHELF", compiler._Shelf())


def test_after_warming_nothing_is_compiled_for_a_licence_of_any_type(monkeypatch):
    """Every type's sample is issued with the templates that are ready, the joint one among them."""
    warm = office()
    assert warm_up(warm, at=AT) == len(warm.catalogue.types)
    monkeypatch.setattr(compiler, "_compile", None)
    for licence_type in warm.catalogue.types:
        assert issue(licence_type.sample_request(), warm, at=AT).pdf


def test_warming_reserves_nothing_and_uses_no_key(monkeypatch):
    """The register stays empty and no signature is made."""
    cold = office()
    signer = type(cold.keepers[0].signer)
    monkeypatch.setattr(signer, "sign", None)
    warm_up(cold, at=AT)
    assert cold.registry.unfinished() == ()


def test_what_is_out_of_date_does_not_keep_the_rest_from_warming():
    """Years later every certificate has ended: the templates are ready all the same, and issuing says why not."""
    late = AT + timedelta(days=3000)
    assert warm_up(office(), at=late) == len(office().catalogue.types)
    with pytest.raises(SealError):
        issue(office().catalogue.types[0].sample_request(), office(), at=late)


def test_no_more_is_warmed_than_is_kept(monkeypatch):
    """With more templates than are kept the last ones would push out the first."""
    monkeypatch.setattr("elicense.issuing.warming.KEPT", 3)
    assert warm_up(office(), at=AT) == 3


def test_a_template_that_cannot_be_compiled_is_told_at_once(monkeypatch):
    """The error of a broken layout comes at warming, not with the first licence."""

    def broken(*_):
        raise InvalidTemplate("broken", "坏了")

    monkeypatch.setattr(compiler, "_compile", broken)
    with pytest.raises(InvalidTemplate):
        warm_up(office(), at=AT)
