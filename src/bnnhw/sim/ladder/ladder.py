"""The ladder of equality: the same images through one level after the other, from torch to the placed netlist.

A rung (level) is a way to compute the network's answers. Each is compared with the one below it, bit for bit; where two
differ, the first image, layer, pixel and channel with different values are named.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.answers import Answers, arrays_of

__all__ = ["Comparison", "Rung", "climb"]

Answering = Callable[[NDArray[Any]], Answers]
Trace = Callable[[NDArray[Any]], Mapping[str, NDArray[Any]]]


@dataclass(frozen=True)
class Rung:
    """A level of the network's way to hardware.

    Attributes
    ----------
    name : str
    answers : callable
        images (N, *shape) -> labels (N,), scores (N, classes) or images (N, *shape), or a tuple of these.
    trace : callable or None
        images (N, *shape) -> the values inside, (N, ...) by name, in order. What two rungs name alike means the same.
    as_below : callable or None
        Its answers -> what the rung below answers, where that is not the same: sums -> the float scores of them.
    """

    name: str
    answers: Answering
    trace: Trace | None = None
    as_below: Callable[[Answers], Answers] | None = None


@dataclass(frozen=True)
class Comparison:
    """One comparison: `upper` against `lower` on `samples` images, of which `differences` had other answers.

    `where` tells the first difference, None where there is none; `seconds` is the time that `upper` took to answer,
    `making_seconds` that to make it: for a core to elaborate and to compile it.
    """

    lower: str
    upper: str
    samples: int
    differences: int
    where: str | None
    seconds: float
    making_seconds: float


def climb(
    rungs: Iterable[Rung], images: NDArray[Any], *, on_rung: Callable[[str], None] = lambda name: None
) -> Iterator[Comparison]:
    """The steps of the ladder, each as soon as it is done. Stops after the first step with a difference.

    Rungs may be made while climbing: the next one is asked for when the last one has held.
    """
    lower: Rung | None = None
    expected: Answers = np.empty(0)
    started = time.perf_counter()
    for rung in rungs:
        on_rung(rung.name)
        made = time.perf_counter()
        answers = rung.answers(images)
        seconds = time.perf_counter() - made
        if lower is not None:
            differing = differing_images(expected, rung.as_below(answers) if rung.as_below else answers)
            where = describe_difference(lower, rung, images, differing) if len(differing) else None
            yield Comparison(lower.name, rung.name, len(images), len(differing), where, seconds, made - started)
            if len(differing):
                return
        lower, expected, started = rung, answers, time.perf_counter()


def differing_images(left: Answers, right: Answers) -> NDArray[np.intp]:
    """The indices of images with different answers; scores meet labels as their arg max, ties to the lowest class."""
    pairs = zip(arrays_of(left), arrays_of(right), strict=True)
    return np.flatnonzero(np.any([are_different(one, other) for one, other in pairs], axis=0))


def are_different(left: NDArray[Any], right: NDArray[Any]) -> NDArray[np.bool_]:
    """Of one output, for each image."""
    if left.ndim != right.ndim:
        left, right = (scores.argmax(axis=1) if scores.ndim == 2 else scores for scores in (left, right))
    return (left != right).reshape(len(left), -1).any(axis=1)


def describe_difference(lower: Rung, upper: Rung, images: NDArray[Any], differing: NDArray[np.intp]) -> str:
    """The first image that differs, and the first value inside it that does, as far as both rungs show theirs."""
    first = int(differing[0])
    found = f"image {first}"
    if lower.trace is None or upper.trace is None:
        return found
    left, right = (rung.trace(images[first : first + 1]) for rung in (lower, upper) if rung.trace)
    for name in left:
        if name in right and (left[name] != right[name]).any():
            index = np.argwhere(left[name][0] != right[name][0])[0]
            values = f"{left[name][0][tuple(index)]} in {lower.name}, {right[name][0][tuple(index)]} in {upper.name}"
            return f"{found}, value {name!r}, {describe_index(index)}: {values}"
    return f"{found}; all values that both rungs show are equal, so the difference is in the output itself"


def describe_index(index: NDArray[np.intp]) -> str:
    """`pixel (y, x), channel c` of an NHWC tensor, or what there is of it."""
    if not len(index):
        return "the scalar"
    channel = f"channel {index[-1]}"
    return f"pixel ({', '.join(map(str, index[:-1]))}), {channel}" if len(index) > 1 else channel
