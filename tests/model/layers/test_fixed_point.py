"""Values of fixed point: forwards against Fraction, backwards, and how an exponent is found."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from bnnhw.compiler.ir import ops
from bnnhw.model.layers.fixed_point import Exponent, FixedPoint, Requantise, nearest
from bnnhw.model.registry import to_op


def values(seed: int, *, scale: float, dtype: torch.dtype = torch.float32) -> Tensor:
    """Of both signs, halves and their neighbours among them."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(200, generator=generator, dtype=dtype) * scale
    halves = torch.arange(-20, 20, dtype=dtype) / 64
    up, down = (torch.nextafter(halves, torch.full_like(halves, sign)) for sign in (math.inf, -math.inf))
    return torch.cat([x, halves, up, down, torch.tensor([0.0, 3e38, -3e38], dtype=dtype)])


def rounded(x: float, exponent: int, lo: int, hi: int) -> Fraction:
    return Fraction(max(lo, min(hi, math.floor(Fraction(x) * 2**exponent + Fraction(1, 2)))), 2**exponent)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("bits", [2, 8, 13, 16])
@pytest.mark.parametrize("exponent", [0, 3, 10, 15])
@pytest.mark.parametrize("training", [False, True])
def test_it_is_the_nearest_number_in_range(bits: int, exponent: int, dtype: torch.dtype, training: bool) -> None:
    x = values(bits + exponent, scale=2.0 ** (bits - 1 - exponent), dtype=dtype)
    y = FixedPoint(bits, exponent).train(training)(x)
    half = 2 ** (bits - 1)
    assert [Fraction(each) for each in y.tolist()] == [rounded(each, exponent, -half, half - 1) for each in x.tolist()]
    assert y.dtype == (dtype if training else torch.float32)


@pytest.mark.parametrize(("least", "most", "lo", "hi"), [(-1, 1, -16, 16), (0, math.inf, 0, 127), (-99, 0.1, -128, 1)])
def test_limits_of_its_own(least: float, most: float, lo: int, hi: int) -> None:
    fixed = FixedPoint(8, 4, least=least, most=most).eval()
    x = values(0, scale=4)
    assert [Fraction(each) for each in fixed(x).tolist()] == [rounded(each, 4, lo, hi) for each in x.tolist()]
    op = to_op("fixed", fixed)
    assert isinstance(op, ops.Requantise)
    integers = np.arange(-3000, 3000, dtype=np.int64)
    expected = fixed(torch.from_numpy(integers) / 64)
    assert np.array_equal(op.reference(integers / 64), expected.numpy())
    fixed.rounds = False
    assert torch.equal(fixed(x), x.clamp(least, most))


def test_nearest_rounds_no_sum() -> None:
    """x + 1/2 in float32 would be 1 of the first one."""
    x = torch.tensor([0.49999997, -0.5, 2**22 + 0.5, -(2**22) - 0.5, -0.50000006])
    assert nearest(x, torch.tensor(0.0)).tolist() == [0, 0, 2**22 + 1, -(2**22), -1]


def test_the_gradient_passes_where_nothing_is_clipped() -> None:
    fixed = FixedPoint(4, 1)
    x = torch.tensor([-9.0, -4.25, -4.26, 0.2, 3.74, 3.76], requires_grad=True)
    y = fixed(x)
    y.sum().backward()
    assert y.tolist() == [-4, -4, -4, 0, 3.5, 3.5]
    assert x.grad is not None
    assert x.grad.tolist() == [0, 1, 0, 1, 1, 0]


def test_training_finds_the_exponent() -> None:
    fixed = FixedPoint(8)
    found = []
    for greatest in (0.9, 3.0, -200.0, 1e6, 0.0):
        fixed(torch.tensor([0.1, greatest]))
        found.append(int(fixed.exponent))
    assert found == [7, 5, 0, 0, 0]
    fixed.eval()(torch.tensor([1e9]))
    assert float(fixed.exponent.greatest) == pytest.approx(1e6, rel=1e-3)
    fixed = FixedPoint(8)
    fixed(torch.tensor([0.0]))
    assert int(fixed.exponent) == 15
    fixed(torch.tensor([4.0]))
    assert int(fixed.exponent) == 4
    for _ in range(20_000):  # what was seen long ago is forgotten
        fixed.exponent.see(torch.tensor([1.0]), hi=127)
    assert int(fixed.exponent) == 6


def test_an_exponent_that_is_shared_or_given() -> None:
    shared = Exponent()
    a, b = FixedPoint(8, shared), FixedPoint(12, shared)
    a(torch.tensor([2.0]))
    assert b.eval()(torch.tensor([1 / 64])) == 1 / 32
    given = FixedPoint(8, 2)
    given(torch.tensor([1e-3]))
    assert int(given.exponent) == 2


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("seed", range(4))
def test_requantise_is_exact(seed: int, channels: int) -> None:
    generator = np.random.default_rng(seed)
    shift, exponent = int(generator.integers(0, 33)), int(generator.integers(0, 16))
    factor = generator.integers(-(2**17) + 1, 2**17, channels)
    offset = generator.integers(-(2**44) + 1, 2**44, channels)
    sums = generator.integers(-(2**24), 2**24, (50, 3, 2, 2))
    sums[0, 0, 0, 0] = -offset[0] // (factor[0] or 1)
    module = Requantise(
        torch.from_numpy(factor), torch.from_numpy(offset), shift=shift, lo=-1000, hi=2000, exponent=exponent
    )
    y = module(torch.from_numpy(sums).float())
    for (n, c, i, j), x in np.ndenumerate(sums.astype(np.float32).astype(np.int64)):
        a, b = int(factor[c % channels]), int(offset[c % channels])
        assert y[n, c, i, j].item() == max(-1000, min(2000, (a * int(x) + b) >> shift)) / 2**exponent


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FixedPoint(1), r"^bits=1 must lie between 2 and 16$"),
        (lambda: FixedPoint(17), r"^bits=17 must lie between 2 and 16$"),
        (lambda: FixedPoint(8, 16), r"^exponent=16 must lie between 0 and 15$"),
        (lambda: FixedPoint(8, least=1, most=1), r"^least=1 must be less than most=1$"),
    ],
)
def test_what_cannot_be_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
