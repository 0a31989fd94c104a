"""A second reader of sealed licences, written from docs/format.md alone: it takes nothing from the package.

It asserts what the page says and understands nothing else; verdicts are not its business.
"""

from __future__ import annotations

import re
import zlib
from functools import cache
from pathlib import Path

from asn1crypto import cms

PAGE = (Path(__file__).parents[2] / "docs" / "format.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of a language on the page."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def revisions(data: bytes) -> list[bytes]:
    """Return the file cut behind each of its revisions; most have one."""
    return [data[: match.end()] for match in re.finditer(rb"\nstartxref\n[0-9]+\n%%EOF\n", data)]


def read_update(data: bytes, start: int) -> tuple[dict[int, bytes], bytes]:
    """Return object number -> body of a further revision, which reaches from `start` to the end, and its trailer."""
    tail = re.search(rb"trailer\n(<<.*>>)\nstartxref\n([1-9][0-9]*)\n%%EOF\n\Z", data)
    table = int(tail[2])
    assert data.startswith(b"xref\n", table)
    at, starts = table + len(b"xref\n"), []
    while run := re.compile(rb"([0-9]+) ([0-9]+)\n").match(data, at):
        for number in range(int(run[2])):
            entry = data[run.end() + 20 * number : run.end() + 20 * number + 20]
            assert re.fullmatch(rb"[0-9]{10} 00000 n \n", entry)
            starts.append((int(entry[:10]), int(run[1]) + number))
        at = run.end() + 20 * int(run[2])
    assert at == tail.start()
    assert starts == sorted(starts)
    assert [number for _, number in starts] == sorted(number for _, number in starts)
    assert starts[0][0] == start
    objects = {}
    for (begin, number), (end, _) in zip(starts, [*starts[1:], (table, 0)], strict=True):
        objects[number] = re.fullmatch(rb"%d 0 obj\n(.*)\nendobj\n" % number, data[begin:end], re.DOTALL)[1]
    return objects, tail[1]


def read_objects(data: bytes) -> tuple[dict[int, bytes], bytes]:
    """Return object number -> body, and the trailer: the frame of the page."""
    tail = re.search(rb"trailer\n(<<.*>>)\nstartxref\n(0|[1-9][0-9]*)\n%%EOF\n\Z", data)
    table = int(tail[2])
    count = int(re.match(rb"xref\n0 ([0-9]+)\n", data[table:])[1])
    first = table + len(b"xref\n0 %d\n" % count)
    entries = [data[first + 20 * n : first + 20 * n + 20] for n in range(count)]
    assert entries[0] == b"0000000000 65535 f \n"
    assert all(re.fullmatch(rb"[0-9]{10} 00000 n \n", entry) for entry in entries[1:])
    assert first + 20 * count == tail.start()
    position = re.match(rb"%PDF-1\.7\n%[\x80-\xff]{4,}\n", data).end()
    starts = sorted((int(entry[:10]), number) for number, entry in enumerate(entries) if number)
    objects = {}
    for (start, number), (end, _) in zip(starts, [*starts[1:], (table, 0)], strict=True):
        assert start == position
        objects[number] = re.fullmatch(rb"%d 0 obj\n(.*)\nendobj\n" % number, data[start:end], re.DOTALL)[1]
        position = end
    assert position == table
    assert b"/Size %d/" % count in tail[1]
    return objects, tail[1]


def ref(body: bytes, key: bytes) -> int:
    """Return the number of the object that a key refers to."""
    return int(re.search(rb"/" + key + rb"[ \[]*(?:\(licence\.json\))?([0-9]+) 0 R", body)[1])


def refs(body: bytes, key: bytes) -> list[int]:
    """Return the numbers in an array of references."""
    return [int(n) for n in re.findall(rb"([0-9]+) 0 R", re.search(rb"/" + key + rb"\[([^\]]*)\]", body)[1])]


def stream(body: bytes) -> bytes:
    """Return a stream's data, inflated."""
    match = re.fullmatch(rb"(<<.*?>>)\nstream\n(.*)\nendstream", body, re.DOTALL)
    assert b"/Length %d" % len(match[2]) in match[1]
    return zlib.decompress(match[2]) if b"/Filter/FlateDecode" in match[1] else match[2]


def names(data: bytes) -> dict[str, object]:
    """Return what a verifier finds on its way in a first revision: signature, fields, pages, the embedded file."""
    objects, trailer = read_objects(data)
    catalogue = objects[ref(trailer, b"Root")]
    file = objects[refs(catalogue, b"AF")[0]]
    assert refs(catalogue, b"AF") == [ref(catalogue, b"Names")]
    field = objects[refs(catalogue, b"Fields")[0]]
    assert ref(catalogue, b"DocMDP") == ref(field, b"V")
    return {
        "objects": objects,
        "trailer": trailer,
        "catalogue": catalogue,
        "fields": refs(catalogue, b"Fields"),
        "signature": objects[ref(field, b"V")],
        "pages": [objects[n] for n in refs(objects[ref(catalogue, b"Pages")], b"Kids")],
        "embedded": stream(objects[ref(file, b"F")]),
        "metadata": stream(objects[ref(catalogue, b"Metadata")]),
    }


def read_seal(data: bytes, signature: bytes) -> tuple[cms.SignedData, bytes]:
    """Return the signed data in the slot and the bytes it covers."""
    match = re.fullmatch(
        rb"<</Type/Sig/Filter/Adobe\.PPKLite/SubFilter/ETSI\.CAdES\.detached"
        rb"/Reference\[<</Type/SigRef/TransformMethod/DocMDP"
        rb"/TransformParams<</Type/TransformParams/P [12]/V/1\.2>>>>\]"
        rb"/M\(D:[0-9]{14}Z\)/ByteRange \[0 ([0-9]{10}) ([0-9]{10}) ([0-9]{10})\]/Contents <[0-9a-f]*>>>",
        signature,
    )
    start, end, rest = (int(number) for number in match.groups())
    assert end + rest == len(data)
    assert data[start : start + 1] + data[end - 1 : end] == b"<>"
    raw = bytes.fromhex(data[start + 1 : end - 1].decode())
    content = cms.ContentInfo.load(raw)
    encoded = content.dump()
    assert not raw[len(encoded) :].strip(b"\0")
    assert content["content_type"].dotted == "1.2.840.113549.1.7.2"
    return content["content"], data[:start] + data[end:]


def page_texts(page: bytes, objects: dict[int, bytes]) -> dict[int, str]:
    """Return mcid -> text in fill fonts of a page's last stream."""
    maps = {}
    for font, number in re.findall(rb"/(D[0-9]+) ([0-9]+) 0 R", objects[ref(page, b"Resources")]):
        body = objects[int(number)]
        assert b"/Encoding/Identity-H" in body
        descendant = objects[refs(body, b"DescendantFonts")[0]]
        assert (b"/CIDFontType0/" in descendant) != (b"/CIDToGIDMap/Identity" in descendant)
        ranges = re.findall(
            r"^<(....)><(....)>\[((?:<[0-9A-F]+>)+)\]$",
            stream(objects[ref(body, b"ToUnicode")]).decode(),
            re.MULTILINE,
        )
        codes = [
            f"{code:04X}" for first, last, _ in ranges for code in range(int(first, 16), int(last, 16) + 1)
        ]
        texts = re.findall("<(.+?)>", "".join(listed for *_, listed in ranges))
        assert codes == [f"{code:04X}" for code in range(1, len(codes) + 1)]
        assert len(set(texts)) == len(texts)
        said = (bytes.fromhex(text).decode("utf-16-be") for text in texts)
        maps[font.decode()] = dict(zip(codes, said, strict=True))
    content = stream(objects[refs(page, b"Contents")[-1]]).decode("ascii")
    assert re.fullmatch(grammar(), content), content[:500]
    found = {}
    for mcid, inside in re.findall(r"<</MCID ([0-9]+)>> BDC\n(.*?)EMC\n", content, re.DOTALL):
        assert int(mcid) not in found
        text, font = "", {}
        for name, codes in re.findall(r"/(D[0-9]+) |<([0-9A-F]+)> Tj", inside):
            font = maps[name] if name else font
            text += "".join(font[codes[at : at + 4]] for at in range(0, len(codes), 4))
        found[int(mcid)] = text
    return {mcid: text for mcid, text in found.items() if text}


@cache
def grammar() -> str:
    """Return the page's grammar of a dynamic stream as one regular expression."""
    rules = dict(re.split(r" += ", line, maxsplit=1) for line in blocks("grammar")[0].splitlines())
    known = {
        "LF": r"\n", "digits": "[0-9]+", "number": r"-?[0-9]+(?:\.[0-9]+)?", "tag": "[A-Z][A-Za-z0-9]*",
        "4HEXDIG": "[0-9A-F]{4}", "hexdigits": "[0-9a-f]+", "graphics": r"(?!BT\n|EMC\n)[^\n<>()]+\n",
    }  # fmt: skip

    def translate(text: str) -> str:
        out, ends, repeat = "", [], ""
        for token in re.findall(r'"[^"]*"|1?\*|[()\[\]/]|\w+', text):
            if token in {"*", "1*"}:
                repeat = "*" if token == "*" else "+"
                continue
            if token in "([":
                out, ends, repeat = out + "(?:", [*ends, repeat if token == "(" else "?"], ""
            elif token in ")]":
                out += ")" + ends.pop()
            elif token == "/":
                out += "|"
            else:
                word = (
                    re.escape(token[1:-1]) if token[0] == '"' else known.get(token) or translate(rules[token])
                )
                out, repeat = f"{out}(?:{word}){repeat}", ""
        return out

    return translate(rules["stream"])


PLACE = re.compile(
    r"\{\{|\}\}|\{([a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*)(?:\|([a-z]+(?:-[a-z]+)*))?(?:@([0-9]+)-([0-9]+))?\}"
)


def says(template: str, licence: dict, page: int, pages: int) -> tuple[str, list[str]]:
    """Return what a template says of a licence, and the names it draws on."""
    used = []

    def put(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0][0]
        used.append(match[1])
        text = value_of(match[1], match[2] or "", licence, {"page": str(page), "pages": str(pages)})
        return text[int(match[3]) - 1 : int(match[4])] if match[3] else text

    return PLACE.sub(put, template), list(dict.fromkeys(used))


def value_of(name: str, form: str, licence: dict, counts: dict[str, str]) -> str:
    """Return what one place says."""
    start, end = licence["validity"]["start"], licence["validity"]["end"]
    if name in counts:
        return counts[name]
    if form == "term":
        return f"自{date_zh(start)}至{date_zh(end)}" if end else "长期"
    if name == "valid_until" and end is None:
        return "长期" if form in {"", "date-zh", "date-zh-padded", "date-iso"} else ""
    holders, authority = licence["holders"], licence["authority"]
    issuers = [one["name"] for one in (authority, *licence.get("joint_authorities", []))]
    own = {
        "number": licence["number"], "identifier": licence["identifier"], "issued_on": licence["issued_on"],
        "valid_from": start, "valid_until": end, "type.name": licence["type_name"],
        "holder.name": holders[0]["name"], "holder.code": holders[0]["code"],
        "holders": "、".join(holder["name"] for holder in holders),
        "holders.code": "、".join(holder["code"] for holder in holders),
        "case_number": licence["case_number"] or "", "year": licence["issued_on"][:4],
        "authorities": "、".join(issuers),
        **{f"authorities.{n}.name": "".join(issuers[n - 1 : n]) for n in range(1, 10)},
        "verify_url": licence["verify_base"] + licence["identifier"],
        **{f"authority.{key}": authority[key] for key in ("name", "code", "region", "place", "prefix")},
    }  # fmt: skip
    if name in own:
        value = own[name]
    else:
        key, *numbers = name.split(".")
        if not numbers and form in {"", "en"} and key in licence["labels"]:
            return licence["labels"][key]["en" if form == "en" else "zh"]
        value = licence["fields"].get(key, "")
        for number in numbers:
            exists = isinstance(value, list) and 1 <= int(number) <= len(value)
            value = value[int(number) - 1] if exists else ""
    return formatted(value, form) if value else ""


def formatted(value: str | list, form: str) -> str:
    """Return a value in a format."""
    if form in {"", "code", "en"}:
        if isinstance(value, str):
            return value
        return "\n".join(item if isinstance(item, str) else "\u3000".join(item) for item in value)
    year, month, day = (int(part) for part in value[:10].split("-"))
    return {
        "date-zh": date_zh(value), "date-zh-padded": f"{year}年{month:02}月{day:02}日",
        "date-iso": value[:10], "year": str(year), "month": str(month), "day": str(day),
        "datetime-zh": f"{date_zh(value)}{int(value[11:13] or 0)}时{value[14:16]}分",
    }[form]  # fmt: skip


def date_zh(value: str) -> str:
    """Return a day in Chinese."""
    year, month, day = (int(part) for part in value[:10].split("-"))
    return f"{year}年{month}月{day}日"


def check_character(body: str) -> str:
    """Return the MOD 37,36 check character as the page says it."""
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    p = 36
    for character in body:
        s = (p + alphabet.index(character)) % 36 or 36
        p = 2 * s % 37
    return alphabet[(37 - p) % 36]
