import json
from statistics import mean

import pytest
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from monitor.classify.corpus import CORPUS, groups, read_corpus
from monitor.errors import CorpusError
from tests.classify.conftest import corpus_rows, write_corpus

POST = {
    "id": "a-1", "text": "they train on my songs and I have deleted every one", "context": None, "lang": "en",
    "platform": "SoundCloud", "persona": "a drummer", "split": "train", "relevant": 1, "concern": 2,
    "removal": "done", "stance": "critical",
}  # fmt: skip


def refused(tmp_path, *posts, annotations=()):
    with pytest.raises(CorpusError) as caught:
        read_corpus(write_corpus(tmp_path / "c", list(posts), list(annotations)))
    return caught.value.message


def test_the_shipped_corpus_keeps_its_own_rules_and_is_as_large_as_promised():
    corpus = read_corpus()
    assert len(corpus.split("train")) >= 6000
    assert len(corpus.split("heldout")) >= 1500
    assert len(groups(corpus.posts)) >= 300
    assert len({post.lang for post in corpus.split("train")}) >= 10
    assert {note.annotator for note in corpus.annotations} >= {"writer", "blind"}


def test_a_label_outside_the_codebook_is_refused(tmp_path):
    assert "outside codebook" in refused(tmp_path, POST | {"removal": "gone"})


def test_a_removal_below_its_floor_of_concern_is_refused(tmp_path):
    assert "concern 2 or more" in refused(tmp_path, POST | {"concern": 1})


def test_an_irrelevant_post_with_labels_is_refused(tmp_path):
    assert "irrelevant" in refused(tmp_path, POST | {"relevant": 0})


def test_an_id_that_stands_twice_is_refused(tmp_path):
    assert "twice" in refused(tmp_path, POST, POST | {"text": "quite another text about nothing much"})


def test_a_post_that_nearly_equals_one_of_another_split_is_refused(tmp_path):
    twin = POST | {"id": "a-2", "split": "heldout", "text": POST["text"] + " !"}
    assert "near-identical" in refused(tmp_path, POST, twin)


def test_the_same_words_in_one_split_or_under_another_context_are_no_duplicates(tmp_path):
    twin = POST | {"id": "a-2", "text": POST["text"] + " !"}
    context = "A completely different long context about the price of guitar strings in the shop down the road"
    other = POST | {"id": "a-3", "split": "heldout", "text": "same", "context": context}
    short = POST | {
        "id": "a-4",
        "text": "same",
        "context": "The new terms let them feed a model, says the paper of today",
    }
    assert len(read_corpus(write_corpus(tmp_path / "c", [POST, twin, other, short])).posts) == 4


def test_an_annotation_of_an_unknown_post_is_refused(tmp_path):
    note = {"id": "b-9", "annotator": "blind"} | {k: POST[k] for k in ("relevant", "concern", "removal", "stance")}
    assert "unknown posts" in refused(tmp_path, POST, annotations=[note])


def test_a_missing_field_a_broken_line_and_an_empty_folder_are_named(tmp_path):
    assert "'lang' is missing" in refused(tmp_path, {k: v for k, v in POST.items() if k != "lang"})
    broken = tmp_path / "broken" / "posts"
    broken.mkdir(parents=True)
    (broken / "w.jsonl").write_text(json.dumps(POST) + "\n{not json\n")
    with pytest.raises(CorpusError, match=r"w\.jsonl:2"):
        read_corpus(broken.parent)
    with pytest.raises(CorpusError, match="no posts"):
        read_corpus(tmp_path / "nothing")


def test_the_hash_changes_with_any_label(tmp_path):
    rows = corpus_rows()
    first = read_corpus(write_corpus(tmp_path / "a", rows)).digest
    assert read_corpus(write_corpus(tmp_path / "b", rows)).digest == first
    assert read_corpus(write_corpus(tmp_path / "c", [rows[1] | {"concern": 1}, *rows[2:]])).digest != first


def test_a_contrast_group_lies_in_one_split_and_has_a_difference(tmp_path):
    twin = POST | {"id": "a-2", "group": "g", "removal": "none", "text": POST["text"].replace("have", "have not")}
    assert "no two posts" in refused(tmp_path / "same", POST | {"group": "g"}, twin | {"removal": "done"})
    apart = twin | {"split": "heldout", "text": "quite another text, about the same and longer"}
    assert "two splits" in refused(tmp_path / "split", POST | {"group": "g"}, apart)
    [first, second] = read_corpus(write_corpus(tmp_path / "fine", [POST | {"group": "g"}, twin])).posts
    assert first.group == second.group == "g"


def test_the_data_statement_tells_the_agreement_and_the_counts_that_the_files_give():
    """The figures of corpus/README.md; concern by quadratic weights."""
    corpus, said = read_corpus(), " ".join((CORPUS / "README.md").read_text("utf-8").split())
    by = {who: {one.post_id: one.labels for one in corpus.annotations if one.annotator == who}
          for who in ("writer", "blind", "adjudicator")}  # fmt: skip
    both = sorted(set(by["writer"]) & set(by["blind"]))
    assert f"{len(corpus.posts):,} posts about" in said
    assert f"settled the {len(by['adjudicator'])} posts" in said
    lengths = [len(post.text) for post in corpus.posts]
    assert f"{min(lengths)} to {max(lengths):,} characters" in said
    assert f"longer than 1,000 characters ({sum(n > 1000 for n in lengths)} of them)" in said
    assert f"({mean(post.lang == 'en' for post in corpus.posts):.0%} English".replace("%", " %") in said
    assert f"{mean(not post.labels.relevant for post in corpus.posts):.0%} are irrelevant".replace("%", " %") in said
    for split in ("train", "calibration", "heldout"):
        posts = corpus.split(split)
        area = roc_auc_score([post.labels.relevant for post in posts], [len(post.text) for post in posts])
        assert f"{area:.2f}".removeprefix("0") in said, (split, area)
    for head, weights in (("relevant", None), ("concern", "quadratic"), ("removal", None), ("stance", None)):
        one, other = ([getattr(by[who][post], head) for post in both] for who in ("writer", "blind"))
        share = sum(a == b for a, b in zip(one, other, strict=True)) / len(both)
        kappa = cohen_kappa_score(one, other, weights=weights)
        assert f"{share:.1%}".replace("%", " %") in said, head
        assert f"{kappa:.3f}".removeprefix("0") in said, (head, kappa)
