"""Coverage: how complete the collection was, for those who have to defend a number."""

from __future__ import annotations

import streamlit as st

from dashboards import daily, data, widgets
from dashboards.widgets import Frame
from monitor.analyse.coverage import source_name

_DAYS = (7, 30, 90, 365)
_NOTE = (
    "By stream, by search: posts that a rule matches. Exist: an estimate from what both found (Chapman); too high "
    "where search was only asked for what the stream missed, too low where both find the same easily. Deleted posts "
    "are in no column. Filled later: replayed, searched or imported; of the last two nobody knows how completely."
)


def show(frame: Frame) -> None:
    """The page: a choice of days, a chart for each platform, the table."""
    chosen = st.segmented_control("Days", _DAYS, default=30, required=True, key="span", bind="query-params")
    found = data.coverage(frame.store, frame.path, frame.scope, chosen or 30, frame.config.topics)
    if not found:
        st.subheader("Nothing to tell yet", anchor=False)
        st.text("Nothing has been collected yet. Start with: monitor run")
        return
    platforms = list(dict.fromkeys(day.platform for day in found))
    names = {platform: source_name(platform) for platform in platforms}
    for platform in platforms:
        days = [day for day in reversed(found) if day.platform == platform]
        if any(day.shares for day in days):
            told = "Share of each UTC day that was collected. Grey: not collected; touch it for the reason."
            widgets.figure(names[platform], told, daily.chart(days, names[platform]))
        else:
            st.subheader(names[platform], anchor=False)
            st.caption("No live stream of this platform ever collected: its posts were searched for or imported.")
    st.subheader("Day by day", anchor=False)
    st.caption(_NOTE + (" Languages are not told apart here." if frame.scope.langs else ""))
    share, wide = st.column_config.NumberColumn(format="percent"), st.column_config.TextColumn(width="large")
    st.dataframe(
        daily.table(found, names),
        hide_index=True,
        width="stretch",
        height="content" if len(found) <= 14 else 530,
        placeholder="–",
        alt="Coverage of each day and platform, newest first",
        column_config={
            "live": share,
            "filled later": share,
            "of X's count": st.column_config.TextColumn(width=150),
            "why": wide,
        },
    )


show(widgets.frame())
