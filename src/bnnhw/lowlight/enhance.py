"""From a dark mosaic of any size to a picture, by the network in torch, or by integers as hardware has them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from .filters import BAYER, ColourFilter
from .mosaic import amplify, pack
from .network.deployed import integers_of
from .network.kinds import Network
from .pairs import MAX_RATIO
from .tiles import Compute, Tiling, in_tiles

__all__ = ["by_integers", "by_torch", "enhance", "fitting_ratio", "pictures_of"]

_LIT = 99.5
"""Per cent of the pixels that stay below white."""


def by_torch(network: Network) -> Compute:
    """What the network computes, where and in the type that its parameters have. It is put into eval mode."""
    network.eval()
    weight = next(network.parameters())

    @torch.inference_mode()
    def compute(packed: NDArray[np.float32]) -> NDArray[np.float32]:
        return network(torch.from_numpy(packed).to(weight)).permute(0, 2, 3, 1).cpu().numpy()

    return compute


def by_integers(answers: Callable[[NDArray[np.int64]], Any]) -> Compute:
    """What `answers`, from integers (N, H, W, C) to sRGB (N, block * H, block * W, 3), makes of mosaics as hardware has
    them."""

    def compute(packed: NDArray[np.float32]) -> NDArray[np.float32]:
        return answers(integers_of(packed)).astype(np.float32)

    return compute


def pictures_of(deployed: nn.Module) -> Callable[[NDArray[np.int64]], NDArray[np.float32]]:
    """What `deployed.deployed` gives, on arrays. It is put into eval mode."""
    deployed.eval()

    @torch.inference_mode()
    def pictures(integers: NDArray[np.int64]) -> NDArray[np.float32]:
        return deployed(torch.from_numpy(integers).float()).permute(0, 2, 3, 1).numpy()

    return pictures


def enhance(
    compute: Compute,
    mosaic: NDArray[np.float32],
    *,
    ratio: float,
    filters: ColourFilter = BAYER,
    tiling: Tiling = Tiling(),  # noqa: B008 it is frozen
    on_tile: Callable[[int, int], None] = lambda done, count: None,
) -> NDArray[np.float32]:
    """The picture (H, W, 3), sRGB in [0, 1], of a mosaic (H, W) of whole blocks times `ratio`."""
    return in_tiles(pack(amplify(mosaic, ratio), filters), compute, tiling, on_tile=on_tile)


def fitting_ratio(mosaic: NDArray[np.float32]) -> float:
    """The ratio, from 1 to `MAX_RATIO`, that takes the brighter pixels of a dark mosaic just up to white."""
    return float(np.clip(1 / max(float(np.percentile(mosaic, _LIT)), 1 / MAX_RATIO), 1, MAX_RATIO))
