"""torch's upsampling, the layers and the function.

Tests: tests/test_rearrangements.py
Tests: tests/test_bilinear.py
"""

from typing import Any

from torch import nn
from torch.nn import functional

from bnnhw.compiler.ir.ops import UpsampleBilinear, UpsampleNearest
from bnnhw.model.errors import ExportError
from bnnhw.model.registry import module_of, op_of, op_of_call

MOST = 40
"""Of a factor: torch finds a pixel's source by a float32 quotient, and from 41 on misses some."""
BILINEAR = (1, 2, 4, 8)
"""The factors whose weights no float32 rounds."""


def _op(*, size: Any, scale_factor: Any, mode: str, align_corners: Any) -> UpsampleNearest | UpsampleBilinear:
    if mode not in ("nearest", "nearest-exact", "bilinear"):
        raise ExportError(
            f"has mode={mode!r}; only 'nearest' and 'bilinear' are supported; a BinaryConvTranspose2d learns another"
        )
    if align_corners:
        raise ExportError(
            f"has align_corners={align_corners}, whose weights differ from pixel to pixel and are rounded; only "
            "align_corners=False is supported"
        )
    is_bilinear = mode == "bilinear"
    legal, told = (BILINEAR, "1, 2, 4 or 8") if is_bilinear else (range(1, MOST + 1), f"an integer from 1 to {MOST}")
    factors = set(scale_factor) if isinstance(scale_factor, tuple | list) else {scale_factor}
    if size is not None or len(factors) != 1 or (factor := factors.pop()) not in legal:
        given = f"scale_factor={scale_factor}" if size is None else "size"
        raise ExportError(f"has {given}; give it one scale_factor for both axes, {told}")
    return UpsampleBilinear(int(factor)) if is_bilinear else UpsampleNearest(int(factor))


@op_of(nn.Upsample, nn.UpsamplingNearest2d)
def _of_layer(module: nn.Upsample) -> UpsampleNearest | UpsampleBilinear:
    return _op(size=module.size, scale_factor=module.scale_factor, mode=module.mode, align_corners=module.align_corners)


@op_of_call(functional.interpolate)
def _of_call(
    size: Any = None,
    scale_factor: Any = None,
    mode: Any = "nearest",
    align_corners: Any = None,
    recompute_scale_factor: Any = None,
    antialias: Any = False,
) -> UpsampleNearest | UpsampleBilinear:
    """`antialias` changes nothing where images become larger, nor `recompute_scale_factor` where factors are whole."""
    return _op(size=size, scale_factor=scale_factor, mode=mode, align_corners=align_corners)


@module_of(UpsampleNearest, channels_first=True)
def _nearest(op: UpsampleNearest) -> nn.Upsample:
    return nn.Upsample(scale_factor=op.block)


@module_of(UpsampleBilinear, channels_first=True)
def _bilinear(op: UpsampleBilinear) -> nn.Upsample:
    return nn.Upsample(scale_factor=op.block, mode="bilinear")
