"""Networks that nobody would think of climb the ladder from trained graph to RTL, under stalls on both sides."""

import dataclasses
from typing import Literal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from bnnhw.compiler.dataflow.schedule import apply_plan
from bnnhw.compiler.frontends.model_file import load
from bnnhw.compiler.ir.graph import evaluate, random_feeds
from bnnhw.compiler.kernel.packed_kernel import PackedKernel
from bnnhw.compiler.lowering.build_pipeline import build_pipeline
from bnnhw.compiler.lowering.folding_plan import FoldingPlan
from bnnhw.compiler.lowering.network import split_host
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.compiler.units.product.folding import Folding, divisors
from bnnhw.hw.targets import get_device
from bnnhw.sim.batch.simulator import BatchSimulator
from bnnhw.sim.ladder.rungs import frames_of
from tests.compiler.make_model import CHAINS, make_model

FRAMES = 12
SIZES = st.sampled_from([1, 2, 3, 4, 5, 6, 8, 12])
STALLS = st.sampled_from([0.0, 0.2, 0.7])


@dataclasses.dataclass(frozen=True)
class Climb:
    """A random network, its foldings and its stalls; everything that a failure needs to be made again."""

    seed: int
    shape: tuple[int, int, int]
    input_range: tuple[int, int]
    binarise: bool
    hidden: tuple[int, ...]
    classes: int
    chain: str
    output: str
    answers: Literal["label", "scores"]
    vectors: int
    stalls: tuple[float, float]


CLIMBS = st.builds(
    Climb,
    seed=st.integers(0, 2**20),
    shape=st.tuples(SIZES, st.integers(1, 3), st.integers(1, 2)),
    input_range=st.sampled_from([(0, 255), (-128, 127), (0, 16), (-3, 4), (7, 8)]),
    binarise=st.booleans(),
    hidden=st.lists(SIZES, max_size=3).map(tuple),
    classes=st.integers(1, 11),
    chain=st.sampled_from(CHAINS),
    output=st.sampled_from(["affine", "batch_norm", "none"]),
    answers=st.sampled_from(["label", "scores"]),
    vectors=st.integers(1, 3),
    stalls=st.tuples(STALLS, STALLS),
)


def climb_to_rtl(climb: Climb, folder) -> None:
    """Fails where trained graph, integer graph, packed kernel and RTL are not equal on random images."""
    lo, hi = climb.input_range
    model = make_model(
        seed=climb.seed,
        shape=climb.shape,
        lo=lo,
        hi=hi,
        binarise=climb.binarise,
        hidden=climb.hidden,
        classes=climb.classes,
        chain=climb.chain,
        output=climb.output,
    )
    trained = load(model.save(folder / "model.pt"))
    integers = integerize(trained, output=climb.answers, check=True)
    feeds = random_feeds(trained, samples=FRAMES, seed=climb.seed)
    (images,) = feeds.values()
    (expected,) = evaluate(integers, feeds).values()
    if climb.answers == "label":
        (scores,) = evaluate(trained, feeds).values()
        np.testing.assert_array_equal(expected, scores.argmax(axis=1), "integer graph")
    np.testing.assert_array_equal(PackedKernel(integers)(images), expected, "packed kernel")

    rng = np.random.default_rng(climb.seed)
    plan = FoldingPlan(
        tuple(
            (layer.name, Folding(int(rng.choice(divisors(layer.rows))), int(rng.choice(divisors(layer.cols)))))
            for layer in build_pipeline(split_host(integers)[1]).layers
        ),
        vectors=climb.vectors,
    )
    note(f"{plan}")
    schedule = apply_plan(integers, plan, device=get_device("LFE5U-85F"), clock_hz=100e6)
    result = BatchSimulator(schedule.core()).run(
        frames_of(schedule, images),
        output_beats=schedule.output_beats,
        stall_probability=climb.stalls,
        seed=climb.seed,
        lanes=2,
    )
    answers = schedule.decode(result.outputs.reshape(-1, result.outputs.shape[2]), frames=FRAMES)
    np.testing.assert_array_equal(answers, expected, "RTL")
    if climb.stalls == (0.0, 0.0):
        latency = result.output_cycles[0, -1] - result.accepted_cycles[0, 0]
        assert latency == schedule.timing.latency


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
@given(CLIMBS)
def test_random_networks_climb_to_rtl(tmp_path_factory, climb: Climb):
    climb_to_rtl(climb, tmp_path_factory.mktemp("climb"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
@given(CLIMBS)
def test_many_random_networks_climb_to_rtl(tmp_path_factory, climb: Climb):
    climb_to_rtl(climb, tmp_path_factory.mktemp("climb"))
