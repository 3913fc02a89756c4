"""Waveforms of a simulation, as a VCD file.

Tests: tests/sim/batch/test_simulator.py
Tests: tests/sim/batch/test_waves.py
"""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from vcd import VCDWriter

from bnnhw.sim.errors import SimulationError

from .program import Program

__all__ = ["WaveWriter", "Waves"]

CYCLE_NS = 10  # the clock rises in the middle of a cycle


@dataclass(frozen=True)
class Waves:
    """Where the cycles [first, first + count) of a simulation's lane 0 go."""

    path: Path
    first: int = 0
    count: int = 10_000

    def __post_init__(self):
        if self.first < 0 or self.count < 1:
            raise SimulationError(f"first={self.first} must be at least 0, and count={self.count} at least 1")


def shown_signals(program: Program) -> dict[str, list[int]]:
    """The signals of a design by name: its own, and those of its parts in their scopes. What of the design's is only
    the wire to a part's port is left out, as the part has it: `i0__valid` is a join's, not the design's."""
    named = {name: nets for name, nets in sorted(program.signals.items()) if "$" not in name and name != "clk"}
    ports = {*program.inputs, *program.outputs}
    inner = {(leaf, *nets) for name, nets in named.items() for scope, _, leaf in [name.rpartition(".")] if scope}
    return {name: nets for name, nets in named.items() if "." in name or name in ports or (name, *nets) not in inner}


class WaveWriter:
    """Writes values of nets, cycle by cycle; a signal shows what it is before the rising edge that ends the cycle."""

    def __init__(self, waves: Waves, program: Program):
        self.waves = waves
        self.cycle = 0
        signals = shown_signals(program)
        self.nets = np.array([net for nets in signals.values() for net in nets], np.int32)
        self._file = waves.path.open("w")
        self._vcd = VCDWriter(self._file, timescale="1 ns", version="bnnhw")
        self._clock = self._vcd.register_var("top", "clk", "wire", size=1, init=0)
        self._variables = []
        for name, nets in signals.items():
            *scope, leaf = name.split(".")
            scope = ".".join(["top", *scope])
            self._variables.append(self._vcd.register_var(scope, leaf, "wire", size=len(nets), init=0))
        self._bounds = np.cumsum([0, *map(len, signals.values())])  # of each variable's nets
        self._last = np.zeros(len(self.nets), np.uint8)

    def __enter__(self) -> "WaveWriter":
        return self

    def __exit__(self, *_) -> None:
        with closing(self._file):
            self._vcd.close(self.cycle * CYCLE_NS)

    def wanted(self) -> int:
        """How many cycles from now on are wanted: a negative number says how many to skip before."""
        if self.cycle < self.waves.first:
            return self.cycle - self.waves.first
        return max(0, self.waves.first + self.waves.count - self.cycle)

    def add(self, trace: np.ndarray) -> None:
        """The next cycles: (cycles, nets) values of `nets`."""
        previous = np.vstack([self._last[None], trace[:-1]])
        changed = np.logical_or.reduceat(trace != previous, self._bounds[:-1], axis=1)
        for row, changes in zip(trace, changed, strict=True):
            time = self.cycle * CYCLE_NS
            if self.cycle != self.waves.first:
                self._vcd.change(self._clock, time, 0)
            for number in np.flatnonzero(changes):
                bits = row[self._bounds[number] : self._bounds[number + 1]]
                value = int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")
                self._vcd.change(self._variables[number], time, value)
            self._vcd.change(self._clock, time + CYCLE_NS // 2, 1)
            self.cycle += 1
        self._last = trace[-1]
