"""A build on a board that does not exist: its RTL, simulated behind a pseudo-terminal, or behind UDP.

The host driver talks to it as to any serial port, or address. `python -m bnnhw.sim.board.virtual_board BUILD` prints
the port, with `--link udp` the address, and simulates until Ctrl-C.
"""

import argparse
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
import tempfile
import tty
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType

from bnnhw.sim.batch.native import load_library
from bnnhw.sim.errors import SimulationError

from .read_build import LINKS, LinkKind, read_build
from .worker import SimulatedUart

__all__ = ["VirtualBoard"]

_HERE = "127.0.0.1"

_STARTING_S = 300.0  # for a worker's first word; a large design on a busy computer takes seconds
_PATIENCE_S = 5.0  # for a worker that was told to end
_DYING_S = 0.2


class VirtualBoard:
    """The design in a build's folder, from its reset on; a context manager.

    A process of its own simulates top.il cycle by cycle: bytes arrive at the pin `rx` at the build's baud rate, close
    behind each other as far as they are there, and leave from what the pin `tx` does. Behind UDP, the design's UART or
    Ethernet is left out, and its link has bytes as fast as it takes them. Simulated time stands still, and
    the process sleeps, while nothing moves in the design; so the device's time-outs count simulated time, in which a
    host that is slow only seems to pause if the simulation has nothing else to do.

    Parameters
    ----------
    build_folder : str or Path
    link : "uart" or "udp"
        Of a build with a UART; one for UDP is always behind that.
    memory_words : int, optional
        Of the board's memory chip where it has one, so many from address 0 on are simulated; by default all.
    flash : bytes
        What stands in the board's flash where an engine's programs do; by default nothing that says so.

    Attributes
    ----------
    port : str or None
        The pseudo-terminal, such as /dev/pts/7, inside the `with` block.
    address : str or None
        HOST:PORT, where it is behind UDP instead.
    pid : int
        The process.

    Raises
    ------
    SimulationError
        On entry, when the folder is no build, its design is damaged, there is no C++ compiler, or the process does not
        get ready. On exit, when the process died in between.
    """

    def __init__(
        self,
        build_folder: str | Path,
        *,
        link: LinkKind = "uart",
        memory_words: int | None = None,
        flash: bytes = b"",
    ):
        self.build_folder = Path(build_folder)
        self.link: LinkKind = link
        self.memory_words = memory_words
        self.flash = flash
        self.port: str | None = None
        self.address: str | None = None

    def __enter__(self) -> "VirtualBoard":
        board = read_build(self.build_folder, link=self.link, memory_words=self.memory_words, flash=self.flash)
        is_uart = isinstance(board, SimulatedUart)
        library = "uart_engine" if is_uart else "byte_engine"
        load_library(library)  # here a missing compiler and Ctrl-C are the caller's
        with ExitStack() as stack:
            descriptors = self._open_terminal(stack) if is_uart else self._open_socket(stack)
            self._errors = stack.enter_context(tempfile.TemporaryFile())
            with tempfile.TemporaryFile() as stdin:  # no pipe: its reader might stand still
                pickle.dump(board, stdin, protocol=5)
                stdin.seek(0)
                try:
                    self._process = subprocess.Popen(
                        [sys.executable, "-m", "bnnhw.sim.board.worker", *map(str, descriptors)],
                        stdin=stdin,
                        stdout=subprocess.PIPE,
                        stderr=self._errors,
                        pass_fds=descriptors,
                        start_new_session=True,  # Ctrl-C is for us, who then end it
                    )
                finally:
                    for descriptor in descriptors:
                        os.close(descriptor)
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

    def _open_terminal(self, stack: ExitStack) -> list[int]:
        """The worker's end of a pseudo-terminal; as long as the other one is open, it lives."""
        master, slave = os.openpty()
        stack.callback(os.close, slave)
        tty.setraw(slave)
        self.port = os.ttyname(slave)
        return [master]

    def _open_socket(self, stack: ExitStack) -> list[int]:
        """The worker's socket, and its end of a pipe; as long as the other one is open, it lives."""
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.bind((_HERE, 0))
        self.address = f"{_HERE}:{opened.getsockname()[1]}"
        read, write = os.pipe()
        stack.callback(os.close, write)
        return [opened.detach(), read]

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


def main() -> None:
    """Simulates the build that the command line names, until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m bnnhw.sim.board.virtual_board")
    parser.add_argument("build")
    parser.add_argument("--link", choices=LINKS, default="uart")
    asked = parser.parse_args()
    try:
        with VirtualBoard(asked.build, link=asked.link) as board:
            print(board.port or board.address, flush=True)
            board.wait()
    except SimulationError as error:
        raise SystemExit(str(error)) from error
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
