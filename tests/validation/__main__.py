"""``python -m tests.validation [PART ...] [--replicates N]``: what estimates are worth where the truth is known."""

from __future__ import annotations

import argparse
import importlib
import time

from rich.console import Console
from rich.table import Table

PARTS = ("alerts", "demo", "event", "funnel", "prevalence", "response", "spread")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.validation", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--replicates", type=int, default=200)
    asked = parser.parse_args()
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"unknown parts: {', '.join(sorted(unknown))}")
    for name in asked.parts or PARTS:
        begun = time.monotonic()
        table = Table("measure", "measured", "wanted", title=name)
        for row in importlib.import_module(f"tests.validation.{name}").run(asked.replicates):
            table.add_row(*row)
        Console().print(table, f"{time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
