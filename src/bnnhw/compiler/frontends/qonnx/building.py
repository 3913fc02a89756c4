"""The graph while it is made of the file's nodes, one after the other.

Tests: tests/compiler/frontends/qonnx/test_translate.py
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bnnhw.compiler.errors import ModelError
from bnnhw.compiler.ir.graph import Node
from bnnhw.compiler.ir.ops import Affine, Op
from bnnhw.compiler.ir.types import FloatType, TensorType

from .held import ONE, Constant, Held, Vector

ZERO = np.zeros(1, np.float32)


@dataclass(frozen=True)
class Call:
    """A node of the file: `output = op(*inputs)`, "" for an input that is left out."""

    name: str
    op: str
    inputs: tuple[str, ...]
    output: str
    attributes: Mapping[str, Any]
    shape: tuple[int, ...]
    """Of the output, its batch axis included."""

    @property
    def where(self) -> str:
        return f"node {self.name!r} ({self.op})"

    def get(self, name: str, default: Any) -> Any:
        """An attribute; text as str."""
        value = self.attributes.get(name, default)
        return value.decode(errors="replace") if isinstance(value, bytes) else value

    def refuse(self, why: str) -> ModelError:
        return ModelError(f"{self.where} {why}")

    @contextmanager
    def fitting(self) -> Iterator[None]:
        """Attributes and constants that do not fit the op become a ModelError that names the node."""
        try:
            yield
        except ModelError:
            raise
        except (ValueError, TypeError, LookupError, ArithmeticError) as error:
            raise self.refuse(f"cannot be: {' '.join(str(error).split())}") from error


@dataclass
class Building:
    """Nodes and types of the graph as far as it is made; what the file's tensors are in it, and its constants."""

    types: dict[str, TensorType]
    nodes: list[Node] = field(default_factory=list)
    held: dict[str, Held] = field(default_factory=dict)
    constants: dict[str, Constant] = field(default_factory=dict)

    def emit(self, name: str, op: Op, inputs: tuple[str, ...], output: str) -> str:
        """Another node; its output. ModelError where the op does not take such values."""
        try:
            self.types[output] = op.infer(*(self.types[value] for value in inputs))
        except (TypeError, ValueError) as error:
            raise ModelError(f"node {name!r} ({type(op).__name__}): {error}") from error
        self.nodes.append(Node(name, op, inputs, output))
        return output

    def read(self, call: Call, number: int = 0, *, padded: bool = False) -> Held:
        """An input that is a tensor of the network. ModelError where it is a constant, or was padded and the node makes
        nothing of that."""
        if number >= len(call.inputs) or call.inputs[number] not in self.held:
            raise call.refuse("reads a constant where the network's own tensor should be")
        held = self.held[call.inputs[number]]
        if any(held.padding) and not padded:
            raise call.refuse("stands behind a Pad; only a Conv may, which then pads")
        return held

    def constant(self, call: Call, number: int) -> Constant | None:
        """An input that is a constant; None where it is left out. ModelError where it is none."""
        if number >= len(call.inputs) or not call.inputs[number]:
            return None
        if call.inputs[number] not in self.constants:
            raise call.refuse(f"computes its input {call.inputs[number]!r}, which must be a constant")
        return self.constants[call.inputs[number]]

    def needed(self, call: Call, number: int) -> Constant:
        """The same, which must be there."""
        if (constant := self.constant(call, number)) is None:
            raise call.refuse(f"lacks its input {number}")
        return constant

    def scalar(self, call: Call, number: int) -> float:
        """A constant of one element."""
        elements = self.needed(call, number).elements
        if elements.size != 1:
            raise call.refuse(
                f"has a constant {call.inputs[number]!r} of shape {elements.shape}; here it must be one number"
            )
        return float(elements.reshape(()))

    def real(self, held: Held, name: str) -> Held:
        """The tensor itself: its scale in the graph."""
        return self.affine(held, name, ZERO) if (held.scale != 1).any() else held

    def affine(self, held: Held, name: str, bias: Vector, factor: Vector = ONE) -> Held:
        """tensor * factor + bias."""
        weight = (held.scale * factor).astype(np.float32)
        output = f"{held.value}.{name}.scaled"
        self.emit(f"{name}.scale", Affine(weight, bias), (held.value,), output)
        return replace(held, value=output, scale=ONE, exact=False)

    def floats(self, call: Call, op: Op) -> Held:
        """A float op behind the call's first input."""
        held = self.real(self.read(call), call.name)
        self.emit(call.name, op, (held.value,), call.output)
        return replace(held, value=call.output, exact=False)

    def is_integer(self, value: str) -> bool:
        """Whether a value of the graph is of integers, not of sums in float32."""
        return not isinstance(self.types[value].element, FloatType)


Handler = Callable[[Call, Building], Held]
HANDLERS: dict[str, Handler] = {}
"""By the op of a node, what it becomes."""


def handles(*kinds: str) -> Callable[[Handler], Handler]:
    """The decorator of what translates such nodes."""

    def register(handler: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(kinds, handler))
        return handler

    return register
