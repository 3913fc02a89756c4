"""Boards that speak the link's language and say what cannot be, and lines that fall into nonsense."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bnnhw.cli import main
from bnnhw.hw.protocol import Info
from tests.boards.host.fake_board import FakeBoard

from .case import Case, run_case


def stock_info(workplace: Path, **changes: Any) -> Info:
    """What the board of the stock's build says about itself."""
    id_text = json.loads((workplace / "build" / "manifest.json").read_text())["network_id"]
    sound = Info(
        window=4,
        input_chunk=8,
        output_chunk=1,
        input_bytes=8,
        output_bytes=1,
        clock_hz=100_000_000,
        network_id=bytes.fromhex(id_text),
    )
    return replace(sound, **changes)


@pytest.mark.parametrize(
    ("label", "changes", "message"),
    [
        (10, {}, "answers image 0 with label 10, where this build has 10 classes, from 0 on; flash this build again"),
        (15, {}, "answers image 0 with label 15, where this build has 10 classes, from 0 on; .*"),
        (3, {"input_bytes": 40}, "says input_bytes=40, where this build has 8; flash this build, or name the build .*"),
        (3, {"output_bytes": 10}, "says output_bytes=10, where this build has 1; .*"),
        (3, {"clock_hz": 1}, "says clock_hz=1, where this build has 100000000; .*"),
    ],
)
def test_believes_no_board_that_contradicts_its_build(
    label: int, changes: dict[str, int], message: str, workplace: Path, capfd: pytest.CaptureFixture[str]
):
    with FakeBoard(stock_info(workplace, **changes), lambda _: bytes([label])) as board:
        line = f"run build digit.png --port {board.port}"
        run_case(Case("", line, f"the board at {board.port} {message}"), workplace, capfd)


@pytest.mark.parametrize("as_json", [False, True], ids=["text", "JSON"])
def test_prints_what_was_answered_before_the_line_talked_nonsense(
    as_json: bool, workplace: Path, capfd: pytest.CaptureFixture[str]
):
    nonsense = lambda number, wire: wire if number < 3 else b"~boot~ok~" * 50  # noqa: E731
    images, options = ["digit.png"] * 6, ["--timeout", "0.1", *(["--json"] if as_json else [])]
    capfd.readouterr()
    with (
        FakeBoard(stock_info(workplace), lambda _: b"\3", damage_answer=nonsense) as board,
        pytest.raises(SystemExit) as end,
    ):
        main(["run", "build", *images, "--port", board.port, *options])
    assert end.value.code == 2
    out, err = capfd.readouterr()
    row = {"image": "digit.png", "label": "3", "cycles": 40, "seconds": 40 / 100e6}
    rows = [json.loads(line) for line in out.splitlines()] if as_json else out.splitlines()
    assert rows == 2 * [row if as_json else "digit.png: 3   (40 cycles, 0.40 us)"]
    assert re.fullmatch(
        rf"bnnhw: error: \d+ bytes came from {board.port} at 3000000 baud, but no answer to INFO; is this .*\n", err
    )
