"""Simple, detailed and diagnostic reports as values and as text."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from elicense import messages
from elicense.messages import Text
from elicense.model import InForce, LicenceStatus
from elicense.reporting import words
from elicense.reporting.lines import text_of
from elicense.reporting.plain import detailed, diagnostic, simple, what_to_do
from elicense.reporting.stored import report_from_json, report_to_json
from elicense.verification.facts import facts_from_json
from elicense.verification.report import Indication
from elicense.verification.shown import TROUBLES, TextDifference
from tests.service.fakes import AUTHORITY, PERSON
from tests.support.reports import AT, SECOND, archived, every_report, failed, foreign, sealed

REPORTS = every_report()


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", REPORTS)
def test_every_report_has_both_answers_and_an_advice(name, lang):
    """Whatever was found, the simple report answers twice and says what to do; detailed says the same and more."""
    report = REPORTS[name]
    plain = simple(report, lang)
    assert plain["authentic"]["indication"] == report.indication
    assert plain["authentic"]["answer"]
    assert plain["in_force"]["answer"]
    assert plain["why"]
    assert plain["what_to_do"]
    more = detailed(report, lang)
    assert {**plain, "report": "detailed"}.items() <= more.items()
    assert len(more["checks"]) == 12
    assert len(more["signatures"]) == len(report.signatures)
    assert json.loads(json.dumps(more)) == more


@pytest.mark.parametrize("name", [name for name, one in REPORTS.items() if one.indication != "TOTAL_PASSED"])
def test_nobody_is_named_on_the_strength_of_a_file_that_is_not(name):
    """Unless the file is authentic the simple report names no authority and no holder."""
    for lang in ("zh", "en"):
        text = text_of(simple(REPORTS[name], lang))
        assert AUTHORITY.name not in text
        assert PERSON not in text


def test_an_authentic_file_names_who_what_and_when():
    """Authority, holder, number and time stand in the simple report of an authentic licence."""
    text = text_of(simple(sealed(), "zh"))
    for shown in (AUTHORITY.name, PERSON, "JY000001", "2026-11-21T13:40:00Z", "2031-11-22"):
        assert shown in text


def test_an_unproven_name_is_only_a_claim():
    """In the detailed report a signer who is not proven stands behind the words that say so."""
    text = text_of(detailed(foreign(), "en"))
    assert "1. not proven: cannot be decided" in text
    assert "Said to be: CN=Example Signer, O=Example Ltd" in text


def test_the_detailed_report_goes_revision_by_revision():
    """Each revision says what changed and which signatures and timestamps stand over it."""
    revisions = detailed(archived(), "zh")["revisions"]
    assert [one["signed_after"] for one in revisions] == [
        ["Seal", "Seal2", "Timestamp1"], ["Seal2", "Timestamp1"], ["Timestamp1"], ["Timestamp1"],
    ]  # fmt: skip
    assert [change["text"] for one in revisions for change in one["changes"]] == [
        "盖入一枚签章", "存入证书与吊销数据（归档用）", "加盖文档时间戳",
    ]  # fmt: skip
    assert detailed(foreign(), "en")["revisions"][2]["signed_after"] == []
    assert [one["name"] for one in detailed(archived(), "zh")["signatures"]] == [AUTHORITY.name, SECOND]


def test_the_difference_is_told_line_by_line():
    """What is gone and what is new stand under their page, after the words that it is information only."""
    text = text_of(detailed(foreign(), "en"))
    assert "no part of the answers" in text
    assert "Page 1\n  - Amount due: 100\n  + Amount due: 100,000\n  + PAID IN FULL\n" in text
    assert "The text is the same." in text_of(detailed(archived(), "en"))


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_comparison_that_failed_is_explained(trouble):
    """Every trouble has its sentence in both languages, and is never "the same"."""
    report = replace(
        sealed(), shown=TextDifference("Seal", 1, "cd" * 32, (), complete=False, trouble=trouble)
    )
    for lang in ("zh", "en"):
        said = detailed(report, lang)["shown"]["text"]
        assert words.TROUBLES[trouble](lang) == said
    assert set(words.TROUBLES) == set(TROUBLES)


@pytest.mark.parametrize("state", InForce)
def test_every_state_has_its_advice(state):
    """An authentic licence's advice follows its state; only one in force or under conditions may be used."""
    report = replace(sealed(), in_force=LicenceStatus(state, AT))
    for lang in ("zh", "en"):
        assert what_to_do(report, lang)
    usable = {words.COMPARE("zh"), words.CONDITIONS("zh")}
    assert (what_to_do(report, "zh") in usable) == (state in {InForce.IN_FORCE, InForce.CONDITIONAL})


def test_under_general_nothing_is_in_force():
    """A foreign file's second answer is that the question does not apply."""
    assert simple(foreign(), "en")["in_force"]["answer"] == words.NO_FORCE.en


def test_the_diagnostic_report_gives_the_facts_back():
    """Facts in the diagnostic report are those that were judged, and can be judged again."""
    report = archived()
    plain = diagnostic(report)
    assert facts_from_json(json.dumps(plain["facts"]).encode()) == report.facts
    assert diagnostic(REPORTS["by_hash"])["facts"] is None


@pytest.mark.parametrize("name", REPORTS)
def test_a_stored_report_is_the_same_report(name):
    """What is stored as text comes back equal, moments, facts and difference included."""
    report = REPORTS[name]
    assert report_from_json(report_to_json(report)) == report


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"null", b'{"indication": "SURE"}', b"[" * 100_000])
def test_what_is_no_stored_report_is_refused(data):
    """Anything else is a ValueError."""
    with pytest.raises(ValueError, match=r".*"):
        report_from_json(data)


def test_a_reason_and_its_advice_stand_with_their_check():
    """A failed check has its answer, its advice and its stable code in the text."""
    report = REPORTS["altered"]
    text = text_of(detailed(report, "zh"))
    for said in (
        messages.answer("digest.differs", "zh"),
        messages.advice("digest.differs", "zh"),
        "[digest.differs]",
    ):
        assert said in text


def test_a_file_that_cannot_be_read_is_called_damaged():
    """FORMAT_FAILURE is damaged or altered; other failures are not authentic."""
    sub = REPORTS["damaged"].sub_indication
    assert simple(failed(sub, "format", "format.cut"), "en")["authentic"]["answer"] == "damaged or altered"
    assert simple(REPORTS["altered"], "en")["authentic"]["answer"] == "NOT authentic"


def texts():
    """Return every text of the words."""
    for value in vars(words).values():
        found = value.values() if isinstance(value, dict) else (value,)
        yield from (one for one in found if isinstance(one, Text))


def test_words_are_written_in_their_language():
    """Chinese is Chinese, English is ASCII, and both fill the same places."""
    for text in texts():
        assert re.search(r"[\u4e00-\u9fff]", text.zh) or text.zh.startswith("B-"), text
        assert text.en.isascii(), text
        assert set(re.findall(r"{\w+}", text.zh)) == set(re.findall(r"{\w+}", text.en)), text
    assert set(words.AUTHENTIC) == {*Indication, "damaged", "another"}


def test_a_file_of_another_make_is_not_called_damaged():
    """What any other signed PDF would be told too says so, and how else to verify it; under general nothing does."""
    sub = REPORTS["damaged"].sub_indication
    report = failed(sub, "format", "format.layout")
    assert simple(report, "en")["authentic"]["answer"] == "no licence in good order"
    assert simple(report, "zh")["what_to_do"].endswith(words.ANOTHER.zh)
    general = simple(replace(report, policy="general"), "en")
    assert general["authentic"]["answer"] == "damaged or altered"
    assert "licence" not in general["why"] + general["what_to_do"]


def test_one_signature_is_not_called_what_the_file_is_called():
    """A good signature in a file that is not proven is good, not authentic."""
    answers = {one["answer"] for one in detailed(foreign(), "en")["signatures"]}
    assert answers <= {"good", "cannot be decided", "not good"}


def test_a_revision_without_changes_is_not_called_the_first():
    """Only the first revision is what was there first."""
    report = foreign()
    bare = tuple(replace(one, changes=()) for one in report.facts.revisions)
    text = text_of(detailed(replace(report, facts=replace(report.facts, revisions=bare)), "en"))
    assert text.count("what was there first") == 1
    assert text.count("no change listed") == len(bare) - 1
