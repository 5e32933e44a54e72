"""What an event changed, on the Event page: bands of points, and a control."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from monitor.records import Batch, Cursor, Seen
from tests.conftest import T0, a_post
from tests.dashboards.conftest import markdown, texts
from tests.scored import score

HOUR = timedelta(hours=1)


@pytest.fixture
def busy(store):
    """Forty days of a post an hour before the statement of the configuration and six days after it."""
    hours = sorted(np.random.default_rng(1).uniform(-40 * 24, 6 * 24, 1100))
    posts = [a_post(n, observed_at=T0 + hour * HOUR) for n, hour in enumerate(hours)]
    seen, cursor = (Seen("bluesky:live", T0 - 40 * 24 * HOUR, 1),), Cursor("bluesky:live", "1", T0 + 144 * HOUR)
    store.commit(Batch("bluesky:live", tuple(posts), seen=seen, cursor=cursor), now=T0 + 144 * HOUR)
    score(store, posts)
    return store


def test_the_chart_says_what_its_band_is(busy, page):
    app = page("event", event="statement")
    assert not app.exception
    assert "Posts per 6 hours after the event. Band: where 95 % of such points would lie without it." in markdown(app)
    assert "placebo dates" in markdown(app)


def test_a_control_is_chosen_among_other_topics_and_refused_where_it_is_nearly_empty(busy, page, config):
    rule = '[[topics.rules]]\nid = "any"\nphrases = ["music"]\n'
    config.write_text(f'[[topics]]\nname = "music"\nplatform = "Music"\n{rule}\n{config.read_text()}')
    app = page("event", event="statement")
    [control] = [one for one in app.selectbox if one.label == "Control"]
    assert control.options == ["none", "music"]
    assert "the control" not in texts(app)
    told = control.set_value("music").run()
    assert not told.exception
    assert "the control “music” has 0.0 posts in a usual window, and 30 are needed" in texts(told)


def test_without_another_topic_there_is_no_control_to_choose(busy, page):
    assert all(one.label != "Control" for one in page("event", event="statement").selectbox)
