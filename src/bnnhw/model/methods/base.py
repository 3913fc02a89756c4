"""What a method is: it makes the parts of a network that turn real numbers into few bits.

Tests: tests/model/methods/test_methods.py
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from torch import nn

from bnnhw.model.fixed_point.conversion import FixedPointOptions
from bnnhw.model.layers.gradients import Gradient, gradient_named
from bnnhw.model.layers.layers import BinaryConv2d, BinaryLinear, LayerOptions
from bnnhw.model.layers.quantise import Sign
from bnnhw.model.layers.weights import SignWeights, WeightQuantiser

__all__ = ["GradientName", "Method", "SignMethod", "Traits"]

GradientName = Literal["ste", "ppf", "ede", "rbnn", "swish-sign"]


@dataclass(frozen=True, kw_only=True)
class Traits:
    """What `bnnhw methods` says of a method, one column each."""

    weights: str
    activations: str
    scale: str
    gradient: str
    hardware: str
    paper: str


@dataclass(frozen=True, kw_only=True)
class Method:
    """One way to train a binary network; its fields are its options (`--method-option name=value`).

    A network is built of what these functions make, a new module for each layer, because modules may hold parameters.

    pad_value: what convolutions are padded with; it is one of the values that `activation` gives. shortcuts: around how
    many convolutions a residual network has them, see `resnet.ResNetOptions`.
    """

    name: ClassVar[str]
    traits: ClassVar[Traits]
    pad_value: ClassVar[int]
    shortcuts: ClassVar[Literal["plain", "bireal"]] = "plain"

    def weights(self) -> WeightQuantiser:
        """From latent weights to those of a layer."""
        raise NotImplementedError

    def activation(self) -> nn.Module:
        """Between a batch norm and the next layer."""
        raise NotImplementedError

    def fixed_point(self) -> FixedPointOptions | None:
        """What real values of `activation`, and scores of so many sums that no table of their ranks fits an FPGA,
        become where the network has no other real numbers; None where there are none, or they stay."""
        return None

    def norm(self, channels: int, *, images: bool) -> nn.Module:
        """Behind a layer with binary weights, whose outputs are `images` (N, channels, H, W) or (N, channels)."""
        return nn.BatchNorm2d(channels) if images else nn.BatchNorm1d(channels)

    def layer_scale(self, channels: int, *, fan_in: int, size: tuple[int, int] | None) -> bool | nn.Module:
        """A layer's learnt `scale`, as for `BinaryLayer`; size: (height, width) of a convolution's output."""
        return False

    def layer_options(self, *, last: bool = False) -> LayerOptions:
        """The options of `BinaryLayer` that all layers share, made anew for each; `last` as for `linear`."""
        return {"weights": self.weights()}

    def linear(self, in_features: int, out_features: int, *, first: bool = False, last: bool = False) -> BinaryLinear:
        """A fully connected layer; the `first` one reads the network's input instead of what `activation` gives, the
        `last` one gives the scores."""
        scale = self.layer_scale(out_features, fan_in=in_features, size=None)
        options: LayerOptions = {**self.layer_options(last=last), "scale": scale}
        return BinaryLinear(in_features, out_features, **options)

    def conv2d(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        size: tuple[int, int],
        first: bool = False,
        **geometry: Any,
    ) -> BinaryConv2d:
        """A convolution whose output is of `size` (height, width); `geometry` as for `BinaryConv2d`."""
        scale = self.layer_scale(out_channels, fan_in=in_channels * kernel_size**2, size=size)
        options: LayerOptions = {**self.layer_options(), "scale": scale}
        return BinaryConv2d(in_channels, out_channels, kernel_size, **geometry, **options)


@dataclass(frozen=True, kw_only=True)
class SignMethod(Method):
    """A method whose activations are signs. gradient: what stands for the derivative of sign."""

    pad_value = -1

    gradient: GradientName = "ste"

    def sign_gradient(self, *, of_activations: bool = False) -> Gradient:
        """The gradient of that name, of weights unless it is `of_activations`."""
        return gradient_named(self.gradient, of_activations=of_activations)

    def weights(self) -> WeightQuantiser:
        return SignWeights(self.sign_gradient())

    def activation(self) -> nn.Module:
        return Sign(self.sign_gradient(of_activations=True))
