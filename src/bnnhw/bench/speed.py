"""How fast the tools are, and how busy the hardware is: cycles are counted, times are of this machine.

Tests: tests/cli/test_bench.py
"""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from bnnhw.api.ladder.torch_rung import torch_rung
from bnnhw.compiler.dataflow.timing import Timing
from bnnhw.compiler.frontends.model_file import load
from bnnhw.compiler.ir.graph import random_feeds
from bnnhw.compiler.kernel.packed_kernel import PackedKernel, images_per_second
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.hw.rtlil import convert_to_rtlil
from bnnhw.model.data.datasets import load_data_set
from bnnhw.sim.batch.simulator import BatchResult, BatchSimulator
from bnnhw.sim.icarus.speed import compare_speed
from bnnhw.sim.ladder.rungs import frames_of

from .equality import PLAN
from .row import Bench, Row

MAX_SECONDS = 20
MIN_UTILISATION = 0.95
FRAMES = 64
TURNS = 5
"""How often two programs take turns; the best of each counts."""


def measure(bench: Bench) -> Iterator[Row]:
    model = bench.model("lfc")
    started = time.perf_counter()
    graph = load(model)
    integers = integerize(graph)
    schedule = PLAN.schedule(integers)
    convert_to_rtlil(schedule.core())
    seconds = time.perf_counter() - started
    yield Row(
        name="lfc: model.pt to RTL, no yosys, no nextpnr",
        measured=f"{seconds:.1f} s",
        target=f"<= {MAX_SECONDS} s",
        met=seconds <= MAX_SECONDS,
    )

    test_images = load_data_set("mnist", data_dir=bench.data_dir).test_images
    for name in ("tfc", "sfc", "lfc"):
        yield compare_kernel(name, bench.model(name), test_images)

    images = random_feeds(graph, samples=FRAMES * schedule.vectors, seed=0)[graph.inputs[0].name]
    result = BatchSimulator(schedule.core()).run(
        frames_of(schedule, images), output_beats=schedule.output_beats, lanes=1
    )
    yield cycles_row("lfc", result, schedule.timing)
    interval = steady_intervals(result)
    work = max(shape.initiation_interval for shape in schedule.shapes)
    yield Row(
        name="lfc: share of cycles in which the slowest layer's PEs work",
        measured=f"{work / interval.max():.1%}",
        target=f">= {MIN_UTILISATION:.0%}",
        met=work / interval.max() >= MIN_UTILISATION,
    )
    yield Row(
        name="lfc: RTL simulation",
        measured=f"{result.cycles_per_second:,.0f} cycles/s in 1 lane",
    )
    speed = compare_speed()
    yield Row(
        name=f"matrix unit, {speed.macs} MACs: batch simulator, cycles/s",
        measured=f"{speed.batch:,.0f} in {speed.lanes} lanes, {speed.single_lane:,.0f} in 1",
    )
    times = [f"{rate / speed.cocotb:,.0f}" for rate in (speed.batch, speed.single_lane)]
    yield Row(
        name="the same unit in cocotb and Icarus Verilog, cycles/s",
        measured=f"{speed.cocotb:,.0f}: {times[0]} and {times[1]} times slower",
    )


def steady_intervals(result: BatchResult) -> NDArray[np.int64]:
    """Cycles between frames, of the later half of them."""
    last = result.output_cycles[:, -1]
    return np.diff(last)[len(last) // 2 :]


def cycles_row(name: str, result: BatchResult, timing: Timing) -> Row:
    """Latency and interval of frames in one lane beside the predicted ones."""
    latency = int(result.output_cycles[0, -1] - result.accepted_cycles[0, 0])
    interval = steady_intervals(result)
    return Row(
        name=f"{name}: cycles in the RTL, latency and interval, against predicted",
        measured=f"{latency}, {interval.max()} against {timing.latency}, {timing.initiation_interval}",
        target="equal",
        met=(latency, set(interval)) == (timing.latency, {timing.initiation_interval}),
    )


def compare_kernel(name: str, model: Path, images: NDArray[np.uint8]) -> Row:
    """The rates of the packed kernel and of torch's eval on the same images, with as many threads, in turns."""
    threads = torch.get_num_threads()
    runs = (PackedKernel(integerize(load(model)), threads=threads), torch_rung(model).answers)
    turns = [[images_per_second(run, images, repeats=2) for run in runs] for _ in range(TURNS)]
    packed, trained = (max(rates) for rates in zip(*turns, strict=True))
    return Row(
        name=f"{name}: packed kernel against torch eval, {threads} threads",
        measured=f"{packed:,.0f} against {trained:,.0f} images/s: {packed / trained:.2f}",
        target="> 1",
        met=packed > trained,
    )
