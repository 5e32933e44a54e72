from dataclasses import replace
from datetime import timedelta

from monitor.classify import Prediction, Text
from monitor.config import Rule, Topic
from monitor.records import Batch
from monitor.scoring import score_pending
from monitor.store.queries import shown_models, unscored

TOPIC = Topic(
    name="soundcloud-ai", platform="SoundCloud", aliases=("SC",), rules=(Rule(id="ai-terms", phrases=("AI",)),)
)


class Noting:
    """A stand-in for the model, not for our code: notes what it is asked, answers one thing."""

    def __init__(self, model_id: str = "one"):
        self.model_id, self.asked = model_id, []

    def score(self, items):
        self.asked += items
        return [Prediction(0.9, (0.1, 0.2, 0.6, 0.1), (0.2, 0.1, 0.1, 0.5, 0.1), (0.8, 0.1, 0.1)) for _ in items]


def test_what_waits_is_scored_once_and_a_new_model_scores_it_again(store, make_post):
    store.commit(Batch("s", posts=tuple(make_post(n) for n in range(1, 6))))
    scorer = Noting()
    assert score_pending(store, scorer, [TOPIC], limit=3) == 3
    assert score_pending(store, scorer, [TOPIC], limit=3) == 2
    assert score_pending(store, scorer, [TOPIC], limit=3) == 0
    assert unscored(store, "one", 10) == []
    assert score_pending(store, Noting("two"), [TOPIC], limit=10) == 5


def test_a_new_model_rescores_everything_before_it_replaces_the_scores_on_the_pages(store, make_post):
    store.commit(Batch("s", posts=tuple(make_post(n) for n in range(1, 6))))
    while score_pending(store, Noting(), [TOPIC]):
        pass
    two = Noting("two")
    assert score_pending(store, two, [TOPIC], limit=3) == 3
    assert shown_models(store) == {"one": 5}
    store.commit(Batch("s", posts=(make_post(6),)))  # new ones are shown at once: they have no other scores
    assert score_pending(store, two, [TOPIC], limit=1) == 1
    assert shown_models(store) == {"one": 5, "two": 1}
    two = Noting("two")  # killed and started again: what it had scored is not scored again
    assert [score_pending(store, two, [TOPIC], limit=9) for _ in range(3)] == [2, 0, 0]
    assert len(two.asked) == 2
    assert shown_models(store) == {"two": 6}


def test_going_back_to_an_earlier_model_scores_nothing_again(store, make_post):
    store.commit(Batch("s", posts=tuple(make_post(n) for n in range(1, 6))))
    for name in ("one", "two"):
        while score_pending(store, Noting(name), [TOPIC]):
            pass
    again = Noting("one")
    assert score_pending(store, again, [TOPIC]) == 0
    assert (again.asked, shown_models(store)) == ([], {"one": 5})


def test_an_edit_while_everything_is_scored_anew_gets_a_score_of_its_new_text(store, make_post):
    store.commit(Batch("s", posts=tuple(make_post(n) for n in range(1, 4))))
    score_pending(store, Noting(), [TOPIC])
    two = Noting("two")
    score_pending(store, two, [TOPIC])
    edited = replace(
        make_post(1), text="now it says AI terms", observed_at=make_post(1).observed_at + timedelta(hours=1)
    )
    store.commit(Batch("s", posts=(edited,)))
    while score_pending(store, two, [TOPIC]):
        pass
    assert shown_models(store) == {"two": 3}
    assert [item.text for item in two.asked].count("now it says AI terms") == 1


def test_the_scorer_is_told_context_and_the_names_of_the_matched_topics_platform(store, make_post):
    post = make_post(1, context="the AI clause", matched=("soundcloud-ai/ai-terms", "soundcloud-ai/thread", "other/x"))
    store.commit(Batch("s", posts=(post,)))
    scorer = Noting()
    score_pending(store, scorer, [TOPIC])
    assert scorer.asked == [Text(post.text, "the AI clause", ("SoundCloud", "SC"))]
