"""From a dark mosaic of any size to a picture, tile by tile."""

import numpy as np
import torch
from numpy.typing import NDArray

from .mosaic import amplify, pack
from .network.kinds import Network
from .network.unet import BLOCK, HALO
from .pairs import MAX_RATIO

__all__ = ["enhance", "fitting_ratio"]

_LIT = 99.5
"""Per cent of the pixels that stay below white."""


@torch.inference_mode()
def enhance(network: Network, mosaic: NDArray[np.float32], *, ratio: float, tile: int = 512) -> NDArray[np.float32]:
    """The picture (H, W, 3), sRGB in [0, 1], that the network makes of a mosaic (H, W) of even sizes times `ratio`.

    The mosaic is mirrored at its lower and right border up to a multiple of the network's blocks. Each tile of `tile`
    packed pixels is computed with all that its result depends on around it (`unet.HALO`), so that the tiles fit
    together as if the whole had been computed at once. The network is put into eval mode.
    """
    if tile < 1 or tile % BLOCK:
        raise ValueError(f"tile={tile} must be a multiple of {BLOCK}, and at least {BLOCK}")
    network.eval()
    weight = next(network.parameters())  # where, and in what type, the network computes
    packed = pack(amplify(mosaic, ratio))
    _, height, width = packed.shape
    padded = np.pad(packed, ((0, 0), (0, -height % BLOCK), (0, -width % BLOCK)), mode="reflect")
    picture = np.empty((2 * padded.shape[1], 2 * padded.shape[2], 3), np.float32)
    for top in range(0, padded.shape[1], tile):
        for left in range(0, padded.shape[2], tile):
            above, beside = max(top - HALO, 0), max(left - HALO, 0)
            window = padded[:, above : top + tile + HALO, beside : left + tile + HALO]
            made = network(torch.from_numpy(window[None]).to(weight))[0].permute(1, 2, 0).cpu().numpy()
            made = made[2 * (top - above) :, 2 * (left - beside) :][: 2 * tile, : 2 * tile]
            picture[2 * top : 2 * top + made.shape[0], 2 * left : 2 * left + made.shape[1]] = made
    return np.clip(picture[: 2 * height, : 2 * width], 0, 1)


def fitting_ratio(mosaic: NDArray[np.float32]) -> float:
    """The ratio, from 1 to `MAX_RATIO`, that takes the brighter pixels of a dark mosaic just up to white."""
    return float(np.clip(1 / max(float(np.percentile(mosaic, _LIT)), 1 / MAX_RATIO), 1, MAX_RATIO))
