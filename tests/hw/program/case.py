"""Programs on the beats of a stream, at random from a seed, and what their pipelines must give."""

import random
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bnnhw.hls import OperatorError
from bnnhw.hls.intervals import Span, width_of
from bnnhw.hls.program import State, run_beats
from bnnhw.hls.ranges import Builder, RangedProgram
from bnnhw.hls.scheduling.schedule import Schedule, schedule
from bnnhw.hls.value import Tape
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
    """A program, its schedule, and the arguments of its pipeline."""

    ranged: RangedProgram
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
        ranged = self.ranged
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
            found = run_beats(self.ranged.program, elements[..., list(reads)], period=self.period)
            results[..., list(writes)] = found
        return results[:, self.period - 1 :: self.period] if self.ending else results

    def simulate(self, *, frames: int, seed: int, stalls: tuple[float, float]) -> None:
        """In Amaranth's simulator, with all that streams promise and the flow's cycles."""
        elements = self.elements(frames, seed)
        bits, width = width_of(self.span), width_of(self.ranged.result)
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
            lanes=min(256, -(-frames // 4)),  # frames behind each other, too
            stall_probability=stalls,
            seed=seed,
        )
        np.testing.assert_array_equal(found.outputs, to_words(expected, width_of(self.ranged.result)))
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
    """A program of inputs, counters, states and tables; any wiring; held or with a queue."""
    rng = random.Random(seed)
    period = rng.choice([1, 2, 3, 5, 8])
    beats = period * rng.choice([1, 2, 3])
    ranged = random_beat_program(rng)
    program, groups = ranged.program, rng.randint(1, 3)
    elements = rng.randint(1, 6)
    made = fastest(ranged, rng.choice([0, 0, 1, 2, 3]))
    slots = rng.sample(range(groups * len(program.outputs)), groups * len(program.outputs))
    wiring = Wiring(
        tuple(tuple(rng.choices(range(elements), k=program.inputs)) for _ in range(groups)),
        tuple(tuple(slots[group::groups]) for group in range(groups)),
        elements,
    )
    return Case(
        ranged=ranged,
        made=replace(made, held_bits=rng.choice([0, made.held_bits])),
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
    """Of 1 to 3 inputs, of up to 2 states, counters and tables of such, and of 1 or 2 results."""
    builder, span = Builder(), rng.choice(SPANS)
    inputs = [builder.input(number, span) for number in range(rng.randint(1, 3))]
    made = [builder.counter(rng.randint(1, 5), rng.randint(1, 6)) for _ in range(rng.choice([0, 1, 2]))]
    for number in [*made, inputs[0]][: rng.choice([0, 1, 2])]:
        index = builder.make("and", number, builder.constant(rng.choice([7, 255])))
        for _ in range(rng.choice([1, 2])):
            entries = tuple(rng.randint(-200, 200) for _ in range(256))
            made.append(builder.make("table", index, attribute=entries[: builder.spans[index][1] + 1]))
    before = _replayed(builder, rng, [*inputs, *made], outputs=2)
    ranges = [rng.choice(SPANS) for _ in range(rng.choice([0, 1, 1, 2]))]
    states = [builder.state(number, each) for number, each in enumerate(ranges)]
    following = [_following(builder, rng, each, states, before) for each in ranges]
    outputs = _replayed(builder, rng, [*inputs, *made, *states, *following, *before], outputs=rng.randint(1, 2))
    return builder.finish(outputs, [State(rng.randint(*each), n) for each, n in zip(ranges, following, strict=True)])


def _replayed(builder: Builder, rng: random.Random, arguments: list[int], *, outputs: int) -> list[int]:
    """What a random function makes of these."""
    tape = Tape()
    values = [tape.add("input", attribute=number) for number in range(len(arguments))]
    made = random_function(rng.getrandbits(30), outputs=outputs)(*values)
    return builder.replay(tape.program(*map(tape.value, made if isinstance(made, tuple) else (made,))), arguments)


def _following(builder: Builder, rng: random.Random, span: Span, states: list[int], before: list[int]) -> int:
    """The next value of a state in a range: of any state and of what was made before, by little or by much."""
    state, other = rng.choice(states), rng.choice([*states, *before])
    match rng.randrange(5):
        case 0:
            number = other
        case 1:
            number = builder.make("sub", builder.make("add", state, other), builder.make("shr", state, attribute=2))
        case 2:
            number = builder.make("mux", builder.make("ge", state, other), state, other)
        case 3:
            (number,) = _replayed(builder, rng, [state, other, *before], outputs=1)
        case _:
            number = builder.make("add", state, other)
    lo, hi = map(builder.constant, span)
    number = builder.make("mux", builder.make("ge", number, lo), number, lo)
    return builder.make("mux", builder.make("ge", hi, number), number, hi)
