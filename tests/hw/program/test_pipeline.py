"""ProgramPipeline against numpy: programs of several inputs and results, clocks, groups, stalls, targets."""

import numpy as np
import pytest

from bnnhw import hls
from bnnhw.hls.ranges import RangedProgram, with_codes
from bnnhw.hls.scheduling.schedule import Schedule, schedule
from bnnhw.hls.value import Tape
from bnnhw.hw.program.pipeline import ProgramPipeline
from bnnhw.hw.program.wiring import Wiring
from bnnhw.hw.targets import PORTABLE
from bnnhw.hw.targets.ecp5 import ECP5
from tests.hls.functions import random_function

from .case import Case, random_case

STALLS = [(0.0, 0.0), (0.3, 0.3), (0.0, 0.5)]


def written(seed: int, *, inputs: int, outputs: int, span: tuple[int, int]) -> RangedProgram:
    tape = Tape()
    made = random_function(seed, outputs=outputs)(*(tape.add("input", attribute=number) for number in range(inputs)))
    results = made if isinstance(made, tuple) else (made,)
    return with_codes(tape.program(*map(tape.value, results)), span, 1)


def timed(ranged: RangedProgram, clock_hz: float = 100e6) -> Schedule:
    return schedule(ranged, clock_hz=clock_hz, delays=ECP5.fabric.delays)


def check(ranged: RangedProgram, made: Schedule, *, groups: int, seed: int, stalls: tuple[float, float]) -> None:
    """In Amaranth's simulator, with all that streams promise; and on the ECP5's primitives."""
    wiring = Wiring.of(groups, ranged.program.inputs, len(ranged.program.outputs))
    case = Case(ranged=ranged, made=made, wiring=wiring)
    case.simulate(frames=60, seed=seed, stalls=stalls)
    case.batch(frames=60, seed=seed, stalls=stalls)


@pytest.mark.parametrize("seed", range(24))
def test_beats_with_states_and_counters(seed: int):
    case = random_case(seed)
    case.simulate(frames=6, seed=seed, stalls=STALLS[seed % 3])
    case.batch(frames=20, seed=seed, stalls=STALLS[seed % 3])


@pytest.mark.parametrize("seed", range(24))
def test_equals_numpy(seed: int):
    span = [(0, 255), (-128, 127), (0, 15), (-2, 1), (-70_000, 70_000)][seed % 5]
    clock_hz = [50e6, 100e6, 125e6][seed % 3]
    ranged = written(seed, inputs=1 + seed % 3, outputs=1 + seed % 2, span=span)
    check(ranged, timed(ranged, clock_hz), groups=1 + seed % 2, seed=seed, stalls=STALLS[seed % 3])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(24, 500))
def test_many_programs(seed: int):
    test_equals_numpy(seed)


CURVE = hls.table((np.arange(256) ** 2) // 255)
"""In block RAM."""


def test_tables_in_block_ram():
    operator = hls.pointwise(lambda x: CURVE[x] + CURVE[255 - x] - 3)
    ranged = with_codes(operator.program, (0, 255), 1)
    made = timed(ranged)
    assert made.latency > 2
    check(ranged, made, groups=2, seed=0, stalls=(0.3, 0.3))


ONE = Wiring.of(1, 1, 1)
WRONG = {
    "no groups": (lambda: Wiring((), (), 1), r"reads=\(\) must have at least one group, all of one size"),
    "sizes": (lambda: Wiring(((0,), (1, 0)), ((0,), (1,)), 2), r"reads=\(\(0,\), \(1, 0\)\) must have at least one"),
    "counts": (lambda: Wiring(((0,),), ((0,), (1,)), 1), "1 groups read and 2 write; each must do both"),
    "beyond": (lambda: Wiring(((0, 3),), ((0,),), 2), r"the groups read elements \[3\], and a beat has 0 to 1"),
    "twice": (lambda: Wiring(((0,), (1,)), ((0,), (0,)), 2), r"the groups write elements \[0, 0\], which must be each"),
    "inputs": (lambda: made_of(Wiring.of(1, 2, 1)), "the groups have 2 inputs, and the program 1"),
    "results": (lambda: made_of(Wiring.of(1, 1, 2)), "the groups have 2 results, and the program 1"),
    "period": (lambda: made_of(ONE, beats=6, period=4), "period=4 must be at least 1 and divide beats=6"),
}


def made_of(wiring: Wiring, *, beats: int = 1, period: int = 1) -> None:
    made = timed(written(0, inputs=1, outputs=1, span=(0, 3)))
    ProgramPipeline(schedule=made, wiring=wiring, target=PORTABLE, beats=beats, period=period)


@pytest.mark.parametrize("name", WRONG)
def test_arguments_are_checked(name: str):
    made, message = WRONG[name]
    with pytest.raises(ValueError, match=f"^{message}"):
        made()
