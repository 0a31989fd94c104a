"""Issuing a complete licence against the plain reportlab + pyHanko pipeline, on the food business licence.

Ours is the whole line of `elicense.issue`: checked request, number, rehearsal, PDF/A-3a + PDF/UA-1 with embedded data,
preflight, signature, verification of the finished file, register and store in memory. The peer draws the same words,
QR code and seal and signs them; it keeps no register and checks nothing.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from benchmarks.checks import require_good
from benchmarks.measure import Ratio, compare
from benchmarks.plain import PlainPipeline
from elicense import IssuedLicence, IssueRequest, IssuingOffice, demo, issue
from elicense.registry.memory import MemoryRegistry, MemoryStore
from elicense.seal.preview import preview

TYPE = "food-business-licence"


@dataclass(frozen=True, slots=True)
class Bench:
    """Both sides, everything loaded."""

    office: IssuingOffice
    """Ours, register and store in memory."""
    request: IssueRequest
    """The sample; every run changes a field so that no two documents are alike."""
    plain: PlainPipeline
    """The peer."""
    rows: dict[str, str]
    """What the peer prints, by label."""
    title: str
    """What the peer prints on top."""
    at: datetime
    """One moment for all."""

    @classmethod
    def build(cls, folder: Path) -> Bench:
        """Return both sides over a throw-away authority made in `folder`."""
        at = datetime.now(UTC).replace(microsecond=0)
        made = demo.build(folder / "demo", at=at)
        office = replace(made, registry=MemoryRegistry(), store=MemoryStore())
        licence_type = office.catalogue[TYPE]
        request = licence_type.sample_request()
        keeper = next(k for k in office.keepers if k.authority.code == request.authority_code)
        seal_pdf = folder / "seal.pdf"
        seal_pdf.write_bytes(preview(keeper.seal.art, office.fonts, format="pdf"))
        key, _ = demo.key_files(folder / "demo", keeper.seal.number)
        leaf, chain = folder / "leaf.pem", folder / "chain.pem"
        leaf.write_bytes(keeper.signer.certificate.public_bytes(Encoding.PEM))
        chain.write_bytes(
            b"".join(certificate.public_bytes(Encoding.PEM) for certificate in keeper.signer.chain)
        )
        plain = PlainPipeline.load(
            font=licence_type.folder.parent / "fonts" / "NotoSerifSC-Regular.ttf",
            key=key, certificate=leaf, chain=chain, seal_pdf=seal_pdf,
        )  # fmt: skip
        draft = office.catalogue.draft(request, keeper.authority, at=at, verify_base=office.verify_base)
        rows = {
            field.zh: value
            if isinstance(value := draft.fields[field.name], str)
            else "　".join(map(str, value))
            for field in licence_type.fields
            if field.name in draft.fields
        }
        rows |= {"经营者名称": request.holders[0].name, "统一社会信用代码": request.holders[0].code}
        rows |= {"发证机关": keeper.authority.name, "日期": draft.issued_on.isoformat()}
        return cls(office, request, plain, rows, licence_type.name_zh, at)

    def ours(self, number: int) -> IssuedLicence:
        """Issue one licence."""
        fields = {**self.request.fields, "domicile": f"示例省样例市测试区样板路{number}号"}
        return issue(replace(self.request, fields=fields), self.office, at=self.at)

    def theirs(self, number: int) -> bytes:
        """Make one plain licence."""
        rows = {**self.rows, "住所": f"示例省样例市测试区样板路{number}号"}
        return self.plain.issue(self.title, rows, f"{self.office.verify_base}{number:060d}")


def run(rounds: int) -> list[Ratio]:
    """Return the ratios, after both sides' output passed its checks. Raises AssertionError if one does not."""
    with tempfile.TemporaryDirectory() as name:
        bench = Bench.build(Path(name))
        for number in range(3):
            issued = bench.ours(number)
            require_good(
                issued.pdf, bench.office.trust.anchors, issued.record.licence, verify_with=bench.office.trust
            )
            require_good(bench.theirs(number), bench.office.trust.anchors)
        title = "issue, B-B P-256, complete ÷ plain reportlab + pyHanko"
        return [compare(title, bench.ours, bench.theirs, rounds=rounds, per_round=(3, 1))]
