"""Who seals a licence, with which seal, and whether outsiders will believe it: all that is looked up and checked."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from elicense.errors import ConfigurationError, NotAuthorised, SealAwaited
from elicense.issuing.office import SealKeeper
from elicense.pki.keys import fingerprint
from elicense.pki.trust import require_path
from elicense.registry.protocol import Intent
from elicense.rendering.compiler import compile_template
from elicense.rendering.fill import engine_version
from elicense.seal.checks import check_usable
from elicense.signing.pades import required_capacity

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from elicense.catalogue import LicenceType
    from elicense.issuing.office import IssuingOffice, JointPartner
    from elicense.registry.protocol import LicenceRecord
    from elicense.rendering.template import CompiledTemplate

_BETWEEN = "; "
"""Between the seals of a joint document in its intent."""


def keeper_of(
    office: IssuingOffice, code: str, licence_type: LicenceType, *, field: str = "authority_code"
) -> SealKeeper:
    """Return who seals this type for this authority here. Raises NotAuthorised."""
    keeper = _find(office.keepers, code, licence_type, field)
    assert isinstance(keeper, SealKeeper), "keepers are all there was to find"
    return keeper


def parties_of(
    office: IssuingOffice, codes: Sequence[str], licence_type: LicenceType
) -> tuple[SealKeeper | JointPartner, ...]:
    """Return who seals this type for each joint authority, here or elsewhere. Raises NotAuthorised."""
    known: tuple[SealKeeper | JointPartner, ...] = (*office.keepers, *office.partners)
    return tuple(_find(known, code, licence_type, "joint_authority_codes") for code in codes)


def _find(
    parties: Sequence[SealKeeper | JointPartner], code: str, licence_type: LicenceType, field: str
) -> SealKeeper | JointPartner:
    own = [party for party in parties if party.authority.code == code]
    if not own:
        raise NotAuthorised(
            f"no authority with the credit code {code!r} issues here: choose one that does",
            f"本系统中没有代码为 {code!r} 的颁发机构：请选择已开通的颁发机构",
            field=field,
        )
    for party in own:
        if party.seal.use == licence_type.seal_use:
            return party
    raise NotAuthorised(
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
    certificate = fingerprint(keeper.signer.certificate)
    check_seal(keeper, licence_type, at=at)
    require_path(keeper.signer.certificate, keeper.signer.chain, office.trust, at)
    entries = office.trust.entries(certificate)
    if office.trust.register is not None and not any(
        (entry.authority_code, entry.authority_name) == (keeper.authority.code, keeper.authority.name)
        and entry.seal_number == keeper.seal.number
        and licence_type.type_code in entry.type_codes
        and entry.valid_from <= at <= entry.valid_until
        for entry in entries
    ):
        raise NotAuthorised(
            f"the trust register does not let {keeper.authority.name} seal {licence_type.name_zh} with "
            f"seal {keeper.seal.number} now: have it amended, or choose another authority",
            f"信任名册未授权{keeper.authority.name}此时以印章 {keeper.seal.number} "
            f"签发{licence_type.name_zh}：请更新名册或更换颁发机构",
            field="authority_code",
        )


def check_seal(keeper: SealKeeper, licence_type: LicenceType, *, at: datetime) -> None:
    """Return if this seal may be applied at `at`. Raises SealError."""
    certificate = fingerprint(keeper.signer.certificate)
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
    return Intent(
        template_digest=licence_type.digest,
        engine=engine_version(office.fonts),
        seal=_BETWEEN.join(map(_seal_name, (keeper, *parties))),
        certificate=fingerprint(keeper.signer.certificate),
        capacity=required_capacity(keeper.signer, office.timestamps),
        profile="B-B" if office.timestamps is None else "B-T",
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
    if record.intent.profile == "B-B":
        # A timestamp authority set up since then changes nothing for a licence that was promised none.
        intent = replace(intent, profile="B-B", capacity=required_capacity(keeper.signer, None))
    recorded, current = asdict(record.intent), asdict(intent)
    changed = [name for name in current if current[name] != recorded[name]]
    if changed:
        raise _otherwise(record, ", ".join(changed))
    return licence_type, keeper, parties


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
