"""The bit-parallel engine: engine.cc, compiled once for this machine, behind ctypes."""

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from ctypes import POINTER, Structure, c_int32, c_int64, c_uint64, c_void_p
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from .errors import SimulationError
from .program import Program

__all__ = ["LANES", "Engine", "cache_folder", "store"]

LANES = 256  # simulations that run side by side, at most

_SOURCE = Path(__file__).with_name("engine.cc")
_FLAGS = ["-std=c++17", "-O3", "-march=native", "-shared", "-fPIC"]


class _ReadPort(Structure):
    _fields_ = [(name, c_int32) for name in ("memory", "address", "address_bits", "data")]


class _WritePort(Structure):
    _fields_ = [(name, c_int32) for name in ("memory", "address", "address_bits", "data", "enable")]


class _Memory(Structure):
    _fields_ = [*((name, c_int32) for name in ("width", "depth", "writable")), ("init", c_int64)]


class _Program(Structure):
    _fields_ = [
        *(
            (name, c_int32)
            for name in ("nets", "first_gate", "first_flip_flop", "flip_flops", "steps", "memories", "reads", "writes")
        ),
        *((name, c_void_p) for name in ("gates", "next", "links", "reset", "step")),
        ("memory", POINTER(_Memory)),
        ("read", POINTER(_ReadPort)),
        ("write", POINTER(_WritePort)),
        ("rows", c_void_p),
    ]


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


def cache_folder() -> Path:
    """Where compiled programs and the engine are kept; BNNHW_CACHE overrides it."""
    return Path(os.environ.get("BNNHW_CACHE") or platformdirs.user_cache_dir("bnnhw"))


def store(path: Path, write: Callable[[Path], object]) -> None:
    """Lets `write` fill a temporary file, then gives it the name `path`: complete or not there at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=path.suffix)
    os.close(handle)
    try:
        write(Path(temporary))
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _processor() -> str:
    """What `-march=native` depends on."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line for line in lines if line.startswith("flags")), "")


@cache
def _library() -> ctypes.CDLL:
    compiler = shutil.which(os.environ.get("CXX", "g++"))
    if compiler is None:
        raise SimulationError("simulation needs a C++ compiler: install g++, or name another one in CXX")
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout
    key = hashlib.sha256("\0".join([_SOURCE.read_text(), version, *_FLAGS, _processor()]).encode()).hexdigest()
    path = cache_folder() / f"engine-{key[:20]}.so"
    if not path.exists():

        def build(target: Path) -> None:
            command = [compiler, *_FLAGS, str(_SOURCE), "-o", str(target)]
            result = subprocess.run(command, capture_output=True, text=True)
            if result.returncode:
                raise SimulationError(f"{compiler} does not compile {_SOURCE.name}: {result.stderr.splitlines()[0]}")

        store(path, build)
    library = ctypes.CDLL(str(path))
    library.simulator_new.restype = c_void_p
    library.simulator_new.argtypes = [POINTER(_Program), c_int32]
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
        self._keep: list[Any] = []  # what the engine points to
        described = self._describe(program)
        self._keep.append(described)
        self._handle = self._library.simulator_new(described, lanes)

    def __del__(self):
        if getattr(self, "_handle", None):
            self._library.simulator_delete(self._handle)

    def _pointer(self, array: np.ndarray) -> int:
        self._keep.append(array)
        return array.ctypes.data

    def _describe(self, program: Program) -> _Program:
        links: list[int] = []

        def link(nets: list[int]) -> int:
            links.extend(nets)
            return len(links) - len(nets)

        reads = [_ReadPort(p.memory, link(p.address), len(p.address), p.data) for p in program.reads]
        writes = [
            _WritePort(p.memory, link(p.address), len(p.address), link(p.data), link(p.enable)) for p in program.writes
        ]
        sizes = [memory.rows.size for memory in program.memories]
        memories = [
            _Memory(memory.width, len(memory.rows), memory.writable, sum(sizes[:n]))
            for n, memory in enumerate(program.memories)
        ]
        rows = [memory.rows.ravel() for memory in program.memories]
        return _Program(
            nets=program.nets,
            first_gate=program.first_gate,
            first_flip_flop=program.first_flip_flop,
            flip_flops=len(program.next),
            steps=len(program.steps),
            memories=len(memories),
            reads=len(reads),
            writes=len(writes),
            gates=self._pointer(np.ascontiguousarray(program.gates, np.int32)),
            next=self._pointer(np.ascontiguousarray(program.next, np.int32)),
            links=self._pointer(np.array(links, np.int32)),
            reset=self._pointer(np.ascontiguousarray(program.reset, np.uint8)),
            step=self._pointer(np.ascontiguousarray(program.steps, np.int32)),
            memory=(_Memory * len(memories))(*memories),
            read=(_ReadPort * len(reads))(*reads),
            write=(_WritePort * len(writes))(*writes),
            rows=self._pointer(np.concatenate([np.zeros(0, np.uint64), *rows])),
        )

    def start(self, job: Job) -> None:
        """Begins a job."""
        self._keep.append(job)
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
