"""bnnhw train."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options.common import MODEL, FiniteRange, data_dir_option
from .options.recipe import RecipeOptions, recipe_options

if TYPE_CHECKING:
    from bnnhw.model.training.starting import Taken

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("train")
@click.option("--network", required=True, help="cnv, lenet, lfc, densenet7, ... or mlp with --width and --depth.")
@click.option("--dataset", required=True, help="digits, mnist, fashion-mnist, cifar10 or svhn.")
@data_dir_option
@click.option("--output", "-o", type=MODEL, default="model.pt", show_default=True, help="The model file to write.")
@click.option("--width", type=click.IntRange(1, 2**16), help="Neurons of each hidden layer of an mlp.")
@click.option("--depth", type=click.IntRange(1, 100), help="Hidden layers of an mlp.")
@click.option("--network-option", multiple=True, metavar="NAME=VALUE", help="Such as shortcuts=bireal or channels=75.")
@click.option("--input-bits", type=click.Choice(["1", "8"]), help="Bits of a pixel.")
@click.option("--method", default="bnn", show_default=True, help="How weights become bits; see bnnhw methods.")
@click.option("--method-option", multiple=True, metavar="NAME=VALUE", help="Of the method; may be given several times.")
@recipe_options
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True)
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads; the weights depend on their number, too.")
@click.option("--time-limit", type=FiniteRange(min=0, min_open=True), metavar="MINUTES", help="End before it is over.")
@click.option("--teacher", type=MODEL, help="A model file of the same data set, whose scores to learn from.")
@click.option("--init", type=MODEL, help="A model file whose weights to begin with: what fits by name and shape.")
@click.option("--freeze", metavar="LAYERS", help="Layers whose parameters stay, such as stem,stage1_block1.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--compile", "compiled", is_flag=True, help="Compile the network first (torch.compile).")
@click.option("--cuda-graphs", is_flag=True, help="Record each epoch's step as a CUDA graph, for --device cuda.")
@click.option("--report", type=MODEL, help="Where the page on the training goes, instead of beside the model.")
@click.option("--tensorboard", type=FOLDER, metavar="DIR", help="Log the epochs there for TensorBoard.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
@click.option("--json", "as_json", is_flag=True, help="Print the metrics as JSON.")
def command(
    network: str,
    dataset: str,
    data_dir: Path | None,
    output: Path,
    width: int | None,
    depth: int | None,
    network_option: tuple[str, ...],
    input_bits: str | None,
    method: str,
    method_option: tuple[str, ...],
    options: RecipeOptions,
    seed: int,
    threads: int | None,
    time_limit: float | None,
    teacher: Path | None,
    init: Path | None,
    freeze: str | None,
    device: str,
    compiled: bool,
    cuda_graphs: bool,
    report: Path | None,
    tensorboard: Path | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Train a named network on a data set and write model.pt, and model.report.html on how it learnt.

    What is not given comes from the network's recipe. An interrupted training, killed ones included, goes on where
    its last epoch ended when the same command is given again. Several processes share one training if torchrun starts
    them: torchrun --nproc-per-node 2 -m bnnhw train ...

    \b
    Example: bnnhw train --dataset mnist --data-dir DIR --network lfc -o model.pt
    bnnhw train --dataset digits --network lenet --method rbnn --method-option rotation=filter
    """
    from bnnhw.api.train import train
    from bnnhw.model.history.progress import TrainingProgress
    from bnnhw.model.named import checkpoint_path
    from bnnhw.model.training.distributed import join_workers
    from bnnhw.model.training.recipes import default_recipe

    recipe = options.recipe(default_recipe(network, dataset))
    try:
        with (
            join_workers(device=device) as workers,
            TrainingProgress(recipe.epochs, quiet=quiet or not workers.is_first) as progress,
        ):
            metrics = train(
                network,
                dataset,
                output,
                data_dir=data_dir,
                width=width,
                depth=depth,
                network_options=network_option,
                input_bits=int(input_bits) if input_bits else None,
                method=method,
                method_options=method_option,
                recipe=recipe,
                seed=seed,
                threads=threads,
                time_limit_s=None if time_limit is None else 60 * time_limit,
                teacher=teacher,
                init=init,
                freeze=[name.strip() for name in freeze.split(",")] if freeze else (),
                device=device,
                compiled=compiled,
                cuda_graphs=cuda_graphs,
                report=report,
                tensorboard=tensorboard,
                workers=workers,
                on_start=lambda taken: click.echo(_taken(init, taken), err=True),
                on_step=progress.on_step,
                on_epoch=progress.on_epoch,
            )
    except KeyboardInterrupt as interrupt:
        if (kept := checkpoint_path(output)).exists():
            interrupt.args = (f"{kept} is kept: the same command goes on from there",)
        raise
    if metrics is None:  # the first process speaks for all
        return
    if as_json:
        click.echo(json.dumps(metrics, indent=2))
        return
    right = f"{metrics['test_accuracy']:.2%} of {metrics['test_images']} test images right"
    click.echo(
        f"{output}: {network} on {dataset}, {right} "
        f"(validation {metrics['validation_accuracy']:.2%}, epoch {metrics['best_epoch']}, {metrics['seconds']:.0f} s, "
        f"{metrics['images_per_second']:.0f} images/s)"
    )
    if not metrics["is_complete"]:
        click.echo(
            f"the time limit ended it after {len(metrics['epochs'])} of {recipe.epochs} epochs; "
            f"{checkpoint_path(output)} is kept: the same command goes on from there"
        )
    if metrics["obstacle"]:
        click.echo(f"no hardware for it yet: {metrics['obstacle']}; bnnhw eval --engine torch evaluates it")


def _taken(init: Path | None, taken: "Taken") -> str:
    """What a training begins with."""
    left = f"; fresh: {', '.join(taken.left)}" if taken.left else ""
    return f"{init}: {len(taken.layers)} layers taken{left}"
