"""Whether a function computes each pixel by itself: numpy gives it all pixels at once, and hardware one.

Tests: tests/hls/test_arrays.py
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from .arrays import Values
from .errors import OperatorError, place_of_function
from .program import Instruction
from .value import Tape, Value

__all__ = ["Crowd"]

PIXELS = (2, 3, 2, 2)
"""How many there are along each axis: more than one, so that what mixes pixels shows."""


class Crowd:
    """Many pixels, for which a function is written down once more: what it does for each must be what it does for one.

    alone: what it does for one. axes: the pixels' own, behind all others.
    """

    def __init__(self, alone: Tape, axes: int):
        self.alone = alone
        self.tape = Tape()
        self.pixels = PIXELS[:axes]
        self._ids = np.arange(prod(self.pixels)).reshape(self.pixels)
        self._known: list[tuple[int, int | None]] = []
        """Of each instruction the pixels that are its own, a bit each, and the same one for a pixel alone."""

    def of(self, values: Sequence[Value], lead: tuple[int, ...] = (), *, by_channel: bool = False) -> Values:
        """What these are of one pixel, of all: (*lead, *pixels), or (*lead, channels) by channel."""
        seen = self.pixels[-1:] if by_channel else self.pixels
        made = []
        for value in values:
            source = self.alone.instructions[value.number]
            for index in np.ndindex(seen):
                self.tape.add(source.op, attribute=(source.attribute, *index))
                self._known.append((sum(1 << int(one) for one in self._ids[(..., *index)].ravel()), value.number))
                made.append(Value(self.tape, len(self._known) - 1))
        return Values.of(made, (*lead, *seen))

    def check(self, expected: Sequence[Value], found: Sequence[Any], function: Callable[..., Any]) -> None:
        """OperatorError where results for all pixels are not those of each alone."""
        if len(expected) != len(found):
            raise self._mixed(function)
        for one, results in zip(expected, found, strict=True):
            try:
                spread = np.broadcast_to(np.asarray(results, object), self.pixels)
            except ValueError:
                raise self._mixed(function) from None
            for pixel, result in enumerate(spread.ravel()):
                number = self.tape.value(result).number
                self._follow()
                own, same = self._known[number]
                if not own >> pixel & 1 or same != one.number:
                    raise self._mixed(function, number)

    def _follow(self) -> None:
        """Finds of each new instruction what is known of it."""
        for each in self.tape.instructions[len(self._known) :]:
            own, args = (1 << self._ids.size) - 1, []
            for arg in each.args:
                own, same = own & self._known[arg][0], self._known[arg][1]
                args.append(-1 if same is None else same)
            self._known.append((own, self.alone.number_of(Instruction(each.op, tuple(args), each.attribute))))

    def _mixed(self, function: Callable[..., Any], number: int | None = None) -> OperatorError:
        """The error, at the first instruction that is of several pixels, or of how many there are."""
        place = place_of_function(function)
        while number is not None and self.tape.instructions[number].args:
            own, same = self._known[number]
            if not own or same is None:
                place = self.tape.instructions[number].place
            args = self.tape.instructions[number].args
            number = next((arg for arg in args if not self._known[arg][0] or self._known[arg][1] is None), None)
        return OperatorError(
            f"{place}: what is computed for a pixel depends on other pixels, or on how many there are; the last "
            f"{len(self.pixels)} axes are the pixels': leave them as they are, name another axis, as in np.sort(w, "
            "axis=0), and take neighbours by hls.window"
        )
