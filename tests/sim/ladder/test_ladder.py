"""The ladder: it holds where levels agree, and names the place where they do not."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnhw.compiler.frontends.model_file import load
from bnnhw.compiler.ir.graph import random_feeds, trace
from bnnhw.compiler.passes.integerize import integerize, scores_of_sums
from bnnhw.compiler.search.scheduling import schedule
from bnnhw.hw.targets import get_device
from bnnhw.sim.ladder.ladder import Rung, climb
from bnnhw.sim.ladder.rungs import graph_rung, packed_rung, rtl_rung, trace_rtl
from tests.compiler.make_model import make_model

SAMPLES = 20


@pytest.fixture
def levels(tmp_path: Path):
    """(trained graph, integer graph, images) of a small network."""
    trained = load(make_model(seed=3, hidden=(8, 6)).save(tmp_path / "model.pt"))
    return trained, integerize(trained), random_feeds(trained, samples=SAMPLES, seed=1)["x"]


def test_holds_from_the_trained_graph_to_the_rtl(levels):
    trained, integers, images = levels
    plan = schedule(integers, get_device("LFE5U-85F"), target_fps=1e6)
    rungs = [graph_rung("trained", trained), graph_rung("integer", integers), packed_rung(integers), rtl_rung(plan)]
    steps = list(climb(rungs, images))
    assert [(step.upper, step.samples, step.differences) for step in steps] == [
        ("integer", SAMPLES, 0),
        ("packed kernel", SAMPLES, 0),
        ("RTL", SAMPLES, 0),
    ]


def test_sums_are_compared_as_the_scores_that_they_make(levels):
    trained, _, images = levels
    sums = integerize(trained, output="scores")
    plan = schedule(sums, get_device("LFE5U-85F"), target_fps=1e6)
    rungs = [
        graph_rung("trained", trained),
        graph_rung("integer", sums, as_below=scores_of_sums(trained, output="scores")),
        packed_rung(sums),
        rtl_rung(plan),
    ]
    assert [step.differences for step in climb(rungs, images)] == [0, 0, 0]
    off_by_one = [rungs[0], Rung("off", lambda images: np.add(rungs[1].answers(images), 1), as_below=rungs[1].as_below)]
    assert [step.differences for step in climb(off_by_one, images)] == [SAMPLES]


def test_a_slow_core_is_not_taken_for_stuck(levels, monkeypatch):
    _, integers, images = levels
    plan = schedule(integers, get_device("LFE5U-85F"), target_fps=1e4)
    monkeypatch.setattr("bnnhw.sim.ladder.rungs.PATIENCE", 1)
    assert plan.timing.latency > 50
    (step,) = climb([packed_rung(integers), rtl_rung(plan)], images)
    assert step.differences == 0
    assert len(trace_rtl(plan, images)) == 2


def test_tells_the_time_that_a_rung_takes_to_make_and_to_answer(monkeypatch):
    clock = 0

    def wait(seconds: int, result: Any) -> Any:
        nonlocal clock
        clock += seconds
        return result

    monkeypatch.setattr("bnnhw.sim.ladder.ladder.time.perf_counter", lambda: clock)
    slow = Rung("slow", lambda images: wait(20, images))
    slower = Rung("slower", lambda images: wait(5000, images))
    (step,) = climb((wait(seconds, rung) for seconds, rung in ((1, slow), (300, slower))), np.zeros((2, 1)))
    assert (step.making_seconds, step.seconds) == (300, 5000)


def test_rtl_shows_the_integer_graphs_activations(levels):
    _, integers, images = levels
    shown = trace_rtl(schedule(integers, get_device("LFE5U-85F"), target_fps=1e6), images)
    expected = trace(integers, {"x": images})
    assert len(shown) == 2
    for name, activations in shown.items():
        np.testing.assert_array_equal(activations, expected[name])


def test_names_the_first_image_value_and_channel_and_stops():
    images = np.arange(4).reshape(4, 1)

    def rung(name: str, *, wrong: bool) -> Rung:
        def inside(images):
            values = np.repeat(images, 6, axis=1).reshape(-1, 1, 2, 3) + 1
            values[:, 0, 1, 2] -= wrong * (images[:, 0] == 2)
            return {"first": images, "second": values}

        return Rung(name, lambda images: inside(images)["second"].sum(axis=(1, 2, 3)), inside)

    rungs = [rung("a", wrong=False), rung("b", wrong=True), rung("c", wrong=False)]
    (step,) = climb(rungs, images)
    assert (step.lower, step.upper, step.differences) == ("a", "b", 1)
    assert step.where == "image 2, value 'second', pixel (0, 1), channel 2: 3 in a, 2 in b"


def test_compares_scores_with_labels_by_their_lowest_maximum():
    scores = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 0.0]])
    rungs = [Rung("scores", lambda images: scores), Rung("labels", lambda images: np.array([1, 1]))]
    (step,) = climb(rungs, np.zeros((2, 1)))
    assert (step.differences, step.where) == (1, "image 1")
