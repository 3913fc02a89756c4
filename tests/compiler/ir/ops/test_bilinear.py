"""Bilinear upsampling: by its definition, as torch does it, its sums exactly the same, and what is refused."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from bnnhw.compiler.ir.ops import BilinearSums, UpsampleBilinear
from bnnhw.compiler.ir.ops.reachable import Reachable
from bnnhw.compiler.ir.types import BinaryType, FloatType, IntType, QuotientType, TensorType
from bnnhw.model.registry import to_module, to_op

BLOCKS = [1, 2, 4, 8]
SHAPES = [(3, 5, 4), (1, 1, 3), (1, 4, 2), (9, 33, 16)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("block", BLOCKS)
def test_values_and_sums_are_torchs(block: int, shape: tuple[int, int, int]):
    """With the greatest integers that float32 takes; channels last and first, and smoothed, which changes nothing."""
    op = UpsampleBilinear(block)
    layer = nn.Upsample(scale_factor=block, mode="bilinear")
    assert to_op("layer", layer) == op
    assert to_op("layer", to_module("layer", op, shape)) == op
    greatest = 2**24 // op.sums.total
    x = np.random.default_rng(0).integers(-greatest, greatest + 1, (2, *shape))
    image = torch.from_numpy(x).movedim(-1, 1).float()
    sums = op.sums.reference(x)
    for larger in (
        layer(image),
        layer(image.contiguous()),
        functional.interpolate(image, scale_factor=block, mode="bilinear", antialias=True),
    ):
        np.testing.assert_array_equal(sums, larger.movedim(1, -1).double().numpy() * op.sums.total)
    np.testing.assert_array_equal(op.reference(x), layer(image).movedim(1, -1).numpy())
    assert op.infer(TensorType(shape, IntType(-9, 9))).shape == sums.shape[1:]


def test_a_row_by_hand():
    x = np.array([0, 4, 8]).reshape(1, 1, 3, 1)
    assert BilinearSums(2).reference(x)[0, 0, :, 0].tolist() == [0, 16, 48, 80, 112, 128]
    assert UpsampleBilinear(2).reference(x)[0, 1, :, 0].tolist() == [0, 1, 3, 5, 7, 8]


@pytest.mark.parametrize("block", BLOCKS)
def test_the_weights_of_a_sum(block: int):
    op = BilinearSums(block)
    for phase in range(block):
        weights = dict(op.taps(phase))
        for tap in range(3):
            formula = max(0, 2 * block - abs(2 * phase + 1 - block - 2 * block * (tap - 1)))
            assert weights.get(tap, 0) == formula
        assert sum(weights.values()) ** 2 == op.total


def test_types():
    shape, op = (2, 3, 4), UpsampleBilinear(2)
    sums = IntType(-48, 64)
    assert op.infer(TensorType(shape, IntType(-3, 4))) == TensorType((4, 6, 4), QuotientType(sums, 16))
    assert op.infer(TensorType(shape, QuotientType(IntType(-3, 4), 8))).element == QuotientType(sums, 128)
    assert op.infer(TensorType(shape, BinaryType())).element == QuotientType(IntType(-16, 16, 2), 16)
    assert op.infer(TensorType(shape, FloatType())) == TensorType((4, 6, 4), FloatType())
    assert BilinearSums(2).pooled(Reachable(np.array([-3, 0]), 1, 8), TensorType(shape, IntType(-3, 7))).count == 113


@pytest.mark.parametrize(
    ("block", "x", "message"),
    [
        (3, TensorType((2, 2, 1), IntType(0, 1)), r"^block=3 must be one of \(1, 2, 4, 8\)$"),
        (2, TensorType((4,), IntType(0, 1)), r"^reads images \(H, W, C\), not shape \(4,\)$"),
        (2, TensorType((2, 2, 1), IntType(0, 2**20 + 1)), r"exceeds 2\^24, where float32 stops being exact"),
    ],
)
def test_what_does_not_fit_is_refused(block: int, x: TensorType, message: str):
    with pytest.raises(ValueError, match=message):
        UpsampleBilinear(block).infer(x)


def test_sums_are_of_integers():
    with pytest.raises(TypeError, match=r"^reads float values; the sums of a bilinear upsampling are of integers$"):
        BilinearSums(2).infer(TensorType((2, 2, 1), FloatType()))
