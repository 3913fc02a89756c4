"""What a network answers: an array, or a tuple of them where it has several outputs, as torch's modules do.

Tests: tests/test_images_out.py
"""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

__all__ = ["Answers", "arrays_of", "as_answers"]

Answers = NDArray[Any] | tuple[NDArray[Any], ...]


def as_answers(arrays: Sequence[NDArray[Any]]) -> Answers:
    """The answers whose arrays, one for each output, are these."""
    return arrays[0] if len(arrays) == 1 else tuple(arrays)


def arrays_of(answers: Answers) -> tuple[NDArray[Any], ...]:
    """One array for each output."""
    return answers if isinstance(answers, tuple) else (answers,)
