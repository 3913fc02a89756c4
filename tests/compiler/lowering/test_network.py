"""What of a network the host computes, where values are read twice."""

import numpy as np
import pytest

from bnnhw.compiler import Graph, Node, TensorType, Value
from bnnhw.compiler.ir.ops import Add, Concat, Op, Threshold
from bnnhw.compiler.ir.types import IntType
from bnnhw.compiler.lowering.network import split_host

BITS = Threshold(np.array([3]))


@pytest.mark.parametrize(
    ("nodes", "host"),
    [
        ([("a", BITS, "x"), ("b", Concat(), "aa")], "a"),
        ([("a", BITS, "x"), ("b", Threshold(np.array([0])), "a"), ("c", Concat(), "ab")], "a"),
        ([("a", BITS, "x"), ("b", Threshold(np.array([0])), "x"), ("c", Concat(), "ab")], ""),
        ([("a", Add(), "xx"), ("b", BITS, "a")], ""),
    ],
)
def test_the_host_has_what_alone_reads_the_value_before_it(nodes: list[tuple[str, Op, str]], host: str):
    source = Value("x", TensorType((4,), IntType(0, 9)))
    graph = Graph((source,), tuple(Node(name, op, tuple(reads), name) for name, op, reads in nodes), (nodes[-1][0],))
    parts = split_host(graph)
    assert [[node.name for node in part.nodes] for part in parts] == [
        [*host],
        [name for name, *_ in nodes[len(host) :]],
    ]
    assert parts[0].outputs == (parts[1].inputs[0].name,) == (host or "x",)
