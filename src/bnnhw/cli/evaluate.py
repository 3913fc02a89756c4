"""bnnhw eval."""

import json
import time
from pathlib import Path

import click

from .options.common import MODEL, data_dir_option


@click.command("eval")
@click.argument("model", type=MODEL)
@click.option("--dataset", help="The data set to judge by; default: the one that the model was trained on.")
@data_dir_option
@click.option("--engine", type=click.Choice(["integer", "torch"]), default="integer", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def command(model: Path, dataset: str | None, data_dir: Path | None, engine: str, as_json: bool) -> None:
    """The accuracy of a model on its test images: by its integer graph on packed bits, or by torch.

    \b
    Example: bnnhw eval model.pt --engine torch
    """
    import numpy as np

    from bnnhw.api.images.inputs import check_images, test_set
    from bnnhw.api.ladder.torch_rung import torch_rung
    from bnnhw.compiler.frontends.model_file import load
    from bnnhw.compiler.kernel.packed_kernel import PackedKernel
    from bnnhw.compiler.passes.integerize import integerize
    from bnnhw.model.export.loading import read_any

    answers = torch_rung(model).answers if engine == "torch" else PackedKernel(integerize(load(model)))
    file = read_any(model)
    data = test_set(dataset or file.meta.get("dataset"), data_dir=data_dir)
    check_images(data.test_images, data.name, shape=file.shape, lo=file.lo, hi=file.hi)
    started = time.perf_counter()
    answered = answers(data.test_images)
    labels = answered.argmax(axis=1) if engine == "torch" else answered
    seconds = time.perf_counter() - started
    correct, images = int(np.count_nonzero(labels == data.test_labels)), len(labels)
    if as_json:
        click.echo(json.dumps({"accuracy": correct / images, "correct": correct, "images": images, "seconds": seconds}))
    else:
        click.echo(f"{correct / images:.2%} of {images:,} {data.name} test images right ({engine}, {seconds:.1f} s)")
