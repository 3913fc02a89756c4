"""Operators one after the other, with the image that they begin with: a core of operators alone.

Tests: tests/operators/test_chains.py
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import OperatorError
from .intervals import Span
from .kind import Shape
from .operator import Operator
from .rearrange import Rearrangement
from .traced import Traced

__all__ = ["Chain", "chain", "span_of"]

WIDEST_INPUT = 16
"""Bits of a pixel."""


@dataclass(frozen=True)
class Chain:
    """Operators one after the other. Called with images (N, H, W, C), or one (H, W, C), of integers it is the
    reference, in int64.

    shape, span: of the images, and the least and greatest value in them.
    """

    operators: tuple[Operator | Rearrangement, ...]
    shape: Shape
    span: Span

    def __call__(self, images: Any) -> NDArray[np.int64]:
        for operator in self.operators:
            images = operator(images)
        return images

    def traced(self) -> list[tuple[str, Traced | Rearrangement]]:
        """Each operator's name, and what it does. OperatorError names the line that has no hardware."""
        found: list[tuple[str, Traced | Rearrangement]] = []
        shape = self.shape
        for operator in self.operators:
            data = operator.traced(shape[2]) if isinstance(operator, Operator) else operator
            found.append((operator.name, data))
            shape = data.shape(shape)
        return found


def chain(*operators: Operator | Rearrangement, size: Sequence[int], input: str | Span = "u8") -> Chain:
    """Operators one after the other, for images of this size, (height, width, channels) or (height, width) of one
    channel. `input` is "u8", "u12", "s8", .. or the least and greatest value.

    >>> from bnnhw import hls
    >>> @hls.pointwise
    ... def halved(x):
    ...     return x >> 1
    >>> dark = hls.chain(halved, halved, size=(2, 2), input="u8")
    >>> dark(np.array([[[255], [4]], [[3], [0]]])).ravel().tolist()
    [63, 1, 0, 0]
    """
    strangers = [each for each in operators if not isinstance(each, Operator | Rearrangement)]
    if not operators or strangers:
        wrong = repr(strangers[0]) if strangers else "none"
        raise OperatorError(f"a chain must have operators, made by @hls.pointwise, @hls.window, .., not {wrong:.60}")
    sizes = (*size, 1) if len(size) == 2 else tuple(size)
    if len(sizes) != 3 or not all(isinstance(each, int) and each > 0 for each in sizes):
        raise OperatorError(f"size={size!r} must be (height, width, channels)")
    return Chain(operators, (sizes[0], sizes[1], sizes[2]), span_of(input))


def span_of(text: str | Span) -> Span:
    """The range of "u8" (0 to 255), "s4" (-8 to 7), ..; or the given one."""
    if isinstance(text, str) and (found := re.fullmatch(r"([us])(\d+)", text)):
        bits = int(found[2])
        if 1 <= bits <= WIDEST_INPUT:
            return (0, 2**bits - 1) if found[1] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    elif isinstance(text, tuple) and len(text) == 2 and text[0] < text[1]:
        return text
    raise OperatorError(
        f"input={text!r} must be u or s and 1 to {WIDEST_INPUT} bits, as in u8, or the least and greatest value"
    )
