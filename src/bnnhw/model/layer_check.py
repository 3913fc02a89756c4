"""What a layer of model.pt must look like, checked before anything is computed with it."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from .layer_format import OPS, Layer

__all__ = ["check_layer"]

_ATTRIBUTES: Mapping[str, Mapping[str, type]] = {
    "input_threshold": {"threshold": float},
    "binary_linear": {"in_features": int, "out_features": int},
    "batch_norm": {"eps": float},
}
_TENSORS: Mapping[str, tuple[str, ...]] = {
    "binary_linear": ("weight",),
    "batch_norm": ("mean", "variance"),
    "affine": ("weight", "bias"),
}
_OPTIONAL_TENSORS: Mapping[str, tuple[str, ...]] = {
    "binary_linear": ("scale", "bias"),
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
    if layer.op in ("batch_norm", "affine"):
        if len(shape) != 1:
            raise ValueError(f"{what} needs an input with one axis, not {shape}; flatten it first")
        lengths = {(1,), shape} if layer.op == "affine" else {shape}
        for name, tensor in layer.tensors.items():
            _check_tensor(f"{name} of {what}", tensor, torch.float32, lengths)
    if layer.op == "batch_norm":
        if ("weight" in layer.tensors) != ("bias" in layer.tensors):
            raise ValueError(f"{what} must have both weight and bias, or neither")
        if not bool((layer.tensors["variance"] + layer.attributes["eps"] > 0).all()):
            raise ValueError(f"variance + eps of {what} must be greater than 0 in every channel")
    return shape


def _check_binary_linear(what: str, layer: Layer, shape: tuple[int, ...]) -> tuple[int, ...]:
    rows, columns = int(layer.attributes["out_features"]), int(layer.attributes["in_features"])
    if shape != (columns,) or rows < 1:
        raise ValueError(f"{what} maps ({columns},) to ({rows},); its input has shape {shape}")
    weight = layer.tensors["weight"]
    _check_tensor(f"weight of {what}", weight, torch.uint8, {(rows, -(-columns // 8))})
    if columns % 8 and bool((weight[:, -1] >> columns % 8).any()):
        raise ValueError(f"weight of {what} has bits set beyond column {columns}")
    for name in layer.tensors.keys() - {"weight"}:
        _check_tensor(f"{name} of {what}", layer.tensors[name], torch.float32, {(rows,)})
    return (rows,)


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
