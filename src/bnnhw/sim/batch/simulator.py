"""Fast simulation of a component on many frames: its RTL as gates, on the bit-parallel engine.

Compiling takes seconds and needs nothing but pyosys and, once, a C++ compiler. Up to 256 frames run at once, each in a
lane of its own with its own stalls.
"""

import hashlib
import inspect
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from amaranth.hdl import Elaboratable
from numpy.typing import NDArray

from bnnhw.files import cache_folder
from bnnhw.sim.errors import DeadlockError, SimulationError
from bnnhw.sim.netlist import cells, families, fold, gates, netlist
from bnnhw.sim.netlist.netlist import Netlist, convert_component, flatten, yosys_version

from . import assemble, program, program_file
from .assemble import compile_netlist
from .engine import LANES, Engine, Job, Status
from .native import store
from .port_names import by_port_names, unnumbered
from .program import Program
from .program_file import read_program, write_program
from .standstill import units_that_hold_up
from .waves import Waves, WaveWriter

__all__ = ["PATIENCE", "BatchResult", "BatchSimulator", "check_frames", "compile_design", "compile_kept"]

_PART_S = 0.2  # how long the engine runs, about, between looks at the keyboard
PATIENCE = 100_000
"""Cycles without a beat in any lane after which a component counts as stuck, where nothing is said of it."""
_TRACED = 256  # cycles of waveforms that are held in memory
_CACHE_BYTES = 1 << 30  # of compiled programs that are kept


@dataclass(frozen=True)
class BatchResult:
    """What came out of a component.

    Attributes
    ----------
    outputs : (frames, output_beats, words) uint64
        The beats that left, bit 0 lowest.
    accepted_cycles : (frames, beats) int64
        The cycle in which each input beat was accepted. Cycles count from the start of the frame's lane.
    output_cycles : (frames, output_beats) int64
        The cycle in which each output beat left.
    lanes : int
        Frames that were simulated side by side.
    cycles : int
        Cycles of each lane.
    seconds : float
        Time of the simulation itself.
    """

    outputs: np.ndarray
    accepted_cycles: np.ndarray
    output_cycles: np.ndarray
    lanes: int
    cycles: int
    seconds: float

    @property
    def cycles_per_second(self) -> float:
        """Simulated clock cycles of all lanes together in a second."""
        return self.lanes * self.cycles / self.seconds


@cache
def _toolchain() -> str:
    """What a compiled program depends on besides the design."""
    modules = (assemble, cells, families, fold, gates, netlist, program, program_file)
    return "\0".join([yosys_version(), *map(inspect.getsource, modules), *families.model_sources()])


def compile_design(design: str, *, read: str = "read_rtlil", top: str = "top", keep_signals: bool = False) -> Program:
    """The program of a design's text, from the cache where it was compiled before. `read` is yosys' command for it."""
    return compile_kept(
        lambda: flatten(design, read=read, top=top), design, read, top, str(keep_signals), keep_signals=keep_signals
    )


def compile_kept(make: Callable[[], Netlist], *of: str, keep_signals: bool = False) -> Program:
    """The program of the netlist that `make` makes of these texts, from the cache where it was compiled before."""
    key = "\0".join([*of, _toolchain()])
    path = cache_folder() / "programs" / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.npz"
    try:
        return read_program(path)
    except (OSError, ValueError):
        pass
    compiled = compile_netlist(make(), keep_signals=keep_signals)
    store(path, lambda target: write_program(compiled, target))
    _prune(path.parent)
    return compiled


def _prune(folder: Path) -> None:
    """Removes the programs that were compiled first, as far as all of them take more than their share of the disk."""
    found = []
    for path in folder.glob("*.npz"):
        with suppress(FileNotFoundError):  # another process prunes, too
            found.append((path.stat().st_mtime, path.stat().st_size, path))
    room = _CACHE_BYTES
    for _, size, path in sorted(found, reverse=True):
        room -= size
        if room < 0:
            path.unlink(missing_ok=True)


class BatchSimulator:
    """Simulates a component with one stream `i` and one stream `o`; every run begins in its initial state."""

    def __init__(self, component: Elaboratable):
        self._load(convert_component(component), "read_rtlil")

    @classmethod
    def from_design(cls, design: str, *, read: str, top: str = "top") -> "BatchSimulator":
        """The simulator of a module in a design's text with the ports of such a component; `read` is yosys' command
        for it."""
        simulator = cls.__new__(cls)
        simulator._load(design, read, top)
        return simulator

    def _load(self, design: str, read: str, top: str = "top") -> None:
        self._design = design, read, top
        compiled = compile_design(design, read=read, top=top)
        self.program = replace(compiled, inputs=unnumbered(compiled.inputs), outputs=unnumbered(compiled.outputs))
        self._check()

    def _check(self) -> None:
        ports = {*self.program.inputs, *self.program.outputs}
        missing = {f"{stream}__{part}" for stream in "io" for part in ("payload", "valid", "ready")} - ports
        if missing:
            raise SimulationError(f"a component with streams i and o is required; {sorted(missing)} are missing")

    def _with_signals(self) -> Program:
        """The program with every signal that has a name."""
        design, read, top = self._design
        compiled = compile_design(design, read=read, top=top, keep_signals=True)
        return replace(
            compiled,
            inputs=unnumbered(compiled.inputs),
            outputs=unnumbered(compiled.outputs),
            signals=by_port_names(compiled.signals),
        )

    def preload(self, rows: NDArray[np.uint64], *, width: int) -> None:
        """Every run begins with these rows (depth, ceil(width / 64)) in the memory of that width and depth. Raises
        ValueError where there is none, or more than one."""
        found = [
            number
            for number, memory in enumerate(self.program.memories)
            if memory.writable and memory.width == width and memory.rows.shape == rows.shape
        ]
        if len(found) != 1:
            raise ValueError(f"{len(found)} memories have {len(rows)} rows of {width} bits; one must have them")
        memories = list(self.program.memories)
        memories[found[0]] = replace(memories[found[0]], rows=rows)
        self.program = replace(self.program, memories=memories)

    @property
    def in_words(self) -> int:
        """Words of 64 bits in a beat of `i`."""
        return (len(self.program.inputs["i__payload"]) + 63) // 64

    @property
    def out_words(self) -> int:
        """Words of 64 bits in a beat of `o`."""
        return (len(self.program.outputs["o__payload"]) + 63) // 64

    def run(
        self,
        frames: np.ndarray,
        *,
        output_beats: int,
        stall_probability: tuple[float, float] = (0.0, 0.0),
        seed: int = 0,
        lanes: int | None = None,
        patience: int = PATIENCE,
        drain: int = 64,
        waves: Waves | None = None,
        on_progress: Callable[[int], None] | None = None,
    ) -> BatchResult:
        """Feeds frames and collects what leaves.

        Frames are dealt out to the lanes in contiguous parts; a lane feeds its frames without a gap.

        Parameters
        ----------
        frames : (frames, beats, words) uint64
            Payloads of `i`, bit 0 lowest.
        output_beats : int
            Beats of `o` for each frame.
        stall_probability : (float, float)
            Chances that the producer does not offer a new beat in a cycle, and that the consumer is not ready.
        seed : int
            Of the stalls.
        lanes : int or None
            Simulations side by side, at most 256 and at most one for each frame; None for as many as possible.
        patience : int
            Cycles without a beat in any lane after which the component counts as stuck.
        drain : int
            Cycles that are simulated after the last beat, to see that no further one leaves.
        waves : Waves or None
            Where the waveforms of lane 0 go.
        on_progress : callable
            Called now and then with the number of output beats so far.

        Raises
        ------
        DeadlockError
            When no beat moves for `patience` cycles; it names the units that hold them up.
        SimulationError
            When more beats leave than asked for.
        """
        frames = check_frames(frames, words=self.in_words)
        if not all(0 <= probability < 1 for probability in stall_probability):
            raise SimulationError(f"stall_probability={stall_probability} must be two numbers from 0 to below 1")
        count, beats, _ = frames.shape
        used = min(count, lanes or LANES)
        simulated = self.program if waves is None else self._with_signals()
        bounds = np.linspace(0, count, used + 1).astype(np.int64)
        accepted = np.full((count, beats), -1, np.int64)
        produced = np.full((count, output_beats), -1, np.int64)
        outputs = np.zeros((count, output_beats, self.out_words), np.uint64)

        def begin(simulated: Program) -> Engine:
            job = Job.of(
                simulated,
                lanes=used,
                in_beats=bounds * beats,
                out_beats=bounds * output_beats,
                beats=frames,
                outputs=outputs,
                accepted_cycles=accepted,
                output_cycles=produced,
                stall_probability=stall_probability,
                seed=seed,
                patience=patience,
                drain=drain,
            )
            engine = Engine(simulated, lanes=used)
            engine.start(job)
            return engine

        engine = begin(simulated)
        started = time.perf_counter()
        with WaveWriter(waves, simulated) if waves is not None else nullcontext() as writer:
            status = _advance(engine, writer, on_progress)
        seconds = time.perf_counter() - started
        if status.state == 2:
            visible = self._with_signals()
            culprits = units_that_hold_up(visible, begin(visible), cycles=status.cycles)
            raise DeadlockError(
                f"no beat moved for {patience} cycles: {status.accepted} of {count * beats} beats went in, "
                f"{status.produced} of {count * output_beats} came out, in {status.cycles} cycles of {used} lanes"
                + "".join(f"; {unit} neither takes nor gives a beat" for unit in culprits)
            )
        if status.surplus:
            raise SimulationError(f"{status.surplus} beats left besides the {output_beats} of each frame")
        return BatchResult(outputs, accepted, produced, used, status.cycles, seconds)


def check_frames(frames: np.ndarray, *, words: int | None = None) -> np.ndarray:
    """`frames` as it is meant to be: (frames, beats, words) uint64, contiguous, not empty."""
    frames = np.ascontiguousarray(frames, np.uint64)
    if frames.ndim != 3 or (words is not None and frames.shape[2] != words) or not frames.size:
        raise SimulationError(f"frames has shape {frames.shape}; (frames, beats, {words or 'words'}) is required")
    return frames


def _advance(engine: Engine, writer: WaveWriter | None, on_progress: Callable[[int], None] | None) -> Status:
    """Runs a job to its end, in parts that leave room for Ctrl-C."""
    cycles = 1
    while True:
        started = time.perf_counter()
        wanted = writer.wanted() if writer is not None else 0
        if writer is not None and wanted > 0:
            status, trace = engine.advance(min(cycles, wanted, _TRACED), traced=writer.nets)
            writer.add(trace)
        elif writer is not None and wanted < 0:
            status, _ = engine.advance(min(cycles, -wanted))
            writer.cycle = status.cycles
        else:
            status, _ = engine.advance(cycles)
        if on_progress is not None:
            on_progress(status.produced)
        if status.state:
            return status
        if time.perf_counter() - started < _PART_S / 2:
            cycles *= 2
