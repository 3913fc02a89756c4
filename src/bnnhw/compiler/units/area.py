"""What a design costs before synthesis: LUTs, flip-flops and block RAMs of each unit.

LUTs count as the placer counts them. Registers, memories and multiplexers follow from the structure; the constants
are the control logic as yosys 0.70 makes it for LUTs of 4 inputs.
"""

import math
from functools import cache

from bnnhw.hw.link.chunks import FrameShape
from bnnhw.hw.link.settings import (
    image_buffer_depth,
    image_chunks,
    lane_depth,
    result_chunks,
    result_queue_depth,
)
from bnnhw.hw.output.score_table import score_table_block_rams
from bnnhw.hw.product.matrix_area import matrix_area
from bnnhw.hw.product.matrix_shape import MatrixShape
from bnnhw.hw.storage.line_memory import line_memory_cells
from bnnhw.hw.stream.fifo import LUT_FIFO_DEPTH, fifo_block_rams
from bnnhw.hw.targets import Cells, Fabric
from bnnhw.hw.window.area import window_area
from bnnhw.hw.window.shape import WindowShape

LINK_LUTS = 1200
LINK_FFS = 830
CHUNKS_LUTS = 270
CHUNKS_FFS = 190
LANE_LUTS = 85
LANE_FFS = 68


@cache
def matrix_resources(shape: MatrixShape) -> Cells:
    """A matrix unit."""
    return matrix_area(shape)


def converter_resources(*, in_lanes: int, out_lanes: int, vectors: int) -> Cells:
    """A width converter of bits: narrowing shifts the beat that it loads, widening only shifts. Equal: nothing."""
    middle = math.gcd(in_lanes, out_lanes)
    total = Cells()
    if in_lanes > middle:
        bits = vectors * in_lanes
        total += Cells(logic=bits + 12, ffs=bits + 7)
    if out_lanes > middle:
        bits = vectors * out_lanes
        total += Cells(logic=8, ffs=bits + 6)
    return total


def link_resources(fabric: Fabric, *, bits: int, beats: int, vectors: int) -> Cells:
    """Clock, UART and frames around a core whose frames have `beats` beats of `bits` bits: what the top adds.

    Its logic hardly depends on the network. The buffer of received images holds two of them, or four chunks of one;
    where vectors travel in lockstep, each has a queue of one image besides.
    """
    image = FrameShape(beats, 1, bits, vectors)
    chunks = image_chunks(fabric, image)
    depth = image_buffer_depth(fabric, image, chunks)
    total = Cells(
        logic=LINK_LUTS + bits // 4,
        ffs=LINK_FFS + 2 * bits,
        ebr=fabric.link_block_rams + fifo_block_rams(fabric, width=bits, depth=depth),
    )
    if chunks.count > 1:
        total += Cells(logic=CHUNKS_LUTS, ffs=CHUNKS_FFS)
    if vectors > 1:
        depth = lane_depth(fabric, beats)
        ebr = fifo_block_rams(fabric, width=bits, depth=depth)
        memory = 0 if ebr else round(bits * fabric.queue_luts_per_bit[depth])
        for _ in range(vectors):
            total += Cells(logic=LANE_LUTS + memory, ffs=LANE_FFS + bits, ebr=ebr)
    return total


def answer_resources(fabric: Fabric, *, bits: int, beats: int, vectors: int) -> Cells:
    """What the link has besides for long answers, whose results have `beats` beats of `bits` bits: block RAMs."""
    chunks = result_chunks(fabric, FrameShape(beats, 1, bits, vectors))
    depth = result_queue_depth(fabric, chunks) if vectors == 1 else lane_depth(fabric, beats)
    return Cells(ebr=vectors * fifo_block_rams(fabric, width=bits, depth=depth))


def queue_resources(fabric: Fabric, *, width: int, depth: int, limit: int | None = None) -> Cells:
    """A queue: its memory, and pointers with the logic around them; with a limit a counter of what is left of it, which
    from some bits on is a carry chain."""
    bits = (depth - 1).bit_length()
    counter = 0 if limit is None else limit.bit_length()
    if depth > LUT_FIFO_DEPTH:
        luts, ffs, ebr = line_memory_cells(fabric, depth, width, "block")
        return Cells(logic=luts + 10 * bits + 10 + 2 * counter, ffs=ffs + 6 * bits + 9, ebr=ebr)
    memory = fabric.distributed_ram_luts(depth, width)
    return Cells(logic=memory + 10 * bits + 14 + counter, ffs=width + 6 * bits + 8)


def table_resources(fabric: Fabric, *, classes: int, entries: int, width: int, lookups: int) -> Cells:
    """A table of scores of `width` bits, `lookups` of them for a beat."""
    index = (entries - 1).bit_length()
    shifts = index * lookups if lookups > 1 else 0
    block_ram = score_table_block_rams(fabric, classes=classes, entries=entries, width=width)
    return Cells(logic=shifts + 20, ffs=lookups * (index + width) + 22, ebr=block_ram)


def label_resources(fabric: Fabric, *, width: int, lanes: int, vectors: int) -> Cells:
    """The arg max of scores of `width` bits."""
    compare = width + 6 + width + 2 * fabric.carry_end_luts + (lanes - 1) * width
    return Cells(logic=vectors * compare + 12, ffs=vectors * ((lanes + 1) * width + 8) + 8)


@cache
def window_resources(shape: WindowShape, *, padding_code: int) -> Cells:
    """A sliding window."""
    return window_area(shape, padding_code=padding_code)
