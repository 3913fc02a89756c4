"""A layer as one whose weights are integers or signs.

Tests: tests/model/fixed_point/test_conversion.py
"""

from torch import nn

from bnnhw.model.errors import ExportError
from bnnhw.model.layers.integer_weights import IntegerWeights
from bnnhw.model.layers.layers import BinaryConv2d, BinaryLayer, BinaryLinear, LayerOptions
from bnnhw.model.layers.transposed import BinaryConvTranspose2d
from bnnhw.model.layers.weights import SignWeights

__all__ = ["integer_layer"]


RealLayer = nn.Conv2d | nn.ConvTranspose2d | nn.Linear


def integer_layer(name: str, module: RealLayer | BinaryLayer, *, bits: int) -> BinaryLayer:
    """A layer of torch's with the same parameters, its weights integers of `bits` bits, or signs with a factor for each
    channel where that is 1; those of a transposed one are copied, the output channel first. A binary layer as it is.
    ExportError names the layer that cannot be so."""
    if isinstance(module, BinaryLayer):
        _check(name, module)
        return module
    weights = SignWeights(scaled=True) if bits == 1 else IntegerWeights(bits)
    options: LayerOptions = {"weights": weights, "bias": module.bias is not None}
    if isinstance(module, nn.Conv2d):
        if module.padding_mode != "zeros" or isinstance(module.padding, str):
            raise ExportError(
                f"layer {name!r} pads by {module.padding!r} with {module.padding_mode!r}; fixed point takes numbers "
                "and 'zeros'"
            )
        layer = BinaryConv2d(
            module.in_channels, module.out_channels, _pair(module.kernel_size), stride=_pair(module.stride),
            padding=_pair(module.padding), groups=module.groups, dilation=_pair(module.dilation), **options,
        )  # fmt: skip
    elif isinstance(module, nn.ConvTranspose2d):
        return _transposed(name, module, options)
    else:
        layer = BinaryLinear(module.in_features, module.out_features, **options)
    assert isinstance(module.weight, nn.Parameter)
    assert isinstance(module.bias, nn.Parameter | None)
    layer.weight, layer.bias = module.weight, module.bias
    return layer


def _transposed(name: str, module: nn.ConvTranspose2d, options: LayerOptions) -> BinaryConvTranspose2d:
    stride, *_ = module.stride
    if module.groups > 1 or {*module.dilation} != {1} or {*module.stride} != {stride}:
        raise ExportError(
            f"layer {name!r} has groups={module.groups}, dilation={module.dilation} and stride={module.stride}; fixed "
            "point takes transposed convolutions of one group, without dilation, of one stride for both axes"
        )
    assert not isinstance(module.padding, str)
    layer = BinaryConvTranspose2d(
        module.in_channels, module.out_channels, _pair(module.kernel_size), stride=stride,
        padding=_pair(module.padding), output_padding=_pair(module.output_padding), **options,
    )  # fmt: skip
    layer.weight = nn.Parameter(module.weight.detach().transpose(0, 1).contiguous())
    assert isinstance(module.bias, nn.Parameter | None)
    layer.bias = module.bias
    return layer


def _check(name: str, layer: BinaryLayer) -> None:
    quantiser = layer.quantiser
    if type(layer) not in (BinaryConv2d, BinaryConvTranspose2d, BinaryLinear):
        raise ExportError(
            f"layer {name!r} is a {type(layer).__name__}, which fixed point does not take; it takes BinaryConv2d, "
            "BinaryConvTranspose2d and BinaryLinear, whose factors are those of channels"
        )
    if layer.map is not None:
        raise ExportError(f"layer {name!r} scales each pixel by its own factor; fixed point takes one a channel")
    if max(quantiser.bases, quantiser.bits) > 1 and not quantiser.integers:
        raise ExportError(
            f"layer {name!r} has weights of {quantiser.bits} bits and {quantiser.bases} binary bases; "
            "fixed point takes signs and integers, such as those of IntegerWeights"
        )


def _pair(lengths: tuple[int, ...]) -> tuple[int, int]:
    height, width = lengths
    return height, width
