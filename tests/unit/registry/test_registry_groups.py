"""Group operations of every register: the same as one by one, but in one transaction."""

from __future__ import annotations

import hashlib
import itertools
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from registry_samples import INTENT, NOON, joint_draft, later, make_draft, make_evidence, number

from elicense.errors import (
    ElicenseError,
    IdempotencyConflict,
    IllegalTransition,
    InvalidLicenceData,
    LicenceNotFound,
    NumberTaken,
    RegistryError,
)
from elicense.model import LicenceState
from elicense.registry.memory import MemoryRegistry
from elicense.registry.protocol import Finished, Reservation
from elicense.registry.sql import SqlRegistry

AUTHORITY = make_draft().authority.code


def wanted(count, **changes):
    """Return `count` reservations with keys k1, k2 and so on."""
    return [Reservation(make_draft(**changes), number, INTENT, f"k{place}") for place in range(1, count + 1)]


def reserve(registry, **changes):
    """Reserve a single licence without a key."""
    return registry.reserve(make_draft(), **{"number": number, "intent": INTENT, "at": NOON, **changes})


def refuse(sequence):
    """Form no number."""
    raise InvalidLicenceData("the sequence is too long", "流水号超长", field="number")


def test_a_group_gets_its_numbers_in_order(registry):
    """Each reservation has the next number, its content and intent, and a history that begins now."""
    records = registry.reserve_group(wanted(3), at=NOON)
    assert [record.licence.number for record in records] == [number(n) for n in (1, 2, 3)]
    assert registry.unfinished() == records
    for record in records:
        assert (record.state, record.intent, record.changed_at) == (LicenceState.RESERVED, INTENT, NOON)
        assert [change.state for change in registry.history(str(record.licence.identifier))] == ["reserved"]
    assert reserve(registry).licence.number == number(4)


def test_nothing_is_a_group_too(registry):
    """An empty group changes nothing."""
    assert registry.reserve_group([], at=NOON) == ()
    assert registry.commit_group([], at=NOON) == ()
    assert registry.find_requests(AUTHORITY, []) == {}
    assert registry.unfinished() == ()


def test_a_refusal_costs_no_number_and_keeps_nobody_else_from_his(registry):
    """A number that cannot be formed and one in use are refused in their places; the others go on without a gap."""
    reserve(registry, number=lambda _: "taken")
    group = wanted(5)
    group[1] = group[1]._replace(number=refuse)
    group[3] = group[3]._replace(number=lambda _: "taken")
    one, two, three, four, five = registry.reserve_group(group, at=NOON)
    assert [record.licence.number for record in (one, three, five)] == [number(n) for n in (2, 3, 4)]
    assert isinstance(two, InvalidLicenceData)
    assert isinstance(four, NumberTaken)
    assert set(registry.find_requests(AUTHORITY, ["k1", "k2", "k3", "k4", "k5"])) == {"k1", "k3", "k5"}


def test_a_number_is_not_given_twice_within_a_group(registry):
    """Two that would bear one number: the first has it, the second is refused."""
    group = [one._replace(number=lambda _: "same") for one in wanted(2)]
    first, second = registry.reserve_group(group, at=NOON)
    assert first.licence.number == "same"
    assert isinstance(second, NumberTaken)


def test_a_licence_on_record_is_refused_in_its_place(registry):
    """Proposed licences that are on record, or twice in the group, are refused; the others' numbers have no gap."""
    recorded = reserve(registry).licence
    fresh = registry.propose(make_draft(), number=number, at=NOON)
    group = [Reservation(one, number, INTENT) for one in (recorded, fresh, fresh, make_draft())]
    refused, first, twin, last = registry.reserve_group(group, at=NOON)
    for error in (refused, twin):
        assert isinstance(error, NumberTaken)
    assert str(recorded.identifier) in refused.en
    assert (first.licence, last.licence.number) == (fresh, number(3))
    assert len(registry.unfinished()) == 3


def test_keys_lead_back_to_what_they_made(registry):
    """Known keys give the record as it is now, a key twice in a group gives one licence, other content conflicts."""
    (first,) = registry.reserve_group(wanted(1), at=NOON)
    issued = registry.commit(str(first.licence.identifier), make_evidence(), at=later(minutes=1))
    group = [*wanted(2), wanted(2)[1], wanted(1, case_number="other")[0], wanted(2, case_number="other")[1]]
    known, new, twin, changed, changed_twin = registry.reserve_group(group, at=later(days=1))
    assert known == issued
    assert new == twin
    assert new.licence.number == number(2)
    for error in (changed, changed_twin):
        assert isinstance(error, IdempotencyConflict)
    assert registry.find_requests(AUTHORITY, ["k1", "k2", "k3"]) == {"k1": issued, "k2": new}
    assert registry.find_requests("another authority", ["k1"]) == {}


def test_a_group_is_finished_together(registry):
    """Every licence is ISSUED with its document and found by it; the same again is a no-op."""
    records = registry.reserve_group(wanted(3), at=NOON)
    finished = [Finished(one, make_evidence(f"{n:064x}")) for n, one in enumerate(records)]
    issued = registry.commit_group(finished, at=later(seconds=1))
    for place, (before, after) in enumerate(zip(records, issued, strict=True)):
        evidence = make_evidence(f"{place:064x}")
        assert after == replace(
            before, state=LicenceState.ISSUED, document=evidence, changed_at=later(seconds=1)
        )
        assert registry.get(str(before.licence.identifier)) == after
        assert registry.find_document(evidence.sha256) == after
    assert registry.commit_group(finished, at=later(seconds=2)) == issued
    assert all(len(registry.history(str(one.licence.identifier))) == 2 for one in records)
    assert registry.unfinished() == ()


def test_a_refused_document_keeps_no_other_from_being_finished(registry):
    """Voided meanwhile, finished by another worker, unknown: each is refused in its place."""
    records = registry.reserve_group(wanted(4), at=NOON)
    names = [str(one.licence.identifier) for one in records]
    registry.void(names[0], reason="r", at=NOON)
    registry.commit(names[1], make_evidence("e" * 64), at=NOON)
    stray = replace(records[0], licence=replace(records[0].licence, identifier="1.2.156.3005.2.unknown"))
    finished = [Finished(one, make_evidence(f"{n:064x}")) for n, one in enumerate((*records, stray))]
    void, overtaken, third, fourth, unknown = registry.commit_group(
        [*finished[:4], Finished(stray, make_evidence("f" * 64))], at=NOON
    )
    assert isinstance(void, IllegalTransition)
    assert isinstance(overtaken, IllegalTransition)
    assert isinstance(unknown, LicenceNotFound)
    assert [one.state for one in (third, fourth)] == [LicenceState.ISSUED] * 2
    assert registry.get(names[1]).document == make_evidence("e" * 64)


def test_joint_documents_keep_their_rule_in_a_group(registry):
    """A joint licence without its earlier seals is refused, with them it is finished, beside ordinary ones."""
    bare, sealed = (
        registry.reserve_group([Reservation(joint_draft(), number, INTENT, key)], at=NOON)[0]
        for key in ("bare", "sealed")
    )
    (single,) = registry.reserve_group(wanted(1), at=NOON)
    for seals, digit in enumerate("12", 1):
        registry.add_interim(str(sealed.licence.identifier), make_evidence(digit * 64), seals=seals, at=NOON)
    refused, joint, plain = registry.commit_group(
        [Finished(bare, make_evidence()), Finished(sealed, make_evidence("e" * 64)),
         Finished(single, make_evidence("f" * 64))], at=NOON,
    )  # fmt: skip
    assert isinstance(refused, IllegalTransition)
    assert (joint.state, plain.state) == (LicenceState.ISSUED, LicenceState.ISSUED)
    assert len(joint.interim) == 2
    assert registry.get(str(joint.licence.identifier)) == joint


def test_a_licence_twice_in_a_group_is_finished_once(registry):
    """The same document twice is welcome, another one for the same licence is refused."""
    (record,) = registry.reserve_group(wanted(1), at=NOON)
    first, same, other = registry.commit_group(
        [Finished(record, make_evidence(digit * 64)) for digit in "ddf"], at=NOON
    )
    assert first == same
    assert isinstance(other, IllegalTransition)
    assert len(registry.history(str(record.licence.identifier))) == 2


def entropy():
    """Return bytes that are the same in each register of a test."""
    numbers = itertools.count()
    return lambda n: hashlib.sha512(f"{next(numbers)}".encode()).digest()[:n]


def one_by_one(registry, group, at):
    """Reserve as the contract of single reservations says; return what comes of each."""
    answers = []
    for draft, make_number, intent, key in group:
        try:
            answers.append(
                registry.reserve(draft, number=make_number, intent=intent, at=at, idempotency_key=key)
            )
        except ElicenseError as error:
            answers.append(error)
    return answers


NUMBERS = {"counted": number, "clashing": lambda n: f"clash {n // 3}", "refused": refuse}
RESERVATIONS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]), st.sampled_from([2025, 2026]), st.sampled_from(list(NUMBERS)),
        st.none() | st.sampled_from("xyz"),
    ),
    max_size=8,
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(groups=st.lists(RESERVATIONS, max_size=3))
def test_a_group_is_the_same_as_one_by_one(groups):
    """Any groups, reserved together on either register, give what single reservations give, to the last byte."""
    with tempfile.TemporaryDirectory() as folder:
        single = MemoryRegistry(entropy=entropy())
        together = (MemoryRegistry(entropy=entropy()), SqlRegistry(Path(folder) / "r", entropy=entropy()))
        for group in groups:
            reservations = [
                Reservation(
                    make_draft(type=kind, issued_on=NOON.date().replace(year=year)),
                    NUMBERS[how] if how != "counted" else lambda n, k=kind, y=year: f"{k}{y}-{n}",
                    INTENT,
                    key,
                )
                for kind, year, how, key in group
            ]
            expected = [shown(one) for one in one_by_one(single, reservations, NOON)]
            for registry in together:
                assert [shown(one) for one in registry.reserve_group(reservations, at=NOON)] == expected
                assert [shown(one) for one in registry.unfinished()] == [
                    shown(one) for one in single.unfinished()
                ]
        together[1].close()


def shown(answer):
    """Return what is compared of a record or a refusal: random names are drawn anew when a group is numbered again."""
    if isinstance(answer, ElicenseError):
        return type(answer), answer.en
    licence = answer.licence
    return licence.number, licence.type, licence.issued_on, answer.state, answer.changed_at, answer.intent


# --- On SQLite ---


@pytest.fixture
def sql(tmp_path):
    """An empty register on SQLite."""
    register = SqlRegistry(tmp_path / "register.sqlite")
    yield register
    register.close()


def test_a_full_disk_leaves_nothing_of_a_group(sql):
    """When the file cannot grow, no part of the group is reserved, and with room again no number is missing."""
    sql.reserve_group(wanted(2), at=NOON)
    with sql._engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    group = [Reservation(make_draft(), number, INTENT, f"more {n}") for n in range(200)]
    with pytest.raises(RegistryError, match="full"):
        sql.reserve_group(group, at=NOON)
    assert len(sql.unfinished()) == 2
    with sql._engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=100000")
    assert sql.reserve_group(group, at=NOON)[0].licence.number == number(3)


def test_a_group_costs_the_same_statements_whatever_its_size(sql):
    """Two licences or sixty: as many statements reach the database, none a row."""
    from sqlalchemy import event

    counted = []
    event.listen(sql._engine, "before_cursor_execute", lambda *a: counted.append(a[2]))

    def statements(count, name):
        counted.clear()
        keys = [f"{name}{n}" for n in range(count)]
        group = [Reservation(make_draft(), number, INTENT, key) for key in keys]
        sql.find_requests(AUTHORITY, keys)
        records = sql.reserve_group(group, at=NOON)
        finished = [
            Finished(one, make_evidence(hashlib.sha256(str(one.licence.identifier).encode()).hexdigest()))
            for one in records
        ]
        sql.commit_group(finished, at=NOON)
        assert len(sql.find_requests(AUTHORITY, keys)) == count
        return len(counted)

    assert statements(2, "few") == statements(60, "many")


def test_a_proposal_asks_the_database_nothing(sql):
    """A number is proposed from what this process saw; looking up a group's keys shows what others took."""
    from sqlalchemy import event

    other = SqlRegistry(sql.path)
    other.reserve_group(wanted(3), at=NOON)
    counted = []
    event.listen(sql._engine, "before_cursor_execute", lambda *a: counted.append(a[2]))
    assert sql.propose(make_draft(), number=number, at=NOON).number == number(1)
    assert counted == []
    assert sql.find_requests(AUTHORITY, ["new"]) == {}
    assert sql.propose(make_draft(), number=number, at=NOON, ahead=2).number == number(6)
    assert sql.reserve(make_draft(), number=number, intent=INTENT, at=NOON).licence.number == number(4)
    assert sql.propose(make_draft(), number=number, at=NOON).number == number(5)
    other.close()


def test_archive_copies_come_with_the_records_of_a_group(sql):
    """What is found by its key together with others has its archive copies."""
    one, other = sql.reserve_group(wanted(2), at=NOON)
    identifier = str(one.licence.identifier)
    sql.commit_group([Finished(one, make_evidence())], at=NOON)
    copied = sql.add_archive_copy(identifier, replace(make_evidence("e" * 64), profile="B-LTA"), at=NOON)
    assert sql.find_requests(AUTHORITY, ["k1", "k2"]) == {"k1": copied, "k2": other}
