"""Small trained graphs, built node by node."""

import numpy as np

from bnnhw.compiler import Graph, IntType, Node, TensorType, Value
from bnnhw.compiler.ir.ops import BinaryLinear, Op


def chain(*ops: Op, shape: tuple[int, ...] = (4,), lo: int = 0, hi: int = 1) -> Graph:
    """The ops in a row, named n0, n1, …, their values v0, v1, …; the input is x."""
    names = ["x", *(f"v{index}" for index in range(len(ops)))]
    nodes = tuple(Node(f"n{index}", op, (names[index],), names[index + 1]) for index, op in enumerate(ops))
    return Graph((Value("x", TensorType(shape, IntType(lo, hi))),), nodes, (names[-1],))


def linear(rows: int, cols: int, *, seed: int = 0) -> BinaryLinear:
    """Random weights, neither scale nor bias."""
    return BinaryLinear((np.random.default_rng(seed).integers(0, 2, (rows, cols)) * 2 - 1).astype(np.int8))


def vector(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def ops_of(graph: Graph) -> list[str]:
    return [type(node.op).__name__ for node in graph.nodes]
