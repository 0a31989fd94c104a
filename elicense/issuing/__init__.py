"""From a request to a sealed, verified, stored and recorded licence: `line` is the way, `office` what it needs."""

from elicense.issuing.line import issue, resume, seal_next
from elicense.issuing.office import IssuedLicence, IssuingOffice, JointPartner, Resumed, SealKeeper, Step

__all__ = [
    "IssuedLicence", "IssuingOffice", "JointPartner", "Resumed", "SealKeeper", "Step", "issue", "resume", "seal_next",
]  # fmt: skip
