import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from monitor.classify import q4

FLOATS = st.floats(-100, 100, width=32)


def test_unpacking_follows_the_definition_of_the_format():
    nibbles, scales = np.array([[0x1F] + [0x80] * 15], np.uint8), np.array([[0.5]], np.float16)
    values = q4.unpack(nibbles, scales)[0]
    assert values[0] == (15 - 8) * 0.5
    assert values[16] == (1 - 8) * 0.5
    assert list(values[1:16]) == [-4.0] * 15
    assert list(values[17:]) == [0.0] * 15


@given(arrays(np.float32, (3, 64), elements=FLOATS))
@settings(max_examples=40)
def test_what_is_packed_comes_back_within_half_a_step_and_packs_to_itself_again(values):
    nibbles, scales = q4.pack(values)
    back = q4.unpack(nibbles, scales)
    steps = np.abs(scales.astype(np.float32)).repeat(32, axis=1)
    # The level +8 does not exist, so a value as large as the largest one but of the other sign loses a whole step.
    assert np.all(np.abs(back - values) <= steps * 1.02 + 1e-6)
    again = q4.unpack(*q4.pack(back))
    assert np.allclose(again, back, atol=1e-3 * max(1.0, float(np.abs(back).max())))


def test_splitting_the_blocks_of_the_original_file_changes_no_value():
    chance = np.random.default_rng(1)
    scales = chance.normal(0, 1, (4, 2)).astype(np.float16)
    nibbles = chance.integers(0, 256, (4, 2, 16)).astype(np.uint8)
    raw = np.concatenate([scales.reshape(4, 2, 1).view(np.uint8), nibbles], axis=2).reshape(-1)
    found_nibbles, found_scales = q4.split_blocks(raw, rows=4)
    assert np.array_equal(found_scales, scales)
    assert np.array_equal(found_nibbles, nibbles.reshape(4, 32))
