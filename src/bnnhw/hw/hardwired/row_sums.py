"""From a matrix of constant +-1 weights to an adder graph of all its rows."""

import numpy as np
from numpy.typing import NDArray

from bnnhw.hw.targets import Fabric

from .adder_graph import AdderGraph, RowSum, Term, difference_width
from .graph_builder import GraphBuilder
from .row_group import class_numbers, sum_classes
from .row_grouping import choose_row_groups

__all__ = ["plan_row_sums"]


def plan_row_sums(weights: NDArray[np.int8], fabric: Fabric, *, with_offsets: bool, shared: bool = True) -> AdderGraph:
    """The graph of the mismatch sums of `weights`, (rows, cols) of +-1. Equal and inverse rows are summed once.

    with_offsets: whether a row may be given as a sum without a constant, which is what a comparison needs. shared:
    whether rows are planned together; else each is a popcount by itself, of which equal adders alone become one, as
    synthesis would make them.
    """
    cols = weights.shape[1]
    if not shared:
        builder = GraphBuilder(cols)
        return builder.build([row_sum for row in weights for row_sum in add_row_group(builder, row[None])])
    signs = weights[:, :1]
    _, first, which = np.unique(weights * signs, axis=0, return_index=True, return_inverse=True)
    distinct = weights[first]
    builder = GraphBuilder(cols)
    sums: list[RowSum | None] = [None] * len(distinct)
    for group in choose_row_groups(distinct, fabric):
        for row, row_sum in zip(group, add_row_group(builder, distinct[group]), strict=True):
            sums[row] = row_sum
    rows = []
    for index, sign in zip(which.ravel(), signs[:, 0], strict=True):
        row = sums[index]
        assert row is not None
        row = row if sign == distinct[index, 0] else inverse_row(row, builder, cols)
        rows.append(row if with_offsets else add_offset(row, builder, cols))
    return builder.build(rows)


def add_row_group(builder: GraphBuilder, weights: NDArray[np.int8]) -> list[RowSum]:
    """The mismatch sums of distinct rows, by `sum_classes`."""
    rows, cols = weights.shape
    numbers = class_numbers(weights)
    classes: list[list[Term]] = [[] for _ in range(1 << (rows - 1))]
    for column, (number, weight) in enumerate(zip(numbers, weights[0], strict=True)):
        classes[number].append(Term(column, inverted=bool(weight > 0)))
    total, differences = sum_classes(classes, builder)
    assert total is not None
    high = Term(total.node, 1, total.inverted)
    sums = [RowSum(low=total, high=high, signed=False, offset=0)]
    for difference in differences:
        assert difference is not None, "rows that are equal"
        size = builder.greatest(difference)
        quotient = builder.subtract(high, difference, width=difference_width(size, cols))
        sums.append(RowSum(low=total, high=quotient, signed=True, offset=size))
    return sums


def inverse_row(row: RowSum, builder: GraphBuilder, cols: int) -> RowSum:
    """The sum of the row with inverted weights, cols - m: each bit inverted makes x of b bits 2^b - 1 - x, or -1 - x
    in two's complement."""
    low, high = (Term(term.node, term.low, not term.inverted) for term in (row.low, row.high))
    top = 0 if row.signed else 1 << (1 + builder.bits(row.high))
    return RowSum(low, high, row.signed, cols - row.offset + 1 - top)


def add_offset(row: RowSum, builder: GraphBuilder, cols: int) -> RowSum:
    """The same sum as an unsigned number without an offset."""
    if row.offset == 0 and not row.signed:
        return row
    odd, half, width = row.offset & 1, row.offset >> 1, cols.bit_length() - 1
    low = Term(row.low.node, row.low.low, row.low.inverted != bool(odd))
    high = builder.add(row.high, half & ((1 << width) - 1), row.low if odd else 0, width=width) if width else row.high
    return RowSum(low, high, signed=False, offset=0)
