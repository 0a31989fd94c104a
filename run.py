"""Set up and run elicense with nothing but Python: `python3 run.py demo | serve | test`."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
PIP = VENV / "bin" / "pip"
LOCKS = {"demo": "requirements.lock", "serve": "requirements.lock", "test": "requirements-test.lock"}
USAGE = """\
usage: python3 run.py demo            make a throw-away authority, issue one licence of each type, verify them
       python3 run.py serve [PORT]    start the web service on 127.0.0.1 with the demo's data
       python3 run.py test [ARGS]     run every check; ARGS go to pytest"""


def main(arguments: list[str]) -> int:
    """Run one command and return its exit status."""
    if arguments and arguments[0] in {"-h", "--help", "help"}:
        print(USAGE)
        return 0
    if not arguments or arguments[0] not in LOCKS:
        print(USAGE, file=sys.stderr)
        return 2
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is what an older Python runs first
        print("elicense needs Python 3.11 or newer: install it, then run this again.", file=sys.stderr)
        return 2
    command, rest = arguments[0], arguments[1:]
    try:
        problem = set_up(LOCKS[command])
    except KeyboardInterrupt:
        print("interrupted: run this again, it goes on where it stopped.", file=sys.stderr)
        return 130
    if problem:
        print(problem, file=sys.stderr)
        return 2
    return {"demo": demo, "serve": serve, "test": test}[command](rest)


def set_up(lock: str) -> str | None:
    """Make .venv hold exactly what `lock` says; return what the user must do first, or None."""
    # pip is the last thing venv puts there: without it the making of .venv was interrupted.
    if not (PYTHON.exists() and PIP.exists()):
        if any(importlib.util.find_spec(module) is None for module in ("venv", "ensurepip")):
            return "Python's venv module is missing: run `apt install python3-venv` (Debian, Ubuntu), then this again."
        print("making .venv …", flush=True)
        # What it says matters only when it fails; interrupted, it would say more than anybody wants to read.
        command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode:
            print(made.stdout + made.stderr, file=sys.stderr)
            shutil.rmtree(VENV, ignore_errors=True)
            return "making .venv failed: see the lines above, mend the cause, then run this again."
    stamp = VENV / f"{lock}.installed"
    wanted = hashlib.sha256((ROOT / lock).read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return None
    print(f"installing what {lock} lists …", flush=True)
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for step in (["--require-hashes", "-r", lock], ["--no-deps", "--no-build-isolation", "-e", "."]):
        if subprocess.run([*pip, *step], cwd=ROOT, check=False).returncode:
            return "the installation failed: see the lines above; check the network, then run this again."
    stamp.write_text(wanted)
    return None


def demo(arguments: list[str]) -> int:
    """Make the demo under var/demo."""
    return run([str(PYTHON), "-m", "elicense", "demo", *arguments])


def serve(arguments: list[str]) -> int:
    """Serve the demo's data on loopback, making the demo first if there is none."""
    if not (ROOT / "var" / "demo").exists() and demo([]):
        return 1
    port = arguments[0] if arguments else "8000"
    command = [str(PYTHON), "-m", "service", "--demo", "var/demo", "--port", port]
    print("$ python -m service --demo var/demo --port", port, flush=True)
    os.chdir(ROOT)
    # In place of this process: what stops or renews the service is sent to the process that was started.
    return os.execv(command[0], command)  # noqa: S606


def test(arguments: list[str]) -> int:
    """Run the linters, the type checker, the import contracts and the tests; all run, the worst status counts."""
    tool = VENV / "bin"
    steps = [
        [str(tool / "ruff"), "check", "."],
        [str(tool / "ruff"), "format", "--check", "."],
        [str(tool / "mypy")],
        [str(tool / "lint-imports"), "--no-cache"],
        [str(PYTHON), "-m", "pytest", "-n", str(min(os.cpu_count() or 1, 4)), *arguments],
    ]
    failed = [step for step in steps if run(step)]
    for step in failed:
        print("FAILED:", " ".join(step[:4]), file=sys.stderr)
    return 1 if failed else 0


def run(command: list[str]) -> int:
    """Run `command` in the project root and return its exit status."""
    print(
        "$", " ".join(Path(part).name if part.startswith(str(ROOT)) else part for part in command), flush=True
    )
    try:
        return subprocess.run(command, cwd=ROOT, check=False).returncode
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
