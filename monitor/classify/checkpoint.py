"""Where a training stands, written once per epoch, so that an interrupted one goes on."""

from __future__ import annotations

import os
from pathlib import Path
from pickle import UnpicklingError
from typing import Any


class Checkpoint:
    """One file. ``key`` says what is being trained on what: a file of another training is left out of account."""

    def __init__(self, path: Path, key: str) -> None:
        self._path, self._key = path, key

    def load(self) -> dict[str, Any] | None:
        """The state that was saved last; None where there is none of this training."""
        import torch

        try:
            found: dict[str, Any] = torch.load(self._path, map_location="cpu", weights_only=True)
        except (OSError, EOFError, RuntimeError, UnpicklingError):  # none, or cut off
            return None
        return found["state"] if found.get("key") == self._key else None

    def save(self, state: dict[str, Any]) -> None:
        """Replace the last state; a kill while writing leaves that one whole."""
        import torch

        part = self._path.with_name(self._path.name + ".part")
        torch.save({"key": self._key, "state": state}, part)
        os.replace(part, self._path)

    def clear(self) -> None:
        """Forget it: the training is over."""
        self._path.unlink(missing_ok=True)
