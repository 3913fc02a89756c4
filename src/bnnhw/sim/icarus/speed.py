"""How fast the two simulators of RTL are on the same unit."""

from dataclasses import dataclass

import numpy as np

from bnnhw.hw.product.matrix_unit import MatrixUnit
from bnnhw.hw.targets import PORTABLE
from bnnhw.sim.batch.engine import LANES
from bnnhw.sim.batch.simulator import BatchSimulator
from bnnhw.sim.errors import SimulationError

from .runner import CocotbSimulator

__all__ = ["SimulationSpeed", "compare_speed"]


@dataclass(frozen=True)
class SimulationSpeed:
    """Clock cycles of one unit that are simulated in a second, without the time for compiling.

    `macs` is the number of binary multiplications of the unit in a cycle; `batch` counts the cycles of all `lanes`.
    """

    macs: int
    lanes: int
    batch: float
    single_lane: float
    cocotb: float


def compare_speed(*, rows: int = 256, cols: int = 256, pe: int = 16, simd: int = 64) -> SimulationSpeed:
    """Runs a matrix unit with weights in block RAM on random frames; both simulators must agree.

    Raises
    ------
    SimulationError
        When cocotb or Icarus Verilog is missing, or the results differ.
    """
    rng = np.random.default_rng(0)
    weights = rng.choice([-1, 1], (rows, cols))
    words = (simd + 63) // 64
    frames = rng.integers(0, 1 << min(simd, 63), (8 * LANES, cols // simd, words), np.uint64)

    def unit() -> MatrixUnit:
        thresholds = [cols // 2] * rows
        return MatrixUnit(weights=weights, pe=pe, simd=simd, thresholds=thresholds, store="block", target=PORTABLE)

    fast = BatchSimulator(unit())
    batch = fast.run(frames, output_beats=rows // pe)
    single = fast.run(frames[:32], output_beats=rows // pe, lanes=1)
    cocotb = CocotbSimulator(unit()).run(frames[:16], output_beats=rows // pe)
    if not np.array_equal(batch.outputs[:16], cocotb.outputs):
        raise SimulationError("the two simulators disagree")
    rates = [result.cycles_per_second for result in (batch, single, cocotb)]
    return SimulationSpeed(pe * simd, batch.lanes, *rates)
