"""Series become Altair charts. A chart's description never changes with its data, only its named tables do.

Streamlit then swaps the tables inside the drawn chart; a changed description would make it draw anew, which flickers.
Times reach a chart as the wall clock of the viewer's zone on a UTC axis: Vega knows only UTC and the browser's zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

import altair as alt
import pyarrow as pa
import pyarrow.compute as pc

from dashboards import tables
from dashboards.wording import width_name
from monitor.analyse.series import Series, Unit
from monitor.config import Event
from monitor.records import Gap, RuleVersion
from monitor.volume import CountedVolume

# Told apart by lightness as well as hue, for colour-blind readers, on light and dark alike. Volume is blue, concern
# violet; removal grows warmer and darker stage by stage, and blocked stands apart.
POSTS, WAITING, REPOSTS, COUNTED = "#3E7CB1", "#A8C5E0", "#66788C", "#5F8F4E"
CONCERN = "#8E5BB5"
REMOVAL = {"considering": "#E3B23C", "committed": "#E0782F", "done": "#B5304F", "blocked": "#2A8C82"}
GAP, RULE = "#8A8A8A", "#808080"

_HEIGHT = 210
_HEADROOM = 1.45
_AXIS_LABEL = (
    "utchours(datum.value) == 0 && utcminutes(datum.value) == 0"
    " ? utcFormat(datum.value, '%-d %b') : utcFormat(datum.value, '%H:%M')"
)
_CONCERN_LABEL = "datum.value == 0 ? '0 none' : datum.value == 1 ? '1 mild' : datum.value == 2 ? '2 clear' : '3 strong'"
_EDGE: dict[str, Any] = {"minExtent": 58, "maxExtent": 58, "domain": False, "ticks": False, "titlePadding": 6}
_Y = alt.Axis(tickMinStep=1, tickCount=4, labelExpr="format(abs(datum.value), ',.0f')", **_EDGE)
_SMALL: dict[str, Any] = {"labelFontSize": 11, "symbolSize": 70, "columnPadding": 8}
_LEGEND = alt.Legend(orient="top", direction="horizontal", symbolType="square", offset=4, padding=0, **_SMALL)
_WHEN = alt.Tooltip("when:N", title="time")


What = Literal["volume", "concern", "removal", "counted"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A Vega-Lite description that names its tables, the tables, and what a screen reader says."""

    spec: dict[str, Any]
    tables: dict[str, pa.Table]
    alt: str


@dataclass(frozen=True, slots=True)
class Ground:
    """What lies under every series of a page: the zone, when nobody looked, events and changes of rules to mark."""

    zone: ZoneInfo
    gaps: Sequence[Gap] = ()
    event: Event | None = None
    others: Sequence[Event] = ()
    boundaries: Sequence[RuleVersion] = ()


def volume(series: Series, ground: Ground, unit: Unit = "posts") -> Figure:
    """Relevant posts and those waiting for a score stand on the axis, reposts of relevant posts hang from it.

    Authors or distinct texts stand there alone.
    """
    if unit != "posts":
        text = f"Per {width_name(series.seconds)}: {unit} of relevant posts."
        return _figure(
            "volume", {"bars": tables.bars(series, ground.zone, {unit: series.posts})}, series, ground, text, unit
        )
    up = {"posts": series.posts, "not scored yet": series.unscored}
    text = (
        f"Per {width_name(series.seconds)}: {int(series.posts.sum()):,} relevant posts upwards, "
        f"{int(series.reposts.sum()):,} reposts of them downwards."
    )
    bars = tables.bars(series, ground.zone, up, {"reposts": -series.reposts})
    return _figure("volume", {"bars": bars}, series, ground, text)


def removal(series: Series, ground: Ground, unit: Unit = "posts") -> Figure:
    """Relevant posts, their authors or distinct texts by likeliest removal stage, those with none left out, stacked."""
    counts = {stage: series.removal[stage] for stage in REMOVAL}
    told = ", ".join(f"{stage} {int(n.sum()):,}" for stage, n in counts.items())
    text = f"Removal stages per {width_name(series.seconds)}: {told}."
    if unit != "posts":  # the sum over buckets counts nobody's number
        text = f"Removal stages per {width_name(series.seconds)}, counted as {unit}."
    return _figure("removal", {"bars": tables.bars(series, ground.zone, counts)}, series, ground, text, unit)


def concern(series: Series, ground: Ground) -> Figure:
    """Mean expected concern of relevant posts with its 95 % interval; a bucket without posts leaves a hole."""
    text = f"Mean concern per {width_name(series.seconds)}, n = {int(series.posts.sum()):,} posts."
    return _figure("concern", {"means": tables.means(series, ground.zone)}, series, ground, text)


def counted(volume: CountedVolume, ground: Ground) -> Figure:
    """X's own counts; hours that it has not counted are shaded."""
    text = f"Per {width_name(volume.seconds)}: {int(volume.posts.sum()):,} posts by X's own count."
    ground = replace(ground, gaps=volume.gaps, boundaries=())
    return _figure("counted", {"bars": tables.bars(volume, ground.zone, {"posts": volume.posts})}, volume, ground, text)


def warm() -> None:
    """Make the descriptions before they are asked for."""
    for what in get_args(What):
        for has_events in (False, True):
            for unit in get_args(Unit):
                _spec(what, unit, has_events=has_events)


def _figure(
    what: What, data: dict[str, pa.Table], series: tables.Buckets, ground: Ground, text: str, unit: Unit = "posts"
) -> Figure:
    data["gaps"] = tables.gaps(series, ground.zone, ground.gaps)
    if data["gaps"].num_rows:
        text += f" Stretches without collection: {data['gaps'].num_rows}."
    data["boundaries"] = tables.boundaries(series, ground.zone, ground.boundaries)
    text += "".join(f" {row['when']}: {row['title']}." for row in data["boundaries"].to_pylist())
    if ground.event is not None:
        data["events"] = tables.events(series, ground.zone, ground.event, ground.others, _top(data))
    return Figure(_spec(what, unit, has_events=ground.event is not None), data, text)


@cache
def _spec(what: What, unit: Unit, *, has_events: bool) -> dict[str, Any]:
    """Cached: Altair spends 60 ms on checking one against its schema."""
    volumes: dict[str, str] = {"posts": POSTS, "not scored yet": WAITING, "reposts": REPOSTS}
    title = "reposts | posts" if unit == "posts" else unit
    if unit != "posts":
        volumes = {unit: POSTS}
    marks = {
        "volume": lambda: [_bars(volumes, title)],
        "removal": lambda: [_bars(REMOVAL, unit)],
        "counted": lambda: [_bars({"posts": COUNTED}, "posts on X")],
        "concern": _means,
    }
    rules = _rules(are_named=what == "volume") if has_events else []
    chart = alt.layer(_shade(), *marks[what](), *_boundaries(are_named=what == "volume"), *rules).properties(
        height=_HEIGHT
    )
    spec: dict[str, Any] = chart.to_dict()
    spec.pop("config", None)  # Altair's own sizes and colours; Streamlit's theme sets them for dark and light
    return spec


def _top(data: dict[str, pa.Table]) -> float:
    """So high must the axis reach for the names of events to stand clear of the bars."""
    return _HEADROOM * (pc.max(data["bars"]["high"]).as_py() or 1) if "bars" in data else 0.0


def _chart(table: str) -> Any:
    return alt.Chart(alt.NamedData(name=table))


def _x(field: str) -> alt.X:
    axis = alt.Axis(labelExpr=_AXIS_LABEL, tickCount=8, labelOverlap="greedy", grid=False, labelFlush=True)
    return alt.X(field, title=None, axis=axis, scale=alt.Scale(type="utc", nice=False))


def _bars(colours: dict[str, str], title: str) -> Any:
    """Stacked beforehand: Vega-Lite does not stack bars that name both of their edges."""
    scale = alt.Scale(domain=list(colours), range=list(colours.values()))
    colour = alt.Color("what:N", title=None, legend=_LEGEND, scale=scale)
    tooltip = [_WHEN, alt.Tooltip("what:N", title="what"), alt.Tooltip("n:Q", title="n", format=",.0f")]
    y, y2 = alt.Y("low:Q", title=title, axis=_Y), alt.Y2("high:Q")
    return _chart("bars").mark_rect().encode(_x("start:T"), alt.X2("until:T"), y, y2, colour, tooltip=tooltip)


def _means() -> list[Any]:
    scale = alt.Scale(domain=[0, 3])
    axis = alt.Axis(values=[0, 1, 2, 3], labelExpr=_CONCERN_LABEL, **_EDGE)
    base, mean = _chart("means").encode(_x("mid:T")), alt.Y("mean:Q", scale=scale)
    low = alt.Y("low:Q", title="mean concern", scale=scale, axis=axis)
    band = base.mark_area(opacity=0.22, color=CONCERN).encode(low, alt.Y2("high:Q"))
    line = base.mark_line(color=CONCERN, strokeWidth=2).encode(mean)
    size = alt.Size("n:Q", legend=None).scale(type="sqrt", range=[12, 90])
    dots = base.mark_point(color=CONCERN, filled=True, opacity=1).encode(mean, size, tooltip=_mean_tooltip())
    return [band, line, dots]


def _mean_tooltip() -> list[alt.Tooltip]:
    return [
        _WHEN,
        alt.Tooltip("mean:Q", title="mean concern", format=".2f"),
        alt.Tooltip("low:Q", title="95 % from", format=".2f"),
        alt.Tooltip("high:Q", title="95 % to", format=".2f"),
        alt.Tooltip("n:Q", title="posts", format=",.0f"),
    ]


def _shade() -> Any:
    seen = alt.when("datum.filled").then(alt.value(0.12)).otherwise(alt.value(0.3))
    tooltip = [alt.Tooltip("why:N", title="not collected"), _WHEN]
    return _chart("gaps").mark_rect(color=GAP).encode(_x("start:T"), alt.X2("end:T"), opacity=seen, tooltip=tooltip)


def _boundaries(*, are_named: bool) -> list[Any]:
    """Dotted lines where the rules changed: on their two sides counts do not compare."""
    tooltip = [alt.Tooltip("title:N", title="changed"), _WHEN]
    base = _chart("boundaries").encode(_x("start:T"), tooltip=tooltip)
    rule = base.mark_rule(color=RULE, strokeWidth=2, strokeDash=[1, 4])
    name = base.mark_text(color=RULE, align="left", baseline="bottom", dx=5, limit=220, fontSize=11)
    return [rule, name.encode(alt.Text("title:N"), y=alt.value(_HEIGHT - 4))] if are_named else [rule]


def _rules(*, are_named: bool) -> list[Any]:
    base = _chart("events").encode(_x("start:T"), tooltip=[alt.Tooltip("title:N", title="event"), _WHEN])
    dash = alt.when("datum.main").then(alt.value([1, 0])).otherwise(alt.value([4, 3]))
    rule = base.mark_rule(color=RULE, strokeWidth=2).encode(strokeDash=dash)
    if not are_named:
        return [rule]
    name = base.mark_text(color=RULE, align="left", baseline="top", dx=5, limit=160, fontSize=11)
    rows = range(tables.ROWS)
    return [
        rule,
        _chart("events").mark_point(opacity=0).encode(y="top:Q"),
        *(
            name.transform_filter(f"datum.row == {row}").encode(alt.Text("title:N"), y=alt.value(2 + 13 * row))
            for row in rows
        ),
    ]
