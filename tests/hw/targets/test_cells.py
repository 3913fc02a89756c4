"""Cells add up, and what is not told apart in one of two is not in their sum."""

from bnnhw.hw.targets import Cells

UNIT = Cells(logic=10, luts=4, carries=3, ffs=5, ebr=1, multipliers=2)


def test_each_field_adds_up():
    assert Cells(logic=20, luts=8, carries=6, ffs=10, ebr=2, multipliers=4) == UNIT + UNIT
    assert sum([UNIT, UNIT], Cells(luts=0, carries=0)) == UNIT + UNIT


def test_what_one_does_not_know_the_sum_does_not():
    assert UNIT + Cells(logic=7) == Cells(logic=17, ffs=5, ebr=1, multipliers=2)
    assert Cells(logic=7) + UNIT == UNIT + Cells(logic=7)
