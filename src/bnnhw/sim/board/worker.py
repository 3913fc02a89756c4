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
from bnnhw.sim.memory.faults import Fault
from bnnhw.sim.memory.flash_model import FlashFault

from .join_chip import BUSY, FAULTS, FLASH_FAULTS
from .uart_engine import UartEngine

__all__ = ["SimulatedUart"]

_CHIPS = {FAULTS: ("memory chip", Fault), FLASH_FAULTS: ("flash", FlashFault)}
_QUEUE = 65536  # bytes that wait for the line, at most; then the host has to wait


@dataclass(frozen=True)
class SimulatedUart:
    """What is to be simulated: a program, its pins, its clock and the rate of its UART; and the outputs that tell the
    faults of the chips in it, as `join_chip` and `join_flash` leave them."""

    program: Program
    rx: str
    tx: str
    clock_hz: int
    baud: int
    faults: tuple[str, ...] = ()

    def engine(self) -> UartEngine:
        """The simulation, from the initial state."""
        busy = BUSY if self.faults else None
        return UartEngine(self.program, rx=self.rx, tx=self.tx, clock_hz=self.clock_hz, baud=self.baud, busy=busy)


def serve(engine: UartEngine, descriptor: int, *, faults: tuple[str, ...] = ()) -> None:
    """Carries bytes between a pseudo-terminal and the simulation until the other end is closed.

    Sleeps while nothing moves in the design, and while nobody takes the answers. Raises SimulationError where a
    chip is used in a way that it does not allow: `faults` are the outputs that tell.
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
            for output in faults:
                if found := engine.value(output):
                    chip, fault = _CHIPS[output]
                    raise SimulationError(f"the {chip}'s rules were broken: {fault(found)!r}")


def main() -> None:
    """Serves the descriptor that the command line names."""
    try:
        uart = pickle.load(sys.stdin.buffer)
        engine = uart.engine()
        engine.run(bytearray())  # out of reset
        print("ready", flush=True)
        serve(engine, int(sys.argv[1]), faults=uart.faults)
    except SimulationError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
