"""The Live page in a browser on a file of a million posts: its first picture, and how soon a new row shows."""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from monitor import study
from monitor.records import Batch, Cursor, Post, Window
from monitor.spread import spread
from monitor.store import Store, views
from monitor.store.views import Filter, Scope
from tests.benchmarks.filling import fill
from tests.benchmarks.running import write_config
from tests.dashboards.server import serving
from tests.dashboards.test_browser import CHART, FLAGS

_NEWEST = ".st-key-card-new-0"


def run(quick: bool) -> list[tuple[str, str, str]]:
    """A million posts (and half a million reposts), or a tenth of that."""
    posts, rows = (100_000, 6) if quick else (1_000_000, 20)
    with tempfile.TemporaryDirectory() as folder:
        config = write_config(Path(folder), "ws://127.0.0.1:9")
        store = Store(Path(folder) / "monitor.duckdb")
        fill(store, posts)
        queries = [
            _seconds(lambda: study.live_picture(store, Scope(), timedelta(days=1), datetime.now(UTC))) for _ in range(7)
        ]
        now = datetime.now(UTC)
        three_days = Window(now - timedelta(days=10), now - timedelta(days=7))
        set_off = _seconds(lambda: spread(store, Scope(), three_days))
        search = _seconds(lambda: views.found(store, Scope(), Filter(pattern=r"part \d*777\d*\b")))
        size = f"{posts:,} posts, {store.path.stat().st_size / 1e6:,.0f} MB"
        return [
            *_in_browser(store, config, size, rows),
            (f"Live page's queries on {size}, median", "", f"{statistics.median(queries):.2f} s"),
            (f"monitor spread of three days on {size}", "", f"{set_off:.2f} s"),
            ("regular expression over all of them", "", f"{search:.2f} s"),
        ]


def _in_browser(store: Store, config: Path, size: str, rows: int) -> list[tuple[str, str, str]]:
    what = f"Live page's first picture on {size}"
    if shutil.which("chromium") is None:
        return [(what, "under 3 s", "not measured: no chromium")]
    with chromium() as browser, serving(config) as url:
        with browser.new_context() as context:
            first = first_picture(context, url)
            back = statistics.median(first_picture(context, url) for _ in range(5))
        new = statistics.median(first_picture(context, url) for context in _contexts(browser, 5))
        shown = list(_shown(browser, url, store, rows))
    delays = sorted(shown)
    p95 = delays[min(len(delays) - 1, round(0.95 * len(delays)))]
    return [
        (f"{what}, median of five visits", "under 3 s", f"{back:.2f} s"),
        (f"{what}, with an empty browser cache, median of five", "under 3 s", f"{new:.2f} s"),
        (f"{what}, the same on a server that just started", "under 3 s", f"{first:.2f} s"),
        ("row committed -> on the Live page, p95", "under 5 s", f"{p95:.2f} s (n = {rows}, max {delays[-1]:.2f})"),
    ]


@contextmanager
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield browser
        browser.close()


def _contexts(browser: Any, n: int) -> Iterator[Any]:
    for _ in range(n):
        with browser.new_context() as context:
            yield context


def first_picture(context: Any, url: str, last: str = _NEWEST) -> float:
    """Seconds from the address to three drawn charts and what is drawn ``last``, by default the newest post."""
    tab, begun = context.new_page(), time.monotonic()
    tab.goto(url)
    tab.wait_for_function(f"document.querySelectorAll('{CHART}').length >= 3", timeout=120_000, polling=50)
    tab.wait_for_selector(last, timeout=120_000)
    seconds = time.monotonic() - begun
    tab.close()
    return seconds


def _shown(browser: Any, url: str, store: Store, rows: int) -> Iterator[float]:
    tab = browser.new_page()
    tab.goto(url)
    tab.wait_for_selector(_NEWEST, timeout=120_000)
    for number in range(rows):
        text = f"soundcloud marker {number} of {rows}"
        store.commit(_batch(number, text))
        begun = time.monotonic()
        tab.get_by_text(text).first.wait_for(timeout=120_000)
        yield time.monotonic() - begun
        tab.wait_for_timeout(317 * (number % 7))
    tab.close()


def _batch(number: int, text: str) -> Batch:
    now, author = datetime.now(UTC), "did:plc:new"
    post_id, matched = f"at://{author}/app.bsky.feed.post/new{number}", ("soundcloud-ai/ai-terms",)
    post = Post("bluesky", post_id, author, text, "original", now, now, "live", lang="en", matched=matched)
    return Batch("bluesky:live", (post,), cursor=Cursor("bluesky:live", str(number), at=now))


def _seconds(work: Any) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun
