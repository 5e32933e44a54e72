"""The removal funnel on the Event page."""

from __future__ import annotations

from datetime import timedelta

from dashboards.funnel import _chart
from monitor.funnel import of_event
from monitor.records import Batch, Cursor, Seen
from tests.conftest import T0, a_post
from tests.dashboards.conftest import markdown, texts
from tests.scored import score
from tests.test_funnel import EVENT
from tests.test_funnel import fill as filled

HOUR = timedelta(hours=1)


def fill(store, **fields):
    """Five authors leave around the statement of the configuration, at 14:00 on 9 May 2025."""
    posts = [a_post(n, observed_at=T0 + n * HOUR, **fields) for n in range(5)]
    seen = (Seen("bluesky:live", T0 - 30 * 24 * HOUR, 100),)
    cursor = Cursor("bluesky:live", "1", T0 + 96 * HOUR)
    store.commit(Batch("bluesky:live", tuple(posts), seen=seen, cursor=cursor), now=T0 + 96 * HOUR)
    score(store, posts, removal="done", concern=3)


def test_the_event_page_says_who_left_before_and_after(store, page):
    fill(store)
    app = page("event", event="statement", days=1)
    assert not app.exception
    assert "Who left" in markdown(app)
    assert "3 authors (3 to 3) newly spoke of leaving, or went further, in the day after" in texts(app)
    assert "2 (2 to 2) in the day before" in texts(app)
    assert "survivors only: passed" in markdown(app)
    assert "How they came there: authors, and the median days since the stage before" in markdown(app)


def test_survivors_are_told_on_the_page_and_one_author_is_refused(store, page):
    fill(store, source="search", author_id="did:plc:one")
    app = page("event", event="statement", days=1)
    assert not app.exception
    assert "came from one author: that makes no funnel" in texts(app)


def test_the_chart_names_its_table_and_holds_every_stage_of_both_sides(store):
    filled(store)
    figure = _chart(of_event(store, EVENT))
    assert figure.spec["data"] == {"name": "bars"}
    assert figure.tables["bars"].num_rows == 8
    assert "done after: 1" in figure.alt
    assert "config" not in figure.spec
