"""The pages, as text: what they say, and what they never say."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from itertools import product

import pytest

from elicense.model import Holder, InForce, LicenceState
from elicense.registry.protocol import Intent
from elicense.verification.report import Indication, SubIndication
from service.pages.result import result_view
from service.pages.translations import LANGUAGES, Texts
from service.pages.words import lines_of, masked, masked_holders
from tests.service.fakes import AT, AUTHORITY, PDF, PERSON, PERSON_CODE, draft, report

PASSED, UNSURE, FAILED = Indication.TOTAL_PASSED, Indication.INDETERMINATE, Indication.TOTAL_FAILED


def upload(client, path="/", data=PDF):
    """Send a file as a browser does."""
    return client.post(path, data={"file": (io.BytesIO(data), "a.pdf")}, content_type="multipart/form-data")


@pytest.fixture
def licence(fakes, issued):
    """The licence of the issued record."""
    return fakes.registry.get(issued["identifier"]).licence


def headline(text):
    """Return what the page says first."""
    return re.search(r"<h1>(.*?)</h1>", text)[1]


def test_both_languages_have_every_text():
    """No text is missing in either language, and both fill the same places."""
    zh, en = LANGUAGES["zh"], LANGUAGES["en"]
    assert set(zh) == set(en)
    for key in zh:
        assert set(re.findall(r"{\w+}", zh[key])) == set(re.findall(r"{\w+}", en[key])), key


@pytest.mark.parametrize(
    ("indication", "sub", "state", "expected"),
    [
        (PASSED, None, InForce.IN_FORCE, "真实有效"),
        (PASSED, None, InForce.SUSPENDED, "真实但已失效（暂扣）"),
        (PASSED, None, InForce.REVOKED, "真实但已失效（撤销）"),
        (PASSED, None, InForce.EXPIRED, "真实但已失效（过期）"),
        (PASSED, None, InForce.SUPERSEDED, "真实但已失效（被替换）"),
        (PASSED, None, InForce.CONDITIONAL, "真实，附条件有效"),
        (PASSED, None, InForce.NOT_YET_VALID, "真实但尚未生效"),
        (PASSED, None, InForce.NOT_KNOWN, "真实，是否有效未知"),
        (UNSURE, SubIndication.UNSIGNED, InForce.NOT_KNOWN, "无法确认"),
        (UNSURE, SubIndication.NO_CERTIFICATE_CHAIN_FOUND, InForce.NOT_KNOWN, "无法确认"),
        (UNSURE, SubIndication.TRY_LATER, InForce.IN_FORCE, "无法确认"),
        (FAILED, SubIndication.HASH_FAILURE, InForce.NOT_KNOWN, "不真实"),
        (FAILED, SubIndication.SIG_CRYPTO_FAILURE, InForce.IN_FORCE, "不真实"),
        (FAILED, SubIndication.FORMAT_FAILURE, InForce.NOT_KNOWN, "文件已损坏或被改动"),
    ],
)
def test_headlines(client, fakes, licence, indication, sub, state, expected):
    """Each outcome has its headline, and both answers stand beside it."""
    fakes.report = report(indication, sub, state, licence=licence if indication is PASSED else None)
    response = upload(client)
    assert response.status_code == 200
    assert headline(response.text) == expected
    assert "是否真实？" in response.text
    assert "是否有效？" in response.text


def test_every_report_has_a_page(app, licence):
    """No combination of answers is without words, and only a passed one is ever called authentic."""
    catalogue = app.extensions["elicense"].catalogue
    everything = product(Indication, [None, *SubIndication], InForce, ["zh", "en"])
    for indication, sub, state, lang in everything:
        seen = report(indication, sub, state, licence=licence if indication is PASSED else None)
        view = result_view(seen, Texts(lang), catalogue)
        called_authentic = "真实" in view.headline.replace("不真实", "") or "Authentic" in view.headline
        assert view.reason
        assert view.advice
        assert len(view.answers) == 2
        assert (view.tone == "good") == (indication is PASSED and state is InForce.IN_FORCE)
        assert called_authentic == (indication is PASSED)


def test_only_an_authentic_file_names_an_authority_or_a_holder(client, fakes):
    """A file that is not proven says nothing about who sealed it or whom it is for."""
    for indication in (UNSURE, FAILED):
        fakes.report = report(indication)
        text = upload(client).text
        assert AUTHORITY.name not in text
        assert "签章机构" not in text


def test_an_authentic_file_is_compared(client, fakes, licence):
    """Who sealed it comes from the trust register; the holder, number and dates are there to compare."""
    fakes.report = report(PASSED, None, InForce.IN_FORCE, licence=licence)
    text = upload(client).text
    for shown in (AUTHORITY.name, "99010100000012", PERSON, licence.number, "2031年11月22日", "热食"):
        assert shown in text


def test_a_file_is_held_against_the_scanned_code(client, fakes, licence, issued):
    """Whoever came by a QR code learns whether the file is that licence."""
    fakes.report = report(PASSED, None, InForce.IN_FORCE, licence=licence)
    assert "正是您所扫描" in upload(client, f"/v/{issued['identifier']}").text
    assert "不是您所扫描" in upload(client, "/v/1.2.156.3005.2.other").text
    assert "您所扫描" not in upload(client).text


def test_document_text_is_never_markup(client, fakes, licence):
    """What a document says is printed literally."""
    nasty = "<script>alert(1)</script>{{7*7}}{t}"
    changed = replace(licence, number=nasty, fields={"address": nasty})
    fakes.report = report(PASSED, None, InForce.IN_FORCE, licence=changed)
    text = upload(client).text
    assert "<script>alert" not in text
    assert "{{7*7}}{t}" in text


def test_the_start_page_speaks_both_languages(client):
    """Chinese by default, English on request, anything else is Chinese."""
    assert '<html lang="zh-CN">' in client.get("/").text
    assert '<html lang="en">' in client.get("/?lang=en").text
    assert '<html lang="zh-CN">' in client.get("/?lang=../../etc").text


def test_the_form_keeps_the_language(client, fakes):
    """A result is in the language of the form it was sent from."""
    assert 'action="/?lang=en"' in client.get("/?lang=en").text
    assert headline(upload(client, "/?lang=en").text) == "Cannot be confirmed"


def test_a_file_over_the_limit_gets_a_page(client, fakes):
    """In a browser too, too large means unknown, never false."""
    response = upload(client, data=b"x" * 200_000)
    assert response.status_code == 413
    assert headline(response.text) == "无法确认"
    assert fakes.verified == []


def test_no_file_chosen_is_explained(client):
    """A form sent without a file is answered with a page that says so."""
    response = client.post("/", data={"file": (io.BytesIO(b""), "")}, content_type="multipart/form-data")
    assert response.status_code == 400
    assert "请先选择文件" in response.text


def test_the_status_page_shows_the_minimum(client, issued, licence):
    """By identifier anybody learns type, authority, a masked holder, period and state; nothing else."""
    response = client.get(f"/v/{issued['identifier']}")
    text = response.text
    assert response.status_code == 200
    for shown in ("食品经营许可证", AUTHORITY.name, "王**", "有效", issued["identifier"]):
        assert shown in text
    everything = text + str(response.headers)
    for hidden in (PERSON, PERSON_CODE, licence.number, "虚构路", "热食", "办件-测试", licence.document_id):
        assert hidden not in everything


def test_the_status_page_follows_the_register(client, fakes, issued):
    """A revoked licence is shown as revoked, with its reason."""
    fakes.registry.change_state(issued["identifier"], LicenceState.REVOKED, reason="示例原因", at=AT)
    text = client.get(f"/v/{issued['identifier']}").text
    assert "已撤销" in text
    assert "示例原因" in text


def test_unfinished_void_and_absent_licences_look_alike(client, fakes):
    """The public is told of no number that never became a licence."""
    intent = Intent("0" * 64, "e", "s", "c" * 64, 8000, "B-B")
    reserved = fakes.registry.reserve(draft(), number=str, intent=intent, at=AT)
    void = fakes.registry.reserve(draft(), number=str, intent=intent, at=AT)
    fakes.registry.void(str(void.licence.identifier), reason="测试", at=AT)
    names = [str(reserved.licence.identifier), str(void.licence.identifier), "nothing"]
    pages = [client.get(f"/v/{name}") for name in names]
    assert [page.status_code for page in pages] == [404, 404, 404]
    assert len({page.text.replace(name, "") for page, name in zip(pages, names, strict=True)}) == 1
    assert "登记簿中没有这份证照" in pages[0].text


def test_the_printed_number_opens_nothing(client, issued):
    """The number on the paper is not an address."""
    assert client.get(f"/v/{issued['number']}").status_code == 404


def test_internal_trouble_on_a_page_has_only_a_reference(client, fakes):
    """A crash shows a calm page with a reference, in the page's language."""
    fakes.fail = RuntimeError("table licences is locked")
    response = upload(client)
    assert response.status_code == 500
    assert "参考号" in response.text
    assert "locked" not in response.text


def test_pages_load_nothing_from_elsewhere(client):
    """Every address in a page is on this server, and no script or style is inline."""
    text = client.get("/").text
    assert all(url.startswith(("/", "#")) for url in re.findall(r'(?:src|href|action)="([^"]*)"', text))
    assert "style=" not in text
    assert not re.search(r"<script(?![^>]*src=)", text)
    assert not re.search(r"\son\w+=", text)


@pytest.mark.parametrize(
    ("name", "kind", "shown"),
    [
        ("王测试", "111", "王**"),
        ("欧阳测试员", "111", "欧**"),
        ("TEST PERSON", "414", "T**"),
        ("样例市测试餐饮管理有限公司", "001", "样例****公司"),
        ("测试商店", "001", "测**"),
    ],
)
def test_masking(name, kind, shown):
    """A person keeps one character, an organisation two at each end; the length is hidden."""
    assert masked(Holder(name, kind, "x")) == shown


def test_several_holders_are_counted():
    """Only the first is shown, masked."""
    holders = [Holder("王测试", "111", "x"), Holder("李测试", "111", "y")]
    assert masked_holders(holders, Texts("zh")) == "王** 等 2 个主体"


def test_long_lists_are_cut():
    """Six lines are shown, then how many there are."""
    rows = tuple((str(number), "x") for number in range(20))
    lines = lines_of(rows, Texts("en"))
    assert len(lines) == 7
    assert lines[0] == "0 · x"
    assert "20" in lines[-1]


def test_style_and_script_are_kept_for_good(client):
    """Every page names them by their content; asked for so, no browser asks again, and an old address still works."""
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', client.get("/").text)
    assert len(set(addresses)) == 3
    for address in addresses:
        with client.get(address) as response:
            assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            etag = response.headers["ETag"]
        plain = address.partition("?")[0]
        assert client.get(plain).headers["Cache-Control"] == "no-cache"
        assert client.get(f"{plain}?v=old").data == client.get(address).data
        assert client.get(plain, headers={"If-None-Match": etag}).status_code == 304
    for nowhere in ("/static/", "/static/none.css", "/static/../views.py", "/static/..%2fviews.py"):
        assert client.get(nowhere).status_code == 404
