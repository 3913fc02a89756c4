"""bnnhw lowlight cores."""

import json
from dataclasses import asdict

import click

from bnnhw.cli.options.common import FiniteRange

from .compare import BasesType
from .options import LEVELS, MOSAICS, NETWORKS, check_networks


@click.command("cores", context_settings={"show_default": True})
@click.option("--network", "networks", type=NETWORKS, multiple=True, default=("abclsid",), help="May be repeated.")
@click.option("--mosaic", type=MOSAICS, default="bayer", help="Of the sensors.")
@click.option("--width", type=click.IntRange(1, 128), default=4, help="Channels of the first level.")
@click.option(
    "--levels", type=LEVELS, multiple=True, default=(5,), help="Of U-Nets; bbcu-unet has three. May be repeated."
)
@click.option(
    "--bases", type=BasesType(), multiple=True,
    default=((1, 1), (3, 1), (3, 3), (3, 5), (5, 1), (5, 3), (5, 5)),
    help="Of abclsid: of weights and activations; may be repeated.",
)  # fmt: skip
@click.option("--board", help="See bnnhw boards; if not given ulx3s-85f.")
@click.option("--fill", type=FiniteRange(0, 1, min_open=True), default=0.35, help="The share of its FPGA to use.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each network.")
@click.pass_context
def command(
    context: click.Context,
    networks: tuple[str, ...],
    mosaic: str,
    width: int,
    levels: tuple[int, ...],
    bases: tuple[tuple[int, int], ...],
    board: str | None,
    fill: float,
    quiet: bool,
    as_json: bool,
) -> None:
    """What networks cost in hardware: cycles a packed pixel of the fastest core of each in one share of an FPGA.

    Beside them stand the binary MACs, which is what theory has the cycles rise with. Cycles are exact, of windows of
    128x128 packed pixels; weights are random.

    \b
    Example: bnnhw lowlight cores --width 4 --bases 1,1 --bases 3,3 --network abclsid --network bbcu-unet
             bnnhw lowlight cores --mosaic xtrans --levels 5 --levels 3 --bases 1,1
    """
    from bnnhw.api.builds.plan import PlanOptions
    from bnnhw.api.lowlight_cores import lowlight_cores
    from bnnhw.cli.telling.progress import StageProgress

    check_networks(context, networks, "--bases")
    plan = PlanOptions(board=board, fill=fill, vectors=1)
    first = None
    with StageProgress(quiet=quiet) as progress:
        cores = lowlight_cores(
            networks=networks,
            mosaic=mosaic,
            width=width,
            levels=levels,
            bases=bases,
            plan=plan,
            progress=progress.show,
        )
        for core in cores:
            if as_json:
                click.echo(json.dumps(asdict(core)))
                continue
            first = first or core
            ratios = f"{core.cycles / first.cycles:.2f} times, MACs {core.macs.binary / first.macs.binary:.2f} times"
            click.echo(
                f"{core.shape!s:<14} {core.cycles:8.2f} cycles a packed pixel, {core.luts:.0%} of the LUTs, "
                f"{core.macs}; against the first: cycles {ratios}"
            )
