"""The search for foldings: the smallest design within a limit of cycles, by the cost model.

Layers meet in two things only: the block RAMs that they share, and the width converters between them. So a dynamic
programme goes through the layers; for each stream behind the last one (its PE and pixels) and each number of block RAMs
it keeps the design with the fewest LUTs; where that has too many flip-flops, it goes through them again and counts
these too. What it tries of each layer is in options.py.

Tests: tests/compiler/search/test_scheduling.py
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.lowering.folding_plan import FoldingPlan
from bnnhw.compiler.lowering.pipeline import Pipeline
from bnnhw.compiler.units.port import Port
from bnnhw.compiler.units.product.folding import Folding
from bnnhw.hw.targets import Cells, Device, Target

from .options import Option, Options, Part, undominated

FF_WEIGHTS = (0.0, 1.0, 4.0)
"""How much a flip-flop weighs beside a LUT, from a search to the next where one's design has too many of them."""


@dataclass(frozen=True)
class Design:
    """A plan, the cycles of its slowest unit, and the resources of the whole top."""

    plan: FoldingPlan
    cycles: int
    resources: Cells

    @property
    def cycles_per_frame(self) -> float:
        return self.cycles / self.plan.vectors


Feed = tuple[Port | None, Part]
"""The stream behind the layer before (None at the first layer), and what fits it to the next one."""


@dataclass(frozen=True)
class Choice:
    """How the states of a stream were reached: the option, its feeds, and the number of the feed by block RAMs."""

    option: Option
    feeds: list[Feed]
    sources: NDArray[np.int64]


class Search:
    """The designs of one pipeline on the devices of one target."""

    def __init__(self, pipeline: Pipeline, target: Target):
        self.pipeline = pipeline
        self.options = Options(pipeline, target)

    def limits(self) -> list[int]:
        """Every number of cycles that a layer can take, in order."""
        return sorted(
            {
                layer.cycles(Folding(pe, simd, pixels=pixels))
                for layer in self.pipeline.layers
                for pixels in layer.pixel_counts
                for pe in layer.pes
                for simd in layer.simds
            }
        )

    def smallest(self, device: Device, *, vectors: int, limit: float, fill: float = 1.0) -> Design | None:
        """The smallest design of at most `limit` cycles in a share `fill` of the device; None where none fits."""
        if vectors > 1 and any(layer.windows for layer in self.pipeline.layers):
            return None  # a convolution has pixels instead
        if self.pipeline.weight_bits > fill * device.memory_bits:
            return None  # before a folding is tried: nothing holds more, adders (HARDWIRED_LUTS) included
        for ff_weight in FF_WEIGHTS:
            design = self._lightest(device, vectors=vectors, limit=limit, fill=fill, ff_weight=ff_weight)
            if design is None or device.share(design.resources) <= fill:
                return design
        return None

    def _lightest(self, device: Device, *, vectors: int, limit: float, fill: float, ff_weight: float) -> Design | None:
        """As `smallest`, but with flip-flops that weigh `ff_weight` times a LUT and have no limit of their own."""

        def weight(resources: Cells) -> float:
            return resources.logic + ff_weight * resources.ffs

        whole = device.luts + ff_weight * device.ffs
        room = int(fill * device.ebr)
        states: dict[Port | None, NDArray[np.float64]] = {None: np.where(np.arange(room + 1) == 0, 0.0, np.inf)}
        trails = []
        for index in range(len(self.pipeline.layers)):
            options = undominated(self.options.of_layer(index, vectors=vectors, limit=limit, bits=device.luts), weight)
            states, trail = self._extend(index, states, options, limit, weight)
            trails.append(trail)
        best: tuple[float, Port, int] | None = None
        for port, weights in states.items():
            assert port is not None  # the last layer's
            rest = self.options.output(port)
            if rest.cycles > limit:
                continue
            share = (weights + weight(rest.resources)) / whole
            size = share + (np.arange(room + 1) + rest.resources.ebr) / device.ebr
            size[share > fill] = np.inf
            size[max(0, room + 1 - rest.resources.ebr) :] = np.inf
            ebr = int(np.argmin(size))
            if np.isfinite(size[ebr]) and (best is None or size[ebr] < best[0]):
                best = float(size[ebr]), port, ebr
        return None if best is None else self._trace_back(best[1], best[2], trails, vectors)

    def needs(self, device: Device, *, vectors: int, limit: float) -> Cells | None:
        """What the smallest design of at most `limit` cycles takes where the device is as large as need be.

        Each layer by itself, in the device's proportion of LUTs to block RAMs; None where no folding is that fast.
        """
        total = Cells()
        for index in range(len(self.pipeline.layers)):
            options = [option.part.resources for option in self.options.of_layer(index, vectors=vectors, limit=limit)]
            if not options:
                return None
            total += min(options, key=device.size)
        return total

    def _extend(
        self,
        index: int,
        states: dict[Port | None, NDArray[np.float64]],
        options: list[Option],
        limit: float,
        weight: Callable[[Cells], float],
    ):
        """The states after one more layer, and for each stream (number of the choice by block RAMs, choices)."""
        room = len(next(iter(states.values()), ()))
        reached: dict[Port | None, NDArray[np.float64]] = defaultdict(lambda: np.full(room, np.inf))
        trail: dict[Port, tuple[NDArray[np.int64], list[Choice]]] = defaultdict(lambda: (np.full(room, -1), []))
        fed: dict[tuple[int, int], tuple[NDArray[np.float64], NDArray[np.int64], list[Feed]]] = {}
        for option in options:
            key = option.folding.simd, option.folding.pixels  # all that the feed depends on
            if key not in fed:
                fed[key] = self._feed(index, option.folding, states, limit, weight)
            base, sources, feeds = fed[key]
            cost = option.part.resources
            if cost.ebr >= room:
                continue
            weights, (chosen, choices) = reached[option.port], trail[option.port]
            shifted = shift(base, cost.ebr) + weight(cost)
            better = shifted < weights
            weights[better] = shifted[better]
            chosen[better] = len(choices)
            choices.append(Choice(option, feeds, shift(sources, cost.ebr)))
        return reached, trail

    def _feed(
        self,
        index: int,
        folding: Folding,
        states: dict[Port | None, NDArray[np.float64]],
        limit: float,
        weight: Callable[[Cells], float],
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], list[Feed]]:
        """The least weight by block RAMs of what stands before a layer, what fits it to the layer included; the number
        of the feed that has it, by block RAMs; and the feeds."""
        room = len(next(iter(states.values()), ()))
        costs = [np.full(room, np.inf)]  # of no feed, number -1
        feeds: list[Feed] = []
        for before, weights in states.items():
            feed = self.options.feed(index, folding, before)
            if feed.cycles > limit or feed.resources.ebr >= room:
                continue
            costs.append(shift(weights, feed.resources.ebr) + weight(feed.resources))
            feeds.append((before, feed))
        return np.min(costs, axis=0), np.argmin(costs, axis=0) - 1, feeds

    def _trace_back(self, port: Port | None, ebr: int, trails: list, vectors: int) -> Design:
        """The design that a final state stands for."""
        assert port is not None
        rest = self.options.output(port)
        total, cycles = rest.resources, rest.cycles
        layers: list[tuple[str, Folding]] = []
        for layer, trail in zip(reversed(self.pipeline.layers), reversed(trails), strict=True):
            chosen, choices = trail[port]
            choice = choices[chosen[ebr]]
            before, feed = choice.feeds[choice.sources[ebr]]
            layers.append((layer.name, choice.option.folding))
            for part in (choice.option.part, feed):
                cycles = max(cycles, part.cycles)
                total += part.resources
                ebr -= part.resources.ebr
            port = before
        return Design(FoldingPlan(tuple(reversed(layers)), vectors), cycles, total)


def shift(values: NDArray[Any], places: int) -> NDArray[Any]:
    """`values` moved up by so many places, infinity or -1 before them."""
    if not places:
        return values
    nothing = np.inf if values.dtype.kind == "f" else -1
    return np.concatenate([np.full(places, nothing, values.dtype), values[: len(values) - places]])


def smallest_at(search: Search, device: Device, *, cycles_per_frame: float, counts: range) -> Design | None:
    """The smallest design that takes at most `cycles_per_frame`, whatever of `counts` its vectors are."""
    designs = (
        search.smallest(device, vectors=vectors, limit=vectors * cycles_per_frame * (1 + 1e-12)) for vectors in counts
    )
    return min((design for design in designs if design), key=lambda design: device.size(design.resources), default=None)


def fastest_within(search: Search, device: Device, *, fill: float, counts: range) -> Design | None:
    """The design with the most frames a cycle in a share of the device; among equals the smallest."""
    best: Design | None = None
    limits = search.limits()
    for vectors in counts:
        low, high = 0, len(limits)
        if best is not None:
            # Only a limit of as few cycles a frame is of use: try the longest such before the search for the shortest.
            high = sum(limit <= best.cycles_per_frame * vectors for limit in limits)
            if not high or search.smallest(device, vectors=vectors, limit=limits[high - 1], fill=fill) is None:
                continue
        while low < high:
            middle = (low + high) // 2
            if search.smallest(device, vectors=vectors, limit=limits[middle], fill=fill):
                high = middle
            else:
                low = middle + 1
        design = search.smallest(device, vectors=vectors, limit=limits[low], fill=fill) if low < len(limits) else None
        if design and (best is None or rank(design, device) < rank(best, device)):
            best = design
    return best


def rank(design: Design, device: Device) -> tuple[float, float]:
    """What "fastest" sorts by."""
    return design.cycles_per_frame, device.size(design.resources)
