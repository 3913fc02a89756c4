"""bnnhw lowlight train."""

import json
from dataclasses import asdict
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
    from bnnhw.cli.progress import StageProgress
    from bnnhw.files import sole_writer
    from bnnhw.lowlight.judging import judge
    from bnnhw.lowlight.network_file import save_network
    from bnnhw.lowlight.sources import find_sources
    from bnnhw.lowlight.training import train_network
    from bnnhw.lowlight.unet import AbcLsidShape
    from bnnhw.model.named import checkpoint_path

    if output.exists() and not output.is_file():
        raise ValueError(f"{output} is no regular file, and would be replaced by one; name another place")
    learning.prepare()
    recipe = learning.recipe()
    shape = AbcLsidShape(width=width, weight_bases=weight_bases, activation_bases=activation_bases)
    sources, judged_by = find_sources(photos), find_sources(tests)
    checkpoint = checkpoint_path(output)
    with sole_writer(output), StageProgress(quiet=quiet) as progress:
        patches = learning.cut(sources, progress.show)
        try:
            network, history = train_network(
                shape,
                patches,
                recipe=recipe,
                seed=seed,
                device=learning.device,
                checkpoint=checkpoint,
                settings={"photos": [[str(path) for path in source.files] for source in sources]},
                on_epoch=lambda epoch: progress.show(
                    "train", f"epoch {epoch.epoch} of {recipe.epochs}, loss {epoch.loss:.4f}"
                ),
            )
        except KeyboardInterrupt as interrupt:
            if checkpoint.exists():
                interrupt.args = (f"{checkpoint} is kept: the same command goes on from there",)
            raise
        progress.show("judge", f"{len(judged_by)} photos")
        quality = judge(network, judged_by, recipe=recipe) if judged_by else None
        result = {
            "shape": asdict(shape),
            "recipe": asdict(recipe),
            "seed": seed,
            "photos": len(sources),
            "patches": sum(map(len, patches)),
            "loss": history[-1].loss,
            "seconds": sum(epoch.seconds for epoch in history),
            "quality": None if quality is None else asdict(quality),
        }
        save_network(network, output, meta=result)
        checkpoint.unlink(missing_ok=True)
    if as_json:
        click.echo(json.dumps(result, indent=2))
        return
    seen = f"; on {len(judged_by)} test photos {quality}" if quality else ""
    click.echo(f"{output}: M = {weight_bases}, N = {activation_bases}, loss {result['loss']:.4f}{seen}")
