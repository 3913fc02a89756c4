"""Operators without a state: on an element, or on all channels of a pixel.

A function gets an array with its own axes first and the pixels' behind, so that the same code computes all pixels in
numpy and one in hardware.

Tests: tests/hls/test_kinds.py
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .alone import Crowd
from .arrays import Values
from .errors import OperatorError, naming_the_line
from .intervals import Span
from .kind import Kind, Parameters, Shape, flat_values, results_of
from .program import Program, run
from .ranges import Builder
from .value import Tape, where

__all__ = ["Groupwise", "Pixelwise", "Pointwise", "Stateless"]

Pair = tuple[int, int]


class Stateless(Kind):
    """y = f(what is seen of a pixel).

    A program's inputs are the elements of what is seen, then the pixel's row and column modulo `phase` where that is
    not (1, 1), then the parameters.
    """

    SEEN: ClassVar[str]
    """What a function calls what it sees."""

    phase: Pair = (1, 1)
    """Every so many rows and columns what the function does is the same."""

    @property
    def group(self) -> int:
        """How many neighbouring channels a result sees; 0 for all of a pixel."""
        return 1 if self.per_channel else 0

    @abstractmethod
    def lead(self, channels: int) -> tuple[int, ...]:
        """The axes of its own of what the function sees in an image of so many channels."""

    @abstractmethod
    def elements(self, images: NDArray[Any]) -> list[NDArray[Any]]:
        """What the function sees, one after the other, each for all pixels."""

    def given(self, seen: Any) -> tuple[Any, ...]:
        """What a function is called with where it sees this."""
        return (seen,)

    def outside(self, span: Span) -> Span:
        """The range of what is seen where that of the image is this one."""
        return span

    def size(self, height: int, width: int) -> Pair:
        """Height and width of the result. OperatorError where there is none."""
        if height % self.phase[0] or width % self.phase[1]:
            raise OperatorError(
                f"a result of {height} x {width} is no whole number of phases {self.phase}; crop or pad the image"
            )
        return height, width

    @property
    def arguments(self) -> tuple[str, ...]:
        return (self.SEEN, "row", "column") if self.has_phases else (self.SEEN,)

    @property
    def axes(self) -> int:
        """Axes of the pixels: N, H, W, and C where not all channels are seen at once."""
        return 4 if self.group else 3

    @property
    def has_phases(self) -> bool:
        return self.phase != (1, 1)

    def reference(
        self, function: Callable[..., Any], images: NDArray[np.int64], parameters: Mapping[str, Any]
    ) -> NDArray[np.int64]:
        elements = self.elements(images)
        pixels = elements[0].shape
        lead = self.lead(images.shape[-1])
        seen = np.stack(elements).reshape(*lead, *pixels) if lead else elements[0]
        self.size(*pixels[1:3])
        results: list[NDArray[np.int64]] = []
        for row, column in np.ndindex(*self.phase):
            place = (..., slice(row, None, self.phase[0]), slice(column, None, self.phase[1]))
            place = (*place, slice(None)) if self.group else place
            phases = (row, column) if self.has_phases else ()
            found = results_of(function(*self.given(seen[place]), *phases, **parameters), self.axes)
            if not results:
                results = [np.zeros(pixels, np.int64) for _ in found]
            for result, each in zip(results, found, strict=True):
                result[place] = each
        return self._gathered(results)

    def _gathered(self, results: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
        """Results, each for all pixels, as images: those of a channel side by side."""
        images = np.stack(results, -1)
        return images.reshape(*images.shape[:3], -1)

    def trace(self, function: Callable[..., Any], channels: int, parameters: Sequence[str]) -> Program:
        lead = self.lead(channels)
        count = prod(lead)
        tape = Tape()
        inputs = [tape.add("input", attribute=n) for n in range(count + 2 * self.has_phases + len(parameters))]
        seen, constants = inputs[:count], inputs[len(inputs) - len(parameters) :]
        one = Values.of(seen, (*lead, *(1,) * self.axes)) if lead else seen[0]
        of_one = {
            name: Values.of([each], (1,)) if lead else each for name, each in zip(parameters, constants, strict=True)
        }
        crowd = Crowd(tape, self.axes)
        many = crowd.of(seen, lead)
        of_many = {name: crowd.of([each], by_channel=True) for name, each in zip(parameters, constants, strict=True)}
        chosen: list[Any] = []
        with naming_the_line(function):
            for row, column in np.ndindex(*self.phase):
                phases = (row, column) if self.has_phases else ()
                found = flat_values(tape, results_of(function(*self.given(one), *phases, **of_one), self.axes))
                crowd.check(found, results_of(function(*self.given(many), *phases, **of_many), self.axes), function)
                if chosen and len(chosen) != len(found):
                    raise OperatorError(f"{len(found)} results in phase {phases}, and {len(chosen)} in others")
                if chosen:
                    here = (inputs[count] == row) & (inputs[count + 1] == column)
                    found = [where(here, this, other) for this, other in zip(found, chosen, strict=True)]
                chosen = found
        return tape.program(*chosen)

    def run(self, program: Program, images: NDArray[np.int64], parameters: Parameters) -> NDArray[np.int64]:
        elements = self.elements(images)
        pixels = elements[0].shape
        self.size(*pixels[1:3])
        inputs = list(elements)
        if self.has_phases:
            places = np.ix_(*(np.arange(size) % each for size, each in zip(pixels[1:3], self.phase, strict=True)))
            inputs += [place.reshape(1, *place.shape, *(1,) * bool(self.group)) for place in places]
        inputs += [np.array(each, np.int64) for each in parameters]
        return self._gathered([np.broadcast_to(each, pixels) for each in run(program, inputs)])

    def parameters(self, program: Program) -> int:
        if program.states:
            return -1
        return program.inputs - prod(self.lead(1)) - 2 * self.has_phases if self.per_channel else 0

    def shape(self, shape: Shape, program: Program) -> Shape:
        height, width, channels = shape
        results = len(program.outputs)
        if self.group and channels % self.group:
            raise OperatorError(f"{channels} channels are no whole number of groups of {self.group}")
        return *self.size(height, width), channels // self.group * results if self.group else results

    def range(self, program: Program, span: Span, step: int, shape: Shape, parameters: Parameters) -> Span:
        builder = Builder()
        seen, step = self.outside(span), step if self.outside(span) == span else 1
        elements = builder.coded(program.inputs - 2 * self.has_phases - len(parameters), seen, step)
        if self.has_phases:
            elements += [builder.counter(1 << number, each) for number, each in enumerate(self.phase)]
        return builder.range_of(builder.replay_by_channel(program, elements, parameters))


@dataclass(frozen=True)
class Pointwise(Stateless):
    """An element by itself; or the same element of several images, which come as one array (streams, N, H, W, C)."""

    NAME, SEEN = "pointwise", "x"

    streams: int = 1

    @property
    def arguments(self) -> tuple[str, ...]:
        return ("x", "y", "z")[: self.streams] if self.streams <= 3 else tuple(f"x{n}" for n in range(self.streams))

    def lead(self, channels: int) -> tuple[int, ...]:
        return () if self.streams == 1 else (self.streams,)

    def elements(self, images: NDArray[Any]) -> list[NDArray[Any]]:
        return [images] if self.streams == 1 else list(images)

    def given(self, seen: Any) -> tuple[Any, ...]:
        return (seen,) if self.streams == 1 else tuple(seen)


@dataclass(frozen=True)
class Pixelwise(Stateless):
    """All channels of a pixel."""

    NAME, SEEN = "pixelwise", "pixel"

    per_channel = False

    def lead(self, channels: int) -> tuple[int, ...]:
        return (channels,)

    def elements(self, images: NDArray[Any]) -> list[NDArray[Any]]:
        return list(np.moveaxis(images, -1, 0))

    def channels(self, program: Program) -> int | None:
        return program.inputs


@dataclass(frozen=True)
class Groupwise(Stateless):
    """The channels of a pixel in groups of so many `members`, neighbours, each group by itself."""

    NAME, SEEN = "groupwise", "group"

    per_channel = False

    members: int

    @property
    def group(self) -> int:
        return self.members

    def lead(self, channels: int) -> tuple[int, ...]:
        return (self.members,)

    def elements(self, images: NDArray[Any]) -> list[NDArray[Any]]:
        return list(np.moveaxis(images.reshape(*images.shape[:-1], -1, self.members), -1, 0))
