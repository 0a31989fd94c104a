"""`python -m benchmarks issue|verify|bulk|service [--rounds N] [--only PART]… [--json]`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from importlib import import_module
from typing import TYPE_CHECKING

from benchmarks import surroundings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.measure import Ratio

TABLES = ("issue", "verify", "bulk", "service")
"""Each a module of that name with `run(rounds) -> list[Ratio]`; with PARTS, `run(rounds, only)` makes some of them."""
_SCALES = {"s": ((1, "s"), (1e-3, "ms"), (1e-6, "µs")), "bytes": ((1e3, "KB"),), "MB": ((1, "MB"),)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one table, or one JSON object a line; what was measured with goes to standard error then."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Ratios to peers, both sides interleaved in one run."
    )
    parser.add_argument("table", choices=TABLES)
    parser.add_argument("--rounds", type=int, default=15, help="all sides run in each round (default 15)")
    parser.add_argument(
        "--only", action="append", metavar="PART", help="a part of the table; may be repeated"
    )
    parser.add_argument("--json", action="store_true", help="one object per metric")
    chosen = parser.parse_args(arguments)
    module = import_module(f"benchmarks.{chosen.table}")
    parts = getattr(module, "PARTS", ())
    if unknown := set(chosen.only or ()) - set(parts):
        parser.error(
            f"{chosen.table} has no part {', '.join(sorted(unknown))}: choose from {', '.join(parts)}"
        )
    for line in surroundings.lines():
        print(line, file=sys.stderr if chosen.json else sys.stdout)
    rows = module.run(chosen.rounds, chosen.only) if chosen.only else module.run(chosen.rounds)
    print(*([json_of(row) for row in rows] if chosen.json else table(rows)), sep="\n")
    if not chosen.json:
        print(f"load at the end {os.getloadavg()[0]:.1f}")


def json_of(row: Ratio) -> str:
    """Return a metric as one JSON object."""
    return json.dumps(asdict(row) | {"met": row.met}, ensure_ascii=False)


def table(rows: Sequence[Ratio]) -> list[str]:
    """Return the lines of the printed table: what was asked for and is not reached is marked as BELOW."""
    return [
        f"{row.name}\n"
        f"    {row.ratio:.2f} ×  {_asked(row)}spread {row.spread:.2f}, {row.rounds} rounds; "
        f"ours {_amount(row.ours, row.unit)}, peer {_amount(row.peer, row.unit)}"
        for row in rows
    ]


def _asked(row: Ratio) -> str:
    """Return what was asked of the ratio, and whether it is so."""
    if row.at_least is None:
        return ""
    aim = "" if row.aim is None else f", aim {row.aim:.3g}"
    verdicts = {False: "BELOW", True: "met"}
    reached = row.aim is not None and row.ratio >= row.aim
    verdict = "aim reached" if reached else verdicts[row.ratio >= row.at_least]
    return f"[{verdict}: at least {row.at_least:.3g}{aim}]  "


def _amount(figure: float, unit: str) -> str:
    """Return a figure in the largest unit that makes it one or more."""
    scale, name = next((one for one in _SCALES[unit] if abs(figure) >= one[0]), _SCALES[unit][-1])
    return f"{figure / scale:.3g} {name}"


if __name__ == "__main__":
    main()
