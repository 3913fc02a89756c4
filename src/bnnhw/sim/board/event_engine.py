"""A design with bytes at its pins: an event-driven simulation in C++, behind ctypes.

Tests: tests/sim/board/test_uart_engine.py
"""

import ctypes
from ctypes import POINTER, Structure, byref, c_int32, c_int64, c_uint8, c_void_p
from typing import Any

from bnnhw.sim.batch.layout import ProgramLayout
from bnnhw.sim.batch.native import load_library
from bnnhw.sim.batch.program import Program

__all__ = ["EventEngine"]

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


class EventEngine:
    """The simulation of a program from its initial state, by a library of bnnhw.sim.batch.

    Parameters
    ----------
    program : Program
    library : str
    arguments
        Of its constructor, behind the program, as ctypes.

    Attributes
    ----------
    cycle : int
        Clock cycles so far. Cycles in which nothing moves are counted, but cost no time.
    """

    def __init__(self, program: Program, library: str, *arguments: Any):
        self.cycle = 0
        self._library = load_library(library)
        new = self._library.simulator_new
        new.restype = c_void_p
        new.argtypes = [POINTER(ProgramLayout), *map(type, arguments)]
        self._library.simulator_delete.argtypes = [c_void_p]
        self._library.simulator_run.argtypes = [c_void_p, POINTER(_Transfer), c_int64]
        self._library.simulator_sample.argtypes = [c_void_p, c_int32]
        self._layout = ProgramLayout.of(program)
        self._outputs = program.outputs
        self._handle = new(self._layout, *arguments)

    def __del__(self):
        if getattr(self, "_handle", None):
            self._library.simulator_delete(self._handle)

    def run(self, queue: bytearray) -> tuple[bytes, bool]:
        """Simulates for some 20 ms of this computer's time, or until nothing moves any more.

        Takes the bytes that go in from the front of `queue`, one close behind the other. Returns the bytes that came
        out, and whether nothing will move until there are further ones.
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
