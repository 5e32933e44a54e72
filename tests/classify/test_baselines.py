import pytest

from monitor.classify.baselines import keyword_rules, sentiment_lexicon
from monitor.classify.corpus import CorpusPost
from monitor.classify.regression import lessons
from monitor.codebook import Labels, codebook


def labels_of(judge, text: str, context: str | None = None) -> tuple[int, int, str, str]:
    post = CorpusPost("a", text, context, "en", "", "", "heldout", Labels(0, 0, "none", "neutral"), "w")
    [found] = judge([post])
    book = codebook()
    return (
        int(found.relevant),
        found.concern.index(1),
        book.removal[found.removal.index(1)],
        book.stance[found.stance.index(1)],
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("new ep out friday", (0, 0, "none", "neutral")),
        ("I deleted my tracks, they train their AI on them", (1, 2, "done", "critical")),
        ("they are STEALING our songs for AI. thieves.", (1, 3, "none", "critical")),
        ("I might leave over the AI clause", (1, 1, "considering", "critical")),
        ("my label owns the account so the AI trains on me, can't delete", (1, 2, "blocked", "critical")),
        ("Not deleting anything over an AI sentence", (1, 0, "none", "neutral")),
        ("Ich habe wegen der KI-Klausel alles gelöscht", (1, 2, "done", "critical")),
    ],
)
def test_keyword_rules_read_plain_cases(text, expected):
    assert labels_of(keyword_rules, text) == expected


def test_the_lexicon_turns_bad_mood_into_concern_and_knows_no_removal():
    relevant, concern, removal, stance = labels_of(
        sentiment_lexicon, "horrible, disgusting AI terms, I hate this, I left"
    )
    assert (relevant, concern, removal, stance) == (1, 3, "none", "critical")


def test_only_relevant_posts_teach_the_heads_that_an_irrelevant_one_has_no_label_for():
    labels = [Labels(1, 2, "done", "critical"), Labels(0, 0, "none", "neutral"), Labels(1, 0, "none", "supportive")]
    posts = [CorpusPost(str(i), "x", None, "en", "", "", "train", each, "w") for i, each in enumerate(labels)]
    found = {head: (places.tolist(), taught.tolist()) for head, (places, taught) in lessons(posts).items()}
    assert found["relevant"] == ([0, 1, 2], [1, 0, 1])
    assert found["concern"] == ([0, 2], [2, 0])
    assert found["removal"] == ([0, 2], [codebook().removal.index("done"), codebook().removal.index("none")])
    assert found["stance"][0] == [0, 2]
