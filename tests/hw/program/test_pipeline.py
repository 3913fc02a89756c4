"""ProgramPipeline against numpy: programs of several inputs and results, clocks, groups, stalls, targets."""

import numpy as np
import pytest

from bnnhw import hls
from bnnhw.boards.toolchain.alone import synthesise_alone
from bnnhw.hls.intervals import width_of
from bnnhw.hls.program import run
from bnnhw.hls.ranges import with_codes
from bnnhw.hls.schedule import Schedule, schedule
from bnnhw.hls.value import Tape
from bnnhw.hw.core import Core
from bnnhw.hw.program.area import program_area
from bnnhw.hw.program.pipeline import ProgramPipeline
from bnnhw.hw.targets import PORTABLE
from bnnhw.hw.targets.ecp5 import ECP5
from bnnhw.sim.batch.simulator import BatchSimulator
from tests.hls.functions import random_function
from tests.hw.scenario import pack, run_scenario

STALLS = [(0.0, 0.0), (0.3, 0.3), (0.0, 0.5)]


def timed(seed: int, *, inputs: int, outputs: int, span: tuple[int, int], clock_hz: float = 100e6) -> Schedule:
    tape = Tape()
    made = random_function(seed, outputs=outputs)(*(tape.add("input", attribute=number) for number in range(inputs)))
    results = made if isinstance(made, tuple) else (made,)
    program = tape.program(*map(tape.value, results))
    return schedule(with_codes(program, span, 1), clock_hz=clock_hz, delays=ECP5.fabric.delays)


def packed(elements: np.ndarray, bits: int) -> list[int]:
    """(inputs or results, beats, groups) as beats."""
    return [pack(beat.ravel(), bits) for beat in elements.transpose(1, 2, 0)]


def check(made: Schedule, *, groups: int, seed: int, stalls: tuple[float, float]) -> None:
    """In Amaranth's simulator, with all that streams promise; and on the ECP5's primitives."""
    program, spans = made.ranged.program, made.ranged.spans
    codes = np.random.default_rng(seed).integers(0, spans[0][1] + 1, (program.inputs, 60, groups))
    results = np.stack(run(program, list(codes)))
    beats, expected = packed(codes, width_of(spans[0])), packed(results, width_of(made.ranged.result))
    plain = ProgramPipeline(schedule=made, groups=groups, target=PORTABLE)
    trace = run_scenario(plain, beats, outputs=60, seed=seed, stalls=stalls)
    assert trace.outputs == expected
    if stalls == (0.0, 0.0):
        assert trace.output_cycles[0] - trace.input_cycles[0] == made.latency
    dut = ProgramPipeline(schedule=made, groups=groups, target=ECP5)
    bits, width = len(dut.i.payload), len(dut.o.payload)
    core = Core(units=[dut], input_lanes=1, input_width=bits, output_lanes=1, output_width=width)
    simulator = BatchSimulator(core)
    found = simulator.run(to_words(beats, bits), output_beats=60, stall_probability=stalls, seed=seed)
    np.testing.assert_array_equal(found.outputs, to_words(expected, width))


def to_words(beats: list[int], bits: int) -> np.ndarray:
    """One frame of beats of so many bits as the batch simulator has them."""
    words = range(-(-bits // 64))
    return np.array([[[beat >> (64 * word) & (2**64 - 1) for word in words] for beat in beats]], np.uint64)


@pytest.mark.parametrize("seed", range(24))
def test_equals_numpy(seed: int):
    span = [(0, 255), (-128, 127), (0, 15), (-2, 1), (-70_000, 70_000)][seed % 5]
    clock_hz = [50e6, 100e6, 125e6][seed % 3]
    made = timed(seed, inputs=1 + seed % 3, outputs=1 + seed % 2, span=span, clock_hz=clock_hz)
    check(made, groups=1 + seed % 2, seed=seed, stalls=STALLS[seed % 3])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(24, 500))
def test_many_programs(seed: int):
    test_equals_numpy(seed)


CURVE = hls.table((np.arange(256) ** 2) // 255)
"""In block RAM."""


def test_tables_in_block_ram():
    operator = hls.pointwise(lambda x: CURVE[x] + CURVE[255 - x] - 3)
    made = schedule(with_codes(operator.program, (0, 255), 1), clock_hz=100e6, delays=ECP5.fabric.delays)
    assert made.latency > 2
    check(made, groups=2, seed=0, stalls=(0.3, 0.3))


OPERATORS = {
    "leaky_relu": (lambda x: np.where(x >= 0, x, x >> 3), (-128, 127)),
    "affine": (lambda x: 5 * x - 100, (0, 255)),
    "clipped": (lambda x: np.clip(x, -30, 100), (-128, 127)),
    "distance": (lambda x: abs(x - 77), (0, 255)),
}


@pytest.mark.toolchain
@pytest.mark.parametrize("name", OPERATORS)
def test_area(name: str):
    function, span = OPERATORS[name]
    made = schedule(with_codes(hls.pointwise(function).program, span, 1), clock_hz=125e6, delays=ECP5.fabric.delays)
    found = synthesise_alone(ProgramPipeline(schedule=made, groups=4, target=ECP5), ECP5)
    counted = program_area(made, groups=4, fabric=ECP5.fabric)
    assert found.logic == pytest.approx(counted.logic, rel=0.4)
    assert found.ffs == pytest.approx(counted.ffs, rel=0.1)


def test_a_clock_that_is_too_fast_is_refused_with_one_that_works():
    product = hls.pointwise(lambda x: x * (x + 1))
    with pytest.raises(hls.OperatorError, match=r"^test_pipeline\.py:\d+: mul of .* at most 141 MHz works, or smaller"):
        schedule(with_codes(product.program, (0, 255), 1), clock_hz=200e6, delays=ECP5.fabric.delays)


def test_groups_are_checked():
    made = timed(0, inputs=1, outputs=1, span=(0, 3))
    with pytest.raises(ValueError, match=r"^groups=0 must be at least 1$"):
        ProgramPipeline(schedule=made, groups=0, target=PORTABLE)
