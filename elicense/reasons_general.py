"""What is said of a signed PDF that is no licence of ours, where the first wording speaks of seals and licences.

Whatever is not here is said alike under both policies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from elicense.reasons import ASK_ISSUER, CHECK_AUTHORITY, NOTHING, ORIGINAL, REASONS, TRY_AGAIN, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

QUESTIONS: Mapping[str, tuple[Text, Text]] = {
    "byte_range": (
        Text(
            "签名是否覆盖签名时的全部内容？",
            "Does each signature cover everything there was when it was made?",
        ),
        Text("签名覆盖签名时的全部内容。", "Each signature covers everything there was when it was made."),
    ),
    "later_changes": (
        Text("签名之后是否没有不允许的改动？", "Was nothing changed after signing that may not be?"),
        Text("签名之后没有不允许的改动。", "Nothing was changed after signing that may not be."),
    ),
    "digest": (
        Text("文件内容是否与签名时一致？", "Is the content the same as when it was signed?"),
        Text("内容与签名时一致。", "The content is the same as when it was signed."),
    ),
    "signature": (
        Text("签名是否由证书所属密钥作出？", "Was the signature made with the key of its certificate?"),
        Text("签名由证书所属密钥作出。", "The signature was made with the key of its certificate."),
    ),
    "signing_time": (
        Text("签名时间是否合理？", "Does nothing contradict the time of signing?"),
        Text("签名时间没有矛盾。", "Nothing contradicts the time of signing."),
    ),
    "certificate_path": (
        Text("签名人的证书是否由可信机构签发？", "Does somebody you trust vouch for the signer?"),
        Text("签名人的证书由可信机构签发。", "Somebody you trust vouches for the signer."),
    ),
    "revocation": (
        Text("签名证书当时是否未被吊销？", "Was the signer's certificate not revoked at that time?"),
        Text("签名证书当时未被吊销。", "The signer's certificate was not revoked at that time."),
    ),
}
"""By code of the check, question and what is true when it passed."""

ANSWERS: Mapping[str, Text] = {
    "format.layout": Text(
        "文件的内部结构有误，或已被改动。", "The inner structure of the file is wrong, or was altered."
    ),
    "format.encrypted": Text(
        "文件已加密，无法核验。", "The file is encrypted and cannot be checked as it is."
    ),
    "format.forbidden": Text("文件含有不允许出现的内容。", "The file holds something that it may not."),
    "format.attachment": Text("文件的附件有误。", "The attached files are not as they should be."),
    "format.seal_field": Text(
        "文件中的签名域有误。", "A signature and its place in the file do not belong together."
    ),
    "format.certification": Text(
        "签名没有锁定文件以防改动。", "The signature does not lock the file against changes."
    ),
    "format.unsigned": Text("文件没有签名。", "The file bears no signature."),
    "format.unreadable": Text(
        "文件已损坏或被改动，无法读取。", "The file is damaged or altered and cannot be read."
    ),
    "limit.complexity": Text(
        "文件结构过于庞大，未予检查。", "The file has more parts than are looked at; it was not checked."
    ),
    "byte_range.shape": Text(
        "签名所声明的覆盖范围写法不合规定。", "A signature's statement of what it covers is malformed."
    ),
    "byte_range.gap": Text("签名未覆盖的部分不只是签名本身。", "A signature leaves out more than itself."),
    "byte_range.coverage": Text(
        "签名没有覆盖到签名时的文件结尾。",
        "A signature does not cover the file to the end that it had when it was made.",
    ),
    "byte_range.hex": Text("签名数据的写法有误。", "A signature's data is not written as it should be."),
    "byte_range.empty": Text("签名位置是空的：尚未签名或已被抹去。", "The place of a signature is empty."),
    "byte_range.der": Text("签名数据已损坏。", "A signature's data is damaged."),
    "byte_range.padding": Text(
        "签名数据之后藏有其他内容。", "Something is hidden behind a signature's data."
    ),
    "changes.revision": Text(
        "签名之后文件又被追加，追加的部分无法按规则读取。",
        "The file was extended after it was signed, in a way that cannot be followed.",
    ),
    "cms.unreadable": Text("签名数据无法读取。", "A signature's data cannot be read."),
    "cms.foreign": Text("签名的形式不被接受。", "A signature is made in a way that is not accepted here."),
    "cms.algorithm": Text("签名所用算法不被接受。", "A signature uses an algorithm that is not accepted."),
    "cms.certificate": Text(
        "文件中没有与签名对应的证书。",
        "The certificate that belongs to a signature is missing or another one.",
    ),
    "digest.differs": Text("文件内容在签名之后被改动。", "The content was altered after it was signed."),
    "digest.not_computed": Text(
        "无法确定签名覆盖的内容是否一致。", "It cannot be told whether the signed content is unchanged."
    ),
    "signature.differs": Text(
        "签名不是由该证书的密钥作出的。", "A signature was not made with the key of its certificate."
    ),
    "signature.weak_key": Text(
        "签名密钥强度不足，不被接受。", "A signature's key is too weak to be accepted."
    ),
    "time.no_claim": Text("签名没有写明时间。", "A signature does not say when it was made."),
    "time.future": Text("签名时间晚于现在。", "The time of signing lies in the future."),
    "time.order": Text(
        "签名与时间戳的时间先后矛盾。", "The times of signatures and timestamps contradict each other."
    ),
    "time.token_wrong": Text("时间戳不属于这个签名。", "The timestamp does not belong to what it stands by."),
    "path.no_anchor": Text(
        "签名人未知：没有可信机构为其证书作保。", "The signer is unknown: nobody you trust vouches for him."
    ),
    "path.invalid": Text("签名人的证书链无效。", "The signer's chain of certificates is not valid."),
    "path.wrong_usage": Text(
        "签名人的证书不是用于电子签名的。", "The signer's certificate was not issued for signing."
    ),
    "path.expired": Text(
        "签名证书已过期，且没有可信时间证明签名在此之前作出。",
        "The signer's certificate has expired and nothing proves that the signature is older than that.",
    ),
    "path.not_yet_valid": Text("签名证书当时尚未生效。", "The signer's certificate was not yet valid."),
    "revocation.no_data": Text(
        "没有证书吊销列表，无法确认签名证书是否被吊销。",
        "There is no revocation list to tell whether the signer's certificate was revoked.",
    ),
    "revocation.revoked": Text(
        "签名证书在签名之前已被吊销。",
        "The signer's certificate had been revoked before the signature was made.",
    ),
    "revocation.revoked_no_proof": Text(
        "签名证书已被吊销，且没有可信时间证明签名在此之前作出。",
        "The signer's certificate was revoked; nothing proves that the signature is older than that.",
    ),
    "TOTAL_PASSED": Text(
        "真实：每个签名都可信，此后没有不允许的改动。",
        "Authentic: every signature is good, and nothing was changed since that may not be.",
    ),
    "TOTAL_FAILED": Text(
        "未通过：文件已损坏、被改动或签名无效。",
        "Failed: damaged, altered, or a signature that is not valid.",
    ),
}
"""By reason, or main indication, what is the case."""

_SIGNER = Text(
    "请通过您自己掌握的可靠联系方式向签名人核实，核实之前不要接受。",
    "Ask the signer, by contacts that you know to be his; do not accept the file before he answers.",
)

ADVICE: Mapping[Text, Text] = {
    ASK_ISSUER: Text(
        "请勿接受该文件；请向签名人索取签名时的原始文件后再核验。",
        "Do not accept this file; ask the signer for the file as he signed it, and check that one.",
    ),
    ORIGINAL: Text(
        "请勿接受该文件；请索取签名时的原始电子文件，不要转换、打印后扫描或另存的文件。",
        "Do not accept this file; ask for it as it was signed, not converted, scanned or saved again.",
    ),
    CHECK_AUTHORITY: _SIGNER,
    TRY_AGAIN: Text(
        "先不要接受；请稍后再核验，仍不成功时请向签名人核实。",
        "Do not accept it yet; check again later, and if that fails ask the signer.",
    ),
    NOTHING: Text(
        "请确认签名人正是应当签署这份文件的人。",
        "Make sure that the signers are those who should have signed this file.",
    ),
    REASONS["time.future"].advice: Text(
        "请核对本机时钟；时钟无误时请向签名人核实。", "Check your clock; if it is right, ask the signer."
    ),
}
"""By the first wording's advice, what to do next."""

LICENCES_ALONE = frozenset(
    code
    for code in REASONS
    if code.startswith(("content.", "status."))
    or code in {"format.seals_missing", "format.unused_object", "path.not_registered", "path.other_authority"}
    or code in {"path.other_type", "path.period", "path.loose_certificates", "revocation.loose"}
)
"""Reasons that no check gives under the policy general, or that say themselves that it is no licence."""
