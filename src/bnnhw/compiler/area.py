"""What a design costs before synthesis: LUTs, flip-flops and block RAMs of each unit.

LUTs count as nextpnr counts TRELLIS_COMB. Registers, memories and multiplexers follow from the structure; the constants
are the control logic as yosys 0.70 makes it (`synth_lattice -nowidelut`).
"""

import math
from dataclasses import dataclass

from bnnhw.hw.area import FEED_COMB, matrix_area
from bnnhw.hw.matrix_shape import MatrixShape
from bnnhw.hw.score_table import score_table_block_rams

from .device import Device
from .pipeline import Pipeline


@dataclass(frozen=True)
class Resources:
    """LUT4s (TRELLIS_COMB), flip-flops and block RAMs."""

    luts: int = 0
    ffs: int = 0
    ebr: int = 0

    def share(self, device: Device) -> float:
        """The share of the device's LUTs or of its block RAMs, whichever is greater."""
        return max(self.luts / device.luts, self.ebr / device.ebr)

    def size(self, device: Device) -> float:
        """What "smallest" means: the sum of both shares."""
        return self.luts / device.luts + self.ebr / device.ebr

    def __add__(self, other: "Resources") -> "Resources":
        return Resources(self.luts + other.luts, self.ffs + other.ffs, self.ebr + other.ebr)


def matrix_resources(shape: MatrixShape) -> Resources:
    """A matrix unit."""
    area = matrix_area(shape)
    return Resources(area.trellis_comb, area.ff, area.ebr)


def converter_resources(*, width: int, in_lanes: int, out_lanes: int, vectors: int) -> Resources:
    """A width converter: narrowing shifts the beat that it loads, widening only shifts."""
    middle = math.gcd(in_lanes, out_lanes)
    total = Resources()
    if in_lanes > middle:
        bits = vectors * width * in_lanes
        total += Resources(bits + 12, bits + 7)
    if out_lanes > middle:
        bits = vectors * width * out_lanes
        total += Resources(8, bits + 6)
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
