"""Operators written in Python: what a Python file names, and as a graph.

Tests: tests/operators/test_chains.py
"""

import importlib.util
import sys
from pathlib import Path
from typing import Any

from bnnhw.compiler.errors import GraphError, ModelError
from bnnhw.compiler.ir import ops
from bnnhw.compiler.ir.graph import Graph, Node, Value, infer_types
from bnnhw.compiler.ir.types import IntType, TensorType
from bnnhw.hls import Operator as WrittenOperator
from bnnhw.hls.chain import Chain
from bnnhw.hls.errors import OperatorError
from bnnhw.hls.rearrange import Crop, DepthToSpace, Rearrangement, SpaceToDepth
from bnnhw.hls.traced import Traced

__all__ = ["graph_of_chain", "object_in"]


def graph_of_chain(chain: Chain) -> Graph:
    """The chain as a graph. Raises GraphError, which names the operator's line, where it has no hardware."""
    source = Value("x", TensorType(chain.shape, IntType(*chain.span)))
    nodes: list[Node] = []
    before = source.name
    try:
        for number, (name, data) in enumerate(chain.traced()):
            taken = name in {node.name for node in nodes}
            nodes.append(Node(f"{name}.{number}" if taken else name, op_of(data), (before,), f"y{number}"))
            before = nodes[-1].output
        graph = Graph((source,), tuple(nodes), (before,), {"classes": []})
        infer_types(graph)
    except OperatorError as error:
        raise GraphError(str(error)) from error
    return graph


def op_of(data: Traced | Rearrangement) -> ops.Op:
    """The op of a graph that does it."""
    match data:
        case SpaceToDepth(block):
            return ops.SpaceToDepth(block)
        case DepthToSpace(block):
            return ops.DepthToSpace(block)
        case Crop(top, bottom, left, right):
            return ops.Crop((top, left), (bottom, right))
    assert isinstance(data, Traced)
    return ops.Operator(data)


def object_in(source: str) -> Any:
    """The operator or chain that FILE.py:NAME names. The file is run, as Python runs one that it is given.

    Raises ModelError, in one line, where there is no such thing.
    """
    file, _, name = source.rpartition(":")
    module = _run(Path(file))
    found = {key: value for key, value in vars(module).items() if isinstance(value, WrittenOperator | Chain)}
    if name not in found:
        raise ModelError(f"{file} has no operator or chain {name!r}; it has {', '.join(sorted(found)) or 'none'}")
    return found[name]


def _run(path: Path) -> Any:
    if not path.is_file():
        raise ModelError(f"{path}: no such file")
    spec = importlib.util.spec_from_file_location(f"bnnhw_operators_{path.stem}", path)
    assert spec is not None  # its name ends in .py
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    except OperatorError as error:
        raise ModelError(str(error)) from error
    except Exception as error:
        raise ModelError(f"{path}: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(str(path.parent))
    return module
