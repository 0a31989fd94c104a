"""What EU DSS says of every vector, beside what we say.

`python tests/interop/second_opinion.py` prints where the two differ; with `--write` it renews the lists in
docs/second-opinion.md, which a test holds to what came out.
"""

from __future__ import annotations

import re
import sys
import tempfile
import textwrap
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parent)]

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from oracles import ROOT, ask_java

from tests.vectors.generate import write

_END = {
    b"-----BEGIN CERTIFICATE-----": b"-----END CERTIFICATE-----",
    b"-----BEGIN X509 CRL-----": b"-----END X509 CRL-----",
}


@dataclass(frozen=True)
class Opinion:
    """Two verdicts on one vector."""

    name: str
    ours: str
    """The indication that its case states, which other tests hold us to."""
    theirs: str
    """The worst indication of all signatures that DSS finds; "unsigned" or "error" if it finds none or breaks."""
    reason: str
    """DSS's sub-indication of that signature."""
    remarks: str
    """DSS's errors and warnings."""
    check: str
    """Code of our first check that did not pass, "" if all passed."""

    @property
    def differs(self) -> bool:
        """Return whether one of us accepts what the other does not."""
        return (self.ours == "TOTAL_PASSED") != (self.theirs == "TOTAL_PASSED")

    @property
    def warned(self) -> bool:
        """Return whether DSS says more than it says of every file of ours."""
        words = {word.strip() for word in self.remarks.strip("[]").replace("][", ";").split(";")}
        return bool(words - _ALWAYS - {""})


_ALWAYS = {"The authority info access is not present!", "The revocation info access is not present!"}
_WORST = ("error", "TOTAL_FAILED", "INDETERMINATE", "unsigned", "TOTAL_PASSED")


def opinions(folder: Path) -> list[Opinion]:
    """Return both verdicts on every vector, whose files are written into `folder`."""
    write(folder)
    cases = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.toml"))}
    jobs, name_of = [], {}
    for name, case in cases.items():
        anchors, lists = _split(folder, name)
        path = folder / f"{name}.pdf"
        name_of[str(path)] = name
        jobs.append("\t".join((str(path), ",".join(anchors), ",".join(lists), case["at"])))
    (folder / "jobs").write_text("\n".join(jobs), encoding="utf-8")
    said: dict[str, list[list[str]]] = {name: [] for name in cases}
    for path, *words in ask_java("Dss", f"@{folder / 'jobs'}"):
        said[name_of[path]].append(words)
    return [_opinion(name, cases[name]["expect"], said[name]) for name in cases]


def _opinion(name: str, expect: dict[str, str], lines: list[list[str]]) -> Opinion:
    worst = min(lines, key=lambda words: _WORST.index(words[0]))
    return Opinion(name, expect["indication"], worst[0], worst[1], worst[-1], expect.get("first_check") or "")


def _split(folder: Path, name: str) -> tuple[list[str], list[str]]:
    """Return files with one anchor and one revocation list each, out of the vector's one PEM file."""
    data = (folder / f"{name}.pem").read_bytes()
    found: tuple[list[str], list[str]] = ([], [])
    for kind, (begin, end) in enumerate(_END.items()):
        for number, part in enumerate(data.split(begin)[1:]):
            pem = begin + part.split(end)[0] + end
            path = folder / f"{name}.{number}.{'crl' if kind else 'crt'}"
            loaded = x509.load_pem_x509_crl(pem) if kind else x509.load_pem_x509_certificate(pem)
            path.write_bytes(loaded.public_bytes(Encoding.DER))
            found[kind].append(str(path))
    return found


PAGE = ROOT / "docs" / "second-opinion.md"
LIST = re.compile(r"<!-- ([a-z_]+) -->\n(.*?)<!-- end -->\n", re.DOTALL)
"""A list in the page: its name, and what it says."""


def lists(every: list[Opinion]) -> dict[str, str]:
    """Return what the page's lists must say: for each of our checks what DSS passes, and a summary."""
    found = {}
    for check in sorted({one.check for one in every if one.differs}):
        here = [one for one in every if one.differs and one.check == check]
        lines = [("Passed by DSS", [one.name for one in here if not one.warned])]
        lines.append(("Passed with a warning", [one.name for one in here if one.warned]))
        found[check] = "\n".join(_line(*line) for line in lines if line[1])
    refused = [one for one in every if "TOTAL_PASSED" not in {one.ours, one.theirs}]
    both = sum(one.ours == one.theirs == "TOTAL_PASSED" for one in every)
    alike = sum(one.ours == one.theirs for one in refused)
    found["summary"] = _wrapped(
        f"{len(every)} vectors: {both} passed by both, {sum(one.differs for one in every)} by DSS alone,"
        f" {len(refused)} by neither, of these {alike} with the same indication."
    )
    return found


def told() -> dict[str, str]:
    """Return what the page's lists say."""
    return {name: text for name, text in LIST.findall(PAGE.read_text("utf-8")) if text}


def renew(every: list[Opinion]) -> None:
    """The page's lists say what came out. Raises KeyError if it has none for a check that they are about."""
    new, page = lists(every), PAGE.read_text("utf-8")
    if missing := set(new) - set(dict(LIST.findall(page))):
        raise KeyError(f"write down who is right about {sorted(missing)}")
    page = LIST.sub(lambda m: f"<!-- {m[1]} -->\n{new.get(m[1], '')}<!-- end -->\n", page)
    PAGE.write_text(page, "utf-8")


def _line(title: str, names: list[str]) -> str:
    return _wrapped(f"{title}: {', '.join(f'`{name}`' for name in names)}.")


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 116, break_on_hyphens=False, break_long_words=False) + "\n"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        every = opinions(Path(temporary))
    for one in every:
        if one.differs:
            print(one.name, one.ours, one.theirs, one.reason, one.remarks[:300], sep=" | ")  # noqa: T201
    print(Counter((one.ours, one.theirs) for one in every))  # noqa: T201
    if "--write" in sys.argv:
        renew(every)
