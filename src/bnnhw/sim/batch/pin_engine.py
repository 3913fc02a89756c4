"""A design whose pins are driven and sampled in every cycle: an event-driven simulation in C++, behind ctypes."""

from collections.abc import Sequence
from ctypes import POINTER, c_int32, c_int64, c_void_p

import numpy as np
from numpy.typing import NDArray

from bnnhw.sim.errors import SimulationError

from .layout import ProgramLayout
from .native import load_library
from .program import Program

__all__ = ["PinEngine"]

_WORD = 64


class PinEngine:
    """The simulation of a program from its initial state.

    Parameters
    ----------
    program : Program
    inputs, outputs : sequence of str
        Ports of the program, of 64 bits together at most, in words from the lowest bit on. Other inputs are 0.
    """

    def __init__(self, program: Program, *, inputs: Sequence[str], outputs: Sequence[str]):
        self._library = load_library("pin_engine")
        self._library.simulator_new.restype = c_void_p
        self._library.simulator_new.argtypes = [POINTER(ProgramLayout), c_void_p, c_int32, c_void_p, c_int32]
        self._library.simulator_delete.argtypes = [c_void_p]
        self._library.simulator_run.argtypes = [c_void_p, c_void_p, c_void_p, c_int64]
        self._layout = ProgramLayout.of(program)
        driven, sampled = _nets(program.inputs, inputs), _nets(program.outputs, outputs)
        self._handle = self._library.simulator_new(
            self._layout, driven.ctypes.data, len(driven), sampled.ctypes.data, len(sampled)
        )

    def __del__(self):
        if getattr(self, "_handle", None):
            self._library.simulator_delete(self._handle)

    def run(self, words: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Drives the inputs by a word a cycle; the outputs in each of these cycles, before the edge that ends it."""
        driven = np.ascontiguousarray(words, np.uint64)
        sampled = np.empty_like(driven)
        self._library.simulator_run(self._handle, driven.ctypes.data, sampled.ctypes.data, len(driven))
        return sampled


def _nets(ports: dict[str, list[int]], names: Sequence[str]) -> NDArray[np.int32]:
    missing = [name for name in names if name not in ports]
    if missing:
        raise SimulationError(f"ports {missing} are required; the ports are {sorted(ports)}")
    nets = np.array([net for name in names for net in ports[name]], np.int32)
    if len(nets) > _WORD:
        raise SimulationError(f"ports {list(names)} have {len(nets)} bits; a word has {_WORD}")
    return nets
