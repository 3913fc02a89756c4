"""How long an engine takes for a program: exactly, before anything runs.

Tests: tests/compiler/engine/test_compile.py
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bnnhw.hw.targets import BLOCK_RAM_LATENCY

from .engine_shape import LEAST_BEATS, EngineShape
from .program.instruction import Layer, instruction_words, layer_layout
from .program.transfer import Transfer, transfer_cycles, transfer_layout

__all__ = ["layer_cycles", "program_cycles"]

_END = BLOCK_RAM_LATENCY + 2
"""Cycles from the last instruction's end until the list has ended."""


def layer_cycles(shape: EngineShape, layer: Layer) -> int:
    """Cycles from a layer's start: its first tile's place, its beats, and until all its bits can be read."""
    return LEAST_BEATS + layer.tiles * layer.beats + shape.drain + 2


def program_cycles(shape: EngineShape, layers: Sequence[Layer], transfers: Sequence[Transfer] = ()) -> int:
    """Cycles of a program, as an answer to RUN says them.

    Raises ValueError where both lists wait for each other.
    """
    lists = [_List(instruction_words(layer_layout(shape)), layers, lambda layer: layer_cycles(shape, layer))]
    if shape.external is not None:
        words = instruction_words(transfer_layout(shape))
        lists.append(_List(words, transfers, lambda transfer: transfer_cycles(shape, transfer) + 3))
    while not all(each.has_ended for each in lists):
        if not any(each.goes_on(lists[(number + 1) % len(lists)]) for number, each in enumerate(lists)):
            raise ValueError("layers and transfers wait for each other")
    return max(each.ends[-1] for each in lists) + _END


@dataclass
class _List:
    """Instructions, and the cycles in which they end; the first one counts as the end of one before."""

    words: int
    instructions: Sequence[Layer] | Sequence[Transfer]
    cycles: Callable
    ends: list[int] = field(default_factory=lambda: [1])

    @property
    def has_ended(self) -> bool:
        return len(self.ends) > len(self.instructions)

    def goes_on(self, others: "_List") -> bool:
        """As many instructions as begin before one that the other list has not ended; whether there are any."""
        before = len(self.ends)
        while not self.has_ended:
            instruction = self.instructions[len(self.ends) - 1]
            if instruction.behind >= len(others.ends):
                break
            waits = self.ends[-1] + BLOCK_RAM_LATENCY + self.words
            if instruction.behind:
                waits = max(waits, others.ends[instruction.behind] + 1)
            self.ends.append(waits + 1 + self.cycles(instruction))
        return len(self.ends) > before
