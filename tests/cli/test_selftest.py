"""bnnhw selftest: a board that is right, one that is not, and builds that cannot be tested."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from bnnhw.boards.manifest import Manifest
from bnnhw.cli import main
from tests.boards.host.udp_board import UdpBoard, board_info


@pytest.fixture(scope="module")
def built(stock: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build of the stock's model, without its bitstream."""
    folder = tmp_path_factory.mktemp("built") / "digits"
    with pytest.raises(SystemExit) as ended:
        main(["build", str(stock / "model.pt"), "-o", str(folder), "--stop-after", "rtl", "--quiet"])
    assert ended.value.code == 0
    return folder


def run(*arguments: str, code: int) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["selftest", *arguments])
    assert ended.value.code == code


def test_a_board_that_is_right(built: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    run("--simulate", str(built), "--soak", "40", "-o", str(tmp_path / "page.md"), code=0)
    page = capfd.readouterr().out
    assert (tmp_path / "page.md").read_text() == page
    assert page.startswith("## bnnhw selftest: passed\n")
    assert f"| build | digits, network {Manifest.read(built).network_id} | |" in page
    assert re.search(r"\| images one by one \| (\d+) of \1 answers are the integer graph's \| ok \|", page)
    assert re.search(r"\| cycles of an image \| (\d+), where \1 are foretold \| ok \|", page)
    assert "| images in a stream | 40 of 40 answers are right, 0 images were sent again | ok |" in page
    assert "\n40 images in " in page


def test_a_board_that_is_wrong(built: Path, capfd: pytest.CaptureFixture[str]):
    """It says 3 whatever it sees, after 40 cycles."""
    with UdpBoard(board_info(Manifest.read(built)), lambda image: b"\3") as board:
        run(str(built), "--address", board.address, "--soak", "40", code=1)
    page = capfd.readouterr().out
    assert page.startswith("## bnnhw selftest: failed\n")
    assert len(re.findall(r"\| \*\*wrong\*\* \|", page)) == 3
    assert re.search(r"\| cycles of an image \| 40, where \d+ are foretold \|", page)


@pytest.mark.parametrize("damage", ["missing", "text", "another array"])
def test_golden_images_are_checked(damage: str, built: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    build = tmp_path / "build"
    shutil.copytree(built, build)
    golden = build / "golden.npz"
    golden.unlink()
    if damage == "text":
        golden.write_text("images")
    elif damage == "another array":
        np.savez(golden, images=np.zeros(3))
    run("--simulate", str(build), code=2)
    assert capfd.readouterr().err == f"bnnhw: error: {golden} holds no golden images; build it again\n"


def test_a_test_is_of_one_board(built: Path, capfd: pytest.CaptureFixture[str]):
    run(str(built), "--address", "127.0.0.1:1", "--address", "127.0.0.1:2", code=2)
    assert "a self-test is of one board; name one --address" in capfd.readouterr().err
