"""Where the activations behind a chain change: read off at every sum that a channel can reach."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.errors import FoldError
from bnnhw.compiler.ops import InputThreshold, Quantise, Sign

from .rewrite import FloatChain, sums_in_chunks

Activation = Sign | InputThreshold | Quantise
"""What makes few bits of a float."""


@dataclass(frozen=True)
class Crossings:
    """For each level of an activation and each channel, over its reachable sums, all (levels, channels): how many reach
    the level, whether the first does, and how often that changes. A sign, and a threshold, has one level, +1."""

    reached: NDArray[np.int64]
    first: NDArray[np.bool_]
    changes: NDArray[np.int64]


def find_crossings(chain: FloatChain, activation: Activation) -> Crossings:
    """The chain and then the activation at every reachable sum of every channel, counted."""
    last = first = levels_of(chain, activation, chain.reachable.lows[None])[:, 0]
    reached, changes = np.zeros(first.shape, np.int64), np.zeros(first.shape, np.int64)
    # A chunk has at most 255 sums, so that its counts fit the bytes that numpy adds up fastest.
    for sums in sums_in_chunks(chain.reachable, rows=max(1, 255 // len(first))):
        levels = levels_of(chain, activation, sums)
        reached += np.add.reduce(levels.view(np.uint8), axis=1, dtype=np.uint8)
        changes += last != levels[:, 0]
        changes += np.add.reduce((levels[:, 1:] != levels[:, :-1]).view(np.uint8), axis=1, dtype=np.uint8)
        last = levels[:, -1]
    return Crossings(reached, first, changes)


def levels_of(chain: FloatChain, activation: Activation, sums: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which levels the activation reaches for sums (N, channels): (levels, N, channels)."""
    if not isinstance(activation, Quantise):
        return (activation.reference(chain.apply(sums)) == 1)[None]
    values = activation.reference(chain.apply_finite(sums))
    return values >= np.arange(1, activation.levels + 1)[:, None, None]


def falling_channels(layer: str, crossings: Crossings) -> NDArray[np.bool_]:
    """The channels, (rows,), whose activation falls as the sum rises. Raises FoldError, which names the `layer`, where
    one does both."""
    only = "only monotone layers between a sum and its sign can be folded"
    if (bad := np.argwhere(crossings.changes > 1)).size:
        level, channel = bad[0]
        raise FoldError(
            f"layer {layer!r}: the sign of channel {channel} changes {crossings.changes[level, channel]} times "
            f"as its sum rises; {only}"
        )
    falls = (crossings.changes == 1) & crossings.first
    rises = (crossings.changes == 1) & ~crossings.first
    if (bad := np.flatnonzero(falls.any(axis=0) & rises.any(axis=0))).size:
        raise FoldError(f"layer {layer!r}: the activation of channel {bad[0]} rises and falls as its sum rises; {only}")
    return falls.any(axis=0)
