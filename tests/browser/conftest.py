"""A browser and a service on loopback; skipped, with the reason, where there is no Chromium."""

from __future__ import annotations

import shutil
import socket
import threading

import pytest

from service.config import Settings
from service.listening import listen
from service.server import Server
from tests.service.conftest import app as app_fixture
from tests.service.conftest import fakes as fakes_fixture
from tests.service.conftest import settings as settings_fixture

app = app_fixture
fakes = fakes_fixture
settings = settings_fixture

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser():
    """One Chromium for the tests of a module; longer its event loop would stay in the way of other tests."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: install the package `chromium` to run the browser tests")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


class _Current:
    """Passes each request to the application of the running test."""

    app = None

    def __call__(self, environ, start_response):
        """Answer as that application does."""
        return self.app(environ, start_response)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The service's own server, one for a whole module.

    A port that changed hands between tests would meet connections that the browser kept to the server before.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    current = _Current()
    settings = Settings(tmp_path_factory.mktemp("server"), port, upload_limit=128 * 1024)
    running = Server(current, settings, listen(port))
    thread = threading.Thread(target=running.run)
    thread.start()
    yield current, f"http://127.0.0.1:{port}"
    running.stop()
    thread.join(30)


@pytest.fixture
def address(app, server):
    """Where the test's application answers."""
    current, url = server
    current.app = app
    return url


@pytest.fixture
def page(browser):
    """A fresh page, of a phone's size, that fails the test on any script error or blocked content."""
    page = browser.new_page(viewport={"width": 375, "height": 812})
    troubles = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on(
        "console",
        lambda line: troubles.append(line.text) if line.type == "error" and "404" not in line.text else None,
    )
    yield page
    page.close()
    assert troubles == []
