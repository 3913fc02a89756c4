"""The sums of bilinear upsampling: a program on the 3x3 pixels around each makes its block's, which become pixels.

Tests: tests/test_bilinear.py
"""

from dataclasses import replace
from functools import lru_cache

from bnnhw import hls
from bnnhw.compiler.ir import ops
from bnnhw.compiler.ir.types import IntType, TensorType
from bnnhw.hls.traced import Traced

from .blocks import DepthingToSpace
from .codes import Codes
from .operator.computing import Computing
from .operator.offsets import without_places
from .operator.patch import Coded
from .step import Step, steps_of


@steps_of.register
def _(op: ops.BilinearSums, codes: Codes, x: TensorType, y: TensorType) -> tuple[list[Step], Codes]:
    steps, codes = without_places(codes, x)
    after = replace(codes, offsets=codes.offsets * op.total, greatest=codes.greatest * op.total)
    sums = Computing(block_of(op), Coded.of(IntType(0, codes.greatest)), IntType(0, after.greatest))
    return [*steps, sums, DepthingToSpace(op.block)], after


@lru_cache(maxsize=8)
def block_of(op: ops.BilinearSums) -> Traced:
    """The pixels of a block as channels: sums of rows of sums, which the pixels of a column share."""

    @hls.window(3, 3, padding=1, border="edge")
    def block(w):
        columns = [
            [sum(weight * w[row, tap] for tap, weight in op.taps(phase)) for phase in range(op.block)]
            for row in range(3)
        ]
        return tuple(
            sum(weight * columns[tap][column] for tap, weight in op.taps(row))
            for row in range(op.block)
            for column in range(op.block)
        )

    return block.traced(1)
