"""How well a network does on pairs that it has not seen.

Tests: tests/lowlight/test_training.py
"""

from collections.abc import Sequence

import numpy as np

from .enhance import enhance
from .network.kinds import Network
from .pairs import Source
from .quality import Quality, compare_pictures
from .training import Recipe

__all__ = ["judge"]


def judge(network: Network, sources: Sequence[Source], *, recipe: Recipe, seed: int = 0) -> Quality:
    """The mean PSNR and SSIM over whole photos. Bright ones are darkened as `recipe` has it; equal seeds give each
    photo the same ratio and noise, whatever the network."""
    qualities = []
    for number, source in enumerate(sources):
        pair = source.load()
        mosaic, ratio = pair.mosaic, pair.ratio
        if ratio is None:
            mosaic, ratio = recipe.darken(mosaic, np.random.default_rng([seed, number]))
        qualities.append(compare_pictures(enhance(network, mosaic, ratio=ratio), pair.picture))
    return Quality(
        psnr=float(np.mean([quality.psnr for quality in qualities])),
        ssim=float(np.mean([quality.ssim for quality in qualities])),
    )
