"""Separation of a layer's exact sum from the float arithmetic behind it."""

from bnnhw.compiler.ir.graph import Graph, Node
from bnnhw.compiler.ir.ops import BinaryLayer, Divide

from .rewrite import drop_unread, replace_nodes


def split_binary_layers(graph: Graph) -> Graph:
    """y = binary_layer(x)  ->  y.sum = product(x); y = affine(y.sum).

    The product is a MatMul or a Conv. Where the layer has neither scale nor bias the affine is the change from integer
    to float alone. A division by a power of two before the layer comes behind its product, which is the same where
    nothing is rounded, and what pads the quotient is multiplied: y = binary_layer(s / n)  ->  y.sum = product(s);
    y.quotient = y.sum / n; y = affine(y.quotient).
    """

    def rewrite(node: Node) -> tuple[Node, ...]:
        if not isinstance(node.op, BinaryLayer):
            return (node,)
        total, quotient = f"{node.output}.sum", f"{node.output}.quotient"
        affine = Node(f"{node.name}.affine", node.op.affine, (total,), node.output)
        source = graph.producer(node.inputs[0])
        if source is None or not isinstance(source.op, Divide):
            return Node(node.name, node.op.product, node.inputs, total), affine
        return (
            Node(node.name, node.op.product_of_sums(source.op.divisor), source.inputs, total),
            Node(f"{node.name}.quotient", source.op, (total,), quotient),
            Node(affine.name, affine.op, (quotient,), node.output),
        )

    return drop_unread(replace_nodes(graph, rewrite))
