"""Hypothesis strategies for texts, rules and what platforms send."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from monitor.config import Near, Rule
from tests.servers.events import POST, REPOST, create

WORDS = (
    "soundcloud", "ai", "train", "training", "terms", "music", "the", "opt", "out", "clause", "musicians", "delete",
    "nutzungsbedingungen", "términos", "規約", "学習", "약관", "ИИ", "τέχνη", "straße",
)  # fmt: skip
_SPACES = st.sampled_from([" ", "  ", "\n", ", ", ". ", " - ", "\t"])

words = st.sampled_from(WORDS)
phrases = st.lists(words, min_size=1, max_size=3).map(" ".join)
stems = words.map(lambda word: word[:4] + "*")


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A few words that rules may ask for, between others."""
    parts = draw(
        st.lists(st.one_of(words, st.text(max_size=8), words.map(str.upper), words.map("#{}".format)), max_size=14)
    )
    return "".join(part + draw(_SPACES) for part in parts)


nears = st.builds(
    Near,
    a=st.lists(st.one_of(words, stems), min_size=1, max_size=3),
    b=st.lists(st.one_of(words, stems), min_size=1, max_size=3),
    within=st.integers(1, 6),
)


@st.composite
def rules(draw: st.DrawFn, rule_id: str = "rule") -> Rule:
    """A rule with at least one phrase and any other condition."""
    return Rule(
        id=rule_id,
        phrases=tuple(draw(st.lists(phrases, min_size=1, max_size=3))),
        near=tuple(draw(st.lists(nears, max_size=2))),
        hashtags=tuple(draw(st.lists(words, max_size=2))),
        exclude=tuple(draw(st.lists(phrases, max_size=1))),
    )


# What may stand where anything else was expected.
junk: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(), max_size=20),
        st.sampled_from(
            ["\ud83d", "a\x00b", "at://x/y/z", "did:plc:x", "2099-13-40T99:00:00Z", "1970-01-01T00:00:00Z", ""]
        ),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)
_FIELDS = ("$type", "did", "time", "operation", "collection", "rkey", "record", "cid", "rev", "witnessedAt")
_RECORD_FIELDS = ("text", "createdAt", "langs", "reply", "embed", "facets", "tags", "subject", "labels")


@st.composite
def spoilt_events(draw: st.DrawFn, seq: int = 1) -> dict[str, Any]:
    """An event of the right shape with junk in some of its fields."""
    event = create(seq, "SoundCloud", collection=draw(st.sampled_from([POST, REPOST])))
    event["collection"] = event["record"].pop("collection")
    for field in draw(st.lists(st.sampled_from(_FIELDS), max_size=2)):
        event[field] = draw(junk)
    if isinstance(event["record"], dict):
        for field in draw(st.lists(st.sampled_from(_RECORD_FIELDS), max_size=3)):
            event["record"][field] = draw(junk)
    return event
