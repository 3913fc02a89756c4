"""XNOR-popcount: counts the mismatches of inputs and weights in a pipelined tree of adders."""

# pyright: reportArgumentType=false
# (as amaranth's types say it: slices may be IO values)

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .delays import delay, stagger
from .ecp5 import ZERO, Addend, CarryChains
from .popcount_plan import Popcount, plan_popcount
from .technology import check_technology

__all__ = ["XnorPopcount", "count_ones"]


def count_ones(
    m: Module, plan: Popcount, terms: Sequence[Addend], *, chains: CarryChains | None, name: str = ""
) -> Value:
    """The sum of the first `plan.inputs` of `terms`, which have one bit each, `plan.latency` cycles later.

    The terms are staggered by `plan.tap_starts`. The adders go into `chains`, or into plain Amaranth where None.
    """
    if plan.inputs < 2:
        return terms[0].value() if plan.inputs else ZERO.bits
    sums = [Signal(node.width, name=f"sum{name}_{index}", reset_less=True) for index, node in enumerate(plan.nodes)]
    totals: list[Value] = []

    def operand(reference: tuple[str, int], stage: int) -> Addend:
        kind, index = reference
        if kind == "input":
            return terms[index]
        return Addend(delay(m, sums[index], stage - plan.nodes[index].stage, name=f"late{name}_{index}_"))

    for node in plan.nodes:
        operands = [operand(reference, node.stage - 1) for reference in node.operands]
        u, v = (*operands, ZERO)[:2]
        carry = ZERO if node.carry is None else terms[node.carry]
        if chains is None:
            totals.append((u.value() + v.value() + carry.value())[: node.width])
        else:
            total = Signal(node.width, name="total")
            chains.add(u, v, carry, total)
            totals.append(total)
    m.d.sync += Cat(sums).eq(Cat(totals))  # pyright: ignore[reportAttributeAccessIssue]
    return sums[-1]


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
        x = stagger(m, self.x, self.plan.tap_starts or (0,), name="x")
        w = stagger(m, self.w, self.plan.tap_starts or (0,), name="w")
        terms = [Addend(*pair) for pair in zip(x, w, strict=True)]
        m.d.comb += self.mismatches.eq(count_ones(m, self.plan, terms, chains=chains))
        if chains is not None:
            chains.emit(m)
        return m
