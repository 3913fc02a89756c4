"""What the search tries of each layer, its folding candidates, with their units by the cost model.

These are each PE and each number of pixels with the least SIMD that keeps the limit, and the next larger ones, whose
weights may fill block RAM better, in each way to store the weights; the engines hardwired and mac, too, with as few
pixels as keep the limit; less those that another one with the same stream beats in both cells and block RAMs.

Tests: tests/compiler/search/test_scheduling.py
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from math import inf
from typing import Any

from bnnhw.compiler.dataflow.join_units import join_stages
from bnnhw.compiler.dataflow.layer_units import (
    core_input,
    entry_resources,
    layer_body,
    layer_feed,
    output_stages,
    steps_input,
    steps_stages,
)
from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.lowering.folding_plan import Entry, FoldingPlan
from bnnhw.compiler.lowering.pipeline import Pipeline
from bnnhw.compiler.units.convert import regroup
from bnnhw.compiler.units.join.fork import Forking
from bnnhw.compiler.units.join.join import Join
from bnnhw.compiler.units.port import Port
from bnnhw.compiler.units.product.folding import Folding, divisors
from bnnhw.compiler.units.product.layer import MatrixLayer
from bnnhw.compiler.units.stage import Stage, core_resources
from bnnhw.hw.targets import Cells, Target

SIMD_CANDIDATES = 4
"""SIMD that are tried for each PE."""

MOST_PIXELS = 16
"""Of an input that no layer sets, a beat."""

HARDWIRED_LUTS = 0.25
"""LUTs of a hardwired engine for each weight, at least."""


@dataclass(frozen=True)
class Part:
    """The cost of some units: the cycles of the slowest one, and their resources."""

    cycles: int
    resources: Cells

    @classmethod
    def of(cls, stages: list[Stage]) -> "Part":
        return cls(max((stage.interval for stage in stages), default=0), core_resources(stages))


NEVER = Part(2**62, Cells())
"""What no limit allows."""


@dataclass(frozen=True)
class Entered(Part):
    """The link before an input that no layer sets, and how the input comes."""

    entry: Entry


@dataclass(frozen=True)
class Option:
    """A layer's folding with its units and the stream behind it."""

    layer: str
    folding: Folding
    part: Part
    port: Port


class Options:
    """The foldings of a pipeline's layers, each with its units, which are made once."""

    def __init__(self, pipeline: Pipeline, target: Target):
        self.pipeline = pipeline
        self.target = target
        self._known: dict[tuple, Any] = {}

    def of_layer(self, index: int, *, vectors: int, limit: float, bits: float = inf) -> list[Option]:
        """A layer's foldings of at most `limit` cycles and `bits` multiplications a cycle."""
        layer = self.pipeline.layers[index]
        options = []
        for pixels in layer.pixel_counts if vectors == 1 else (1,):
            for pe in layer.pes:
                fitting = [simd for simd in layer.simds if layer.cycles(Folding(pe, simd, pixels=pixels)) <= limit]
                for simd in fitting[:SIMD_CANDIDATES]:
                    if pe * simd * pixels * vectors > bits:
                        break
                    for store in ("constant",) if pe * simd == layer.weights.size else ("block", "lut"):
                        option = self._option(index, Folding(pe, simd, store, pixels), vectors)
                        if option and option.part.cycles <= limit:
                            options.append(option)
        least = min((option.part.resources.logic for option in options), default=bits)
        for folding in hardwired_foldings(layer, limit, vectors):
            if HARDWIRED_LUTS * layer.weights.size * folding.pixels * vectors > least:
                continue  # before the plan, which takes seconds
            option = self._option(index, folding, vectors)
            if option and option.part.cycles <= limit:
                options.append(option)
        macs = (self._option(index, folding, vectors) for folding in mac_foldings(layer, limit, vectors))
        return options + [option for option in macs if option and option.part.cycles <= limit]

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

    def _option(self, index: int, folding: Folding, vectors: int) -> Option | None:
        """A folding with its units, None for an illegal one. That of a layer at the beginning has the link, whose beats
        it sets."""
        layer = self.pipeline.layers[index]

        def make() -> Option | None:
            try:
                stages, port = layer_body(layer, folding, vectors=vectors, target=self.target)
            except ScheduleError:
                return None
            part = Part.of(stages)
            if layer is self.pipeline.first_layer:
                link = entry_resources(self.target.fabric, self.layers_input(folding, vectors))
                part = Part(part.cycles, part.resources + link)
            return Option(layer.name, folding, part, port)

        return self._remember((index, folding, vectors), make)

    def _remember(self, key: tuple, make: Callable[[], Any]) -> Any:
        if key not in self._known:
            self._known[key] = make()
        return self._known[key]


def hardwired_foldings(layer: MatrixLayer, limit: float, vectors: int) -> Iterator[Folding]:
    """The hardwired engine with the fewest pixels that keep the limit, and each number of columns that does."""
    if layer.groups > 1 or layer.levels:
        return
    for pixels in layer.pixel_counts if vectors == 1 else (1,):
        simds = layer.simds if layer.windows else (layer.cols,)
        foldings = [Folding(layer.rows, simd, "auto", pixels, "hardwired") for simd in simds]
        if fitting := [folding for folding in foldings if layer.cycles(folding) <= limit]:
            yield from fitting[:SIMD_CANDIDATES]
            return


def mac_foldings(layer: MatrixLayer, limit: float, vectors: int) -> Iterator[Folding]:
    """Multipliers for integer weights, with the fewest pixels that keep the limit: each PE with the least SIMD that
    does."""
    if layer.integers is None:
        return
    for pixels in layer.pixel_counts if vectors == 1 else (1,):
        foldings = []
        for pe in divisors(layer.integers.rows // layer.groups):
            tried = (Folding(pe, simd, pixels=pixels, engine="mac") for simd in layer.simds)
            foldings += islice((folding for folding in tried if layer.cycles(folding) <= limit), 1)
        for folding in foldings:
            whole = folding.pe * folding.simd == layer.integers.weights.size
            yield from (replace(folding, store=store) for store in (("constant",) if whole else ("block", "lut")))
        if foldings:
            return


def undominated(options: list[Option], weight: Callable[[Cells], float]) -> list[Option]:
    """The options less those that another one with the same stream beats in weight and block RAMs."""
    kept: list[Option] = []
    least: dict[Port, float] = {}
    for option in sorted(options, key=lambda option: (option.part.resources.ebr, weight(option.part.resources))):
        if weight(option.part.resources) < least.get(option.port, inf):
            least[option.port] = weight(option.part.resources)
            kept.append(option)
    return kept
