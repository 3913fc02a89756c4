"""bnnhw sim."""

import json
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options.common import MODEL, FiniteRange, data_dir_option
from .options.plan import plan_options

if TYPE_CHECKING:
    from bnnhw.api.builds.plan import PlanOptions


@click.command("sim")
@click.argument("model", type=MODEL)
@click.argument("images", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--samples", type=click.IntRange(min=1), help="Test images where no IMAGES are given; default 100.")
@data_dir_option
@plan_options
@click.option("--stalls", type=FiniteRange(0, 1, max_open=True), default=0.0, help="Chance of a stall on both sides.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Of the stalls.")
@click.option("--waves", type=MODEL, help="A VCD file to write, for gtkwave.")
@click.option("--wave-cycles", type=click.IntRange(min=1), default=2000, show_default=True, help="Cycles in it.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def command(
    model: Path,
    images: tuple[Path, ...],
    samples: int | None,
    data_dir: Path | None,
    plan: "PlanOptions",
    stalls: float,
    seed: int,
    waves: Path | None,
    wave_cycles: int,
    as_json: bool,
) -> None:
    """Simulate the core's RTL on images, and compare its answers and its cycles with what is expected of them.

    \b
    Example: bnnhw sim model.pt digit.png --waves digit.vcd
    """
    import numpy as np

    from bnnhw.api.images.files import read_image
    from bnnhw.api.images.inputs import images_for
    from bnnhw.compiler.frontends.model_file import load
    from bnnhw.compiler.ir.graph import IntType
    from bnnhw.compiler.kernel.packed_kernel import PackedKernel
    from bnnhw.compiler.passes.integerize import integerize
    from bnnhw.files import staged_file
    from bnnhw.sim.batch.simulator import BatchSimulator
    from bnnhw.sim.batch.waves import Waves
    from bnnhw.sim.errors import DeadlockError
    from bnnhw.sim.ladder.rungs import frames_of, patience_for

    graph = load(model)
    if images:
        (value,) = graph.inputs
        if not isinstance(element := value.type.element, IntType):
            raise ValueError(f"{model} takes {element}, which no image holds")
        shape = value.type.shape
        pictures = np.stack([read_image(path, shape=shape, lo=element.lo, hi=element.hi) for path in images])
    else:
        pictures, _ = images_for(graph, samples=samples, dataset=None, data_dir=data_dir)
    integers = integerize(graph, output=plan.outputs)
    schedule = plan.schedule(integers)
    with staged_file(waves, kept_after=DeadlockError) if waves else nullcontext() as staged:
        result = BatchSimulator(schedule.core()).run(
            frames_of(schedule, pictures),
            output_beats=schedule.output_beats,
            stall_probability=(stalls, stalls),
            seed=seed,
            patience=patience_for(schedule),
            lanes=1 if waves else None,
            waves=Waves(staged, count=wave_cycles) if staged else None,
        )
    answers = schedule.decode(result.outputs.reshape(-1, result.outputs.shape[2]), frames=len(pictures))
    wrong = int(np.count_nonzero((answers != PackedKernel(integers)(pictures)).reshape(len(answers), -1).any(axis=1)))
    latency = int(result.output_cycles[0, -1] - result.accepted_cycles[0, 0])
    rate = result.cycles_per_second
    if as_json:
        row = {"answers": answers.tolist(), "different": wrong, "latency_cycles": latency, "cycles_per_second": rate}
        click.echo(json.dumps(row))
    else:
        for path, answer in zip(images, answers, strict=False):
            click.echo(f"{path}: {answer}")
        expected = f"{schedule.timing.latency} predicted" if not stalls else "stalls included"
        click.echo(f"{len(pictures):,} images through the RTL, {wrong} differ from the integer graph")
        click.echo(f"latency {latency} cycles ({expected}); {rate / 1e3:,.0f} k cycles/s in {result.lanes} lanes")
        if waves:
            click.echo(f"{waves}: the first {wave_cycles:,} cycles")
    raise SystemExit(1 if wrong else 0)
