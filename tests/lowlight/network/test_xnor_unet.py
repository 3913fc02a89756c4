import torch
from torch import nn
from torch.nn import functional

from bnnhw.lowlight.network.xnor_unet import XnorUNet, XnorUNetShape
from bnnhw.model.methods.xnor import XnorConv2d


def test_layers_are_those_of_the_article() -> None:
    made = XnorUNet(XnorUNetShape(width=2))
    binary = [layer for layer in made.modules() if isinstance(layer, XnorConv2d)]
    assert [(layer.in_channels, layer.out_channels, layer.kernel_size[0]) for layer in binary] == [
        *((2, 2, 3), (2, 4, 3), (4, 4, 3), (4, 8, 3), (8, 8, 3), (8, 16, 3), (16, 16, 3), (16, 32, 3), (32, 32, 3)),
        *((32, 64, 1), (16, 32, 1), (8, 16, 1), (4, 8, 1)),
        *((32, 16, 3), (16, 16, 3), (16, 8, 3), (8, 8, 3), (8, 4, 3), (4, 4, 3), (4, 2, 3), (2, 2, 3)),
    ]
    assert sum(isinstance(layer, nn.Conv2d) for layer in made.modules()) == 2  # the first and the last one


def test_a_convolution_scales_each_pixel_by_the_mean_of_its_inputs() -> None:
    torch.manual_seed(0)
    conv = next(layer for layer in XnorUNet(XnorUNetShape(width=2)).modules() if isinstance(layer, XnorConv2d))
    x = torch.randn(1, 2, 5, 5)
    signs = functional.conv2d(x.sign(), conv.weight.sign(), padding=1)
    mean = functional.conv2d(x.abs(), torch.full((1, 2, 3, 3), 1 / 18), padding=1)
    alpha = conv.weight.abs().mean((1, 2, 3)).view(-1, 1, 1)
    assert conv.bias is not None
    nn.init.normal_(conv.bias)
    torch.testing.assert_close(conv(x), (signs * alpha + conv.bias.view(-1, 1, 1)) * mean)
