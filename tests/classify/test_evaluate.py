"""The table's rows: which posts they are about, and when a contrast group counts as right."""

from dataclasses import replace

import pytest

from monitor.classify.baselines import certain
from monitor.classify.corpus import CorpusPost
from monitor.classify.evaluate import figures, rows
from monitor.codebook import Labels

LEAVES = Labels(1, 2, "done", "critical")
STAYS = Labels(1, 2, "none", "critical")


def a_post(number: int, labels: Labels = STAYS, **fields: str) -> CorpusPost:
    return CorpusPost(
        f"p{number}", "text", None, fields.pop("lang", "en"), "Other", "x", "heldout", labels, "w", **fields
    )


def said(labels: Labels):
    return certain(labels.relevant, labels.concern, labels.removal, labels.stance)


PAIR = [a_post(1, LEAVES, group="g"), a_post(2, STAYS, group="g")]


@pytest.mark.parametrize(
    ("found", "share"),
    [
        ([LEAVES, STAYS], 1.0),
        ([LEAVES, replace(STAYS, stance="neutral")], 1.0),  # stance is the same in both: not what the group is about
        ([LEAVES, LEAVES], 0.0),
    ],
)
def test_a_contrast_group_is_right_where_every_label_that_differs_is_right_on_every_post(found, share):
    assert figures(PAIR, [said(labels) for labels in found])["groups_right"] == share


def test_posts_without_groups_have_no_share_of_them():
    assert figures([a_post(1)], [said(STAYS)])["groups_right"] is None


def test_contrast_groups_have_a_row_of_their_own_and_are_in_no_other_but_all():
    posts = [*PAIR, a_post(3), a_post(4, lang="pl")]
    counted = {row.posts: row.n for row in rows("judge", posts, [said(post.labels) for post in posts])}
    assert counted == {
        "all": 4, "contrast groups": 2, "all but these": 2, "other platforms": 2, "short": 2, "en": 1, "pl": 1,
    }  # fmt: skip
