"""`run.py`: what a new user meets when the machine is not ready, or when the set-up was interrupted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import run

SOURCE = Path(run.__file__)


@pytest.fixture
def project(tmp_path):
    """A folder with nothing but run.py and what it reads."""
    for name in ("run.py", "requirements.lock", "pyproject.toml"):
        (tmp_path / name).write_bytes((SOURCE.parent / name).read_bytes())
    return tmp_path


def start(project, missing=()):
    """Run `run.py demo` with a Python that lacks some modules; no package index is within reach."""
    (project / "site").mkdir(exist_ok=True)
    (project / "site" / "sitecustomize.py").write_text(
        "import sys\n" + "".join(f"sys.modules[{name!r}] = None\n" for name in missing)
    )
    environ = os.environ | {
        "PYTHONPATH": str(project / "site"),
        "PIP_NO_INDEX": "1",
        "PIP_NO_CACHE_DIR": "1",
    }
    command = [sys.executable, str(project / "run.py"), "demo"]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_python_without_venv_gets_one_line(project, module):
    """One line says what to install, and nothing is left behind."""
    done = start(project, [module])
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "apt install python3-venv" in done.stderr
    assert not (project / ".venv").exists()


def test_a_half_made_venv_is_made_anew_and_no_network_is_a_sentence(project):
    """A .venv without pip, as an interruption leaves it, is replaced; without packages the end is one sentence."""
    half = project / ".venv" / "bin" / "python"
    half.parent.mkdir(parents=True)
    half.symlink_to(sys.executable)
    done = start(project)
    assert done.returncode == 2
    assert "making .venv" in done.stdout
    assert (project / ".venv" / "bin" / "pip").exists()
    assert "check the network" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_an_interruption_is_a_sentence(monkeypatch, capsys):
    """Ctrl-C during the set-up ends with status 130 and says that running again is enough."""

    def interrupt(lock):
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "set_up", interrupt)
    assert run.main(["demo"]) == 130
    assert "run this again" in capsys.readouterr().err


def test_usage(capsys):
    """--help is an answer, a missing or unknown command is wrong usage."""
    assert run.main(["--help"]) == 0
    assert "run.py demo" in capsys.readouterr().out
    assert run.main([]) == run.main(["nonsense"]) == 2
