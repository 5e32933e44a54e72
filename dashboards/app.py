"""The frame of the dashboards: `monitor dashboard` runs this file with streamlit."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboards import widgets

st.set_page_config(page_title="Backlash Monitor", page_icon=str(Path(__file__).with_name("icon.svg")), layout="wide")
page = st.navigation(
    [
        st.Page("screens/live.py", title="Live", icon=":material/sensors:", default=True),
        st.Page("screens/event.py", title="Event", icon=":material/flag:"),
        st.Page("screens/posts.py", title="Posts", icon=":material/forum:"),
        st.Page("screens/coverage.py", title="Coverage", icon=":material/event_available:"),
        st.Page("screens/label.py", title="Label", icon=":material/checklist:"),
    ],
    position="top",
)
widgets.styled()
if page.title in ("Live", "Event", "Coverage"):
    widgets.preload_charts()
with widgets.guarded(retry_seconds=5):
    st.session_state["frame"] = widgets.framed()
    page.run()
