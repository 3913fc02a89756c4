"""cnv on CIFAR-10: accuracy, the search for its foldings, cycles, equality."""

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from bnnhw.cli.bench.equality import PLAN, climb_rows
from bnnhw.cli.bench.row import Bench, Row
from bnnhw.compiler.integerize import integerize
from bnnhw.compiler.kernel import PackedKernel
from bnnhw.compiler.load import load
from bnnhw.model.datasets import load_data_set
from bnnhw.sim.batch import BatchSimulator
from bnnhw.sim.rungs import frames_of

MIN_ACCURACY = 0.801
"""FINN's cnv, arXiv:1612.07119."""
MAX_SEARCH_S = 30
CNV_PLAN = replace(PLAN, target_fps=27_700, clock_mhz=80)
CYCLE_FRAMES = 6
EQUAL_IMAGES = 1000


def measure(bench: Bench) -> Iterator[Row]:
    model = bench.model("cnv")
    data = load_data_set("cifar10", data_dir=bench.data_dir)
    integers = integerize(load(model))
    labels = PackedKernel(integers)(data.test_images)
    accuracy = np.count_nonzero(labels == data.test_labels) / len(labels)
    yield Row(
        name="cnv, CIFAR-10 test accuracy, 1-bit weights and activations",
        measured=f"{accuracy:.2%}",
        target=f">= {MIN_ACCURACY:.1%}",
        met=bool(accuracy >= MIN_ACCURACY),
    )
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
    result = BatchSimulator(schedule.core("ecp5")).run(frames, output_beats=schedule.output_beats, lanes=1)
    latency = int(result.output_cycles[0, -1] - result.accepted_cycles[0, 0])
    interval = int(np.diff(result.output_cycles[:, -1])[-1])
    predicted = schedule.timing
    yield Row(
        name="cnv: cycles in the RTL, latency and interval, against predicted",
        measured=f"{latency}, {interval} against {predicted.latency}, {predicted.initiation_interval}",
        target="equal",
        met=(latency, interval) == (predicted.latency, predicted.initiation_interval),
    )
    yield from climb_rows(model, "cifar10", "rtl", EQUAL_IMAGES, bench, CNV_PLAN)
