"""What ABC-Net's three bases of the weights cost: cnv with M = 3, N = 1 at a third of the rate of M = N = 1.

Three times the binary multiplications take three times the cycles on as much hardware, if nothing else grows. Networks
are untrained: speed and size hardly depend on the weights.

Tests: tests/cli/test_bench.py
"""

from collections.abc import Iterator

from bnnhw.api.builds.plan import PlanOptions
from bnnhw.compiler.dataflow.schedule import Schedule
from bnnhw.compiler.ir.graph import Graph
from bnnhw.model.methods import method_named

from .row import Bench, Row
from .untrained import untrained

CHANNELS = 50
"""Percent of cnv's: the weights of three bases of all of them, 4.6 Mbit, are more than the device holds."""
CLOCK_HZ = 100e6
CYCLES = (4800, 3600, 2400, 1200)
"""Of a frame, of M = N = 1 at most."""
BASES = 3
MOST_AREA = 1.2


def measure(bench: Bench) -> Iterator[Row]:
    one, three = network(1), network(BASES)
    for cycles in CYCLES:
        yield compared(smallest(one, cycles), smallest(three, BASES * cycles))


def compared(one: Schedule, three: Schedule) -> Row:
    """The rates and the sizes of both designs."""
    rate = three.frames_per_second / one.frames_per_second
    area = three.resources.logic / one.resources.logic
    return Row(
        name=f"cnv, {CHANNELS} % of its channels, abc: M = {BASES} beside M = 1, {one.frames_per_second:,.0f} frames/s",
        measured=f"{rate:.3f} of the rate, {area:.2f} of the LUTs: {told(three)} beside {told(one)}",
        target=f">= 1/{BASES}, <= {MOST_AREA}",
        met=BASES * rate > 1 - 1e-9 and area <= MOST_AREA,
    )


def told(design: Schedule) -> str:
    cells = design.resources
    return f"{cells.logic:,} LUT4, {cells.ffs:,} FF, {cells.ebr} EBR, {cells.multipliers} multipliers"


def smallest(graph: Graph, cycles: int) -> Schedule:
    """The smallest design of so many cycles a frame at most."""
    plan = PlanOptions(target_fps=CLOCK_HZ / cycles, vectors=1, clock_mhz=CLOCK_HZ / 1e6)
    return plan.schedule(graph)


def network(bases: int) -> Graph:
    """The integer graph of cnv with so many bases of the weights and one of the activations."""
    method = method_named("abc", (f"weight_bases={bases}", "activation_bases=1"))
    return untrained("cnv", options=(f"channels={CHANNELS}",), method=method)
