"""What moves or leaves out pixels: by its definition, as torch does it, and what is refused."""

import numpy as np
import pytest
import torch
from torch import nn

from bnnhw.compiler.ir.ops import Crop, DepthToSpace, Rearrangement, SpaceToDepth, UpsampleNearest
from bnnhw.compiler.ir.types import BinaryType, FloatType, IntType, TensorType
from bnnhw.model.registry import to_module, to_op

OPS = {
    "space to depth of 2": (SpaceToDepth(2), (4, 6, 3), nn.PixelUnshuffle(2)),
    "space to depth of 3": (SpaceToDepth(3), (3, 6, 2), nn.PixelUnshuffle(3)),
    "depth to space of 2": (DepthToSpace(2), (3, 2, 12), nn.PixelShuffle(2)),
    "depth to space of 3": (DepthToSpace(3), (2, 3, 18), nn.PixelShuffle(3)),
    "crop": (Crop((1, 2), (0, 3)), (4, 7, 2), nn.ZeroPad2d((-2, -3, -1, 0))),
    "crop of the end": (Crop((0, 0), (2, 0)), (4, 5, 2), nn.ZeroPad2d((0, 0, 0, -2))),
    "nearest by 2": (UpsampleNearest(2), (3, 2, 3), nn.Upsample(scale_factor=2)),
    "nearest by 40": (UpsampleNearest(40), (2, 60, 1), nn.UpsamplingNearest2d(scale_factor=(40, 40))),
}


@pytest.mark.parametrize("name", OPS)
def test_values_are_torchs(name: str):
    op, shape, layer = OPS[name]
    assert to_op("layer", layer) == op
    x = np.random.default_rng(0).integers(-9, 9, (2, *shape))
    expected = to_module("layer", op, shape)(torch.from_numpy(x).movedim(-1, 1).float()).movedim(1, -1).numpy()
    for element in (BinaryType(), IntType(-9, 9), FloatType()):
        assert op.infer(TensorType(shape, element)) == TensorType(expected.shape[1:], element)
    np.testing.assert_array_equal(op.reference(x), expected)


def test_the_order_of_channels():
    """A block's pixels one after the other, row by row, channel by channel."""
    x = np.arange(8).reshape(1, 2, 2, 2)  # pixels (0, 1), (2, 3) above (4, 5), (6, 7)
    assert SpaceToDepth(2).reference(x).ravel().tolist() == [0, 2, 4, 6, 1, 3, 5, 7]
    np.testing.assert_array_equal(DepthToSpace(2).reference(SpaceToDepth(2).reference(x)), x)


@pytest.mark.parametrize(
    ("make", "shape", "message"),
    [
        (lambda: SpaceToDepth(0), (4, 4, 1), r"^block=0 must be at least 1$"),
        (lambda: SpaceToDepth(2), (4, 5, 1), r"^block=2 must divide the image's height and width, \(4, 5\)$"),
        (lambda: DepthToSpace(-1), (4, 4, 1), r"^block=-1 must be at least 1$"),
        (lambda: DepthToSpace(2), (4, 4, 6), r"^block=2: 4 must divide the 6 channels$"),
        (lambda: UpsampleNearest(0), (4, 4, 1), r"^block=0 must be at least 1$"),
        (lambda: UpsampleNearest(2), (16,), r"^reads images \(H, W, C\), not shape \(16,\)$"),
        (lambda: SpaceToDepth(2), (16,), r"^reads images \(H, W, C\), not shape \(16,\)$"),
        (lambda: Crop((0, -1), (0, 0)), (4, 4, 1), r"^before must be \(height, width\), each at least 0"),
        (lambda: Crop((2, 0), (2, 0)), (4, 4, 1), r"^leaves out \(2, 0\) rows .* nothing of an image of \(4, 4\);"),
    ],
)
def test_what_does_not_fit_is_refused(make, shape: tuple[int, ...], message: str):
    def infer() -> None:
        op: Rearrangement = make()
        op.infer(TensorType(shape, BinaryType()))

    with pytest.raises(ValueError, match=message):
        infer()


@pytest.mark.parametrize("op", [SpaceToDepth(1), DepthToSpace(1), UpsampleNearest(1), Crop((0, 0), (0, 0))])
def test_some_do_nothing(op: Rearrangement):
    assert op.is_identity(TensorType((2, 2, 4), BinaryType()))
