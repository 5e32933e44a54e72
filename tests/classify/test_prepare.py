import logging
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.classify.prepare import LONGEST, prepare


def test_links_and_handles_become_one_word_each():
    assert prepare("see https://x.example/a?b=c and @some.body.bsky.social!") == "see http and @user!"
    assert prepare("read soundcloud.com/terms please") == "read http please"


def test_an_address_is_no_handle():
    assert "@user" not in prepare("write to me@example.org")


def test_hashtags_are_split_at_their_capitals():
    assert prepare("#NoAITraining on #myMusic") == "No AI Training on my Music"


@pytest.mark.parametrize(
    "text",
    ["SoundCloud", "soundcloud", "Sound Cloud", "sound-cloud", "@soundcloud", "#SoundCloud", "SOUNDCLOUD"],
)
def test_every_way_to_write_the_platform_becomes_one_placeholder(text):
    assert prepare(f"leaving {text} today", ["SoundCloud"]) == "leaving Platform today"


def test_the_platform_is_found_in_inflected_forms_and_where_no_spaces_stand():
    assert prepare("usuwam konto z SoundClouda", ["SoundCloud"]) == "usuwam konto z Platforma"
    assert prepare("SoundCloudの規約", ["SoundCloud"]) == "Platformの規約"
    assert prepare("#DeleteSoundCloud", ["SoundCloud"]) == "Delete Platform"


def test_a_short_alias_counts_only_as_written():
    assert prepare("SC and sc and SCM", ["SC"]) == "Platform and sc and SCM"
    assert prepare("X marks the Xbox", ["X"]) == "Platform marks the Xbox"


def test_an_alias_inside_another_word_stays():
    assert prepare("metadata and flickering", ["Meta", "Flick"]) == "metadata and flickering"


def test_an_alias_with_signs_of_regular_expressions_is_taken_literally():
    assert prepare("I use C.A(T)* a lot", ["C.A(T)*"]) == "I use Platform a lot"


def test_a_text_that_is_no_post_is_read_at_both_ends_and_the_log_says_so(caplog):
    with caplog.at_level(logging.WARNING):
        found = prepare("start " + "x " * 3_000_000 + " the end")
    assert len(found) <= LONGEST + 1
    assert found.startswith("start")
    assert found.endswith("the end")
    assert "characters" in caplog.text


@given(st.text(st.characters(), max_size=200))
def test_preparing_never_fails_and_leaves_nothing_that_utf8_cannot_hold(text):
    prepare(text, ["SoundCloud", "사운드", "X"]).encode()


def test_a_hostile_text_takes_time_in_proportion_to_its_length():
    def seconds(n):
        begun = time.perf_counter()
        prepare("a-" * n)
        return time.perf_counter() - begun

    assert seconds(12_000) < 0.5  # 1.3 s when the time grew with the square
