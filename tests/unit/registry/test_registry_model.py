"""Both registers against a few lines of plain Python, under random sequences of steps."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from registry_samples import INTENT, later, make_draft, make_evidence

from elicense.errors import IdempotencyConflict, IllegalTransition
from elicense.model import LicenceState
from elicense.registry.memory import MemoryRegistry
from elicense.registry.sql import SqlRegistry

CHANGES = {
    "issued": {"suspended", "revoked", "superseded"},
    "suspended": {"issued", "revoked", "superseded"},
}


class RegisterMachine(RuleBasedStateMachine):
    """The model: a list of states, sequences by type, and requests by key. `restart` reopens the file."""

    kind = "sql"

    @initialize()
    def begin(self):
        """Everything is empty."""
        self.folder = Path(tempfile.mkdtemp())
        self.registry = MemoryRegistry() if self.kind == "memory" else SqlRegistry(self.folder / "r")
        self.clock = 0
        self.sequences = {}
        self.keys = {}
        self.licences = []  # [identifier, number, state, sha256]

    def now(self):
        """Return the next moment."""
        self.clock += 1
        return later(seconds=self.clock)

    @rule(
        kind=st.sampled_from("ab"),
        key=st.none() | st.sampled_from("xyz"),
        ahead=st.none() | st.integers(0, 2),
    )
    def reserve(self, kind, key, ahead):
        """A reservation takes the next sequence of its type, unless its key is known; a proposal changes nothing."""
        call = {"number": lambda n: f"{kind}{n}", "intent": INTENT, "at": self.now(), "idempotency_key": key}
        draft = make_draft(type=kind)
        if ahead is not None:
            draft = self.registry.propose(draft, number=call["number"], at=call["at"], ahead=ahead)
        if key in self.keys:
            position, known = self.keys[key]
            if known != kind:
                try:
                    self.registry.reserve(draft, **call)
                except IdempotencyConflict:
                    return
                raise AssertionError("another draft under a known key must conflict")
            record = self.registry.reserve(draft, **call)
            assert str(record.licence.identifier) == self.licences[position][0]
            return
        record = self.registry.reserve(draft, **call)
        self.sequences[kind] = self.sequences.get(kind, 0) + 1
        assert record.licence.number == f"{kind}{self.sequences[kind]}"
        assert ahead is None or record.licence == replace(draft, number=record.licence.number)
        if key is not None:
            self.keys[key] = (len(self.licences), kind)
        self.licences.append([str(record.licence.identifier), record.licence.number, "reserved", None])

    def expect(self, allowed, call):
        """The call succeeds exactly if the model allows it."""
        try:
            call()
        except IllegalTransition:
            assert not allowed
        else:
            assert allowed

    @precondition(lambda self: self.licences)
    @rule(data=st.data(), twin=st.booleans())
    def commit(self, data, twin):
        """The first document of a reservation wins; the same again is welcome; another is refused."""
        licence = data.draw(st.sampled_from(self.licences))
        sha256 = f"{self.licences.index(licence) * 2 + twin:064x}"
        fresh = licence[2] == "reserved"
        allowed = fresh or (licence[2] == "issued" and licence[3] == sha256)
        self.expect(allowed, lambda: self.registry.commit(licence[0], make_evidence(sha256), at=self.now()))
        if fresh:
            licence[2:] = ["issued", sha256]

    @precondition(lambda self: self.licences)
    @rule(data=st.data())
    def void(self, data):
        """Only a reservation can be voided."""
        licence = data.draw(st.sampled_from(self.licences))
        allowed = licence[2] == "reserved"
        self.expect(allowed, lambda: self.registry.void(licence[0], reason="r", at=self.now()))
        if allowed:
            licence[2] = "void"

    @precondition(lambda self: self.licences)
    @rule(data=st.data(), state=st.sampled_from(LicenceState))
    def change(self, data, state):
        """Finished licences change as the table says."""
        licence = data.draw(st.sampled_from(self.licences))
        allowed = state in CHANGES.get(licence[2], ())
        self.expect(allowed, lambda: self.registry.change_state(licence[0], state, reason="r", at=self.now()))
        if allowed:
            licence[2] = state.value

    @rule()
    def restart(self):
        """Closing and opening again loses nothing."""
        if self.kind == "sql":
            self.registry.close()
            self.registry = SqlRegistry(self.folder / "r")

    @invariant()
    def register_equals_model(self):
        """Every licence has the state, number and document the model says; none is missing."""
        for identifier, number, state, sha256 in self.licences:
            record = self.registry.get(identifier)
            assert (record.licence.number, record.state.value) == (number, state)
            assert (record.document.sha256 if record.document else None) == sha256
            assert self.registry.history(identifier)[-1].state.value == state
        waiting = [licence[0] for licence in self.licences if licence[2] == "reserved"]
        assert [str(record.licence.identifier) for record in self.registry.unfinished()] == waiting

    def teardown(self):
        """The folder is gone."""
        if hasattr(self, "folder"):
            if self.kind == "sql":
                self.registry.close()
            shutil.rmtree(self.folder)


class MemoryMachine(RegisterMachine):
    kind = "memory"


_LIMITS = settings(
    max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestSqlRegister = RegisterMachine.TestCase
TestSqlRegister.settings = _LIMITS
TestMemoryRegister = MemoryMachine.TestCase
TestMemoryRegister.settings = _LIMITS
