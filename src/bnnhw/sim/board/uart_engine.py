"""A design behind its UART."""

from ctypes import c_int32, c_int64

from bnnhw.sim.batch.program import Program
from bnnhw.sim.errors import SimulationError

from .event_engine import EventEngine

__all__ = ["UartEngine"]


class UartEngine(EventEngine):
    """The simulation of a program from its initial state, with a UART of 8N1 at its pins.

    Parameters
    ----------
    program : Program
    rx, tx : str
        Ports of the program, of one bit.
    clock_hz, baud : int
        Cycles and bits in a second.
    busy : str, optional
        An output of one bit that says when the design works; by default, it does while anything moves in it.
    """

    def __init__(self, program: Program, *, rx: str, tx: str, clock_hz: int, baud: int, busy: str | None = None):
        for name, ports in ((rx, program.inputs), (tx, program.outputs)):
            if len(ports.get(name, ())) != 1:
                raise SimulationError(f"port {name} of one bit is required; the ports are {sorted(program.ports)}")
        pins = program.inputs[rx][0], program.outputs[tx][0], -1 if busy is None else program.outputs[busy][0]
        super().__init__(program, "uart_engine", *map(c_int32, pins), c_int64(clock_hz), c_int64(baud))
