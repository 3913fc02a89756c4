"""bnnhw verify."""

import json
import sys
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bnnhw.api.builds.plan import PlanOptions
from bnnhw.api.ladder.names import RUNGS

from .options.common import SOURCE, data_dir_option
from .options.plan import plan_options

if TYPE_CHECKING:
    from bnnhw.sim.ladder.ladder import Comparison

DIFFERENT = 1


@click.command("verify")
@click.argument("model", type=SOURCE)
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
    plan: PlanOptions,
    as_json: bool,
    quiet: bool,
) -> None:
    """Climb the ladder: prove that torch, the graphs, the RTL and the netlists give the same answers, bit for bit.

    Ends with exit code 1 and the first image, layer and channel that differ, where anything does.

    \b
    Example: bnnhw verify model.pt --through rtl --samples 10000
             bnnhw verify model.pt --build build/lfc
    """
    from bnnhw.api.verify import verify

    from .telling.progress import StageProgress

    if build_folder is not None:
        check_no_plan(click.get_current_context())
    with StageProgress(quiet=quiet) as progress:
        verification = verify(
            model,
            through=through,
            build=build_folder,
            samples=samples,
            dataset=dataset,
            data_dir=data_dir,
            plan=plan if build_folder is None else None,
            on_rung=lambda name: progress.show(name, "comparing"),
            on_step=(lambda step: None) if as_json else show,
        )
    steps, seconds = verification.steps, verification.seconds
    if as_json:
        row = {"images": verification.images, "steps": [asdict(step) for step in steps], "seconds": seconds}
        click.echo(json.dumps(row, indent=2))
    else:
        own = steps[-1].making_seconds + steps[-1].seconds
        click.echo(
            f"compared on {verification.images}, in {seconds:.1f} s, of which {steps[-1].upper} took {own:.1f} s"
        )
    if not verification.is_equal:
        sys.exit(DIFFERENT)


def show(step: "Comparison") -> None:
    """One line for a comparison."""
    verdict = "equal" if not step.differences else f"{step.differences:,} DIFFERENT, first: {step.where}"
    compared = f"{step.lower:>14} = {step.upper:<14} {step.samples:,} images"
    click.echo(f"{compared}  {verdict}  ({step.seconds:.1f} s, made in {step.making_seconds:.1f} s)")


def check_no_plan(context: click.Context) -> None:
    """Raises UsageError where the command line names a board, a folding or the like beside --build, which has its
    own."""
    given = click.core.ParameterSource.COMMANDLINE
    for field in fields(PlanOptions):
        if context.get_parameter_source(field.name) is given:
            option = f"--{field.name.replace('_', '-')}"
            raise click.UsageError(f"{option} and --build exclude each other; a build has its own", context)
