"""bnnhw lowlight train."""

import json
from pathlib import Path
from typing import Literal

import click

from bnnhw.cli.options.common import MODEL

from .options import LEVELS, MOSAICS, NETWORKS, TRANSPOSED, LearningOptions, check_networks, learning_options

BASES = click.IntRange(0, 8)


@click.command("train", context_settings={"show_default": True})
@click.argument("photos", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--output", "-o", type=MODEL, default="lowlight.pt", help="The network's file to write.")
@click.option("--network", type=NETWORKS, default="abclsid")
@click.option("--mosaic", type=MOSAICS, default="bayer", help="Of the sensors.")
@click.option("--width", type=click.IntRange(1, 128), default=32, help="Channels of the first level.")
@click.option("--levels", type=LEVELS, default=5, help="Of a U-Net; bbcu-unet has three. Fewer look less far.")
@click.option("--weight-bases", "-m", type=BASES, default=3, help="abclsid: binary tensors for a weight; 0: real.")
@click.option("--activation-bases", "-n", type=BASES, default=3, help="The same for activations.")
@click.option("--transposed", type=TRANSPOSED, default="binary", help="abclsid: the transposed convolutions.")
@click.option(
    "--test", "tests", multiple=True, type=click.Path(path_type=Path, exists=True), help="Judge by these; repeatable."
)
@learning_options(epochs=4000, batch_size=1, crop=256, learning_rate=1e-4, patch=512)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0)
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def command(
    context: click.Context,
    photos: tuple[Path, ...],
    output: Path,
    network: str,
    mosaic: str,
    width: int,
    levels: int,
    weight_bases: int,
    activation_bases: int,
    transposed: Literal["binary", "real"],
    tests: tuple[Path, ...],
    learning: LearningOptions,
    seed: int,
    quiet: bool,
    as_json: bool,
) -> None:
    """Train a U-Net of binary convolutions to make bright pictures of dark raw photos.

    PHOTOS are bright photos (JPEG, PNG, raw files), folders of them, whose short exposures are made up with a sensor's
    noise; or a list of the See-in-the-Dark data set, whose short exposures are real. An interrupted training goes on
    where its last epoch ended when the same command is given again.

    \b
    Example: bnnhw lowlight train photos --test more --epochs 200 -o lowlight.pt
             bnnhw lowlight train photos --network bbcu-unet --width 8 --learning-rate 2e-3 -o lowlight.pt
             bnnhw lowlight train DIR/Sony_train_list.txt --test DIR/Sony_test_list.txt
    """
    from bnnhw.api.lowlight import train_lowlight
    from bnnhw.cli.telling.progress import StageProgress
    from bnnhw.lowlight.comparison import shapes_of
    from bnnhw.model.named import checkpoint_path

    check_networks(context, [network], "--weight-bases", "--activation-bases", "--transposed")
    (shape,) = shapes_of(
        [network],
        width=width,
        mosaic=mosaic,
        levels=[levels],
        bases=[(weight_bases, activation_bases)],
        transposed=[transposed],
    )
    try:
        with StageProgress(quiet=quiet) as progress:
            training = train_lowlight(
                photos,
                output,
                shape=shape,
                recipe=learning.recipe(),
                cut=learning.patches(),
                tests=tests,
                cache=learning.cache,
                seed=seed,
                device=learning.device,
                threads=learning.threads,
                progress=progress.show,
            )
    except KeyboardInterrupt as interrupt:
        if (checkpoint := checkpoint_path(output)).exists():
            interrupt.args = (f"{checkpoint} is kept: the same command goes on from there",)
        raise
    if as_json:
        click.echo(json.dumps(training.record, indent=2))
        return
    seen = f"; on {training.tests} test photos {training.quality}" if training.quality else ""
    if training.in_hardware:
        seen += f"; in hardware {training.in_hardware}"
    click.echo(f"{output}: {shape}, loss {training.record['loss']:.4f}{seen}")
