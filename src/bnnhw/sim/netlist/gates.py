"""Gates of three inputs, which all cells become.

A gate is (output, table, a, b, c): bit a + 2 b + 4 c of the 8-bit `table` is the output. Bits are integers as in yosys'
JSON netlists; 0 and 1 are the constants.

Tests: tests/sim/batch/test_program.py
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = [
    "AND",
    "ANDNOT",
    "BUFFER",
    "MAJORITY",
    "MUX",
    "NAND",
    "NOR",
    "NOT",
    "OR",
    "ORNOT",
    "XNOR",
    "XOR",
    "XOR3",
    "Bits",
    "Cell",
    "Gates",
]

NOT, BUFFER = 0x55, 0xAA
AND, OR, XOR, XNOR, NAND, NOR = 0x88, 0xEE, 0x66, 0x99, 0x77, 0x11
ANDNOT, ORNOT = 0x22, 0xBB  # a & ~b, a | ~b
MUX = 0xCA  # c ? b : a, spelled as table (a, b, c)
XOR3, MAJORITY = 0x96, 0xE8

Bits = Sequence[int]


@dataclass(frozen=True)
class Cell:
    """A cell of a netlist: its ports' bits, the parameters that are numbers and those that are texts."""

    name: str
    type: str
    ports: dict[str, list[int]]
    parameters: dict[str, int]
    texts: dict[str, str] = field(default_factory=dict)


@dataclass
class Gates:
    """Gates in the order of their making. New bits are numbered from `next_bit`."""

    next_bit: int
    gates: list[tuple[int, int, int, int, int]] = field(default_factory=list)

    def new_bit(self) -> int:
        """A bit that nothing drives yet."""
        self.next_bit += 1
        return self.next_bit - 1

    def add(self, table: int, a: int, b: int = 0, c: int = 0, output: int | None = None) -> int:
        """A gate; returns its output, a new bit where none is given."""
        if output is None:
            output = self.new_bit()
        self.gates.append((output, table, a, b, c))
        return output

    def reduce(self, table: int, bits: Bits) -> int:
        """A balanced tree of an associative gate of two inputs."""
        level = list(bits)
        while len(level) > 1:
            pairs = [self.add(table, a, b) for a, b in zip(level[::2], level[1::2], strict=False)]
            level = pairs + level[len(level) & ~1 :]
        return level[0]

    def add_carry(self, a: Bits, b: Bits, carry: int, outputs: Bits | None = None) -> int:
        """outputs = a + b + carry; returns the carry out."""
        for n, (x, y) in enumerate(zip(a, b, strict=True)):
            if outputs is not None:
                self.add(XOR3, x, y, carry, outputs[n])
            carry = self.add(MAJORITY, x, y, carry)
        return carry

    def invert(self, bits: Bits) -> list[int]:
        """Every bit inverted."""
        return [self.add(NOT, bit) for bit in bits]
