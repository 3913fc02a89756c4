"""The cells of a program's pipeline, counted before synthesis.

Tests: tests/hw/program/test_pipeline.py
"""

from bnnhw.hls.intervals import width_of
from bnnhw.hls.program import Instruction
from bnnhw.hls.scheduling.delays import is_block_table, is_offset, is_sign, is_wiring
from bnnhw.hls.scheduling.schedule import Schedule
from bnnhw.hw.targets import Cells, Fabric

from .drawing import table_depth

__all__ = ["program_area"]


def program_area(schedule: Schedule, *, groups: int, fabric: Fabric) -> Cells:
    """The cells of a ProgramPipeline with so many groups in a beat."""
    luts, carries, ebr, multipliers = 2, 0, 0, 0
    for number, each in enumerate(schedule.ranged.program.instructions):
        times = 1 if number in schedule.shared else groups
        found = _cells_of(each, number, schedule, fabric)
        luts, carries = luts + times * found.luts, carries + times * found.carries
        ebr, multipliers = ebr + times * found.ebr, multipliers + times * found.multipliers
    ffs = schedule.register_bits(groups=groups) + schedule.latency
    return fabric.cells(luts=luts, carries=carries, ffs=ffs, ebr=ebr, multipliers=multipliers)


def _cells_of(each: Instruction, number: int, schedule: Schedule, fabric: Fabric) -> Cells:
    """Those of an instruction, without registers."""
    instructions, spans = schedule.ranged.program.instructions, schedule.ranged.spans
    width, read = width_of(spans[number]), [width_of(spans[arg]) for arg in each.args]
    zeros = [lowest_zeros(instructions[arg]) for arg in each.args]
    luts = carries = ebr = 0
    match each.op:
        case "add" | "sub" if not is_offset(each, instructions, spans):
            bits = width - (max(zeros) if each.op == "add" else zeros[1])
            carries = -(-bits // fabric.carry_luts) if bits > 1 else 0
        case "ge" if not is_sign(each, instructions):
            carries = -(-(max(read) + 1 - max(zeros)) // fabric.carry_luts)
        case "eq":
            luts = -(-2 * max(read) // 3)
        case "mux" | "and" | "or" | "xor":
            inverted = each.op == "xor" and any(instructions[arg].op == "const" for arg in each.args)
            luts = 0 if inverted or is_wiring(each, instructions) else width
        case "table" if is_block_table(each, spans[number]):
            ebr = fabric.block_rams(table_depth(each), width)
        case "table":
            luts = width * max(1, table_depth(each) // 12)
    return fabric.cells(luts=luts, carries=carries, ebr=ebr, multipliers=int(each.op == "mul"))


def lowest_zeros(each: Instruction) -> int:
    """How many of an integer's lowest bits are 0, as far as one sees: an adder is so much shorter."""
    match each.op, each.attribute:
        case "shl", int(distance):
            return distance
        case "const", int(value) if value:
            return (value & -value).bit_length() - 1
    return 0
