"""Reading model.pt: plain data in, a checked graph out. Nothing in the file is ever run.

The format is written down in docs/architecture.md.
"""

import io
import pickle
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bnnhw.compiler.errors import GraphError, ModelError, TorchOnlyError
from bnnhw.compiler.ir.graph import Graph, Node, Value, infer_types, verify
from bnnhw.compiler.ir.ops import (
    Affine,
    AveragePool,
    BatchNorm,
    BinaryConv2d,
    BinaryLinear,
    Conv,
    Flatten,
    HardTanh,
    Identity,
    InputThreshold,
    MaxPool,
    Op,
    Quantise,
    Relu,
    Sign,
)
from bnnhw.compiler.ir.types import IntType, TensorType

FORMAT = "bnnhw-model"
TORCH_ONLY_FORMAT = "bnnhw-network"
"""Networks that are no chain of layers, whose files say why."""
VERSION = 1


def load(path: str | Path) -> Graph:
    """The trained graph of a model file, its `meta` included.

    Raises ModelError, in one line, for anything but a sound file, and TorchOnlyError for a network without a graph.
    """
    path = Path(path)
    try:
        return _graph(_read(path))
    except TorchOnlyError as error:
        raise TorchOnlyError(f"{path}: {error}") from error
    except (ModelError, GraphError) as error:
        raise ModelError(f"{path}: {error}") from error


def _read(path: Path) -> dict[str, Any]:
    """The file's plain data, format and version checked."""
    if not path.is_file():
        found = "is a folder" if path.is_dir() else "is no regular file"
        raise ModelError(f"{found}, not a model file" if path.exists() else "no such file")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror or error}") from error
    write = "write it with bnnhw train or bnnhw.model.export.save"
    if not zipfile.is_zipfile(io.BytesIO(content)):  # torch would try its format of old
        raise ModelError(f"is truncated, damaged or no model file; {write}")
    try:
        with warnings.catch_warnings(action="ignore"):
            data = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except MemoryError as error:
        raise ModelError("does not fit into memory") from error
    except pickle.UnpicklingError as error:
        raise ModelError(f"holds code or foreign objects, which are never run or loaded; {write}") from error
    except Exception as error:  # a damaged file raises whatever the reader stumbles over
        raise ModelError(f"is truncated, damaged or no model file; {write}") from error
    if isinstance(data, dict) and data.get("format") == TORCH_ONLY_FORMAT:
        obstacle = str(data.get("obstacle"))[:500]
        raise TorchOnlyError(f"no hardware for this network yet: {obstacle}; bnnhw eval --engine torch evaluates it")
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ModelError(f"is a torch file, but no {FORMAT} file; {write}")
    if data.get("version") != VERSION:
        raise ModelError(f"has version {data.get('version')!r}; this bnnhw reads version {VERSION}")
    return data


def _graph(data: Mapping[str, Any]) -> Graph:
    tensors = _field(data, "tensors", dict, "the file")
    graph = _field(data, "graph", dict, "the file")
    return _check_classes(
        verify(
            Graph(
                inputs=tuple(_input(entry) for entry in _field(graph, "inputs", list, "the graph")),
                nodes=tuple(_node(entry, tensors) for entry in _field(graph, "nodes", list, "the graph")),
                outputs=tuple(_strings(graph, "outputs", "the graph")),
                meta=_field(data, "meta", dict, "the file"),
            )
        )
    )


def _check_classes(graph: Graph) -> Graph:
    """The graph, once it is found to have one input and one score for each class that `meta` names."""
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise ModelError(f"has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs; it must have one of each")
    classes, shape = _strings(graph.meta, "classes", "meta"), infer_types(graph)[graph.outputs[0]].shape
    if shape != (len(classes),):
        raise ModelError(f"has an output of shape {shape}; it must be one score for each of the {len(classes)} classes")
    return graph


def _input(entry: Any) -> Value:
    name = _field(entry, "name", str, "an input")
    where = f"input {name!r}"
    shape = _field(entry, "shape", list | tuple, where)
    if not 1 <= len(shape) <= 3 or not all(type(size) is int and 1 <= size < 2**20 for size in shape):
        raise ModelError(f"{where} has shape {shape!r}; it must be one to three sizes, such as [28, 28, 1]")
    element = _field(entry, "element", dict, where)
    lo, hi = _field(element, "lo", int, where), _field(element, "hi", int, where)
    if element.get("kind") != "int" or not lo <= hi < lo + 2**16:
        raise ModelError(
            f"{where} has element {element!r}; it must be {{'kind': 'int', 'lo': lo, 'hi': hi}}, lo <= hi < lo + 2^16"
        )
    return Value(name, TensorType(tuple(shape), IntType(lo, hi)))


def _node(entry: Any, tensors: Mapping[str, Any]) -> Node:
    name = _field(entry, "name", str, "a node")
    where = f"node {name!r}"
    op = _field(entry, "op", str, where)
    if op not in _OPS:
        raise ModelError(f"{where} has op {op!r}; known ops are {', '.join(sorted(_OPS))}")
    fields = _Fields(where, _field(entry, "attributes", dict, where), _field(entry, "tensors", dict, where), tensors)
    try:
        built = _OPS[op](fields)
    except (TypeError, ValueError) as error:
        raise error if isinstance(error, ModelError) else ModelError(f"{where}: {error}") from error
    inputs = _strings(entry, "inputs", where)
    if len(inputs) != 1:
        raise ModelError(f"{where} has {len(inputs)} inputs; it must have one")
    return Node(name, built, tuple(inputs), _field(entry, "output", str, where))


class _Fields:
    """A node's attributes and tensors, each checked when it is read."""

    def __init__(self, where: str, attributes: Mapping[str, Any], keys: Mapping[str, Any], tensors: Mapping[str, Any]):
        self.where, self.attributes, self.keys, self.tensors = where, attributes, keys, tensors

    def size(self, name: str) -> int:
        size = _field(self.attributes, name, int, self.where)
        if size < 1:
            raise ModelError(f"{self.where} has {name}={size}; it must be at least 1")
        return size

    def integer(self, name: str) -> int:
        return _field(self.attributes, name, int, self.where)

    def pair(self, name: str) -> tuple[int, int]:
        """The height and width of a kernel, stride or padding."""
        return self.integer(f"{name}_height"), self.integer(f"{name}_width")

    def number(self, name: str) -> float:
        return float(_field(self.attributes, name, int | float, self.where))

    def tensor(self, name: str, dtype: torch.dtype, shape: tuple[int, ...] | None = None) -> NDArray[Any]:
        """A tensor as a numpy array of its own. `shape` None leaves the length of a vector open."""
        if name not in self.keys:
            raise ModelError(f"{self.where} lacks its tensor {name!r}")
        key = self.keys[name]
        tensor = self.tensors.get(key) if isinstance(key, str) else None
        if not isinstance(tensor, torch.Tensor):
            raise ModelError(f"{self.where} wants tensor {key!r} as its {name}, which the file lacks")
        if tensor.layout != torch.strided or not tensor.is_contiguous() or tensor.is_meta:
            raise ModelError(f"{self.where} has a {name} that is sparse, strided or empty; it must be contiguous")
        if tensor.dtype != dtype:
            raise ModelError(f"{self.where} has a {name} of {tensor.dtype}; it must be {dtype}")
        if tensor.ndim != 1 if shape is None else tensor.shape != shape:
            wanted = "a vector" if shape is None else f"of shape {shape}"
            raise ModelError(f"{self.where} has a {name} of shape {tuple(tensor.shape)}; it must be {wanted}")
        return tensor.detach().numpy().copy()

    def vector(self, name: str) -> NDArray[np.float32] | None:
        """A float32 vector, None where the node has none."""
        return self.tensor(name, torch.float32) if name in self.keys else None

    def signs(self, name: str, rows: int, cols: int) -> NDArray[np.int8]:
        """Packed +-1 weights, unpacked to (rows, cols) int8."""
        packed = self.tensor(name, torch.uint8, (rows, -(-cols // 8)))
        bits = np.unpackbits(packed, axis=1, bitorder="little")
        if bits[:, cols:].any():
            raise ModelError(f"{self.where} has set bits beyond column {cols} of its {name}")
        return (2 * bits[:, :cols].astype(np.int8) - 1).astype(np.int8)


def _conv(fields: _Fields) -> Conv:
    channels, rows, groups = fields.size("in_channels"), fields.size("out_channels"), fields.size("groups")
    height, width = fields.size("kernel_height"), fields.size("kernel_width")
    if channels % groups:
        raise ValueError(f"groups={groups} must divide in_channels={channels}")
    weights = fields.signs("weight", rows, height * width * (channels // groups))
    return Conv(
        weights.reshape(rows, height, width, channels // groups),
        stride=fields.pair("stride"),
        padding=fields.pair("padding"),
        pad_value=fields.integer("pad_value"),
        groups=groups,
    )


_OPS: Mapping[str, Callable[[_Fields], Op]] = {
    "input_threshold": lambda fields: InputThreshold(fields.number("threshold")),
    "flatten": lambda _: Flatten(),
    "binary_linear": lambda fields: BinaryLinear(
        fields.signs("weight", fields.size("out_features"), fields.size("in_features")),
        fields.vector("scale"),
        fields.vector("bias"),
    ),
    "binary_conv2d": lambda fields: BinaryConv2d(_conv(fields), fields.vector("scale"), fields.vector("bias")),
    "max_pool": lambda fields: MaxPool(fields.pair("kernel"), fields.pair("stride")),
    "average_pool": lambda fields: AveragePool(fields.pair("kernel"), fields.pair("stride")),
    "global_average_pool": lambda _: AveragePool(),
    "batch_norm": lambda fields: BatchNorm(
        fields.number("eps"),
        fields.tensor("mean", torch.float32),
        fields.tensor("variance", torch.float32),
        fields.vector("weight"),
        fields.vector("bias"),
    ),
    "affine": lambda fields: Affine(fields.tensor("weight", torch.float32), fields.tensor("bias", torch.float32)),
    "hard_tanh": lambda _: HardTanh(),
    "relu": lambda _: Relu(),
    "identity": lambda _: Identity(),
    "sign": lambda _: Sign(),
    "quantise": lambda fields: Quantise(fields.size("bits")),
}


def _field(mapping: Any, name: str, kind: Any, where: str) -> Any:
    """`mapping[name]`, which must be there and of type `kind`."""
    if not isinstance(mapping, dict):
        raise ModelError(f"{where} must be a dict, not {type(mapping).__name__}")
    if name not in mapping:
        raise ModelError(f"{where} lacks the field {name!r}")
    value = mapping[name]
    if not isinstance(value, kind) or isinstance(value, bool):
        wanted = getattr(kind, "__name__", str(kind))
        raise ModelError(f"{where} has {name}={value!r:.60}; it must be of type {wanted}")
    return value


def _strings(mapping: Any, name: str, where: str) -> list[str]:
    strings = _field(mapping, name, list, where)
    if not all(isinstance(string, str) for string in strings):
        raise ModelError(f"{where} has {name}={strings!r:.60}; it must be a list of names")
    return strings
