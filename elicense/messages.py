"""What a verification says in plain words: a question for each check, an answer and an advice for each reason.

Codes are stable; texts may be reworded. Written for a clerk at a counter: no word here needs a dictionary of
cryptography. "Forged" is said of nothing: a damaged or altered file may have an honest bearer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Text:
    """One text in both languages."""

    zh: str
    """Chinese."""
    en: str
    """English."""

    def __call__(self, lang: str = "en") -> str:
        """Return the text in `lang`; anything but "zh" is English."""
        return self.zh if lang == "zh" else self.en


@dataclass(frozen=True, slots=True)
class Question:
    """One check."""

    question: Text
    """What it asks."""
    passed: Text
    """What is true when it passed."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a check did not pass."""

    answer: Text
    """What is the case."""
    advice: Text
    """What to do next."""


def _because(zh: str, en: str, advice: Text) -> Reason:
    return Reason(Text(zh, en), advice)


_ASK_ISSUER = Text(
    "请勿接受该文件；请持证人从颁发机构重新下载证照后再核验。",
    "Do not accept this file; ask the holder to download the licence again from the issuing authority.",
)
_ORIGINAL = Text(
    "请勿接受该文件；请索取颁发机构签发的原始电子文件，不要转换、打印后扫描或另存的文件。",
    "Do not accept this file; ask for it as issued, not converted, scanned or saved by another program.",
)
_CHECK_AUTHORITY = Text(
    "请通过官方渠道向证照上所称的颁发机构核实，核实之前不要接受。",
    "Ask the authority named on the licence, by its official contacts; do not accept the file before.",
)
_UPDATE_TRUST = Text(
    "先不要接受；请系统管理员更新信任名册和证书吊销列表，然后再核验。",
    "Do not accept it yet; have your administrator update the trust register and lists, then check again.",
)
_TRY_AGAIN = Text(
    "先不要接受；请稍后再核验，仍不成功时请向颁发机构核实。",
    "Do not accept it yet; check again later, and if that fails ask the issuing authority.",
)
_NOT_USABLE = Text(
    "请勿据此办理业务；如有疑问，请通过官方渠道向颁发机构查询。",
    "Do not rely on it; if in doubt ask the issuing authority, by its official contacts.",
)
_ASK_SIGNER = Text(
    "请查看改动清单，并向签名人核实；核实之前不要接受。",
    "Look at the list of changes and ask the signer; do not accept the file before he answers.",
)
_OTHER_COPY = Text(
    "请索取签名时的原始文件，或请签名人用常用软件重新签名。",
    "Ask for the file as it was signed, or have it signed again with a usual program.",
)
_NOTHING = Text("无需处理。", "Nothing to do.")
_SIZE = Text("请提供不超过大小上限的文件。", "Bring a file below the size limit.")

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

_FILE: Mapping[str, Reason] = {
    "format.empty": _because("文件为空。", "The file is empty.", _ORIGINAL),
    "format.not_pdf": _because("这不是 PDF 文件。", "This is not a PDF file.", _ORIGINAL),
    "format.leading_bytes": _because(
        "文件开头之前有多余内容。", "There is something before the beginning of the document.", _ORIGINAL
    ),
    "format.cut": _because(
        "文件不完整，缺少结尾。", "The file is incomplete: its end is missing.", _ORIGINAL
    ),
    "format.after_end": _because(
        "文件结尾之后有多余内容。", "Something was added behind the end of the document.", _ASK_ISSUER
    ),
    "format.layout": _because(
        "文件的内部结构不是本系统证照的结构，或已被改动。",
        "The inner structure is not that of our licences, or was altered.",
        _ORIGINAL,
    ),
    "format.token": _because("文件中有无法读取的内容。", "Part of the file cannot be read.", _ORIGINAL),
    "format.nesting": _because(
        "文件内部嵌套过深，无法读取。", "The file is nested too deeply to be read.", _ORIGINAL
    ),
    "format.duplicate_key": _because(
        "文件对同一项目给出了两个不同的说法。",
        "The file says two different things about one entry.",
        _ASK_ISSUER,
    ),
    "format.encrypted": _because(
        "文件已加密，证照文件从不加密。", "The file is encrypted; licences never are.", _ORIGINAL
    ),
    "format.forbidden": _because(
        "文件含有证照中不允许出现的内容，如脚本、链接或隐藏图层。",
        "The file holds something a licence never does: a script, a link, a hidden layer or the like.",
        _ASK_ISSUER,
    ),
    "format.unused_object": _because(
        "文件中藏有未使用的内容。", "The file holds hidden content that no page uses.", _ASK_ISSUER
    ),
    "format.attachment": _because(
        "附件不是唯一的证照数据文件。",
        "The attached files are not exactly the one with the licence's data.",
        _ASK_ISSUER,
    ),
    "format.seal_field": _because(
        "文件中的签章域不是恰好一个。", "The document does not have exactly one seal.", _ORIGINAL
    ),
    "format.certification": _because(
        "签章没有锁定文件以防改动。", "The seal does not lock the document against changes.", _ORIGINAL
    ),
    "format.unsigned": _because("文件没有签章。", "The file bears no seal.", _ORIGINAL),
    "format.unsupported": _because(
        "文件的内部写法超出本系统的读取范围，未能核对；文件本身未必有问题。",
        "The file is written in a way that cannot be checked here; it may be quite in order.",
        _OTHER_COPY,
    ),
    "format.removed_signature": _because(
        "文件中有一个较早的签名已被移除。",
        "An earlier signature was taken out of the file before the present ones were made.",
        _ASK_SIGNER,
    ),
    "format.unreadable": _because(
        "文件已损坏或被改动，无法作为盖章文件读取。",
        "The file is damaged or altered and cannot be read.",
        _ORIGINAL,
    ),
    "limit.size": _because("文件过大，未予检查。", "The file is too large and was not looked at.", _SIZE),
    "limit.complexity": _because(
        "文件结构过于庞大，未予检查。",
        "The file has more parts than any licence and was not looked at.",
        _SIZE,
    ),
    "limit.time": _because("检查用时过长，已中止。", "Checking took too long and was stopped.", _TRY_AGAIN),
    "limit.memory": _because(
        "检查所需内存过大，已中止。", "Checking needed too much memory and was stopped.", _TRY_AGAIN
    ),
    "limit.process": _because(
        "检查程序意外中止，未得出结论。",
        "The checking process ended unexpectedly; there is no answer.",
        _TRY_AGAIN,
    ),
    "byte_range.shape": _because(
        "签章所声明的覆盖范围写法不合规定。",
        "The seal's statement of what it covers is malformed.",
        _ASK_ISSUER,
    ),
    "byte_range.gap": _because(
        "签章未覆盖的部分不只是签章本身。", "The seal leaves out more than itself.", _ASK_ISSUER
    ),
    "byte_range.coverage": _because(
        "签章没有覆盖到文件结尾。", "The seal does not cover the file to its end.", _ASK_ISSUER
    ),
    "byte_range.hex": _because(
        "签章数据的写法与签发时不同。", "The seal's data is not written as it was issued.", _ASK_ISSUER
    ),
    "byte_range.empty": _because(
        "签章位置是空的：尚未盖章或已被抹去。", "The place of the seal is empty.", _ASK_ISSUER
    ),
    "byte_range.der": _because("签章数据已损坏。", "The seal's data is damaged.", _ASK_ISSUER),
    "byte_range.padding": _because(
        "签章数据之后藏有其他内容。", "Something is hidden behind the seal's data.", _ASK_ISSUER
    ),
    "format.seals_missing": _because(
        "联合行文尚未由全部机关盖章。",
        "Not every authority named has sealed yet.",
        Text(
            "请向主办机关索取全部盖章后的文件。",
            "Ask the first authority for the document with all its seals.",
        ),
    ),
    "changes.revision": _because(
        "盖章之后文件又被追加了修改。", "The document was changed after it was sealed.", _ASK_ISSUER
    ),
    "changes.not_permitted": _because(
        "签名之后文件又有签名人不允许的改动。",
        "After signing, the file was changed in a way that the signer does not permit.",
        _ASK_SIGNER,
    ),
    "changes.in_doubt": _because(
        "签名之后文件又有改动，无法确定签名人是否允许。",
        "After signing, the file was changed; whether the signer permits it cannot be told.",
        _ASK_SIGNER,
    ),
}

_SEAL: Mapping[str, Reason] = {
    "cms.unreadable": _because("签章数据无法读取。", "The seal's data cannot be read.", _ASK_ISSUER),
    "cms.foreign": _because(
        "签章不是本系统证照的签章形式。", "The seal is not made as our licences are sealed.", _CHECK_AUTHORITY
    ),
    "cms.algorithm": _because(
        "签章所用算法不被接受。", "The seal uses an algorithm that is not accepted.", _CHECK_AUTHORITY
    ),
    "cms.certificate": _because(
        "文件中没有与签章对应的证书。",
        "The certificate that belongs to the seal is missing or another one.",
        _CHECK_AUTHORITY,
    ),
    "digest.differs": _because(
        "文件内容在盖章之后被改动。", "The content was altered after it was sealed.", _ASK_ISSUER
    ),
    "digest.not_computed": _because(
        "无法确定签章覆盖的内容是否一致。",
        "It cannot be told whether the sealed content is unchanged.",
        _CHECK_AUTHORITY,
    ),
    "signature.differs": _because(
        "签章不是由该证书的密钥作出的。",
        "The seal was not made with the key of this certificate.",
        _ASK_ISSUER,
    ),
    "signature.weak_key": _because(
        "签章密钥强度不足，不被接受。", "The seal's key is too weak to be accepted.", _CHECK_AUTHORITY
    ),
    "time.no_claim": _because(
        "签章没有写明盖章时间。", "The seal does not say when it was made.", _CHECK_AUTHORITY
    ),
    "time.future": _because(
        "签章时间晚于现在。",
        "The time of sealing lies in the future.",
        Text(
            "请核对本机时钟；时钟无误时请向颁发机构核实。",
            "Check your clock; if it is right, ask the authority.",
        ),
    ),
    "time.order": _because(
        "自称的签章时间晚于时间戳所证明的。",
        "The claimed time is later than the timestamp.",
        _CHECK_AUTHORITY,
    ),
    "time.token_unreadable": _because("时间戳无法读取。", "The timestamp cannot be read.", _CHECK_AUTHORITY),
    "time.token_wrong": _because(
        "时间戳不属于这个签章。", "The timestamp does not belong to this seal.", _CHECK_AUTHORITY
    ),
    "time.authority_unknown": _because(
        "出具时间戳的机构不在信任名册中。",
        "Whoever made the timestamp is not in your trust register.",
        _UPDATE_TRUST,
    ),
    "time.authority_not_current": _because(
        "时间戳机构的证书目前无法确认，时间戳未计入。",
        "The timestamp authority's certificate cannot be relied on now; the timestamp was not counted.",
        _UPDATE_TRUST,
    ),
    "path.no_anchor": _because(
        "签章人未知：没有可信机构为其证书作保。",
        "The signer is unknown: nobody you trust vouches for him.",
        _CHECK_AUTHORITY,
    ),
    "path.invalid": _because(
        "签章人的证书链无效。", "The signer's chain of certificates is not valid.", _CHECK_AUTHORITY
    ),
    "path.wrong_usage": _because(
        "签章人的证书不是用于电子签章的。",
        "The signer's certificate was not issued for sealing.",
        _CHECK_AUTHORITY,
    ),
    "path.expired": _because(
        "签章证书已过期，且没有可信时间证明签章在此之前作出。",
        "The signer's certificate has expired and nothing proves that the seal is older than that.",
        _CHECK_AUTHORITY,
    ),
    "path.not_yet_valid": _because(
        "签章证书当时尚未生效。", "The signer's certificate was not yet valid.", _CHECK_AUTHORITY
    ),
    "path.not_registered": _because(
        "签章证书不在信任名册中。", "The signer's certificate is not in the trust register.", _CHECK_AUTHORITY
    ),
    "path.other_authority": _because(
        "签章人不是证照上所写的颁发机构。",
        "The signer is not the authority that the licence names.",
        _CHECK_AUTHORITY,
    ),
    "path.other_type": _because(
        "签章人无权签发此类证照。", "The signer may not issue this kind of licence.", _CHECK_AUTHORITY
    ),
    "path.period": _because(
        "盖章时签章人尚无或已无签发权。",
        "At the time of sealing the signer had no right to issue.",
        _CHECK_AUTHORITY,
    ),
    "path.loose_certificates": _because(
        "签章中夹带了来历不明的证书。", "The seal carries certificates that nothing vouches for.", _ASK_ISSUER
    ),
    "revocation.no_data": _because(
        "没有证书吊销列表，无法确认签章证书是否被吊销。",
        "There is no revocation list to tell whether the signer's certificate was revoked.",
        _UPDATE_TRUST,
    ),
    "revocation.stale": _because(
        "证书吊销列表已过期，无法确认。", "The revocation list is out of date.", _UPDATE_TRUST
    ),
    "revocation.revoked": _because(
        "签章证书在盖章之前已被吊销。",
        "The signer's certificate had been revoked before the seal was made.",
        _CHECK_AUTHORITY,
    ),
    "revocation.revoked_no_proof": _because(
        "签章证书已被吊销，且没有可信时间证明签章在此之前作出。",
        "The signer's certificate was revoked and nothing proves that the seal is older than that.",
        _CHECK_AUTHORITY,
    ),
    "revocation.loose": _because(
        "文件附带了与签章无关的验证数据。",
        "The file carries validation data that belongs to no seal in it.",
        Text(
            "请索取颁发机构的归档文件，或核验其盖章版本。",
            "Ask for the authority's own archive copy, or check the version as it was sealed.",
        ),
    ),
}

_LICENCE: Mapping[str, Reason] = {
    "content.schema": _because(
        "内嵌的证照数据缺失或不合规范。",
        "The licence's data inside is missing or malformed.",
        _CHECK_AUTHORITY,
    ),
    "content.identity": _because(
        "内嵌数据与文件的签章时间或编号不符。",
        "The data inside belongs to another time of sealing or document.",
        _CHECK_AUTHORITY,
    ),
    "content.index": _because("内嵌的版面索引有误。", "The index of the page is wrong.", _CHECK_AUTHORITY),
    "content.value": _because(
        "版面索引与证照数据不一致。", "The index of the page and the licence's data differ.", _CHECK_AUTHORITY
    ),
    "content.printed": _because(
        "版面上印的与内嵌数据不一致。", "What is printed differs from the data inside.", _CHECK_AUTHORITY
    ),
    "content.unlisted": _because(
        "版面上有证照数据之外的文字。",
        "Text is printed that the licence's data does not know.",
        _CHECK_AUTHORITY,
    ),
    "content.pages": _because("页面结构无法读取。", "The pages cannot be read.", _CHECK_AUTHORITY),
    "content.font": _because(
        "版面文字的字体数据无法读取。", "The fonts of the printed text cannot be read.", _CHECK_AUTHORITY
    ),
    "content.stream": _because(
        "页面内容无法读取。", "The content of a page cannot be read.", _CHECK_AUTHORITY
    ),
    "status.not_known": _because(
        "登记册中没有这份证照。", "The register does not know this licence.", _CHECK_AUTHORITY
    ),
    "status.offline": _because(
        "未连接登记册，不知道证照目前的状态。",
        "Without the register nobody knows the licence's status now.",
        Text(
            "请联网查询，或向颁发机构查询证照目前是否有效。",
            "Look it up online, or ask the issuing authority whether the licence is in force.",
        ),
    ),
    "status.other_document": _because(
        "登记册中该证照对应的是另一份文件。",
        "The register holds another document for this licence.",
        _CHECK_AUTHORITY,
    ),
    "status.general": _because(
        "该文件不是作为本系统证照核验的，无法查询其是否有效。",
        "The file was not checked as a licence of this system, so nothing is known about its being in force.",
        Text("请向签名人了解其效力。", "Ask the signer whether it still holds."),
    ),
    "status.suspended": _because("证照已被暂扣。", "The licence is suspended.", _NOT_USABLE),
    "status.revoked": _because("证照已被撤销。", "The licence was revoked.", _NOT_USABLE),
    "status.expired": _because(
        "证照已过有效期。",
        "The licence has expired.",
        Text("请持证人出示延续后的新证照。", "Ask the holder for the renewed licence."),
    ),
    "status.not_yet_valid": _because(
        "证照的有效期尚未开始。",
        "The licence is not yet valid.",
        Text("请在生效日之后再使用。", "Use it from its first day of validity on."),
    ),
    "status.superseded": _because(
        "证照已被新证照替代。",
        "The licence was replaced by a newer one.",
        Text("请持证人出示新证照。", "Ask the holder for the newer licence."),
    ),
}

REASONS: Mapping[str, Reason] = {**_FILE, **_SEAL, **_LICENCE}
"""By stable code, everything a check can say besides "passed"."""

INDICATIONS: Mapping[str, Reason] = {
    "TOTAL_PASSED": _because(
        "真实：由所示机构盖章，未被改动。",
        "Authentic: sealed by the authority shown, and unchanged.",
        _NOTHING,
    ),
    "INDETERMINATE": _because(
        "无法确定：既未证明真实，也未证明不真实。",
        "Cannot be decided: proven neither genuine nor not.",
        _CHECK_AUTHORITY,
    ),
    "TOTAL_FAILED": _because(
        "未通过：文件已损坏、被改动或签章无效。",
        "Failed: damaged, altered, or a seal that is not valid.",
        _ASK_ISSUER,
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
    "NOT_RUN": Text("因前项未通过而未检查", "not run, because an earlier check did not pass"),
    "RECORDED": Text("签发时已检查并登记", "checked and recorded when it was issued"),
    "NOT_CONFIGURED": Text("不适用", "does not apply"),
    "NOT_KNOWN": Text("未知", "not known"),
}
"""What became of a check."""


def question(code: str, lang: str = "en") -> str:
    """Return what a check asks. Raises KeyError for a code that is none."""
    return QUESTIONS[code].question(lang)


def passed(code: str, lang: str = "en") -> str:
    """Return what is true when a check passed. Raises KeyError for a code that is none."""
    return QUESTIONS[code].passed(lang)


def answer(reason: str, lang: str = "en") -> str:
    """Return what is the case when a check gave this reason. Raises KeyError for a code that is none."""
    return REASONS[reason].answer(lang)


def advice(reason: str, lang: str = "en") -> str:
    """Return what to do next. Raises KeyError for a code that is none."""
    return REASONS[reason].advice(lang)


def status(name: str, lang: str = "en") -> str:
    """Return what became of a check, by the name of its CheckStatus. Raises KeyError for another."""
    return STATUSES[name](lang)


def indication(name: str, lang: str = "en") -> str:
    """Return the answer to "authentic?", by the name of its Indication. Raises KeyError for another."""
    return INDICATIONS[name].answer(lang)


def indication_advice(name: str, lang: str = "en") -> str:
    """Return what to do about an answer to "authentic?". Raises KeyError for a name that is none."""
    return INDICATIONS[name].advice(lang)


def in_force(state: str, lang: str = "en") -> str:
    """Return the answer to "in force?", by the value of its InForce. Raises KeyError for another."""
    return IN_FORCE[state](lang)
