"""XNOR-popcount: counts the mismatches of inputs and weights in a pipelined tree of adders."""

from collections.abc import Sequence

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.delays import delay, stagger
from bnnhw.hw.targets import ZERO, Addend, Adders, Target, check_target

from .popcount_plan import Popcount, plan_popcount

__all__ = ["XnorPopcount", "count_ones"]


def count_ones(m: Module, plan: Popcount, terms: Sequence[Addend], *, adders: Adders, name: str = "") -> Value:
    """The sum of the first `plan.inputs` of `terms`, which have one bit each, `plan.latency` cycles later.

    The terms are staggered by `plan.tap_starts`. The additions go into `adders`.
    """
    if plan.inputs < 2:
        return terms[0].value() if plan.inputs else ZERO.bits
    sums: list[Value] = []
    for number, node in enumerate(plan.nodes):
        operands = [terms[index] if kind == "input" else Addend(sums[index]) for kind, index in node.operands]
        u, v = (*operands, ZERO)[:2]
        carry = ZERO if node.carry is None else terms[node.carry]
        total = Signal(node.width, name=f"total{name}_{number}")
        adders.add(u, v, carry, total, level=node.level)
        sums.append(delay(m, total, node.wait, name=f"sum{name}_{number}_"))
    return sums[-1]


class XnorPopcount(wiring.Component):
    """mismatches = popcount(x ^ w), `latency` cycles later, from registers; one result a cycle, no stall.

    With x and w of +1/-1 coded as 1/0, their dot product is inputs - 2 * mismatches.

    Parameters
    ----------
    inputs : int
        Bits of `x` and of `w`.
    levels : int
        Levels of the tree from register to register.
    target : Target

    Members
    -------
    x, w : In(inputs)
    mismatches : Out(bit_length(inputs))
    """

    x: Signal
    w: Signal
    mismatches: Signal

    def __init__(self, *, inputs: int, levels: int = 1, target: Target):
        if inputs < 1:
            raise ValueError(f"inputs={inputs} must be at least 1")
        check_target(target)
        self.plan = plan_popcount(inputs, levels=levels)
        self.levels = levels
        self.target = target
        super().__init__({"x": In(inputs), "w": In(inputs), "mismatches": Out(self.plan.width)})

    def __repr__(self) -> str:
        return f"XnorPopcount(inputs={self.plan.inputs}, levels={self.levels}, target={self.target!r})"

    @property
    def latency(self) -> int:
        """Cycles from `x` and `w` to `mismatches`."""
        return self.plan.latency

    def elaborate(self, platform) -> Module:
        m = Module()
        adders = self.target.adders(m)
        x = stagger(m, self.x, self.plan.tap_starts, name="x")
        w = stagger(m, self.w, self.plan.tap_starts, name="w")
        terms = [Addend(*pair) for pair in zip(x, w, strict=True)]
        m.d.comb += self.mismatches.eq(count_ones(m, self.plan, terms, adders=adders))
        adders.emit()
        return m
