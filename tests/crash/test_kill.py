"""A process killed with SIGKILL at every step, every SQL statement and every write: nothing lost, nothing twice."""

from __future__ import annotations

import os
import signal
import traceback

import pytest
from crash_worker import group, office, request, run

from elicense.issuing import Step, issue, resume
from elicense.issuing.group import issue_group
from elicense.issuing.outcome import Result
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


def killed(home, kind, point, **options):
    """Run one issue, or a group, in a process of its own; return whether it was killed before it got through."""
    # Forked, so that all is loaded and compiled already: a sweep of dozens of deaths takes seconds.
    child = os.fork()
    if child == 0:
        status = 3
        try:
            run(home, kind, point, **options)
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


# --- Groups ---


@pytest.fixture(scope="module")
def undisturbed_group(tmp_path_factory):
    """The licences of the group as a run without any crash makes them."""
    of = office(tmp_path_factory.mktemp("undisturbed"))
    done = issue_group(group(), of, at=AT)
    of.registry.close()
    return [one.record for one in done.outcomes]


def check_group(home, undisturbed_group):
    """The group again gives exactly the licences of the undisturbed run; return how many were still to be issued."""
    of = office(home)
    done = issue_group(group(), of, at=AT)
    assert done.stopped_by is None
    assert [one.record for one in done.outcomes] == undisturbed_group
    assert done.outcomes[1].result is Result.REFUSED
    documents = {one.document.sha256 for one in undisturbed_group if one is not None}
    assert {path.stem for path in (home / "documents").glob("??/??/*.pdf")} == documents
    for sha256 in documents:
        report = verify(of.store.get(sha256), trust=of.trust, at=AT, registry=of.registry)
        assert report.indication is Indication.TOTAL_PASSED
    assert of.registry.unfinished() == ()
    with of.registry._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
        assert connection.exec_driver_sql("SELECT max(last), count(*) FROM counter").one() == (3, 1)
        assert connection.exec_driver_sql("SELECT count(*) FROM licence").scalar_one() == 3
    of.registry.close()
    return sum(one.result is Result.ISSUED for one in done.outcomes)


@pytest.mark.parametrize("step", Step)
def test_a_group_killed_after_a_step(undisturbed_group, tmp_path, step):
    """Killed after each step, the group again gives the same numbers and bytes: all are still to do, or none."""
    assert killed(tmp_path, "step", step.value, grouped=True)
    assert check_group(tmp_path, undisturbed_group) == (0 if step is Step.COMMITTED else 3)


@pytest.mark.parametrize("kind", ["statement", "write"])
def test_a_group_killed_at_every_point(undisturbed_group, tmp_path, kind):
    """Killed before every SQL statement and commit, every write, flush and rename: one transaction, all or none."""
    point = 0
    while True:
        point += 1
        home = tmp_path / str(point)
        home.mkdir()
        if not killed(home, kind, point, grouped=True):
            break
        assert check_group(home, undisturbed_group) in {0, 3}
    assert point > 8, "the sweep must have met the points it is about"
