"""An operator as data: its kind, what its function does, and its parameters.

Tests: tests/hls/test_kinds.py
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import OperatorError
from .intervals import Span
from .kind import Kind, Parameters, Shape
from .program import Program

__all__ = ["Traced"]


@dataclass(frozen=True)
class Traced:
    """What stays of an operator without its function.

    parameters: of each its value for each channel.
    """

    kind: Kind
    program: Program
    parameters: Parameters = ()

    @classmethod
    def checked(cls, kind: Kind, program: Program, parameters: Sequence[int]) -> "Traced":
        """Of a stranger's parts, the parameters in a row: channel by channel. OperatorError where they do not fit."""
        count = kind.parameters(program)
        if count < 0 or len(parameters) % max(1, count) or bool(parameters) != bool(count):
            raise OperatorError(
                f"a {kind.NAME} operator of {program.inputs} inputs and {len(program.states)} states has "
                f"{len(parameters)} parameters, which do not fit it"
            )
        return cls(kind, program, tuple(tuple(parameters[number::count]) for number in range(count)))

    @property
    def parameters_in_a_row(self) -> list[int]:
        """The parameters channel by channel, as `checked` takes them."""
        return [value for channel in zip(*self.parameters, strict=True) for value in channel]

    @property
    def channels(self) -> int | None:
        """Of an image that it is for; None where it is for any number."""
        return len(self.parameters[0]) if self.parameters else self.kind.channels(self.program)

    def run(self, images: NDArray[Any]) -> NDArray[np.int64]:
        """The instructions, run on images (N, H, W, C) of integers, or (streams, N, H, W, C) of several streams."""
        self.check(images.shape[-1])
        return self.kind.run(self.program, images.astype(np.int64), self.parameters)

    def shape(self, shape: Shape) -> Shape:
        """Of the result for an image of this shape. OperatorError where there is none."""
        self.check(shape[2])
        return self.kind.shape(shape, self.program)

    def range(self, span: Span, step: int, shape: Shape) -> Span:
        """What results can be for integers lo + step*n of this range in an image of this shape."""
        return self.kind.range(self.program, span, step, shape, self.parameters)

    def check(self, channels: int) -> None:
        """OperatorError where it is not for so many channels."""
        if self.channels not in (None, channels):
            raise OperatorError(f"a {self.kind.NAME} operator for {self.channels} channels cannot read {channels}")
