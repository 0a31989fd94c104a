"""Who seals a licence, with which seal, and whether outsiders will believe it: all that is looked up and checked.

What an office is made of never changes. So what follows from that alone is looked up once for each office: who seals
what, the lines of the trust register, the intent. What depends on the moment is asked for every licence.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, TypeVar

from elicense.errors import ConfigurationError, NotAuthorised, SealAwaited
from elicense.pki.keys import fingerprint
from elicense.pki.trust import require_path
from elicense.registry.protocol import Intent
from elicense.rendering.compiler import compile_template
from elicense.rendering.fill import engine_version
from elicense.seal.checks import check_usable
from elicense.signing.pades import required_capacity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from elicense.catalogue import LicenceType
    from elicense.issuing.office import IssuingOffice, JointPartner, SealKeeper
    from elicense.pki.trust import TrustEntry
    from elicense.registry.protocol import LicenceRecord
    from elicense.rendering.template import CompiledTemplate

_BETWEEN = "; "
"""Between the seals of a joint document in its intent."""
_MOST_FOUND = 1 << 14
"""Answers kept for an office: authorities can be joined in many ways."""

_T = TypeVar("_T")
_P = TypeVar("_P", bound="SealKeeper | JointPartner")


def _once(office: IssuingOffice, kind: str, about: tuple[object, ...], look_up: Callable[[], _T]) -> _T:
    """Return what `look_up` gives about these very objects, asked once in an office; an error is asked again."""
    key = (kind, *map(id, about))
    kept = office.found.get(key)
    if kept is None:
        if len(office.found) >= _MOST_FOUND:
            office.found.clear()
        # The objects are held, so that no others can get their identities.
        kept = office.found[key] = (look_up(), about)
    answer: _T = kept[0]
    return answer


def keeper_of(
    office: IssuingOffice, code: str, licence_type: LicenceType, *, field: str = "authority_code"
) -> SealKeeper:
    """Return who seals this type for this authority here. Raises NotAuthorised."""
    keepers = _once(office, "keepers", (), lambda: _by_code_and_use(office.keepers))
    found = keepers.get((code, licence_type.seal_use))
    if found is None:
        raise _nobody(office.keepers, code, licence_type, field)
    return found


def parties_of(
    office: IssuingOffice, codes: Sequence[str], licence_type: LicenceType
) -> tuple[SealKeeper | JointPartner, ...]:
    """Return who seals this type for each joint authority, here or elsewhere. Raises NotAuthorised."""
    if not codes:
        return ()
    known: tuple[SealKeeper | JointPartner, ...] = (*office.keepers, *office.partners)
    parties = _once(office, "parties", (), lambda: _by_code_and_use(known))
    found = []
    for code in codes:
        party = parties.get((code, licence_type.seal_use))
        if party is None:
            raise _nobody(known, code, licence_type, "joint_authority_codes")
        found.append(party)
    return tuple(found)


def _by_code_and_use(parties: Sequence[_P]) -> dict[tuple[str, str], _P]:
    """Return the parties by the authority's code and the seal's use; the first of several stands."""
    return {(party.authority.code, party.seal.use): party for party in reversed(parties)}


def _nobody(
    parties: Sequence[SealKeeper | JointPartner], code: str, licence_type: LicenceType, field: str
) -> NotAuthorised:
    """Return the error for a code and a type that no party has the seal for."""
    own = [party for party in parties if party.authority.code == code]
    if not own:
        return NotAuthorised(
            f"no authority with the credit code {code!r} issues here: choose one that does",
            f"本系统中没有代码为 {code!r} 的颁发机构：请选择已开通的颁发机构",
            field=field,
        )
    return NotAuthorised(
        f"{own[0].authority.name} has no seal {licence_type.seal_use} here, which "
        f"{licence_type.name_zh} needs: install the seal and its key",
        f"{own[0].authority.name}未配置{licence_type.name_zh}所需的"
        f"{licence_type.seal_use}：请先安装印章及密钥",
        field=field,
    )


def require_usable(
    keeper: SealKeeper, licence_type: LicenceType, office: IssuingOffice, *, at: datetime
) -> None:
    """Return if outsiders will believe this keeper's seal under this type at `at`.

    Raises SealError, CertificatePathError, NotAuthorised.
    """
    check_seal(keeper, licence_type, office, at=at)
    require_path(keeper.signer.certificate, keeper.signer.chain, office.trust, at)
    if office.trust.register is None:
        return
    rights = _once(office, "rights", (keeper, licence_type), lambda: _rights(keeper, licence_type, office))
    if not any(entry.valid_from <= at <= entry.valid_until for entry in rights):
        raise NotAuthorised(
            f"the trust register does not let {keeper.authority.name} seal {licence_type.name_zh} with "
            f"seal {keeper.seal.number} now: have it amended, or choose another authority",
            f"信任名册未授权{keeper.authority.name}此时以印章 {keeper.seal.number} "
            f"签发{licence_type.name_zh}：请更新名册或更换颁发机构",
            field="authority_code",
        )


def _rights(keeper: SealKeeper, licence_type: LicenceType, office: IssuingOffice) -> tuple[TrustEntry, ...]:
    """Return the register's lines that let this keeper's certificate seal the type, each in its time."""
    return tuple(
        entry
        for entry in office.trust.entries(fingerprint(keeper.signer.certificate))
        if (entry.authority_code, entry.authority_name) == (keeper.authority.code, keeper.authority.name)
        and entry.seal_number == keeper.seal.number
        and licence_type.type_code in entry.type_codes
    )


def check_seal(keeper: SealKeeper, licence_type: LicenceType, office: IssuingOffice, *, at: datetime) -> None:
    """Return if this seal may be applied at `at`. Raises SealError."""
    certificate = _once(office, "certificate", (keeper,), lambda: fingerprint(keeper.signer.certificate))
    check_usable(
        keeper.seal, certificate, at, authority_code=keeper.authority.code, use=licence_type.seal_use
    )


def intent_of(
    licence_type: LicenceType,
    keeper: SealKeeper,
    parties: Sequence[SealKeeper | JointPartner],
    office: IssuingOffice,
) -> Intent:
    """Return everything but the licence that decides the bytes until the first seal."""
    return _once(
        office,
        "intent",
        (licence_type, keeper, *parties),
        lambda: Intent(
            template_digest=licence_type.digest,
            engine=engine_version(office.fonts),
            seal=_BETWEEN.join(map(_seal_name, (keeper, *parties))),
            certificate=fingerprint(keeper.signer.certificate),
            capacity=required_capacity(keeper.signer, office.timestamps),
            profile="B-B" if office.timestamps is None else "B-T",
        ),
    )


def _seal_name(party: SealKeeper | JointPartner) -> str:
    return f"{party.seal.number} {party.seal.art_digest}"


def compiled_for(
    licence_type: LicenceType,
    keeper: SealKeeper,
    parties: Sequence[SealKeeper | JointPartner],
    office: IssuingOffice,
    intent: Intent,
) -> CompiledTemplate:
    """Return the type's template under these seals."""
    further = (party.seal for party in parties)
    return compile_template(licence_type, office.fonts, keeper.seal, *further, capacity=intent.capacity)


def as_intended(
    record: LicenceRecord, office: IssuingOffice
) -> tuple[LicenceType, SealKeeper, tuple[SealKeeper | JointPartner, ...]]:
    """Return type, keeper and joint authorities if the office can still make what the reservation recorded.

    Raises ConfigurationError naming what changed: other means would make other bytes under the same number.
    """
    licence_type = office.catalogue[record.licence.type]
    if record.licence.joint_authorities:
        next_keeper(record, office)
    keeper = keeper_of(office, record.licence.authority.code, licence_type)
    parties = parties_of(office, [one.code for one in record.licence.joint_authorities], licence_type)
    intent = intent_of(licence_type, keeper, parties, office)
    if record.intent != intent:
        _require_as_good(record, intent, keeper)
    return licence_type, keeper, parties


def _require_as_good(record: LicenceRecord, intent: Intent, keeper: SealKeeper) -> None:
    """Return if what was recorded can be made although the office would now record `intent`.

    Raises ConfigurationError as `as_intended`.
    """
    if record.intent.profile == "B-B":
        # A timestamp authority set up since then changes nothing for a licence that was promised none.
        intent = replace(intent, profile="B-B", capacity=required_capacity(keeper.signer, None))
    if record.intent.capacity > intent.capacity:
        # Reserved when more was counted for the same seal: the document gets as much space as was promised.
        intent = replace(intent, capacity=record.intent.capacity)
    recorded, current = asdict(record.intent), asdict(intent)
    changed = [name for name in current if current[name] != recorded[name]]
    if changed:
        raise _otherwise(record, ", ".join(changed))


def next_keeper(record: LicenceRecord, office: IssuingOffice) -> SealKeeper:
    """Return the keeper of this office who seals a joint document now, with the seal that it was prepared for.

    Raises:
        SealAwaited: it is the turn of an authority whose keeper is not in this office.
        ConfigurationError: the authority's seal is another one since, or a timestamp was promised and there is no
            authority to ask.
    """
    place = len(record.interim)
    authority = record.licence.authorities[place]
    licence_type = office.catalogue[record.licence.type]
    try:
        keeper = keeper_of(office, authority.code, licence_type)
    except NotAuthorised as error:
        identifier = record.licence.identifier
        raise SealAwaited(
            f"document {record.licence.number} waits for the seal of {authority.name}, whose keeper is not here: "
            f"have it sealed there with `elicense seal next {identifier}`",
            f"{record.licence.number} 待{authority.name}盖章，其印章保管人不在本处："
            f"请由该机构运行 elicense seal next {identifier}",
        ) from error
    if _seal_name(keeper) != record.intent.seal.split(_BETWEEN)[place]:
        raise _otherwise(record, "seal")
    if place and record.intent.profile == "B-T" and office.timestamps is None:
        raise _otherwise(record, "profile")
    return keeper


def _otherwise(record: LicenceRecord, names: str) -> ConfigurationError:
    """Return the error for an office that has other means now."""
    return ConfigurationError(
        f"licence {record.licence.number} was reserved with another {names}: put that back, or void the number",
        f"证照 {record.licence.number} 预留后 {names} 发生了变化：请恢复原配置，或作废该编号",
    )
