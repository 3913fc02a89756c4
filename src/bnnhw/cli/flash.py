"""bnnhw flash."""

from pathlib import Path

import click

from .options.common import FiniteRange


def print_udev_rules(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    """Like --version: prints, and ends the command."""
    if not wanted or context.resilient_parsing:
        return
    from bnnhw.boards.board import BOARDS
    from bnnhw.boards.flash.udev import udev_rules

    click.echo(udev_rules(BOARDS.values()), nl=False)
    context.exit()


@click.command("flash")
@click.argument("build", type=click.Path(path_type=Path))
@click.option("--time-limit", type=FiniteRange(min=1), default=120, show_default=True, help="Seconds.")
@click.option(
    "--udev",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=print_udev_rules,
    help="Print the udev rule that lets you use the boards without being root, and how to install it.",
)
def command(build: Path, time_limit: float) -> None:
    """Load the bitstream of a build into the board's FPGA, with openFPGALoader or whichever loader is installed.

    \b
    Example: bnnhw flash build/lfc
    """
    from bnnhw.api.flash import flash

    done = flash(build, time_limit_s=time_limit)
    click.echo(f"{done.bitstream} is on the {done.board} ({done.loader}); try: bnnhw run {build} IMAGE")
