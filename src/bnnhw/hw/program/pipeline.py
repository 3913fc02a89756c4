"""ProgramPipeline: an operator's program on the elements of a stream's beats."""

from collections.abc import Sequence

from amaranth.hdl import Const, Module, Signal, Value
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from bnnhw.hls.scheduling.ahead import values_ahead
from bnnhw.hls.scheduling.schedule import Schedule
from bnnhw.hw.logic.delays import delays
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.flow import Channel, Flow
from bnnhw.hw.stream.result_queue import ResultQueue, credit_left
from bnnhw.hw.targets import Target, check_target

from .beat_loops import BeatLoops
from .drawing import Drawing, Moves, group_bits
from .moving import program_flow, queue_depth
from .wiring import Wiring

__all__ = ["ProgramPipeline"]


class ProgramPipeline(Component):
    """A program on each beat of a stream, one a cycle, in a pipeline that stands still while a result waits; one of
    more registers than a clock enable reaches never does, and has a ResultQueue behind it.

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
        return self.joined_flow([i], o)

    def joined_flow(self, inputs: Sequence[Channel], o: Channel) -> Flow:
        """That where a beat is one of each of several streams."""
        return program_flow(
            inputs,
            o,
            schedule=self.schedule,
            groups=self.wiring.groups,
            fabric=self.target.fabric,
            period=self.period,
            ending=self.ending,
        )

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
        moves, payload = self._move(m, step)
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
            m.d.comb += payload.word_select(element, self.result_bits).eq(result)
        return m

    def _move(self, m: Module, step: Value) -> tuple[Moves, Signal]:
        """The handshakes, and where the results go: all moves, or nothing; or all moves always."""
        latency = self.schedule.latency
        depth = queue_depth(self.schedule, groups=self.wiring.groups, fabric=self.target.fabric)
        advance, comes = (Const(1, 1), step) if depth else (Signal(name="advance"), self.i.valid)
        loops = BeatLoops(m, step, (), period=self.period, beats=self.beats)
        ends = delays(m, comes & loops.ends(self.period), latency, enable=advance, name="ends")
        beats = delays(m, comes, latency, enable=advance, name="valid")
        leaving, moves = ends if self.ending else beats, Moves(step, advance, beats, ends)
        if depth:
            m.submodules.queue = queue = ResultQueue(width=len(self.o.payload), depth=depth)
            connect(m, queue.o, flipped(self.o))
            m.d.comb += [queue.push.eq(leaving[latency]), self.i.ready.eq(credit_left(m, queue, leaving[0]))]
            return moves, queue.data
        m.d.comb += [
            self.o.valid.eq(leaving[latency]),
            advance.eq(~self.o.valid | self.o.ready),
            self.i.ready.eq(advance),
        ]
        return moves, self.o.payload
