"""Bounds that are rounder: the same results, and comparisons of fewer bits."""

import numpy as np
import pytest

from bnnhw import hls
from bnnhw.hls.program import run
from bnnhw.hls.ranges import with_ranges
from bnnhw.hls.scheduling.bounds import round_bounds
from bnnhw.hls.scheduling.delays import compared_bits

CHOICES = {
    "least": (lambda x: np.minimum(x, 255), 4, 12),
    "least, the other way": (lambda x: np.where(x <= 256, x, 256), 4, 12),
    "greatest": (lambda x: np.maximum(x, 63), 6, 12),
    "greatest, the other way": (lambda x: np.where(x <= 64, 64, x), 6, 12),
    "negative": (lambda x: np.maximum(x, -129), 5, 12),
    "round by itself": (lambda x: np.minimum(x, 256), 4, 4),
    "no bound": (lambda x: np.where(x >= 255, 7, x), 12, 12),
    "a bound of something else": (lambda x: np.where(x >= 255, 255, x + 1), 12, 12),
}


@pytest.mark.parametrize("name", CHOICES)
def test_bounds(name: str):
    function, bits, before = CHOICES[name]
    x = np.arange(-2000, 2048)
    ranged = with_ranges(hls.pointwise(function).program, [(-2000, 2047)])
    rounded = round_bounds(ranged)
    np.testing.assert_array_equal(run(rounded.program, [x])[0], function(x))
    assert rounded.result == ranged.result
    for each, expected in ((ranged, before), (rounded, bits)):
        instructions = each.program.instructions
        (seen,) = (compared_bits(one, instructions, each.spans) for one in instructions if one.op == "ge")
        assert seen == expected
