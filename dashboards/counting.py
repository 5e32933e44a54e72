"""What a volume counts, and the texts that one account or many repeat."""

from __future__ import annotations

from datetime import datetime
from typing import get_args

import pyarrow as pa
import streamlit as st

from dashboards import charts, data, widgets
from dashboards.charts import Ground
from dashboards.widgets import Frame
from dashboards.wording import shortened, stamp, width_name
from monitor.analyse.series import Unit
from monitor.records import Window
from monitor.store.views import REPEATED, Scope

_KINDS = {
    "one account": "one account repeating",
    "many accounts": "many accounts, same text",
    "many accounts at once": "many accounts, same text, within minutes",
}
_RULE = (
    f"One account repeating: {REPEATED['repeats']} or more posts of nearly the same text by one account. "
    f"Many accounts: {REPEATED['accounts']} or more; within minutes: so many of them in "
    f"{REPEATED['seconds'] // 60} minutes. Texts of a few words are listed for one account only."
)
_CENSUS = (
    "All posts that match the topic in X's query language, relevant or not, without reposts and what was deleted "
    "before. Grey: not counted yet."
)


def unit() -> Unit:
    """The viewer's choice."""
    chosen: Unit | None = st.segmented_control(
        "Count",
        get_args(Unit),
        default="posts",
        required=True,
        key="unit",
        bind="query-params",
        help="Posts, the different authors behind them, or distinct texts: nearly the same text counts once.",
    )
    return chosen or "posts"


def repeated(frame: Frame, start: datetime | None, end: datetime | None) -> None:
    """A table of the texts that were repeated most, folded away."""
    with st.expander("Most repeated texts", icon=":material/content_copy:"):
        found = data.repeated(frame.store, frame.path, frame.scope, start, end)
        st.caption(_RULE)
        if not found.num_rows:
            st.text("No text of a relevant post was repeated so often.")
            return
        st.dataframe(
            _columns(found, frame), hide_index=True, width="stretch", height="content", alt="The most repeated texts"
        )


def _columns(found: pa.Table, frame: Frame) -> pa.Table:
    rows = found.to_pylist()
    return pa.table(
        {
            "text": [shortened(row["text"], 200).replace("\n", " ") for row in rows],
            "kind": [_KINDS[row["kind"]] for row in rows],
            "posts": [row["posts"] for row in rows],
            "authors": [row["authors"] for row in rows],
            "most by one": [row["most"] for row in rows],
            "first": [stamp(row["first_at"], frame.zone) for row in rows],
            "last": [stamp(row["last_at"], frame.zone) for row in rows],
        }
    )


def by_x(frame: Frame, scope: Scope, window: Window, ground: Ground) -> None:
    """X's own counts under the volume that was collected, where it has counted."""
    found = data.counted(frame.store, frame.path, scope, window, frame.config.topics)
    if found is None:
        return
    hours = int(found.is_counted.sum()) * found.seconds // 3600
    told = f"Per {width_name(found.seconds)}. n = {int(found.posts.sum()):,} posts in {hours:,} counted hours. "
    widgets.figure("Volume on X, as X counts it", told + _CENSUS, charts.counted(found, ground))
