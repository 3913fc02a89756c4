"""The best ways to a stream: by the block RAMs that they take, and by what was chosen for them.

Tests: tests/compiler/search/test_front.py
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.units.port import Port
from bnnhw.hw.targets import Cells

from .options import Options
from .parts import Option, Part
from .prices import Prices


class Trial:
    """What the search allows this time.

    Parameters
    ----------
    layers
        Of each layer the foldings that may be part of the best design.
    limit
        Cycles of a unit, at most.
    room
        Block RAMs, at most.
    prices
        Of the cells, in LUTs.
    """

    def __init__(
        self,
        options: Options,
        layers: Sequence[Sequence[Option]],
        *,
        vectors: int,
        limit: float,
        room: int,
        prices: Prices,
    ):
        self.options = options
        self.layers = layers
        self.vectors = vectors
        self.limit = limit
        self.room = room
        self.prices = prices

    def weight(self, cells: Cells) -> float:
        return self.prices.weight(cells)

    def allows(self, part: Part) -> bool:
        return part.cycles <= self.limit and part.resources.ebr <= self.room


Chosen = Part | Option
"""Units that were chosen, or a layer's folding with its units."""


class Front(ABC):
    """The best ways to a stream.

    weights : (room + 1,) float64: the least weight with exactly so many block RAMs; infinity where there is no way
    """

    weights: NDArray[np.float64]

    @abstractmethod
    def chosen(self, ebr: int) -> Iterator[Chosen]:
        """All that was chosen for the way with so many block RAMs, the last first."""


Fronts = Mapping[Port | None, Front]
"""By the stream; None is that before the first layer, which has what it wants."""


class Start(Front):
    """Nothing so far."""

    def __init__(self, trial: Trial):
        self.weights = np.where(np.arange(trial.room + 1) == 0, 0.0, np.inf)

    def chosen(self, ebr: int) -> Iterator[Chosen]:
        return iter(())


class Alternatives(Front):
    """The best of several fronts, each with units behind it."""

    def __init__(self, fronts: Sequence[tuple[Front, Part]], trial: Trial):
        costs = [np.full(trial.room + 1, np.inf)]  # of none, number -1
        for front, part in fronts:
            costs.append(shift(front.weights, part.resources.ebr) + trial.weight(part.resources))
        self.weights = np.min(costs, axis=0)
        self._best = np.argmin(costs, axis=0) - 1
        self._fronts = fronts

    def chosen(self, ebr: int) -> Iterator[Chosen]:
        front, part = self._fronts[self._best[ebr]]
        yield part
        yield from front.chosen(ebr - part.resources.ebr)


class LayerFront(Front):
    """The best of a layer's options with the same stream behind them."""

    def __init__(self, trial: Trial):
        self.weights = np.full(trial.room + 1, np.inf)
        self._best = np.full(trial.room + 1, -1)
        self._tried: list[tuple[Option, Front]] = []

    def offer(self, option: Option, before: Front, trial: Trial) -> None:
        """An option behind a front."""
        cells = option.part.resources
        _improve(self.weights, self._best, shift(before.weights, cells.ebr) + trial.weight(cells), len(self._tried))
        self._tried.append((option, before))

    def chosen(self, ebr: int) -> Iterator[Chosen]:
        option, before = self._tried[self._best[ebr]]
        yield option
        yield from before.chosen(ebr - option.part.resources.ebr)


class JoinFront(Front):
    """The best of a join's ways with the same stream behind it: of each branch one, behind the same fork."""

    def __init__(self, trial: Trial):
        self.weights = np.full(trial.room + 1, np.inf)
        self._best = np.full(trial.room + 1, -1)
        self._tried: list[tuple[Part, Sequence[Front], list[NDArray[np.int64]]]] = []

    def offer(self, part: Part, fronts: Sequence[Front], trial: Trial) -> None:
        """The front of what stands before the fork and of each branch, and the units where they meet."""
        weights, shares = fronts[0].weights, []
        for front in fronts[1:]:
            weights, share = together(weights, front.weights)
            shares.append(share)
        cells = part.resources
        _improve(self.weights, self._best, shift(weights, cells.ebr) + trial.weight(cells), len(self._tried))
        self._tried.append((part, fronts, shares))

    def chosen(self, ebr: int) -> Iterator[Chosen]:
        part, (first, *others), shares = self._tried[self._best[ebr]]
        yield part
        ebr -= part.resources.ebr
        for front, share in zip(reversed(others), reversed(shares), strict=True):
            own = int(share[ebr])
            yield from front.chosen(own)
            ebr -= own
        yield from first.chosen(ebr)


def _improve(weights: NDArray[np.float64], best: NDArray[np.int64], found: NDArray[np.float64], number: int) -> None:
    """Put what was found where it is less."""
    better = found < weights
    weights[better] = found[better]
    best[better] = number


def together(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The least weights of two by the block RAMs of both, and how many of these are the second's."""
    weights, share = np.full(len(a), np.inf), np.full(len(a), -1)
    useful = b < np.minimum.accumulate(np.concatenate([[np.inf], b[:-1]]))  # more block RAMs, and less weight
    for ebr in np.flatnonzero(useful).tolist():
        _improve(weights, share, shift(a, ebr) + b[ebr], ebr)
    return weights, share


def shift(values: NDArray[Any], places: int) -> NDArray[Any]:
    """`values` moved up by so many places, infinity before them."""
    if not places:
        return values
    return np.concatenate([np.full(places, np.inf), values[: len(values) - places]])
