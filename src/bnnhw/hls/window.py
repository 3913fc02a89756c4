"""Operators on the window around each pixel.

Tests: tests/hls/test_kinds.py
"""

from dataclasses import dataclass
from math import prod
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .errors import OperatorError
from .intervals import Span
from .program import Program
from .stateless import Pair, Stateless

__all__ = ["BORDERS", "Border", "Window"]

Border = Literal["constant", "edge", "reflect", "symmetric"]
BORDERS = ("constant", "edge", "reflect", "symmetric")
"""As np.pad has them."""


@dataclass(frozen=True, kw_only=True)
class Window(Stateless):
    """Some rows and columns around each pixel, of one channel or of all.

    Attributes
    ----------
    kernel, stride
        Rows and columns.
    padding
        (top, bottom), (left, right): rows and columns beyond the image, as np.pad has them; `border` says what they
        are, a `value` where it is "constant".
    per_channel
        Whether the function sees one channel, [row, column], or all, [row, column, channel].
    phase
        The function is given its pixel's row and column modulo this, too, where it is not (1, 1).
    """

    NAME, SEEN = "window", "w"

    kernel: Pair
    stride: Pair = (1, 1)
    padding: tuple[Pair, Pair] = ((0, 0), (0, 0))
    border: Border = "constant"
    value: int = 0
    per_channel: bool = True
    phase: Pair = (1, 1)

    def __post_init__(self) -> None:
        for what, pair in (("kernel", self.kernel), ("stride", self.stride), ("phase", self.phase)):
            if len(pair) != 2 or min(pair) < 1:
                raise OperatorError(f"{what}={pair} must be two numbers of at least 1")
        if self.border not in BORDERS:
            raise OperatorError(f"border={self.border!r} must be one of {', '.join(BORDERS)}")
        for pads, taps in zip(self.padding, self.kernel, strict=True):
            if min(pads) < 0 or max(pads) >= taps:
                raise OperatorError(
                    f"padding={self.padding} must be at least 0 and less than the kernel, {self.kernel}"
                )

    def lead(self, channels: int) -> tuple[int, ...]:
        return self.kernel if self.per_channel else (*self.kernel, channels)

    def size(self, height: int, width: int) -> Pair:
        found = []
        for size, taps, step, pads, name in zip(
            (height, width), self.kernel, self.stride, self.padding, ("rows", "columns"), strict=True
        ):
            least = {"reflect": max(pads) + 1, "symmetric": max(pads)}.get(self.border, 1)
            if size + sum(pads) < taps or size < least:
                raise OperatorError(
                    f"an image of {size} {name} has no window of {taps} with padding {pads} ({self.border}); take a "
                    "larger image or a smaller window"
                )
            found.append((size + sum(pads) - taps) // step + 1)
        return super().size(*found)

    def elements(self, images: NDArray[Any]) -> list[NDArray[Any]]:
        height, width = self.size(*images.shape[1:3])
        fill: dict[str, Any] = {"constant_values": self.value} if self.border == "constant" else {}
        padded: Any = np.pad(images, ((0, 0), *self.padding, (0, 0)), mode=self.border, **fill)
        (down, right), taps = self.stride, []
        for row, column in np.ndindex(*self.kernel):
            rows, columns = slice(row, row + down * height, down), slice(column, column + right * width, right)
            tap = padded[:, rows, columns][:, :height, :width]
            taps += [tap] if self.per_channel else list(np.moveaxis(tap, -1, 0))
        return taps

    @property
    def is_padded(self) -> bool:
        """Whether there are values of its own beyond the border."""
        return self.border == "constant" and any(map(sum, self.padding))

    def outside(self, span: Span) -> Span:
        if not self.is_padded:
            return span
        return min(span[0], self.value), max(span[1], self.value)

    def parameters(self, program: Program) -> int:
        if not self.per_channel and (program.inputs - 2 * self.has_phases) % prod(self.kernel):
            return -1
        return super().parameters(program)

    def channels(self, program: Program) -> int | None:
        return None if self.per_channel else (program.inputs - 2 * self.has_phases) // prod(self.kernel)
