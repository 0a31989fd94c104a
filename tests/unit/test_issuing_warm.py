"""An office that has issued before: what it remembers never outlives what it was learned from."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta

import pytest

from elicense.catalogue import Catalogue, templates_folder
from elicense.demo import build, load
from elicense.errors import (
    CertificatePathError,
    ConfigurationError,
    InvalidTemplate,
    KeyUnavailable,
    NotAuthorised,
    SealError,
)
from elicense.issuing import Step, issue, means, resume
from elicense.pki.keys import fingerprint
from elicense.registry.memory import MemoryRegistry, MemoryStore
from tests.support.demonstration import AT, SLUG, entropy, office, request
from tests.support.room import MORE
from tests.support.sealing import house

DAY = timedelta(days=1)


class KilledError(Exception):
    """Stands for the end of the process."""


def until_reserved(step):
    """End the run as soon as the number is on record."""
    if step is Step.RESERVED:
        raise KilledError


def anew(home, **changes):
    """Return an office with an empty register, and with `changes`."""
    fresh = {"registry": MemoryRegistry(entropy=entropy()), "store": MemoryStore()}
    return replace(home, **{**fresh, **changes})


# --- Templates ---


@pytest.fixture
def templates(tmp_path):
    """Return a folder with a licence type of its own, whose files a test may change."""
    shutil.copytree(templates_folder() / SLUG, tmp_path / SLUG)
    return tmp_path


def retitle(templates, word):
    """The type's layout prints another word."""
    layout = templates / SLUG / "layout.yaml"
    text = layout.read_text("utf-8")
    changed = text.replace("经营者名称", word)
    assert changed != text
    layout.write_text(changed, "utf-8")


def test_a_template_that_changed_before_its_first_use_is_refused(templates):
    """New files are never compiled under the digest of the old ones: refused, nothing reserved, until loaded again."""
    home = office(catalogue=Catalogue.load(templates))
    retitle(templates, "持证人名称")
    with pytest.raises(InvalidTemplate, match="changed since they were read"):
        issue(request(), home, at=AT)
    assert home.registry.unfinished() == ()
    again = office(catalogue=Catalogue.load(templates))
    assert issue(request(), again, at=AT).record.intent.template_digest != home.catalogue[SLUG].digest


@pytest.mark.parametrize("name", ["layout.yaml", "note.txt", "type.yaml"])
def test_any_file_that_appears_or_changes_counts(templates, name):
    """Whatever lies in the folder is part of the digest, so a change of any of it is noticed when it is compiled."""
    home = office(catalogue=Catalogue.load(templates))
    with (templates / SLUG / name).open("a", encoding="utf-8") as file:
        file.write("\n# later\n")
    with pytest.raises(InvalidTemplate, match="changed since they were read"):
        issue(request(), home, at=AT)


def test_a_template_that_changes_under_a_warm_office_is_not_mixed_in(templates):
    """Compiled before the change, the office goes on with the old bytes; loaded again, it makes the new ones."""
    home = office(catalogue=Catalogue.load(templates))
    before = issue(request(), home, at=AT)
    retitle(templates, "持证人名称")
    same = issue(request(), anew(home), at=AT)
    assert same.pdf == before.pdf
    changed = issue(request(), anew(home, catalogue=Catalogue.load(templates)), at=AT)
    assert changed.pdf != before.pdf
    assert changed.record.intent.template_digest != before.record.intent.template_digest


def test_a_reservation_of_an_earlier_template_is_not_made_from_a_later(templates):
    """A number reserved under the old files waits for them: the office with new files says what changed."""
    home = office(catalogue=Catalogue.load(templates))
    with pytest.raises(KilledError):
        issue(request(), home, at=AT, on_step=until_reserved)
    retitle(templates, "持证人名称")
    (result,) = resume(replace(home, catalogue=Catalogue.load(templates)), at=AT)
    assert isinstance(result.error, ConfigurationError)
    assert "template_digest" in result.error.en


# --- Keys ---


def test_another_key_in_a_warm_office_begins_from_nothing():
    """A keeper with another certificate is refused until seal and trust register name it; then it is what seals."""
    own = house(AT)
    signer, other = own.identity().signer(), own.identity().signer()
    home = own.office(signer)
    first = issue(request(), home, at=AT)
    (keeper,) = home.keepers
    swapped = replace(keeper, signer=other)
    with pytest.raises(SealError, match="not listed"):
        issue(request(), replace(home, keepers=(swapped,)), at=AT)
    listed = replace(swapped, seal=replace(keeper.seal, certificates=(fingerprint(other.certificate),)))
    with pytest.raises(NotAuthorised):
        issue(request(), replace(home, keepers=(listed,)), at=AT)
    assert home.registry.unfinished() == ()
    second = issue(request(), own.office(other, registry=home.registry), at=AT)
    assert first.record.intent.certificate == fingerprint(signer.certificate)
    assert second.record.intent.certificate == fingerprint(other.certificate)


def test_a_key_that_is_not_the_certificates_makes_no_signer():
    """In a warm office, too: the key of another certificate is refused when it is put behind this one."""
    own = house(AT)
    signer, other = own.identity().signer(), own.identity().signer()
    issue(request(), own.office(signer), at=AT)
    with pytest.raises(KeyUnavailable, match="do not belong together"):
        replace(signer, key=other.key)


def test_a_reservation_under_another_key_waits_in_a_warm_office():
    """What was looked up for the old keeper does not finish a number under the new one."""
    own = house(AT)
    home = own.office(own.identity().signer())
    issue(request(), home, at=AT)
    with pytest.raises(KilledError):
        issue(request(), home, at=AT, on_step=until_reserved)
    (result,) = resume(own.office(own.identity().signer(), registry=home.registry), at=AT)
    assert isinstance(result.error, ConfigurationError)
    assert "certificate" in result.error.en
    (result,) = resume(home, at=AT)
    assert result.error is None


# --- Moments ---


def ending(what):
    """Return an office in which one thing ends a day from now, and everything else later."""
    home = office()
    keepers = tuple(replace(k, seal=replace(k.seal, valid_until=AT + 5000 * DAY)) for k in home.keepers)
    entries = tuple(replace(entry, valid_until=AT + 5000 * DAY) for entry in home.trust.register)
    home = replace(home, keepers=keepers, trust=replace(home.trust, register=entries))
    if what == "seal":
        keepers = tuple(replace(k, seal=replace(k.seal, valid_until=AT + DAY)) for k in keepers)
        return replace(home, keepers=keepers)
    entries = tuple(replace(entry, valid_until=AT + DAY) for entry in home.trust.register)
    return replace(home, trust=replace(home.trust, register=entries))


def test_a_seal_that_ends_under_a_warm_office_is_refused():
    """Issued with in the last second, refused in the next, and good again for a moment before."""
    home = ending("seal")
    issue(request(), home, at=AT + DAY)
    with pytest.raises(SealError):
        issue(request(), home, at=AT + DAY + timedelta(seconds=1))
    issue(request(), home, at=AT)
    assert home.registry.unfinished() == ()


def test_a_right_that_ends_under_a_warm_office_is_refused():
    """The trust register's period is looked at with every licence."""
    home = ending("register")
    issue(request(), home, at=AT + DAY)
    with pytest.raises(NotAuthorised):
        issue(request(), home, at=AT + DAY + timedelta(seconds=1))
    issue(request(), home, at=AT)
    assert home.registry.unfinished() == ()


@pytest.mark.parametrize("what", ["certificate", "list"])
def test_a_certificate_or_list_that_ends_under_a_warm_office_is_refused(what):
    """The path is asked for with every licence: at its end nothing is reserved any more, whatever was found before."""
    own = house(AT)
    identity = own.identity()
    if what == "certificate":
        leaf = own.seals.certify(
            identity.certificate.subject, identity.key.public_key(), valid_until=AT + 20 * DAY
        )
        identity = replace(identity, certificate=leaf)
        lists = own.seals.crls
    else:
        lists = own.seals.with_crls(at=AT, days=20).crls
    home = own.office(identity.signer())
    home = replace(home, trust=replace(home.trust, crls=lists))
    for day in (0, 10, 20):
        issue(request(), home, at=AT + day * DAY)
    for day in (21, 40):
        with pytest.raises(CertificatePathError, match="expired" if what == "certificate" else "out of date"):
            issue(request(), home, at=AT + day * DAY)
    issue(request(), home, at=AT + 5 * DAY)
    assert home.registry.unfinished() == ()


def test_a_revocation_reaches_a_warm_office_with_its_new_store():
    """As soon as the office is given the new list, the seal is refused."""
    own = house(AT)
    identity = own.identity()
    home = own.office(identity.signer())
    issue(request(), home, at=AT)
    revoked = own.seals.with_crls({identity.certificate.serial_number: AT - DAY}, at=AT).crls
    with pytest.raises(CertificatePathError, match="revoked"):
        issue(request(), replace(home, trust=replace(home.trust, crls=revoked)), at=AT)


# --- What is kept ---


def test_an_office_keeps_no_more_than_it_may(monkeypatch):
    """What was looked up is bounded, and looked up again when it is gone."""
    monkeypatch.setattr(means, "_MOST_FOUND", 2)
    home = office()
    for slug in ("food-business-licence", "birth-certificate", "business-licence"):
        issue(request(slug), home, at=AT)
        assert len(home.found) <= 2


def test_more_space_than_is_needed_today_is_given_as_it_was_promised():
    """A number reserved when more was counted for the same seal gets a document with as much space."""
    home = office()
    with pytest.raises(KilledError):
        issue(request(), home, at=AT, on_step=until_reserved)
    (record,) = home.registry.unfinished()
    larger = replace(record.intent, capacity=record.intent.capacity + MORE)
    home.registry._write(replace(record, intent=larger))
    (result,) = resume(home, at=AT)
    assert result.error is None
    _, start, end, _ = result.record.document.byte_range
    assert end - start - 2 == 2 * larger.capacity


def test_a_loaded_office_issues_what_a_built_one_does(tmp_path):
    """Two offices on the same folder, each with its own memory, make the same bytes for the same chance."""
    build(tmp_path / "demo", at=AT)
    first, second = (anew(load(tmp_path / "demo")) for _ in range(2))
    issue(request(), first, at=AT)
    assert (
        issue(request(), anew(first), at=AT).pdf
        == issue(request(), anew(second), at=AT).pdf
        == issue(request(), anew(load(tmp_path / "demo")), at=AT).pdf
    )
