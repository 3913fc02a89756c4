"""A bitstream into a board's FPGA, with whichever loader is installed."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from .board import Board
from .process import ToolError, run_tool

__all__ = ["flash"]

_HOW_TO_INSTALL = {
    "openFPGALoader": "`apt install openfpgaloader`",
    "fujprog": "fujprog from https://github.com/kost/fujprog",
    "ecpprog": "ecpprog from https://github.com/gregdavill/ecpprog",
    "icesprog": "icesprog from https://github.com/wuxx/icesugar",
}
_ABSENT = ("not found", "no device", "unable to open", "can't find", "cannot find", "failed to open", "no such device")


def flash(
    bitstream: Path,
    board: Board,
    *,
    timeout_s: float = 120,
    on_line: Callable[[str], None] | None = None,
) -> str:
    """Loads `bitstream` into the FPGA's SRAM, where it stays until power goes; the name of the loader that did it.

    Raises
    ------
    FileNotFoundError
        When there is no such bitstream.
    ToolError
        When no loader for this board is on PATH, when it finds no board, or when it fails otherwise.
    """
    if not bitstream.is_file():
        raise FileNotFoundError(2, "no such bitstream", str(bitstream))
    command = next((command for command in board.flash_commands if shutil.which(command[0])), None)
    if command is None:
        ways = " or ".join(_HOW_TO_INSTALL[command[0]] for command in board.flash_commands)
        names = " or ".join(command[0] for command in board.flash_commands)
        raise ToolError(f"no loader for {board.name}: {names} is not on PATH; {ways} brings it")
    with tempfile.TemporaryDirectory(prefix="bnnhw-") as folder:
        log = Path(folder) / "log"
        try:
            run_tool(
                [*command, str(bitstream.resolve())],
                name=command[0],
                cwd=Path(folder),
                log=log,
                timeout_s=timeout_s,
                on_line=on_line,
            )
        except ToolError as error:
            said = log.read_text().lower() if log.exists() else ""
            if any(words in said for words in _ABSENT):
                raise ToolError(
                    f"{command[0]} finds no {board.name}; connect and power it ({error.message})"
                ) from error
            raise ToolError(error.message) from error
    return command[0]
