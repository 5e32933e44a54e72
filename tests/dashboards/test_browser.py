"""The pages in a real browser: a new row shows in time, text stays text, nothing is fetched from elsewhere."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.records import Batch, Cursor, Seen
from monitor.store import Store
from tests.conftest import a_post, lacking
from tests.dashboards.conftest import CONFIG
from tests.dashboards.server import serving
from tests.scored import score

pytestmark = pytest.mark.browser

SECONDS = 5.0
HOSTILE = "**bold** [link](https://evil.example) $x^2$ :smile: :red[x] <b>b</b> <script>window.hacked = 1</script> # h"
CHART = '[data-testid="stVegaLiteChart"]:not(.st-key-preload *) :is(svg, canvas)'
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("app")
    (folder / "monitor.toml").write_text(CONFIG)
    return folder


@pytest.fixture(scope="module")
def store(folder: Path) -> Store:
    store, now = Store(folder / "monitor.duckdb"), datetime.now(UTC)
    posts = [a_post(n, observed_at=now - timedelta(minutes=9 * n + 1)) for n in range(60)]
    seen = (Seen("bluesky:live", now - timedelta(days=9), 1),)
    store.commit(Batch("bluesky:live", tuple(posts), seen=seen, cursor=Cursor("bluesky:live", "1")))
    score(store, posts, removal="done")
    return store


@pytest.fixture(scope="module")
def app(folder: Path, store: Store) -> Iterator[str]:
    with serving(folder / "monitor.toml") as url:
        yield url


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = shutil.which("chromium") or lacking("no chromium on this machine")
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def tab(browser):
    tab = browser.new_page(viewport={"width": 1280, "height": 1600})
    tab.requested = []
    tab.on("request", lambda request: tab.requested.append(request.url))
    yield tab
    tab.close()


def commit(store: Store, number: int, text: str) -> None:
    now = datetime.now(UTC)
    post = a_post(number, text=text, observed_at=now, created_at=now, author_handle="*evil*.example")
    store.commit(Batch("bluesky:live", (post,), cursor=Cursor("bluesky:live", str(number), at=now)))


def test_a_new_row_shows_on_live_within_five_seconds_and_charts_are_not_drawn_anew(app, store, tab):
    tab.goto(app)
    tab.wait_for_selector(CHART, timeout=60_000)
    tab.wait_for_timeout(1000)
    tab.evaluate(f"document.querySelectorAll('{CHART}').forEach(chart => chart.isOld = true)")
    for number in (101, 102, 103):
        commit(store, number, f"soundcloud marker-{number}")
        begun = time.monotonic()
        tab.get_by_text(f"marker-{number}").first.wait_for(timeout=30_000)
        assert time.monotonic() - begun < SECONDS
    kept = tab.evaluate(f"[...document.querySelectorAll('{CHART}')].map(chart => chart.isOld === true)")
    assert kept == [True, True, True]


def test_what_an_author_wrote_stays_text_and_runs_nothing(app, store, tab):
    commit(store, 201, HOSTILE)
    tab.goto(app)
    tab.get_by_text("bold").first.wait_for(timeout=60_000)
    shown = tab.locator('[data-testid="stText"]').all_text_contents()
    assert HOSTILE in shown
    assert any("@*evil*.example" in text for text in shown)
    main = '[data-testid="stMain"]'
    assert tab.locator(f'{main} a[href*="evil"], {main} script, {main} .katex, {main} b').count() == 0
    assert tab.evaluate("window.hacked") is None


def test_a_post_is_read_as_text_on_the_posts_page(app, store, tab):
    commit(store, 301, HOSTILE)
    tab.goto(f"{app}/posts?relevance=all&search=bold")
    table = tab.locator('[data-testid="stDataFrame"] canvas').first
    table.wait_for(timeout=60_000)
    tab.wait_for_timeout(500)
    table.click(position={"x": 15, "y": 54}, force=True)
    said = tab.locator(".st-key-whole").get_by_text(HOSTILE, exact=True)
    said.first.wait_for(timeout=20_000)  # the frame around it stands before its text does
    assert said.count() == 1
    assert tab.locator('.st-key-whole a[href*="evil"], .st-key-whole script').count() == 0


def test_the_table_offers_no_download_that_goes_round_the_pseudonyms(app, store, tab):
    tab.goto(f"{app}/posts")
    table = tab.locator('[data-testid="stDataFrame"]').first
    table.wait_for(timeout=60_000)
    table.hover()
    assert not tab.locator('[class*="st-key-rows"] [data-testid="stElementToolbar"]').first.is_visible()


def test_a_download_is_a_file_without_authors(app, store, tab, tmp_path):
    tab.goto(f"{app}/posts")
    tab.get_by_text("Export", exact=True).click(timeout=60_000)
    with tab.expect_download(timeout=60_000) as waiting:
        tab.get_by_text("Download CSV").click()
    target = tmp_path / "posts.csv"
    waiting.value.save_as(target)
    lines = target.read_text().splitlines()
    assert len(lines) > 60
    assert "did:plc" not in "".join(lines)


@pytest.mark.parametrize("page", ["", "event", "posts", "coverage"])
def test_nothing_is_fetched_from_anywhere_but_the_app(app, store, tab, page):
    tab.goto(f"{app}/{page}")
    tab.wait_for_selector('[data-testid="stText"], [data-testid="stDataFrame"]', timeout=60_000)
    tab.wait_for_timeout(1500)
    assert [url for url in tab.requested if not url.startswith((app, "data:", "blob:"))] == []


def test_coverage_is_drawn_and_told_day_by_day(app, store, tab):
    tab.goto(f"{app}/coverage")
    tab.wait_for_selector(CHART, timeout=60_000)
    tab.wait_for_selector('[data-testid="stDataFrame"] canvas', timeout=60_000)
    assert tab.get_by_text("Share of each UTC day that was collected").is_visible()


def test_a_phone_shows_all_without_scrolling_sideways(app, store, browser):
    tab = browser.new_page(viewport={"width": 390, "height": 800})
    tab.goto(app)
    tab.wait_for_selector(CHART, timeout=60_000)
    tab.wait_for_timeout(1000)
    widths = tab.evaluate("(({scrollWidth, clientWidth}) => [scrollWidth, clientWidth])(document.documentElement)")
    tab.close()
    assert widths[0] <= widths[1]
