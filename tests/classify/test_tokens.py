from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.classify.base import load_base
from monitor.classify.tokens import Tokens, _slices


@given(st.integers(0, 2000), st.integers(1, 400))
def test_slices_hold_every_token_in_order_and_none_is_too_long(count, length):
    ids = list(range(count))
    found = _slices(ids, length)
    assert all(len(part) <= length for part in found)
    assert sorted({i for part in found for i in part}) == ids
    assert found[0][:1] == ids[:1]


def test_a_short_post_is_one_window_with_its_context_behind_it(tiny):
    tokens = Tokens(tiny)
    [[alone], [beside]] = tokens.windows([("my tracks", ""), ("my tracks", "AI terms")])
    assert beside.ids[: alone.text_length] == alone.ids
    assert alone.text_length == len(alone.ids) == beside.text_length
    assert beside.ids[-1] == tiny.eos
    assert len(beside.ids) > len(alone.ids)


def test_a_long_text_and_a_long_context_are_read_to_their_ends(tiny):
    tokens = Tokens(tiny)
    text, context = "a" * 300 + "Q", "b" * 300 + "Z"
    [windows] = tokens.windows([(text, context)])
    last_of_text = tiny.tokenizer.token_to_id("Q")
    last_of_context = tiny.tokenizer.token_to_id("Z")
    assert any(last_of_text in window.ids[: window.text_length] for window in windows)
    assert any(last_of_context in window.ids[window.text_length :] for window in windows)
    assert all(len(window.ids) <= tiny.positions for window in windows)


@given(st.text(max_size=60), st.text(max_size=60))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_gives_at_least_one_window_that_fits(tiny, text, context):
    [windows] = Tokens(tiny).windows([(text, context)])
    assert windows
    assert all(2 <= len(window.ids) <= tiny.positions for window in windows)


def test_an_emoji_newer_than_the_vocabulary_is_spelled_out():
    tokens = Tokens(load_base())
    [[window]] = tokens.windows([("that is 🤮", "")])
    assert "vomit" in tokens.tokenizer.decode(list(window.ids))
