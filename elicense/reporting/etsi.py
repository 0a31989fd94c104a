"""The report as XML validation report of ETSI TS 119 102-2.

One SignatureValidationReport for each signature (one in all if there is none), with the twelve checks as validation
constraints; certificates and timestamps as validation objects, known by their digests or fields. Sub-indications
that are ours (UNSIGNED, LIMIT_REACHED) and the constraints have URNs of ours.

Source: ETSI TS 119 102-2 V1.4.1 (its XML schema and the names EU DSS uses were read, the text was not).
"""

from __future__ import annotations

import base64
import itertools
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from elicense import messages
from elicense.verification.report import CheckStatus, Indication, SubIndication, moment_text

if TYPE_CHECKING:
    from datetime import datetime

    from elicense.verification.facts import PathFacts, SignatureFacts, TimestampFacts
    from elicense.verification.report import Outcome, SignatureSummary, VerificationReport

NAMESPACE = "http://uri.etsi.org/19102/v1.4.1#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
XMLDSIG = "http://www.w3.org/2000/09/xmldsig#"
_PREFIXES = {"vr": NAMESPACE, "xades": XADES, "ds": XMLDSIG}
_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"

_ETSI = "urn:etsi:019102:"
_OURS = "urn:elicense:"
_OWN_SUB_INDICATIONS = {SubIndication.UNSIGNED, SubIndication.LIMIT_REACHED}
_PROCESS = {"B-LTA": "LTA", "B-LT": "LTVM", "B-T": "LTVM"}
"""Level -> process it was validated by; everything else is Basic."""
_CHECK_INDICATIONS = {
    CheckStatus.PASSED: "passed",
    CheckStatus.RECORDED: "passed",
    CheckStatus.FAILED: "failed",
    CheckStatus.INDETERMINATE: "indeterminate",
}
_REASONS = {
    "unspecified": "unspecified", "key_compromise": "keyCompromise", "ca_compromise": "cACompromise",
    "affiliation_changed": "affiliationChanged", "superseded": "superseded", "aa_compromise": "aACompromise",
    "cessation_of_operation": "cessationOfOperation", "certificate_hold": "certificateHold",
    "remove_from_crl": "removeFromCRL", "privilege_withdrawn": "privilegeWithdrawn",
}  # fmt: skip


def etsi_report(report: VerificationReport) -> bytes:
    """Return the XML validation report, UTF-8; `report` gives the same bytes every time."""
    return _Writer(report).document()


@dataclass(slots=True)
class _Writer:
    """One document while it is written."""

    report: VerificationReport
    certificates: dict[str, str] = field(default_factory=dict)
    """SHA-256 (hex) of a certificate -> identifier of its validation object."""
    stamps: dict[str, TimestampFacts] = field(default_factory=dict)
    """Identifier of a validation object -> timestamp."""

    def document(self) -> bytes:
        """Return the finished document."""
        root = ET.Element(
            "vr:ValidationReport", {f"xmlns:{prefix}": uri for prefix, uri in _PREFIXES.items()}
        )
        facts = self.report.facts
        for index, stamp in enumerate(facts.timestamps if facts else ()):
            self.stamps[f"document-timestamp-{index + 1}"] = stamp
        known = facts.signatures if facts and len(facts.signatures) == len(self.report.signatures) else ()
        for summary, found in itertools.zip_longest(self.report.signatures, known):
            self._signature(root, summary, found)
        if not self.report.signatures:
            whole = _add(root, "SignatureValidationReport")
            self._constraints(whole)
            self._signers_document(whole)
            _status(whole, self.report.indication, self.report.sub_indication)
        self._objects(root)
        text: str = ET.tostring(root, encoding="unicode")
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()

    def _signature(self, root: ET.Element, summary: SignatureSummary, found: SignatureFacts | None) -> None:
        parent = _add(root, "SignatureValidationReport")
        identifier = _add(parent, "SignatureIdentifier")
        _add(identifier, "HashOnly", "false")
        _add(identifier, "DocHashOnly", "false")
        if summary.field:
            _add(identifier, "DAIdentifier", summary.field)
        self._constraints(parent)
        stamp = found.timestamp if found else None
        stamp_id = f"signature-timestamp-{len(self.stamps) + 1}" if stamp else None
        if stamp is not None and stamp_id is not None:
            self.stamps[stamp_id] = stamp
        self._time(parent, summary, stamp, stamp_id)
        self._signers_document(parent)
        self._attributes(parent, summary, found, stamp_id)
        if summary.certificate:
            signer = _add(parent, "SignerInformation")
            _reference(signer, "SignerCertificate", self._certificate(summary.certificate))
            _add(signer, "Signer", summary.signer)
        process = _add(parent, "SignatureValidationProcess")
        name = _PROCESS.get(summary.profile, "Basic")
        _add(process, "SignatureValidationProcessID", f"{_ETSI}validationprocess:{name}")
        status = _status(parent, summary.indication, summary.sub_indication)
        if found is not None and found.path is not None and summary.certificate:
            self._path(status, found.path)

    def _constraints(self, parent: ET.Element) -> None:
        """Write the policy and what became of each check, which speak of the whole file."""
        evaluation = _add(parent, "ValidationConstraintsEvaluationReport")
        policy = _add(evaluation, "SignatureValidationPolicy")
        implied = _add(policy, "SignaturePolicyIdentifier")
        ET.SubElement(implied, "xades:SignaturePolicyImplied")
        _add(policy, "PolicyName", self.report.policy)
        for outcome in self.report.checks:
            _constraint(evaluation, outcome, self.report.policy)

    def _time(
        self,
        parent: ET.Element,
        summary: SignatureSummary,
        stamp: TimestampFacts | None,
        stamp_id: str | None,
    ) -> None:
        time = _add(parent, "ValidationTimeInfo")
        _add(time, "ValidationTime", _moment(self.report.verified_at))
        proof = _add(time, "BestSignatureTime")
        _add(proof, "POETime", _moment(summary.proven_time or self.report.verified_at))
        _add(proof, "TypeOfProof", f"{_ETSI}poetype:validation")
        proven = summary.proven_time
        if proven is not None:
            by = [stamp_id] if stamp is not None and stamp.time == proven else []
            by += [
                name
                for name, one in self.stamps.items()
                if name not in by and one.time == proven and one.field
            ]
            if by and by[0]:
                _reference(proof, "POEObject", by[0])

    def _signers_document(self, parent: ET.Element) -> None:
        """Write the digest of the file that was verified."""
        document = _add(parent, "SignersDocument")
        _digest(_add(document, "DigestAlgAndValue"), self.report.sha256)

    def _attributes(
        self,
        parent: ET.Element,
        summary: SignatureSummary,
        found: SignatureFacts | None,
        stamp_id: str | None,
    ) -> None:
        attributes = ET.Element("vr:SignatureAttributes")
        if summary.claimed_time is not None:
            _add(_add(attributes, "SigningTime", Signed="true"), "Time", _moment(summary.claimed_time))
        if summary.certificate:
            listed = _add(_add(attributes, "SigningCertificate", Signed="true"), "CertID")
            _digest(listed, summary.certificate)
        if stamp_id is not None and (time := self.stamps[stamp_id].time) is not None:
            stamp = _add(attributes, "SignatureTimeStamp", Signed="false")
            _reference(stamp, "AttributeObject", stamp_id)
            _add(stamp, "TimeStampValue", _moment(time))
        for name, one in self.stamps.items():
            if one.field and one.time is not None and one.revision >= summary.revision:
                stamp = _add(attributes, "DocTimeStamp", Signed="false")
                _reference(stamp, "AttributeObject", name)
                _add(stamp, "TimeStampValue", _moment(one.time))
        if found is not None and found.declared:
            _add(attributes, "ByteRange", " ".join(map(str, found.byte_range)))
        if len(attributes):
            parent.append(attributes)

    def _path(self, status: ET.Element, path: PathFacts) -> None:
        data = ET.Element("vr:AssociatedValidationReportData")
        names = [self._certificate(one) for one in path.certificates]
        if names:
            chain = _add(data, "CertificateChain")
            _reference(chain, "SigningCertificate", names[0])
            for name in names[1:-1]:
                _reference(chain, "IntermediateCertificate", name)
            if len(names) > 1:
                _reference(chain, "TrustAnchor", names[-1])
        if path.revoked_at is not None and self.certificates:
            revoked = _add(data, "RevocationStatusInformation")
            _reference(
                revoked, "ValidationObjectId", names[0] if names else list(self.certificates.values())[-1]
            )
            _add(revoked, "RevocationTime", _moment(path.revoked_at))
            if path.revocation_reason in _REASONS:
                _add(
                    revoked, "RevocationReason", f"{_ETSI}revocationReason:{_REASONS[path.revocation_reason]}"
                )
        if len(data):
            status.append(data)

    def _certificate(self, sha256: str) -> str:
        return self.certificates.setdefault(sha256, f"certificate-{len(self.certificates) + 1}")

    def _objects(self, root: ET.Element) -> None:
        for stamp in self.stamps.values():
            if stamp.certificate:
                self._certificate(stamp.certificate)
        if not self.certificates and not self.stamps:
            return
        objects = _add(root, "SignatureValidationObjects")
        for sha256, name in self.certificates.items():
            one = _add(objects, "ValidationObject", id=name)
            _add(one, "ObjectType", f"{_ETSI}validationObject:certificate")
            representation = _add(one, "ValidationObjectRepresentation")
            _digest(_add(representation, "DigestAlgAndValue"), sha256)
        for name, stamp in self.stamps.items():
            self._stamp(objects, name, stamp)

    def _stamp(self, objects: ET.Element, name: str, stamp: TimestampFacts) -> None:
        one = _add(objects, "ValidationObject", id=name)
        _add(one, "ObjectType", f"{_ETSI}validationObject:timestamp")
        representation = _add(one, "ValidationObjectRepresentation")
        _add(representation, "direct", stamp.field or moment_text(stamp.time) or "")
        if stamp.time is not None:
            proof = _add(one, "POE")
            _add(proof, "POETime", _moment(stamp.time))
            _add(proof, "TypeOfProof", f"{_ETSI}poetype:validation")
        report = _add(one, "ValidationReport")
        if stamp.certificate:
            signer = _add(report, "SignerInformation")
            _reference(signer, "SignerCertificate", self._certificate(stamp.certificate))
            _add(signer, "Signer", stamp.subject)
        good = stamp.error is None and stamp.path is not None and stamp.path.status == "valid"
        status = _add(report, "SignatureValidationStatus")
        _add(status, "MainIndication", f"{_ETSI}mainindication:{'passed' if good else 'indeterminate'}")


def _constraint(parent: ET.Element, outcome: Outcome, policy: str) -> None:
    """Write one check: applied with its answer, or disabled."""
    one = _add(parent, "ValidationConstraint")
    _add(one, "ValidationConstraintIdentifier", f"{_OURS}check:{outcome.code}")
    indication = _CHECK_INDICATIONS.get(outcome.status)
    state = "applied" if indication else "disabled"
    _add(_add(one, "ConstraintStatus"), "Status", f"{_ETSI}constraintStatus:{state}")
    if indication is None:
        return
    status = _add(one, "ValidationStatus")
    _add(status, "MainIndication", f"{_ETSI}mainindication:{indication}")
    if outcome.sub_indication:
        _add(status, "SubIndication", _sub(outcome.sub_indication))
    if outcome.reason:
        said = _add(_add(status, "AssociatedValidationReportData"), "AdditionalValidationReportData")
        data = _add(said, "ReportData")
        _add(data, "Type", f"{_OURS}reason:{outcome.reason}")
        text = messages.answer(outcome.reason, "en", policy)
        _add(data, "Value", f"{text} [{outcome.detail}]" if outcome.detail else text)


def _status(parent: ET.Element, indication: Indication, sub: SubIndication | None) -> ET.Element:
    status = _add(parent, "SignatureValidationStatus")
    name = indication.value.lower().replace("_", "-")
    _add(status, "MainIndication", f"{_ETSI}mainindication:{name}")
    if sub is not None:
        _add(status, "SubIndication", _sub(sub))
    return status


def _sub(sub: SubIndication) -> str:
    return f"{_OURS if sub in _OWN_SUB_INDICATIONS else _ETSI}subindication:{sub.value}"


def _add(parent: ET.Element, name: str, text: str | None = None, **attributes: str) -> ET.Element:
    """Return a new child of the report's namespace; what XML cannot hold is replaced in its text."""
    child = ET.SubElement(parent, f"vr:{name}", attributes)
    if text is not None:
        child.text = "".join(char if _is_xml(char) else "\N{REPLACEMENT CHARACTER}" for char in text)
    return child


def _is_xml(char: str) -> bool:
    """Return whether XML may hold the character. Source: XML 1.0, 2.2."""
    return char in "\t\n\r" or (" " <= char <= "\ud7ff") or ("\ue000" <= char <= "\ufffd") or char > "\uffff"


def _reference(parent: ET.Element, name: str, target: str) -> None:
    _add(parent, name, VOReference=target)


def _digest(parent: ET.Element, sha256: str) -> None:
    ET.SubElement(parent, "ds:DigestMethod", Algorithm=_SHA256)
    ET.SubElement(parent, "ds:DigestValue").text = base64.b64encode(bytes.fromhex(sha256)).decode("ascii")


def _moment(moment: datetime) -> str:
    return moment_text(moment) or ""
