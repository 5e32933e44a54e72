"""JSON as it is found in the wild."""

from __future__ import annotations

import json
from typing import Any

import orjson


def parse(raw: bytes) -> Any:
    """The value that ``raw`` spells; lone surrogates, NaN, huge integers and bad UTF-8 are let through.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        return orjson.loads(raw)
    except ValueError:
        pass
    try:
        return json.loads(raw.decode("utf-8", "replace"))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def write(value: Any) -> str:
    """``value`` as compact JSON text, whatever it holds."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # lone surrogates, integers of more than 64 bits
        return json.dumps(value)
