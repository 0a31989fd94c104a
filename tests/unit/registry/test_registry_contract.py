"""What every register promises; each test runs on all of them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, timedelta

import pytest
from registry_samples import INTENT, NOON, joint_draft, later, make_draft, make_evidence, number

from elicense.errors import (
    IdempotencyConflict,
    IllegalTransition,
    InvalidLicenceData,
    LicenceNotFound,
    NumberTaken,
)
from elicense.identifiers import LicenceIdentifier
from elicense.model import InForce, LicenceState, Validity
from elicense.registry.protocol import Reservation
from elicense.registry.rules import status_of

UNKNOWN = "1.2.156.3005.2.unknown"


def reserve(registry, draft=None, **changes):
    """Reserve with the usual arguments; return the record."""
    arguments = {"number": number, "intent": INTENT, "at": NOON, **changes}
    return registry.reserve(draft or make_draft(), **arguments)


def issue(registry, *, sha256="d" * 64, at=NOON):
    """Reserve and commit; return the identifier."""
    identifier = str(reserve(registry).licence.identifier)
    registry.commit(identifier, make_evidence(sha256), at=at)
    return identifier


def test_reservation_freezes_the_content(registry):
    """A reserved licence is the draft plus number, identifier, signing time and document id."""
    record = reserve(registry)
    licence = record.licence
    for name in type(make_draft()).__dataclass_fields__:
        assert getattr(licence, name) == getattr(make_draft(), name)
    assert (record.state, record.intent, record.document) == (LicenceState.RESERVED, INTENT, None)
    assert licence.number == "JY000001"
    assert licence.signing_time == NOON.replace(microsecond=0)
    assert licence.signing_time.tzinfo is UTC
    assert len(bytes.fromhex(licence.document_id)) == 16
    assert registry.get(str(licence.identifier)) == record


def test_identifier_is_strict_and_its_serial_is_not_counted(registry):
    """The identifier parses strictly, has version 001, and its serial shows nothing of the sequence."""
    first, second = (reserve(registry).licence.identifier for _ in range(2))
    assert LicenceIdentifier.parse(str(first)) == first
    assert first.version == 1
    assert len(first.serial) == 20
    assert sum(a == b for a, b in zip(first.serial, second.serial, strict=True)) < 12


def test_sequences_count_per_authority_type_and_year(registry):
    """Each authority, type and year of issue counts from 1 by itself."""
    other = replace(make_draft().authority, code="11990000MB0000000J")
    drafts = (
        make_draft(),
        make_draft(issued_on=date(2027, 1, 1)),
        make_draft(type="business-licence"),
        make_draft(authority=other),
        make_draft(),
    )
    seen = []
    for position, draft in enumerate(drafts):
        reserve(
            registry, draft, number=lambda sequence, p=position: seen.append(sequence) or f"{p}-{sequence}"
        )
    assert seen == [1, 1, 1, 1, 2]


def test_a_number_that_cannot_be_formed_costs_no_sequence(registry):
    """If number() refuses, nothing is reserved and the sequence does not move."""

    def refuse(sequence):
        raise InvalidLicenceData("the sequence is too long", "流水号超长", field="number")

    with pytest.raises(InvalidLicenceData):
        reserve(registry, number=refuse, idempotency_key="k")
    assert registry.unfinished() == ()
    assert registry.find_request(make_draft().authority.code, "k") is None
    assert reserve(registry).licence.number == "JY000001"


def propose(registry, draft=None, **changes):
    """Propose with the usual arguments; return the licence."""
    return registry.propose(draft or make_draft(), **{"number": number, "at": NOON, **changes})


def test_a_proposed_licence_is_reserved_as_it_is(registry):
    """Before the reservation the register knows nothing of it; then its record has this very licence."""
    reserve(registry)
    proposed = propose(registry)
    assert proposed.number == "JY000002"
    assert len(registry.unfinished()) == 1
    with pytest.raises(LicenceNotFound):
        registry.get(str(proposed.identifier))
    record = reserve(registry, proposed, idempotency_key="k")
    assert record.licence is proposed
    assert registry.get(str(proposed.identifier)) == record
    assert reserve(registry, idempotency_key="k") == record


def test_a_proposed_licence_gives_way_to_a_reserved_one(registry):
    """If its number was taken meanwhile it gets the next one and keeps its own names; no number is left out."""
    proposed = propose(registry)
    first = reserve(registry).licence
    second = reserve(registry, proposed, at=later(seconds=5)).licence
    assert (first.number, second.number) == ("JY000001", "JY000002")
    assert second == replace(
        proposed, number="JY000002", signing_time=later(seconds=5).replace(microsecond=0)
    )
    assert first.identifier != second.identifier
    assert reserve(registry).licence.number == "JY000003"


def test_a_proposal_that_is_dropped_leaves_nothing(registry):
    """Neither its number nor its key is taken, and nobody waits for it."""
    dropped, again = propose(registry), propose(registry)
    assert dropped.number == again.number
    assert dropped.identifier != again.identifier
    assert dropped.document_id != again.document_id
    assert registry.unfinished() == ()
    assert reserve(registry).licence.number == "JY000001"


def test_a_group_is_proposed_number_by_number(registry):
    """Each proposal knows how many come before it, and all are reserved as they are."""
    proposed = [propose(registry, ahead=ahead) for ahead in range(3)]
    records = registry.reserve_group([Reservation(one, number, INTENT) for one in proposed], at=NOON)
    assert [record.licence for record in records] == proposed
    assert all(record.licence is one for record, one in zip(records, proposed, strict=True))


def test_a_number_that_cannot_be_formed_is_not_proposed(registry):
    """What number() refuses is refused before anything is reserved."""

    def refuse(sequence):
        raise InvalidLicenceData("the sequence is too long", "流水号超长", field="number")

    with pytest.raises(InvalidLicenceData):
        propose(registry, number=refuse)


def test_a_licence_that_is_on_record_is_not_reserved_again(registry):
    """Whoever takes a record's licence for a proposal is refused; the record stays as it is."""
    record = reserve(registry)
    with pytest.raises(NumberTaken, match="on record"):
        reserve(registry, record.licence)
    assert registry.unfinished() == (record,)


def test_a_printed_number_is_never_used_twice(registry):
    """A number already in use is refused by name, and the refusal costs no sequence."""
    reserve(registry)
    with pytest.raises(NumberTaken, match="JY000001"):
        reserve(registry, make_draft(type="business-licence"))
    assert len(registry.unfinished()) == 1


def test_same_key_and_same_draft_is_the_same_licence(registry):
    """A repeated request gets the record it made, in the state it is in by now."""
    first = reserve(registry, idempotency_key="case-1")
    assert reserve(registry, idempotency_key="case-1", at=later(days=1)) == first
    identifier = str(first.licence.identifier)
    issued = registry.commit(identifier, make_evidence(), at=later(minutes=1))
    assert reserve(registry, idempotency_key="case-1") == issued
    assert registry.find_request(make_draft().authority.code, "case-1") == issued
    assert registry.find_request(make_draft().authority.code, "case-2") is None


def test_same_key_and_other_draft_conflicts(registry):
    """A key that comes back with other content is refused, and nothing is reserved."""
    reserve(registry, idempotency_key="case-1")
    with pytest.raises(IdempotencyConflict) as caught:
        reserve(registry, make_draft(case_number="2"), idempotency_key="case-1")
    assert caught.value.field == "idempotency_key"
    assert len(registry.unfinished()) == 1


def test_keys_of_two_authorities_do_not_meet(registry):
    """The same key from another authority is another request."""
    other = make_draft(authority=replace(make_draft().authority, code="11990000MB0000000J"))
    first = reserve(registry, idempotency_key="case-1")
    second = reserve(registry, other, idempotency_key="case-1", number=lambda sequence: f"B{sequence}")
    assert first.licence.identifier != second.licence.identifier


def test_commit_is_once_and_repeatable(registry):
    """The same evidence again is a no-op; other evidence is refused; the first stays."""
    identifier = str(reserve(registry).licence.identifier)
    issued = registry.commit(identifier, make_evidence(), at=later(seconds=1))
    assert (issued.state, issued.document, issued.changed_at) == (
        LicenceState.ISSUED,
        make_evidence(),
        later(seconds=1),
    )
    assert registry.commit(identifier, make_evidence(), at=later(seconds=2)) == issued
    with pytest.raises(IllegalTransition):
        registry.commit(identifier, make_evidence("e" * 64), at=later(seconds=3))
    assert registry.get(identifier) == issued
    assert registry.find_document("d" * 64) == issued
    assert registry.find_document("e" * 64) is None
    assert len(registry.history(identifier)) == 2


def test_archive_copies_are_on_record_and_found_by_digest(registry):
    """Each later revision is kept in order and leads back to its licence; state and history stay."""
    identifier = issue(registry)
    before = registry.get(identifier)
    first, second = (replace(make_evidence(digit * 64), profile="B-LTA") for digit in "ef")
    registry.add_archive_copy(identifier, first, at=later(days=1))
    record = registry.add_archive_copy(identifier, second, at=later(days=2))
    assert record == replace(before, archive_copies=(first, second))
    assert registry.add_archive_copy(identifier, first, at=later(days=3)) == record
    assert registry.get(identifier) == record
    for sha256 in ("d" * 64, "e" * 64, "f" * 64):
        assert registry.find_document(sha256) == record
    assert len(registry.history(identifier)) == 2
    revoked = registry.change_state(identifier, LicenceState.REVOKED, reason="r", at=later(days=4))
    assert revoked.archive_copies == (first, second)


def test_only_a_finished_document_has_archive_copies(registry):
    """A reservation, and bytes that are on record as something else, are refused, and nothing changes."""
    reserved = reserve(registry)
    with pytest.raises(IllegalTransition, match="no document"):
        registry.add_archive_copy(str(reserved.licence.identifier), make_evidence("e" * 64), at=NOON)
    identifier = issue(registry)
    with pytest.raises(IllegalTransition, match="other particulars"):
        registry.add_archive_copy(identifier, replace(make_evidence(), profile="B-LTA"), at=NOON)
    assert registry.get(identifier).archive_copies == ()
    assert registry.find_document("e" * 64) is None


def test_void_spends_the_number(registry):
    """A voided number is on record with its reason, is not unfinished any more and is not used again."""
    identifier = str(reserve(registry).licence.identifier)
    record = registry.void(identifier, reason="key lost", at=later(hours=1))
    assert (record.state, record.reason) == (LicenceState.VOID, "key lost")
    assert registry.unfinished() == ()
    assert reserve(registry).licence.number == "JY000002"
    with pytest.raises(IllegalTransition):
        registry.commit(identifier, make_evidence(), at=later(hours=2))
    with pytest.raises(IllegalTransition):
        registry.void(identifier, reason="again", at=later(hours=2))


ALLOWED = {
    (LicenceState.ISSUED, LicenceState.SUSPENDED),
    (LicenceState.ISSUED, LicenceState.REVOKED),
    (LicenceState.ISSUED, LicenceState.SUPERSEDED),
    (LicenceState.SUSPENDED, LicenceState.ISSUED),
    (LicenceState.SUSPENDED, LicenceState.REVOKED),
    (LicenceState.SUSPENDED, LicenceState.SUPERSEDED),
}


def bring_to(registry, state):
    """Return the identifier of a licence in `state`."""
    identifier = str(reserve(registry).licence.identifier)
    if state is LicenceState.VOID:
        registry.void(identifier, reason="r", at=NOON)
    elif state is not LicenceState.RESERVED:
        registry.commit(identifier, make_evidence(identifier.encode().hex()[-64:]), at=NOON)
        if state is not LicenceState.ISSUED:
            registry.change_state(identifier, state, reason="r", at=NOON)
    return identifier


@pytest.mark.parametrize("start", LicenceState)
def test_only_the_listed_changes_of_state_are_possible(registry, start):
    """Of all pairs of states exactly the listed six are accepted; a refusal changes nothing."""
    for end in LicenceState:
        identifier = bring_to(registry, start)
        if (start, end) in ALLOWED:
            assert registry.change_state(identifier, end, reason="decision 7", at=later(days=1)).state is end
            assert registry.history(identifier)[-1].reason == "decision 7"
        else:
            before = registry.get(identifier)
            with pytest.raises(IllegalTransition):
                registry.change_state(identifier, end, reason="decision 7", at=later(days=1))
            assert registry.get(identifier) == before


def test_unknown_identifiers_are_not_found(registry):
    """Every method that needs a licence says LicenceNotFound; status says NOT_KNOWN."""
    for call in (
        lambda: registry.get(UNKNOWN),
        lambda: registry.history(UNKNOWN),
        lambda: registry.commit(UNKNOWN, make_evidence(), at=NOON),
        lambda: registry.add_archive_copy(UNKNOWN, make_evidence(), at=NOON),
        lambda: registry.void(UNKNOWN, reason="r", at=NOON),
        lambda: registry.change_state(UNKNOWN, LicenceState.REVOKED, reason="r", at=NOON),
    ):
        with pytest.raises(LicenceNotFound):
            call()
    assert registry.status(UNKNOWN, at=NOON).state is InForce.NOT_KNOWN


def test_unfinished_lists_reservations_oldest_first(registry):
    """Only RESERVED records are listed, in the order they were made."""
    records = [reserve(registry) for _ in range(4)]
    registry.commit(str(records[1].licence.identifier), make_evidence(), at=NOON)
    assert registry.unfinished() == (records[0], records[2], records[3])


def test_status_follows_history_and_validity(registry):
    """Asked about any moment, the register says what was true at that moment."""
    identifier = issue(registry, at=later(minutes=1))
    registry.change_state(identifier, LicenceState.SUSPENDED, reason="inspection", at=later(days=10))
    registry.change_state(identifier, LicenceState.ISSUED, reason="mended", at=later(days=20))
    registry.change_state(identifier, LicenceState.REVOKED, reason="fraud", at=later(days=30))
    asked = {
        NOON - timedelta(days=1): (InForce.NOT_KNOWN, None),
        NOON: (InForce.NOT_KNOWN, None),
        later(minutes=1): (InForce.IN_FORCE, None),
        later(days=10): (InForce.SUSPENDED, "inspection"),
        later(days=20): (InForce.IN_FORCE, None),
        later(days=30): (InForce.REVOKED, "fraud"),
        later(days=9999): (InForce.REVOKED, "fraud"),
    }
    for moment, (state, reason) in asked.items():
        status = registry.status(identifier, at=moment)
        assert (status.state, status.reason, status.as_of) == (state, reason, moment)


def test_first_and_last_day_are_inclusive_in_beijing_time(registry):
    """Validity begins at 00:00 of the first and ends at 24:00 of the last day, Beijing time (16:00 UTC)."""
    draft = make_draft(validity=Validity(date(2026, 3, 10), date(2026, 3, 12)))
    identifier = str(reserve(registry, draft).licence.identifier)
    registry.commit(identifier, make_evidence(), at=NOON)
    midnight = NOON.replace(day=9, hour=16, minute=0, second=0, microsecond=0)
    second = timedelta(seconds=1)
    assert registry.status(identifier, at=midnight - second).state is InForce.NOT_YET_VALID
    assert registry.status(identifier, at=midnight).state is InForce.IN_FORCE
    assert registry.status(identifier, at=midnight + timedelta(days=3) - second).state is InForce.IN_FORCE
    assert registry.status(identifier, at=midnight + timedelta(days=3)).state is InForce.EXPIRED


@pytest.mark.parametrize("state", LicenceState)
def test_a_record_alone_tells_the_present(registry, state):
    """From its last change on, a record says of itself what the register says of it; before that, nothing."""
    identifier = bring_to(registry, state)
    record = registry.get(identifier)
    for after in (timedelta(0), timedelta(days=1), timedelta(days=9999)):
        moment = record.changed_at + after
        assert status_of(record, at=moment) == registry.status(identifier, at=moment)
    assert status_of(record, at=record.changed_at - timedelta(microseconds=1)) is None


def test_a_voided_number_never_counts_as_in_force(registry):
    """A sealed file that survived from a voided reservation is answered as revoked."""
    identifier = bring_to(registry, LicenceState.VOID)
    assert registry.status(identifier, at=later(days=1)).state is InForce.REVOKED


def test_threads_racing_for_numbers_get_each_once(registry):
    """Forty reservations from eight threads take the numbers 1 to 40, none twice and none left out."""
    barrier = threading.Barrier(8)

    def work(_):
        barrier.wait()
        return [reserve(registry).licence.number for _ in range(5)]

    with ThreadPoolExecutor(8) as pool:
        taken = [text for batch in pool.map(work, range(8)) for text in batch]
    assert sorted(taken) == [number(n) for n in range(1, 41)]


def test_threads_racing_with_one_key_make_one_licence(registry):
    """Eight simultaneous copies of one request make one reservation."""
    barrier = threading.Barrier(8)

    def work(_):
        barrier.wait()
        return reserve(registry, idempotency_key="same").licence.identifier

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(work, range(8)))) == 1
    assert len(registry.unfinished()) == 1


def test_threads_racing_to_commit_have_one_winner(registry):
    """Of eight different finished documents one is recorded; the others are refused."""
    identifier = str(reserve(registry).licence.identifier)
    barrier = threading.Barrier(8)

    def work(position):
        barrier.wait()
        try:
            return registry.commit(identifier, make_evidence(f"{position:064x}"), at=NOON).document
        except IllegalTransition:
            return None

    with ThreadPoolExecutor(8) as pool:
        winners = [found for found in pool.map(work, range(8)) if found]
    assert winners == [registry.get(identifier).document]


def test_documents_between_the_seals_are_on_record_in_their_turn(registry):
    """One for each seal but the last, the first that comes; the licence stays RESERVED until its document."""
    record = reserve(registry, joint_draft())
    identifier = str(record.licence.identifier)
    one, two, last = (make_evidence(digit * 64) for digit in "123")
    assert record.interim == ()
    with pytest.raises(IllegalTransition):
        registry.add_interim(identifier, two, seals=2, at=NOON)
    for _ in range(2):
        assert registry.add_interim(identifier, one, seals=1, at=NOON).interim == (one,)
    for evidence, seals in ((two, 1), (two, 3), (two, 0)):
        with pytest.raises(IllegalTransition):
            registry.add_interim(identifier, evidence, seals=seals, at=NOON)
    with pytest.raises(IllegalTransition):
        registry.commit(identifier, last, at=NOON)
    assert registry.add_interim(identifier, two, seals=2, at=NOON).interim == (one, two)
    (waiting,) = registry.unfinished()
    assert (waiting.state, waiting.interim) == (LicenceState.RESERVED, (one, two))
    assert registry.find_document(one.sha256) is None
    with pytest.raises(IllegalTransition):
        registry.add_interim(identifier, last, seals=3, at=NOON)
    finished = registry.commit(identifier, last, at=NOON)
    assert (finished.interim, finished.document) == ((one, two), last)
    assert finished == registry.get(identifier) == registry.find_document(last.sha256)
    assert len(registry.history(identifier)) == 2


def test_only_a_reserved_joint_licence_takes_documents_between_seals(registry):
    """None of a single authority, none that is voided, none unknown."""
    single = str(reserve(registry).licence.identifier)
    voided = str(reserve(registry, joint_draft()).licence.identifier)
    registry.void(voided, reason="r", at=NOON)
    for identifier in (single, voided):
        with pytest.raises(IllegalTransition):
            registry.add_interim(identifier, make_evidence(), seals=1, at=NOON)
    with pytest.raises(LicenceNotFound):
        registry.add_interim("1.2.3", make_evidence(), seals=1, at=NOON)


def test_a_joint_request_with_its_key_comes_back_with_its_seals(registry):
    """Found by its idempotency key, a waiting document has what was put on record."""
    identifier = str(reserve(registry, joint_draft(), idempotency_key="j").licence.identifier)
    registry.add_interim(identifier, make_evidence(), seals=1, at=NOON)
    assert registry.find_request(make_draft().authority.code, "j").interim == (make_evidence(),)
    assert reserve(registry, joint_draft(), idempotency_key="j").interim == (make_evidence(),)
