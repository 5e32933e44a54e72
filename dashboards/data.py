"""What the pages ask, remembered for a moment so that three viewers cost one read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pyarrow as pa
import streamlit as st

from dashboards.wording import shortened
from monitor import config as configuration
from monitor import study
from monitor.alerts.delivering import driven_by
from monitor.config import Classifier, Config, Event, Secrets, Topic
from monitor.daily import Day, shown_window
from monitor.daily import days as days_of
from monitor.export import LIMIT, Format, export, text_group
from monitor.funnel import Funnel
from monitor.funnel import of_event as funnel_of
from monitor.impact import Impact, impacts, of_release, wrong_of
from monitor.prevalence import Corrected
from monitor.prevalence import corrected as corrected_of
from monitor.records import Window
from monitor.records.alerts import Alert
from monitor.spread import Spread, event_window
from monitor.spread import spread as spread_of
from monitor.store import Store, alerting, views
from monitor.store.views import Choices, Filter, Found, Head, Order, PostView, Scope
from monitor.study import EventPicture, LivePicture
from monitor.volume import CountedVolume, counted_volume

_WAIT_SECONDS = 8.0  # a page that waits longer for the file says so instead


@st.cache_data(ttl=5, show_spinner=False)
def config(path: str) -> Config:
    """The configuration at ``path``."""
    return configuration.load(Path(path))


@st.cache_resource(show_spinner=False)
def store(path: str, memory_limit: str, threads: int) -> Store:
    """The store at ``path``; it is never made here."""
    return Store(Path(path), create=False, memory_limit=memory_limit, threads=threads, wait_seconds=_WAIT_SECONDS)


@st.cache_data(ttl=1, max_entries=64, show_spinner=False)
def live(_store: Store, path: str, scope: Scope, hours: int) -> LivePicture:
    """The Live page of this second."""
    return study.live_picture(_store, scope, timedelta(hours=hours), datetime.now(UTC))


@st.cache_data(ttl=10, max_entries=64, show_spinner=False)
def engaged(_store: Store, path: str, scope: Scope, hours: int, _window: Window) -> list[PostView]:
    """Posts that drew most engagement in the window of a picture; apart from it, being slow and changing slowly."""
    return views.engaged(_store, scope, _window)


@st.cache_data(ttl=10, max_entries=64, show_spinner=False)
def event(_store: Store, path: str, what: Event, days: int, scope: Scope, is_rebased: bool = False) -> EventPicture:
    """One event with its windows."""
    return study.event_picture(_store, what, days, scope, is_rebased=is_rebased)


@st.cache_data(ttl=30, max_entries=64, show_spinner=False)
def counted(_store: Store, path: str, scope: Scope, window: Window, topics: tuple[Topic, ...]) -> CountedVolume | None:
    """X's own counts, for a scope of which they can tell."""
    if scope.langs or (scope.platforms and "x" not in scope.platforms):
        return None
    return counted_volume(_store, window, topics, scope.topics)


@st.cache_data(ttl=60, max_entries=64, show_spinner=False)
def impact(
    _store: Store,
    path: str,
    what: Event,
    days: int,
    scope: Scope,
    events: tuple[Event, ...],
    model: str,
    control: str,
) -> Impact:
    """What an event changed; seconds of work, and it changes slowly."""
    [found] = impacts(_store, events, [what], days, scope, wrong_of(of_release(_store, model)), control)
    return found


@st.cache_data(ttl=60, max_entries=64, show_spinner=False)
def spread(_store: Store, path: str, what: Event, days: int, scope: Scope) -> Spread:
    """Who set an event's posts off; it changes slowly."""
    return spread_of(_store, scope, event_window(what, days), what)


@st.cache_data(ttl=60, max_entries=64, show_spinner=False)
def funnel(_store: Store, path: str, what: Event, days: int, scope: Scope) -> Funnel:
    """Authors by removal stage around an event; a second of work, and it changes slowly."""
    return funnel_of(_store, what, days, scope)


@st.cache_data(ttl=10, max_entries=64, show_spinner=False)
def corrected(
    _store: Store, path: str, scope: Scope, key: str, _window: Window, _classifier: Classifier
) -> tuple[Corrected, ...]:
    """Corrected shares of a window; ``key`` names it, where it moves with the clock."""
    with _store.reading() as moment:
        return corrected_of(moment, scope, _window, _classifier)


@st.cache_data(ttl=2, max_entries=8, show_spinner=False)
def alerts(_store: Store, path: str) -> list[tuple[Alert, list[str]]]:
    """Open alerts, the newest first, each with what drives it."""
    found = alerting.since(_store, datetime.now(UTC))
    return [(one, driven_by(_store, one)) for one in found if one.resolved_at is None]


@st.cache_data(ttl=10, max_entries=64, show_spinner=False)
def coverage(_store: Store, path: str, scope: Scope, days: int, topics: tuple[Topic, ...]) -> list[Day]:
    """How complete the last ``days`` were."""
    now = datetime.now(UTC)
    window = shown_window(_store, timedelta(days=days), now)
    told = days_of(_store, window, scope.topics, now, topics) if window else []
    return [day for day in told if not scope.platforms or day.platform in scope.platforms]


@st.cache_data(ttl=10, max_entries=64, show_spinner=False)
def found(_store: Store, path: str, scope: Scope, what: Filter, order: Order, limit: int, offset: int) -> Found:
    """One page of posts."""
    return views.found(_store, scope, what, order, limit, offset)


@st.cache_data(ttl=10, max_entries=256, show_spinner=False)
def post(_store: Store, path: str, platform: str, post_id: str) -> PostView | None:
    """One post, None where it is gone."""
    return views.one(_store, platform, post_id)


@st.cache_data(ttl=30, max_entries=64, show_spinner=False)
def repeated(_store: Store, path: str, scope: Scope, start: datetime | None, end: datetime | None) -> pa.Table:
    """The texts that were repeated most."""
    return views.repeated(_store, scope, start, end)


@st.cache_data(ttl=300, show_spinner=False)
def choices(_store: Store, path: str) -> Choices:
    """What the selectors offer."""
    return views.choices(_store)


@st.cache_data(ttl=5, show_spinner=False)
def head(_store: Store, path: str) -> Head:
    """How far the store reaches."""
    return views.head(_store)


def columns(rows: pa.Table, zone: ZoneInfo) -> pa.Table:
    """The rows of the Posts table, times on the wall clock of ``zone``."""
    at = [f"{time.astimezone(zone):%Y-%m-%d %H:%M}" for time in rows["observed_at"].to_pylist()]
    text = [shortened(text, 300).replace("\n", " ") for text in rows["text"].to_pylist()]
    labels, counts = ("concern", "removal_label", "stance_label"), ("likes", "reposts", "replies", "quotes")
    names = {"removal_label": "removal", "stance_label": "stance"}
    return pa.table(
        {
            "time": at,
            "text": text,
            **{names.get(name, name): rows[name] for name in labels},
            "author": rows["author_handle"],
            **{name: rows[name] for name in ("copies", "lang", "kind", *counts, "source", "relevant")},
            "text_group": [None if group is None else text_group(group) for group in rows["text_group"].to_pylist()],
        }
    )


def export_terms(total: int) -> str:
    """What an export holds, before it is made."""
    key = Secrets.from_environment().monitor_hash_key
    told = [f"{min(total, LIMIT):,} posts" + (f", the oldest of {total:,}." if total > LIMIT else ".")]
    told.append("Authors and Bluesky posts become pseudonyms. X posts leave as ids only.")
    if key is None:
        told.append("MONITOR_HASH_KEY is not set: the pseudonyms of this file will match no other file's.")
    told.append("In CSV, a text that begins like a formula gets a quote in front; Parquet is exact.")
    return "\n".join(told)


def exporter(store: Store, scope: Scope, what: Filter, form: Format, *, is_synthetic: bool) -> Callable[[], bytes]:
    """What a click on the download runs: the file is written part by part and handed over."""

    def make() -> bytes:
        key = Secrets.from_environment().monitor_hash_key
        with TemporaryDirectory() as folder:
            to = Path(folder) / f"posts.{form}"
            secret = key.get_secret_value() if key else None
            export(views.parts(store, scope, what), to, form, secret, is_synthetic=is_synthetic)
            return to.read_bytes()

    return make
