from monitor.classify import Prediction, Text
from monitor.config import Rule, Topic
from monitor.records import Batch
from monitor.scoring import score_pending
from monitor.store.queries import unscored

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


def test_the_scorer_is_told_context_and_the_names_of_the_matched_topics_platform(store, make_post):
    post = make_post(1, context="the AI clause", matched=("soundcloud-ai/ai-terms", "soundcloud-ai/thread", "other/x"))
    store.commit(Batch("s", posts=(post,)))
    scorer = Noting()
    score_pending(store, scorer, [TOPIC])
    assert scorer.asked == [Text(post.text, "the AI clause", ("SoundCloud", "SC"))]
