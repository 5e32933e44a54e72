"""The model that ships: a few plain cases by the codebook, and what the product promises about it."""

import numpy as np
import pytest

from monitor.classify import Scorer, Text, card, load
from monitor.classify.baselines import BASELINES
from monitor.classify.corpus import read_corpus
from monitor.classify.evaluate import figures
from monitor.codebook import codebook

NAMES = ("SoundCloud",)


@pytest.fixture(scope="module")
def shipped() -> Scorer:
    return load()


def judged(scorer: Scorer, text: str, context: str | None = None):
    [found] = scorer.score([Text(text, context, NAMES)])
    removal = codebook().removal[int(np.argmax(found.removal))]
    return found, removal


CLEAR = "SoundCloud's new terms let them train AI on everything you uploaded"
BOUND = "I want my songs off SoundCloud over the AI terms but my old label owns the login, I can't delete them"


@pytest.mark.parametrize(
    ("text", "context", "removal"),
    [
        ("same here, gone", CLEAR, "done"),
        ("Tempted to leave SoundCloud if they don't drop the AI training clause.", None, "considering"),
        (BOUND, None, "blocked"),
        ("Deleted all my tracks from SoundCloud over the AI clause.", None, "done"),
        ("My SoundCloud page is empty as of tonight, I won't have my songs train their AI.", None, "done"),
        ("I'm taking everything off SoundCloud this weekend because of the AI training terms.", None, "committed"),
        ("Does the SoundCloud AI clause cover private tracks too?", None, "none"),
        ("Habe wegen der KI-Klausel alle meine Tracks bei SoundCloud gelöscht.", None, "done"),
        ("SoundCloudのAI規約が嫌なので曲を全部消しました", None, "done"),
    ],
)
def test_plain_cases_are_read_by_the_codebook(shipped, text, context, removal):
    found, stage = judged(shipped, text, context)
    assert found.relevant > 0.5
    assert stage == removal


@pytest.mark.parametrize(
    "text",
    [
        "new ep out friday, link in bio #soundcloud",
        "SoundCloud is down again, brilliant timing",
        "The drummer bought a new snare.",
    ],
)
def test_other_matters_are_irrelevant_and_so_carry_no_concern(shipped, text):
    found, stage = judged(shipped, text)
    assert found.relevant < 0.5
    assert stage == "none"
    assert found.expected_concern < 1


def test_anger_weighs_more_than_a_question_and_a_question_more_than_a_headline(shipped):
    texts = (
        "They are STEALING our music to feed their AI. Thieves. Disgusting!!!",
        "Hm, does anybody know whether the new AI terms cover private tracks?",
        "SoundCloud answers questions about its AI terms in a blog post",
    )
    angry, asking, reporting = (judged(shipped, text)[0].expected_concern for text in texts)
    assert angry > asking > reporting


def test_scores_do_not_depend_on_the_batch_or_on_how_the_platform_is_written(shipped):
    texts = ["Deleted all my tracks from {} over the AI clause.", "ok", "a long thought about {} and its terms " * 30]
    items = [Text(text.replace("{}", "SoundCloud"), None, NAMES) for text in texts]
    together = shipped.score(items)
    for item, found in zip(items, together, strict=True):
        [alone] = shipped.score([item])
        assert np.allclose((alone.relevant, *alone.removal), (found.relevant, *found.removal), atol=1e-3)
    [other] = shipped.score([Text(texts[0].replace("{}", "@sound cloud"), None, NAMES)])
    assert np.allclose(other.removal, together[0].removal, atol=1e-6)


def test_the_shipped_card_belongs_to_the_shipped_corpus_and_codebook():
    found = card()
    assert found["codebook"] == codebook().version
    assert found["corpus"] == read_corpus().digest
    assert found["base"]["name"] == "shipped"
    assert found["heldout"]["all"]["n"] >= 300


@pytest.mark.timeout(600)  # the regression is trained first: two minutes on a slow machine
@pytest.mark.parametrize("judge", sorted(BASELINES))
def test_the_shipped_release_beats_every_baseline_on_its_held_out_posts(judge):
    posts = read_corpus().split("heldout")
    mine, theirs = card()["heldout"]["all"], figures(posts, BASELINES[judge](posts))
    assert mine["n"] == len(posts)
    for name in ("relevance_f1", "concern_kappa", "removal_f1", "stance_f1"):
        margin = 0.02 if judge == "TF-IDF regression" else 0.05  # it learned from the same posts
        assert mine[name] > theirs[name] + margin, (name, mine[name], theirs[name])
