"""The trained graph of a file's network.

Tests: tests/compiler/frontends/qonnx/test_translate.py
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from bnnhw.compiler.errors import ModelError
from bnnhw.compiler.ir.graph import Graph, Value, infer_types
from bnnhw.compiler.ir.types import IntType, TensorType

from . import elementwise, joins, products, quantisers, shapes  # noqa: F401 each says which nodes it handles
from .building import HANDLERS, Building, Call
from .held import CHANNELS_FIRST, CHANNELS_LAST, Constant, Held
from .inputs import InputOptions, Meaning, meaning_of
from .products import transposed
from .quantisers import quantised_constant
from .read import ACTIVATIONS, QUANTISERS
from .shapes import TO_FIRST

__all__ = ["Quantised", "Translation", "translate"]

LABELS = {"TopK", "ArgMax", "Softmax", "LogSoftmax"}
"""What at the end leaves the greatest score the greatest, or tells which it is."""
BY_ELEMENT = {*ACTIVATIONS, "Mul", "Div", "Add", "Sub", "Identity", "Cast"}
"""What may stand between the input and the node that turns its images."""


@dataclass(frozen=True)
class Quantised:
    """A quantiser of the file's activations: its node, and what it reads and gives."""

    call: Call
    held: Held


@dataclass(frozen=True, kw_only=True)
class Translation:
    """A file's network as a trained graph, its activations, the outputs, and what its input means.

    scores : by the graph's outputs, the file's tensors that they are
    dropped : nodes behind them, which are left to whoever reads the scores
    """

    graph: Graph
    quantised: tuple[Quantised, ...]
    scores: dict[str, tuple[str, Held]]
    meaning: Meaning
    source: Held
    dropped: tuple[str, ...]


def translate(model: Any, options: InputOptions) -> Translation:
    """The trained graph of qonnx's `model`, which `read` gave.

    Raises ModelError, which names the node, its op and the remedy, for a node without a place.
    """
    every = [_call(node, model) for node in model.graph.node]
    outputs, dropped = _outputs(model, every)
    calls = list(_needed(every, outputs))
    name = model.graph.input[0].name
    source = _source(name, model, calls)
    sizes = model.get_tensor_shape(name)[1:]
    shape = tuple(sizes[source.axes.index(axis)] for axis in CHANNELS_LAST) if source.axes else tuple(sizes)
    building = Building({name: TensorType(shape, IntType(0, 1))})
    for tensor in model.graph.initializer:
        elements = np.asarray(model.get_initializer(tensor.name))
        building.constants[tensor.name] = Constant(
            elements.astype(np.float32) if elements.dtype.kind == "f" else elements
        )
    meaning = meaning_of(model, calls, options, building)
    for part in (meaning.weight, meaning.bias):
        if len(part) not in (1, shape[-1]):
            raise ModelError(f"input {name!r} has {shape[-1]} channels; its mean and std are of {len(part)}")
    value = Value(name, TensorType(shape, IntType(meaning.lo, meaning.hi)))
    building.types[name] = value.type
    source = Held(name, source.axes, scale=meaning.weight, exact=True)
    if meaning.bias.any():
        source = building.affine(source, name, meaning.bias)
    building.held[name] = source
    quantised = [Quantised(call, held) for call in calls if (held := _translate(call, building)) is not None]
    scores = dict(_scores(outputs, building))
    graph = Graph((value,), tuple(building.nodes), tuple(scores))
    return Translation(
        graph=graph, quantised=tuple(quantised), scores=scores, meaning=meaning, source=source, dropped=dropped
    )


def _call(node: Any, model: Any) -> Call:
    from onnx.helper import get_attribute_value

    attributes = {attribute.name: get_attribute_value(attribute) for attribute in node.attribute}
    shape = tuple(model.get_tensor_shape(node.output[0]) or ())
    return Call(node.name, node.op_type, tuple(node.input), node.output[0], attributes, shape)


def _outputs(model: Any, calls: list[Call]) -> tuple[list[str], tuple[str, ...]]:
    """The tensors that the network gives, and the names of what stands behind them and is dropped."""
    writers = {output: call for call, node in zip(calls, model.graph.node, strict=True) for output in node.output}
    found: list[str] = []
    dropped: list[str] = []
    for value in model.graph.output:
        tensor = value.name
        while writers[tensor].op in LABELS:
            dropped.append(writers[tensor].name)
            tensor = writers[tensor].inputs[0]
            if tensor not in writers:
                raise ModelError(f"node {dropped[-1]!r} reads the network's input; there is nothing before it")
        found.append(tensor)
    return list(dict.fromkeys(found)), tuple(dict.fromkeys(dropped))


def _needed(calls: list[Call], outputs: list[str]) -> Iterator[Call]:
    """Those on which the outputs depend, in order."""
    read = set(outputs)
    kept: list[Call] = []
    for call in reversed(calls):
        if call.output in read:
            read |= set(call.inputs)
            kept.append(call)
    return reversed(kept)


def _source(name: str, model: Any, calls: list[Call]) -> Held:
    """How the input's tensor lies: channels last where the network turns it first."""
    if len(model.get_tensor_shape(name)) == 2:
        return Held(name, "")
    value = name
    while len(readers := [call for call in calls if value in call.inputs]) == 1:
        (call,) = readers
        if call.op == "Transpose":
            return Held(name, CHANNELS_LAST if tuple(call.get("perm", ())) == TO_FIRST else CHANNELS_FIRST)
        if call.op not in BY_ELEMENT:
            break
        value = call.output
    return Held(name, CHANNELS_FIRST)


def _translate(call: Call, building: Building) -> Held | None:
    """Make what a node is; what it gives where it quantises activations."""
    with call.fitting():
        if all(value in building.constants for value in call.inputs if value):
            building.constants[call.output] = _constant(call, building)
            return None
        if call.op not in HANDLERS:
            raise call.refuse("computes with the network's own tensors, for which it has no place; leave it out")
        building.held[call.output] = HANDLERS[call.op](call, building)
    return building.held[call.output] if call.op in ACTIVATIONS else None


def _constant(call: Call, building: Building) -> Constant:
    """What a node makes of constants, of which qonnx left only quantised ones."""
    if call.op in QUANTISERS:
        return quantised_constant(call, building)
    constant = building.needed(call, 0)
    if call.op == "Transpose" and constant.elements.ndim == 2:
        return transposed(constant)
    raise call.refuse("computes with quantised weights; only a Transpose may stand behind their quantiser")


def _scores(outputs: list[str], building: Building) -> Iterator[tuple[str, tuple[str, Held]]]:
    """The graph's outputs, with their scales, and the file's tensors that they are."""
    for tensor in outputs:
        if tensor not in building.held:
            raise ModelError(f"output {tensor!r} is a constant")
        held = building.held[tensor]
        if any(held.padding) or held.order is not None:
            raise ModelError(f"output {tensor!r} is padded or flattened; let a layer be the last")
        held = building.real(held, f"{tensor}.output")
        yield held.value, (tensor, held)


def classes_of(graph: Graph) -> list[str]:
    """A name for each score; none for images."""
    types = infer_types(graph)
    lengths = {types[value].shape[0] for value in graph.outputs if len(types[value].shape) == 1}
    return [str(label) for label in range(lengths.pop())] if len(lengths) == 1 else []
