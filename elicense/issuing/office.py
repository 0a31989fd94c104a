"""What issuing needs and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from elicense.catalogue import Catalogue
    from elicense.errors import ElicenseError
    from elicense.model import IssuingAuthority
    from elicense.pki.keys import Signer
    from elicense.pki.timestamps import TimestampAuthority
    from elicense.pki.trust import TrustStore
    from elicense.registry.protocol import DocumentStore, LicenceRecord, Registry
    from elicense.rendering.fonts import FontLibrary
    from elicense.seal.model import Seal


class Step(StrEnum):
    """A point of the line that was just passed; what the world holds then is said in `line`.

    A joint document passes the last four once for every seal, and CLEARED before each.
    """

    RESERVED = "reserved"
    RENDERED = "rendered"
    CLEARED = "cleared"
    SEALED = "sealed"
    VERIFIED = "verified"
    STORED = "stored"
    COMMITTED = "committed"


@dataclass(frozen=True, slots=True)
class SealKeeper:
    """Who applies a seal: the authority it speaks for, the seal, and the holder of its key."""

    authority: IssuingAuthority
    """The authority whose licences this keeper seals."""
    seal: Seal
    """The seal; its `use` says for which licence types."""
    signer: Signer
    """Holder of the private key; its certificate is on the seal's list."""


@dataclass(frozen=True, slots=True)
class JointPartner:
    """An authority that seals joint documents in an office of its own; here only what its seal looks like is known."""

    authority: IssuingAuthority
    """The authority."""
    seal: Seal
    """Its seal: the page is prepared at its size."""


@dataclass(frozen=True, slots=True)
class IssuingOffice:
    """Everything that issuing needs, chosen by whoever starts the program."""

    catalogue: Catalogue
    """Licence types."""
    fonts: FontLibrary
    """Fonts the pages are set in."""
    keepers: tuple[SealKeeper, ...]
    """Authorities with their seals; one for each authority and use."""
    trust: TrustStore
    """Trust of the verification after sealing: what outsiders are told to trust."""
    registry: Registry
    """Numbers and states."""
    store: DocumentStore
    """Finished documents."""
    verify_base: str
    """Address that checks a licence when its identifier is appended, e.g. https://host/v/."""
    timestamps: TimestampAuthority | None = None
    """Timestamp authority for profile B-T; None issues B-B."""
    on_timestamp_failure: Literal["refuse", "pending"] = "refuse"
    """What happens if the timestamp authority does not answer."""
    partners: tuple[JointPartner, ...] = ()
    """Authorities of joint documents whose keepers are elsewhere, on the same register and store."""
    found: dict[object, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What `means` has looked up in this very office; one in which anything is replaced begins with nothing."""


@dataclass(frozen=True, slots=True)
class IssuedLicence:
    """A licence on record and its document."""

    record: LicenceRecord
    """As the register has it: ISSUED, or what became of it since, for a request that came again."""
    pdf: bytes
    """The sealed document."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """What `resume` made of one unfinished licence."""

    record: LicenceRecord
    """As the register has it now."""
    issued: IssuedLicence | None
    """The finished licence, or None."""
    error: ElicenseError | None
    """Why it is still not finished, or None; SealAwaited if it only waits for an authority of another office."""
