"""An adder graph in hardware."""

from collections.abc import Callable
from functools import partial
from typing import Any

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.delays import delay
from bnnhw.hw.targets import Addend, Adders, Target, check_target

from .adder_graph import Adder, AdderGraph, RowSum, Term

__all__ = ["AdderPipeline"]

Operand = Callable[[Term | int], Addend]
"""The bits of a term, or a constant."""


class AdderPipeline(wiring.Component):
    """The rows' sums of an adder graph, `graph.latency` cycles after `x`; one vector a cycle, no stall.

    Parameters
    ----------
    graph : AdderGraph
    target : Target

    Members
    -------
    x : In(graph.inputs)
    sums : Out(rows * graph.sum_width)
        Two's complement; the mismatch sum of row r is sums[r] + graph.rows[r].offset.
    """

    x: Signal
    sums: Signal

    def __init__(self, *, graph: AdderGraph, target: Target):
        check_target(target)
        self.graph = graph
        self.target = target
        super().__init__({"x": In(graph.inputs), "sums": Out(len(graph.rows) * graph.sum_width)})

    def elaborate(self, platform) -> Module:
        m = Module()
        graph = self.graph
        adders = self.target.adders(m)
        nodes: list[list[Value]] = [[bit] for bit in self.x]  # the values of each node 0, 1, .. cycles late

        def operand_at(term: Term | int, *, stage: int) -> Addend:
            """A constant, or the bits of a term as they are `stage` cycles after the inputs."""
            if isinstance(term, int):
                return Addend.constant(term)
            late, cycles = nodes[term.node], stage - graph.stages[term.node]
            while len(late) <= cycles:
                late.append(delay(m, late[-1], 1, name=f"node{term.node}_late{len(late)}_"))
            bits = late[cycles][term.low :]
            return Addend(bits, (1 << len(bits)) - 1 if term.inverted else 0)

        for number, adder in enumerate(graph.adders, graph.inputs):
            operand = partial(operand_at, stage=adder.stage - 1)
            total = Signal(adder.width, name=f"total{number}")
            _add(adders, adder, operand, total, few=self.target.fabric.adds_in_luts(graph.input_bits(adder)))
            node = Signal(adder.width, name=f"node{number}", reset_less=True)
            m.d.sync += node.eq(total)
            nodes.append([node])
        adders.emit()
        operand = partial(operand_at, stage=graph.latency)
        m.d.comb += self.sums.eq(Cat(_row_bits(row, operand, graph.sum_width) for row in graph.rows))
        return m


def _add(adders: Adders, adder: Adder, operand: Operand, total: Signal, *, few: bool) -> None:
    """Makes `total` the adder's sum; `few` says that it has so few input bits that a chain would cost more."""
    if few:
        u, v, carry = (operand(part) if isinstance(part, Term) else part for part in (adder.u, adder.v, adder.carry))
        carry = Addend(carry.value()[:1]) if isinstance(carry, Addend) else carry
        adders.look_up(_difference if adder.subtract else _sum, (u, v, carry), total)
        return
    u, v = operand(adder.u), operand(adder.v)
    if adder.subtract:
        adders.subtract(u, v, total)
    else:
        carry = operand(adder.carry)
        adders.add(u, v, Addend(carry.bits[:1], carry.flip & 1), total)


def _sum(u: Any, v: Any, carry: Any) -> Any:
    return u + v + carry


def _difference(u: Any, v: Any, carry: Any) -> Any:
    return u - v


def _row_bits(row: RowSum, operand: Operand, width: int) -> Value:
    """The sum of a row in two's complement."""
    high = operand(row.high).value()
    number = Cat(operand(row.low).value()[:1], high)
    sign = high[-1] if row.signed else Const(0, 1)
    return Cat(number, sign.replicate(width - len(number)))
