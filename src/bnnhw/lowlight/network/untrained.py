"""Low-light networks with random weights, for what depends on their shapes alone.

Tests: tests/api/test_lowlight_cores.py
"""

import numpy as np
import torch
from numpy.typing import NDArray

from .deployed import INPUT_RANGE
from .kinds import Network, Shape, network_of

__all__ = ["random_mosaics", "untrained"]

_SIDE = 64


def random_mosaics(count: int, *, seed: int, channels: int = 4) -> NDArray[np.uint16]:
    """Blocks of 4x4 packed pixels of one colour, with noise: (count, 64, 64, channels) of `deployed.INPUT_RANGE`."""
    generator = np.random.default_rng(seed)
    lo, hi = INPUT_RANGE
    blocks = generator.integers(lo, hi + 1, (count, _SIDE // 4, _SIDE // 4, channels)).repeat(4, 1).repeat(4, 2)
    return np.clip(blocks + generator.integers(-200, 201, blocks.shape), lo, hi).astype(np.uint16)


def untrained(shape: Shape) -> Network:
    """A network of this shape, the same each time, whose norms have seen `random_mosaics`; in eval mode."""
    with torch.random.fork_rng(devices=()), torch.no_grad():
        torch.manual_seed(0)
        network = network_of(shape)
        for seed in range(3):
            mosaics = random_mosaics(4, seed=seed, channels=shape.filters.channels).astype(np.float32) / INPUT_RANGE[1]
            network(torch.from_numpy(mosaics).permute(0, 3, 1, 2))
    return network.eval()
