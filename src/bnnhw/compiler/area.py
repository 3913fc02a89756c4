"""What a design costs: LUTs, flip-flops and block RAMs of each unit, estimated before synthesis.

LUTs count as nextpnr counts TRELLIS_COMB: one for each LUT4, two for each CCU2C, and what distributed RAM occupies.
"""

from dataclasses import dataclass

from bnnhw.hw.input_buffer import buffer_block_rams, buffer_depth, buffer_store
from bnnhw.hw.matrix_shape import MatrixShape
from bnnhw.hw.popcount_plan import plan_popcount
from bnnhw.hw.weight_rom import block_rams

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


def rom_luts(depth: int, width: int) -> int:
    """LUT4s of a ROM in logic: 16 words a LUT4, and a multiplexer between each two of those."""
    return width * (2 * -(-depth // 16) - 1) if depth > 1 else 0


def ram_luts(depth: int, width: int) -> int:
    """LUT4s of a distributed RAM: 16 words of 4 bits take 6, and a multiplexer stands between each two of those."""
    blocks = -(-depth // 16)
    return -(-width // 4) * 6 * blocks + width * (blocks - 1)


def matrix_resources(shape: MatrixShape) -> Resources:
    """A matrix unit: popcounts, accumulators, thresholds, weights, input buffer and result queue."""
    sums = shape.pe * shape.vectors
    popcount = plan_popcount(shape.simd - 1)
    luts = sums * (popcount.positions + shape.accumulator_width + 1)
    ffs = sums * (popcount.positions + shape.accumulator_width)
    ebr = buffer_block_rams(buffer_depth(shape.words), shape.input_width)
    if buffer_store(buffer_depth(shape.words)) == "lut":
        luts += ram_luts(buffer_depth(shape.words), shape.input_width)
    if shape.store == "block":
        ebr += block_rams(shape.depth, shape.pe * shape.simd)
    elif shape.store == "lut":
        luts += rom_luts(shape.depth, shape.pe * shape.simd)
    if shape.thresholded:
        luts += rom_luts(shape.folds, shape.pe * shape.accumulator_width)
    luts += ram_luts(shape.queue_depth, shape.output_width)
    return Resources(luts, ffs, ebr)


def converter_resources(*, width: int, in_lanes: int, out_lanes: int, vectors: int) -> Resources:
    """A width converter: the registers of its wide sides."""
    bits = vectors * width * (max(in_lanes, out_lanes) if in_lanes != out_lanes else 0)
    return Resources(bits if in_lanes > out_lanes else 0, bits)


def output_resources(pipeline: Pipeline, vectors: int) -> Resources:
    """The units behind the last layer: table of scores and arg max."""
    width = pipeline.score_width
    ebr = 0
    if pipeline.table is not None:
        ebr = vectors * block_rams(pipeline.table.size, width)
    return Resources(vectors * 4 * width if pipeline.label else 0, vectors * 3 * width, ebr)
