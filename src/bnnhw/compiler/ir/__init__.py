"""The intermediate representation: element and tensor types, graphs, operators."""

from .graph import Graph, Node, Value, check_feed, evaluate, infer_types, random_feeds, trace, verify
from .ops.base import Op
from .types import BinaryType, Element, FloatType, IntType, TensorType

__all__ = [
    "BinaryType",
    "Element",
    "FloatType",
    "Graph",
    "IntType",
    "Node",
    "Op",
    "TensorType",
    "Value",
    "check_feed",
    "evaluate",
    "infer_types",
    "random_feeds",
    "trace",
    "verify",
]
