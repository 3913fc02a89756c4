"""bnnhw build."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
from click.core import ParameterSource

from .options.common import SOURCE, FiniteRange
from .options.plan import plan_options

if TYPE_CHECKING:
    from bnnhw.api.builds.plan import PlanOptions


@click.command("build")
@click.argument("model", type=SOURCE)
@click.option("--output", "-o", type=click.Path(path_type=Path), default=Path("build/out"), show_default=True)
@plan_options
@click.option(
    "--as",
    "kind",
    type=click.Choice(["bitstream", "core"]),
    default="bitstream",
    show_default=True,
    help="What to make; a core is Verilog for a top of your own.",
)
@click.option("--engine", "as_program", is_flag=True, help="A program for the board's engine, made in seconds.")
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
    kind: Literal["bitstream", "core"],
    as_program: bool,
    seed: int,
    retries: int,
    stop_after: Literal["rtl", "synth", "route"] | None,
    time_limit: float | None,
    check: bool,
    quiet: bool,
) -> None:
    """Make a bitstream of a model: top.bit or top.bin, top.v, report.html and all that goes with it, in one folder.

    Without --target-fps, --fill or --folding the design is made ten times as fast as its UART or USB, or as fast
    as fits; over UDP, or USB at high speed, as fast as that.

    With --as core the folder holds the core alone, for a top of your own: Verilog with AXI4-Streams, a bench with
    golden frames that needs cocotb and Icarus Verilog alone, a FuseSoC core file and a README. Without --board it is
    plain Verilog for any FPGA, with --board it has the primitives of that board's.

    With --engine it holds a program for the engine of the board, whose bitstream `bnnhw engine` makes once, and its
    report.html: cycles and bytes by layer, with the roofline.

    \b
    Example: bnnhw build --board ulx3s-85f model.pt -o build/lfc
             bnnhw build --board ulx3s-12f --target-fps 10000 model.pt -o build/small
             bnnhw build --as core --target-fps 10000 model.pt -o build/core
             bnnhw build --engine --board ulx3s-85f model.pt -o build/program
             bnnhw build --engine --board ulx3s-85f night.pt --tile 64 -o build/night
    """
    from bnnhw.api.build import build
    from bnnhw.api.build_core import build_core
    from bnnhw.api.builds.built import Build
    from bnnhw.api.builds.tile_note import program_tile_note, tile_note
    from bnnhw.api.engine import build_program
    from bnnhw.compiler.report.page import headline
    from bnnhw.lowlight.mosaic import block_of
    from bnnhw.lowlight.network.file import load_network

    from .telling.program import headline_of, lines_of
    from .telling.progress import StageProgress

    if as_program:
        refuse_what_programs_lack(click.get_current_context())
        program = build_program(model, output, board=plan.board, outputs=plan.outputs, tile=plan.tile)
        for line in lines_of(program):
            click.echo(line)
        click.echo(f"{output}: {headline_of(program)}")
        if program.tile is not None:
            note = program_tile_note(program, shape=load_network(model).network.shape)
            click.echo(f"{output}: {note}")
        return
    if kind == "core":
        refuse_what_cores_lack(click.get_current_context())
        with StageProgress(quiet=quiet) as progress:
            report = build_core(model, output, plan=plan, check=check, progress=progress.show)
        click.echo(f"{output}: {headline(report)}")
        return
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
    built = Build.read(output, model=model)
    if built.tiling is not None:
        block = block_of(built.manifest.input_shape[-1])
        click.echo(f"{output}: {tile_note(report, tiling=built.tiling, block=block)}")
    clock = report.performance.clock
    if clock.is_met is False and clock.fmax_hz:
        click.echo(
            f"bnnhw: warning: timing missed: {clock.fmax_hz / 1e6:.1f} MHz of {clock.actual_hz / 1e6:g} MHz; "
            f"take --clock-mhz {int(clock.fmax_hz // 1e6)}, more --retries, or another folding",
            err=True,
        )


def refuse_what_cores_lack(context: click.Context) -> None:
    """Raises a UsageError where an option was given that only a bitstream has."""
    for name in ("link", "baud", "address", "seed", "retries", "stop_after", "time_limit"):
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            option = f"--{name.replace('_', '-')}"
            raise click.UsageError(f"{option} is for bitstreams: a core has no link, and is not placed", ctx=context)


def refuse_what_programs_lack(context: click.Context) -> None:
    """Raises a UsageError where an option was given that a program for an engine does not have."""
    for name in context.params:
        if name in ("model", "output", "board", "outputs", "tile", "as_program", "quiet"):
            continue
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            option = "--as" if name == "kind" else f"--{name.replace('_', '-')}"
            raise click.UsageError(f"{option} is not for --engine: a program runs on an engine as it is", ctx=context)
