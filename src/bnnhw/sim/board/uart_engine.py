"""A design behind its UART: uart_engine.cc, an event-driven simulation, behind ctypes."""

import ctypes
from ctypes import POINTER, Structure, byref, c_int32, c_int64, c_uint8, c_void_p

from bnnhw.sim.batch.layout import ProgramLayout
from bnnhw.sim.batch.native import load_library
from bnnhw.sim.batch.program import Program
from bnnhw.sim.errors import SimulationError

__all__ = ["UartEngine"]

_EVENTS = 1_000_000  # of a call, some 20 ms
_CAPACITY = 4096  # bytes that leave in a call, at most


class _Transfer(Structure):
    _fields_ = [
        ("bytes", c_void_p),
        ("count", c_int64),
        ("taken", c_int64),
        ("answer", c_void_p),
        ("capacity", c_int64),
        ("answered", c_int64),
        ("cycle", c_int64),
        ("idle", c_int32),
    ]


def _library() -> ctypes.CDLL:
    library = load_library("uart_engine")
    library.simulator_new.restype = c_void_p
    library.simulator_new.argtypes = [POINTER(ProgramLayout), c_int32, c_int32, c_int32, c_int64, c_int64]
    library.simulator_delete.argtypes = [c_void_p]
    library.simulator_run.argtypes = [c_void_p, POINTER(_Transfer), c_int64]
    library.simulator_sample.argtypes = [c_void_p, c_int32]
    return library


class UartEngine:
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

    Attributes
    ----------
    cycle : int
        Clock cycles so far. Cycles in which nothing moves are counted, but cost no time.
    """

    def __init__(self, program: Program, *, rx: str, tx: str, clock_hz: int, baud: int, busy: str | None = None):
        for name, ports in ((rx, program.inputs), (tx, program.outputs)):
            if len(ports.get(name, ())) != 1:
                raise SimulationError(f"port {name} of one bit is required; the ports are {sorted(program.ports)}")
        self.cycle = 0
        self._library = _library()
        self._layout = ProgramLayout.of(program)
        self._outputs = program.outputs
        self._handle = self._library.simulator_new(
            self._layout,
            program.inputs[rx][0],
            program.outputs[tx][0],
            -1 if busy is None else program.outputs[busy][0],
            clock_hz,
            baud,
        )

    def __del__(self):
        if getattr(self, "_handle", None):
            self._library.simulator_delete(self._handle)

    def run(self, queue: bytearray) -> tuple[bytes, bool]:
        """Simulates for some 20 ms of this computer's time, or until nothing moves any more.

        Takes the bytes that it puts on the line from the front of `queue`, one close behind the other. Returns the
        bytes that came back, and whether nothing will move until there are further ones.
        """
        data = (c_uint8 * len(queue)).from_buffer_copy(queue)
        answer = (c_uint8 * _CAPACITY)()
        transfer = _Transfer(
            bytes=ctypes.addressof(data), count=len(data), answer=ctypes.addressof(answer), capacity=_CAPACITY
        )
        self._library.simulator_run(self._handle, byref(transfer), _EVENTS)
        del queue[: transfer.taken]
        self.cycle = transfer.cycle
        return bytes(answer[: transfer.answered]), bool(transfer.idle)

    def value(self, output: str) -> int:
        """What an output of the program has now."""
        nets = self._outputs[output]
        return sum(self._library.simulator_sample(self._handle, net) << bit for bit, net in enumerate(nets))
