"""More channels, of zeros: a program that sees all channels of a pixel.

Tests: tests/test_residual_networks.py
"""

from functools import lru_cache

from bnnhw import hls
from bnnhw.compiler.ir import ops
from bnnhw.compiler.ir.types import TensorType
from bnnhw.compiler.units.codes import Codes
from bnnhw.compiler.units.step import Step, steps_of
from bnnhw.hls.traced import Traced


@steps_of.register
def _(op: ops.PadChannels, codes: Codes, x: TensorType, y: TensorType) -> tuple[list[Step], Codes]:
    return steps_of(ops.Operator(padded(x.shape[-1], op.before, op.after)), codes, x, y)


@lru_cache(maxsize=64)
def padded(channels: int, before: int, after: int) -> Traced:
    """All channels of a pixel between zeros."""
    return hls.pixelwise(lambda pixel: (*(0,) * before, *pixel, *(0,) * after)).traced(channels)
