"""Programs by other hands that sign: endesive, pyHanko, @signpdf, PDFBox, EU DSS, each with throw-away keys.

Every producer signs a page with a cross-reference table and one with a cross-reference stream, visibly and not.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import shutil
import sys
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from oracles import BUILT, ask_java, missing, require, run
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer
from pyhanko.sign import fields, signers
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko.stamp import TextStampStyle
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore
from reportlab.pdfgen import canvas

from elicense.pki.throwaway import Identity, ThrowawayPki, _usage, make_pki
from elicense.pki.trust import TrustStore

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).resolve().parent
PASSWORD = "throw-away"
BOX = (50, 50, 170, 90)
LISTS = x509.CRLDistributionPoints(
    [
        x509.DistributionPoint(
            [x509.UniformResourceIdentifier("http://lists.example.invalid/")], None, None, None
        )
    ]
)
"""Nobody fetches there: .invalid is reserved, and neither the producers nor we fetch. Source: RFC 2606."""


def plain_pki(at: datetime) -> ThrowawayPki:
    """Return a PKI that every producer can use: RSA throughout, names in ASCII, lists at a stated address.

    node-forge writes other letters into signatures as something else than the certificate has; DSS makes no LT without
    an address of the list, though it is handed the list.
    """
    pki = make_pki(at=at, algorithm="rsa2048")
    root = _renamed(pki.root, pki.root, "Example Root", "Example Root")
    issuing = _renamed(pki.issuing, root, "Example Issuing Authority", "Example Root")
    return replace(pki, root=root, issuing=issuing).with_crls()


def _renamed(old: Identity, issuer: Identity, subject: str, issued_by: str) -> Identity:
    """Return the identity with a certificate by `issuer` under these names."""
    made = old.certificate
    builder = x509.CertificateBuilder(
        _name(issued_by), _name(subject), made.public_key(), x509.random_serial_number(),
        made.not_valid_before_utc, made.not_valid_after_utc,
    )  # fmt: skip
    for extension in (*made.extensions, x509.Extension(LISTS.oid, False, LISTS)):
        builder = builder.add_extension(extension.value, critical=extension.critical)
    return Identity(builder.sign(issuer.key, hashes.SHA256()), old.key)


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


@dataclass
class Foreign:
    """One throw-away PKI with RSA keys throughout, which every producer can use, and where files go."""

    folder: Path
    at: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    pki: ThrowawayPki = field(init=False)
    signer: Identity = field(init=False)
    second: Identity = field(init=False)
    stamps: Identity = field(init=False)

    def __post_init__(self) -> None:
        self.pki = plain_pki(self.at)
        self.signer, self.second = (
            self.pki.leaf(
                _name(name),
                algorithm="rsa2048",
                extensions=[(_usage(digital_signature=True, content_commitment=True), True), (LISTS, False)],
            )
            for name in ("First Signer", "Second Signer")
        )
        self.stamps = self.pki.leaf(
            _name("Example Timestamps"),
            algorithm="rsa2048",
            extensions=[
                (_usage(digital_signature=True), True),
                (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True),
                (LISTS, False),
            ],
        )

    def trust(self) -> TrustStore:
        """Return anchors and lists; no register, for nobody here is an authority."""
        return TrustStore((self.pki.root.certificate,), crls=self.pki.crls)

    def pages(self) -> dict[str, bytes]:
        """Return the unsigned page, with a table and with a stream of cross-references."""
        out = io.BytesIO()
        sheet = canvas.Canvas(out, pageCompression=0)
        sheet.drawString(72, 720, "A page that somebody signs")
        sheet.showPage()
        sheet.save()
        table, stream = out.getvalue(), io.BytesIO()
        copy_into_new_writer(PdfFileReader(io.BytesIO(table)), writer_kwargs={"stream_xrefs": True}).write(
            stream
        )
        return {"table": table, "stream": stream.getvalue()}

    def page_files(self) -> dict[str, Path]:
        """Return the pages as files."""
        found = {}
        for name, data in self.pages().items():
            found[name] = self.folder / f"page-{name}.pdf"
            found[name].write_bytes(data)
        return found

    def p12(self, identity: Identity) -> Path:
        """Return a PKCS #12 file that old and new programs read."""
        path = self.folder / f"{identity.certificate.serial_number}.p12"
        encryption = (
            PrivateFormat.PKCS12.encryption_builder()
            .kdf_rounds(2000)
            .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
            .hmac_hash(hashes.SHA1())  # noqa: S303 - all that old readers know
            .build(PASSWORD.encode())
        )
        chain = [*identity.chain, self.pki.root.certificate]
        path.write_bytes(
            pkcs12.serialize_key_and_certificates(
                b"key", identity.key, identity.certificate, chain, encryption
            )
        )
        return path

    def trust_files(self) -> tuple[Path, list[Path]]:
        """Return the root (PEM) and the revocation lists (DER) as files."""
        root, lists = self.folder / "root.pem", []
        root.write_bytes(self.pki.root.certificate.public_bytes(Encoding.PEM))
        for number, crl in enumerate(self.pki.crls):
            lists.append(self.folder / f"list{number}.crl")
            lists[-1].write_bytes(crl.public_bytes(Encoding.DER))
        return root, lists


# --- pyHanko ---


def _asn1(
    identity: Identity, foreign: Foreign
) -> tuple[asn1_x509.Certificate, object, SimpleCertificateStore]:
    """Return certificate, key and chain as pyHanko wants them."""
    load = asn1_x509.Certificate.load
    encoded = identity.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    chain = (*identity.chain, foreign.pki.root.certificate)
    registry = SimpleCertificateStore.from_certs(load(c.public_bytes(Encoding.DER)) for c in chain)
    certificate = load(identity.certificate.public_bytes(Encoding.DER))
    return certificate, asn1_keys.PrivateKeyInfo.load(encoded), registry


def _signer(identity: Identity, foreign: Foreign) -> signers.SimpleSigner:
    certificate, key, registry = _asn1(identity, foreign)
    return signers.SimpleSigner(signing_cert=certificate, signing_key=key, cert_registry=registry)


def sign_with_pyhanko(
    data: bytes,
    foreign: Foreign,
    name: str,
    *,
    identity: Identity | None = None,
    visible: bool = False,
    new_field: bool = True,
    level: str = "B",
    **metadata: object,
) -> bytes:
    """Return `data` with one more signature in the field `name`; `level` is B, T, LT or LTA."""
    stamper = context = None
    if level != "B":
        certificate, key, registry = _asn1(foreign.stamps, foreign)
        stamper = DummyTimeStamper(certificate, key, registry, fixed_dt=foreign.at)
    if level in {"LT", "LTA"}:
        root = asn1_x509.Certificate.load(foreign.pki.root.certificate.public_bytes(Encoding.DER))
        lists = [crl.public_bytes(Encoding.DER) for crl in foreign.pki.crls]
        context = ValidationContext(trust_roots=[root], crls=lists, allow_fetching=False, moment=foreign.at)
    settings = signers.PdfSignatureMetadata(
        field_name=name,
        md_algorithm="sha256",
        subfilter=fields.SigSeedSubFilter.PADES,
        embed_validation_info=context is not None,
        use_pades_lta=level == "LTA",
        validation_context=context,
        **metadata,
    )
    spec = fields.SigFieldSpec(name, box=BOX if visible else None) if new_field else None
    signer = signers.PdfSigner(
        settings,
        _signer(identity or foreign.signer, foreign),
        timestamper=stamper,
        stamp_style=TextStampStyle(stamp_text="signed") if visible else None,
        new_field_spec=spec,
    )
    writer = IncrementalPdfFileWriter(io.BytesIO(data))
    return asyncio.run(signer.async_sign_pdf(writer)).getvalue()


def with_fields(data: bytes, *names: str) -> bytes:
    """Return `data` with empty visible signature fields, prepared in an update of their own."""
    writer = IncrementalPdfFileWriter(io.BytesIO(data))
    for number, name in enumerate(names):
        box = (50, 100 + 60 * number, 170, 140 + 60 * number)
        fields.append_signature_field(writer, fields.SigFieldSpec(name, box=box))
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def pyhanko(foreign: Foreign) -> dict[str, bytes]:
    """Return what pyHanko signs: every level, approval and certification, one signer, two, and countersigned."""
    made = {}
    for page, data in foreign.pages().items():
        for level in ("B", "T", "LT", "LTA"):
            made[f"pyhanko-{level}-{page}"] = sign_with_pyhanko(data, foreign, "One", level=level)
        made[f"pyhanko-visible-{page}"] = sign_with_pyhanko(data, foreign, "One", visible=True)
        certified = sign_with_pyhanko(
            data, foreign, "One", certify=True, docmdp_permissions=fields.MDPPerm.FILL_FORMS, visible=True
        )
        made[f"pyhanko-certified-{page}"] = certified
        made[f"pyhanko-final-{page}"] = sign_with_pyhanko(
            data, foreign, "One", certify=True, docmdp_permissions=fields.MDPPerm.NO_CHANGES
        )
        made[f"pyhanko-two-signers-{page}"] = sign_with_pyhanko(
            sign_with_pyhanko(data, foreign, "One"), foreign, "Two", identity=foreign.second, visible=True
        )
        made[f"pyhanko-certified-then-approved-{page}"] = sign_with_pyhanko(
            certified, foreign, "Two", identity=foreign.second
        )
        prepared = with_fields(data, "One", "Two")
        first = sign_with_pyhanko(prepared, foreign, "One", new_field=False, visible=True)
        made[f"pyhanko-prepared-fields-{page}"] = sign_with_pyhanko(
            first, foreign, "Two", new_field=False, visible=True, identity=foreign.second
        )
    return made


# --- endesive, Node, Java: each in a folder of its own, set up once per version ---


def set_up(folder: str, *commands: tuple[str, ...]) -> Path:
    """Return a copy of tests/interop/`folder` in which `commands` ran; "@" in them stands for the copy."""
    source = HERE / folder
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(source.iterdir()))).hexdigest()[:16]
    target = BUILT / f"{folder}-{digest}"
    if (target / "ready").exists():
        return target
    # The commands run where the copy stays: a virtual environment cannot be moved.
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    for command in commands:
        done = run(*(part.replace("@", str(target)) for part in command), timeout=600)
        if done.returncode:
            missing(f"the producer {folder} could not be set up: {done.stderr[-500:]}")
    (target / "ready").touch()
    return target


def endesive(foreign: Foreign) -> dict[str, bytes]:
    """Return what endesive signs over a table: plain, visible and certified.

    Over a stream of cross-references endesive 3.0.1 breaks inside every pypdf that it runs with.
    """
    home = set_up(
        "endesive",
        (sys.executable, "-m", "venv", "@/venv"),
        ("@/venv/bin/python", "-m", "pip", "install", "-q", "-r", "@/requirements.txt"),
    )
    key, chain = foreign.folder / "key.pem", foreign.folder / "chain.pem"
    foreign.signer.write(key, chain)
    page, jobs, out = foreign.page_files()["table"], [], {}
    for kind in ("plain", "visible", "certified"):
        out[f"endesive-{kind}"] = foreign.folder / f"endesive-{kind}.pdf"
        jobs += [kind, str(page), str(out[f"endesive-{kind}"])]
    done = run(str(home / "venv/bin/python"), str(home / "sign.py"), str(key), str(chain), *jobs)
    assert done.returncode == 0, done.stderr[-2000:]
    return {name: path.read_bytes() for name, path in out.items()}


def signpdf(foreign: Foreign) -> dict[str, bytes]:
    """Return what @signpdf signs: "plain" appends an update to a table, "pdf-lib" writes anew with streams."""
    pages, jobs, out = foreign.page_files(), [], {}
    for kind, page in (
        ("plain", "table"), ("plain-visible", "table"), ("pdf-lib", "table"), ("pdf-lib-visible", "stream"),
        ("pdf-lib-cades", "stream"),
    ):  # fmt: skip
        out[f"signpdf-{kind}-{page}"] = foreign.folder / f"signpdf-{kind}-{page}.pdf"
        jobs += [kind, str(pages[page]), str(out[f"signpdf-{kind}-{page}"])]
    p12 = foreign.p12(foreign.signer)
    npm, node = require("npm"), require("node")
    quiet = ("--no-audit", "--no-fund", "--ignore-scripts")
    home = set_up("node", (npm, "install", "--prefix", "@", *quiet))
    done = run(node, str(home / "sign.js"), str(p12), PASSWORD, *jobs)
    assert done.returncode == 0, done.stderr[-2000:]
    return {name: path.read_bytes() for name, path in out.items()}


def java(foreign: Foreign) -> dict[str, bytes]:
    """Return what PDFBox with Bouncy Castle, and EU DSS at every level, sign."""
    pages, jobs, out = foreign.page_files(), [], {}
    for page, path in pages.items():
        for kind in (
            "pdfbox", "pdfbox-visible", "dss-B", "dss-T", "dss-LT", "dss-LTA", "dss-B-visible", "dss-LTA-visible",
        ):  # fmt: skip
            out[f"{kind}-{page}"] = foreign.folder / f"{kind}-{page}.pdf"
            jobs += [kind, str(path), str(out[f"{kind}-{page}"])]
    root, lists = foreign.trust_files()
    p12s = [str(foreign.p12(identity)) for identity in (foreign.signer, foreign.stamps)]
    ask_java("Producer", *p12s, PASSWORD, ",".join(map(str, lists)), str(root), *jobs)
    return {name: path.read_bytes() for name, path in out.items()}


PRODUCERS: dict[str, Callable[[Foreign], dict[str, bytes]]] = {
    "endesive": endesive,
    "pyhanko": pyhanko,
    "signpdf": signpdf,
    "java": java,
}
