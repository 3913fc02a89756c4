"""How well a network does on pairs that it has not seen.

Tests: tests/lowlight/test_training.py
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .enhance import by_integers, enhance, pictures_of
from .network.deployed import calibrated, has_hardware
from .network.kinds import Network
from .pairs import Source
from .quality import Quality, compare_pictures
from .tiles import Compute
from .training import Recipe

__all__ = ["judge", "judge_in_hardware"]


def judge(compute: Compute, sources: Sequence[Source], *, recipe: Recipe, seed: int = 0) -> Quality:
    """The mean PSNR and SSIM over whole photos. Bright ones are darkened as `recipe` has it; equal seeds give each
    photo the same ratio and noise, whatever the network."""
    qualities = []
    for number, source in enumerate(sources):
        pair = source.load()
        mosaic, ratio = pair.mosaic, pair.ratio
        if ratio is None:
            mosaic, ratio = recipe.darken(mosaic, np.random.default_rng([seed, number]))
        qualities.append(compare_pictures(enhance(compute, mosaic, ratio=ratio, filters=pair.filters), pair.picture))
    return Quality(
        psnr=float(np.mean([quality.psnr for quality in qualities])),
        ssim=float(np.mean([quality.ssim for quality in qualities])),
    )


def judge_in_hardware(
    network: Network, sources: Sequence[Source], *, mosaics: NDArray[np.uint16], recipe: Recipe
) -> Quality | None:
    """The same of the network's integers, calibrated by `mosaics`: the bits of the packed kernel and of RTL. None where
    it has no hardware."""
    if not has_hardware(network):
        return None
    return judge(by_integers(pictures_of(calibrated(network, mosaics))), sources, recipe=recipe)
