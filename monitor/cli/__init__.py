"""The command line: each command parses, makes one call and prints. Data on stdout, everything else on stderr."""

from __future__ import annotations

import os
import sys

from monitor.errors import MonitorError


def main() -> None:
    """Entry point of ``monitor``: an error of ours becomes a message, a hint and exit code 1; --debug shows it all."""
    debug = "--debug" in sys.argv
    sys.argv = [argument for argument in sys.argv if argument != "--debug"]
    from monitor.cli.app import app

    try:
        app()
    except MonitorError as error:
        if debug:
            raise
        _print_error(error)
        sys.exit(1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _print_error(error: MonitorError) -> None:
    from rich.console import Console

    console = Console(stderr=True, soft_wrap=True, highlight=False)
    console.print("Error:", style="bold red", end=" ")
    console.print(error.message, markup=False)
    if error.hint:
        console.print(error.hint, markup=False, style="dim")
