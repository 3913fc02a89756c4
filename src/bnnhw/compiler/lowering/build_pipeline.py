"""From a core's integer graph to its pipeline: bit planes and mismatch sums instead of signed numbers.

Tests: tests/compiler/lowering/test_pipeline.py
"""

from collections.abc import Mapping
from dataclasses import replace
from math import gcd, prod

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.graph import Graph, infer_types
from bnnhw.compiler.ir.ops import ArgMax, Op, Product, ScoreTable
from bnnhw.compiler.ir.types import BinaryType, IntType, TensorType
from bnnhw.compiler.units.block import Block
from bnnhw.compiler.units.codes import Codes, element_of
from bnnhw.compiler.units.offsets import rescaling

from .build_join import build_join
from .build_layer import build_layer
from .pipeline import Pipeline
from .segments import Segment, segments_of


def build_pipeline(graph: Graph) -> Pipeline:
    """The pipeline of a core's graph: products and what joins values, with thresholds and poolings behind them, and for
    a label an ArgMax at the end, before it perhaps a ScoreTable.

    Raises ScheduleError for any other graph; the message names the node.
    """
    types = infer_types(graph)
    segments = segments_of(graph)
    last = segments[-1]
    label, ranks = bool(last.rest) and isinstance(last.rest[-1].op, ArgMax), None
    if label:
        last.rest.pop()
    if label and last.rest and isinstance(op := last.rest[-1].op, ScoreTable):
        ranks = op
        last.rest.pop()
    blocks: dict[str, Block] = {}
    for segment in segments[:-1]:
        block = build_block(segment, blocks, types)
        blocks[block.output] = carried_for(readers_of(block.output, segments), block, types)
    end = build_block(last, blocks, types)
    if prod(end.output_shape) != end.codes.channels:
        raise ScheduleError(
            f"layer {end.name!r}: scores of shape {end.output_shape} have no hardware, only one score a channel; put "
            "an average pooling of the whole image behind it, or a dense layer"
        )
    if end.codes.by_place:
        end = rescaled(end, element_of(types[end.output]))
    elif label and ranks is None and (end.codes.offsets != end.codes.offsets.min()).any():
        end = rescaled(end, common_element(end.codes))
    offsets = end.codes.offsets[0, 0]
    return Pipeline(
        element=types[graph.inputs[0].name].element,
        blocks=(*blocks.values(), end),
        table=None if ranks is None else score_table(ranks, offsets, end.codes),
        label=label,
        offsets=offsets,
        scale=end.codes.scale,
    )


def build_block(segment: Segment, blocks: Mapping[str, Block], types: Mapping[str, TensorType]) -> Block:
    """The block of a segment that reads the outputs of these blocks, or the core's input."""
    if segment.first is not None and isinstance(segment.first.op, Product):
        return build_layer(segment, types)
    return build_join(segment, blocks, types)


def readers_of(value: str, segments: list[Segment]) -> list[Op | None]:
    """What the segments that read a value begin with."""
    return [segment.first and segment.first.op for segment in segments if value in segment.inputs]


def carried_for(readers: list[Op | None], block: Block, types: Mapping[str, TensorType]) -> Block:
    """The block with its results as the codes of their element type, where a product reads them or their places."""
    element = element_of(types[block.output])
    wanted = block.codes.by_place or any(isinstance(op, Product) for op in readers)
    return rescaled(block, element) if wanted and not block.codes.means(element) else block


def rescaled(block: Block, element: BinaryType | IntType) -> Block:
    """The block with its results as the codes of an element type."""
    step, codes = rescaling(block.codes, element)
    return replace(block, behind=(*block.behind, step), codes=codes)


def common_element(codes: Codes) -> IntType:
    """An element type that has all values of these codes, whatever the channel."""
    least, most = int(codes.offsets.min()), int(codes.offsets.max())
    step = gcd(codes.scale, *(codes.offsets - least).ravel().tolist())
    return IntType(least, most + codes.scale * codes.greatest, step)


def score_table(ranks: ScoreTable, offsets: NDArray[np.int64], codes: Codes) -> NDArray[np.int64]:
    """The table (classes, entries) of a class's rank by the last layer's code. Codes that no input reaches have 0."""
    dots = offsets[:, None] + codes.scale * np.arange(codes.greatest + 1)
    index = (dots - ranks.lows[:, None]) // ranks.step
    inside = (index >= 0) & (index < ranks.table.shape[1])
    picked = np.take_along_axis(ranks.table, np.clip(index, 0, ranks.table.shape[1] - 1), axis=1)
    return np.where(inside, picked, 0)
