"""Where log lines go: stderr, one line each, times in UTC, no secrets (they are ``SecretStr``)."""

from __future__ import annotations

import logging
import time


def to_stderr(level: int = logging.INFO) -> None:
    """Log of our own modules at ``level``, of libraries from WARNING."""
    handler = logging.StreamHandler()
    formatter = logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("monitor").setLevel(level)
