import pytest
import torch

from bnnhw.model import BinaryConv2d
from bnnhw.model.methods import method_named
from bnnhw.model.methods.xnor_plus_plus import ScaleMap

SHAPES = {"map": [(4, 5, 6)], "product": [(4, 1, 1), (1, 5, 1), (1, 1, 6)]}


@pytest.mark.parametrize("scale", SHAPES)
def test_the_scale_of_a_pixel_is_the_product_of_its_factors(scale: str) -> None:
    method = method_named("xnor++", [f"scale={scale}"])
    conv = method.conv2d(3, 4, 3, size=(5, 6), padding=1)
    plain = BinaryConv2d(3, 4, 3, padding=1)
    plain.load_state_dict({"weight": conv.weight})
    assert isinstance(conv.map, ScaleMap)
    assert [tuple(factor.shape) for factor in conv.map.factors] == SHAPES[scale]
    x = torch.where(torch.randn(2, 3, 5, 6) >= 0, 1.0, -1.0)
    torch.testing.assert_close(conv(x), plain(x) * 27**-0.5)  # where training begins, sums have a variance of about 1
    with torch.no_grad():
        for factor in conv.map.factors:
            factor.copy_(torch.randn(factor.shape))
    gamma = torch.ones(4, 5, 6)
    for factor in conv.map.factors:
        gamma = gamma * factor
    torch.testing.assert_close(conv(x), plain(x) * gamma)


def test_by_default_there_is_one_for_each_channel() -> None:
    conv = method_named("xnor++").conv2d(3, 4, 3, size=(5, 6))
    assert (conv.map, conv.scale is not None and tuple(conv.scale.shape)) == (None, (4,))
