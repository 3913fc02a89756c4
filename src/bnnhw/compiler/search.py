"""The search for foldings: exhaustive over what matters, so that its answer is the best one by the cost model.

Layers meet in two things only: the block RAMs that they share, and the width converters between them. So a dynamic
programme goes through the layers; for each PE of the last one and each number of block RAMs it keeps the design with
the fewest LUTs. Of a layer it tries each PE and SIMD that keep a limit of cycles, with each way to store the weights,
less those that another one with the same PE beats in both LUTs and block RAMs.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from .area import Resources, matrix_resources, output_resources
from .device import Device
from .folding import Folding, FoldingPlan, divisors
from .pipeline import Pipeline
from .timing import converter_interval, output_interval

RESERVED = Resources(luts=2000, ffs=2000, ebr=2)
"""What the rest of the top, link and clock, takes from the device."""


@dataclass(frozen=True)
class Option:
    """A layer's folding with its cycles and its resources."""

    folding: Folding
    cycles: int
    resources: Resources


@dataclass(frozen=True)
class Design:
    """A plan, the cycles of its slowest unit, and the resources of the whole top."""

    plan: FoldingPlan
    cycles: int
    resources: Resources

    @property
    def cycles_per_frame(self) -> float:
        return self.cycles / self.plan.vectors


@dataclass(frozen=True)
class Choice:
    """How a state was reached: the PE of the layer before (0 at the first layer) and the option."""

    before: int
    option: Option


class Search:
    """The designs of one pipeline."""

    def __init__(self, pipeline: Pipeline):
        self.pipeline = pipeline
        self.options = cache(self._options)

    def limits(self) -> list[int]:
        """Every number of cycles that a layer can take, in order."""
        return sorted(
            {
                folds * layer.planes * words
                for layer in self.pipeline.layers
                for folds in divisors(layer.rows)
                for words in divisors(layer.cols)
            }
        )

    def smallest(self, device: Device, *, vectors: int, limit: float, fill: float = 1.0) -> Design | None:
        """The smallest design of at most `limit` cycles in a share `fill` of the device; None where none fits."""
        room = int(fill * device.ebr)
        states: dict[int, NDArray[np.float64]] = {0: np.where(np.arange(room + 1) == 0, 0.0, np.inf)}
        trails = []
        for index in range(len(self.pipeline.layers)):
            states, trail = self._extend(index, states, vectors, limit)
            trails.append(trail)
        best: tuple[float, int, int] | None = None
        for pe, luts in sorted(states.items()):
            if output_interval(self.pipeline, pe=pe, vectors=vectors) > limit:
                continue
            rest = self._rest(pe, vectors)
            size = (luts + rest.luts) / device.luts + (np.arange(room + 1) + rest.ebr) / device.ebr
            size[luts + rest.luts > fill * device.luts] = np.inf
            size[max(0, room + 1 - rest.ebr) :] = np.inf
            ebr = int(np.argmin(size))
            if np.isfinite(size[ebr]) and (best is None or size[ebr] < best[0]):
                best = float(size[ebr]), pe, ebr
        return None if best is None else self._trace_back(best[1], best[2], trails, vectors)

    def needs(self, device: Device, *, vectors: int, limit: float) -> Resources | None:
        """What the smallest design of at most `limit` cycles takes where the device is as large as need be.

        Each layer by itself, in the device's proportion of LUTs to block RAMs; None where no folding is that fast.
        """
        total = self._rest(1, vectors)
        for index in range(len(self.pipeline.layers)):
            options = [option.resources for option in self.options(index, vectors) if option.cycles <= limit]
            if not options:
                return None
            total += min(options, key=lambda resources: resources.size(device))
        return total

    def _rest(self, pe: int, vectors: int) -> Resources:
        """All but the layers: the units behind a last layer with `pe` lanes, link and clock."""
        return RESERVED + output_resources(self.pipeline, pe=pe, vectors=vectors)

    def _options(self, index: int, vectors: int) -> tuple[Option, ...]:
        """Every folding of a layer."""
        layer = self.pipeline.layers[index]
        options = []
        for pe in divisors(layer.rows):
            for simd in divisors(layer.cols):
                stores = ("constant",) if pe * simd == layer.rows * layer.cols else ("block", "lut")
                for store in stores:
                    folding = Folding(pe, simd, store)
                    shape = layer.shape(folding, vectors)
                    options.append(Option(folding, shape.initiation_interval, matrix_resources(shape)))
        return tuple(options)

    def _extend(self, index: int, states: dict[int, NDArray[np.float64]], vectors: int, limit: float):
        """The states after one more layer, and for each PE (number of the choice by block RAMs, choices)."""
        cols, room = self.pipeline.layers[index].cols, len(next(iter(states.values()), ()))
        reached: dict[int, NDArray[np.float64]] = {}
        trail: dict[int, tuple[NDArray[np.int64], list[Choice]]] = {}
        for option in best_options(self.options(index, vectors), limit):
            pe, cost = option.folding.pe, option.resources
            if cost.ebr >= room:
                continue
            luts = reached.setdefault(pe, np.full(room, np.inf))
            chosen, choices = trail.setdefault(pe, (np.full(room, -1), []))
            for before, base in states.items():
                if before and converter_interval(cols, before, option.folding.simd) > limit:
                    continue
                shifted = np.full(room, np.inf)
                shifted[cost.ebr :] = base[: room - cost.ebr] + cost.luts
                better = shifted < luts
                luts[better] = shifted[better]
                chosen[better] = len(choices)
                choices.append(Choice(before, option))
        return reached, trail

    def _trace_back(self, pe: int, ebr: int, trails: list, vectors: int) -> Design:
        """The design that a final state stands for."""
        total = self._rest(pe, vectors)
        layers: list[tuple[str, Folding]] = []
        cycles = output_interval(self.pipeline, pe=pe, vectors=vectors)
        for layer, trail in zip(reversed(self.pipeline.layers), reversed(trails), strict=True):
            chosen, choices = trail[pe]
            choice = choices[chosen[ebr]]
            layers.append((layer.name, choice.option.folding))
            cycles = max(cycles, choice.option.cycles)
            if choice.before:
                cycles = max(cycles, converter_interval(layer.cols, choice.before, choice.option.folding.simd))
            total += choice.option.resources
            ebr -= choice.option.resources.ebr
            pe = choice.before
        return Design(FoldingPlan(tuple(reversed(layers)), vectors), cycles, total)


def best_options(options: tuple[Option, ...], limit: float) -> list[Option]:
    """The options within the limit, less those that another one with the same PE beats in LUTs and block RAMs."""
    kept: list[Option] = []
    fewest: dict[int, int] = {}
    within = (option for option in options if option.cycles <= limit)
    for option in sorted(within, key=lambda option: (option.resources.ebr, option.resources.luts)):
        pe = option.folding.pe
        if option.resources.luts < fewest.get(pe, option.resources.luts + 1):
            fewest[pe] = option.resources.luts
            kept.append(option)
    return kept


def smallest_at(search: Search, device: Device, *, cycles_per_frame: float, counts: range) -> Design | None:
    """The smallest design that takes at most `cycles_per_frame`, whatever of `counts` its vectors are."""
    designs = (
        search.smallest(device, vectors=vectors, limit=vectors * cycles_per_frame * (1 + 1e-12)) for vectors in counts
    )
    return min((design for design in designs if design), key=lambda design: design.resources.size(device), default=None)


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
    return design.cycles_per_frame, design.resources.size(device)
