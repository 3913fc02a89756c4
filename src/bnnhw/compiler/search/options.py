"""What the search tries of a pipeline, each part with its units by the cost model: its layers, and what stands between
and behind them.

Of a layer's foldings (foldings.py) those are left out that another one beats (lightest.py), most of them before their
units are made (bounds.py).

Tests: tests/compiler/search/test_scheduling.py
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from math import inf
from typing import Any

from bnnhw.compiler.dataflow.join_units import join_stages
from bnnhw.compiler.dataflow.layer_units import (
    core_input,
    entry_resources,
    layer_engine,
    layer_feed,
    output_stages,
    steps_at_its_rate,
    steps_input,
    steps_stages,
)
from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.lowering.folding_plan import Entry, FoldingPlan
from bnnhw.compiler.lowering.output import Output
from bnnhw.compiler.lowering.pipeline import Pipeline
from bnnhw.compiler.units.convert import regroup
from bnnhw.compiler.units.join.fork import Forking
from bnnhw.compiler.units.join.join import Join
from bnnhw.compiler.units.port import Port
from bnnhw.compiler.units.product.folding import Folding, divisors
from bnnhw.compiler.units.product.layer import MatrixLayer
from bnnhw.compiler.units.score_table import Table
from bnnhw.hw.targets import Cells, Target

from .bounds import Bound, hardwired_luts
from .foldings import folded_foldings, hardwired_foldings, mac_foldings
from .lightest import Lightest, Weight, undominated
from .parts import NEVER, Entered, Option, Part

MOST_PIXELS = 16
"""Of an input that no layer sets, a beat."""


class Options:
    """The foldings of a pipeline's layers, each with its units, which are made once."""

    def __init__(self, pipeline: Pipeline, target: Target):
        self.pipeline = pipeline
        self.target = target
        self._known: dict[tuple, Any] = {}

    def of_layer(
        self, index: int, *, vectors: int, limit: float, weight: Weight, bits: float = inf, most: float = inf
    ) -> list[Option]:
        """A layer's foldings of at most `limit` cycles, `bits` multiplications a cycle and `most` weight that may be
        part of the lightest design. What takes more at least than another one takes is not made."""
        layer = self.pipeline.layers[index]
        tried = [*folded_foldings(layer, limit, vectors, bits), *mac_foldings(layer, limit, vectors)]
        lightest = Lightest(weight)
        self._try(lightest, index, tried, vectors, limit, most)
        least = min((option.part.resources.logic for option in lightest.options.values()), default=bits)
        wired = list(hardwired_foldings(layer, limit, vectors))
        lighter = [folding for folding in wired if hardwired_luts(layer, folding, vectors) <= least]
        self._try(lightest, index, lighter, vectors, limit, most)  # a plan takes seconds
        found = (lightest.options.get(folding) for folding in (*tried, *wired))
        return undominated([option for option in found if option], weight)

    def _try(
        self, lightest: Lightest, index: int, foldings: Iterable[Folding], vectors: int, limit: float, most: float
    ) -> None:
        """Adds these foldings, those first that may be the lightest."""
        weight = lightest.weight
        bounds = [bound for folding in foldings if (bound := self.bound(index, folding, vectors))]
        fitting = [each for each in bounds if each.part.cycles <= limit and weight(each.part.resources) <= most]
        for bound in sorted(fitting, key=lambda each: weight(each.part.resources)):
            if lightest.beats(bound.part.resources, bound.elements):
                continue
            option = self.option(index, bound.folding, vectors)
            if option and option.part.cycles <= limit and not lightest.beats(option.part.resources, bound.elements):
                lightest.add(option, bound.elements)

    def least(self, index: int, *, vectors: int, limit: float, weight: Weight, bits: float) -> float:
        """What a layer of at most `limit` cycles weighs at least; infinity where it has no such folding."""
        layer = self.pipeline.layers[index]
        foldings = chain(
            folded_foldings(layer, limit, vectors, bits),
            mac_foldings(layer, limit, vectors),
            hardwired_foldings(layer, limit, vectors),
        )
        bounds = (self.bound(index, folding, vectors) for folding in foldings)
        return min((weight(each.part.resources) for each in bounds if each and each.part.cycles <= limit), default=inf)

    def bound(self, index: int, folding: Folding, vectors: int) -> Bound | None:
        """What a folding takes at least; None for an illegal one."""
        layer = self.pipeline.layers[index]

        def make() -> Bound | None:
            try:
                return Bound.of(layer, folding, vectors, self.target, self._link(layer, folding, vectors))
            except ScheduleError:
                return None

        return self._remember(("bound", index, folding, vectors), make)

    def _link(self, layer: MatrixLayer, folding: Folding, vectors: int) -> Cells:
        """What the top has around a core that begins with a layer."""
        if layer is not self.pipeline.first_layer:
            return Cells(luts=0, carries=0)
        return entry_resources(self.target.fabric, self.layers_input(folding, vectors))

    def table(self, output: Output, vectors: int) -> Cells:
        """An output's table of scores, which is asked for one after the other."""
        if output.table is None:
            return Cells()
        return Table(table=output.table, lanes=1, vectors=vectors, target=self.target).resources

    def output(self, port: Port) -> Part:
        """The units behind the last layer."""
        return self._remember(
            ("output", port),
            lambda: Part.of(output_stages(self.pipeline.outputs[0], port, self.target)[0]),
        )

    def feed(self, index: int, folding: Folding, before: Port | None) -> Part:
        """What fits the stream before a layer to it. A layer that the core begins with sets it."""
        if before is None:
            return Part.of([])
        layer = self.pipeline.layers[index]
        if layer is self.pipeline.first_layer and before != self.layers_input(folding, before.vectors):
            return NEVER
        return self._remember(
            (index, folding.simd, folding.pixels, before), lambda: Part.of(layer_feed(layer, folding, before))
        )

    def layers_input(self, folding: Folding, vectors: int) -> Port:
        """The stream of the core's input with this folding of the layer that it begins with."""
        assert self.pipeline.first_layer is not None
        return core_input(self.pipeline, FoldingPlan(((self.pipeline.first_layer.name, folding),), vectors))

    def entries(self, limit: float) -> list[Entry | None]:
        """How an input can come that no layer sets, in at most `limit` cycles, the narrowest first; None alone where
        one does."""
        if self.pipeline.first_layer is not None:
            return [None]
        height, width, channels = self.pipeline.input_shape
        found = [Entry(lanes) for lanes in divisors(channels)]
        found += [Entry(channels, pixels) for pixels in divisors(width) if 1 < pixels <= MOST_PIXELS]
        return [each for each in found if height * width * channels // (each.lanes * each.pixels) <= limit]

    def entered(self, limit: float) -> Iterator[tuple[Entered, Port]]:
        """The same with the link before it, and the stream."""
        for entry in self.entries(limit):
            port = steps_input(self.pipeline, entry)
            assert entry is not None
            yield Entered(port.beats, entry_resources(self.target.fabric, port), entry), port

    def fork(self, readers: int, port: Port) -> tuple[Part, Port]:
        """What gives a stream to several, and the stream behind it."""
        return Part.of([Forking(port=port, readers=readers)]), port

    def way(self, join: Join, number: int, port: Port) -> tuple[Part, Port]:
        """What stands on a way to a join whatever the other ways are, and the stream behind it."""

        def make() -> tuple[Part, Port]:
            try:
                stages, after = steps_stages(join.before[number], join.name, port, self.target)
            except ScheduleError:
                return NEVER, port
            gathered = after if join.meeting is None else join.meeting.gathered(after)
            return Part.of([*stages, *regroup(after, pixels=gathered.pixels, lanes=gathered.lanes)]), gathered

        return self._remember((join.name, number, port), make)

    def meet(self, join: Join, ports: Sequence[Port]) -> tuple[Part, Port]:
        """The units of a join behind its ways, and the stream behind it."""

        def make() -> tuple[Part, Port]:
            try:
                ways, stages, port = join_stages(join, ports, self.target)
            except ScheduleError:
                return NEVER, ports[0]
            return Part.of([*chain(*ways), *stages]), port

        return self._remember((join.name, *ports), make)

    def option(self, index: int, folding: Folding, vectors: int) -> Option | None:
        """A folding with its units, None for an illegal one. That of a layer at the beginning has the link, whose beats
        it sets."""
        layer = self.pipeline.layers[index]

        def make() -> Option | None:
            if (bound := self.bound(index, folding, vectors)) is None:
                return None
            try:
                behind, port = steps_at_its_rate(layer, folding, bound.port, self.target)
                if folding.engine == "hardwired":
                    behind = [*layer_engine(layer, folding, vectors=vectors, target=self.target), *behind]
            except ScheduleError:
                return None
            part = Part.of(behind)
            whole = Part(max(bound.made.cycles, part.cycles), bound.made.resources + part.resources)
            return Option(layer.name, folding, whole, port)

        return self._remember((index, folding, vectors), make)

    def _remember(self, key: tuple, make: Callable[[], Any]) -> Any:
        if key not in self._known:
            self._known[key] = make()
        return self._known[key]
