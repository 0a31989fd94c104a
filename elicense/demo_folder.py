"""Where things lie in a demonstration's folder; light, so that `elicense verify` need not load what issues."""

from __future__ import annotations

from pathlib import Path

MARKER = "demo.json"
"""The file that marks a folder as a demonstration's and lists its seals."""

USUAL = Path("var") / "demo"
"""Where the demonstration lies, seen from the project's root."""


def is_demo(folder: Path) -> bool:
    """Return whether `folder` bears the mark of a demonstration."""
    return (folder / MARKER).is_file()


def find_demo(start: Path) -> Path | None:
    """Return the demonstration that belongs to `start`: the folder it lies in, or its var/demo."""
    inside = next((folder for folder in (start, *start.parents) if is_demo(folder)), None)
    below = start / USUAL
    return inside or (below if is_demo(below) else None)


def trust_file(folder: Path) -> Path:
    """Return the trust register of a demonstration."""
    return folder / "trust" / "register.json"


def register_file(folder: Path) -> Path:
    """Return the register of licences of a demonstration."""
    return folder / "register.sqlite"
