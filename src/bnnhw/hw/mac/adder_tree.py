"""The sum of several numbers, by adders of two.

Tests: tests/hw/mac/test_unit.py
"""

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Signal, Value

from bnnhw.hw.targets import ZERO, Addend, Adders

__all__ = ["add_all", "sign_extended", "tree_widths"]


def tree_widths(count: int, width: int, limit: int) -> list[list[int]]:
    """Of each level of a tree the bits of its results; `count` numbers of `width` bits come in.

    Neighbours are added, a number without one passes. Each level is a bit wider, up to `limit` bits, modulo which the
    sum is wanted.

    >>> tree_widths(5, 8, 10)
    [[9, 9, 8], [10, 8], [10]]
    """
    levels: list[list[int]] = []
    widths = [min(width, limit)] * count
    while len(widths) > 1:
        pairs = [min(max(widths[n : n + 2]) + 1, limit) for n in range(0, len(widths) - 1, 2)]
        widths = pairs + widths[2 * len(pairs) :]
        levels.append(widths)
    return levels


def add_all(m: Module, numbers: Sequence[Value], *, limit: int, adders: Adders, name: str) -> Value:
    """The sum of signed numbers of one width, modulo 2^limit, a cycle later for each level: registers stand behind
    every adder."""
    values = [number[:limit] for number in numbers]
    for level, widths in enumerate(tree_widths(len(values), len(values[0]), limit)):
        sums: list[Value] = []
        for index, width in enumerate(widths):
            pair = values[2 * index : 2 * index + 2]
            following, register = (
                Signal(width, name=f"{part}{name}_{level}_{index}", reset_less=True) for part in ("next", "sum")
            )
            if len(pair) == 2:
                u, v = (Addend(sign_extended(each, width)) for each in pair)
                adders.add(u, v, ZERO, following)
            else:
                m.d.comb += following.eq(pair[0])
            m.d.sync += register.eq(following)
            sums.append(register)
        values = sums
    return values[0]


def sign_extended(value: Value, width: int) -> Value:
    """A number in two's complement in at least as many bits."""
    return Cat(value, value[-1].replicate(width - len(value)))
