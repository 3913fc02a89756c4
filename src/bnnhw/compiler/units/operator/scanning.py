"""Operators with a state, and reductions.

Tests: tests/operators/test_operators_in_hardware.py
"""

from dataclasses import dataclass, replace

from bnnhw.compiler.units.convert import regroup
from bnnhw.compiler.units.port import Port
from bnnhw.compiler.units.product.folding import divisors
from bnnhw.compiler.units.stage import Stage
from bnnhw.hls.errors import OperatorError
from bnnhw.hls.intervals import width_of
from bnnhw.hls.program import State
from bnnhw.hls.ranges import Builder, RangedProgram
from bnnhw.hls.reach import reach_of
from bnnhw.hls.scan import Scan
from bnnhw.hls.scheduling.delays import check_sizes
from bnnhw.hls.scheduling.schedule import Schedule
from bnnhw.hls.traced import Traced
from bnnhw.hw.program.wiring import Wiring
from bnnhw.hw.targets import Target

from .patch import Element
from .stage import OperatorStep, Programmed, timed


@dataclass(frozen=True, eq=False)
class Scanning(OperatorStep):
    """state, y = f(state, x) of one x after the other, codes of the elements x and y."""

    traced: Traced
    x: Element
    y: Element

    @property
    def kind(self) -> Scan:
        assert isinstance(self.traced.kind, Scan)
        return self.traced.kind

    def stages(self, name: str, port: Port, target: Target) -> tuple[list[Stage], Port]:
        schedule, chain = self._fastest(port, target)
        kind, results = self.kind, len(self.traced.program.outputs)
        lanes, pixels = (chain, port.pixels) if kind.over == "pixel" else (port.channels, chain)
        if kind.over == "pixel" and chain < port.channels:
            pixels = 1
        stages = regroup(port, pixels=pixels, lanes=lanes)
        port = replace(port, pixels=pixels, lanes=lanes)
        period = self.kind.steps((port.height, port.width, port.channels)) // chain
        stages.append(
            Programmed(
                name=f"{self.node or name} {kind.NAME}",
                schedule=schedule,
                wiring=self._wiring(port),
                beats=port.beats,
                period=period,
                ending=kind.ends,
                target=target,
            )
        )
        height, width, channels = self.traced.shape((port.height, port.width, port.channels))
        pixels = 1 if kind.ends and kind.over != "pixel" else pixels
        lanes = results if kind.ends and kind.over == "pixel" else lanes * results
        return stages, replace(
            port,
            height=height,
            width=width,
            channels=channels,
            pixels=pixels,
            lanes=lanes,
            bits=width_of(schedule.ranged.result),
        )

    def _fastest(self, port: Port, target: Target) -> tuple[Schedule, int]:
        """The program for the most x of a beat, one after the other, that a cycle has time for."""
        most = port.lanes if self.kind.over == "pixel" else port.pixels
        for chain in reversed(divisors(most)):
            try:
                return timed(self._ranged(port, chain), self.clock_hz, target), chain
            except OperatorError:
                if chain == 1:
                    raise
        raise AssertionError("1 divides every number")

    def _ranged(self, port: Port, chain: int) -> RangedProgram:
        builder, program = Builder(), self.traced.program
        span = (self.x.lo, self.x.hi)
        reach = reach_of(program, span, self.x.step, self.kind.steps((port.height, port.width, port.channels)))
        states = [builder.state(number, each) for number, each in enumerate(reach.states)]
        inputs = builder.coded(chain, span, self.x.step)
        outputs: list[int] = []
        for x in inputs:
            made = builder.replay(program, [x], states, reach.results)
            found, states = made[: len(program.outputs)], made[len(program.outputs) :]
            outputs = found if self.kind.ends else [*outputs, *found]
        following = [State(init, state) for init, state in zip(self.kind.states, states, strict=True)]
        ranged = builder.finish_codes(outputs, (self.y.lo, self.y.hi), following)
        check_sizes(ranged)
        return ranged

    def _wiring(self, port: Port) -> Wiring:
        """Of each channel the pixels of a beat, or of each pixel the channels; and the places of their results."""
        results, ends = len(self.traced.program.outputs), self.kind.ends
        reads, writes = [], []
        groups, steps = (port.pixels, port.lanes) if self.kind.over == "pixel" else (port.lanes, port.pixels)
        for vector in range(port.vectors):
            for group in range(groups):
                first = vector * groups * steps
                if self.kind.over == "pixel":
                    elements = [first + group * steps + step for step in range(steps)]
                else:
                    elements = [first + step * groups + group for step in range(steps)]
                reads.append(tuple(elements))
                made = [vector * groups + group] if ends else elements
                writes.append(tuple(each * results + result for each in made for result in range(results)))
        return Wiring(tuple(reads), tuple(writes), port.vectors * groups * steps)
