"""Issuing offices with any key, any seal and any trust: the demonstration's catalogue and fonts, nothing else of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from elicense.issuing import SealKeeper
from elicense.pki.keys import fingerprint
from elicense.pki.throwaway import make_pki
from elicense.pki.trust import TrustEntry, TrustStore
from elicense.seal.model import Seal, SealArt, SealCentre, SealShape
from tests.support import demonstration

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

    from elicense.catalogue import Catalogue
    from elicense.issuing import IssuingOffice
    from elicense.pki.keys import Signer
    from elicense.pki.throwaway import Identity, ThrowawayPki
    from elicense.seal.model import SealPicture

SEAL_NUMBER = "99010000000099"
"""Number of every seal made here."""
_LIFE = timedelta(days=700)


@dataclass(frozen=True)
class House:
    """A PKI for seals, another one for timestamps, and a moment."""

    at: datetime
    """When everything is made and issued, UTC."""
    seals: ThrowawayPki
    """Certifies seals."""
    stamps: ThrowawayPki
    """Certifies the timestamp authority."""

    @property
    def anchors(self) -> tuple[x509.Certificate, ...]:
        """Return both roots: of seals, then of timestamps."""
        return self.seals.root.certificate, self.stamps.root.certificate

    @property
    def crls(self) -> tuple[x509.CertificateRevocationList, ...]:
        """Return the lists of both."""
        return *self.seals.crls, *self.stamps.crls

    def identity(self, slug: str = demonstration.SLUG, algorithm: str = "p256") -> Identity:
        """Return a new key with a certificate for the seal of the type's sample authority."""
        authority = demonstration.office().catalogue[slug].sample_authority()
        return self.seals.seal(SEAL_NUMBER, authority.name, authority.code, algorithm=algorithm)

    def office(
        self,
        signer: Signer,
        *,
        slug: str = demonstration.SLUG,
        art: SealArt | SealPicture | None = None,
        catalogue: Catalogue | None = None,
        **changes: object,
    ) -> IssuingOffice:
        """Return an office that seals one type with `signer` and `art`, its register and store empty.

        Args:
            signer: holder of the key.
            slug: the type.
            art: what the seal looks like; by default round with a star, 40 mm.
            catalogue: licence types; by default the shipped ones.
            changes: of the office.
        """
        base = demonstration.office()
        licence_type = (catalogue or base.catalogue)[slug]
        authority = licence_type.sample_authority()
        use, period = licence_type.seal_use, (self.at - timedelta(days=1), self.at + _LIFE)
        certificate = fingerprint(signer.certificate)
        seal = Seal(
            SEAL_NUMBER, authority.name + use, use, authority.code, art or round_seal(authority.name),
            *period, (certificate,),
        )  # fmt: skip
        entry = TrustEntry(
            authority.code, authority.name, certificate, SEAL_NUMBER, (licence_type.type_code,), *period
        )
        trust = TrustStore(
            (self.seals.root.certificate,),
            crls=self.crls,
            register=(entry,),
            timestamp_anchors=(self.stamps.root.certificate,),
        )
        keepers = (SealKeeper(authority, seal, signer),)
        return replace(
            base, **{"keepers": keepers, "trust": trust, "catalogue": catalogue or base.catalogue, **changes}
        )


def house(at: datetime) -> House:
    """Return a house at `at`, with keys of its own."""
    return House(at, make_pki(at=at), make_pki(at=at))


def round_seal(text: str, **changes: object) -> SealArt:
    """Return a round specimen seal with a star, 40 mm wide, and `changes`."""
    values = {"width": 40.0, "height": 40.0, "centre": SealCentre.STAR, "specimen": True, **changes}
    return SealArt(SealShape.ROUND, text=text, **values)
