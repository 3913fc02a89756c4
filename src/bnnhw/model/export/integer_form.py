"""Whether a chain of layers has an exact integer form: what the compiler would refuse is refused before it is saved.

Tests: tests/test_saved_to_integers.py
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

import torch
from torch import Tensor

from bnnhw.model.errors import ExportError

from .layer_check import check_layer
from .layer_format import Layer, decode
from .packed import unpack_signs

__all__ = ["check_integer_form"]

_EXACT = 2**24  # integers up to this magnitude are exact in float32
_LEVELS = 2**16  # of an input


@dataclass(frozen=True, kw_only=True)
class _Values:
    """What a value of the chain is: float layers of integers over a divisor.

    shape: without batch axis. lows, highs: of the integers, int64 (channels,) or (1,). sums: whether they are a layer's
    dot products, perhaps pooled, whose rows of weights can be inverted. averages: how many are in the divisor. floats:
    what comes behind the division. flattened: whether pixels became channels since the integers.
    """

    shape: tuple[int, ...]
    lows: Tensor
    highs: Tensor
    sums: bool = False
    divisor: int = 1
    averages: int = 0
    floats: tuple[Layer, ...] = ()
    flattened: bool = False


def check_integer_form(layers: Sequence[Layer], shape: tuple[int, ...], lo: int, hi: int) -> None:
    """ExportError, which names the layer, where the chain from integers in [lo, hi] of `shape` has no integer form.

    The layers are sound (`check_layer`). Each activation must read integers, or rounded functions of integers of which
    each channel rises or, behind a layer with binary weights, falls, and each layer with binary weights the integers
    that activations and the input are, or their averages over a power of two.
    """
    if hi - lo >= _LEVELS:
        raise ExportError(f"the input has {hi - lo + 1} values, from {lo} to {hi}; {_LEVELS} are supported")
    values = _Values(shape=shape, lows=torch.tensor([lo]), highs=torch.tensor([hi]))
    for layer in layers:
        values = replace(_behind(layer, values), shape=check_layer(layer, values.shape))
    last = f"layer {layers[-1].name!r}"
    if not values.sums and (values.floats or values.averages):
        raise ExportError(f"{last} makes scores of no layer with binary weights; put one before it")
    if values.sums and values.flattened:
        raise ExportError(f"{last} gives several scores a channel; put an average of the whole image before it")
    if values.sums:
        _ends(last, values)


def _behind(layer: Layer, values: _Values) -> _Values:
    """The values behind `layer`, whose shape is yet to be set."""
    what = f"layer {layer.name!r}"
    match layer.op:
        case "binary_linear" | "binary_conv2d":
            return _product(what, layer, values)
        case "sign" | "input_threshold" | "quantise":
            return _activation(what, layer, values)
        case "flatten":
            pixels = prod(values.shape[:-1])
            return replace(values, flattened=values.flattened or (pixels > 1 and (values.sums or bool(values.floats))))
        case "max_pool":
            if values.floats and not values.sums:
                raise ExportError(f"{what} takes the greatest of real numbers; put a Sign or Quantise before it")
            _ends(what, values)
            return values
        case "average_pool" | "global_average_pool":
            return _average(what, layer, values)
        case "identity":
            return values
        case _:
            return _float(what, layer, values)


def _product(what: str, layer: Layer, values: _Values) -> _Values:
    """The sums of a layer with binary weights, its scale and bias behind them."""
    if values.sums or values.floats:
        raise ExportError(f"{what} reads real numbers; put a Sign or Quantise before it")
    if values.divisor.bit_count() > 1 or values.averages > 1:
        raise ExportError(
            f"{what} reads averages of {values.divisor} values; only one average, of a power of two, may come before it"
        )
    attributes = layer.attributes
    columns, pads = values.shape[-1], 0
    if layer.op == "binary_conv2d":
        columns = prod(int(attributes[f"kernel_{axis}"]) for axis in ("height", "width"))
        columns *= int(attributes["in_channels"]) // int(attributes["groups"])
        pads = int(attributes["padding_height"] or attributes["padding_width"])
    lo, hi = values.lows[0], values.highs[0]
    if pads:
        pad_value = int(attributes["pad_value"]) * values.divisor
        lo, hi = lo.clamp(max=pad_value), hi.clamp(min=pad_value)
    ones = (unpack_signs(layer.tensors["weight"], columns) > 0).sum(1)
    lows, highs = ones * lo - (columns - ones) * hi, ones * hi - (columns - ones) * lo
    scaled = (layer,) if layer.tensors.keys() - {"weight"} else ()
    return _exact(what, replace(values, lows=lows, highs=highs, sums=True, floats=scaled))


def _activation(what: str, layer: Layer, values: _Values) -> _Values:
    """A few integers. Those of a channel must not fall where no weights can be inverted."""
    ends = decode(layer)(_ends(what, values))
    if not values.sums and bool((falls := ends[0] > ends[1]).any()):
        raise ExportError(
            f"{what} falls in channel {int(falls.nonzero()[0])} as the integers that it reads rise; it may fall only "
            "behind a layer with binary weights: make the factor before it positive"
        )
    lo, hi = (0, 2 ** int(layer.attributes["bits"]) - 1) if layer.op == "quantise" else (-1, 1)
    return _Values(shape=values.shape, lows=torch.tensor([lo]), highs=torch.tensor([hi]))


def _average(what: str, layer: Layer, values: _Values) -> _Values:
    """Exact sums, and a division that is still to come."""
    if values.floats or values.divisor.bit_count() > 1:
        raise ExportError(
            f"{what} averages values that are no integers; put it directly behind a layer with binary weights and "
            "without scale and bias, or behind a sign"
        )
    sizes = [int(layer.attributes[f"kernel_{axis}"]) for axis in ("height", "width") if layer.attributes]
    count = prod(sizes or values.shape[:2])
    pooled = replace(
        values, lows=values.lows * count, highs=values.highs * count, divisor=values.divisor * count,
        averages=values.averages + 1,
    )  # fmt: skip
    return _exact(what, pooled)


def _float(what: str, layer: Layer, values: _Values) -> _Values:
    """A function of each element in float32."""
    alike = all(len(tensor) == 1 for tensor in layer.tensors.values()) and layer.op != "batch_norm"
    if values.flattened and not alike:
        if values.floats:
            raise ExportError(
                f"{what} has factors for features of a flattened image, behind other real numbers; put a Sign or "
                "Quantise before the Flatten, or the layer before it"
            )
        values = replace(
            values, sums=False, flattened=False, lows=values.lows.min()[None], highs=values.highs.max()[None]
        )
    return _exact(what, replace(values, floats=(*values.floats, layer)))


def _exact(what: str, values: _Values) -> _Values:
    """`values`, unless float32 rounds their integers."""
    most = max(-int(values.lows.min()), int(values.highs.max()))
    if most > _EXACT:
        raise ExportError(f"{what} has sums of up to {most}, beyond 2^24, where float32 stops being exact; split it")
    return values


def _ends(what: str, values: _Values) -> Tensor:
    """The least and the greatest integer of each channel behind division and float layers: (2, channels) float32.

    As all of them rise or fall, so that NaN can come from infinities only, all in between is sound where these two are.
    """
    _exact(what, values)
    lengths = (len(tensor) for layer in values.floats for tensor in layer.tensors.values())
    channels = len(values.lows) if values.sums else max(lengths, default=1)
    x = torch.stack([values.lows, values.highs]).expand(2, channels).float() / values.divisor
    for layer in values.floats:
        if layer.op == "batch_norm":
            _check_factors(layer)
        if layer.op.startswith("binary_"):
            x = x * layer.tensors["scale"] if "scale" in layer.tensors else x
            x = x + layer.tensors["bias"] if "bias" in layer.tensors else x
        else:
            x = decode(layer)(x)
    if bool(x.isnan().any()):
        raise ExportError(f"{what} reads NaN for values that can occur: a factor before it overflows float32")
    return x


def _check_factors(layer: Layer) -> None:
    """ExportError where a batch norm's factor or offset, which torch computes first, overflows."""
    tensors = layer.tensors
    factor = torch.rsqrt(tensors["variance"] + layer.attributes["eps"]) * tensors.get("weight", torch.tensor(1.0))
    offset = tensors.get("bias", torch.tensor(0.0)) - tensors["mean"] * factor
    if not bool((factor.isfinite() & offset.isfinite()).all()):
        raise ExportError(
            f"layer {layer.name!r} has a factor weight / sqrt(variance + eps), or mean times it, that overflows float32"
        )
