"""elicense issues, seals and verifies official electronic licences as PDF.

The names most programs need, each loaded when first used: who only verifies never loads what renders and signs.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from elicense.archiving import archive, archive_licence
    from elicense.catalogue import Catalogue
    from elicense.errors import ElicenseError
    from elicense.identifiers import LicenceIdentifier
    from elicense.issuing import IssuedLicence, IssuingOffice, SealKeeper, issue, resume, seal_next
    from elicense.model import Holder, IssueRequest, IssuingAuthority, Licence, Validity
    from elicense.pki.trust import TrustStore, load_trust
    from elicense.seal.model import Seal
    from elicense.verification.pipeline import verify
    from elicense.verification.report import Indication, VerificationReport

__all__ = [
    "Catalogue",
    "ElicenseError",
    "Holder",
    "Indication",
    "IssueRequest",
    "IssuedLicence",
    "IssuingAuthority",
    "IssuingOffice",
    "Licence",
    "LicenceIdentifier",
    "Seal",
    "SealKeeper",
    "TrustStore",
    "Validity",
    "VerificationReport",
    "archive",
    "archive_licence",
    "issue",
    "load_trust",
    "resume",
    "seal_next",
    "verify",
]

_HOMES = {
    "elicense.archiving": ("archive", "archive_licence"),
    "elicense.catalogue": ("Catalogue",),
    "elicense.errors": ("ElicenseError",),
    "elicense.identifiers": ("LicenceIdentifier",),
    "elicense.issuing": ("IssuedLicence", "IssuingOffice", "SealKeeper", "issue", "resume", "seal_next"),
    "elicense.model": ("Holder", "IssueRequest", "IssuingAuthority", "Licence", "Validity"),
    "elicense.pki.trust": ("TrustStore", "load_trust"),
    "elicense.seal.model": ("Seal",),
    "elicense.verification.pipeline": ("verify",),
    "elicense.verification.report": ("Indication", "VerificationReport"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Return a public name, its module loaded now. Raises AttributeError for any other name."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'elicense' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
