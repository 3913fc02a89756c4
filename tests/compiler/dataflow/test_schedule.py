"""Cores of random networks and foldings, simulated: the integer graph's answers, in exactly the predicted cycles."""

from pathlib import Path

import numpy as np
import pytest
from amaranth.back import rtlil
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bnnhw.compiler import Graph, Schedule, evaluate, integerize, load
from bnnhw.compiler.dataflow.schedule import apply_plan
from bnnhw.compiler.lowering.build_pipeline import build_pipeline
from bnnhw.compiler.lowering.folding_plan import FoldingPlan
from bnnhw.compiler.lowering.network import split_host
from bnnhw.compiler.units.product.folding import Folding, divisors
from bnnhw.hw.targets import PORTABLE, get_device
from bnnhw.hw.targets.ecp5 import ECP5
from tests.compiler.make_model import make_model
from tests.hw.scenario import run_scenario

DEVICE = get_device("LFE5U-85F")


def random_plan(graph: Graph, *, seed: int, vectors: int) -> FoldingPlan:
    """Legal foldings, drawn at random."""
    rng = np.random.default_rng(seed)
    layers = []
    for layer in build_pipeline(split_host(graph)[1]).layers:
        folding = Folding(int(rng.choice(divisors(layer.rows))), int(rng.choice(divisors(layer.cols))))
        layers.append((layer.name, folding))
    return FoldingPlan(tuple(layers), vectors)


def words_to_int(words: np.ndarray) -> int:
    return int.from_bytes(words.astype("<u8").tobytes(), "little")


def int_to_words(beat: int, width: int) -> np.ndarray:
    return np.frombuffer(beat.to_bytes(-(-width // 64) * 8, "little"), "<u8")


def simulate(schedule: Schedule, images: np.ndarray, *, seed: int, stalls: tuple[float, float]):
    """The core's answers for the images, and the cycles of its input and output beats."""
    core = schedule.core(target=PORTABLE)
    beats = [words_to_int(beat) for beat in schedule.encode(images)]
    groups = -(-len(images) // schedule.vectors)
    trace = run_scenario(core, beats, outputs=groups * schedule.output_beats, seed=seed, stalls=stalls)
    words = np.stack([int_to_words(beat, len(core.o.payload)) for beat in trace.outputs])
    return schedule.decode(words, frames=len(images)), trace


def random_schedule(folder: Path, *, seed: int, vectors: int, label: bool, **network) -> tuple[Graph, Schedule]:
    model = make_model(seed=seed, **network)
    graph = integerize(load(model.save(folder / "model.pt")), output="label" if label else "scores")
    plan = random_plan(graph, seed=seed, vectors=vectors)
    return graph, apply_plan(graph, plan, device=DEVICE, clock_hz=100e6)


networks = st.fixed_dictionaries(
    {
        "shape": st.sampled_from([(4, 3, 1), (8, 1, 1), (3, 3, 2), (1, 1, 1)]),
        "hi": st.sampled_from([1, 6, 16]),
        "hidden": st.lists(st.sampled_from([1, 4, 6, 8, 12]), max_size=2).map(tuple),
        "classes": st.integers(1, 5),
        "binarise": st.booleans(),
        "output": st.sampled_from(["affine", "batch_norm"]),
    }
)


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32 - 1),
    network=networks,
    vectors=st.sampled_from([1, 2, 3]),
    label=st.booleans(),
)
def test_answers_under_stalls(tmp_path_factory, seed, network, vectors, label):
    graph, schedule = random_schedule(
        tmp_path_factory.mktemp("model"), seed=seed, vectors=vectors, label=label, **network
    )
    images = np.random.default_rng(seed).integers(0, network["hi"] + 1, (5, *network["shape"]))
    answers, _ = simulate(schedule, images, seed=seed, stalls=(0.3, 0.3))
    (expected,) = evaluate(graph, {"x": images}).values()
    np.testing.assert_array_equal(answers, expected)


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32 - 1),
    network=networks,
    vectors=st.sampled_from([1, 2, 3]),
    label=st.booleans(),
)
def test_cycles_are_the_predicted_ones(tmp_path_factory, seed, network, vectors, label):
    _, schedule = random_schedule(tmp_path_factory.mktemp("model"), seed=seed, vectors=vectors, label=label, **network)
    groups = 12
    images = np.zeros((groups * vectors, *network["shape"]), np.int64)
    _, trace = simulate(schedule, images, seed=seed, stalls=(0.0, 0.0))
    assert trace.output_cycles[schedule.output_beats - 1] - trace.input_cycles[0] == schedule.timing.latency
    last_beats = trace.output_cycles[schedule.output_beats - 1 :: schedule.output_beats]
    half = len(last_beats) // 2
    intervals = np.diff(last_beats[half:])
    assert intervals.sum() == schedule.timing.initiation_interval * len(intervals), (intervals, schedule.timing)


def test_digits_sized_network(tmp_path):
    graph, schedule = random_schedule(
        tmp_path, seed=1, vectors=1, label=True, shape=(8, 8, 1), hi=16, hidden=(32, 32), classes=10
    )
    images = np.random.default_rng(0).integers(0, 17, (3, 8, 8, 1))
    answers, _ = simulate(schedule, images, seed=0, stalls=(0.3, 0.3))
    np.testing.assert_array_equal(answers, evaluate(graph, {"x": images})["label"])


@pytest.mark.parametrize("target", [ECP5, PORTABLE])
def test_a_core_has_the_schedules_ports(tmp_path, target):
    _, schedule = random_schedule(tmp_path, seed=2, vectors=3, label=False)
    core = schedule.core(target=target)
    assert len(core.i.payload) == 3 * schedule.input_lanes * schedule.input_width
    assert len(core.o.payload) == 3 * schedule.output_lanes * schedule.output_width
    assert ("CCU2C" in rtlil.convert(core)) == (target is ECP5)
