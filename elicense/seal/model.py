"""What a seal is: made once for an authority by a seal maker, applied many times by its keeper."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003  the fields' types stay resolvable at run time
from enum import StrEnum


class SealShape(StrEnum):
    """Outline of the seal."""

    ROUND = "round"
    OVAL = "oval"
    SQUARE = "square"


class SealCentre(StrEnum):
    """What stands in the middle of a round seal (国发〔1999〕25号, secondary source)."""

    STAR = "star"
    EMBLEM = "emblem"
    """A plain placeholder disc: the national emblem's use is regulated and its drawing is the operator's."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class SealArt:
    """A seal drawn as vectors from words."""

    shape: SealShape
    """Outline."""
    width: float
    """True width in mm (a round seal's diameter)."""
    height: float
    """True height in mm; equals the width of a round seal."""
    text: str
    """Organ's name: on the upper arc (round, oval; 4 to 30 characters) or in columns (square; 2 to 30)."""
    centre: SealCentre = SealCentre.STAR
    """Middle of a round seal."""
    lower_text: str = ""
    """Straight line below the centre, e.g. 电子证照专用章, at most 12 characters; empty on a formal seal."""
    code: str = ""
    """Digits on the lower arc (13 or 14), read from the left; empty if unused."""
    specimen: bool = False
    """True puts 样本 beside the star (in the free middle; in a row of its own on a square seal)."""


@dataclass(frozen=True, slots=True)
class SealPicture:
    """A supplied seal picture, drawn at exactly its declared size."""

    png: bytes
    """PNG with transparency, at least 300 dpi at the declared size, at most 2,000 x 2,000 pixels."""
    width: float
    """Declared width in mm."""
    height: float
    """Declared height in mm."""


@dataclass(frozen=True, slots=True)
class Seal:
    """电子印章: the right to put this picture under a licence, and for how long."""

    number: str
    """印章编码: 14 digits, region (6) + serial (8)."""
    name: str
    """印章名称, e.g. 样例市市场监督管理局电子证照专用章."""
    use: str
    """公章, 电子证照专用章, 行政审批专用章, …; a licence type names the use it needs."""
    authority_code: str
    """Credit code of the authority it belongs to."""
    art: SealArt | SealPicture
    """What it looks like."""
    valid_from: datetime
    """First moment of validity, UTC."""
    valid_until: datetime
    """Last moment of validity, UTC."""
    certificates: tuple[str, ...]
    """SHA-256 (hex) of the DER of each certificate that may apply this seal."""

    art_digest: str = field(init=False, repr=False, compare=False)
    """SHA-256 (hex) of what it looks like: another one for any other art."""

    def __post_init__(self) -> None:
        """Compute the digest once; it is asked for with every licence."""
        object.__setattr__(self, "art_digest", hashlib.sha256(repr(self.art).encode("utf-8")).hexdigest())
