"""model.pt in memory, and its way to and from plain data. docs/architecture.md describes the format."""

import io
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from bnnhw.model.layers.channels import ToChannelsFirst, ToChannelsLast

from .layer_check import check_layer
from .layer_format import Layer, decode, takes_channels_first

__all__ = ["ModelFile", "parse", "read", "unpack"]

FORMAT = "bnnhw-model"
VERSION = 1
_INPUT = "input"
_T = TypeVar("_T")


@dataclass(frozen=True, eq=False, kw_only=True)
class ModelFile:
    """A trained network as data: a chain of layers from integers in [lo, hi] of `shape` to one score for each class.

    Making one checks it: ValueError names the layer whose fields do not fit.

    Attributes
    ----------
    shape : tuple of int
        Of the input without batch axis: (H, W, C), or fewer axes where it is no picture.
    lo, hi : int
    layers : tuple of Layer
    meta : mapping
        Plain data about the network: `network`, `dataset`, `classes`, `bnnhw`, `metrics` and whatever else was given.
    """

    shape: tuple[int, ...]
    lo: int
    hi: int
    layers: tuple[Layer, ...]
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 1 <= len(self.shape) <= 3 or not all(type(size) is int and size >= 1 for size in self.shape):
            raise ValueError(f"the input's shape must be one to three sizes, such as (28, 28, 1), not {self.shape}")
        if type(self.lo) is not int or type(self.hi) is not int or not self.lo <= self.hi:
            raise ValueError(f"the input's range must be two integers lo <= hi, not lo={self.lo!r}, hi={self.hi!r}")
        shape = self.shape
        for layer in self.layers:
            shape = check_layer(layer, shape)
        if len(shape) != 1:
            raise ValueError(f"the output must be one score for each class, not of shape {shape}")
        classes = self.meta.get("classes", [""] * shape[0])
        if not isinstance(classes, list) or not all(isinstance(label, str) for label in classes):
            raise ValueError(f"meta's classes must be a list of names, not {classes!r:.60}")
        if len(classes) != shape[0]:
            raise ValueError(f"meta names {len(classes)} classes but the network has {shape[0]} scores")

    def module(self) -> nn.Sequential:
        """The network in torch, in eval mode: (N, *shape) raw integers as float32 -> (N, classes) scores."""
        modules: list[nn.Module] = []
        shape, first = self.shape, False
        for layer in self.layers:
            wanted = takes_channels_first(layer, shape)
            if wanted is not None and wanted != first:
                modules.append(ToChannelsFirst() if wanted else ToChannelsLast())
                first = wanted
            modules.append(decode(layer, image=len(shape) == 3))
            shape = check_layer(layer, shape)
        return nn.Sequential(*modules).eval()

    def to_plain(self) -> dict[str, Any]:
        """The contents of model.pt."""
        values = [_INPUT, *(layer.name for layer in self.layers)]
        nodes = [
            {
                "name": layer.name,
                "op": layer.op,
                "inputs": [value],
                "output": layer.name,
                "attributes": dict(layer.attributes),
                "tensors": {name: f"{layer.name}.{name}" for name in layer.tensors},
            }
            for value, layer in zip(values, self.layers, strict=False)
        ]
        element = {"kind": "int", "lo": self.lo, "hi": self.hi}
        return {
            "format": FORMAT,
            "version": VERSION,
            "graph": {
                "inputs": [{"name": _INPUT, "shape": list(self.shape), "element": element}],
                "nodes": nodes,
                "outputs": [values[-1]],
            },
            "tensors": {
                f"{layer.name}.{name}": tensor for layer in self.layers for name, tensor in layer.tensors.items()
            },
            "meta": dict(self.meta),
        }

    @classmethod
    def from_plain(cls, data: Any) -> "ModelFile":
        """The inverse of `to_plain`; ValueError says what is amiss."""
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise ValueError(f"holds no {FORMAT}")
        if data.get("version") != VERSION:
            raise ValueError(f"has version {data.get('version')!r}; this bnnhw reads version {VERSION}")
        graph, tensors = _get(data, "graph", dict), _get(data, "tensors", dict)
        inputs, nodes, outputs = _get(graph, "inputs", list), _get(graph, "nodes", list), _get(graph, "outputs", list)
        if len(inputs) != 1 or len(outputs) != 1:
            raise ValueError(f"has {len(inputs)} inputs and {len(outputs)} outputs; one of each is needed")
        element = _get(inputs[0], "element", dict)
        if element.get("kind") != "int":
            raise ValueError(f"has an input of kind {element.get('kind')!r}; only 'int' is known")
        value = _get(inputs[0], "name", str)
        layers = []
        for node in nodes:
            layer = _layer(node, tensors)
            if node.get("inputs") != [value]:
                raise ValueError(f"layer {layer.name!r} takes {node.get('inputs')!r}; in a chain it takes [{value!r}]")
            layers.append(layer)
            value = _get(node, "output", str)
        if outputs != [value]:
            raise ValueError(f"gives out {outputs!r}; a chain gives out the last value, [{value!r}]")
        return cls(
            shape=tuple(_get(inputs[0], "shape", list)),
            lo=_get(element, "lo", int), hi=_get(element, "hi", int),
            layers=tuple(layers), meta=_get(data, "meta", dict),
        )  # fmt: skip


def _layer(node: Any, tensors: Mapping[str, Any]) -> Layer:
    name = _get(node, "name", str)
    keys = _get(node, "tensors", dict)
    for key in keys.values():
        if not isinstance(tensors.get(key), Tensor):
            raise ValueError(f"layer {name!r} wants tensor {key!r}, which is missing")
    return Layer(
        name=name, op=_get(node, "op", str), attributes=_get(node, "attributes", dict),
        tensors={field: tensors[key] for field, key in keys.items()},
    )  # fmt: skip


def _get(data: Any, name: str, kind: type[_T]) -> _T:
    if not isinstance(data, dict) or not isinstance(data.get(name), kind):
        raise ValueError(f"lacks {name!r}, which must be of type {kind.__name__}")
    return data[name]


def unpack(data: bytes) -> Any:
    """The plain data in the bytes of a torch file. Nothing in them is run; ValueError says what is amiss."""
    damaged = "is truncated, damaged or no torch file"
    if not (data.startswith(b"PK") and zipfile.is_zipfile(io.BytesIO(data))):  # else torch tries its format of old
        raise ValueError(damaged)
    try:
        return torch.load(io.BytesIO(data), weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError("holds code or foreign objects, which are never run or loaded") from error
    except Exception as error:  # a damaged archive fails wherever the reader stumbles
        raise ValueError(damaged) from error


def parse(data: bytes) -> ModelFile:
    """The model in the bytes of a model.pt; ValueError says what is amiss."""
    return ModelFile.from_plain(unpack(data))


def read(path: str | Path) -> ModelFile:
    """The model in the file at `path`; OSError if it cannot be read, ValueError if it is not a sound model.pt."""
    data = Path(path).read_bytes()
    try:
        return parse(data)
    except ValueError as error:
        raise ValueError(f"{path}: {error}; write it with bnnhw train or bnnhw.model.export.save") from error
