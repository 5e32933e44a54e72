"""``python -m tests.benchmarks [NAME ...] [--quick]``: measure, and print one table.

Every module of this package that has ``run(quick) -> [(measure, target, measured), ...]`` is a benchmark. A target says
"under 2 s", "at least 10,000 events/s" or "0"; its number is compared with the first one of what was measured.
One that sets ``ONLY_BY_NAME`` (it needs the network) runs when it is named.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
import time
from importlib import import_module, metadata
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

from rich.console import Console
from rich.table import Table

_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


def main() -> int:
    """Run the named benchmarks, or all; exit code 1 when a target was missed."""
    known = _benchmarks()
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__.split("\n")[0])
    parser.add_argument("name", nargs="*", help=f"of {', '.join(known)}; none runs all that need no network")
    parser.add_argument("--quick", action="store_true", help="shorter runs with rougher numbers")
    chosen = parser.parse_args()
    for name in chosen.name:
        if name not in known:
            parser.error(f"there is no benchmark {name!r}; there are {', '.join(known)}")
    usual = [name for name, module in known.items() if not getattr(module, "ONLY_BY_NAME", False)]
    rows = [row for name in chosen.name or usual for row in _measured(known[name], chosen.quick)]
    _print(rows)
    return int(any(verdict(target, measured) is False for _, target, measured in rows))


def verdict(target: str, measured: str) -> bool | None:
    """Whether the measured number meets the target; None where the target names no number."""
    wanted, found = _NUMBER.search(target), _NUMBER.search(measured)
    if wanted is None:
        return None
    if found is None:
        return False
    limit, value = (float(number[0].replace(",", "")) for number in (wanted, found))
    if "at least" in target or "or more" in target or "≥" in target:
        return value >= limit
    if "under" in target or "<" in target:
        return value < limit
    return value <= limit if "at most" in target or "≤" in target else value == limit


def _benchmarks() -> dict[str, ModuleType]:
    folder = Path(__file__).parent
    names = sorted(module.name for module in iter_modules([str(folder)]) if module.name != "__main__")
    modules = {name: import_module(f"tests.benchmarks.{name}") for name in names}
    return {name: module for name, module in modules.items() if hasattr(module, "run")}


def _measured(benchmark: ModuleType, quick: bool) -> list[tuple[str, str, str]]:
    name, begun = benchmark.__name__.rpartition(".")[2], time.monotonic()
    print(f"{name} ...", end="", file=sys.stderr, flush=True)
    rows: list[tuple[str, str, str]] = benchmark.run(quick)
    print(f" {time.monotonic() - begun:.0f} s", file=sys.stderr)
    return rows


def _print(rows: list[tuple[str, str, str]]) -> None:
    table = Table("measure", "target", "measured", "ok", caption=_machine(), caption_justify="left")
    words = {True: "yes", False: "[bold red]no[/]", None: ""}
    for row in rows:
        table.add_row(*row, words[verdict(*row[1:])])
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def _machine() -> str:
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("duckdb", "torch"))
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores of {_cpu()}; Python {platform.python_version()}, {versions}; load at the end {load}"


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


if __name__ == "__main__":
    sys.exit(main())
