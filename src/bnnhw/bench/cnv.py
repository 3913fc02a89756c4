"""cnv on CIFAR-10: accuracy, the search for its foldings, cycles, equality.

Tests: tests/cli/test_bench.py
"""

import time
from collections.abc import Iterator
from dataclasses import replace

from bnnhw.compiler.frontends.model_file import load
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.model.data.datasets import load_data_set
from bnnhw.sim.batch.simulator import BatchSimulator
from bnnhw.sim.ladder.rungs import frames_of

from .accuracy import accuracy_row
from .equality import PLAN, climb_rows
from .row import Bench, Row
from .speed import cycles_row

MIN_ACCURACY = 0.801
"""FINN's cnv, arXiv:1612.07119."""
MAX_SEARCH_S = 30
CNV_PLAN = replace(PLAN, target_fps=21_906)
CYCLE_FRAMES = 6
EQUAL_IMAGES = 1000


def measure(bench: Bench) -> Iterator[Row]:
    model = bench.model("cnv")
    data = load_data_set("cifar10", data_dir=bench.data_dir)
    integers = integerize(load(model))
    title = "cnv, CIFAR-10 test accuracy, 1-bit weights and activations"
    yield accuracy_row(title, integers, data, MIN_ACCURACY)
    started = time.perf_counter()
    schedule = CNV_PLAN.schedule(integers)
    seconds = time.perf_counter() - started
    yield Row(
        name="cnv: search for foldings and queues",
        measured=f"{seconds:.1f} s",
        target=f"< {MAX_SEARCH_S} s",
        met=seconds < MAX_SEARCH_S,
    )
    frames = frames_of(schedule, data.test_images[:CYCLE_FRAMES])
    result = BatchSimulator(schedule.core()).run(frames, output_beats=schedule.output_beats, lanes=1)
    yield cycles_row("cnv", result, schedule.timing)
    yield from climb_rows(model, "cifar10", "rtl", EQUAL_IMAGES, bench, CNV_PLAN)
