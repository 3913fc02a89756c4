"""What the search puts together: units with their cost, and the foldings of layers.

Tests: tests/compiler/search/test_scheduling.py
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bnnhw.compiler.lowering.folding_plan import Entry
from bnnhw.compiler.units.port import Port
from bnnhw.compiler.units.product.folding import Folding
from bnnhw.compiler.units.stage import Stage, core_resources
from bnnhw.hw.targets import Cells


@dataclass(frozen=True)
class Part:
    """The cost of some units: the cycles of the slowest one, and their resources."""

    cycles: int
    resources: Cells

    @classmethod
    def of(cls, stages: Sequence[Stage]) -> "Part":
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
