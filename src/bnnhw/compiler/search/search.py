"""The search for foldings: the smallest design within a limit of cycles, by the cost model.

A dynamic programme goes through the series of layers and branches (extend.py), and for each stream behind the last one
(its PE and pixels) and each number of block RAMs it keeps the design with the fewest LUTs; where that has too many
flip-flops or multipliers, it goes through them again with a price for these (prices.py). What it tries of each layer is
in options.py.

It sees neither the queues that a core gets where paths meet again, nor the buffers in its paths of `ready`.

Tests: tests/compiler/search/test_scheduling.py
"""

from dataclasses import dataclass
from functools import cached_property
from math import inf

import numpy as np

from bnnhw.compiler.dataflow.draw import draw_core
from bnnhw.compiler.lowering.folding_plan import FoldingPlan
from bnnhw.compiler.lowering.pipeline import Pipeline
from bnnhw.compiler.units.product.folding import Folding
from bnnhw.hw.targets import Cells, Device, Target

from .extend import begin, extend
from .front import Alternatives, Chosen, Front, Trial
from .options import Options
from .parts import Entered, Option
from .prices import Prices
from .series import Series, series_of

ENDLESS = 2**40
"""More cycles than any unit takes."""


@dataclass(frozen=True)
class Design:
    """A plan, the cycles of its slowest unit, and the resources of the whole top."""

    plan: FoldingPlan
    cycles: int
    resources: Cells

    @property
    def cycles_per_frame(self) -> float:
        return self.cycles / self.plan.vectors


class Search:
    """The designs of one pipeline on the devices of one target."""

    def __init__(self, pipeline: Pipeline, target: Target):
        self.pipeline = pipeline
        self.options = Options(pipeline, target)

    @cached_property
    def series(self) -> Series:
        """The pipeline as a series. Raises NotSeriesError where it is none."""
        return series_of(self.pipeline)

    def limits(self) -> list[int]:
        """Every number of cycles that a layer can take, in order; and in a graph one that whatever stands between them
        keeps."""
        cycles = {
            layer.cycles(Folding(pe, simd, pixels=pixels))
            for layer in self.pipeline.layers
            for pixels in layer.pixel_counts
            for pe in layer.pes
            for simd in layer.simds
        }
        if self.pipeline.first_layer is None:
            cycles |= {part.cycles for part, _ in self.options.entered(ENDLESS)}
        return sorted(cycles if self.pipeline.is_chain and self.pipeline.first_layer else cycles | {ENDLESS})

    def smallest(self, device: Device, *, vectors: int, limit: float, fill: float = 1.0) -> Design | None:
        """The smallest design of at most `limit` cycles in a share `fill` of the device; None where none fits."""
        if vectors > 1 and (self.pipeline.first_layer is None or any(layer.windows for layer in self.pipeline.layers)):
            return None  # an image has pixels instead
        if self.pipeline.weight_bits > fill * device.memory_bits:
            return None  # before a folding is tried: nothing holds more, adders (HARDWIRED_LUTS) included
        prices: Prices | None = Prices(lone=device.target.fabric.lone_ffs)
        while prices is not None:
            design = self._lightest(device, vectors=vectors, limit=limit, fill=fill, prices=prices)
            if design is not None and device.share(design.resources) <= fill:
                return design
            prices = prices.without_multipliers() if design is None else prices.raised(design.resources, device, fill)
        return None

    def _lightest(self, device: Device, *, vectors: int, limit: float, fill: float, prices: Prices) -> Design | None:
        """As `smallest`, but with flip-flops and multipliers that have prices and no limits of their own."""
        layers = self._of_layers(device, vectors=vectors, limit=limit, fill=fill, prices=prices)
        if layers is None:
            return None
        room = int(fill * device.ebr)
        trial = Trial(self.options, layers, vectors=vectors, limit=limit, room=room, prices=prices)
        whole = prices.whole(device)
        best: tuple[float, Front, int] | None = None
        for port, front in extend(begin(self.series, trial), self.series, trial).items():
            assert port is not None  # the last layer's
            rest = self.options.output(port)
            if not trial.allows(rest):
                continue
            end = Alternatives([(front, rest)], trial)
            share = end.weights / whole
            size = share + np.arange(room + 1) / device.ebr
            size[share > fill] = np.inf
            ebr = int(np.argmin(size))
            if np.isfinite(size[ebr]) and (best is None or size[ebr] < best[0]):
                best = float(size[ebr]), end, ebr
        return None if best is None else self._design(list(best[1].chosen(best[2])), vectors)

    def _of_layers(
        self, device: Device, *, vectors: int, limit: float, fill: float, prices: Prices
    ) -> list[list[Option]] | None:
        """Of each layer the foldings that may be part of the lightest design; None where not even the lightest of all
        layers fit."""
        asked = {"vectors": vectors, "limit": limit, "weight": prices.weight, "bits": device.luts}
        least = [self.options.least(index, **asked) for index in range(len(self.pipeline.layers))]
        spare = fill * prices.whole(device) - sum(least)
        found: list[list[Option]] = []
        for index, bound in enumerate(least):
            if spare < 0:
                return None
            found.append(self.options.of_layer(index, **asked, most=bound + spare))
            weights = (prices.weight(option.part.resources) for option in found[-1])
            spare -= min(weights, default=inf) - bound
        return None if spare < 0 else found

    def _design(self, chosen: list[Chosen], vectors: int) -> Design:
        """What was chosen, as a design."""
        options = [each for each in chosen if isinstance(each, Option)]
        parts = [each.part if isinstance(each, Option) else each for each in chosen]
        folding_of = {option.layer: option.folding for option in options}
        layers = tuple((layer.name, folding_of[layer.name]) for layer in self.pipeline.layers)
        entry = next((part.entry for part in parts if isinstance(part, Entered)), None)
        resources = sum((part.resources for part in parts), Cells(luts=0, carries=0))
        return Design(FoldingPlan(layers, vectors, entry), max(part.cycles for part in parts), resources)

    def check_units(self, device: Device) -> None:
        """Raises ScheduleError, what the units say, where not even the smallest foldings have hardware."""
        foldings = tuple((layer.name, Folding(layer.pes[0], layer.simds[0])) for layer in self.pipeline.layers)
        draw_core(self.pipeline, FoldingPlan(foldings, 1, self.options.entries(ENDLESS)[0]), device.target)

    def needs(self, device: Device, *, vectors: int, limit: float) -> Cells | None:
        """What the smallest design of at most `limit` cycles takes where the device is as large as need be.

        Each layer by itself, in the device's proportion of LUTs to block RAMs, and the tables of scores; None where no
        folding is that fast.
        """
        total = sum((self.options.table(output, vectors) for output in self.pipeline.outputs), Cells())
        for index in range(len(self.pipeline.layers)):
            options = self.options.of_layer(index, vectors=vectors, limit=limit, weight=lambda cells: cells.logic)
            if not options:
                return None
            total += min((option.part.resources for option in options), key=device.size)
        return total


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
