"""`python -m benchmarks issue|verify [--rounds N] [--json]`."""

from __future__ import annotations

import argparse
import json
import platform
from dataclasses import asdict
from importlib.metadata import version

from benchmarks import issue, verify

PACKAGES = ("cryptography", "pyhanko", "reportlab", "pypdf", "uharfbuzz", "segno")


def main() -> None:
    """Print one table, or one JSON object a line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Ratios to peers, CPU time, one run."
    )
    parser.add_argument("what", choices=["issue", "verify"])
    parser.add_argument("--rounds", type=int, default=15, help="both sides run in each round (default 15)")
    parser.add_argument("--json", action="store_true", help="one object per metric")
    arguments = parser.parse_args()
    rows = {"issue": issue.run, "verify": verify.run}[arguments.what](arguments.rounds)
    if arguments.json:
        for row in rows:
            print(json.dumps(asdict(row), ensure_ascii=False))
        return
    print("Python", platform.python_version(), *(f"{name} {version(name)}" for name in PACKAGES))
    for row in rows:
        print(
            f"{row.name}: {row.ratio:.1f} × (spread {row.spread:.1f}, {row.rounds} rounds); "
            f"ours {row.ours * 1000:.1f} ms = {1 / row.ours:.1f}/s, "
            f"peer {row.peer * 1000:.1f} ms = {1 / row.peer:.1f}/s"
        )


if __name__ == "__main__":
    main()
