"""Joint documents: several departments seal one document in sequence, in one office or in several."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageDraw

from elicense import preflight
from elicense.cli import run
from elicense.decoding import licence_from_json
from elicense.encoding import canonical_json, licence_to_json
from elicense.errors import (
    CertificatePathError,
    ConfigurationError,
    IllegalTransition,
    InvalidLicenceData,
    KeyUnavailable,
    LicenceNotFound,
    MalformedDocument,
    NotAuthorised,
    PreflightFailed,
    RegistryError,
    SealAwaited,
    SealError,
    SigningError,
    TimestampUnavailable,
)
from elicense.issuing import JointPartner, Step, issue, resume, seal_next
from elicense.issuing.line import _next_field
from elicense.model import InForce, LicenceState
from elicense.preflight import ClearedSeal
from elicense.registry.sql import SqlRegistry
from elicense.rendering.resources import seal_objects
from elicense.seal.drawing import draw_seal
from elicense.seal.model import SealPicture
from elicense.verification.document import InProcess
from elicense.verification.pipeline import verify
from elicense.verification.report import Indication
from tests.support import demonstration
from tests.support.demonstration import AT, office, request
from tests.support.format_reader import blocks, names, read_seal, read_update, revisions
from tests.unit.test_format_doc import as_pattern

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from elicense.issuing import IssuedLicence, IssuingOffice
    from elicense.registry.protocol import LicenceRecord

SLUG = "joint-approval-document"
HOUR = timedelta(hours=1)
TYPE = demonstration.office().catalogue[SLUG]
CODES = (TYPE.sample_authority().code, *(one.code for one in TYPE.sample_joint_authorities()))


class KilledError(Exception):
    """Stands for the end of the process."""


@cache
def whole() -> tuple[IssuingOffice, IssuedLicence]:
    """Return an office and the joint document it issued in one go."""
    home = office()
    return home, issue(request(SLUG), home, at=AT)


def between(home: IssuingOffice, record: LicenceRecord) -> list[bytes]:
    """Return the documents between the seals, and the finished one if there is one."""
    known = [*record.interim, *([record.document] if record.document else [])]
    return [home.store.get(one.sha256) for one in known]


@dataclass
class Apart:
    """Three departments, each with its keeper alone, on one register and store."""

    offices: list[IssuingOffice]
    """In the order of sealing; the first knows the others as partners."""

    @classmethod
    def make(cls, **changes: object) -> Apart:
        """Return them, nothing issued yet."""
        home = office(**changes)
        keepers = [
            next(k for k in home.keepers if k.authority.code == code and k.seal.use == TYPE.seal_use)
            for code in CODES
        ]
        partners = tuple(JointPartner(keeper.authority, keeper.seal) for keeper in keepers)
        return cls([replace(home, keepers=(keeper,), partners=partners) for keeper in keepers])

    def begin(self) -> str:
        """Return the identifier of a document that its first department issued and sealed."""
        with pytest.raises(SealAwaited):
            issue(request(SLUG), self.offices[0], at=AT)
        (record,) = self.offices[0].registry.unfinished()
        return str(record.licence.identifier)


# --- In one office ---


def test_one_office_issues_a_joint_document_in_one_go() -> None:
    """All keepers at hand: three seals, three revisions, ISSUED, authentic and in force, also by its hash."""
    home, issued = whole()
    assert issued.record.state is LicenceState.ISSUED
    assert [one.code for one in issued.record.licence.authorities] == list(CODES)
    assert len(revisions(issued.pdf)) == 3
    for registry in (None, home.registry):
        report = verify(issued.pdf, trust=home.trust, at=AT, registry=registry, sandbox=InProcess())
        assert report.indication is Indication.TOTAL_PASSED
    assert report.in_force.state is InForce.IN_FORCE
    evidence = issued.record.document
    assert evidence.byte_range[2] + evidence.byte_range[3] == len(issued.pdf) == evidence.size
    assert issued.pdf.rindex(b"/ByteRange [0 %010d " % evidence.byte_range[1]) > 0


def test_each_seal_only_adds_to_the_document_before() -> None:
    """The document with k seals is the beginning of the one with k + 1, and all of them are on record and kept."""
    home, issued = whole()
    documents = between(home, issued.record)
    assert documents == revisions(issued.pdf)
    assert [one.sha256 for one in issued.record.interim] == [
        hashlib.sha256(document).hexdigest() for document in documents[:-1]
    ]


def test_steps_of_a_joint_document() -> None:
    """Each seal passes sealing, verification, store and register; the page is made once."""
    steps: list[Step] = []
    issue(request(SLUG), office(), at=AT, on_step=steps.append)
    rounds = [Step.CLEARED, Step.SEALED, Step.VERIFIED, Step.STORED, Step.COMMITTED]
    assert steps == [Step.RESERVED, Step.RENDERED, *rounds * 3]


@pytest.mark.parametrize("nth", range(17))
def test_killed_anywhere_the_document_goes_on_where_it_stood(nth: int) -> None:
    """After a kill at any step of any seal, resume finishes it: same number, and seals on record stay."""
    home, steps = office(), []

    def on_step(step: Step) -> None:
        steps.append(step)
        if len(steps) == nth + 1:
            raise KilledError

    with pytest.raises(KilledError):
        issue(request(SLUG), home, at=AT, on_step=on_step)
    (before,) = home.registry.unfinished() or (None,)
    (result,) = resume(home, at=AT + HOUR) if before else (None,)
    if before is None:
        assert nth == 16  # the last step of all: it was done
        return
    assert result.error is None
    assert result.record.interim[: len(before.interim)] == before.interim
    assert len(result.record.interim) == 2
    verify(result.issued.pdf, trust=home.trust, at=AT + HOUR, sandbox=InProcess()).require_passed()
    assert resume(home, at=AT + HOUR) == ()


def test_a_joint_type_of_one_authority_is_an_ordinary_document() -> None:
    """Without joint authorities there is one revision, certified against every change, and no member in the data."""
    home = office()
    issued = issue(request(SLUG, joint_authority_codes=()), home, at=AT)
    assert len(revisions(issued.pdf)) == 1
    assert b"/TransformParams/P 1/V" in issued.pdf
    assert "joint_authorities" not in json.loads(names(issued.pdf)["embedded"])["licence"]


def test_a_supplied_picture_is_a_further_seal_too() -> None:
    """A seal that is a picture adds its pixels and their mask, and nothing else."""
    image = Image.new("RGBA", (520, 520), (255, 0, 0, 0))
    ImageDraw.Draw(image).ellipse((8, 8, 512, 512), outline=(255, 0, 0, 255), width=24)
    home = office()
    file = demonstration.folder() / "picture.png"
    image.save(file)
    picture = SealPicture(file.read_bytes(), 42.0, 42.0)
    keepers = tuple(
        replace(k, seal=replace(k.seal, art=picture)) if k.authority.code == CODES[1] else k
        for k in home.keepers
    )
    home = replace(home, keepers=keepers)
    issued = issue(request(SLUG), home, at=AT)
    first, second, _ = revisions(issued.pdf)
    objects, _ = read_update(second, len(first))
    assert len(objects) == 5
    assert sum(b"/Subtype/Image" in body for body in objects.values()) == 2


# --- In several offices ---


def test_departments_seal_in_turn_each_in_its_own_office() -> None:
    """The document waits RESERVED and in force for nobody until the last department has sealed it."""
    apart = Apart.make()
    first, second, third = apart.offices
    identifier = apart.begin()
    for seals, place in enumerate((second, third), 1):
        record = first.registry.get(identifier)
        assert (record.state, len(record.interim), record.document) == (LicenceState.RESERVED, seals, None)
        assert first.registry.status(identifier, at=AT).state is InForce.NOT_KNOWN
        assert len(first.registry.history(identifier)) == 1
        document = between(first, record)[-1]
        report = verify(document, trust=first.trust, at=AT, sandbox=InProcess())
        assert report.indication is Indication.INDETERMINATE
        sealed = seal_next(identifier, place, at=AT + seals * HOUR, authority_code=CODES[seals])
    assert sealed.state is LicenceState.ISSUED
    final = between(third, sealed)[-1]
    report = verify(final, trust=first.trust, at=AT + 2 * HOUR, sandbox=InProcess())
    assert report.indication is Indication.TOTAL_PASSED
    assert [one.claimed_time for one in report.signatures] == [AT, AT + HOUR, AT + 2 * HOUR]


def test_nobody_seals_out_of_turn_or_twice() -> None:
    """A department before its turn, after its turn, in another's name, or after the last seal is refused."""
    apart = Apart.make()
    first, second, third = apart.offices
    identifier = apart.begin()
    for wrong in (first, third):
        with pytest.raises(SealAwaited, match="样例市工业和信息化局"):
            seal_next(identifier, wrong, at=AT)
    with pytest.raises(NotAuthorised):
        seal_next(identifier, second, at=AT, authority_code=CODES[2])
    seal_next(identifier, second, at=AT)
    for wrong in (first, second):
        with pytest.raises(SealAwaited):
            seal_next(identifier, wrong, at=AT)
    seal_next(identifier, third, at=AT)
    for wrong in (first, second, third):
        with pytest.raises(IllegalTransition):
            seal_next(identifier, wrong, at=AT)
    assert len(first.store._documents) == 3


def test_what_waits_for_another_office_is_resumed_as_such() -> None:
    """Resume in an office whose turn it is not leaves the document; the right office finishes what it can."""
    apart = Apart.make()
    first, second, third = apart.offices
    identifier = apart.begin()
    for place, seals in ((first, 1), (third, 1), (second, 2), (second, 2)):
        (result,) = resume(place, at=AT)
        assert isinstance(result.error, SealAwaited)
        assert len(first.registry.get(identifier).interim) == seals
    (result,) = resume(third, at=AT)
    assert result.issued.record.state is LicenceState.ISSUED


def test_the_same_request_again_does_not_begin_anew() -> None:
    """With its idempotency key the request comes back to the same document, waiting or finished."""
    apart = Apart.make()
    first, second, third = apart.offices
    asked = request(SLUG, idempotency_key="k")
    for _ in range(2):
        with pytest.raises(SealAwaited):
            issue(asked, first, at=AT)
    (record,) = first.registry.unfinished()
    seal_next(str(record.licence.identifier), second, at=AT)
    seal_next(str(record.licence.identifier), third, at=AT)
    assert issue(asked, first, at=AT + HOUR).record.state is LicenceState.ISSUED


def test_of_two_keepers_at_once_the_first_counts() -> None:
    """If the same seal was put on record meanwhile, ours is dropped and the other document goes on."""
    apart = Apart.make()
    _, second, third = apart.offices
    identifier = apart.begin()

    def overtake(step: Step) -> None:
        if step is Step.STORED:
            seal_next(identifier, second, at=AT + HOUR)

    record = seal_next(identifier, second, at=AT, on_step=overtake)
    assert len(record.interim) == 2
    assert b"/M(D:20260308050000Z)" in between(second, record)[-1]
    assert seal_next(identifier, third, at=AT + HOUR).state is LicenceState.ISSUED


def test_a_voided_document_takes_no_further_seal() -> None:
    """A department that will not seal: the number becomes a void with its reason, and that is the end of it."""
    apart = Apart.make()
    identifier = apart.begin()
    apart.offices[0].registry.void(identifier, reason="refused by the second department", at=AT)
    with pytest.raises(IllegalTransition):
        seal_next(identifier, apart.offices[1], at=AT)
    assert apart.offices[0].registry.status(identifier, at=AT).state is InForce.REVOKED


def test_an_unknown_document_and_one_of_a_single_authority_wait_for_no_seal() -> None:
    """Neither can be sealed further."""
    home = office()
    record = issue(request(), home, at=AT).record
    with pytest.raises(IllegalTransition):
        seal_next(str(record.licence.identifier), home, at=AT)
    with pytest.raises(LicenceNotFound):
        seal_next("1.2.3", home, at=AT)


def with_art(keeper: object, **changes: object) -> object:
    """Return the keeper with its seal drawn otherwise."""
    return replace(keeper, seal=replace(keeper.seal, art=replace(keeper.seal.art, **changes)))


TROUBLES: dict[str, tuple[Callable[[IssuingOffice], IssuingOffice], type[Exception]]] = {
    "another seal since": (
        lambda place: replace(place, keepers=(with_art(place.keepers[0], lower_text="新"),)),
        ConfigurationError,
    ),
    "seal expired": (
        lambda place: replace(
            place,
            keepers=(
                replace(
                    place.keepers[0],
                    seal=replace(place.keepers[0].seal, valid_until=AT - HOUR),
                ),
            ),
        ),
        SealError,
    ),
    "no revocation list": (
        lambda place: replace(place, trust=replace(place.trust, crls=())),
        CertificatePathError,
    ),
    "not in the trust register": (
        lambda place: replace(place, trust=replace(place.trust, register=())),
        NotAuthorised,
    ),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_what_stands_in_the_way_of_a_further_seal_changes_nothing(name: str) -> None:
    """Each trouble is refused by its own error; the document waits as it was, and is sealed once the cause is gone."""
    change, error = TROUBLES[name]
    apart = Apart.make()
    identifier = apart.begin()
    before = apart.offices[0].registry.get(identifier)
    with pytest.raises(error):
        seal_next(identifier, change(apart.offices[1]), at=AT)
    assert apart.offices[0].registry.get(identifier) == before
    assert len(seal_next(identifier, apart.offices[1], at=AT).interim) == 2


class AwaySigner:
    """A signer whose key does not answer."""

    def __init__(self, real: object) -> None:
        self._real = real

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def sign(self, data: bytes) -> bytes:  # noqa: ARG002
        """Refuse."""
        raise KeyUnavailable("away", "不可用")


def test_a_further_key_that_is_away_is_not_fatal() -> None:
    """The document waits with the seals it has."""
    apart = Apart.make()
    identifier = apart.begin()
    (keeper,) = apart.offices[1].keepers
    away = replace(apart.offices[1], keepers=(replace(keeper, signer=AwaySigner(keeper.signer)),))
    with pytest.raises(KeyUnavailable):
        seal_next(identifier, away, at=AT)
    assert len(seal_next(identifier, apart.offices[1], at=AT).interim) == 2


def test_a_document_altered_in_the_store_is_not_sealed() -> None:
    """A further seal is put only under the bytes on record."""
    apart = Apart.make()
    identifier = apart.begin()
    (evidence,) = apart.offices[0].registry.get(identifier).interim
    documents = apart.offices[0].store._documents
    documents[evidence.sha256] = documents[evidence.sha256].replace(b"/F 132", b"/F 133", 1)
    with pytest.raises(PreflightFailed):
        seal_next(identifier, apart.offices[1], at=AT)


# --- Timestamps ---


class SilentAuthority:
    """A timestamp authority that never answers."""

    token_size = 6000

    def stamp(self, digest: bytes, algorithm: str) -> bytes:  # noqa: ARG002
        """Refuse."""
        raise TimestampUnavailable("silent", "无应答")


def test_a_promised_timestamp_is_asked_of_every_department() -> None:
    """An office without an authority may not seal a document of profile B-T; nothing else changes."""
    apart = Apart.make(timestamps=SilentAuthority(), on_timestamp_failure="pending")
    identifier = apart.begin()
    with pytest.raises(ConfigurationError, match="profile"):
        seal_next(identifier, replace(apart.offices[1], timestamps=None), at=AT)
    with pytest.raises(TimestampUnavailable):
        seal_next(identifier, replace(apart.offices[1], on_timestamp_failure="refuse"), at=AT)
    seal_next(identifier, apart.offices[1], at=AT)
    record = seal_next(identifier, apart.offices[2], at=AT)
    assert (record.document.profile, record.document.timestamp_pending) == ("B-B", True)


# --- Refused before anything is reserved ---


@pytest.mark.parametrize(
    ("slug", "codes", "error"),
    [
        (SLUG, (CODES[1], CODES[1]), InvalidLicenceData),
        (SLUG, (CODES[0],), InvalidLicenceData),
        (SLUG, ("X" * 18,), NotAuthorised),
        ("approval-document", (CODES[0],), InvalidLicenceData),
        ("food-business-licence", (CODES[0],), NotAuthorised),
    ],
)
def test_wrong_joint_authorities_are_refused(slug: str, codes: tuple[str, ...], error: type) -> None:
    """Twice the same, unknown, or under a type that is not joint: refused, no number spent."""
    home = office()
    with pytest.raises(error):
        issue(request(slug, joint_authority_codes=codes), home, at=AT)
    assert home.registry.unfinished() == ()
    assert not home.registry._counters


def test_more_authorities_than_the_type_takes_are_refused() -> None:
    """The type says how many may issue one document."""
    main, *others = (TYPE.sample_authority(), *TYPE.sample_joint_authorities())
    few = replace(TYPE, definition=TYPE.definition.model_copy(
        update={"seal": TYPE.definition.seal.model_copy(
            update={"joint": TYPE.definition.seal.joint.model_copy(update={"max": 2})})}
    ))  # fmt: skip
    catalogue = replace(office().catalogue, types=(few,))
    with pytest.raises(InvalidLicenceData, match="at most 2"):
        catalogue.draft(request(SLUG), main, *others, at=AT, verify_base="https://h/v/")


def test_a_further_seal_that_outsiders_would_not_believe_is_found_before_the_number() -> None:
    """The seals of all keepers at hand are looked at first."""
    home = office()
    keepers = tuple(
        replace(k, seal=replace(k.seal, valid_until=AT - HOUR)) if k.authority.code == CODES[2] else k
        for k in home.keepers
    )
    with pytest.raises(SealError):
        issue(request(SLUG), replace(home, keepers=keepers), at=AT)
    assert home.registry.unfinished() == ()


# --- The clearance ---


def test_only_the_document_on_record_is_cleared_for_its_next_seal() -> None:
    """Other bytes, another licence, another place are refused; a clearance is spent once and not made by hand."""
    home, issued = whole()
    document, licence = between(home, issued.record)[0], issued.record.licence
    digest = hashlib.sha256(document).hexdigest()
    good = {"on_record": digest, "place": 1}
    for pdf, whose, changes in (
        (document + b" ", licence, {}),
        (document, replace(licence, number="1"), {}),
        (document, licence, {"on_record": "0" * 64}),
        (document, licence, {"place": 0}),
        (document, licence, {"place": 3}),
    ):
        with pytest.raises(PreflightFailed) as caught:
            preflight.clear_next(pdf, whose, **{**good, **changes})
        assert caught.value.findings[0].startswith("7. ")
    cleared = preflight.clear_next(document, licence, **good)
    assert cleared.redeem() == document
    with pytest.raises(RuntimeError):
        cleared.redeem()
    with pytest.raises(TypeError):
        ClearedSeal(document, licence, _token=object())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"/Root ", b"/Ruut "), (b"\nstartxref\n", b"\nstartxreg\n"), (b"xref\n0 ", b"xreg\n0 "),
        (b"/Fields[", b"/Feelds["), (b"/AP<</N ", b"/AP<</M "), (b"/Size ", b"/Sise "),
    ],
)  # fmt: skip
def test_a_document_of_another_form_is_not_sealed(old: bytes, new: bytes) -> None:
    """What is not as the issuer writes it is a SigningError, before the key is used."""
    home, issued = whole()
    document = between(home, issued.record)[0].replace(old, new)
    with pytest.raises(SigningError):
        _next_field(document, 2)


# --- The data ---


def test_joint_authorities_survive_their_encoding_and_have_one() -> None:
    """Absent where there are none; an empty list, a code twice, the main one again, or too many are refused."""
    _, issued = whole()
    licence = issued.record.licence
    body = json.loads(canonical_json(licence_to_json(licence)))
    assert licence_from_json(body) == licence
    alone = replace(licence, joint_authorities=())
    assert "joint_authorities" not in licence_to_json(alone)
    assert licence_from_json(licence_to_json(alone)) == alone
    first, main = body["joint_authorities"][0], body["authority"]
    many = [{**first, "code": f"{n:018d}"} for n in range(9)]
    for wrong in ([], None, [first, first], [main], many, [{**first, "extra": "1"}]):
        with pytest.raises(MalformedDocument):
            licence_from_json({**body, "joint_authorities": wrong})


# --- The page docs/format.md ---


def test_the_example_is_a_real_second_revision() -> None:
    """The page's excerpt is, from its first byte to its last, the update of the second seal."""
    _, issued = whole()
    first, second, _ = revisions(issued.pdf)
    (example,) = blocks("joint")
    excerpt = second[len(first) :].decode("latin-1")
    pattern = as_pattern(re.sub(r"(?m)(?<=/Prev )\d+|^\d+(?= [12]$)", "…", example))
    assert re.fullmatch(pattern, excerpt, re.DOTALL), excerpt[:900]


def test_a_reader_written_from_the_page_reads_every_revision() -> None:
    """Fields, objects, numbers, trailers, signatures and ranges of all revisions are as the page says."""
    _, issued = whole()
    first, *others = cut = revisions(issued.pdf)
    found = names(first)
    objects, root = dict(found["objects"]), int(re.search(rb"/Root (\d+) 0 R", found["trailer"])[1])
    bodies = [objects[number] for number in found["fields"]]
    assert [re.search(rb"/T\((\w+)\)", body)[1] for body in bodies] == [b"Seal", b"Seal2", b"Seal3"]
    assert [b"/V " in body for body in bodies] == [True, False, False]
    locks = [re.search(rb"/Lock (\d+) 0 R", body) for body in bodies]
    assert locks[:2] == [None, None]
    assert objects[int(locks[2][1])] == b"<</Type/SigFieldLock/Action/All/P 1>>"
    for body in bodies[1:]:
        blank = objects[int(re.search(rb"/N (\d+) 0 R", body)[1])]
        left, lower, right, upper = map(float, re.search(rb"/Rect\[([^\]]*)\]", body)[1].split())
        box = [float(one) for one in re.search(rb"/BBox\[([^\]]*)\]", blank)[1].split()]
        assert box == pytest.approx([0, 0, right - left, upper - lower], abs=0.002)
        assert blank.endswith(b"/Length 0>>\nstream\n\nendstream")
    assert b"/TransformParams/P 2/V/1.2" in found["signature"]
    signed, covered = read_seal(first, found["signature"])
    size = int(re.search(rb"/Size (\d+)", found["trailer"])[1])
    for place, (before, now) in enumerate(zip(cut, others, strict=False), 1):
        update, trailer = read_update(now, len(before))
        number = found["fields"][place]
        field, *new = sorted(update)
        assert (field, new) == (number, list(range(size, size + len(new))))
        value, appearance = new[0], new[1]
        prepared = re.sub(rb"/N \d+ 0 R", b"/N %d 0 R" % appearance, bodies[place])
        assert update[field] == prepared[:-2] + b"/V %d 0 R>>" % value
        reference = (
            b"/Reference[<</Type/SigRef/TransformMethod/FieldMDP/Data %d 0 R"
            b"/TransformParams<</Type/TransformParams/Action/All/V/1.2>>>>]" % root
        )
        assert (reference in update[value]) == (place == 2)
        assert b"/Reference" in update[value] or place == 1
        match = re.search(rb"/ByteRange \[0 (\d{10}) (\d{10}) (\d{10})\]", update[value])
        start, end, rest = map(int, match.groups())
        assert end + rest == len(now)
        assert now[start : start + 1] + now[end - 1 : end] == b"<>"
        prev = int(re.search(rb"startxref\n(\d+)\n%%EOF\n\Z", before)[1])
        size += len(new)
        expected = re.sub(rb"/Size \d+", b"/Size %d" % size, found["trailer"])
        assert trailer == expected[:-2] + b"/Prev %d>>" % prev
    assert covered
    assert signed["version"].native == "v1"


# --- Register and command line ---


def test_a_register_on_disk_keeps_what_is_between_the_seals(tmp_path: Path) -> None:
    """Closed and opened again between two seals, the register still knows the document; rows cannot be changed."""
    path = tmp_path / "register.sqlite"
    apart = Apart.make(registry=SqlRegistry(path))
    identifier = apart.begin()
    apart.offices[0].registry.close()
    again = SqlRegistry(path)
    second, third = (replace(one, registry=again) for one in apart.offices[1:])
    assert len(seal_next(identifier, second, at=AT).interim) == 2
    for statement in ("UPDATE interim SET seals = 9", "DELETE FROM interim"):
        with pytest.raises(RegistryError), again._writing() as connection:
            connection.exec_driver_sql(statement)
    record = seal_next(identifier, third, at=AT)
    assert record == again.get(identifier) == again.find_document(record.document.sha256)
    again.close()


def test_the_command_line_seals_in_turn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`seal next` refuses what waits for no seal and what it does not know, in one plain sentence."""
    folder = str(demonstration.folder())
    assert run(["issue", SLUG, "--folder", folder, "--out", str(tmp_path / "a.pdf"), "--json"]) == 0
    issued = json.loads(capsys.readouterr().out)
    assert run(["seal", "next", issued["identifier"], "--folder", folder, "--lang", "en"]) == 1
    assert "waits for no seal" in capsys.readouterr().err
    assert run(["issue", SLUG, "--sample"]) == 0
    sample = json.loads(capsys.readouterr().out)
    assert sample["joint_authority_codes"] == list(CODES[1:])
    data = tmp_path / "data.json"
    data.write_text(json.dumps({**sample, "joint_authority_codes": "x"}), "utf-8")
    assert run(["issue", SLUG, "--data", str(data), "--folder", folder, "--lang", "en"]) == 1
    assert "joint_authority_codes" in capsys.readouterr().err


def test_the_command_line_goes_on_where_another_office_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`seal next` puts on one seal, says whose and what it waits for, and at last gives the document out."""
    apart = Apart.make()
    identifier = apart.begin()
    offices = iter(apart.offices[1:])
    monkeypatch.setattr("elicense.cli.seals.open_office", lambda _: (tmp_path, next(offices)))
    monkeypatch.setattr("elicense.cli.seals.now", lambda: AT)
    assert run(["seal", "next", identifier, "--lang", "en"]) == 0
    said = capsys.readouterr().out
    assert "样例市工业和信息化局, 2 of 3 seals" in said
    assert "waits for the seal of 样例市生态环境局" in said
    out = tmp_path / "joint.pdf"
    assert run(["seal", "next", identifier, "--authority", CODES[2], "--out", str(out), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["state"], answer["seals"]) == ("issued", 3)
    assert hashlib.sha256(out.read_bytes()).hexdigest() == answer["sha256"]


def test_the_drawing_of_a_further_seal_is_the_one_of_a_first() -> None:
    """The form in the update is byte for byte what the compiler would embed for that seal."""
    home, issued = whole()
    first, second, _ = revisions(issued.pdf)
    update, _ = read_update(second, len(first))
    keeper = next(k for k in home.keepers if k.authority.code == CODES[1])
    form = max(update)
    assert update[form] == seal_objects(draw_seal(keeper.seal.art, home.fonts), form)[form]
