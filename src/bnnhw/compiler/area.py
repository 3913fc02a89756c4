"""What a design costs before synthesis: LUTs, flip-flops and block RAMs of each unit.

LUTs count as nextpnr counts TRELLIS_COMB: a LUT4 is one, a CCU2C two, 16 words of 4 bits of distributed RAM six. What
follows from the structure is computed: adders, memories, multiplexers, pipeline registers. The rest is constants of
control logic and factors of logic minimisation, fitted to yosys 0.70 (`synth_lattice -nowidelut`); each says so.
"""

import math
from dataclasses import dataclass

from bnnhw.hw.input_buffer import buffer_block_rams, buffer_depth, buffer_store
from bnnhw.hw.matrix_shape import MatrixShape
from bnnhw.hw.popcount_plan import plan_popcount
from bnnhw.hw.score_table import score_table_block_rams
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
    """A ROM in logic: up to 16 words a LUT4 for each bit; beyond, multiplexers between functions of 8 words.

    There are 256 such functions, which all bits share. 0.8 LUT4 for each of a multiplexer's inputs is fitted.
    """
    if depth <= 16:
        return width if depth > 1 else 0
    leaves = -(-depth // 8)
    shared = 256 * (1 - math.exp(-leaves * width / 256))
    return round(shared + 0.8 * (leaves - 1) * width)


def ram_luts(depth: int, width: int) -> int:
    """Distributed RAM: 16 words of 4 bits take 6, and a multiplexer stands between each two of those."""
    blocks = -(-depth // 16)
    return -(-width // 4) * 6 * blocks + width * (blocks - 1)


def matrix_resources(shape: MatrixShape) -> Resources:
    """A matrix unit: input buffer, weights and thresholds, processing elements, control and result queue."""
    parts = (
        input_buffer(shape),
        weight_memory(shape),
        processing_elements(shape),
        sequencing(shape),
        result_queue(shape),
    )
    return sum(parts, Resources())


def input_buffer(shape: MatrixShape) -> Resources:
    """Both banks, and the registers of the input word on its way to the first group."""
    depth, width = buffer_depth(shape.words), shape.input_width
    plane_select = shape.vectors * shape.simd * (0 if shape.planes == 1 else -(-2 * (shape.planes - 1) // 3))
    word = shape.vectors * shape.simd * (1 + shape.operand_latency - shape.buffer_latency)
    match buffer_store(depth):
        case "registers":
            luts, ffs = width, 4 * width
        case "lut":
            luts, ffs = ram_luts(depth, width), 2 * width
        case "block":
            luts, ffs = 0, width
    return Resources(luts + plane_select + 14, ffs + word + 20, buffer_block_rams(depth, width))


def weight_memory(shape: MatrixShape) -> Resources:
    """Weights, and thresholds beside them or in a ROM of their own."""
    total = Resources()
    if shape.store == "block":
        bits = shape.pe * shape.rom_bits
        total += Resources(0, bits, block_rams(shape.depth, bits))
    elif shape.store == "lut":
        bits = shape.pe * shape.simd
        total += Resources(rom_luts(shape.depth, bits), bits)
    if shape.thresholded and not shape.start_bits:
        bits = shape.pe * shape.accumulator_width
        total += Resources(rom_luts(shape.folds, bits), bits if shape.folds > 1 else 0)
    elif shape.start_bits:
        total += Resources(0, shape.pe * shape.accumulator_width)
    return total


def processing_elements(shape: MatrixShape) -> Resources:
    """Popcounts and accumulators in carry chains, and the delays of the operands that enter late.

    One position more for each sum, and one for each 100 positions, stand for chains that end and begin; fitted.
    """
    plan, sums = plan_popcount(shape.simd - 1), shape.pe * shape.vectors
    luts = sums * (1.01 * plan.positions + shape.accumulator_width + 1)
    starts = (*plan.tap_starts, shape.simd - 1)[1:] if plan.latency else ()
    taps = sum(shape.simd - start for start in starts)
    registers = sum(node.width for node in plan.nodes) + shape.accumulator_width
    constant = shape.store == "constant"
    ffs = sums * registers + taps * (shape.vectors * shape.group_count + (0 if constant else shape.pe))
    ffs += (shape.group_count - 1) * shape.vectors * (shape.simd + shape.pe * shape.result_width // 2)
    return Resources(round(luts), ffs)


def sequencing(shape: MatrixShape) -> Resources:
    """The sequencer's counters, as carry chains, and its decisions."""
    address, fold, word = (math.ceil(math.log2(count)) for count in (shape.depth, shape.folds, shape.words))
    return Resources(2 * address + fold + word + 12, 3 * address + 2 * (fold + word) + 10 + shape.pipeline_latency)


def result_queue(shape: MatrixShape) -> Resources:
    return Resources(ram_luts(shape.queue_depth, shape.output_width) + 15, shape.output_width + 10)


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
        compare = width + 6 + width + (pe - 1) * width
        total += Resources(vectors * compare + 12, vectors * ((pe + 1) * width + 8) + 8)
    return total
