"""From a core's integer graph to its pipeline: bit planes and mismatch sums instead of signed numbers.

Tests: tests/compiler/lowering/test_pipeline.py
"""

from collections.abc import Mapping
from dataclasses import replace
from math import gcd, prod

from bnnhw.compiler.ir.graph import Graph, infer_types
from bnnhw.compiler.ir.ops import Combine, Op, Product
from bnnhw.compiler.ir.types import BinaryType, IntType, TensorType
from bnnhw.compiler.units.block import Block
from bnnhw.compiler.units.codes import Codes, element_of
from bnnhw.compiler.units.operator.offsets import rescaling

from .build_join import build_join
from .build_layer import build_layer
from .output import Ending, endings_of, output_of
from .pipeline import Pipeline
from .segments import Segment, carriers_of, segments_of


def build_pipeline(graph: Graph) -> Pipeline:
    """The pipeline of a core's graph: products, what joins values, and the steps behind them and behind the input; for
    a label an ArgMax at the end, before it perhaps a ScoreTable.

    Raises ScheduleError for any other graph; the message names the node.
    """
    types = infer_types(graph)
    body, endings = endings_of(graph)
    segments, carriers = segments_of(body), carriers_of(body)
    endings = [replace(ending, source=carriers[ending.source]) for ending in endings]
    blocks: dict[str, Block] = {}
    for segment in segments:
        block = build_block(segment, blocks, types)
        readers = readers_of(block.output, segments)
        own = [ending for ending in endings if ending.source == block.output]
        blocks[block.output] = carried_for(readers, own, block, types)
    return Pipeline(
        element=types[graph.inputs[0].name].element,
        input_shape=image_shape(types[graph.inputs[0].name].shape),
        blocks=tuple(blocks.values()),
        outputs=tuple(output_of(ending, types[ending.name].shape, blocks[ending.source]) for ending in endings),
    )


def image_shape(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """A shape as that of an image: a vector is one pixel, as is whatever is flattened."""
    height, width, channels = shape if len(shape) == 3 else (1, 1, prod(shape))
    return height, width, channels


def build_block(segment: Segment, blocks: Mapping[str, Block], types: Mapping[str, TensorType]) -> Block:
    """The block of a segment that reads the outputs of these blocks, or the core's input."""
    if segment.first is not None and isinstance(segment.first.op, Product):
        return build_layer(segment, types)
    return build_join(segment, blocks, types)


def readers_of(value: str, segments: list[Segment]) -> list[Op | None]:
    """What the segments that read a value begin with."""
    return [segment.first and segment.first.op for segment in segments if value in segment.inputs]


def carried_for(
    readers: list[Op | None], endings: list[Ending], block: Block, types: Mapping[str, TensorType]
) -> Block:
    """The block with its results as the codes of their element type, where a product reads them, or their places others
    than operators; of a label as codes that mean the same in all channels."""
    element, codes = element_of(types[block.output]), block.codes
    by_operators = not endings and all(isinstance(op, Combine) for op in readers)
    if (codes.by_place and not by_operators) or any(isinstance(op, Product) for op in readers):
        return block if codes.means(element) else rescaled(block, element)
    unranked = any(ending.label and ending.ranks is None for ending in endings)
    if unranked and (codes.offsets != codes.offsets.min()).any():
        return rescaled(block, common_element(codes))
    return block


def rescaled(block: Block, element: BinaryType | IntType) -> Block:
    """The block with its results as the codes of an element type."""
    step, codes = rescaling(block.codes, element)
    return replace(block, behind=(*block.behind, step), codes=codes)


def common_element(codes: Codes) -> IntType:
    """An element type that has all values of these codes, whatever the channel."""
    least, most = int(codes.offsets.min()), int(codes.offsets.max())
    step = gcd(codes.scale, *(codes.offsets - least).ravel().tolist())
    return IntType(least, most + codes.scale * codes.greatest, step)
