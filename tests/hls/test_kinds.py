"""Operators of all kinds: the function itself, its instructions, and what is known of ranges."""

import numpy as np
import pytest

from .operators import OPERATORS


@pytest.mark.parametrize("name", OPERATORS)
def test_numpy_and_the_program_agree(name: str):
    operator, channels, (lo, hi) = OPERATORS[name]
    rng = np.random.default_rng(0)
    images = np.concatenate([rng.integers(lo, hi + 1, (20, 6, 8, channels)), np.full((1, 6, 8, channels), hi)])
    expected = operator(images)
    traced = operator.traced(channels)
    np.testing.assert_array_equal(traced.run(images), expected)
    assert traced.shape((6, 8, channels)) == expected.shape[1:]
    least, greatest = traced.range((lo, hi), 1, (6, 8, channels))
    assert least <= expected.min()
    assert expected.max() <= greatest
    np.testing.assert_array_equal(operator(images[0]), expected[0])
