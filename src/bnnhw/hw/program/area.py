"""The cells of a program's pipeline, counted before synthesis: fitted to what the ECP5's tools make of instructions.

Tests: tests/hw/program/test_area.py
"""

from functools import reduce
from operator import or_

from bnnhw.hls.intervals import width_of
from bnnhw.hls.program import Instruction
from bnnhw.hls.scheduling.delays import compared_bits, is_block_table, is_offset, is_sign, lowest_zeros
from bnnhw.hls.scheduling.reads import reads_of
from bnnhw.hls.scheduling.schedule import Schedule
from bnnhw.hw.targets import Cells, Fabric

from .beat_loops import plan_loops
from .block_tables import block_tables_of, entries_of
from .lut_tables import table_luts
from .moving import queue_depth

__all__ = ["group_area", "program_area"]

NARROWEST_SUM = 4
"""Bits of the operands from which on a sum is a carry chain, not LUTs."""
NARROWEST_COMPARISON = 5
"""The same of a comparison."""
NARROWEST_COUNTER = 5
"""The same of a counter."""
QUEUE_LUTS = 14
"""LUTs of a queue's pointers of 4 bits and of its handshakes, beyond those of a held pipeline."""


def program_area(
    schedule: Schedule, *, groups: int, fabric: Fabric, beats: int = 1, period: int = 1, ending: bool = False
) -> Cells:
    """The cells of a ProgramPipeline with so many groups in a beat; the other arguments are the pipeline's."""
    program = schedule.ranged.program
    cells = _frame_cells(schedule, fabric, beats=beats, period=period, ending=ending)
    counting = _Counting(schedule, fabric)
    cells = sum(map(counting.cells, schedule.shared), cells)
    cells = sum([counting.group] * groups, cells)
    if depth := queue_depth(schedule, groups=groups, fabric=fabric):
        width = groups * len(program.outputs) * width_of(schedule.ranged.result)
        cells += _queue_cells(fabric, depth=depth, width=width)
    return cells + fabric.cells(luts=0, ffs=schedule.register_bits(groups=groups))


def group_area(schedule: Schedule, fabric: Fabric) -> Cells:
    """The cells of each group's own instructions, without registers."""
    return _Counting(schedule, fabric).group


def _queue_cells(fabric: Fabric, *, depth: int, width: int) -> Cells:
    """Those of a ResultQueue and of its credits, of which one counter is carry cells, and its pointers, too, where they
    are of more than 4 bits."""
    bits = (depth - 1).bit_length()
    wide = bits >= NARROWEST_COUNTER
    return fabric.cells(
        luts=fabric.distributed_ram_luts(depth, width) + QUEUE_LUTS - (2 * bits if wide else 0),
        carries=bits // fabric.carry_luts + 1 + 2 * wide * -(-bits // fabric.carry_luts),
        carry_ends=1 + 2 * wide,
        ffs=width + 3 * bits + 4,
    )


def _frame_cells(schedule: Schedule, fabric: Fabric, *, beats: int, period: int, ending: bool) -> Cells:
    """Those of the handshakes, of the loops of beats, and of what states begin anew with."""
    program = schedule.ranged.program
    kept = {schedule.stages[number] for number in program.followings}
    counters = {each.attribute for each in program.instructions if each.op == "counter"}
    cells = fabric.cells(
        luts=2 + 2 * len(kept),
        ffs=schedule.latency + max(kept, default=0) * (period > 1),
    )
    for _, count in plan_loops(counters, period=1, beats=beats) + plan_loops((), period=period, beats=beats):
        bits = (count - 1).bit_length()
        wide = bits >= NARROWEST_SUM
        cells += fabric.cells(
            luts=1 + bits + -(-(bits - 1) // 3) + (0 if wide else bits),
            carries=bits // fabric.carry_luts if wide else 0,
            carry_ends=int(wide),
            ffs=bits + 1,
        )
    return cells


class _Counting:
    """The cells of a program's instructions, without registers."""

    def __init__(self, schedule: Schedule, fabric: Fabric):
        self.instructions, self.spans = schedule.ranged.program.instructions, schedule.ranged.spans
        self.stages, self.shared = schedule.stages, schedule.shared
        self.fabric = fabric
        self._block_rams = {each.numbers[0]: each.block_rams(fabric) for each in block_tables_of(schedule)}
        self._table_luts = self._count_tables()
        self._reads: dict[int, list[tuple[int | None, int]]] = {}  # of a result who reads it, and in which stage
        for read in reads_of(schedule.ranged):
            stage = schedule.latency if read.reader is None else schedule.stages[read.reader] - read.ahead
            self._reads.setdefault(read.source, []).append((read.reader, stage))

    @property
    def group(self) -> Cells:
        """Those of all instructions that a group has for itself."""
        own = (number for number in range(len(self.instructions)) if number not in self.shared)
        return sum(map(self.cells, own), self.fabric.cells(luts=0))

    def cells(self, number: int) -> Cells:
        """Those of an instruction."""
        each, width, fabric = self.instructions[number], width_of(self.spans[number]), self.fabric
        match each.op:
            case "add" | "sub" if not is_offset(each, self.instructions, self.spans):
                return self._sum(number)
            case "ge" if not is_sign(each, self.instructions):
                return self._comparison(each)
            case "eq":
                bits = max(width_of(self.spans[arg]) for arg in each.args if not self._is_constant(arg))
                luts = bits - 1 if bits <= fabric.lut_inputs + 1 else -(-2 * bits // 3)
                bounded = any(map(self._is_constant, each.args))
                return fabric.cells(luts=max(1, -(-(bits - 1) // 3) if bounded else luts))
            case "mux":
                return fabric.cells(luts=self._choice(number))
            case "and" | "or" | "xor" if not any(map(self._is_constant, each.args)):
                return fabric.cells(luts=width)
            case "mul":
                return fabric.cells(luts=0, multipliers=1)
            case "table" if is_block_table(each, self.spans[number]):
                return fabric.cells(luts=0, ebr=self._block_rams.get(number, 0))
            case "table":
                return fabric.cells(luts=self._table_luts.get(number, 0))
        return fabric.cells(luts=0)

    def _count_tables(self) -> dict[int, int]:
        """LUTs of the tables that are read at one index in one stage, by the first of them."""
        alike: dict[tuple[int, int], list[int]] = {}
        for number, each in enumerate(self.instructions):
            if each.op == "table" and not is_block_table(each, self.spans[number]):
                alike.setdefault((each.args[0], self.stages[number]), []).append(number)
        return {
            numbers[0]: table_luts(
                [entries_of(self.instructions[number]) for number in numbers], self.fabric.lut_inputs
            )
            for numbers in alike.values()
        }

    def _sum(self, number: int) -> Cells:
        """A chain, whose first carry is a constant; LUTs where the operands, or what is added to a constant, are few
        bits."""
        bits = self._sum_bits(number)
        if self._is_small(number):
            alone = [arg for arg in self.instructions[number].args if self._is_part_of(arg, number)]
            return self.fabric.cells(luts=0 if alone else bits)
        args = self.instructions[number].args
        read = [width_of(self.spans[arg]) for arg in args if not self._is_constant(arg)]
        if max(read) - (width_of(self.spans[number]) - bits) < NARROWEST_SUM:
            return self.fabric.cells(luts=max(1, 2 * bits - 3))
        bounded = len(read) < len(args)
        return self.fabric.cells(luts=int(bounded), carries=-(-bits // self.fabric.carry_luts), carry_ends=1)

    def _sum_bits(self, number: int) -> int:
        """Bits of a sum above those that pass by."""
        each = self.instructions[number]
        zeros = [_zeros_of(self.instructions[arg]) for arg in each.args]
        return width_of(self.spans[number]) - (max(zeros) if each.op == "add" else zeros[1])

    def _is_small(self, number: int) -> bool:
        """Whether a sum of an integer and a constant is a LUT for each bit."""
        return any(map(self._is_constant, self.instructions[number].args)) and (
            self._sum_bits(number) <= self.fabric.lut_inputs
        )

    def _is_part_of(self, number: int, reader: int) -> bool:
        """Whether a choice's LUTs are the reader's, who alone reads it, and in its stage."""
        return self.instructions[number].op == "mux" and self._reads.get(number) == [(reader, self.stages[number])]

    def _comparison(self, each: Instruction) -> Cells:
        """A chain, whose first carry is a constant and whose last one is the result; the highest bit of an odd number
        is a LUT at its end."""
        bits, fabric = compared_bits(each, self.instructions, self.spans), self.fabric
        if any(map(self._is_constant, each.args)) and bits <= fabric.lut_inputs:
            return fabric.cells(luts=1)
        if bits < NARROWEST_COMPARISON:
            return fabric.cells(luts=max(1, 2 * bits - 3))
        return fabric.cells(luts=bits % fabric.carry_luts, carries=bits // fabric.carry_luts, carry_ends=2)

    def _choice(self, number: int) -> int:
        """LUTs of a choice. One of a constant that goes into registers is their reset, or their set."""
        each, width = self.instructions[number], width_of(self.spans[number])
        constants = [arg for arg in each.args[1:] if self._is_constant(arg)]
        registered = all(stage > self.stages[number] for _, stage in self._reads.get(number, ()))
        if not constants or not registered:
            return width
        value = self.instructions[constants[0]].attribute
        assert isinstance(value, int)
        ones = (value & ((1 << width) - 1)).bit_count()
        return 1 + min(ones, width - ones)

    def _is_constant(self, number: int) -> bool:
        return self.instructions[number].op == "const"


def _zeros_of(each: Instruction) -> int:
    """How many of an integer's lowest bits are 0, as far as one sees: an adder is so much shorter."""
    match each.op, each.attribute:
        case "shl", int(distance):
            return distance
        case "table", tuple(entries):
            return lowest_zeros(reduce(or_, entries))
        case "const", int(value):
            return lowest_zeros(value)
    return 0
