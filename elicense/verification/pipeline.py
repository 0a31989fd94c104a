"""From bytes to report: the one straight line of a verification.

Plan:

1. Over the size limit: no look inside, INDETERMINATE.
2. The register knows these very bytes: the signature is verified again at the recorded byte range, what was
   checked at issue is RECORDED, and no PDF is parsed. Only if the trust register still names the certificate.
3. A document whose like was found flawless before is read by comparison, in this process (comparison.py).
4. The facts of every other one, in the sandbox; not needed where the bytes show no signature to look at.
5. The register's word on the licence the document states, once its signature is known to be a known signer's.
6. The twelve checks, and the report.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from elicense.encoding import licence_member, licence_to_json
from elicense.errors import LicenceNotFound
from elicense.updates import RANGE
from elicense.verification.changes import LaterChanges
from elicense.verification.checks import (
    CODES,
    answer_in_force,
    in_force,
    is_known,
    run_checks,
)
from elicense.verification.cms import DATA, CmsError, read_signed_data, signature_matches
from elicense.verification.digests import Digests, sweep
from elicense.verification.facts import Facts, RegisterFacts
from elicense.verification.flawless import flawless
from elicense.verification.frames import FramedDigests
from elicense.verification.known import PROCESS, Reading, Road
from elicense.verification.policy import CLOCK_TOLERANCE, LICENCE, SIZE_LIMIT, Policy, choose_policy
from elicense.verification.report import (
    CheckStatus,
    Indication,
    Outcome,
    SignatureSummary,
    VerificationReport,
    conclude,
)
from elicense.verification.sandbox import Sandbox
from elicense.verification.scan import Candidate, find_candidates
from elicense.verification.signature import read_contents, read_signer
from elicense.verification.structure import read_structure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from elicense.model import LicenceStatus
    from elicense.pki.trust import TrustEntry, TrustStore
    from elicense.registry.protocol import LicenceRecord, Registry
    from elicense.verification.facts import RevisionFacts, SignatureFacts
    from elicense.verification.known import Known
    from elicense.verification.report import SubIndication
    from elicense.verification.sandbox import Reader


def verify(
    data: bytes,
    *,
    trust: TrustStore,
    at: datetime,
    policy: str = LICENCE,
    registry: Registry | None = None,
    sandbox: Reader | None = None,
    size_limit: int = SIZE_LIMIT,
    known: Known | None = PROCESS,
    sha256: str | None = None,
) -> VerificationReport:
    """Return the report on a document; never raises for what its bytes hold.

    Args:
        data: The whole file.
        trust: Anchors, revocation lists and the trust register.
        at: The moment of verification, UTC; the only clock reading there is.
        policy: "licence" or "general".
        registry: The register of licences; None is offline.
        sandbox: Where untrusted bytes are read, usually a Sandbox kept open; None starts a worker for this call
            alone (half a second).
        size_limit: Bytes; a larger file is INDETERMINATE.
        known: What was learned from documents before; it changes how fast the answer comes, never the answer. None
            reads every document the whole way.
        sha256: Of `data`, where the caller has just computed it; what a signature covers is digested here all the same.

    Raises:
        ConfigurationError: No such policy.
        RuntimeError: No worker process can be started.
    """
    chosen = choose_policy(policy, trust, online=registry is not None)
    known = known if policy == LICENCE else None
    if len(data) > size_limit:
        sha256 = Digests(data).whole
        return _report(Facts(len(data), (), traces=True, limit="size"), chosen, at, sha256)
    digests = known.digests(data) if known else sweep(data)
    if sha256 is not None:
        digests.take_whole(sha256)
    sha256 = digests.whole
    if registry is not None and chosen.online:
        record = registry.find_document(sha256)
        recorded = _by_hash(digests, record, chosen, registry, at) if record else None
        if recorded is not None:
            return recorded
    reading = _read_known(known, digests, trust, at) if known else None
    if reading is None:
        reading = Reading(_read(data, trust, at, sandbox, policy=policy, digests=digests), None, Road.FULL)
    facts = reading.facts
    if registry is not None and chosen.online:
        facts = _ask(facts, chosen, registry, sha256, at)
    report = _report(facts, chosen, at, sha256, reading.licence)
    if known:
        known.count(reading.road)
        if report.indication is Indication.TOTAL_PASSED:
            known.learn(data, reading)
    return report


def _read_known(known: Known, digests: Digests, trust: TrustStore, at: datetime) -> Reading | None:
    """Return what is found in a document that can be read by comparison."""
    if not isinstance(digests, FramedDigests):
        return None
    # Loads the libraries that find certificate paths: not before a document needs them in this process.
    from elicense.verification.comparison import read_compared  # noqa: PLC0415

    return read_compared(known, digests, trust, at)


def _read(
    data: bytes, trust: TrustStore, at: datetime, sandbox: Reader | None, *, policy: str, digests: Digests
) -> Facts:
    """Return the facts of a document that goes the whole way."""
    if policy == LICENCE and not find_candidates(data):
        structure = read_structure(data)
        if not structure.candidates:
            return Facts(structure.size, structure.findings, structure.traces)
    if sandbox is not None:
        return sandbox.read(data, trust, at, policy=policy, digests=digests)
    with Sandbox() as own:
        return own.read(data, trust, at, policy=policy, digests=digests)


def _ask(facts: Facts, policy: Policy, registry: Registry, sha256: str, at: datetime) -> Facts:
    """Return the facts with the register's word on the licence that a known signer's document states."""
    content = facts.content
    intact = all(signature.digest_matches and is_known(signature, policy) for signature in facts.signatures)
    if content is None or not content.identifier or not facts.signatures or not intact:
        return facts
    status = registry.status(content.identifier, at=at)
    try:
        record = registry.get(content.identifier)
    except LicenceNotFound:
        same = True
    else:
        # An archive copy is the licence, too: it was sealed in the very bytes that the register knows.
        known = {one.sha256 for one in (record.document, *record.archive_copies) if one is not None}
        same = record.document is None or not known.isdisjoint((sha256, facts.sealed_sha256))
    found = RegisterFacts(status.state.value, status.as_of, status.reason, same)
    return replace(facts, register=found)


def _report(
    facts: Facts, policy: Policy, at: datetime, sha256: str, licence: dict[str, object] | None = None
) -> VerificationReport:
    """Return the report on facts; `licence` are the embedded data where somebody read them."""
    indication, sub_indication = Indication.TOTAL_PASSED, None
    answers = flawless(facts, policy, at)
    if answers is not None:
        outcomes, status = answers
    else:
        outcomes = run_checks(facts, policy, at)
        indication, sub_indication = conclude(outcomes)
        answered = outcomes[-1].status is not CheckStatus.NOT_RUN
        status = in_force(facts if answered else Facts(facts.size, (), traces=True), at)
    if indication is not Indication.TOTAL_PASSED:
        licence = None
    elif licence is None and facts.content and facts.content.licence_file:
        licence = json.loads(facts.content.licence_file)["licence"]
    return VerificationReport(
        indication=indication,
        sub_indication=sub_indication,
        in_force=status,
        checks=outcomes,
        signatures=_summaries(facts, policy, at, indication, sub_indication),
        sha256=sha256,
        verified_at=at,
        policy=policy.name,
        licence=licence,
        facts=facts,
    )


def _summaries(
    facts: Facts, policy: Policy, at: datetime, indication: Indication, sub_indication: SubIndication | None
) -> tuple[SignatureSummary, ...]:
    """Return every signature for display, with the answer about it alone; `indication` is the one about all."""
    behind = _kinds_behind(facts.revisions)
    # Whatever is passed by all of them together is passed by each.
    alike = len(facts.signatures) == 1 or indication is Indication.TOTAL_PASSED
    later = None if alike else LaterChanges(facts)
    summaries = []
    for index, signature in enumerate(facts.signatures):
        if not alike:
            outcomes = run_checks(replace(facts, focus=index), policy, at, later=later)
            indication, sub_indication = conclude(outcomes)
        kinds = behind[signature.revision] if 0 <= signature.revision < len(behind) else ""
        summaries.append(_summary(signature, facts, policy, (indication, sub_indication), kinds))
    return tuple(summaries)


def _kinds_behind(revisions: Sequence[RevisionFacts]) -> list[str]:
    """Return, for each revision, what kinds of change stand behind it."""
    found: list[str] = []
    kinds: tuple[str, ...] = ()
    for revision in reversed(revisions):
        found.append(", ".join(kinds))
        kinds = tuple(dict.fromkeys((*(change.kind for change in revision.changes), *kinds)))
    return found[::-1]


def _summary(
    signature: SignatureFacts,
    facts: Facts,
    policy: Policy,
    answer: tuple[Indication, SubIndication | None],
    behind: str,
) -> SignatureSummary:
    """Return one signature for display, with the answer about it and the kinds of change behind it."""
    entries = policy.entries(signature.certificate)
    code = facts.content.authority_code if facts.content else ""
    # One certificate may speak for several authorities: name the one the document states.
    entry = next((one for one in entries if one.authority_code == code), next(iter(entries), None))
    changed = any(finding.check == 3 for finding in facts.findings)
    whole = signature.covers_all
    within = changed or (signature.revision >= 0 and not facts.findings)
    indication, sub_indication = answer
    return SignatureSummary(
        field=signature.field,
        signer=entry.authority_name if entry else signature.subject,
        certificate=signature.certificate,
        seal=entry.seal_number if entry else None,
        claimed_time=signature.claimed_time,
        proven_time=signature.proven_time,
        coverage="whole_file" if whole else "revision" if within else "partial",
        modification="none" if whole else behind or "later bytes",
        profile=signature.level,
        indication=indication,
        sub_indication=sub_indication,
        kind=signature.kind,
        revision=signature.revision,
    )


def _by_hash(
    digests: Digests, record: LicenceRecord, policy: Policy, registry: Registry, at: datetime
) -> VerificationReport | None:
    """Return the report on bytes that the register vouches for, or None if they must go the whole way.

    What the register's writer could forge ends here: the signature must still be that of a certificate which
    the trust register, not the register of licences, names for this authority and type; its byte range must be the
    one that the document states, and the licence on record the one inside it.
    """
    data, document = bytes(digests.data), record.document
    # An archive copy goes the whole way: no signature covers its end, only the register's word would. So does a
    # joint document: each authority is to be named.
    if record.licence.joint_authorities:
        return None
    if document is None or len(data) != document.size or record.licence.signing_time > at + CLOCK_TOLERANCE:
        return None
    seal = Candidate("", document.byte_range, declared=True, claimed_time=record.licence.signing_time)
    stated = RANGE % document.byte_range[1:] + b"/Contents "
    if not data.endswith(stated, 0, seal.gap[0]) or data.count(licence_member(record.licence)) != 1:
        return None
    try:
        signed = read_signed_data(read_contents(data, seal), DATA)
        signer = read_signer(signed.signer)
    except CmsError:
        return None
    entry = next((e for e in policy.entries(signer.fingerprint) if _may(e, record)), None)
    if (
        entry is None
        or not seal.covers_all(len(data))
        or digests.covered(seal.byte_range, signed.digest) != signed.message_digest
        or signer.weak
        or not signature_matches(signer.key, signed)
    ):
        return None
    status = registry.status(str(record.licence.identifier), at=at)
    summary = SignatureSummary(
        field="",
        signer=entry.authority_name,
        certificate=signer.fingerprint,
        seal=entry.seal_number,
        claimed_time=record.licence.signing_time,
        proven_time=None,
        coverage="whole_file",
        modification="none",
        profile=document.profile,
        indication=Indication.TOTAL_PASSED,
    )
    return VerificationReport(
        indication=Indication.TOTAL_PASSED,
        sub_indication=None,
        in_force=status,
        checks=_recorded(status, at),
        signatures=(summary,),
        sha256=document.sha256,
        verified_at=at,
        policy=policy.name,
        licence=licence_to_json(record.licence),
    )


def _may(entry: TrustEntry, record: LicenceRecord) -> bool:
    """Return whether the trust register let this certificate seal this licence when it was sealed."""
    licence = record.licence
    return (
        (entry.authority_code, entry.authority_name) == (licence.authority.code, licence.authority.name)
        and licence.type_code in entry.type_codes
        and entry.valid_from <= licence.signing_time <= entry.valid_until
    )


_RUN_AGAIN = {"digest": CheckStatus.PASSED, "signature": CheckStatus.PASSED}
_NO_SUBJECT = {"seal": CheckStatus.NOT_CONFIGURED, "log": CheckStatus.NOT_CONFIGURED}


def _recorded(status: LicenceStatus, at: datetime) -> tuple[Outcome, ...]:
    """Return the twelve answers about bytes that the register knows."""
    statuses = dict.fromkeys(CODES, CheckStatus.RECORDED) | _RUN_AGAIN | _NO_SUBJECT
    outcomes = [Outcome(number, code, statuses[code]) for number, code in enumerate(CODES[:-1], 1)]
    register = RegisterFacts(status.state.value, status.as_of, status.reason, same_document=True)
    policy = Policy(LICENCE, None, online=True)
    facts = Facts(0, (), traces=True, register=register)
    outcomes.append(answer_in_force(facts, policy, in_force(facts, at)))
    return tuple(outcomes)
