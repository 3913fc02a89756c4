"""The cells of a program's pipeline, counted before synthesis.

Tests: tests/hw/program/test_pipeline.py
"""

from bnnhw.hls.intervals import width_of
from bnnhw.hls.program import Instruction
from bnnhw.hls.schedule import Schedule, is_block_table, is_sign
from bnnhw.hw.targets import Cells, Fabric

from .pipeline import table_depth

__all__ = ["program_area"]


def program_area(schedule: Schedule, *, groups: int, fabric: Fabric) -> Cells:
    """The cells of a ProgramPipeline with so many groups in a beat."""
    instructions, spans = schedule.ranged.program.instructions, schedule.ranged.spans
    luts = carries = ebr = multipliers = 0
    for number, each in enumerate(instructions):
        width, read = width_of(spans[number]), [width_of(spans[arg]) for arg in each.args]
        zeros = [lowest_zeros(instructions[arg]) for arg in each.args]
        if each.op in ("add", "sub"):
            bits = width - (max(zeros) if each.op == "add" else zeros[1])
            if bits > 1:
                carries += -(-bits // fabric.carry_luts)
        elif each.op == "ge" and not is_sign(each, instructions):
            carries += -(-(max(read) + 1 - max(zeros)) // fabric.carry_luts)
        elif each.op == "eq":
            luts += -(-2 * max(read) // 3)
        elif each.op in ("mux", "and", "or", "xor"):
            luts += width
        elif each.op == "mul":
            multipliers += 1
        elif each.op == "table":
            if is_block_table(each, spans[number]):
                ebr += fabric.block_rams(table_depth(each), width)
            else:
                luts += width * max(1, table_depth(each) // 12)
    ffs = groups * schedule.register_bits + schedule.latency
    return fabric.cells(
        luts=groups * luts + 2,
        carries=groups * carries,
        ffs=ffs,
        ebr=groups * ebr,
        multipliers=groups * multipliers,
    )


def lowest_zeros(each: Instruction) -> int:
    """How many of an integer's lowest bits are 0, as far as one sees: an adder is so much shorter."""
    match each.op, each.attribute:
        case "shl", int(distance):
            return distance
        case "const", int(value) if value:
            return (value & -value).bit_length() - 1
    return 0
