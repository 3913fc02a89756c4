"""Codes that mean something else in each channel and each class of pixels, read by operators: factors, foldings, pixels
side by side, classes, stalls, exact timing, cells."""

from dataclasses import dataclass

import numpy as np
import pytest

from bnnhw import hls
from bnnhw.boards.toolchain.alone import route_alone, synthesise_alone
from bnnhw.compiler.ir.types import IntType
from bnnhw.compiler.units.codes import Codes
from bnnhw.compiler.units.join.combine import Combining
from bnnhw.compiler.units.operator.computing import Computing
from bnnhw.compiler.units.operator.offsets import rescaling
from bnnhw.compiler.units.operator.patch import Coded
from bnnhw.compiler.units.operator.stage import Programmed
from bnnhw.compiler.units.port import Port
from bnnhw.compiler.units.product.borders import Borders
from bnnhw.compiler.units.stage import Stage
from bnnhw.hw.targets import PORTABLE, Target, get_device
from bnnhw.hw.targets.ecp5 import ECP5
from tests.hw.netlist_cells import netlist_logic
from tests.hw.pool.test_pool import to_beats
from tests.hw.ports import run_ports
from tests.hw.verilog_scenario import run_verilog_scenario

IMAGES = 3
BORDER = (0, 1, 1, 1, 1, 2)
WIDE = (0, *[1] * 30, 2)


@dataclass(frozen=True)
class Case:
    """Random codes up to `greatest` of images, offset + scale*code with offsets from -spread to +spread."""

    channels: int
    greatest: int
    scale: int
    spread: int
    lanes: int
    pixels: int = 1
    rows: tuple[int, ...] = BORDER
    columns: tuple[int, ...] = BORDER
    size: tuple[int, int] = (6, 6)

    @property
    def port(self) -> Port:
        bits = self.greatest.bit_length()
        return Port(*self.size, self.channels, bits, self.lanes, self.pixels)

    def codes(self, seed: int) -> Codes:
        classes = max(self.rows, default=0) + 1, max(self.columns, default=0) + 1
        offsets = np.random.default_rng(seed).integers(-self.spread, self.spread + 1, (*classes, self.channels))
        offsets.flat[0], offsets.flat[-1] = self.spread, -self.spread
        return Codes(offsets, self.scale, self.greatest, Borders(self.rows, self.columns))

    @property
    def element(self) -> IntType:
        return IntType(-self.spread, self.spread + self.scale * self.greatest)

    def drawn(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Codes of images, and their values."""
        codes = np.random.default_rng(seed).integers(0, self.greatest + 1, (IMAGES, *self.size, self.channels))
        codes[0] = self.greatest
        rows, columns = (each or (0,) * size for each, size in zip((self.rows, self.columns), self.size, strict=True))
        return codes, self.codes(seed).offsets[np.ix_(rows, columns)] + self.scale * codes

    def beats(self, values: np.ndarray, bits: int) -> list[int]:
        return to_beats(values, self.pixels, self.lanes, bits)


CASES = {
    "one class": Case(10, 30, 1, 45, 5, rows=(), columns=(), size=(1, 1)),
    "one group": Case(4, 5, 3, 9, 4, rows=(), columns=(), size=(2, 3)),
    "nothing to add": Case(4, 5, 3, 0, 2),
    "9 classes": Case(4, 60, 2, 9, 2),
    "of rows": Case(2, 63, 1, 8, 1, columns=(0,) * 6),
    "of columns": Case(3, 63, 5, 8, 3, rows=()),
    "side by side": Case(4, 60, 2, 9, 2, pixels=3),
    "a row in a beat": Case(4, 60, 2, 9, 1, pixels=6),
    "all lanes": Case(6, 60, 1, 90, 6),
    "block RAM": Case(24, 60, 1, 900, 2, size=(3, 6), rows=(0, 1, 2)),
}


def rescaled(case: Case, seed: int, target: Target) -> Stage:
    step, _ = rescaling(case.codes(seed), case.element)
    (stage,), _ = step.stages("x", case.port, target)
    return stage


def check(stage: Stage, inputs: list[list[int]], expected: list[int], *, seed: int) -> None:
    """The results, and the flow's cycles, with and without stalls."""
    beats = dict(zip(stage.inputs, inputs, strict=True))
    for stalls in ((0.0, 0.0), (0.3, 0.3), (0.0, 0.7)):
        found = run_ports(stage.build(), beats, {"o": len(expected)}, seed=seed, stalls=stalls)
        assert found["o"].beats == expected


@pytest.mark.parametrize("name", CASES)
def test_offsets(name: str):
    case = CASES[name]
    codes, values = case.drawn(1)
    stage = rescaled(case, 1, PORTABLE)
    expected = case.beats(values - case.element.lo, stage.gives("o").bits)
    check(stage, [case.beats(codes, case.port.bits)], expected, seed=1)


@pytest.mark.toolchain
@pytest.mark.parametrize("name", ["side by side", "block RAM"])
def test_offsets_on_ecp5_cells(name: str, tmp_path):
    case = CASES[name]
    codes, values = case.drawn(2)
    stage = rescaled(case, 2, ECP5)
    expected = case.beats(values - case.element.lo, stage.gives("o").bits)
    trace = run_verilog_scenario(
        stage.build(), case.beats(codes, case.port.bits), outputs=len(expected), seed=2, stalls=(0.3, 0.3),
        folder=tmp_path,
    )  # fmt: skip
    assert trace.outputs == expected


@pytest.mark.parametrize("name", CASES)
def test_parameters_of_channels_beside_classes(name: str):
    """y = clip((a[c]*x + b[c]) >> s): requantisation, as of networks with shortcuts."""
    case = CASES[name]
    rng = np.random.default_rng(3)
    gains, biases = rng.integers(1, 8, case.channels), rng.integers(-50, 50, case.channels)
    operator = hls.pointwise(gain=gains, bias=biases)(lambda x, gain, bias: np.clip((gain * x + bias) >> 2, -9, 40))
    coded = Coded(case.codes(3), (case.element.lo, case.element.hi))
    (stage,), _ = Computing(operator.traced(case.channels), coded, IntType(-9, 40)).stages("x", case.port, PORTABLE)
    codes, values = case.drawn(3)
    expected = np.clip((gains * values + biases) >> 2, -9, 40) + 9
    check(stage, [case.beats(codes, case.port.bits)], case.beats(expected, 6), seed=3)


@pytest.mark.parametrize("name", ["9 classes", "side by side", "all lanes"])
def test_streams_of_which_each_has_its_own(name: str):
    case = CASES[name]
    operator = hls.pointwise(lambda x, y: x - 2 * y)
    spread = case.element.hi - case.element.lo
    result = IntType(case.element.lo - 2 * case.element.hi, case.element.hi - 2 * case.element.lo)
    coded = tuple(Coded(case.codes(seed), (case.element.lo, case.element.hi)) for seed in (4, 5))
    stage, _ = Combining(operator.traced(case.channels), coded, result).stage("x", [case.port] * 2, PORTABLE)
    (codes, x), (others, y) = case.drawn(4), case.drawn(5)
    inputs = [case.beats(each, case.port.bits) for each in (codes, others)]
    expected = case.beats(x - 2 * y - result.lo, (3 * spread).bit_length())
    check(stage, inputs, expected, seed=4)


COUNTED = {
    "one class": Case(64, 576, 1, 150, 4, rows=(), columns=(), size=(16, 16)),
    "twice": Case(64, 576, 2, 150, 8, rows=(), columns=(), size=(16, 16)),
    "9 classes": Case(64, 576, 1, 150, 4, rows=WIDE, columns=WIDE, size=(32, 32)),
    "all lanes": Case(16, 144, 2, 40, 16, rows=WIDE, columns=WIDE, size=(32, 32)),
    "side by side": Case(32, 288, 2, 75, 4, pixels=4, rows=WIDE, columns=WIDE, size=(32, 32)),
    "tables in LUTs": Case(64, 576, 1, 150, 16, rows=WIDE, columns=WIDE, size=(32, 32)),
}
"""Behind convolutions of residual networks."""


@pytest.mark.toolchain
@pytest.mark.parametrize("name", ["one class", "9 classes", "all lanes"])
def test_cells(name: str):
    stage = rescaled(COUNTED[name], 0, ECP5)
    report, cells = synthesise_alone(stage.build(), ECP5), stage.resources
    assert report.ebr == cells.ebr
    assert netlist_logic(cells) == pytest.approx(report.logic, rel=0.1)
    assert cells.ffs == pytest.approx(report.ffs, rel=0.1)


@pytest.mark.slow
@pytest.mark.toolchain
@pytest.mark.parametrize("name", COUNTED)
def test_routed_cells_and_clock(name: str):
    stage = rescaled(COUNTED[name], 0, ECP5)
    routed = route_alone(stage.build(), get_device("LFE5U-25F"), 1, aim_hz=200e6)
    print(f"{name}: {routed.fmax_hz / 1e6:.0f} MHz, {routed.cells}, counted {stage.resources}")
    assert routed.cells.ebr == stage.resources.ebr
    assert stage.resources.logic == pytest.approx(routed.cells.logic, rel=0.1)
    assert stage.resources.ffs == pytest.approx(routed.cells.ffs, rel=0.1)
    assert routed.fmax_hz >= 125e6


def test_classes_have_no_latency_of_their_own():
    """Where a pixel is, is known ahead: the codes wait for block RAM alone."""
    for name, latency in (("9 classes", 1), ("side by side", 1), ("block RAM", 3)):
        stage = rescaled(CASES[name], 0, ECP5)
        assert isinstance(stage, Programmed)
        assert stage.schedule.latency == latency
