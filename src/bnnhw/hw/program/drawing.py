"""A scheduled program drawn as hardware, without handshakes.

Tests: tests/hw/program/test_pipeline.py
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value

from bnnhw.hls.intervals import Span, is_signed, width_of
from bnnhw.hls.program import Instruction
from bnnhw.hls.scheduling.delays import cycles_of, is_block_table, is_offset
from bnnhw.hls.scheduling.loops import steps_of
from bnnhw.hls.scheduling.schedule import Schedule
from bnnhw.hw.targets import UNTIL_LUTS, Target

from .block_tables import block_tables_of
from .lut_tables import look_up

__all__ = ["Drawing", "Moves", "group_bits"]


@dataclass(frozen=True)
class Moves:
    """When a pipeline moves, and what is in it: of each stage whether a beat is there, and the last of a period.

    step: when a beat comes in, and so what is known ahead moves.
    """

    step: Value
    advance: Value
    beats: list[Value]
    ends: list[Value]


@dataclass(eq=False)
class Drawing:
    """The results of instructions in `m` as signals of the stages in which they are read.

    inputs: elements and counters by their instructions. shared: where the results lie that all groups of a beat have in
    common. first: of each beat what is known ahead of it, of those beats whose registers are before stage 0 at first.
    """

    m: Module
    schedule: Schedule
    target: Target
    moves: Moves
    inputs: Mapping[int, Value]
    shared: "Drawing | None" = None
    first: Sequence[Mapping[int, int]] = ()
    _known: dict[tuple[int, int], Value] = field(default_factory=dict)
    _looked_up: dict[int, Signal] = field(default_factory=dict)

    def results(self) -> list[Value]:
        """The program's, in the last stage."""
        for step in steps_of(self.schedule.ranged.program):  # so that none is asked for what is many steps away
            for number in step:
                self.at(number, self.schedule.stages[number])
        return [self.at(output, self.schedule.latency) for output in self.schedule.ranged.program.outputs]

    def at(self, number: int, stage: int) -> Value:
        """The result of an instruction, in a stage, as wide as its range and signed if that is."""
        each, span = self.schedule.ranged.program.instructions[number], self.schedule.ranged.spans[number]
        if self.shared is not None and number in self.schedule.shared:
            return self.shared.at(number, stage)
        match each.op, each.attribute:
            case "const", int(value):
                return Const(value)
            case "shl", int(distance):
                return _shaped(self.at(each.args[0], stage) << distance, span)
            case "shr", int(distance):
                return _shaped(self.at(each.args[0], stage) >> distance, span)
        if (number, stage) not in self._known:
            if stage > self.schedule.stages[number]:
                self._known[number, stage] = self._later(number, each, span, stage)
            elif each.op == "state":
                self._keep(number, each, span, stage)
            else:
                self._known[number, stage] = _shaped(self._make(number, each, span), span)
        return self._known[number, stage]

    def _later(self, number: int, each: Instruction, span: Span, stage: int) -> Value:
        early = self.at(number, stage - 1)  # drawn outside of the condition
        if stage <= 0:
            late = Signal(_shape(span), name=f"{each.op}{number}_ahead{-stage}", init=self.first[-stage][number])
        else:
            late = Signal(_shape(span), name=f"{each.op}{number}_s{stage}", reset_less=True)
        with self.m.If(self.moves.advance if stage > 0 else self.moves.step):
            self.m.d.sync += late.eq(early)
        return late

    def _keep(self, number: int, each: Instruction, span: Span, stage: int) -> None:
        assert isinstance(each.attribute, int)
        state = self.schedule.ranged.program.states[each.attribute]
        self._known[number, stage] = kept = Signal(_shape(span), name=f"state{each.attribute}", init=state.init)
        following = self.at(state.following, stage)  # which may read the state
        with self.m.If(self.moves.advance & self.moves.beats[stage]):
            self.m.d.sync += kept.eq(following)
        with self.m.If(self.moves.advance & self.moves.ends[stage]):  # a flip-flop's own reset, so no multiplexer
            self.m.d.sync += kept.eq(state.init)

    def _make(self, number: int, each: Instruction, span: Span) -> Value:
        if number in self.inputs:
            return self.inputs[number]
        if is_block_table(each, span):
            if number not in self._looked_up:
                self._look_up(number)
            return self._looked_up[number]
        arguments = [self.at(arg, self.schedule.started(number)) for arg in each.args]
        instructions = self.schedule.ranged.program.instructions
        offset = is_offset(each, instructions, self.schedule.ranged.spans)
        # Kept, or yosys merges adders of one cycle into compressors, which are larger and slower; until it maps LUTs.
        attributes = {"keep": 1, UNTIL_LUTS: 1} if each.op in ("add", "sub") and not offset else {}
        result = Signal(width_of(span), name=f"{each.op}{number}", attrs=attributes)
        if each.op == "table":
            assert isinstance(each.attribute, tuple)
            self.m.d.comb += result.eq(look_up(each.attribute, arguments[0], self.target.fabric.lut_inputs))
        elif each.op == "mul":
            self._multiply(cycles_of(each, span), arguments, result)
        else:
            self.m.d.comb += result.eq(_HARDWARE["xor" if offset else each.op](each, *arguments))
        return result

    def _look_up(self, number: int) -> None:
        """Draws the block RAM of a table, and so those beside it."""
        tables = next(tables for tables in block_tables_of(self.schedule) if number in tables.numbers)
        index = self.at(tables.index, self.schedule.started(number))
        word = Signal(tables.width, name=f"tables{number}")
        for start, bits, words in tables.parts(self.target.fabric):
            self.m.submodules += (ram := self.target.block_ram(depth=tables.depth, width=bits, init=words))
            self.m.d.comb += [
                ram.read_address.eq(index),
                ram.read_enable.eq(self.moves.advance),
                word[start : start + bits].eq(ram.read_data),
            ]
        results = [
            Signal(width, name=f"table{each}") for each, width in zip(tables.numbers, tables.widths, strict=True)
        ]
        self.m.d.comb += Cat(results).eq(word)
        self._looked_up |= zip(tables.numbers, results, strict=True)

    def _multiply(self, registers: int, factors: list[Value], result: Signal) -> None:
        a, b = factors
        multiplier = self.target.multiplier(a=a.shape(), b=b.shape(), registers=registers)
        self.m.submodules += multiplier
        self.m.d.comb += [multiplier.a.eq(a), multiplier.b.eq(b), result.eq(multiplier.p)]
        if registers:
            self.m.d.comb += multiplier.enable.eq(self.moves.advance)


def group_bits(schedule: Schedule) -> tuple[int, int]:
    """Bits of an input of a program, each as wide as the widest, and of a result."""
    ranged = schedule.ranged
    read = zip(ranged.program.instructions, ranged.spans, strict=True)
    return max(width_of(span) for each, span in read if each.op == "input"), width_of(ranged.result)


def _shape(span: Span) -> Shape:
    return Shape(width_of(span), is_signed(span))


def _shaped(value: Value, span: Span) -> Value:
    """The low bits of a value that hold its range."""
    bits = value[: width_of(span)] if len(value) > width_of(span) else value
    if len(bits) < width_of(span):
        return value
    return bits.as_signed() if is_signed(span) else bits.as_unsigned()


def _not_less(a: Value, b: Value) -> Value:
    """a >= b. Signed integers are compared as unsigned ones with each other's sign: a sign says less where another bit
    says more. Synthesis by itself makes an overflow of them, which breaks the carry chain in two."""
    if not (a.shape().signed or b.shape().signed):
        return a >= b
    bits = max(len(each) + (not each.shape().signed) for each in (a, b))
    a, b = (Cat(each, _sign(each).replicate(bits - len(each))) for each in (a, b))
    return Cat(a[:-1], b[-1]) >= Cat(b[:-1], a[-1])


def _sign(value: Value) -> Value:
    """What stands before its highest bit."""
    return value[-1] if value.shape().signed else Const(0, 1)


_HARDWARE: dict[str, Callable[..., Value]] = {
    "add": lambda each, a, b: a + b,
    "sub": lambda each, a, b: a - b,
    "and": lambda each, a, b: a & b,
    "or": lambda each, a, b: a | b,
    "xor": lambda each, a, b: a ^ b,
    "ge": lambda each, a, b: _not_less(a, b),
    "eq": lambda each, a, b: a == b,
    "mux": lambda each, condition, a, b: Mux(condition, a, b),
}
