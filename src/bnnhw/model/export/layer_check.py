"""What a layer of model.pt must look like, checked before anything is computed with it.

Tests: tests/model/export/test_model_file.py
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from .layer_format import OPS, Layer

__all__ = ["check_layer"]

_KERNEL = ("kernel_height", "kernel_width", "stride_height", "stride_width")
_PADDING = ("padding_height", "padding_width")
_ATTRIBUTES: Mapping[str, Mapping[str, type]] = {
    "input_threshold": {"threshold": float},
    "quantise": {"bits": int},
    "binary_linear": {"in_features": int, "out_features": int},
    "binary_conv2d": dict.fromkeys(("in_channels", "out_channels", "pad_value", "groups", *_KERNEL, *_PADDING), int),
    "max_pool": dict.fromkeys(_KERNEL, int),
    "average_pool": dict.fromkeys(_KERNEL, int),
    "batch_norm": {"eps": float},
}
_TENSORS: Mapping[str, tuple[str, ...]] = {
    "binary_linear": ("weight",),
    "binary_conv2d": ("weight",),
    "batch_norm": ("mean", "variance"),
    "affine": ("weight", "bias"),
}
_OPTIONAL_TENSORS: Mapping[str, tuple[str, ...]] = {
    "binary_linear": ("scale", "bias"),
    "binary_conv2d": ("scale", "bias"),
    "batch_norm": ("weight", "bias"),
}


def check_layer(layer: Layer, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of the layer's output for an input of `shape`, without batch axis, once all its fields are found sound.

    ValueError names the layer and the field that is missing, unknown, of the wrong type or shape, or not finite.
    """
    what = f"layer {layer.name!r} ({layer.op})"
    if layer.op not in OPS:
        raise ValueError(f"layer {layer.name!r} has the unknown op {layer.op!r}; known ones are {', '.join(OPS)}")
    attributes, tensors = _ATTRIBUTES.get(layer.op, {}), _TENSORS.get(layer.op, ())
    _check_names(f"{what} attribute", layer.attributes, attributes, ())
    _check_names(f"{what} tensor", layer.tensors, tensors, _OPTIONAL_TENSORS.get(layer.op, ()))
    for name, kind in attributes.items():
        _check_number(f"{name} of {what}", layer.attributes[name], kind)
    if layer.op == "flatten":
        return (math.prod(shape),)
    if layer.op == "binary_linear":
        return _check_binary_linear(what, layer, shape)
    if layer.op in ("binary_conv2d", "max_pool", "average_pool", "global_average_pool"):
        return _check_spatial(what, layer, shape)
    if layer.op == "quantise" and not 1 <= layer.attributes["bits"] <= 8:
        raise ValueError(f"bits of {what} must lie between 1 and 8, not be {layer.attributes['bits']}")
    if layer.op in ("batch_norm", "affine"):
        if len(shape) == 2:
            raise ValueError(f"{what} needs an input with one axis or three, not {shape}; flatten it first")
        lengths = {(1,), shape[-1:]} if layer.op == "affine" else {shape[-1:]}
        for name, tensor in layer.tensors.items():
            _check_tensor(f"{name} of {what}", tensor, torch.float32, lengths)
    if layer.op == "batch_norm":
        if ("weight" in layer.tensors) != ("bias" in layer.tensors):
            raise ValueError(f"{what} must have both weight and bias, or neither")
        variance, eps = layer.tensors["variance"], layer.attributes["eps"]
        if eps < 0 or not bool(((variance >= 0) & (variance + eps > 0)).all()):
            raise ValueError(f"variance and eps of {what} must be at least 0, their sum greater, in every channel")
    return shape


def _check_binary_linear(what: str, layer: Layer, shape: tuple[int, ...]) -> tuple[int, ...]:
    rows, columns = int(layer.attributes["out_features"]), int(layer.attributes["in_features"])
    if shape != (columns,) or rows < 1:
        raise ValueError(f"{what} maps ({columns},) to ({rows},); its input has shape {shape}")
    _check_weights(what, layer, rows, columns)
    return (rows,)


def _check_spatial(what: str, layer: Layer, shape: tuple[int, ...]) -> tuple[int, ...]:
    """A convolution or a pooling."""
    if len(shape) != 3:
        raise ValueError(f"{what} needs images (H, W, C); its input has shape {shape}")
    sizes = {name: int(value) for name, value in layer.attributes.items()}
    channels = shape[2]
    if layer.op == "global_average_pool":
        return (1, 1, channels)
    for name in _KERNEL:
        if sizes[name] < 1:
            raise ValueError(f"{name} of {what} must be at least 1, not {sizes[name]}")
    if layer.op == "binary_conv2d":
        channels = _check_convolution(what, layer, sizes, channels)
    counts = tuple(
        (size + 2 * sizes.get(f"padding_{axis}", 0) - sizes[f"kernel_{axis}"]) // sizes[f"stride_{axis}"] + 1
        for axis, size in zip(("height", "width"), shape[:2], strict=True)
    )
    if min(counts) < 1:
        raise ValueError(f"the window of {what} does not fit into its input of shape {shape}")
    return (*counts, channels)


def _check_convolution(what: str, layer: Layer, sizes: Mapping[str, int], channels: int) -> int:
    """The output channels."""
    rows, groups = sizes["out_channels"], sizes["groups"]
    if min(sizes[name] for name in _PADDING) < 0 or sizes["pad_value"] not in (-1, 0, 1):
        raise ValueError(f"padding of {what} must be at least 0, and its value -1, 0 or 1")
    if rows < 1 or groups < 1 or rows % groups or channels % groups or sizes["in_channels"] != channels:
        raise ValueError(
            f"{what} maps {sizes['in_channels']} channels to {rows} in {groups} groups; its input has {channels}"
        )
    _check_weights(what, layer, rows, sizes["kernel_height"] * sizes["kernel_width"] * (channels // groups))
    return rows


def _check_weights(what: str, layer: Layer, rows: int, columns: int) -> None:
    """Packed weights, and scale and bias where there are any."""
    weight = layer.tensors["weight"]
    _check_tensor(f"weight of {what}", weight, torch.uint8, {(rows, -(-columns // 8))})
    if columns % 8 and bool((weight[:, -1] >> columns % 8).any()):
        raise ValueError(f"weight of {what} has bits set beyond column {columns}")
    for name in layer.tensors.keys() - {"weight"}:
        _check_tensor(f"{name} of {what}", layer.tensors[name], torch.float32, {(rows,)})


def _check_names(what: str, given: Mapping[str, object], required: object, optional: tuple[str, ...]) -> None:
    required = set(required)  # pyright: ignore[reportArgumentType]
    if missing := sorted(required - given.keys()):
        raise ValueError(f"{what} {missing[0]!r} is missing")
    if unknown := sorted(given.keys() - required - set(optional)):
        raise ValueError(f"{what} {unknown[0]!r} is unknown")


def _check_number(what: str, value: object, kind: type) -> None:
    if type(value) not in {int, kind} or not math.isfinite(value):  # pyright: ignore[reportArgumentType]
        raise ValueError(f"{what} must be a finite {kind.__name__}, not {value!r}")


def _check_tensor(what: str, tensor: Tensor, dtype: torch.dtype, shapes: set[tuple[int, ...]]) -> None:
    if tensor.dtype != dtype or tuple(tensor.shape) not in shapes:
        raise ValueError(
            f"{what} must be {str(dtype).removeprefix('torch.')} {' or '.join(map(str, sorted(shapes)))}, "
            f"not {str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
        )
    if not bool(tensor.isfinite().all()):
        raise ValueError(f"{what} must hold finite numbers only")
