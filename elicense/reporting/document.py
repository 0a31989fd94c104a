"""The printable report: a signed PDF in Chinese and English about one file, and no licence.

PDF/A-3A, tagged, one revision, certified against every change; the ETSI XML report is attached. It is signed with
the key of whoever verified, under a certificate for reports alone: under the policy licence no verifier takes it
for a licence, because the trust register does not name that certificate and nothing of its shape is a licence's.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from elicense.errors import SigningError
from elicense.pki.keys import common_name
from elicense.rendering.metadata import output_intent, pdf_date, profile_stream
from elicense.rendering.objects import HEADER, Body, nums, ref, refs, stream, text_string, xref_lines
from elicense.rendering.pages import page_tree
from elicense.rendering.resources import write_fonts
from elicense.rendering.structure import Annotation, Element, TreeWriter, document_element, parent_tree
from elicense.reporting.content import write_content
from elicense.reporting.etsi import etsi_report
from elicense.reporting.layout import HEIGHT, WIDTH, Flow
from elicense.reporting.words import HEADINGS
from elicense.signing.cms import sign_digest
from elicense.signing.pades import required_capacity
from elicense.updates import digest_of, fill_gap

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from elicense.pki.keys import Signer
    from elicense.rendering.fonts import FontLibrary
    from elicense.verification.report import VerificationReport

ATTACHMENT = "report.xml"
"""Name of the attached XML report."""
FIELD = "Report"
"""Name of the signature field; never that of a seal."""
_GAP = b"/Contents "
_LOCKED = 4 | 128
"""Annotation flags: printed, cannot be moved."""


def pdf_report(
    report: VerificationReport, *, fonts: FontLibrary, signer: Signer, at: datetime, demo: bool = False
) -> bytes:
    """Return the report as a signed PDF (PAdES B-B).

    Args:
        report: what is reported; the page says the moment of the verification itself.
        fonts: what it is set in; a character that none of them has is shown as a box.
        signer: the service's own report key. It must not be a seal's.
        at: moment of signing, UTC.
        demo: whether this is a demonstration, which the page then says.

    Raises:
        KeyUnavailable: the key holder does not answer.
        SigningError: the signature does not fit the certificate or the space.
    """
    return _Writer(report, fonts, signer, at, demo).document()


@dataclass(slots=True)
class _Writer:
    """One document while it is written."""

    report: VerificationReport
    fonts: FontLibrary
    signer: Signer
    at: datetime
    demo: bool
    allocate: Callable[[], int] = field(init=False)
    body: Body = field(init=False)
    numbers: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.allocate = count(1).__next__
        self.body = Body(len(HEADER))
        names = ("signature", "catalogue", "information", "metadata", "profile", "pages", "resources", "widget",
                 "structure", "document", "parents", "file", "filespec")  # fmt: skip
        self.numbers = {name: self.allocate() for name in names}

    def document(self) -> bytes:
        """Return the finished, signed file."""
        numbers, body = self.numbers, self.body
        flow = Flow(self.fonts, self.allocate)
        write_content(flow, self.report, common_name(self.signer.certificate), demo=self.demo)
        body.add(numbers["signature"], self._signature((0, 0, 0, 0)))
        body.add(numbers["profile"], profile_stream())
        body.add(numbers["metadata"], stream("/Type/Metadata/Subtype/XML", self._xmp(), compress=False))
        body.add(numbers["information"], self._information())
        self._attach(etsi_report(self.report))
        used = write_fonts(body, self.allocate, flow.setter.subsets.build())
        body.add(numbers["resources"], f"<</Font<<{used}>>>>")
        self._write_pages(flow)
        self._write_structure(flow)
        body.add(numbers["catalogue"], self._catalogue())
        return self._signed()

    def _write_pages(self, flow: Flow) -> None:
        for key, page in enumerate(flow.pages):
            content = self.allocate()
            self.body.add(
                content, stream("", "".join(f"{part}\n" for part in page.operators).encode("ascii"))
            )
            widget = "" if key else f"/Annots[{ref(self.numbers['widget'])}]"
            self.body.add(
                page.number,
                f"<</Type/Page/Parent {ref(self.numbers['pages'])}/MediaBox[0 0 {nums(WIDTH, HEIGHT)}]"
                f"/Resources {ref(self.numbers['resources'])}/Contents {ref(content)}{widget}"
                f"/StructParents {key}/Tabs/S>>",
            )
        self.body.add(self.numbers["pages"], page_tree([page.number for page in flow.pages]))

    def _write_structure(self, flow: Flow) -> None:
        numbers, body = self.numbers, self.body
        tree = TreeWriter(body, self.allocate)
        form = Element("Form", (Annotation(numbers["widget"], flow.pages[0].number),))
        kids = [tree.add(element, numbers["document"]) for element in (*flow.elements, form)]
        trees = f"/K {ref(numbers['document'])}/ParentTree {ref(numbers['parents'])}"
        body.add(numbers["structure"], f"<</Type/StructTreeRoot{trees}>>")
        body.add(numbers["document"], document_element(numbers["structure"], kids))
        owners = [tree.owners[page.number] for page in flow.pages]
        body.add(numbers["parents"], parent_tree(owners, tree.widgets[numbers["widget"]]))
        head = (
            f"<</Type/Annot/Subtype/Widget/FT/Sig/T({FIELD})/V {ref(numbers['signature'])}/F {_LOCKED}"
            f"/P {ref(flow.pages[0].number)}/Rect[0 0 0 0]/StructParent {len(flow.pages)}/TU "
        )
        words = f"{HEADINGS['title'].zh}签名 Signature of the {HEADINGS['title'].en.lower()}"
        body.add(numbers["widget"], head.encode("ascii") + text_string(words) + b">>")

    def _attach(self, xml: bytes) -> None:
        moment = pdf_date(self.at)
        self.body.add(
            self.numbers["file"],
            stream(
                f"/Type/EmbeddedFile/Subtype/text#2Fxml/Params<</Size {len(xml)}/ModDate({moment})>>", xml
            ),
        )
        file = ref(self.numbers["file"])
        self.body.add(
            self.numbers["filespec"],
            f"<</Type/Filespec/F({ATTACHMENT})/UF({ATTACHMENT})/AFRelationship/Data/EF<</F {file}/UF {file}>>"
            "/Desc(ETSI TS 119 102-2 validation report)>>",
        )

    def _catalogue(self) -> str:
        numbers, attached = self.numbers, ref(self.numbers["filespec"])
        return (
            f"<</Type/Catalog/Version/1.7/Pages {ref(numbers['pages'])}/Metadata {ref(numbers['metadata'])}"
            "/Lang(zh-CN)/ViewerPreferences<</DisplayDocTitle true>>/MarkInfo<</Marked true>>"
            f"/StructTreeRoot {ref(numbers['structure'])}/OutputIntents[{output_intent(numbers['profile'])}]"
            f"/AcroForm<</Fields[{refs([numbers['widget']])}]/SigFlags 3>>"
            f"/Perms<</DocMDP {ref(numbers['signature'])}>>/AF[{attached}]"
            f"/Names<</EmbeddedFiles<</Names[({ATTACHMENT}){attached}]>>>>>>"
        )

    def _title(self) -> str:
        return f"{HEADINGS['title'].zh} {HEADINGS['title'].en} {self.report.sha256[:16]}"

    def _information(self) -> bytes:
        moment = pdf_date(self.at).encode("ascii")
        author = text_string(common_name(self.signer.certificate))
        return b"<</Title %s/Author %s/Producer(elicense)/CreationDate(%s)/ModDate(%s)>>" % (
            text_string(self._title()), author, moment, moment,
        )  # fmt: skip

    def _xmp(self) -> bytes:
        moment = self.at.strftime("%Y-%m-%dT%H:%M:%SZ")
        author = escape(common_name(self.signer.certificate))
        return (
            '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
            '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
            '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"'
            ' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"'
            ' xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">'
            "<pdfaid:part>3</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance>"
            f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(self._title())}</rdf:li></rdf:Alt></dc:title>'
            f"<dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator>"
            f"<pdf:Producer>elicense</pdf:Producer><xmp:CreateDate>{moment}</xmp:CreateDate>"
            f"<xmp:ModifyDate>{moment}</xmp:ModifyDate>"
            '</rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end="r"?>'
        ).encode()

    def _signature(self, byte_range: tuple[int, int, int, int]) -> bytes:
        """Return the signature dictionary; its length does not depend on `byte_range`.

        Source: ISO 32000-1, 12.8.1 and 12.8.2.2 (certification, no changes allowed).
        """
        return (
            b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached"
            b"/Reference[<</Type/SigRef/TransformMethod/DocMDP/TransformParams<</Type/TransformParams/P 1/V/1.2>>>>]"
            b"/M(%s)/ByteRange [%d %010d %010d %010d]%s<%s>>>"
            % (pdf_date(self.at).encode("ascii"), *byte_range, _GAP, b"00" * required_capacity(self.signer))
        )

    def _signed(self) -> bytes:
        """Return the whole file with its signature in place."""
        body, size = self.body, self.allocate()
        table = b"xref\n0 %d\n0000000000 65535 f \n%s" % (
            size, xref_lines([body.offsets[number] for number in range(1, size)]),
        )  # fmt: skip
        identifier = hashlib.sha256(body.joined()).hexdigest()[:32]
        trailer = (
            f"trailer\n<</Size {size}/Root {ref(self.numbers['catalogue'])}/Info {ref(self.numbers['information'])}"
            f"/ID[<{identifier}><{identifier}>]>>\nstartxref\n{body.end}\n%%EOF\n"
        ).encode("ascii")
        # The signature dictionary is the first object, so the gap's place is known.
        gap = len(HEADER) + body.parts[0].index(_GAP) + len(_GAP)
        capacity = required_capacity(self.signer)
        end, total = gap + 2 * capacity + 2, body.end + len(table) + len(trailer)
        byte_range = (0, gap, end, total - end)
        body.parts[0] = body.parts[0].replace(self._signature((0, 0, 0, 0)), self._signature(byte_range))
        pdf = b"".join((HEADER, *body.parts, table, trailer))
        der = sign_digest(digest_of(pdf, byte_range, self.signer.algorithm.digest), self.signer)
        try:
            return fill_gap(pdf, byte_range, der)
        except ValueError as error:
            raise SigningError(
                f"the report's signature needs {len(der)} bytes, not {capacity}: use a shorter chain of certificates",
                f"报告签名需要 {len(der)} 字节，而预留仅 {capacity} 字节：请使用较短的证书链",
            ) from error
