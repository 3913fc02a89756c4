"""ProgramPipeline: an operator's program on the elements of a stream's beats."""

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out

from bnnhw.hls.scheduling.ahead import values_ahead
from bnnhw.hls.scheduling.schedule import Schedule
from bnnhw.hw.logic.delays import delays
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.flow import Channel, Flow, Process
from bnnhw.hw.stream.held_pipeline import HeldPipeline, pipeline_process
from bnnhw.hw.targets import Target, check_target

from .beat_loops import BeatLoops
from .drawing import Drawing, Moves, group_bits
from .wiring import Wiring

__all__ = ["ProgramPipeline", "program_flow"]


def program_flow(i: Channel, o: Channel, *, schedule: Schedule, period: int = 1, ending: bool = False) -> Flow:
    """A ProgramPipeline's."""
    if ending:
        return [_ending_process(i, o, latency=schedule.latency, period=period)]
    return [pipeline_process(i, o, latency=schedule.latency)]


def _ending_process(i: Channel, o: Channel, *, latency: int, period: int) -> Process:
    """A held pipeline whose beats leave no trace at its output but for each period's last."""
    pipeline = HeldPipeline(latency, o)
    while True:
        for left in reversed(range(period)):
            cycle = yield i
            i.take((yield from (pipeline.moving if left else pipeline.enter)(cycle)))


class ProgramPipeline(Component):
    """A program on each beat of a stream, one a cycle, in a pipeline that stands still while a result waits.

    Parameters
    ----------
    schedule : Schedule
        Of a program whose inputs have one range, and its results, too.
    wiring : Wiring
        Which elements of the beats the program's inputs and results are.
    target : Target
    beats : int
        Of a frame: counters begin anew with each.
    period : int
        Beats after which states begin anew; a divisor of `beats`.
    ending : bool
        Whether only the last beat of each period has results, not every beat.

    Members
    -------
    i : In(stream of unsigned(elements * bits of an input))
    o : Out(stream of unsigned(results * bits of a result))
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(
        self,
        *,
        schedule: Schedule,
        wiring: Wiring,
        target: Target,
        beats: int = 1,
        period: int = 1,
        ending: bool = False,
    ):
        check_target(target)
        program = schedule.ranged.program
        for name, wired, known in (
            ("inputs", len(wiring.reads[0]), program.inputs),
            ("results", len(wiring.writes[0]), len(program.outputs)),
        ):
            if wired != known:
                raise ValueError(f"the groups have {wired} {name}, and the program {known}")
        if period < 1 or beats < 1 or beats % period:
            raise ValueError(f"period={period} must be at least 1 and divide beats={beats}")
        self.schedule, self.wiring, self.target = schedule, wiring, target
        self.beats, self.period, self.ending = beats, period, ending
        self.input_bits, self.result_bits = group_bits(schedule)
        widths = wiring.elements * self.input_bits, wiring.results * self.result_bits
        super().__init__({"i": In(flat_stream(widths[0])), "o": Out(flat_stream(widths[1]))})

    def __repr__(self) -> str:
        return f"ProgramPipeline(groups={self.wiring.groups}, latency={self.schedule.latency})"

    def flow(self, i: Channel, o: Channel) -> Flow:
        """See `program_flow`."""
        return program_flow(i, o, schedule=self.schedule, period=self.period, ending=self.ending)

    def elaborate(self, platform) -> Module:
        m = Module()
        inputs: dict[int, int] = {}
        places: dict[int, tuple[int, int]] = {}
        for number, each in enumerate(self.schedule.ranged.program.instructions):
            match each.op, each.attribute:
                case "input", int(position):
                    inputs[number] = position
                case "counter", (every, count):
                    places[number] = every, count
        step = self.i.valid & self.i.ready
        lead = self.schedule.lead
        loops = BeatLoops(m, step, places.values(), beats=self.beats, ahead=lead)
        counters = {number: loops.value(*place) for number, place in places.items()}
        moves = self._move(m, step)
        first = values_ahead(self.schedule.ranged, beats=self.beats, count=lead)
        shared = Drawing(m, self.schedule, self.target, moves, counters, first=first)
        results: dict[int, Value] = {}
        for number, (reads, writes) in enumerate(zip(self.wiring.reads, self.wiring.writes, strict=True)):
            m.submodules[f"group{number}"] = part = Module()
            elements = {
                number: self.i.payload.word_select(reads[position], self.input_bits)
                for number, position in inputs.items()
            }
            drawing = Drawing(part, self.schedule, self.target, moves, elements, shared)
            results |= zip(writes, drawing.results(), strict=True)
        for element, result in results.items():
            m.d.comb += self.o.payload.word_select(element, self.result_bits).eq(result)
        return m

    def _move(self, m: Module, step: Value) -> Moves:
        """The handshakes: all moves, or nothing."""
        latency = self.schedule.latency
        advance = Signal()
        loops = BeatLoops(m, step, (), period=self.period, beats=self.beats)
        ends = delays(m, self.i.valid & loops.ends(self.period), latency, enable=advance, name="ends")
        beats = delays(m, self.i.valid, latency, enable=advance, name="valid")
        m.d.comb += [
            self.o.valid.eq((ends if self.ending else beats)[latency]),
            advance.eq(~self.o.valid | self.o.ready),
            self.i.ready.eq(advance),
        ]
        return Moves(step, advance, beats, ends)
