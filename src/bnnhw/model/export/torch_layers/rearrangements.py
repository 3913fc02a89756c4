"""torch's layers that give pixels another place, or leave some out.

Tests: tests/test_rearrangements.py
"""

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from bnnhw.compiler.ir.ops import Crop, DepthToSpace, SpaceToDepth
from bnnhw.model.errors import ExportError
from bnnhw.model.registry import module_of, op_of, op_of_call


@op_of(nn.PixelUnshuffle)
def _unshuffle(module: nn.PixelUnshuffle) -> SpaceToDepth:
    return SpaceToDepth(module.downscale_factor)


@op_of_call(functional.pixel_unshuffle, torch.pixel_unshuffle)
def _unshuffle_call(block: Any) -> SpaceToDepth:
    return SpaceToDepth(block)


@module_of(SpaceToDepth, channels_first=True)
def _unshuffle_module(op: SpaceToDepth) -> nn.PixelUnshuffle:
    return nn.PixelUnshuffle(op.block)


@op_of(nn.PixelShuffle)
def _shuffle(module: nn.PixelShuffle) -> DepthToSpace:
    return DepthToSpace(module.upscale_factor)


@op_of_call(functional.pixel_shuffle, torch.pixel_shuffle)
def _shuffle_call(block: Any) -> DepthToSpace:
    return DepthToSpace(block)


@module_of(DepthToSpace, channels_first=True)
def _shuffle_module(op: DepthToSpace) -> nn.PixelShuffle:
    return nn.PixelShuffle(op.block)


@op_of(nn.ZeroPad2d)
def _crop(module: nn.ZeroPad2d) -> Crop:
    left, right, top, bottom = module.padding
    if max(module.padding) > 0:
        raise ExportError(
            f"pads by {module.padding}; only negative paddings, which crop, are supported; give the convolution behind "
            "it a padding"
        )
    return Crop(before=(-top, -left), after=(-bottom, -right))


@module_of(Crop, channels_first=True)
def _crop_module(op: Crop) -> nn.ZeroPad2d:
    (top, left), (bottom, right) = op.before, op.after
    return nn.ZeroPad2d((-left, -right, -top, -bottom))
