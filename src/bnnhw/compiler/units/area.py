"""What a design costs before synthesis: LUTs, flip-flops and block RAMs of each unit.

LUTs count as nextpnr counts TRELLIS_COMB. Registers, memories and multiplexers follow from the structure; the constants
are the control logic as yosys 0.70 makes it (`synth_lattice -nowidelut`).
"""

import math
from dataclasses import dataclass
from functools import cache

from bnnhw.hw.hardwired.area import hardwired_area
from bnnhw.hw.hardwired.plan import HardwiredPlan
from bnnhw.hw.link.dealer import lane_depth
from bnnhw.hw.output.score_table import score_table_block_rams
from bnnhw.hw.pool.area import pool_area
from bnnhw.hw.pool.pool import Pool
from bnnhw.hw.product.matrix_area import matrix_area
from bnnhw.hw.product.matrix_shape import MatrixShape
from bnnhw.hw.stream.fifo import fifo_block_rams
from bnnhw.hw.targets.block_ram import BLOCK_RAM_SHAPES
from bnnhw.hw.targets.cells import FEED_COMB, UnitArea, distributed_ram_lut4
from bnnhw.hw.targets.devices import Device
from bnnhw.hw.window.area import window_area
from bnnhw.hw.window.shape import WindowShape

LINK_LUTS = 1130
LINK_FFS = 800
LANE_LUTS = 85
LANE_FFS = 68
LANE_LUTS_PER_BIT = {16: 1.5, 32: 4.4}  # distributed RAM of so many words, 16 in a cell


@dataclass(frozen=True)
class Resources:
    """LUT4s (TRELLIS_COMB), flip-flops and block RAMs."""

    luts: int = 0
    ffs: int = 0
    ebr: int = 0

    @classmethod
    def of(cls, area: UnitArea) -> "Resources":
        """The cells of a unit."""
        return cls(area.trellis_comb, area.ff, area.ebr)

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
    return Resources.of(matrix_area(shape))


def hardwired_resources(plan: HardwiredPlan) -> Resources:
    """A hardwired unit."""
    return Resources.of(hardwired_area(plan))


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


def link_resources(*, bits: int, beats: int, vectors: int) -> Resources:
    """Clock, UART and frames around a core whose frames have `beats` beats of `bits` bits: what the top adds.

    Its logic hardly depends on the network. The buffer of received images holds two of them; where vectors travel in
    lockstep, each has a queue of one image besides.
    """
    depth = next((depth for depth in BLOCK_RAM_SHAPES if depth >= 2 * beats), max(BLOCK_RAM_SHAPES))
    total = Resources(LINK_LUTS + bits // 4, LINK_FFS + 2 * bits, fifo_block_rams(width=bits, depth=depth))
    if vectors > 1:
        depth = lane_depth(beats)
        ebr = fifo_block_rams(width=bits, depth=depth)
        memory = 0 if ebr else round(bits * LANE_LUTS_PER_BIT[depth])
        for _ in range(vectors):
            total += Resources(LANE_LUTS + memory, LANE_FFS + bits, ebr)
    return total


def queue_resources(*, width: int, depth: int) -> Resources:
    """A queue: its memory, and pointers with the logic around them."""
    bits = (depth - 1).bit_length()
    if ebr := fifo_block_rams(width=width, depth=depth):
        return Resources(10 * bits + 10, 6 * bits + 9, ebr)
    return Resources(distributed_ram_lut4(depth, width) + 10 * bits + 14, width + 6 * bits + 8)


def table_resources(*, classes: int, entries: int, width: int, lookups: int) -> Resources:
    """A table of scores of `width` bits, `lookups` of them for a beat."""
    index = (entries - 1).bit_length()
    shifts = index * lookups if lookups > 1 else 0
    block_ram = score_table_block_rams(classes=classes, entries=entries, width=width)
    return Resources(shifts + 20, lookups * (index + width) + 22, block_ram)


def label_resources(*, width: int, lanes: int, vectors: int) -> Resources:
    """The arg max of scores of `width` bits."""
    compare = width + 6 + width + 2 * FEED_COMB + (lanes - 1) * width
    return Resources(vectors * compare + 12, vectors * ((lanes + 1) * width + 8) + 8)


@cache
def window_resources(shape: WindowShape, *, padding_code: int) -> Resources:
    """A sliding window."""
    return Resources.of(window_area(shape, padding_code=padding_code))


def pool_resources(unit: Pool) -> Resources:
    """A pooling."""
    return Resources.of(pool_area(unit))
