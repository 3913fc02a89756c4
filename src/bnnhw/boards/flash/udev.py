"""The udev rule that lets people use the boards without being root."""

from collections.abc import Iterable

from bnnhw.boards.board import Board

__all__ = ["RULES_FILE", "udev_rules"]

RULES_FILE = "/etc/udev/rules.d/70-bnnhw.rules"
"""Before 73-seat-late.rules, which acts on the tag uaccess."""

_HEAD = f"""\
# Lets whoever sits at this computer, and the group plugdev, load bnnhw's boards and talk to them.
# To install it:
#   bnnhw flash --udev | sudo tee {RULES_FILE}
#   sudo udevadm control --reload
#   sudo udevadm trigger
# Then unplug the board, and plug it in again. Who comes by ssh must be in the group, and log in anew:
#   sudo usermod -aG plugdev $USER
"""


def udev_rules(boards: Iterable[Board]) -> str:
    """The text of RULES_FILE for `boards`: their loaders, as USB or HID devices, and their serial ports."""
    names: dict[str, list[str]] = {}
    for board in boards:
        for device in board.usb:
            names.setdefault(device, []).append(board.name)
    return "\n".join([_HEAD, *(_rule(device, names[device]) for device in sorted(names))])


def _rule(device: str, names: list[str]) -> str:
    vendor, product = device.split(":")
    of_device = f'ATTRS{{idVendor}}=="{vendor}", ATTRS{{idProduct}}=="{product}"'
    return (
        f"# {', '.join(names)}\n"
        f'SUBSYSTEM=="usb|hidraw", {of_device}, MODE="0660", GROUP="plugdev", TAG+="uaccess"\n'
        f'SUBSYSTEM=="tty", {of_device}, TAG+="uaccess"\n'
    )
