"""bnnhw build."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from .options.common import MODEL, FiniteRange
from .options.plan import plan_options

if TYPE_CHECKING:
    from bnnhw.api.builds.plan import PlanOptions


@click.command("build")
@click.argument("model", type=MODEL)
@click.option("--output", "-o", type=click.Path(path_type=Path), default=Path("build/out"), show_default=True)
@plan_options
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True, help="Of the placer.")
@click.option("--retries", type=click.IntRange(min=0), default=3, show_default=True, help="Further seeds.")
@click.option("--stop-after", type=click.Choice(["rtl", "synth", "route"]), help="Leave out what comes later.")
@click.option("--time-limit", type=FiniteRange(min=1), help="Seconds that a tool may take.")
@click.option("--check", is_flag=True, help="Evaluate random inputs around every pass of the compiler.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def command(
    model: Path,
    output: Path,
    plan: "PlanOptions",
    seed: int,
    retries: int,
    stop_after: Literal["rtl", "synth", "route"] | None,
    time_limit: float | None,
    check: bool,
    quiet: bool,
) -> None:
    """Make a bitstream of a model: top.bit, top.v, report.html and all that goes with it, in one folder.

    Without --target-fps, --fill or --folding the design is made ten times as fast as its UART, or as fast as fits.

    \b
    Example: bnnhw build --board ulx3s-85f model.pt -o build/lfc
             bnnhw build --board ulx3s-12f --target-fps 10000 model.pt -o build/small
    """
    from bnnhw.api.builds.fill import BuildOptions, fill_folder
    from bnnhw.boards.folder import staged_build
    from bnnhw.compiler.frontends.model_file import load
    from bnnhw.compiler.passes.integerize import integerize
    from bnnhw.compiler.report.page import headline

    from .progress import StageProgress

    graph = load(model)
    integers = integerize(graph, output=plan.outputs, check=check)
    options = BuildOptions(seed=seed, retries=retries, stop_after=stop_after, timeout_s=time_limit)
    with staged_build(output) as folder, StageProgress(quiet=quiet) as progress:
        report = fill_folder(folder, model, graph, integers, plan, options, progress=progress.show)
    click.echo(f"{output}: {headline(report)}")
    clock = report.performance.clock
    if clock.is_met is False and clock.fmax_hz:
        click.echo(
            f"bnnhw: warning: timing missed: {clock.fmax_hz / 1e6:.1f} MHz of {clock.actual_hz / 1e6:g} MHz; "
            f"take --clock-mhz {int(clock.fmax_hz // 1e6)}, more --retries, or another folding",
            err=True,
        )
