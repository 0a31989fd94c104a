"""Files that are broken, endless, or larger than they look; each must get a verdict in bounded time and memory.

`python -m tests.attacks.bad_input` prints what each costs under both policies: verdict, seconds, and the worker's
largest resident memory.
"""

from __future__ import annotations

import io
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

import pypdf
from asn1crypto import algos, cms, core

from elicense.pki.trust import TrustStore
from elicense.updates import write_update
from elicense.verification.pipeline import verify
from elicense.verification.sandbox import Sandbox
from tests.attacks import documents as d
from tests.attacks import surgery as s
from tests.attacks.certification import later_signature, permitting
from tests.support import archives
from tests.support.tsa import DirectTsa
from tests.unit.verification.minimal_pdf import Draft, sealed
from tests.vectors.foreign import foreign_signature
from tests.vectors.generate import VECTORS, base, made, pki, seal, trust
from tests.vectors.minimal import with_gap
from tests.vectors.registry import NOW

POLICIES = ("licence", "general")
FILES: dict[str, Callable[[], bytes]] = {}


def bad(make: Callable[[], bytes]) -> Callable[[], bytes]:
    """Register a file under its function's name, with hyphens; made once."""
    made_once = cache(make)
    FILES[make.__name__.replace("_", "-")] = made_once
    return made_once


def _borrowed(*names: str) -> None:
    for name in names:
        FILES[name] = lambda name=name: VECTORS[name]().data


_borrowed(
    "empty", "not-a-pdf", "unsigned-encrypted", "encrypted-and-sealed", "page-bomb", "second-signer",
    "algorithm-downgraded",
    "byte-ranges-without-end", "byte-ranges-all-over", "escapes-in-a-string", "escapes-in-a-name",
    "escapes-and-nothing-else", "brackets-without-end", "digits-without-end", "attachment-that-inflates",
    "attachment-nested-without-end", "pages-in-a-circle", "certificates-without-number", "key-of-sixteen-thousand-bits",
    "xref-prev-loop", "xref-prev-two-in-a-circle", "table-without-end",
)  # fmt: skip


# --- Malformed ---


@bad
def header_alone() -> bytes:
    """Nothing behind the header."""
    return b"%PDF-1.7\n"


@bad
def noise_behind_a_header() -> bytes:
    """Every byte there is, many times over."""
    return b"%PDF-1.7\n" + bytes(range(256)) * 4000 + b"\nstartxref\n9\n%%EOF\n"


@bad
def zeros_of_64_megabytes() -> bytes:
    """A header, an end, and nothing between them."""
    return b"%PDF-1.7\n" + bytes(64 << 20) + b"\nstartxref\n9\n%%EOF\n"


@bad
def number_of_a_million_digits() -> bytes:
    """A number no machine holds."""
    return made(Draft(catalogue=b"/MarkInfo<</Marked " + b"9" * 1_000_000 + b">>")).data


@bad
def dictionaries_inside_each_other() -> bytes:
    """A hundred thousand of them."""
    return made(Draft(catalogue=b"/MarkInfo" + b"<</A" * 100_000 + b" 1" + b">>" * 100_000)).data


@bad
def array_of_a_million_references() -> bytes:
    """All to the same object."""
    return made(Draft(catalogue=b"/PageLabels[" + b"14 0 R " * 1_000_000 + b"]")).data


# --- In circles ---


@bad
def field_is_its_own_parent() -> bytes:
    """A form whose field is among its own children."""
    objects = {12: b"<</Fields[4 0 R 15 0 R]/SigFlags 3>>", 15: b"<</T(a)/Parent 15 0 R/Kids[15 0 R]>>"}
    return made(Draft(objects=objects)).data


@bad
def length_is_its_own_object() -> bytes:
    """A stream whose length is the stream."""
    return made(
        Draft(objects={15: b"<</Length 15 0 R>>\nstream\nabc\nendstream"}, catalogue=b"/Metadata 15 0 R")
    ).data


@bad
def outlines_in_a_circle() -> bytes:
    """Two bookmarks, each the next of the other."""
    objects = {15: b"<</Title(a)/Next 16 0 R/Prev 16 0 R>>", 16: b"<</Title(b)/Next 15 0 R/Prev 15 0 R>>"}
    return made(Draft(objects=objects, catalogue=b"/Outlines<</First 15 0 R/Last 16 0 R>>")).data


@bad
def page_tree_that_multiplies() -> bytes:
    """Forty nodes, each twice below the one before: a million million pages in two kilobytes."""
    objects = {
        15 + n: b"<</Type/Pages/Parent %d 0 R/Kids[%d 0 R %d 0 R]/Count 2>>" % (14 + n, 16 + n, 16 + n)
        for n in range(40)
    }
    objects |= {2: b"<</Type/Pages/Kids[3 0 R 15 0 R]/Count 2>>", 55: b"<</Type/Page/Parent 54 0 R>>"}
    return made(Draft(objects=objects)).data


@bad
def object_streams_in_a_circle() -> bytes:
    """Two object streams that extend each other."""
    streams = {
        n: s.stream(b"99 0 null", b"/Type/ObjStm/N 1/First 5/Extends %d 0 R" % (31 - n)) for n in (15, 16)
    }
    return made(Draft(objects=streams, catalogue=b"/Metadata 15 0 R")).data


# --- Bombs ---


@bad
def deflated_many_times_over() -> bytes:
    """A gigabyte of zeros, deflated five times."""
    data = _gigabyte()
    for _ in range(4):
        data = zlib.compress(data, 9)
    return made(Draft(objects={10: s.stream(data, b"/Filter[" + b"/FlateDecode" * 5 + b"]")})).data


@cache
def _gigabyte() -> bytes:
    """Return a gigabyte of zeros, deflated once, without ever holding it."""
    packer = zlib.compressobj(9)
    return b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(1024)), packer.flush()])


@bad
def cross_reference_stream_that_inflates() -> bytes:
    """An update whose cross-reference stream inflates to a gigabyte."""
    data = base()
    entries = b"/Type/XRef/W[1 4 1]/Size 99999999/Root 1 0 R/Filter/FlateDecode"
    body = b"15 0 obj\n%s\nendobj\n" % s.stream(_gigabyte(), entries)
    return data + body + b"startxref\n%d\n%%%%EOF\n" % len(data)


@bad
def object_stream_that_inflates() -> bytes:
    """An update with an object stream that inflates to a gigabyte, and a table that leads into it."""
    data = base()
    held = s.stream(_gigabyte(), b"/Type/ObjStm/N 9999999/First 99999/Filter/FlateDecode")
    at, body = len(data), b"15 0 obj\n%s\nendobj\n" % held
    rows = b"\1" + at.to_bytes(4, "big") + b"\0" + b"\2" + (15).to_bytes(4, "big") + b"\0"
    end = len(data) + len(body)
    table = s.stream(
        rows, b"/Type/XRef/W[1 4 1]/Index[15 1 3 1]/Size 17/Root 1 0 R/Prev %d" % d.tail(data).xref
    )
    return data + body + b"16 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n" % (table, end)


@bad
def predictor_with_endless_rows() -> bytes:
    """A predictor over rows of two thousand million columns."""
    entries = (
        b"/Filter/FlateDecode/DecodeParms<</Predictor 15/Columns 2000000000/Colors 32/BitsPerComponent 16>>"
    )
    return made(Draft(objects={10: s.stream(zlib.compress(bytes(9999)), entries)})).data


@bad
def font_map_that_inflates() -> bytes:
    """A font's map to characters of a hundred megabytes."""
    packed = zlib.compress(b"<0001> <0041>\n" * 7_000_000, 9)
    return made(Draft(objects={13: s.stream(packed, b"/Filter/FlateDecode")})).data


# --- Encrypted ---


@bad
def password_protected() -> bytes:
    """Not to be opened without a password (AES of 256 bits)."""
    return _encrypted("secret")


@bad
def encrypted_without_password() -> bytes:
    """Encrypted, to be opened by anybody."""
    return _encrypted("")


def _encrypted(password: str) -> bytes:
    writer, out = pypdf.PdfWriter(), io.BytesIO()
    writer.add_blank_page(200, 200)
    writer.encrypt(password, "owner", algorithm="AES-256")
    writer.write(out)
    return out.getvalue()


@bad
def password_protected_and_signed() -> bytes:
    """The same with a signature's words behind it."""
    return password_protected() + b"1 0 obj<</Type/Sig/ByteRange[0 9 20 9]/Contents<3000>>>endobj\n"


# --- Many ---


@cache
def revisions(count: int) -> bytes:
    """Return a sealed licence with `count` further revisions in our own form, each another title."""
    parts, tail = [base()], d.tail(base())
    for number in range(count):
        parts.append(write_update(tail, {14: b"<</Title(%d)>>" % number}))
        end = tail.end + len(parts[-1])
        xref = int(parts[-1][parts[-1].rindex(b"startxref\n") + 10 :].split()[0])
        tail = type(tail)(end, xref, tail.size, tail.root, tail.info, tail.identifier)
    return b"".join(parts)


@bad
def revisions_ten_thousand() -> bytes:
    """Ten thousand updates of the title."""
    return revisions(10_000)


@cache
def archived(count: int) -> bytes:
    """Return a sealed licence with `count` archive timestamps, as an archive renews them."""
    data, tsa = sealed(Draft(), seal().signer()), DirectTsa(identity=pki().timestamp_authority())
    for number in range(count):
        stamp = DirectTsa(at=tsa.at + timedelta(minutes=number), identity=tsa.identity, token_size=4096)
        data = archives.with_timestamp(data, stamp)
    return data


@bad
def archive_timestamps_fifty() -> bytes:
    """Fifty renewals of an archive timestamp."""
    return archived(50)


@bad
def pages_five_thousand() -> bytes:
    """Five thousand pages, signed by somebody known."""
    return foreign_signature(seal(), pages(5_000))


def pages(count: int) -> bytes:
    """Return an unsigned document of `count` pages."""
    kids = b" ".join(b"%d 0 R" % number for number in range(3, 3 + count))
    objects = {1: b"<</Type/Catalog/Pages 2 0 R>>", 2: b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, count)}
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Resources<<>>>>"
    objects |= dict.fromkeys(range(3, 3 + count), page)
    body, offsets = s.objects_at(9, objects)
    lines = b"".join(b"%010d 00000 n \n" % offsets[number] for number in sorted(offsets))
    table = b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<</Size %d/Root 1 0 R>>\n" % (
        count + 3,
        lines,
        count + 3,
    )
    return b"%PDF-1.4\n" + body + table + b"startxref\n%d\n%%%%EOF\n" % (9 + len(body))


@bad
def pages_five_thousand_then_changed() -> bytes:
    """The same, and an update that changes the last page."""
    data = pages_five_thousand()
    last = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Resources<<>>>>"
    start = len(data)
    xref = int(data[data.rindex(b"startxref\n") + 10 :].split()[0])
    body = b"5002 0 obj\n%s\nendobj\n" % last
    lines = b"xref\n5002 1\n%010d 00000 n \ntrailer\n<</Size 5100/Root 1 0 R/Prev %d>>\n" % (start, xref)
    return data + body + lines + b"startxref\n%d\n%%%%EOF\n" % (start + len(body))


@cache
def signatures(count: int) -> bytes:
    """Return a sealed licence with `count` signatures in all, each an update."""
    data = permitting(d.SLUGS[0], b"2")
    for number in range(1, count):
        signer = d.keeper(d.SLUGS[0]).signer
        data = later_signature(s.anatomy(data), signer=signer, name=b"Later%d" % number)
    return data


@bad
def signatures_fifty() -> bytes:
    """Fifty signatures one behind the other."""
    return signatures(50)


@cache
def seals(count: int) -> bytes:
    """Return a jointly sealed licence with `count` seals."""
    data = sealed(archives.joint_draft(count), seal().signer())
    for _ in range(1, count):
        data = archives.with_seal(data, seal().signer(), Draft().licence.signing_time)
    return data


@bad
def seals_as_many_as_may_be() -> bytes:
    """Sixteen prepared fields, all sealed."""
    return seals(16)


# --- Signed data that are none ---


def _with_cms(change: Callable[[cms.ContentInfo], None]) -> bytes:
    content = cms.ContentInfo.load(d.signed_data(base()))
    change(content)
    return with_gap(base(), content.dump(force=True))


@bad
def signed_data_cut() -> bytes:
    """The first half of the signed data."""
    der = d.signed_data(base())
    return with_gap(base(), der[: len(der) // 2])


@bad
def signed_data_nested_without_end() -> bytes:
    """A thousand sequences inside each other, without a length."""
    return with_gap(base(), b"\x30\x80" * 600 + b"\0\0" * 600)


@bad
def signed_data_that_are_text() -> bytes:
    """A sequence of one text."""
    return with_gap(base(), b"\x30\x09\x0c\x07FORGED!")


@bad
def digest_algorithm_unknown() -> bytes:
    """A digest that nobody knows."""

    def change(content: cms.ContentInfo) -> None:
        unknown = algos.DigestAlgorithm({"algorithm": "1.2.3.4.5"})
        content["content"]["digest_algorithms"] = [unknown]
        content["content"]["signer_infos"][0]["digest_algorithm"] = unknown

    return _with_cms(change)


@bad
def signature_algorithm_unknown() -> bytes:
    """SM2 with SM3, which neither this verifier nor its libraries know."""

    def change(content: cms.ContentInfo) -> None:
        sm2 = algos.SignedDigestAlgorithm({"algorithm": "1.2.156.10197.1.501"})
        content["content"]["signer_infos"][0]["signature_algorithm"] = sm2

    return _with_cms(change)


@bad
def rsa_modulus_negative() -> bytes:
    """A certificate whose RSA modulus is below zero, as on old identity cards."""
    identity = pki().seal("99010100000017", "示例机关", "11990101MB00000019", algorithm="rsa2048")
    data = sealed(Draft(), identity.signer())
    modulus = identity.certificate.public_key().public_numbers().n  # type: ignore[union-attr]
    digits = b"02820101" + b"00" + modulus.to_bytes(256, "big").hex().encode()
    assert digits in data
    return data.replace(digits, b"02820101" + b"80" + digits[10:])


@bad
def certificate_with_names_of_another_kind() -> bytes:
    """A signer's certificate whose texts say that they are of another alphabet."""

    def change(content: cms.ContentInfo) -> None:
        certificate = content["content"]["certificates"][0].chosen
        der = certificate.dump().replace(b"\x0c", b"\x13", 4)
        content["content"]["certificates"][0] = cms.CertificateChoices(
            {"certificate": type(certificate).load(der)}
        )

    return _with_cms(change)


@bad
def unsigned_attributes_without_number() -> bytes:
    """Sixty unsigned attributes of unheard kinds."""

    def change(content: cms.ContentInfo) -> None:
        kind = core.ObjectIdentifier("1.2.3")
        more = [cms.CMSAttribute({"type": kind.native + f".{n}", "values": []}) for n in range(60)]
        content["content"]["signer_infos"][0]["unsigned_attrs"] = cms.CMSAttributes(more)

    return _with_cms(change)


# --- What each costs ---


@dataclass(frozen=True)
class Cost:
    """What one verification took."""

    verdict: str
    reason: str
    """Of the first check that did not pass."""
    seconds: float
    """Wall time of the whole call."""
    memory: int
    """Largest resident memory of the worker, MiB; 0 if it was killed or not asked."""


@cache
def everybody() -> TrustStore:
    """Return a trust that knows every signer of these files."""
    both = trust(), d.trust()
    return TrustStore(
        anchors=tuple(anchor for one in both for anchor in one.anchors),
        intermediates=both[1].intermediates,
        crls=tuple(crl for one in both for crl in one.crls),
        register=tuple(entry for one in both for entry in one.register or ()),
    )


def measure(name: str, policy: str, sandbox: Sandbox) -> Cost:
    """Return what verifying a file costs; the sandbox holds one worker."""
    data = FILES[name]()
    sandbox.warm_up()
    process = Path(f"/proc/{sandbox._idle[0]._process.pid}")
    # Linux counts the peak anew from here (Documentation/filesystems/proc.rst, clear_refs).
    (process / "clear_refs").write_text("5")
    begun = time.monotonic()
    report = verify(data, trust=everybody(), at=NOW, policy=policy, sandbox=sandbox)
    seconds = time.monotonic() - begun
    status = process / "status"
    lines = status.read_text().splitlines() if status.exists() else []
    peak = next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM")), 0)
    reason = next((str(one.reason) for one in report.checks[:11] if one.reason and one.sub_indication), "")
    return Cost(f"{report.indication}/{report.sub_indication}", reason, seconds, peak)


def rows() -> Iterator[str]:
    """Return one line for each file and policy."""
    with Sandbox() as sandbox:
        for name in FILES:
            for policy in POLICIES:
                cost = measure(name, policy, sandbox)
                yield f"{name:40} {policy:8} {cost.seconds:6.2f} s {cost.memory:5} MiB  {cost.verdict} {cost.reason}\n"


if __name__ == "__main__":
    for row in rows():
        sys.stdout.write(row)
        sys.stdout.flush()
