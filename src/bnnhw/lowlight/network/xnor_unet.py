"""The U-Net of "Learning to See in the Dark" with XNOR-Net's binary convolutions."""

from dataclasses import dataclass

from torch import nn

from bnnhw.model.layers.quantise import Sign
from bnnhw.model.methods.xnor import MeanScaledWeights, XnorConv2d

from .unet import UNet, UNetShape

__all__ = ["XnorUNet", "XnorUNetShape"]


@dataclass(frozen=True, kw_only=True)
class XnorUNetShape(UNetShape):
    """What sets one network apart from another."""

    def __str__(self) -> str:
        return self.described("xnor-unet")


class XnorUNet(UNet):
    """The U-Net whose convolutions but the first and the last are ((sign(x) * sign(w)) . alpha + bias) . K, each
    behind a batch norm. K, the mean of |x| over the channels and the window, is a factor for each pixel
    (`XnorConv2d`), for which there is no hardware.

    A transposed convolution is one of 1x1 to four times the channels, which become pixels; it has no bias. Source:
    Rastegari et al., XNOR-Net, arXiv:1603.05279.
    """

    def __init__(self, shape: XnorUNetShape):
        self.shape = shape
        super().__init__(shape)

    def convolution(self, inputs: int, outputs: int) -> dict[str, nn.Module]:
        return {"norm": nn.BatchNorm2d(inputs), "conv": _xnor(inputs, outputs, 3, bias=True)}

    def transposed(self, inputs: int, outputs: int) -> dict[str, nn.Module]:
        conv = _xnor(inputs, 4 * outputs, 1, bias=False)
        return {"norm": nn.BatchNorm2d(inputs), "conv": conv, "shuffle": nn.PixelShuffle(2)}


def _xnor(inputs: int, outputs: int, kernel: int, *, bias: bool) -> XnorConv2d:
    weights, activation = MeanScaledWeights(), Sign()
    return XnorConv2d(inputs, outputs, kernel, padding=kernel // 2, weights=weights, activation=activation, bias=bias)
