"""model.pt to a checked graph and back, by way of plain data. Nothing in a file is ever run.

The format is written down in docs/model-file.md.
"""

import io
import pickle
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from bnnhw.compiler.errors import GraphError, ModelError, TorchOnlyError
from bnnhw.compiler.ir.graph import Graph, Node, Value, infer_types, verify
from bnnhw.compiler.ir.ops.base import Op
from bnnhw.compiler.ir.ops.fields import Fields, required
from bnnhw.compiler.ir.ops.stored import OPS
from bnnhw.compiler.ir.types import IntType, TensorType

FORMAT = "bnnhw-model"
NETWORK_FORMAT = "bnnhw-network"
"""Networks that only torch evaluates, whose files say why."""
CHAIN, GRAPH = 1, 2
"""Versions of the format: of chains to one score a class; of graphs whose nodes may read several values and values that
others read, with any outputs."""
WRITE_IT = "write it with bnnhw train or bnnhw.model.export.save"


def load(path: str | Path) -> Graph:
    """The trained graph of a model file, its `meta` included.

    Raises ModelError, in one line, for anything but a sound file, and TorchOnlyError for a network without a graph.
    """
    path = Path(path)
    try:
        return from_plain(unpack(_content(path)))
    except TorchOnlyError as error:
        raise TorchOnlyError(f"{path}: {error}") from error
    except (ModelError, GraphError) as error:
        raise ModelError(f"{path}: {error}") from error


def _content(path: Path) -> bytes:
    if not path.is_file():
        found = "is a folder" if path.is_dir() else "is no regular file"
        raise ModelError(f"{found}, not a model file" if path.exists() else "no such file")
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror or error}") from error


def unpack(content: bytes) -> Any:
    """The plain data in the bytes of a torch file. Nothing in them is run; ModelError says what is amiss."""
    if not (content.startswith(b"PK") and zipfile.is_zipfile(io.BytesIO(content))):  # torch would try its format of old
        raise ModelError(f"is truncated, damaged or no model file; {WRITE_IT}")
    try:
        with warnings.catch_warnings(action="ignore"):
            return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except MemoryError as error:
        raise ModelError("does not fit into memory") from error
    except pickle.UnpicklingError as error:
        raise ModelError(f"holds code or foreign objects, which are never run or loaded; {WRITE_IT}") from error
    except Exception as error:  # a damaged file raises whatever the reader stumbles over
        raise ModelError(f"is truncated, damaged or no model file; {WRITE_IT}") from error


def to_plain(graph: Graph) -> dict[str, Any]:
    """The contents of the model file of a trained graph."""
    stored = {node.name: node.op.to_plain() for node in graph.nodes}
    is_chain = graph.off_chain() is None and len(graph.outputs) == 1 and graph.meta.get("classes")
    return {
        "format": FORMAT,
        "version": CHAIN if is_chain else GRAPH,
        "graph": {
            "inputs": [_plain_input(value) for value in graph.inputs],
            "nodes": [
                {
                    "name": node.name,
                    "op": stored[node.name].op,
                    "inputs": list(node.inputs),
                    "output": node.output,
                    "attributes": dict(stored[node.name].attributes),
                    "tensors": {field: f"{node.name}.{field}" for field in stored[node.name].tensors},
                }
                for node in graph.nodes
            ],
            "outputs": list(graph.outputs),
        },
        "tensors": {
            f"{name}.{field}": torch.from_numpy(array.copy())
            for name, plain in stored.items()
            for field, array in plain.tensors.items()
        },
        "meta": dict(graph.meta),
    }


def _plain_input(value: Value) -> dict[str, Any]:
    element = value.type.element
    if not isinstance(element, IntType):
        raise ValueError(f"input {value.name!r} is {value.type}; a model.pt has integers as its input")
    plain = {"kind": "int", "lo": element.lo, "hi": element.hi}
    return {"name": value.name, "shape": list(value.type.shape), "element": plain}


def from_plain(data: Any) -> Graph:
    """The inverse of `to_plain`, checked: ModelError and GraphError say what is amiss, TorchOnlyError that the file is
    that of a network without a graph."""
    if isinstance(data, dict) and data.get("format") == NETWORK_FORMAT:
        obstacle = str(data.get("obstacle"))[:500]
        raise TorchOnlyError(f"no hardware for this network yet: {obstacle}; bnnhw eval --engine torch evaluates it")
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ModelError(f"is a torch file, but no {FORMAT} file; {WRITE_IT}")
    if data.get("version") not in (CHAIN, GRAPH):
        raise ModelError(f"has version {data.get('version')!r}; this bnnhw reads versions {CHAIN} and {GRAPH}")
    tensors = required(data, "tensors", dict, "the file")
    plain = required(data, "graph", dict, "the file")
    graph = Graph(
        inputs=tuple(_input(entry) for entry in required(plain, "inputs", list, "the graph")),
        nodes=tuple(_node(entry, tensors) for entry in required(plain, "nodes", list, "the graph")),
        outputs=tuple(_strings(plain, "outputs", "the graph")),
        meta=required(data, "meta", dict, "the file"),
    )
    _check_ends(verify(graph), data["version"])
    _check_readers(graph, data["version"])
    return graph


def scores_of(graph: Graph) -> tuple[int, ...]:
    """The lengths of the outputs with one score a class, each length once."""
    shapes = infer_types(graph)
    return tuple(dict.fromkeys(shapes[value].shape[0] for value in graph.outputs if len(shapes[value].shape) == 1))


def _check_ends(graph: Graph, version: int) -> None:
    """ModelError unless the graph has one input, and `meta` names the classes where its outputs are scores of as
    many."""
    if len(graph.inputs) != 1:
        raise ModelError(f"has {len(graph.inputs)} inputs; it must have one")
    if version == CHAIN and len(graph.outputs) != 1:
        raise ModelError(f"has {len(graph.outputs)} outputs; version {CHAIN} holds chains, which have one")
    classes, scores = _strings(graph.meta, "classes", "meta"), scores_of(graph)
    if (version == CHAIN or classes) and scores != (len(classes),):
        shapes = ", ".join(str(infer_types(graph)[value].shape) for value in graph.outputs)
        raise ModelError(
            f"has an output of shape {shapes}; it must be one score for each of the {len(classes)} classes"
        )


def _check_readers(graph: Graph, version: int) -> None:
    """ModelError unless a file of the first version holds a chain, and all values of later ones are read."""
    node = graph.off_chain()
    if version == CHAIN and node is not None:
        raise ModelError(
            f"layer {node.name!r} takes {list(node.inputs)}; version {CHAIN} holds chains, where it takes the value "
            "before it alone"
        )
    for node in graph.nodes:
        if node.output not in graph.outputs and not graph.consumers(node.output):
            raise ModelError(f"node {node.name!r} writes {node.output!r}, which nothing reads")


def _input(entry: Any) -> Value:
    name = required(entry, "name", str, "an input")
    where = f"input {name!r}"
    shape = required(entry, "shape", list | tuple, where)
    if not 1 <= len(shape) <= 3 or not all(type(size) is int and 1 <= size < 2**20 for size in shape):
        raise ModelError(f"{where} has shape {shape!r}; it must be one to three sizes, such as [28, 28, 1]")
    element = required(entry, "element", dict, where)
    lo, hi = required(element, "lo", int, where), required(element, "hi", int, where)
    if element.get("kind") != "int" or not lo <= hi < lo + 2**16:
        raise ModelError(
            f"{where} has element {element!r}; it must be {{'kind': 'int', 'lo': lo, 'hi': hi}}, lo <= hi < lo + 2^16"
        )
    return Value(name, TensorType(tuple(shape), IntType(lo, hi)))


def _node(entry: Any, tensors: Mapping[str, Any]) -> Node:
    name = required(entry, "name", str, "a node")
    where = f"node {name!r}"
    op = required(entry, "op", str, where)
    if op not in OPS:
        raise ModelError(f"{where} has op {op!r}; known ops are {', '.join(sorted(OPS))}")
    inputs = _strings(entry, "inputs", where)
    built = _op(op, entry, tensors, where)
    if len(inputs) != built.ARITY and (built.ARITY is not None or len(inputs) < 2):
        wanted = "two or more" if built.ARITY is None else {1: "one", 2: "two"}.get(built.ARITY, built.ARITY)
        raise ModelError(f"{where} has {len(inputs)} inputs; it must have {wanted}")
    return Node(name, built, tuple(inputs), required(entry, "output", str, where))


def _op(op: str, entry: Mapping[str, Any], tensors: Mapping[str, Any], where: str) -> Op:
    keys = required(entry, "tensors", dict, where)
    for field, key in keys.items():
        if not isinstance(tensors.get(key) if isinstance(key, str) else None, torch.Tensor):
            raise ModelError(f"{where} wants tensor {key!r} as its {field}, which the file lacks")
    attributes = required(entry, "attributes", dict, where)
    fields = Fields(where, attributes, {field: tensors[key] for field, key in keys.items()})
    try:
        built = OPS[op].from_fields(op, fields)
    except (TypeError, ValueError) as error:
        raise error if isinstance(error, ModelError) else ModelError(f"{where}: {error}") from error
    fields.finish()
    assert isinstance(built, Op)
    return built


def _strings(mapping: Any, name: str, where: str) -> list[str]:
    strings = required(mapping, name, list, where)
    if not all(isinstance(string, str) for string in strings):
        raise ModelError(f"{where} has {name}={strings!r:.60}; it must be a list of names")
    return strings
