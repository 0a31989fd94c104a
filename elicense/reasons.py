"""Why a check did not pass, in plain words: an answer and an advice for each reason.

Codes are stable; texts may be reworded. Written for a clerk at a counter: no word here needs a dictionary of
cryptography. "Forged" is said of nothing: a damaged or altered file may have an honest bearer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


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
class Reason:
    """Why a check did not pass."""

    answer: Text
    """What is the case."""
    advice: Text
    """What to do next."""


def because(zh: str, en: str, advice: Text) -> Reason:
    """Return the reason with this answer and advice."""
    return Reason(Text(zh, en), advice)


ASK_ISSUER = Text(
    "请勿接受该文件；请持证人从颁发机构重新下载证照后再核验。",
    "Do not accept this file; ask the holder to download the licence again from the issuing authority.",
)
ORIGINAL = Text(
    "请勿接受该文件；请索取颁发机构签发的原始电子文件，不要转换、打印后扫描或另存的文件。",
    "Do not accept this file; ask for it as issued, not converted, scanned or saved by another program.",
)
CHECK_AUTHORITY = Text(
    "请通过官方渠道向证照上所称的颁发机构核实，核实之前不要接受。",
    "Ask the authority named on the licence, by its official contacts; do not accept the file before.",
)
UPDATE_TRUST = Text(
    "先不要接受；请系统管理员更新信任名册和证书吊销列表，然后再核验。",
    "Do not accept it yet; have your administrator update the trust register and lists, then check again.",
)
TRY_AGAIN = Text(
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
NOTHING = Text("无需处理。", "Nothing to do.")
_SIZE = Text("请提供不超过大小上限的文件。", "Bring a file below the size limit.")

_FILE: Mapping[str, Reason] = {
    "format.empty": because("文件为空。", "The file is empty.", ORIGINAL),
    "format.not_pdf": because("这不是 PDF 文件。", "This is not a PDF file.", ORIGINAL),
    "format.leading_bytes": because(
        "文件开头之前有多余内容。", "There is something before the beginning of the document.", ORIGINAL
    ),
    "format.cut": because("文件不完整，缺少结尾。", "The file is incomplete: its end is missing.", ORIGINAL),
    "format.after_end": because(
        "文件结尾之后有多余内容。", "Something was added behind the end of the document.", ASK_ISSUER
    ),
    "format.layout": because(
        "文件的内部结构不是本系统证照的结构，或已被改动。",
        "The inner structure is not that of our licences, or was altered.",
        ORIGINAL,
    ),
    "format.token": because("文件中有无法读取的内容。", "Part of the file cannot be read.", ORIGINAL),
    "format.nesting": because(
        "文件内部嵌套过深，无法读取。", "The file is nested too deeply to be read.", ORIGINAL
    ),
    "format.duplicate_key": because(
        "文件对同一项目给出了两个不同的说法。",
        "The file says two different things about one entry.",
        ASK_ISSUER,
    ),
    "format.encrypted": because(
        "文件已加密，证照文件从不加密。", "The file is encrypted; licences never are.", ORIGINAL
    ),
    "format.forbidden": because(
        "文件含有证照中不允许出现的内容，如脚本、链接或隐藏图层。",
        "The file holds something a licence never does: a script, a link, a hidden layer or the like.",
        ASK_ISSUER,
    ),
    "format.unused_object": because(
        "文件中藏有未使用的内容。", "The file holds hidden content that no page uses.", ASK_ISSUER
    ),
    "format.attachment": because(
        "附件不是唯一的证照数据文件。",
        "The attached files are not exactly the one with the licence's data.",
        ASK_ISSUER,
    ),
    "format.seal_field": because(
        "文件中的签章域不是恰好一个。", "The document does not have exactly one seal.", ORIGINAL
    ),
    "format.certification": because(
        "签章没有锁定文件以防改动。", "The seal does not lock the document against changes.", ORIGINAL
    ),
    "format.unsigned": because("文件没有签章。", "The file bears no seal.", ORIGINAL),
    "format.unsupported": because(
        "文件的内部写法超出本系统的读取范围，未能核对；文件本身未必有问题。",
        "The file is written in a way that cannot be checked here; it may be quite in order.",
        _OTHER_COPY,
    ),
    "format.removed_signature": because(
        "文件中有一个较早的签名已被移除。",
        "An earlier signature was taken out of the file before the present ones were made.",
        _ASK_SIGNER,
    ),
    "format.unreadable": because(
        "文件已损坏或被改动，无法作为盖章文件读取。",
        "The file is damaged or altered and cannot be read.",
        ORIGINAL,
    ),
    "limit.size": because("文件过大，未予检查。", "The file is too large and was not looked at.", _SIZE),
    "limit.complexity": because(
        "文件结构过于庞大，未予检查。",
        "The file has more parts than any licence and was not looked at.",
        _SIZE,
    ),
    "limit.time": because("检查用时过长，已中止。", "Checking took too long and was stopped.", TRY_AGAIN),
    "limit.memory": because(
        "检查所需内存过大，已中止。", "Checking needed too much memory and was stopped.", TRY_AGAIN
    ),
    "limit.process": because(
        "检查程序意外中止，未得出结论。",
        "The checking process ended unexpectedly; there is no answer.",
        TRY_AGAIN,
    ),
    "byte_range.shape": because(
        "签章所声明的覆盖范围写法不合规定。",
        "The seal's statement of what it covers is malformed.",
        ASK_ISSUER,
    ),
    "byte_range.gap": because(
        "签章未覆盖的部分不只是签章本身。", "The seal leaves out more than itself.", ASK_ISSUER
    ),
    "byte_range.coverage": because(
        "签章没有覆盖到文件结尾。", "The seal does not cover the file to its end.", ASK_ISSUER
    ),
    "byte_range.hex": because(
        "签章数据的写法与签发时不同。", "The seal's data is not written as it was issued.", ASK_ISSUER
    ),
    "byte_range.empty": because(
        "签章位置是空的：尚未盖章或已被抹去。", "The place of the seal is empty.", ASK_ISSUER
    ),
    "byte_range.der": because("签章数据已损坏。", "The seal's data is damaged.", ASK_ISSUER),
    "byte_range.padding": because(
        "签章数据之后藏有其他内容。", "Something is hidden behind the seal's data.", ASK_ISSUER
    ),
    "format.seals_missing": because(
        "联合行文尚未由全部机关盖章。",
        "Not every authority named has sealed yet.",
        Text(
            "请向主办机关索取全部盖章后的文件。",
            "Ask the first authority for the document with all its seals.",
        ),
    ),
    "changes.revision": because(
        "盖章之后文件又被追加了修改。", "The document was changed after it was sealed.", ASK_ISSUER
    ),
    "changes.not_permitted": because(
        "签名之后文件又有签名人不允许的改动。",
        "After signing, the file was changed in a way that the signer does not permit.",
        _ASK_SIGNER,
    ),
    "changes.in_doubt": because(
        "签名之后文件又有改动，无法确定签名人是否允许。",
        "After signing, the file was changed; whether the signer permits it cannot be told.",
        _ASK_SIGNER,
    ),
}

_SEAL: Mapping[str, Reason] = {
    "cms.unreadable": because("签章数据无法读取。", "The seal's data cannot be read.", ASK_ISSUER),
    "cms.foreign": because(
        "签章不是本系统证照的签章形式。", "The seal is not made as our licences are sealed.", CHECK_AUTHORITY
    ),
    "cms.algorithm": because(
        "签章所用算法不被接受。", "The seal uses an algorithm that is not accepted.", CHECK_AUTHORITY
    ),
    "cms.certificate": because(
        "文件中没有与签章对应的证书。",
        "The certificate that belongs to the seal is missing or another one.",
        CHECK_AUTHORITY,
    ),
    "digest.differs": because(
        "文件内容在盖章之后被改动。", "The content was altered after it was sealed.", ASK_ISSUER
    ),
    "digest.not_computed": because(
        "无法确定签章覆盖的内容是否一致。",
        "It cannot be told whether the sealed content is unchanged.",
        CHECK_AUTHORITY,
    ),
    "signature.differs": because(
        "签章不是由该证书的密钥作出的。",
        "The seal was not made with the key of this certificate.",
        ASK_ISSUER,
    ),
    "signature.weak_key": because(
        "签章密钥强度不足，不被接受。", "The seal's key is too weak to be accepted.", CHECK_AUTHORITY
    ),
    "time.no_claim": because(
        "签章没有写明盖章时间。", "The seal does not say when it was made.", CHECK_AUTHORITY
    ),
    "time.future": because(
        "签章时间晚于现在。",
        "The time of sealing lies in the future.",
        Text(
            "请核对本机时钟；时钟无误时请向颁发机构核实。",
            "Check your clock; if it is right, ask the authority.",
        ),
    ),
    "time.order": because(
        "签章与时间戳的时间先后矛盾。",
        "The times of seals and timestamps contradict each other.",
        CHECK_AUTHORITY,
    ),
    "time.token_unreadable": because("时间戳无法读取。", "The timestamp cannot be read.", CHECK_AUTHORITY),
    "time.token_wrong": because(
        "时间戳不属于这个签章。", "The timestamp does not belong to this seal.", CHECK_AUTHORITY
    ),
    "time.authority_unknown": because(
        "出具时间戳的机构不在信任名册中。",
        "Whoever made the timestamp is not in your trust register.",
        UPDATE_TRUST,
    ),
    "time.authority_not_current": because(
        "时间戳机构的证书目前无法确认，时间戳未计入。",
        "The timestamp authority's certificate cannot be relied on now; the timestamp was not counted.",
        UPDATE_TRUST,
    ),
    "path.no_anchor": because(
        "签章人未知：没有可信机构为其证书作保。",
        "The signer is unknown: nobody you trust vouches for him.",
        CHECK_AUTHORITY,
    ),
    "path.invalid": because(
        "签章人的证书链无效。", "The signer's chain of certificates is not valid.", CHECK_AUTHORITY
    ),
    "path.wrong_usage": because(
        "签章人的证书不是用于电子签章的。",
        "The signer's certificate was not issued for sealing.",
        CHECK_AUTHORITY,
    ),
    "path.expired": because(
        "签章证书已过期，且没有可信时间证明签章在此之前作出。",
        "The signer's certificate has expired and nothing proves that the seal is older than that.",
        CHECK_AUTHORITY,
    ),
    "path.not_yet_valid": because(
        "签章证书当时尚未生效。", "The signer's certificate was not yet valid.", CHECK_AUTHORITY
    ),
    "path.not_registered": because(
        "签章证书不在信任名册中。", "The signer's certificate is not in the trust register.", CHECK_AUTHORITY
    ),
    "path.other_authority": because(
        "签章人不是证照上所写的颁发机构。",
        "The signer is not the authority that the licence names.",
        CHECK_AUTHORITY,
    ),
    "path.other_type": because(
        "签章人无权签发此类证照。", "The signer may not issue this kind of licence.", CHECK_AUTHORITY
    ),
    "path.period": because(
        "盖章时签章人尚无或已无签发权。",
        "At the time of sealing the signer had no right to issue.",
        CHECK_AUTHORITY,
    ),
    "path.loose_certificates": because(
        "签章中夹带了来历不明的证书。", "The seal carries certificates that nothing vouches for.", ASK_ISSUER
    ),
    "revocation.no_data": because(
        "没有证书吊销列表，无法确认签章证书是否被吊销。",
        "There is no revocation list to tell whether the signer's certificate was revoked.",
        UPDATE_TRUST,
    ),
    "revocation.stale": because(
        "证书吊销列表已过期，无法确认。", "The revocation list is out of date.", UPDATE_TRUST
    ),
    "revocation.revoked": because(
        "签章证书在盖章之前已被吊销。",
        "The signer's certificate had been revoked before the seal was made.",
        CHECK_AUTHORITY,
    ),
    "revocation.revoked_no_proof": because(
        "签章证书已被吊销，且没有可信时间证明签章在此之前作出。",
        "The signer's certificate was revoked and nothing proves that the seal is older than that.",
        CHECK_AUTHORITY,
    ),
    "revocation.loose": because(
        "文件附带了与签章无关的验证数据。",
        "The file carries validation data that belongs to no seal in it.",
        Text(
            "请索取颁发机构的归档文件，或核验其盖章版本。",
            "Ask for the authority's own archive copy, or check the version as it was sealed.",
        ),
    ),
}

_LICENCE: Mapping[str, Reason] = {
    "content.schema": because(
        "内嵌的证照数据缺失或不合规范。",
        "The licence's data inside is missing or malformed.",
        CHECK_AUTHORITY,
    ),
    "content.identity": because(
        "内嵌数据与文件的签章时间或编号不符。",
        "The data inside belongs to another time of sealing or document.",
        CHECK_AUTHORITY,
    ),
    "content.index": because("内嵌的版面索引有误。", "The index of the page is wrong.", CHECK_AUTHORITY),
    "content.value": because(
        "版面索引与证照数据不一致。", "The index of the page and the licence's data differ.", CHECK_AUTHORITY
    ),
    "content.printed": because(
        "版面上印的与内嵌数据不一致。", "What is printed differs from the data inside.", CHECK_AUTHORITY
    ),
    "content.unlisted": because(
        "版面上有证照数据之外的文字。",
        "Text is printed that the licence's data does not know.",
        CHECK_AUTHORITY,
    ),
    "content.pages": because("页面结构无法读取。", "The pages cannot be read.", CHECK_AUTHORITY),
    "content.font": because(
        "版面文字的字体数据无法读取。", "The fonts of the printed text cannot be read.", CHECK_AUTHORITY
    ),
    "content.stream": because("页面内容无法读取。", "The content of a page cannot be read.", CHECK_AUTHORITY),
    "status.not_known": because(
        "登记册中没有这份证照。", "The register does not know this licence.", CHECK_AUTHORITY
    ),
    "status.offline": because(
        "未连接登记册，不知道证照目前的状态。",
        "Without the register nobody knows the licence's status now.",
        Text(
            "请联网查询，或向颁发机构查询证照目前是否有效。",
            "Look it up online, or ask the issuing authority whether the licence is in force.",
        ),
    ),
    "status.other_document": because(
        "登记册中该证照对应的是另一份文件。",
        "The register holds another document for this licence.",
        CHECK_AUTHORITY,
    ),
    "status.general": because(
        "该文件不是作为本系统证照核验的，无法查询其是否有效。",
        "The file was not checked as a licence of this system, so nothing is known about its being in force.",
        Text("请向签名人了解其效力。", "Ask the signer whether it still holds."),
    ),
    "status.suspended": because("证照已被暂扣。", "The licence is suspended.", _NOT_USABLE),
    "status.revoked": because("证照已被撤销。", "The licence was revoked.", _NOT_USABLE),
    "status.expired": because(
        "证照已过有效期。",
        "The licence has expired.",
        Text("请持证人出示延续后的新证照。", "Ask the holder for the renewed licence."),
    ),
    "status.not_yet_valid": because(
        "证照的有效期尚未开始。",
        "The licence is not yet valid.",
        Text("请在生效日之后再使用。", "Use it from its first day of validity on."),
    ),
    "status.superseded": because(
        "证照已被新证照替代。",
        "The licence was replaced by a newer one.",
        Text("请持证人出示新证照。", "Ask the holder for the newer licence."),
    ),
}

REASONS: Mapping[str, Reason] = {**_FILE, **_SEAL, **_LICENCE}
"""By stable code, everything a check can say besides "passed"."""
