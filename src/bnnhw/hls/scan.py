"""Operators with a state, along the channels of a pixel, a row, or the raster of a frame.

Tests: tests/hls/test_scan.py
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from .alone import Crowd
from .arrays import Values
from .errors import OperatorError, naming_the_line
from .intervals import Span
from .kind import Kind, Parameters, Shape, flat_values, results_of
from .program import Program, State, run_beats
from .ranges import Builder
from .reach import reach_of
from .value import Tape

__all__ = ["OVER", "Over", "Reduction", "Scan"]

Over = Literal["pixel", "row", "frame"]
OVER = ("pixel", "row", "frame")
AXES = 3
"""Of what a function is given at once: a pixel of all rows and channels, or of all frames; a channel of all pixels."""


@dataclass(frozen=True, kw_only=True)
class Scan(Kind):
    """state, y = f(state, x) for one x after the other; the state begins anew with each pixel, row or frame.

    Attributes
    ----------
    over
        What x goes along: "pixel", its channels; "row" or "frame", the pixels of each channel.
    init
        The state at first; several where the function is given a sequence of them.
    """

    NAME = "scan"

    ends: ClassVar[bool] = False
    """Whether the result is what the state is at the end alone."""

    over: Over
    init: int | tuple[int, ...]

    def __post_init__(self) -> None:
        if self.over not in OVER:
            raise OperatorError(f"over={self.over!r} must be one of {', '.join(OVER)}")
        if self.init == ():
            raise OperatorError("init=() must have at least one number")

    @property
    def arguments(self) -> tuple[str, ...]:
        return "state", "x"

    @property
    def states(self) -> tuple[int, ...]:
        """The state at first, as several."""
        return self.init if isinstance(self.init, tuple) else (self.init,)

    def steps(self, shape: Shape) -> int:
        """How many x there are before the state begins anew."""
        height, width, channels = shape
        return {"pixel": channels, "row": width, "frame": height * width}[self.over]

    def reference(
        self, function: Callable[..., Any], images: NDArray[np.int64], parameters: Mapping[str, Any]
    ) -> NDArray[np.int64]:
        steps = self.in_steps(images)
        state: Any = np.stack([np.full(steps.shape[1:], each, np.int64) for each in self.states])
        if isinstance(self.init, int):
            state = state[0]
        results = []
        for x in steps:
            state, found = self._called(function, state, x)
            results.append(np.stack([np.broadcast_to(each, x.shape) for each in found]).astype(np.int64))
            state = np.stack([np.broadcast_to(each, x.shape) for each in state]).astype(np.int64)
            if isinstance(self.init, int):
                state = state[0]
        return self.as_images(np.stack(results), images.shape)

    def _called(self, function: Callable[..., Any], state: Any, x: Any) -> tuple[list[Any], list[Any]]:
        """The next states and the results."""
        returned = function(state, x)
        if self.ends:
            following = found = results_of(returned, AXES)
        else:
            if not isinstance(returned, tuple) or len(returned) != 2:
                raise OperatorError("a scan must return two things, the next state and the result")
            following, found = (results_of(each, AXES) for each in returned)
        if len(following) != len(self.states):
            raise OperatorError(f"the next state has {len(following)} numbers, and init={self.init} {len(self.states)}")
        return following, found

    def in_steps(self, images: NDArray[np.int64]) -> NDArray[np.int64]:
        """(steps, ..) of AXES axes each."""
        if self.over == "pixel":
            return np.moveaxis(images, 3, 0)
        rows = images if self.over == "row" else images.reshape(len(images), 1, -1, images.shape[3])
        return np.moveaxis(rows, 2, 0)

    def as_images(self, results: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.int64]:
        """(steps, results, ..) as images: the results of a channel side by side."""
        count, height, width, _ = shape
        if self.ends:
            results = results[-1:]
            height, width = {"pixel": (height, width), "row": (height, 1), "frame": (1, 1)}[self.over]
        if self.over == "pixel":
            return np.moveaxis(results, (0, 1), (3, 4)).reshape(count, height, width, -1)
        return np.moveaxis(results, (0, 1), (2, 4)).reshape(count, height, width, -1)

    def trace(self, function: Callable[..., Any], channels: int, parameters: Sequence[str]) -> Program:
        if parameters:
            raise OperatorError(f"a {self.NAME} has no parameters by channel; multiply before it, by hls.pointwise")
        tape = Tape()
        x = tape.add("input", attribute=0)
        states = [tape.add("state", attribute=number) for number in range(len(self.states))]
        lead = () if isinstance(self.init, int) else (len(states),)
        with naming_the_line(function):
            one = (1,) * AXES
            following, found = self._called(function, Values.of(states, (*lead, *one)), Values.of([x], one))
            following, found = flat_values(tape, following), flat_values(tape, found)
            crowd = Crowd(tape, AXES)
            several = self._called(function, crowd.of(states, lead), crowd.of([x]))
            crowd.check(following, several[0], function)
            crowd.check(found, several[1], function)
        pairs = zip(self.states, following, strict=True)
        return tape.program(*found, states=[State(init, each.number) for init, each in pairs])

    def run(self, program: Program, images: NDArray[np.int64], parameters: Parameters) -> NDArray[np.int64]:
        steps = self.in_steps(images)
        beats = np.moveaxis(steps, 0, -1)[..., None]
        results = run_beats(program, beats, period=len(steps))
        return self.as_images(np.moveaxis(results, (-2, -1), (0, 1)), images.shape)

    def parameters(self, program: Program) -> int:
        return 0 if program.inputs == 1 and len(program.states) == len(self.states) else -1

    def shape(self, shape: Shape, program: Program) -> Shape:
        height, width, channels = shape
        results = len(program.outputs)
        if not self.ends:
            return height, width, channels * results
        return {
            "pixel": (height, width, results),
            "row": (height, 1, channels * results),
            "frame": (1, 1, channels * results),
        }[self.over]

    def range(self, program: Program, span: Span, step: int, shape: Shape, parameters: Parameters) -> Span:
        builder = Builder()
        known = reach_of(program, span, step, self.steps(shape))
        states = [builder.state(number, each) for number, each in enumerate(known.states)]
        outputs = builder.replay(program, builder.coded(1, span, step), states, known.results)
        return builder.range_of(outputs[: len(program.outputs)])


@dataclass(frozen=True, kw_only=True)
class Reduction(Scan):
    """state = f(state, x) for one x after the other; the result is the last state."""

    NAME = "reduction"

    ends = True
