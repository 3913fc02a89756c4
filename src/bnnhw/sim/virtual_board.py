"""A build on a board that does not exist: its RTL, simulated behind a pseudo-terminal.

The host driver talks to it as to any serial port. `python -m bnnhw.sim.virtual_board BUILD` prints the port and
simulates until Ctrl-C.
"""

import json
import os
import pickle
import subprocess
import sys
import tempfile
import tty
from pathlib import Path
from types import TracebackType

from .batch import compile_design
from .errors import SimulationError
from .native import load_library
from .virtual_board_worker import SimulatedUart

__all__ = ["VirtualBoard"]

_RX, _TX = "uart_0__rx__io", "uart_0__tx__io"  # the pins, as the board's platform names its first UART
_PATIENCE_S = 5.0  # for a worker that was told to end


class VirtualBoard:
    """The design in a build's folder, from its reset on; a context manager.

    A process of its own simulates top.il cycle by cycle: bytes arrive at the pin `rx` at the build's baud rate, close
    behind each other as far as they are there, and leave from what the pin `tx` does. Simulated time stands still
    while nothing moves in the design, so the process needs no time then.

    Parameters
    ----------
    build_folder : str or Path

    Attributes
    ----------
    port : str
        The pseudo-terminal, such as /dev/pts/7, inside the `with` block.

    Raises
    ------
    SimulationError
        On entry, when the folder is no build, its design is damaged, or there is no C++ compiler. On exit, when the
        process died in between.
    """

    def __init__(self, build_folder: str | Path):
        self.build_folder = Path(build_folder)

    def __enter__(self) -> "VirtualBoard":
        uart = _read_build(self.build_folder)
        load_library("uart_engine")  # here a missing compiler and Ctrl-C are the caller's
        master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bnnhw.sim.virtual_board_worker", str(master)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            pass_fds=[master],
            start_new_session=True,  # Ctrl-C is for us, who then end it
        )
        os.close(master)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            with self._process.stdin as stdin:
                pickle.dump(uart, stdin, protocol=5)
            if not self._process.stdout.readline():
                self._process.wait()
                raise self._death()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        died = self._process.poll() is not None
        death = self._death() if died else None
        self._end()
        if death is not None:
            raise death

    def wait(self) -> None:
        """Returns never but by an exception: the process's death, or Ctrl-C."""
        self._process.wait()
        raise self._death()

    def _death(self) -> SimulationError:
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        reason = lines[-1] if lines else f"exit code {self._process.returncode}"
        return SimulationError(f"the virtual board ended: {reason}")

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdout, self._errors):
            if pipe is not None:
                pipe.close()
        os.close(self._slave)


def _read_build(folder: Path) -> SimulatedUart:
    """The design of a build's folder with its pins and rates."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        clock_hz, baud = round(manifest["clock_hz"]), int(manifest["baud"])
        design = (folder / "top.il").read_text()
    except FileNotFoundError as error:
        raise SimulationError(f"{folder} is no build: it has no {Path(error.filename).name}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise SimulationError(f"{folder / 'manifest.json'} is damaged; build it again") from error
    return SimulatedUart(compile_design(design), rx=_RX, tx=_TX, clock_hz=clock_hz, baud=baud)


def main() -> None:
    """Simulates the build that the command line names, until Ctrl-C."""
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m bnnhw.sim.virtual_board BUILD")
    try:
        with VirtualBoard(sys.argv[1]) as board:
            print(board.port, flush=True)
            board.wait()
    except SimulationError as error:
        raise SystemExit(str(error)) from error
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
