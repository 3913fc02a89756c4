"""What a layer's folding takes at least, known before its adders are planned and its operators are scheduled.

Windows and engines are counted exactly. Of an operator each element of a beat takes no less than the channel that takes
the least by itself (`Step.least`).

Tests: tests/compiler/search/test_bounds.py
"""

from dataclasses import dataclass

from bnnhw.compiler.dataflow.layer_units import layer_engine, layer_windows, least_steps, narrow_port
from bnnhw.compiler.units.convert import regroup
from bnnhw.compiler.units.port import Port
from bnnhw.compiler.units.product.folding import Folding
from bnnhw.compiler.units.product.layer import MatrixLayer
from bnnhw.compiler.units.stage import core_resources
from bnnhw.hw.targets import Cells, Target

from .parts import Part

HARDWIRED_LUTS = 0.25
"""LUTs of a hardwired engine for each weight, at least."""


@dataclass(frozen=True)
class Bound:
    """A layer's folding, with no more than its units take.

    Attributes
    ----------
    made
        What is counted exactly: the link, windows, and engines that need no plan.
    port
        The stream behind the product.
    part
        All units, at least.
    elements
        Of a beat of the narrowest stream that its operators may have; 0 where not all steps are such.
    """

    folding: Folding
    made: Part
    port: Port
    part: Part
    elements: int

    @classmethod
    def of(cls, layer: MatrixLayer, folding: Folding, vectors: int, target: Target, link: Cells) -> "Bound":
        """That of a folding, with the link before it. Raises ScheduleError for an illegal one."""
        stages, port = layer_windows(layer, folding, vectors=vectors, target=target)
        wired = Cells(luts=0, carries=0)
        if folding.engine == "hardwired":
            wired = Cells(logic=hardwired_luts(layer, folding, vectors))
        else:
            stages += layer_engine(layer, folding, vectors=vectors, target=target)
        units = Part.of(stages)
        made = Part(units.cycles, units.resources + link)
        steps, narrow = layer.steps(folding), narrow_port(layer, folding, port)
        known = [step.least(target) is not None for step in steps]
        cycles = max(made.cycles, port.beats if any(known[:1]) else 0)
        behind = min((_behind(layer, folding, port, to, target) for to in {port, narrow}), key=lambda each: each.logic)
        elements = narrow.beat.elements if steps and all(known) else 0
        return cls(folding, made, port, Part(cycles, made.resources + wired + behind), elements)


def _behind(layer: MatrixLayer, folding: Folding, port: Port, narrow: Port, target: Target) -> Cells:
    """The least cells of a layer's steps on a stream that they narrow before."""
    converters = core_resources(regroup(port, pixels=port.pixels, lanes=narrow.lanes))
    return converters + least_steps(layer.steps(folding), narrow, target)


def hardwired_luts(layer: MatrixLayer, folding: Folding, vectors: int) -> int:
    """LUTs of a hardwired engine at least."""
    return int(HARDWIRED_LUTS * layer.weights.size * folding.pixels * vectors)
