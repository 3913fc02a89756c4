"""The board table against amaranth-boards' platforms."""

import pytest

from bnnhw.boards.board import BOARDS, Board, get_board


@pytest.mark.parametrize(
    ("name", "device", "option", "package", "speed", "clock_hz"),
    [
        ("ulx3s-12f", "LFE5U-12F", "--12k", "CABGA381", 6, 25_000_000),
        ("ulx3s-25f", "LFE5U-25F", "--25k", "CABGA381", 6, 25_000_000),
        ("ulx3s-45f", "LFE5U-45F", "--45k", "CABGA381", 6, 25_000_000),
        ("ulx3s-85f", "LFE5U-85F", "--85k", "CABGA381", 6, 25_000_000),
        ("ecpix5-45f", "LFE5UM5G-45F", "--um5g-45k", "CABGA554", 8, 100_000_000),
        ("ecpix5-85f", "LFE5UM5G-85F", "--um5g-85k", "CABGA554", 8, 100_000_000),
        ("ecp5-evn", "LFE5UM5G-85F", "--um5g-85k", "CABGA381", 8, 12_000_000),
        ("versa-ecp5", "LFE5UM-45F", "--um-45k", "CABGA381", 8, 100_000_000),
        ("icepi-zero", "LFE5U-25F", "--25k", "CABGA256", 6, 50_000_000),
        ("icesugar-pro", "LFE5U-25F", "--25k", "CABGA256", 6, 25_000_000),
        ("colorlight-5a-75b", "LFE5U-25F", "--25k", "CABGA256", 6, 25_000_000),
        ("icebreaker", "iCE40UP5K", "--up5k", "sg48", 0, 12_000_000),
    ],
)
def test_describes_the_board(name: str, device: str, option: str, package: str, speed: int, clock_hz: int):
    board = get_board(name)
    assert board.device.name == device
    assert (board.package, board.speed, board.clock_hz) == (package, speed, clock_hz)
    chip = board.target.tools.chip_options(device, package, speed)
    assert chip == (option, "--package", package, *(("--speed", str(speed)) if speed else ()))


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_has_what_a_design_needs(board: Board):
    platform = board.platform()
    platform.request(board.clock, dir="-")
    uart = platform.request("uart", 0, dir="-")
    assert len(uart.rx) == len(uart.tx) == 1
    if board.has_led:
        assert len(platform.request("led", 0, dir="-")) == 1


@pytest.mark.parametrize("name", ["ulx3s", "ULX3S", "ulx3s-85F"])
def test_ulx3s_alone_is_the_85f(name: str):
    assert get_board(name).name == "ulx3s-85f"


def test_lists_look_alikes_first():
    with pytest.raises(
        ValueError, match=r"^board='ecpix-85f' is unknown; the boards are ecpix5-85f, ecpix5-45f, .*ulx3s"
    ):
        get_board("ecpix-85f")
