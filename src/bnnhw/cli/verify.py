"""bnnhw verify."""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import MODEL, data_dir_option, plan_options

if TYPE_CHECKING:
    from bnnhw.compiler.ir.graph import Graph
    from bnnhw.sim.ladder.ladder import Rung

    from .built import Build
    from .options import PlanOptions

NAMES = ("torch", "trained graph", "integer graph", "packed kernel", "RTL", "netlist", "placed")
RUNGS = ("graph", "integer", "packed", "rtl", "netlist", "placed")
"""What --through calls the rungs above torch."""
DIFFERENT = 1


@click.command("verify")
@click.argument("model", type=MODEL)
@click.option(
    "--through",
    type=click.Choice(RUNGS),
    default="rtl",
    show_default=True,
    help="The last rung; placing a large design takes minutes.",
)
@click.option(
    "--build",
    "build_folder",
    type=click.Path(path_type=Path),
    help="A build of this model: climb with its design, and write the ladder into its report.",
)
@click.option("--samples", type=click.IntRange(min=1), help="Images; default 100.")
@click.option("--dataset", help="Whose test images; default: the model's own, random images where there are none.")
@data_dir_option
@plan_options
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def command(
    model: Path,
    through: str,
    build_folder: Path | None,
    samples: int | None,
    dataset: str | None,
    data_dir: Path | None,
    plan: "PlanOptions",
    as_json: bool,
    quiet: bool,
) -> None:
    """Climb the ladder: prove that torch, the graphs, the RTL and the netlists give the same answers, bit for bit.

    Ends with exit code 1 and the first image, layer and channel that differ, where anything does.

    \b
    Example: bnnhw verify model.pt --through rtl --samples 10000
             bnnhw verify model.pt --build build/lfc
    """
    from bnnhw.compiler.frontends.model_file import load
    from bnnhw.sim.ladder.ladder import climb

    from .inputs import images_for
    from .progress import StageProgress

    started = time.perf_counter()
    graph = load(model)
    build = None
    if build_folder is not None:
        from .built import Build, check_no_plan

        check_no_plan(click.get_current_context())
        build = Build.read(build_folder, model=model)
        plan = build.plan
    rungs = make_rungs(model, graph, through, plan, build)
    images, source = images_for(graph, samples=samples, dataset=dataset, data_dir=data_dir)
    with StageProgress(quiet=quiet) as progress:
        steps = []
        for step in climb(rungs, images, on_rung=lambda name: progress.show(name, "comparing")):
            steps.append(step)
            if not as_json:
                verdict = "equal" if not step.differences else f"{step.differences:,} DIFFERENT, first: {step.where}"
                compared = f"{step.lower:>14} = {step.upper:<14} {step.samples:,} images"
                click.echo(f"{compared}  {verdict}  ({step.seconds:.1f} s, made in {step.making_seconds:.1f} s)")
    seconds = time.perf_counter() - started
    if as_json:
        row = {"images": source, "steps": [asdict(step) for step in steps], "seconds": seconds}
        click.echo(json.dumps(row, indent=2))
    else:
        own = steps[-1].making_seconds + steps[-1].seconds
        click.echo(f"compared on {source}, in {seconds:.1f} s, of which {steps[-1].upper} took {own:.1f} s")
    if build is not None:
        build.write_ladder(steps, names=NAMES)
    if any(step.differences for step in steps):
        sys.exit(DIFFERENT)


def make_rungs(
    model: Path, graph: "Graph", through: str, plan: "PlanOptions", build: "Build | None" = None
) -> Iterator["Rung"]:
    """The rungs from torch to `through`, each made when the one below has held.

    Raises ValueError at once, before any of them is made, where the network or `plan` is impossible, or where `build`
    holds another design than theirs.
    """
    from bnnhw.compiler.passes.integerize import integerize, scores_of_sums
    from bnnhw.sim.ladder.rungs import graph_rung, packed_rung, rtl_rung

    from .torch_rung import torch_rung

    last = RUNGS.index(through)
    integers = integerize(graph, output=plan.outputs, check=True)
    schedule = plan.schedule(integers) if last >= RUNGS.index("rtl") else None
    if build is not None and schedule is not None:
        build.check(schedule)

    def rungs() -> Iterator["Rung"]:
        yield torch_rung(model)
        yield graph_rung("trained graph", graph)
        if last >= RUNGS.index("integer"):
            as_below = scores_of_sums(graph) if plan.outputs == "scores" else None
            yield graph_rung("integer graph", integers, as_below=as_below)
        if last >= RUNGS.index("packed"):
            yield packed_rung(integers)
        if schedule is not None:
            yield rtl_rung(schedule)
            if last >= RUNGS.index("netlist"):
                from .netlist import netlist_rungs

                yield from islice(netlist_rungs(schedule, plan.target), last - RUNGS.index("rtl"))

    return rungs()
