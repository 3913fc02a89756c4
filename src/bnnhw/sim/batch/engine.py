"""The bit-parallel engine, engine.cc, behind ctypes.

Tests: tests/sim/batch/test_simulator.py
"""

import ctypes
from ctypes import POINTER, Structure, c_int32, c_int64, c_uint64, c_void_p

import numpy as np

from bnnhw.sim.errors import SimulationError

from .layout import ProgramLayout
from .native import load_library
from .program import Program

__all__ = ["LANES", "Engine", "Job", "Status", "Stream"]

LANES = 256  # simulations that run side by side, at most


class Stream(Structure):
    """Nets of a stream: valid, ready and the payload's bits."""

    _fields_ = [("valid", c_int32), ("ready", c_int32), ("bits", c_int32), ("payload", c_void_p)]


class Job(Structure):
    """What `Engine.start` is to feed and to collect; see engine.cc."""

    _fields_ = [
        *((name, c_int32) for name in ("lanes", "in_words", "out_words")),
        ("i", Stream),
        ("o", Stream),
        *((name, c_void_p) for name in ("first_in", "end_in", "first_out", "end_out", "beats", "outputs")),
        *((name, c_void_p) for name in ("accepted_cycles", "output_cycles")),
        *((name, c_uint64) for name in ("stall_i", "stall_o", "seed")),
        *((name, c_int64) for name in ("patience", "drain")),
    ]

    @classmethod
    def of(
        cls,
        program: Program,
        *,
        lanes: int,
        in_beats: np.ndarray,
        out_beats: np.ndarray,
        stall_probability: tuple[float, float],
        seed: int,
        patience: int,
        drain: int,
        **arrays: np.ndarray,
    ) -> "Job":
        """A job for a program with streams i and o; lane n has the beats [beats[n], beats[n + 1]) of the arrays."""
        payloads = {s: np.array(program.ports[f"{s}__payload"], np.int32) for s in "io"}
        streams = {
            s: Stream(
                program.ports[f"{s}__valid"][0],
                program.ports[f"{s}__ready"][0],
                len(payloads[s]),
                payloads[s].ctypes.data,
            )
            for s in "io"
        }
        bounds = [np.ascontiguousarray(part) for part in (in_beats[:-1], in_beats[1:], out_beats[:-1], out_beats[1:])]
        stalls = [min(int(probability * 2**64), 2**64 - 1) for probability in stall_probability]
        job = cls(
            lanes=lanes,
            in_words=arrays["beats"].shape[-1],
            out_words=arrays["outputs"].shape[-1],
            **streams,
            **dict(zip(("first_in", "end_in", "first_out", "end_out"), (b.ctypes.data for b in bounds), strict=True)),
            **{name: array.ctypes.data for name, array in arrays.items()},
            stall_i=stalls[0],
            stall_o=stalls[1],
            seed=seed,
            patience=patience,
            drain=drain,
        )
        job._arrays = [*payloads.values(), *bounds, *arrays.values()]  # as long as the pointers
        return job


class Status(Structure):
    """How far a job is: its cycles, beats of all lanes, and `state`: 0 not done, 1 done, 2 without progress."""

    _fields_ = [(name, c_int64) for name in ("cycles", "accepted", "produced", "surplus", "state")]


def _library() -> ctypes.CDLL:
    library = load_library("engine")
    library.simulator_new.restype = c_void_p
    library.simulator_new.argtypes = [POINTER(ProgramLayout), c_int32]
    library.simulator_delete.argtypes = [c_void_p]
    library.simulator_start.argtypes = [c_void_p, POINTER(Job)]
    library.simulator_advance.argtypes = [c_void_p, c_int64, POINTER(Status), c_void_p, c_int32, c_void_p]
    return library


class Engine:
    """Simulations of one program, `lanes` side by side, from the initial state."""

    def __init__(self, program: Program, *, lanes: int = 1):
        if not 1 <= lanes <= LANES:
            raise SimulationError(f"lanes={lanes} must be between 1 and {LANES}")
        self._library = _library()
        self._layout = ProgramLayout.of(program)
        self._handle = self._library.simulator_new(self._layout, lanes)
        self._cycles = 0

    def __del__(self):
        if getattr(self, "_handle", None):
            self._library.simulator_delete(self._handle)

    def start(self, job: Job) -> None:
        """Begins a job."""
        self._job = job  # as long as the engine points to it
        self._cycles = 0
        self._library.simulator_start(self._handle, job)

    def advance(self, cycles: int, *, traced: np.ndarray | None = None) -> tuple[Status, np.ndarray]:
        """Runs for at most `cycles` cycles.

        Returns how far the job is, and lane 0's values of `traced` nets in each cycle that ran: (cycles, nets) uint8.
        """
        nets = np.zeros(0, np.int32) if traced is None else np.ascontiguousarray(traced, np.int32)
        trace = np.zeros((cycles if len(nets) else 0, len(nets)), np.uint8)
        status, before = Status(), self._cycles
        self._library.simulator_advance(self._handle, cycles, status, nets.ctypes.data, len(nets), trace.ctypes.data)
        self._cycles = status.cycles
        return status, trace[: status.cycles - before]
