"""An adder graph in hardware."""

# pyright: reportArgumentType=false, reportAssignmentType=false, reportAttributeAccessIssue=false, reportReturnType=false
# (as amaranth's types say it: slices may be IO values)

from collections.abc import Callable
from functools import partial

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.delays import delay
from bnnhw.hw.targets.ecp5 import Addend, CarryChains
from bnnhw.hw.targets.technology import check_technology

from .adder_graph import LUT_INPUTS, Adder, AdderGraph, RowSum, Term

__all__ = ["AdderPipeline"]

Operand = Callable[[Term | int], Addend]
"""The bits of a term, or a constant."""


class AdderPipeline(wiring.Component):
    """The rows' sums of an adder graph, `graph.latency` cycles after `x`; one vector a cycle, no stall.

    Parameters
    ----------
    graph : AdderGraph
    technology : str
        "ecp5" for LUT4 and chains of CCU2C instances, "portable" for the same adders in plain Amaranth.

    Members
    -------
    x : In(graph.inputs)
    sums : Out(rows * graph.sum_width)
        Two's complement; the mismatch sum of row r is sums[r] + graph.rows[r].offset.
    """

    x: Signal
    sums: Signal

    def __init__(self, *, graph: AdderGraph, technology: str):
        check_technology(technology)
        self.graph = graph
        self.technology = technology
        super().__init__({"x": In(graph.inputs), "sums": Out(len(graph.rows) * graph.sum_width)})

    def elaborate(self, platform) -> Module:
        m = Module()
        graph = self.graph
        chains = CarryChains() if self.technology == "ecp5" else None
        nodes: list[list[Value]] = [[bit] for bit in self.x]  # the values of each node 0, 1, .. cycles late

        def operand_at(term: Term | int, *, stage: int) -> Addend:
            """A constant, or the bits of a term as they are `stage` cycles after the inputs."""
            if isinstance(term, int):
                return _constant(term)
            late, cycles = nodes[term.node], stage - graph.stages[term.node]
            while len(late) <= cycles:
                late.append(delay(m, late[-1], 1, name=f"node{term.node}_late{len(late)}_"))
            bits = late[cycles][term.low :]
            return Addend(bits, (1 << len(bits)) - 1 if term.inverted else 0)

        for number, adder in enumerate(graph.adders, graph.inputs):
            operand = partial(operand_at, stage=adder.stage - 1)
            total = Signal(adder.width, name=f"total{number}")
            if chains is None:
                m.d.comb += total.eq(_plain_sum(adder, operand))
            elif graph.input_bits(adder) <= LUT_INPUTS:
                m.d.comb += total.eq(_looked_up_sum(adder, operand))
            else:
                _add_to_chain(chains, adder, operand, total)
            node = Signal(adder.width, name=f"node{number}", reset_less=True)
            m.d.sync += node.eq(total)
            nodes.append([node])
        if chains is not None:
            chains.emit(m)
        operand = partial(operand_at, stage=graph.latency)
        m.d.comb += self.sums.eq(Cat(_row_bits(row, operand, graph.sum_width) for row in graph.rows))
        return m


def _plain_sum(adder: Adder, operand: Operand) -> Value:
    u, v, carry = operand(adder.u).value(), operand(adder.v).value(), operand(adder.carry).value()[:1]
    return u - v if adder.subtract else u + v + carry


def _looked_up_sum(adder: Adder, operand: Operand) -> Value:
    """Each bit of the sum as a table of all input bits."""
    parts = (adder.u, adder.v, adder.carry)
    u, v, carry = (operand(part).value() if isinstance(part, Term) else Const(0, 0) for part in parts)
    inputs = (u, v, carry[:1])
    tables = [0] * adder.width
    size = 1 << sum(map(len, inputs))
    for index in range(size):
        numbers, rest = [], index
        for part, bits in zip(parts, inputs, strict=True):
            numbers.append(rest & ((1 << len(bits)) - 1) if isinstance(part, Term) else part)
            rest >>= len(bits)
        u, v, carry = numbers
        total = u - v if adder.subtract else u + v + carry
        for bit in range(adder.width):
            tables[bit] |= (total >> bit & 1) << index
    return Cat(Const(table, size).bit_select(Cat(inputs), 1) for table in tables)


def _add_to_chain(chains: CarryChains, adder: Adder, operand: Operand, total: Signal) -> None:
    """u - v is u + ~v + 1 with ~v as wide as the sum."""
    u, v = operand(adder.u), operand(adder.v)
    if adder.subtract:
        above = max(0, adder.width - len(v.bits))
        chains.add(Addend(Cat(v.bits, _constant((1 << above) - 1).bits), _inverse(v)), u, _constant(1), total)
    else:
        chains.add(u, v, operand(adder.carry), total)


def _inverse(number: Addend) -> int:
    """The bits of a number, inverted or not by a constant, that its inverse inverts."""
    assert isinstance(number.flip, int)
    return number.flip ^ ((1 << len(number.bits)) - 1)


def _constant(number: int) -> Addend:
    """`number` as ones, of which some are inverted: an input of a cell that is 1 costs no wire."""
    ones = (1 << number.bit_length()) - 1
    return Addend(Const(ones, number.bit_length()), number ^ ones)


def _row_bits(row: RowSum, operand: Operand, width: int) -> Value:
    """The sum of a row in two's complement."""
    high = operand(row.high).value()
    number = Cat(operand(row.low).value()[:1], high)
    sign = high[-1] if row.signed else Const(0, 1)
    return Cat(number, sign.replicate(width - len(number)))
