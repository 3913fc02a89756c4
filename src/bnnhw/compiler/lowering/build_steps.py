"""From the nodes behind a product to the steps behind its matrix unit.

Tests: tests/compiler/lowering/test_pipeline.py
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.graph import Node
from bnnhw.compiler.ir.ops import MaxPool, MultiThreshold, SumPool, Threshold
from bnnhw.compiler.ir.types import BinaryType, IntType, TensorType

from .borders import NO_BORDERS, Borders
from .steps import Inverting, Pooling, Quantising, Rescaling, Step


@dataclass(frozen=True, eq=False)
class Codes:
    """What the values of a stream are carried as: value = offset + scale*code, code from 0 to `greatest`.

    The field's affine encoding: `scale` is its scale, and the code of the value 0 its zero point.

    offsets: (row classes, column classes, rows) int64, by the pixel's class and the channel.
    """

    offsets: NDArray[np.int64]
    scale: int
    greatest: int
    borders: Borders = NO_BORDERS

    @classmethod
    def of(cls, element: BinaryType | IntType, rows: int) -> "Codes":
        """The codes of an element type."""
        return cls(np.full((1, 1, rows), element.lo), element.step, element.count - 1)

    @property
    def by_place(self) -> bool:
        """Whether what a code means depends on its pixel."""
        return self.borders != NO_BORDERS

    def means(self, element: BinaryType | IntType) -> bool:
        """Whether the codes are those of an element type."""
        return not self.by_place and bool((self.offsets == element.lo).all()) and self.scale == element.step


def steps_behind(nodes: Sequence[Node], codes: Codes, types: Mapping[str, TensorType]) -> tuple[list[Step], Codes]:
    """The steps of thresholds and poolings behind a layer's sums, whose codes are given, and the codes behind them.

    Raises ScheduleError for another node.
    """
    steps: list[Step] = []
    for node in nodes:
        match node.op:
            case Threshold(thresholds) | MultiThreshold(thresholds):
                step = quantising(codes, np.atleast_2d(thresholds))
                codes = Codes.of(element_of(types[node.output]), codes.offsets.shape[2])
                steps.append(step)
            case SumPool() | MaxPool():
                check_window(node.name, node.op)
                if codes.by_place:
                    step, codes = rescaling(codes, element_of(types[node.inputs[0]]))
                    steps.append(step)
                more, codes = pooling(node.op, codes)
                steps += more
            case _:
                raise ScheduleError(
                    f"node {node.name!r} ({type(node.op).__name__}) has no hardware; binary layers with thresholds and "
                    "poolings have. `bnnhw eval` and `bnnhw verify --through packed` take this network"
                )
    return merge_inversions(steps), codes


def check_window(name: str, op: SumPool | MaxPool) -> None:
    """Raise ScheduleError where windows overlap by more than a row or a column."""
    if any(stride < window - 1 for window, stride in zip(op.kernel, op.stride, strict=True)):
        raise ScheduleError(
            f"node {name!r}: windows {op.kernel} of a pooling need a stride of at least one less, not {op.stride}: the "
            "hardware keeps one row of results; take a larger stride or a smaller window"
        )


def quantising(codes: Codes, thresholds: NDArray[np.int64]) -> Quantising:
    """The comparison of codes with thresholds on their values, (levels, rows) or (levels, 1)."""
    reached = -((codes.offsets[:, :, None, :] - thresholds) // codes.scale)  # the least code that reaches each
    levels = (1 << len(thresholds).bit_length()) - 1
    never = np.full((*reached.shape[:2], levels - len(thresholds), reached.shape[3]), codes.greatest + 1)
    table = np.clip(np.concatenate([reached, never], axis=2), 0, codes.greatest + 1)
    return Quantising(table, codes.borders, codes.greatest)


def rescaling(codes: Codes, element: BinaryType | IntType) -> tuple[Rescaling, Codes]:
    """The way to the codes of an element type whose step divides all values' distances, and these codes."""
    after = Codes.of(element, codes.offsets.shape[2])
    offsets = (codes.offsets - element.lo) // element.step
    step = Rescaling(codes.scale // element.step, offsets[:, :, None, :], codes.borders, codes.greatest, after.greatest)
    return step, after


def pooling(op: SumPool | MaxPool, codes: Codes) -> tuple[list[Step], Codes]:
    """A pooling, with inversions around it where it takes the least, and the codes behind it."""
    if isinstance(op, SumPool):
        step = Pooling("sum", op.kernel, op.stride, codes.greatest)
        return [step], replace(codes, offsets=codes.offsets * op.count, greatest=codes.greatest * op.count)
    if op.minimum is None:
        return [Pooling("max", op.kernel, op.stride, codes.greatest)], codes
    bits = codes.greatest.bit_length()
    inverting = Inverting(op.minimum, bits)
    return [inverting, Pooling("max", op.kernel, op.stride, (1 << bits) - 1), inverting], codes


def merge_inversions(steps: Sequence[Step]) -> list[Step]:
    """Steps …, invert a, invert b, …  ->  …, invert a ^ b, …, which may be nothing."""
    merged: list[Step] = []
    for step in steps:
        if isinstance(step, Inverting) and merged and isinstance(before := merged[-1], Inverting):
            merged.pop()
            step = replace(step, channels=step.channels ^ before.channels)
        if not isinstance(step, Inverting) or step.channels.any():
            merged.append(step)
    return merged


def element_of(tensor: TensorType) -> BinaryType | IntType:
    """The elements of a value of an integer graph."""
    assert isinstance(tensor.element, BinaryType | IntType)
    return tensor.element
