"""bnnhw lowlight compare."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any, Literal

import click

from .options import LEVELS, MOSAICS, NETWORKS, TRANSPOSED, LearningOptions, check_networks, learning_options

if TYPE_CHECKING:
    from bnnhw.lowlight.quality import Quality


class BasesType(click.ParamType):
    """M,N: two numbers of binary bases."""

    name = "M,N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        try:
            weight_bases, activation_bases = (int(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} must be two numbers of bases such as 3,1.", param, ctx)
        return weight_bases, activation_bases


@click.command("compare", context_settings={"show_default": True})
@click.argument("photos", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--test", "tests", multiple=True, type=click.Path(path_type=Path, exists=True), help="Photos to judge by."
)
@click.option("--network", "networks", type=NETWORKS, multiple=True, default=("abclsid",), help="May be repeated.")
@click.option("--mosaic", type=MOSAICS, default="bayer", help="Of the sensors.")
@click.option("--width", type=click.IntRange(1, 128), default=8, help="Channels of the first level.")
@click.option(
    "--levels", type=LEVELS, multiple=True, default=(5,), help="Of U-Nets; bbcu-unet has three. May be repeated."
)
@click.option(
    "--bases", type=BasesType(), multiple=True, default=((0, 0), (1, 1), (3, 1), (3, 3), (5, 3)),
    help="Of abclsid: of weights and activations; 0,0 is full precision; may be repeated.",
)  # fmt: skip
@click.option(
    "--transposed", type=TRANSPOSED, multiple=True, default=("binary",),
    help="Of abclsid: the transposed convolutions; may be repeated.",
)  # fmt: skip
@click.option("--seeds", type=click.IntRange(1, 100), default=1, help="So many networks of each kind.")
@learning_options(epochs=200, batch_size=4, crop=64, learning_rate=2e-3, patch=128)
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each network.")
@click.pass_context
def command(
    context: click.Context,
    photos: tuple[Path, ...],
    tests: tuple[Path, ...],
    networks: tuple[str, ...],
    mosaic: str,
    width: int,
    levels: tuple[int, ...],
    bases: tuple[tuple[int, int], ...],
    transposed: tuple[Literal["binary", "real"], ...],
    seeds: int,
    learning: LearningOptions,
    quiet: bool,
    as_json: bool,
) -> None:
    """Train small networks of different kinds alike and compare their PSNR on photos that they have not seen.

    PHOTOS are as for bnnhw lowlight train; without them, photos that come with scikit-image and scikit-learn are taken,
    others of which judge. Means and standard deviations follow where there is more than one seed. MACs are those of
    convolutions; a binary one multiplies bit by bit.

    \b
    Example: bnnhw lowlight compare --width 8 --epochs 200 --seeds 3
             bnnhw lowlight compare --network abclsid --bases 5,3 --network bbcu-unet --seeds 3
             bnnhw lowlight compare --mosaic xtrans --levels 5 --levels 3 --bases 3,3
    """
    from bnnhw.api.lowlight import compare_lowlight
    from bnnhw.cli.telling.progress import StageProgress

    if bool(photos) != bool(tests):
        raise click.UsageError("give PHOTOS to train on and --test to judge by, or neither")
    check_networks(context, networks, "--bases", "--transposed")
    with StageProgress(quiet=quiet) as progress:
        trained = compare_lowlight(
            photos,
            tests,
            networks=networks,
            mosaic=mosaic,
            width=width,
            levels=levels,
            bases=bases,
            transposed=transposed,
            seeds=range(seeds),
            recipe=learning.recipe(),
            cut=learning.patches(),
            cache=learning.cache,
            device=learning.device,
            threads=learning.threads,
            progress=progress.show,
        )
        for shape, alike in groupby(trained, key=lambda one: one.shape):
            qualities: list[Quality] = []
            for one in alike:
                if as_json:
                    click.echo(json.dumps(asdict(one)))
                    continue
                cost = f"training loss {one.loss:.4f}, {one.seconds:.0f} s, {one.macs}"
                hardware = f"; in hardware {one.in_hardware}" if one.in_hardware else ""
                click.echo(f"{f'{shape}, seed {one.seed}':<24} {one.quality}, {cost}{hardware}")
                qualities.append(one.quality)
            if len(qualities) > 1:
                click.echo(f"{f'{shape}, {seeds} seeds':<24} {spread(qualities)}")


def spread(qualities: "Sequence[Quality]") -> str:
    """Means and standard deviations of the qualities of two networks or more."""
    (psnr, psnr_sd), (ssim, ssim_sd) = (
        (mean(values), stdev(values)) for values in zip(*((each.psnr, each.ssim) for each in qualities), strict=True)
    )
    return f"PSNR {psnr:.2f} ± {psnr_sd:.2f} dB, SSIM {ssim:.4f} ± {ssim_sd:.4f}"
