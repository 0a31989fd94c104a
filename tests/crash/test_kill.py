"""A process killed with SIGKILL at every step, every SQL statement and every write: nothing lost, nothing twice."""

from __future__ import annotations

import os
import signal
import traceback

import pytest
from crash_worker import office, request, run

from elicense.issuing import Step, issue, resume
from elicense.model import LicenceState
from elicense.verification.pipeline import verify
from elicense.verification.report import Indication
from tests.support.demonstration import AT


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The licence as a run without any crash makes it."""
    of = office(tmp_path_factory.mktemp("undisturbed"))
    issued = issue(request(), of, at=AT)
    of.registry.close()
    return issued


def killed(home, kind, point):
    """Run one issue in a process of its own; return whether it was killed before it got through."""
    # Forked, so that all is loaded and compiled already: a sweep of dozens of deaths takes seconds.
    child = os.fork()
    if child == 0:
        status = 3
        try:
            run(home, kind, point)
            status = 0
        except Exception:  # noqa: BLE001 - told to the reader of the test's output; the status says the rest
            traceback.print_exc()
        finally:
            os._exit(status)
    _, outcome = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(outcome)
    assert code in {0, -signal.SIGKILL}
    return code != 0


def check(home, undisturbed):
    """After a restart there is exactly the licence of the undisturbed run; return how much resume had to do."""
    of = office(home)
    finished = resume(of, at=AT)
    assert all(result.error is None for result in finished)
    # The client never got an answer, so it asks again; a request that never arrived is made now.
    issued = issue(request(), of, at=AT)
    assert issued.record.state is LicenceState.ISSUED
    assert issued.record.licence == undisturbed.record.licence
    assert issued.pdf == undisturbed.pdf
    assert of.store.get(issued.record.document.sha256) == issued.pdf
    assert len(list((home / "documents").glob("??/??/*.pdf"))) == 1
    assert of.registry.unfinished() == ()
    with of.registry._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
        assert connection.exec_driver_sql("SELECT max(last), count(*) FROM counter").one() == (1, 1)
        assert connection.exec_driver_sql("SELECT count(*) FROM licence").scalar_one() == 1
    report = verify(issued.pdf, trust=of.trust, at=AT, registry=of.registry)
    assert report.indication is Indication.TOTAL_PASSED
    of.registry.close()
    return len(finished)


@pytest.mark.parametrize("step", Step)
def test_killed_after_a_step(undisturbed, tmp_path, step):
    """Killed after each step of the line, the same number and the same bytes come out."""
    assert killed(tmp_path, "step", step.value)
    assert check(tmp_path, undisturbed) == (step is not Step.COMMITTED)


@pytest.mark.parametrize("kind", ["statement", "write"])
def test_killed_at_every_point(undisturbed, tmp_path, kind):
    """Killed before every SQL statement and commit, and before every write, fsync and rename of the store."""
    point = 0
    while True:
        point += 1
        home = tmp_path / str(point)
        home.mkdir()
        if not killed(home, kind, point):
            break
        check(home, undisturbed)
    assert point > 8, "the sweep must have met the points it is about"
