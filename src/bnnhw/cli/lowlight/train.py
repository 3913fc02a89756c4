"""bnnhw lowlight train."""

import json
from pathlib import Path

import click

from bnnhw.cli.options.common import MODEL

from .options import LearningOptions, learning_options

BASES = click.IntRange(0, 8)


@click.command("train", context_settings={"show_default": True})
@click.argument("photos", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--output", "-o", type=MODEL, default="lowlight.pt", help="The network's file to write.")
@click.option("--width", type=click.IntRange(1, 128), default=32, help="Channels of the first level.")
@click.option("--weight-bases", "-m", type=BASES, default=3, help="Binary tensors that stand for a weight; 0: real.")
@click.option("--activation-bases", "-n", type=BASES, default=3, help="The same for activations.")
@click.option(
    "--test", "tests", multiple=True, type=click.Path(path_type=Path, exists=True), help="Judge by these; repeatable."
)
@learning_options(epochs=4000, batch_size=1, crop=256, learning_rate=1e-4, patch=512)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0)
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(
    photos: tuple[Path, ...],
    output: Path,
    width: int,
    weight_bases: int,
    activation_bases: int,
    tests: tuple[Path, ...],
    learning: LearningOptions,
    seed: int,
    quiet: bool,
    as_json: bool,
) -> None:
    """Train the U-Net ABCLSID to make bright pictures of dark raw photos.

    PHOTOS are bright photos (JPEG, PNG, raw files), folders of them, whose short exposures are made up with a sensor's
    noise; or a list of the See-in-the-Dark data set, whose short exposures are real. An interrupted training goes on
    where its last epoch ended when the same command is given again.

    \b
    Example: bnnhw lowlight train photos --test more --epochs 200 -o lowlight.pt
             bnnhw lowlight train DIR/Sony_train_list.txt --test DIR/Sony_test_list.txt
    """
    from bnnhw.api.lowlight import train_lowlight
    from bnnhw.cli.telling.progress import StageProgress
    from bnnhw.lowlight.network.unet import AbcLsidShape
    from bnnhw.model.named import checkpoint_path

    try:
        with StageProgress(quiet=quiet) as progress:
            training = train_lowlight(
                photos,
                output,
                shape=AbcLsidShape(width=width, weight_bases=weight_bases, activation_bases=activation_bases),
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
    click.echo(f"{output}: M = {weight_bases}, N = {activation_bases}, loss {training.record['loss']:.4f}{seen}")
