"""Reports on the result page: what it lists, and how a report is fetched without keeping or sending the file."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from elicense.verification.report import Indication
from service.problems import ReportExpired
from service.vault import HOUR, LARGEST, Vault
from tests.service.fakes import AT, AUTHORITY, PDF, report
from tests.support.reports import SECOND, every_report, foreign, summary

REPORTS = every_report()


def upload(client, path="/", **fields):
    """Send a file as a browser does."""
    form = {"file": (io.BytesIO(PDF), "a.pdf"), **fields}
    return client.post(path, data=form, content_type="multipart/form-data")


def locked(page):
    """Return the locked report that a result page carries."""
    return re.search(r'name="report" value="([^"]+)"', page.text)[1]


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_has_a_page_and_can_be_fetched(client, fakes, name):
    """From any result the PDF, the XML and the detailed page come without a second upload or verification."""
    fakes.report = REPORTS[name]
    token = locked(upload(client))
    pdf = client.post("/report", data={"report": token, "kind": "pdf"})
    assert (pdf.status_code, pdf.mimetype) == (200, "application/pdf")
    assert fakes.signed == [(REPORTS[name], AT)]
    assert "attachment" in pdf.headers["Content-Disposition"]
    assert client.post("/report", data={"report": token, "kind": "etsi"}).data.startswith(b"<?xml")
    page = client.post("/report?lang=en", data={"report": token, "kind": "detailed"})
    assert "<details open>" in page.text
    assert '<html lang="en">' in page.text
    assert len(fakes.verified) == 1


def test_only_a_report_of_this_service_is_shown_or_signed(client, fakes):
    """Whatever was changed, made elsewhere, or is none is refused; nothing is signed."""
    token = locked(upload(client))
    stranger = Vault().lock(report(Indication.TOTAL_PASSED), AT)
    for wrong in ("", "x", token[:-4] + "AAA=", token[5:], stranger, "报告"):
        response = client.post("/report", data={"report": wrong, "kind": "pdf"})
        assert response.status_code == 410
        assert "请重新查验文件" in response.text
    assert client.post("/report").status_code == 410
    assert fakes.signed == []


def test_a_locked_report_expires():
    """After an hour it is no longer good; until then it is the same report."""
    vault = Vault()
    token = vault.lock(foreign(), AT)
    assert vault.unlock(token, AT + timedelta(seconds=HOUR)) == foreign()
    with pytest.raises(ReportExpired):
        vault.unlock(token, AT + timedelta(seconds=HOUR + 1))


def test_a_locked_report_tells_nothing():
    """Who looks at the page's source finds no name in the token."""
    token = Vault().lock(REPORTS["sealed"], AT)
    assert AUTHORITY.name not in token
    assert len(token) < 20_000


def test_a_report_too_large_for_a_page_is_left_out(client, fakes):
    """A page never grows beyond what comes back in one request; it then has no buttons."""
    import secrets

    noisy = tuple(summary(field=secrets.token_hex(50_000)) for _ in range(16))
    fakes.report = replace(foreign(), signatures=noisy)
    assert Vault().lock(fakes.report, AT) is None
    page = upload(client)
    assert page.status_code == 200
    assert 'name="report"' not in page.text


def test_the_largest_report_comes_back(client, fakes):
    """A locked report near the limit still fits through the form."""
    import secrets

    noisy = tuple(summary(field=secrets.token_hex(18_000)) for _ in range(16))
    fakes.report = replace(foreign(), signatures=noisy)
    token = locked(upload(client))
    assert LARGEST / 2 < len(token) <= LARGEST
    assert client.post("/report", data={"report": token, "kind": "etsi"}).status_code == 200


def test_the_policy_is_chosen_on_the_page(client, fakes):
    """The box under "another signed PDF" means general; nothing else does, and the next file keeps the choice."""
    upload(client)
    upload(client, policy="general")
    upload(client, policy="anything")
    assert fakes.policies == ["licence", "general", "licence"]
    fakes.report = foreign()
    assert 'name="policy" value="general" checked' in upload(client, policy="general").text


def test_the_difference_stands_on_the_page(client, fakes):
    """Lines that are gone and new are shown as text, never as mark-up, and not only to experts."""
    fakes.report = foreign()
    page = upload(client).text
    before_experts = page[: page.index("<details><summary>供专业")]
    assert "签名之后，文件被追加过" in before_experts
    assert "<bdi>Amount due: 100,000</bdi>" in before_experts
    lines = replace(foreign().shown.pages[0], added=("<script>alert(1)</script>",))
    fakes.report = replace(foreign(), shown=replace(foreign().shown, pages=(lines,)))
    assert "<script>alert" not in upload(client).text
    fakes.report = REPORTS["sealed"]
    assert "文件被追加过" not in upload(client).text


def test_signatures_and_revisions_are_listed_for_experts(client, fakes):
    """Each signature has its own answer, each revision its changes and who signed over it."""
    fakes.report = REPORTS["archived"]
    page = upload(client).text
    for shown in (SECOND, "B-LTA", "盖入一枚签章", "加盖文档时间戳", "Seal2, Timestamp1", "文字没有差别"):
        assert shown in page


def test_an_unproven_signer_is_only_what_the_certificate_says(client, fakes):
    """Under general the certificate's words are marked as such; under licence they are not shown at all."""
    fakes.report = foreign()
    page = upload(client, "/?lang=en").text
    assert "The certificate says</dt><dd>CN=Example Signer" in page
    assert "Sealed by" not in page
    fakes.report = REPORTS["altered"]
    assert AUTHORITY.name not in upload(client).text


def test_general_has_no_second_answer(client, fakes):
    """A foreign file with good signatures is called so, and the question of force does not apply."""
    good = tuple(replace(one, indication=Indication.TOTAL_PASSED) for one in foreign().signatures)
    fakes.report = replace(
        foreign(), indication=Indication.TOTAL_PASSED, sub_indication=None, signatures=good, shown=None
    )
    page = upload(client).text
    assert "<h1>签名真实可信</h1>" in page
    assert "不适用" in page
    assert "verdict good" in page
    assert "登记簿显示" not in page


def test_a_signer_is_named_once_however_often_he_signed(client, fakes):
    """Fifty signatures of one signer are one entry, with their number, from when to when, and how many are proven."""
    first = summary(signer="CN=Example Signer", seal=None, claimed_time=AT, proven_time=AT)
    later = replace(first, claimed_time=AT + timedelta(days=1), proven_time=None)
    other = replace(first, signer="CN=Another Signer")
    passed = replace(foreign(), indication=Indication.TOTAL_PASSED, sub_indication=None)
    fakes.report = replace(passed, signatures=(first, *[later] * 49, other))
    page = upload(client, path="/?lang=en").text
    shown = page[: page.index("For experts")]
    assert shown.count('class="issuer">CN=Example Signer') == shown.count('class="issuer">CN=Another') == 1
    assert "<dt>Signatures</dt><dd>50</dd>" in shown
    assert re.search(r"Claimed time of signing</dt><dd>\d+ \w+ \d+ [\d:]+ Beijing time to \d+", shown)
    assert "(1 of 50 signatures)" in shown


def test_any_pdf_is_not_spoken_of_as_a_licence(client, fakes):
    """Under the policy general a failed page names neither seals nor issuing authorities."""
    for name in ("altered", "damaged"):
        fakes.report = replace(REPORTS[name], policy="general", signatures=(), facts=None)
        page = upload(client, path="/?lang=en").text
        said = page[page.index('<section class="verdict') : page.index("For experts")]
        assert not re.search(r"seal|issuing|holder|the licence", said), said
