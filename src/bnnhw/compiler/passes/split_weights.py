"""Integer weights as planes of +-1.

Tests: tests/compiler/passes/test_split_weights.py
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.graph import Graph, Node, infer_types
from bnnhw.compiler.ir.ops import Operator, Product
from bnnhw.compiler.ir.types import IntType, TensorType
from bnnhw.hls.operator import Operator as Function
from bnnhw.hls.stateless import Groupwise
from bnnhw.hls.traced import Traced

from .rewrite import replace_nodes


def split_weights(graph: Graph) -> Graph:
    """s = product(x, w)  ->  p = product(x, planes of w); s = combine(p), w integers, the planes +-1.

    Each row becomes neighbouring rows, one a plane: w = sum of factor[m]*plane[m] / 2^halved.
    """

    types = infer_types(graph)

    def split(node: Node) -> tuple[Node, ...]:
        is_integer = isinstance(node.op, Product) and not node.op.is_binary
        return split_product(node, types[node.output]) if is_integer else (node,)

    return replace_nodes(graph, split)


def split_product(node: Node, sums: TensorType) -> tuple[Node, Node]:
    """The product of planes of +-1 and what combines its sums, for a node of integer weights."""
    assert isinstance(node.op, Product)
    assert isinstance(sums.element, IntType)
    planes = planes_of(node.op)
    combine = Operator(combining(planes.factors, planes.halved), within=(sums.element.lo, sums.element.hi))
    between = f"{node.output}.planes"
    return (
        Node(node.name, replace(node.op, weights=planes.rows, factors=()), node.inputs, between),
        Node(f"{node.name}.combine", combine, (between,), node.output),
    )


def with_planes(product: Product) -> Product:
    """The product of +-1 that a product of integers is made of, k rows for each of its; itself where it is of +-1."""
    return product if product.is_binary else replace(product, weights=planes_of(product).rows, factors=())


@dataclass(frozen=True, eq=False)
class Planes:
    """Weights (rows, ..) as rows of +-1, int8 (rows*planes, ..), those of one row side by side: each times the factor
    of its plane, and the sum over 2^halved."""

    rows: NDArray[np.int8]
    factors: tuple[int, ...]
    halved: int


def planes_of(product: Product) -> Planes:
    """The planes of a product's integer weights: one for each of its factors, or powers of two."""
    if not product.factors:
        return binary_planes(product.weights)
    return Planes(in_rows(product.signs_of_factors()), product.factors, 0)


def in_rows(planes: NDArray[np.int8]) -> NDArray[np.int8]:
    """(planes, rows, ..) as rows, those of one row side by side."""
    return np.ascontiguousarray(np.moveaxis(planes, 0, 1).reshape(-1, *planes.shape[2:]))


def binary_planes(weights: NDArray[np.int16]) -> Planes:
    """The fewest planes: odd integers below 2^k are k planes of factors 1, 2, 4, ..; others, doubled, one more of 1.

    The doubled ones are even numbers of at most 2^k, and so are the sums of 1, 1, 2, 4, .., 2^(k-1), each + or -. So
    -1, 0 and +1 are two planes.
    """
    wide = weights.astype(np.int64)
    odd = bool((wide % 2 == 1).all())
    rest = wide if odd else 2 * wide
    bits = max(1, int(np.abs(rest).max() - (not odd)).bit_length())
    factors = tuple(2**place for place in range(bits)) + (() if odd else (1,))
    planes = np.zeros((len(factors), *weights.shape), np.int8)
    for place in sorted(range(len(factors)), key=lambda place: -factors[place]):
        planes[place] = np.where(rest >= 0, 1, -1)
        rest = rest - factors[place] * planes[place].astype(np.int64)
    assert not rest.any()
    return Planes(in_rows(planes), factors, 0 if odd else 1)


@lru_cache(maxsize=64)
def combining(factors: tuple[int, ...], halved: int) -> Traced:
    """The sum of a group's members, each times its factor, over 2^halved."""
    function = Function(
        lambda group: sum(factor * each for factor, each in zip(factors, group, strict=True)) >> halved,
        Groupwise(len(factors)),
    )
    return function.traced(len(factors))
