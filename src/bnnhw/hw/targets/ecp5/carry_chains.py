"""ECP5 carry cells as adders of XORed operands: `CarryChains` gathers adders and lays them into chains of CCU2C.

One position of a chain (half a CCU2C) computes, from four inputs and the carry `ci` of the position before,

    p = LUT4(a, b, c, d)        s = p ^ ci        co = ci if p else LUT2(a, b)

where LUT2 is the LUT4 at c = d = 0. A full adder of u and v has p = u ^ v and LUT2 = u. Each of u and v may itself be
the XOR of two signals, so that the XNOR of a binary multiplication is free. A *spacer* has p = 0: its `s` hands out the
carry of the adder before it, and its LUT2 is the carry input of the adder after it. So adders follow each other in one
chain at the price of one position each.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from amaranth.hdl import Cat, Const, Instance, Module, Signal, Value

from bnnhw.hw.targets.adders import Addend, Adders

__all__ = ["CHAIN_POSITIONS", "CarryChains", "full_adder_init"]

CHAIN_POSITIONS = 16
"""Positions after which a new chain begins at the next adder. Timing analysis takes the carry to run from end to end,
through the spacers, too: with 32 matrix units are a tenth slower, and not smaller by more than 3 %."""

_ONE = Const(1, 1)


class _Literal(NamedTuple):
    """The bit `a ^ b`, or `a ^ inverted` where `b` is None."""

    a: Value
    b: Value | None
    inverted: int


def _literal(number: Addend, index: int) -> _Literal | None:
    """Bit `index`, None beyond the top."""
    if index >= len(number.bits):
        return None
    if isinstance(number.flip, Value):
        return _Literal(number.bits[index], number.flip[index], 0)
    return _Literal(number.bits[index], None, number.flip >> index & 1)


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


class CarryChains(Adders):
    """Adders that share carry chains; `emit` makes the CCU2C of all of them.

    Adders share a chain with those of their level only, so that no path enters a chain twice.

    Parameters
    ----------
    m : Module
        Where the cells go.
    limit : int
        Positions after which the next adder begins a new chain.
    """

    def __init__(self, m: Module, *, limit: int = CHAIN_POSITIONS):
        self._m = m
        self._limit = limit
        self._chains: list[_Chain] = []
        self._open: dict[int, _Chain] = {}  # by level

    def add(self, u: Addend, v: Addend, carry: Addend, total: Signal, *, level: int = 0) -> None:
        chain = self._begin(carry, level)
        width = min(len(u.bits), len(total))
        for index in range(width):
            chain.positions.append(_adder_position(_literal(u, index), _literal(v, index), total[index]))
        chain.carry = total[width] if len(total) > width else None

    def subtract(self, u: Addend, v: Addend, total: Signal) -> None:
        """u - v is u + ~v + 1 with ~v as wide as the sum."""
        above = max(0, len(total) - len(v.bits))
        assert isinstance(v.flip, int)
        inverse = Addend(Cat(v.bits, Addend.constant((1 << above) - 1).bits), v.flip ^ ((1 << len(v.bits)) - 1))
        self.add(inverse, u, Addend.constant(1), total)

    def accumulate(
        self, addend: Addend, carry: Addend, *, old: Value, keep: Value, start: Value, total: Signal, level: int = 0
    ) -> None:
        chain = self._begin(carry, level)
        for index in range(len(total)):
            literal = _literal(addend, index)
            a, init = (_ONE, _KEEP_INIT) if literal is None else (literal.a, _ACCUMULATE_INIT)
            chain.positions.append(_Position(a, old[index], keep, start[index], init, total[index]))
        chain.carry = None

    def look_up(self, function: Callable[..., Any], inputs: Sequence[Addend | int], total: Signal) -> None:
        """A table of all input bits for each bit of the sum."""
        bits = [Const(0, 0) if isinstance(each, int) else each.value() for each in inputs]
        tables = [0] * len(total)
        size = 1 << sum(map(len, bits))
        for index in range(size):
            numbers, rest = [], index
            for each, part in zip(inputs, bits, strict=True):
                numbers.append(each if isinstance(each, int) else rest & ((1 << len(part)) - 1))
                rest >>= len(part)
            result = function(*numbers)
            for bit in range(len(total)):
                tables[bit] |= (result >> bit & 1) << index
        self._m.d.comb += total.eq(Cat(Const(table, size).bit_select(Cat(bits), 1) for table in tables))

    def emit(self) -> None:
        m = self._m
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
        if level in self._open and len(self._open[level].positions) >= self._limit:
            self._close(level)
        chain = self._open.setdefault(level, _Chain())
        literal = _literal(carry, 0)
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
