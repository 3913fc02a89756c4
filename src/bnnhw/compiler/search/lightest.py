"""Which foldings of a layer may be part of the lightest design: those that no other one beats.

Tests: tests/compiler/search/test_lightest.py
"""

from collections.abc import Callable
from math import inf

from bnnhw.compiler.units.port import Port
from bnnhw.compiler.units.product.folding import Folding
from bnnhw.hw.targets import Cells

from .parts import Option

Weight = Callable[[Cells], float]
"""What cells but block RAMs weigh, in LUTs."""

WIDENING_LUTS = 16
"""Of the converters that make of a stream one of more lanes and more pixels."""


class Lightest:
    """Foldings of a layer, the lightest first.

    One of operators beats others whose streams behind the product are as wide or wider, if it is lighter and has no
    more block RAMs: what wants a wider stream has it from a converter.
    """

    def __init__(self, weight: Weight):
        self.weight = weight
        self.options: dict[Folding, Option] = {}
        self._costs: list[tuple[float, int, int]] = []

    def beats(self, cells: Cells, elements: int) -> bool:
        """Whether one is lighter than these cells, and its stream at most so wide; 0 elements where nothing is known of
        the stream."""
        weight = self.weight(cells) - WIDENING_LUTS
        return any(own <= weight and ebr <= cells.ebr and width <= elements for own, ebr, width in self._costs)

    def add(self, option: Option, elements: int) -> None:
        """One with so many elements in a beat behind its product."""
        self.options[option.folding] = option
        if elements:
            self._costs.append((self.weight(option.part.resources), option.part.resources.ebr, elements))


def undominated(options: list[Option], weight: Weight) -> list[Option]:
    """The options less those that another one with the same stream beats in weight and block RAMs."""
    kept: list[Option] = []
    least: dict[Port, float] = {}
    for option in sorted(options, key=lambda option: (option.part.resources.ebr, weight(option.part.resources))):
        if weight(option.part.resources) < least.get(option.port, inf):
            least[option.port] = weight(option.part.resources)
            kept.append(option)
    return kept
