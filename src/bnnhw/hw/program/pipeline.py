"""ProgramPipeline: an operator's program on each element of a stream."""

from collections.abc import Callable
from dataclasses import dataclass

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hls.intervals import Span, is_signed, width_of
from bnnhw.hls.program import Instruction
from bnnhw.hls.schedule import Schedule, is_block_table
from bnnhw.hw.logic.delays import delay
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.flow import Channel, Flow
from bnnhw.hw.stream.held_pipeline import pipeline_process
from bnnhw.hw.targets import Target, check_target

__all__ = ["ProgramPipeline", "program_flow", "table_depth"]


def program_flow(i: Channel, o: Channel, *, schedule: Schedule) -> Flow:
    """A pipeline's of the schedule's latency."""
    return [pipeline_process(i, o, latency=schedule.latency)]


class ProgramPipeline(wiring.Component):
    """o[g] = program(i[g]), one beat a cycle, in a pipeline that stands still while a result waits.

    Parameters
    ----------
    schedule : Schedule
        Of a program whose inputs have one range, counted from 0, and its results, too.
    groups : int
        Of the program's inputs side by side, in a beat.
    target : Target

    Members
    -------
    i : In(stream of unsigned(groups * inputs * bits of an input))
    o : Out(stream of unsigned(groups * outputs * bits of a result))
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, *, schedule: Schedule, groups: int, target: Target):
        check_target(target)
        if groups < 1:
            raise ValueError(f"groups={groups} must be at least 1")
        self.schedule = schedule
        self.groups = groups
        self.target = target
        x, y = group_bits(schedule)
        super().__init__({"i": In(flat_stream(groups * x)), "o": Out(flat_stream(groups * y))})

    def __repr__(self) -> str:
        return f"ProgramPipeline(groups={self.groups}, latency={self.schedule.latency})"

    def flow(self, i: Channel, o: Channel) -> Flow:
        """See `program_flow`."""
        return program_flow(i, o, schedule=self.schedule)

    def elaborate(self, platform) -> Module:
        m = Module()
        advance = Signal()
        m.d.comb += [
            advance.eq(~self.o.valid | self.o.ready),
            self.i.ready.eq(advance),
            self.o.valid.eq(delay(m, self.i.valid, self.schedule.latency, enable=advance, name="valid")),
        ]
        results = []
        for number in range(self.groups):
            m.submodules[f"group{number}"] = group = Group(schedule=self.schedule, target=self.target)
            m.d.comb += [group.x.eq(self.i.payload.word_select(number, len(group.x))), group.advance.eq(advance)]
            results.append(group.y)
        m.d.comb += self.o.payload.eq(Cat(results))
        return m


def group_bits(schedule: Schedule) -> tuple[int, int]:
    """Bits of a program's inputs together, each as wide as the widest, and of its results."""
    ranged = schedule.ranged
    read = zip(ranged.program.instructions, ranged.spans, strict=True)
    widths = [width_of(span) for each, span in read if each.op == "input"]
    return len(widths) * max(widths), len(ranged.program.outputs) * width_of(ranged.result)


class Group(wiring.Component):
    """The program on one group of inputs, without handshakes.

    Parameters
    ----------
    schedule, target
        As of ProgramPipeline.

    Members
    -------
    x : In(inputs * bits of an input)
    y : Out(outputs * bits of a result)
        Of the x of `schedule.latency` cycles ago, of those with `advance`.
    advance : In(1)
    """

    x: Signal
    y: Signal
    advance: Signal

    def __init__(self, *, schedule: Schedule, target: Target):
        self.schedule = schedule
        self.target = target
        x, y = group_bits(schedule)
        self.input_bits = x // schedule.ranged.program.inputs
        self.result_bits = y // len(schedule.ranged.program.outputs)
        super().__init__({"x": In(x), "y": Out(y), "advance": In(1)})

    def elaborate(self, platform) -> Module:
        m = Module()
        drawing = _Drawing(m, self)
        for number, output in enumerate(self.schedule.ranged.program.outputs):
            result = self.y.word_select(number, self.result_bits)
            m.d.comb += result.eq(drawing.at(output, self.schedule.latency))
        return m


@dataclass(eq=False)
class _Drawing:
    """The results of instructions as signals of the stages in which they are read."""

    m: Module
    group: Group

    def __post_init__(self) -> None:
        self._known: dict[tuple[int, int], Value] = {}

    def at(self, number: int, stage: int) -> Value:
        """The result of an instruction, in a stage, as wide as its range and signed if that is."""
        schedule = self.group.schedule
        each, span = schedule.ranged.program.instructions[number], schedule.ranged.spans[number]
        match each.op, each.attribute:
            case "const", int(value):
                return Const(value)
            case "shl", int(distance):
                return _shaped(self.at(each.args[0], stage) << distance, span)
            case "shr", int(distance):
                return _shaped(self.at(each.args[0], stage) >> distance, span)
        if (number, stage) not in self._known:
            self._known[number, stage] = _shaped(self._make(number, each, span, stage), span)
        return self._known[number, stage]

    def _make(self, number: int, each: Instruction, span: Span, stage: int) -> Value:
        made_in = self.group.schedule.stages[number]
        if stage > made_in:
            early = self.at(number, stage - 1)  # drawn outside of the condition
            late = Signal(width_of(span), name=f"{each.op}{number}_s{stage}", reset_less=True)
            with self.m.If(self.group.advance):
                self.m.d.sync += late.eq(early)
            return late
        if each.op == "input":
            return self.group.x.word_select(each.attribute, self.group.input_bits)
        arguments = [self.at(arg, self.group.schedule.started(number)) for arg in each.args]
        # Kept, or yosys merges adders of one cycle into compressors, which are larger and slower.
        attributes = {"keep": 1} if each.op in ("add", "sub") else {}
        result = Signal(width_of(span), name=f"{each.op}{number}", attrs=attributes)
        if is_block_table(each, span):
            self._look_up(each, arguments[0], result)
        else:
            self.m.d.comb += result.eq(_HARDWARE[each.op](each, *arguments))
        return result

    def _look_up(self, each: Instruction, index: Value, result: Signal) -> None:
        assert isinstance(each.attribute, tuple)
        depth, target = table_depth(each), self.group.target
        step = target.fabric.block_ram_width(depth)
        for start in range(0, len(result), step):
            part = result[start : start + step]
            words = [(entry >> start) & ((1 << len(part)) - 1) for entry in each.attribute]
            self.m.submodules += (ram := target.block_ram(depth=depth, width=len(part), init=words))
            self.m.d.comb += [
                ram.read_address.eq(index),
                ram.read_enable.eq(self.group.advance),
                part.eq(ram.read_data),
            ]


def table_depth(each: Instruction) -> int:
    """Words of the block RAM of a table."""
    assert isinstance(each.attribute, tuple)
    return 1 << max(1, (len(each.attribute) - 1).bit_length())


def _shaped(value: Value, span: Span) -> Value:
    """The low bits of a value that hold its range."""
    bits = value[: width_of(span)] if len(value) > width_of(span) else value
    if len(bits) < width_of(span):
        return value
    return bits.as_signed() if is_signed(span) else bits.as_unsigned()


_HARDWARE: dict[str, Callable[..., Value]] = {
    "add": lambda each, a, b: a + b,
    "sub": lambda each, a, b: a - b,
    "mul": lambda each, a, b: a * b,
    "and": lambda each, a, b: a & b,
    "or": lambda each, a, b: a | b,
    "xor": lambda each, a, b: a ^ b,
    "ge": lambda each, a, b: a >= b,
    "eq": lambda each, a, b: a == b,
    "mux": lambda each, condition, a, b: Mux(condition, a, b),
    "table": lambda each, index: Array(Const(entry) for entry in each.attribute)[index],
}
