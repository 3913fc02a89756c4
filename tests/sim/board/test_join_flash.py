"""A board that begins with the programs of its flash, at the pins of its design, as the host's driver meets it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bnnhw.boards.board import get_board
from bnnhw.boards.build import BuildOptions
from bnnhw.boards.engines.build import build_engine
from bnnhw.boards.engines.manifest import EngineManifest
from bnnhw.boards.host.engine_board import EngineBoard
from bnnhw.boards.host.flash_image import flash_image
from bnnhw.boards.link_choice import LinkChoice
from bnnhw.compiler import evaluate
from bnnhw.compiler.engine.compile import compile_program
from bnnhw.hw.engine.boot import flash_reader
from bnnhw.hw.memory.timing import CHIPS
from bnnhw.sim.board.join_chip import join_flash
from bnnhw.sim.board.virtual_board import VirtualBoard
from bnnhw.sim.errors import SimulationError
from bnnhw.sim.memory.engine_with_chip import words_for
from bnnhw.sim.memory.flash_at_pads import FlashAtPads
from bnnhw.sim.netlist.netlist import convert_component, flatten
from tests.engine_rtl import CHIP
from tests.hw.engine.test_external import network

from .test_join_chip import CLOCK_HZ, PATIENCE_S, SIZES

BOARD = get_board("ulx3s-12f")
FIRST, SECOND = network(96, 130, 100, 10), network(30, 510, 10)


def build(folder: Path, *, from_flash: bool = True) -> tuple[Path, EngineManifest]:
    """The RTL of an engine with a chip that starts soon."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(CHIPS, CHIP.name, CHIP)
        options = BuildOptions(stop_after="rtl")
        manifest, _ = build_engine(
            BOARD, SIZES, folder, options, clock_hz=CLOCK_HZ, link=LinkChoice(baud=3_000_000), from_flash=from_flash
        )
    return folder, manifest


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, EngineManifest]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(CHIPS, CHIP.name, CHIP)
        yield build(tmp_path_factory.mktemp("engine") / "engine")


@pytest.mark.parametrize("damaged", [False, True])
def test_a_host_finds_what_the_flash_held(engine: tuple[Path, EngineManifest], damaged: bool):
    """Both programs, though no host sent them; none where a bit is wrong, and all the same it answers right."""
    folder, manifest = engine
    graphs = (SECOND,) if damaged else (FIRST, SECOND)
    programs = [compile_program(graph, manifest.shape) for graph in graphs]
    content = bytearray(flash_image(programs))
    content[len(content) // 2] ^= 0x10 * damaged
    with VirtualBoard(folder, memory_words=words_for(*programs), flash=bytes(content)) as board:
        for graph, program in zip(graphs, programs, strict=True):
            images = 2 * np.random.default_rng(2).integers(0, 2, (2, graph.inputs[0].type.shape[0])) - 1
            (wanted,) = evaluate(graph, {"x": images}).values()
            with EngineBoard(program, manifest, port=board.port, timeout_s=PATIENCE_S) as host:
                assert host.was_resident != damaged
                np.testing.assert_array_equal(np.stack([answer for answer, _ in host.answers(images)]), wanted)


def test_a_flash_that_is_misused_ends_the_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A reader that does not wait until the chip is awake."""
    monkeypatch.setitem(CHIPS, CHIP.name, CHIP)
    monkeypatch.setattr(flash_reader, "REST_S", 1e-6)
    folder, _ = build(tmp_path / "engine")
    with (
        pytest.raises(SimulationError, match=r"^the virtual board ended: the flash's rules were broken: <.*ASLEEP"),
        VirtualBoard(folder, memory_words=64) as board,
    ):
        board.wait()


def test_an_engine_may_leave_the_flash_alone(tmp_path: Path):
    folder, manifest = build(tmp_path / "engine", from_flash=False)
    assert manifest.flash_at is None
    assert manifest.start_s == 0
    assert "USRMCLK" not in (folder / "top.il").read_text()
    assert "boot_flash" not in (folder / "top.lpf").read_text()


def test_what_a_start_takes_at_most(engine: tuple[Path, EngineManifest]):
    """5 s for the 13 MiB of an 85F at 90 MHz."""
    _, manifest = engine
    large = replace(manifest, board="ulx3s-85f", clock_hz=90e6, flash_at=3 << 20)
    assert large.start_s == pytest.approx(13 * 2**20 / 4 * 129 / 90e6)
    assert 4.8 < large.start_s < 5


def test_refuses_a_design_without_the_pins():
    flash = flatten(convert_component(FlashAtPads(clock_hz=CLOCK_HZ, begin=0)))
    with pytest.raises(SimulationError, match=r"^the design has no pins \['boot_flash_0__cipo__io', .*\], where its"):
        join_flash(flash, flash, resource="boot_flash_0", clock="sck")
