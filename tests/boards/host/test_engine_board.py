"""A program to an engine over a line that damages frames both ways, and what it answers then."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from bnnhw.boards.engines.manifest import EngineManifest
from bnnhw.boards.engines.sizes import EngineSizes
from bnnhw.boards.host.engine_board import EngineBoard
from bnnhw.boards.host.link import LinkError
from bnnhw.compiler import evaluate
from bnnhw.compiler.engine.compile import compile_program
from bnnhw.hw.engine.engine import Engine
from bnnhw.hw.engine.program.packets import PACKET_WORDS
from bnnhw.hw.link.phy.uart_port import UartPort
from bnnhw.hw.targets import PORTABLE
from bnnhw.hw.top import Top
from bnnhw.sim.batch.simulator import compile_design
from bnnhw.sim.board.uart_engine import UartEngine
from bnnhw.sim.netlist.netlist import convert_component
from tests.compiler.engine.test_compile import random_inputs, random_network
from tests.hw.link.chunked_top import CLOCK_HZ, CYCLES_PER_BIT

from .damaged_line import DamagedLine

BAUD = CLOCK_HZ // CYCLES_PER_BIT
SIZES = EngineSizes(
    pixels=2, rows=8, simd=32, group_pixels=2, group_rows=2, sum_width=14,
    map_words=1024, weight_words=1024, taps=256, parameters=256, instructions=512, results=256,
)  # fmt: skip
MANIFEST = EngineManifest(
    board="ulx3s-12f", sizes=SIZES, clock_hz=CLOCK_HZ, fmax_hz=None, baud=BAUD, seed=1, versions={}
)


class Device:
    """An engine behind its link, as the line wants it."""

    def __init__(self):
        top = Top(
            core=Engine(SIZES.shape(PORTABLE)),
            port=UartPort(clock_hz=CLOCK_HZ, baud=BAUD),
            clock_hz=CLOCK_HZ,
            network_id=MANIFEST.shape.identity,
            input_elements=PACKET_WORDS,
            output_elements=PACKET_WORDS,
            target=PORTABLE,
        )
        self._program = compile_design(convert_component(top))

    def engine(self) -> UartEngine:
        """The device, out of its reset."""
        return UartEngine(self._program, rx="rx", tx="tx", clock_hz=CLOCK_HZ, baud=BAUD)


@cache
def device() -> Any:
    return Device()


def check(line: DamagedLine, seed: int) -> None:
    """The answers to more images than run at once are those of the integer graph."""
    rng = np.random.default_rng(seed)
    graph = random_network(rng)
    program = compile_program(graph, MANIFEST.shape)
    images = random_inputs(graph, program.frames + 1, rng)
    (wanted,) = evaluate(graph, {"x": images}).values()
    with EngineBoard(program, MANIFEST, port="/dev/tty0", timeout_s=0.05, retries=1000) as board:
        assert board.link.timeout_s == 0.05 + program.cycles / CLOCK_HZ
        for answer, (found, cycles) in zip(wanted, board.answers(images), strict=True):
            line.progress()
            assert found == answer, f"seed={seed}"
            assert cycles == program.cycles


def test_loads_and_answers_over_a_damaged_line(monkeypatch: pytest.MonkeyPatch):
    line = DamagedLine(device(), seed=1, rate=0.2).install(monkeypatch)
    check(line, seed=8)
    assert sum(line.requests.counts.values()) + sum(line.answers.counts.values()) > 3


@pytest.mark.slow
def test_loads_and_answers_however_frames_are_damaged(monkeypatch: pytest.MonkeyPatch):
    """At least 100 frames in all, each kind of damage more than once both ways."""
    lines: list[DamagedLine] = []
    seed = 0
    while sum(sum(line.requests.counts.values()) + sum(line.answers.counts.values()) for line in lines) < 100:
        lines.append(DamagedLine(device(), seed=seed, rate=(0.05, 0.2)[seed % 2]).install(monkeypatch))
        check(lines[-1], seed=2 * seed)
        seed += 1
    for faults in ([line.requests for line in lines], [line.answers for line in lines]):
        assert all(sum(each.counts[name] for each in faults) > 1 for name in faults[0].counts)


def test_refuses_a_program_for_another_engine():
    program = compile_program(random_network(np.random.default_rng(6)), MANIFEST.shape)
    other = EngineManifest(
        board="ulx3s-12f", sizes=replace(SIZES, taps=512), clock_hz=CLOCK_HZ, fmax_hz=None, baud=BAUD,
        seed=1, versions={},
    )  # fmt: skip
    with pytest.raises(
        ValueError, match=r"the program is for the engine [0-9a-f]{16}, and ulx3s-12f has [0-9a-f]{16};"
    ):
        EngineBoard(program, other, port="/dev/tty0")


def test_a_board_with_another_engine_is_refused(monkeypatch: pytest.MonkeyPatch):
    DamagedLine(device(), seed=1, rate=0).install(monkeypatch)
    other = EngineManifest(
        board="ulx3s-12f", sizes=replace(SIZES, taps=512), clock_hz=CLOCK_HZ, fmax_hz=None, baud=BAUD,
        seed=1, versions={},
    )  # fmt: skip
    program = compile_program(random_network(np.random.default_rng(6)), other.shape)
    with pytest.raises(LinkError, match=r"holds the network [0-9a-f]{16}, not [0-9a-f]{16}; flash this build"):
        EngineBoard(program, other, port="/dev/tty0", retries=1)
