"""The ladder on whole test sets.

Tests: tests/cli/test_bench.py
"""

from collections.abc import Iterator
from pathlib import Path

from bnnhw.api.builds.plan import PlanOptions
from bnnhw.api.ladder.rungs import make_rungs
from bnnhw.compiler.frontends.model_file import load
from bnnhw.model.data.datasets import load_data_set
from bnnhw.sim.ladder.ladder import climb

from .row import Bench, Row

PLAN = PlanOptions()


def measure(bench: Bench) -> Iterator[Row]:
    yield from climb_rows(bench.model("lfc"), "mnist", "rtl", 10_000, bench)
    yield from climb_rows(bench.model("digits"), "digits", "netlist", 100, bench)


def climb_rows(
    model: Path, data_set: str, through: str, samples: int, bench: Bench, plan: PlanOptions = PLAN
) -> Iterator[Row]:
    """A row for each rung."""
    images = load_data_set(data_set, data_dir=bench.data_dir).test_images[:samples]
    for step in climb(make_rungs(model, load(model), through, plan), images):
        yield Row(
            name=f"{model.stem}: {step.lower} = {step.upper}, {data_set} test images",
            measured=f"{step.samples:,} images, {step.differences} differences, {step.seconds:.1f} s",
            target="0 differences",
            met=not step.differences,
        )
