"""What the elements of a board's answer mean.

Tests: tests/boards/test_manifest.py
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

__all__ = ["AnswerError", "OutputFormat", "split_answer"]

KINDS = ("label", "values")


class AnswerError(ValueError):
    """What no core of a build answers; its text says what that is, and what a core may answer."""


@dataclass(frozen=True, kw_only=True)
class OutputFormat:
    """One output of a network, for a host.

    Attributes
    ----------
    name
        The graph's.
    kind
        "label", or "values": then value[.., c] = offsets[c] + scale * element[.., c].
    shape
        Of the output: [] for a label, [classes] for scores, [H, W, C] for an image.
    offsets, scale
        Of the channels.
    greatest
        The greatest element of an answer; None where it is not known.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    offsets: tuple[int, ...] = ()
    scale: int = 1
    greatest: int | None

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"kind={self.kind!r} must be one of {', '.join(map(repr, KINDS))}")
        if min(self.shape, default=1) < 1:
            raise ValueError(f"shape={self.shape} must hold sizes of at least 1")
        if (self.kind == "values" and not self.offsets) or (self.offsets and self.elements % len(self.offsets)):
            raise ValueError(f"offsets must be one for each channel of shape={self.shape}, not {len(self.offsets)}")

    @property
    def elements(self) -> int:
        """Elements of an answer."""
        return prod(self.shape)

    def decode(self, elements: NDArray[np.int64]) -> NDArray[np.int64]:
        """The answer, of `shape`, that these elements are. Raises AnswerError for what is too great."""
        if self.greatest is not None and (found := int(elements.max())) > self.greatest:
            if self.kind == "label":
                raise AnswerError(f"label {found}, where this build has {self.greatest + 1} classes, from 0 on")
            raise AnswerError(f"{found} for a value of {self.name!r}, where this build has 0 to {self.greatest}")
        if self.kind == "values":
            elements = np.array(self.offsets) + self.scale * elements.reshape(-1, len(self.offsets))
        return elements.reshape(self.shape)


def split_answer(elements: NDArray[np.int64], outputs: Sequence[OutputFormat]) -> tuple[NDArray[np.int64], ...]:
    """The answers of all outputs, whose elements come one after the other."""
    parts = np.split(elements, np.cumsum([output.elements for output in outputs])[:-1])
    return tuple(output.decode(part) for output, part in zip(outputs, parts, strict=True))
