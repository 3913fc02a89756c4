"""ECP5 carry cells as adders of XORed operands: `CarryChains` gathers adders and lays them into chains of CCU2C.

One position of a chain (half a CCU2C) computes, from four inputs and the carry `ci` of the position before,

    p = LUT4(a, b, c, d)        s = p ^ ci        co = ci if p else LUT2(a, b)

where LUT2 is the LUT4 at c = d = 0. A full adder of u and v has p = u ^ v and LUT2 = u. Each of u and v may itself be
the XOR of two signals, so that the XNOR of a binary multiplication is free. A *spacer* has p = 0: its `s` hands out the
carry of the adder before it, and its LUT2 is the carry input of the adder after it. So adders follow each other in one
chain at the price of one position each.
"""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false
# (as amaranth's types say it: slices may be IO values, memory ports have no members)

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from amaranth.hdl import Const, Instance, Module, Signal, Value

__all__ = ["ZERO", "Addend", "CarryChains", "full_adder_init"]

CHAIN_POSITIONS = 16
"""Positions after which a new chain begins at the next adder. Timing analysis takes the carry to run from end to end,
through the spacers, too: with 32 matrix units are a tenth slower, and not smaller by more than 3 %."""

_ONE = Const(1, 1)


class Addend(NamedTuple):
    """The number `bits ^ flip`, where `flip` is a value of the same width or a constant (0: plain `bits`)."""

    bits: Value
    flip: Value | int = 0

    def value(self) -> Value:
        """The number as an expression."""
        return self.bits ^ self.flip if isinstance(self.flip, Value) or self.flip else self.bits

    def literal(self, index: int) -> "_Literal | None":
        """Bit `index`, None beyond the top."""
        if index >= len(self.bits):
            return None
        if isinstance(self.flip, Value):
            return _Literal(self.bits[index], self.flip[index], 0)
        return _Literal(self.bits[index], None, self.flip >> index & 1)


ZERO = Addend(Const(0, 0))
"""The number 0, of no bits."""


class _Literal(NamedTuple):
    """The bit `a ^ b`, or `a ^ inverted` where `b` is None."""

    a: Value
    b: Value | None
    inverted: int


class _Position(NamedTuple):
    """One position of a chain: its inputs (an unused one is tied to 1), its INIT, where `s` goes (None: nowhere)."""

    a: Value
    b: Value
    c: Value
    d: Value
    init: int
    s: Value | None


def _lut(function: Callable[[int, int, int, int], int]) -> int:
    """The INIT of a LUT4 that computes `function(a, b, c, d)`."""
    return sum((function(i & 1, i >> 1 & 1, i >> 2 & 1, i >> 3 & 1) & 1) << i for i in range(16))


def full_adder_init(u: tuple[bool, int], v: tuple[bool, int]) -> int:
    """The INIT of p = u ^ v, LUT2 = u, where (True, _) is the XOR of two inputs (u = a ^ b, v = c ^ d) and
    (False, inverted) the first of them or its inverse. The second is then tied to 1, so that c = d = 0 never occurs
    unless it is the XOR's own 0, and the low four bits are free for LUT2."""

    def propagate(a: int, b: int, c: int, d: int) -> int:
        return (a ^ (b if u[0] else u[1])) ^ (c ^ (d if v[0] else v[1]))

    generate = _lut(lambda a, b, c, d: a ^ (b if u[0] else u[1]))
    return _lut(propagate) & 0xFFF0 | generate & 0xF


_ADD_INIT = {
    (u, v): full_adder_init(u, v)
    for u in ((True, 0), (False, 0), (False, 1))
    for v in ((True, 0), (False, 0), (False, 1))
}
# p = u and LUT2 = u: the addition of the constant 0; c and d are tied to 1.
_PASS_INIT = {(True, 0): 0x6006, (False, 0): 0xA00A, (False, 1): 0x5005}
# p = 0 where c is 1, and LUT2 is the injected carry.
_SPACER_INIT = {(True, 0): 0x0006, (False, 0): 0x000A, (False, 1): 0x0005, None: 0x0000}
# p = a ^ (b if c else d), LUT2 = a, which is p at c = d = 0 as it must be.
_ACCUMULATE_INIT = _lut(lambda a, b, c, d: a ^ (b if c else d))
# The same with nothing to add; a is tied to 1.
_KEEP_INIT = _lut(lambda a, b, c, d: b if c else d)


def _kind(literal: _Literal) -> tuple[bool, int]:
    return literal.b is not None, literal.inverted


def _ends(literal: _Literal) -> tuple[Value, Value]:
    return literal.a, _ONE if literal.b is None else literal.b


@dataclass
class _Chain:
    """A chain under construction, and where the carry out of its last adder goes (None: nowhere)."""

    positions: list[_Position] = field(default_factory=list)
    carry: Value | None = None


@dataclass
class CarryChains:
    """Adders that share carry chains; `emit` makes the CCU2C of all of them.

    An adder's `level` says how many others its operands pass in the same cycle. Adders share a chain with those of
    their level only, so that no path enters a chain twice.

    Parameters
    ----------
    limit : int
        Positions after which the next adder begins a new chain.
    """

    limit: int = CHAIN_POSITIONS
    _chains: list[_Chain] = field(default_factory=list)
    _open: dict[int, _Chain] = field(default_factory=dict)  # by level

    def add(self, u: Addend, v: Addend, carry: Addend, total: Value, *, level: int = 0) -> None:
        """Makes `total` = (u + v + carry) mod 2^len(total); `carry` has at most one bit, `u` is the wider operand."""
        chain = self._begin(carry, level)
        width = min(len(u.bits), len(total))
        for index in range(width):
            chain.positions.append(_adder_position(u.literal(index), v.literal(index), total[index]))
        chain.carry = total[width] if len(total) > width else None

    def accumulate(
        self, addend: Addend, carry: Addend, *, old: Value, keep: Value, start: Value, total: Value, level: int = 0
    ) -> None:
        """Makes `total` = (addend + carry + (old if keep else start)) mod 2^len(total).

        `addend` is plain bits; `old`, `start` and `total` are of one width.
        """
        chain = self._begin(carry, level)
        for index in range(len(total)):
            literal = addend.literal(index)
            a, init = (_ONE, _KEEP_INIT) if literal is None else (literal.a, _ACCUMULATE_INIT)
            chain.positions.append(_Position(a, old[index], keep, start[index], init, total[index]))
        chain.carry = None

    def emit(self, m: Module) -> None:
        """Adds the chains' CCU2C instances to `m`."""
        for level in list(self._open):
            self._close(level)
        for number, chain in enumerate(self._chains):
            positions = chain.positions
            carries = Signal((len(positions) + 1) // 2, name=f"chain{number}")
            if chain.carry is not None:
                m.d.comb += chain.carry.eq(carries[-1])
            for index in range(0, len(positions), 2):
                low, high = positions[index], positions[index + 1] if index + 1 < len(positions) else _UNUSED
                m.submodules += Instance(
                    "CCU2C",
                    p_INIT0=Const(low.init, 16),
                    p_INIT1=Const(high.init, 16),
                    p_INJECT1_0="NO",
                    p_INJECT1_1="NO",
                    **({"i_CIN": carries[index // 2 - 1]} if index else {}),
                    **{f"i_{pin}0": value for pin, value in zip("ABCD", low, strict=False)},
                    **{f"i_{pin}1": value for pin, value in zip("ABCD", high, strict=False)},
                    **({} if low.s is None else {"o_S0": low.s}),
                    **({} if high.s is None else {"o_S1": high.s}),
                    o_COUT=carries[index // 2],
                )
        self._chains.clear()

    def _begin(self, carry: Addend, level: int) -> _Chain:
        """The chain for the next adder of `level`, with the spacer before it."""
        if level in self._open and len(self._open[level].positions) >= self.limit:
            self._close(level)
        chain = self._open.setdefault(level, _Chain())
        literal = carry.literal(0)
        a, b = (_ONE, _ONE) if literal is None else _ends(literal)
        init = _SPACER_INIT[None if literal is None else _kind(literal)]
        chain.positions.append(_Position(a, b, _ONE, _ONE, init, chain.carry))
        return chain

    def _close(self, level: int) -> None:
        """Ends the open chain. Its last carry leaves by the spare half of its last CCU2C, else by that one's COUT."""
        chain = self._open.pop(level)
        if chain.carry is not None and len(chain.positions) % 2:
            chain.positions.append(_UNUSED._replace(s=chain.carry))
            chain.carry = None
        self._chains.append(chain)


_UNUSED = _Position(_ONE, _ONE, _ONE, _ONE, 0, None)


def _adder_position(u: _Literal | None, v: _Literal | None, s: Value) -> _Position:
    assert u is not None, "u is the wider operand"
    if v is None:
        return _Position(*_ends(u), _ONE, _ONE, _PASS_INIT[_kind(u)], s)
    return _Position(*_ends(u), *_ends(v), _ADD_INIT[_kind(u), _kind(v)], s)
