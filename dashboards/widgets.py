"""The parts that pages share: the frame around them, cards, figures, and what stands there when something fails.

Text that came from outside (posts, handles, titles, messages) goes through ``st.text``, a canvas table or a chart,
never through a command that reads markdown.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import streamlit as st

from dashboards import data
from dashboards.charts import Figure
from dashboards.wording import grown, shortened, stamp
from monitor.analyse.series import Side, differ
from monitor.codebook import codebook
from monitor.config import Config
from monitor.errors import ConfigError, MonitorError, NoDatabase, StoreBusy
from monitor.store import Store
from monitor.store.views import PostView, Scope
from monitor.text import post_url

CARD_LIMIT, TEXT_LIMIT = 600, 20_000  # characters of a post on a card and where it is read
_ALL = "All topics"
Colour = Literal["red", "orange", "yellow", "blue", "green", "violet", "gray", "primary"]
_STAGE_COLOUR = {"considering": "yellow", "committed": "orange", "done": "red", "blocked": "green"}
_LANG_NAMES = {"und": "not said"}

_STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding-top: 4.2rem; padding-bottom: 3rem; }
[data-testid="stText"] { unicode-bidi: plaintext; overflow-wrap: anywhere; }
[class*="st-key-rows"] [data-testid="stElementToolbar"] { display: none; }
[class*="st-key-meta"] [data-testid="stText"],
[class*="st-key-card"] > :first-child [data-testid="stText"] { font-size: .82rem; opacity: .72; }
[class*="st-key-context"] { border-left: 3px solid rgba(128,128,128,.35); padding-left: .7rem; }
[class*="st-key-context"] [data-testid="stText"] { font-size: .88rem; opacity: .75; }
[class*="st-key-sentence"] [data-testid="stText"] { font-size: 1.08rem; line-height: 1.55; }
.st-key-preload { position: absolute; width: 0; height: 0; overflow: hidden; visibility: hidden; }
</style>"""


@dataclass(frozen=True, slots=True)
class Frame:
    """What every page gets: configuration, open store, and what the viewer chose in the sidebar."""

    config: Config
    store: Store
    path: str
    scope: Scope
    zone: ZoneInfo
    is_synthetic: bool


@contextmanager
def guarded(retry_seconds: float | None = None) -> Iterator[None]:
    """Show one of our errors as message and hint, end the page there, and look again after ``retry_seconds``."""
    try:
        yield
    except MonitorError as error:
        failed(error)
        if retry_seconds is not None:
            _look_again(retry_seconds)
        st.stop()


def _look_again(seconds: float) -> None:
    looked: list[bool] = []

    def again() -> None:
        if looked:
            st.rerun(scope="app")
        looked.append(True)

    st.fragment(again, run_every=seconds)()


def failed(error: MonitorError) -> None:
    """What happened and what to do, as plain text."""
    title, icon = _title(error)
    with st.container(border=True, key="failed"):
        st.subheader(f":material/{icon}: {title}", anchor=False)
        st.text(error.message)
        hint = _START if isinstance(error, NoDatabase) else error.hint
        if hint:
            st.text(hint)
        if st.button("Try again", icon=":material/refresh:"):
            st.rerun()


def _title(error: MonitorError) -> tuple[str, str]:
    if isinstance(error, NoDatabase):
        return "Nothing has been collected yet", "inbox"
    if isinstance(error, ConfigError):
        return "The configuration needs a look", "settings"
    if isinstance(error, StoreBusy):
        return "The database is busy", "hourglass_top"
    return "The database cannot be read", "error"


_START = "Start collecting with: monitor run\nOr play the invented example with: monitor demo"


def styled() -> None:
    """Streamlit has no option for these: dense top, quiet small print, text in either direction, no raw download."""
    st.html(_STYLE)


def framed() -> Frame:
    """Open configuration and store, and draw the sidebar."""
    config = data.config(os.environ.get("MONITOR_CONFIG", "monitor.toml"))
    settings = config.store
    path = str(settings.path)
    opened = data.store(path, settings.memory_limit, settings.threads)
    is_synthetic = data.head(opened, path).is_synthetic
    st.sidebar.subheader("Backlash Monitor", anchor=False)
    scope, zone = _scope(config, opened, path), _zone(config)
    with st.sidebar.container(key="meta-store"):
        st.text(f"File: {Path(path).name}")
    if is_synthetic:
        st.warning("**Synthetic data.** Every post and author here is invented.", icon=":material/science:")
    return Frame(config, opened, path, scope, zone, is_synthetic)


def preload_charts() -> None:
    """Make the browser fetch its chart library while the store is still being read: 0.4 s off the first picture."""
    with st.container(key="preload"):
        st.vega_lite_chart(spec={"data": {"values": []}, "mark": "point"}, width=10, height=10, alt="none")


def frame() -> Frame:
    """The frame that the navigation page made for this run."""
    made: Frame = st.session_state["frame"]
    return made


def _scope(config: Config, opened: Store, path: str) -> Scope:
    known = data.choices(opened, path)
    topics = [topic.name for topic in config.topics]
    with st.sidebar:
        topic = st.selectbox("Topic", [_ALL, *topics], key="topic", bind="query-params") if len(topics) > 1 else _ALL
        langs = st.multiselect(
            "Languages",
            known.langs,
            key="langs",
            bind="query-params",
            placeholder="All languages",
            format_func=lambda lang: _LANG_NAMES.get(lang, lang),
        )
        platforms: list[str] = []
        if len(known.platforms) > 1:
            platforms = st.multiselect("Platforms", known.platforms, key="platforms", placeholder="All platforms")
    return Scope(() if topic == _ALL else (topic,), tuple(langs), tuple(platforms))


def _zone(config: Config) -> ZoneInfo:
    default = config.dashboard.timezone
    try:
        ZoneInfo(default)
    except (ZoneInfoNotFoundError, ValueError):
        raise ConfigError(
            f"[dashboard] timezone '{default}' is not known", "Use a name such as UTC or Europe/Berlin."
        ) from None
    viewer = st.context.timezone
    first = list(dict.fromkeys(name for name in (default, viewer, "UTC") if name))
    names = [*first, *sorted(available_timezones() - set(first))]
    return ZoneInfo(st.sidebar.selectbox("Time zone", names, key="zone", bind="query-params"))


def figure(title: str, caption: str, what: Figure) -> None:
    """A titled chart whose tables are swapped in place when it is drawn again."""
    with st.container(gap="xsmall"):
        st.subheader(title, anchor=False)
        st.caption(caption)
        st.vega_lite_chart(spec={**what.spec, "datasets": what.tables}, width="stretch", alt=what.alt)


def count(label: str, now: int, before: int | None) -> None:
    """A number and its relative change; ``before`` None compares with nothing."""
    st.metric(label, f"{now:,}", grown(before, now), delta_color="off", border=True, height="stretch")


def mean(now: Side, before: Side | None) -> None:
    """Mean concern and its difference, coloured only where chance alone would hardly make it."""
    value = "–" if now.concern is None else f"{now.concern:.2f} / 3"
    delta, colour = None, False
    if now.concern is not None and before is not None and before.concern is not None:
        delta, colour = f"{now.concern - before.concern:+.2f}", differ(before, now)
    shade: Literal["inverse", "off"] = "inverse" if colour else "off"
    st.metric("Mean concern", value, delta, delta_color=shade, border=True, height="stretch")


def card(post: PostView, key: str, zone: ZoneInfo, *, counts: bool = False) -> None:
    """One post: who and when, what it says, how it was scored. Few elements, since Live redraws many cards."""
    with st.container(border=True, gap="xsmall", key=f"card-{key}"):
        st.text(_byline(post, zone) + (f" · {engagement(post)}" if counts else ""))
        if post.context:
            with st.container(key=f"context-{key}"):
                st.text(shortened(post.context, 160))
        st.text(shortened(post.text, CARD_LIMIT))
        badges(post)


def whole(post: PostView, zone: ZoneInfo) -> None:
    """One post with all that is known of it."""
    with st.container(border=True, gap="small", key="whole"):
        with st.container(key="meta-whole"):
            st.text(f"{_byline(post, zone)} · {engagement(post)}")
        if post.context:
            with st.container(key="context-whole"):
                st.text(shortened(post.context, TEXT_LIMIT))
        st.text(shortened(post.text, TEXT_LIMIT))
        badges(post)
        if post.model_id is not None:
            _scores(post)
        with st.container(key="meta-more"):
            st.text("\n".join(_facts(post, zone)))
        if link := url(post):
            st.link_button("Open on the platform", link, icon=":material/open_in_new:")


def _scores(post: PostView) -> None:
    book = codebook()
    labels = (
        ("concern", book.concern, post.concern_probs),
        ("removal", book.removal, post.removal_probs),
        ("stance", book.stance, post.stance_probs),
    )
    with st.grid(columns=3, min_column_width=220):
        for name, values, probs in labels:
            with st.container(gap="xxsmall", key=f"probs-{name}"):
                st.caption(f"{name.capitalize()}: probability of each label")
                for value, p in zip(values, probs or (), strict=False):
                    st.progress(min(1.0, max(0.0, p)), text=f"{value}: {p:.0%}")
    st.caption(f"Relevant with probability {post.relevant or 0:.2f}.")


def _facts(post: PostView, zone: ZoneInfo) -> list[str]:
    claimed = f"Says it was written {stamp(post.created_at, zone)}." if post.created_at else "Says no time of writing."
    edited = [f"Edited {stamp(post.edited_at, zone)}."] if post.edited_at else []
    rules = ", ".join(post.matched)
    found = f" (rules version {', '.join(post.versions)})" if post.versions else ""
    return [f"Matched {rules}{found}.", claimed, *edited, f"Model {post.model_id or 'none yet'}.", post.post_id]


def badges(post: PostView) -> None:
    """The labels of a post in one line of markdown; every word of it is ours, none the author's."""
    if post.model_id is None:
        st.markdown(":gray-badge[:material/hourglass_empty: waiting for a score]")
        return
    strong = (post.concern or 0) >= 1.5
    told = [(f"concern {post.concern or 0:.1f}", "violet" if strong else "gray")]
    if post.removal_label in _STAGE_COLOUR:
        told.insert(0, (f"removal: {post.removal_label}", _STAGE_COLOUR[post.removal_label]))
    if post.stance_label in codebook().stance:
        told.append((post.stance_label, "gray"))
    if post.lang:
        told.append((re.sub(r"[^A-Za-z-]", "", post.lang)[:12], "gray"))
    st.markdown(" ".join(f":{colour}-badge[{label}]" for label, colour in told))


def engagement(post: PostView) -> str:
    """Counts of a post as words; what was not measured is left out."""
    named = (("like", post.likes), ("repost", post.reposts), ("repl", post.replies), ("quote", post.quotes))
    told = [f"{n:,} {_plural(name, n)}" for name, n in named if n is not None]
    return ", ".join(told) or "engagement not measured"


def _plural(name: str, n: int) -> str:
    if name == "repl":
        return "reply" if n == 1 else "replies"
    return name if n == 1 else f"{name}s"


def _byline(post: PostView, zone: ZoneInfo) -> str:
    who = f"@{post.author_handle}" if post.author_handle else post.author_id
    edited = " · edited" if post.edited_at else ""
    found = "" if post.source == "live" else f" · from {post.source}"
    return f"{who} · {stamp(post.observed_at, zone)} · {post.kind}{edited}{found}"


def url(post: PostView) -> str | None:
    """Where the platform shows this post."""
    return post_url(post.platform, post.post_id)
