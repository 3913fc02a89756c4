"""bnnhw build."""

from pathlib import Path
from typing import Literal

import click

from bnnhw.cli.options import MODEL


@click.command("build")
@click.argument("model", type=MODEL)
@click.option("--board", required=True, help="See bnnhw boards; ulx3s alone is the ulx3s-85f.")
@click.option("--output", "-o", type=click.Path(path_type=Path), default=Path("build/out"), show_default=True)
@click.option("--target-fps", type=click.FloatRange(min=0, min_open=True), help="The smallest design that reaches it.")
@click.option("--fill", type=click.FloatRange(0, 1, min_open=True), help="The fastest design in this share of the FPGA.")
@click.option("--folding", type=click.Path(path_type=Path), help="A folding.json, such as another build wrote.")
@click.option("--vectors", type=click.IntRange(1, 16), help="Frames that share every weight fetch; default: whatever is best.")
@click.option("--clock-mhz", type=click.FloatRange(min=1), default=100, show_default=True, help="The core's clock.")
@click.option("--outputs", type=click.Choice(["label", "scores"]), default="label", show_default=True)
@click.option("--baud", type=click.IntRange(min=1200), default=3_000_000, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of the placer.")
@click.option("--retries", type=click.IntRange(min=0), default=3, show_default=True, help="Further seeds, timing missed.")
@click.option("--stop-after", type=click.Choice(["rtl", "synth", "route"]), help="Leave out what comes later.")
@click.option("--time-limit", type=click.FloatRange(min=1), help="Seconds that a tool may take.")
@click.option("--check", is_flag=True, help="Evaluate random inputs around every pass of the compiler.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def command(
    model: Path,
    board: str,
    output: Path,
    target_fps: float | None,
    fill: float | None,
    folding: Path | None,
    vectors: int | None,
    clock_mhz: float,
    outputs: Literal["label", "scores"],
    baud: int,
    seed: int,
    retries: int,
    stop_after: Literal["rtl", "synth", "route"] | None,
    time_limit: float | None,
    check: bool,
    quiet: bool,
) -> None:
    """Make a bitstream of a model: top.bit, top.v, report.html and all that goes with it, in one folder.

    \b
    Example: bnnhw build --board ulx3s-85f model.pt -o build/lfc
             bnnhw build --board ulx3s-12f --target-fps 10000 model.pt -o build/small
    """
    from bnnhw.boards.board import get_board
    from bnnhw.boards.folder import staged_folder
    from bnnhw.cli.build_folder import BuildOptions, fill_folder
    from bnnhw.cli.progress import StageProgress
    from bnnhw.compiler.integerize import integerize
    from bnnhw.compiler.load import load
    from bnnhw.compiler.report.page import headline
    from bnnhw.compiler.scheduling import schedule

    target = get_board(board)
    graph = load(model)
    plan = schedule(
        integerize(graph, output=outputs, check=check),
        target.device,
        target_fps=target_fps,
        fill=fill,
        folding_file=folding,
        vectors=vectors,
        clock_hz=clock_mhz * 1e6,
    )
    options = BuildOptions(
        clock_hz=clock_mhz * 1e6, baud=baud, seed=seed, retries=retries, stop_after=stop_after, timeout_s=time_limit
    )
    with staged_folder(output) as folder, StageProgress(quiet=quiet) as progress:
        report = fill_folder(folder, model, graph, plan, target, options, progress=progress.show)
    click.echo(f"{output}: {headline(report)}")
