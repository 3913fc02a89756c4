"""torch's upsampling, the layers and the function.

Tests: tests/test_rearrangements.py
"""

from typing import Any

from torch import nn
from torch.nn import functional

from bnnhw.compiler.ir.ops import UpsampleNearest
from bnnhw.model.errors import ExportError
from bnnhw.model.registry import module_of, op_of, op_of_call

MOST = 40
"""Of a factor: torch finds a pixel's source by a float32 quotient, and from 41 on misses some."""


def _op(*, size: Any, scale_factor: Any, mode: str) -> UpsampleNearest:
    if mode not in ("nearest", "nearest-exact"):
        raise ExportError(f"has mode={mode!r}; only 'nearest' is supported; a BinaryConvTranspose2d learns another")
    factors = set(scale_factor) if isinstance(scale_factor, tuple | list) else {scale_factor}
    if size is not None or len(factors) != 1 or (factor := factors.pop()) not in range(1, MOST + 1):
        given = f"scale_factor={scale_factor}" if size is None else "size"
        raise ExportError(f"has {given}; give it one scale_factor for both axes, an integer from 1 to {MOST}")
    return UpsampleNearest(int(factor))


@op_of(nn.Upsample, nn.UpsamplingNearest2d)
def _of_layer(module: nn.Upsample) -> UpsampleNearest:
    return _op(size=module.size, scale_factor=module.scale_factor, mode=module.mode)


@op_of_call(functional.interpolate)
def _of_call(size: Any = None, scale_factor: Any = None, mode: Any = "nearest", *others: Any) -> UpsampleNearest:
    return _op(size=size, scale_factor=scale_factor, mode=mode)


@module_of(UpsampleNearest, channels_first=True)
def _module(op: UpsampleNearest) -> nn.Upsample:
    return nn.Upsample(scale_factor=op.block)
