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
    from bnnhw.api.build import build
    from bnnhw.compiler.report.page import headline

    from .progress import StageProgress

    with StageProgress(quiet=quiet) as progress:
        report = build(
            model,
            output,
            plan=plan,
            seed=seed,
            retries=retries,
            stop_after=stop_after,
            time_limit_s=time_limit,
            check=check,
            progress=progress.show,
        )
    click.echo(f"{output}: {headline(report)}")
    clock = report.performance.clock
    if clock.is_met is False and clock.fmax_hz:
        click.echo(
            f"bnnhw: warning: timing missed: {clock.fmax_hz / 1e6:.1f} MHz of {clock.actual_hz / 1e6:g} MHz; "
            f"take --clock-mhz {int(clock.fmax_hz // 1e6)}, more --retries, or another folding",
            err=True,
        )
