"""Chains of registers.

Tests: tests/hw/hardwired/test_unit.py
"""

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from itertools import pairwise

from amaranth.hdl import Cat, Module, Signal, Value

__all__ = ["delay", "delays", "stagger"]


def delay(
    m: Module, value: Value, cycles: int, *, enable: Value | None = None, name: str, reset_less: bool | None = None
) -> Value:
    """`value` as it was `cycles` cycles ago, of `enable` where that is given.

    The registers are reset where they have an enable, unless told otherwise: whether a beat is there goes with it.
    """
    return delays(m, value, cycles, enable=enable, name=name, reset_less=reset_less)[-1]


def delays(
    m: Module, value: Value, cycles: int, *, enable: Value | None = None, name: str, reset_less: bool | None = None
) -> list[Value]:
    """`value` as it was 0, 1, .. `cycles` cycles ago; see `delay`."""
    values = [value]
    for cycle in range(cycles):
        late = Signal(
            len(value), name=f"{name}{cycle}", reset_less=enable is None if reset_less is None else reset_less
        )
        with nullcontext() if enable is None else m.If(enable):
            m.d.sync += late.eq(values[-1])
        values.append(late)
    return values


def stagger(
    m: Module, value: Value, starts: Sequence[int], *, name: str, init: Iterable[int] | None = None
) -> list[Value]:
    """The bits of `value`: bit i as it was d cycles ago, where starts[d] <= i < starts[d + 1]; starts[0] = 0.

    The registers begin with the bits `init`, or with 0.
    """
    begin = [0] * len(value) if init is None else [int(bit) for bit in init]
    late = value
    parts: list[Value] = []
    for delay, (start, end) in enumerate(pairwise((*starts, len(value)))):
        parts.append(late[: end - start])
        if end < len(value):
            first = sum(bit << place for place, bit in enumerate(begin[end:]))
            following = Signal(len(value) - end, name=f"{name}_late{delay + 1}", init=first, reset_less=True)
            m.d.sync += following.eq(late[end - start :])
            late = following
    # Signals of one bit: Amaranth looks at every bit of a signal for each of its slices.
    bits: list[Value] = [Signal(name=f"{name}_{bit}") for bit in range(len(value))]
    m.d.comb += Cat(bits).eq(Cat(parts))  # pyright: ignore[reportAttributeAccessIssue]
    return bits
