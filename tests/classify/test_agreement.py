import pytest

from monitor.classify.agreement import agreement, settled
from monitor.codebook import Labels

DONE, ANGRY, NO = Labels(1, 2, "done", "critical"), Labels(1, 3, "none", "critical"), Labels(0, 0, "none", "neutral")


def by_head(judged):
    return {row.head: row for row in agreement(judged)}


def test_full_agreement_is_one_and_single_judgements_do_not_count():
    found = by_head({"1": {"a": DONE, "b": DONE}, "2": {"a": NO, "b": NO}, "3": {"a": ANGRY}})
    assert [(row.n, row.same, row.alpha) for row in found.values()] == [(2, 1.0, 1.0)] * 4


def test_alpha_is_what_the_textbook_says():
    """Krippendorff 2011, section C of "Computing Krippendorff's Alpha-Reliability": nominal, two observers, .692."""
    first, second = list("aabbdcccedda"), list("babbbccceddd")
    stages = dict(zip("abcde", ("none", "considering", "committed", "done", "blocked"), strict=True))
    judged = {
        str(n): {"m": Labels(1, 2, stages[one], "critical"), "w": Labels(1, 2, stages[other], "critical")}
        for n, (one, other) in enumerate(zip(first, second, strict=True))
    }
    assert by_head(judged)["removal"].alpha == pytest.approx(0.692, abs=0.001)


def test_concern_is_ordinal_a_near_miss_costs_less_than_a_far_one():
    def with_concern(*pairs):
        return by_head({str(n): {"a": Labels(1, x, "none", "critical"), "b": Labels(1, y, "none", "critical")}
                        for n, (x, y) in enumerate(pairs)})["concern"].alpha  # fmt: skip

    same = [(0, 0), (1, 1), (2, 2), (3, 3)] * 3
    assert with_concern(*same, (2, 3)) > with_concern(*same, (0, 3))


def test_nothing_shared_or_one_label_only_says_nothing():
    assert by_head({})["relevant"] == by_head({"1": {"a": DONE}})["relevant"]
    assert (by_head({})["relevant"].n, by_head({})["relevant"].alpha) == (0, None)
    assert by_head({"1": {"a": DONE, "b": DONE}})["removal"].alpha is None


def test_the_majority_settles_and_a_tie_does_not():
    assert settled({"a": DONE}) == DONE
    assert settled({"a": DONE, "b": ANGRY}) is None
    assert settled({"a": DONE, "b": ANGRY, "c": DONE}) == DONE
