"""The rungs from torch to the placed netlist, made as the climb reaches them.

Tests: tests/cli/test_verify.py
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from bnnhw.api.builds.built import Build
from bnnhw.api.builds.plan import PlanOptions
from bnnhw.api.builds.program import BuiltProgram
from bnnhw.compiler.ir.graph import Graph
from bnnhw.compiler.passes.integerize import integerize, scores_of_sums
from bnnhw.sim.ladder.ladder import Rung
from bnnhw.sim.ladder.rungs import graph_rung, packed_rung, rtl_rung

from .names import RUNGS
from .netlist import netlist_rungs
from .torch_rung import torch_rung

__all__ = ["make_program_rungs", "make_rungs"]


def make_rungs(
    model: Path, graph: Graph, through: str, plan: PlanOptions, build: Build | None = None
) -> Iterator[Rung]:
    """The rungs from torch to `through`, each made when the one below has held.

    Raises ValueError at once, before any of them is made, where the network or `plan` is impossible, or where `build`
    holds another design than theirs.
    """
    last = RUNGS.index(through)
    integers = integerize(graph, output=plan.outputs, check=True)
    schedule = plan.schedule(integers) if last >= RUNGS.index("rtl") else None
    if build is not None and schedule is not None:
        build.check(schedule)

    def rungs() -> Iterator[Rung]:
        yield torch_rung(model)
        yield graph_rung("trained graph", graph)
        if last >= RUNGS.index("integer"):
            yield graph_rung("integer graph", integers, as_below=scores_of_sums(graph, output=plan.outputs))
        if last >= RUNGS.index("packed"):
            yield packed_rung(integers)
        if schedule is not None:
            yield rtl_rung(schedule)
            if last >= RUNGS.index("netlist"):
                yield from islice(netlist_rungs(schedule, plan.target), last - RUNGS.index("rtl"))

    return rungs()


def make_program_rungs(model: Path, built: BuiltProgram, through: str) -> Iterator[Rung]:
    """The rungs from torch to an engine that runs the program, each made when the one below has held.

    Raises ValueError at once where `through` lies above it.
    """
    if RUNGS.index(through) > RUNGS.index("rtl"):
        raise ValueError(f"through={through!r} is for bitstreams of networks; a program is verified through rtl")
    last, outputs = RUNGS.index(through), built.manifest.outputs
    integers = integerize(built.graph, output=outputs, check=True)

    def rungs() -> Iterator[Rung]:
        yield torch_rung(model)
        yield graph_rung("trained graph", built.graph)
        if last >= RUNGS.index("integer"):
            yield graph_rung("integer graph", integers, as_below=scores_of_sums(built.graph, output=outputs))
        if last >= RUNGS.index("packed"):
            yield packed_rung(integers)
        if last >= RUNGS.index("rtl"):
            yield built.simulated()

    return rungs()
