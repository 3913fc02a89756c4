"""The tables of a program that stay in the engine from its begin to its end.

Tests: tests/compiler/engine/test_compile.py
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.errors import ScheduleError
from bnnhw.hw.engine.engine_shape import EngineShape
from bnnhw.hw.engine.program.instruction import Tap

__all__ = ["TapTable", "check_room"]


def check_room(count: int, room: int, what: str, name: str) -> None:
    """Raises ScheduleError where `count` is more than there is room for."""
    if count > room:
        raise ScheduleError(f"{count} {what} are more than the {name}={room} of this engine; take one with more")


class TapTable:
    """The taps of all layers, those that are alike once."""

    def __init__(self, shape: EngineShape):
        self.shape = shape
        self._words: list[int] = []
        self._begins: dict[tuple[Tap, ...], int] = {}

    def begin(self, taps: Sequence[Tap]) -> int:
        """Where these taps begin; they are added where they are not there yet."""
        key = tuple(taps)
        if key not in self._begins:
            self._begins[key] = len(self._words)
            self._words += [tap.word(self.shape) for tap in taps]
            check_room(len(self._words), self.shape.taps, "taps", "taps")
        return self._begins[key]

    @property
    def words(self) -> NDArray[np.uint32]:
        """As words of the bus."""
        return np.array(self._words, np.uint32)
