"""Which foldings beat others."""

import pytest

from bnnhw.compiler.search.lightest import WIDENING_LUTS, Lightest, undominated
from bnnhw.compiler.search.parts import Option, Part
from bnnhw.compiler.units.port import Port
from bnnhw.compiler.units.product.folding import Folding
from bnnhw.hw.targets import Cells


def logic(cells: Cells) -> float:
    return cells.logic


def option(pe: int, cells: Cells, lanes: int = 1) -> Option:
    return Option("layer", Folding(pe, 1), Part(1, cells), Port(1, 1, 16, 1, lanes))


FEW = Cells(logic=100, ebr=2)


@pytest.mark.parametrize(
    ("cells", "elements", "beaten"),
    [
        (Cells(logic=100 + WIDENING_LUTS, ebr=2), 4, True),
        (Cells(logic=100 + WIDENING_LUTS, ebr=2), 8, True),
        (Cells(logic=99 + WIDENING_LUTS, ebr=2), 4, False),
        (Cells(logic=1000, ebr=1), 4, False),
        (Cells(logic=1000, ebr=2), 2, False),  # a narrower stream
        (Cells(logic=1000, ebr=2), 0, False),  # one of which nothing is known
    ],
)
def test_what_is_lighter_and_no_wider_beats(cells: Cells, elements: int, beaten: bool):
    lightest = Lightest(logic)
    lightest.add(option(1, FEW), 4)
    assert lightest.beats(cells, elements) == beaten


def test_of_the_same_streams_the_lightest_for_their_block_rams_are_left():
    best, fewer_rams, heavier = option(1, FEW), option(2, Cells(logic=200, ebr=1)), option(3, Cells(logic=101, ebr=2))
    other = option(4, Cells(logic=300, ebr=2), lanes=2)
    assert undominated([heavier, best, fewer_rams, other], logic) == [fewer_rams, best, other]
