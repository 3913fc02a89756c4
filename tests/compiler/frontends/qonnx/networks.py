"""Small QONNX files, node by node."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

QONNX = "qonnx.custom_op.general"
CUSTOM = {"Quant", "IntQuant", "BipolarQuant", "MultiThreshold", "Trunc"}


class Network:
    """A file under construction: each call of `node` adds one behind the last, and its constants."""

    def __init__(self, *shape: int):
        self.input = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, *shape])
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: list[onnx.TensorProto] = []
        self.last = "x"

    def constant(self, array: Any, name: str = "") -> str:
        """A tensor of the file; its name."""
        array = np.asarray(array)
        array = array.astype(np.float32) if array.dtype.kind == "f" else array
        name = name or f"c{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(array, name))
        return name

    def node(self, op: str, *more: Any, reads: str | Sequence[str] | None = None, **attributes: Any) -> str:
        """A node that reads the last one's output, or `reads`, and constants; its output."""
        before = [self.last] if reads is None else [reads] if isinstance(reads, str) else list(reads)
        inputs = [*before, *(each if isinstance(each, str) else self.constant(each) for each in more)]
        output = f"{op}_{len(self.nodes)}_out"
        domain = QONNX if op in CUSTOM else ""
        name = f"{op}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [output], name=name, domain=domain, **attributes))
        self.last = output
        return output

    def quant(
        self, scale: Any, bits: float, *, zero_point: float = 0.0, reads: str | None = None, **options: Any
    ) -> str:
        """An activation's quantiser."""
        given = {"signed": 1, "narrow": 0, "rounding_mode": "ROUND", **options}
        return self.node("Quant", scale, zero_point, float(bits), reads=reads, **given)

    def weights(self, array: Any, scale: Any = 1.0, bits: float = 4) -> str:
        """Quantised ones; their name."""
        before = self.last
        name = self.constant(np.asarray(array, np.float64))
        quantised = self.quant(scale, bits, reads=name)
        self.last = before
        return quantised

    def batch_norm(self, channels: int, seed: int = 0) -> str:
        """Some of its channels fall."""
        generator = np.random.default_rng(seed)
        parts = [generator.normal(size=channels) for _ in range(3)]
        return self.node("BatchNormalization", *parts, np.abs(generator.normal(size=channels)) + 0.5)

    def model(self) -> onnx.ModelProto:
        kind = TensorProto.INT64 if self.nodes[-1].op_type == "ArgMax" else TensorProto.FLOAT
        output = helper.make_tensor_value_info(self.last, kind, None)
        graph = helper.make_graph(self.nodes, "network", [self.input], [output], self.tensors)
        opsets = [helper.make_opsetid("", 13), helper.make_opsetid(QONNX, 2)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=9)

    def write(self, folder: Path, name: str = "model.onnx") -> Path:
        path = folder / name
        path.write_bytes(self.model().SerializeToString())
        return path


def two_layers(*, seed: int = 0) -> Network:
    """64 signs, 16 signs, 4 scores."""
    generator = np.random.default_rng(seed)
    network = Network(64)
    network.node("BipolarQuant", 1.0)
    network.node("MatMul", generator.choice([-1.0, 1.0], (64, 16)))
    network.batch_norm(16, seed)
    network.node("BipolarQuant", 1.0)
    network.node("MatMul", generator.choice([-1.0, 1.0], (16, 4)))
    return network
