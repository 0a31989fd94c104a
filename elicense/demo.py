"""A demonstration in one folder: throw-away PKI, invented authorities, specimen seals, register and store.

Everything in it is worth nothing outside: keys lie unprotected beside the certificates, and every seal bears
样本. The folder is marked by its `demo.json`; nothing here ever touches a folder without that mark.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from elicense.catalogue import Catalogue, templates_folder
from elicense.decoding import authority_from_json
from elicense.demo_folder import MARKER, is_demo, register_file, trust_file
from elicense.encoding import authority_to_json
from elicense.errors import ConfigurationError, MalformedDocument
from elicense.issuing import IssuingOffice, SealKeeper, issue
from elicense.pki.keys import fingerprint, load_pem_signer
from elicense.pki.throwaway import load_pki, make_pki
from elicense.pki.trust import TrustEntry, dump_register, load_trust
from elicense.registry.files import FileStore
from elicense.registry.sql import SqlRegistry
from elicense.rendering.fonts import FontLibrary
from elicense.seal.model import Seal, SealArt, SealCentre, SealShape
from elicense.seal.sizes import size_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from cryptography import x509

    from elicense.catalogue import LicenceType
    from elicense.model import IssuingAuthority
    from elicense.pki.throwaway import ThrowawayPki
    from elicense.registry.protocol import LicenceRecord

SCHEMA = "elicense/demo/1"
VERIFY_BASE = "http://127.0.0.1:8000/v/"
"""Where `run.py serve` answers by default."""

FORMAL_USE = "公章"
"""The formal seal bears no line below its star."""

_LIFE = timedelta(days=730)
_TRUST_FILES = ("anchors.pem", "intermediates.pem", "crls.pem")


@dataclass(frozen=True, slots=True)
class Sample:
    """One licence issued for the demonstration."""

    type: LicenceType
    """Its type."""
    record: LicenceRecord
    """As the register has it."""
    file: Path
    """Where its document lies."""


def build(folder: Path, *, at: datetime, templates: Path | None = None) -> IssuingOffice:
    """`folder` is a demonstration with an authority and a seal for every licence type, and current lists.

    What is there already and still good is kept, so that licences issued before stay valid and numbers go on.

    Args:
        folder: new, empty, or a demonstration made before.
        at: now, UTC; certificates and seals are valid from the day before, for two years.
        templates: folder of licence types; by default the shipped ones.

    Raises:
        ConfigurationError: the folder holds something else, or cannot be written.
        InvalidTemplate: a licence type's files are wrong.
    """
    catalogue = Catalogue.load(templates or templates_folder())
    try:
        _claim(folder)
        pki = _pki(folder, at=at)
        seals = _seals(folder, catalogue, pki, at=at)
        _write_trust(folder, catalogue, seals)
        _make_token(folder / "token")
    except OSError as error:
        raise ConfigurationError(
            f"the demonstration cannot be written to {folder} ({error.strerror}): choose another folder",
            f"无法在 {folder} 中写入演示数据（{error.strerror}）：请换一个目录",
        ) from error
    return load(folder, templates=templates)


def load(folder: Path, *, templates: Path | None = None) -> IssuingOffice:
    """Return the office of a demonstration made by `build`.

    Raises:
        ConfigurationError: `folder` is no demonstration, or a file in it is damaged or missing.
        KeyUnavailable: a key cannot be read.
    """
    if not is_demo(folder):
        raise ConfigurationError(
            f"{folder} is not a demonstration's folder: make it with `elicense demo`",
            f"{folder} 不是演示目录：请先运行 elicense demo",
        )
    keepers = []
    for authority, seal in _read_seals(folder):
        key, certificates = key_files(folder, seal.number)
        keepers.append(SealKeeper(authority, seal, load_pem_signer(key, certificates)))
    return IssuingOffice(
        catalogue=Catalogue.load(templates or templates_folder()),
        fonts=FontLibrary.load(templates_folder() / "fonts", _own_fonts(folder)),
        keepers=tuple(keepers),
        trust=load_trust(trust_file(folder)),
        registry=SqlRegistry(register_file(folder)),
        store=FileStore(folder / "documents"),
        verify_base=VERIFY_BASE,
    )


def _own_fonts(folder: Path) -> Path | None:
    """Return the operator's own fonts, which lie in `fonts` beside the register, if there are any."""
    own = folder / "fonts"
    return own if (own / "fonts.toml").is_file() else None


def issue_samples(
    office: IssuingOffice,
    folder: Path,
    *,
    at: datetime,
    on_issued: Callable[[Sample], None] = lambda _: None,
) -> tuple[Sample, ...]:
    """One new licence of each type is issued and lies in `folder` as `<type>.pdf`.

    Raises:
        ElicenseError: as `elicense.issuing.issue`.
    """
    samples = []
    for licence_type in office.catalogue.types:
        issued = issue(licence_type.sample_request(), office, at=at)
        file = folder / f"{licence_type.slug}.pdf"
        _write(file, issued.pdf)
        sample = Sample(licence_type, issued.record, file)
        on_issued(sample)
        samples.append(sample)
    return tuple(samples)


# --- Making ---


def _claim(folder: Path) -> None:
    """`folder` exists and bears the mark. Raises ConfigurationError if something else is in it."""
    if is_demo(folder):
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigurationError(
            f"{folder} exists and is not a demonstration's folder: choose another one or empty it",
            f"{folder} 已存在且不是演示目录：请换一个目录或先清空",
        )
    folder.mkdir(parents=True, exist_ok=True)
    # The mark comes first: a demonstration interrupted while it is made can be made on.
    _write_seals(folder, ())


def _pki(folder: Path, *, at: datetime) -> ThrowawayPki:
    """Return the PKI of the folder, made if there is none; its revocation lists are of `at`."""
    ca = folder / "ca"
    try:
        pki = load_pki(ca, at=at).with_crls(at=at, days=_LIFE.days)
    except FileNotFoundError:
        # Seals of another PKI would never be believed under this one.
        _write_seals(folder, ())
        pki = make_pki(at=at, crl_days=_LIFE.days)
    pki.write(ca)
    for name in _TRUST_FILES:
        _write(folder / "trust" / name, (ca / name).read_bytes())
    return pki


def _seals(
    folder: Path, catalogue: Catalogue, pki: ThrowawayPki, *, at: datetime
) -> tuple[tuple[IssuingAuthority, Seal], ...]:
    """Return a valid seal for every authority and use that the samples name, new ones where missing."""
    recorded = _read_seals(folder)
    seals = [(authority, seal) for authority, seal in recorded if seal.valid_until > at + timedelta(days=1)]
    serial = max((int(seal.number[6:]) for _, seal in recorded), default=0)
    wanted = [(one, licence_type) for licence_type in catalogue.types for one in _authorities(licence_type)]
    for authority, licence_type in wanted:
        if any((a.code, s.use) == (authority.code, licence_type.seal_use) for a, s in seals):
            continue
        serial += 1
        number = f"{authority.region}{serial:08d}"
        key, certificates = key_files(folder, number)
        key.parent.mkdir(exist_ok=True)
        identity = pki.seal(number, authority.name, authority.code, valid_until=at + _LIFE)
        identity.write(key, certificates)
        seals.append((authority, _seal(authority, licence_type.seal_use, number, identity.certificate)))
    _write_seals(folder, seals)
    return tuple(seals)


def _authorities(licence_type: LicenceType) -> tuple[IssuingAuthority, ...]:
    """Return the authorities that issue the type's sample, in the order of sealing."""
    return (licence_type.sample_authority(), *licence_type.sample_joint_authorities())


def _seal(authority: IssuingAuthority, use: str, number: str, certificate: x509.Certificate) -> Seal:
    """Return a round specimen seal of the size that fits the authority's level."""
    size = size_for(authority.level)
    art = SealArt(
        shape=SealShape.ROUND,
        width=size.diameter,
        height=size.diameter,
        text=authority.name,
        centre=size.centre,
        lower_text="" if use == FORMAL_USE else use,
        code=number,
        specimen=True,
    )
    period = (certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    return Seal(number, authority.name + use, use, authority.code, art, *period, (fingerprint(certificate),))


def _make_token(path: Path) -> None:
    """`path` holds a random access token for the web service, which only its owner can read."""
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")


def _write_trust(folder: Path, catalogue: Catalogue, seals: Iterable[tuple[IssuingAuthority, Seal]]) -> None:
    """The trust register says which seal may stand under which types."""
    entries = [
        TrustEntry(
            authority.code,
            authority.name,
            seal.certificates[0],
            seal.number,
            tuple(
                licence_type.type_code
                for licence_type in catalogue.types
                if licence_type.seal_use == seal.use
                and authority.code in {one.code for one in _authorities(licence_type)}
            ),
            seal.valid_from,
            seal.valid_until,
        )
        for authority, seal in seals
    ]
    anchors, intermediates, crls = ([name] for name in _TRUST_FILES)
    text = dump_register(entries, anchors=anchors, intermediates=intermediates, crls=crls, demo=True)
    _write(trust_file(folder), text.encode())


# --- The list of seals in the marker ---


def key_files(folder: Path, seal_number: str) -> tuple[Path, Path]:
    """Return where the private key and the certificates of a seal lie."""
    keys = folder / "keys"
    return keys / f"{seal_number}.key.pem", keys / f"{seal_number}.certificates.pem"


def _write_seals(folder: Path, seals: Iterable[tuple[IssuingAuthority, Seal]]) -> None:
    listed = [
        {
            "authority": authority_to_json(authority),
            "number": seal.number,
            "name": seal.name,
            "use": seal.use,
            "valid_from": seal.valid_from.isoformat(),
            "valid_until": seal.valid_until.isoformat(),
            "certificates": list(seal.certificates),
            "art": asdict(seal.art),
        }
        for authority, seal in seals
    ]
    text = json.dumps({"schema": SCHEMA, "demo": True, "seals": listed}, ensure_ascii=False, indent=1)
    _write(folder / MARKER, (text + "\n").encode())


def _read_seals(folder: Path) -> tuple[tuple[IssuingAuthority, Seal], ...]:
    """Return what `_write_seals` wrote. Raises ConfigurationError if the file is damaged."""
    path = folder / MARKER
    try:
        document = json.loads(path.read_text("utf-8"))
        listed = {SCHEMA: document["seals"]}[document["schema"]]
        return tuple((authority_from_json(item["authority"]), _read_seal(item)) for item in listed)
    except (OSError, ValueError, KeyError, TypeError, MalformedDocument) as error:
        raise ConfigurationError(
            f"{path} is damaged: delete the folder {folder} and run `elicense demo` again",
            f"{path} 已损坏：请删除目录 {folder} 后重新运行 elicense demo",
        ) from error


def _read_seal(item: dict[str, Any]) -> Seal:
    art = item["art"]
    return Seal(
        number=item["number"],
        name=item["name"],
        use=item["use"],
        authority_code=item["authority"]["code"],
        art=SealArt(**{**art, "shape": SealShape(art["shape"]), "centre": SealCentre(art["centre"])}),
        valid_from=datetime.fromisoformat(item["valid_from"]),
        valid_until=datetime.fromisoformat(item["valid_until"]),
        certificates=tuple(item["certificates"]),
    )


def _write(path: Path, data: bytes) -> None:
    """`path` holds `data`; whoever reads it meanwhile sees the old content or the new, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.part")
    temporary.write_bytes(data)
    temporary.replace(path)
