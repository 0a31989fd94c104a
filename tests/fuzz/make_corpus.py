"""Makes the saved corpus anew: `python -m tests.fuzz.make_corpus [DAMAGED FILES TO TRY, default 6000]`.

Honest files of both policies, and of the damaged ones the smallest for each set of answers; keys are thrown away.
"""

from __future__ import annotations

import asyncio
import io
import random
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from asn1crypto import keys
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer
from pyhanko.sign import fields, signers
from pyhanko_certvalidator.registry import SimpleCertificateStore
from reportlab.pdfgen import canvas

from elicense.pki.paths import Purpose
from tests.attacks.fuzz import mutated
from tests.fuzz.target import Corpus, judge, save_corpus
from tests.support import archives
from tests.support.pki import AT, pki, seal_identity, store, tsa_identity
from tests.support.tsa import DirectTsa
from tests.unit.verification.minimal_pdf import Draft, sealed

LIMIT = 290_000
"""Bytes of the packed corpus."""


def licences() -> Iterator[tuple[str, bytes]]:
    """Yield a licence at every level."""
    tsa = DirectTsa(identity=tsa_identity())
    stamped = sealed(Draft(), seal_identity().signer(), timestamps=tsa)
    held = archives.evidence_for(
        (seal_identity(), Purpose.SEAL), (tsa_identity(), Purpose.TIMESTAMP), trust=store(), at=AT
    )
    long_term = archives.with_evidence(stamped, held)
    yield "B-B", sealed(Draft(), seal_identity().signer())
    yield "B-T", stamped
    yield "B-LT", long_term
    yield "B-LTA", archives.with_timestamp(long_term, tsa)


def foreign() -> Iterator[tuple[str, bytes]]:
    """Yield what pyHanko signs, over a table and a stream of cross-references."""
    out, stream = io.BytesIO(), io.BytesIO()
    sheet = canvas.Canvas(out, pageCompression=0, invariant=1)
    sheet.drawString(72, 720, "A page")
    sheet.showPage()
    sheet.save()
    writer = copy_into_new_writer(
        PdfFileReader(io.BytesIO(out.getvalue())), writer_kwargs={"stream_xrefs": True}
    )
    writer.write(stream)
    for name, page in (("table", out.getvalue()), ("stream", stream.getvalue())):
        yield name, (once := _signed(page, "One"))
        yield f"{name}-twice", _signed(once, "Two")
        yield f"{name}-certified", _signed(page, "One", certify=True)


def _signed(pdf: bytes, name: str, **metadata: object) -> bytes:
    identity, load = seal_identity(), asn1_x509.Certificate.load
    encoded = identity.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    signer = signers.SimpleSigner(
        signing_cert=load(identity.certificate.public_bytes(Encoding.DER)),
        signing_key=keys.PrivateKeyInfo.load(encoded),
        cert_registry=SimpleCertificateStore.from_certs(
            load(c.public_bytes(Encoding.DER)) for c in identity.chain
        ),
    )
    settings = signers.PdfSignatureMetadata(
        field_name=name, md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES, **metadata
    )
    signing = signers.PdfSigner(settings, signer, new_field_spec=fields.SigFieldSpec(name))
    return asyncio.run(signing.async_sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)))).getvalue()


def damaged(honest: Corpus, tries: int) -> dict[tuple[object, ...], bytes]:
    """Return for each set of answers the smallest damaged file that gets it."""
    found: dict[tuple[object, ...], bytes] = {}
    for number in range(tries):
        chance = random.Random(number)  # noqa: S311 - reproducible damage, no secret
        data = mutated(chance.choice(honest.honest), chance)
        answers = tuple(
            tuple((outcome.status.value, outcome.reason) for outcome in report.checks)
            for report in judge(data, honest).values()
        )
        if answers not in found or len(data) < len(found[answers]):
            found[answers] = data
    return found


def main(tries: int) -> None:
    """The corpus is saved beside this file, as many damaged files in it as fit."""
    files = {f"honest-{name}": data for name, data in licences()}
    files |= {f"honest-general-{name}": data for name, data in foreign()}
    # pyHanko signs now, our own files in AT: the moment of verification is now, and the lists serve for both.
    now = datetime.now(UTC).replace(microsecond=0)
    corpus = Corpus(files, replace(store(), crls=pki().with_crls(at=AT, days=3650).crls), now)
    for number, data in enumerate(sorted(damaged(corpus, tries).values(), key=len)):
        more = replace(corpus, files={**corpus.files, f"damaged-{number:03}": data})
        if number % 10 == 0 and _size(more) > LIMIT:
            break
        corpus = more
    save_corpus(corpus)
    print(len(corpus.files), "files")  # noqa: T201


def _size(corpus: Corpus) -> int:
    with tempfile.TemporaryDirectory() as folder:
        save_corpus(corpus, Path(folder) / "corpus")
        return (Path(folder) / "corpus").stat().st_size


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 6000)
