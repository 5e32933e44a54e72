"""Shares of each day as a chart and a table. Days are UTC days, whatever zone the viewer chose."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from typing import Any

import altair as alt
import pyarrow as pa

from dashboards.charts import GAP, POSTS, WAITING, Figure
from monitor.daily import Day

_COLOURS = {"live": POSTS, "filled later": WAITING, "missing": GAP}
_TIME = pa.timestamp("ms", "UTC")
_BARS = pa.schema(
    [
        *((name, _TIME) for name in ("start", "until")),
        *((name, pa.string()) for name in ("day", "what", "why")),
        *((name, pa.float64()) for name in ("low", "high", "share")),
    ]
)


def chart(days: Sequence[Day], name: str) -> Figure:
    """Shares of the time of each day of one platform, stacked to the whole; what is missing is shaded."""
    rows = [row for day in days for row in _bars(day)]
    live = [day.shares.live for day in days if day.shares]
    text = f"{name}: share of each of {len(days)} days that was collected; live {sum(live) / max(1, len(live)):.0%}."
    return Figure(_spec(), {"bars": pa.Table.from_pylist(rows, schema=_BARS)}, text)


def table(days: Sequence[Day], names: dict[str, str]) -> pa.Table:
    """One row for each day and platform."""
    rows = [
        {
            "day (UTC)": f"{day.window.start:%Y-%m-%d}",
            "platform": names.get(day.platform, day.platform),
            "live": day.shares and day.shares.live,
            "filled later": day.shares and day.shares.filled,
            "by stream": day.stream,
            "by search": day.search,
            "in both": day.both,
            "exist (95 % interval)": day.exist_text,
            "of X's count": day.counted_text,
            "why": "; ".join(part for part in (day.why, day.refusal) if part),
        }
        for day in days
    ]
    return pa.Table.from_pylist(rows)


def _bars(day: Day) -> list[dict[str, Any]]:
    if day.shares is None:
        return []
    found = zip(_COLOURS, (day.shares.live, day.shares.filled, day.shares.missing), strict=True)
    start, low, rows = day.window.start.replace(hour=0, minute=0, second=0, microsecond=0), 0.0, []
    for what, share in found:
        if share > 0:
            cell = {"day": f"{start:%a %-d %b %Y}", "what": what, "why": day.why or "–"}
            place = {"start": start, "until": start + timedelta(days=0.9)}
            rows.append({**place, **cell, "low": low, "high": low + share, "share": share})
        low += share
    return rows


@cache
def _spec() -> dict[str, Any]:
    axis = alt.Axis(format="%-d %b", tickCount=8, labelOverlap="greedy", grid=False, labelFlush=True)
    x = alt.X("start:T", title=None, axis=axis, scale=alt.Scale(type="utc", nice=False))
    edge = alt.Axis(format=".0%", values=[0, 0.5, 0.9, 1], domain=False, ticks=False, minExtent=58, maxExtent=58)
    y = alt.Y("low:Q", title="of the time", axis=edge, scale=alt.Scale(domain=[0, 1]))
    legend = alt.Legend(orient="top", direction="horizontal", symbolType="square", offset=4, padding=0)
    scale = alt.Scale(domain=list(_COLOURS), range=list(_COLOURS.values()))
    tooltip = [
        alt.Tooltip("day:N", title="day (UTC)"),
        alt.Tooltip("what:N", title="what"),
        alt.Tooltip("share:Q", title="share", format=".1%"),
        alt.Tooltip("why:N", title="not live because"),
    ]
    opacity = alt.when("datum.what == 'missing'").then(alt.value(0.3)).otherwise(alt.value(1))
    bars = alt.Chart(alt.NamedData(name="bars")).mark_rect()
    colour = alt.Color("what:N", title=None, legend=legend, scale=scale)
    encoded = bars.encode(x, alt.X2("until:T"), y, alt.Y2("high:Q"), colour, opacity=opacity, tooltip=tooltip)
    spec: dict[str, Any] = encoded.properties(height=160).to_dict()
    spec.pop("config", None)
    return spec
