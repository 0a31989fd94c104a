"""Reports of every shape that the verifier gives, written by hand so that each member is there to be shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

from elicense.encoding import licence_to_json
from elicense.model import InForce, IssueRequest, Licence, LicenceStatus
from elicense.registry.memory import MemoryRegistry
from elicense.verification.checks import CODES
from elicense.verification.facts import (
    Change,
    ContentFacts,
    Facts,
    PathFacts,
    RevisionFacts,
    SignatureFacts,
    TimestampFacts,
)
from elicense.verification.report import (
    CheckStatus,
    Indication,
    Outcome,
    SignatureSummary,
    SubIndication,
    VerificationReport,
)
from elicense.verification.shown import PageDifference, TextDifference
from tests.service.fakes import AUTHORITY, Fakes
from tests.support.demonstration import entropy

AT = datetime(2026, 11, 23, 13, 40, tzinfo=UTC)
SEALED_AT = AT - timedelta(days=2)
LEAF, ISSUER, ROOT, STAMPER = "9f" * 32, "8e" * 32, "7d" * 32, "6c" * 32
SECOND = "示例省样例市卫生健康委员会"


@cache
def licence() -> Licence:
    """Return a licence with a number, the same every time."""
    fakes = Fakes(registry=MemoryRegistry(entropy=entropy()))
    return fakes.issue(IssueRequest("", "", (), {}), SEALED_AT).record.licence


def path(moment: datetime, *certificates: str) -> PathFacts:
    """Return a valid path."""
    return PathFacts("valid", moment, True, None, None, "", certificates, True)


def stamp(moment: datetime, **changes) -> TimestampFacts:
    """Return a good timestamp."""
    good = TimestampFacts(
        None, moment, path(moment, STAMPER, ISSUER, ROOT), certificate=STAMPER, subject="CN=示例时间戳服务"
    )
    return replace(good, **changes)


def seal(**changes) -> SignatureFacts:
    """Return a good seal over a file of 40,000 bytes."""
    good = SignatureFacts(
        field="Seal", byte_range=(0, 1000, 9000, 31000), covers_all=True, declared=True, claimed_time=SEALED_AT,
        error=None, digest_matches=True, signature_matches=True, certificate=LEAF, subject="CN=99010100000012",
        path=path(AT, LEAF, ISSUER, ROOT), permission=1, algorithm="sha256 ecdsa",
    )  # fmt: skip
    return replace(good, **changes)


def summary(**changes) -> SignatureSummary:
    """Return the summary of a good seal."""
    good = SignatureSummary(
        "Seal", AUTHORITY.name, LEAF, "99010100000012", SEALED_AT, None, "whole_file", "none", "B-B",
        Indication.TOTAL_PASSED,
    )  # fmt: skip
    return replace(good, **changes)


def checks(**changed: Outcome) -> tuple[Outcome, ...]:
    """Return twelve answers, PASSED unless changed."""
    outcomes = []
    for number, code in enumerate(CODES, 1):
        status = CheckStatus.NOT_CONFIGURED if code in {"seal", "log"} else CheckStatus.PASSED
        outcomes.append(
            replace(changed[code], number=number) if code in changed else Outcome(number, code, status)
        )
    return tuple(outcomes)


def sealed() -> VerificationReport:
    """Return the report on a genuine licence that is in force."""
    content = ContentFacts(None, licence_file="{}", identifier=str(licence().identifier))
    facts = Facts(40000, (), True, (seal(),), revisions=(RevisionFacts(0, 40000),), content=content)
    return VerificationReport(
        Indication.TOTAL_PASSED, None, LicenceStatus(InForce.IN_FORCE, AT), checks(), (summary(),), "ab" * 32, AT,
        "licence", licence_to_json(licence()), facts,
    )  # fmt: skip


def archived() -> VerificationReport:
    """Return the report on a jointly sealed document, extended for the archive."""
    first = seal(
        covers_all=False,
        kind="seal",
        permission=2,
        level="B-LTA",
        proven_time=SEALED_AT,
        timestamp=stamp(SEALED_AT),
    )
    second = seal(
        field="Seal2", byte_range=(0, 41000, 49000, 1000), covers_all=False, revision=1, locked=("*",), level="B-LTA",
        certificate="5b" * 32, path=path(AT, "5b" * 32, ISSUER, ROOT),
    )  # fmt: skip
    archive = stamp(
        SEALED_AT + timedelta(days=1), field="Timestamp1", revision=3, byte_range=(0, 70000, 80000, 500)
    )
    revisions = (
        RevisionFacts(0, 40000),
        RevisionFacts(40000, 50000, (Change("seal", "'Seal2'"),)),
        RevisionFacts(50000, 60000, (Change("evidence", "4 certificates, 2 lists"),)),
        RevisionFacts(60000, 80500, (Change("timestamp", "'Timestamp1'"),)),
    )
    facts = Facts(
        80500, (), True, (first, second), (archive,), revisions, "cd" * 32, (4, 2, 0), ContentFacts(None)
    )
    shown = TextDifference("Seal2", 50000, "cd" * 32)
    old = {
        "coverage": "revision",
        "modification": "later bytes",
        "profile": "B-LTA",
        "proven_time": SEALED_AT,
    }
    return replace(
        sealed(), facts=facts, shown=shown,
        signatures=(summary(**old), summary(**old, field="Seal2", signer=SECOND, certificate="5b" * 32, revision=1)),
    )  # fmt: skip


def foreign() -> VerificationReport:
    """Return the report under the policy general on a signed file that was changed later."""
    first = seal(field="Signature1", covers_all=False, kind="certification", permission=2)
    second = seal(
        field="Signature2", byte_range=(0, 51000, 59000, 1000), revision=1, kind="approval", permission=None
    )
    unknown = {"seal": None, "signer": "CN=Example Signer, O=Example Ltd", "kind": "certification"}
    doubt = {
        "indication": Indication.INDETERMINATE,
        "sub_indication": SubIndication.NO_CERTIFICATE_CHAIN_FOUND,
    }
    revisions = (
        RevisionFacts(0, 40000),
        RevisionFacts(40000, 60000, (Change("form", "page 1: 'Name'"), Change("signature", "'Signature2'"))),
        RevisionFacts(60000, 61000, (Change("annotation", "page 1"),)),
    )
    lines = PageDifference(1, ("Amount due: 100",), ("Amount due: 100,000", "PAID IN FULL"))
    path_check = Outcome(7, "certificate_path", CheckStatus.INDETERMINATE,
                         SubIndication.NO_CERTIFICATE_CHAIN_FOUND, "path.no_anchor", "no anchor")  # fmt: skip
    nothing = Outcome(12, "in_force", CheckStatus.NOT_CONFIGURED)
    return replace(
        sealed(), indication=Indication.INDETERMINATE, sub_indication=SubIndication.NO_CERTIFICATE_CHAIN_FOUND,
        policy="general", licence=None, in_force=LicenceStatus(InForce.NOT_KNOWN, AT),
        checks=checks(certificate_path=path_check, in_force=nothing),
        signatures=(summary(**unknown, **doubt, field="Signature1", coverage="revision"),
                    summary(**{**unknown, "kind": "approval"}, **doubt, field="Signature2", revision=1)),
        facts=Facts(61000, (), True, (first, second), revisions=revisions),
        shown=TextDifference("Signature1", 40000, "cd" * 32, (lines,)),
    )  # fmt: skip


def failed(sub: SubIndication, code: str, reason: str) -> VerificationReport:
    """Return the report on a sealed file that was altered."""
    bad = Outcome(0, code, CheckStatus.FAILED, sub, reason)
    return replace(
        sealed(), indication=Indication.TOTAL_FAILED, sub_indication=sub, licence=None,
        in_force=LicenceStatus(InForce.NOT_KNOWN, AT),
        checks=checks(**{code: bad}, in_force=Outcome(12, "in_force", CheckStatus.NOT_RUN)),
        signatures=(summary(indication=Indication.TOTAL_FAILED, sub_indication=sub),),
    )  # fmt: skip


def undecided(sub: SubIndication, code: str, reason: str, **changes) -> VerificationReport:
    """Return a report that proves nothing."""
    doubt = Outcome(0, code, CheckStatus.INDETERMINATE, sub, reason)
    return replace(
        failed(sub, code, reason), indication=Indication.INDETERMINATE, checks=checks(**{code: doubt}),
        **{"signatures": (), "facts": None, **changes},
    )  # fmt: skip


def every_report() -> dict[str, VerificationReport]:
    """Return a report of each shape by its name."""
    revoked = replace(path(AT), status="revoked", revoked_at=SEALED_AT, revocation_reason="key_compromise")
    return {
        "sealed": sealed(),
        "archived": archived(),
        "foreign": foreign(),
        "by_hash": replace(
            sealed(), facts=None, signatures=(summary(field=""),),
            checks=tuple(replace(one, status=CheckStatus.RECORDED) for one in checks()),
        ),
        "revoked": replace(sealed(), in_force=LicenceStatus(InForce.REVOKED, AT, "示例：持证主体申请注销")),
        "altered": failed(SubIndication.HASH_FAILURE, "digest", "digest.differs"),
        "damaged": failed(SubIndication.FORMAT_FAILURE, "format", "format.cut"),
        "certificate_revoked": undecided(
            SubIndication.REVOKED_NO_POE, "revocation", "revocation.revoked_no_proof",
            signatures=(summary(indication=Indication.INDETERMINATE, sub_indication=SubIndication.REVOKED_NO_POE),),
            facts=Facts(40000, (), True, (seal(path=revoked),)),
        ),
        "unsigned": undecided(SubIndication.UNSIGNED, "format", "format.unsigned"),
        "too_slow": undecided(SubIndication.LIMIT_REACHED, "format", "limit.time"),
    }  # fmt: skip
