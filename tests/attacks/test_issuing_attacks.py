"""What applicants type is text, whatever it looks like; the seal goes under nothing but what was cleared."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pypdf
import pytest

from elicense import preflight
from elicense.encoding import licence_to_json
from elicense.errors import ConfigurationError, IdempotencyConflict, InvalidLicenceData, NotAuthorised
from elicense.issuing import issue
from elicense.model import Holder, InForce, LicenceState
from elicense.verification.document import InProcess
from elicense.verification.pipeline import verify
from service.auth import load_departments
from tests.attacks import documents
from tests.support import demonstration
from tests.vectors.generate import VECTORS

HOSTILE = (
    "/ByteRange[0 24 30 999999999]",
    "/ByteRange [0 0000000001 0000000002 0000000003]/Contents <",
    "endstream endobj 7 0 obj <</JS(app.alert(1))>>",
    "startxref 0 %%EOF trailer <</Root 1 0 R>>",
    ") Tj ET Q BT /D0 99 Tf (forged) Tj (",
    "EMC /P <</MCID 0>> BDC BT /D0 9 Tf <0001> Tj ET EMC",
    "{number} {{holder.name}} {items@1-5} {x|code}",
    "]]></rdf:li><lic:certificateNumber>1</lic:certificateNumber>",
    '","number":"1","x":"\\u0000\\ud800',
    "<script>alert(1)</script> &lt; &amp;amp; <!--",
    "=HYPERLINK(1) ${jndi:x} %(name)s {0.__class__} {{7*7}}",
    "..／..／etc／passwd `id` $(id) ; rm",
)
"""What nobody writes who does not know what the file is made of."""
AMBIGUOUS = (
    "\u2f00示例", "\u2ee9示例", "李\u202e示例", "李\u200b示例", "李\u0000示例", "李\ufe00示例", "李\u3164示例",
    "李\n示例", "李\ud800示例", "e\u0301示例", "李\ufffe示例", "李\U000e0100示例",
)  # fmt: skip
"""Texts that two readers would see differently."""


@pytest.mark.parametrize("text", HOSTILE)
def test_values_are_text_and_nothing_else(text: str) -> None:
    """A holder's name, a field and a case number that look like syntax are issued, authentic, and read back."""
    office = demonstration.office()
    sample = demonstration.request_with(premises=text)
    holders = (Holder(text[:60].strip(), sample.holders[0].code_kind, sample.holders[0].code),)
    issued = issue(
        replace(sample, holders=holders, case_number=text[:40].strip()), office, at=demonstration.AT
    )
    report = verify(issued.pdf, trust=office.trust, at=demonstration.AT, sandbox=InProcess())
    report.require_passed()
    assert report.licence == json.loads(json.dumps(licence_to_json(issued.record.licence)))
    assert report.licence["holders"][0]["name"] == holders[0].name
    reader = pypdf.PdfReader(io.BytesIO(issued.pdf))
    assert len(reader.pages) == 1
    assert reader.metadata is not None
    assert reader.metadata.title == f"{issued.record.licence.type_name} {issued.record.licence.number}"
    packet = reader.root_object["/Metadata"].get_object().get_data().decode()
    names = [e.text for e in ET.fromstring(packet).iter() if e.tag.endswith("}certificateHolderName")]  # noqa: S314
    numbers = [e.text for e in ET.fromstring(packet).iter() if e.tag.endswith("}certificateNumber")]  # noqa: S314
    assert len(names) == 1
    assert numbers == [issued.record.licence.number]


@pytest.mark.parametrize("text", AMBIGUOUS)
def test_text_that_two_readers_see_differently_is_refused(text: str) -> None:
    """Direction marks, zero widths, controls, selectors, halves of pairs, radicals are not issued."""
    office = demonstration.office()
    with pytest.raises(InvalidLicenceData):
        issue(demonstration.request_with(legal_representative=text), office, at=demonstration.AT)
    sample = demonstration.request()
    holders = (replace(sample.holders[0], name=text),)
    with pytest.raises(InvalidLicenceData):
        issue(replace(sample, holders=holders), office, at=demonstration.AT)


def test_a_seal_written_anew_does_not_escape_a_revocation() -> None:
    """The holder of a revoked licence gains nothing from another file with the same covered bytes."""
    slug, office = documents.SLUGS[0], documents.office()
    rewritten = VECTORS["other-root-of-the-same-equation"](slug).data
    assert rewritten != documents.licence(slug)

    def state(data: bytes, days: int) -> InForce:
        at = documents.AT + timedelta(days=days)
        report = verify(data, trust=office.trust, at=at, registry=office.registry, sandbox=InProcess())
        report.require_passed()
        return report.in_force.state

    identifier = str(documents.record(slug).licence.identifier)
    revoked_on = documents.AT + timedelta(days=2)
    office.registry.change_state(identifier, LicenceState.REVOKED, reason="测试", at=revoked_on)
    assert (state(documents.licence(slug), 1), state(rewritten, 1)) == (InForce.IN_FORCE, InForce.NOT_KNOWN)
    assert (state(documents.licence(slug), 3), state(rewritten, 3)) == (InForce.REVOKED, InForce.REVOKED)


def test_the_register_of_licences_cannot_rename_the_authority() -> None:
    """On the path by hash, too, the name is the trust register's; a record that says another is not believed."""
    slug, office = documents.SLUGS[0], demonstration.office()
    issued = issue(demonstration.request(slug), office, at=documents.AT)
    authority = replace(issued.record.licence.authority, name="示例省样例市虚构局")
    record = replace(issued.record, licence=replace(issued.record.licence, authority=authority))

    class Forged:
        """A register whose writer changed a name."""

        def find_document(self, sha256: str) -> object:  # noqa: ARG002
            return record

        def status(self, identifier: str, *, at: object) -> object:
            return office.registry.status(identifier, at=at)

        def get(self, identifier: str) -> object:  # noqa: ARG002
            return record

    report = verify(issued.pdf, trust=office.trust, at=documents.AT, registry=Forged(), sandbox=InProcess())
    assert report.licence is not None
    assert report.licence["authority"]["name"] == issued.record.licence.authority.name


def test_no_authority_issues_under_a_name_the_trust_register_does_not_give_it() -> None:
    """A wrong name in the office's settings is refused before a number is spent."""
    office = demonstration.office()
    keepers = tuple(
        replace(one, authority=replace(one.authority, name="示例省样例市虚构局")) for one in office.keepers
    )
    with pytest.raises(NotAuthorised):
        issue(demonstration.request(), replace(office, keepers=keepers), at=demonstration.AT)
    assert office.registry.unfinished() == ()


def test_one_key_never_makes_two_licences_or_meets_another_authoritys() -> None:
    """The same key with other content is refused; another authority's same key is another request."""
    office = demonstration.office()
    first = issue(demonstration.request(idempotency_key="k"), office, at=demonstration.AT)
    again = issue(demonstration.request(idempotency_key="k"), office, at=demonstration.AT)
    assert again.pdf == first.pdf
    with pytest.raises(IdempotencyConflict):
        issue(demonstration.request(idempotency_key="k", case_number="1"), office, at=demonstration.AT)
    other = issue(
        demonstration.request("birth-certificate", idempotency_key="k"), office, at=demonstration.AT
    )
    assert other.record.licence.number != first.record.licence.number


def test_clearance_is_spent_once_and_cannot_be_made() -> None:
    """Nothing is sealed that preflight did not clear, and nothing cleared is sealed twice."""
    with pytest.raises(TypeError):
        preflight.ClearedDocument(object(), object(), _token=object())


def test_a_department_cannot_be_named_so_that_its_keys_meet_anothers(tmp_path: Path) -> None:
    """A slash in a department's name is refused: it would let "a" + "b/c" be "a/b" + "c"."""
    path = tmp_path / "departments.json"
    one = {"name": "a/b", "token_sha256": "0" * 64, "authorities": []}
    path.write_text(json.dumps({"schema": "elicense/departments/1", "departments": [one]}))
    with pytest.raises(ConfigurationError):
        load_departments(path)
