"""Low-light networks in hardware: builds of tiles, and pictures with their bits."""

import hashlib
import re
import shutil
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bnnhw.api.builds.source import model_file
from bnnhw.boards.link_choice import LinkChoice
from bnnhw.boards.manifest import describe_build
from bnnhw.cli import main
from bnnhw.compiler import integerize, load
from bnnhw.lowlight.enhance import by_integers, enhance, pictures_of
from bnnhw.lowlight.network.deployed import calibrated
from bnnhw.lowlight.network.file import load_network, save_network
from bnnhw.lowlight.network.unet import AbcLsidShape
from bnnhw.lowlight.raw import load_raw
from tests.core_rtl import folded
from tests.lowlight.dng import write_dng
from tests.lowlight.network.test_deployed import mosaics, trained
from tests.lowlight.network.test_unet import network

from .stock import model_bytes

REPORT = Path(__file__).parents[1] / "compiler" / "report" / "report_0_1.json"
TILE = 16


def write_build(folder: Path, model: Path, *, tile: int = TILE) -> None:
    """The build of `model` for such tiles, as far as the packed kernel needs it."""
    with model_file(model, tile=tile) as path:
        schedule = folded(integerize(load(path)), most=4, hardwired=False)
    manifest = describe_build(
        schedule,
        classes=(),
        link=LinkChoice(baud=3_000_000),
        clock_hz=1e8,
        model_sha256=hashlib.sha256(model.read_bytes()).hexdigest(),
        board="ulx3s-85f",
        seed=1,
        versions={},
    )
    folder.mkdir()
    (folder / "manifest.json").write_text(manifest.to_json())
    (folder / "folding.json").write_text(schedule.plan.to_json())
    shutil.copy(REPORT, folder / "report.json")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A low-light network and its build, another network, a dark photo of 84x72 pixels, and a model of digits."""
    folder = tmp_path_factory.mktemp("made")
    mosaics = np.random.default_rng(0).integers(0, 4096, (2, 32, 32, 4)).astype(np.uint16)
    save_network(network(1, 1, width=1), folder / "night.pt", meta={}, mosaics=mosaics)
    save_network(network(1, 1, width=2), folder / "other.pt", meta={}, mosaics=mosaics)
    save_network(network(1, 1, width=1), folder / "old.pt", meta={})
    rows, columns = np.indices((72, 84))
    light = (np.sin(rows / 9) * np.cos(columns / 7) + 1.1) * 50
    write_dng(folder / "dark.dng", light.astype(np.uint16), pattern="RGGB")
    (folder / "digits.pt").write_bytes(model_bytes(8))
    write_build(folder / "build", folder / "night.pt")
    return folder


def run(line: str, folder: Path, monkeypatch: pytest.MonkeyPatch, *, code: int = 0) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(SystemExit) as ended:
        main(line.split())
    assert ended.value.code == code


def test_a_picture_has_the_bits_of_hardware(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the network in fixed point on the whole photo, here smaller than a window, mirrored."""
    run("enhance night.pt dark.dng -o packed.png --ratio 50 --packed build -q", made, monkeypatch)
    net, _, mosaics = load_network(made / "night.pt")
    assert mosaics is not None
    mosaic = load_raw(made / "dark.dng").mosaic
    missing = [(0, 208 - length // 2) for length in mosaic.shape]
    whole = np.empty((416, 416), np.float32)
    for y, x in product((0, 1), repeat=2):
        whole[y::2, x::2] = np.pad(mosaic[y::2, x::2], missing, "reflect")
    expected = enhance(by_integers(pictures_of(calibrated(net, mosaics))), whole, ratio=50)[:72, :84]
    shown = np.asarray(Image.open(made / "packed.png"))
    np.testing.assert_array_equal(shown, np.rint(expected * 255).astype(np.uint8))


X_TRANS = AbcLsidShape(width=1, levels=2, weight_bases=1, activation_bases=1, mosaic="xtrans")
COLOURS = ("RBGBRG", "GGRGGB", "GGBGGR", "BRGRBG", "GGBGGR", "GGRGGB")
CHANNELS = np.array([[0, 2, 1, 5, 8, 3, 4, 6, 7], [1, 2, 0, 8, 5, 3, 4, 6, 7]])
"""Pixels of both kinds of 3x3 blocks in the order in which See-in-the-Dark's code packs them."""


def test_windows_of_x_trans_have_the_bits_of_hardware(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the network in fixed point on the whole photo, its filter brought to its beginning and packed by hand.
    It takes two by four windows of 32x32 blocks."""
    some = mosaics(2, 32, seed=5, channels=9).astype(np.uint16)
    made = trained(X_TRANS)
    save_network(made, tmp_path / "fuji.pt", meta={}, mosaics=some)
    write_build(tmp_path / "build", tmp_path / "fuji.pt", tile=8)
    light = np.random.default_rng(3).integers(0, 330, (117, 160))
    pattern = "".join(COLOURS[(row + 1) % 6][(column + 2) % 6] for row, column in product(range(6), repeat=2))
    write_dng(tmp_path / "dark.dng", light.astype(np.uint16), pattern=pattern)
    run("enhance fuji.pt dark.dng -o packed.png --ratio 50 --packed build -q", tmp_path, monkeypatch)

    rows, columns = np.arange(-1, 119), np.arange(-2, 160)
    whole = light[np.ix_(rows + 6 * (rows < 0) - 6 * (rows >= 117), columns + 6 * (columns < 0))]
    blocks = whole.reshape(40, 3, 54, 3).swapaxes(1, 2).reshape(40, 54, 9)
    packed = np.take_along_axis(blocks, CHANNELS[np.indices((40, 54)).sum(0) % 2], axis=2)
    bright = np.clip(packed.astype(np.float32) / np.float32(16383) * np.float32(50), 0, 1)
    (expected,) = pictures_of(calibrated(made, some))(np.rint(bright[None] * np.float32(4095)).astype(np.int64))
    shown = np.asarray(Image.open(tmp_path / "packed.png"))
    np.testing.assert_array_equal(shown, np.rint(expected.clip(0, 1)[1:118, 2:] * 255).astype(np.uint8))
    assert shown.std() > 10


def test_a_tile_is_verified_like_any_model(
    made: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    run(f"verify night.pt --tile {TILE} --through packed --samples 1", made, monkeypatch)
    assert re.findall(r"= ([a-z ]+?) +1 images +equal", capfd.readouterr().out) == [
        "trained graph", "integer graph", "packed kernel",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("build digits.pt --tile 64 -o new", "tile=64 is for networks of bnnhw lowlight train; digits.pt is none, .*"),
        ("build night.pt --tile 24 -o new", "tile=24 must be a multiple of 16, and at least 16"),
        (
            "build old.pt --tile 16 -o new",
            "the network's file holds no mosaics .*; train it again .*",
        ),
        ("enhance night.pt dark.dng -o x.png --port /dev/null", "through, port and address are of a build; name it"),
        ("enhance night.pt dark.dng -o x.png --packed build --tile 32", "tile=32 and build exclude each other; .*"),
        ("enhance night.pt dark.dng -o x.png --packed build --simulate build", "--packed, --simulate .* exclude .*"),
        ("enhance other.pt dark.dng -o x.png --packed build", "build was built from another model than other.pt: .*"),
        ("enhance night.pt dark.dng -o x.png --packed empty", ".*empty.*"),
    ],
)
def test_says_what_is_wrong(
    made: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], line: str, message: str
) -> None:
    run(line, made, monkeypatch, code=2)
    err = capfd.readouterr().err
    assert re.fullmatch(message, err.removeprefix("bnnhw: error: ").rstrip("\n")), err
    assert not (made / "new").exists()
    assert not (made / "x.png").exists()
