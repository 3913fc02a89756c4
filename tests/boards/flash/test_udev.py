import re
from dataclasses import replace

import pytest
from click.testing import CliRunner

from bnnhw.boards.board import BOARDS, get_board
from bnnhw.boards.flash.udev import udev_rules
from bnnhw.cli.flash import command


@pytest.mark.parametrize("board", BOARDS.values(), ids=lambda board: board.name)
def test_every_board_has_its_rule(board) -> None:
    rules = udev_rules(BOARDS.values()).splitlines()
    assert board.usb
    for device in board.usb:
        assert re.fullmatch("[0-9a-f]{4}:[0-9a-f]{4}", device)
        vendor, product = device.split(":")
        ids = f'ATTRS{{idVendor}}=="{vendor}", ATTRS{{idProduct}}=="{product}"'
        first = rules.index(f'SUBSYSTEM=="usb|hidraw", {ids}, MODE="0660", GROUP="plugdev", TAG+="uaccess"')
        assert board.name in rules[first - 1]
        assert rules[first + 1] == f'SUBSYSTEM=="tty", {ids}, TAG+="uaccess"'


def test_one_device_one_rule() -> None:
    rules = udev_rules(BOARDS.values())
    assert rules.count("0403") == 2 * 3
    other = replace(get_board("ulx3s"), name="new", usb=("1209:5bf0",))
    assert '# new\nSUBSYSTEM=="usb|hidraw", ATTRS{idVendor}=="1209"' in udev_rules([other])


def test_it_says_how_it_is_installed() -> None:
    result = CliRunner().invoke(command, ["--udev"])
    assert (result.exit_code, result.output) == (0, udev_rules(BOARDS.values()))
    for line in result.output.splitlines():
        assert line.startswith(("#", "SUBSYSTEM==")) or not line
    assert "#   bnnhw flash --udev | sudo tee /etc/udev/rules.d/70-bnnhw.rules\n" in result.output
    assert "#   sudo udevadm control --reload\n" in result.output
