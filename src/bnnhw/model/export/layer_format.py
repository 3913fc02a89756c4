"""Each supported layer as plain data and back: the `nodes` of model.pt (docs/architecture.md lists their fields).

A layer becomes a `Layer` by `encode` and a torch module again by `decode`, which compute the same bits.

Tests: tests/model/export/test_save_model.py
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

import torch
from torch import Tensor, nn

from bnnhw.model.errors import ExportError
from bnnhw.model.layers.channels import ToChannelsFirst, ToChannelsLast
from bnnhw.model.layers.layers import Affine, BinaryConv2d, BinaryLayer, BinaryLinear, TensorNorm, pair
from bnnhw.model.layers.quantise import InputThreshold, Quantise, Sign
from bnnhw.model.layers.shift_norm import ShiftBatchNorm

from .packed import pack_signs, unpack_signs

__all__ = ["OPS", "SUPPORTED_MODULES", "Layer", "decode", "encode", "takes_channels_first"]

OPS = (
    "input_threshold", "flatten", "binary_linear", "binary_conv2d", "max_pool", "average_pool", "global_average_pool",
    "batch_norm", "affine", "hard_tanh", "relu", "identity", "sign", "quantise",
)  # fmt: skip
"""The ops of version 1 of the format."""

_AXES = ("height", "width")
_NO_FIELDS = {
    nn.Flatten: "flatten",
    nn.Hardtanh: "hard_tanh",
    nn.ReLU: "relu",
    nn.Identity: "identity",
    Sign: "sign",
}

SUPPORTED_MODULES = (
    InputThreshold, BinaryLinear, BinaryConv2d, TensorNorm, Affine, Sign, Quantise, ToChannelsFirst, ToChannelsLast,
    nn.BatchNorm1d, nn.BatchNorm2d, nn.SyncBatchNorm, ShiftBatchNorm, nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d,
    nn.Flatten, nn.Dropout, nn.Identity, nn.Hardtanh, nn.ReLU,
)  # fmt: skip
"""The layers that can be exported, besides the containers that call them."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Layer:
    """One node of the file: its dotted name, its op, and the op's numbers and tensors by field."""

    name: str
    op: str
    attributes: Mapping[str, int | float] = field(default_factory=dict)
    tensors: Mapping[str, Tensor] = field(default_factory=dict)


def encode(name: str, module: nn.Module) -> Layer:
    """`module`, one of SUPPORTED_MODULES, in eval mode, as plain data. ValueError for options that have no place there.

    Dropout becomes an identity; `ToChannelsFirst` and `ToChannelsLast` become ops of their own, which `Raster` takes
    out again before anything is written.
    """
    match module:
        case InputThreshold():
            return Layer(name=name, op="input_threshold", attributes={"threshold": module.threshold})
        case BinaryLinear():
            return _binary_layer(
                name, "binary_linear", module, in_features=module.in_features, out_features=module.out_features
            )
        case BinaryConv2d():
            return _binary_layer(
                name, "binary_conv2d", module,
                in_channels=module.in_channels, out_channels=module.out_channels, groups=module.groups,
                **_sizes(kernel=module.kernel_size, stride=module.stride, padding=module.padding),
                pad_value=module.pad_value,
            )  # fmt: skip
        case nn.MaxPool2d() | nn.AvgPool2d() | nn.AdaptiveAvgPool2d():
            return _pooling(name, module)
        case Quantise():
            return Layer(name=name, op="quantise", attributes={"bits": module.bits})
        case nn.BatchNorm1d() | nn.BatchNorm2d() | nn.SyncBatchNorm():
            if module.running_mean is None:
                raise ValueError(f"layer {name!r} keeps no running statistics; it needs track_running_stats=True")
            return Layer(
                name=name, op="batch_norm", attributes={"eps": module.eps},
                tensors=_present(
                    weight=module.weight, bias=module.bias, mean=module.running_mean, variance=module.running_var
                ),
            )  # fmt: skip
        case ShiftBatchNorm():  # a batch norm of mean 0 and variance 1
            weight, bias = module.folded()
            mean, variance = torch.zeros_like(bias), torch.ones_like(bias)
            tensors = _present(weight=weight, bias=bias, mean=mean, variance=variance)
            return Layer(name=name, op="batch_norm", attributes={"eps": 0.0}, tensors=tensors)
        case TensorNorm():
            weight, bias = module.folded()
            return Layer(name=name, op="affine", tensors=_present(weight=weight, bias=bias))
        case Affine():
            return Layer(name=name, op="affine", tensors=_present(weight=module.weight, bias=module.bias))
        case nn.Dropout():
            return Layer(name=name, op="identity")
        case ToChannelsFirst():
            return Layer(name=name, op="to_channels_first")
        case ToChannelsLast():
            return Layer(name=name, op="to_channels_last")
        case nn.Hardtanh(min_val=lo, max_val=hi) if (lo, hi) != (-1, 1):
            raise ValueError(f"layer {name!r} clips to [{lo}, {hi}]; only Hardtanh(-1, 1) is supported")
        case nn.Flatten(start_dim=start, end_dim=end) if (start, end) != (1, -1):
            raise ValueError(f"layer {name!r} flattens axes {start} to {end}; only Flatten(1, -1) is supported")
        case _:
            return Layer(name=name, op=_NO_FIELDS[type(module)])


def _binary_layer(name: str, op: str, module: BinaryLayer, **attributes: int) -> Layer:
    """A layer with binary weights; in the file a row's weights lie channel fastest, as hardware streams images.

    The file holds what the layer multiplies by, whatever method made it of the latent weights: signs, and one factor a
    channel. ExportError where there is more.
    """
    if module.map is not None:
        raise ExportError(f"layer {name!r} scales each pixel by its own factor; export supports one a channel")
    weight, scale = module.quantised()
    weight = weight.detach()
    if not bool((weight.abs() == 1).all()):
        raise ExportError(
            f"layer {name!r} has weights of {module.quantiser.bits} bits and {module.quantiser.bases} binary bases; "
            "export supports weights of -1 and +1 only"
        )
    if weight.ndim == 4:
        weight = weight.permute(0, 2, 3, 1)
    tensors = _present(weight=pack_signs(weight.flatten(1)), scale=scale, bias=module.bias)
    return Layer(name=name, op=op, attributes=attributes, tensors=tensors)


def _pooling(name: str, module: nn.MaxPool2d | nn.AvgPool2d | nn.AdaptiveAvgPool2d) -> Layer:
    """A pooling without padding, whose windows lie inside the image. ValueError for other options."""
    if isinstance(module, nn.AdaptiveAvgPool2d):
        if module.output_size not in (1, (1, 1)):
            raise ValueError(f"layer {name!r} pools to {module.output_size}; only AdaptiveAvgPool2d(1) is supported")
        return Layer(name=name, op="global_average_pool")
    plain = {"padding": (0, (0, 0)), "ceil_mode": (False,), "dilation": (1, (1, 1)), "divisor_override": (None,)}
    for option, defaults in plain.items():
        if (value := getattr(module, option, defaults[0])) not in defaults:
            raise ValueError(f"layer {name!r} has {option}={value}; only {option}={defaults[0]} is supported")
    op = "max_pool" if isinstance(module, nn.MaxPool2d) else "average_pool"
    sizes = _sizes(kernel=pair(module.kernel_size), stride=pair(module.stride))  # pyright: ignore[reportArgumentType]
    return Layer(name=name, op=op, attributes=sizes)


def _sizes(**pairs: tuple[int, int]) -> dict[str, int]:
    """Each (height, width) as two attributes."""
    return {f"{name}_{axis}": size for name, sizes in pairs.items() for axis, size in zip(_AXES, sizes, strict=True)}


def _present(**tensors: Tensor | None) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in tensors.items() if tensor is not None}


def takes_channels_first(layer: Layer, shape: tuple[int, ...]) -> bool | None:
    """Whether the module of `layer` takes images of `shape` (H, W, C) channels first; None where it takes either."""
    if layer.op in ("binary_conv2d", "max_pool", "average_pool", "global_average_pool"):
        return True
    if layer.op == "batch_norm" and len(shape) == 3:
        return True
    if layer.op == "flatten" or (layer.op == "affine" and len(layer.tensors["weight"]) > 1):
        return False
    return None


def decode(layer: Layer, *, image: bool = False) -> nn.Module:
    """The torch module, in eval mode, that computes what `layer` says; `layer` has passed `check_layer`.

    Modules for images, which take channels first, are those of convolution, pooling and, where its input is an `image`,
    of batch norm.
    """
    tensors, attributes = layer.tensors, layer.attributes
    match layer.op:
        case "input_threshold":
            module = InputThreshold(attributes["threshold"])
        case "quantise":
            module = Quantise(int(attributes["bits"]))
        case "binary_linear":
            module = BinaryLinear(
                int(attributes["in_features"]), int(attributes["out_features"]),
                scale="scale" in tensors, bias="bias" in tensors,
            )  # fmt: skip
            _load_binary(module, tensors)
        case "binary_conv2d":
            module = BinaryConv2d(
                int(attributes["in_channels"]), int(attributes["out_channels"]), _pair(layer, "kernel"),
                stride=_pair(layer, "stride"), padding=_pair(layer, "padding"), pad_value=int(attributes["pad_value"]),
                groups=int(attributes["groups"]), scale="scale" in tensors, bias="bias" in tensors,
            )  # fmt: skip
            _load_binary(module, tensors)
        case "max_pool":
            module = nn.MaxPool2d(_pair(layer, "kernel"), _pair(layer, "stride"))
        case "average_pool":
            module = nn.AvgPool2d(_pair(layer, "kernel"), _pair(layer, "stride"))
        case "global_average_pool":
            module = nn.AdaptiveAvgPool2d(1)
        case "batch_norm":
            mean, variance = tensors["mean"], tensors["variance"]
            kind = nn.BatchNorm2d if image else nn.BatchNorm1d
            module = kind(len(mean), eps=attributes["eps"], affine="weight" in tensors)
            parameters = {"running_mean": mean, "running_var": variance, "num_batches_tracked": torch.tensor(0)}
            module.load_state_dict(parameters | {name: tensors[name] for name in tensors if name in ("weight", "bias")})
        case "affine":
            module = Affine(tensors["weight"], tensors["bias"])
        case _:
            (kind,) = (kind for kind, op in _NO_FIELDS.items() if op == layer.op)
            module = kind()
    return module.eval()


def _pair(layer: Layer, name: str) -> tuple[int, int]:
    height, width = (int(layer.attributes[f"{name}_{axis}"]) for axis in _AXES)
    return height, width


def _load_binary(module: BinaryLayer, tensors: Mapping[str, Tensor]) -> None:
    """Give `module` the packed weights, and scale and bias where it has them."""
    rows, *rest = module.weight.shape
    weight = unpack_signs(tensors["weight"], prod(rest))
    if rest[1:]:
        weight = weight.view(rows, *rest[1:], rest[0]).permute(0, 3, 1, 2)
    module.load_state_dict({**tensors, "weight": weight})
