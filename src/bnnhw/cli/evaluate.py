"""bnnhw eval."""

import json
from pathlib import Path
from typing import Literal

import click

from .options.common import SOURCE, data_dir_option


@click.command("eval")
@click.argument("model", type=SOURCE)
@click.option("--dataset", help="The data set to judge by; default: the one that the model was trained on.")
@data_dir_option
@click.option("--engine", type=click.Choice(["integer", "torch"]), default="integer", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def command(
    model: Path, dataset: str | None, data_dir: Path | None, engine: Literal["integer", "torch"], as_json: bool
) -> None:
    """The accuracy of a model on its test images: by its integer graph on packed bits, or by torch.

    \b
    Example: bnnhw eval model.pt --engine torch
    """
    from bnnhw.api.evaluate import evaluate

    done = evaluate(model, dataset=dataset, data_dir=data_dir, engine=engine)
    correct, images, seconds = done.correct, done.images, done.seconds
    if as_json:
        row = {"accuracy": done.accuracy, "correct": correct, "images": images, "seconds": seconds}
        click.echo(json.dumps(row))
    else:
        click.echo(f"{done.accuracy:.2%} of {images:,} {done.dataset} test images right ({engine}, {seconds:.1f} s)")
