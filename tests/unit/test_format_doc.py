"""docs/format.md, its schema, docs/errors.md and the index of docs agree with the code and with really issued files.

`tests/support/format_reader.py` is a second reader, written from docs/format.md alone; it must read every type.
"""

from __future__ import annotations

import copy
import hashlib
import inspect
import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest
from asn1crypto import algos, core, tsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from elicense import decoding, encoding, errors, messages, reasons_general, wording
from elicense.issuing import issue
from elicense.model import AuthorityLevel, DocumentCategory
from elicense.pki.keys import SignatureAlgorithm
from elicense.pki.timestamps import HttpTimestampAuthority
from elicense.registry import connections
from elicense.rendering import metadata
from elicense.verification import cms as seal_cms
from elicense.verification import pdf, policy, printed, sandbox, sections, structure
from elicense.verification.checks import CODES
from service.config import Settings
from service.listening import CONNECTIONS
from tests.support.demonstration import AT, SLUG, office, request
from tests.support.format_reader import (
    PAGE,
    blocks,
    check_character,
    names,
    page_texts,
    read_objects,
    read_seal,
    revisions,
    says,
    stream,
)
from tests.support.sealing import house
from tests.support.tsa import DirectTsa
from tests.unit.verification.minimal_pdf import LICENCE, placements

if TYPE_CHECKING:
    from collections.abc import Iterable

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA = json.loads((DOCS / "licence-file.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(
    SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)
SLUGS = sorted(kind.slug for kind in office().catalogue.types)


@cache
def issued(slug: str) -> bytes:
    """Return the sample licence of a type, always the same but for the keys."""
    return issue(request(slug), office(), at=AT).pdf


@cache
def stamped() -> bytes:
    """Return a licence of profile B-T."""
    home = house(AT)
    stamps = DirectTsa(at=AT, identity=home.stamps.timestamp_authority())
    place = home.office(home.identity().signer(), timestamps=stamps, registry=office().registry)
    return issue(request(), place, at=AT).pdf


# --- The page against issued files ---


@pytest.mark.parametrize("slug", SLUGS)
def test_a_reader_written_from_the_page_reads_every_type(slug: str) -> None:
    """Frame, range, digest, signature, identity, canonical form, index and print hold as the page says."""
    data = revisions(issued(slug))[0]
    found = names(data)
    signed, covered = read_seal(data, found["signature"])
    (info,) = signed["signer_infos"]
    attributes = {item["type"].dotted: item["values"] for item in info["signed_attrs"]}
    assert attributes["1.2.840.113549.1.9.4"][0].native == hashlib.sha256(covered).digest()
    (leaf,) = (
        x509.load_der_x509_certificate(choice.dump()) for choice in signed["certificates"]
        if hashlib.sha256(choice.dump()).digest()
        == attributes["1.2.840.113549.1.9.16.2.47"][0]["certs"][0]["cert_hash"].native
    )  # fmt: skip
    over = b"\x31" + info["signed_attrs"].dump()[1:]
    leaf.public_key().verify(info["signature"].native, over, ec.ECDSA(hashes.SHA256()))

    raw = found["embedded"]
    content = json.loads(raw)
    assert json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() == raw
    licence = content["licence"]
    moment = licence["signing_time"].translate(str.maketrans("", "", "-:T"))
    assert f"/M(D:{moment})".encode() in found["signature"]
    assert found["trailer"].count(licence["document_id"].encode()) == 2
    *_, kind, issuer, serial, version, check = licence["identifier"].split(".")
    assert (kind, issuer) == (licence["type_code"], licence["authority"]["code"])
    assert check_character(kind + issuer + serial + version) == check

    drawn = {
        (number, mcid): text
        for number, page in enumerate(found["pages"], 1)
        for mcid, text in page_texts(page, found["objects"]).items()
    }
    for entry in content["index"]:
        said = says(entry["template"], licence, entry["page"], len(found["pages"]))
        assert said == (entry["text"], entry["fields"])
        assert drawn.pop((entry["page"], entry["mcid"])) == entry["text"].replace("\n", "")
    assert not drawn


NUMBERS = re.compile(
    r"…|[0-9]+ 0 (R|obj)|(?<=/Length )[0-9]+|(?<=/Size )[0-9]+|(?<=^0 )[0-9]+$|\b[0-9]{10}\b"
    r"|(?<=[ \[])[0-9]+\.[0-9]+|^[0-9]+(?=$)",
    re.MULTILINE,
)


def as_pattern(excerpt: str) -> str:
    """Return an excerpt as a pattern: … stands for anything, object numbers, lengths and places for any others."""
    out, end = "", 0
    for match in NUMBERS.finditer(excerpt):
        out += re.escape(excerpt[end : match.start()])
        out += ".*?" if match[0] == "…" else r"[0-9.]+" + (f" 0 {match[1]}" if match[1] else "")
        end = match.end()
    return (out + re.escape(excerpt[end:])).replace("\\\n", " ?\n")


@pytest.mark.parametrize("excerpt", blocks("pdf"), ids=lambda text: text[:12])
def test_excerpts_are_of_a_real_file(excerpt: str) -> None:
    """Each excerpt stands in the food licence, or in one of its streams."""
    data = issued(SLUG)
    objects, _ = read_objects(data)
    streams = [stream(body).decode("latin-1") for body in objects.values() if b"\nendstream" in body]
    assert any(re.search(as_pattern(excerpt), text, re.DOTALL) for text in (data.decode("latin-1"), *streams))


def test_the_first_excerpt_is_the_whole_file() -> None:
    """It begins with the first byte and ends with the last."""
    assert re.fullmatch(as_pattern(blocks("pdf")[0]), issued(SLUG).decode("latin-1"), re.DOTALL)


def test_the_example_is_the_data_of_a_real_file() -> None:
    """The licence on the page is the one in the file, its index entries are some of the file's."""
    example = json.loads(blocks("json")[0])
    real = json.loads(names(issued(SLUG))["embedded"])
    fresh = json.dumps(real, ensure_ascii=False, indent=2)
    assert example["licence"] == real["licence"], f"the file now says:\n{fresh}"
    assert all(entry in real["index"] for entry in example["index"]), f"the file now says:\n{fresh}"
    VALIDATOR.validate(example)
    decoding.read_licence_file(encoding.canonical_json(example))


@pytest.mark.parametrize("profile", ["B-B", "B-T"])
def test_the_signed_data_are_as_listed(profile: str) -> None:
    """Identifiers, versions, attributes and parts of the signed data are those of the page, for both profiles."""
    data = issued(SLUG) if profile == "B-B" else stamped()
    signed, _ = read_seal(data, names(data)["signature"])
    (info,) = signed["signer_infos"]
    assert (signed["version"].native, info["version"].native, info["sid"].name) == (
        "v1", "v1", "issuer_and_serial_number",
    )  # fmt: skip
    assert not signed["crls"].native
    assert signed["encap_content_info"]["content"].native is None
    unsigned = [] if isinstance(info["unsigned_attrs"], core.Void) else list(info["unsigned_attrs"])
    (algorithm,) = signed["digest_algorithms"]
    assert algorithm.dump() == info["digest_algorithm"].dump()
    assert algorithm.dump().endswith(b"\x05\x00")
    attributes = [item["type"].dotted for item in (*info["signed_attrs"], *unsigned)]
    listed = re.findall(r"[0-9]+(?:\.[0-9]+){4,}", blocks("cms")[0])
    order = [
        algorithm["algorithm"].dotted,
        signed["encap_content_info"]["content_type"].dotted,
        *attributes[:3],
    ]
    order = ["1.2.840.113549.1.7.2", *order, info["signature_algorithm"]["algorithm"].dotted, *attributes[3:]]
    assert order == (listed if profile == "B-T" else listed[:-1])
    for item in unsigned:
        (token,) = item["values"]
        stamp = token["content"]["encap_content_info"]["content"].parsed
        assert (token["content"]["version"].native, len(token["content"]["signer_infos"])) == ("v3", 1)
        assert isinstance(stamp, tsp.TSTInfo)
        imprint = stamp["message_imprint"]["hashed_message"].native
        assert imprint == hashlib.sha256(info["signature"].native).digest()


def test_the_table_of_keys_is_what_signers_do() -> None:
    """Digest, identifier and parameters of each kind of key are those of the code."""
    rows = re.findall(
        r"^\| ([\w, -]+) \| (SHA-\d+) \| ([0-9.]+), (NULL|no parameters) \|$", PAGE, re.MULTILINE
    )
    said = [(digest.replace("-", "").lower(), oid, parameters) for _, digest, oid, parameters in rows]
    real = []
    for algorithm in SignatureAlgorithm:
        encoded = algos.SignedDigestAlgorithm({"algorithm": algorithm.cms_name})
        null = encoded.dump().endswith(b"\x05\x00")
        real.append((algorithm.digest, encoded["algorithm"].dotted, "NULL" if null else "no parameters"))
    assert said == real
    assert {oid for _, oid, _ in said} <= set(seal_cms.SIGNATURES)


def test_lists_on_the_page_are_those_of_the_code() -> None:
    """Forbidden names, names and formats of templates, properties, catalogue keys, code lists and checks."""
    forbidden, own = (set(block.split()) for block in blocks("names"))
    assert forbidden == structure.FORBIDDEN
    assert own == wording.OWN_NAMES
    row = re.search(r"^\| catalogue \|.*$", PAGE, re.MULTILINE)[0]
    needed = {"Type", "AcroForm", "Perms", "AF", "Names"}
    assert set(re.findall(r"`(\w+)`", row.split("Other keys only")[1])) | needed == structure._CATALOGUE_KEYS
    optional = re.search(r"Besides these only (.*?) may stand there", PAGE, re.DOTALL)[1]
    needed = {"Type", "Filter", "SubFilter", "Reference", "M", "ByteRange", "Contents"}
    assert set(re.findall(r"`(\w+)`", optional)) | needed == structure._SEAL_KEYS
    table = re.search(r"^\| Format \| Says \|\n(.*?)\n\n", PAGE, re.DOTALL | re.MULTILINE)[1]
    formats = {word for line in table.splitlines() for word in re.findall(r"`([a-z-]+)`", line.split("|")[1])}
    assert formats == wording.FORMATS - {""}
    assert re.findall(r"^\| `lic:(\w+)`", PAGE, re.MULTILINE) == [name for name, _, _ in metadata._ELEMENTS]
    assert metadata.NAMESPACE in PAGE
    for code in (*AuthorityLevel, *DocumentCategory):
        assert f"`{code}`" in PAGE
    duties = PAGE.partition("## What the verifier does")[2].partition("\n## ")[0]
    assert re.findall(r"^(\d+)\. ", duties, re.MULTILINE) == [str(n) for n in range(1, len(CODES) + 1)]


def test_metadata_repeat_the_licence() -> None:
    """Each property of the table holds what its row says, and an open end has none."""
    for slug in (SLUG, "approval-document"):
        found = names(issued(slug))
        packet = found["metadata"].decode("utf-8")
        licence = json.loads(found["embedded"])["licence"]
        for name, source in re.findall(r"^\| `(lic:\w+)` \| `([\w.]+)`", PAGE, re.MULTILINE):
            key = source.split(".")
            value = licence[key[0]][key[1]] if len(key) > 1 else licence.get(source)
            values = (
                [holder[source] for holder in licence["holders"]]
                if source in licence["holders"][0]
                else [value]
            )
            inside = re.search(rf"<{name}>(.*?)</{name}>", packet)
            said = [] if inside is None else re.findall(r"<rdf:li>(.*?)</rdf:li>", inside[1]) or [inside[1]]
            assert said == [value for value in values if value is not None], name


# --- The schema ---


@pytest.mark.parametrize("slug", SLUGS)
def test_every_type_follows_the_schema(slug: str) -> None:
    """The data of each shipped type are valid."""
    VALIDATOR.validate(json.loads(names(revisions(issued(slug))[0])["embedded"]))


def test_the_schema_is_sound_and_names_what_the_page_names() -> None:
    """It is a JSON Schema; each of its members stands in the table, and takes no others."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    VALIDATOR.validate(
        json.loads(encoding.encode_licence_file(LICENCE, encoding.encode_index(placements(LICENCE))))
    )
    defs = SCHEMA["$defs"]
    optional = {"licence": decoding._OPTIONAL_KEYS, "place": frozenset()}
    for part, prefix in (("licence", "licence."), ("place", "index[].")):
        assert set(re.findall(rf"^\| `{re.escape(prefix)}(\w+)`", PAGE, re.MULTILINE)) == set(
            defs[part]["properties"]
        )
        assert set(defs[part]["required"]) == set(defs[part]["properties"]) - optional[part]
    assert set(defs["licence"]["required"]) == decoding._LICENCE_KEYS


def places(value: object, path: tuple = ()) -> list[tuple]:
    """Return the path of every value inside."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in inner for found in places(item, (*path, key)))]


def changed(document: dict, path: tuple, change: object) -> object:
    """Return a copy with the value at `path` replaced, or taken out if `change` is ..."""
    if not path:
        return change
    result = copy.deepcopy(document)
    parent = result
    for key in path[:-1]:
        parent = parent[key]
    if change is ...:
        del parent[path[-1]]
    else:
        parent[path[-1]] = change
    return result


def readable(document: object) -> bool:
    """Return whether the package reads it."""
    try:
        decoding.read_licence_file(encoding.canonical_json(document))
    except errors.MalformedDocument:
        return False
    return True


def test_what_the_schema_accepts_is_read() -> None:
    """Whatever one value is replaced by or taken out, a document valid by the schema is one that the package reads.

    The check character, which a schema cannot say, is left alone.
    """
    document = json.loads(names(issued("real-estate-certificate"))["embedded"])
    document["index"] = document["index"][:2]
    refused = read = 0
    for path in places(document):
        for change in (..., None, True, 7, "x", [], ["x"], [["x"]], {}, {"x": "y"}):
            if change is ... and not path:
                continue
            broken = changed(document, path, change)
            if VALIDATOR.is_valid(broken):
                assert readable(broken), (path, change)
                read += 1
            else:
                refused += 1
    assert refused > 500
    assert read > 20


@pytest.mark.parametrize(
    ("path", "change"),
    [
        (("licence", "issued_on"), "2026-02-30"),
        (("licence", "signing_time"), "2026-03-08T04:00:00+00:00"),
        (("licence", "document_id"), "5AEBA878D221242622939997FB0EEE4F"),
        (("licence", "authority", "level"), "village"),
        (("licence", "holders"), []),
        (("licence", "validity", "end"), ""),
        (("licence", "identifier"), "1.2.156.3005.2.X"),
        (("licence", "extra"), 1),
        (("index", 0, "rect"), [1, 2, 3]),
        (("index", 0, "page"), 0),
        (("schema",), "elicense/licence/2"),
    ],
)
def test_a_broken_document_is_invalid(path: tuple, change: object) -> None:
    """Each of these is refused by the schema, while the document before the change is not."""
    document = json.loads(names(issued(SLUG))["embedded"])
    assert VALIDATOR.is_valid(document)
    assert not VALIDATOR.is_valid(changed(document, path, change))


# --- errors.md and the index ---


def table(*rows: tuple[str, ...]) -> list[str]:
    """Return a table, its head first."""
    head, *body = (f"| {' | '.join(cells)} |" for cells in rows)
    return [head, "|" + "---|" * len(rows[0]), *body, ""]


def bilingual(items: Iterable[tuple[str, tuple[messages.Text, ...]]]) -> list[str]:
    """Return a table of codes and their texts."""
    rows = [
        (f"`{code}`", "<br>".join(text.zh for text in texts), "<br>".join(text.en for text in texts))
        for code, texts in items
    ]
    return table(("Code", "中文", "English"), *rows)


def error_rows() -> list[tuple[str, ...]]:
    """Return code, class, kind and meaning of each error, in the order of the source."""
    tree = [
        kind
        for kind in vars(errors).values()
        if inspect.isclass(kind) and issubclass(kind, errors.ElicenseError)
    ]
    return [
        (
            f"`{kind.code}`",
            f"`{kind.__name__}`",
            f"`{kind.__bases__[0].__name__}`",
            inspect.getdoc(kind).split("\n")[0],
        )
        for kind in tree
    ]


def errors_page() -> str:
    """Return what docs/errors.md must be: every error and every reason, from the code."""
    reasons = (*messages.REASONS.items(), *messages.INDICATIONS.items())
    states = (*messages.STATUSES.items(), *messages.IN_FORCE.items())
    lines = [
        "# Errors and reasons", "",
        "Codes are stable, texts may be reworded. This page is made from `elicense/errors.py` and",
        "`elicense/messages.py`, `reasons.py` and `reasons_general.py`; a test says when it is stale and prints the",
        "fresh one.", "",
        "## Errors", "",
        "What is raised. Each error carries `code`, `en`, `zh` (one sentence each: what is wrong, what to do) and",
        "`field`. The service answers with the same codes and some of its own, see [service.md](service.md).", "",
        *table(("Code", "Class", "A kind of", "Means"), *error_rows()),
        "## Checks", "",
        "What a verification asks and what is true when a check passed; see [verification.md](verification.md).", "",
        *bilingual((code, (one.question, one.passed)) for code, one in messages.QUESTIONS.items()),
        "## Reasons", "",
        'Why a check did not pass, and what to do; last the three answers to "authentic?".', "",
        *bilingual((code, (one.answer, one.advice)) for code, one in reasons),
        "## Under the policy `general`", "",
        "A signed PDF that is no licence has no seal and no issuing authority. Where the words above speak of these,",
        "this is said instead: checks, answers, advices.", "",
        *bilingual(reasons_general.QUESTIONS.items()),
        *bilingual((code, (text,)) for code, text in reasons_general.ANSWERS.items()),
        "| 中文 | Under `general` | English | Under `general` |", "|---|---|---|---|",
        *(f"| {one.zh} | {other.zh} | {one.en} | {other.en} |" for one, other in reasons_general.ADVICE.items()), "",
        "## States", "",
        "What became of a check, and whether a licence is in force.", "",
        *bilingual((code, (text,)) for code, text in states),
    ]  # fmt: skip
    return "\n".join(lines).rstrip("\n") + "\n"


def test_errors_page_is_current() -> None:
    """docs/errors.md says what the code says."""
    fresh = errors_page()
    assert (DOCS / "errors.md").read_text("utf-8") == fresh, (
        f"docs/errors.md is stale; it should be:\n\n{fresh}"
    )


def test_the_index_names_every_page() -> None:
    """docs/README.md links each page and the schema."""
    linked = set(re.findall(r"\]\(([^)#]+)\)", (DOCS / "README.md").read_text("utf-8")))
    pages = {path.name for path in DOCS.iterdir() if path.suffix in {".md", ".json"}} - {"README.md"}
    assert pages <= linked, pages - linked


def test_the_architecture_page_names_every_room() -> None:
    """docs/architecture.md has a line for each room of the package and of the service."""
    text = (DOCS / "architecture.md").read_text("utf-8")
    root = DOCS.parent / "elicense"
    rooms = {path.stem for path in root.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    missing = {room for room in rooms - {"__init__", "__main__"} if f"`{room}" not in text}
    assert not missing


def test_limits_on_the_operations_page_are_those_of_the_code() -> None:
    """Each number of the table of limits is the one that the code keeps."""
    text = (DOCS / "operations.md").read_text("utf-8").partition("## Limits")[2].partition("\n## ")[0]
    settings = Settings(DOCS)
    mebibyte = 1 << 20
    for said in (
        f"command line | {policy.SIZE_LIMIT // mebibyte} MiB",
        f"service, unless set | {settings.upload_limit // mebibyte} MiB",
        f"bodies, unless set | {settings.body_limit // mebibyte} MiB",
        f"{sections.MAX_OBJECTS:,} · {structure.MAX_TOKENS:,} · {pdf.MAX_DEPTH}",
        f"{printed.MAX_PAGES:,} · {printed.MAX_STREAM // mebibyte} MiB",
        f"{sandbox.MEMORY >> 30} GiB address space, {sandbox.CPU_SECONDS} s processor, {sandbox.WALL_SECONDS:g} s",
        f"{CONNECTIONS} for each worker",
        f"{connections.BUSY_SECONDS} s, then",
        f"timestamp | {HttpTimestampAuthority('http://localhost/').timeout_seconds:g} s",
    ):
        assert said in text, said
