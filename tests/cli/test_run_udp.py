"""bnnhw run with boards behind UDP, real ones and the virtual one, and how fast it says that they are."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from bnnhw.boards.manifest import Manifest
from bnnhw.cli import main
from tests.boards.host.udp_board import UdpBoard, board_info
from tests.sim.board.small_builds import IMAGES, expected_answers, write_build

LINE = ("run", "build", "digit.png")
RATES = (
    r"(.*) images in \d+\.\d\d s, [\d,.]+ images/s, [\d.e-]+ MB/s of images; "
    r"latency p50 \d+\.\d\d ms, p90 \d+\.\d\d ms, p99 \d+\.\d\d ms, max \d+\.\d\d ms; (.*) sent again\n"
)


def run(*arguments: str, code: int = 0) -> None:
    with pytest.raises(SystemExit) as end:
        main([*arguments])
    assert end.value.code == code


def board(*, dies_after: float = float("inf")) -> UdpBoard:
    """One of the stock's build that says 3."""
    return UdpBoard(board_info(Manifest.read(Path("build"))), lambda image: b"\3", dies_after=dies_after)


def test_prints_what_a_board_says(workplace: Path, capfd: pytest.CaptureFixture[str]):
    with board() as made:
        run(*LINE, "--address", made.address)
    assert capfd.readouterr().out == "digit.png: 3   (40 cycles, 0.40 us)\n"


def test_boards_share_the_images_and_one_that_fails_is_told_of(workplace: Path, capfd: pytest.CaptureFixture[str]):
    with board() as first, board(dies_after=20) as second:
        run(*LINE, "--address", first.address, "--address", second.address, "--repeat", "2000")
    printed = capfd.readouterr()
    found = re.fullmatch(RATES, printed.out)
    assert found, printed.out
    assert found[1] == "2,000"
    assert printed.err.splitlines() == [
        f"bnnhw: warning: nothing answers at {second.address}; is the board on, and is this its address?"
    ]


def test_says_how_fast_as_json(workplace: Path, capfd: pytest.CaptureFixture[str]):
    with board() as made:
        run(*LINE, "--address", made.address, "--repeat", "50", "--json")
    row = json.loads(capfd.readouterr().out)
    assert (row["images"], row["sent_again"]) == (50, 0)
    assert row["images_per_second"] == pytest.approx(50 / row["seconds"])
    assert row["megabytes_per_second"] == pytest.approx(row["images_per_second"] * 8 / 1e6)
    latencies = list(row["latency_s"].values())
    assert latencies == sorted(latencies)


def test_names_a_board_of_another_build(workplace: Path, capfd: pytest.CaptureFixture[str]):
    with board() as made:
        manifest = Path("build/manifest.json")
        values = json.loads(manifest.read_text())
        manifest.write_text(json.dumps(values | {"network_id": "0" * 16}))
        run(*LINE, "--address", made.address, code=2)
    error = capfd.readouterr().err
    assert error.startswith(f"bnnhw: error: the board at {made.address} holds the network ")
    assert error.count("\n") == 1


def test_simulates_a_board_behind_udp(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    schedule = write_build(tmp_path)
    np.save(tmp_path / "image.npy", IMAGES[0])
    run("run", str(tmp_path), str(tmp_path / "image.npy"), "--simulate", "--link", "udp", "--json")
    row = json.loads(capfd.readouterr().out)
    assert (row["label"], row["cycles"]) == ("abcde"[expected_answers(schedule)[0]], schedule.timing.latency)
