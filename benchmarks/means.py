"""What both sides issue with: one throw-away authority, the same keys, the same seal, everything loaded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding

from benchmarks.page import load_font
from benchmarks.plain import PlainPipeline
from benchmarks.tuned import TunedPipeline
from elicense import demo
from elicense.pki.keys import fingerprint
from elicense.pki.throwaway import load_pki
from elicense.registry.memory import MemoryRegistry, MemoryStore
from elicense.seal.preview import preview

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from elicense import IssuingOffice
    from elicense.issuing import SealKeeper
    from elicense.pki.trust import TrustEntry


@dataclass(frozen=True, slots=True)
class Means:
    """An office and where its peers find the same key and the same seal."""

    office: IssuingOffice
    """Ours, register and store in memory."""
    folder: Path
    """Where the demonstration lies; each keeper's files are made beside it."""

    @classmethod
    def build(cls, folder: Path, *, at: datetime) -> Means:
        """Return the means over a new throw-away authority made in `folder`."""
        office = demo.build(folder / "demo", at=at)
        load_font()
        return cls(replace(office, registry=MemoryRegistry(), store=MemoryStore()), folder)

    @property
    def demo_folder(self) -> Path:
        """The demonstration."""
        return self.folder / "demo"

    def fresh(self) -> IssuingOffice:
        """Return the office with nothing on record."""
        return replace(self.office, registry=MemoryRegistry(), store=MemoryStore())

    def keeper(self, slug: str) -> SealKeeper:
        """Return who seals a type."""
        licence_type = self.office.catalogue[slug]
        code = licence_type.sample_authority().code
        return next(
            keeper
            for keeper in self.office.keepers
            if (keeper.authority.code, keeper.seal.use) == (code, licence_type.seal_use)
        )

    def with_rsa(self, slug: str, *, at: datetime) -> Means:
        """Return the same means, but for the key of a type's seal, which is RSA-2048 now."""
        keeper = self.keeper(slug)
        pki = load_pki(self.demo_folder / "ca", at=at)
        seal, authority = keeper.seal, keeper.authority
        identity = pki.seal(seal.number, authority.name, authority.code, algorithm="rsa2048")
        certificate = fingerprint(identity.certificate)
        folder = self.folder / "rsa"
        (folder / "demo" / "keys").mkdir(parents=True)
        identity.write(*demo.key_files(folder / "demo", seal.number))
        other = replace(keeper, seal=replace(seal, certificates=(certificate,)), signer=identity.signer())
        old = self.office.trust.entries(seal.certificates[0])
        register = (*(self.office.trust.register or ()), *(_for(entry, certificate) for entry in old))
        office = replace(
            self.fresh(),
            keepers=tuple(other if one is keeper else one for one in self.office.keepers),
            trust=replace(self.office.trust, register=register),
        )
        return Means(office, folder)

    def plain(self, slug: str) -> PlainPipeline:
        """Return the plain pipeline with the seal and the key of a type."""
        return PlainPipeline.load(**self.files(slug))

    def tuned(self, slug: str) -> TunedPipeline:
        """Return the tuned pipeline with the seal and the key of a type."""
        return TunedPipeline.load(**self.files(slug))

    def files(self, slug: str) -> dict[str, Path]:
        """Return the files the peers load: key, certificates and seal of a type's keeper."""
        keeper = self.keeper(slug)
        signer, number = keeper.signer, keeper.seal.number
        key, _ = demo.key_files(self.demo_folder, number)
        certificate, chain, seal = (self.folder / f"{number}-{name}" for name in ("leaf", "chain", "seal"))
        certificate.write_bytes(signer.certificate.public_bytes(Encoding.PEM))
        chain.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in signer.chain))
        seal.write_bytes(preview(keeper.seal.art, self.office.fonts, format="pdf"))
        return {"key": key, "certificate": certificate, "chain": chain, "seal_pdf": seal}


def _for(entry: TrustEntry, certificate: str) -> TrustEntry:
    """Return the same right for another certificate."""
    return replace(entry, certificate=certificate)
