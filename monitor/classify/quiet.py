"""OpenVINO without its telemetry: importing it otherwise forks a process that reports the use to Google Analytics."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType


def openvino() -> ModuleType:
    """The package; the only way to import it here.

    With openvino_telemetry out of reach it falls back to a stub of its own. The forked process also kept open files,
    so that the lock of a killed ``monitor run`` outlived it.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None makes an import of it fail
    return import_module("openvino")
