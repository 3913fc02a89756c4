"""XNOR-popcount: counts the mismatches of inputs and weights in a pipelined tree of adders with carry inputs."""

# pyright: reportArgumentType=false
# (as amaranth's types say it: slices may be IO values, memory ports have no members)

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .ecp5 import ZERO, Addend, CarryChains

__all__ = [
    "TECHNOLOGIES",
    "Popcount",
    "XnorPopcount",
    "check_technology",
    "count_mismatches",
    "delay",
    "delay_taps",
    "mismatch",
    "plan_popcount",
]

TECHNOLOGIES = ("ecp5", "portable")


def check_technology(technology: str) -> None:
    """Raises ValueError unless `technology` is one of TECHNOLOGIES."""
    if technology not in TECHNOLOGIES:
        raise ValueError(f"technology={technology!r} must be one of {list(TECHNOLOGIES)}")


@dataclass(frozen=True)
class _Node:
    """A sub-tree that counts `inputs` bits: the sum of two sub-trees and, where `carry`, one more bit.

    A tree of one bit is the bit itself, a tree of no bits 0; both have no adder. `positions` are those of the carry
    chain: as many as the wider operand has bits, and one that takes the carries in and out.
    """

    inputs: int
    left: "_Node | None" = None
    right: "_Node | None" = None
    carry: bool = False
    positions: int = 0
    depth: int = 0

    @property
    def width(self) -> int:
        return self.inputs.bit_length()


@cache
def _best_node(inputs: int) -> _Node:
    """The tree of `inputs` bits with the fewest positions, among those the least deep, among those the most even."""
    if inputs < 2:
        return _Node(inputs)
    best: tuple[tuple[int, int, int], _Node] | None = None
    carry = inputs > 2
    summed = inputs - carry
    full = [(1 << width) - 1 for width in range(1, summed.bit_length() + 1)]  # trees without a wasted position
    for left in sorted({(summed + 1) // 2, (summed + 2) // 2, *full}):
        right = summed - left
        if not 0 <= right <= left < inputs:
            continue
        a, b = _best_node(left), _best_node(right)
        depth = max(a.depth, b.depth) + 1
        positions = a.positions + b.positions + a.width + 1
        key = (positions, depth, left)
        if best is None or key < best[0]:
            best = key, _Node(inputs, a, b, carry, positions, depth)
    assert best is not None
    return best[1]


@dataclass(frozen=True)
class Popcount:
    """A tree of adders, each followed by a register, in the order in which they are built.

    Attributes
    ----------
    inputs : int
        Bits that are counted.
    nodes : tuple
        The adders, operands before their users.
    latency : int
        Cycles from the inputs to the count: the depth of the tree.
    tap_starts : tuple of int
        Input bits tap_starts[d].. are needed d cycles after the first ones (the carry inputs of deeper adders); one
        entry for each d in 0..latency-1.
    positions : int
        Positions of carry chain: 2 to a CCU2C, each of the size of a LUT4.
    """

    inputs: int
    nodes: tuple["_Addition", ...]
    latency: int
    tap_starts: tuple[int, ...]
    positions: int

    @property
    def width(self) -> int:
        """Bits of the count."""
        return self.inputs.bit_length()


@dataclass(frozen=True)
class _Addition:
    """One adder: its operands are adders (by number) or input bits (by index), its carry input an input bit."""

    operands: tuple[tuple[str, int], ...]
    carry: int | None
    width: int
    stage: int  # the cycle after which the sum stands in its register


@cache
def plan_popcount(inputs: int) -> Popcount:
    """The popcount of `inputs` >= 0 bits with the fewest carry-chain positions.

    A tree of 2^k - 1 inputs wastes nothing: (2^(k-1) - 1) + (2^(k-1) - 1) + 1 carry input. It takes 2 positions for 3
    inputs, 88 for 63.

    >>> plan_popcount(63).positions, plan_popcount(63).latency
    (88, 5)
    """
    if inputs < 0:
        raise ValueError(f"inputs={inputs} must be at least 0")
    root = _best_node(inputs)
    # Inputs are numbered by the stage that reads them, so that the ones to delay are a tail of the vector.
    readers: list[int] = []

    def leaves(node: _Node) -> None:
        if node.left is None or node.right is None:
            return
        readers.extend([node.depth - 1] * (node.carry + (node.left.inputs == 1) + (node.right.inputs == 1)))
        leaves(node.left)
        leaves(node.right)

    leaves(root)
    starts = [sum(reader < delay for reader in readers) for delay in range(root.depth + 1)]
    free = [iter(range(start, inputs)) for start in starts]
    nodes: list[_Addition] = []

    def build(node: _Node) -> tuple[str, int] | None:
        """Appends the adders of `node`; the reference to its sum, None for 0."""
        assert node.left is not None
        assert node.right is not None
        operands = []
        for child in (node.left, node.right):
            if child.inputs == 1:
                operands.append(("input", next(free[node.depth - 1])))
            elif child.inputs > 1:
                operands.append(build(child))
        carry = next(free[node.depth - 1]) if node.carry else None
        nodes.append(_Addition(tuple(operands), carry, node.width, node.depth))
        return "sum", len(nodes) - 1

    if root.depth:
        build(root)
    return Popcount(inputs, tuple(nodes), root.depth, tuple(starts[: root.depth]), root.positions)


def delay(m: Module, value: Value, cycles: int, *, name: str, reset_less: bool = True) -> Value:
    """`value` as it was `cycles` cycles ago."""
    for cycle in range(cycles):
        late = Signal(len(value), name=f"{name}{cycle}", reset_less=reset_less)
        m.d.sync += late.eq(value)
        value = late
    return value


def delay_taps(m: Module, value: Value, starts: Sequence[int], *, name: str) -> list[Value]:
    """`value` as it was d cycles ago, for each d: taps[d] holds bits starts[d].., starts[0] = 0."""
    taps: list[Value] = [value]
    for before, start in pairwise(starts):
        tap = Signal(len(value) - start, name=f"{name}{len(taps)}", reset_less=True)
        m.d.sync += tap.eq(taps[-1][start - before :])
        taps.append(tap)
    return taps


def mismatch(x: Value, w: Value | int, bit: int) -> Addend:
    """Bit `bit` of x ^ w, to be added."""
    return Addend(x[bit], w >> bit & 1 if isinstance(w, int) else w[bit])


def count_mismatches(
    m: Module,
    plan: Popcount,
    x: Sequence[Value],
    w: Sequence[Value | int],
    *,
    chains: CarryChains | None,
    name: str = "",
) -> Value:
    """popcount(x ^ w), `plan.latency` cycles later; the adders go into `chains`, or into plain Amaranth where None.

    `x` and `w` are taps as `delay_taps` makes them for `plan.tap_starts`; a constant weight is an int of the same bits.
    """
    if plan.inputs == 0:
        return ZERO.bits
    if plan.inputs == 1:
        return mismatch(x[0], w[0], 0).value()
    sums = Signal(sum(node.width for node in plan.nodes), name=f"sums{name}", reset_less=True)
    results: list[tuple[Value, int]] = []  # of each adder, its register and the stage
    totals: list[Value] = []

    def operand(reference: tuple[str, int], stage: int) -> Addend:
        kind, index = reference
        if kind == "input":
            return mismatch(x[stage], w[stage], index - plan.tap_starts[stage])
        result, ready = results[index]
        for delay in range(stage - ready):
            late = Signal(len(result), name=f"late{name}_{index}_{delay}", reset_less=True)
            m.d.sync += late.eq(result)
            result = late
        return Addend(result)

    offset = 0
    for node in plan.nodes:
        stage = node.stage - 1
        operands = [operand(reference, stage) for reference in node.operands]
        u, v = (*operands, ZERO)[:2]
        carry = ZERO if node.carry is None else operand(("input", node.carry), stage)
        if chains is None:
            totals.append((u.value() + v.value() + carry.value())[: node.width])
        else:
            total = Signal(node.width, name="total")
            chains.add(u, v, carry, total)
            totals.append(total)
        results.append((sums[offset : offset + node.width], node.stage))
        offset += node.width
    m.d.sync += sums.eq(Cat(totals))
    return results[-1][0]


class XnorPopcount(wiring.Component):
    """mismatches = popcount(x ^ w), `latency` cycles later; one result a cycle, no stall.

    With x and w of +1/-1 coded as 1/0, their dot product is inputs - 2 * mismatches.

    Parameters
    ----------
    inputs : int
        Bits of `x` and of `w`.
    technology : str
        "ecp5" for chains of CCU2C instances, "portable" for the same tree in plain Amaranth.

    Members
    -------
    x, w : In(inputs)
    mismatches : Out(bit_length(inputs))
    """

    x: Signal
    w: Signal
    mismatches: Signal

    def __init__(self, *, inputs: int, technology: str):
        if inputs < 1:
            raise ValueError(f"inputs={inputs} must be at least 1")
        check_technology(technology)
        self.plan = plan_popcount(inputs)
        self.technology = technology
        super().__init__({"x": In(inputs), "w": In(inputs), "mismatches": Out(self.plan.width)})

    def __repr__(self) -> str:
        return f"XnorPopcount(inputs={self.plan.inputs}, technology={self.technology!r})"

    @property
    def latency(self) -> int:
        """Cycles from `x` and `w` to `mismatches`."""
        return self.plan.latency

    def elaborate(self, platform) -> Module:
        m = Module()
        chains = CarryChains() if self.technology == "ecp5" else None
        x = delay_taps(m, self.x, self.plan.tap_starts, name="x")
        w = delay_taps(m, self.w, self.plan.tap_starts, name="w")
        m.d.comb += self.mismatches.eq(count_mismatches(m, self.plan, x, w, chains=chains))
        if chains is not None:
            chains.emit(m)
        return m
