"""The verify page in a real browser, from the width of a small phone to that of a desk."""

from __future__ import annotations

from dataclasses import replace

import pytest

from elicense.model import InForce
from elicense.verification.report import Indication, SubIndication
from tests.service.fakes import AT, PDF, report
from tests.support.reports import every_report

PASSED, UNSURE, FAILED = Indication.TOTAL_PASSED, Indication.INDETERMINATE, Indication.TOTAL_FAILED
OUTCOMES = {
    "in-force": (PASSED, None, InForce.IN_FORCE, "真实有效"),
    "revoked": (PASSED, None, InForce.REVOKED, "真实但已失效（撤销）"),
    "not-known": (PASSED, None, InForce.NOT_KNOWN, "真实，是否有效未知"),
    "unsigned": (UNSURE, SubIndication.UNSIGNED, InForce.NOT_KNOWN, "无法确认"),
    "changed": (FAILED, SubIndication.HASH_FAILURE, InForce.NOT_KNOWN, "不真实"),
    "damaged": (FAILED, SubIndication.FORMAT_FAILURE, InForce.NOT_KNOWN, "文件已损坏或被改动"),
}


@pytest.fixture
def licence(fakes):
    """A licence in the register."""
    request = type("Request", (), {"idempotency_key": None})
    return fakes.issue(request, AT).record.licence


def send(page, data=PDF):
    """Choose a file; the page sends it by itself."""
    with page.expect_navigation(wait_until="load"):
        page.set_input_files("#file", {"name": "a.pdf", "mimeType": "application/pdf", "buffer": data})


def unfold(page):
    """Open every fold of the page."""
    for fold in page.locator("summary").all():
        fold.click()


def assert_accessible(page):
    """No finding of axe at WCAG 2.1 A and AA, and nothing runs off the side."""
    from axe_playwright_python.sync_playwright import Axe

    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
    found = Axe().run(page, options=rules).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    for width in (320, 375, 1100):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), width


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_each_outcome_is_readable_by_everybody(page, address, fakes, licence, outcome):
    """A chosen file leads to its headline, and the page with every fold open has no barrier."""
    indication, sub, state, headline = OUTCOMES[outcome]
    fakes.report = report(indication, sub, state, licence=licence if indication is PASSED else None)
    page.goto(address)
    send(page)
    assert page.locator("h1").inner_text() == headline
    unfold(page)
    assert_accessible(page)


@pytest.mark.parametrize("name", ["archived", "foreign"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_signatures_revisions_and_differences_are_readable_by_everybody(page, address, fakes, name, lang):
    """The long results, with several signatures, revisions and a difference of texts, have no barrier either."""
    fakes.report = every_report()[name]
    page.goto(f"{address}/?lang={lang}")
    send(page)
    unfold(page)
    assert_accessible(page)


@pytest.mark.parametrize(("kind", "ending"), [("pdf", ".pdf"), ("etsi", ".xml")])
def test_a_report_is_downloaded_from_the_result(page, address, fakes, kind, ending):
    """One press fetches the report of this result; the file is not sent again."""
    page.goto(address)
    send(page)
    with page.expect_download() as download:
        page.locator(f"button[value={kind}]").click()
    assert download.value.suggested_filename.endswith(ending)
    assert len(fakes.verified) == 1


def test_the_detailed_report_opens_unfolded(page, address, fakes):
    """The detailed page shows every check at once, and is no barrier."""
    page.goto(address)
    send(page)
    with page.expect_navigation():
        page.locator("button[value=detailed]").click()
    assert page.locator("table tbody tr").count() == 12
    assert page.locator("table").is_visible()
    assert_accessible(page)


def test_the_general_rule_is_chosen_before_the_file(page, address, fakes):
    """Ticking the box under "another signed PDF" sends the file with that policy."""
    page.goto(address)
    page.locator(".other summary").click()
    page.locator("input[name=policy]").check()
    assert_accessible(page)
    send(page)
    assert fakes.policies == ["general"]


@pytest.mark.parametrize("path", ["/", "/?lang=en", "/v/{identifier}", "/v/nothing?lang=en"])
def test_pages_without_a_file_are_accessible(page, address, licence, path):
    """Start, status and absence, in either language."""
    page.goto(address + path.format(identifier=licence.identifier))
    assert_accessible(page)


def test_a_dropped_file_is_sent(page, address, fakes):
    """Dropping a file anywhere on the page verifies it."""
    page.goto(address)
    with page.expect_navigation():
        page.evaluate(
            """() => {
              const data = new DataTransfer();
              data.items.add(new File(["%PDF-dropped"], "a.pdf", {type: "application/pdf"}));
              document.body.dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true}));
            }"""
        )
    assert fakes.verified[0][0] == b"%PDF-dropped"


def test_a_large_file_is_not_even_sent(page, address, fakes):
    """The page itself says that the file is too large, and calls it unknown, not false."""
    page.goto(address)
    page.set_input_files("#file", {"name": "a.pdf", "mimeType": "application/pdf", "buffer": b"x" * 200_000})
    page.wait_for_function("document.querySelector('[role=status]').textContent !== ''")
    assert "无法确认" in page.locator("[role=status]").inner_text()
    assert fakes.verified == []


def test_the_language_switch_keeps_the_licence(page, address, licence):
    """From a status page the switch leads to the same licence in the other language, and the form follows."""
    page.goto(f"{address}/v/{licence.identifier}")
    page.locator("a.language").click()
    assert page.url.endswith(f"/v/{licence.identifier}?lang=en")
    send(page)
    assert page.locator("h1").inner_text() == "Cannot be confirmed"


@pytest.mark.parametrize("path", ["/", "/?lang=en", "/v/nothing"])
def test_a_demonstration_says_so_to_everybody(page, address, app, path):
    """The notice of a demonstration is on the page, in its language, and no barrier."""
    services = app.extensions["elicense"]
    app.extensions["elicense"] = replace(services, demo=True)
    page.goto(address + path)
    notice = page.locator("aside.demo")
    assert notice.is_visible()
    assert ("Demonstration" if "en" in path else "不具法律效力") in notice.inner_text()
    assert_accessible(page)


def test_the_keyboard_is_enough(page, address):
    """Tab reaches the skip link, the language and the file chooser."""
    page.goto(address)
    seen = []
    for _ in range(4):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.className || document.activeElement.id"))
    assert seen == ["skip", "site", "language", "file"]


def test_it_works_without_javascript(browser, address, fakes):
    """A plain form with a button does the same."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_viewport_size({"width": 320, "height": 800})
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.set_input_files("#file", {"name": "a.pdf", "mimeType": "application/pdf", "buffer": PDF})
    page.locator("button").click()
    assert page.locator("h1").inner_text() == "无法确认"
    assert len(fakes.verified) == 1
    context.close()
