"""An ONNX file to a model that qonnx can execute: checked before anything of it is run, constants folded.

No other file is read, and no code but qonnx's own operators and onnxruntime's is run.

Tests: tests/compiler/frontends/qonnx/test_read.py
"""

import io
import logging
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from bnnhw.compiler.errors import ModelError

__all__ = ["MISSING", "read"]

MISSING = "reading ONNX files needs onnx and qonnx: pip install 'bnnhw[onnx]'"
MOST_BYTES, MOST_NODES, MOST_ELEMENTS = 2**28, 10_000, 2**26
"""Of a file, of a graph, and of any tensor, its inferred ones included."""
CUSTOM_DOMAIN = "qonnx.custom_op.general"
CUSTOM_DOMAINS = {CUSTOM_DOMAIN, "onnx.brevitas", "finn.custom_op.general"}
STANDARD_DOMAINS = {"", "ai.onnx"}
CUSTOM_OPS = {"Quant", "IntQuant", "BipolarQuant", "MultiThreshold", "Trunc"}
STANDARD_OPS = {
    *("Conv", "Gemm", "MatMul", "BatchNormalization", "Add", "Sub", "Mul", "Div", "Pow", "Neg", "Sqrt", "Reciprocal"),
    *("Relu", "LeakyRelu", "PRelu", "Clip", "MaxPool", "AveragePool", "GlobalAveragePool", "ReduceMean"),
    *("Flatten", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Pad", "Concat", "Resize", "Upsample"),
    *("Constant", "Shape", "Gather", "Slice", "Cast", "Identity", "Dropout"),
    *("TopK", "ArgMax", "Softmax", "LogSoftmax"),
}
"""What stands for a layer, computes a constant shape, or is dropped at the end."""
QUANTISERS = ["Quant", "IntQuant", "BipolarQuant"]
ACTIVATIONS = [*QUANTISERS, "MultiThreshold", "Trunc"]
"""What gives integers times a scale: of weights, too, or of activations alone."""


def read(path: Path) -> Any:
    """The file's model (qonnx's `ModelWrapper`), its shapes inferred and its constants folded but for quantised ones.

    Raises ModelError, in one line that begins with the file's name, for anything else than a sound file.
    """
    try:
        return _cleaned(_checked(_parsed(_content(path))))
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error


def _content(path: Path) -> bytes:
    if not path.is_file():
        found = "is a folder" if path.is_dir() else "is no regular file"
        raise ModelError(f"{found}, not an ONNX file" if path.exists() else "no such file")
    if (size := path.stat().st_size) > MOST_BYTES:
        raise ModelError(f"has {size:,} bytes; {MOST_BYTES:,} are the most")
    return path.read_bytes()


def _parsed(content: bytes) -> Any:
    try:
        import onnx
        import qonnx  # noqa: F401 what reads it needs both
    except ModuleNotFoundError as error:
        raise ModelError(MISSING) from error
    try:
        model = onnx.load_model_from_string(content)
    except Exception as error:  # what the parser of protobuf stumbles over
        raise ModelError("is truncated, damaged or no ONNX file") from error
    if not model.graph.node or not model.graph.output:
        raise ModelError("is damaged or no ONNX file: it has no graph with nodes and outputs")
    return model


def _checked(model: Any) -> Any:
    """The model, its nodes in order and named; ModelError for what is not to be run."""
    graph = model.graph
    if len(graph.node) > MOST_NODES:
        raise ModelError(f"has {len(graph.node):,} nodes; {MOST_NODES:,} are the most")
    if model.functions:
        raise ModelError(f"has a function of its own, {model.functions[0].name!r}; export with its nodes inlined")
    if graph.sparse_initializer:
        raise ModelError("has sparse tensors, which are not supported; export dense ones")
    for tensor in graph.initializer:
        _check_tensor(tensor, f"tensor {tensor.name!r}")
    for value in graph.input:
        sizes = [size.dim_value for size in value.type.tensor_type.shape.dim]
        if not all(0 <= size < 2**20 for size in sizes) or math.prod(size or 1 for size in sizes) > MOST_ELEMENTS:
            raise ModelError(f"input {value.name!r} has shape {sizes}, which is too large")
    _name_nodes(graph)
    for node in graph.node:
        _check_node(node)
    _sort(graph)
    del model.metadata_props[:]
    return model


def _name_nodes(graph: Any) -> None:
    """Each node gets a name of its own where it has none."""
    taken: set[str] = set()
    for number, node in enumerate(graph.node):
        if not node.name or node.name in taken:
            node.name = f"{node.name or node.op_type}_{number}"
        taken.add(node.name)


def _check_node(node: Any) -> None:
    where = f"node {node.name!r} ({node.op_type})"
    if node.domain in CUSTOM_DOMAINS:
        known = CUSTOM_OPS
        node.domain = CUSTOM_DOMAIN
    elif node.domain in STANDARD_DOMAINS:
        known = STANDARD_OPS
    else:
        raise ModelError(f"{where} is of the domain {node.domain!r}; supported are ONNX and {_listed(CUSTOM_DOMAINS)}")
    if node.op_type not in known:
        raise ModelError(f"{where} has no place in a binary network's graph; supported are {_listed(known)}")
    for attribute in node.attribute:
        if attribute.HasField("g") or attribute.graphs:
            raise ModelError(f"{where} has a graph inside, which is not supported")
        for tensor in (*([attribute.t] if attribute.HasField("t") else ()), *attribute.tensors):
            _check_tensor(tensor, f"{where}: its {attribute.name}")


def _check_tensor(tensor: Any, where: str) -> None:
    """ModelError for one that lies in another file, is too large, or holds less than its shape says."""
    import onnx

    if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
        raise ModelError(f"{where} lies in another file, which is never read; save the model with its data inside")
    if any(size < 0 for size in tensor.dims) or math.prod(tensor.dims) > MOST_ELEMENTS:
        raise ModelError(f"{where} has shape {list(tensor.dims)}; {MOST_ELEMENTS:,} elements are the most")
    try:
        onnx.numpy_helper.to_array(tensor)
    except Exception as error:  # as many ways to be damaged as there are kinds of tensors
        raise ModelError(f"{where} is damaged: it does not hold what its type and shape say") from error


def _sort(graph: Any) -> None:
    """The nodes in an order in which they can be evaluated; ModelError for a circle, and for a value that is written
    twice or never."""
    writers: dict[str, Any] = {}
    for node in graph.node:
        for value in node.output:
            if value in writers:
                raise ModelError(f"nodes {writers[value].name!r} and {node.name!r} both write {value!r}")
            writers[value] = node
    given = {""} | {value.name for value in graph.input} | {tensor.name for tensor in graph.initializer}
    nodes = {node.name: node for node in graph.node}
    before: dict[str, set[str]] = {}
    for node in graph.node:
        for value in node.input:
            if value not in writers and value not in given:
                raise ModelError(f"node {node.name!r} ({node.op_type}) reads {value!r}, which nothing writes")
        before[node.name] = {writers[value].name for value in node.input if value in writers}
    for value in graph.output:
        if value.name not in writers:
            raise ModelError(f"output {value.name!r} is written by no node")
    try:
        order = list(TopologicalSorter(before).static_order())
    except CycleError as error:
        raise ModelError(f"node {error.args[1][0]!r} reads what follows from its own output") from error
    ordered = [nodes[name] for name in order]
    copies = [type(node).FromString(node.SerializeToString()) for node in ordered]
    del graph.node[:]
    graph.node.extend(copies)


def _cleaned(model: Any) -> Any:
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.transformation.fold_constants import FoldConstants
    from qonnx.transformation.general import RemoveStaticGraphInputs, RemoveUnusedTensors
    from qonnx.transformation.infer_shapes import InferShapes

    with quiet():
        try:
            wrapped = ModelWrapper(model).transform(RemoveStaticGraphInputs())
            _one_image(wrapped.graph)
            wrapped = wrapped.transform(InferShapes())
            _check_shapes(wrapped.graph)
            wrapped = wrapped.transform(FoldConstants(exclude_op_types=QUANTISERS))
            wrapped = wrapped.transform(RemoveUnusedTensors()).transform(InferShapes())
        except ModelError:
            raise
        except Exception as error:  # onnx and qonnx raise whatever they stumble over
            raise ModelError(f"does not fit together: {_first_line(error)}") from error
    _check_shapes(wrapped.graph)
    return wrapped


def _one_image(graph: Any) -> None:
    """The input's batch becomes one image, and all other shapes open. ModelError unless there is one input of known
    sizes."""
    if len(graph.input) != 1:
        names = [value.name for value in graph.input]
        raise ModelError(f"has the inputs {names}; a network has one")
    sizes = [size.dim_value for size in graph.input[0].type.tensor_type.shape.dim]
    if len(sizes) not in (2, 4) or not all(sizes[1:]):
        raise ModelError(
            f"input {graph.input[0].name!r} has shape {sizes}; it must be images (N, C, H, W) or features (N, F) of "
            "known sizes"
        )
    graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    del graph.value_info[:]
    for value in graph.output:
        value.type.tensor_type.ClearField("shape")


def _check_shapes(graph: Any) -> None:
    for value in graph.value_info:
        sizes = [size.dim_value for size in value.type.tensor_type.shape.dim]
        if math.prod(size or 1 for size in sizes) > MOST_ELEMENTS:
            raise ModelError(f"tensor {value.name!r} has shape {sizes}; {MOST_ELEMENTS:,} elements are the most")


@contextmanager
def quiet() -> Iterator[None]:
    """qonnx and onnxruntime say nothing of their own."""
    import onnxruntime

    onnxruntime.set_default_logger_severity(4)
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(action="ignore"), redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(level)


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))


def _first_line(error: Exception) -> str:
    lines = str(error).split("\n")
    return lines[0][:200] or type(error).__name__
