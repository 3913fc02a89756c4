"""What a design costs before synthesis: LUTs, flip-flops and block RAMs of each unit.

LUTs count as nextpnr counts TRELLIS_COMB. Registers, memories and multiplexers follow from the structure; the constants
are the control logic as yosys 0.70 makes it (`synth_lattice -nowidelut`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from bnnhw.hw.area import FEED_COMB, matrix_area
from bnnhw.hw.block_ram import BLOCK_RAM_SHAPES
from bnnhw.hw.dealer import lane_depth
from bnnhw.hw.fifo import fifo_block_rams
from bnnhw.hw.matrix_shape import MatrixShape
from bnnhw.hw.score_table import score_table_block_rams

from .device import Device
from .pipeline import Pipeline

LINK_LUTS = 1060
LINK_FFS = 450
LANE_LUTS = 85
LANE_FFS = 68
LANE_LUTS_PER_BIT = {16: 1.5, 32: 4.4}  # distributed RAM of so many words, 16 in a cell


@dataclass(frozen=True)
class Resources:
    """LUT4s (TRELLIS_COMB), flip-flops and block RAMs."""

    luts: int = 0
    ffs: int = 0
    ebr: int = 0

    def share(self, device: Device) -> float:
        """The share of the device's LUTs, flip-flops or block RAMs, whichever is greatest."""
        return max(self.luts / device.luts, self.ffs / device.ffs, self.ebr / device.ebr)

    def size(self, device: Device) -> float:
        """What "smallest" means: the sum of the shares of LUTs and block RAMs."""
        return self.luts / device.luts + self.ebr / device.ebr

    def __add__(self, other: "Resources") -> "Resources":
        return Resources(self.luts + other.luts, self.ffs + other.ffs, self.ebr + other.ebr)


@cache
def matrix_resources(shape: MatrixShape) -> Resources:
    """A matrix unit."""
    area = matrix_area(shape)
    return Resources(area.trellis_comb, area.ff, area.ebr)


def converter_resources(*, in_lanes: int, out_lanes: int, vectors: int) -> Resources:
    """A width converter of bits: narrowing shifts the beat that it loads, widening only shifts. Equal: nothing."""
    middle = math.gcd(in_lanes, out_lanes)
    total = Resources()
    if in_lanes > middle:
        bits = vectors * in_lanes
        total += Resources(bits + 12, bits + 7)
    if out_lanes > middle:
        bits = vectors * out_lanes
        total += Resources(8, bits + 6)
    return total


def link_resources(image: MatrixShape) -> Resources:
    """Clock, UART and frames around a core whose first matrix unit is `image`: what the top adds.

    Its logic hardly depends on the network. The buffer of received images holds two of them; where vectors travel in
    lockstep, each has a queue of one image besides.
    """
    bits = image.simd * image.planes
    depth = next((depth for depth in BLOCK_RAM_SHAPES if depth >= 2 * image.words), max(BLOCK_RAM_SHAPES))
    total = Resources(LINK_LUTS + bits // 4, LINK_FFS + 2 * bits, fifo_block_rams(width=bits, depth=depth))
    if image.vectors > 1:
        depth = lane_depth(image.words)
        ebr = fifo_block_rams(width=bits, depth=depth)
        memory = 0 if ebr else round(bits * LANE_LUTS_PER_BIT[depth])
        for _ in range(image.vectors):
            total += Resources(LANE_LUTS + memory, LANE_FFS + bits, ebr)
    return total


def output_resources(pipeline: Pipeline, *, pe: int, vectors: int) -> Resources:
    """The units behind a last layer with `pe` lanes: the table of scores and the arg max."""
    total = Resources()
    width = pipeline.score_width
    if pipeline.table is not None:
        classes, entries = pipeline.table.shape
        index, lookups = (entries - 1).bit_length(), pe * vectors
        shifts = index * lookups if lookups > 1 else 0
        block_ram = score_table_block_rams(classes=classes, entries=entries, width=width)
        total += Resources(shifts + 20, lookups * (index + width) + 22, block_ram)
    if pipeline.label:
        compare = width + 6 + width + FEED_COMB + (pe - 1) * width
        total += Resources(vectors * compare + 12, vectors * ((pe + 1) * width + 8) + 8)
    return total


def design_resources(pipeline: Pipeline, shapes: Sequence[MatrixShape]) -> Resources:
    """The whole top: link, matrix units of these shapes, the width converters between them, and the output's units."""
    total = link_resources(shapes[0])
    lanes = shapes[0].simd
    for shape in shapes:
        total += converter_resources(in_lanes=lanes, out_lanes=shape.simd, vectors=shape.vectors)
        total += matrix_resources(shape)
        lanes = shape.pe
    return total + output_resources(pipeline, pe=lanes, vectors=shapes[-1].vectors)
