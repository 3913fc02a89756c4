"""CarryChains: the tables of its cells, and their number; test_popcount proves that the adders add."""

from itertools import product

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Const, Module, Signal

from bnnhw.hw.targets import ZERO, Addend
from bnnhw.hw.targets.ecp5.carry_chains import CarryChains, full_adder_init

XOR, PLAIN, INVERTED = (True, 0), (False, 0), (False, 1)


@pytest.mark.parametrize(("u", "v"), list(product([XOR, PLAIN, INVERTED], repeat=2)))
def test_full_adder_init(u, v):
    """p = u ^ v and LUT2 = u for every input that can occur."""
    init = full_adder_init(u, v)
    for a, b, c, d in product((0, 1), repeat=4):
        if (not u[0] and not b) or (not v[0] and not d):
            continue  # an unused input is tied to 1
        first = a ^ (b if u[0] else u[1])
        second = c ^ (d if v[0] else v[1])
        assert init >> (a + 2 * b + 4 * c + 8 * d) & 1 == first ^ second
        if first == second:  # p = 0: the carry is LUT2, the table at c = d = 0
            assert init >> (a + 2 * b) & 1 == first


@pytest.mark.parametrize(
    ("limit", "adders", "cells"),
    [
        (100, 1, 3),  # spacer and 4 bits; the carry leaves by the spare half
        (100, 2, 5),  # the first adder's carry leaves by the second one's spacer, the second one's by COUT
        (5, 2, 6),
        (6, 2, 5),
    ],
)
def test_adders_share_chains(limit, adders, cells):
    m = Module()
    chains = CarryChains(m, limit=limit)
    for _ in range(adders):
        chains.add(Addend(Signal(4), Signal(4)), Addend(Signal(3)), Addend(Const(1, 1)), Signal(5))
    chains.emit()
    assert rtlil.convert(m, ports=[]).count("cell \\CCU2C") == cells


def test_adders_in_series_are_in_chains_of_their_own():
    """The first adder's carry runs to the end of its chain, where the second one must not be."""
    m = Module()
    chains = CarryChains(m)
    first, second = Signal(2), Signal(3)
    chains.add(Addend(Signal(1)), Addend(Signal(1)), ZERO, first)
    chains.add(Addend(first), Addend(Signal(2)), ZERO, second, level=1)
    chains.add(Addend(Signal(1)), Addend(Signal(1)), ZERO, Signal(2))
    chains.emit()
    text = rtlil.convert(m, ports=[])
    # Spacer, bit, spacer, bit, then its last carry; spacer, two bits and the last carry.
    assert text.count("cell \\CCU2C") == 2 + 2
    assert text.count("connect \\CIN") == 1 + 1
