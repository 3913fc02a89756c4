"""The search for foldings: the smallest design within a limit of cycles, by the cost model.

Layers meet in two things only: the block RAMs that they share, and the width converters between them. So a dynamic
programme goes through the layers; for each PE of the last one and each number of block RAMs it keeps the design with
the fewest LUTs; where that has too many flip-flops, it goes through them again and counts these too. Of a layer it
tries each PE with the least SIMD that keeps the limit, and the next larger ones, whose weights may fill block RAM
better, in each way to store the weights; less those that another one with the same PE beats in both cells and block
RAMs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from .area import Resources, converter_resources, link_resources, matrix_resources, output_resources
from .device import Device
from .folding import Folding, FoldingPlan, divisors
from .pipeline import Pipeline
from .timing import converter_interval, output_interval

SIMD_CANDIDATES = 4
"""SIMD that are tried for each PE."""

FF_WEIGHTS = (0.0, 1.0, 4.0)
"""How much a flip-flop weighs beside a LUT, from a search to the next where one's design has too many of them."""


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
        for ff_weight in FF_WEIGHTS:
            design = self._lightest(device, vectors=vectors, limit=limit, fill=fill, ff_weight=ff_weight)
            if design is None or design.resources.share(device) <= fill:
                return design
        return None

    def _lightest(self, device: Device, *, vectors: int, limit: float, fill: float, ff_weight: float) -> Design | None:
        """As `smallest`, but with flip-flops that weigh `ff_weight` times a LUT and have no limit of their own."""

        def weight(resources: Resources | Device) -> float:
            return resources.luts + ff_weight * resources.ffs

        room = int(fill * device.ebr)
        states: dict[int, NDArray[np.float64]] = {0: np.where(np.arange(room + 1) == 0, 0.0, np.inf)}
        trails = []
        for index in range(len(self.pipeline.layers)):
            options = undominated(self._options(index, vectors, limit, bits=device.luts), weight)
            states, trail = self._extend(index, states, options, vectors, limit, weight)
            trails.append(trail)
        best: tuple[float, int, int] | None = None
        for pe, weights in sorted(states.items()):
            if output_interval(self.pipeline, pe=pe, vectors=vectors) > limit:
                continue
            rest = self._output(pe, vectors)
            share = (weights + weight(rest)) / weight(device)
            size = share + (np.arange(room + 1) + rest.ebr) / device.ebr
            size[share > fill] = np.inf
            size[max(0, room + 1 - rest.ebr) :] = np.inf
            ebr = int(np.argmin(size))
            if np.isfinite(size[ebr]) and (best is None or size[ebr] < best[0]):
                best = float(size[ebr]), pe, ebr
        return None if best is None else self._trace_back(best[1], best[2], trails, vectors)

    def needs(self, device: Device, *, vectors: int, limit: float) -> Resources | None:
        """What the smallest design of at most `limit` cycles takes where the device is as large as need be.

        Each layer by itself, in the device's proportion of LUTs to block RAMs; None where no folding is that fast.
        """
        total = self._output(1, vectors)
        for index in range(len(self.pipeline.layers)):
            options = [option.resources for option in self._options(index, vectors, limit)]
            if not options:
                return None
            total += min(options, key=lambda resources: resources.size(device))
        return total

    def _output(self, pe: int, vectors: int) -> Resources:
        """The units behind a last layer with `pe` lanes."""
        return output_resources(self.pipeline, pe=pe, vectors=vectors)

    def _options(self, index: int, vectors: int, limit: float, bits: float = inf) -> list[Option]:
        """A layer's foldings of at most `limit` cycles and `bits` multiplications a cycle.

        The first layer's cost has the link's in it, whose beats it sets.
        """
        layer = self.pipeline.layers[index]
        options = []
        for pe in divisors(layer.rows):
            beats = layer.rows // pe * layer.planes
            simds = [simd for simd in divisors(layer.cols) if beats * (layer.cols // simd) <= limit]
            for simd in simds[:SIMD_CANDIDATES]:
                if pe * simd * vectors > bits:
                    break
                for store in ("constant",) if pe * simd == layer.weights.size else ("block", "lut"):
                    shape = layer.shape(folding := Folding(pe, simd, store), vectors)
                    cost = matrix_resources(shape) if index else matrix_resources(shape) + link_resources(shape)
                    options.append(Option(folding, shape.initiation_interval, cost))
        return options

    def _extend(
        self,
        index: int,
        states: dict[int, NDArray[np.float64]],
        options: list[Option],
        vectors: int,
        limit: float,
        weight: Callable[[Resources], float],
    ):
        """The states after one more layer, and for each PE (number of the choice by block RAMs, choices)."""
        cols, room = self.pipeline.layers[index].cols, len(next(iter(states.values()), ()))
        reached: dict[int, NDArray[np.float64]] = {}
        trail: dict[int, tuple[NDArray[np.int64], list[Choice]]] = {}
        for option in options:
            pe, cost = option.folding.pe, option.resources
            if cost.ebr >= room:
                continue
            weights = reached.setdefault(pe, np.full(room, np.inf))
            chosen, choices = trail.setdefault(pe, (np.full(room, -1), []))
            for before, base in states.items():
                if before and converter_interval(cols, before, option.folding.simd) > limit:
                    continue
                shifted = np.full(room, np.inf)
                added = weight(cost + converter(before, option, vectors))
                shifted[cost.ebr :] = base[: room - cost.ebr] + added
                better = shifted < weights
                weights[better] = shifted[better]
                chosen[better] = len(choices)
                choices.append(Choice(before, option))
        return reached, trail

    def _trace_back(self, pe: int, ebr: int, trails: list, vectors: int) -> Design:
        """The design that a final state stands for."""
        total = self._output(pe, vectors)
        layers: list[tuple[str, Folding]] = []
        cycles = output_interval(self.pipeline, pe=pe, vectors=vectors)
        for layer, trail in zip(reversed(self.pipeline.layers), reversed(trails), strict=True):
            chosen, choices = trail[pe]
            choice = choices[chosen[ebr]]
            layers.append((layer.name, choice.option.folding))
            cycles = max(cycles, choice.option.cycles)
            if choice.before:
                cycles = max(cycles, converter_interval(layer.cols, choice.before, choice.option.folding.simd))
            total += choice.option.resources + converter(choice.before, choice.option, vectors)
            ebr -= choice.option.resources.ebr
            pe = choice.before
        return Design(FoldingPlan(tuple(reversed(layers)), vectors), cycles, total)


def converter(before: int, option: Option, vectors: int) -> Resources:
    """The width converter in front of a layer, nothing in front of the first."""
    simd = option.folding.simd
    return converter_resources(in_lanes=before or simd, out_lanes=simd, vectors=vectors)


def undominated(options: list[Option], weight: Callable[[Resources], float]) -> list[Option]:
    """The options less those that another one with the same PE beats in weight and block RAMs."""
    kept: list[Option] = []
    least: dict[int, float] = {}
    for option in sorted(options, key=lambda option: (option.resources.ebr, weight(option.resources))):
        pe = option.folding.pe
        if weight(option.resources) < least.get(pe, inf):
            least[pe] = weight(option.resources)
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
