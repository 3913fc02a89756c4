"""Lines over any divisor against Python's own division."""

import random

import pytest

from bnnhw.compiler.ir.ops.lines import shifted_line


@pytest.mark.parametrize("seed", range(20))
def test_no_integer_is_off(seed: int) -> None:
    draw = random.Random(seed)
    most = draw.choice((1, 60, 3000))
    factor, offset = draw.randint(-(2**10), 2**10), draw.randint(-(2**16), 2**16)
    divisor = draw.choice((1, 3, 9, 98, 2**9 * 49))
    line = shifted_line(factor, offset, divisor, most=most)
    for x in range(-most, most + 1):
        assert (line.factor * x + line.offset) >> line.shift == (factor * x + offset) // divisor
    assert max(abs(line.factor * x) + abs(line.offset) for x in (-most, most)) == line.greatest(most)
