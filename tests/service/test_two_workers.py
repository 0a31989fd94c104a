"""`python -m service` with two workers on one register: nothing is shared wrongly, and renewing drops no request."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from elicense import demo
from elicense.catalogue import Catalogue, templates_folder
from elicense.demo_folder import register_file
from elicense.encoding import holder_to_json
from service.config import TOKEN_FILE

PATIENCE = 60.0
"""Seconds; a busy machine is no failure."""
TYPE = "food-business-licence"


class Service:
    """The running service, and what its log says."""

    def __init__(self, folder, port, process, log):
        self.folder, self.port, self.process, self.log = folder, port, process, log
        token = (folder / TOKEN_FILE).read_text().strip()
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def connect(self):
        """Return a connection that is kept alive and made again when the service closes it."""
        return closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE))

    def health(self):
        """Return the status of the readiness check."""
        with self.connect() as connection:
            connection.request("GET", "/health/ready")
            return connection.getresponse().status

    def ready(self):
        """Return the numbers of all workers that ever got ready, in order."""
        return [int(found) for found in re.findall(r"worker (\d+) is ready", self.log.read_text())]

    def served(self, endpoint):
        """Return the workers that answered this endpoint."""
        return {
            int(found) for found in re.findall(rf" (\d+) INFO \S+ \S+ {endpoint} 20", self.log.read_text())
        }


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """Two workers on a demonstration of their own."""
    home = tmp_path_factory.mktemp("two")
    demo.build(home / "demo", at=datetime.now(UTC)).registry.close()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "service", "--demo", str(home / "demo"), "--port", str(port)]
    environment = {**os.environ, "ELICENSE_WORKERS": "2"}
    log = home / "log"
    with (
        log.open("w") as file,
        subprocess.Popen(
            command, cwd=Path(__file__).parents[2], env=environment, stdout=subprocess.DEVNULL, stderr=file
        ) as process,
    ):
        service = Service(home / "demo", port, process, log)
        try:
            until(lambda: len(service.ready()) == 2)
            yield service
        finally:
            process.terminate()
            process.wait(PATIENCE)


def until(true):
    """Wait until `true()`, and fail if that takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def body():
    """The type's own sample as a request body."""
    request = Catalogue.load(templates_folder())[TYPE].sample_request()
    dates = {name: getattr(request, name) for name in ("valid_from", "valid_until")}
    return json.dumps(
        {
            "type": TYPE,
            "authority_code": request.authority_code,
            "holders": [holder_to_json(holder) for holder in request.holders],
            "fields": dict(request.fields),
            **{name: value.isoformat() for name, value in dates.items() if value is not None},
        }
    )


def issue(service, connection, body, key):
    """Return status and answer of one request to issue."""
    connection.request("POST", "/licences", body, {**service.headers, "Idempotency-Key": key})
    response = connection.getresponse()
    return response.status, json.load(response)


def test_workers_that_issue_at_once_share_one_sequence(service, body):
    """From several connections at once, over both workers: every licence has its own number and none is left out."""

    def client(name):
        with service.connect() as connection:
            return [issue(service, connection, body, f"{name}-{number}") for number in range(5)]

    before = sequences(service)
    with ThreadPoolExecutor(4) as clients:
        answers = [answer for some in clients.map(client, "abcd") for answer in some]
    assert {status for status, _ in answers} == {201}
    assert len({record["number"] for _, record in answers}) == 20
    assert sequences(service) == list(range(1, len(before) + 21))
    assert service.served("licences.issue_licence") == set(service.ready())


def sequences(service):
    """Return the sequence numbers on record, in order."""
    with sqlite3.connect(register_file(service.folder)) as register:
        rows = register.execute("SELECT sequence FROM licence ORDER BY sequence").fetchall()
    register.close()
    return [row[0] for row in rows]


def test_one_key_sent_to_both_workers_makes_one_licence(service, body):
    """The same request at the same moment on two connections: one number, one document."""
    with ThreadPoolExecutor(2) as clients, service.connect() as one, service.connect() as other:
        answers = list(clients.map(lambda connection: issue(service, connection, body, "once"), [one, other]))
    assert [status for status, _ in answers] == [201, 201]
    assert len({record["identifier"] for _, record in answers}) == 1
    assert len({record["document"]["sha256"] for _, record in answers}) == 1


def test_a_worker_has_one_thread(service):
    """Each worker is one thread that reads, works and writes; beside it there is only what runs no Python."""
    for number in service.ready():
        assert len(os.listdir(f"/proc/{number}/task")) == 1  # noqa: PTH208


def test_a_report_locked_by_one_worker_is_opened_by_the_other(service):
    """A result page leads to its report whichever worker is asked."""
    form = (
        '--X\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\nno licence\r\n--X--\r\n'
    )
    with service.connect() as connection:
        connection.request("POST", "/", form, {"Content-Type": "multipart/form-data; boundary=X"})
        token = re.search(r'name="report" value="([^"]+)"', connection.getresponse().read().decode())[1]

    def fetch(_):
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        with service.connect() as connection:
            connection.request("POST", "/report", f"kind=etsi&report={token}", kind)
            return connection.getresponse().status

    def both():
        with ThreadPoolExecutor(4) as clients:
            assert set(clients.map(fetch, range(8))) == {200}
        return service.served("pages.report") == set(service.ready())

    until(both)


def test_renewing_the_workers_drops_no_request(service, body):
    """While SIGHUP renews both workers, a client that goes on issuing gets 201 every time."""
    done, answers = threading.Event(), []

    def client():
        with service.connect() as connection:
            while not done.is_set():
                answers.append(issue(service, connection, body, f"renewing-{len(answers)}")[0])

    thread = threading.Thread(target=client)
    thread.start()
    before = set(service.ready())
    service.process.send_signal(signal.SIGHUP)
    try:
        until(lambda: len(service.ready()) == 4 and not any(map(exists, before)))
    finally:
        done.set()
        thread.join(PATIENCE)
    assert set(answers) == {201}
    assert len(answers) > 5


def exists(number):
    """Return whether there is such a process."""
    return Path(f"/proc/{number}").exists()


def test_a_killed_worker_takes_its_helper_along_and_comes_back(service):
    """After SIGKILL nothing of the worker stays, the service answers, and there are two workers again."""
    victim = service.ready()[-1]
    helpers = [int(one) for one in Path(f"/proc/{victim}/task/{victim}/children").read_text().split()]
    assert helpers
    count = len(service.ready())
    os.kill(victim, signal.SIGKILL)
    assert service.health() == 200
    until(lambda: len(service.ready()) == count + 1)
    until(lambda: not any(exists(helper) for helper in helpers))


def test_a_broken_folder_does_not_stop_what_runs(service):
    """SIGHUP with a damaged key file: the log says so, and the old workers go on issuing with what they have."""
    before = service.ready()
    key = next((service.folder / "keys").glob("*.key.pem"))
    good = key.read_bytes()
    key.write_bytes(b"damaged")
    service.process.send_signal(signal.SIGHUP)
    until(lambda: "the old ones go on" in service.log.read_text())
    key.write_bytes(good)
    assert service.health() == 200
    assert service.ready() == before
