"""A build on a board that does not exist: its RTL, simulated behind a pseudo-terminal.

The host driver talks to it as to any serial port. `python -m bnnhw.sim.board.virtual_board BUILD` prints the port and
simulates until Ctrl-C.
"""

import inspect
import json
import os
import pickle
import select
import signal
import subprocess
import sys
import tempfile
import tty
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType

import numpy as np

from bnnhw.hw.memory.port import BURST
from bnnhw.hw.memory.timing import SdramChip, get_chip
from bnnhw.sim.batch.native import load_library
from bnnhw.sim.batch.program import Program
from bnnhw.sim.batch.simulator import compile_design, compile_kept
from bnnhw.sim.errors import SimulationError
from bnnhw.sim.memory.chip_at_pads import ChipAtPads
from bnnhw.sim.memory.flash_at_pads import FlashAtPads
from bnnhw.sim.netlist.netlist import Netlist, convert_component, flatten

from .join_chip import FAULTS, FLASH_FAULTS, join_chip, join_flash, with_rows
from .worker import SimulatedUart

__all__ = ["VirtualBoard"]

_RX, _TX = "uart_0__rx__io", "uart_0__tx__io"  # the pins, as the board's platform names its first UART
_MEMORY, _BUSY = "sdram_0", "component.busy"
_FLASH, _FLASH_CLOCK = "boot_flash_0", "flash.sck"
_STARTING_S = 300.0  # for a worker's first word; a large design on a busy computer takes seconds
_PATIENCE_S = 5.0  # for a worker that was told to end
_DYING_S = 0.2


class VirtualBoard:
    """The design in a build's folder, from its reset on; a context manager.

    A process of its own simulates top.il cycle by cycle: bytes arrive at the pin `rx` at the build's baud rate, close
    behind each other as far as they are there, and leave from what the pin `tx` does. Simulated time stands still, and
    the process sleeps, while nothing moves in the design; so the device's time-outs count simulated time, in which a
    host that is slow only seems to pause if the simulation has nothing else to do.

    Parameters
    ----------
    build_folder : str or Path
    memory_words : int, optional
        Of the board's memory chip where it has one, so many from address 0 on are simulated; by default all.
    flash : bytes
        What stands in the board's flash where an engine's programs do; by default nothing that says so.

    Attributes
    ----------
    port : str
        The pseudo-terminal, such as /dev/pts/7, inside the `with` block.
    pid : int
        The process.

    Raises
    ------
    SimulationError
        On entry, when the folder is no build, its design is damaged, there is no C++ compiler, or the process does not
        get ready. On exit, when the process died in between.
    """

    def __init__(self, build_folder: str | Path, *, memory_words: int | None = None, flash: bytes = b""):
        self.build_folder = Path(build_folder)
        self.memory_words = memory_words
        self.flash = flash

    def __enter__(self) -> "VirtualBoard":
        uart = _read_build(self.build_folder, memory_words=self.memory_words, flash=self.flash)
        load_library("uart_engine")  # here a missing compiler and Ctrl-C are the caller's
        with ExitStack() as stack:
            master, slave = os.openpty()
            stack.callback(os.close, slave)  # as long as it is open, the worker lives
            tty.setraw(slave)
            self.port = os.ttyname(slave)
            self._errors = stack.enter_context(tempfile.TemporaryFile())
            with tempfile.TemporaryFile() as stdin:  # no pipe: its reader might stand still
                pickle.dump(uart, stdin, protocol=5)
                stdin.seek(0)
                try:
                    self._process = subprocess.Popen(
                        [sys.executable, "-m", "bnnhw.sim.board.worker", str(master)],
                        stdin=stdin,
                        stdout=subprocess.PIPE,
                        stderr=self._errors,
                        pass_fds=[master],
                        start_new_session=True,  # Ctrl-C is for us, who then end it
                    )
                finally:
                    os.close(master)
            stack.callback(self._end)
            self.pid = self._process.pid
            assert self._process.stdout is not None
            with self._process.stdout as stdout:
                if not select.select([stdout], [], [], _STARTING_S)[0]:
                    raise SimulationError(f"the virtual board is not ready after {_STARTING_S:g} s; try it again")
                if not stdout.readline():
                    self.wait()
            self._resources = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._resources:
            if kind is None or issubclass(kind, Exception):
                with suppress(subprocess.TimeoutExpired):  # its terminal goes a moment before the process does
                    self._process.wait(_DYING_S if kind else 0)
                    self.wait()

    def wait(self) -> None:
        """Waits for the death of the process, and raises it."""
        code = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        reason = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        raise SimulationError(f"the virtual board ended: {lines[-1] if lines else reason}")

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _read_build(folder: Path, *, memory_words: int | None, flash: bytes) -> SimulatedUart:
    """The design of a build's folder with its pins and rates."""
    manifest, design = folder / "manifest.json", folder / "top.il"
    for path in (manifest, design):
        if not path.is_file():
            raise SimulationError(f"{folder} is no build: it has no {path.name}")
    try:
        values = json.loads(manifest.read_text())
        clock_hz, baud = round(values["clock_hz"]), round(values["baud"])
        name = values.get("sizes", {}).get("memory")
        chip = None if name is None else get_chip(name)
        flash_at = values.get("flash_at")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SimulationError(f"{manifest} is damaged; build it again") from error
    try:
        text = design.read_text()
        if chip is None:
            return SimulatedUart(compile_design(text), rx=_RX, tx=_TX, clock_hz=clock_hz, baud=baud)
        program = _with_chips(text, chip, clock_hz, flash_at)
    except ValueError as error:
        raise SimulationError(f"{design} cannot be simulated: {error}") from error
    words = memory_words or BURST << chip.shape.address_bits
    program = with_rows(program, np.zeros((words, 1), np.uint64), width=chip.width)
    if flash_at is not None:
        content = np.frombuffer(flash or b"\xff", np.uint8).astype(np.uint64)[:, None]
        program = with_rows(program, content, width=8)
    faults = (FAULTS,) if flash_at is None else (FAULTS, FLASH_FAULTS)
    return SimulatedUart(program, rx=_RX, tx=_TX, clock_hz=clock_hz, baud=baud, faults=faults)


def _with_chips(design: str, chip: SdramChip, clock_hz: int, flash_at: int | None) -> Program:
    """The program of a design with its memory chip, and with its flash where programs begin at an address of that."""
    model = convert_component(ChipAtPads(chip=chip, clock_hz=clock_hz))
    flash = "" if flash_at is None else convert_component(FlashAtPads(clock_hz=clock_hz, begin=flash_at))

    def join() -> Netlist:
        board = flatten(design)
        if flash:
            board = join_flash(board, flatten(flash), resource=_FLASH, clock=_FLASH_CLOCK)
        return join_chip(board, flatten(model), resource=_MEMORY, busy=_BUSY)

    return compile_kept(join, *(design, model, flash, inspect.getsource(sys.modules[join_chip.__module__])))


def main() -> None:
    """Simulates the build that the command line names, until Ctrl-C."""
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m bnnhw.sim.board.virtual_board BUILD")
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
