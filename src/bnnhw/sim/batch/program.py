"""The program of the bit-parallel engine: gates in an order of evaluation, flip-flops and memories, as plain data."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Memory", "Program", "ReadPort", "WritePort"]


@dataclass(frozen=True)
class ReadPort:
    """data = memory[address], without a clock. The nets of the data follow each other, from `data` on."""

    memory: int
    address: list[int]
    data: int


@dataclass(frozen=True)
class WritePort:
    """memory[address] = data at the end of a cycle, for the bits whose enable is 1."""

    memory: int
    address: list[int]
    data: list[int]
    enable: list[int]


@dataclass(frozen=True)
class Memory:
    """`rows` (depth, ceil(width/64)) uint64: the initial contents, bit 0 lowest."""

    width: int
    rows: np.ndarray
    writable: bool


@dataclass(frozen=True)
class Program:
    """Nets are numbered: constants 0 and 1, inputs, flip-flops, data of read ports, gates.

    Attributes
    ----------
    gates : (n, 3) int32
        Input nets of each gate.
    steps : (m, 4) int32
        What is evaluated, in order: (0, table, first gate, count) or (1, read port, 0, 0).
    next : (flip-flops,) int32
        The net whose value a flip-flop takes over.
    reset : (flip-flops,) uint8
        Initial values.
    inputs, outputs, signals : dict
        Nets of ports and of named wires, lowest bit first.
    """

    first_flip_flop: int
    first_gate: int
    gates: np.ndarray
    steps: np.ndarray
    next: np.ndarray
    reset: np.ndarray
    memories: list[Memory]
    reads: list[ReadPort]
    writes: list[WritePort]
    inputs: dict[str, list[int]]
    outputs: dict[str, list[int]]
    signals: dict[str, list[int]]

    @property
    def ports(self) -> dict[str, list[int]]:
        """Nets of inputs and outputs."""
        return {**self.inputs, **self.outputs}

    @property
    def nets(self) -> int:
        """Nets in all."""
        return self.first_gate + len(self.gates)
