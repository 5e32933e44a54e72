"""Posts: find, read and take away, for those who count and quote."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from dashboards import counting, data, widgets
from dashboards.widgets import Frame
from monitor.codebook import codebook
from monitor.export import Format
from monitor.store.views import BadPattern, Filter, Found, Order, Relevance

ROWS = 50
_RELEVANCE: dict[str, Relevance | None] = {
    "relevant": "relevant",
    "not relevant": "irrelevant",
    "not scored yet": "unscored",
    "all": None,
}
_ORDERS: dict[str, Order] = {
    "newest first": "newest",
    "oldest first": "oldest",
    "most concerned first": "concern",
    "most engaged first": "engagement",
}
_KINDS = ("original", "reply", "quote")


def show(frame: Frame) -> None:
    """The page: filter, table, one post, export."""
    what, order = _filter(frame)
    page = st.session_state.get("page", 1)
    try:
        found = data.found(frame.store, frame.path, frame.scope, what, order, ROWS, (page - 1) * ROWS)
    except BadPattern as error:
        st.text(f"{error.message}\n{error.hint}")
        return
    if found.total == 0 and page == 1:
        st.text("No post meets this filter. Widen it, or look at all instead of relevant posts.")
        return
    _head(frame, what, found)
    chosen = _table(frame, found, f"rows-{page}-{hash((what, order, frame.scope)):x}")
    pages = max(1, -(-found.total // ROWS))
    if pages > 1 or page > 1:
        st.pagination(max(pages, page), key="page")
    if chosen is not None:
        _read(frame, found, chosen)
    counting.repeated(frame, what.start, what.end)


def _filter(frame: Frame) -> tuple[Filter, Order]:
    book, known = codebook(), data.choices(frame.store, frame.path)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        words = st.text_input(
            "Search", key="search", bind="query-params", placeholder="words in the text", on_change=_first, width=320
        )
        is_pattern = st.toggle("Regular expression", key="regex", bind="query-params", on_change=_first)
        order = st.selectbox("Order", list(_ORDERS), key="order", bind="query-params", on_change=_first, width=220)
    with st.expander("Filter", icon=":material/filter_list:"), st.grid(columns=4, min_column_width=190):
        relevance = st.selectbox("Relevance", list(_RELEVANCE), key="relevance", bind="query-params", on_change=_first)
        days = st.date_input("From and to", value=[], key="days", on_change=_first)
        low, high = st.slider("Concern", 0.0, 3.0, (0.0, 3.0), 0.1, key="concern", on_change=_first)
        removals = _some("Removal stage", list(book.removal), "removals")
        stances = _some("Stance", list(book.stance), "stances")
        kinds = _some("Kind", list(_KINDS), "kinds")
        sources = _some("Source", list(known.sources), "sources")
    start, end = _bounds(days, frame.zone)
    return Filter(
        start=start,
        end=end,
        relevance=_RELEVANCE[relevance],
        removals=removals,
        stances=stances,
        kinds=kinds,
        sources=sources,
        concern_low=low,
        concern_high=high,
        needle="" if is_pattern else words,
        pattern=words if is_pattern else "",
    ), _ORDERS[order]


def _first() -> None:
    """Another filter starts on its first page again."""
    st.session_state["page"] = 1


def _some(label: str, options: list[str], key: str) -> tuple[str, ...]:
    chosen = st.multiselect(label, options, key=key, bind="query-params", placeholder="all", on_change=_first)
    return tuple(chosen)


def _bounds(days: object, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """Whole days of the viewer's zone; the last one is included."""
    chosen = [day for day in days if isinstance(day, date)] if isinstance(days, tuple) else []
    if not chosen:
        return None, None
    start = datetime.combine(chosen[0], time(), zone).astimezone(UTC)
    if len(chosen) == 1:
        return start, None
    return start, datetime.combine(chosen[-1] + timedelta(days=1), time(), zone).astimezone(UTC)


def _head(frame: Frame, what: Filter, found: Found) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        n = f"{found.total:,} posts" if found.total != 1 else "1 post"
        st.text(f"{n}. Choose a row to read it.")
        with st.popover("Export", icon=":material/download:"):
            _export(frame, what, found.total)


def _export(frame: Frame, what: Filter, total: int) -> None:
    st.text(data.export_terms(total))
    form = st.segmented_control("Format", ("CSV", "Parquet"), default="CSV", required=True, key="form")
    ending: Format = "csv" if form == "CSV" else "parquet"
    name = f"{'synthetic-' if frame.is_synthetic else ''}posts-{datetime.now(frame.zone):%Y-%m-%d-%H%M}.{ending}"
    st.download_button(
        f"Download {form}",
        data.exporter(frame.store, frame.scope, what, ending, is_synthetic=frame.is_synthetic),
        file_name=name,
        mime="text/csv" if ending == "csv" else "application/vnd.apache.parquet",
        on_click="ignore",
        icon=":material/download:",
        type="primary",
    )


def _table(frame: Frame, found: Found, key: str) -> int | None:
    shown = data.columns(found.rows, frame.zone)
    column = st.column_config
    event = st.dataframe(
        shown,
        hide_index=True,
        width="stretch",
        height=min(600, 38 + 35 * max(1, found.rows.num_rows)),
        on_select="rerun",
        selection_mode="single-row",
        key=key,  # another page or filter begins with nothing chosen
        placeholder="–",
        alt="Posts that meet the filter; choose a row to read it",
        column_config={
            "time": column.TextColumn("time", width=130),
            "text": column.TextColumn("text", width="large"),
            "author": column.TextColumn("author", width=140),
            "concern": column.ProgressColumn("concern", min_value=0.0, max_value=3.0, format="%.1f", width=90),
            "stance": column.TextColumn("stance", width=85),
            "copies": column.NumberColumn(
                "copies", help="Posts of nearly the same text, by any account.", width="small"
            ),
            "relevant": column.NumberColumn("relevant", format="%.2f", width="small"),
        },
    )
    chosen = event.selection.rows
    return chosen[0] if chosen and chosen[0] < found.rows.num_rows else None


def _read(frame: Frame, found: Found, row: int) -> None:
    key = found.rows.slice(row, 1).to_pylist()[0]
    post = data.post(frame.store, frame.path, key["platform"], key["post_id"])
    if post is None:
        st.text("This post has been deleted or hidden since.")
        return
    widgets.whole(post, frame.zone)
    if (key["copies"] or 0) > 1:
        st.caption(f"The same text, or nearly: {key['copies']:,} posts by {key['copiers']:,} accounts.")


show(widgets.frame())
