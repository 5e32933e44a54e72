"""Who set it off: the posts and accounts that others took up, how fast, who joins threads, what crossed platforms."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import altair as alt
import numpy as np
import pyarrow as pa
import streamlit as st

from dashboards import data, widgets
from dashboards.charts import REPOSTS, Figure
from dashboards.widgets import Frame
from dashboards.wording import shortened
from monitor.analyse.coverage import source_name
from monitor.analyse.spread_words import bridging, pace
from monitor.config import Event
from monitor.spread import Crossing, Spread, Viral, sentence
from monitor.store.views import Scope

SHOWN = 3  # posts with their curve
_LEAST_HOURS = 24  # on the axis
_HOURS = pa.schema([(name, pa.int64()) for name in ("hour", "until", "posts")])


def section(frame: Frame, event: Event, days: int, scope: Scope) -> None:
    """What spread in the days after an event, in words first."""
    with st.spinner("Following who answered whom"):
        found = data.spread(frame.store, frame.path, event, days, scope)
    st.subheader("Who set it off", anchor=False)
    with st.container(key="sentence-spread"):
        st.text(sentence(found))
    if found.notes:
        with st.container(key="meta-spread"):
            st.text("\n".join(found.notes))
    for number, one in enumerate(found.viral[:SHOWN]):
        _post(one, number, frame.zone)
    if found.movers:
        _movers(found, frame.zone)
        _bridges(found)
    _crossings(found, frame.zone)


def _post(one: Viral, number: int, zone: ZoneInfo) -> None:
    left, right = st.columns([3, 2], gap="medium", vertical_alignment="center")
    with left:
        widgets.card(one.post, f"viral-{number}", zone)
    with right:
        before = " Posted before the event: counted is what came after it." if one.is_before else ""
        told = (
            f"{one.descendants:,} replies, quotes and reposts by {one.accounts:,} accounts, by hour since it was posted"
        )
        st.caption(f"{told}; {pace(one.curve, one.depth, one.width)}.{before}")
        what = _curve(one)
        st.vega_lite_chart(spec={**what.spec, "datasets": what.tables}, width="stretch", alt=what.alt)


def _curve(one: Viral) -> Figure:
    counts = np.zeros(max(_LEAST_HOURS, len(one.curve.posts)), np.int64)
    counts[: len(one.curve.posts)] = one.curve.posts
    rows = [{"hour": hour, "until": hour + 1, "posts": n} for hour, n in enumerate(counts.tolist())]
    text = f"Posts by hour since this one: {one.descendants:,} in all."
    return Figure(_spec(), {"hours": pa.Table.from_pylist(rows, schema=_HOURS)}, text)


def _movers(found: Spread, zone: ZoneInfo) -> None:
    rows = [
        {
            "account": one.author.name,
            "replies, quotes and reposts": one.descendants,
            "accounts": one.accounts,
            "share": f"{one.share:.0%}",
            "first relevant post": _at(one.first_at, zone),
            "accounts before": one.earlier,
        }
        for one in found.movers
    ]
    st.caption(
        "Accounts whose posts spread furthest: by what came of their posts, not by followers. A post may come of those "
        "of several accounts, so the shares do not add up to 100 %."
    )
    _table(rows, "Accounts whose posts spread furthest")


def _bridges(found: Spread) -> None:
    st.caption(f"Accounts that join threads. {bridging(found.large, len(found.bridges))}")
    rows = [
        {"account": one.author.name, "pairs": one.pairs, "large threads it took part in": one.threads}
        for one in found.bridges
    ]
    if rows:
        _table(rows, "Accounts that join threads")


def _crossings(found: Spread, zone: ZoneInfo) -> None:
    if found.crossings:
        st.caption(f"From one platform to the other: {found.crossings}")
        return
    rows = [row for one in (*found.links, *found.texts) for row in _crossing(one, zone)]
    if rows:
        posts, readable = (sum(getattr(one, name) for one in found.counts) for name in ("posts", "readable"))
        told = (
            f"Links were read from {readable:,} of {posts:,} relevant posts; texts are the same or nearly, as a whole."
        )
        st.caption(f"Links and texts on both platforms, first where they were stored first. {told}")
        _table(rows, "Links and texts on both platforms")


def _crossing(one: Crossing, zone: ZoneInfo) -> list[dict[str, Any]]:
    return [
        {
            "link or text": shortened(" ".join(one.what.split()), 160),
            "platform": source_name(there.platform),
            "first": _at(there.first_at, zone),
            "by": (f"@{post.author_handle}" if post.author_handle else post.author_id) if post else None,
            "posts": there.posts,
            "accounts": there.authors,
        }
        for there, post in zip(one.appearances, one.posts, strict=True)
    ]


def _table(rows: list[dict[str, Any]], alt_text: str) -> None:
    st.dataframe(
        pa.Table.from_pylist(rows), hide_index=True, width="stretch", height="content", placeholder="–", alt=alt_text
    )


def _at(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


@cache
def _spec() -> dict[str, Any]:
    axis = alt.Axis(grid=False, tickMinStep=1, tickCount=6, labelExpr="datum.value + ' h'")
    edge = alt.Axis(domain=False, ticks=False, minExtent=34, maxExtent=34, tickCount=3, tickMinStep=1)
    chart = (
        alt.Chart(alt.NamedData(name="hours"))
        .mark_rect(color=REPOSTS)
        .encode(
            alt.X("hour:Q", title=None, axis=axis, scale=alt.Scale(nice=False)),
            alt.X2("until:Q"),
            alt.Y("posts:Q", title=None, axis=edge),
            alt.Y2(datum=0),
            tooltip=[alt.Tooltip("hour:Q", title="hours since"), alt.Tooltip("posts:Q", format=",.0f")],
        )
        .properties(height=110)
    )
    spec: dict[str, Any] = chart.to_dict()
    spec.pop("config", None)
    return spec
