"""The path from a certificate to a trust anchor at a moment, with revocation; nothing is ever fetched."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.authority import CertTrustAnchor
from pyhanko_certvalidator.errors import (
    CRLValidationError,
    CRLValidationIndeterminateError,
    ExpiredError,
    InsufficientRevinfoError,
    NotYetValidError,
    RevokedError,
    ValidationError,
)
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.policy_decl import (
    CertRevTrustPolicy,
    DisallowWeakAlgorithmsPolicy,
    PKIXValidationParams,
    RevocationCheckingPolicy,
    RevocationCheckingRule,
)
from pyhanko_certvalidator.revinfo.validate_crl import verify_crl
from pyhanko_certvalidator.validate import async_validate_path

from elicense.pki.building import asn1, candidate_chains
from elicense.pki.evidence import NO_EVIDENCE
from elicense.pki.loop import refuse_running_loop, run
from elicense.pki.material import MOST_BROUGHT, MOST_VALUES, collect
from elicense.pki.revocation import remembers

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from asn1crypto import x509 as asn1_x509  # type: ignore[import-untyped]
    from cryptography import x509

    from elicense.pki.evidence import Evidence
    from elicense.pki.material import Material
    from elicense.pki.trust import TrustStore

# It tells of every list it cannot use with a traceback, which says more than PathResult and to the wrong reader.
logging.getLogger("pyhanko_certvalidator").addHandler(logging.NullHandler())

_SEAL_PURPOSES = {
    "any_extended_key_usage",
    "email_protection",
    "1.3.6.1.5.5.7.3.36",  # id-kp-documentSigning, RFC 9336
    "1.2.840.113583.1.1.5",  # Adobe authentic documents trust
    "1.3.6.1.4.1.311.10.3.12",  # Microsoft document signing
}
"""Extended key usages that allow sealing; a certificate without the extension is not limited."""


def _policy(rule: RevocationCheckingRule) -> CertRevTrustPolicy:
    return CertRevTrustPolicy(
        RevocationCheckingPolicy(ee_certificate_rule=rule, intermediate_ca_cert_rule=rule),
        # A list published after the asked moment knows more about that moment, not less.
        retroactive_revinfo=True,
    )


_LISTS_REQUIRED = _policy(RevocationCheckingRule.CRL_REQUIRED)
_NOT_LOOKED_UP = _policy(RevocationCheckingRule.NO_CHECK)


class Purpose(StrEnum):
    """What a certificate is used for; decides the anchors and the key usage asked for."""

    SEAL = "seal"
    TIMESTAMP = "timestamp"
    ANY = "any"
    """Nothing is asked of the usage: the bare path of RFC 5280."""


@dataclass(frozen=True, slots=True)
class PathRules:
    """The inputs of path validation that a caller may choose. Source: RFC 5280, 6.1.1."""

    initial_policies: tuple[str, ...] = ()
    """Certificate policies (object identifiers) that will do; none named is any."""
    require_explicit_policy: bool = False
    """Whether every certificate must be issued under a policy that will do."""
    inhibit_policy_mapping: bool = False
    """Whether no authority may call one policy the same as another."""
    inhibit_any_policy: bool = False
    """Whether an authority's "any policy" is not looked at."""
    old_algorithms: bool = False
    """Whether SHA-1 and short DSA keys are taken: for test suites and questions about the past, never for seals."""


_RULES = PathRules()
_OLD_ALGORITHMS = DisallowWeakAlgorithmsPolicy(weak_hash_algos={"md2", "md5"}, dsa_key_size_threshold=1024)  # type: ignore[no-untyped-call]


class PathStatus(StrEnum):
    """What became of the search for a path."""

    VALID = "valid"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    REVOKED = "revoked"
    NO_ANCHOR = "no_anchor"
    """No chain of issuers leads to an anchor."""
    NO_REVOCATION_DATA = "no_revocation_data"
    """No revocation list or OCSP answer of the issuer that could know about the certificate."""
    STALE_REVOCATION_DATA = "stale_revocation_data"
    """The issuer's newest revocation list, or OCSP answer, was out of date at the asked moment."""
    WRONG_USAGE = "wrong_usage"
    """The certificate was not issued for this purpose."""
    INVALID = "invalid"
    """A chain exists but breaks a rule: signature, constraints, algorithm, encoding."""


@dataclass(frozen=True, slots=True)
class PathResult:
    """The answer about one certificate at one moment."""

    status: PathStatus
    """VALID, or the first reason why not."""
    certificates: tuple[bytes, ...] = ()
    """DER of the path, leaf first, anchor last; empty unless VALID."""
    revoked_at: datetime | None = None
    """Earliest moment from which any certificate of the path counts as revoked, UTC; may lie after the asked
    moment of a VALID path: then the seal was good then and the certificate was revoked since."""
    revocation_reason: str | None = None
    """Reason code of that revocation, e.g. key_compromise. Source: RFC 5280, 5.3.1."""
    detail: str = ""
    """Plain English particulars; never text taken from a certificate."""


def find_path(
    leaf: x509.Certificate,
    intermediates: Iterable[x509.Certificate],
    store: TrustStore,
    at: datetime,
    *,
    purpose: Purpose = Purpose.SEAL,
    evidence: Evidence = NO_EVIDENCE,
    rules: PathRules = _RULES,
) -> PathResult:
    """Return the path from `leaf` to an anchor valid at `at`, or the reason why there is none.

    Every certificate below the anchor needs a revocation list or an OCSP answer of its issuer, in `store` or in
    `evidence`, that was not out of date at `at`, or that was published later, while the certificate had not yet
    expired. The anchor's own period is not looked at: who keeps it in the store trusts it. To ask whether a
    document's own data suffice, ask with `evidence.alone(store)`.

    Args:
        leaf: The certificate in question.
        intermediates: Certificates that came with it, in any order, trusted for nothing.
        store: Anchors, lists, OCSP answers and further intermediates.
        at: The moment, UTC.
        purpose: Seal, timestamp, or anything.
        evidence: Validation data out of a document, trusted for nothing but the signatures they bear; what cannot
            be read, or is of nobody at hand, says nothing.
        rules: What else is asked of the path.

    Raises:
        RuntimeError: Called inside a running event loop.
        TypeError: `at` is without time zone.

    Source: RFC 5280, 6.1 and 6.3 (through certvalidator); RFC 6960, 3.2 and 4.2.2.2; RFC 3161, 2.3.
    """
    refuse_running_loop()
    if at.utcoffset() is None:
        raise TypeError("at must say its time zone")
    brought = tuple(intermediates)
    # The certificates are untrusted bytes and asn1crypto decodes lazily, with any exception: none is a path.
    try:
        return _search(leaf, brought, store, at, purpose=purpose, evidence=evidence, rules=rules)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001
        return PathResult(PathStatus.INVALID, detail=f"certificate not readable ({type(error).__name__})")


def _search(
    leaf: x509.Certificate,
    brought: tuple[x509.Certificate, ...],
    store: TrustStore,
    at: datetime,
    *,
    purpose: Purpose,
    evidence: Evidence,
    rules: PathRules,
) -> PathResult:
    """Build and validate; certvalidator's exceptions pass through."""
    unfit = unfit_for(leaf, purpose)
    if unfit:
        return PathResult(PathStatus.WRONG_USAGE, detail=unfit)
    anchors = store.anchors
    if purpose is Purpose.TIMESTAMP and store.timestamp_anchors:
        anchors = store.timestamp_anchors
    material = collect(brought, store, anchors, evidence)
    if material is None:
        detail = f"it came with more than {MOST_BROUGHT} others, or {MOST_VALUES} values of validation data"
        return PathResult(PathStatus.INVALID, detail=detail)
    return run(_first_valid(leaf, material, anchors, at, rules))


async def _first_valid(
    leaf: x509.Certificate,
    material: Material,
    anchors: tuple[x509.Certificate, ...],
    at: datetime,
    rules: PathRules,
) -> PathResult:
    """Return the first VALID path, or what is wrong with the first chain."""
    first: PathResult | None = None
    for chain in candidate_chains(leaf, material.certificates, anchors):
        try:
            result = await _judge(chain, material.for_chain(chain), at, rules)
        except ValidationError as error:
            result = _explain(error)
        if result.status is PathStatus.VALID:
            return result
        first = first or result
    return first or PathResult(PathStatus.NO_ANCHOR, detail="no chain of issuers ends at a trust anchor")


async def _judge(
    chain: tuple[x509.Certificate, ...], material: Material, at: datetime, rules: PathRules
) -> PathResult:
    """Return what is to be said about one chain, leaf first; certvalidator's exceptions pass through.

    An issuer may drop an expired certificate from its list. So all lists may tell of a revocation, and those that
    cannot have forgotten one must do alone to say that there is none: an older one beside a newer is not enough.
    """
    found = await _judge_by(chain, material, at, rules)
    remembering = replace(material, crls=tuple(crl for crl in material.crls if remembers(crl, chain)))
    if found.status is not PathStatus.VALID or remembering.crls == material.crls:
        return found
    if (await _judge_by(chain, remembering, at, rules)).status is PathStatus.VALID:
        return found
    return PathResult(
        PathStatus.NO_REVOCATION_DATA,
        detail="the revocation data for this moment were published after the certificate had expired",
    )


async def _judge_by(
    chain: tuple[x509.Certificate, ...], material: Material, at: datetime, rules: PathRules
) -> PathResult:
    """Return what is to be said about one chain by these lists; certvalidator's exceptions pass through."""
    *below, anchor = map(asn1, chain)
    path = ValidationPath(CertTrustAnchor(anchor), below[:0:-1], below[0] if below else None)
    parameters = _parameters(rules)
    try:
        await async_validate_path(_context(anchor, material, at, _LISTS_REQUIRED, rules), path, parameters)
    except InsufficientRevinfoError:
        # Without lists first: a period that is over, or an answer by OCSP, matters more than a missing list.
        await async_validate_path(_context(anchor, material, at, _NOT_LOOKED_UP, rules), path, parameters)
        missing = await _look_up(path, material, at, rules)
        if missing:
            return missing
    return _revocation(_ders(path), material, at)


def _context(
    anchor: asn1_x509.Certificate,
    material: Material,
    at: datetime,
    policy: CertRevTrustPolicy,
    rules: PathRules,
) -> ValidationContext:
    return ValidationContext(
        trust_roots=[anchor],
        other_certs=[asn1(certificate) for certificate in material.certificates],
        crls=[crl.public_bytes(Encoding.DER) for crl in material.crls],
        moment=at,
        allow_fetching=False,
        revinfo_policy=policy,
        algorithm_usage_policy=_OLD_ALGORITHMS if rules.old_algorithms else None,
    )


def _parameters(rules: PathRules) -> PKIXValidationParams:
    return PKIXValidationParams(
        user_initial_policy_set=frozenset(rules.initial_policies or ("any_policy",)),
        initial_explicit_policy=rules.require_explicit_policy,
        initial_policy_mapping_inhibit=rules.inhibit_policy_mapping,
        initial_any_policy_inhibit=rules.inhibit_any_policy,
    )


async def _look_up(
    path: ValidationPath, material: Material, at: datetime, rules: PathRules
) -> PathResult | None:
    """Return what is missing to know about each certificate of the path, by OCSP answer or by list; else None.

    Raises RevokedError. certvalidator's own reading of OCSP is not used: it looks at a responder's period at the
    asked moment, and the answers in an archive are from later, by responders that live for days.
    """
    anchor, *_ = certificates = list(path)
    for certificate, said in zip(reversed(certificates), material.said(_ders(path)), strict=False):
        if said.is_answered_at(at):
            continue
        # A context of its own for each: a list that certvalidator has met it takes for a list of anybody nearby.
        own = _context(anchor, replace(material, crls=said.lists), at, _NOT_LOOKED_UP, rules)
        # Who signs lists for an issuer must himself be on no list; the issuers are looked up in this very loop.
        every = _context(anchor, material, at, _LISTS_REQUIRED, rules)
        try:
            try:
                await verify_crl(certificate, path, own)
            except CRLValidationError:
                await verify_crl(certificate, path, every)
        except CRLValidationError as error:
            stale = error.suspect_stale if isinstance(error, CRLValidationIndeterminateError) else None
            return _missing(stale or said.stale_since(at))
    return None


def _missing(stale_since: datetime | None) -> PathResult:
    if stale_since is None:
        return PathResult(PathStatus.NO_REVOCATION_DATA, detail="no usable revocation data of an issuer")
    detail = f"revocation data out of date since {time_text(stale_since)}"
    return PathResult(PathStatus.STALE_REVOCATION_DATA, detail=detail)


def _ders(path: ValidationPath) -> tuple[bytes, ...]:
    """Return the path leaf first; certvalidator counts from the anchor, whose own certificate is its first."""
    return tuple(certificate.dump() for certificate in reversed(list(path)))


def _revocation(ders: tuple[bytes, ...], material: Material, at: datetime) -> PathResult:
    """Add what certvalidator leaves open: later revocations, the very same second. Source: RFC 5280, 5."""
    moments = [moment for one in material.said(ders) for moment in one.revocations()]
    if not moments:
        return PathResult(PathStatus.VALID, ders)
    moment, reason = min(moments)
    if moment <= at:
        detail = f"revoked at {time_text(moment)}, reason {reason}"
        return PathResult(PathStatus.REVOKED, (), moment, reason, detail)
    return PathResult(PathStatus.VALID, ders, moment, reason, "revoked after the asked moment")


def unfit_for(leaf: x509.Certificate, purpose: Purpose) -> str:
    """Return why the certificate was not issued for `purpose`, or an empty text.

    Source: RFC 5280, 4.2.1.3, 4.2.1.9 and 4.2.1.12; RFC 3161, 2.3; RFC 9336.
    """
    if purpose is Purpose.ANY:
        return ""
    certificate = asn1(leaf)
    usage = certificate.key_usage_value.native if certificate.key_usage_value else set()
    extension = certificate.extended_key_usage_value
    extended = set(extension.native) if extension else set()
    if certificate.ca:
        return "a certification authority's own certificate"
    if purpose is Purpose.TIMESTAMP:
        alone = extended == {"time_stamping"} and "extended_key_usage" in certificate.critical_extensions
        return "" if alone else "not issued for timestamps alone"
    if not usage & {"digital_signature", "non_repudiation"}:
        return "key usage does not allow signatures"
    if extended and not extended & _SEAL_PURPOSES:
        return "extended key usage does not allow document signatures"
    return ""


def _explain(error: Exception) -> PathResult:
    """Translate an exception of certvalidator; its own texts may quote the certificate, so none is kept."""
    if isinstance(error, RevokedError):
        reason = str(error.reason.native)
        detail = f"revoked at {time_text(error.revocation_dt)}, reason {reason}"
        return PathResult(PathStatus.REVOKED, (), error.revocation_dt, reason, detail)
    status, detail = PathStatus.INVALID, f"path validation failed ({type(error).__name__})"
    if isinstance(error, ExpiredError):
        status, detail = PathStatus.EXPIRED, f"expired at {time_text(error.expired_dt)}"
    elif isinstance(error, NotYetValidError):
        status, detail = PathStatus.NOT_YET_VALID, f"valid from {time_text(error.valid_from)}"
    return PathResult(status, detail=detail)


def time_text(moment: datetime) -> str:
    """Return a moment in UTC, to the second."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
