"""The search for foldings of a pipeline that is no series of layers and branches.

Streams between layers are not chosen together with them, as `Search` does: each layer has the folding that is cheapest
by itself, the block RAMs shared among all in the best way. What forks, joins and converters cost is counted when all is
drawn, and a design that does not fit with them is none.

Tests: tests/compiler/search/test_series.py
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.dataflow.draw import draw_core
from bnnhw.compiler.dataflow.layer_units import core_input, entry_resources
from bnnhw.compiler.dataflow.timing import least_interval
from bnnhw.compiler.lowering.folding_plan import Entry, FoldingPlan
from bnnhw.compiler.lowering.pipeline import Pipeline
from bnnhw.compiler.units.product.folding import Folding
from bnnhw.compiler.units.stage import core_resources
from bnnhw.hw.targets import Device, Target

from .front import shift
from .parts import Option
from .prices import Prices
from .search import Design, Search
from .series import NotSeriesError


class GraphSearch(Search):
    """As `Search`, whatever reads what."""

    def _lightest(self, device: Device, *, vectors: int, limit: float, fill: float, prices: Prices) -> Design | None:
        layers = self._of_layers(device, vectors=vectors, limit=limit, fill=fill, prices=prices)
        if layers is None:
            return None
        whole = prices.whole(device)
        least: NDArray[np.float64] = np.where(np.arange(int(fill * device.ebr) + 1) == 0, 0.0, np.inf)
        chosen: list[tuple[list[Option], NDArray[np.int64]]] = []
        for options in layers:
            resources = [option.part.resources for option in options]
            weights = np.stack([shift(least, cells.ebr)[: len(least)] + prices.weight(cells) for cells in resources])
            chosen.append((options, weights.argmin(axis=0)))
            least = weights.min(axis=0)
        size = least / whole + np.arange(len(least)) / device.ebr
        size[least > fill * whole] = np.inf
        ebr = int(size.argmin())
        if not np.isfinite(size[ebr]):
            return None
        foldings = [option.folding for option in self._trace(chosen, ebr)]
        drawn = (self._drawn(foldings, entry, device, vectors, limit, fill) for entry in self.options.entries(limit))
        return next((design for design in drawn if design), None)

    def _trace(self, chosen: list[tuple[list[Option], NDArray[np.int64]]], ebr: int) -> list[Option]:
        """The option of each layer with which all of them take so many block RAMs."""
        traced: list[Option] = []
        for options, numbers in reversed(chosen):
            option = options[numbers[ebr]]
            ebr -= option.part.resources.ebr
            traced.append(option)
        return traced[::-1]

    def _drawn(
        self,
        foldings: list[Folding],
        entry: Entry | None,
        device: Device,
        vectors: int,
        limit: float,
        fill: float,
    ) -> Design | None:
        """The design with these foldings, if it keeps the limits with all that stands between the layers."""
        names = [layer.name for layer in self.pipeline.layers]
        plan = FoldingPlan(tuple(zip(names, foldings, strict=True)), vectors, entry)
        stages = draw_core(self.pipeline, plan, device.target).stages
        link = entry_resources(device.target.fabric, core_input(self.pipeline, plan))
        resources, cycles = core_resources(stages) + link, least_interval(stages)
        if cycles > limit or resources.ebr > fill * device.ebr or device.lut_share(resources) > fill:
            return None
        return Design(plan, cycles, resources)


@lru_cache(maxsize=1)
def search_of(pipeline: Pipeline, target: Target) -> Search:
    """The search of a pipeline; that of the latest one is kept, with what it has tried of each layer."""
    search = Search(pipeline, target)
    try:
        assert search.series
    except NotSeriesError:
        return GraphSearch(pipeline, target)
    return search
