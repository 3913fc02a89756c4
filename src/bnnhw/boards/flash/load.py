"""A bitstream into a board's FPGA, with whichever loader is installed."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from bnnhw.boards.board import Board
from bnnhw.boards.toolchain.process import ToolError, run_tool

from .loader_faults import explain

__all__ = ["flash"]

_HOW_TO_INSTALL = {
    "openFPGALoader": "`apt install openfpgaloader`",
    "fujprog": "fujprog from https://github.com/kost/fujprog",
    "ecpprog": "ecpprog from https://github.com/gregdavill/ecpprog",
    "icesprog": "icesprog from https://github.com/wuxx/icesugar",
}


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
        When no loader for this board is on PATH, and when it fails: `loader_faults.explain` says why.
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
            if error.exit_code is None:
                raise ToolError(error.message) from error
            raise ToolError(explain(log.read_text(), command[0], board, exit_code=error.exit_code)) from error
    return command[0]
