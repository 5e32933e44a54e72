"""Sample, label, agree: in the store and as two people do it at a terminal."""

import json
import re
from dataclasses import replace
from datetime import timedelta

import duckdb
import pytest
from typer.testing import CliRunner

from monitor.classify import Prediction
from monitor.cli.app import app
from monitor.codebook import Labels
from monitor.config import load
from monitor.errors import MonitorError
from monitor.labelling import annotate, draw_sample, gather, judgements, next_to_label, samples
from monitor.records import Batch, Deletion, Score
from monitor.store import Store
from tests.conftest import T0, a_post, did, uri

DONE = Labels(1, 2, "done", "critical")
SURE = Prediction(0.99, (0.0, 0.01, 0.98, 0.01), (0.01, 0.0, 0.0, 0.99, 0.0), (0.98, 0.01, 0.01))
TORN = Prediction(0.55, (0.4, 0.2, 0.2, 0.2), (0.5, 0.3, 0.1, 0.05, 0.05), (0.4, 0.4, 0.2))


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "monitor.toml"
    assert CliRunner().invoke(app, ["init", str(path)]).exit_code == 0
    return path


@pytest.fixture
def store(config):
    """Forty scored posts; the model is torn on every fourth."""
    store = Store(config.parent / "monitor.duckdb")
    store.commit(Batch("s", posts=tuple(a_post(n) for n in range(1, 41))))
    scores = [(n, TORN if n % 4 == 0 else SURE) for n in range(1, 41)]
    store.commit_scores([
        Score("bluesky", uri(n), one.relevant, one.concern, one.removal, one.stance, "m") for n, one in scores
    ])  # fmt: skip
    return store


def typed(config, *arguments, keys=""):
    return CliRunner().invoke(app, [*arguments, "-c", str(config)], input=keys)


def test_a_sample_by_uncertainty_holds_more_of_what_the_model_doubts_and_stores_every_chance(store):
    draw_sample(store, 10, "uncertainty", "hard", seed=1)
    draw_sample(store, 10, "random", "any", seed=1)
    assert samples(store) == {"any": 10, "hard": 10}
    waiting, left = next_to_label(store, "hard", "ann")
    assert (left, waiting.text != "") == (10, True)
    with pytest.raises(MonitorError, match="already"):
        draw_sample(store, 10, "random", "any")
    with pytest.raises(MonitorError, match="No scored post"):
        draw_sample(store, 10, "random", topics=["another"])


def test_two_people_label_blind_and_their_agreement_is_told(store, config):
    assert typed(config, "sample", "-n", "4", "--by", "random", "--name", "s", "--seed", "1").exit_code == 0
    first = typed(config, "label", "--as", "ann", keys="y\nd\n2\nc\nn\ny\nn\n3\nc\nn\n")
    assert first.exit_code == 0, first.output
    assert "4 labelled" in first.output
    second = typed(config, "label", "--as", "ben", keys="y\nd\n2\nc\nn\ny\nn\n2\nc\nn\n")
    screens = [re.sub(r"\d labelled.*", "", result.output) for result in (first, second)]
    assert screens[0] == screens[1]  # what ann said, or the model, changes nothing that ben sees
    told = json.loads(typed(config, "agreement", "--json").stdout)
    assert told["annotators"] == {"ann": 4, "ben": 4}
    by_head = {row["head"]: row for row in told["heads"]}
    assert (by_head["removal"]["n"], by_head["removal"]["same"], by_head["concern"]["same"]) == (4, 1.0, 0.75)
    assert "0.75" in typed(config, "agreement").stdout


def test_stopped_labelling_goes_on_where_it_was_and_keys_that_are_none_are_asked_again(store, config):
    typed(config, "sample", "-n", "3", "--name", "s", "--seed", "2")
    stopped = typed(config, "label", "--as", "ann", keys="x\n?\ny\nd\n1\n2\nc\nq\n")
    assert "one of the letters" in stopped.output
    assert "means concern 2 or more" in stopped.output
    assert "Is the post about a platform" in stopped.output
    assert "1 labelled" in stopped.output
    assert next_to_label(store, "s", "ann")[1] == 2
    assert "2 left" in typed(config, "label", "--as", "ann", keys="").output  # the end of input stops, too


def test_a_post_can_be_skipped_and_the_last_one_taken_again(store, config):
    typed(config, "sample", "-n", "2", "--name", "s", "--seed", "3")
    skipped = next_to_label(store, "s", "ann")[0]
    typed(config, "label", "--as", "ann", keys="-\ny\nd\n2\nc\n")
    assert next_to_label(store, "s", "ann") == (skipped, 1)
    again = typed(config, "label", "--as", "ann", keys="n\nu\n-\nu\ny\nb\n3\nc\n")
    assert "1 labelled" in again.output
    labels = judgements(store)[f"bluesky {skipped.post_id}"]["ann"]
    assert labels == Labels(1, 3, "blocked", "critical")


def test_without_a_sample_or_with_a_wrong_name_it_says_what_to_do(store, config):
    for arguments in (("label", "--as", "ann"), ("label", "--as", "ann", "--sample", "none")):
        result = typed(config, *arguments)
        assert isinstance(result.exception, MonitorError)
        assert "monitor sample" in result.exception.hint


def test_labels_belong_to_the_text_that_was_read_and_go_with_the_post(store, config):
    draw_sample(store, 40, "random", "all", seed=1)
    posts = [next_to_label(store, "all", "ann", skip)[0] for skip in range(3)]
    for post in posts:
        assert annotate(store, post, "ann", DONE)
    gone, changed = posts[0], posts[1]
    number = next(n for n in range(1, 41) if uri(n) == gone.post_id)
    other = next(n for n in range(1, 41) if uri(n) == changed.post_id)
    later = T0 + timedelta(days=1)
    store.commit(Batch("s", deletions=(Deletion("bluesky", uri(number), did(number), later),)))
    store.commit(Batch("s", posts=(replace(a_post(other), text="edited AI terms", observed_at=later),)))
    assert list(judgements(store)) == [f"bluesky {posts[2].post_id}"]
    with duckdb.connect(str(store.path), read_only=True) as file:  # judgements() would not see what was left behind
        left = {
            table: file.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("annotations", "samples")
        }
    assert left == {"annotations": 2, "samples": 39}
    assert not annotate(store, changed, "ann", DONE)  # read before the edit
    assert samples(store)["all"] == 39


def test_labels_that_break_the_codebook_are_refused(store):
    draw_sample(store, 1, "random", "s", seed=1)
    post, _ = next_to_label(store, "s", "ann")
    for labels in (Labels(0, 1, "none", "neutral"), Labels(1, 1, "done", "critical")):
        with pytest.raises(MonitorError):
            annotate(store, post, "ann", labels)


def test_only_settled_posts_are_learned_from_and_those_of_x_only_where_that_is_allowed(store, config):
    store.commit(Batch("x", posts=(replace(a_post(90), platform="x", post_id="90"),)))
    store.commit_scores([Score("x", "90", SURE.relevant, SURE.concern, SURE.removal, SURE.stance, "m")])
    draw_sample(store, 41, "random", "all", seed=1)
    for skip in range(41):
        post, _ = next_to_label(store, "all", "none yet", skip)
        annotate(store, post, "ann", DONE)
        if post.post_id == uri(7):
            annotate(store, post, "ben", Labels(1, 3, "done", "critical"))
    found = gather(store, load(config))
    assert (len(found.posts), found.unsettled, found.not_allowed) == (39, 1, 1)
    config.write_text(config.read_text().replace("# may_train = false", "may_train = true"))
    allowed = gather(store, load(config))
    assert (len(allowed.posts), allowed.not_allowed) == (40, 0)
    assert allowed.posts[0].names[:2] == ("SoundCloud", "sound cloud")  # read as when they were scored


def test_what_could_steer_a_terminal_is_not_printed(store, config):
    evil = replace(
        a_post(1), text="AI terms \x1b[2J\x1b]0;owned\x07 [bold]x[/bold]", observed_at=T0 + timedelta(days=1)
    )
    store.commit(Batch("s", posts=(evil,)))
    store.commit_scores([Score("bluesky", uri(1), SURE.relevant, SURE.concern, SURE.removal, SURE.stance, "m", 1)])
    draw_sample(store, 40, "random", "s", seed=1)
    keys = "n\n" * 40
    shown = typed(config, "label", "--as", "ann", keys=keys).output
    assert "owned" in shown
    assert "[bold]x[/bold]" in shown
    assert "\x1b" not in shown
    assert "\x07" not in shown
