"""A schedule's RTL beside its graph: what tests of whole cores share."""

from functools import lru_cache

import numpy as np

from bnnhw.compiler import Graph, Schedule, evaluate
from bnnhw.compiler.dataflow.schedule import apply_plan
from bnnhw.compiler.ir.answers import arrays_of
from bnnhw.compiler.lowering.folding_plan import FoldingPlan
from bnnhw.compiler.lowering.network import lower_network
from bnnhw.compiler.units.codes import element_of
from bnnhw.compiler.units.product.folding import Folding
from bnnhw.hw.targets import get_device
from bnnhw.sim.batch.simulator import BatchSimulator
from bnnhw.sim.ladder.rungs import frames_of

__all__ = ["DEVICE", "check_core", "check_rtl", "folded", "inputs_of"]

DEVICE = get_device("LFE5U-85F")


def inputs_of(graph: Graph, count: int) -> np.ndarray:
    """Random inputs of a graph; the least and the greatest among them."""
    kind = graph.inputs[0].type
    element = element_of(kind)
    codes = np.random.default_rng(2).integers(0, element.count, (count, *kind.shape))
    codes[0], codes[1] = 0, element.count - 1
    return element.lo + element.step * codes


def folded(graph: Graph, *, most: int, hardwired: bool) -> Schedule:
    """Every layer with its greatest legal PE, SIMD and pixels up to `most`; or hardwired, where it has no groups."""
    plan = []
    for layer in lower_network(graph).pipeline.layers:
        if hardwired and layer.groups == 1:
            folding = Folding(layer.rows, layer.simds[-1] if layer.windows else layer.cols, engine="hardwired")
        else:
            legal = layer.pes, layer.simds, layer.pixel_counts
            pe, simd, pixels = (max(size for size in sizes if size <= most) for sizes in legal)
            folding = Folding(pe, simd, pixels=pixels)
        plan.append((layer.name, folding))
    return apply_plan(graph, FoldingPlan(tuple(plan)), device=DEVICE, clock_hz=1e8)


def check_rtl(
    chosen: Schedule, graph: Graph, inputs: np.ndarray, *, stalls: tuple[float, float], seed: int = 2
) -> None:
    """The RTL gives the graph's answers to inputs (N, *shape), and without stalls in the predicted cycles; its streams
    are as wide as the stages say."""
    check_core(simulator_of(chosen), chosen, graph, inputs, stalls=stalls, seed=seed)


@lru_cache(maxsize=1)
def simulator_of(chosen: Schedule) -> BatchSimulator:
    """Of its core; kept for the next stalls, as making it takes longer than running it."""
    core = chosen.core()
    for stage, unit in zip(chosen.stages, core.units, strict=True):
        for port in stage.outputs:
            assert stage.gives(port).width == len(getattr(unit, port).payload), (stage, port)
    return BatchSimulator(core)


def check_core(
    simulator: BatchSimulator, chosen: Schedule, graph: Graph, inputs: np.ndarray, *, stalls: tuple[float, float],
    seed: int = 2,
) -> None:  # fmt: skip
    """`check_rtl` of the core at any level."""
    values = evaluate(graph, {graph.inputs[0].name: inputs})
    result = simulator.run(
        frames_of(chosen, inputs), output_beats=chosen.output_beats, stall_probability=stalls, seed=seed, lanes=1
    )
    answers = chosen.decode(result.outputs.reshape(-1, result.outputs.shape[2]), frames=len(inputs))
    for output, answer in zip(graph.outputs, arrays_of(answers), strict=True):
        np.testing.assert_array_equal(answer, values[output])
    if stalls == (0.0, 0.0):
        ends = result.output_cycles[:, -1]
        assert ends[0] - result.accepted_cycles[0, 0] == chosen.timing.latency
        assert set(np.diff(ends)[len(inputs) // 2 :].tolist()) == {chosen.timing.initiation_interval}
