"""Netlists as programs: what cannot be simulated is refused by name; gates are folded and shared."""

import itertools

import pytest

from bnnhw.sim.batch.simulator import compile_design
from bnnhw.sim.errors import SimulationError
from bnnhw.sim.netlist.fold import GateGraph

REFUSED = {
    "loop": (
        "wire x, y; assign x = y ^ a; assign y = x & b; assign o = x; reg r; always @(posedge c) r <= o;",
        r"combinational loop through o, y",
    ),
    "two clocks": (
        "reg p, q; always @(posedge c) p <= a; always @(posedge b) q <= p; assign o = q;",
        r"is clocked by [bc], others by [bc]; one clock is allowed",
    ),
    "falling edge": (
        "reg p; always @(negedge c) p <= a; assign o = p;",
        r"is clocked by a falling edge; only rising edges can be simulated",
    ),
    "latch": ("reg p; always @* if (c) p = a; assign o = p;", r"of type \$dlatch has no simulation model"),
    "unknown cell": ("MYSTERY m (.I(a), .O(o));", r"cell m of type MYSTERY has no simulation model"),
    "syntax": ("assign o = ;", r"yosys: design:1: ERROR: syntax error"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_design(name):
    body, message = REFUSED[name]
    with pytest.raises(SimulationError, match=message):
        compile_design(f"module top (input a, b, c, output o); {body} endmodule", read="read_verilog")


def test_gates_without_effect_vanish():
    body = "wire x = (a ^ a) | b; wire unused = a & b; assign o = x & x;"
    program = compile_design(f"module top (input a, b, output o); {body} endmodule", read="read_verilog")
    assert len(program.gates) == 0
    assert program.outputs["o"] == program.inputs["b"]


def evaluate(graph: GateGraph, node: int, values: dict[int, int]) -> int:
    if node in values:
        return values[node]
    table, *inputs = graph.nodes[node]
    return table >> sum(evaluate(graph, need, values) << n for n, need in enumerate(inputs)) & 1


def test_every_gate_over_every_choice_of_inputs():
    """Constants, repeated and equal inputs: folding keeps the function, and finds a gate of fewer inputs."""
    for table, inputs in itertools.product(range(256), itertools.product(range(5), repeat=3)):
        graph = GateGraph()
        sources = [0, 1, graph.source(), graph.source(), graph.source()]
        before = len(graph.nodes)
        node = graph.gate(table, *(sources[n] for n in inputs))
        assert len(graph.nodes) <= before + 1
        assert node == graph.gate(table, *(sources[n] for n in inputs))
        for bits in itertools.product((0, 1), repeat=3):
            values: dict[int, int] = dict(zip(sources, (0, 1, *bits), strict=True))
            expected = table >> sum(values[sources[n]] << k for k, n in enumerate(inputs)) & 1
            assert evaluate(graph, node, values) == expected
