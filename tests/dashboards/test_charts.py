from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from dashboards import charts
from dashboards.charts import Ground
from dashboards.wording import ago, shortened, span, stamp, wall, width_name
from monitor.analyse.series import Series
from monitor.codebook import codebook
from monitor.config import Event
from monitor.records import Gap, RuleVersion

T0 = datetime(2025, 5, 9, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
UTC_ZONE, BERLIN = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")
FIGURES = (charts.volume, charts.concern, charts.removal)


def a_series(posts, reposts=None, collected=None):
    n = np.array(posts)
    return Series(
        start=T0,
        seconds=3600,
        posts=n,
        unscored=n * 0 + 1,
        searched=n * 0,
        reposts=n * 2 if reposts is None else np.array(reposts),
        removal={stage: n if stage == "done" else n * 0 for stage in codebook().removal},
        concern_sum=n * 2.0,
        concern_squares=n * 4.0,
        concern_cross=n * 2.0,
        weight_squares=n * 1.0,
        collected=np.ones(len(n)) if collected is None else np.array(collected),
    )


@pytest.mark.parametrize("draw", FIGURES)
def test_a_chart_of_other_data_has_the_same_description(draw):
    first = draw(a_series([1, 2, 3]), Ground(UTC_ZONE))
    gap = Gap("bluesky:live", T0, T0 + HOUR, "closed")
    other = draw(a_series([0, 900, 3, 4]), Ground(BERLIN, [gap]))
    assert first.spec == other.spec
    assert first.tables.keys() == other.tables.keys()


@pytest.mark.parametrize("draw", FIGURES)
def test_a_description_names_its_tables_and_holds_no_data(draw):
    figure = draw(a_series([1, 2, 3]), Ground(UTC_ZONE, event=an_event()))
    named = {layer["data"]["name"] for layer in figure.spec["layer"]}
    assert named == set(figure.tables)
    assert "values" not in str(figure.spec["layer"][0]["data"])
    assert "config" not in figure.spec


def an_event(title="CEO letter", at=T0 + HOUR):
    return Event(id="letter", kind="statement", title=title, announced=at)


def test_posts_stand_on_the_axis_and_reposts_hang_from_it():
    rows = charts.volume(a_series([5]), Ground(UTC_ZONE)).tables["bars"].to_pylist()
    assert [(row["what"], row["low"], row["high"], row["n"]) for row in rows] == [
        ("posts", 0, 5, 5),
        ("not scored yet", 5, 6, 1),
        ("reposts", 0, -10, 10),
    ]


def test_zeros_need_no_bar_but_the_axis_spans_the_whole_window():
    series = a_series([0, 0, 4, 0, 0], reposts=[0] * 5)
    rows = charts.removal(series, Ground(UTC_ZONE)).tables["bars"].to_pylist()
    assert [row["start"] for row in rows if row["n"]] == [T0 + 2 * HOUR]
    assert (min(row["start"] for row in rows), max(row["end"] for row in rows)) == (T0, T0 + 5 * HOUR)


def test_a_bucket_without_posts_has_no_mean():
    rows = charts.concern(a_series([20, 0]), Ground(UTC_ZONE)).tables["means"].to_pylist()
    assert [(row["mean"], row["n"]) for row in rows] == [(2.0, 20), (None, 0)]


def test_a_gap_is_cut_to_the_series_and_says_why():
    gap = Gap("bluesky:live", T0 - HOUR, None, "the stream closed")
    [row] = charts.volume(a_series([1, 1]), Ground(UTC_ZONE, [gap])).tables["gaps"].to_pylist()
    assert (row["start"], row["end"], row["why"], row["filled"]) == (T0, T0 + 2 * HOUR, "the stream closed", False)


def test_a_filled_gap_says_who_is_missing():
    gap = Gap("bluesky:live", T0, T0 + HOUR, "closed", filled_by="search")
    [row] = charts.volume(a_series([1]), Ground(UTC_ZONE, [gap])).tables["gaps"].to_pylist()
    assert row["why"] == "closed; filled by search, survivors only"
    assert row["filled"]


def test_a_gap_elsewhere_is_not_drawn():
    gap = Gap("bluesky:live", T0 - 2 * HOUR, T0 - HOUR, "closed")
    assert charts.volume(a_series([1]), Ground(UTC_ZONE, [gap])).tables["gaps"].num_rows == 0


def test_events_within_the_series_are_marked_and_the_page_s_own_stands_out():
    other, far = an_event("Statement", T0), an_event("Later", T0 + 9 * HOUR)
    ground = Ground(UTC_ZONE, event=an_event(), others=[far, other])
    rows = charts.concern(a_series([1, 2]), ground).tables["events"].to_pylist()
    assert [(row["title"], row["main"]) for row in rows] == [("Statement", False), ("CEO letter", True)]


def test_what_a_screen_reader_says_has_the_numbers():
    gap = Gap("bluesky:live", T0, T0 + HOUR, "closed")
    assert charts.volume(a_series([1000, 500]), Ground(UTC_ZONE, [gap])).alt == (
        "Per hour: 1,500 relevant posts upwards, 3,000 reposts of them downwards. Stretches without collection: 1."
    )


def test_wall_clock_times_follow_the_zone_through_a_change_of_clocks():
    before, after = datetime(2025, 3, 30, 0, 30, tzinfo=UTC), datetime(2025, 3, 30, 1, 30, tzinfo=UTC)
    assert wall(before, BERLIN).hour == 1
    assert wall(after, BERLIN).hour == 3
    assert stamp(T0, ZoneInfo("Asia/Kolkata")) == "Fri 9 May 2025, 17:30"


def test_a_span_names_the_second_day_only_where_it_is_another():
    assert span(T0, T0 + HOUR, UTC_ZONE) == "Fri 9 May 2025, 12:00–13:00"
    assert span(T0, T0 + 24 * HOUR, UTC_ZONE).endswith("–Sat 10 May 2025, 12:00")


@pytest.mark.parametrize(("seconds", "name"), [(60, "minute"), (900, "15 minutes"), (3600, "hour"), (86_400, "day")])
def test_widths_have_plain_names(seconds, name):
    assert width_name(seconds) == name


def test_ages_are_short():
    assert [ago(timedelta(seconds=s)) for s in (-3, 12, 300, 7200, 200_000)] == ["0 s", "12 s", "5 min", "2 h", "2 d"]


def test_long_texts_are_cut_with_an_ellipsis():
    assert shortened("a" * 10, 10) == "a" * 10
    assert shortened("a" * 11, 10) == "a" * 9 + "…"


@pytest.mark.parametrize("draw", FIGURES)
def test_a_change_of_rules_is_a_line_and_is_said_aloud(draw):
    versions = [RuleVersion("cloud", n, "{}", T0 + n * HOUR) for n in (2, 9)]
    figure = draw(a_series([1, 2, 3, 4]), Ground(BERLIN, boundaries=versions))
    [row] = figure.tables["boundaries"].to_pylist()
    assert (row["title"], row["start"]) == ("rules of cloud: version 2", wall(T0 + 2 * HOUR, BERLIN))
    assert "16:00: rules of cloud: version 2." in figure.alt
