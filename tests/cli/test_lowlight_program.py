"""Low-light networks as programs for an engine: built, verified, and pictures with their bits."""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from bnnhw.api.builds.program import BuiltProgram
from bnnhw.boards.board import get_board
from bnnhw.boards.engines.build import cached_engine
from bnnhw.boards.engines.manifest import EngineManifest
from bnnhw.boards.engines.program_folder import ProgramManifest
from bnnhw.boards.engines.sizes import sizes_for
from bnnhw.compiler import integerize
from bnnhw.compiler.engine.program import EngineProgram
from bnnhw.compiler.kernel.packed_kernel import PackedKernel
from bnnhw.lowlight.network.file import save_network
from bnnhw.lowlight.network.unet import AbcLsidShape
from tests.lowlight.dng import write_dng
from tests.lowlight.network.test_deployed import mosaics, trained

from .stock import model_bytes
from .test_lowlight_hardware import run, write_build

BOARD = get_board("ulx3s-85f")
TABLES = {"taps": 1024, "parameters": 512, "instructions": 1024, "results": 512, "transfers": 1024}
SMALL = {"pixels": 4, "rows": 16, "simd": 32, "map_words": 1024, "weight_words": 256, "values": 512, **TABLES}
SHAPE = AbcLsidShape(width=2, levels=2, weight_bases=1, activation_bases=1)
TILE = 8
"""Its windows have 8 + 2 * 12 packed pixels along each side."""


@pytest.fixture(autouse=True)
def small_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines of 2,048 products a cycle, with values, and no engine in the cache."""
    monkeypatch.setattr("bnnhw.boards.engines.sizes._SIZES", (SMALL,))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network, its program and its core's build, another network, a dark photo of more windows than run at once, one
    of a window, and a model of digits."""
    folder = tmp_path_factory.mktemp("made")
    some = mosaics(2, 32, seed=5).astype(np.uint16)
    network = trained(SHAPE)
    save_network(network, folder / "night.pt", meta={}, mosaics=some)
    save_network(network, folder / "other.pt", meta={"other": 1}, mosaics=some)
    write_build(folder / "core", folder / "night.pt", tile=TILE)
    (folder / "digits.pt").write_bytes(model_bytes(8))
    for name, (height, width) in {"dark": (66, 120), "small": (60, 62)}.items():
        rows, columns = np.indices((height, width))
        light = (np.sin(rows / 9) * np.cos(columns / 7) + 1.1) * 50
        write_dng(folder / f"{name}.dng", light.astype(np.uint16), pattern="GRBG")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bnnhw.boards.engines.sizes._SIZES", (SMALL,))
        patch.setenv("BNNHW_CACHE", str(folder / "cache"))
        run(f"build --engine --board {BOARD.name} night.pt --tile {TILE} -o program", folder, patch)
    return folder


def test_tells_what_its_tiles_take(
    made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Windows of 32 give 20 packed pixels at a border and 8 between: 185 by 247 for 1504 by 2000, in whole runs."""
    monkeypatch.setenv("BNNHW_CACHE", str(made / "cache"))
    run(f"build --engine --board {BOARD.name} night.pt --tile {TILE} -o again", made, monkeypatch)
    manifest = ProgramManifest.read(made / "again")
    assert manifest == ProgramManifest.read(made / "program")
    assert manifest.tile == TILE
    seconds = -(-185 * 247 // manifest.frames) * manifest.cycles / manifest.clock_hz
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"again: windows of 32x32 give tiles of 8x8 packed pixels: {manifest.frames_per_second:.3g} tiles/s, a photo "
        f"of 12 megapixels in {seconds:.3g} s, without the link"
    )


def test_a_program_is_verified_like_any(
    made: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    run("verify night.pt --build program --through packed --samples 2", made, monkeypatch)
    assert re.findall(r"= ([a-z ]+?) +2 images +equal", capfd.readouterr().out) == [
        "trained graph", "integer graph", "packed kernel",
    ]  # fmt: skip


def test_a_picture_has_the_bits_of_the_core(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("enhance night.pt dark.dng -o core.png --ratio 50 --bits 16 --packed core -q", made, monkeypatch)
    run("enhance night.pt dark.dng -o packed.png --ratio 50 --bits 16 --packed program -q", made, monkeypatch)
    assert (made / "packed.png").read_bytes() == (made / "core.png").read_bytes()


@pytest.mark.slow
def test_the_simulated_engine_gives_the_picture_of_the_packed_kernel(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("enhance night.pt small.dng -o packed.png --ratio 50 --bits 16 --packed program -q", made, monkeypatch)
    run("enhance night.pt small.dng -o rtl.png --ratio 50 --bits 16 --simulate program -q", made, monkeypatch)
    assert (made / "rtl.png").read_bytes() == (made / "packed.png").read_bytes()


class KernelBoard:
    """An EngineBoard whose engine is the packed kernel; `batches` are the windows that it was given at a time."""

    batches: ClassVar[list[int]] = []
    kernel: ClassVar[PackedKernel]

    def __init__(
        self, program: EngineProgram, engine: EngineManifest, *, port: str | None, address: str | None, timeout_s: float
    ):
        asked = (program.shape.identity, port, address, timeout_s)
        assert asked == (engine.shape.identity, "/dev/tty0", None, 5.0)
        self.frames = program.frames

    def __enter__(self) -> "KernelBoard":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def answers(self, images: np.ndarray) -> Iterator[tuple[Any, int]]:
        self.batches.append(len(images))
        left = iter(images)
        while batch := list(islice(left, self.frames)):
            yield from ((picture, 1) for picture in np.asarray(self.kernel(np.stack(batch))))


def test_a_board_gets_the_windows_of_a_run_at_a_time(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNNHW_CACHE", str(made / "cache with engine"))
    sizes = sizes_for(BOARD)
    folder = cached_engine(BOARD, sizes)
    folder.mkdir(parents=True)
    engine = EngineManifest(
        board=BOARD.name, sizes=sizes, clock_hz=90e6, fmax_hz=None, baud=3_000_000, seed=1, versions={}
    )
    engine.write(folder)
    built = BuiltProgram.read(made / "program", model=made / "night.pt")
    KernelBoard.kernel = PackedKernel(integerize(built.graph), threads=1)
    monkeypatch.setattr("bnnhw.api.builds.hardware.EngineBoard", KernelBoard)
    line = "enhance night.pt dark.dng -o board.png --ratio 50 --on-board program --port /dev/tty0 --timeout 5 -q"
    run(line, made, monkeypatch)
    run("enhance night.pt dark.dng -o packed8.png --ratio 50 --packed program -q", made, monkeypatch)
    assert (made / "board.png").read_bytes() == (made / "packed8.png").read_bytes()
    whole, rest = divmod(10, built.program.frames)
    assert KernelBoard.batches == [built.program.frames] * whole + [rest] * (rest > 0)
    assert len(KernelBoard.batches) > 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("build --engine digits.pt --tile 64 -o new", "tile=64 is for networks of bnnhw lowlight train; digits.pt .*"),
        ("build --engine night.pt --tile 9 -o new", "tile=9 must be a multiple of 2, and at least 2"),
        ("verify other.pt --build program", "the program was built from another model than other.pt; name that .*"),
        ("enhance other.pt dark.dng -o x.png --packed program", "the program was built from another model than .*"),
        ("enhance other.pt dark.dng -o x.png --simulate program", "the program was built from another model than .*"),
        (
            "enhance night.pt dark.dng -o x.png --on-board program --port /dev/null",
            "no engine was made for ulx3s-85f yet; `bnnhw engine` makes it, once",
        ),
    ],
)
def test_says_what_is_wrong(
    made: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], line: str, message: str
) -> None:
    monkeypatch.setenv("BNNHW_CACHE", str(made / "cache"))
    run(line, made, monkeypatch, code=2)
    err = capfd.readouterr().err
    assert re.fullmatch(message, err.removeprefix("bnnhw: error: ").rstrip("\n")), err
    assert not (made / "new").exists()
    assert not (made / "x.png").exists()
