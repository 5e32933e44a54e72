"""What an event changed and whether it quelled the outcry: sentences, the counterfactual, a table, and the checks."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any

import altair as alt
import numpy as np
import pyarrow as pa
import streamlit as st

from dashboards import checks, data, widgets
from dashboards.charts import POSTS, RULE, Figure
from dashboards.widgets import Frame
from dashboards.wording import span, wall
from monitor.analyse.checks import figure
from monitor.analyse.counterfactual import Points
from monitor.config import Event
from monitor.impact import POINT_HOURS, Impact, controls
from monitor.records import Outcome
from monitor.store.views import Scope

_TIME = pa.timestamp("ms", "UTC")
_POINTS = pa.schema(
    [("mid", _TIME), ("when", pa.string()), *((name, pa.float64()) for name in ("found", "expected", "low", "high"))]
)


def section(frame: Frame, event: Event, days: int, scope: Scope) -> None:
    """The estimates of one event, in words first."""
    st.subheader("What the event changed", anchor=False)
    control, model = _control(frame, event, scope), frame.config.classifier.model
    with st.spinner("Estimating what the event changed"):
        found = data.impact(frame.store, frame.path, event, days, scope, frame.config.events, model, control)
    first = found.outcomes[0]
    with st.container(key="sentence-impact"):
        st.text(first.sentence)
    if found.points is not None and len(found.points.found):
        told = f"Posts per {POINT_HOURS} hours after the event. " + _band(found.points)
        widgets.figure("With and without it", told, _chart(found.event, found.points, frame))
    _table(found)
    if first.diagnostics:
        checks.listed("Checks", first.diagnostics)
    if found.verdict:
        st.subheader("Did it quell the outcry?", anchor=False)
        st.text("\n".join(_told(one) for one in found.verdict))
        st.caption("Judged against the decay that was under way before it, never against the time before.")


def _control(frame: Frame, event: Event, scope: Scope) -> str:
    """A topic that the event does not touch and that is not what is counted, "" for none."""
    others = [name for name in controls(frame.config.topics, event) if name not in scope.topics]
    if not others:
        return ""
    told = "What moved the posts on this topic too, which the event does not touch, is not put down to the event."
    chosen = st.selectbox(
        "Control", ["none", *others], key="control", bind="query-params", help=told, width=380
    )  # fmt: skip
    return "" if chosen == "none" else chosen


def _told(one: Outcome) -> str:
    return one.sentence if one.name == "posts" else f"{one.name[0].upper()}{one.name[1:]}: {one.sentence}"


def _table(found: Impact) -> None:
    rows = [
        {
            "outcome": one.name,
            "change": _change(one),
            "added": one.estimate.text if one.estimate else "",
            "n": one.estimate.n if one.estimate else None,
        }
        for one in found.outcomes
    ]
    st.dataframe(
        pa.Table.from_pylist(rows),
        hide_index=True,
        width="stretch",
        height="content",
        placeholder="–",
        alt="What the event changed, by outcome",
    )
    if others := found.outcomes[1:]:
        st.expander("The others in words").text("\n\n".join(_told(one) for one in others))


def _change(one: Outcome) -> str:
    found = one.estimate
    if found is None:
        return "cannot tell"
    return f"× {figure(found.effect)} ({figure(found.low)}–{figure(found.high)})"


def _band(points: Points) -> str:
    if np.isnan(points.low).all():
        return "There is too little time without events for a band."
    return "Band: where 95 % of such points would lie without it."


def _chart(event: Event, points: Points, frame: Frame) -> Figure:
    columns = {name: getattr(points, name) for name in ("found", "expected", "low", "high")}
    step, rows = timedelta(hours=POINT_HOURS), []
    for number in range(len(points.found)):
        start = event.at + number * step
        values = {name: None if np.isnan(part[number]) else float(part[number]) for name, part in columns.items()}
        rows.append(
            {"mid": wall(start, frame.zone) + step / 2, "when": span(start, start + step, frame.zone), **values}
        )
    came, without = np.nansum(points.found), np.nansum(points.expected)
    text = f"{came:,.0f} posts came, {without:,.0f} would have without the event, of hours that were collected."
    return Figure(_spec(), {"points": pa.Table.from_pylist(rows, schema=_POINTS)}, text)


@cache
def _spec() -> dict[str, Any]:
    axis = alt.Axis(format="%-d %b %H:%M", tickCount=6, labelOverlap="greedy", grid=False, labelFlush=True)
    edge = alt.Axis(domain=False, ticks=False, minExtent=58, maxExtent=58, tickCount=4)
    base = alt.Chart(alt.NamedData(name="points")).encode(
        alt.X("mid:T", title=None, axis=axis, scale=alt.Scale(type="utc", nice=False))
    )
    tooltip = [
        alt.Tooltip("when:N", title="time"),
        *(alt.Tooltip(f"{name}:Q", format=",.1f") for name in ("found", "expected", "low", "high")),
    ]
    band = base.mark_area(opacity=0.2, color=RULE, clip=True).encode(
        alt.Y("low:Q", title="posts", axis=edge), alt.Y2("high:Q")
    )
    line = base.mark_line(color=RULE, strokeDash=[4, 3], clip=True).encode(alt.Y("expected:Q"))
    dots = base.mark_line(color=POSTS, strokeWidth=2, point=alt.OverlayMarkDef(color=POSTS, filled=True)).encode(
        alt.Y("found:Q"), tooltip=tooltip
    )
    spec: dict[str, Any] = alt.layer(band, line, dots).properties(height=180).to_dict()
    spec.pop("config", None)
    return spec
