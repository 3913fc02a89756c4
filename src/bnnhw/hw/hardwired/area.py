"""What a hardwired unit occupies on a target, counted from its plan before synthesis."""

from bnnhw.hw.targets import Cells, Fabric

from .adder_graph import AdderGraph, Term
from .plan import WORD_REGISTERS, HardwiredPlan

__all__ = ["hardwired_area"]

CONTROL_LUT4 = 24
"""LUT4 of the credits and of the queue's pointers, but for the counter of credits, which yosys makes of carry cells."""
CARRY_COUNTER_BITS = 5
"""Bits from which yosys makes a counter of carry cells."""
CONTROL_FF = 24
"""Their registers."""


def hardwired_area(plan: HardwiredPlan) -> Cells:
    """The cells of a HardwiredUnit.

    Carry cells are exact. Yosys finds LUT4 and flip-flops that adders have in common, and what a threshold does not
    need, so these are estimates.
    """
    graph, fabric = plan.graph, plan.fabric
    numbers = plan.vectors * plan.rows
    carries, ends = fabric.carry_cells(_chain_adders(graph, fabric))
    lut4 = sum(adder.width for adder in graph.adders if fabric.adds_in_luts(graph.input_bits(adder)))
    ff = _register_bits(graph)
    lut4, ff, carries, ends = (plan.vectors * cells for cells in (lut4, ff, carries, ends))
    number_bits = [1 + graph.bits(row.high) for row in graph.rows] * plan.vectors
    if plan.planes > 1:
        width = graph.sum_width + plan.planes
        carries += fabric.carry_cells([(width + 1, False)] * numbers)[0]
        lut4 += plan.vectors * plan.cols * fabric.multiplexer_luts(plan.planes) + plan.planes
        ff += numbers * width + plan.vectors * plan.cols
        number_bits = [width] * numbers
    if plan.thresholded:
        lut4 += sum(_comparison_luts(bits, fabric) for bits in number_bits)
        ff += numbers
    lut4 += fabric.distributed_ram_luts(plan.queue_depth, plan.output_width) + CONTROL_LUT4
    carries, ends = carries + (plan.queue_depth.bit_length() + 1) // 2, ends + 1
    pointer_bits = (plan.queue_depth - 1).bit_length()
    carries += 2 * -(-pointer_bits // 2) if pointer_bits >= CARRY_COUNTER_BITS else 0
    behind = plan.skew * plan.vectors * (plan.vectors - 1) // 2  # cycles that all vectors together wait for each other
    ff += WORD_REGISTERS * plan.vectors * plan.cols + behind * (plan.cols + plan.rows * plan.result_width)
    ff += plan.input_width + plan.output_width + CONTROL_FF + plan.pipeline_latency
    return fabric.cells(luts=lut4, carries=carries, carry_ends=ends, ffs=ff)


def _comparison_luts(bits: int, fabric: Fabric) -> int:
    """LUTs of a comparison with a constant, of whose inputs one is the LUT before; for half of the constants the lowest
    bit is nothing."""
    return -(-(bits - 1) // (fabric.lut_inputs - 1))


def _chain_adders(graph: AdderGraph, fabric: Fabric) -> list[tuple[int, bool]]:
    """The adders in carry chains: the positions of each, its spacer included, and whether it hands out a carry."""
    adders = []
    for adder in graph.adders:
        if not fabric.adds_in_luts(graph.input_bits(adder)):
            bits = adder.width if adder.subtract else min(adder.width, graph.bits(adder.u))
            adders.append((bits + 1, adder.width > bits))
    return adders


def _register_bits(graph: AdderGraph) -> int:
    """Flip-flops of the sums, and of each bit that a later stage reads, too, one for each cycle that it waits."""
    last_read: dict[tuple[int, int], int] = {}

    def read(term: Term, bits: int, stage: int) -> None:
        for bit in range(term.low, term.low + bits):
            key = term.node, bit
            last_read[key] = max(last_read.get(key, 0), stage)

    for adder in graph.adders:
        for term in (adder.u, adder.v):
            if isinstance(term, Term):
                read(term, min(adder.width, graph.bits(term)), adder.stage - 1)
        if isinstance(adder.carry, Term):
            read(adder.carry, 1, adder.stage - 1)
    for row in graph.rows:
        read(row.low, 1, graph.latency)
        read(row.high, graph.bits(row.high), graph.latency)
    sums = sum(adder.width for adder in graph.adders)
    return sums + sum(stage - graph.stages[node] for (node, _), stage in last_read.items())
