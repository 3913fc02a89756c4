"""What went wrong, and what to do, by what a loader says: openFPGALoader, fujprog, ecpprog, icesprog, iceprog and
dfu-util."""

import re

from bnnhw.boards.board import BOARDS, Board
from bnnhw.hw.targets import DEVICES

__all__ = ["did_not_start", "explain"]

_FAULTS = {
    r"ftdi device: -4\b|libusb_error_access|check permissions|insufficient permissions"
    r"|permission denied|operation not permitted|access denied": (
        "may not use the {board}: you have no right to its USB device; `bnnhw flash --udev` prints the udev rule that "
        "gives it, and how to install it"
    ),
    r"ftdi device: -5\b|libusb_error_busy|resource busy|unable to claim|not claim interface": (
        "cannot have the {board}: another program holds it; close serial terminals and other loaders"
    ),
    r"ftdi device: -(?:6|7)\b|failed to reset|reset error|libusb_error_(?:io|pipe|timeout)|usb bulk"
    r"|low level ftdi init failed": (
        "gets no sense out of the {board}'s USB, whose reset failed; unplug it and plug it in again, without a hub, or "
        "with another cable"
    ),
    r"ftdi device: -3\b|device not found|libusb_error_(?:no_device|not_found)|no such device|no cable found"
    r"|cannot find jtag cable|can't find .*(?:ftdi|usb)|no cmsis-dap|failed to find compatible|icelink open fail"
    r"|no dfu": ("finds no {board}; {way}"),
    r"no device found|found 0 devices|scan chain interrogation failed|unknown device family|device \w+ not supported": (
        "finds the adapter of the {board}, but no FPGA that it knows behind it; power the board, and check the JTAG "
        "cable where there is one"
    ),
    r"mismatch between target's idcode|idcode.*(?:does not match|mismatch)|id err\b": (
        "found another FPGA than the {device} of the {board}{found}; build for the board that is connected"
    ),
}
"""What a line matches, and what it means. The codes are libftdi's, of ftdi_usb_open_desc and ftdi_usb_open_dev."""

_ERROR = r"\b(?:error|fail(?:ed|ure)?|unable|cannot|can't|couldn't|could not|mismatch|abort)\b"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def explain(said: str, loader: str, board: Board, *, exit_code: int) -> str:
    """One line on a loader that ended with `exit_code`: what is wrong with which thing, and the way out.

    The line of `said` that it quotes is the first that tells a known fault, else the first that tells any, else the
    last: what loaders say after their first error is that they gave up.
    """
    lines = [line.strip() for line in _COLOURS.sub("", said).splitlines() if line.strip()]
    fault = next(
        ((line, meaning) for line in lines for pattern, meaning in _FAULTS.items() if _matches(pattern, line)), None
    )
    if fault is None:
        line = next((line for line in lines if _matches(_ERROR, line)), (lines or ["no output"])[-1])
        return f"{loader} failed with exit code {exit_code}: {line}"
    line, meaning = fault
    way = "connect and power it" if board.bootloader is None else board.bootloader
    what = meaning.format(board=board.name, device=board.device.name, found=_found_device(said, board), way=way)
    return f"{loader} {what} ({loader} failed with exit code {exit_code}: {line}{_or_rights(line)})"


def did_not_start(said: str) -> bool:
    """Whether the last that a loader says of the pin CDONE is that it stayed low, which it takes for no error."""
    found = re.findall(r"cdone:? +(low|high|fail|done)", _COLOURS.sub("", said), re.IGNORECASE)
    return bool(found) and found[-1].lower() in ("low", "fail")


def _matches(pattern: str, line: str) -> bool:
    return re.search(pattern, line, re.IGNORECASE) is not None


def _or_rights(line: str) -> str:
    """Some loaders pass over devices that they may not open, and then say that there are none."""
    passes_over = _matches(r"jtag cable|can't find|cmsis-dap|icelink", line)
    return "; it says so, too, where you have no right to it: see `bnnhw flash --udev`" if passes_over else ""


def _found_device(said: str, board: Board) -> str:
    """Which FPGA answered, and boards that have it, where the loader tells its IDCODE."""
    others = {other.idcode: name for name, other in DEVICES.items() if other.idcode != board.device.idcode}
    codes = [int(code, 16) for code in re.findall(r"\b(?:0x)?([0-9a-f]{8})\b", said, re.IGNORECASE)]
    name = next((others[code] for code in codes if code in others), None)
    if name is None:
        return ""
    boards = ", ".join(other.name for other in BOARDS.values() if other.device.name == name)
    return f": a {name}" + (f", as {boards} {'have' if ',' in boards else 'has'}" if boards else "")
