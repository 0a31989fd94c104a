"""Who is trusted, for what and when: anchors, revocation lists and the trust register."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from elicense.errors import ConfigurationError
from elicense.pki.paths import PathResult, PathStatus, Purpose
from elicense.pki.remembered import find_path, require_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "PathResult",
    "PathStatus",
    "Purpose",
    "TrustEntry",
    "TrustSource",
    "TrustStore",
    "dump_register",
    "find_path",
    "load_sources",
    "load_trust",
    "require_path",
]

SCHEMA = "elicense/trust/1"
"""The first member of every trust register file."""


@dataclass(frozen=True, slots=True)
class TrustEntry:
    """One line of the trust register: this certificate speaks for this authority, for these types, then."""

    authority_code: str
    """统一社会信用代码 of the issuing authority, 18 characters."""
    authority_name: str
    """Full official name of the issuing authority."""
    certificate: str
    """SHA-256 (hex) of the DER of the signer's certificate."""
    seal_number: str
    """印章编码, 14 digits."""
    type_codes: tuple[str, ...]
    """证照类型代码 it may seal, 21 characters each."""
    valid_from: datetime
    """First moment of this right, UTC."""
    valid_until: datetime
    """Last moment of this right, UTC."""


@dataclass(frozen=True, slots=True)
class TrustSource:
    """Where an authority's current revocation data may be fetched; nothing else is ever asked."""

    issuer: str
    """SHA-256 (hex) of the DER of the certification authority's certificate."""
    crl: str
    """Address of its revocation list, http or https."""
    ocsp: str = ""
    """Address of its OCSP responder, http or https; empty if it is not asked."""

    @property
    def list_file(self) -> str:
        """Return the name, beside the register, of the list fetched last."""
        return f"fetched-{self.issuer[:16]}.crl.pem"

    @property
    def kept_file(self) -> str:
        """Return the name of the file with earlier lists that still know certificates expired since."""
        return f"fetched-{self.issuer[:16]}.kept.crl.pem"

    def answer_file(self, certificate: str) -> str:
        """Return the name of the answer fetched last about a certificate, given by its SHA-256 (hex)."""
        return f"fetched-{self.issuer[:16]}-{certificate[:16]}.ocsp.der"


@dataclass(frozen=True, slots=True)
class TrustStore:
    """Everything that is believed without proof; whoever writes it decides every verdict."""

    anchors: tuple[x509.Certificate, ...]
    """Trust anchors for seal certificates."""
    intermediates: tuple[x509.Certificate, ...] = ()
    """Certificates that help to build paths; not trusted by themselves."""
    crls: tuple[x509.CertificateRevocationList, ...] = ()
    """Revocation lists, current and archived; each is believed only with its issuer's signature."""
    register: tuple[TrustEntry, ...] | None = None
    """Who may seal what; None if only anchors are known, then a verdict says who, not for what."""
    demo: bool = False
    """True if any part of it is a demonstration's."""
    timestamp_anchors: tuple[x509.Certificate, ...] = ()
    """Trust anchors for timestamp authorities; none means that `anchors` serve both."""
    ocsps: tuple[bytes, ...] = ()
    """OCSP answers (DER of OCSPResponse), current and archived; each is believed only with its issuer's signature."""

    def entries(self, certificate: str) -> tuple[TrustEntry, ...]:
        """Return the register's lines for a certificate given by its SHA-256 (hex)."""
        return tuple(entry for entry in self.register or () if entry.certificate == certificate)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as DER, so that a store can be handed to a worker process."""
        ders = [
            tuple(item.public_bytes(Encoding.DER) for item in items)
            for items in (self.anchors, self.intermediates, self.crls, self.timestamp_anchors)
        ]
        return (_unpickle, (ders, self.register, self.demo, self.ocsps))


def load_trust(*paths: Path) -> TrustStore:
    """Return one store of everything in `paths`: PEM files and trust registers (JSON), in any order.

    A PEM file gives anchors (self-signed certificates), intermediates (the others) and revocation lists.
    A trust register is described in docs/keys.md; it names files beside it and says who may seal what. What was
    fetched for its sources is read with it.

    Raises:
        ConfigurationError: A file cannot be read or is not what it should be, or no anchor was found.
    """
    parts = [_load_part(path) for path in paths]
    registers = [part.register for part in parts if part.register is not None]
    store = TrustStore(
        anchors=_distinct(part.anchors for part in parts),
        intermediates=_distinct(part.intermediates for part in parts),
        crls=tuple(crl for part in parts for crl in part.crls),
        register=tuple(entry for entries in registers for entry in entries) if registers else None,
        demo=any(part.demo for part in parts),
        timestamp_anchors=_distinct(part.timestamp_anchors for part in parts),
        ocsps=tuple(ocsp for part in parts for ocsp in part.ocsps),
    )
    if not store.anchors:
        raise ConfigurationError(
            "no trust anchor found; give a PEM file with a root certificate or a trust register",
            "未找到信任锚，请提供含根证书的 PEM 文件或信任名册",
        )
    return store


def dump_register(
    entries: Iterable[TrustEntry],
    *,
    anchors: Sequence[str],
    intermediates: Sequence[str] = (),
    crls: Sequence[str] = (),
    timestamp_anchors: Sequence[str] = (),
    ocsps: Sequence[str] = (),
    sources: Sequence[TrustSource] = (),
    demo: bool = False,
) -> str:
    """Return the text of a trust register; the sequences of texts are names of files in its own folder."""
    document = {
        "schema": SCHEMA,
        "demo": demo,
        "anchors": list(anchors),
        "intermediates": list(intermediates),
        "crls": list(crls),
        "timestamp_anchors": list(timestamp_anchors),
        **({"ocsps": list(ocsps)} if ocsps else {}),
        **({"sources": [_source_json(source) for source in sources]} if sources else {}),
        "entries": [
            {
                "authority_code": entry.authority_code,
                "authority_name": entry.authority_name,
                "certificate": entry.certificate,
                "seal_number": entry.seal_number,
                "type_codes": list(entry.type_codes),
                "valid_from": _moment_text(entry.valid_from),
                "valid_until": _moment_text(entry.valid_until),
            }
            for entry in entries
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _load_part(path: Path) -> TrustStore:
    data = _read(path)
    if data.lstrip().startswith(b"{"):
        return _load_register(path, data)
    certificates, crls = _read_pem(path, data)
    return TrustStore(
        anchors=tuple(c for c in certificates if c.subject == c.issuer),
        intermediates=tuple(c for c in certificates if c.subject != c.issuer),
        crls=crls,
    )


def load_sources(path: Path) -> tuple[TrustSource, ...]:
    """Return the sources that a trust register names. Raises ConfigurationError like `load_trust`."""
    return _read_register(path, _read(path)).sources


@dataclass(frozen=True, slots=True)
class _Register:
    """A trust register's text, checked; files are not yet opened."""

    demo: bool
    files: Mapping[str, list[Path]]
    entries: tuple[TrustEntry, ...]
    sources: tuple[TrustSource, ...]


def _read_register(path: Path, data: bytes) -> _Register:
    try:
        document = json.loads(data, object_pairs_hook=_no_duplicates)
        return _Register(
            demo=_check_head(document),
            files={name: [_beside(path, file) for file in _texts(document.get(name, []))] for name in _FILES},
            entries=tuple(_entry(item) for item in document["entries"]),
            sources=tuple(_source(item) for item in document.get("sources", [])),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ConfigurationError(
            f"the trust register {path} is not valid: {error}", f"信任名册 {path} 无效：{error}"
        ) from error


def _load_register(path: Path, data: bytes) -> TrustStore:
    register = _read_register(path, data)
    files = dict(register.files)
    for source in register.sources:
        fetched = (path.parent / source.list_file, path.parent / source.kept_file)
        files["crls"] = [*files["crls"], *(file for file in fetched if file.exists())]
        files["ocsps"] = [*files["ocsps"], *sorted(path.parent.glob(source.answer_file("*")))]
    pems = {
        name: [_read_pem(file, _read(file)) for file in files[name]] for name in _FILES if name != "ocsps"
    }
    return TrustStore(
        anchors=_distinct(certificates for certificates, _ in pems["anchors"]),
        intermediates=_distinct(certificates for certificates, _ in pems["intermediates"]),
        crls=tuple(crl for _, crls in pems["crls"] for crl in crls),
        register=register.entries,
        demo=register.demo,
        timestamp_anchors=_distinct(certificates for certificates, _ in pems["timestamp_anchors"]),
        ocsps=tuple(_read_ocsp(file, _read(file)) for file in files["ocsps"]),
    )


_FILES = ("anchors", "intermediates", "crls", "timestamp_anchors", "ocsps")
_MEMBERS = {"schema", "demo", "entries", "sources", *_FILES}
_TEXT_MEMBERS = {
    "authority_code": r"[0-9A-Z]{18}",
    "authority_name": r".{2,60}",
    "certificate": r"[0-9a-f]{64}",
    "seal_number": r"[0-9]{14}",
    "valid_from": r".*",
    "valid_until": r".*",
}


def _check_head(document: Mapping[str, Any]) -> bool:
    """Return whether the register is a demonstration's. Raises ValueError for members of another schema."""
    if set(document) - _MEMBERS or document.get("schema") != SCHEMA:
        raise ValueError(f"members must be {', '.join(sorted(_MEMBERS))}, schema {SCHEMA}")
    demo = document.get("demo", False)
    if not isinstance(demo, bool):
        raise ValueError("demo must be true or false")  # noqa: TRY004 - a value of the file, no argument
    return demo


def _entry(item: Mapping[str, Any]) -> TrustEntry:
    """Read one entry. Raises ValueError naming the member that is wrong."""
    if set(item) != {*_TEXT_MEMBERS, "type_codes"}:
        raise ValueError(f"an entry has the members {', '.join(_TEXT_MEMBERS)}, type_codes and no others")
    for member, pattern in _TEXT_MEMBERS.items():
        if not isinstance(item[member], str) or not re.fullmatch(pattern, item[member]):
            raise ValueError(f"{member} of an entry is not as it should be: {item[member]!r}")
    start, end = _moment(item["valid_from"]), _moment(item["valid_until"])
    if start > end:
        raise ValueError("valid_from of an entry is after its valid_until")
    return TrustEntry(
        authority_code=item["authority_code"],
        authority_name=item["authority_name"],
        certificate=item["certificate"],
        seal_number=item["seal_number"],
        type_codes=tuple(_texts(item["type_codes"])),
        valid_from=start,
        valid_until=end,
    )


def _source(item: Mapping[str, Any]) -> TrustSource:
    """Read one source. Raises ValueError naming the member that is wrong."""
    if not {"issuer", "crl"} <= set(item) <= {"issuer", "crl", "ocsp"}:
        raise ValueError("a source has the members issuer, crl and perhaps ocsp, and no others")
    if not re.fullmatch(r"[0-9a-f]{64}", item["issuer"]):
        raise ValueError(
            "issuer of a source is the SHA-256 of a certificate, 64 lower-case hexadecimal digits"
        )
    for name in ("crl", "ocsp"):
        parts = urlsplit(item.get(name, "http://host"))
        if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
            raise ValueError(f"{name} of a source must be http(s)://host/path, not {item[name]!r}")
    return TrustSource(item["issuer"], item["crl"], item.get("ocsp", ""))


def _source_json(source: TrustSource) -> dict[str, str]:
    ocsp_address = {"ocsp": source.ocsp} if source.ocsp else {}
    return {"issuer": source.issuer, "crl": source.crl, **ocsp_address}


def _texts(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"a list of texts is wanted, not {value!r}")
    return value


def _beside(register: Path, name: str) -> Path:
    """Return the file `name` in the register's own folder. Raises ValueError if it is no plain name."""
    if Path(name).name != name:
        raise ValueError(f"{name!r} must be the plain name of a file beside the register")
    return register.parent / name


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a member appears twice")
    return dict(pairs)


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def _moment_text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"the trust file {path} cannot be read ({error.strerror})",
            f"无法读取信任文件 {path}（{error.strerror}）",
        ) from error


_PEM_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.+?-----END \1-----\s?", re.DOTALL)


def _read_pem(
    path: Path, data: bytes
) -> tuple[tuple[x509.Certificate, ...], tuple[x509.CertificateRevocationList, ...]]:
    """Return the certificates and the revocation lists of a PEM file."""
    refusal = ConfigurationError(
        f"the trust file {path} must hold PEM certificates and revocation lists and nothing else",
        f"信任文件 {path} 只能包含 PEM 证书和吊销列表",
    )
    blocks = [(block[1], block[0]) for block in _PEM_BLOCK.finditer(data)]
    if not {label for label, _ in blocks} <= {b"CERTIFICATE", b"X509 CRL"} or not blocks:
        raise refusal
    try:
        return (
            tuple(x509.load_pem_x509_certificate(pem) for label, pem in blocks if label == b"CERTIFICATE"),
            tuple(x509.load_pem_x509_crl(pem) for label, pem in blocks if label == b"X509 CRL"),
        )
    except ValueError as error:
        raise refusal from error


def _read_ocsp(path: Path, data: bytes) -> bytes:
    """Return the DER of the OCSP answer that a file holds."""
    try:
        ocsp.load_der_ocsp_response(data)
    except ValueError as error:
        raise ConfigurationError(
            f"the trust file {path} must hold one OCSP answer in DER and nothing else",
            f"信任文件 {path} 只能包含一个 DER 编码的 OCSP 应答",
        ) from error
    return data


def _distinct(groups: Iterable[Sequence[x509.Certificate]]) -> tuple[x509.Certificate, ...]:
    return tuple(dict.fromkeys(certificate for group in groups for certificate in group))


def _unpickle(
    ders: Sequence[tuple[bytes, ...]],
    register: tuple[TrustEntry, ...] | None,
    demo: bool,
    ocsps: tuple[bytes, ...],
) -> TrustStore:
    load = x509.load_der_x509_certificate
    return TrustStore(
        anchors=tuple(map(load, ders[0])),
        intermediates=tuple(map(load, ders[1])),
        crls=tuple(map(x509.load_der_x509_crl, ders[2])),
        register=register,
        demo=demo,
        timestamp_anchors=tuple(map(load, ders[3])),
        ocsps=ocsps,
    )
