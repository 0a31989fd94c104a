"""Every code that a verification can give has plain words in both languages, and no words are left over."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import elicense.verification
from elicense import messages, reasons_general
from elicense.model import InForce
from elicense.verification.checks import CODES
from elicense.verification.report import CheckStatus, Indication

ROOM = Path(elicense.verification.__file__).parent
PREFIXES = sorted({reason.partition(".")[0] for reason in messages.REASONS})
CODE = re.compile(rf'"((?:{"|".join(PREFIXES)})\.[a-z_]+)"')
LIMITS = {"limit.size", "limit.time", "limit.memory", "limit.process"}
"""Made from Facts.limit."""
STATES = {f"status.{state.value}" for state in InForce} - {
    "status.in_force",
    "status.conditional",
    "status.not_known",
}
"""Made from the state in force."""


def written() -> set[str]:
    """Return the reasons that the verifier's source spells out."""
    return {code for file in ROOM.glob("*.py") for code in CODE.findall(file.read_text(encoding="utf-8"))}


def test_every_reason_is_explained_and_every_explanation_used() -> None:
    """Reasons in the source, those made from limits and states, and the texts are the same set."""
    assert written() | LIMITS | STATES == set(messages.REASONS)


def test_every_limit_is_known() -> None:
    """The limits that the reading can name are the ones explained."""
    names = set()
    for file in ROOM.glob("*.py"):
        names |= set(re.findall(r'limit="([a-z]+)"', file.read_text(encoding="utf-8")))
        names |= set(re.findall(r'_LimitReachedError\("([a-z]+)"', file.read_text(encoding="utf-8")))
    assert {f"limit.{name}" for name in names} | {"limit.process"} == LIMITS


def test_every_question_is_asked() -> None:
    """There is one question for each of the twelve checks, in their order."""
    assert tuple(messages.QUESTIONS) == CODES


def test_every_answer_has_words() -> None:
    """Indications, states in force and statuses of checks are all named."""
    assert set(messages.INDICATIONS) == {indication.value for indication in Indication}
    assert set(messages.IN_FORCE) == {state.value for state in InForce}
    assert set(messages.STATUSES) == {status.value for status in CheckStatus}


def texts() -> list[messages.Text]:
    """Return every text there is."""
    found = [text for q in messages.QUESTIONS.values() for text in (q.question, q.passed)]
    reasons = (*messages.REASONS.values(), *messages.INDICATIONS.values())
    found += [text for reason in reasons for text in (reason.answer, reason.advice)]
    found += [text for pair in reasons_general.QUESTIONS.values() for text in pair]
    found += [*reasons_general.ANSWERS.values(), *reasons_general.ADVICE.values()]
    return [*found, *messages.IN_FORCE.values(), *messages.STATUSES.values()]


def test_texts_are_written_in_their_language() -> None:
    """Chinese is Chinese, English is ASCII; sentences end as sentences do."""
    for text in texts():
        assert re.search(r"[\u4e00-\u9fff]", text.zh), text
        assert not re.search(r"[.?,:;](?:\s|$)", text.zh), text
        assert text.en.isascii(), text
        assert text.en.strip() == text.en
        assert len(text.en) <= 110, text


@pytest.mark.parametrize(
    "word", ["forged", "forgery", "hash", "DER", "CMS", "byte range", "伪造", "哈希", "摘要"]
)
def test_a_clerk_understands_it(word: str) -> None:
    """No text accuses the bearer, and none uses the words of cryptography."""
    assert not [text for text in texts() if word in text.en or word in text.zh]


def said_of_any_pdf() -> list[tuple[str, str]]:
    """Return code and text of all that can be said under the policy general."""
    checks = [code for code in messages.QUESTIONS if code not in {"seal", "content", "log", "in_force"}]
    reasons = messages.REASONS.keys() - reasons_general.LICENCES_ALONE
    return [
        (code, say(code, lang, "general"))
        for says, codes in (
            ((messages.question, messages.passed), checks),
            ((messages.answer, messages.advice), reasons),
            ((messages.indication, messages.indication_advice), messages.INDICATIONS),
        )
        for say in says
        for code in codes
        for lang in ("zh", "en")
    ]


def test_any_pdf_is_not_called_a_licence() -> None:
    """Under the policy general nothing speaks of licences, seals, holders or issuing authorities."""
    words = re.compile("licen[cs]e|seal|holder|issuing|the authority|证照|盖章|签章|印章|持证|颁发")
    assert not [(code, text) for code, text in said_of_any_pdf() if words.search(text)]


def test_the_second_wording_belongs_to_the_first() -> None:
    """What is said of any PDF replaces something that is said of a licence, and differs from it."""
    assert reasons_general.QUESTIONS.keys() <= messages.QUESTIONS.keys()
    assert reasons_general.ANSWERS.keys() <= messages.REASONS.keys() | messages.INDICATIONS.keys()
    advices = {one.advice for one in (*messages.REASONS.values(), *messages.INDICATIONS.values())}
    assert reasons_general.ADVICE.keys() <= advices
    for code, text in reasons_general.ANSWERS.items():
        assert text != (messages.REASONS.get(code) or messages.INDICATIONS[code]).answer


def test_lookups_choose_the_language() -> None:
    """Each function returns the text of its language, English for anything but "zh"."""
    assert messages.question("digest", "zh") == "文件内容是否与盖章时一致？"
    assert messages.passed("digest") == "The content is the same as when it was sealed."
    assert messages.answer("format.empty", "zh") == "文件为空。"
    assert messages.advice("limit.size") == "Bring a file below the size limit."
    assert messages.status("PASSED", "zh") == "通过"
    assert messages.indication("TOTAL_PASSED").startswith("Authentic")
    assert messages.indication_advice("TOTAL_PASSED", "zh") == "无需处理。"
    assert messages.in_force("revoked", "fr") == "revoked"
    with pytest.raises(KeyError):
        messages.answer("format.unheard_of")
