"""Requantisers of a graph as the lines that they are.

Tests: tests/compiler/engine/values/test_lines.py
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops import Operator
from bnnhw.compiler.ir.ops.trained.requantise import line_program
from bnnhw.hls.stateless import Pointwise
from bnnhw.hls.traced import Traced
from bnnhw.hw.engine.lane_format import VALUE_BITS

__all__ = ["Line", "line_of"]


@dataclass(frozen=True, eq=False)
class Line:
    """clip((factor*x + offset) >> shift), to signed integers of so many bits.

    factor, offset : (rows,) int64
    """

    factor: NDArray[np.int64]
    offset: NDArray[np.int64]
    shift: int = 0
    bits: int = VALUE_BITS

    @classmethod
    def identity(cls, rows: int) -> "Line":
        """x itself, where it has VALUE_BITS."""
        return cls(np.ones(rows, np.int64), np.zeros(rows, np.int64))

    @property
    def is_clip(self) -> bool:
        """Whether it does nothing but clip."""
        return self.shift == 0 and bool((self.factor == 1).all() and (self.offset == 0).all())


def line_of(op: object, rows: int) -> Line | None:
    """An operator as a line for so many channels; None where it is another one.

    It is a line where the program of the line that its numbers say is the operator's own.
    """
    if not isinstance(op, Operator) or not isinstance(op.traced.kind, Pointwise):
        return None
    traced = op.traced
    shifts = [
        each.attribute for each in traced.program.instructions if each.op == "shr" and isinstance(each.attribute, int)
    ]
    found, ends = _factor_and_offset(traced), _constants(traced, "ge")
    if found is None or not shifts or len(ends) != 2:
        return None
    lo, hi = ends
    bits = (hi + 1).bit_length()
    if (lo, hi) != (-1 << bits - 1, (1 << bits - 1) - 1) or bits > VALUE_BITS:
        return None
    factor, offset = (np.broadcast_to(np.array(each, np.int64), rows) for each in found)
    lines = tuple((int(a), int(b)) for a, b in zip(factor, offset, strict=True))
    made = line_program(lines, shifts[-1], lo, hi, shifts[0] if len(shifts) > 1 else 0)
    return Line(factor, offset, shifts[-1], bits) if made.program == traced.program else None


def _factor_and_offset(traced: Traced) -> tuple[Sequence[int], Sequence[int]] | None:
    """Those of each channel, or one of all channels; None where it has others."""
    match traced.parameters, _constants(traced, "mul"), _constants(traced, "add"):
        case (factor, offset), [], []:
            return factor, offset
        case (offset,), [factor], []:
            return [factor], offset
        case (), [factor], [offset]:
            return [factor], [offset]
    return None


def _constants(traced: Traced, op: str) -> list[int]:
    """Those that instructions of a kind read, in their order."""
    instructions = traced.program.instructions
    read = [instructions[number] for each in instructions if each.op == op for number in each.args]
    return [each.attribute for each in read if each.op == "const" and isinstance(each.attribute, int)]
