"""Where the activations behind a chain change: read off at every sum that a channel can reach, or bisected."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.errors import FoldError
from bnnhw.compiler.ir.ops import Activation

from .rewrite import FloatChain, is_monotone, sums_in_chunks

ENUMERATED = 2**14
"""Evaluations, of all levels at all sums of a channel, above which crossings are bisected."""


@dataclass(frozen=True)
class Crossings:
    """For each level of an activation and each channel, over its reachable sums, all (levels, channels): how many reach
    the level, whether the first does, and how often that changes. A sign, and a threshold, has one level, +1."""

    reached: NDArray[np.int64]
    first: NDArray[np.bool_]
    changes: NDArray[np.int64]


def find_crossings(chain: FloatChain, activation: Activation) -> Crossings:
    """How the chain and then the activation change over the reachable sums of every channel."""
    if chain.reachable.count * activation.levels > ENUMERATED and is_monotone(chain):
        return bisect_crossings(chain, activation)
    return enumerate_crossings(chain, activation)


def enumerate_crossings(chain: FloatChain, activation: Activation) -> Crossings:
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


def bisect_crossings(chain: FloatChain, activation: Activation) -> Crossings:
    """The same for a monotone chain, where a level changes at most once: its place is bisected."""
    reachable = chain.reachable
    first, last = (levels_of(chain, activation, sums[None])[:, 0] for sums in (reachable.lows, reachable.highs))
    levels = np.arange(len(first))
    # Of each level and channel: sums up to `before` are as the first one, those from `after` on are as the last one.
    before, after = np.zeros(first.shape, np.int64), np.full(first.shape, reachable.count - 1)
    while (after - before > 1).any():
        middle = (before + after) // 2
        sums = reachable.lows + reachable.step * middle
        as_first = levels_of(chain, activation, sums)[levels, levels] == first
        before, after = np.where(as_first, middle, before), np.where(as_first, after, middle)
    constant = np.where(first, reachable.count, 0)
    reached = np.where(first == last, constant, np.where(first, after, reachable.count - after))
    return Crossings(reached, first, (first != last).astype(np.int64))


def levels_of(chain: FloatChain, activation: Activation, sums: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which levels the activation reaches for sums (N, channels): (levels, N, channels)."""
    apply = chain.apply if activation.DEFINED_FOR_NAN else chain.apply_finite
    return activation.reached(apply(sums))


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
