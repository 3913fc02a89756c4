"""Programs side by side on the virtual board, and what no one board holds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import bnnhw
from bnnhw.api.builds.opened import BuiltNetwork, built_network, check_side_by_side, opened
from bnnhw.api.builds.program import BuiltProgram
from bnnhw.boards.manifest import Manifest
from bnnhw.compiler import evaluate, integerize, load
from bnnhw.compiler.engine.program import EngineProgram
from bnnhw.hw.engine.engine_shape import NOTED_WORDS, WORD
from bnnhw.sim.board.read_build import LinkKind
from bnnhw.sim.memory.engine_with_chip import words_for
from tests.cli.stock import model_bytes, write_stock

BOARD = "ulx3s-12f"
TABLES = {"taps": 1024, "parameters": 512, "instructions": 1024, "results": 512}
SMALL = ({"pixels": 4, "rows": 8, "simd": 32, "map_words": 1024, "weight_words": 64, **TABLES},)
HIDDEN = {"one": (130, 100), "two": (100, 130), "small": (8,), "other": (9,)}
"""Of four networks; the engine has no room for the weights of the first two."""
CLOCK_MHZ = 12.5
"""Low, so that a bit on the link is few cycles."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs of them, by their names, and the stock's build."""
    folder = tmp_path_factory.mktemp("programs")
    write_stock(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bnnhw.boards.engines.sizes._SIZES", SMALL)
        patch.setattr("bnnhw.api.engine.ENGINE_CLOCK_MHZ", CLOCK_MHZ)
        for name, widths in HIDDEN.items():
            (folder / f"{name}.pt").write_bytes(model_bytes(*widths))
            bnnhw.build_program(folder / f"{name}.pt", folder / name, board=BOARD)
    return folder


def check_turns(folder: Path, turns: tuple[str, ...], *, samples: int, link: LinkKind = "uart") -> None:
    """Each network in its turn answers as its integer graph does."""
    networks = {name: built_network(folder / name) for name in dict.fromkeys(turns)}
    check_side_by_side(list(networks.values()))
    graphs = {name: integerize(load(folder / f"{name}.pt"), output="label") for name in networks}
    rng = np.random.default_rng(1)
    with opened(list(networks.values()), simulate=True, link=link) as board:
        for name in turns:
            images = rng.integers(0, 17, (samples, 8, 8, 1))
            (wanted,) = evaluate(graphs[name], {graphs[name].inputs[0].name: images}).values()
            network = networks[name]
            answers = list(board.answers(network, network.images_of(images)))
            assert [answer.index for answer in answers] == wanted.tolist()
            assert {answer.cycles for answer in answers} == {program_of(network).cycles}


def program_of(network: BuiltNetwork) -> EngineProgram:
    assert isinstance(network.made, BuiltProgram)
    return network.made.program


@pytest.mark.parametrize("link", ["uart", pytest.param("udp", marks=pytest.mark.slow)])
def test_programs_take_turns(link: LinkKind, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BNNHW_CACHE", str(tmp_path))
    check_turns(folder, ("small", "other", "small"), samples=5, link=link)


@pytest.mark.slow
def test_programs_lie_side_by_side(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In the simulated part of the external memory, which has room for both."""
    monkeypatch.setenv("BNNHW_CACHE", str(tmp_path))
    programs = [program_of(built_network(folder / name)) for name in ("one", "two")]
    assert all(program.external_words for program in programs)
    check_turns(folder, ("one", "two", "one"), samples=2)


def test_the_memory_that_is_simulated_holds_all_programs(folder: Path) -> None:
    one, two = (program_of(built_network(folder / name)) for name in ("one", "two"))
    assert one.shape.external is not None
    bits = (NOTED_WORDS + one.external_words + two.external_words) * WORD
    assert words_for(one, two) * one.shape.external.width >= bits > words_for(one) * one.shape.external.width


def test_a_program_runs_on_one_board(folder: Path) -> None:
    with (
        pytest.raises(ValueError, match=r"small is a program, which runs on one board; name one address$"),
        opened([built_network(folder / "small")], addresses=["a:1", "b:1"]),
    ):
        pass


def test_what_one_board_cannot_hold_is_refused(folder: Path) -> None:
    build, small = built_network(folder / "build"), built_network(folder / "small")
    assert isinstance(build.made, Manifest)
    assert isinstance(small.made, BuiltProgram)
    check_side_by_side([build])
    for networks in ([build, small], [small, build], [build, build]):
        with pytest.raises(ValueError, match=r"build fills the board alone; only programs of one engine run side by"):
            check_side_by_side(networks)
    sizes = replace(small.made.manifest.sizes, taps=512)
    made = replace(small.made, manifest=replace(small.made.manifest, sizes=sizes))
    with pytest.raises(ValueError, match=r"^.*small and .*small are programs for two engines; build them for one and"):
        check_side_by_side([small, replace(small, made=made)])
