"""An operator as data: instructions on integers in an order in which they can be run, and what they mean.

Nothing here knows ranges or widths: an integer is any integer, as in Python. `ranges.py` says what each can be.

Tests: tests/hls/test_operator.py
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MEANINGS", "Instruction", "Meaning", "Program", "needed_of", "run"]

Attribute = int | tuple[int, ...] | None


@dataclass(frozen=True)
class Instruction:
    """`op` of the results of other instructions, `args` by their numbers, and of an attribute.

    attribute: a constant's value, an input's number, a shift's distance, a table's entries. place: the author's line.
    """

    op: str
    args: tuple[int, ...] = ()
    attribute: Attribute = None
    place: str = field(default="", compare=False)


@dataclass(frozen=True)
class Program:
    """Instructions, each of which reads those before it, and the numbers of those that make the results."""

    instructions: tuple[Instruction, ...]
    outputs: tuple[int, ...]

    @property
    def inputs(self) -> int:
        """How many values it reads."""
        return sum(instruction.op == "input" for instruction in self.instructions)


@dataclass(frozen=True)
class Meaning:
    """What an op does to int64 arrays, and how many it reads. Comparisons give 0 and 1."""

    arity: int
    apply: Callable[..., Any]


MEANINGS: Mapping[str, Meaning] = {
    "const": Meaning(0, lambda attribute: np.int64(attribute)),
    "add": Meaning(2, lambda _, a, b: a + b),
    "sub": Meaning(2, lambda _, a, b: a - b),
    "mul": Meaning(2, lambda _, a, b: a * b),
    "shl": Meaning(1, lambda distance, a: a << distance),
    "shr": Meaning(1, lambda distance, a: a >> distance),
    "and": Meaning(2, lambda _, a, b: a & b),
    "or": Meaning(2, lambda _, a, b: a | b),
    "xor": Meaning(2, lambda _, a, b: a ^ b),
    "ge": Meaning(2, lambda _, a, b: np.int64(1) * (a >= b)),
    "eq": Meaning(2, lambda _, a, b: np.int64(1) * (a == b)),
    "mux": Meaning(3, lambda _, condition, a, b: np.where(condition != 0, a, b)),
    "table": Meaning(1, lambda entries, a: np.asarray(entries, np.int64)[a]),
}
"""By op, but for `input`."""


def needed_of(instructions: Sequence[Instruction], outputs: Sequence[int]) -> tuple[Program, list[int]]:
    """(the program of these results, without what they do not need but for the inputs; the numbers of what is left)."""
    needed = set(outputs)
    for number in reversed(range(len(instructions))):
        if number in needed:
            needed |= set(instructions[number].args)
    kept = [number for number, each in enumerate(instructions) if number in needed or each.op == "input"]
    place = {number: position for position, number in enumerate(kept)}
    renumbered = (
        replace(instructions[number], args=tuple(place[arg] for arg in instructions[number].args)) for number in kept
    )
    return Program(tuple(renumbered), tuple(place[number] for number in outputs)), kept


def run(program: Program, inputs: Sequence[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
    """The results for int64 inputs of shapes that broadcast: the second of the two ways to compute an operator, beside
    the author's function itself."""
    values: list[Any] = []
    for instruction in program.instructions:
        if instruction.op == "input":
            assert isinstance(instruction.attribute, int)
            values.append(inputs[instruction.attribute])
        else:
            arguments = [values[number] for number in instruction.args]
            values.append(MEANINGS[instruction.op].apply(instruction.attribute, *arguments))
    return list(np.broadcast_arrays(*(values[number] for number in program.outputs), *inputs)[: len(program.outputs)])
