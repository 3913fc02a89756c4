"""The board table against amaranth-boards' platforms."""

import pytest

from bnnhw.boards.board import BOARDS, Board, get_board
from bnnhw.boards.rgmii_pads import RGMII
from bnnhw.boards.ulpi_pads import ULPI
from bnnhw.hw.usb.descriptors import PRODUCT_ID, VENDOR_ID

DESIGN = f"{VENDOR_ID:04x}:{PRODUCT_ID:04x}"
"""What the design is on USB, at a socket of its own."""


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
        ("orangecrab-25f", "LFE5U-25F", "--25k", "CSFBGA285", 8, 48_000_000),
        ("orangecrab-85f", "LFE5U-85F", "--85k", "CSFBGA285", 8, 48_000_000),
        ("logicbone-45f", "LFE5UM5G-45F", "--um5g-45k", "CABGA381", 8, 25_000_000),
        ("logicbone-85f", "LFE5UM5G-85F", "--um5g-85k", "CABGA381", 8, 25_000_000),
        ("butterstick", "LFE5UM5G-85F", "--um5g-85k", "CABGA381", 8, 30_000_000),
        ("supercon19", "LFE5U-45F", "--45k", "CABGA381", 8, 8_000_000),
        ("versa-ecp5", "LFE5UM-45F", "--um-45k", "CABGA381", 8, 100_000_000),
        ("versa-ecp5-5g", "LFE5UM5G-45F", "--um5g-45k", "CABGA381", 8, 100_000_000),
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
    if board.uart_note is not None:
        uart = platform.request("uart", 0, dir="-")
        assert len(uart.rx) == len(uart.tx) == 1
    for known, resource in ((board.usb_note, ULPI if board.ulpi else "usb"), (board.ethernet, RGMII)):
        assert known is None or (resource, 0) in platform.resources
    assert board.uart_pins is None or board.uart_note is not None
    if board.has_led:
        assert len(platform.request("led", 0, dir="-")) == 1


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_has_a_link_by_default(board: Board):
    known = {"uart": board.uart_note, "udp": board.ethernet, "usb": board.usb_note}
    assert board.links[0] == board.default_link
    assert sorted(board.links) == sorted(medium for medium, has in known.items() if has is not None)
    assert (DESIGN in board.usb) == (board.usb_note is not None)


def test_what_a_link_is_by_default():
    """A UART, where it needs no adapter or is all that there is."""
    others = {name: board.default_link for name, board in BOARDS.items() if board.default_link != "uart"}
    orangecrab, logicbone = {"orangecrab-25f": "usb", "orangecrab-85f": "usb"}, {"logicbone-45f": "usb"}
    assert others == orangecrab | logicbone | {"logicbone-85f": "usb", "butterstick": "udp", "supercon19": "usb"}


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_a_bootloader_has_no_room_for_programs(board: Board):
    assert board.bootloader is None or board.flash is None
    assert (board.bootloader is not None) == any("dfu-util" in command for command in board.flash_commands)


@pytest.mark.parametrize(
    ("name", "full"),
    [
        *(("ulx3s", "ulx3s-85f"), ("ULX3S", "ulx3s-85f"), ("ulx3s-85F", "ulx3s-85f")),
        *(("orangecrab", "orangecrab-25f"), ("OrangeCrab-85F", "orangecrab-85f")),
    ],
)
def test_a_family_alone_is_one_of_it(name: str, full: str):
    assert get_board(name).name == full


def test_lists_look_alikes_first():
    with pytest.raises(
        ValueError, match=r"^board='ecpix-85f' is unknown; the boards are ecpix5-85f, ecpix5-45f, .*ulx3s"
    ):
        get_board("ecpix-85f")
