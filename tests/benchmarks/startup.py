"""How long ``monitor --help`` takes, from the shell's point of view."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time


def run(quick: bool) -> list[tuple[str, str, str]]:
    """Median of five starts (three when quick), after one that warms the disk's cache."""
    _start()
    seconds = [_start() for _ in range(3 if quick else 5)]
    return [("monitor --help", "under 0.5 s", f"{statistics.median(seconds):.2f} s")]


def _start() -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-m", "monitor", "--help"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun
