"""Integer weights: the odd integers nearest to real ones."""

from fractions import Fraction

import pytest
import torch

from bnnhw.compiler.passes.split_weights import binary_planes
from bnnhw.model.layers.integer_weights import IntegerWeights


@pytest.mark.parametrize("bits", range(2, 9))
def test_they_are_the_nearest_odd_integers(bits: int) -> None:
    torch.manual_seed(bits)
    weight = torch.randn(5, 3, 2, 2)
    values, scale = IntegerWeights(bits)(weight)
    assert scale is not None
    most = 2**bits - 1
    assert values.abs().amax((1, 2, 3)).tolist() == [most] * 5
    for row, integers, step in zip(weight, values, scale, strict=True):
        assert float(step) == pytest.approx(float(row.abs().max()) / most)
        for real, integer in zip(row.flatten().tolist(), integers.flatten().tolist(), strict=True):
            assert integer % 2 == 1
            assert abs(Fraction(real) / Fraction(float(step)) - int(integer)) <= 1 + Fraction(1, 1000)
    assert len(binary_planes(values.to(torch.int16).numpy()).factors) == bits


def test_the_gradient_passes_as_through_a_division() -> None:
    weight = torch.tensor([[0.5, -0.2, 1.0], [0.0, 0.0, 0.0]], requires_grad=True)
    values, scale = IntegerWeights(4)(weight)
    assert values.tolist() == [[7, -3, 15], [1, 1, 1]]  # of zeros, too, steps are finite
    assert scale is not None
    (values * scale.view(-1, 1)).sum().backward()
    assert weight.grad is not None
    torch.testing.assert_close(weight.grad, torch.ones(2, 3))


def test_real_ones_stay_for_calibration() -> None:
    weights, weight = IntegerWeights(4), torch.randn(2, 3)
    weights.rounds = False
    assert torch.equal(weights(weight).values, weight)
    assert weights(weight).scale is None


@pytest.mark.parametrize("bits", [1, 9])
def test_bits_that_there_are_not(bits: int) -> None:
    with pytest.raises(ValueError, match=rf"^bits={bits} must lie between 2 and 8$"):
        IntegerWeights(bits)
