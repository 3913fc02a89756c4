"""The multiplier that components ask a target for.

Tests: tests/hw/targets/test_multiplier.py
"""

from amaranth.hdl import Const, Shape, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hls.scheduling.delays import WIDEST_FACTOR

__all__ = ["Multiplier"]

MOST_REGISTERS = 1


class Multiplier(wiring.Component):
    """p(t) = a(t - registers) * b(t - registers), counted in cycles of `enable`. A target's subclass makes it.

    Parameters
    ----------
    a, b : Shape
        Of the factors: at most 18 bits each, signed or not.
    registers : int
        Inside of the multiplier, 0 or 1.

    Members
    -------
    a, b : In(a), In(b)
    p : Out(the shape of all products)
    enable : In(1)
        There with a register only, which keeps its factors while it is 0. Left unconnected, it is 1.
    """

    a: Signal
    b: Signal
    p: Signal
    enable: Signal

    def __init__(self, *, a: Shape, b: Shape, registers: int = 0):
        for name, shape in (("a", a), ("b", b)):
            if not 1 <= shape.width <= WIDEST_FACTOR:
                raise ValueError(f"{name}={shape!r} must have 1 to {WIDEST_FACTOR} bits, what a multiplier takes")
        if not 0 <= registers <= MOST_REGISTERS:
            raise ValueError(f"registers={registers} must be in 0..{MOST_REGISTERS}")
        self.shapes, self.registers = (a, b), registers
        product = (Const(0, a) * Const(0, b)).shape()
        ports = {"a": In(a), "b": In(b), "p": Out(product)}
        super().__init__({**ports, "enable": In(1, init=1)} if registers else ports)

    def __repr__(self) -> str:
        a, b = self.shapes
        return f"{type(self).__name__}(a={a!r}, b={b!r}, registers={self.registers})"
