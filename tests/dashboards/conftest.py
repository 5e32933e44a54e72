"""The app on a configuration and a store of its own, run without a browser."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from monitor.store import Store

ROOT = Path(__file__).resolve().parents[2]

CONFIG = """
[[topics]]
name = "soundcloud-ai"
platform = "SoundCloud"
[[topics.rules]]
id = "ai-terms"
phrases = ["soundcloud"]

[[events]]
id = "statement"
kind = "statement"
title = "Company *statement* :smile:"
topic = "soundcloud-ai"
announced = 2025-05-09T14:00:00Z

[[events]]
id = "letter"
kind = "executive_statement"
title = "CEO letter"
announced = 2025-05-10T14:00:00Z

[dashboard]
timezone = "UTC"
"""


@pytest.fixture(autouse=True)
def main_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """AppTest leaves the app behind as ``__main__``, and whoever spawns a process later would run it there."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture(autouse=True)
def _fresh_caches():
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration whose store is ``monitor.duckdb`` beside it."""
    path = tmp_path / "monitor.toml"
    path.write_text(CONFIG)
    monkeypatch.setenv("MONITOR_CONFIG", str(path))
    monkeypatch.delenv("MONITOR_HASH_KEY", raising=False)
    return path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "monitor.duckdb")


@pytest.fixture
def page(config: Path) -> Callable[..., AppTest]:
    """Open a page: ``page("event")``; ``address`` is what stands behind its ?, other keywords are session state.

    Of that, most is what widgets stand at.
    """

    def opened(name: str = "live", address: Mapping[str, str] = MappingProxyType({}), **state: object) -> AppTest:
        app = AppTest.from_file(str(ROOT / "dashboards" / "app.py"), default_timeout=60)
        for key, value in address.items():
            app.query_params[key] = value
        for key, value in state.items():
            app.session_state[key] = value
        if name != "live":
            app.switch_page(f"screens/{name}.py")
        return app.run()

    return opened


def texts(app: AppTest) -> str:
    """Everything that is shown as plain text."""
    return "\n".join(element.value for element in app.text)


def markdown(app: AppTest) -> str:
    """Everything that a browser reads as markdown or HTML, labels of figures included."""
    kinds = ("markdown", "caption", "title", "header", "subheader", "warning", "error", "info", "success")
    shown = [element.value for kind in kinds for element in getattr(app, kind)]
    return "\n".join([*shown, *(f"{metric.label} {metric.value}" for metric in app.metric)])


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}
