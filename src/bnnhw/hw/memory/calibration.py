"""Calibration: finds with a test pattern when words come back from a chip, and at which phase of its clock.

Tests: tests/hw/memory/test_controller.py
"""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .port import BURST, MemoryShape
from .read_path import LATENCIES

__all__ = ["PATTERN_BURSTS", "SETTLING", "Calibration"]

PATTERN_BURSTS = 4
"""Written and read at each attempt, from address 0 on."""
SETTLING = 64
"""Cycles for a clock of another phase to be there."""
FEEDBACK = 0xB400  # x^16 + x^14 + x^13 + x^11 + 1: all states but 0


class Calibration(wiring.Component):
    """Writes a pattern and reads it back, at each latency and at each phase, and stays where it is right.

    Of several right phases, that in the middle of the longest row of them at one latency is taken, the first of two;
    rows end at the last phase. The chip is set up anew for each attempt, as at a wrong phase it may have understood
    anything; and each has words of its own, so that none of an earlier one, which may still be there, is taken for it.

    Parameters
    ----------
    shape : MemoryShape
    phases : int
        Phases of the chip's clock that the board can make; 1 where it is fixed.

    Members
    -------
    run : In(1)
        The chip is set up, and the memory takes commands.
    hold : Out(1)
        Nothing is to be said to the chip, and it is to be set up then: `run` ends in the next cycle.
    memory : Out(the port of the shape)
        Used until `ready`.
    latency : Out(range(LATENCIES))
    phase : Out(range(phases))
        What is asked of the board; the chip's clock has it SETTLING cycles later at the latest.
    ready, failed : Out(1)
        It is found; there is none.
    """

    run: Signal
    hold: Signal
    memory: wiring.PureInterface
    latency: Signal
    phase: Signal
    ready: Signal
    failed: Signal

    def __init__(self, *, shape: MemoryShape, phases: int = 1):
        if phases < 1:
            raise ValueError(f"phases={phases} must be at least 1")
        self.shape = shape
        self.phases = phases
        super().__init__(
            {
                "run": In(1),
                "hold": Out(1),
                "memory": Out(shape.signature),
                "latency": Out(range(LATENCIES)),
                "phase": Out(range(max(phases, 2))),
                "ready": Out(1),
                "failed": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        memory, command = self.memory, self.shape.view(self.memory.command.payload)
        words = PATTERN_BURSTS * BURST
        left = Signal(range(max(words, SETTLING)))
        state, start = Signal(16, init=1), Signal(16, init=1)  # of the pattern, and at its begin
        right, finished = Signal(), Signal()
        pattern = Cat(state, ~state)[: self.shape.width]
        steps = Signal()
        m.d.comb += [
            memory.w.payload.eq(pattern),
            command.address.eq(0),
            command.bursts.eq(PATTERN_BURSTS),
        ]
        with m.If(steps):
            m.d.sync += [state.eq((state >> 1) ^ Mux(state[0], FEEDBACK, 0)), left.eq(left - 1)]

        with m.FSM():
            with m.State("begin"), m.If(self.run):
                m.next = "write"
                with m.If(finished):
                    m.d.sync += self.ready.eq(~self.failed)
                    m.next = "done"
            with m.State("write"):
                m.d.comb += [memory.command.valid.eq(1), command.write.eq(1)]
                m.d.sync += [left.eq(words - 1), start.eq(state)]
                with m.If(memory.command.ready):
                    m.next = "words"
            with m.State("words"):
                m.d.comb += [memory.w.valid.eq(1), steps.eq(memory.w.ready)]
                with m.If(steps & (left == 0)):
                    m.next = "read"
            with m.State("read"):
                m.d.comb += memory.command.valid.eq(1)
                m.d.sync += [left.eq(words - 1), right.eq(1), state.eq(start)]
                with m.If(memory.command.ready):
                    m.next = "compare"
            with m.State("compare"):
                m.d.comb += [memory.r.ready.eq(1), steps.eq(memory.r.valid)]
                with m.If(steps & (memory.r.payload != pattern)):
                    m.d.sync += right.eq(0)
                with m.If(steps & (left == 0)):
                    m.next = "stop"
            with m.State("stop"):  # the phase changes when the last command has been said
                m.d.comb += self.hold.eq(1)
                m.next = "judge"
            with m.State("judge"):
                m.d.comb += self.hold.eq(1)
                m.d.sync += left.eq(SETTLING - 1)
                self._judge(m, right, finished)
                m.next = "settle"
            with m.State("settle"):
                m.d.comb += self.hold.eq(1)
                m.d.sync += left.eq(left - 1)
                with m.If(left == 0):
                    m.next = "begin"
            with m.State("done"):
                pass
        return m

    def _judge(self, m: Module, right: Signal, finished: Signal) -> None:
        """After an attempt: the longest row of right ones so far, and the next attempt or the choice."""
        row, best = Signal(range(self.phases + 1)), Signal(range(self.phases + 1))
        length = Signal.like(row)
        best_latency, best_end = Signal.like(self.latency), Signal.like(self.phase)
        last_phase, last = self.phase == self.phases - 1, self.latency == LATENCIES - 1
        longer = length > best
        m.d.comb += length.eq(Mux(right, row + 1, 0))
        with m.If(longer):
            m.d.sync += [best.eq(length), best_latency.eq(self.latency), best_end.eq(self.phase)]
        m.d.sync += [row.eq(Mux(last_phase, 0, length)), self.phase.eq(Mux(last_phase, 0, self.phase + 1))]
        with m.If(last_phase):
            m.d.sync += self.latency.eq(self.latency + 1)
        with m.If(last_phase & last):
            end, count = Mux(longer, self.phase, best_end), Mux(longer, length, best)
            m.d.sync += [
                finished.eq(1),
                self.failed.eq(count == 0),
                self.latency.eq(Mux(longer, self.latency, best_latency)),
                self.phase.eq(end - (count >> 1)),
            ]
