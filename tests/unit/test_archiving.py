"""Archive copies: what is added, what never is, and how long they prove the time."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import pytest
from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from elicense.archiving import _Work, archive, archive_licence
from elicense.errors import (
    CertificatePathError,
    IllegalTransition,
    LicenceNotFound,
    MalformedDocument,
    TimestampUnavailable,
    VerificationFailed,
)
from elicense.issuing import issue
from elicense.model import InForce, LicenceDraft
from elicense.pki.evidence import Evidence, alone
from elicense.pki.throwaway import load_pki, make_pki
from elicense.registry.memory import MemoryRegistry, MemoryStore
from elicense.verification.document import InProcess
from elicense.verification.pipeline import verify
from elicense.verification.report import CheckStatus, Indication
from elicense.verification.structure import read_structure
from tests.support import demonstration
from tests.support.format_reader import blocks, names, read_update, revisions
from tests.support.life import Outage, life
from tests.support.ocsp import answer, delegate
from tests.support.pki import seal_signer
from tests.support.tsa import DirectTsa
from tests.unit.test_format_doc import as_pattern
from tests.unit.verification.minimal_pdf import Draft, sealed

WORLD = life(datetime(2026, 3, 8, 4, 0, tzinfo=UTC))
PASSED = Indication.TOTAL_PASSED


@cache
def document(*, stamped=False):
    """Return the licence's document of day 0."""
    return WORLD.issued(stamped=stamped)


@cache
def copy(level="B-LTA", *, stamped=False):
    """Return its archive copy of day 1."""
    return WORLD.archive(document(stamped=stamped), 1, level)


def der(*items):
    """Return the DER of each."""
    return tuple(item.public_bytes(Encoding.DER) for item in items)


def level_of(pdf, day, trust=None):
    """Return verdict and level on a day."""
    report = WORLD.verify(pdf, day, trust)
    return report.indication, report.signatures[0].profile


@pytest.mark.parametrize(
    ("stamped", "level", "added"),
    [
        (False, "B-T", ("timestamp",)),
        (False, "B-LT", ("timestamp", "evidence")),
        (False, "B-LTA", ("timestamp", "evidence", "timestamp")),
        (True, "B-T", ()),
        (True, "B-LT", ("evidence",)),
        (True, "B-LTA", ("evidence", "timestamp")),
    ],
)
def test_each_level_is_reached_with_no_more_than_it_needs(stamped, level, added):
    """Just the missing updates are added, and our verifier finds the copy authentic at that level."""
    found = copy(level, stamped=stamped)
    assert (found.level, found.added) == (level, added)
    assert level_of(found.pdf, 1) == (PASSED, level)
    assert found.sha256 == hashlib.sha256(found.pdf).hexdigest()


def test_a_copy_says_until_when_it_can_be_renewed():
    """It is the end of the certificate of the newest timestamp, or of the signature's own if that is the newest."""
    for day, found in ((0, copy("B-LT", stamped=True)), (1, copy())):
        assert found.renew_before == WORLD.day(day + 729)
    assert WORLD.archive(copy().pdf, 600, renew=True).renew_before == WORLD.day(600 + 729)


@pytest.mark.parametrize("stamped", [False, True])
def test_the_document_stands_unchanged_at_the_beginning(stamped):
    """The copy begins with the very bytes of the document, and its first signature is the same."""
    found = copy(stamped=stamped)
    assert found.pdf.startswith(document(stamped=stamped))
    _, start, end, tail = found.byte_range
    assert end + tail == len(document(stamped=stamped))
    assert found.pdf[start:end] == document(stamped=stamped)[start:end]


def test_only_the_catalogue_is_redefined():
    """Of the document's objects the updates redefine the catalogue alone; everything else in them is new."""
    before = read_structure(document())
    added = copy().pdf[len(document()) :]
    numbers = [int(number) for number in re.findall(rb"^([0-9]+) 0 obj$", added, re.MULTILINE)]
    old = {number for number in numbers if number < before.extensible.tail.size}
    assert old == {before.root}
    new = [number for number in numbers if number not in old]
    assert new == list(range(before.extensible.tail.size, before.extensible.tail.size + len(new)))


def test_a_form_in_its_own_object_is_extended_there():
    """If the catalogue refers to the form, a timestamp redefines the form and evidence the catalogue."""
    work = _Work(sealed(Draft(), seal_signer()), DirectTsa())
    before = len(work.pdf)
    work.add_timestamp()
    assert re.findall(rb"^(?:1|12) 0 obj$", work.pdf[before:], re.MULTILINE) == [b"12 0 obj"]
    before = len(work.pdf)
    work.add_evidence(Evidence(crls=der(*WORLD.house.crls)))
    assert re.findall(rb"^(?:1|12) 0 obj$", work.pdf[before:], re.MULTILINE) == [b"1 0 obj"]
    work.add_timestamp()
    assert (work.structure.findings, work.added) == ((), ["timestamp", "evidence", "timestamp"])
    assert work.structure.evidence.crls == der(*WORLD.house.crls)


def test_what_is_there_is_not_added_again():
    """Archived again at the same or a lower level nothing changes."""
    for level in ("B-T", "B-LT", "B-LTA"):
        again = WORLD.archive(copy().pdf, 2, level)
        assert (again.pdf, again.level, again.added) == (copy().pdf, "B-LTA", ())
    raised = WORLD.archive(copy("B-LT").pdf, 1, "B-LTA", tsa=WORLD.tsa(1))
    assert raised.added == ("timestamp",)


def test_evidence_is_what_the_chains_need_and_each_once():
    """Of a store full of lists only those of both chains are taken, the newest of each; every value once."""
    stranger = make_pki(at=WORLD.day(0))
    trust = WORLD.trust(1)
    crowded = replace(trust, crls=(*stranger.crls, *WORLD.trust(0).crls, *trust.crls))
    found = WORLD.archive(document(stamped=True), 1, trust=crowded, tsa=WORLD.tsa(0))
    held = read_structure(found.pdf).evidence
    assert set(held.crls) == set(der(*trust.crls))
    assert len(held.crls) == 4
    seal, authority = WORLD.signer.certificate, WORLD.house.seals.issuing.certificate
    assert {*der(seal, authority, *WORLD.house.anchors)} < set(held.certificates)
    assert len(held.certificates) == len(set(held.certificates)) == 6


def test_a_copy_needs_no_lists_from_outside():
    """From B-LT on, the verifier's own lists are not needed; for B-T they are."""
    assert level_of(copy("B-LT").pdf, 2, alone(WORLD.office.trust)) == (PASSED, "B-LT")
    assert level_of(copy().pdf, 2, alone(WORLD.office.trust)) == (PASSED, "B-LTA")
    assert WORLD.verify(copy("B-T").pdf, 2, alone(WORLD.office.trust)).indication is Indication.INDETERMINATE


def test_evidence_may_be_ocsp_answers():
    """Where the store has answers instead of lists, the copy holds answers, and they are enough."""
    tsa, at = WORLD.tsa(0), WORLD.day(1)
    pairs = ((WORLD.house.seals, WORLD.signer.certificate), (WORLD.house.stamps, tsa.identity.certificate))
    answers = tuple(answer(leaf, house.issuing.certificate, delegate(house), at) for house, leaf in pairs)
    lists = tuple(house.with_crls(at=at).crls[0] for house, _ in pairs)
    trust = replace(WORLD.office.trust, crls=lists, ocsps=answers)
    found = WORLD.archive(document(), 1, trust=trust, tsa=tsa)
    held = read_structure(found.pdf).evidence
    assert (set(held.ocsps), set(held.crls)) == (set(answers), set(der(*lists)))
    assert level_of(found.pdf, 2, alone(WORLD.office.trust)) == (PASSED, "B-LTA")


def test_a_document_of_an_outage_gets_its_proof_later():
    """Sealed while the authority was down, stamped on day 3: the time is proven from then on."""
    plain = WORLD.verify(document(), 0)
    assert (plain.signatures[0].profile, plain.signatures[0].proven_time) == ("B-B", None)
    stamped = WORLD.archive(document(), 3, "B-T")
    report = WORLD.verify(stamped.pdf, 3)
    assert (report.indication, report.signatures[0].proven_time) == (PASSED, WORLD.day(3))
    with pytest.raises(TimestampUnavailable):
        WORLD.archive(document(), 3, "B-T", tsa=Outage())


def test_renewed_copies_outlive_signer_and_authorities():
    """Renewed before each authority ends, without the key, a copy passes six years later; unrenewed it does not."""
    pdf = copy().pdf
    for day in (600, 1200, 1800):
        renewed = WORLD.archive(pdf, day, renew=True)
        assert renewed.pdf.startswith(pdf)
        assert (renewed.level, renewed.added) == ("B-LTA", ("evidence", "timestamp"))
        pdf = renewed.pdf
    assert WORLD.signer.certificate.not_valid_after_utc < WORLD.day(740)
    report = WORLD.verify(pdf, 2300)
    assert (report.indication, report.signatures[0].profile) == (PASSED, "B-LTA")
    assert report.signatures[0].proven_time == WORLD.day(1)
    assert WORLD.verify(copy().pdf, 2300).indication is Indication.INDETERMINATE
    assert WORLD.verify(document(), 2300).indication is Indication.INDETERMINATE


def test_a_renewal_that_comes_too_late_is_refused():
    """When the newest timestamp's authority has expired nothing can be proven any more, and nothing is added."""
    with pytest.raises(CertificatePathError, match="expired"):
        WORLD.archive(copy().pdf, 900, renew=True)


def test_a_proof_that_comes_after_the_expiry_is_none():
    """A document whose certificate expired before any proof of time is not archived."""
    with pytest.raises(VerificationFailed):
        WORLD.archive(document(), 800, "B-T")


def test_a_revocation_after_the_proof_does_not_harm():
    """The signer's certificate revoked on day 50 harms neither the copy of day 1 nor its renewal."""
    serial = WORLD.signer.certificate.serial_number
    revoked = WORLD.trust(100, {serial: WORLD.day(50)}, reason=x509.ReasonFlags.key_compromise)
    assert level_of(copy().pdf, 100, revoked) == (PASSED, "B-LTA")
    renewed = WORLD.archive(copy().pdf, 100, renew=True, trust=revoked)
    assert level_of(renewed.pdf, 101, revoked) == (PASSED, "B-LTA")
    with pytest.raises(VerificationFailed):
        WORLD.archive(document(), 100, "B-T", trust=revoked)


def test_a_copy_cut_back_is_genuine_at_the_lower_level():
    """Cut behind each of its revisions, the copy passes at the level that is left."""
    revisions = read_structure(copy().pdf).revisions
    found = [level_of(copy().pdf[: revision.end], 1) for revision in revisions]
    assert found == [(PASSED, level) for level in ("B-B", "B-T", "B-LT", "B-LTA")]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda pdf: pdf.replace(b"/Title", b"/Titel", 1), "only a sound document"),
        (lambda pdf: pdf + b"\n", "only a sound document"),
        (lambda pdf: pdf[:-1], "only a sound document"),
        (lambda _: b"%PDF-1.7\nhello", "only a sound document"),
        (lambda _: b"", "only a sound document"),
        (lambda pdf: pdf + pdf[pdf.rindex(b"xref\n0") :], "only a sound document"),
    ],
    ids=["changed", "byte behind", "cut", "no document", "empty", "another end"],
)
def test_nothing_is_added_to_an_unsound_file(spoil, words):
    """Whatever is not one of our documents, whole and unchanged, is refused before anybody is asked for a stamp."""
    tsa = WORLD.tsa(1)
    for pdf in (document(), copy().pdf):
        with pytest.raises(MalformedDocument, match=words):
            WORLD.archive(spoil(pdf), 1, tsa=tsa)
    assert tsa.asked == 0


def test_missing_lists_are_named_and_nothing_is_lost():
    """Without current lists for a chain there is no evidence to add, and the error says what to do."""
    for crls in ((), WORLD.trust(1).crls[:2], WORLD.trust(1).crls[2:]):
        trust = replace(WORLD.trust(1), crls=crls)
        with pytest.raises(CertificatePathError, match="trust store"):
            WORLD.archive(document(stamped=True), 1, trust=trust)
    with pytest.raises(CertificatePathError, match="out of date"):
        WORLD.archive(document(stamped=True), 500, trust=WORLD.trust(1))


def test_a_token_that_does_not_fit_is_refused():
    """A larger token than was reserved for is a TimestampUnavailable that says so."""
    with pytest.raises(TimestampUnavailable, match="reserve more"):
        WORLD.archive(document(), 1, "B-T", tsa=replace(WORLD.tsa(1), token_size=600))


def test_a_stamp_of_an_unknown_authority_is_none():
    """If the authority is nobody whom the trust store knows, the copy proves nothing and is not kept."""
    stranger = DirectTsa(at=WORLD.day(1), identity=make_pki(at=WORLD.day(1)).timestamp_authority())
    with pytest.raises((CertificatePathError, VerificationFailed)):
        WORLD.archive(document(), 1, "B-T", tsa=stranger)


def _office():
    """Return register and store with one issued licence, and its identifier."""
    office = replace(
        WORLD.office,
        registry=MemoryRegistry(),
        store=MemoryStore(),
        timestamps=Outage(),
        on_timestamp_failure="pending",
    )
    issued = issue(demonstration.request(), office, at=WORLD.start)
    return office, str(issued.record.licence.identifier)


def _archive_licence(office, identifier, day, level="B-LTA", **changes):
    return archive_licence(
        identifier,
        office.registry,
        office.store,
        level=level,
        trust=WORLD.trust(day),
        timestamps=WORLD.tsa(day),
        at=WORLD.day(day),
        sandbox=InProcess(),
        **changes,
    )


def test_a_copy_is_stored_and_on_record():
    """The copy of a licence on record lies in the store, is found by its digest, and is the next one's beginning."""
    office, identifier = _office()
    first = _archive_licence(office, identifier, 1).record
    (evidence,) = first.archive_copies
    pdf = office.store.get(evidence.sha256)
    assert (evidence.size, evidence.profile) == (len(pdf), "B-LTA")
    assert evidence.byte_range == first.document.byte_range
    assert office.registry.find_document(evidence.sha256) == first
    again = _archive_licence(office, identifier, 2)
    assert (again.record, again.document.added, again.document.sha256) == (first, (), evidence.sha256)
    renewed = _archive_licence(office, identifier, 600, renew=True).record
    assert renewed.archive_copies[0] == evidence
    assert office.store.get(renewed.archive_copies[1].sha256).startswith(pdf)
    report = verify(pdf, trust=WORLD.trust(1), at=WORLD.day(1), registry=office.registry, sandbox=InProcess())
    assert (report.indication, report.in_force.state) == (PASSED, InForce.IN_FORCE)
    assert report.checks[-1].status is CheckStatus.PASSED


def test_only_licences_with_a_document_are_archived():
    """An unknown identifier is not found; a voided reservation has nothing to archive."""
    office, identifier = _office()
    with pytest.raises(LicenceNotFound):
        _archive_licence(office, "nobody", 1)
    record = office.registry.get(identifier)
    draft = {
        name: getattr(record.licence, name) for name in type(record.licence).__mro__[1].__dataclass_fields__
    }
    reserved = office.registry.reserve(
        LicenceDraft(**draft), number=lambda _: "X1", intent=record.intent, at=WORLD.start
    )
    with pytest.raises(IllegalTransition, match="no document"):
        _archive_licence(office, str(reserved.licence.identifier), 1)


JOINT = "joint-approval-document"


def test_joint_documents_are_archived_like_any_other():
    """Three seals, no proof of time: the copy proves all three, holds all their chains, and can be renewed."""
    at, office = demonstration.AT, demonstration.office()
    home = load_pki(demonstration.folder() / "ca", at=at)
    tsa = DirectTsa(at=at, identity=home.timestamp_authority())
    means = {"trust": office.trust, "timestamps": tsa, "at": at, "sandbox": InProcess()}
    issued = issue(demonstration.request(JOINT), office, at=at)
    copied = archive(issued.pdf, level="B-LTA", **means)
    assert copied.added == ("timestamp", "evidence", "timestamp")
    assert copied.byte_range == issued.record.document.byte_range
    renewed = archive(copied.pdf, level="B-LTA", renew=True, **means)
    for pdf in (copied.pdf, renewed.pdf):
        report = verify(pdf, trust=alone(office.trust), at=at, sandbox=InProcess())
        assert report.indication is PASSED
        assert [(one.profile, one.proven_time) for one in report.signatures] == [("B-LTA", at)] * 3
    held = read_structure(copied.pdf).evidence.certificates
    assert {one.certificate for one in report.signatures} < {hashlib.sha256(one).hexdigest() for one in held}


def test_a_joint_document_that_waits_for_seals_is_not_archived():
    """Cut back to its first two seals, a joint document is not complete: nothing is added to it."""
    at, office = demonstration.AT, demonstration.office()
    issued = issue(demonstration.request(JOINT), office, at=at)
    early = office.store.get(issued.record.interim[1].sha256)
    tsa = DirectTsa(at=at)
    with pytest.raises(MalformedDocument):
        archive(early, level="B-T", trust=office.trust, timestamps=tsa, at=at, sandbox=InProcess())
    assert tsa.asked == 0


# --- docs/format.md ---


def test_the_page_shows_a_real_copy():
    """The excerpts under "Archive copies" stand in a real one, the first as its whole last update."""
    before, last = revisions(copy().pdf)[-2:]
    (shown,) = blocks("archive")
    pattern = re.sub(r"Prev\\ \d+", r"Prev\\ \\d+", as_pattern(shown))
    assert re.fullmatch(pattern, last[len(before) :].decode("latin-1"), re.DOTALL)
    (shown,) = blocks("evidence")
    assert re.search(as_pattern(shown), last.decode("latin-1"), re.DOTALL)


def test_a_reader_written_from_the_page_reads_every_update():
    """Objects, numbers, trailers, ranges, imprints and the DSS of all three updates are as the page says."""
    sealed_file, *others = revisions(copy().pdf)
    found = names(sealed_file)
    root, size = (int(re.search(rb"/%s (\d+)" % key, found["trailer"])[1]) for key in (b"Root", b"Size"))
    catalogue, trailer, before = found["objects"][root], found["trailer"], sealed_file
    for position, now in enumerate(others):
        update, told = read_update(now, len(before))
        first, *new = sorted(update)
        assert (first, new) == (root, list(range(size, size + len(new))))
        size += len(new)
        previous = int(re.search(rb"startxref\n(\d+)\n%%EOF\n\Z", before)[1])
        assert told == re.sub(rb"/Size \d+", b"/Size %d" % size, trailer)[:-2] + b"/Prev %d>>" % previous
        if position == 1:
            assert update[root] == catalogue[:-2] + b"/DSS %d 0 R>>" % new[0]
            streams = {number: update[number] for number in new[1:]}
            listed = [int(number) for number in re.findall(rb"(\d+) 0 R", update[new[0]])]
            assert listed == new[1:]
            for body in streams.values():
                head, _, value = body.removesuffix(b"\nendstream").partition(b"\nstream\n")
                assert head == b"<</Length %d>>" % len(value)
        else:
            fields = re.search(rb"/Fields\[([^\]]*)\]", catalogue)[1]
            assert update[root] == catalogue.replace(fields, fields + b" %d 0 R" % new[0])
            name = b"Timestamp%d" % (position // 2 + 1)
            assert update[new[0]] == b"<</FT/Sig/T(%s)/TU(Archive timestamp)/V %d 0 R>>" % (name, new[1])
            _require_stamped(now, update[new[1]])
        catalogue, before = update[root], now


def _require_stamped(pdf, body):
    """Return if the DocTimeStamp in `body` covers all of `pdf` but its own slot, and its token says so."""
    shape = (
        rb"<</Type/DocTimeStamp/Filter/Adobe\.PPKLite/SubFilter/ETSI\.RFC3161"
        rb"/ByteRange \[0 (\d{10}) (\d{10}) (\d{10})\]/Contents <([0-9a-f]+)>>>"
    )
    match = re.fullmatch(shape, body)
    start, end, rest = map(int, match.groups()[:3])
    assert (end + rest, pdf[start:end]) == (len(pdf), b"<" + match[4] + b">")
    token = cms.ContentInfo.load(bytes.fromhex(match[4].decode()))
    imprint = token["content"]["encap_content_info"]["content"].parsed["message_imprint"]
    assert imprint["hash_algorithm"]["algorithm"].native == "sha256"
    assert imprint["hashed_message"].native == hashlib.sha256(pdf[:start] + pdf[end:]).digest()
