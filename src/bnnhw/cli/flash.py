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
@click.argument("more", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--persistent",
    is_flag=True,
    help="Into the board's flash: the FPGA starts with it when power comes, and an engine with its programs.",
)
@click.option("--time-limit", type=FiniteRange(min=1), help="Seconds; if not given 120, with --persistent 3600.")
@click.option(
    "--udev",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=print_udev_rules,
    help="Print the udev rule that lets you use the boards without being root, and how to install it.",
)
def command(build: Path, more: tuple[Path, ...], persistent: bool, time_limit: float | None) -> None:
    """Load the bitstream of a build into the board's FPGA, with openFPGALoader or whichever loader is installed.

    \b
    Example: bnnhw flash build/lfc

    With --persistent it stays there. Of a program, the engine's bitstream does, and the program and MORE for the same
    engine, which the board then has when it starts. Where a board has a bootloader, bitstreams always stay.
    """
    from bnnhw.api.flash import flash

    done = flash(build, *more, persistent=persistent, time_limit_s=time_limit)
    place = f"in the flash of the {done.board}" if done.in_flash else f"on the {done.board}"
    if not persistent:
        click.echo(f"{done.bitstream} is {place} ({done.loader}); try: bnnhw run {build} IMAGE")
        return
    click.echo(f"{done.bitstream} is {place} ({done.loader})")
    if done.program_bytes:
        click.echo(f"{done.program_bytes:,} bytes of programs stand behind it, which it takes {done.start_s:.2g} s for")
    click.echo(f"switch it off and on, and try: bnnhw run {build} IMAGE")
