"""Channels by number: which are tied to each other, and which have to stay.

Tests: tests/model/pruning/test_links.py
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["Ties"]


class Ties:
    """A forest of channels (union-find): those of one tree stay or go together.

    `reasons` says of roots why their channels have to stay: the first reason that there was.
    """

    def __init__(self) -> None:
        self._parents: list[int] = []
        self.reasons: dict[int, str] = {}

    def new(self, count: int, reason: str | None = None) -> NDArray[np.int64]:
        """So many more channels, which have to stay where there is a reason."""
        first = len(self._parents)
        self._parents += range(first, first + count)
        channels = np.arange(first, first + count)
        if reason is not None:
            self.keep(channels, reason)
        return channels

    def root(self, channel: int) -> int:
        """What all channels that are tied to this one have in common."""
        while (parent := self._parents[channel]) != channel:
            self._parents[channel] = channel = self._parents[parent]
        return channel

    def tie(self, one: NDArray[np.int64], other: NDArray[np.int64]) -> None:
        """Each channel to its partner."""
        for a, b in zip(one.tolist(), other.tolist(), strict=True):
            first, second = sorted((self.root(a), self.root(b)))
            if first != second:
                self._parents[second] = first
                if second in self.reasons:
                    self.reasons.setdefault(first, self.reasons.pop(second))

    def keep(self, channels: NDArray[np.int64], reason: str) -> None:
        """They have to stay."""
        for channel in channels.tolist():
            self.reasons.setdefault(self.root(channel), reason)
