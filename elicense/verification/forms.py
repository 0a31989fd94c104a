"""How a file and its signed data are read under each policy: our own strictly, others' as they are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from elicense.verification import foreign
from elicense.verification.cms import DATA, read_signed_data, signature_matches
from elicense.verification.general import read_general
from elicense.verification.handing import whole
from elicense.verification.policy import GENERAL
from elicense.verification.signature import read_contents
from elicense.verification.structure import read_structure
from elicense.verification.timestamps import read_token

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from elicense.verification.cms import SignedData
    from elicense.verification.handing import Octets
    from elicense.verification.scan import Candidate
    from elicense.verification.structure import Structure
    from elicense.verification.timestamps import Token


@dataclass(frozen=True, slots=True)
class Form:
    """The readers of one policy."""

    structure: Callable[[Octets], Structure]
    """What the raw bytes of a file show; never raises for what they hold."""
    contents: Callable[[Octets, Candidate], bytes]
    """The value in a signature's gap. Raises CmsError."""
    signed: Callable[[bytes, Candidate], SignedData]
    """The signed data of a signature. Raises CmsError."""
    token: Callable[[bytes], Token]
    """A timestamp token. Raises CmsError or DerError."""
    matches: Callable[[CertificatePublicKeyTypes, Any], bool]
    """Whether the signature is the key's; takes what `signed` returned, or a token's signed data."""
    strict: bool
    """Whether nothing may come along that no signature covers."""


OURS = Form(
    lambda data: read_structure(whole(data)),
    read_contents,
    lambda raw, _: read_signed_data(raw, DATA),
    read_token,
    signature_matches,
    strict=True,
)
"""Licences: no byte of the signed data is free."""
FOREIGN = Form(
    read_general,
    foreign.read_foreign_contents,
    foreign.read_foreign_signed_data,
    foreign.read_foreign_token,
    foreign.foreign_signature_matches,
    strict=False,
)
"""Any program's signatures."""


def form_of(policy: str) -> Form:
    """Return the readers of a policy."""
    return FOREIGN if policy == GENERAL else OURS
