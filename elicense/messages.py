"""What a verification says in plain words: a question for each check, an answer and an advice for each reason.

Codes are stable; texts may be reworded. Written for a clerk at a counter: no word here needs a dictionary of
cryptography. "Forged" is said of nothing: a damaged or altered file may have an honest bearer. Under the policy
general a check speaks of signatures, not of seals and licences: `reasons_general.py` has that second wording.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

from elicense import reasons_general
from elicense.reasons import (
    ASK_ISSUER,
    CHECK_AUTHORITY,
    NOTHING,
    REASONS,
    Reason,
    Text,
    because,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

Language = Literal["zh", "en"]
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Question:
    """One check."""

    question: Text
    """What it asks."""
    passed: Text
    """What is true when it passed."""


QUESTIONS: Mapping[str, Question] = {
    "format": Question(
        Text("文件能否读取，结构是否规范？", "Is the file readable and built as it should be?"),
        Text("文件可读，结构规范。", "The file is readable and built as it should be."),
    ),
    "byte_range": Question(
        Text("签章是否覆盖盖章时的全部内容？", "Does the seal cover everything there was when it was made?"),
        Text("签章覆盖盖章时的全部内容。", "The seal covers everything there was when it was made."),
    ),
    "later_changes": Question(
        Text("盖章之后是否没有不允许的改动？", "Was nothing changed after sealing that may not be?"),
        Text("盖章之后没有不允许的改动。", "Nothing was changed after sealing that may not be."),
    ),
    "digest": Question(
        Text("文件内容是否与盖章时一致？", "Is the content the same as when it was sealed?"),
        Text("内容与盖章时一致。", "The content is the same as when it was sealed."),
    ),
    "signature": Question(
        Text("签章是否由证书所属密钥作出？", "Was the seal made with the key of its certificate?"),
        Text("签章由证书所属密钥作出。", "The seal was made with the key of its certificate."),
    ),
    "signing_time": Question(
        Text("签章时间是否明确？", "Is the time of sealing clear?"),
        Text("签章时间明确。", "The time of sealing is clear."),
    ),
    "certificate_path": Question(
        Text(
            "签章人是否可信，且有权签发此类证照？",
            "Is the signer known, and may he issue this kind of licence?",
        ),
        Text("签章人可信，且有权签发此类证照。", "The signer is known and may issue this kind of licence."),
    ),
    "revocation": Question(
        Text("签章证书当时是否未被吊销？", "Was the signer's certificate not revoked at that time?"),
        Text("签章证书当时未被吊销。", "The signer's certificate was not revoked at that time."),
    ),
    "seal": Question(
        Text("电子印章数据是否有效？", "Is the seal's own data in order?"),
        Text("电子印章数据有效。", "The seal's own data is in order."),
    ),
    "content": Question(
        Text("内嵌数据是否与版面文字一致？", "Does the data inside say what is printed?"),
        Text("内嵌数据与版面文字一致。", "The data inside says what is printed."),
    ),
    "log": Question(
        Text("是否记入公开日志？", "Is it in the public log?"),
        Text("已记入公开日志。", "It is in the public log."),
    ),
    "in_force": Question(
        Text("证照目前是否有效？", "Is the licence in force now?"),
        Text("证照目前有效。", "The licence is in force now."),
    ),
}
"""By code of the check, in the order of the plan."""

INDICATIONS: Mapping[str, Reason] = {
    "TOTAL_PASSED": because(
        "真实：由所示机构盖章，未被改动。",
        "Authentic: sealed by the authority shown, and unchanged.",
        NOTHING,
    ),
    "INDETERMINATE": because(
        "无法确定：既未证明真实，也未证明不真实。",
        "Cannot be decided: proven neither genuine nor not.",
        CHECK_AUTHORITY,
    ),
    "TOTAL_FAILED": because(
        "未通过：文件已损坏、被改动或签章无效。",
        "Failed: damaged, altered, or a seal that is not valid.",
        ASK_ISSUER,
    ),
}
"""The answers to "authentic?"."""

IN_FORCE: Mapping[str, Text] = {
    "in_force": Text("有效", "in force"),
    "conditional": Text("附条件有效", "in force under conditions"),
    "suspended": Text("已暂扣", "suspended"),
    "revoked": Text("已撤销", "revoked"),
    "expired": Text("已过期", "expired"),
    "not_yet_valid": Text("尚未生效", "not yet valid"),
    "superseded": Text("已被新证照替代", "replaced by a newer licence"),
    "not_known": Text("未知", "not known"),
}
"""The answers to "in force?"."""

STATUSES: Mapping[str, Text] = {
    "PASSED": Text("通过", "passed"),
    "FAILED": Text("未通过", "failed"),
    "INDETERMINATE": Text("无法确定", "cannot be decided"),
    "NOT_RUN": Text("因其他检查未通过而未进行", "not run, because another check did not pass"),
    "RECORDED": Text("签发时已检查并登记", "checked and recorded when it was issued"),
    "NOT_CONFIGURED": Text("不适用", "does not apply"),
    "NOT_KNOWN": Text("未知", "not known"),
}
"""What became of a check."""


def question(code: str, lang: str = "en", policy: str = "licence") -> str:
    """Return what a check asks. Raises KeyError for a code that is none."""
    first = QUESTIONS[code]
    second = _general(reasons_general.QUESTIONS, code, policy)
    return (second[0] if second else first.question)(lang)


def passed(code: str, lang: str = "en", policy: str = "licence") -> str:
    """Return what is true when a check passed. Raises KeyError for a code that is none."""
    first = QUESTIONS[code]
    second = _general(reasons_general.QUESTIONS, code, policy)
    return (second[1] if second else first.passed)(lang)


def answer(reason: str, lang: str = "en", policy: str = "licence") -> str:
    """Return what is the case when a check gave this reason. Raises KeyError for a code that is none."""
    first = REASONS[reason].answer
    return (_general(reasons_general.ANSWERS, reason, policy) or first)(lang)


def advice(reason: str, lang: str = "en", policy: str = "licence") -> str:
    """Return what to do next. Raises KeyError for a code that is none."""
    first = REASONS[reason].advice
    return (_general(reasons_general.ADVICE, first, policy) or first)(lang)


def status(name: str, lang: str = "en") -> str:
    """Return what became of a check, by the name of its CheckStatus. Raises KeyError for another."""
    return STATUSES[name](lang)


def indication(name: str, lang: str = "en", policy: str = "licence") -> str:
    """Return the answer to "authentic?", by the name of its Indication. Raises KeyError for another."""
    first = INDICATIONS[name].answer
    return (_general(reasons_general.ANSWERS, name, policy) or first)(lang)


def indication_advice(name: str, lang: str = "en", policy: str = "licence") -> str:
    """Return what to do about an answer to "authentic?". Raises KeyError for a name that is none."""
    first = INDICATIONS[name].advice
    return (_general(reasons_general.ADVICE, first, policy) or first)(lang)


def in_force(state: str, lang: str = "en") -> str:
    """Return the answer to "in force?", by the value of its InForce. Raises KeyError for another."""
    return IN_FORCE[state](lang)


def _general(second: Mapping[_Key, _Value], key: _Key, policy: str) -> _Value | None:
    """Return what the second wording has under `key`; None if the first one is meant."""
    return second.get(key) if policy == "general" else None
