"""Words of the reports that are no check's answer: kinds of signature, coverage, levels, changes, headings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from elicense.reasons import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

AUTHENTIC: Mapping[str, Text] = {
    "TOTAL_PASSED": Text("真实", "authentic"),
    "INDETERMINATE": Text("无法确定", "cannot be decided"),
    "TOTAL_FAILED": Text("未通过", "NOT authentic"),
    "damaged": Text("已损坏或被改动", "damaged or altered"),
    "another": Text("不是完好的证照", "no licence in good order"),
}
"""The first answer in a word; a file that cannot be read is not called anything worse."""

SIGNATURE: Mapping[str, Text] = {
    "TOTAL_PASSED": Text("可信", "good"),
    "INDETERMINATE": Text("无法确定", "cannot be decided"),
    "TOTAL_FAILED": Text("未通过", "not good"),
}
"""The answer about one signature: not the file's, which is that of the worst of them."""

KINDS: Mapping[str, Text] = {
    "seal": Text("签章", "seal"),
    "certification": Text("认证签名", "certification signature"),
    "approval": Text("审批签名", "approval signature"),
    "timestamp": Text("文档时间戳", "document timestamp"),
}

COVERAGE: Mapping[str, Text] = {
    "whole_file": Text("整个文件", "the whole file"),
    "revision": Text(
        "签署时的版本，其后文件被追加过", "the version of that time; the file was extended since"
    ),
    "partial": Text("文件的一部分", "part of the file"),
}

LEVELS: Mapping[str, Text] = {
    "B-B": Text("B-B，无时间戳", "B-B, no timestamp"),
    "B-T": Text("B-T，有时间戳", "B-T, with a timestamp"),
    "B-LT": Text("B-LT，含长期验证数据", "B-LT, with data for long-term validation"),
    "B-LTA": Text("B-LTA，含归档时间戳", "B-LTA, with an archive timestamp"),
    "CMS": Text("普通 CMS 签名，不是 PAdES", "plain CMS signature, no PAdES"),
}

CHANGES: Mapping[str, Text] = {
    "seal": Text("盖入一枚签章", "a seal was applied"),
    "evidence": Text(
        "存入证书与吊销数据（归档用）", "certificates and revocation data were added, for the archive"
    ),
    "timestamp": Text("加盖文档时间戳", "a document timestamp was added"),
    "signature": Text("签入一个签名", "a signature was added"),
    "signature_field": Text("新增一个不可见的签名域", "an invisible signature field was added"),
    "signature_visible": Text("页面上新增一个签名域", "a signature field was put on a page"),
    "form": Text("填写或修改了表单", "a form was filled in or changed"),
    "annotation": Text("新增或修改了批注", "an annotation was added or changed"),
    "metadata": Text("修改了文档信息", "the document's metadata was changed"),
    "unused": Text("加入了没有引用的内容", "content was added that nothing refers to"),
    "other": Text("其他改动", "another change"),
}

POLICIES: Mapping[str, Text] = {
    "licence": Text("本系统证照（严格）", "licences of this system, strictly"),
    "general": Text("任何已签名的 PDF", "any signed PDF"),
}

TROUBLES: Mapping[str, Text] = {
    "unreadable": Text("文字无法读取，未作比较。", "The text cannot be read, so it was not compared."),
    "not_installed": Text(
        "未安装读取文字所需的软件包 pypdfium2，未作比较。",
        "The package pypdfium2, which reads text, is not installed, so nothing was compared.",
    ),
    "size": Text("文件过大，未作比较。", "The file is too large, so it was not compared."),
    "time": Text("读取文字用时过长，未作比较。", "Reading the text took too long, so it was not compared."),
    "memory": Text(
        "读取文字所需内存过大，未作比较。", "Reading the text needed too much memory; it was not compared."
    ),
    "process": Text(
        "读取文字的程序意外中止，未作比较。", "The process that reads text ended; nothing was compared."
    ),
}
"""Why there is no comparison of texts."""

NO_FORCE = Text("不适用（不是本系统的证照）", "does not apply (no licence of this system)")
"""The second answer under the policy general."""

ANOTHER = Text(
    "如果它本来就不是本系统的证照，请按 general 规则核验。",
    "If it never was a licence of this system, verify it by the policy general.",
)
"""What to do besides about a file that may be of another make."""

COMPARE = Text(
    "请核对下列内容与对方出示的证照是否一致；不一致的，不是同一份证照。",
    "Compare what stands here with what is shown to you; if they differ, you are shown another licence.",
)
"""What to do about a licence in force."""
CONDITIONS = Text(
    "请先核对登记的条件是否已满足，再据此办理业务。",
    "Check first that the recorded conditions are met.",
)
"""What to do about a licence in force under conditions."""

HEADINGS: Mapping[str, Text] = {
    "title": Text("查验报告", "Verification report"),
    "nature": Text(
        "本报告说明对一份电子文件的查验结果。它不是证照，也不能代替证照使用。",
        "This report says what was found when an electronic file was verified. It is no licence and replaces none.",
    ),
    "demo": Text(
        "演示系统：文中机构均为虚构，印章与本报告均不具法律效力。",
        "Demonstration: its authorities are invented; no seal and no report of it has legal force.",
    ),
    "authentic": Text("是否真实？", "Authentic?"),
    "in_force": Text("是否有效？", "In force?"),
    "why": Text("理由", "Why"),
    "what_to_do": Text("怎么办", "What to do"),
    "as_of": Text("截至", "as of"),
    "recorded": Text("登记原因", "recorded reason"),
    "file": Text("被查验的文件", "The file verified"),
    "sha256": Text("文件 SHA-256", "SHA-256 of the file"),
    "size": Text("文件大小", "Size of the file"),
    "verified_at": Text("查验时间", "Verified at"),
    "policy": Text("核验规则", "Policy"),
    "code": Text("结论代码", "Indication"),
    "licence": Text("证照", "The licence"),
    "type": Text("证照类型", "Type"),
    "number": Text("证照编号", "Number"),
    "identifier": Text("证照标识", "Identifier"),
    "holder": Text("持证主体", "Holder"),
    "authority": Text("颁发机构", "Issuing authority"),
    "validity": Text("有效期", "Validity"),
    "signatures": Text("签章与签名", "Seals and signatures"),
    "none": Text("未找到。", "None found."),
    "signer": Text("签署人", "Signed by"),
    "unproven": Text("未经证实", "not proven"),
    "claims": Text("所称签署人", "Said to be"),
    "kind": Text("种类", "Kind"),
    "seal": Text("印章编号", "Seal number"),
    "field": Text("签名域", "Field"),
    "claimed_time": Text("所称时间", "Claimed time"),
    "proven_time": Text("可证明的时间", "Proven time"),
    "not_proven": Text("没有可信时间戳", "no trusted timestamp"),
    "coverage": Text("覆盖范围", "Covers"),
    "level": Text("级别", "Level"),
    "answer": Text("结果", "Answer"),
    "certificate": Text("证书 SHA-256", "SHA-256 of the certificate"),
    "timestamps": Text("文档时间戳", "Document timestamps"),
    "revisions": Text("各个版本", "Revision by revision"),
    "revision": Text("版本", "Revision"),
    "changes": Text("改动", "What changed"),
    "signed_after": Text("涵盖此版本的签署", "Signed it or after"),
    "no_changes": Text("未列出改动", "no change listed"),
    "first_revision": Text("最初的内容", "what was there first"),
    "nobody": Text("无", "nobody"),
    "checks": Text("逐项检查", "All checks"),
    "check": Text("检查", "Check"),
    "shown": Text("签署时的版本与现在所见", "What was sealed or signed, and what is shown"),
    "shown_note": Text(
        "仅供参考，不影响结论：只比较文字，不比较图形。",
        "For information, no part of the answers: only text is compared, no pictures.",
    ),
    "shown_same": Text("文字没有差别。", "The text is the same."),
    "shown_cut": Text("差别较多或文件较长，未全部列出。", "There is more than is listed or was compared."),
    "sealed_sha256": Text("签署时版本的 SHA-256", "SHA-256 of the version sealed or signed"),
    "page": Text("第 {page} 页", "Page {page}"),
    "removed": Text("已不见", "gone"),
    "added": Text("新出现", "new"),
    "long_term": Text("长期", "no end"),
    "more": Text(
        "另有 {count} 项未列出，请看 XML 或 JSON 报告。", "{count} more are in the XML and JSON reports."
    ),
    "signed_by": Text(
        "本报告由“{name}”用专用的报告签名证书签名，该证书不是任何机构的印章。",
        "This report is signed by {name} with a certificate for reports alone, which is no authority's seal.",
    ),
}
"""Headings and labels."""


def heading(key: str, lang: str, **values: object) -> str:
    """Return a heading or label with its places filled in. Raises KeyError for a key that is none."""
    text = HEADINGS[key](lang)
    return text.format_map(values) if values else text


def named(table: Mapping[str, Text], key: str, lang: str) -> str:
    """Return what `table` calls `key`, or `key` itself if it does not know it."""
    return table[key](lang) if key in table else key


def without_changes(revision: int) -> Text:
    """Return what is said of a revision that has no list of changes."""
    return HEADINGS["no_changes" if revision else "first_revision"]
