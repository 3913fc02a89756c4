"""Damaged, hostile and foreign files: one line, quickly, and nothing of them is run."""

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from bnnhw.compiler.errors import ModelError
from bnnhw.compiler.frontends.qonnx.read import read

from .networks import Network, two_layers

SECONDS = 10
"""What a refusal may take, on a machine that does other things, too."""


def refused(path: Path, message: str) -> None:
    started = time.monotonic()
    with pytest.raises(ModelError, match=message) as error:
        read(path)
    assert time.monotonic() - started < SECONDS
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def written(folder: Path, spoil: Callable[[onnx.ModelProto], object]) -> Path:
    model = two_layers().model()
    spoil(model)
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def external(tensor: TensorProto, place: str) -> None:
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", place


def in_a_circle(model: onnx.ModelProto) -> None:
    model.graph.node[1].input[0] = model.graph.node[3].output[0]


def calls_code(model: onnx.ModelProto) -> None:
    model.graph.node[1].domain = "antigravity"


def with_a_function(model: onnx.ModelProto) -> None:
    node = helper.make_node("Relu", ["a"], ["b"])
    model.functions.append(helper.make_function("own", "twice", ["a"], ["b"], [node], [helper.make_opsetid("", 13)]))


def with_a_graph(model: onnx.ModelProto) -> None:
    attribute = helper.make_attribute("body", model.graph)
    model.graph.node[1].attribute.append(attribute)


def with_an_external_attribute(model: onnx.ModelProto) -> None:
    tensor = helper.make_tensor("value", TensorProto.FLOAT, [1], [1.0])
    external(tensor, "/etc/passwd")
    node = helper.make_node("Constant", [], ["k"], value=tensor)
    model.graph.node.append(node)


def huge(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[:] = [2**31, 2**31]


def short(model: onnx.ModelProto) -> None:
    model.graph.initializer[1].raw_data = b"1234"


def grows(model: onnx.ModelProto) -> None:
    """A product of two small constants that has 10^12 elements."""
    column = helper.make_tensor("column", TensorProto.FLOAT, [10**6, 1], np.ones(10**6, np.float32))
    row = helper.make_tensor("row", TensorProto.FLOAT, [1, 10**6], np.ones(10**6, np.float32))
    model.graph.initializer.extend([column, row])
    model.graph.node.append(helper.make_node("Mul", ["column", "row"], ["grown"]))
    model.graph.node.append(helper.make_node("Add", [model.graph.output[0].name, "grown"], ["more"]))
    model.graph.output[0].name = "more"


def many_nodes(model: onnx.ModelProto) -> None:
    one = helper.make_node("Relu", ["x"], ["y"]).SerializeToString()
    nodes = helper.make_graph([], "g", [], []).node
    nodes.extend([onnx.NodeProto.FromString(one)] * 10**6)
    model.graph.node.extend(nodes)


def with_inputs(model: onnx.ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 3]))


def with_shape(*sizes: int) -> Callable[[onnx.ModelProto], None]:
    def spoil(model: onnx.ModelProto) -> None:
        model.graph.input[0].CopyFrom(helper.make_tensor_value_info("x", TensorProto.FLOAT, sizes))

    return spoil


HOSTILE: dict[str, tuple[Callable[[onnx.ModelProto], object], str]] = {
    "external data": (lambda model: external(model.graph.initializer[1], "/etc/passwd"), "'c1' lies in another file"),
    "data above": (lambda model: external(model.graph.initializer[1], "../../secret"), "which is never read; save the"),
    "external attribute": (with_an_external_attribute, r"\(Constant\): its value lies in another file"),
    "circle": (in_a_circle, "reads what follows from its own output"),
    "foreign domain": (calls_code, r"'MatMul_1' \(MatMul\) is of the domain 'antigravity'; supported are ONNX and"),
    "function": (with_a_function, "has a function of its own, 'twice'"),
    "graph inside": (with_a_graph, "has a graph inside"),
    "huge tensor": (huge, r"'c0' has shape \[2147483648, 2147483648\]; 67,108,864 elements are the most"),
    "short tensor": (short, "'c1' is damaged: it does not hold"),
    "growing constants": (grows, r"has shape \[1000000, 1000000\]; 67,108,864 elements are the most|does not fit"),
    "a million nodes": (many_nodes, "has 1,000,005 nodes; 10,000 are the most"),
    "two inputs": (with_inputs, r"has the inputs \['x', 'z'\]; a network has one"),
    "no such op": (lambda model: setattr(model.graph.node[1], "op_type", "Einsum"), r"\(Einsum\) has no place"),
    "loop": (lambda model: setattr(model.graph.node[1], "op_type", "Loop"), r"\(Loop\) has no place in a binary"),
    "no nodes": (lambda model: model.graph.ClearField("node"), "has no graph with nodes and outputs"),
    "unknown value": (lambda model: model.graph.node[1].input.append("y"), "reads 'y', which nothing writes"),
    "written twice": (lambda model: model.graph.node.append(model.graph.node[0]), "both write 'BipolarQuant_0_out'"),
    "no such output": (lambda model: setattr(model.graph.output[0], "name", "q"), "output 'q' is written by no node"),
    "flat input": (with_shape(64), r"input 'x' has shape \[64\]; it must be images"),
    "unknown input": (with_shape(1, 0), r"input 'x' has shape \[1, 0\]; it must be"),
    "vast input": (with_shape(1, 2**19, 2**19, 3), "which is too large"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_refuses(name: str, tmp_path: Path):
    spoil, message = HOSTILE[name]
    refused(written(tmp_path, spoil), message)


def test_refuses_damaged_bytes(tmp_path: Path):
    whole = two_layers().write(tmp_path).read_bytes()
    generator = np.random.default_rng(0)
    path = tmp_path / "damaged.onnx"
    for length in (0, 1, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        refused(path, "damaged")
    for _ in range(200):
        spoilt = bytearray(whole)
        for place in generator.integers(0, len(whole), 8):
            spoilt[place] = generator.integers(0, 256)
        path.write_bytes(spoilt)
        with suppress(ModelError):
            read(path)


@pytest.mark.parametrize(("content", "message"), [(b"PK\x03\x04", "damaged"), (b"\x00" * 100, "damaged")])
def test_refuses_other_files(content: bytes, message: str, tmp_path: Path):
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    refused(path, message)


def test_refuses_what_is_no_file(tmp_path: Path):
    refused(tmp_path, "is a folder, not an ONNX file")
    refused(tmp_path / "none", "no such file")


def test_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = two_layers().write(tmp_path)
    monkeypatch.setitem(sys.modules, "qonnx", None)
    refused(path, r"reading ONNX files needs onnx and qonnx: pip install 'bnnhw\[onnx\]'")


def test_refuses_vast_files(tmp_path: Path):
    path = tmp_path / "vast.onnx"
    with path.open("wb") as file:
        file.truncate(2**40)
    refused(path, "has 1,099,511,627,776 bytes; 268,435,456 are the most")


def test_nodes_may_stand_in_any_order_and_have_no_names(tmp_path: Path):
    def shuffle(model: onnx.ModelProto) -> None:
        nodes = list(model.graph.node)[::-1]
        model.graph.ClearField("node")
        for node in nodes:
            node.name = ""
        model.graph.node.extend(nodes)

    model = read(written(tmp_path, shuffle))
    assert [node.op_type for node in model.graph.node] == [
        "BipolarQuant", "MatMul", "BatchNormalization", "BipolarQuant", "MatMul",
    ]  # fmt: skip
    assert len({node.name for node in model.graph.node}) == 5


def test_shapes_that_are_computed_are_folded(tmp_path: Path):
    """As old exports flatten."""
    network = Network(3, 4, 4)
    network.node("BipolarQuant", 1.0)
    before = network.last
    network.node("Shape")
    network.node("Gather", np.array(0), axis=0)
    network.node("Unsqueeze", np.array([0]))
    shape = network.node("Concat", np.array([-1]), axis=0)
    network.node("Reshape", reads=[before, shape])
    network.node("MatMul", np.ones((48, 2)))
    model = read(network.write(tmp_path))
    assert [node.op_type for node in model.graph.node] == ["BipolarQuant", "Reshape", "MatMul"]


def test_an_open_batch_is_one_image(tmp_path: Path):
    def open_batch(model: onnx.ModelProto) -> None:
        model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "batch"

    assert read(written(tmp_path, open_batch)).get_tensor_shape("x") == [1, 64]
