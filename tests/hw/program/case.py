"""Programs on the beats of a stream, at random from a seed, and what their pipelines must give."""

import random
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bnnhw.hls import OperatorError
from bnnhw.hls.intervals import width_of
from bnnhw.hls.program import State, run_beats
from bnnhw.hls.ranges import Builder, RangedProgram
from bnnhw.hls.scheduling.schedule import Schedule, schedule
from bnnhw.hls.value import Tape, clip
from bnnhw.hw.core import Core
from bnnhw.hw.program.pipeline import ProgramPipeline
from bnnhw.hw.program.wiring import Wiring
from bnnhw.hw.targets import PORTABLE, Target
from bnnhw.hw.targets.ecp5 import ECP5
from bnnhw.sim.batch.simulator import BatchSimulator
from tests.hls.functions import random_function
from tests.hw.scenario import pack, run_scenario

CLOCKS_HZ = (200e6, 125e6, 80e6, 40e6, 10e6, 3e6)
SPANS = [(0, 255), (-128, 127), (0, 15), (-2, 1), (-70_000, 70_000), (0, 1)]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A scheduled program, and the arguments of its pipeline."""

    made: Schedule
    wiring: Wiring
    beats: int = 1
    period: int = 1
    ending: bool = False

    def pipeline(self, target: Target) -> ProgramPipeline:
        return ProgramPipeline(
            schedule=self.made,
            wiring=self.wiring,
            target=target,
            beats=self.beats,
            period=self.period,
            ending=self.ending,
        )

    @cached_property
    def span(self) -> tuple[int, int]:
        """Of the inputs."""
        ranged = self.made.ranged
        return next(
            span for each, span in zip(ranged.program.instructions, ranged.spans, strict=True) if each.op == "input"
        )

    def elements(self, frames: int, seed: int) -> NDArray[np.int64]:
        """Random ones (frames, beats, elements)."""
        lo, hi = self.span
        return np.random.default_rng(seed).integers(lo, hi + 1, (frames, self.beats, self.wiring.elements))

    def results(self, elements: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of (frames, beats, elements)."""
        results = np.zeros((*elements.shape[:2], self.wiring.results), np.int64)
        for reads, writes in zip(self.wiring.reads, self.wiring.writes, strict=True):
            found = run_beats(self.made.ranged.program, elements[..., list(reads)], period=self.period)
            results[..., list(writes)] = found
        return results[:, self.period - 1 :: self.period] if self.ending else results

    def simulate(self, *, frames: int, seed: int, stalls: tuple[float, float]) -> None:
        """In Amaranth's simulator, with all that streams promise and the flow's cycles."""
        elements = self.elements(frames, seed)
        bits, width = width_of(self.span), width_of(self.made.ranged.result)
        beats, expected = (
            [pack(beat, bits) for beat in each.reshape(-1, each.shape[-1]).tolist()]
            for each, bits in ((elements, bits), (self.results(elements), width))
        )
        trace = run_scenario(self.pipeline(PORTABLE), beats, outputs=len(expected), seed=seed, stalls=stalls)
        assert trace.outputs == expected

    def batch(self, *, frames: int, seed: int, stalls: tuple[float, float]) -> int:
        """On the ECP5's primitives in the batch simulator; the number of results."""
        elements = self.elements(frames, seed)
        expected = self.results(elements)
        dut = self.pipeline(ECP5)
        bits, width = len(dut.i.payload), len(dut.o.payload)
        core = Core(units=[dut], input_lanes=1, input_width=bits, output_lanes=1, output_width=width)
        found = BatchSimulator(core).run(
            to_words(elements, width_of(self.span)),
            output_beats=expected.shape[1],
            stall_probability=stalls,
            seed=seed,
        )
        np.testing.assert_array_equal(found.outputs, to_words(expected, width_of(self.made.ranged.result)))
        return expected.size


def to_words(elements: NDArray[np.int64], bits: int) -> NDArray[np.uint64]:
    """(frames, beats, elements), so many bits each, as the batch simulator has them: 64 bits a word."""
    planes = (elements[..., None] >> np.arange(bits)) & 1
    planes = planes.reshape(*elements.shape[:2], -1)
    words = -(-planes.shape[-1] // 64)
    padded = np.zeros((*planes.shape[:2], words * 64), np.uint8)
    padded[..., : planes.shape[-1]] = planes
    return np.packbits(padded, axis=-1, bitorder="little").view(np.uint64)


def random_case(seed: int) -> Case:
    """A program of inputs, counters, states and tables; any wiring."""
    rng = random.Random(seed)
    period = rng.choice([1, 2, 3, 5, 8])
    beats = period * rng.choice([1, 2, 3])
    ranged = random_beat_program(rng)
    program, groups = ranged.program, rng.randint(1, 3)
    elements = rng.randint(1, 6)
    slots = rng.sample(range(groups * len(program.outputs)), groups * len(program.outputs))
    wiring = Wiring(
        tuple(tuple(rng.choices(range(elements), k=program.inputs)) for _ in range(groups)),
        tuple(tuple(slots[group::groups]) for group in range(groups)),
        elements,
    )
    return Case(
        made=fastest(ranged, rng.randrange(len(CLOCKS_HZ))),
        wiring=wiring,
        beats=beats,
        period=period,
        ending=rng.random() < 0.3,
    )


def fastest(ranged: RangedProgram, first: int) -> Schedule:
    """For the fastest of the clocks from the first one on that it can have."""
    for clock_hz in CLOCKS_HZ[first:]:
        try:
            return schedule(ranged, clock_hz=clock_hz, delays=ECP5.fabric.delays)
        except OperatorError:
            pass
    raise AssertionError("every program has a clock")


def random_beat_program(rng: random.Random) -> RangedProgram:
    """Of 1 to 3 inputs, of up to 2 states and counters, and of 1 or 2 results."""
    states = [_random_state(rng) for _ in range(rng.choice([0, 1, 1, 2]))]
    counters = [(rng.randint(1, 5), rng.randint(1, 6)) for _ in range(rng.choice([0, 0, 1, 2]))]
    inputs, outputs = rng.randint(1, 3), rng.randint(1, 2)
    function = random_function(rng.getrandbits(30), outputs=outputs + len(states))
    tape = Tape()
    arguments = [tape.add("input", attribute=number) for number in range(inputs + len(states) + len(counters))]
    made = function(*arguments)
    results = list(map(tape.value, made if isinstance(made, tuple) else (made,)))
    for number, (_, lo, hi) in enumerate(states):
        results[outputs + number] = clip(results[outputs + number], lo, hi)
    builder = Builder()
    span = rng.choice(SPANS)
    given = [builder.input(number, span) for number in range(inputs)]
    given += [builder.state(number, (lo, hi)) for number, (_, lo, hi) in enumerate(states)]
    given += [builder.counter(every, count) for every, count in counters]
    found = builder.replay(tape.program(*results), given)
    following = [State(init, number) for (init, _, _), number in zip(states, found[outputs:], strict=True)]
    return builder.finish(found[:outputs], following)


def _random_state(rng: random.Random) -> tuple[int, int, int]:
    """(its first value, and its range)."""
    lo, hi = rng.choice(SPANS)
    return rng.randint(lo, hi), lo, hi
