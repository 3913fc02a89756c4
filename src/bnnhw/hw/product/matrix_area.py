"""What a matrix unit occupies on a target, counted from its structure before synthesis."""

from bnnhw.hw.storage.weight_rom import block_rams, different_columns, rom_luts
from bnnhw.hw.targets import Cells

from .folded_shape import FoldedShape
from .input_buffer import block_buffer_cells, buffer_depth, buffer_store
from .matrix_shape import POPCOUNT_LEVELS, MatrixShape

__all__ = ["buffer_cells", "control_cells", "matrix_area"]

CONTROL_LUT4 = 43
"""LUT4, carry cells among them, of a sequencer's decisions and of the pointers of buffer and queue."""
CONTROL_FF = 58
"""Their registers."""
COUNTER_BIT_LUT4 = 2.25
"""LUT4 of each bit of the sequencer's counters, and of its address; two flip-flops."""


def matrix_area(shape: MatrixShape) -> Cells:
    """The cells of a MatrixUnit.

    Carry cells and block RAMs are exact, flip-flops and LUT4 estimates: yosys shares functions of the weights
    and thresholds that it finds to be equal.
    """
    fabric = shape.target.fabric
    carries, carry_ends = _carry_cells(shape)
    control_lut4, control_ff = control_cells(shape)
    lut4, ff = _element_cells(shape)
    buffer_lut4, buffer_ff, ebr = buffer_cells(shape)
    lut4 += buffer_lut4 + shape.vectors * shape.simd * _plane_luts(shape)
    lut4 += control_lut4 + fabric.distributed_ram_luts(shape.queue_depth, shape.output_width)
    ff += buffer_ff + _chain_ff(shape) + control_ff
    if shape.store == "block":
        ebr += block_rams(fabric, shape.depth, shape.pe * shape.rom_bits)
    elif shape.store == "lut":
        lut4 += sum(rom_luts(fabric, shape.depth, len(pes) * shape.simd) for pes in shape.groups())
    return fabric.cells(luts=lut4, carries=carries, carry_ends=carry_ends, ffs=ff, ebr=ebr)


def control_cells(shape: FoldedShape) -> tuple[int, int]:
    """(LUT4, flip-flops) of the sequencer, whose counters are of words, planes in time, folds, groups of rows, and the
    address, and of the pointers of buffer and queue."""
    counts = shape.words, shape.fold_beats // shape.words, shape.vector_folds, shape.row_groups, shape.depth
    bits = sum((each - 1).bit_length() for each in counts)
    return CONTROL_LUT4 + round(COUNTER_BIT_LUT4 * bits), CONTROL_FF + 2 * bits


def buffer_cells(shape: FoldedShape) -> tuple[int, int, int]:
    """(LUT4, flip-flops, block RAMs) of the input buffer, its pointers aside: two words or more, the one that is
    written, and the one that is read."""
    fabric, width, depth = shape.target.fabric, shape.input_width, buffer_depth(shape.words)
    match buffer_store(depth):
        case "registers":
            return width, 4 * width, 0
        case "lut":
            return fabric.distributed_ram_luts(depth, width), 2 * width, 0
        case "block":
            luts, ffs, ebr = block_buffer_cells(fabric, depth, width)
            return luts, width + ffs, ebr


def _carry_cells(shape: MatrixShape) -> tuple[int, int]:
    """(carry cells, ends of chains) of the PEs, each of which has adders of its own."""
    plan = shape.popcount
    adders = [(node.level, node.operand_width + 1, node.width > node.operand_width) for node in plan.nodes]
    adders.append((plan.final_level, shape.accumulator_width + 1, False))
    cells = ends = 0
    for level in range(POPCOUNT_LEVELS):
        own = shape.target.fabric.carry_cells([adder[1:] for adder in adders if adder[0] == level] * shape.vectors)
        cells, ends = cells + own[0], ends + own[1]
    return shape.pe * cells, shape.pe * ends


def _element_cells(shape: MatrixShape) -> tuple[int, int]:
    """(LUT4, flip-flops) of the PEs and of what their groups share, without carry cells and the weight ROM."""
    plan, width, low_bits = shape.popcount, shape.accumulator_width, 0 if shape.levels else shape.planes - 1
    taps = sum(shape.simd - start for start in plan.tap_starts[1:])
    each_sum = plan.register_bits + width * shape.row_results + low_bits * shape.thresholded
    each_pe, shared = shape.vectors * each_sum, shape.group_count * shape.vectors * taps
    lut4 = shape.pe * shape.vectors * (width + low_bits * shape.thresholded if low_bits else 0)
    if shape.store != "constant":
        each_pe += taps
    if shape.start_bits:
        each_pe += plan.latency * shape.start_bits + -(-width // shape.start_bits) * shape.start_bits
    elif shape.thresholded and shape.folds > 1:
        lut4 += sum(rom_luts(shape.target.fabric, shape.folds, len(pes) * width) for pes in shape.groups())
        shared += sum(different_columns(shape.folds, len(pes) * width) for pes in shape.groups())
    return lut4, shape.pe * each_pe + shared


def _plane_luts(shape: MatrixShape) -> int:
    """LUT4 that make a column's bit of the plane at work: one of its bits, or a function of its code and the level."""
    fabric = shape.target.fabric
    if not shape.levels:
        return fabric.multiplexer_luts(shape.planes)
    return 1 << max(0, shape.planes + (shape.levels - 1).bit_length() - fabric.lut_inputs)


def _chain_ff(shape: MatrixShape) -> int:
    """Flip-flops of the registers between the groups and of the output queue."""
    word = shape.vectors * shape.simd
    waits = shape.operand_latency - shape.buffer_latency - shape.read_lag
    chain = word * (shape.group_count - 1 + shape.word_registered + waits)
    if shape.store == "block":
        chain += shape.pe * shape.rom_bits
        chain += (shape.group_count - 1) * (shape.depth - 1).bit_length()
    elif shape.store == "lut":
        chain += sum(different_columns(shape.depth, len(pes) * shape.simd) for pes in shape.groups())
        chain += (shape.group_count - 1) * (shape.depth - 1).bit_length()
    controls = (2 + (shape.passes > 1)) * (shape.operand_latency + shape.popcount.latency + shape.group_count)
    results = sum(len(pes) * (shape.group_count - 1 - number) for number, pes in enumerate(shape.groups()))
    result_bits = shape.vectors * shape.row_results * shape.result_width
    return chain + controls + result_bits * results + shape.output_width
