"""A bitstream into a board's FPGA, or into its flash, with whichever loader is installed."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from bnnhw.boards.board import Board
from bnnhw.boards.toolchain.process import ToolError, run_tool

from .loader_faults import did_not_start, explain

__all__ = ["flash"]

_HOW_TO_INSTALL = {
    "openFPGALoader": "`apt install openfpgaloader`",
    "fujprog": "fujprog from https://github.com/kost/fujprog",
    "ecpprog": "ecpprog from https://github.com/gregdavill/ecpprog",
    "icesprog": "icesprog from https://github.com/wuxx/icesugar",
    "dfu-util": "`apt install dfu-util`",
    "iceprog": "`apt install fpga-icestorm`",
}
_INTO_FLASH: dict[str, tuple[str | None, tuple[str, ...], tuple[str, ...]]] = {
    "openFPGALoader": ("-m", ("-f",), ("-f", "--file-type", "raw", "-o")),
    "fujprog": (None, ("-j", "flash"), ("-j", "flash", "-f")),
    "ecpprog": ("-S", (), ("-o",)),
    "icesprog": (None, (), ("-o",)),
    "iceprog": ("-S", (), ("-o",)),
}
"""Of each loader the option that means the FPGA's SRAM, what stands there for a bitstream in the flash, and what for
anything else there, before its address."""


def flash(
    bitstream: Path,
    board: Board,
    *,
    timeout_s: float = 120,
    into_flash_at: int | None = None,
    on_line: Callable[[str], None] | None = None,
) -> str:
    """Loads `bitstream` into the FPGA's SRAM, where it stays until power goes, or where the board has a bootloader, to
    that one's place in the flash; the name of the loader that did it.

    into_flash_at: an address of the board's flash, whose content stays. At 0 there is the bitstream that the FPGA
    starts with. A bootloader knows its own place alone.

    Raises
    ------
    FileNotFoundError
        When there is no such bitstream.
    ToolError
        When no loader for this board is on PATH, when it fails: `loader_faults.explain` says why; and when the FPGA did
        not start.
    OSError
        When the bitstream cannot be read.
    """
    if not bitstream.is_file():
        raise FileNotFoundError(2, "no such bitstream", str(bitstream))
    with bitstream.open("rb"):  # whose rights are not to be mistaken for the board's
        pass
    command = next((command for command in board.flash_commands if shutil.which(command[0])), None)
    if command is None:
        ways = " or ".join(_HOW_TO_INSTALL[command[0]] for command in board.flash_commands)
        names = " or ".join(command[0] for command in board.flash_commands)
        raise ToolError(f"no loader for {board.name}: {names} is not on PATH; {ways} brings it")
    at = into_flash_at if board.bootloader is None else None
    with tempfile.TemporaryDirectory(prefix="bnnhw-") as folder:
        log = Path(folder) / "log"
        try:
            run_tool(
                [*_command(command, at), str(bitstream.resolve())],
                name=command[0],
                cwd=Path(folder),
                log=log,
                timeout_s=timeout_s,
                on_line=on_line,
            )
        except ToolError as error:
            if error.exit_code is None:
                raise ToolError(error.message) from error
            raise ToolError(explain(log.read_text(), command[0], board, exit_code=error.exit_code)) from error
        if did_not_start(log.read_text()):
            raise ToolError(
                f"{command[0]} wrote the bitstream, but the {board.device.name} of the {board.name} did not start with "
                "it; `bnnhw flash --persistent` writes the flash that stands before it, or set the jumpers for its SRAM"
            )
    return command[0]


def _command(command: tuple[str, ...], at: int | None) -> list[str]:
    """What a board's command is for the SRAM, or for the flash from an address on."""
    if at is None:
        return [*command]
    into_sram, bitstream, other = _INTO_FLASH[command[0]]
    rest = [each for each in command if each != into_sram]
    return [*rest, *bitstream] if at == 0 else [*rest, *other, hex(at)]
