"""Who left: authors by the most advanced stage newly reached before and after an event, and how they came there."""

from __future__ import annotations

from functools import cache
from typing import Any

import altair as alt
import pyarrow as pa
import streamlit as st

from dashboards import checks, data, widgets
from dashboards.charts import REMOVAL, RULE, Figure
from dashboards.widgets import Frame
from monitor.analyse.funnel import STAGES
from monitor.analyse.funnel_words import Part
from monitor.config import Event
from monitor.funnel import NOTES, Funnel, tables
from monitor.store.views import Scope

_BARS = pa.schema(
    [("stage", pa.string()), ("side", pa.string()), *((name, pa.float64()) for name in ("authors", "low", "high"))]
)


def section(frame: Frame, event: Event, days: int, scope: Scope) -> None:
    """The funnel of one event: a sentence, bars with their intervals, then the tables."""
    with st.spinner("Following authors from stage to stage"):
        found = data.funnel(frame.store, frame.path, event, days, scope)
    first = found.outcomes[0]
    st.subheader("Who left", anchor=False)
    with st.container(key="sentence-funnel"):
        st.text(first.sentence)
    if not found.stretches:
        return
    told = f"Authors, each once at the most advanced stage newly reached in the {days} d before and after. "
    widgets.figure("By stage", told + "Line: 95 % interval of the classifier's doubt.", _chart(found))
    names = ["", *(f"{days} d {one.name}" for one in found.stretches)]
    stages, *others = tables(found)
    _table(stages, names)
    with st.expander("How they came there, who deleted posts, and what these numbers mean"):
        for part in others:
            _table(part, names)
        if found.hidden:
            st.text(_hidden(found))
        st.caption(" ".join(NOTES))
    checks.listed("Checks of these counts", first.diagnostics)


def _table(part: Part, names: list[str]) -> None:
    st.caption(part.title)
    columns = {name: [row[n] for row in part.rows] for n, name in enumerate(names)}
    st.dataframe(pa.table(columns), hide_index=True, width="stretch", height="content", alt=part.title)


def _hidden(found: Funnel) -> str:
    told = ", ".join(f"{n:,} {status}" for status, n in found.hidden.items())
    return f"Not counted, as their accounts do not show: authors who spoke of leaving, by label: {told}."


def _chart(found: Funnel) -> Figure:
    rows = [
        {"stage": stage, "side": one.name, "authors": each.effect, "low": each.low, "high": each.high}
        for one in found.stretches
        for stage, each in zip(STAGES, one.counts.stages, strict=True)
    ]
    told = "; ".join(f"{row['stage']} {row['side']}: {row['authors']:,.0f}" for row in rows)
    return Figure(_spec(), {"bars": pa.Table.from_pylist(rows, schema=_BARS)}, f"Authors by stage. {told}.")


@cache
def _spec() -> dict[str, Any]:
    """A pair of bars for each stage, the one before the event pale."""
    colours = alt.Scale(domain=list(STAGES), range=[REMOVAL[stage] for stage in STAGES])
    base = alt.Chart(alt.NamedData(name="bars")).encode(
        alt.Y("stage:N", title=None, sort=list(STAGES), axis=alt.Axis(domain=False, ticks=False, minExtent=84)),
        alt.YOffset("side:N", sort=["before", "after"]),
        tooltip=[
            alt.Tooltip("stage:N"),
            alt.Tooltip("side:N", title="when"),
            *(alt.Tooltip(f"{name}:Q", format=",.1f") for name in ("authors", "low", "high")),
        ],
    )
    opacity = alt.Opacity(
        "side:N",
        title=None,
        scale=alt.Scale(domain=["before", "after"], range=[0.4, 1]),
        legend=alt.Legend(orient="top", symbolFillColor=RULE, symbolStrokeWidth=0),
    )
    bars = base.mark_bar().encode(
        alt.X("authors:Q", title="authors", axis=alt.Axis(tickMinStep=1, tickCount=5, domain=False)),
        alt.Color("stage:N", scale=colours, legend=None),
        opacity,
    )
    lines = base.mark_rule(strokeWidth=2, color=RULE).encode(alt.X("low:Q"), alt.X2("high:Q"))
    spec: dict[str, Any] = alt.layer(bars, lines).properties(height=300).to_dict()
    spec.pop("config", None)
    return spec
