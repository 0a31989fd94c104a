"""True diameters of official seals by the rank of the body, and what stands in the middle of them.

Source: 国发〔1999〕25号, known to us from a secondary source only; its text was not read. Diameters of local
departments are set by the provinces; the values here stay below the bound for 内设机构 and follow seals seen
in use.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from elicense.errors import SealError
from elicense.model import AuthorityLevel
from elicense.seal.model import SealCentre

if TYPE_CHECKING:
    from collections.abc import Mapping


class SealBody(StrEnum):
    """What kind of body a seal belongs to."""

    GOVERNMENT = "government"
    """人民政府 of that level (国务院 at the national level)."""
    DEPARTMENT = "department"
    """A ministry, or a department of a local government."""
    INSTITUTION = "institution"
    """内设机构, 直属单位, 企事业单位, 社会团体."""


@dataclass(frozen=True, slots=True)
class SealSize:
    """One row of the table."""

    diameter: float
    """Diameter in mm we draw."""
    at_most: bool
    """True where the rule gives a bound, or leaves it to the province: the diameter is our choice."""
    centre: SealCentre
    """National emblem (its place only) or star."""


_EMBLEM, _STAR = SealCentre.EMBLEM, SealCentre.STAR

SEAL_SIZES: Final[Mapping[tuple[AuthorityLevel, SealBody], SealSize]] = {
    (AuthorityLevel.NATIONAL, SealBody.GOVERNMENT): SealSize(60, False, _EMBLEM),
    (AuthorityLevel.NATIONAL, SealBody.DEPARTMENT): SealSize(50, False, _EMBLEM),
    (AuthorityLevel.PROVINCE, SealBody.GOVERNMENT): SealSize(50, False, _EMBLEM),
    (AuthorityLevel.PROVINCE, SealBody.DEPARTMENT): SealSize(45, True, _STAR),
    (AuthorityLevel.CITY, SealBody.GOVERNMENT): SealSize(45, False, _EMBLEM),
    (AuthorityLevel.CITY, SealBody.DEPARTMENT): SealSize(42, True, _STAR),
    (AuthorityLevel.COUNTY, SealBody.GOVERNMENT): SealSize(45, False, _EMBLEM),
    (AuthorityLevel.COUNTY, SealBody.DEPARTMENT): SealSize(42, True, _STAR),
    (AuthorityLevel.TOWN, SealBody.GOVERNMENT): SealSize(42, False, _EMBLEM),
    (AuthorityLevel.TOWN, SealBody.DEPARTMENT): SealSize(40, True, _STAR),
    (AuthorityLevel.INSTITUTION, SealBody.INSTITUTION): SealSize(42, True, _STAR),
}
"""自治州, 市, 县, 市辖区人民政府 4.5 cm; 乡镇人民政府 4.2 cm; 内设机构 and 企事业单位 4.5 cm at most."""

MAX_INSTITUTION_MM: Final = 45.0
"""Upper bound for 内设机构, 直属单位, 企事业单位, 社会团体."""


def size_for(level: AuthorityLevel, body: SealBody = SealBody.DEPARTMENT) -> SealSize:
    """Return the size of the seal of a body of this level.

    An institution has the same size at every level, and the level INSTITUTION has no other bodies.

    Raises:
        SealError: the level has no body of that kind.
    """
    if SealBody.INSTITUTION is body or level is AuthorityLevel.INSTITUTION:
        if body is SealBody.GOVERNMENT:
            raise SealError(
                "An institution has no government's seal; choose the level of the government.",
                "事业单位没有人民政府印章，请选择该政府的级别。",
                field="level",
            )
        return SEAL_SIZES[AuthorityLevel.INSTITUTION, SealBody.INSTITUTION]
    return SEAL_SIZES[level, body]


def diameter_for(level: AuthorityLevel, body: SealBody = SealBody.DEPARTMENT) -> float:
    """Return the diameter in mm of the round seal of a body of this level. Raises as `size_for`."""
    return size_for(level, body).diameter
