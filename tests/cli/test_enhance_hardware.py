"""bnnhw enhance by the built core, simulated, and by a board: the picture of the packed kernel, bit for bit."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import bnnhw
from bnnhw.api.builds.built import Build
from bnnhw.api.builds.built_core import BuiltCore
from bnnhw.api.builds.plan import PlanOptions
from bnnhw.api.builds.source import model_file
from bnnhw.boards.manifest import Manifest
from bnnhw.cli import main
from bnnhw.compiler import integerize, load
from bnnhw.compiler.dataflow.packing import pack_image, unpack_image
from bnnhw.compiler.kernel.packed_kernel import PackedKernel
from bnnhw.hw.protocol import Info
from bnnhw.lowlight.network.deployed import INPUT_RANGE
from bnnhw.lowlight.network.file import save_network
from bnnhw.lowlight.network.unet import AbcLsidShape
from tests.boards.host.fake_board import FakeBoard
from tests.boards.host.udp_board import UdpBoard
from tests.core_rtl import folded
from tests.lowlight.dng import write_dng
from tests.lowlight.network.test_deployed import mosaics, trained

TILE = 8
SHAPE = AbcLsidShape(width=1, levels=2, weight_bases=1, activation_bases=1)
"""Its windows have 8 + 2 * 12 packed pixels along each side."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of two levels and its build up to the RTL; another network; a dark photo of four windows."""
    folder = tmp_path_factory.mktemp("made")
    some = mosaics(2, 32, seed=5).astype(np.uint16)
    network = trained(SHAPE)
    save_network(network, folder / "night.pt", meta={}, mosaics=some)
    save_network(network, folder / "other.pt", meta={"other": 1}, mosaics=some)
    with model_file(folder / "night.pt", tile=TILE) as path:
        schedule = folded(integerize(load(path), output="scores"), most=12, hardwired=False)
    (folder / "fast.json").write_text(schedule.plan.to_json())
    plan = PlanOptions(folding=folder / "fast.json", clock_mhz=50, outputs="scores", tile=TILE)
    bnnhw.build(folder / "night.pt", folder / "build", plan=plan, stop_after="rtl")
    rows, columns = np.indices((66, 72))
    light = (np.sin(rows / 9) * np.cos(columns / 7) + 1.1) * 50
    write_dng(folder / "dark.dng", light.astype(np.uint16), pattern="GRBG")
    return folder


def run(line: str, folder: Path, monkeypatch: pytest.MonkeyPatch, *, code: int = 0) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(SystemExit) as ended:
        main(line.split())
    assert ended.value.code == code


def test_the_simulated_core_gives_the_picture_of_the_packed_kernel(
    made: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    run("enhance night.pt dark.dng -o packed.png --ratio 50 --bits 16 --packed build -q", made, monkeypatch)
    run("enhance night.pt dark.dng -o rtl.png --ratio 50 --bits 16 --simulate build", made, monkeypatch)
    assert (made / "rtl.png").read_bytes() == (made / "packed.png").read_bytes()
    assert "rtl.png: 72x66, 50 times as bright, " in capfd.readouterr().out


def test_a_board_gives_the_picture_of_the_packed_kernel(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the host driver, a board behind a pseudo-terminal that computes by the packed kernel."""
    manifest = Manifest.read(made / "build")
    with model_file(made / "night.pt", tile=TILE) as path:
        kernel = PackedKernel(integerize(load(path), output="scores"), threads=1)
    (output,) = manifest.outputs
    seen: list[int] = []

    def network(image: bytes) -> bytes:
        codes = unpack_image(image, width=manifest.input_width, elements=32 * 32 * 4)
        (picture,) = np.asarray(kernel(codes.reshape(1, *manifest.input_shape)))
        seen.append(len(image))
        elements = (picture - np.array(output.offsets)) // output.scale
        return pack_image(elements.reshape(1, -1), width=manifest.output_width)

    info = Info(
        network_id=bytes.fromhex(manifest.network_id),
        input_bytes=manifest.input_bytes,
        output_bytes=manifest.output_bytes,
        clock_hz=round(manifest.clock_hz),
        window=2,
        input_chunk=1024,
        output_chunk=1024,
    )
    with FakeBoard(info, network) as board:
        line = f"enhance night.pt dark.dng -o board.png --ratio 50 --on-board build --port {board.port} --timeout 30 -q"
        run(line, made, monkeypatch)
    with UdpBoard(info, network) as board:
        line = "enhance night.pt dark.dng -o udp.png --ratio 50 --on-board build --timeout 30 -q"
        run(f"{line} --address {board.address}", made, monkeypatch)
        run(f"{line} --address {board.address} --port /dev/ttyUSB0", made, monkeypatch, code=2)
    run("enhance night.pt dark.dng -o packed8.png --ratio 50 --packed build -q", made, monkeypatch)
    assert seen == [manifest.input_bytes] * 8
    assert (made / "board.png").read_bytes() == (made / "packed8.png").read_bytes()
    assert (made / "udp.png").read_bytes() == (made / "packed8.png").read_bytes()


def test_the_built_core_gives_the_integer_graphs_answers(made: Path) -> None:
    """The least and the greatest numbers, too."""
    images = mosaics(3, 32, seed=11)
    images[0], images[1, ::2] = INPUT_RANGE
    with model_file(made / "night.pt", tile=TILE) as path:
        expected = PackedKernel(integerize(load(path), output="scores"), threads=1)(images)
    core = BuiltCore(Build.read(made / "build", model=made / "night.pt"))
    parts: list[float] = []
    answers = core.answers(images, on_progress=parts.append)
    np.testing.assert_array_equal([picture for (picture,) in answers], expected)
    assert parts == sorted(parts)
    assert parts[-1] == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--simulate build", "build was built from another model than other.pt: .*"),
        ("--on-board build", "build was built from another model than other.pt: .*"),
        ("--simulate nothing", ".*nothing is no build: it has no manifest.json.*"),
        ("--simulate build --tile 8", "tile=8 and build exclude each other; a build has its own"),
    ],
)
def test_says_what_is_wrong(
    made: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], line: str, message: str
) -> None:
    run(f"enhance other.pt dark.dng -o x.png {line}", made, monkeypatch, code=2)
    err = capfd.readouterr().err
    assert re.search(message, err), err
    assert not (made / "x.png").exists()


@pytest.mark.parametrize(
    ("design", "message"),
    [
        (None, "bad is no whole build: it has no top.il; build it again"),
        ("module \\top\n  wire", "bad/top.il cannot be simulated: yosys: .*; build it again"),
    ],
)
def test_designs_that_cannot_be_simulated(
    made: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], design: str | None, message: str
) -> None:
    shutil.rmtree(made / "bad", ignore_errors=True)
    shutil.copytree(made / "build", made / "bad")
    (made / "bad" / "top.il").unlink()
    if design is not None:
        (made / "bad" / "top.il").write_text(design)
    run("enhance night.pt dark.dng -o x.png --simulate bad", made, monkeypatch, code=2)
    assert re.search(message, capfd.readouterr().err)
