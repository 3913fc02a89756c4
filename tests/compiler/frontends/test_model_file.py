"""Model files: what is read, and what is refused in one line."""

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bnnhw.compiler import ModelError, load
from bnnhw.compiler.frontends.model_file import to_plain
from bnnhw.compiler.ir.ops import BatchNorm, BinaryLinear
from tests.compiler.make_model import ModelFile, make_model


class Bomb:
    """Unpickling it would write a file."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def test_reads_what_was_written(tmp_path):
    model = make_model(seed=0)
    graph = load(model.save(tmp_path / "model.pt"))
    assert [node.name for node in graph.nodes] == [node["name"] for node in model.nodes]
    assert graph.outputs == (model.value,)
    assert graph.meta["network"] == "random"
    linear = next(node for node in graph.nodes if isinstance(node.op, BinaryLinear))
    packed = model.tensors[f"{linear.name}.weight"].numpy()
    assert isinstance(linear.op, BinaryLinear)
    np.testing.assert_array_equal(np.packbits(linear.op.weights == 1, axis=1, bitorder="little"), packed)
    norm = next(node for node in graph.nodes if isinstance(node.op, BatchNorm))
    assert isinstance(norm.op, BatchNorm)
    np.testing.assert_array_equal(norm.op.mean, model.tensors[f"{norm.name}.mean"].numpy())


def change(path: str, value: Any):
    """A function that sets the field at a dotted path of the file's data; numbers index lists."""

    def apply(data: dict) -> None:
        *parents, last = path.split(".") if "/" not in path else path.split("/")
        for key in parents:
            data = data[int(key) if isinstance(data, list) else key]
        if value is DELETE:
            del data[int(last) if isinstance(data, list) else last]  # pyright: ignore[reportArgumentType]
        else:
            data[int(last) if isinstance(data, list) else last] = value  # pyright: ignore[reportArgumentType]

    return apply


DELETE = object()
NAN = torch.tensor([0.0, float("nan")] + [1.0] * 6)

REFUSED = {
    "foreign format": (change("format", "onnx"), r"is a torch file, but no bnnhw-model file"),
    "newer version": (change("version", 3), r"has version 3; this bnnhw reads versions 1 and 2$"),
    "no graph": (change("graph", DELETE), r"the file lacks the field 'graph'"),
    "no tensors": (change("tensors", DELETE), r"the file lacks the field 'tensors'"),
    "nodes are text": (change("graph.nodes", "none"), r"the graph has nodes='none'; it must be of type list"),
    "node is no dict": (change("graph.nodes.0", 7), r"a node must be a dict, not int"),
    "no inputs": (change("graph.inputs", []), r"a graph needs at least one input and one output"),
    "shape of nothing": (
        change("graph.inputs.0.shape", [0, 2]),
        r"input 'x' has shape \[0, 2\]; it must be one to three",
    ),
    "range upside down": (change("graph.inputs.0.element.lo", 999), r"input 'x' has element .* lo <= hi"),
    "unknown op": (
        change("graph.nodes.0.op", "conv3d"),
        r"node 'input_threshold0' has op 'conv3d'; known ops are add, affine",
    ),
    "NaN threshold": (change("graph.nodes.0.attributes.threshold", float("nan")), r"threshold must be finite, not nan"),
    "attribute is text": (
        change("graph.nodes.2.attributes.in_features", "12"),
        r"in_features='12'; it must be of type int",
    ),
    "no attribute": (change("graph.nodes.2.attributes.in_features", DELETE), r"lacks the field 'in_features'"),
    "zero features": (change("graph.nodes.2.attributes.out_features", 0), r"out_features=0; it must be at least 1"),
    "huge features": (change("graph.nodes.2.attributes.in_features", 10**12), r"weight of shape \(8, 2\); it must be"),
    "layers disagree": (change("graph.nodes.2.attributes.in_features", 11), r"set bits beyond column 11|reads shape"),
    "no tensor": (
        change("tensors/binary_linear2.weight", DELETE),
        r"wants tensor 'binary_linear2.weight' as its weight",
    ),
    "no tensor key": (change("graph.nodes.2.tensors.weight", DELETE), r"lacks its tensor 'weight'"),
    "wrong dtype": (
        change("tensors/binary_linear2.weight", torch.zeros(8, 2)),
        r"torch.float32; it must be torch.uint8",
    ),
    "wrong shape": (
        change("tensors/binary_linear2.weight", torch.zeros(8, 3, dtype=torch.uint8)),
        r"node 'binary_linear2' has a weight of shape \(8, 3\); it must be of shape \(8, 2\)",
    ),
    "expanded tensor": (
        change("tensors/binary_linear2.weight", torch.zeros(1, 1, dtype=torch.uint8).expand(8, 2)),
        r"weight that is sparse, strided or empty; it must be contiguous",
    ),
    "NaN mean": (change("tensors/batch_norm3.mean", NAN), r"mean must be finite, but element 1 is NaN or infinite"),
    "short mean": (change("tensors/batch_norm3.mean", torch.zeros(3)), r"must have 3 elements, not 8"),
    "matrix as mean": (change("tensors/batch_norm3.mean", torch.zeros(8, 1)), r"shape \(8, 1\); it must be a vector"),
    "negative variance": (change("tensors/batch_norm3.variance", -torch.ones(8)), r"variance \+ eps must be positive"),
    "unknown value": (
        change("graph.nodes.1.inputs", ["y"]),
        r"node 'flatten1' reads 'y', which no input or earlier node",
    ),
    "written twice": (change("graph.nodes.1.output", "x"), r"node 'flatten1' writes 'x', which is already defined"),
    "unknown output": (change("graph.outputs", ["y"]), r"output 'y' is defined by no input or node"),
    "two outputs": (
        change("graph.outputs", ["x", "flatten1.out"]),
        r"2 outputs; version 1 holds chains, which have",
    ),
    "node reads nothing": (change("graph.nodes.1.inputs", []), r"node 'flatten1' has 0 inputs; it must have one"),
    "no class names": (change("meta.classes", DELETE), r"meta lacks the field 'classes'"),
    "numbers as class names": (change("meta.classes", [0, 1, 2, 3, 4]), r"meta has classes=\[0, .*; it must be a list"),
    "too few class names": (change("meta.classes", ["a"]), r"output of shape \(5,\); it must be one score for each of"),
}


def branching() -> ModelFile:
    """Two dense layers of the same bits, their sum twice side by side, a sign and a dense layer."""
    model = ModelFile((2, 2, 1), 0, 1)
    model.add("flatten")
    bits = model.value
    for inputs in ((), (bits,)):
        model.add("binary_linear", {"weight": np.zeros((3, 1), np.uint8)}, inputs, in_features=4, out_features=3)
    model.add("add", inputs=("binary_linear1.out", "binary_linear2.out"))
    model.add("concat", inputs=(model.value, model.value))
    model.add("sign")
    model.add("binary_linear", {"weight": np.zeros((3, 1), np.uint8)}, in_features=6, out_features=3)
    return model


def test_reads_branches(tmp_path):
    model = branching()
    graph = load(model.save(tmp_path / "model.pt"))
    assert [node.inputs for node in graph.nodes] == [tuple(node["inputs"]) for node in model.nodes]
    assert to_plain(graph)["graph"] == model.data()["graph"]
    assert to_plain(graph)["version"] == 2
    model.add("affine", {"weight": np.ones(1, np.float32), "bias": np.ones(1, np.float32)})
    assert load(model.save(tmp_path / "model.pt")).nodes[-1].inputs == ("binary_linear6.out",)


REFUSED_BRANCHES = {
    "in a chain's file": (
        change("version", 1),
        r"layer 'binary_linear2' takes \['flatten0.out'\]; version 1 holds chains, where it takes the value before it",
    ),
    "one input of two": (change("graph.nodes.3.inputs", ["x"]), r"node 'add3' has 1 inputs; it must have two$"),
    "three inputs of two": (
        change("graph.nodes.3.inputs", ["binary_linear1.out"] * 3),
        r"node 'add3' has 3 inputs; it must have two$",
    ),
    "two inputs of one": (
        change("graph.nodes.1.inputs", ["x", "flatten0.out"]),
        r"node 'binary_linear1' has 2 inputs; it must have one$",
    ),
    "one input of many": (
        change("graph.nodes.4.inputs", ["add3.out"]),
        r"node 'concat4' has 1 inputs; it must have two or more$",
    ),
    "no input of many": (change("graph.nodes.4.inputs", []), r"node 'concat4' has 0 inputs; it must have two or more$"),
    "a value of a later node": (
        change("graph.nodes.3.inputs", ["concat4.out", "binary_linear1.out"]),
        r"node 'add3' reads 'concat4.out', which no input or earlier node",
    ),
    "a value that nothing reads": (
        change("graph.nodes.3.inputs", ["binary_linear1.out", "binary_linear1.out"]),
        r"node 'binary_linear2' writes 'binary_linear2.out', which nothing reads$",
    ),
    "shapes that differ": (
        change("graph.nodes.3.inputs", ["binary_linear1.out", "flatten0.out"]),
        r"node 'add3' \(Add\): adds values of one shape, not \(3,\) and \(4,\)$",
    ),
    "images beside features": (
        change("graph.nodes.4.inputs", ["add3.out", "x"]),
        r"node 'concat4' \(Concat\): joins values that differ in their channels alone",
    ),
    "attributes": (change("graph.nodes.3.attributes.alpha", 2), r"node 'add3' has the unknown attribute 'alpha'$"),
}


@pytest.mark.parametrize("case", REFUSED | REFUSED_BRANCHES)
def test_unsound_data_is_refused(tmp_path, case):
    apply, message = (REFUSED | REFUSED_BRANCHES)[case]
    data = (branching() if case in REFUSED_BRANCHES else make_model(seed=0)).data()
    apply(data)
    path = tmp_path / "model.pt"
    torch.save(data, path)
    with pytest.raises(ModelError, match=message) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


FILES = {
    "missing": (lambda path: None, r"no such file"),
    "folder": (lambda path: path.mkdir(), r"is a folder, not a model file"),
    "empty": (lambda path: path.write_bytes(b""), r"is truncated, damaged or no model file"),
    "text": (lambda path: path.write_text("hello"), r"is truncated, damaged or no model file"),
    "list": (lambda path: torch.save([1, 2], path), r"is a torch file, but no bnnhw-model file"),
    "module": (
        lambda path: torch.save(torch.nn.Linear(2, 2), path),
        r"holds code or foreign objects, which are never run",
    ),
    "bomb": (
        lambda path: torch.save(Bomb(path.parent / "bang"), path),
        r"holds code or foreign objects, which are never run",
    ),
    "bare pickle bomb": (
        lambda path: path.write_bytes(pickle.dumps(Bomb(path.parent / "bang"))),
        r"is truncated, damaged",
    ),
}


@pytest.mark.parametrize("case", FILES)
def test_other_files_are_refused_and_not_run(tmp_path, case):
    make, message = FILES[case]
    path = tmp_path / "model.pt"
    make(path)
    with pytest.raises(ModelError, match=message):
        load(path)
    assert not (tmp_path / "bang").exists()


@pytest.mark.parametrize("share", [0.01, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(tmp_path, share):
    path = make_model(seed=0).save(tmp_path / "model.pt")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ModelError, match="is truncated, damaged or no model file"):
        load(path)


def test_sums_beyond_float32_are_refused(tmp_path):
    model = ModelFile((300,), -(2**16) + 1, 0)
    bits = np.packbits(np.ones((1, 300), np.uint8), axis=1, bitorder="little")
    model.add("binary_linear", {"weight": bits}, in_features=300, out_features=1)
    with pytest.raises(ModelError, match=r"exceeds 2\^24, where float32 stops being exact"):
        load(model.save(tmp_path / "model.pt"))
