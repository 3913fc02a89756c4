"""XNOR-popcount: counts the mismatches of inputs and weights in a pipelined tree of adders."""

# pyright: reportArgumentType=false
# (as amaranth's types say it: slices may be IO values)

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .delays import delay_taps
from .ecp5 import ZERO, Addend, CarryChains
from .popcount_plan import Popcount, plan_popcount
from .technology import check_technology

__all__ = ["XnorPopcount", "count_mismatches", "mismatch"]


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
