"""A browser and a service on loopback; skipped, with the reason, where there is no Chromium."""

from __future__ import annotations

import shutil
import threading

import pytest
from werkzeug.serving import make_server

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


@pytest.fixture
def address(app):
    """Where the application answers: a free port of 127.0.0.1, in a thread, closed afterwards."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(10)
    server.server_close()


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
