"""A fresh process in which something happens for the first time: `python -m benchmarks.worker …` prints JSON.

compile FOLDER: fonts are opened, a template is compiled and its first licence issued; CPU seconds so far.
memory FOLDER DESK COUNT: so many licences are issued, durably; resident memory in MB afterwards, and its peak.
verify FOLDER FILE: a document is verified, the very first; CPU seconds of that call.
pyhanko FOLDER FILE: the same by pyHanko.

FOLDER is a demonstration's. What a process needs before its work can begin (imports, trust) is loaded before the clock.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path


def ask(*arguments: object) -> dict[str, float]:
    """Return what a fresh process finds. Raises CalledProcessError if it fails."""
    command = [sys.executable, "-m", "benchmarks.worker", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, check=True)  # noqa: S603
    found: dict[str, float] = json.loads(done.stdout)
    return found


def compile_once(folder: Path) -> dict[str, float]:
    """Return how long fonts and template of the food licence take, and how long until its first licence is issued.

    What is put off until the first licence needs it shows in the second figure.
    """
    from benchmarks.cases import FOOD, Cases  # noqa: PLC0415 - each task imports only what it is about
    from elicense import demo, issue  # noqa: PLC0415
    from elicense.catalogue import templates_folder  # noqa: PLC0415
    from elicense.issuing.means import compiled_for, intent_of  # noqa: PLC0415
    from elicense.registry.memory import MemoryRegistry, MemoryStore  # noqa: PLC0415
    from elicense.rendering.fonts import FontLibrary  # noqa: PLC0415

    at = datetime.now(UTC).replace(microsecond=0)
    office = replace(demo.load(folder), registry=MemoryRegistry(), store=MemoryStore())
    licence_type = office.catalogue[FOOD]
    request = Cases(office, FOOD, at).request(0)
    keeper = next(one for one in office.keepers if one.authority.code == request.authority_code)
    start = time.process_time()
    fresh = replace(office, fonts=FontLibrary.load(templates_folder() / "fonts"))
    compiled_for(licence_type, keeper, (), fresh, intent_of(licence_type, keeper, (), fresh))
    compiled = time.process_time()
    issue(request, fresh, at=at)
    return {"compile": compiled - start, "first": time.process_time() - start}


def issue_many(folder: Path, desk: Path, count: int) -> dict[str, float]:
    """Return the memory of a process that has issued `count` food licences into a register and store on disk."""
    from benchmarks.cases import FOOD, Cases  # noqa: PLC0415
    from benchmarks.measure import resident  # noqa: PLC0415
    from elicense import demo, issue  # noqa: PLC0415
    from elicense.registry.files import FileStore  # noqa: PLC0415
    from elicense.registry.sql import SqlRegistry  # noqa: PLC0415

    at = datetime.now(UTC).replace(microsecond=0)
    desk.mkdir()
    with closing(SqlRegistry(desk / "register.db")) as registry:
        office = replace(demo.load(folder), registry=registry, store=FileStore(desk / "documents"))
        cases = Cases(office, FOOD, at)
        for number in range(count):
            issue(cases.request(number), office, at=at)
        return {"resident": resident(os.getpid()), "peak": resident(os.getpid(), peak=True)}


def verify_first(folder: Path, file: Path) -> dict[str, float]:
    """Return how long the first verification takes, the sandbox being warm if it is needed at all."""
    from benchmarks.measure import cpu_seconds  # noqa: PLC0415
    from elicense import Indication, verify  # noqa: PLC0415
    from elicense.demo_folder import trust_file  # noqa: PLC0415
    from elicense.pki.trust import load_trust  # noqa: PLC0415
    from elicense.registry.memory import MemoryRegistry  # noqa: PLC0415
    from elicense.verification.sandbox import Sandbox  # noqa: PLC0415

    pdf, trust = file.read_bytes(), load_trust(trust_file(folder))
    at = datetime.now(UTC).replace(microsecond=0)
    with Sandbox() as sandbox:
        sandbox.warm_up()
        start = cpu_seconds()
        report = verify(pdf, trust=trust, at=at, registry=MemoryRegistry(), sandbox=sandbox)
        spent = cpu_seconds() - start
    assert report.indication is Indication.TOTAL_PASSED, report.sub_indication
    return {"first": spent}


def pyhanko_first(folder: Path, file: Path) -> dict[str, float]:
    """Return how long pyHanko's first validation takes."""
    from benchmarks.validator import PyhankoValidator  # noqa: PLC0415
    from elicense.demo_folder import trust_file  # noqa: PLC0415
    from elicense.pki.trust import load_trust  # noqa: PLC0415

    pdf = file.read_bytes()
    at = datetime.now(UTC).replace(microsecond=0)
    validator = PyhankoValidator.of(load_trust(trust_file(folder)), at)
    start = time.process_time()
    accepted = validator.accepts(pdf)
    spent = time.process_time() - start
    assert accepted, "pyHanko does not accept the document"
    return {"first": spent}


def main(task: str, *arguments: str) -> dict[str, float]:
    """Return the figures of a task."""
    first, *rest = map(Path, arguments)
    match task:
        case "compile":
            return compile_once(first)
        case "memory":
            return issue_many(first, rest[0], int(arguments[2]))
        case "verify":
            return verify_first(first, rest[0])
        case _:
            return pyhanko_first(first, rest[0])


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
