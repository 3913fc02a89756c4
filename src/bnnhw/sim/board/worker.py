"""`python -m bnnhw.sim.board.worker DESCRIPTOR`: a board behind the pseudo-terminal whose end DESCRIPTOR is.

Reads a pickled `SimulatedUart` from the standard input, says "ready", and ends when the pseudo-terminal's other end is
closed for good. See virtual_board.py.
"""

import os
import pickle
import select
import sys
from dataclasses import dataclass

from bnnhw.sim.batch.program import Program
from bnnhw.sim.errors import SimulationError

from .uart_engine import UartEngine

__all__ = ["SimulatedUart"]

_QUEUE = 65536  # bytes that wait for the line, at most; then the host has to wait


@dataclass(frozen=True)
class SimulatedUart:
    """What is to be simulated: a program, its pins, its clock and the rate of its UART."""

    program: Program
    rx: str
    tx: str
    clock_hz: int
    baud: int

    def engine(self) -> UartEngine:
        """The simulation, from the initial state."""
        return UartEngine(self.program, rx=self.rx, tx=self.tx, clock_hz=self.clock_hz, baud=self.baud)


def serve(engine: UartEngine, descriptor: int) -> None:
    """Carries bytes between a pseudo-terminal and the simulation until the other end is closed.

    Sleeps while nothing moves in the design, and while nobody takes the answers.
    """
    os.set_blocking(descriptor, False)
    poll = select.poll()  # which says that the other end is closed whatever it is asked
    incoming, outgoing = bytearray(), bytearray()
    idle = False
    while True:
        sleep = bool(outgoing) or (idle and not incoming)
        poll.register(
            descriptor,
            (select.POLLIN if len(incoming) < _QUEUE else 0) | (select.POLLOUT if outgoing else 0),
        )
        events = sum(event for _, event in poll.poll(None if sleep else 0))
        try:
            if events & select.POLLIN:
                incoming += os.read(descriptor, _QUEUE)
            if events & select.POLLOUT:
                del outgoing[: os.write(descriptor, outgoing)]
        except BlockingIOError:
            pass
        except OSError:  # how Linux says that the other end is closed
            return
        if events & ~(select.POLLIN | select.POLLOUT):
            return
        if not outgoing and (incoming or not idle):
            answer, idle = engine.run(incoming)
            outgoing += answer


def main() -> None:
    """Serves the descriptor that the command line names."""
    try:
        engine = pickle.load(sys.stdin.buffer).engine()
    except SimulationError as error:
        raise SystemExit(str(error)) from error
    engine.run(bytearray())  # out of reset
    print("ready", flush=True)
    serve(engine, int(sys.argv[1]))


if __name__ == "__main__":
    main()
