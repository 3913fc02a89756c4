"""Separation of a layer's exact sum from the float arithmetic behind it."""

from bnnhw.compiler.ir import Graph, Node
from bnnhw.compiler.ops import BinaryLinear

from .rewrite import replace_nodes


def split_binary_linear(graph: Graph) -> Graph:
    """y = binary_linear(x)  ->  y.sum = matmul(x); y = affine(y.sum).

    Where the layer has neither scale nor bias the affine is the change from integer to float alone.
    """

    def rewrite(node: Node) -> tuple[Node, ...]:
        if not isinstance(node.op, BinaryLinear):
            return (node,)
        total = f"{node.output}.sum"
        return (
            Node(node.name, node.op.matmul, node.inputs, total),
            Node(f"{node.name}.affine", node.op.affine, (total,), node.output),
        )

    return replace_nodes(graph, rewrite)
