"""A board's memory chip: at the pins of an engine's design, through the very driver that talks to a real board."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from amaranth.hdl import Module

from bnnhw.boards.board import get_board
from bnnhw.boards.build import BuildOptions
from bnnhw.boards.engines.build import build_engine
from bnnhw.boards.engines.manifest import EngineManifest
from bnnhw.boards.engines.sizes import EngineSizes
from bnnhw.boards.host.engine_board import EngineBoard
from bnnhw.boards.host.errors import LinkError
from bnnhw.boards.link_choice import LinkChoice
from bnnhw.compiler import evaluate
from bnnhw.compiler.engine.compile import compile_program
from bnnhw.hw.memory.timing import CHIPS
from bnnhw.sim.board.join_chip import join_chip
from bnnhw.sim.board.virtual_board import VirtualBoard
from bnnhw.sim.errors import SimulationError
from bnnhw.sim.memory.chip_at_pads import ChipAtPads
from bnnhw.sim.memory.engine_with_chip import words_for
from bnnhw.sim.netlist.netlist import convert_component, flatten
from tests.engine_rtl import CHIP
from tests.hw.engine.test_external import network

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false
# (amaranth's types are loose)

BOARD = get_board("ulx3s-12f")
CLOCK_HZ = 12_500_000  # low, so that the device's time-outs are few cycles
SIZES = EngineSizes(
    pixels=4, rows=8, simd=32, group_pixels=2, group_rows=2, sum_width=14,
    map_words=1024, weight_words=64, taps=256, parameters=256, instructions=512, results=256, memory=CHIP.name,
)  # fmt: skip
PATIENCE_S = 60


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, EngineManifest]]:
    """The RTL of an engine with a chip that starts soon."""
    folder = tmp_path_factory.mktemp("engine") / "engine"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(CHIPS, CHIP.name, CHIP)
        manifest, _ = build_engine(
            BOARD, SIZES, folder, BuildOptions(stop_after="rtl"), clock_hz=CLOCK_HZ, link=LinkChoice(baud=3_000_000)
        )
        yield folder, manifest


def test_a_program_whose_weights_lie_in_the_chip(engine: tuple[Path, EngineManifest]):
    """More images than run at once."""
    folder, manifest = engine
    graph = network(96, 130, 100, 10)
    program = compile_program(graph, manifest.shape)
    assert program.external_words
    images = 2 * np.random.default_rng(2).integers(0, 2, (program.frames + 1, 96)) - 1
    (wanted,) = evaluate(graph, {"x": images}).values()
    with (
        VirtualBoard(folder, memory_words=words_for(program)) as board,
        EngineBoard(program, manifest, port=board.port, timeout_s=PATIENCE_S) as host,
    ):
        found = [answer for answer, _ in host.answers(images)]
    np.testing.assert_array_equal(np.stack(found), wanted)


@pytest.mark.slow
def test_a_later_host_finds_the_program_there(engine: tuple[Path, EngineManifest]):
    folder, manifest = engine
    graph = network(96, 130, 100, 10)
    program = compile_program(graph, manifest.shape)
    images = 2 * np.random.default_rng(3).integers(0, 2, (2, 96)) - 1
    (wanted,) = evaluate(graph, {"x": images}).values()
    with VirtualBoard(folder, memory_words=words_for(program)) as board:
        for image, answer, is_there in zip(images, wanted, (False, True), strict=True):
            with EngineBoard(program, manifest, port=board.port, timeout_s=PATIENCE_S) as host:
                assert host.was_resident == is_there
                assert [found for found, _ in host.answers([image])] == [answer]


@pytest.mark.parametrize(
    ("changed", "fault"), [({"t_rfc_ns": 300}, "T_RFC"), ({"start_up_ns": 4000}, "START_UP")], ids=str
)
def test_a_chip_that_wants_more_ends_the_board(
    engine: tuple[Path, EngineManifest], monkeypatch: pytest.MonkeyPatch, changed: dict[str, float], fault: str
):
    folder, manifest = engine
    monkeypatch.setitem(CHIPS, CHIP.name, replace(CHIP, **changed))
    program = compile_program(network(96, 10), manifest.shape)

    def use() -> None:
        with VirtualBoard(folder, memory_words=64) as board:
            EngineBoard(program, manifest, port=board.port, timeout_s=PATIENCE_S)

    with pytest.raises(
        SimulationError, match=rf"^the virtual board ended: the memory chip's rules were broken: <Fault.*{fault}"
    ):
        use()


class NoChip(ChipAtPads):
    """Gives nothing back."""

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.chip = chip = ChipAtPads(chip=CHIP, clock_hz=CLOCK_HZ)
        m.d.comb += [getattr(chip, name).eq(getattr(self, name)) for name in ("clk_en", "cs", "ras", "cas", "we")]
        return m


def test_a_chip_that_gives_nothing_back(engine: tuple[Path, EngineManifest], monkeypatch: pytest.MonkeyPatch):
    folder, manifest = engine
    monkeypatch.setattr("bnnhw.sim.board.read_build.ChipAtPads", NoChip)
    program = compile_program(network(96, 10), manifest.shape)
    with (
        VirtualBoard(folder, memory_words=64) as board,
        pytest.raises(
            LinkError, match=r"the engine at /dev/pts/\d+ has a memory chip that does not give back what is written"
        ),
    ):
        EngineBoard(program, manifest, port=board.port, timeout_s=PATIENCE_S)


def test_refuses_a_design_without_the_pins():
    chip = flatten(convert_component(ChipAtPads(chip=CHIP, clock_hz=CLOCK_HZ)))
    with pytest.raises(SimulationError, match=r"^the design has no pins \['sdram_0__a__io', .*\], where its"):
        join_chip(chip, chip, resource="sdram_0", busy="busy")
