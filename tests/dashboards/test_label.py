"""The Label page: two people, blind."""

import pytest

from monitor.codebook import Labels
from monitor.labelling import draw_sample, judgements, next_to_label
from monitor.records import Batch
from tests.conftest import a_post
from tests.scored import score


@pytest.fixture
def sampled(store):
    posts = tuple(a_post(n) for n in range(1, 6))
    store.commit(Batch("s", posts=posts))
    score(store, posts)
    draw_sample(store, 3, "random", "first", seed=1)
    return store


def answer(app, *values):
    for control, value in zip(app.pills, values, strict=True):
        control.set_value(value)
    return app


def test_without_a_sample_the_page_says_how_to_draw_one(store, page):
    assert "monitor sample" in page("label").text[0].value


def test_a_name_comes_first(sampled, page):
    assert any("Say who you are" in text.value for text in page("label").text)


def test_a_post_is_labelled_and_the_next_one_shown(sampled, page):
    post, _ = next_to_label(sampled, "first", "ann")
    app = page("label", annotator="ann")
    assert post.text in [text.value for text in app.text]
    assert not app.exception
    answer(app, "yes", "done", "2", "critical").button[0].click().run()
    assert not app.exception
    assert judgements(sampled) == {f"bluesky {post.post_id}": {"ann": Labels(1, 2, "done", "critical")}}
    following, left = next_to_label(sampled, "first", "ann")
    assert left == 2
    assert following.text in [text.value for text in app.text]


def test_labels_that_break_the_codebook_are_refused_in_words(sampled, page):
    app = page("label", annotator="ann")
    answer(app, "yes", "done", "1", "critical").button[0].click().run()
    assert any("concern 2 or more" in text.value for text in app.text)
    assert judgements(sampled) == {}


def test_unanswered_questions_are_asked_for_and_a_post_about_something_else_needs_none(sampled, page):
    app = page("label", annotator="ann")
    answer(app, "yes", None, None, None).button[0].click().run()
    assert "Answer all four" in app.warning[0].value
    app = page("label", annotator="ann")
    answer(app, "no", None, None, None).button[0].click().run()
    assert [list(by.values()) for by in judgements(sampled).values()] == [[Labels(0, 0, "none", "neutral")]]


def test_a_skipped_post_comes_back_at_the_end(sampled, page):
    first, _ = next_to_label(sampled, "first", "ann")
    app = page("label", annotator="ann")
    app.button[1].click().run()
    assert first.text not in [text.value for text in app.text]
    for _ in range(2):
        answer(app, "no", None, None, None).button[0].click().run()
    assert any("Only what you skipped is left: 1" in text.value for text in app.text)
    app.button[0].click().run()
    assert first.text in [text.value for text in app.text]


def test_what_one_skips_is_not_skipped_for_another(sampled, page):
    first, _ = next_to_label(sampled, "first", "ben")
    app = page("label", annotator="ann")
    app.button[1].click().run()
    app.text_input[0].set_value("ben").run()
    assert first.text in [text.value for text in app.text]
