"""The sandbox: reuse, limits, crashes, threads, and what it keeps out."""

from __future__ import annotations

import os
import pickle
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from elicense.verification import facts as facts_module
from elicense.verification.document import read_facts
from elicense.verification.facts import Facts, facts_from_json, facts_to_json
from elicense.verification.pipeline import verify
from elicense.verification.report import Indication, SubIndication
from elicense.verification.sandbox import Sandbox
from elicense.verification.structure import read_structure
from elicense.verification.worker import answer
from tests.unit.verification.minimal_pdf import Draft
from tests.vectors.generate import NOW, base, made, trust, untouched_timestamped

TRUST = trust()


def process(sandbox: Sandbox) -> int:
    """Return the process id of the idle worker."""
    (worker,) = sandbox._idle
    return worker._process.pid


def test_the_worker_is_reused(sandbox: Sandbox) -> None:
    """Two documents are read by one process, the second at once."""
    sandbox.read(base(), TRUST, NOW)
    first = process(sandbox)
    start = time.monotonic()
    sandbox.read(base(), TRUST, NOW)
    assert process(sandbox) == first
    assert time.monotonic() - start < 0.5


def test_the_worker_says_what_this_process_would_say(sandbox: Sandbox) -> None:
    """Facts cross the border unchanged, moments and nested values included."""
    data = untouched_timestamped().data
    assert sandbox.read(data, TRUST, NOW) == read_facts(data, read_structure(data), TRUST, NOW)


def test_another_trust_store_reaches_the_worker(sandbox: Sandbox) -> None:
    """A worker that knows one store is told about the next."""
    assert sandbox.read(base(), TRUST, NOW).signatures[0].path.status == "valid"
    assert (
        sandbox.read(base(), replace(TRUST, crls=()), NOW).signatures[0].path.status == "no_revocation_data"
    )


def test_wall_time_is_a_limit() -> None:
    """A job that takes too long is killed, the answer is LIMIT_REACHED, and the next job gets a new worker."""
    with Sandbox(wall_seconds=0.0005) as box:
        report = verify(base(), trust=TRUST, at=NOW, sandbox=box)
        assert (report.indication, report.sub_indication) == (
            Indication.INDETERMINATE,
            SubIndication.LIMIT_REACHED,
        )
        assert report.checks[0].reason == "limit.time"
        box._wall = 15
        assert verify(base(), trust=TRUST, at=NOW, sandbox=box).indication is Indication.TOTAL_PASSED


def test_processor_time_is_a_limit() -> None:
    """A document that keeps the processor busy is stopped by the kernel, whatever the wall clock allows."""
    content = b"/P BMC EMC " * 2_500_000
    busy = made(Draft(extra_stream=content)).data
    with Sandbox(cpu_seconds=0) as box:
        box.warm_up()
        facts = box.read(busy, TRUST, NOW)
        assert facts.limit == "time"
        assert box.read(base(), TRUST, NOW).limit is None


def test_memory_is_a_limit() -> None:
    """A document that does not fit into the address space is LIMIT_REACHED; the next one gets its answer."""
    with Sandbox(memory=190 << 20) as box:
        facts = box.read(base() + bytes(180 << 20), TRUST, NOW)
        assert facts.limit == "memory"
        assert box.read(base(), TRUST, NOW).limit is None


def test_a_worker_that_dies_is_replaced() -> None:
    """A worker killed from outside costs one answer and nothing else."""
    with Sandbox() as box:
        box.warm_up()
        os.kill(process(box), 9)
        assert box.read(base(), TRUST, NOW).limit == "process"
        assert box.read(base(), TRUST, NOW).limit is None


def test_threads_share_the_workers() -> None:
    """Six threads get their answers from two workers, and no more than two are ever started."""
    results: list[Facts] = []
    with Sandbox(workers=2) as box:
        threads = [
            threading.Thread(target=lambda: results.append(box.read(base(), TRUST, NOW))) for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(box._idle) <= 2
    assert len(results) == 6
    assert all(facts.limit is None for facts in results)


def test_a_closed_sandbox_is_closed() -> None:
    """After closing no worker is left and reading is a programmer's mistake."""
    box = Sandbox()
    box.warm_up()
    pid = process(box)
    box.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(RuntimeError):
        box.read(base(), TRUST, NOW)


def test_a_parser_that_raises_is_a_format_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a parser raises becomes a fact, and the fact FORMAT_FAILURE; running out of memory becomes a limit."""

    def raise_error(*_: object, **__: object) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr("elicense.verification.worker.read_facts", raise_error)
    assert facts_from_json(answer(base(), TRUST, NOW)).crashed

    class Crashing:
        def read(self, data: bytes, store: object, at: object, **_: object) -> Facts:
            return facts_from_json(answer(data, store, at))

    report = verify(base(), trust=TRUST, at=NOW, sandbox=Crashing())
    assert (report.indication, report.sub_indication) == (
        Indication.TOTAL_FAILED,
        SubIndication.FORMAT_FAILURE,
    )

    def exhaust(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("elicense.verification.worker.read_facts", exhaust)
    assert facts_from_json(answer(base(), TRUST, NOW)).limit == "memory"


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", b'{"":"Facts"}', b'{"":"os.system","command":"true"}', b"[" * 9000]
)
def test_only_facts_are_facts(text: bytes) -> None:
    """What a worker says is read as data; anything else is a ValueError."""
    with pytest.raises(ValueError, match=r".*"):
        facts_from_json(text)


def test_facts_never_travel_as_pickles() -> None:
    """The answer to the parent is text of known types."""
    assert facts_to_json(Facts(1, (), traces=True)).startswith(b'{"":"Facts"')
    assert "pickle" not in vars(facts_module)


def test_the_worker_leaves_the_network() -> None:
    """Where the system permits it, a listening port of this machine cannot be reached from inside."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = (
            "import socket\n"
            "from elicense.verification.worker import leave_network\n"
            "if not leave_network(): print('not permitted'); raise SystemExit\n"
            f"try: socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), 2)\n"
            "except OSError: print('unreachable')\n"
            "else: print('reached')\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
        )
    assert done.stdout.strip() in {"unreachable", "not permitted"}


def test_the_verifier_loads_nothing_that_issues() -> None:
    """Importing pipeline and worker loads no reportlab, SQLAlchemy, Flask, and nothing of ours that issues."""
    code = (
        "import sys, elicense.verification.pipeline, elicense.verification.worker\n"
        "bad = [m for m in sys.modules if m.split('.')[0] in {'reportlab', 'sqlalchemy', 'flask', 'pypdf'}"
        " or m.startswith(('elicense.signing', 'elicense.rendering', 'elicense.issuing', 'elicense.registry.sql'))]\n"
        "print(bad)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_a_trust_store_can_be_handed_over() -> None:
    """The trust store, which travels as a pickle from parent to worker only, survives the journey."""
    assert pickle.loads(pickle.dumps(TRUST)) == TRUST  # noqa: S301 - our own pickle
