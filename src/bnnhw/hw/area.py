"""What a matrix unit occupies on an ECP5, counted from its structure before synthesis."""

from dataclasses import dataclass
from functools import cache

from .ecp5 import CHAIN_POSITIONS
from .input_buffer import buffer_block_rams, buffer_depth, buffer_store
from .matrix_shape import MatrixShape
from .popcount_plan import Popcount, plan_popcount
from .weight_rom import block_rams, rom_lut4

__all__ = ["UnitArea", "distributed_ram_lut4", "matrix_area", "multiplexer_lut4"]

FEED_COMB = 4
"""TRELLIS_COMB that nextpnr adds to each carry chain: a carry cell (two of them) at either end."""
CONTROL_LUT4 = 78
"""LUT4 of a sequencer and of the pointers of buffer and queue; their counters vary by some tens."""
CONTROL_FF = 90
"""Their registers."""


@dataclass(frozen=True)
class UnitArea:
    """Cells of a unit.

    Attributes
    ----------
    lut4 : int
        LUT4 cells, and 6 for each distributed RAM of 16 x 4; without the carry cells.
    ccu2c : int
        Carry cells, of two LUT4 each.
    chains : int
        Chains of them.
    ff, ebr : int
        Flip-flops, block RAMs.
    """

    lut4: int
    ccu2c: int
    chains: int
    ff: int
    ebr: int

    @property
    def trellis_comb(self) -> int:
        """LUT4 as nextpnr counts them."""
        return self.lut4 + 2 * self.ccu2c + FEED_COMB * self.chains


def multiplexer_lut4(ways: int) -> int:
    """LUT4 of a multiplexer for one bit: 1 for 2 ways, 2 for 4, 5 for 8."""
    return (2 * (ways - 1) + 2) // 3


def distributed_ram_lut4(depth: int, width: int) -> int:
    """LUT4 of a RAM in cells of 16 words of 4 bits, 6 LUT4 each, and their multiplexers."""
    blocks = -(-depth // 16)
    return -(-width // 4) * 6 * blocks + width * multiplexer_lut4(blocks)


def matrix_area(shape: MatrixShape) -> UnitArea:
    """The cells of a MatrixUnit of technology "ecp5".

    Carry cells, chains and block RAMs are exact, flip-flops and LUT4 estimates: yosys shares functions of the weights
    and thresholds that it finds to be equal.
    """
    plan = plan_popcount(shape.simd - 1)
    ccu2c, chains = _carry_cells(shape.simd, shape.accumulator_width, shape.vectors)
    ccu2c, chains = shape.pe * ccu2c, shape.pe * chains
    lut4, ff = _element_cells(shape, plan)
    lut4 += _buffer_lut4(shape) + distributed_ram_lut4(shape.queue_depth, shape.output_width) + CONTROL_LUT4
    ff += _chain_ff(shape) + CONTROL_FF
    ebr = buffer_block_rams(buffer_depth(shape.words), shape.input_width)
    if shape.store == "block":
        ebr += block_rams(shape.depth, shape.pe * shape.rom_bits)
    elif shape.store == "lut":
        lut4 += sum(rom_lut4(shape.depth, len(pes) * shape.simd) for pes in shape.groups())
    return UnitArea(lut4=lut4, ccu2c=ccu2c, chains=chains, ff=ff, ebr=ebr)


@cache
def _carry_cells(simd: int, accumulator_width: int, vectors: int) -> tuple[int, int]:
    """(CCU2C, chains) of a PE, which lays its adders into chains as `CarryChains` does."""
    adders = [(node.operand_width + 1, node.width > node.operand_width) for node in plan_popcount(simd - 1).nodes]
    adders.append((accumulator_width + 1, False))
    cells = chains = length = 0
    pending = False
    for positions, carry_out in adders * vectors:
        if length >= CHAIN_POSITIONS:
            cells, chains, length = cells + (length + 1) // 2, chains + 1, 0
        length += positions
        pending = carry_out
    assert not pending, "an accumulator hands no carry out"
    return cells + (length + 1) // 2, chains + 1


def _element_cells(shape: MatrixShape, plan: Popcount) -> tuple[int, int]:
    """(LUT4, flip-flops) of the PEs and of what their groups share, without carry cells and the weight ROM."""
    width, low_bits = shape.accumulator_width, shape.planes - 1
    taps = sum(shape.simd - start for start in (*plan.tap_starts, shape.simd - 1)[1:]) if plan.latency else 0
    each_sum = plan.register_bits + width + low_bits * shape.thresholded
    each_pe = shape.vectors * each_sum
    lut4 = shape.pe * shape.vectors * (width + low_bits * shape.thresholded if low_bits else 0)
    if shape.store != "constant":
        each_pe += taps
    if shape.start_bits:
        each_pe += plan.latency * shape.start_bits + -(-width // shape.start_bits) * shape.start_bits
    elif shape.thresholded and shape.folds > 1:
        lut4 += sum(rom_lut4(shape.folds, len(pes) * width) for pes in shape.groups())
        each_pe += width
    return lut4, shape.pe * each_pe + shape.group_count * shape.vectors * taps


def _buffer_lut4(shape: MatrixShape) -> int:
    depth = buffer_depth(shape.words)
    planes = shape.vectors * shape.simd * multiplexer_lut4(shape.planes)
    match buffer_store(depth):
        case "registers":
            return shape.input_width + planes
        case "lut":
            return distributed_ram_lut4(depth, shape.input_width) + planes
        case "block":
            return planes


def _chain_ff(shape: MatrixShape) -> int:
    """Flip-flops of the input buffer, of the registers between the groups and of the output queue."""
    depth = buffer_depth(shape.words)
    buffer = shape.input_width * {"registers": 4, "lut": 2, "block": 1}[buffer_store(depth)]
    word = shape.vectors * shape.simd
    waits = shape.operand_latency - shape.buffer_latency
    chain = word * (shape.group_count + waits)
    if shape.store == "block":
        chain += shape.pe * shape.rom_bits
        chain += (shape.group_count - 1) * (shape.depth - 1).bit_length()
    elif shape.store == "lut":
        chain += shape.pe * shape.simd
        chain += (shape.group_count - 1) * (shape.depth - 1).bit_length()
    controls = (2 + (shape.planes > 1)) * (shape.operand_latency + shape.popcount_latency + shape.group_count)
    results = sum(len(pes) * (shape.group_count - 1 - number) for number, pes in enumerate(shape.groups()))
    return buffer + chain + controls + shape.vectors * shape.result_width * results + shape.output_width
