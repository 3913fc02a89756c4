"""`python -m bnnhw.sim.board.worker DESCRIPTOR ..`: a board behind the pseudo-terminal whose end DESCRIPTOR is, or the
socket, with the end of a pipe as a second one.

Reads a pickled `SimulatedUart` or `SimulatedBytes` from the standard input, says "ready", and ends when the other end
of the pseudo-terminal, or of the pipe, is closed for good. See virtual_board.py.
"""

import os
import pickle
import select
import socket
import sys
from dataclasses import dataclass

from bnnhw.sim.batch.program import Program
from bnnhw.sim.errors import SimulationError
from bnnhw.sim.memory.faults import Fault
from bnnhw.sim.memory.flash_model import FlashFault

from .byte_engine import ByteEngine
from .datagram_port import DatagramPort
from .event_engine import EventEngine
from .join_chip import BUSY, FAULTS, FLASH_FAULTS
from .uart_engine import UartEngine

__all__ = ["SimulatedBytes", "SimulatedUart"]

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


@dataclass(frozen=True)
class SimulatedBytes:
    """What is to be simulated of a board behind UDP: a program with `byte_ports`, and outputs as a UART's has them."""

    program: Program
    faults: tuple[str, ...] = ()

    def engine(self) -> ByteEngine:
        """The simulation, from the initial state."""
        return ByteEngine(self.program, busy=BUSY if self.faults else None)


def serve(engine: EventEngine, descriptor: int, *, faults: tuple[str, ...] = ()) -> None:
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
            check_chips(engine, faults)


def serve_datagrams(engine: EventEngine, port: DatagramPort, lifeline: int, *, faults: tuple[str, ...] = ()) -> None:
    """As `serve`, between a socket and the simulation, until the pipe `lifeline` is closed at its other end."""
    poll = select.poll()
    for descriptor in (port.descriptor, lifeline):
        poll.register(descriptor, select.POLLIN)
    incoming = bytearray()
    idle = False
    while True:
        for descriptor, _ in poll.poll(None if idle and not incoming else 0):
            if descriptor == lifeline:
                return
            port.receive(incoming)
        if incoming or not idle:
            answer, idle = engine.run(incoming)
            port.send(answer)
            check_chips(engine, faults)


def check_chips(engine: EventEngine, faults: tuple[str, ...]) -> None:
    """Raises SimulationError where a chip was used in a way that it does not allow."""
    for output in faults:
        if found := engine.value(output):
            chip, fault = _CHIPS[output]
            raise SimulationError(f"the {chip}'s rules were broken: {fault(found)!r}")


def main() -> None:
    """Serves the descriptors that the command line names."""
    try:
        board = pickle.load(sys.stdin.buffer)
        engine = board.engine()
        engine.run(bytearray())  # out of reset
        print("ready", flush=True)
        descriptor, *more = map(int, sys.argv[1:])
        if more:
            port = DatagramPort(socket.socket(fileno=descriptor))
            serve_datagrams(engine, port, more[0], faults=board.faults)
        else:
            serve(engine, descriptor, faults=board.faults)
    except SimulationError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
