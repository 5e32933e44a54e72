"""The one normal form: what differs for a machine alone is the same."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.text import normalise


@pytest.mark.parametrize(
    "disguised",
    ["Sound\u0421l\u043eud", "\u0405oundCloud", "Ｓｏｕｎｄ\u200bCloud", "Sound\u00adCloud", "S\u03bfundCl\u03bfud"],
)
def test_look_alike_letters_full_width_and_invisible_ones_make_no_difference(disguised):
    assert normalise(f"{disguised} AI") == "SoundCloud AI"


@pytest.mark.parametrize("text", ["Привет, как дела? Саундклауд", "Αυτό είναι ελληνικό", "мир и peace", "KI für alle"])
def test_words_that_are_all_of_another_script_stay(text):
    assert normalise(text) == unicodedata.normalize("NFKC", text)


@given(st.text(max_size=200))
def test_it_is_done_once_and_for_all(text):
    assert normalise(normalise(text)) == normalise(text)


def test_a_hostile_text_takes_time_in_proportion_to_its_length():
    begun = time.perf_counter()
    normalise("я" * 200_000 + "a" + "я" * 200_000)
    assert time.perf_counter() - begun < 1
