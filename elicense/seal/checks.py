"""Whether a seal may be applied: its owner, its use, its dates, its list of certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from elicense.errors import SealError

if TYPE_CHECKING:
    from datetime import datetime

    from elicense.seal.model import Seal


def check_usable(
    seal: Seal,
    certificate_sha256: str,
    at: datetime,
    *,
    authority_code: str,
    use: str,
) -> None:
    """Return if this seal may be applied now, by this authority and certificate, for this use.

    Args:
        seal: the seal.
        certificate_sha256: SHA-256 (hex) of the DER of the signer's certificate.
        at: the moment of application, UTC.
        authority_code: credit code of the authority that wants to apply it.
        use: the use the licence type asks for, e.g. 电子证照专用章.

    Raises:
        SealError: another authority's seal, a seal for another use, not yet or no longer valid, or a
            certificate that the seal does not list. `field` names what is wrong.
    """
    if seal.authority_code != authority_code:
        raise SealError(
            f"Seal {seal.number} belongs to {seal.authority_code}, not to {authority_code}; "
            "use the authority's own seal.",
            f"印章{seal.number}属于{seal.authority_code}，不属于{authority_code}，请使用本机关的印章。",
            field="authority_code",
        )
    if seal.use != use:
        raise SealError(
            f"Seal {seal.number} is for {seal.use}, this needs {use}; choose the seal made for it.",
            f"印章{seal.number}用途为“{seal.use}”，此处需要“{use}”，请选用相应的印章。",
            field="use",
        )
    if not seal.valid_from <= at <= seal.valid_until:
        first, last, now = (f"{one:%Y-%m-%d %H:%M} UTC" for one in (seal.valid_from, seal.valid_until, at))
        raise SealError(
            f"Seal {seal.number} is valid from {first} to {last}, not at {now}; "
            "check the clock or have a new seal made.",
            f"印章{seal.number}有效期为{first}至{last}，{now}不在其内，请核对时钟或重新制作印章。",
            field="valid_until",
        )
    listed = certificate_sha256 in seal.certificates
    if not listed and certificate_sha256.lower() not in {one.lower() for one in seal.certificates}:
        raise SealError(
            f"The certificate {certificate_sha256} is not listed in seal {seal.number}; "
            "sign with a listed one or have the seal made anew.",
            f"证书{certificate_sha256}未列入印章{seal.number}，请使用已列入的证书或重新制作印章。",
            field="certificates",
        )
