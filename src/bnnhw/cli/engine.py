"""bnnhw engine."""

from pathlib import Path
from typing import Literal

import click

from bnnhw.api.builds.plan import DEFAULT_BOARD

from .options.common import FiniteRange
from .options.link import link_options


@click.command("engine")
@click.option("--board", help=f"See bnnhw boards; if not given {DEFAULT_BOARD}.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="A folder; if not given one in the user's cache.")
@click.option("--clock-mhz", type=FiniteRange(min=1), help="The engine's clock; if not given 90.")
@link_options
@click.option("--no-flash", is_flag=True, help="The engine does not look for programs in the board's flash.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True, help="Of the placer.")
@click.option("--retries", type=click.IntRange(min=0), default=0, show_default=True, help="Further seeds.")
@click.option("--stop-after", type=click.Choice(["rtl", "synth", "route"]), help="Leave out what comes later.")
@click.option("--time-limit", type=FiniteRange(min=1), help="Seconds that a tool may take.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def command(
    board: str | None,
    output: Path | None,
    clock_mhz: float | None,
    link: Literal["uart", "udp", "usb"] | None,
    baud: int | None,
    address: str | None,
    no_flash: bool,
    seed: int,
    retries: int,
    stop_after: Literal["rtl", "synth", "route"] | None,
    time_limit: float | None,
    quiet: bool,
) -> None:
    """Make the bitstream of a board's engine, once. Every network is then a program: `bnnhw build --engine` makes it.

    \b
    Example: bnnhw engine --board ulx3s-85f
    """
    from bnnhw.api.engine import ENGINE_CLOCK_MHZ, engine

    from .telling.progress import StageProgress

    with StageProgress(quiet=quiet) as progress:
        built = engine(
            board,
            output,
            clock_mhz=clock_mhz or ENGINE_CLOCK_MHZ,
            link=link,
            baud=baud,
            address=address,
            from_flash=not no_flash,
            seed=seed,
            retries=retries,
            stop_after=stop_after,
            time_limit_s=time_limit,
            progress=progress.show,
        )
    manifest, figures = built.manifest, built.figures
    macs, mhz = manifest.shape.array.macs, manifest.clock_hz / 1e6
    click.echo(f"{built.folder}: an engine of {macs:,} products a cycle at {mhz:g} MHz")
    cells = figures.routing.cells if figures.routing else figures.synthesis.cells if figures.synthesis else None
    if cells is not None:
        click.echo(f"{cells.logic:,} LUTs, {cells.ffs:,} flip-flops, {cells.ebr} block RAMs")
    if figures.is_timing_met is False and manifest.fmax_hz:
        click.echo(
            f"bnnhw: warning: timing missed: {manifest.fmax_hz / 1e6:.1f} MHz of {mhz:g} MHz; "
            f"take --clock-mhz {int(manifest.fmax_hz // 1e6)}, or more --retries",
            err=True,
        )
