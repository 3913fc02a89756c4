"""An operator as data: instructions on integers in an order in which they can be run, and what they mean.

Nothing here knows ranges or widths: an integer is any integer, as in Python. `ranges.py` says what each can be.

Tests: tests/hls/test_operator.py
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MEANINGS", "Instruction", "Meaning", "Program", "State", "needed_of", "run", "run_beats", "values_of"]

Attribute = int | tuple[int, ...] | None


@dataclass(frozen=True)
class Instruction:
    """`op` of the results of other instructions, `args` by their numbers, and of an attribute.

    attribute: a constant's value, an input's or a state's number, a shift's distance, a table's entries; (every, count)
    of a counter, which is (beat // every) % count, beats counted in a frame; of a product in a schedule how many
    registers are inside of its multiplier. place: the author's line.
    """

    op: str
    args: tuple[int, ...] = ()
    attribute: Attribute = None
    place: str = field(default="", compare=False)


@dataclass(frozen=True)
class State:
    """What is kept from beat to beat: `init` at first, then the result of the instruction `following` a beat before."""

    init: int
    following: int


@dataclass(frozen=True)
class Program:
    """Instructions, each of which reads those before it, and the numbers of those that make the results."""

    instructions: tuple[Instruction, ...]
    outputs: tuple[int, ...]
    states: tuple[State, ...] = ()

    @property
    def inputs(self) -> int:
        """How many values it reads."""
        return sum(instruction.op == "input" for instruction in self.instructions)

    @property
    def followings(self) -> dict[int, int]:
        """Of each instruction that reads a state, the one that makes its next value."""
        return {
            number: self.states[each.attribute].following
            for number, each in enumerate(self.instructions)
            if each.op == "state" and isinstance(each.attribute, int)
        }


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
"""By op, but for `input`, `state` and `counter`."""


def needed_of(
    instructions: Sequence[Instruction], outputs: Sequence[int], states: Sequence[State] = ()
) -> tuple[Program, list[int]]:
    """(the program of these results and states, without what they do not need but for the inputs and states; the
    numbers of what is left)."""
    needed = {*outputs, *(state.following for state in states)}
    for number in reversed(range(len(instructions))):
        if number in needed:
            needed |= set(instructions[number].args)
    kept = [number for number, each in enumerate(instructions) if number in needed or each.op in ("input", "state")]
    place = {number: position for position, number in enumerate(kept)}
    renumbered = (
        replace(instructions[number], args=tuple(place[arg] for arg in instructions[number].args)) for number in kept
    )
    kept_states = tuple(State(state.init, place[state.following]) for state in states)
    return Program(tuple(renumbered), tuple(place[number] for number in outputs), kept_states), kept


def run(program: Program, inputs: Sequence[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
    """The results for int64 inputs of shapes that broadcast: the second of the two ways to compute an operator, beside
    the author's function itself. The program has no states."""
    assert not program.states
    values = values_of(program, inputs, [])
    return list(np.broadcast_arrays(*(values[number] for number in program.outputs), *inputs)[: len(program.outputs)])


def run_beats(program: Program, beats: NDArray[np.int64], *, period: int) -> NDArray[np.int64]:
    """The results (.., beats, outputs) of a frame's beats (.., beats, inputs), one after the other. States begin anew
    each `period` beats."""
    states: list[Any] = []
    results = np.zeros((*beats.shape[:-1], len(program.outputs)), np.int64)
    for beat in range(beats.shape[-2]):
        if beat % period == 0:
            states = [np.int64(state.init) for state in program.states]
        values = values_of(program, list(np.moveaxis(beats[..., beat, :], -1, 0)), states, beat)
        states = [values[state.following] for state in program.states]
        for position, number in enumerate(program.outputs):
            results[..., beat, position] = values[number]
    return results


def values_of(program: Program, inputs: Sequence[Any], states: Sequence[Any], beat: int = 0) -> list[Any]:
    """Of each instruction its result."""
    values: list[Any] = []
    for each in program.instructions:
        match each.op, each.attribute:
            case "input", int(number):
                values.append(inputs[number])
            case "state", int(number):
                values.append(states[number])
            case "counter", (every, count):
                values.append(np.int64(beat // every % count))
            case _:
                arguments = [values[number] for number in each.args]
                values.append(MEANINGS[each.op].apply(each.attribute, *arguments))
    return values
